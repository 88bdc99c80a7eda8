/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text that Berlinger's cold-chain loggers export (Fridge-tag 2, 2 L, Ultra Low, Q-tag CLm
 * doc): "Key: value" lines, indented by what they belong to, and for loggers of series a table
 *
 *   Data:
 *   <tab>yyyy-MM-dd hh:mm<tab>T<tab>Out of limits
 *   <tab>2022-05-02 04:44<tab>26.3<tab>x
 *
 * Records: "serial"; of each row "temperature" and "out-of-limits" (the logger's own judgement);
 * of each day "day.min", "day.max" at their minutes, "day.average", "day.alarm.N" at the minute
 * that alarm N fired, "day.alarm.N.minutes" beyond its limit, "day.timeout.internal" and
 * ".external" (minutes without a sensor), the sums at the day's end or the report's time; of a
 * Q-tag's run "run.min", "run.max" at their minutes, "run.average" and "run.mkt" (mean kinetic
 * temperature) at its stop, and "run.alarm.N" at the minute it fired. "--.-" is a sensor that is
 * not plugged in.
 *
 * Times are the logger's clock, less the hours of its "Zone". An export is longer than what devices
 * send, so more records are taken than elsewhere.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

#include "base/utf8.h"

#include <stdio.h>

enum { RECORDS = 50000, MINUTE_MS = 60000, DAY_MS = 86400000 };

typedef enum section { NONE, CONF, HIST, RES, DATA } section;

typedef struct export_state {
    sy_records *l;
    section in;
    const char *unit;
    sy_ms zone;    /* east of Greenwich */
    sy_ms day;     /* 00:00 of the day that is described, local */
    sy_ms stop;    /* of a run, of a report: local */
    int alarm;     /* that is described, -1: none */
    bool external; /* the timeout that is described */
    bool device, rows;
    size_t line;
} export_state;

static sy_span trimmed(sy_span s)
{
    while (s.n && memchr(" \t\r", s.p[0], 3))
        s = (sy_span){s.p + 1, s.n - 1};
    while (s.n && memchr(" \t\r", s.p[s.n - 1], 3))
        s.n--;
    return s;
}

static bool digits(const char *p, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *out = *out * 10 + (p[i] - '0');
    }
    return true;
}

/* "2022-05-02", "2022-05-02 04:44": local milliseconds. */
static bool local_time(sy_span s, sy_ms *out)
{
    int y, mo, d, h = 0, mi = 0;
    if ((s.n != 10 && s.n != 16) || !digits(s.p, 4, &y) || s.p[4] != '-' ||
        !digits(s.p + 5, 2, &mo) || s.p[7] != '-' || !digits(s.p + 8, 2, &d) ||
        !sy_date_valid(y, mo, d) || y < 1970)
        return false;
    if (s.n == 16 && (s.p[10] != ' ' || !digits(s.p + 11, 2, &h) || s.p[13] != ':' ||
                      !digits(s.p + 14, 2, &mi) || h > 23 || mi > 59))
        return false;
    *out = sy_days_of((sy_date){y, (uint8_t)mo, (uint8_t)d}) * DAY_MS +
           ((sy_ms)h * 60 + mi) * MINUTE_MS;
    return true;
}

/* "04:44" of the day that is described, or a whole time. */
static bool minute(const export_state *x, sy_span s, sy_ms *out)
{
    int h, m;
    if (s.n != 5)
        return local_time(s, out);
    if (!digits(s.p, 2, &h) || s.p[2] != ':' || !digits(s.p + 3, 2, &m) || h > 23 || m > 59)
        return false;
    *out = x->day + ((sy_ms)h * 60 + m) * MINUTE_MS;
    return true;
}

static void stamp(const export_state *x, sy_ms local, sy_record *r)
{
    r->time = local - x->zone;
    r->has_time = r->time >= 0;
    r->time_s = (double)r->time / 1e3;
}

/* "+26.3", "--.-". */
static bool temperature(const export_state *x, sy_span s, sy_record *r)
{
    bool plus = s.n && s.p[0] == '+';
    r->kind = SY_REC_NUMBER;
    r->unit = sy_span_of(x->unit);
    if (sy_span_is(s, "--.-") || sy_span_is(s, "---.-")) {
        r->kind = SY_REC_NULL;
        r->quality = SY_Q_BAD | SY_Q_DEVICE_FAULT;
        return true;
    }
    return sy_double_parse((sy_span){s.p + plus, s.n - plus}, &r->number) == SY_OK;
}

static void add(export_state *x, const char *name, sy_ms at, sy_record *r)
{
    r->name = r->local = sy_span_of(name);
    stamp(x, at, r);
    sy_records_add(x->l, r);
}

/* Of the alarm that is described: "day.alarm.1", "day.alarm.1.minutes". */
static void numbered(export_state *x, const char *name, const char *tail, sy_ms at, sy_record *r)
{
    char text[40];
    int n = snprintf(text, sizeof text, "%s.%d%s", name, x->alarm, tail);
    r->name = r->local = sy_records_text(x->l, (sy_span){text, (size_t)n});
    stamp(x, at, r);
    sy_records_add(x->l, r);
}

/* The value of "key" among "Key: value, Key2: value2". */
static bool value_of(sy_span line, const char *key, sy_span *out)
{
    while (line.n) {
        const char *comma = memmem(line.p, line.n, ", ", 2);
        sy_span part = {line.p, comma ? (size_t)(comma - line.p) : line.n};
        size_t used = part.n + (comma ? 2 : 0), n = strlen(key);
        line = (sy_span){line.p + used, line.n - used};
        part = trimmed(part);
        if (part.n > n && memcmp(part.p, key, n) == 0 && part.p[n] == ':') {
            *out = trimmed((sy_span){part.p + n + 1, part.n - n - 1});
            return out->n > 0;
        }
    }
    return false;
}

static sy_err bad(const export_state *x, const char *what, sy_fail *f)
{
    return sy_fail_set(f, SY_E_PARSE, "line %zu: %s", x->line, what);
}

static sy_err row(export_state *x, sy_span line, sy_fail *f)
{
    sy_ms t;
    sy_span time = trimmed(line), rest = {"", 0}, value;
    sy_record r = {.quality = SY_Q_GOOD}, out = {.quality = SY_Q_GOOD, .kind = SY_REC_BOOL};
    if (time.n > 16) {
        rest = trimmed((sy_span){time.p + 16, time.n - 16});
        time.n = 16;
    }
    if (sy_span_is(time, "yyyy-MM-dd hh:mm"))
        return SY_OK;
    value = rest;
    const char *tab = rest.n ? memchr(rest.p, '\t', rest.n) : NULL;
    if (tab)
        value = trimmed((sy_span){rest.p, (size_t)(tab - rest.p)});
    if (!local_time(time, &t) || !temperature(x, value, &r))
        return bad(x, "not a row of time and temperature", f);
    x->rows = true;
    add(x, "temperature", t, &r);
    sy_span flag =
        tab ? trimmed((sy_span){tab, (size_t)(rest.p + rest.n - tab)}) : (sy_span){"", 0};
    out.number = sy_span_is(flag, "x");
    add(x, "out-of-limits", t, &out);
    return SY_OK;
}

/* When the sums of a day stand: at its end, or when the report was made. */
static sy_ms day_end(const export_state *x)
{
    sy_ms end = x->day + DAY_MS;
    return x->stop > x->day && x->stop < end ? x->stop : end;
}

static void minutes(export_state *x, sy_span v, const char *name, bool of_alarm)
{
    sy_record r = {.quality = SY_Q_GOOD, .kind = SY_REC_NUMBER, .unit = {"min", 3}};
    if (sy_double_parse(v, &r.number) != SY_OK)
        return;
    if (of_alarm)
        numbered(x, name, ".minutes", day_end(x), &r);
    else
        add(x, name, day_end(x), &r);
}

static void history(export_state *x, sy_span line)
{
    static const struct {
        const char *key, *time, *name;
    } extremes[] = {{"Min T", "TS Min T", "day.min"}, {"Max T", "TS Max T", "day.max"}};
    sy_span v, at;
    sy_ms t;
    if (value_of(line, "TS Report Creation", &v))
        (void)local_time(v, &x->stop);
    if (value_of(line, "Date", &v) && local_time(v, &t)) {
        x->day = t;
        x->alarm = -1;
    }
    for (size_t i = 0; i < 2; i++) {
        sy_record r = {.quality = SY_Q_GOOD};
        if (value_of(line, extremes[i].key, &v) && value_of(line, extremes[i].time, &at) &&
            minute(x, at, &t) && temperature(x, v, &r))
            add(x, extremes[i].name, t, &r);
    }
    sy_record r = {.quality = SY_Q_GOOD}, fired = {.kind = SY_REC_BOOL, .number = 1};
    if (value_of(line, "Avrg T", &v) && temperature(x, v, &r))
        add(x, "day.average", day_end(x), &r);
    if (x->alarm >= 0 && value_of(line, "t Acc", &v))
        minutes(x, v, "day.alarm", true);
    if (x->alarm >= 0 && value_of(line, "TS A", &v) && minute(x, v, &t))
        numbered(x, "day.alarm", "", t, &fired);
    if (value_of(line, "t AccST", &v))
        minutes(x, v, x->external ? "day.timeout.external" : "day.timeout.internal", false);
}

static void run(export_state *x, sy_span line)
{
    static const struct {
        const char *key, *time, *name; /* without a time: at the stop */
    } values[] = {{"Min T", "TS Min T", "run.min"},
                  {"Max T", "TS Max T", "run.max"},
                  {"MKT", NULL, "run.mkt"},
                  {"Avrg T", NULL, "run.average"}};
    sy_span v, at;
    sy_ms t;
    sy_record fired = {.kind = SY_REC_BOOL, .number = 1};
    if (value_of(line, "TS Stop", &v))
        (void)local_time(v, &x->stop);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        sy_record r = {.quality = SY_Q_GOOD};
        t = x->stop;
        bool timed = !values[i].time || (value_of(line, values[i].time, &at) && minute(x, at, &t));
        if (value_of(line, values[i].key, &v) && timed && temperature(x, v, &r))
            add(x, values[i].name, t, &r);
    }
    if (x->alarm >= 0 && value_of(line, "TS A", &v) && local_time(v, &t))
        numbered(x, "run.alarm", "", t, &fired);
}

static void conf(export_state *x, sy_span line)
{
    sy_span v;
    double hours;
    sy_record r = {.quality = SY_Q_GOOD, .kind = SY_REC_TEXT};
    if (value_of(line, "Zone", &v)) {
        bool plus = v.p[0] == '+';
        if (sy_double_parse((sy_span){v.p + plus, v.n - plus}, &hours) == SY_OK && hours >= -14 &&
            hours <= 14)
            x->zone = (sy_ms)(hours * 3600000);
    }
    if (value_of(line, "Temp unit", &v))
        x->unit = sy_span_is(v, "F") ? "degF" : "Cel";
    if (line.n > 1 && line.p[0] == ' ' && value_of(line, "Serial", &v)) {
        r.name = r.local = (sy_span){"serial", 6};
        r.text = v;
        sy_records_add(x->l, &r);
    }
}

/* "1:" alone, or what begins a timeout. */
static void heading(export_state *x, sy_span line)
{
    sy_span s = trimmed(line);
    int id = 0;
    if (sy_span_is(s, "Ext Sensor timeout:") || sy_span_is(s, "Int Sensor timeout:")) {
        x->external = s.p[0] == 'E';
        x->alarm = -1;
    } else if (s.n >= 2 && s.n <= 3 && s.p[s.n - 1] == ':' && digits(s.p, (int)s.n - 1, &id) &&
               line.n >= 2 && line.p[1] == ' ') {
        x->alarm = id;
    }
}

static void begins(export_state *x, sy_span line)
{
    static const struct {
        const char *word;
        section is;
    } words[] = {{"Conf:", CONF}, {"Hist:", HIST}, {"Res:", RES}, {"Data:", DATA}};
    x->in = NONE;
    x->alarm = -1;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (sy_span_is(trimmed(line), words[i].word))
            x->in = words[i].is;
    sy_span v;
    x->device = x->device || (value_of(line, "Device", &v) && v.n > 5 && !memcmp(v.p, "Q-tag", 5));
}

static sy_err line_of(export_state *x, sy_span line, sy_fail *f)
{
    if (trimmed(line).n == 0)
        return SY_OK;
    if (line.p[0] != ' ' && line.p[0] != '\t') {
        begins(x, line);
        return SY_OK;
    }
    heading(x, line);
    switch (x->in) {
    case CONF:
        conf(x, line);
        break;
    case HIST:
        history(x, line);
        break;
    case RES:
        run(x, line);
        break;
    case DATA:
        return row(x, line, f);
    case NONE:
        break;
    }
    return SY_OK;
}

static sy_err fill(sy_records *l, sy_span text, sy_fail *f)
{
    export_state x = {.l = l, .unit = "Cel", .alarm = -1};
    l->max = RECORDS;
    if (sy_utf8_check(text) != text.n)
        return sy_fail_set(f, SY_E_PARSE, "the export is not UTF-8");
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        x.line++;
        sy_err e = line_of(&x, (sy_span){text.p, n}, f);
        if (e)
            return e;
        if (x.line == 1 && !x.device)
            return sy_fail_set(f, SY_E_PARSE, "not the export of a logger: no \"Device: Q-tag …\"");
        n += end ? 1 : 0;
        text = (sy_span){text.p + n, text.n - n};
    }
    return SY_OK;
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    return sy_bytes_decode(fill, payload, sink, ctx, f);
}

static int probe(sy_span payload)
{
    static const char begin[] = "Device: Q-tag";
    return payload.n > sizeof begin && memcmp(payload.p, begin, sizeof begin - 1) == 0 ? 95 : 0;
}

const sy_format sy_format_coldchain = {"coldchain_export", 0xffff, decode, probe, NULL};
