/* SPDX-License-Identifier: Apache-2.0 */
/* Days, dates, zones and RFC 3339 text, by arithmetic alone: no libc calendar, no locale, no TZ. */
#include "base/reading.h"

static const sy_ms DAY = 86400000;

/* Floor division: days before 1970 count downward. */
static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

/* The year is taken to begin in March, so that the leap day is its last one. */
int64_t sy_days_of(sy_date d)
{
    int64_t y = d.month <= 2 ? (int64_t)d.year - 1 : d.year;
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t moved = (d.month + 9) % 12;
    int64_t doy = (153 * moved + 2) / 5 + d.day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

sy_date sy_date_of(int64_t days)
{
    days += 719468;
    int64_t era = floor_div(days, 146097);
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t moved = (5 * doy + 2) / 153;
    int64_t month = moved < 10 ? moved + 3 : moved - 9;
    sy_date d = {.year = (int32_t)(yoe + era * 400 + (month <= 2)),
                 .month = (uint8_t)month,
                 .day = (uint8_t)(doy - (153 * moved + 2) / 5 + 1)};
    return d;
}

bool sy_date_valid(int32_t year, int month, int day)
{
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    sy_date d = {year, (uint8_t)month, (uint8_t)day};
    sy_date back = sy_date_of(sy_days_of(d));
    return back.year == year && back.month == month && back.day == day;
}

sy_ms sy_zone_offset(const sy_zone *z, sy_ms utc)
{
    if (!z || z->n == 0)
        return 0;
    size_t lo = 0, hi = z->n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (z->steps[mid].from <= utc)
            lo = mid;
        else
            hi = mid;
    }
    return (sy_ms)z->steps[lo].offset_s * 1000;
}

int64_t sy_zone_day(const sy_zone *z, sy_ms utc)
{
    return floor_div(utc + sy_zone_offset(z, utc), DAY);
}

sy_ms sy_zone_midnight(const sy_zone *z, int64_t local_day)
{
    sy_ms local = local_day * DAY;
    sy_ms before = local - sy_zone_offset(z, local - DAY);
    sy_ms after = local - sy_zone_offset(z, local + DAY);
    sy_ms first = before < after ? before : after;
    sy_ms last = before < after ? after : before;
    if (first + sy_zone_offset(z, first) == local)
        return first;
    if (last + sy_zone_offset(z, last) == local)
        return last;
    /* 00:00 is skipped: the day begins where the offset changes. */
    for (size_t i = 0; z && i < z->n; i++)
        if (z->steps[i].from != SY_MS_NONE && z->steps[i].from >= first && z->steps[i].from <= last)
            return z->steps[i].from;
    return last;
}

static void digits(char *out, int64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        out[i] = (char)('0' + v % 10);
        v /= 10;
    }
}

void sy_time_text(sy_ms t, char out[25])
{
    int64_t day = floor_div(t, DAY);
    int64_t rest = t - day * DAY;
    sy_date d = sy_date_of(day);
    memcpy(out, "0000-00-00T00:00:00.000Z", 25);
    digits(out, d.year, 4);
    digits(out + 5, d.month, 2);
    digits(out + 8, d.day, 2);
    digits(out + 11, rest / 3600000, 2);
    digits(out + 14, rest / 60000 % 60, 2);
    digits(out + 17, rest / 1000 % 60, 2);
    digits(out + 20, rest % 1000, 3);
}

static bool number(const char **p, const char *end, int n, int *out)
{
    int v = 0;
    if (end - *p < n)
        return false;
    for (int i = 0; i < n; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *p += n;
    *out = v;
    return true;
}

static bool sign(const char **p, const char *end, const char *any)
{
    for (; *p < end && *any; any++) {
        if (**p == *any) {
            (*p)++;
            return true;
        }
    }
    return false;
}

/* Fraction digits beyond milliseconds are cut. */
static bool fraction(const char **p, const char *end, int *ms)
{
    *ms = 0;
    if (!sign(p, end, ".,"))
        return true;
    int n = 0;
    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, n++)
        if (n < 3)
            *ms = *ms * 10 + (**p - '0');
    if (n == 0 || n > 12)
        return false;
    for (; n < 3; n++)
        *ms *= 10;
    return true;
}

static bool offset(const char **p, const char *end, sy_ms *out)
{
    if (sign(p, end, "Zz")) {
        *out = 0;
        return true;
    }
    bool minus = *p < end && **p == '-';
    int h, m;
    if (!sign(p, end, "+-") || !number(p, end, 2, &h) || !sign(p, end, ":") ||
        !number(p, end, 2, &m) || h > 23 || m > 59)
        return false;
    *out = (minus ? -1 : 1) * ((sy_ms)h * 3600000 + (sy_ms)m * 60000);
    return true;
}

static sy_err epoch(sy_span text, sy_ms *out)
{
    sy_ms v = 0;
    if (text.n == 0 || text.n > 15)
        return text.n ? SY_E_RANGE : SY_E_PARSE;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return SY_E_PARSE;
        v = v * 10 + (text.p[i] - '0');
    }
    if (v >= 253402300800000)
        return SY_E_RANGE;
    *out = v;
    return SY_OK;
}

sy_err sy_time_parse(sy_span text, sy_ms *out)
{
    if (text.n < 5 || text.p[4] != '-')
        return epoch(text, out);
    const char *p = text.p, *end = text.p + text.n;
    int year, month, day, h, m, s, ms;
    sy_ms off;
    if (!number(&p, end, 4, &year) || !sign(&p, end, "-") || !number(&p, end, 2, &month) ||
        !sign(&p, end, "-") || !number(&p, end, 2, &day) || !sign(&p, end, "Tt ") ||
        !number(&p, end, 2, &h) || !sign(&p, end, ":") || !number(&p, end, 2, &m) ||
        !sign(&p, end, ":") || !number(&p, end, 2, &s) || !fraction(&p, end, &ms) ||
        !offset(&p, end, &off) || p != end)
        return SY_E_PARSE;
    if (!sy_date_valid(year, month, day) || h > 23 || m > 59 || s > 60 || year < 1970)
        return SY_E_RANGE;
    /* A leap second counts as the second before it. */
    if (s == 60)
        s = 59;
    sy_date d = {year, (uint8_t)month, (uint8_t)day};
    *out = sy_days_of(d) * DAY + (sy_ms)h * 3600000 + (sy_ms)m * 60000 + (sy_ms)s * 1000 + ms - off;
    return *out < 0 ? SY_E_RANGE : SY_OK;
}
