/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the judge of a place comes to, beside what has been told: the changes between them.
 *
 * An alert is known by its id. One that has been told and is not among those that the judge knows
 * was settled before its past state, and stands, or never was, and is withdrawn. One that has not
 * been told is told as the judge told it; one that differs is amended.
 */
#include "pipeline/redo_int.h"

#include <math.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(elt) ((elt)->lost = true)
#include <uthash.h>

typedef struct sy_redo_alert {
    char id[33];
    bool lost, old; /* old: told when the past state was made */
    bool told;      /* and stored, not withdrawn */
    sy_alert as;    /* at last */
    const char *replaces;
    const sy_config *config;
    UT_hash_handle hh;
} alert;

static alert *find(const sy_redo *r, const char *id)
{
    alert *a = NULL;
    HASH_FIND_STR(r->alerts, id, a);
    return a;
}

static const char *keep(sy_redo *r, const char *text)
{
    const char *copy = text ? sy_arena_text(&r->arena, sy_span_of(text)) : NULL;
    r->failed = r->failed || (text && !copy);
    return copy;
}

/* The alert with texts that last. */
static sy_alert copy_of(sy_redo *r, const sy_alert *a)
{
    sy_alert c = *a;
    c.subject = keep(r, a->subject);
    c.replaces = keep(r, a->replaces);
    return c;
}

static alert *note(sy_redo *r, const sy_alert *as, const sy_config *config)
{
    alert *a = find(r, as->id);
    if (!a) {
        a = calloc(1, sizeof *a);
        if (!a) {
            r->failed = true;
            return NULL;
        }
        memcpy(a->id, as->id, sizeof a->id);
        HASH_ADD_STR(r->alerts, id, a);
        if (a->lost) {
            free(a);
            r->failed = true;
            return NULL;
        }
    }
    a->as = *as;
    a->config = config;
    return a;
}

void sy_redo__on_change(void *ctx, const sy_change *c)
{
    const sy_redo_part *part = ctx;
    sy_redo *r = part->redo;
    sy_redo_change *x = sy_arena_get(&r->arena, sizeof *x);
    if (!x) {
        r->failed = true;
        return;
    }
    *x = (sy_redo_change){.change = *c, .config = part->config};
    x->change.alert = copy_of(r, &c->alert);
    x->change.replaced_by = NULL;
    *r->last = x;
    r->last = &x->next;
    (void)note(r, &x->change.alert, part->config);
}

static void know(void *ctx, const sy_alert *as)
{
    sy_redo *r = ctx;
    sy_alert copy = copy_of(r, as);
    alert *a = note(r, &copy, r->config);
    if (a)
        a->old = true;
}

sy_err sy_redo__known(sy_redo *r)
{
    sy_err err = sy_judge_alerts(r->judge, know, r);
    return !err && r->failed ? SY_E_NOMEM : err;
}

void sy_redo__forget(sy_redo *r)
{
    alert *a = r->alerts;
    HASH_CLEAR(hh, r->alerts); /* the table; the entries stay a list */
    while (a) {
        alert *next = a->hh.next;
        free(a);
        a = next;
    }
}

/* The place of a subject "premises/place/point". */
static bool at_place(const char *subject, const char *place)
{
    size_t n = strlen(place);
    return strncmp(subject, place, n) == 0 && subject[n] == '/';
}

static bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || (!(a < b) && !(a > b) && isnan(a) == isnan(b));
}

/* What a change of it would not say by itself: cleared, escalated. */
static bool amended(const sy_alert_row *t, const sy_alert *a)
{
    if (t->raised != a->raised || t->onset != a->onset || t->counted != a->counted ||
        t->unknown != a->unknown || t->exempt != a->exempt || t->severity > (int)a->level)
        return true;
    return t->state != SY_ALERT_ACTIVE &&
           (t->state != (int)a->state || t->cleared != a->cleared || t->severity != (int)a->level ||
            t->count != a->count || !same_number(t->min, a->min) || !same_number(t->max, a->max));
}

/* The judge of the place under a set. */
static const sy_judge *judge_of(const sy_redo *r, const sy_config *config)
{
    const sy_redo_part *p = r->parts;
    while (p && p->config != config)
        p = p->older;
    return p ? p->judge : NULL;
}

static void emit(sy_redo *r, sy_change_kind kind, const sy_alert *a, const sy_config *config,
                 const char *replaced_by)
{
    sy_change c = {
        .kind = kind, .at = r->e->clock, .alert = *a, .late = true, .replaced_by = replaced_by};
    sy_engine__tell(r->e, config, judge_of(r, config), &c);
    r->changes++;
}

/* A set of the stretch that has the rule, of that version where one has it; and the series. */
static const sy_rule *rule_of(const sy_config *c, const sy_alert_row *t, uint32_t *point)
{
    const sy_rule *rule = NULL;
    bool series = false;
    for (size_t i = 0; i < c->set->n_rules && !rule; i++)
        if (strcmp(c->set->rules[i]->id, t->rule) == 0 &&
            (int64_t)c->set->rules[i]->version->value == t->version)
            rule = c->set->rules[i];
    for (uint32_t p = 0; p < c->site->n_points && !series; p++)
        if (strcmp(c->site->points[p].series, t->series) == 0) {
            *point = p;
            series = true;
        }
    return series ? rule : NULL;
}

static bool alert_of(const sy_redo *r, const sy_alert_row *t, sy_alert *a, const sy_config **config)
{
    uint32_t point = 0;
    const sy_rule *rule = NULL;
    for (const sy_redo_part *p = r->parts; p && !rule; p = p->older)
        rule = rule_of(*config = p->config, t, &point);
    if (!rule)
        return false;
    *a = (sy_alert){.rule = rule,
                    .subject = t->subject,
                    .point = point,
                    .level = (sy_alert_level)t->severity,
                    .onset = t->onset,
                    .raised = t->raised,
                    .cleared = t->cleared,
                    .state = (sy_alert_state)t->state,
                    .min = t->min,
                    .max = t->max,
                    .count = t->count,
                    .counted = t->counted,
                    .unknown = t->unknown,
                    .exempt = t->exempt,
                    .span = t->raised - t->onset,
                    .replaces = t->replaces,
                    .trial = t->trial};
    memcpy(a->id, t->id, strnlen(t->id, sizeof a->id - 1));
    return true;
}

/* Not settled when the past state was made. */
static bool was_open(const sy_redo *r, const sy_alert_row *t)
{
    return t->cleared == SY_MS_NONE ||
           t->cleared > sy_judge_settled(r->oldest, t->rule, t->subject);
}

static bool overlap(const sy_alert_row *t, const sy_alert *a)
{
    return (t->cleared == SY_MS_NONE || a->onset <= t->cleared) &&
           (a->cleared == SY_MS_NONE || t->onset <= a->cleared);
}

/* The alert, told now, that stands in the place of a withdrawn one. */
static const char *successor_of(sy_redo *r, const sy_alert_row *t)
{
    for (const sy_redo_change *x = r->first; x; x = x->next) {
        alert *a = find(r, x->change.alert.id);
        if (a && !a->told && !a->old && !a->replaces && strcmp(a->as.rule->id, t->rule) == 0 &&
            strcmp(a->as.subject, t->subject) == 0 && overlap(t, &a->as)) {
            a->replaces = t->id;
            return a->id;
        }
    }
    return NULL;
}

static void withdraw(sy_redo *r, const sy_told *told)
{
    for (size_t i = 0; i < told->n; i++) {
        const sy_alert_row *t = &told->v[i];
        sy_alert a;
        const sy_config *config;
        if (!at_place(t->subject, r->place->id) || t->state == SY_ALERT_WITHDRAWN ||
            find(r, t->id) || !was_open(r, t) || !alert_of(r, t, &a, &config))
            continue;
        a.state = SY_ALERT_WITHDRAWN;
        emit(r, SY_CHANGE_WITHDRAWN, &a, config, successor_of(r, t));
    }
}

static void amend(sy_redo *r, const sy_told *told)
{
    for (size_t i = 0; i < told->n; i++) {
        const sy_alert_row *t = &told->v[i];
        const alert *x = at_place(t->subject, r->place->id) ? find(r, t->id) : NULL;
        if (!x || t->state == SY_ALERT_WITHDRAWN)
            continue;
        sy_alert a = x->as;
        a.replaces = t->replaces;
        if (amended(t, &a))
            emit(r, SY_CHANGE_AMENDED, &a, x->config, NULL);
        else if (t->state == SY_ALERT_ACTIVE && a.state != SY_ALERT_ACTIVE)
            emit(r, a.state == SY_ALERT_CLEARED ? SY_CHANGE_CLEARED : SY_CHANGE_SUPERSEDED, &a,
                 x->config, NULL);
        else if (t->severity < (int)a.level)
            emit(r, SY_CHANGE_ESCALATED, &a, x->config, NULL);
    }
}

/* What the judge told of alerts that nobody knows. */
static void raise(sy_redo *r)
{
    for (const sy_redo_change *x = r->first; x; x = x->next) {
        const alert *a = find(r, x->change.alert.id);
        if (!a || a->told || a->old)
            continue;
        sy_alert as = x->change.alert;
        as.replaces = a->replaces;
        emit(r, x->change.kind, &as, x->config, NULL);
    }
}

sy_err sy_redo__tell(sy_redo *r, const sy_told *told)
{
    for (size_t i = 0; i < told->n; i++) {
        alert *a = at_place(told->v[i].subject, r->place->id) ? find(r, told->v[i].id) : NULL;
        if (a)
            a->told = told->v[i].state != SY_ALERT_WITHDRAWN;
    }
    withdraw(r, told);
    amend(r, told);
    raise(r);
    return r->failed ? SY_E_NOMEM : SY_OK;
}

static const char *told_text(sy_told *t, const char *text)
{
    const char *copy = text ? sy_arena_text(&t->arena, sy_span_of(text)) : NULL;
    t->failed = t->failed || (text && !copy);
    return copy;
}

typedef struct reading_told {
    sy_told *told;
    const sy_late *late;
} reading_told;

static bool add_told(void *ctx, const sy_alert_row *row)
{
    const reading_told *x = ctx;
    sy_told *t = x->told;
    bool wanted = false;
    for (size_t i = 0; i < x->late->n_places && !wanted; i++)
        wanted = x->late->places[i].its_turn && at_place(row->subject, x->late->places[i].id);
    if (!wanted)
        return true;
    if (sy_grow(sy_heap(), (void **)&t->v, &t->cap, t->n + 1, sizeof *t->v)) {
        t->failed = true;
        return false;
    }
    sy_alert_row r = *row;
    r.id = told_text(t, row->id);
    r.rule = told_text(t, row->rule);
    r.subject = told_text(t, row->subject);
    r.series = told_text(t, row->series);
    r.replaces = told_text(t, row->replaces);
    r.pack = r.message_en = r.message_zh = r.judgement_hash = NULL;
    t->v[t->n++] = r;
    return !t->failed;
}

sy_err sy_told_read(sy_told *t, sy_engine *e, sy_store *store, sy_fail *f)
{
    reading_told x = {t, &e->late};
    sy_err err = sy_store_alerts(store, add_told, &x, f);
    return !err && t->failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory") : err;
}

void sy_told_fini(sy_told *t)
{
    sy_alloc heap = sy_heap();
    heap.resize(heap.ctx, t->v, 0);
    sy_arena_fini(&t->arena);
    *t = (sy_told){0};
}
