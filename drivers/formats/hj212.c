/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HJ 212 messages to records: "a34004-Rtd" and its value. The flag of a factor ("a34004-Flag=N")
 * becomes the quality of all its values, wherever it stands. DataTime is that of all values of its
 * frame, in Beijing time (clause 6.3.3 knows no zone). A frame whose CRC does not fit gives
 * uncertain values: real senders compute it wrongly, and nobody can tell that from a broken one.
 */
#include "drivers/formats/hj212.h"

#include "base/utf8.h"
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

enum { BEIJING_MS = 8 * 3600 * 1000 };

static sy_quality quality_of(char flag)
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
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].flag == flag || (table[i].flag | 0x20) == flag)
            return table[i].quality;
    return SY_Q_UNCERTAIN; /* a flag that no edition knows */
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

/* The next "key=value" of the data; groups (";") and pairs (",") are told apart by *group. */
static bool next_pair(sy_span *rest, pair *out, size_t *group)
{
    while (rest->n > 0) {
        size_t n = 0;
        while (n < rest->n && rest->p[n] != ',' && rest->p[n] != ';')
            n++;
        sy_span one = {rest->p, n};
        if (n < rest->n && rest->p[n] == ';')
            ++*group;
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

static bool flag_of(sy_span key, sy_span *factor)
{
    static const char end[] = "-flag";
    size_t n = sizeof end - 1;
    if (key.n <= n || strncasecmp(key.p + key.n - n, end, n) != 0)
        return false;
    *factor = (sy_span){key.p, key.n - n};
    return true;
}

static bool of_factor(sy_span name, sy_span factor)
{
    return name.n > factor.n && name.p[factor.n] == '-' && memcmp(name.p, factor.p, factor.n) == 0;
}

static void values_of(sy_records *l, const sy_hj212_frame *frame)
{
    sy_record like = {.quality = frame->crc_good ? SY_Q_GOOD : SY_Q_UNCERTAIN};
    size_t first = l->n, group = 0;
    sy_span rest = frame->data;
    pair p;
    while (next_pair(&rest, &p, &group))
        if (p.key.n == 8 && strncasecmp(p.key.p, "DataTime", 8) == 0 && time_of(p.value, &like))
            break;
    rest = frame->data;
    while (next_pair(&rest, &p, &group) && !l->err) {
        sy_record r = like;
        sy_span factor;
        if ((p.key.n == 8 && strncasecmp(p.key.p, "DataTime", 8) == 0) || flag_of(p.key, &factor))
            continue;
        r.name = r.local = sy_records_text(l, p.key);
        r.kind = sy_double_parse(p.value, &r.number) == SY_OK ? SY_REC_NUMBER : SY_REC_TEXT;
        r.text = p.value;
        if (p.value.n == 0)
            r.kind = SY_REC_NULL;
        if (sy_utf8_check(p.key) == p.key.n && sy_utf8_check(p.value) == p.value.n)
            sy_records_add(l, &r);
    }
    rest = frame->data;
    while (next_pair(&rest, &p, &group)) {
        sy_span factor;
        if (!flag_of(p.key, &factor) || p.value.n == 0)
            continue;
        sy_quality q = quality_of(p.value.p[0]);
        for (size_t i = first; i < l->n; i++)
            if (of_factor(l->v[i].name, factor))
                l->v[i].quality =
                    sy_quality_worsen(l->v[i].quality, q & SY_Q_GRADE, q & ~(sy_quality)SY_Q_GRADE);
    }
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
