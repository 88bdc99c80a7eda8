/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of values (RFC 4180, and what loggers make of it): fields parted by ";", tab, "," or "|",
 * whichever the first line has first in this order; fields may be quoted, without line breaks in
 * them; lines that begin with "#" are passed over. With ";" or tab a comma is a decimal one.
 *
 * The first line is a header where none of its fields is a number or a time. A record's name is its
 * column's name ("Temperature (°C)" or "Temperature [°C]" is the name and its unit), without a
 * header its number, from 1. A header of "name" (or point, parameter, channel) and "value" (with
 * "time", "unit", "device") makes each line one reading. A map gives columns by header ($.Temp,
 * $['Temp 1']) or by number from 0 ($[2]) its own names, and then nothing else is read.
 *
 * The time stands in a column time, timestamp, datetime, date or ts, or the map's. One without an
 * offset says nothing certain: the only line of a message then has the time of its reception, of
 * several lines the message is refused.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/records.h"

#include "base/utf8.h"

#include <stdio.h>
#include <strings.h>

enum { COLUMNS = 256, NO_COLUMN = -1 };

typedef struct csv_row {
    sy_span field[COLUMNS];
    size_t n;
} csv_row;

typedef struct table {
    sy_records *l;
    const sy_device *map;
    char mark; /* between fields */
    bool headed;
    csv_row head;
    sy_span unit[COLUMNS];
    int time, name, value, unit_of, device; /* columns of special meaning */
    size_t line, lines;                     /* the current, and how many of data there are */
} table;

static bool blank(char c)
{
    return c == ' ' || c == '\r' || c == '\t';
}

static sy_span trimmed(sy_span s)
{
    while (s.n && blank(s.p[0]))
        s = (sy_span){s.p + 1, s.n - 1};
    while (s.n && blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The next line that has anything to say. */
static bool next_line(sy_span *rest, sy_span *line, size_t *number)
{
    while (rest->n) {
        const char *end = memchr(rest->p, '\n', rest->n);
        size_t n = end ? (size_t)(end - rest->p) : rest->n, used = n + (end ? 1 : 0);
        *line = (sy_span){rest->p, n};
        *rest = (sy_span){rest->p + used, rest->n - used};
        ++*number;
        if (trimmed(*line).n && line->p[0] != '#')
            return true;
    }
    return false;
}

/* "a ""b""" as a "b". */
static bool unquoted(table *t, sy_span *rest, sy_span *out)
{
    char *copy = sy_arena_get(&t->l->arena, rest->n + 1);
    size_t n = 0, i = 1;
    if (!copy)
        return false;
    for (; i < rest->n; i++) {
        if (rest->p[i] == '"') {
            if (i + 1 == rest->n || rest->p[i + 1] != '"')
                break;
            i++;
        }
        copy[n++] = rest->p[i];
    }
    if (i == rest->n)
        return false; /* no end */
    *out = (sy_span){copy, n};
    *rest = (sy_span){rest->p + i + 1, rest->n - i - 1};
    return true;
}

static sy_err split(table *t, sy_span line, csv_row *row, sy_fail *f)
{
    row->n = 0;
    for (bool more = true; more;) {
        sy_span field;
        if (row->n == COLUMNS)
            return sy_fail_set(f, SY_E_RANGE, "line %zu: more than %d columns", t->line, COLUMNS);
        while (line.n && line.p[0] == ' ')
            line = (sy_span){line.p + 1, line.n - 1};
        if (line.n && line.p[0] == '"') {
            if (!unquoted(t, &line, &field))
                return sy_fail_set(f, SY_E_PARSE, "line %zu: a quoted field has no end", t->line);
            size_t skip = 0;
            while (skip < line.n && line.p[skip] != t->mark)
                skip++;
            if (trimmed((sy_span){line.p, skip}).n)
                return sy_fail_set(f, SY_E_PARSE, "line %zu: text after a quoted field", t->line);
            more = skip < line.n;
            line = (sy_span){line.p + skip + more, line.n - skip - more};
        } else {
            const char *end = line.n ? memchr(line.p, t->mark, line.n) : NULL;
            size_t n = end ? (size_t)(end - line.p) : line.n;
            field = trimmed((sy_span){line.p, n});
            more = end != NULL;
            line = (sy_span){line.p + n + more, line.n - n - more};
        }
        row->field[row->n++] = field;
    }
    return SY_OK;
}

static char mark_of(sy_span line)
{
    static const char marks[] = ";\t,|";
    for (const char *m = marks; *m; m++)
        if (memchr(line.p, *m, line.n))
            return *m;
    return ',';
}

static bool number(const table *t, sy_span s, double *out)
{
    char text[40];
    bool plus = s.n && s.p[0] == '+';
    s = (sy_span){s.p + plus, s.n - plus};
    if (s.n == 0 || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    char *comma = memchr(text, ',', s.n);
    if (comma && (t->mark == ';' || t->mark == '\t') && !memchr(text, '.', s.n))
        *comma = '.';
    return sy_double_parse((sy_span){text, s.n}, out) == SY_OK;
}

static bool like_time(sy_span s)
{
    return s.n >= 10 && s.p[0] >= '0' && s.p[0] <= '9' &&
           ((s.p[4] == '-' || s.p[4] == '/') || (s.p[2] == '.' || s.p[2] == '/'));
}

static bool is_header(const table *t, const csv_row *row)
{
    double d;
    for (size_t i = 0; i < row->n; i++)
        if (row->field[i].n == 0 || number(t, row->field[i], &d) || like_time(row->field[i]))
            return false;
    return row->n > 0;
}

static bool is_word(sy_span s, const char *const *words)
{
    for (; *words; words++)
        if (s.n == strlen(*words) && strncasecmp(s.p, *words, s.n) == 0)
            return true;
    return false;
}

/* "Temperature (°C)": the unit apart. */
static void name_and_unit(sy_span *name, sy_span *unit)
{
    *unit = (sy_span){"", 0};
    char last = name->n ? name->p[name->n - 1] : '\0', open = last == ')'   ? '('
                                                              : last == ']' ? '['
                                                                            : '\0';
    size_t at = name->n;
    while (open && at > 0 && name->p[at - 1] != open)
        at--;
    if (!open || at < 2)
        return;
    *unit = trimmed((sy_span){name->p + at, name->n - at - 1});
    *name = trimmed((sy_span){name->p, at - 1});
}

static void special(table *t)
{
    static const char *const times[] = {"time", "timestamp", "datetime", "date_time", "date time",
                                        "date", "ts",        "时间",     NULL};
    static const char *const names[] = {"name", "point", "parameter", "channel", NULL};
    static const char *const values[] = {"value", NULL}, *const units[] = {"unit", "units", NULL};
    static const char *const devices[] = {"device", "device_id", "deviceid", NULL};
    for (size_t i = 0; i < t->head.n; i++) {
        sy_span *h = &t->head.field[i];
        name_and_unit(h, &t->unit[i]);
        if (t->time < 0 && is_word(*h, times))
            t->time = (int)i;
        else if (t->name < 0 && is_word(*h, names))
            t->name = (int)i;
        else if (t->value < 0 && is_word(*h, values))
            t->value = (int)i;
        else if (t->unit_of < 0 && is_word(*h, units))
            t->unit_of = (int)i;
        else if (t->device < 0 && is_word(*h, devices))
            t->device = (int)i;
    }
}

static sy_span field_at(const csv_row *row, int column)
{
    return column >= 0 && (size_t)column < row->n ? row->field[column] : (sy_span){"", 0};
}

/* A value; false for an empty field, which is no reading. */
static bool scalar(const table *t, sy_span s, sy_record *r)
{
    static const char *const nothing[] = {"null", "nan", "na", "n/a", "none", "-", "--", NULL};
    static const char *const yes[] = {"true", NULL}, *const no[] = {"false", NULL};
    r->text = s;
    if (s.n == 0)
        return false;
    if (number(t, s, &r->number)) {
        r->kind = SY_REC_NUMBER;
    } else if (is_word(s, yes) || is_word(s, no)) {
        r->kind = SY_REC_BOOL;
        r->number = is_word(s, yes) ? 1.0 : 0.0;
    } else {
        r->kind = is_word(s, nothing) ? SY_REC_NULL : SY_REC_TEXT;
    }
    return true;
}

static sy_err time_of(const table *t, sy_span s, sy_record *r, sy_fail *f)
{
    double seconds;
    sy_ms ms;
    if (s.n == 0)
        return SY_OK;
    if (number(t, s, &seconds)) {
        if (sy_record_time(r, seconds))
            return SY_OK;
        return sy_fail_set(f, SY_E_RANGE, "line %zu: the time is outside 1970 to 9999", t->line);
    }
    if (sy_time_parse(s, &ms) == SY_OK) {
        (void)sy_record_time(r, (double)ms / 1e3);
        r->time = ms;
        return SY_OK;
    }
    if (t->lines == 1)
        return SY_OK;
    return sy_fail_set(f, SY_E_PARSE,
                       "line %zu: a time without an offset; lines of several times need RFC 3339 "
                       "with an offset, or epoch seconds",
                       t->line);
}

/* The column of a path of the map; NO_COLUMN: this message has none. */
static int column_of(const table *t, const char *path)
{
    const char *p = path + 1;
    sy_json_step s;
    if (!*p || !sy_json_path_step(&p, &s))
        return NO_COLUMN;
    if (s.is_index)
        return s.index < COLUMNS ? (int)s.index : NO_COLUMN;
    for (size_t i = 0; t->headed && i < t->head.n; i++)
        if (sy_span_eq(t->head.field[i], s.key))
            return (int)i;
    return NO_COLUMN;
}

static sy_err mapped(table *t, const csv_row *row, sy_record like, sy_fail *f)
{
    sy_err e = SY_OK;
    for (size_t i = 0; i < t->map->n_map && !e; i++)
        if (strcmp(t->map->map[i].name, "time") == 0)
            e = time_of(t, field_at(row, column_of(t, t->map->map[i].path)), &like, f);
    for (size_t i = 0; i < t->map->n_map && !e; i++) {
        sy_record r = like;
        int column = column_of(t, t->map->map[i].path);
        if (strcmp(t->map->map[i].name, "time") == 0 || !scalar(t, field_at(row, column), &r))
            continue;
        r.name = r.local = sy_span_of(t->map->map[i].name);
        if (t->headed && (size_t)column < t->head.n)
            r.unit = t->unit[column];
        sy_records_add(t->l, &r);
    }
    return e;
}

static void columns(table *t, const csv_row *row, const sy_record *like)
{
    for (size_t i = 0; i < row->n; i++) {
        sy_record r = *like;
        if ((int)i == t->time || (int)i == t->device || !scalar(t, row->field[i], &r))
            continue;
        if (t->headed) {
            r.name = t->head.field[i];
            r.unit = t->unit[i];
        } else {
            char text[16];
            int n = snprintf(text, sizeof text, "%zu", i + 1);
            r.name = sy_records_text(t->l, (sy_span){text, (size_t)n});
        }
        r.local = r.name;
        sy_records_add(t->l, &r);
    }
}

static sy_err data(table *t, const csv_row *row, sy_fail *f)
{
    sy_record r = {.quality = SY_Q_GOOD, .device = field_at(row, t->device)};
    if (t->headed && row->n > t->head.n)
        return sy_fail_set(f, SY_E_PARSE, "line %zu has more columns than the header", t->line);
    if (t->map && t->map->n_map > 0)
        return mapped(t, row, r, f);
    sy_err e = time_of(t, field_at(row, t->time), &r, f);
    if (e)
        return e;
    if (t->name < 0 || t->value < 0) {
        columns(t, row, &r);
        return SY_OK;
    }
    r.name = r.local = field_at(row, t->name);
    r.unit = field_at(row, t->unit_of);
    if (r.name.n && scalar(t, field_at(row, t->value), &r))
        sy_records_add(t->l, &r);
    return SY_OK;
}

static size_t lines_of(sy_span text)
{
    size_t n = 0, number = 0;
    sy_span line;
    while (next_line(&text, &line, &number))
        n++;
    return n;
}

static sy_err fill(table *t, sy_span text, sy_fail *f)
{
    csv_row row;
    sy_span line;
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = (sy_span){text.p + 3, text.n - 3};
    if (sy_utf8_check(text) != text.n)
        return sy_fail_set(f, SY_E_PARSE, "the lines are not UTF-8");
    t->lines = lines_of(text);
    for (bool first = true; next_line(&text, &line, &t->line); first = false) {
        if (first)
            t->mark = mark_of(line);
        sy_err e = split(t, line, &row, f);
        if (e)
            return e;
        if (first && is_header(t, &row)) {
            t->headed = true;
            t->head = row;
            t->lines--;
            special(t);
        } else if ((e = data(t, &row, f)) != SY_OK) {
            return e;
        }
    }
    return t->lines ? SY_OK : sy_fail_set(f, SY_E_PARSE, "no line of values");
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    sy_records l;
    table t = {.l = &l,
               .map = map,
               .time = NO_COLUMN,
               .name = NO_COLUMN,
               .value = NO_COLUMN,
               .unit_of = NO_COLUMN,
               .device = NO_COLUMN};
    sy_records_init(&l);
    sy_err e = fill(&t, payload, f);
    e = e ? e : sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    return e;
}

/* Two lines of the same number of columns, at least two, the second with a number. */
static int probe(sy_span payload)
{
    sy_records l;
    sy_span rest = payload, line;
    csv_row first, second = {.n = 0};
    double d;
    int numbers = 0;
    char start = sy_json_first(payload);
    if (start == '{' || start == '[' || !memchr(payload.p, '\n', payload.n))
        return 0;
    sy_records_init(&l);
    table t = {.l = &l};
    bool good = next_line(&rest, &line, &t.line) && sy_utf8_check(line) == line.n;
    t.mark = good ? mark_of(line) : ',';
    good = good && !split(&t, line, &first, NULL) && next_line(&rest, &line, &t.line) &&
           sy_utf8_check(line) == line.n && !split(&t, line, &second, NULL) &&
           first.n == second.n && first.n >= 2;
    for (size_t i = 0; good && i < second.n; i++)
        numbers += number(&t, second.field[i], &d);
    good = good && numbers > 0 && is_header(&t, &first);
    sy_records_fini(&l);
    return good ? 60 : 0;
}

const sy_format sy_format_csv = {"csv", 0xffff, decode, probe, NULL};
