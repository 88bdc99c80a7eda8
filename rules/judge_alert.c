/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts: what is judged (work) beside what has been told (pub), and the changes between them.
 *
 * Judging writes only `work`; after each run the difference to `pub` becomes changes, so that it
 * makes no odds whether a stretch was judged once or again. Changes of one call are told in order
 * of their time, then of the instance.
 */
#include "rules/judge_alert.h"
#include "base/hash.h"
#include "rules/judge_core.h"

/* The rec of an alert that is judged now. */
static rec *judged(inst *i, const outcome *o)
{
    for (size_t k = i->n_recs; k > i->live; k--) {
        rec *r = &i->recs[k - 1];
        if (r->has_work && r->work.onset == o->onset && r->work.raised == o->raised) {
            return r;
        }
    }
    return NULL;
}

/* The rec of an alert that was judged before, and may have been told: the same onset, best raised
 * at the same instant too. */
static rec *known_before(inst *i, const outcome *o)
{
    rec *best = NULL;
    for (size_t k = i->n_recs; k > i->live; k--) {
        rec *r = &i->recs[k - 1];
        if (!r->has_work && r->work.onset == o->onset && (!best || r->work.raised == o->raised)) {
            best = r;
        }
    }
    return best;
}

sy_err sy_judge__rec_open(sy_judge *j, inst *i, const outcome *o)
{
    rec *r = judged(i, o);
    r = r ? r : known_before(i, o);
    if (!r) {
        sy_err e = sy_judge__grow(j, (void **)&i->recs, &i->cap_recs, i->n_recs + 1, sizeof *r);
        if (e) {
            return e;
        }
        r = &i->recs[i->n_recs++];
        *r = (rec){.replaces = SY_MS_NONE};
    }
    r->work = *o;
    r->has_work = true;
    return SY_OK;
}

void sy_judge__rec_set(inst *i, const outcome *o)
{
    rec *r = judged(i, o);
    r = r ? r : known_before(i, o);
    if (r) {
        r->work = *o;
        r->has_work = true;
    }
}

/* Back to what the current state knows. */
void sy_judge__rec_restore(inst *i)
{
    for (size_t k = i->live; k < i->n_recs; k++) {
        rec *r = &i->recs[k];
        if (r->has_work && !r->stands && r->work.raised > i->cur->t) {
            r->has_work = false;
        }
    }
    if (i->cur->alert.raised != SY_MS_NONE) {
        sy_judge__rec_set(i, &i->cur->alert);
    }
    i->dirty = true;
}

sy_alert_level sy_judge__highest(const outcome *o)
{
    for (int k = LEVELS; k > 0; k--) {
        if (o->level_at[k - 1] != SY_MS_NONE) {
            return (sy_alert_level)k;
        }
    }
    return SY_NOTICE;
}

static bool final(const inst *i, const rec *r)
{
    if (!r->has_pub) {
        return !r->has_work;
    }
    if (r->pub.state == SY_ALERT_WITHDRAWN) {
        return r->pub.raised <= i->base->t;
    }
    return r->has_work && r->work.state != SY_ALERT_ACTIVE && r->pub.state != SY_ALERT_ACTIVE &&
           r->work.cleared <= i->base->t;
}

void sy_judge__settle(inst *i)
{
    while (i->live < i->n_recs && final(i, &i->recs[i->live])) {
        i->live++;
    }
}

/* How long the end of an alert waits, where a calendar window decides it. */
static sy_ms end_waits(const inst *i, const outcome *o)
{
    for (uint32_t k = 0; k < i->n_levels && !i->has_clear; k++) {
        const jlevel *l = &i->levels[k];
        if (o->level_at[l->severity - 1] != SY_MS_NONE) {
            return l->kind == L_CALENDAR ? l->delivery : 0;
        }
    }
    return i->clear_delivery;
}

/* A silence is told only when the point's delivery has passed too. Returns what may be told. */
static outcome visible(const sy_judge *j, inst *i, const rec *r)
{
    outcome v = r->work;
    if (!j->o.wait_delivery || j->finished) {
        return v;
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const jlevel *l = &i->levels[k];
        sy_ms *at = &v.level_at[l->severity - 1];
        if (r->stands && *at == r->pub.level_at[l->severity - 1]) {
            continue; /* told in a time that was ahead of this one */
        }
        if ((l->kind == L_SILENCE || l->kind == L_CALENDAR) && *at != SY_MS_NONE &&
            *at + l->delivery > j->now) {
            i->due = sooner(i->due, *at + l->delivery);
            *at = SY_MS_NONE;
        }
    }
    sy_ms wait = v.state == SY_ALERT_CLEARED ? end_waits(i, &r->work) : 0;
    bool told = r->has_pub && r->pub.cleared == v.cleared;
    if (wait > 0 && !told && v.cleared + wait > j->now) {
        i->due = sooner(i->due, v.cleared + wait);
        v.cleared = SY_MS_NONE;
        v.state = SY_ALERT_ACTIVE;
    }
    return v;
}

static bool told_at_all(const outcome *o)
{
    for (int k = 0; k < LEVELS; k++) {
        if (o->level_at[k] != SY_MS_NONE) {
            return true;
        }
    }
    return false;
}

static bool same_figs(const figs *a, const figs *b)
{
    return a->count == b->count && a->min == b->min && a->max == b->max;
}

static bool amended(const outcome *was, const outcome *is)
{
    for (int k = 0; k < LEVELS; k++) {
        if (was->level_at[k] != SY_MS_NONE && was->level_at[k] != is->level_at[k]) {
            return true;
        }
    }
    if (was->raised != is->raised || was->counted != is->counted || was->unknown != is->unknown ||
        was->exempt != is->exempt) {
        return true;
    }
    return was->state != SY_ALERT_ACTIVE &&
           (was->state != is->state || was->cleared != is->cleared ||
            !same_figs(&was->figs, &is->figs));
}

typedef struct telling {
    sy_judge *j;
    inst *i;
    sy_ms replaces, replaced_by;
    sy_ms key; /* SY_MS_NONE: by the time of the change */
    sy_err err;
} telling;

static void tell(telling *t, sy_change_kind kind, sy_ms at, sy_alert_level level, const outcome *o)
{
    sy_judge *j = t->j;
    sy_err e = sy_judge__grow(j, (void **)&j->changes, &j->cap_changes, j->n_changes + 1,
                              sizeof *j->changes);
    if (e) {
        t->err = e;
        return;
    }
    bool late = j->late || kind == SY_CHANGE_AMENDED || kind == SY_CHANGE_WITHDRAWN;
    j->changes[j->n_changes] = (change){.key = t->key == SY_MS_NONE ? at : t->key,
                                        .inst = (uint32_t)(t->i - j->insts),
                                        .seq = (uint32_t)j->n_changes,
                                        .replaces = t->replaces,
                                        .replaced_by = t->replaced_by,
                                        .at = late ? j->now : at,
                                        .late = late,
                                        .kind = kind,
                                        .level = level,
                                        .what = *o};
    j->n_changes++;
}

/* Levels from `above` on, then the end, unless that is told already: a close that waited for its
 * delivery may raise the level of what has ended. */
static void tell_rest(telling *t, int above, bool raised, bool ended, const outcome *is)
{
    outcome open = *is;
    if (!ended) {
        open.cleared = SY_MS_NONE;
        open.state = SY_ALERT_ACTIVE;
    }
    for (int k = above; k < LEVELS; k++) {
        if (is->level_at[k] != SY_MS_NONE) {
            tell(t, raised ? SY_CHANGE_ESCALATED : SY_CHANGE_RAISED,
                 raised ? is->level_at[k] : is->raised, (sy_alert_level)(k + 1), &open);
            raised = true;
        }
    }
    if (is->state != SY_ALERT_ACTIVE && !ended) {
        tell(t, is->state == SY_ALERT_CLEARED ? SY_CHANGE_CLEARED : SY_CHANGE_SUPERSEDED,
             is->cleared, sy_judge__highest(is), is);
    }
}

static void publish_rec(telling *t, rec *r)
{
    outcome is = visible(t->j, t->i, r);
    bool told = r->has_pub && r->pub.state != SY_ALERT_WITHDRAWN;
    t->replaces = r->replaces;
    if (!told) {
        if (!told_at_all(&is)) {
            return;
        }
        tell_rest(t, 0, false, false, &is);
    } else if (!told_at_all(&is)) {
        return; /* moved, and its delivery has not passed: told again when it has */
    } else if (amended(&r->pub, &is)) {
        t->key = t->j->now;
        tell(t, SY_CHANGE_AMENDED, t->j->now, sy_judge__highest(&is), &is);
        t->key = SY_MS_NONE;
    } else {
        tell_rest(t, (int)sy_judge__highest(&r->pub), true, r->pub.state != SY_ALERT_ACTIVE, &is);
    }
    r->pub = is;
    r->has_pub = true;
}

static bool overlap(const outcome *a, const outcome *b)
{
    sy_ms ea = a->cleared == SY_MS_NONE ? SY_MS_MAX : a->cleared;
    sy_ms eb = b->cleared == SY_MS_NONE ? SY_MS_MAX : b->cleared;
    return a->onset <= eb && b->onset <= ea;
}

/* The new alert that stands in the place of a withdrawn one: its onset, or SY_MS_NONE. */
static sy_ms link_successor(inst *i, const rec *gone)
{
    for (size_t k = i->live; k < i->n_recs; k++) {
        rec *r = &i->recs[k];
        if (r->has_work && !r->has_pub && r->replaces == SY_MS_NONE &&
            overlap(&r->work, &gone->pub)) {
            r->replaces = gone->pub.onset;
            return r->work.onset;
        }
    }
    return SY_MS_NONE;
}

sy_err sy_judge__publish(sy_judge *j, inst *i)
{
    telling t = {.j = j, .i = i, .replaced_by = SY_MS_NONE, .key = SY_MS_NONE};
    bool withdrawn = false;
    i->dirty = false;
    i->due = SY_MS_MAX;
    for (size_t k = i->live; k < i->n_recs; k++) {
        rec *r = &i->recs[k];
        if (!r->has_work && r->has_pub && r->pub.state != SY_ALERT_WITHDRAWN) {
            t.replaced_by = link_successor(i, r);
            outcome was = r->pub;
            was.state = SY_ALERT_WITHDRAWN;
            t.replaces = SY_MS_NONE;
            t.key = j->now;
            tell(&t, SY_CHANGE_WITHDRAWN, j->now, sy_judge__highest(&was), &was);
            t.replaced_by = SY_MS_NONE;
            r->pub = was;
            withdrawn = true;
        }
    }
    for (size_t k = i->live; k < i->n_recs; k++) {
        t.key = withdrawn ? j->now : SY_MS_NONE;
        if (i->recs[k].has_work) {
            publish_rec(&t, &i->recs[k]);
        }
    }
    return t.err;
}

void sy_judge__id(const sy_judge *j, const inst *i, sy_ms onset, char out[33])
{
    sy_sha256 s;
    unsigned char h[32];
    char digits[24];
    size_t n = sizeof digits;
    uint64_t v = onset < 0 ? 0 - (uint64_t)onset : (uint64_t)onset;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    if (onset < 0) {
        digits[--n] = '-';
    }
    sy_sha256_init(&s);
    sy_sha256_add(&s, j->o.site->gateway, strlen(j->o.site->gateway) + 1);
    sy_sha256_add(&s, i->rule->id, strlen(i->rule->id) + 1);
    sy_sha256_add(&s, i->subject, strlen(i->subject) + 1);
    sy_sha256_add(&s, digits + n, sizeof digits - n);
    sy_sha256_end(&s, h);
    sy_hex(h, 16, out);
}

static const double no_number = (double)__builtin_nanf("");

bool sy_judge__on_trial(const sy_judge *j, const inst *i, sy_ms raised)
{
    const sy_site *site = j->o.site;
    if (!i->rule->has_trial) {
        return false;
    }
    int64_t day = sy_zone_day(site->premises[site->places[i->place].premises].zone, raised);
    return day >= sy_days_of(i->rule->trial_from) && day <= sy_days_of(i->rule->trial_to);
}

sy_alert sy_judge__view(const sy_judge *j, const inst *i, const outcome *o, sy_ms replaces,
                        sy_alert_level level, char replaces_id[33])
{
    sy_alert a = {.rule = i->rule,
                  .subject = i->subject,
                  .point = i->point,
                  .level = level,
                  .onset = o->onset,
                  .raised = o->raised,
                  .cleared = o->cleared,
                  .state = (sy_alert_state)o->state,
                  .min = o->figs.count ? o->figs.min : no_number,
                  .max = o->figs.count ? o->figs.max : no_number,
                  .count = (uint64_t)o->figs.count,
                  .counted = o->counted,
                  .unknown = o->unknown,
                  .exempt = o->exempt,
                  .span = o->raised - o->onset};
    a.trial = sy_judge__on_trial(j, i, o->raised);
    sy_judge__id(j, i, o->onset, a.id);
    if (replaces != SY_MS_NONE) {
        sy_judge__id(j, i, replaces, replaces_id);
        a.replaces = replaces_id;
    }
    return a;
}

static bool before(const change *a, const change *b)
{
    if (a->key != b->key) {
        return a->key < b->key;
    }
    return a->inst != b->inst ? a->inst < b->inst : a->seq < b->seq;
}

static void sift(change *v, size_t at, size_t n)
{
    for (;;) {
        size_t kid = 2 * at + 1;
        if (kid >= n) {
            return;
        }
        if (kid + 1 < n && before(&v[kid], &v[kid + 1])) {
            kid++;
        }
        if (!before(&v[at], &v[kid])) {
            return;
        }
        change x = v[at];
        v[at] = v[kid];
        v[kid] = x;
        at = kid;
    }
}

/* Tell what has gathered, in order; the order is total, so any sort gives the same. */
void sy_judge__emit(sy_judge *j)
{
    change *v = j->changes;
    size_t n = j->n_changes;
    for (size_t k = n / 2; k > 0; k--) {
        sift(v, k - 1, n);
    }
    for (size_t k = n; k > 1; k--) {
        change x = v[0];
        v[0] = v[k - 1];
        v[k - 1] = x;
        sift(v, 0, k - 1);
    }
    for (size_t k = 0; k < n; k++) {
        char replaces[33], replaced_by[33];
        sy_change c = {.kind = v[k].kind, .at = v[k].at, .late = v[k].late};
        c.alert = sy_judge__view(j, &j->insts[v[k].inst], &v[k].what, v[k].replaces, v[k].level,
                                 replaces);
        if (v[k].replaced_by != SY_MS_NONE) {
            sy_judge__id(j, &j->insts[v[k].inst], v[k].replaced_by, replaced_by);
            c.replaced_by = replaced_by;
        }
        if (j->o.emit) {
            j->o.emit(j->o.ctx, &c);
        }
    }
    j->n_changes = 0;
}
