/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in force by order of an authority, on top of the configuration: packs of rules, tunings,
 * tiers, calibrations.
 *
 * <data>/packs/in-force.json says what; JSON is YAML, so it is read and reported like the
 * configuration. The rules of a pack lie in <data>/packs/NAME/VERSION, each file with the hash that
 * was ordered; another text there is refused. Both are texts of the accepted set.
 * docs/orders.md, docs/formats.md
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "config/config_int.h"

static const char prefix[] = "pack:";

static bool add_text(sy_loader *l, sy_text_kind kind, const char *name, sy_span bytes)
{
    bool added = sy_cfg_add_text(l, kind, name, bytes);
    if (!added)
        sy_cfg_error(l, NULL, "too-many", NULL, "%s: too many texts, or too long",
                     "%s：文件过多或过大", name);
    return added;
}

/* The text of in-force.json into the set; false: nothing is in force, or it was reported. */
static bool read_orders(sy_loader *l)
{
    char path[4200];
    sy_buf b;
    sy_fail f;
    int n = snprintf(path, sizeof path, "%s/packs/in-force.json", l->c->data ? l->c->data : "");
    const char *file = l->orders_file ? l->orders_file : path;
    if (!l->c->data || n < 0 || (size_t)n >= sizeof path)
        return false;
    if (!l->orders_file && access(file, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return false;
    sy_buf_init(&b, sy_heap());
    bool ok = sy_file_read(file, SY_YAML_MAX, &b, &f) == SY_OK;
    if (!ok && errno == EACCES && !l->orders_file)
        sy_cfg_warn(l, NULL, "orders", NULL, "what is in force by order is not for this user: %s",
                    "无权读取按指令生效的内容：%s", f.text);
    else if (!ok)
        sy_cfg_error(l, NULL, "orders", NULL, "what is in force by order cannot be read: %s",
                     "无法读取按指令生效的内容：%s", f.text);
    ok = ok && add_text(l, SY_TEXT_ORDERS, "orders:in-force.json", sy_buf_span(&b));
    sy_buf_fini(&b);
    return ok;
}

static const char *text_of(const sy_ynode *map, const char *key)
{
    const sy_ynode *n = map && map->kind == SY_Y_MAP ? sy_yaml_get(map, key) : NULL;
    return n && n->kind == SY_Y_SCALAR ? n->text.p : NULL;
}

static size_t items_of(const sy_loader *l, const char *key, struct sy_ynode *const **v)
{
    const sy_ynode *n = l->orders ? sy_yaml_get(l->orders, key) : NULL;
    *v = n && n->kind == SY_Y_LIST ? n->values : NULL;
    return *v ? n->n : 0;
}

/* A name that stays in its folder. */
static bool plain(const char *name)
{
    return name && name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) <= 64;
}

static void read_pack_file(sy_loader *l, const char *folder, const sy_ynode *file)
{
    char path[4600], hex[65], name[300];
    unsigned char sum[32];
    sy_buf b;
    sy_fail f;
    sy_sha256 h;
    const char *own = text_of(file, "name"), *want = text_of(file, "sha256");
    if (!plain(own) || !want) {
        sy_cfg_error(l, file, "orders", NULL, "a file of a pack has 'name' and 'sha256'",
                     "规则包文件须有“name”和“sha256”");
        return;
    }
    snprintf(path, sizeof path, "%s/packs/%s/%s", l->c->data, folder, own);
    snprintf(name, sizeof name, "%s%s/%s", prefix, folder, own);
    sy_buf_init(&b, sy_heap());
    if (sy_file_read(path, SY_YAML_MAX, &b, &f) != SY_OK) {
        sy_cfg_error(l, file, "file", NULL, "the file %s cannot be read: %s", "无法读取文件 %s：%s",
                     path, f.text);
    } else {
        sy_sha256_init(&h);
        sy_sha256_add(&h, b.p ? b.p : "", b.n);
        sy_sha256_end(&h, sum);
        sy_hex(sum, 32, hex);
        if (strcmp(hex, want) != 0)
            sy_cfg_error(l, file, "file-changed", NULL,
                         "%s is not the text that was ordered: its hash is another",
                         "%s 不是所下达的文本：散列值不同", path);
        else
            (void)add_text(l, SY_TEXT_RULES, name, sy_buf_span(&b));
    }
    sy_buf_fini(&b);
}

static void read_packs(sy_loader *l)
{
    struct sy_ynode *const *packs;
    size_t n = items_of(l, "packs", &packs);
    for (size_t i = 0; i < n; i++) {
        char folder[100];
        const char *name = text_of(packs[i], "name"), *version = text_of(packs[i], "version");
        const sy_ynode *files = packs[i]->kind == SY_Y_MAP ? sy_yaml_get(packs[i], "files") : NULL;
        if (!plain(name) || !plain(version) || !files || files->kind != SY_Y_LIST) {
            sy_cfg_error(l, packs[i], "orders", NULL,
                         "a pack in force has 'name', 'version' and 'files'",
                         "生效的规则包须有“name”、“version”和“files”");
            continue;
        }
        snprintf(folder, sizeof folder, "%.64s/%.12s", name, version);
        for (size_t k = 0; k < files->n; k++)
            read_pack_file(l, folder, files->values[k]);
    }
}

void sy_cfg_orders(sy_loader *l)
{
    bool reads = !l->kept || l->ordered;
    size_t i = 0, before = l->at_source;
    if (reads && !read_orders(l))
        return;
    while (i < l->n_texts && l->texts[i].kind != SY_TEXT_ORDERS)
        i++;
    if (i == l->n_texts)
        return;
    l->orders_text = i;
    l->at_source = i;
    sy_err rc =
        sy_yaml_parse(l->sources[i].text, l->scratch, l->arena, sy_cfg_yaml_error, l, &l->orders);
    l->nomem = l->nomem || rc == SY_E_NOMEM;
    if (rc == SY_OK && (!l->orders || l->orders->kind != SY_Y_MAP)) {
        sy_cfg_error(l, NULL, "orders", NULL, "what is in force by order is no map",
                     "按指令生效的内容不是键值映射");
        l->orders = NULL;
    }
    if (rc == SY_OK && reads)
        read_packs(l);
    l->at_source = before;
}

size_t sy_cfg_orders_base(const sy_loader *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n_texts && l->texts[i].kind != SY_TEXT_ORDERS; i++)
        n += l->texts[i].kind == SY_TEXT_RULES;
    return n;
}

/* The text is one of a tuning. */
static bool is_tuning(const sy_loader *l, const char *name)
{
    struct sy_ynode *const *packs;
    size_t n = items_of(l, "packs", &packs);
    for (size_t i = 0; i < n; i++) {
        char start[100];
        const char *kind = text_of(packs[i], "kind"), *own = text_of(packs[i], "name");
        int k = snprintf(start, sizeof start, "%s%.64s/", prefix, own ? own : "");
        if (own && kind && strcmp(kind, "tune") == 0 && strncmp(name, start, (size_t)k) == 0)
            return true;
    }
    return false;
}

static bool has_premises(const sy_loader *l, const char *id)
{
    for (size_t i = 0; l->c->site && i < l->c->site->n_premises; i++)
        if (strcmp(l->c->site->premises[i].id, id) == 0)
            return true;
    return false;
}

static bool has_series(const sy_loader *l, const char *series)
{
    for (size_t i = 0; l->c->site && i < l->c->site->n_points; i++)
        if (strcmp(l->c->site->points[i].series, series) == 0)
            return true;
    return false;
}

void sy_cfg_orders_check(sy_loader *l)
{
    struct sy_ynode *const *v;
    size_t before = l->at_source;
    if (!l->orders)
        return;
    for (size_t i = 0; l->c->set && i < l->c->set->n_rules; i++) {
        const sy_rule *r = l->c->set->rules[i];
        if (!is_tuning(l, r->pos.source->name))
            continue;
        sy_diag d = {SY_DIAG_ERROR,
                     "not-tuning",
                     r->pos,
                     "a tuning by order may hold nothing but clauses of 'tune'",
                     "调整指令只能包含“调整”语句",
                     NULL};
        sy_cfg_report_diag(l, &d);
    }
    l->at_source = l->orders_text;
    size_t n = items_of(l, "tiers", &v);
    for (size_t i = 0; i < n; i++)
        if (!text_of(v[i], "premises") || !has_premises(l, text_of(v[i], "premises")))
            sy_cfg_warn(l, v[i], "orders", NULL, "tiers were ordered of premises that are not here",
                        "所下达的等级对应的单位不在此处");
    n = items_of(l, "calibrations", &v);
    for (size_t i = 0; i < n; i++)
        if (!text_of(v[i], "series") || !has_series(l, text_of(v[i], "series")))
            sy_cfg_warn(l, v[i], "orders", NULL,
                        "a calibration was ordered of a point that is not here",
                        "所下达的校准对应的测点不在此处");
    l->at_source = before;
}

static const sy_ynode *find_item(const sy_loader *l, const char *list, const char *key,
                                 const char *value)
{
    struct sy_ynode *const *v;
    size_t n = items_of(l, list, &v);
    for (size_t i = 0; i < n; i++) {
        const char *have = text_of(v[i], key);
        if (have && strcmp(have, value) == 0)
            return v[i];
    }
    return NULL;
}

void sy_cfg_ordered_tiers(sy_loader *l, sy_site_premises *p)
{
    const sy_ynode *item = find_item(l, "tiers", "premises", p->id);
    const sy_ynode *map = item ? sy_yaml_get(item, "tiers") : NULL;
    if (!map || map->kind != SY_Y_MAP)
        return;
    size_t before = l->at_source, n = p->n_tiers;
    sy_site_tier *tiers = sy_cfg_get(l, (n + map->n + 1) * sizeof *tiers);
    if (!tiers)
        return;
    if (n)
        memcpy(tiers, p->tiers, n * sizeof *tiers);
    l->at_source = l->orders_text;
    for (size_t i = 0; i < map->n; i++) {
        const sy_ynode *value = map->values[i];
        const sy_word *w = sy_cfg_word(l, map->keys[i], map->keys[i]->text, SY_W_TIER);
        int v = w && value->kind == SY_Y_SCALAR ? sy_word_value_find(w, value->text) : -1;
        if (w && v < 0)
            sy_cfg_error(l, value, "unknown-word", NULL, "'%s' has no such tier", "“%s”没有此等级",
                         w->id);
        if (v < 0)
            continue;
        size_t k = 0;
        while (k < n && strcmp(tiers[k].scheme, w->id) != 0)
            k++;
        tiers[k] = (sy_site_tier){w->id, w->values[v].id};
        n = k == n ? n + 1 : n;
    }
    l->at_source = before;
    p->tiers = tiers;
    p->n_tiers = n;
}

void sy_cfg_ordered_point(sy_loader *l, const char *series, sy_cfg_cell *calibrated,
                          sy_cfg_cell *uncertainty)
{
    const sy_ynode *item = find_item(l, "calibrations", "series", series);
    const char *day = text_of(item, "calibrated"), *u = text_of(item, "uncertainty");
    sy_date date;
    double value;
    if (!item)
        return;
    if (!day || !sy_value_date(sy_span_of(day), &date) ||
        (u &&
         (sy_double_parse(sy_span_of(u), &value) != SY_OK || !(value >= 0 && value <= 1e12)))) {
        size_t before = l->at_source;
        l->at_source = l->orders_text;
        sy_cfg_error(l, item, "orders", NULL, "a calibration has a date, and a number or none",
                     "校准须有日期，并可有一个数字");
        l->at_source = before;
        return;
    }
    calibrated->text = day;
    calibrated->set = true;
    if (u) {
        uncertainty->lo = value;
        uncertainty->set = true;
    }
}
