/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of the days, gathered in one pass over the readings in order of time. */
#include "cli/completeness.h"

#include <stdlib.h>
#include <string.h>

typedef struct day_of { /* of one series */
    uint32_t point;
    int64_t day;
    uint64_t received, valid;
} day_of;

typedef struct seen {
    size_t entry;      /* of its newest day, in days; meaningless while first is SY_MS_NONE */
    sy_ms first, last; /* times of readings in the window */
    bool before;       /* it has readings from before the window */
} seen;

typedef struct survey {
    const sy_site *site;
    const sy_stored_options *o;
    day_of *days;
    size_t n, cap;
    seen *points;
    sy_ms newest; /* of any series */
    bool nomem;
} survey;

static const sy_zone *zone_of(const sy_site *site, uint32_t point)
{
    return site->premises[site->places[site->points[point].place].premises].zone;
}

static bool count(void *ctx, const sy_reading_row *r)
{
    survey *s = ctx;
    uint32_t point;
    if (s->newest == SY_MS_NONE || r->t > s->newest)
        s->newest = r->t;
    if (!sy_site_point_of(s->site, r->series, &point))
        return true; /* of an earlier configuration */
    seen *x = &s->points[point];
    int64_t day = sy_zone_day(zone_of(s->site, point), r->t);
    bool valid = sy_quality_valid(r->quality);
    if (x->first != SY_MS_NONE && x->last == r->t)
        return true; /* two values of one time */
    if (x->first == SY_MS_NONE || s->days[x->entry].day != day) {
        if (sy_grow(sy_heap(), (void **)&s->days, &s->cap, s->n + 1, sizeof *s->days)) {
            s->nomem = true;
            return false;
        }
        x->entry = s->n;
        s->days[s->n++] = (day_of){.point = point, .day = day};
    }
    x->first = x->first == SY_MS_NONE ? r->t : x->first;
    x->last = r->t;
    s->days[x->entry].received++;
    s->days[x->entry].valid += valid;
    return true;
}

static bool any(void *ctx, const sy_reading_row *r)
{
    (void)r;
    *(bool *)ctx = true;
    return false;
}

/* Series that had readings before the window count from its begin. */
static sy_err look_before(survey *s, sy_store *store, sy_fail *f)
{
    sy_err e = SY_OK;
    for (uint32_t i = 0; i < s->site->n_points && !e && s->o->from != SY_MS_NONE; i++)
        if (!s->o->series || strcmp(s->o->series, s->site->points[i].series) == 0)
            e = sy_store_readings(store, s->site->points[i].series, SY_MS_NONE, s->o->from - 1, any,
                                  &s->points[i].before, f);
    return e;
}

static sy_err gather(survey *s, sy_store *store, sy_fail *f)
{
    const sy_stored_options *o = s->o;
    s->points = calloc(s->site->n_points + 1, sizeof *s->points);
    if (!s->points)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    for (size_t i = 0; i < s->site->n_points; i++)
        s->points[i].first = SY_MS_NONE;
    sy_err e = look_before(s, store, f);
    if (!e)
        e = sy_store_readings(store, o->series, o->from, o->to, count, s, f);
    return s->nomem ? sy_fail_set(f, SY_E_NOMEM, "out of memory") : e;
}

static int by_point_and_day(const void *a, const void *b)
{
    const day_of *x = a, *y = b;
    if (x->point != y->point)
        return x->point < y->point ? -1 : 1;
    return x->day < y->day ? -1 : x->day > y->day;
}

static uint64_t expected(sy_ms from, sy_ms to, sy_ms every)
{
    return to > from ? (uint64_t)((to - from + every - 1) / every) : 0;
}

static void put_day(const survey *s, const day_of *d, uint64_t want, size_t n, sy_buf *b)
{
    const sy_site_point *p = &s->site->points[d->point];
    sy_date date = sy_date_of(d->day);
    char day[16];
    snprintf(day, sizeof day, "%04d-%02u-%02u", (int)(date.year % 10000), date.month, date.day);
    double share = want ? (double)d->valid / (double)want : 1;
    share = share < 1 ? share : 1;
    if (!s->o->json) {
        sy_buf_printf(b, "%s  %-32s %7llu", day, p->series, (unsigned long long)d->received);
        if (p->every)
            sy_buf_printf(b, " of %7llu, good %7llu  %5.1f %%", (unsigned long long)want,
                          (unsigned long long)d->valid, share * 100);
        sy_buf_char(b, '\n');
        return;
    }
    sy_buf_printf(b, "%s\n  {\"day\": \"%s\", \"series\": ", n ? "," : "", day);
    sy_buf_json(b, sy_span_of(p->series));
    sy_buf_printf(b, ", \"received\": %llu, \"valid\": %llu, \"expected\": ",
                  (unsigned long long)d->received, (unsigned long long)d->valid);
    if (p->every)
        sy_buf_printf(b, "%llu, \"share\": %.4f}", (unsigned long long)want, share);
    else
        sy_buf_text(b, "null, \"share\": null}");
}

/* The days of one series, those without a reading too. */
static bool put_series(const survey *s, uint32_t point, const day_of **at, size_t *n, sy_buf *b)
{
    const sy_zone *zone = zone_of(s->site, point);
    const seen *x = &s->points[point];
    const sy_site_point *p = &s->site->points[point];
    const day_of *end = s->days + s->n;
    sy_ms from = x->before ? s->o->from : x->first;
    sy_ms to = s->o->to != SY_MS_MAX ? s->o->to : s->newest;
    if (from == SY_MS_NONE || to == SY_MS_NONE || (s->o->series && strcmp(s->o->series, p->series)))
        return true;
    for (int64_t day = sy_zone_day(zone, from); day <= sy_zone_day(zone, to); day++) {
        day_of none = {.point = point, .day = day};
        const day_of *d = *at < end && (*at)->point == point && (*at)->day == day ? (*at)++ : &none;
        sy_ms lo = sy_zone_midnight(zone, day), hi = sy_zone_midnight(zone, day + 1);
        lo = lo < from ? from : lo;
        hi = hi > to ? to + 1 : hi;
        if (d->received || p->every)
            put_day(s, d, p->every ? expected(lo, hi, p->every) : 0, (*n)++, b);
        if (b->n >= 1 << 16 && !sy_stored_flush("query", b))
            return false;
    }
    return true;
}

static int show(survey *s)
{
    sy_buf b;
    size_t n = 0;
    const day_of *at = s->days;
    bool fine = true;
    sy_buf_init(&b, sy_heap());
    if (s->n)
        qsort(s->days, s->n, sizeof *s->days, by_point_and_day);
    if (s->o->json)
        sy_buf_char(&b, '[');
    for (uint32_t i = 0; i < s->site->n_points && fine; i++)
        fine = put_series(s, i, &at, &n, &b);
    if (s->o->json)
        sy_buf_text(&b, n ? "\n]\n" : "]\n");
    fine = fine && sy_stored_flush("query", &b) && fflush(stdout) == 0;
    sy_buf_fini(&b);
    return fine ? 0 : 1;
}

int sy_query_completeness(const sy_stored_options *o, const sy_config *c)
{
    if (!c || (o->series && !sy_stored_point(c, o->series))) {
        fprintf(stderr,
                "steelyard query: --completeness needs the configuration that ran last, %s\n",
                c ? "and the series is not in it" : "and the folder has none");
        return 1;
    }
    survey s = {.site = c->site, .o = o, .newest = SY_MS_NONE};
    sy_fail why = {0};
    sy_store *store = sy_stored_open_readings("query", o->data);
    if (!store)
        return 1;
    sy_err e = gather(&s, store, &why);
    sy_store_close(store);
    if (e)
        fprintf(stderr, "steelyard query: %s\n", why.text);
    int rc = e ? 1 : show(&s);
    free(s.days);
    free(s.points);
    return rc;
}
