/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place walks from a past state to now. What lies on the way is taken in the order of the log:
 * activations, restarts, and the past states of later days, which are made again. Readings are
 * taken a day at a time, series by series, so that memory does not grow with the stretch.
 */
#include "pipeline/redo_int.h"

#include <stdlib.h>

#include "base/log.h"

enum { SLICE_MS = 86400000 };

typedef struct fed {
    sy_ms t;
    double value;
    uint32_t point;
    sy_quality quality;
} fed;

typedef struct slice {
    fed *v;
    size_t n, cap;
    uint32_t point;
    bool failed;
} slice;

static void reset(sy_redo *r)
{
    for (sy_redo_part *p = r->parts; p; p = p->older)
        sy_judge_close(p->judge);
    sy_judge_close(r->oldest);
    r->parts = NULL;
    r->judge = r->oldest = NULL;
    free(r->cursors);
    free(r->pasts);
    free(r->days);
    r->days = NULL;
    r->n_days = r->cap_days = 0;
    sy_redo__forget(r);
    sy_arena_fini(&r->arena);
    r->cursors = NULL;
    r->pasts = NULL;
    r->n_pasts = r->cap_pasts = r->readings = r->changes = 0;
    r->first = NULL;
    r->last = &r->first;
    r->late = r->failed = false;
}

/* The set of that hash, loaded once for all places. */
static sy_err set_of(sy_redo *r, const char *hash, const sy_config **out, sy_fail *f)
{
    sy_engine *e = r->e;
    if (strcmp(e->now->config->hash_hex, hash) == 0) {
        *out = e->now->config;
        return SY_OK;
    }
    for (const sy_redo_set *s = r->sets; s; s = s->older)
        if (strcmp(s->config->hash_hex, hash) == 0) {
            *out = s->config;
            return SY_OK;
        }
    sy_redo_set *s = calloc(1, sizeof *s);
    if (!s)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    s->config = e->loaded ? e->loaded(e->loaded_ctx, hash) : NULL;
    sy_err err = s->config ? SY_OK : sy_config_load_kept(e->data_dir, hash, &s->config, f);
    if (err) {
        free(s);
        return err;
    }
    s->older = r->sets;
    r->sets = s;
    *out = s->config;
    return SY_OK;
}

/* The place in the site of a set; its id is "premises/place". */
static bool find_place(const sy_site *site, const char *id, uint32_t *place)
{
    for (uint32_t i = 0; i < site->n_places; i++) {
        const char *premises = site->premises[site->places[i].premises].id;
        size_t n = strlen(premises);
        if (strncmp(id, premises, n) == 0 && id[n] == '/' &&
            strcmp(id + n + 1, site->places[i].id) == 0) {
            *place = i;
            return true;
        }
    }
    return false;
}

static void on_day(void *ctx, const sy_judge_day *day)
{
    const sy_redo_part *part = ctx;
    sy_redo *r = part->redo;
    if (sy_grow(sy_heap(), (void **)&r->days, &r->cap_days, r->n_days + 1, sizeof *r->days))
        r->failed = true;
    else
        r->days[r->n_days++] = (sy_redo_day){*day, part->config};
}

/* A judge of the place under a set, with `emit` or silent. */
static sy_err open_judge(const sy_redo *r, const sy_late_turn *by, sy_redo_part *part, bool silent)
{
    sy_judge_options o = {.set = part->config->set,
                          .site = part->config->site,
                          .start = by->start,
                          .in_force = by->in_force,
                          .wait_delivery = true,
                          .one_place = true,
                          .place = r->at_place,
                          .alloc = sy_heap(),
                          .emit = silent ? NULL : sy_redo__on_change,
                          .day = silent ? NULL : on_day,
                          .ctx = part};
    return sy_judge_open(&part->judge, &o);
}

/* The next judge on the way. */
static sy_err open_part(sy_redo *r, const sy_late_turn *by)
{
    sy_redo_part *part = sy_arena_get(&r->arena, sizeof *part);
    if (!part)
        return SY_E_NOMEM;
    *part = (sy_redo_part){.redo = r, .config = r->config, .older = r->parts};
    sy_err err = open_judge(r, by, part, false);
    if (err)
        return err;
    r->parts = part;
    r->judge = part->judge;
    return SY_OK;
}

/* How far a series of the site was read; one that the judge never heard of from its beginning. */
static sy_err set_cursors(sy_redo *r, const sy_site *site)
{
    sy_ms *cursors = calloc(site->n_points + 1, sizeof *cursors);
    if (!cursors)
        return SY_E_NOMEM;
    for (uint32_t p = 0; p < site->n_points; p++) {
        sy_ms newest = sy_judge_newest(r->judge, p);
        cursors[p] = newest == SY_MS_NONE ? SY_MS_NONE : newest - SY_JUDGE_REDO - 1;
    }
    free(r->cursors);
    r->cursors = cursors;
    return SY_OK;
}

static sy_err load(sy_redo *r, const sy_past_at *at, sy_fail *f)
{
    sy_err err = set_of(r, at->set_hash, &r->config, f);
    if (err)
        return err;
    if (!find_place(r->config->site, r->place->id, &r->at_place))
        return sy_fail_set(f, SY_E_CORRUPT, "its set has no such place");
    sy_redo_part oldest = {.config = r->config};
    const sy_late_turn by = {.start = at->time, .in_force = SY_MS_NONE}; /* what is loaded says */
    err = open_judge(r, &by, &oldest, true);
    r->oldest = oldest.judge;
    if (!err)
        err = sy_judge_load(r->oldest, sy_buf_span(&r->bytes));
    if (!err)
        err = open_part(r, &by);
    if (!err)
        err = sy_judge_load(r->judge, sy_buf_span(&r->bytes));
    if (!err)
        err = sy_redo__known(r);
    if (!err)
        err = set_cursors(r, r->config->site);
    return err ? sy_fail_set(f, err, "a past state cannot be used: %s", sy_err_text(err)) : SY_OK;
}

static bool take_row(void *ctx, const sy_reading_row *row)
{
    slice *s = ctx;
    if (row->quality & SY_Q_LATE)
        return true; /* it was too late to be judged when it came */
    if (sy_grow(sy_heap(), (void **)&s->v, &s->cap, s->n + 1, sizeof *s->v)) {
        s->failed = true;
        return false;
    }
    s->v[s->n++] = (fed){row->t, row->value, s->point, row->quality};
    return true;
}

static int by_time(const void *a, const void *b)
{
    const fed *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->point < y->point ? -1 : x->point > y->point;
}

/* The readings of the place up to `to`; the clock goes with them, but not beyond `clock`. */
static sy_err feed_slice(sy_redo *r, sy_ms to, sy_ms clock, sy_fail *f)
{
    const sy_site *site = r->config->site;
    slice s = {0};
    sy_err err = SY_OK;
    for (uint32_t p = 0; p < site->n_points && !err; p++) {
        if (site->points[p].place != r->at_place || r->cursors[p] >= to)
            continue;
        s.point = p;
        sy_ms from = r->cursors[p] == SY_MS_NONE ? SY_MS_NONE : r->cursors[p] + 1;
        err = sy_store_readings(r->store, site->points[p].series, from, to, take_row, &s, f);
        if (s.failed)
            err = sy_fail_set(f, SY_E_NOMEM, "out of memory");
        r->cursors[p] = to;
    }
    if (s.n)
        qsort(s.v, s.n, sizeof *s.v, by_time);
    for (size_t i = 0; i < s.n && !err; i++) {
        const fed *x = &s.v[i];
        sy_verdict verdict = SY_READING_TAKEN;
        err = sy_judge_advance(r->judge, x->t < clock ? x->t : clock);
        if (!err)
            err = sy_judge_reading(r->judge, x->point, x->t, x->value, x->quality, &verdict);
        r->late = r->late || verdict == SY_READING_LATE;
    }
    r->readings += s.n;
    free(s.v);
    return err;
}

static sy_err feed(sy_redo *r, sy_ms to, sy_ms clock, sy_fail *f)
{
    const sy_site *site = r->config->site;
    for (;;) {
        sy_ms least = to;
        for (uint32_t p = 0; p < site->n_points; p++)
            if (site->points[p].place == r->at_place && r->cursors[p] < least)
                least = r->cursors[p];
        if (least == to)
            return SY_OK;
        bool whole = least == SY_MS_NONE || to == SY_MS_MAX || to - least <= SLICE_MS;
        sy_err err = feed_slice(r, whole ? to : least + SLICE_MS, clock, f);
        if (err || whole)
            return err;
    }
}

static sy_err come_to(sy_redo *r, sy_ms clock, sy_fail *f)
{
    sy_err err = feed(r, clock, clock, f);
    return err ? err : sy_judge_advance(r->judge, clock);
}

/* Series that both sites have are read on from where they were. */
static sy_err carry_cursors(sy_redo *r, const sy_config *old, const sy_ms *was)
{
    const sy_site *a = r->config->site, *b = old->site;
    sy_ms *cursors = calloc(a->n_points + 1, sizeof *cursors);
    if (!cursors)
        return SY_E_NOMEM;
    for (uint32_t p = 0, q = 0; p < a->n_points; p++) {
        while (q < b->n_points && strcmp(b->points[q].series, a->points[p].series) < 0)
            q++;
        bool both = q < b->n_points && strcmp(b->points[q].series, a->points[p].series) == 0;
        cursors[p] = both ? was[q] : SY_MS_NONE;
    }
    free(r->cursors);
    r->cursors = cursors;
    return SY_OK;
}

static sy_err turn(sy_redo *r, const sy_late_turn *t, sy_fail *f)
{
    sy_judge *old = r->judge;
    if (t->set_hash[0] == 0) {
        sy_err err = come_to(r, t->before, f);
        if (!err) /* what was measured meanwhile waits for the clock */
            err = feed(r, t->at, t->before, f);
        if (!err)
            err = sy_judge_restarted(old, t->at);
        return err ? err : sy_judge_advance(old, t->at);
    }
    const sy_config *was = r->config, *next = NULL;
    sy_err err = come_to(r, t->at, f);
    if (!err)
        err = sy_judge_days(old, SY_ALL_PREMISES, t->at);
    if (!err)
        err = set_of(r, t->set_hash, &next, f);
    if (err)
        return err;
    uint32_t place = 0;
    if (!find_place(next->site, r->place->id, &place))
        return sy_fail_set(f, SY_E_CORRUPT, "a set of the stretch has no such place");
    r->at_place = place;
    r->config = next;
    err = open_part(r, t);
    if (!err)
        err = sy_judge_succeed(r->judge, old, t->at);
    return err ? err : carry_cursors(r, was, r->cursors);
}

/* The state of a later day, made again. */
static sy_err past(sy_redo *r, const sy_past_at *at, sy_fail *f)
{
    sy_err err = come_to(r, at->time, f);
    sy_buf_reset(&r->bytes);
    if (!err)
        err = sy_judge_save_place(r->judge, r->at_place, &r->bytes);
    if (!err)
        err =
            sy_grow(sy_heap(), (void **)&r->pasts, &r->cap_pasts, r->n_pasts + 1, sizeof *r->pasts);
    if (err)
        return err;
    char *bytes = sy_arena_text(&r->arena, sy_buf_span(&r->bytes));
    char *hash = sy_arena_text(&r->arena, sy_span_of(r->config->hash_hex));
    if (!bytes || !hash)
        return SY_E_NOMEM;
    r->pasts[r->n_pasts++] = (sy_past){r->place->id, at->time, at->seq, hash, {bytes, r->bytes.n}};
    return SY_OK;
}

/* From the state on; by record, as the log has it. */
static sy_err walk(sy_redo *r, const sy_past_at *from, sy_fail *f)
{
    const sy_late *l = &r->e->late;
    sy_past_at at = *from;
    size_t k = 0;
    while (k < l->n_turns && l->turns[k].seq <= from->seq)
        k++;
    for (sy_err err; !r->late;) {
        sy_past_at next;
        err = sy_store_past_next(r->store, r->place->id, at.time, &next, f);
        if (err && err != SY_E_NOTFOUND)
            return err;
        bool more = !err, turns = k < l->n_turns;
        if (!more && !turns)
            break;
        if (turns && (!more || l->turns[k].seq <= next.seq)) {
            err = turn(r, &l->turns[k++], f);
        } else {
            err = past(r, &next, f);
            at = next;
        }
        if (err)
            return err;
    }
    sy_err err = r->late ? SY_OK : come_to(r, r->e->clock, f);
    /* What is ahead of the clock waits in the judge's log. */
    return err || r->late ? err : feed(r, SY_MS_MAX, r->e->clock, f);
}

/* SY_E_AGAIN: the state lies too late; try one before *bound. */
static sy_err try_from(sy_redo *r, sy_ms *bound, sy_fail *f)
{
    const sy_late *l = &r->e->late;
    sy_past_at at;
    reset(r);
    sy_buf_reset(&r->bytes);
    sy_err err = sy_store_past_get(r->store, r->place->id, *bound, &at, &r->bytes, f);
    if (!err && (at.time < r->place->floor || at.seq < l->turns_from))
        err = sy_fail_set(f, SY_E_NOTFOUND, "there is no past state from before it");
    if (err)
        return err;
    err = load(r, &at, f);
    if (!err)
        err = walk(r, &at, f);
    if (r->failed)
        err = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    if (!err && r->config != r->e->now->config)
        err = sy_fail_set(f, SY_E_CORRUPT, "the stretch does not lead to the set in force");
    if ((!err && r->late) || err == SY_E_CORRUPT || err == SY_E_UNSUPPORTED) {
        if (err)
            sy_log_fail(SY_LOG_WARN, "past-state-unusable", f);
        *bound = at.time - 1;
        return SY_E_AGAIN;
    }
    return err;
}

static sy_err take(sy_redo *r, const sy_told *told, sy_fail *f)
{
    sy_err err = sy_redo__tell(r, told);
    for (size_t i = 0; i < r->n_pasts && !err; i++)
        err = sy_batch_past_add(r->e->batch, &r->pasts[i]);
    for (size_t i = 0; i < r->n_days && !err; i++)
        err = sy_days_judged(&r->e->days, r->e->now->config->site, r->days[i].config->site,
                             &r->days[i].day, r->e->clock);
    if (!err)
        err = sy_judge_take_place(r->e->now->judge, r->judge);
    return err ? sy_fail_set(f, err, "the judge cannot take %s back: %s", r->place->id,
                             sy_err_text(err))
               : SY_OK;
}

static sy_err one_place(sy_redo *r, const sy_told *told, sy_fail *f)
{
    char from[25];
    sy_ms bound = r->place->from, began = sy_mono_ms();
    sy_err err;
    sy_time_text(r->place->from, from);
    while ((err = try_from(r, &bound, f)) == SY_E_AGAIN) {
    }
    if (!err)
        err = take(r, told, f);
    r->again = false;
    if (err == SY_E_NOMEM || err == SY_E_UNSUPPORTED)
        return err;
    if (!err) {
        sy_batch_count(r->e->batch, SY_N_rejudged, 1);
        sy_log(SY_LOG_INFO, "late-judged", "place=%s from=%s readings=%zu changes=%zu ms=%lld",
               r->place->id, from, r->readings, r->changes, (long long)(sy_mono_ms() - began));
    } else {
        char why[256];
        r->again = err != SY_E_NOTFOUND;
        sy_log(r->again ? SY_LOG_ERROR : SY_LOG_WARN, r->again ? "late-delayed" : "late-not-judged",
               "places=1 place=%s from=%s reason=%s", r->place->id, from,
               sy_logq(sy_span_of(f->text), why, sizeof why));
    }
    return SY_OK;
}

sy_err sy_engine_redo(sy_engine *e, sy_store *store, sy_fail *f)
{
    sy_redo r = {.e = e, .store = store};
    sy_told told = {0};
    sy_arena_init(&r.arena, sy_heap(), 0);
    sy_arena_init(&told.arena, sy_heap(), 0);
    sy_buf_init(&r.bytes, sy_heap());
    /* Whose turn it is, is decided before the first of them is done. */
    for (size_t i = 0; i < e->late.n_places; i++)
        e->late.places[i].its_turn = sy_late_place_due(&e->late, &e->late.places[i]) <= e->clock;
    sy_err err = sy_told_read(&told, e, store, f);
    for (size_t i = 0; i < e->late.n_places && !err; i++) {
        r.place = &e->late.places[i];
        if (!r.place->its_turn)
            continue;
        err = one_place(&r, &told, f);
        if (r.again)
            sy_late_retry(&e->late, r.place, e->clock);
        else
            sy_late_done(&e->late, r.place, e->clock);
    }
    reset(&r);
    sy_engine__statement_due(e);
    while (r.sets) {
        sy_redo_set *s = r.sets;
        r.sets = s->older;
        sy_config_unref(s->config);
        free(s);
    }
    sy_buf_fini(&r.bytes);
    sy_told_fini(&told);
    if (!err && e->out_of_memory)
        err = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    return err;
}
