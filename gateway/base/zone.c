/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones from TZif files (RFC 8536): the 64-bit transitions, then the footer's POSIX rule
 * (section 3.3.1) laid out year by year until 2100, so that the judge needs no calendar library. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"

enum { LAST_YEAR = 2100, MAX_FILE = 1 << 20, MAX_STEPS = 4096 };

typedef struct rule_date { /* Mm.w.d/time */
    int month, week, day;
    int32_t time_s;
} rule_date;

typedef struct footer {
    int32_t std_s, dst_s; /* offsets east of UTC */
    bool has_dst;
    rule_date start, end;
} footer;

static uint64_t be(const unsigned char *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static const char *skip_name(const char *p)
{
    if (*p == '<') {
        while (*p && *p != '>')
            p++;
        return *p ? p + 1 : p;
    }
    while (isalpha((unsigned char)*p))
        p++;
    return p;
}

/* [+-]hh[:mm[:ss]] */
static const char *seconds(const char *p, int32_t *out)
{
    int sign = 1;
    if (*p == '+' || *p == '-')
        sign = *p++ == '-' ? -1 : 1;
    long v[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)*p))
            return NULL;
        char *end;
        v[i] = strtol(p, &end, 10);
        if (v[i] > 200)
            return NULL;
        p = end;
        if (*p != ':')
            break;
        p++;
    }
    *out = (int32_t)(sign * (v[0] * 3600 + v[1] * 60 + v[2]));
    return p;
}

static const char *date_rule(const char *p, rule_date *d)
{
    int used = 0;
    if (sscanf(p, ",M%2d.%1d.%1d%n", &d->month, &d->week, &d->day, &used) != 3 || used == 0 ||
        d->month < 1 || d->month > 12 || d->week < 1 || d->week > 5 || d->day > 6)
        return NULL;
    p += used;
    d->time_s = 7200;
    return *p == '/' ? seconds(p + 1, &d->time_s) : p;
}

static bool parse_footer(const char *p, footer *f)
{
    *f = (footer){0};
    p = seconds(skip_name(p), &f->std_s);
    if (!p)
        return false;
    f->std_s = -f->std_s;
    f->dst_s = f->std_s + 3600;
    if (*p == 0)
        return true;
    f->has_dst = true;
    p = skip_name(p);
    if (*p && *p != ',') {
        p = seconds(p, &f->dst_s);
        if (!p)
            return false;
        f->dst_s = -f->dst_s;
    }
    p = date_rule(p, &f->start);
    p = p ? date_rule(p, &f->end) : NULL;
    return p && *p == 0;
}

static sy_ms rule_instant(const rule_date *d, int32_t year, int32_t offset_s)
{
    int64_t first = sy_days_of((sy_date){year, (uint8_t)d->month, 1});
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (d->day - weekday + 7) % 7 + (int64_t)(d->week - 1) * 7;
    int64_t next = d->month == 12 ? sy_days_of((sy_date){year + 1, 1, 1})
                                  : sy_days_of((sy_date){year, (uint8_t)(d->month + 1), 1});
    while (day >= next)
        day -= 7;
    return (day * 86400 + d->time_s - offset_s) * 1000;
}

static void add(sy_zone_step *steps, size_t *n, sy_ms from, int32_t offset_s)
{
    if (*n && steps[*n - 1].offset_s == offset_s)
        return;
    if (*n < MAX_STEPS && (*n == 0 || from > steps[*n - 1].from))
        steps[(*n)++] = (sy_zone_step){from, offset_s};
}

static void lay_out(const footer *f, sy_zone_step *steps, size_t *n)
{
    sy_ms last = *n ? steps[*n - 1].from : SY_MS_NONE;
    if (!f->has_dst) {
        if (last == SY_MS_NONE && *n <= 1)
            add(steps, n, 0, f->std_s);
        return;
    }
    int32_t year = last == SY_MS_NONE ? 1970 : sy_date_of(sy_zone_day(NULL, last)).year;
    for (; year <= LAST_YEAR; year++) {
        sy_ms on = rule_instant(&f->start, year, f->std_s);
        sy_ms off = rule_instant(&f->end, year, f->dst_s);
        bool north = on < off;
        sy_ms first = north ? on : off, second = north ? off : on;
        if (first > last)
            add(steps, n, first, north ? f->dst_s : f->std_s);
        if (second > last)
            add(steps, n, second, north ? f->std_s : f->dst_s);
    }
}

/* One TZif block: header counts, then its data. Returns the block's length, 0 where malformed. */
static size_t block_size(const unsigned char *p, size_t n, size_t time_size)
{
    if (n < 44 || memcmp(p, "TZif", 4) != 0)
        return 0;
    uint64_t isut = be(p + 20, 4), isstd = be(p + 24, 4), leap = be(p + 28, 4);
    uint64_t times = be(p + 32, 4), types = be(p + 36, 4), chars = be(p + 40, 4);
    uint64_t size =
        44 + times * time_size + times + types * 6 + chars + leap * (time_size + 4) + isstd + isut;
    return size <= n && types > 0 ? (size_t)size : 0;
}

static bool parse(const unsigned char *p, size_t n, sy_zone_step *steps, size_t *count)
{
    size_t first = block_size(p, n, 4);
    if (first == 0 || p[4] < '2')
        return false;
    p += first;
    n -= first;
    size_t size = block_size(p, n, 8);
    if (size == 0 || n - size < 2 || p[size] != '\n')
        return false;
    size_t times = (size_t)be(p + 32, 4), types = (size_t)be(p + 36, 4);
    const unsigned char *at = p + 44, *index = at + times * 8, *type = index + times;
    *count = 0;
    add(steps, count, SY_MS_NONE, (int32_t)(uint32_t)be(type, 4));
    for (size_t i = 0; i < times; i++) {
        if (index[i] >= types)
            return false;
        int64_t s = (int64_t)be(at + 8 * i, 8);
        if (s < -100000000000 || s > 100000000000)
            continue;
        add(steps, count, s * 1000, (int32_t)(uint32_t)be(type + 6 * (size_t)index[i], 4));
    }
    char text[128];
    const char *from = (const char *)p + size + 1;
    const char *end = memchr(from, '\n', n - size - 1);
    if (!end || (size_t)(end - from) >= sizeof text)
        return false;
    memcpy(text, from, (size_t)(end - from));
    text[end - from] = 0;
    footer f;
    if (text[0] && parse_footer(text, &f))
        lay_out(&f, steps, count);
    return true;
}

static bool good_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > 64 || name[0] == '/' || strstr(name, ".."))
        return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("/_+-", *p))
            return false;
    return true;
}

sy_err sy_zone_load(sy_arena *a, const char *name, const sy_zone **out, sy_fail *f)
{
    sy_zone *z = sy_arena_get(a, sizeof *z);
    char path[128];
    sy_zone_step *steps = malloc(MAX_STEPS * sizeof *steps);
    size_t n = 0;
    sy_buf file;
    sy_buf_init(&file, sy_heap());
    sy_err e = SY_OK;
    if (!z || !steps) {
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for time zone %.64s", name);
    } else if (!good_name(name)) {
        e = sy_fail_set(f, SY_E_PARSE, "'%.64s' is no time zone name such as Asia/Shanghai", name);
    } else if (strcmp(name, "UTC") == 0) {
        add(steps, &n, SY_MS_NONE, 0);
    } else {
        snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
        e = sy_file_read(path, MAX_FILE, &file, f);
        if (e != SY_OK)
            sy_fail_wrap(f, "time zone %s (package tzdata)", name);
        else if (!parse((const unsigned char *)file.p, file.n, steps, &n))
            e = sy_fail_set(f, SY_E_PARSE, "%s is no time zone file (RFC 8536)", path);
    }
    if (e == SY_OK) {
        sy_zone_step *kept = sy_arena_get(a, n * sizeof *kept);
        z->name = sy_arena_text(a, sy_span_of(name));
        if (!kept || !z->name) {
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for time zone %s", name);
        } else {
            memcpy(kept, steps, n * sizeof *kept);
            z->steps = kept;
            z->n = n;
            *out = z;
        }
    }
    sy_buf_fini(&file);
    free(steps);
    return e;
}
