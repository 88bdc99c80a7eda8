/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/late.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"

void sy_late_init(sy_late *l)
{
    *l = (sy_late){.past_due = SY_MS_NONE, .redone = SY_MS_NONE, .due = SY_MS_MAX};
}

static void free_places(sy_late_place *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(v[i].id);
    free(v);
}

void sy_late_fini(sy_late *l)
{
    free_places(l->places, l->n_places);
    free(l->of_place);
    free(l->turns);
    sy_late_init(l);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const sy_late_place *)a)->id, ((const sy_late_place *)b)->id);
}

static sy_late_place *find(const sy_late *l, const char *id)
{
    size_t lo = 0, hi = l->n_places;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(l->places[mid].id, id);
        if (order == 0)
            return &l->places[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static char *place_id(const sy_site *site, uint32_t place)
{
    char *id = NULL;
    const sy_site_place *p = &site->places[place];
    return asprintf(&id, "%s/%s", site->premises[p->premises].id, p->id) < 0 ? NULL : id;
}

static const sy_site_point *point_of(const sy_site *site, const char *series)
{
    size_t lo = 0, hi = site->n_points;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(site->points[mid].series, series);
        if (order == 0)
            return &site->points[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The series measured something else until now, or somewhere else. */
static bool is_other(const sy_site *site, const sy_site_point *p, const sy_site *old)
{
    const sy_site_point *was = point_of(old, p->series);
    if (!was)
        return false;
    const sy_site_place *a = &site->places[p->place], *b = &old->places[was->place];
    return !same(p->quantity, was->quantity) || !same(p->unit, was->unit) || !same(a->id, b->id) ||
           !same(site->premises[a->premises].id, old->premises[b->premises].id);
}

static void begin(sy_late_place *p)
{
    p->floor = p->first = p->last = p->ready = SY_MS_NONE;
    p->from = SY_MS_MAX;
}

/* Those of the site, with what is known of those that were there before. */
static sy_late_place *places_of(const sy_late *l, const sy_site *site)
{
    sy_late_place *v = calloc(site->n_places + 1, sizeof *v);
    for (uint32_t i = 0; v && i < site->n_places; i++) {
        char *id = place_id(site, i);
        if (!id) {
            free_places(v, i);
            return NULL;
        }
        const sy_late_place *was = find(l, id);
        begin(&v[i]);
        if (was)
            v[i] = *was;
        v[i].id = id;
    }
    return v;
}

static void look_around(sy_late *l)
{
    l->due = SY_MS_MAX;
    l->unfounded = false;
    for (size_t i = 0; i < l->n_places; i++) {
        sy_ms due = sy_late_place_due(l, &l->places[i]);
        l->due = due < l->due ? due : l->due;
        l->unfounded = l->unfounded || l->places[i].floor == SY_MS_NONE;
    }
}

sy_err sy_late_site(sy_late *l, const sy_site *site, const sy_site *old)
{
    sy_late_place *places = places_of(l, site);
    uint32_t *of_place = calloc(site->n_places + 1, sizeof *of_place);
    if (!places || !of_place) {
        free_places(places, places ? site->n_places : 0);
        free(of_place);
        return SY_E_NOMEM;
    }
    for (size_t k = 0; old && k < site->n_points; k++)
        if (is_other(site, &site->points[k], old))
            begin(&places[site->points[k].place]);
    free_places(l->places, l->n_places);
    free(l->of_place);
    l->places = places;
    l->n_places = site->n_places;
    l->of_place = of_place;
    qsort(places, l->n_places, sizeof *places, by_id);
    for (uint32_t i = 0; i < site->n_places; i++) {
        char *id = place_id(site, i);
        if (!id)
            return SY_E_NOMEM;
        of_place[i] = (uint32_t)(find(l, id) - places);
        free(id);
    }
    look_around(l);
    return SY_OK;
}

static sy_ms later(sy_ms a, sy_ms b)
{
    return a > b ? a : b;
}

sy_ms sy_late_place_due(const sy_late *l, const sy_late_place *p)
{
    if (p->from == SY_MS_MAX)
        return SY_MS_MAX;
    sy_ms due = p->last + SY_LATE_SETTLE_MS;
    if (due > p->first + SY_LATE_WAIT_MS)
        due = p->first + SY_LATE_WAIT_MS;
    if (l->redone != SY_MS_NONE)
        due = later(due, l->redone + SY_LATE_PAUSE_MS);
    return later(due, p->ready);
}

bool sy_late_note(sy_late *l, uint32_t place, sy_ms t, sy_ms now)
{
    sy_late_place *p = &l->places[l->of_place[place]];
    if (p->floor == SY_MS_NONE || t < p->floor)
        return false;
    if (p->from == SY_MS_MAX)
        p->first = now;
    p->from = t < p->from ? t : p->from;
    p->last = now;
    sy_ms due = sy_late_place_due(l, p);
    l->due = due < l->due ? due : l->due;
    return true;
}

bool sy_late_due(sy_late *l, sy_ms now)
{
    if (now < l->due)
        return false;
    look_around(l);
    return now >= l->due;
}

void sy_late_done(sy_late *l, sy_late_place *p, sy_ms now)
{
    p->ready = now + (now - p->from) / SY_LATE_SHARE;
    p->from = SY_MS_MAX;
    p->first = p->last = SY_MS_NONE;
    l->redone = now;
    look_around(l);
}

void sy_late_retry(sy_late *l, sy_late_place *p, sy_ms now)
{
    p->ready = now + SY_LATE_WAIT_MS;
    look_around(l);
}

size_t sy_late_break(sy_late *l)
{
    size_t waiting = 0;
    for (size_t i = 0; i < l->n_places; i++) {
        waiting += l->places[i].from != SY_MS_MAX;
        begin(&l->places[i]);
    }
    l->n_turns = 0;
    l->past_due = l->redone = SY_MS_NONE;
    look_around(l);
    return waiting;
}

void sy_late_founded(sy_late *l, sy_ms now)
{
    for (size_t i = 0; i < l->n_places; i++)
        if (l->places[i].floor == SY_MS_NONE)
            l->places[i].floor = now;
    l->unfounded = false;
}

static void forget_turns(sy_late *l, size_t n)
{
    if (n == 0)
        return;
    l->turns_from = l->turns[n - 1].seq;
    l->n_turns -= n;
    memmove(l->turns, l->turns + n, l->n_turns * sizeof *l->turns);
}

sy_err sy_late_turn_add(sy_late *l, const sy_late_turn *t)
{
    if (l->n_turns == SY_LATE_TURNS)
        forget_turns(l, SY_LATE_TURNS / 4);
    sy_err err =
        sy_grow(sy_heap(), (void **)&l->turns, &l->cap_turns, l->n_turns + 1, sizeof *l->turns);
    if (!err)
        l->turns[l->n_turns++] = *t;
    return err;
}

void sy_late_prune(sy_late *l, sy_ms before)
{
    size_t n = 0;
    while (n < l->n_turns && l->turns[n].at < before)
        n++;
    forget_turns(l, n);
}

void sy_late_save(const sy_late *l, sy_buf *out)
{
    sy_buf_blob(out, sy_span_of(l->version));
    sy_buf_u64(out, (uint64_t)l->past_due);
    sy_buf_u64(out, (uint64_t)l->redone);
    sy_buf_u64(out, l->turns_from);
    sy_buf_u32(out, (uint32_t)l->n_places);
    for (size_t i = 0; i < l->n_places; i++) {
        const sy_late_place *p = &l->places[i];
        const sy_ms times[] = {p->floor, p->from, p->first, p->last, p->ready};
        sy_buf_blob(out, sy_span_of(p->id));
        for (size_t k = 0; k < 5; k++)
            sy_buf_u64(out, (uint64_t)times[k]);
    }
    sy_buf_u32(out, (uint32_t)l->n_turns);
    for (size_t i = 0; i < l->n_turns; i++) {
        const sy_late_turn *t = &l->turns[i];
        const sy_ms times[] = {t->before, t->at, t->start, t->in_force};
        sy_buf_u64(out, t->seq);
        for (size_t k = 0; k < 4; k++)
            sy_buf_u64(out, (uint64_t)times[k]);
        sy_buf_blob(out, sy_span_of(t->set_hash));
    }
}

static bool text(sy_rd *in, char *to, size_t room)
{
    sy_span s = sy_rd_blob(in);
    if (in->bad || s.n >= room || (s.n && memchr(s.p, 0, s.n)))
        return false;
    if (s.n)
        memcpy(to, s.p, s.n);
    to[s.n] = 0;
    return true;
}

/* The places that the site has are those that were saved: the set names them. */
static bool load_places(sy_late *l, sy_rd *in)
{
    if (sy_rd_u32(in) != l->n_places || in->bad)
        return false;
    for (size_t i = 0; i < l->n_places; i++) {
        sy_late_place *p = &l->places[i];
        sy_ms *const times[] = {&p->floor, &p->from, &p->first, &p->last, &p->ready};
        if (!sy_span_is(sy_rd_blob(in), p->id))
            return false;
        for (size_t k = 0; k < 5; k++)
            *times[k] = (sy_ms)sy_rd_u64(in);
    }
    return !in->bad;
}

static sy_err load_turns(sy_late *l, sy_rd *in)
{
    uint32_t n = sy_rd_u32(in);
    if (in->bad || n > SY_LATE_TURNS)
        return SY_E_CORRUPT;
    for (uint32_t i = 0; i < n; i++) {
        sy_late_turn t = {.seq = sy_rd_u64(in)};
        sy_ms *const times[] = {&t.before, &t.at, &t.start, &t.in_force};
        for (size_t k = 0; k < 4; k++)
            *times[k] = (sy_ms)sy_rd_u64(in);
        if (!text(in, t.set_hash, sizeof t.set_hash))
            return SY_E_CORRUPT;
        sy_err err = sy_late_turn_add(l, &t);
        if (err)
            return err;
    }
    return SY_OK;
}

sy_err sy_late_load(sy_late *l, sy_rd *in)
{
    if (!text(in, l->version, sizeof l->version))
        return SY_E_CORRUPT;
    l->past_due = (sy_ms)sy_rd_u64(in);
    l->redone = (sy_ms)sy_rd_u64(in);
    l->turns_from = sy_rd_u64(in);
    if (!load_places(l, in))
        return SY_E_CORRUPT;
    sy_err err = load_turns(l, in);
    if (!err)
        look_around(l);
    return err;
}
