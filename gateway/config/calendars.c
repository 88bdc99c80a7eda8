/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendars of premises, and the days that an order swaps.
 */
#include <stdlib.h>

#include "config/config_int.h"

enum { MINUTE_MS = 60000, DAY_MS = 86400000, SPANS_MAX = 256 };

/* 0 for Monday; -1: no day. */
static int day_number(sy_span s)
{
    static const char names[] = "MonTueWedThuFriSatSun";
    for (int i = 0; s.n == 3 && i < 7; i++)
        if (memcmp(s.p, names + (size_t)i * 3, 3) == 0)
            return i;
    return -1;
}

/* "Mon", "Mon-Fri", "Sat-Mon": a bit a day; 0: no days. */
static uint8_t days_word(sy_span w)
{
    int a = day_number((sy_span){w.p, w.n < 3 ? w.n : 3}), b = a;
    if (a < 0 || (w.n != 3 && (w.n != 7 || w.p[3] != '-')))
        return 0;
    if (w.n == 7)
        b = day_number((sy_span){w.p + 4, 3});
    if (b < 0)
        return 0;
    uint8_t bits = 0;
    for (int d = a;; d = (d + 1) % 7) {
        bits |= (uint8_t)(1u << d);
        if (d == b)
            return bits;
    }
}

/* "08:30" as ms of the day; -1: no time. 24:00 is the end of the day. */
static sy_ms clock_time(sy_span s)
{
    for (size_t i = 0; i < 5; i++)
        if (s.n != 5 || (i == 2 ? s.p[i] != ':' : s.p[i] < '0' || s.p[i] > '9'))
            return -1;
    int h = (s.p[0] - '0') * 10 + s.p[1] - '0', m = (s.p[3] - '0') * 10 + s.p[4] - '0';
    if (m > 59 || h > 24 || (h == 24 && m > 0))
        return -1;
    return (sy_ms)(h * 60 + m) * MINUTE_MS;
}

/* "22:00-06:00" passes midnight. */
static bool span_word(sy_span w, sy_site_span *out)
{
    if (w.n != 11 || w.p[5] != '-')
        return false;
    out->from = clock_time((sy_span){w.p, 5});
    out->to = clock_time((sy_span){w.p + 6, 5});
    if (out->from < 0 || out->to < 0 || out->from == DAY_MS)
        return false;
    if (out->to <= out->from)
        out->to += DAY_MS;
    return true;
}

bool sy_value_hours(sy_span text, sy_site_span *spans, size_t *n)
{
    size_t i = 0;
    *n = 0;
    while (i <= text.n) { /* a group up to ; or , */
        size_t words = 0, end = i;
        uint8_t days = 0;
        while (end < text.n && text.p[end] != ';' && text.p[end] != ',')
            end++;
        while (i < end) {
            size_t start = i;
            while (i < end && text.p[i] != ' ')
                i++;
            sy_span w = {text.p + start, i - start};
            sy_site_span s = {.days = days};
            if (w.n && words++ == 0) {
                days = days_word(w);
                if (!days)
                    return false;
            } else if (w.n) {
                if (*n == SPANS_MAX || !span_word(w, &s))
                    return false;
                spans[(*n)++] = s;
            }
            while (i < end && text.p[i] == ' ')
                i++;
        }
        if (words < 2)
            return false;
        i = end + 1;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    const sy_site_calendar *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void sy_cfg_calendars(sy_loader *l, const sy_ynode *map, sy_site_premises *p)
{
    sy_site_calendar *all = sy_cfg_get(l, (map->n ? map->n : 1) * sizeof *all);
    sy_site_span spans[SPANS_MAX];
    for (size_t i = 0; all && i < map->n; i++) {
        const sy_ynode *hours = map->values[i];
        const sy_word *w = sy_cfg_word(l, map->keys[i], map->keys[i]->text, SY_W_CALENDAR);
        size_t n = 0;
        if (hours->kind != SY_Y_SCALAR || !sy_value_hours(hours->text, spans, &n)) {
            sy_cfg_error(l, hours, "wrong-value", NULL,
                         "hours are written like \"Mon-Fri 08:00-12:00 14:00-18:00; Sat "
                         "09:00-12:00\"",
                         "时段须写作 \"Mon-Fri 08:00-12:00 14:00-18:00; Sat 09:00-12:00\"");
            continue;
        }
        sy_site_span *own = w ? sy_cfg_get(l, n * sizeof *own) : NULL;
        if (!own)
            continue;
        memcpy(own, spans, n * sizeof *own);
        all[p->n_calendars++] = (sy_site_calendar){w->id, own, n};
    }
    p->calendars = all;
    if (p->n_calendars)
        qsort(all, p->n_calendars, sizeof *all, by_name);
}

static int by_day(const void *a, const void *b)
{
    const sy_site_swap *x = a, *y = b;
    return (x->day > y->day) - (x->day < y->day);
}

void sy_cfg_swaps(sy_loader *l, const sy_ynode *map, sy_site_premises *p)
{
    sy_site_swap *all = sy_cfg_get(l, (map->n ? map->n : 1) * sizeof *all);
    for (size_t i = 0; all && i < map->n; i++) {
        const sy_ynode *key = map->keys[i], *as = map->values[i];
        bool off = as->kind == SY_Y_SCALAR && sy_span_is(as->text, "off");
        int day = as->kind == SY_Y_SCALAR ? day_number(as->text) : -1;
        sy_date date;
        if (!sy_value_date(key->text, &date)) {
            sy_cfg_error(l, key, "wrong-value", NULL, "a date such as 2026-10-10 is needed",
                         "需要日期，例如 2026-10-10");
            continue;
        }
        if (!off && day < 0) {
            sy_cfg_error(l, as, "wrong-value", NULL,
                         "the weekday that the day is taken for is needed (Mon … Sun), or off",
                         "需要写明按星期几执行（Mon … Sun），或 off");
            continue;
        }
        all[p->n_swaps++] =
            (sy_site_swap){sy_days_of(date), (uint8_t)(off ? 0 : 1u << (unsigned)day)};
    }
    p->swaps = all;
    if (p->n_swaps)
        qsort(all, p->n_swaps, sizeof *all, by_day);
}
