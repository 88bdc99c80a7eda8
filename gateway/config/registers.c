/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Register maps: a name of one that ships, a file beside the configuration, or rows in the
 * configuration itself. The text of a map is part of the accepted set, so that the log is read
 * again with the map that was in force.
 */
#include <math.h>
#include <stdlib.h>

#include "config/config_int.h"
#include "config/keys_registers.h"
#include "drivers/modbus/map.h"
#include "rules/units.h"
#include "rules/vocab.h"

enum { WORDS_MAX = 64, ERRORS_MAX = 16 };

/* The maps that ship, made of drivers/maps. */
#define SY_MAP(symbol, name) extern const sy_source sy_map_##symbol;
#include "drivers/maps/maps.def"
#undef SY_MAP
static const struct {
    const char *name;
    const sy_source *text;
} shipped[] = {
#define SY_MAP(symbol, name) {name, &sy_map_##symbol},
#include "drivers/maps/maps.def"
#undef SY_MAP
};
enum { SHIPPED = sizeof shipped / sizeof *shipped };

typedef struct sy_read_map {
    const char *name;
    const sy_mb_map *map; /* NULL: it is wrong, which was said */
    const struct sy_read_map *next;
} sy_read_map;

static bool whole(sy_span text, uint64_t most, uint64_t *out)
{
    bool hex = text.n > 2 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x';
    uint64_t v = 0, base = hex ? 16 : 10;
    if (text.n == 0)
        return false;
    for (size_t i = hex ? 2 : 0; i < text.n; i++) {
        int d = sy_hex_digit(text.p[i]);
        if (d < 0 || (uint64_t)d >= base || v > (UINT64_MAX - (uint64_t)d) / base)
            return false;
        v = v * base + (uint64_t)d;
    }
    *out = v;
    return v <= most;
}

/* What stands in the registers, as their bits; a negative number in two's complement. */
static bool raw_value(sy_span text, unsigned bits, uint64_t *out)
{
    uint64_t most = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    if (text.n < 2 || text.p[0] != '-')
        return whole(text, most, out);
    if (!whole((sy_span){text.p + 1, text.n - 1}, most / 2 + 1, out))
        return false;
    *out = (0 - *out) & most;
    return true;
}

/* 40001 and 400001: the first digit is the table, the others count from 1. */
static bool notation(sy_span text, sy_mb_row *row)
{
    static const char digits[] = {
        [SY_MB_COIL] = '0', [SY_MB_DISCRETE] = '1', [SY_MB_HOLDING] = '4', [SY_MB_INPUT] = '3'};
    uint64_t v = 0;
    if ((text.n != 5 && text.n != 6) || !whole((sy_span){text.p + 1, text.n - 1}, 65536, &v) ||
        v == 0)
        return false;
    for (int t = SY_MB_COIL; t <= SY_MB_INPUT; t++)
        if (digits[t] == text.p[0]) {
            row->table = (sy_mb_table)t;
            row->address = (uint16_t)(v - 1);
            return true;
        }
    return false;
}

static bool read_address(sy_loader *l, const sy_cfg_cell *c, sy_mb_row *row)
{
    uint64_t v = 0;
    sy_mb_row other;
    if (!c[RG_ADDRESS].set || (c[RG_TABLE].node && !c[RG_TABLE].set))
        return false;
    sy_span text = sy_span_of(c[RG_ADDRESS].text);
    if (!c[RG_TABLE].node) {
        if (notation(text, row))
            return true;
        sy_cfg_error(
            l, c[RG_ADDRESS].node, "wrong-value", NULL,
            "without 'table' the address must be of five or six digits, such as 40001 or "
            "300001; with 'table' it counts from 0",
            "未写“table”时地址须为五位或六位，例如 40001 或 300001；写了“table”则从 0 计数");
        return false;
    }
    row->table = (sy_mb_table)(c[RG_TABLE].choice + 1);
    if (!whole(text, 65535, &v)) {
        sy_cfg_error(l, c[RG_ADDRESS].node, "wrong-value", NULL,
                     "with 'table' the address must be 0 to 65535, or 0x0000 to 0xffff",
                     "写了“table”时地址须为 0 至 65535，或 0x0000 至 0xffff");
        return false;
    }
    row->address = (uint16_t)v;
    if (text.n == 5 && notation(text, &other) && other.table == row->table)
        sy_cfg_warn(l, c[RG_ADDRESS].node, "address", NULL,
                    "with 'table' this is register %s counted from 0; leave 'table' away if the "
                    "manual's %s is meant, which is %u",
                    "写了“table”，此即从 0 起的寄存器 %s；若指手册中的 %s（即 %u），请删去“table”",
                    text.p, text.p, other.address);
    return true;
}

static unsigned bits_of(const sy_mb_row *row)
{
    if (sy_mb_is_bits(row->table) || (row->type == SY_MB_BOOL && row->width == 0))
        return 1;
    return row->width ? row->width : 16 * sy_mb_row_size(row);
}

static void read_type(sy_loader *l, const sy_cfg_cell *c, sy_mb_row *row)
{
    bool bits = sy_mb_is_bits(row->table);
    row->type = c[RG_TYPE].set ? (sy_mb_type)c[RG_TYPE].choice : bits ? SY_MB_BOOL : SY_MB_U16;
    if (bits && row->type != SY_MB_BOOL)
        sy_cfg_error(l, c[RG_TYPE].node, "wrong-value", NULL,
                     "a coil or a discrete input is one bit: its type is bool",
                     "线圈和离散输入只有一位：类型须为 bool");
    row->type = bits ? SY_MB_BOOL : row->type;
    bool field = !bits && (row->type == SY_MB_BITS || row->type == SY_MB_BOOL);
    if (c[RG_BIT].node && !field)
        sy_cfg_error(l, c[RG_BIT].node, "not-here", NULL,
                     "'bit' is for bits and bool in a register",
                     "“bit”用于寄存器中的 bits 和 bool");
    if (c[RG_WIDTH].node && (!field || row->type != SY_MB_BITS))
        sy_cfg_error(l, c[RG_WIDTH].node, "not-here", NULL, "'width' is for bits",
                     "“width”用于 bits");
    row->bit = c[RG_BIT].set ? (uint8_t)c[RG_BIT].lo : 0;
    if (field && row->type == SY_MB_BITS)
        row->width = c[RG_WIDTH].set ? (uint8_t)c[RG_WIDTH].lo : (uint8_t)(16 - row->bit);
    else
        row->width = field && c[RG_BIT].set ? 1 : 0;
    if (row->bit + row->width > 16) {
        sy_cfg_error(l, c[RG_WIDTH].node, "out-of-range", NULL,
                     "'bit' and 'width' lead out of the register", "“bit”与“width”超出寄存器");
        row->width = (uint8_t)(16 - row->bit);
    }
    int order = c[RG_ORDER].set ? c[RG_ORDER].choice : 0;
    row->words_reversed = order == 1 || order == 3;
    row->bytes_swapped = order == 2 || order == 3;
    if (row->address + sy_mb_row_size(row) > 65536)
        sy_cfg_error(l, c[RG_ADDRESS].node, "out-of-range", NULL,
                     "the value ends beyond the last register, 65535",
                     "该值超出最后一个寄存器 65535");
}

static void read_scale(sy_loader *l, const sy_cfg_cell *c, sy_mb_row *row)
{
    row->scale = c[RG_SCALE].set ? c[RG_SCALE].lo : 1;
    row->offset = c[RG_OFFSET].set ? c[RG_OFFSET].lo : 0;
    row->divisor = 1;
    if (row->scale == 0) {
        sy_cfg_error(l, c[RG_SCALE].node, "wrong-value", NULL, "'scale' cannot be 0",
                     "“scale”不能为 0");
        row->scale = 1;
    }
    /* 136 × 0.1 is 13.600000000000001, 136 / 10 is 13.6. */
    double inverse = round(1 / row->scale);
    if (fabs(row->scale) < 1 && fabs(inverse) < 1e9 && 1 / inverse == row->scale) {
        row->divisor = inverse;
        row->scale = 1;
    }
    row->unit = c[RG_UNIT].set ? c[RG_UNIT].text : NULL;
    if (row->unit && !sy_unit_of_device(sy_span_of(row->unit))) {
        size_t n = 0;
        const char *const *names = sy_unit_spellings(&n);
        sy_cfg_error(l, c[RG_UNIT].node, "unknown-word",
                     sy_nearest(sy_span_of(row->unit), names, n), "unknown unit '%s'",
                     "未知的单位“%s”", row->unit);
    }
    bool number = row->type != SY_MB_BOOL;
    if (!number && (c[RG_SCALE].node || c[RG_OFFSET].node || c[RG_UNIT].node))
        sy_cfg_error(l, c[RG_NAME].node, "not-here", NULL,
                     "a bool has no 'scale', 'offset' or 'unit'",
                     "bool 没有“scale”、“offset”和“unit”");
}

static void wrong_raw(sy_loader *l, const sy_ynode *at, const sy_mb_row *row)
{
    sy_cfg_error(l, at, "wrong-value", NULL,
                 "'%s' is no whole number of %u bits, such as 1, -1 or 0x7fff",
                 "“%s”不是 %u 位整数，例如 1、-1 或 0x7fff",
                 at->kind == SY_Y_SCALAR ? at->text.p : "", bits_of(row));
}

static void read_words(sy_loader *l, const sy_cfg_cell *c, sy_mb_row *row)
{
    const sy_ynode *map = c[RG_STATES].set ? c[RG_STATES].node : NULL;
    size_t n = map ? map->n : 0, k = c[RG_ERRORS].n;
    if (n > WORDS_MAX || k > ERRORS_MAX) {
        sy_cfg_error(l, c[RG_NAME].node, "too-many", NULL, "more than %d states or %d error values",
                     "状态多于 %d 个，或错误值多于 %d 个", (int)WORDS_MAX, (int)ERRORS_MAX);
        return;
    }
    sy_mb_word *words = sy_cfg_get(l, (n + 1) * sizeof *words);
    uint64_t *errors = sy_cfg_get(l, (k + 1) * sizeof *errors);
    for (size_t i = 0; words && i < n; i++) {
        const sy_ynode *v = map->values[i];
        words[i].word = map->keys[i]->text.p;
        if (v->kind != SY_Y_SCALAR || !raw_value(v->text, bits_of(row), &words[i].raw))
            wrong_raw(l, v, row);
    }
    for (size_t i = 0; errors && i < k; i++)
        if (!raw_value(sy_span_of(c[RG_ERRORS].texts[i]), bits_of(row), &errors[i]))
            wrong_raw(l, sy_cfg_item(&c[RG_ERRORS], i), row);
    row->states = words;
    row->n_states = words ? n : 0;
    row->errors = errors;
    row->n_errors = errors ? k : 0;
}

static bool read_row(sy_loader *l, const sy_ynode *node, sy_mb_row *row)
{
    sy_cfg_cell c[RG_N];
    if (!sy_cfg_read(l, node, SY_S_REGISTER, c))
        return false;
    row->name = c[RG_NAME].set ? c[RG_NAME].text : "";
    if (!read_address(l, c, row))
        return false;
    read_type(l, c, row);
    read_scale(l, c, row);
    read_words(l, c, row);
    return true;
}

static int by_place(const void *a, const void *b)
{
    const sy_mb_row *x = a, *y = b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return strcmp(x->name, y->name);
}

static const sy_mb_map *read_rows(sy_loader *l, const sy_ynode *list, sy_mb_map kind)
{
    size_t had = l->findings->errors;
    if (list->n == 0 || list->n > SY_MB_ROWS_MAX) {
        sy_cfg_error(l, list, "out-of-range", NULL, "a register map has 1 to %d registers",
                     "寄存器表须有 1 至 %d 个寄存器", (int)SY_MB_ROWS_MAX);
        return NULL;
    }
    sy_mb_map *map = sy_cfg_get(l, sizeof *map);
    sy_mb_row *rows = sy_cfg_get(l, list->n * sizeof *rows);
    sy_cfg_unique *names = sy_cfg_get(l, list->n * sizeof *names);
    if (!map || !rows || !names)
        return NULL;
    *map = kind;
    map->rows = rows;
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (!read_row(l, list->values[i], &rows[map->n]))
            continue;
        if (*rows[map->n].name)
            names[n++] = (sy_cfg_unique){rows[map->n].name, sy_yaml_get(list->values[i], "name")};
        map->n++;
    }
    sy_cfg_check_unique(l, names, n, "the register", "寄存器");
    if (map->n)
        qsort(rows, map->n, sizeof *rows, by_place);
    return l->findings->errors == had ? map : NULL;
}

/* A text of the set as a map: reports point into it meanwhile. */
static const sy_mb_map *read_text(sy_loader *l, size_t text)
{
    sy_cfg_cell c[MP_N];
    const sy_ynode *root = NULL;
    const sy_mb_map *map = NULL;
    l->at_source = text;
    sy_err rc =
        sy_yaml_parse(l->texts[text].bytes, l->scratch, l->arena, sy_cfg_yaml_error, l, &root);
    l->nomem = l->nomem || rc == SY_E_NOMEM;
    if (rc == SY_OK && sy_cfg_read(l, root, SY_S_MAP, c) && c[MP_REGISTERS].set)
        map = read_rows(
            l, c[MP_REGISTERS].node,
            (sy_mb_map){.name = l->texts[text].name,
                        .gap = c[MP_GAP].set ? (int)c[MP_GAP].lo : SY_MB_GAP,
                        .most = c[MP_MOST].set ? (int)c[MP_MOST].lo : SY_MB_REGISTERS_MAX});
    l->at_source = 0;
    return map;
}

static bool is_file(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') || (n > 5 && strcmp(name + n - 5, ".yaml") == 0) ||
           (n > 4 && strcmp(name + n - 4, ".yml") == 0);
}

static size_t find_text(const sy_loader *l, const char *name)
{
    for (size_t i = 0; i < l->n_texts; i++)
        if (l->texts[i].kind == SY_TEXT_MAP && strcmp(l->texts[i].name, name) == 0)
            return i;
    return l->n_texts;
}

static void add_shipped(sy_loader *l, const sy_ynode *at)
{
    const char *names[SHIPPED];
    for (size_t i = 0; i < SHIPPED; i++) {
        names[i] = shipped[i].name;
        if (sy_span_is(at->text, shipped[i].name)) {
            if (!sy_cfg_add_text(l, SY_TEXT_MAP, shipped[i].name, shipped[i].text->text))
                sy_cfg_error(l, at, "too-many", NULL, "too many texts", "文本过多");
            return;
        }
    }
    sy_cfg_error(l, at, "unknown-word", sy_nearest(at->text, names, SHIPPED),
                 "there is no register map '%s'; a file is written with its .yaml",
                 "没有寄存器表“%s”；若为文件，请写全 .yaml", at->text.p);
}

static const sy_mb_map *by_name(sy_loader *l, const sy_ynode *at)
{
    const char *name = at->text.p;
    for (const sy_read_map *m = l->maps; m; m = m->next)
        if (strcmp(m->name, name) == 0)
            return m->map;
    if (!l->kept && is_file(name))
        sy_cfg_read_file(l, at, SY_TEXT_MAP, name);
    else if (!l->kept)
        add_shipped(l, at);
    size_t text = find_text(l, name);
    if (text == l->n_texts) {
        if (l->kept)
            sy_cfg_error(l, at, "file", NULL, "the set has no register map '%s'",
                         "配置集中没有寄存器表“%s”", name);
        return NULL;
    }
    sy_read_map *m = sy_cfg_get(l, sizeof *m);
    if (!m)
        return NULL;
    *m = (sy_read_map){name, read_text(l, text), l->maps};
    l->maps = m;
    return m->map;
}

const sy_mb_map *sy_cfg_registers(sy_loader *l, const sy_ynode *node)
{
    if (node->kind == SY_Y_LIST)
        return read_rows(
            l, node,
            (sy_mb_map){.name = "registers", .gap = SY_MB_GAP, .most = SY_MB_REGISTERS_MAX});
    return by_name(l, node);
}

const char *sy_config_map_name(size_t i)
{
    return i < SHIPPED ? shipped[i].name : NULL;
}
