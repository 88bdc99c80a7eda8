/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HJ 212 messages to records: "a34004-Rtd" and its value. The flag of a factor ("a34004-Flag=N")
 * becomes the quality of all its values, wherever it stands; a flag without a factor ("Flag=N")
 * that of the values before it. DataTime is that of all values of its frame, a factor's SampleTime
 * that of its values, in Beijing time (clause 6.3.3 knows no zone). Minute, hour and day values
 * have their period: "w01018-Avg" of an hour and of a day are not one series. Each packet of a
 * split message has its own groups, so each is read by itself. A frame whose CRC does not fit gives
 * uncertain values: real senders compute it wrongly, and nobody can tell that from a broken one.
 */
#include "drivers/formats/hj212.h"

#include "base/utf8.h"
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

enum { BEIJING_MS = 8 * 3600 * 1000 };

static sy_quality quality_of(char flag, int edition)
{
    static const struct {
        int edition;
        char flag;
        sy_quality quality;
    } table[] = {
#define X(edition, flag, grade, bits, text) {edition, flag, (sy_quality)(SY_Q_##grade | (bits))},
#include "drivers/formats/hj212_flags.def"
#undef X
    };
    sy_quality other = SY_Q_UNCERTAIN; /* a flag that no edition knows */
    for (size_t i = sizeof table / sizeof table[0]; i-- > 0;) {
        if (table[i].flag != flag && (table[i].flag | 0x20) != flag)
            continue;
        if (table[i].edition == edition)
            return table[i].quality;
        other = table[i].quality;
    }
    return other;
}

static bool number_at(sy_span text, size_t from, size_t n, int *out)
{
    int v = 0;
    for (size_t i = from; i < from + n; i++) {
        if (i >= text.n || text.p[i] < '0' || text.p[i] > '9')
            return false;
        v = v * 10 + (text.p[i] - '0');
    }
    *out = v;
    return true;
}

/* YYYYMMDDhhmmss, perhaps with milliseconds. */
static bool time_of(sy_span text, sy_record *r)
{
    int year, month, day, hour, minute, second, ms = 0;
    if (!number_at(text, 0, 4, &year) || !number_at(text, 4, 2, &month) ||
        !number_at(text, 6, 2, &day) || !number_at(text, 8, 2, &hour) ||
        !number_at(text, 10, 2, &minute) || !number_at(text, 12, 2, &second) ||
        (text.n >= 17 && !number_at(text, 14, 3, &ms)))
        return false;
    if (!sy_date_valid(year, month, day) || year < 1970 || hour > 23 || minute > 59 || second > 59)
        return false;
    sy_date date = {year, (uint8_t)month, (uint8_t)day};
    sy_ms t = sy_days_of(date) * 86400000 + ((hour * 60 + minute) * 60 + second) * INT64_C(1000) +
              ms - BEIJING_MS;
    if (t < 0)
        return false;
    r->has_time = true;
    r->time = t;
    r->time_s = (double)t / 1e3;
    return true;
}

typedef struct pair {
    sy_span key, value;
} pair;

/* The next "key=value" of the data, whichever of ";" and "," stands between them. */
static bool next_pair(sy_span *rest, pair *out)
{
    while (rest->n > 0) {
        size_t n = 0;
        while (n < rest->n && rest->p[n] != ',' && rest->p[n] != ';')
            n++;
        sy_span one = {rest->p, n};
        size_t used = n < rest->n ? n + 1 : n;
        *rest = (sy_span){rest->p + used, rest->n - used};
        while (one.n && (*one.p == ' ' || *one.p == '\r' || *one.p == '\n'))
            one = (sy_span){one.p + 1, one.n - 1};
        const char *eq = one.n ? memchr(one.p, '=', one.n) : NULL;
        if (!eq || eq == one.p)
            continue;
        out->key = (sy_span){one.p, (size_t)(eq - one.p)};
        out->value = (sy_span){eq + 1, one.n - out->key.n - 1};
        return true;
    }
    return false;
}

/* "<factor>-Flag", "<factor>-SampleTime" … */
static bool ends_in(sy_span key, const char *end, sy_span *factor)
{
    size_t n = strlen(end);
    if (key.n <= n || strncasecmp(key.p + key.n - n, end, n) != 0)
        return false;
    *factor = (sy_span){key.p, key.n - n};
    return true;
}

static bool is_key(sy_span key, const char *name)
{
    return key.n == strlen(name) && strncasecmp(key.p, name, key.n) == 0;
}

static bool of_factor(sy_span name, sy_span factor)
{
    return name.n > factor.n && name.p[factor.n] == '-' && memcmp(name.p, factor.p, factor.n) == 0;
}

/* HJ 212-2017, annex C: what the values of a command are taken over. */
static sy_span period_of(sy_span cn)
{
    static const struct {
        const char *cn, *period;
    } commands[] = {{"2051", "minute"}, {"2061", "hour"}, {"2031", "day"}, {"2041", "day"}};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (sy_span_is(cn, commands[i].cn))
            return sy_span_of(commands[i].period);
    return (sy_span){"", 0};
}

typedef struct values {
    sy_records *l;
    size_t first; /* of this frame */
    int edition;
} values;

static void worsen(sy_record *r, sy_quality q)
{
    r->quality = sy_quality_worsen(r->quality, q & SY_Q_GRADE, q & ~(sy_quality)SY_Q_GRADE);
}

/* What one pair says of the values of its factor, which may stand before it or behind. */
static void say_of_factor(const values *v, const pair *p)
{
    sy_span factor;
    sy_record at = {.has_time = false};
    bool flag = ends_in(p->key, "-Flag", &factor) && p->value.n;
    bool time = !flag && ends_in(p->key, "-SampleTime", &factor) && time_of(p->value, &at);
    for (size_t i = v->first; i < v->l->n && (flag || time); i++) {
        sy_record *r = &v->l->v[i];
        if (!of_factor(r->name, factor))
            continue;
        if (flag)
            worsen(r, quality_of(p->value.p[0], v->edition));
        else
            r->has_time = true, r->time = at.time, r->time_s = at.time_s;
    }
}

static void add_value(values *v, const sy_record *like, const pair *p)
{
    sy_record r = *like;
    r.name = r.local = sy_records_text(v->l, p->key);
    r.kind = sy_double_parse(p->value, &r.number) == SY_OK ? SY_REC_NUMBER : SY_REC_TEXT;
    r.text = p->value;
    if (p->value.n == 0)
        r.kind = SY_REC_NULL;
    if (sy_utf8_check(p->key) == p->key.n && sy_utf8_check(p->value) == p->value.n)
        sy_records_add(v->l, &r);
}

static void values_of(sy_records *l, const sy_hj212_frame *frame)
{
    sy_record like = {.quality = frame->crc_good ? SY_Q_GOOD : SY_Q_UNCERTAIN,
                      .period = period_of(frame->cn)};
    values v = {l, l->n, sy_hj212_edition(frame)};
    size_t unflagged = l->n;
    sy_span rest = frame->data, factor;
    pair p;
    while (next_pair(&rest, &p))
        if (is_key(p.key, "DataTime") && time_of(p.value, &like))
            break;
    rest = frame->data;
    while (next_pair(&rest, &p) && !l->err) {
        if (is_key(p.key, "DataTime") || ends_in(p.key, "-Flag", &factor))
            continue;
        size_t before = l->n;
        add_value(&v, &like, &p);
        if (!is_key(p.key, "Flag") || p.value.n == 0)
            continue;
        for (size_t i = unflagged; i < before; i++)
            worsen(&l->v[i], quality_of(p.value.p[0], v.edition));
        unflagged = l->n;
    }
    rest = frame->data;
    while (next_pair(&rest, &p))
        say_of_factor(&v, &p);
    l->none_is_fine = l->none_is_fine || frame->crc_good; /* a heartbeat, an answer */
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    sy_records l;
    sy_hj212_frame frame;
    size_t skip, frames = 0;
    sy_span rest = payload;
    sy_records_init(&l);
    while (!l.err && sy_hj212_next(rest, &frame, &skip) == SY_OK) {
        values_of(&l, &frame);
        rest = (sy_span){rest.p + skip + frame.size, rest.n - skip - frame.size};
        frames++;
    }
    sy_err e = frames ? sy_records_emit(&l, sink, ctx, f)
                      : sy_fail_set(f, SY_E_PARSE,
                                    "HJ 212: no whole frame (##, length, segment, "
                                    "CRC)");
    sy_records_fini(&l);
    return e;
}

static int probe(sy_span payload)
{
    sy_hj212_frame frame;
    size_t skip;
    if (sy_hj212_next(payload, &frame, &skip) != SY_OK)
        return 0;
    return skip == 0 && frame.crc_good ? 98 : 70;
}

const sy_format sy_format_hj212 = {"hj212", 0xffff, decode, probe, NULL};

/* ---- units ---- */

static bool is_total(sy_span what)
{
    return is_key(what, "Cou") || is_key(what, "ZsCou");
}

const char *sy_hj212_unit(sy_span name)
{
    static const struct {
        int edition;
        const char *code, *unit, *total;
    } table[] = {
#define X(edition, code, unit, total) {edition, code, unit, total},
#include "drivers/formats/hj212_codes.def"
#undef X
    };
    const char *slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
    if (slash)
        name = (sy_span){slash + 1, name.n - (size_t)(slash - name.p) - 1};
    const char *dash = name.n ? memchr(name.p, '-', name.n) : NULL;
    if (!dash)
        return NULL;
    sy_span code = {name.p, (size_t)(dash - name.p)}, what = {dash + 1, name.n - code.n - 1};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *unit = is_total(what) ? table[i].total : table[i].unit;
        if (sy_span_is(code, table[i].code) && unit[0])
            return unit;
    }
    return NULL;
}
