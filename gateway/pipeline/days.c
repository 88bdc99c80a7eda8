/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/days.h"

#include <stdio.h>
#include <stdlib.h>

#include "pipeline/days_int.h"

static const int64_t no_day = INT64_MIN;

static void day_free(sy_day *x)
{
    free(x->rows);
    free(x->heard);
}

static void premises_free(sy_days_premises *p)
{
    for (size_t i = 0; i < p->n; i++)
        day_free(&p->days[i]);
    free(p->days);
    free(p->id);
}

void sy_days_fini(sy_days *d)
{
    for (size_t i = 0; i < d->n; i++)
        premises_free(&d->premises[i]);
    free(d->premises);
    HASH_CLEAR(hh, d->by_text);
    for (size_t i = 0; i < d->n_names; i++)
        free(d->names[i]);
    free(d->names);
    free(d->of_point);
    free(d->slot);
    *d = (sy_days){0};
}

/* ---- names: "rule US version US place US series", of a series without the first two ---- */

sy_err sy_days__name(sy_days *d, const char *text, size_t n, uint32_t *out)
{
    struct sy_days_name *x = NULL;
    HASH_FIND(hh, d->by_text, text, n, x);
    if (x) {
        *out = x->number;
        return SY_OK;
    }
    if (sy_grow(sy_heap(), (void **)&d->names, &d->cap_names, d->n_names + 1, sizeof *d->names))
        return SY_E_NOMEM;
    x = calloc(1, sizeof *x + n + 1);
    if (!x)
        return SY_E_NOMEM;
    memcpy(x->text, text, n);
    x->n = n;
    x->number = (uint32_t)d->n_names;
    HASH_ADD_KEYPTR(hh, d->by_text, x->text, n, x);
    if (x->lost) {
        free(x);
        return SY_E_NOMEM;
    }
    d->names[d->n_names++] = x;
    *out = x->number;
    return SY_OK;
}

/* The parts stand behind each other, each with its NUL. */
static sy_err name_of(sy_days *d, const char *rule, int64_t version, const char *place,
                      const char *series, uint32_t *out)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_put(&b, rule, strlen(rule) + 1);
    if (*rule)
        sy_buf_int(&b, version);
    sy_buf_char(&b, 0);
    sy_buf_put(&b, place, strlen(place) + 1);
    sy_buf_put(&b, series, strlen(series));
    sy_err e = b.failed ? SY_E_NOMEM : sy_days__name(d, b.p, b.n, out);
    sy_buf_fini(&b);
    return e;
}

sy_days_words sy_days_words_of(const sy_days *d, uint32_t name)
{
    sy_days_words w = {.rule = d->names[name]->text};
    w.version = w.rule + strlen(w.rule) + 1;
    w.place = w.version + strlen(w.version) + 1;
    w.series = w.place + strlen(w.place) + 1;
    return w;
}

/* ---- the site ---- */

static sy_days_premises *find(sy_days *d, const char *id, uint32_t *at)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->premises[i].id && strcmp(d->premises[i].id, id) == 0) {
            *at = (uint32_t)i;
            return &d->premises[i];
        }
    return NULL;
}

static sy_err points(sy_days *d, const sy_site *site)
{
    free(d->of_point);
    free(d->slot);
    d->n_points = site->n_points;
    d->of_point = calloc(site->n_points + 1, sizeof *d->of_point);
    d->slot = calloc(site->n_points + 1, sizeof *d->slot);
    sy_err e = d->of_point && d->slot ? SY_OK : SY_E_NOMEM;
    for (size_t i = 0; i < site->n_points && !e; i++)
        e = name_of(d, "", 0, site->places[site->points[i].place].id, site->points[i].series,
                    &d->of_point[i]);
    return e;
}

sy_err sy_days_site(sy_days *d, const sy_site *site)
{
    sy_days_premises *v = calloc(site->n_premises + 1, sizeof *v);
    if (!v)
        return SY_E_NOMEM;
    for (size_t i = 0; i < site->n_premises; i++) {
        uint32_t at = 0;
        sy_days_premises *old = find(d, site->premises[i].id, &at);
        v[i] = old ? *old : (sy_days_premises){.next = no_day, .since = SY_MS_NONE};
        if (old)
            *old = (sy_days_premises){0};
        else
            v[i].id = strdup(site->premises[i].id);
    }
    for (size_t i = 0; i < d->n; i++)
        premises_free(&d->premises[i]);
    free(d->premises);
    d->premises = v;
    d->known = false;
    d->n = site->n_premises;
    for (size_t i = 0; i < d->n; i++)
        if (!v[i].id)
            return SY_E_NOMEM;
    return points(d, site);
}

void sy_days_begin(sy_days *d, const sy_site *site, sy_ms now)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->premises[i].next == no_day) {
            d->premises[i].next = sy_zone_day(site->premises[i].zone, now);
            d->premises[i].since = now;
            d->known = false;
        }
}

/* ---- days ---- */

static sy_day *at_time(const sy_days_premises *p, sy_ms t)
{
    for (size_t i = p->n; i-- > 0;)
        if (t >= p->days[i].from && t < p->days[i].to)
            return &p->days[i];
    return NULL;
}

sy_day *sy_days_at(sy_days *d, const sy_site *site, uint32_t premises, int64_t day)
{
    sy_days_premises *p = &d->premises[premises];
    size_t at = p->n;
    while (at > 0 && p->days[at - 1].day >= day)
        at--;
    if (at < p->n && p->days[at].day == day)
        return &p->days[at];
    if (sy_grow(sy_heap(), (void **)&p->days, &p->cap, p->n + 1, sizeof *p->days))
        return NULL;
    memmove(&p->days[at + 1], &p->days[at], (p->n - at) * sizeof *p->days);
    p->n++;
    const sy_zone *zone = site->premises[premises].zone;
    p->days[at] = (sy_day){.day = day,
                           .from = sy_zone_midnight(zone, day),
                           .to = sy_zone_midnight(zone, day + 1),
                           .due = SY_MS_MAX};
    return &p->days[at];
}

/* The day of that time; *out NULL: it is none that is, or was lately, under supervision. */
static sy_err day_for(sy_days *d, const sy_site *site, uint32_t premises, sy_ms t, sy_day **out)
{
    sy_days_premises *p = &d->premises[premises];
    *out = at_time(p, t);
    if (*out || p->next == no_day)
        return SY_OK;
    int64_t day = sy_zone_day(site->premises[premises].zone, t);
    if (day < p->next || day > p->next + 2 * SY_DAYS_KEPT)
        return SY_OK; /* told and forgotten, or from before; or far ahead */
    *out = sy_days_at(d, site, premises, day);
    return *out ? SY_OK : SY_E_NOMEM;
}

/* What was told has changed. */
static void touch(sy_days *d, sy_day *x, sy_ms now)
{
    if (x->told && x->due == SY_MS_MAX) {
        x->due = now + SY_DAYS_SETTLE_MS;
        d->known = false;
    }
}

static bool same(const sy_day_row *a, const sy_day_row *b)
{
    return a->to == b->to && a->in_order == b->in_order && a->breach == b->breach &&
           a->exempt == b->exempt && a->outside == b->outside;
}

static sy_err put_row(sy_days *d, sy_day *x, const sy_day_row *r, sy_ms now)
{
    for (size_t i = 0; i < x->n_rows; i++)
        if (x->rows[i].name == r->name && x->rows[i].from == r->from) {
            if (!same(&x->rows[i], r))
                touch(d, x, now);
            x->rows[i] = *r;
            return SY_OK;
        }
    if (sy_grow(sy_heap(), (void **)&x->rows, &x->cap_rows, x->n_rows + 1, sizeof *x->rows))
        return SY_E_NOMEM;
    x->rows[x->n_rows++] = *r;
    touch(d, x, now);
    return SY_OK;
}

sy_err sy_days_judged(sy_days *d, const sy_site *site, const sy_site *of, const sy_judge_day *j,
                      sy_ms now)
{
    const sy_site_point *point = &of->points[j->point];
    const sy_site_place *place = &of->places[point->place];
    uint32_t premises = 0;
    sy_day *x = NULL;
    if (!find(d, of->premises[place->premises].id, &premises))
        return SY_OK;
    sy_err e = day_for(d, site, premises, j->from, &x);
    if (e || !x)
        return e;
    sy_day_row row = {.by_close = j->by_close,
                      .trial = j->trial,
                      .from = j->from,
                      .to = j->to,
                      .in_order = j->in_order,
                      .breach = j->breach,
                      .exempt = j->exempt,
                      .outside = j->outside};
    e = name_of(d, j->rule->id, (int64_t)j->rule->version->value, place->id, point->series,
                &row.name);
    return e ? e : put_row(d, x, &row, now);
}

static sy_err heard_of(sy_days *d, sy_day *x, uint32_t point, sy_day_heard **out)
{
    uint32_t name = d->of_point[point], at = d->slot[point];
    if (at >= x->n_heard || x->heard[at].name != name)
        for (at = 0; at < x->n_heard && x->heard[at].name != name;)
            at++;
    if (at == x->n_heard) {
        if (sy_grow(sy_heap(), (void **)&x->heard, &x->cap_heard, x->n_heard + 1, sizeof *x->heard))
            return SY_E_NOMEM;
        x->heard[x->n_heard++] = (sy_day_heard){.name = name};
    }
    d->slot[point] = at;
    *out = &x->heard[at];
    return SY_OK;
}

sy_err sy_days_heard(sy_days *d, const sy_site *site, uint32_t point, sy_ms t, sy_quality quality,
                     sy_ms now)
{
    sy_day *x = NULL;
    sy_day_heard *h = NULL;
    sy_err e = day_for(d, site, site->places[site->points[point].place].premises, t, &x);
    if (e || !x)
        return e;
    e = heard_of(d, x, point, &h);
    if (e)
        return e;
    h->heard += h->heard < UINT32_MAX;
    h->good += sy_quality_valid(quality) && h->good < UINT32_MAX;
    touch(d, x, now);
    return SY_OK;
}

sy_err sy_days_change(sy_days *d, const sy_site *site, const sy_site *of, const sy_change *c,
                      sy_ms now)
{
    const sy_site_point *point = &of->points[c->alert.point];
    const char *id = of->premises[of->places[point->place].premises].id;
    bool over = c->kind == SY_CHANGE_CLEARED || c->kind == SY_CHANGE_SUPERSEDED;
    uint32_t premises = 0;
    sy_day *x = NULL;
    if (c->alert.trial || c->kind == SY_CHANGE_ESCALATED || c->kind == SY_CHANGE_AMENDED ||
        !find(d, id, &premises))
        return SY_OK;
    sy_err e = day_for(d, site, premises, over ? c->alert.cleared : c->alert.raised, &x);
    if (e || !x)
        return e;
    x->raised += c->kind == SY_CHANGE_RAISED;
    x->cleared += over;
    x->withdrawn += c->kind == SY_CHANGE_WITHDRAWN;
    touch(d, x, now);
    return SY_OK;
}

/* ---- turns ---- */

static sy_ms due_of(const sy_site *site, const sy_judge *judge, uint32_t premises, int64_t day)
{
    const sy_site_premises *p = &site->premises[premises];
    sy_ms wait = sy_judge_day_wait(judge, premises);
    wait = wait > p->statement ? wait : p->statement;
    return sy_zone_midnight(p->zone, day + 1) + wait;
}

sy_days_turn sy_days_next(sy_days *d, const sy_site *site, const sy_judge *judge)
{
    sy_days_turn t = {.due = SY_MS_MAX};
    if (d->known)
        return d->turn;
    for (uint32_t i = 0; i < d->n; i++) {
        const sy_days_premises *p = &d->premises[i];
        if (p->next == no_day || site->premises[i].statement < 0)
            continue;
        sy_ms due = due_of(site, judge, i, p->next);
        if (due < t.due)
            t = (sy_days_turn){due, i, p->next};
        for (size_t k = 0; k < p->n; k++)
            if (p->days[k].due < t.due)
                t = (sy_days_turn){p->days[k].due, i, p->days[k].day};
    }
    d->turn = t;
    d->known = true;
    return t;
}

static void forget(sy_days_premises *p)
{
    size_t gone = 0;
    while (gone < p->n && p->days[gone].day < p->next - SY_DAYS_KEPT)
        day_free(&p->days[gone++]);
    p->n -= gone;
    if (gone)
        memmove(p->days, p->days + gone, p->n * sizeof *p->days);
}

void sy_days_told(sy_days *d, const sy_days_turn *t, const char *id, sy_span text)
{
    sy_days_premises *p = &d->premises[t->premises];
    sy_sha256 h;
    d->known = false;
    snprintf(p->previous, sizeof p->previous, "%s", id);
    sy_sha256_init(&h);
    sy_sha256_add(&h, text.p, text.n);
    sy_sha256_end(&h, p->hash);
    for (size_t i = 0; i < p->n; i++)
        if (p->days[i].day == t->day) {
            p->days[i].told++;
            p->days[i].due = SY_MS_MAX;
        }
    if (t->day >= p->next)
        p->next = t->day + 1;
    forget(p);
}

void sy_days_skip(sy_days *d, const sy_site *site, sy_ms now)
{
    for (size_t i = 0; i < d->n; i++) {
        int64_t oldest = sy_zone_day(site->premises[i].zone, now) - SY_DAYS_KEPT;
        if (d->premises[i].next != no_day && d->premises[i].next < oldest) {
            d->premises[i].next = oldest;
            d->known = false;
            forget(&d->premises[i]);
        }
    }
}
