/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a section by its table of keys. One reader a type; what is wrong with a value by itself
 * is said here, what values mean together is the section's own business.
 */
#include "config/config_int.h"
#include "config/keys.h"
#include "config/keys_registers.h"

#define ROW(cell, key, type, required, lo, hi, choices, missing, doc)                              \
    {key, SY_T_##type, required, lo, hi, choices, missing, doc},
static const sy_cfg_key keys_root[] = {SY_KEYS_ROOT(ROW)};
static const sy_cfg_key keys_gateway[] = {SY_KEYS_GATEWAY(ROW)};
static const sy_cfg_key keys_ledger[] = {SY_KEYS_LEDGER(ROW)};
static const sy_cfg_key keys_retention[] = {SY_KEYS_RETENTION(ROW)};
static const sy_cfg_key keys_keep[] = {SY_KEYS_KEEP(ROW)};
static const sy_cfg_key keys_flash[] = {SY_KEYS_FLASH(ROW)};
static const sy_cfg_key keys_mqtt[] = {SY_KEYS_MQTT(ROW)};
static const sy_cfg_key keys_coap[] = {SY_KEYS_COAP(ROW)};
static const sy_cfg_key keys_dtls[] = {SY_KEYS_DTLS(ROW)};
static const sy_cfg_key keys_hj212[] = {SY_KEYS_HJ212(ROW)};
static const sy_cfg_key keys_console[] = {SY_KEYS_CONSOLE(ROW)};
static const sy_cfg_key keys_certificates[] = {SY_KEYS_CERTIFICATES(ROW)};
static const sy_cfg_key keys_tls[] = {SY_KEYS_TLS(ROW)};
static const sy_cfg_key keys_premises[] = {SY_KEYS_PREMISES(ROW)};
static const sy_cfg_key keys_place[] = {SY_KEYS_PLACE(ROW)};
static const sy_cfg_key keys_point[] = {SY_KEYS_POINT(ROW)};
static const sy_cfg_key keys_device[] = {SY_KEYS_DEVICE(ROW)};
static const sy_cfg_key keys_map[] = {SY_KEYS_MAP(ROW)};
static const sy_cfg_key keys_register[] = {SY_KEYS_REGISTER(ROW)};
static const sy_cfg_key keys_on_site[] = {SY_KEYS_ON_SITE(ROW)};
static const sy_cfg_key keys_destination[] = {SY_KEYS_DESTINATION(ROW)};
static const sy_cfg_key keys_authority[] = {SY_KEYS_AUTHORITY(ROW)};
static const sy_cfg_key keys_egress[] = {SY_KEYS_EGRESS(ROW)};
#undef ROW

const sy_cfg_section sy_cfg_sections[SY_S_SECTIONS] = {
    [SY_S_ROOT] = {"", keys_root, RT_N},
    [SY_S_GATEWAY] = {"gateway", keys_gateway, GW_N},
    [SY_S_LEDGER] = {"gateway.ledger", keys_ledger, LG_N},
    [SY_S_RETENTION] = {"gateway.retention", keys_retention, RE_N},
    [SY_S_KEEP] = {"gateway.retention.*", keys_keep, KP_N},
    [SY_S_FLASH] = {"gateway.flash", keys_flash, FL_N},
    [SY_S_MQTT] = {"mqtt", keys_mqtt, MQ_N},
    [SY_S_COAP] = {"coap", keys_coap, CO_N},
    [SY_S_CERTIFICATES] = {"mqtt.certificates", keys_certificates, CT_N},
    [SY_S_DTLS] = {"coap.dtls", keys_dtls, DT_N},
    [SY_S_HJ212] = {"hj212", keys_hj212, HJ_N},
    [SY_S_CONSOLE] = {"console", keys_console, CN_N},
    [SY_S_TLS] = {"tls", keys_tls, TL_N},
    [SY_S_PREMISES] = {"premises[]", keys_premises, PR_N},
    [SY_S_PLACE] = {"premises[].places[]", keys_place, PL_N},
    [SY_S_POINT] = {"premises[].places[].points[]", keys_point, PT_N},
    [SY_S_DEVICE] = {"devices[]", keys_device, DV_N},
    [SY_S_MAP] = {"a register map", keys_map, MP_N},
    [SY_S_REGISTER] = {"registers[]", keys_register, RG_N},
    [SY_S_ON_SITE] = {"on-site", keys_on_site, OS_N},
    [SY_S_DESTINATION] = {"destinations[]", keys_destination, DS_N},
    [SY_S_AUTHORITY] = {"destinations[].authority", keys_authority, AU_N},
    [SY_S_EGRESS] = {"destinations[].egress", keys_egress, EG_N},
};
_Static_assert((int)PT_N <= (int)SY_KEYS_MOST && (int)GW_N <= (int)SY_KEYS_MOST &&
                   (int)DV_N <= (int)SY_KEYS_MOST && (int)DS_N <= (int)SY_KEYS_MOST,
               "SY_KEYS_MOST is the most");

/* False where the value is wrong; a reader that said why itself sets *told. */
typedef bool (*reader)(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                       bool *told);

/* %.0s passes over the text in the other language. */
static void wrong(sy_loader *l, const sy_cfg_key *key, const sy_ynode *at, const char *en,
                  const char *zh)
{
    sy_cfg_error(l, at, "wrong-value", NULL, "'%s' must be %s%.0s", "“%s”须为%.0s%s", key->name, en,
                 zh);
}

static bool in_bounds(sy_loader *l, const sy_cfg_key *key, const sy_ynode *at, double v, bool *told)
{
    if (key->lo == key->hi || (v >= key->lo && v <= key->hi)) /* equal bounds: none */
        return true;
    double scale = key->type == SY_T_DURATION ? 1000 : 1;
    const char *unit = key->type == SY_T_DURATION ? " s" : "";
    *told = true;
    sy_cfg_error(l, at, "out-of-range", NULL, "'%s' must be between %.10g%s and %.10g%s",
                 "“%s”须在 %.10g%s 与 %.10g%s 之间", key->name, key->lo / scale, unit,
                 key->hi / scale, unit);
    return false;
}

static bool read_text(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                      bool *told)
{
    (void)l, (void)key, (void)told;
    c->text = n->text.p;
    return n->text.n > 0;
}

static bool read_path(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                      bool *told)
{
    (void)key, (void)told;
    if (n->text.n == 0 || n->text.n > 1024)
        return false;
    c->text = sy_cfg_absolute(l, l->base, n->text.p);
    return c->text != NULL;
}

static bool read_choice(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                        bool *told)
{
    const char *words[16];
    size_t count = 0;
    for (const char *p = key->choices; *p && count < sizeof words / sizeof *words;) {
        size_t len = strcspn(p, " ");
        words[count] = sy_cfg_copy(l, (sy_span){p, len});
        if (!words[count])
            return false;
        if (sy_span_is(n->text, words[count])) {
            c->choice = (int)count;
            c->text = words[count];
            return true;
        }
        count++;
        p += len + (p[len] == ' ');
    }
    *told = true;
    sy_cfg_error(l, n, "unknown-word", sy_nearest(n->text, words, count),
                 "'%s' cannot be '%s'; it is one of: %s", "“%s”不能为“%s”；可选：%s", key->name,
                 n->text.p, key->choices);
    return false;
}

static bool read_duration(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                          bool *told)
{
    return sy_value_duration(n->text, key->type == SY_T_PERIOD, &c->ms) &&
           in_bounds(l, key, n, (double)c->ms, told);
}

static bool read_number(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                        bool *told)
{
    if (n->quoted || sy_double_parse(n->text, &c->lo) != SY_OK)
        return false;
    if (key->type == SY_T_COUNT && (double)(long long)c->lo != c->lo)
        return false;
    return in_bounds(l, key, n, c->lo, told);
}

static bool read_bytes(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                       bool *told)
{
    uint64_t v = 0;
    if (!sy_value_bytes(n->text, &v))
        return false;
    c->lo = (double)v;
    return in_bounds(l, key, n, c->lo, told);
}

static bool read_date(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                      bool *told)
{
    (void)l, (void)key, (void)told;
    sy_date date;
    c->text = n->text.p;
    return sy_value_date(n->text, &date);
}

static bool read_cidr(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                      bool *told)
{
    unsigned char addr[16];
    int bits;
    bool v6;
    (void)l, (void)key, (void)told;
    c->text = n->text.p;
    return sy_value_cidr(n->text, addr, &bits, &v6);
}

static bool read_range(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                       bool *told)
{
    if (n->n != 2 || sy_double_parse(n->values[0]->text, &c->lo) != SY_OK ||
        sy_double_parse(n->values[1]->text, &c->hi) != SY_OK)
        return false;
    if (c->lo < c->hi)
        return true;
    *told = true;
    sy_cfg_error(l, n->values[0], "out-of-range", NULL, "'%s': the lowest is not below the highest",
                 "“%s”：最低值不小于最高值", key->name);
    return false;
}

static bool read_node(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                      bool *told)
{
    (void)l, (void)key, (void)n, (void)c, (void)told;
    return true;
}

static bool read_texts(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                       bool *told);

/* Each type: its reader, a check of the text, the kind of node, what the messages expect. */
static const struct value_type {
    reader read;
    bool (*check)(sy_span text);
    sy_ykind kind;
    const char *en, *zh;
} types[SY_T_TYPES] = {
    [SY_T_TEXT] = {read_text, NULL, SY_Y_SCALAR, "a text", "文字"},
    [SY_T_ID] = {read_text, sy_value_id, SY_Y_SCALAR,
                 "one word without blanks, slashes, commas and quotes, at most 128 bytes",
                 "一个词，不含空格、斜杠、逗号和引号，至多128字节"},
    [SY_T_NAME] = {read_text, sy_value_name, SY_Y_SCALAR, "a text of 1 to 128 bytes",
                   "1至128字节的文字"},
    [SY_T_PATH] = {read_path, NULL, SY_Y_SCALAR, "a file name", "文件名"},
    [SY_T_CHOICE] = {read_choice, NULL, SY_Y_SCALAR, "one word", "一个词"},
    [SY_T_DURATION] = {read_duration, NULL, SY_Y_SCALAR,
                       "a duration such as 60 s, 10 min, 2 h, 30 days",
                       "时长，例如 60 s、10 min、2 h、30 days"},
    [SY_T_PERIOD] = {read_duration, NULL, SY_Y_SCALAR,
                     "a period such as 90 days, 12 months, 2 years",
                     "周期，例如 90 days、12 months、2 years"},
    [SY_T_NUMBER] = {read_number, NULL, SY_Y_SCALAR, "a number", "数字"},
    [SY_T_COUNT] = {read_number, NULL, SY_Y_SCALAR, "a whole number", "整数"},
    [SY_T_BYTES] = {read_bytes, NULL, SY_Y_SCALAR, "a size such as 8 GB, 500 MB, 16 MiB",
                    "大小，例如 8 GB、500 MB、16 MiB"},
    [SY_T_DATE] = {read_date, NULL, SY_Y_SCALAR, "a date such as 2026-05-01",
                   "日期，例如 2026-05-01"},
    [SY_T_LISTEN] = {read_text, sy_value_listen, SY_Y_SCALAR,
                     "an address and a port such as 127.0.0.1:8080 or [::1]:8080",
                     "地址和端口，例如 127.0.0.1:8080 或 [::1]:8080"},
    [SY_T_CIDR] = {read_cidr, NULL, SY_Y_SCALAR,
                   "an address or a network such as 192.168.1.7 or 10.0.0.0/8",
                   "地址或网段，例如 192.168.1.7 或 10.0.0.0/8"},
    [SY_T_RANGE] = {read_range, NULL, SY_Y_LIST, "two numbers, [lowest, highest]",
                    "两个数字 [最低, 最高]"},
    [SY_T_TEXTS] = {read_texts, NULL, SY_Y_LIST, "a list of texts", "文字列表"},
    [SY_T_LISTENS] = {read_texts, sy_value_listen, SY_Y_LIST,
                      "a list of addresses and ports such as [127.0.0.1:1883]",
                      "地址和端口的列表，例如 [127.0.0.1:1883]"},
    [SY_T_MAP] = {read_node, NULL, SY_Y_MAP, "a map of keys", "键值映射"},
    [SY_T_LIST] = {read_node, NULL, SY_Y_LIST, "a list", "列表"},
    [SY_T_REGISTERS] = {read_node, NULL, SY_Y_LIST, "a name, a file or a list of registers",
                        "名称、文件或寄存器列表"},
};

/* A list of texts; a single text stands for a list of one. */
static bool read_texts(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c,
                       bool *told)
{
    size_t count = n->kind == SY_Y_LIST ? n->n : 1;
    const char **texts = sy_cfg_get(l, (count ? count : 1) * sizeof *texts);
    if (!texts)
        return false;
    c->texts = texts;
    for (size_t i = 0; i < count; i++) {
        const sy_ynode *v = sy_cfg_item(c, i);
        bool good = v->kind == SY_Y_SCALAR && v->text.n > 0;
        if (!good || (types[key->type].check && !types[key->type].check(v->text))) {
            wrong(l, key, v, types[key->type].en, types[key->type].zh);
            *told = true;
            return false;
        }
        texts[c->n++] = v->text.p;
    }
    return true;
}

const sy_ynode *sy_cfg_item(const sy_cfg_cell *cell, size_t i)
{
    return cell->node->kind == SY_Y_LIST ? cell->node->values[i] : cell->node;
}

static void read_cell(sy_loader *l, const sy_cfg_key *key, const sy_ynode *n, sy_cfg_cell *c)
{
    const struct value_type *t = &types[key->type];
    bool told = false;
    bool text = t->read == read_texts || key->type == SY_T_REGISTERS;
    bool kind = n->kind == t->kind || (text && n->kind == SY_Y_SCALAR);
    c->node = n;
    if (kind && n->kind == SY_Y_SCALAR && !n->quoted &&
        (n->text.n == 0 || sy_span_is(n->text, "~") || sy_span_is(n->text, "null"))) {
        sy_cfg_error(l, n, "empty-value", NULL, "'%s' has no value", "“%s”没有值", key->name);
        return;
    }
    c->set = kind && t->read(l, key, n, c, &told) &&
             (!t->check || t->read == read_texts || t->check(n->text));
    if (!c->set && !told && !l->nomem)
        wrong(l, key, n, t->en, t->zh);
}

static const char *path_en(const sy_cfg_section *s)
{
    return *s->path ? s->path : "the file";
}

static const char *path_zh(const sy_cfg_section *s)
{
    return *s->path ? s->path : "文件";
}

static void unknown_key(sy_loader *l, const sy_cfg_section *s, const sy_ynode *key)
{
    const char *names[SY_KEYS_MOST];
    for (size_t i = 0; i < s->n; i++)
        names[i] = s->keys[i].name;
    sy_cfg_error(l, key, "unknown-key", sy_nearest(key->text, names, s->n),
                 "unknown key '%s' in %s%.0s", "未知的键“%s”（%.0s%s）", key->text.p, path_en(s),
                 path_zh(s));
}

bool sy_cfg_read(sy_loader *l, const sy_ynode *map, int section, sy_cfg_cell *cells)
{
    const sy_cfg_section *s = &sy_cfg_sections[section];
    memset(cells, 0, s->n * sizeof *cells);
    if (!map || map->kind != SY_Y_MAP) {
        sy_cfg_error(l, map, "wrong-value", NULL, "%s%.0s must be a map of keys",
                     "%.0s%s须为键值映射", path_en(s), path_zh(s));
        return false;
    }
    for (size_t i = 0; i < map->n; i++) {
        size_t k = 0;
        while (k < s->n && !sy_span_is(map->keys[i]->text, s->keys[k].name))
            k++;
        if (k == s->n)
            unknown_key(l, s, map->keys[i]);
        else
            read_cell(l, &s->keys[k], map->values[i], &cells[k]);
    }
    for (size_t k = 0; k < s->n; k++)
        if (s->keys[k].required && !cells[k].node)
            sy_cfg_error(l, map, "missing-key", NULL, "the key '%s' is missing in %s%.0s",
                         "缺少键“%s”（%.0s%s）", s->keys[k].name, path_en(s), path_zh(s));
    return true;
}

static const char *type_text(sy_cfg_type type)
{
    static const char *const names[SY_T_TYPES] = {
        "text",         "word",
        "text",         "file",
        "word",         "duration",
        "period",       "number",
        "integer",      "size",
        "date",         "address:port",
        "network",      "[lowest, highest]",
        "texts",        "addresses:ports",
        "map",          "list",
        "text or list",
    };
    return names[type];
}

void sy_cfg_manual(sy_buf *out)
{
    for (size_t i = 0; i < SY_S_SECTIONS; i++) {
        const sy_cfg_section *s = &sy_cfg_sections[i];
        sy_buf_printf(out,
                      "\n### %s\n\n| key | value | when missing | meaning |\n|---|---|---|---|\n",
                      *s->path ? s->path : "the file");
        for (size_t k = 0; k < s->n; k++)
            sy_buf_printf(out, "| `%s` | %s | %s | %s |\n", s->keys[k].name,
                          s->keys[k].choices ? s->keys[k].choices : type_text(s->keys[k].type),
                          s->keys[k].required ? "**required**" : s->keys[k].missing,
                          s->keys[k].doc);
    }
}
