/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place by itself: its state moves into the judge of the whole site. What windows sum up beside
 * the states is made again when it is asked for.
 */
#include "rules/judge_bind.h"
#include "rules/judge_core.h"
#include "rules/judge_log.h"
#include "rules/judge_run.h"

static inst *next_of(const sy_judge *j, uint32_t place, size_t *at)
{
    while (*at < j->n_insts && j->insts[*at].place != place) {
        ++*at;
    }
    return *at < j->n_insts ? &j->insts[(*at)++] : NULL;
}

static bool alike(const inst *a, const inst *b)
{
    return a->rule == b->rule && a->point == b->point && a->n_words == b->n_words &&
           a->n_histories == b->n_histories;
}

static bool fits(const sy_judge *j, const sy_judge *part)
{
    size_t at = 0;
    if (!part->o.one_place || j->o.set != part->o.set || j->o.site != part->o.site ||
        j->now != part->now) {
        return false;
    }
    for (size_t k = 0; k < part->n_insts; k++) {
        const inst *i = next_of(j, part->o.place, &at);
        if (!i || !alike(i, &part->insts[k])) {
            return false;
        }
    }
    return next_of(j, part->o.place, &at) == NULL;
}

/* What grew changes its owner. */
static void account(sy_judge *j, sy_judge *part, size_t out, size_t in)
{
    j->bytes += in - out;
    part->bytes += out - in;
}

static void swap_history(sy_judge *j, history *a, sy_judge *part, history *b)
{
    history x = *a;
    account(j, part, a->cap * sizeof *a->v, b->cap * sizeof *b->v);
    *a = *b;
    *b = x;
}

static void take_inst(sy_judge *j, inst *a, sy_judge *part, inst *b)
{
    memcpy(a->cur, b->cur, st_bytes(a));
    memcpy(a->mid, b->mid, st_bytes(a));
    memcpy(a->base, b->base, st_bytes(a));
    account(j, part, a->cap_recs * sizeof *a->recs, b->cap_recs * sizeof *b->recs);
    rec *recs = a->recs;
    size_t cap = a->cap_recs;
    a->recs = b->recs;
    a->cap_recs = b->cap_recs;
    a->n_recs = b->n_recs;
    a->live = b->live;
    b->recs = recs;
    b->cap_recs = cap;
    b->n_recs = b->live = 0;
    for (uint32_t k = 0; k < a->n_histories; k++) {
        swap_history(j, &a->histories[k], part, &b->histories[k]);
    }
    a->from = b->from;
    a->work_t = b->work_t;
    a->due = b->due;
    a->provisional = b->provisional;
    a->dirty = b->dirty;
    sy_judge__windows_forget(a);
    sy_judge__wake(j, a, b->wake);
}

static void take_log(sy_judge *j, point_log *a, sy_judge *part, point_log *b)
{
    point_log x = *a;
    account(j, part, a->cap * sizeof *a->e, b->cap * sizeof *b->e);
    a->e = b->e;
    a->head = b->head;
    a->n = b->n;
    a->cap = b->cap;
    a->gone = b->gone;
    b->e = x.e;
    b->head = b->n = 0;
    b->cap = x.cap;
}

sy_err sy_judge_take_place(sy_judge *j, sy_judge *part)
{
    size_t at = 0;
    if (!fits(j, part)) {
        return SY_E_UNSUPPORTED;
    }
    for (size_t p = 0; p < j->o.site->n_points; p++) {
        if (j->o.site->points[p].place == part->o.place) {
            take_log(j, &j->logs[p], part, &part->logs[p]);
        }
    }
    for (size_t k = 0; k < part->n_insts; k++) {
        take_inst(j, next_of(j, part->o.place, &at), part, &part->insts[k]);
    }
    return SY_OK;
}

sy_ms sy_judge_newest(const sy_judge *j, uint32_t point)
{
    return sy_judge__log_newest(&j->logs[point]);
}

sy_ms sy_judge_settled(const sy_judge *j, const char *rule, const char *subject)
{
    for (size_t k = 0; k < j->n_insts; k++) {
        const inst *i = &j->insts[k];
        if (same_text(i->rule->id, rule) && same_text(i->subject, subject)) {
            return i->base->t;
        }
    }
    return SY_MS_NONE;
}

bool sy_judge_watches(const sy_judge *j, uint32_t point)
{
    return j->logs[point].n_inst > 0;
}
