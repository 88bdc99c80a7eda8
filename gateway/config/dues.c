/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates that something is due by: those written under `due`, and that of the next calibration.
 */
#include <stdlib.h>

#include "config/config_int.h"

enum { DAY_MS = 86400000, MONTHS_MAX = 12 * 1000 };

/* "12 months", "1 year", 12个月: so many months of the calendar; 0: the period is no such one. */
static int whole_months(sy_span text)
{
    static const struct {
        const char *word;
        int months;
    } units[] = {{"month", 1}, {"months", 1}, {"个月", 1}, {"year", 12}, {"years", 12}, {"年", 12}};
    size_t i = 0, to = text.n;
    int n = 0;
    while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && n <= MONTHS_MAX)
        n = n * 10 + text.p[i++] - '0';
    while (i < text.n && text.p[i] == ' ')
        i++;
    while (to > i && text.p[to - 1] == ' ')
        to--;
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (sy_span_is((sy_span){text.p + i, to - i}, units[k].word) && n <= MONTHS_MAX / 12)
            return n * units[k].months;
    return 0;
}

bool sy_value_last_day(sy_date from, sy_span period, int64_t *day)
{
    int months = whole_months(period);
    sy_ms ms;
    if (!sy_value_duration(period, true, &ms))
        return false;
    if (!months) {
        *day = sy_days_of(from) + ms / DAY_MS - 1;
        return true;
    }
    int month = from.month - 1 + months % 12;
    sy_date d = {.year = from.year + months / 12 + month / 12,
                 .month = (uint8_t)(month % 12 + 1),
                 .day = from.day};
    int64_t before = 1; /* the day before that of the same number, or the last of a short month */
    for (; !sy_date_valid(d.year, d.month, d.day); d.day--)
        before = 0;
    *day = sy_days_of(d) - before;
    return true;
}

const sy_site_due *sy_cfg_dues(sy_loader *l, const sy_ynode *map, const sy_site_due *more,
                               size_t *n)
{
    sy_site_due *all = sy_cfg_get(l, ((map ? map->n : 0) + 1) * sizeof *all);
    bool own = false;
    *n = 0;
    for (size_t i = 0; all && map && i < map->n; i++) {
        const sy_ynode *value = map->values[i];
        const sy_word *w = sy_cfg_word(l, map->keys[i], map->keys[i]->text, SY_W_DATE);
        sy_date date;
        if (value->kind != SY_Y_SCALAR || !sy_value_date(value->text, &date)) {
            sy_cfg_error(l, value, "wrong-value", NULL, "a date such as 2026-10-10 is needed",
                         "需要日期，例如 2026-10-10");
            continue;
        }
        if (!w)
            continue;
        own = own || (more && strcmp(more->what, w->id) == 0);
        all[(*n)++] = (sy_site_due){w->id, sy_days_of(date)};
    }
    if (all && more && !own)
        all[(*n)++] = *more;
    return all;
}
