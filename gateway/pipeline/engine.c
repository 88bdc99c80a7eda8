/* SPDX-License-Identifier: Apache-2.0 */
/* Records into judgements. An era is the time in which one accepted set is in force; its judge
 * emits through it, so that a change is always told with the configuration it was judged by. */
#include "pipeline/engine_int.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    EARLY_LIMIT = 200000, /* readings before the first mark of a replay */
    TOLD_MOST = 256,      /* changes that the judge may gather beyond what can still change */
};

sy_err sy_engine_open(sy_engine **out, const char *data_dir, sy_batch *batch, sy_fail *f)
{
    sy_engine *e = calloc(1, sizeof *e);
    if (!e || !(e->data_dir = strdup(data_dir))) {
        free(e);
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    }
    e->batch = batch;
    e->statement_due = SY_MS_MAX;
    e->clock = e->start = e->judge_start = e->judge_in_force = SY_MS_NONE;
    sy_late_init(&e->late);
    sy_doubts_init(&e->doubts);
    sy_standings_init(&e->standings);
    sy_uplink_forget(&e->uplink);
    *out = e;
    return SY_OK;
}

void sy_engine_share(sy_engine *e, sy_config *(*loaded)(void *ctx, const char *hash_hex), void *ctx)
{
    e->loaded = loaded;
    e->loaded_ctx = ctx;
}

void sy_engine_rebirths(sy_engine *e, void (*rebirth)(void *ctx, const char *node))
{
    e->rebirth = rebirth;
}

void sy_engine__era_close(sy_era *era)
{
    if (!era)
        return;
    sy_judge_close(era->judge);
    if (era->devices)
        sy_registry_unref(era->devices);
    if (era->config)
        sy_config_unref(era->config);
    free(era);
}

void sy_engine_close(sy_engine *e)
{
    if (!e)
        return;
    sy_engine__era_close(e->now);
    if (e->before)
        sy_config_unref(e->before);
    sy_changes_fini(&e->changes);
    sy_standings_fini(&e->standings);
    sy_groups_fini(&e->groups);
    sy_late_fini(&e->late);
    sy_births_fini(&e->births);
    sy_doubts_fini(&e->doubts);
    sy_upkeep_fini(&e->upkeep);
    sy_days_fini(&e->days);
    free(e->early);
    free(e->data_dir);
    free(e);
}

/* The judge tells a change: number it, and hand it on with the era it belongs to. */
static void on_change(void *ctx, const sy_change *c)
{
    const sy_era *era = ctx;
    sy_engine__tell(era->engine, era->config, era->judge, c);
}

sy_err sy_engine__era_open(sy_engine *e, const char *hash, sy_era **out, sy_fail *f)
{
    sy_era *era = calloc(1, sizeof *era);
    if (!era) {
        sy_fail_set(f, SY_E_NOMEM, "out of memory");
        return SY_E_NOMEM;
    }
    era->engine = e;
    era->config = e->loaded ? e->loaded(e->loaded_ctx, hash) : NULL;
    sy_err err = era->config ? SY_OK : sy_config_load_kept(e->data_dir, hash, &era->config, f);
    if (!err)
        err = sy_config_registry(era->config, &era->devices, f);
    if (err) {
        sy_engine__era_close(era);
        return err;
    }
    *out = era;
    return SY_OK;
}

sy_err sy_engine__judge_open(sy_engine *e, sy_era *era)
{
    sy_judge_options o = {.set = era->config->set,
                          .site = era->config->site,
                          .start = e->judge_start,
                          .in_force = e->judge_in_force,
                          .wait_delivery = true,
                          .alloc = sy_heap(),
                          .emit = on_change,
                          .day = sy_engine__on_day,
                          .ctx = era};
    return sy_judge_open(&era->judge, &o);
}

static sy_err heard(sy_engine *e, const sy_decoded *r, sy_quality quality, sy_verdict verdict)
{
    if (verdict == SY_READING_DUPLICATE || verdict == SY_READING_CONFLICT)
        return SY_OK; /* one of that time is counted */
    return sy_days_heard(&e->days, e->now->config->site, r->point, r->t, quality, e->clock);
}

/* The first known time of the log: the box starts, and what came before is judged now. */
static sy_err begin_judging(sy_engine *e, sy_ms at)
{
    sy_ms first = at;
    for (size_t i = 0; i < e->n_early; i++)
        if (e->early[i].judged && e->early[i].t < first)
            first = e->early[i].t;
    e->judge_start = first;
    e->judge_in_force = e->replay ? SY_MS_NONE : at;
    sy_err err = sy_engine__judge_open(e, e->now);
    sy_days_begin(&e->days, e->now->config->site, first);
    for (size_t i = 0; i < e->n_early && !err; i++) {
        const sy_decoded *r = &e->early[i];
        sy_verdict verdict;
        err = sy_judge_reading(e->now->judge, r->point, r->t, r->value, r->quality, &verdict);
        err = err ? err : heard(e, r, r->quality, verdict);
    }
    free(e->early);
    e->early = NULL;
    e->n_early = e->cap_early = 0;
    return err;
}

/* What waits for the first mark moves to the points of the new site. */
static void renumber_early(sy_engine *e, const sy_site *from, const sy_site *to)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->n_early; i++) {
        sy_decoded r = e->early[i];
        if (sy_site_point_of(to, from->points[r.point].series, &r.point))
            e->early[kept++] = r;
    }
    e->n_early = kept;
}

static bool same_set(const sy_engine *e, sy_span hash)
{
    return e->now && sy_span_is(hash, e->now->config->hash_hex);
}

static sy_err activate(sy_engine *e, const sy_jrec *rec)
{
    if (same_set(e, rec->payload))
        return SY_OK;
    char hash[65] = "";
    memcpy(hash, rec->payload.p, rec->payload.n < 64 ? rec->payload.n : 64);
    sy_era *next = NULL;
    sy_fail why = {0};
    sy_err err = sy_engine__era_open(e, hash, &next, &why);
    if (err == SY_E_NOMEM)
        return err;
    if (err) {
        /* Without its texts an activation cannot be judged by; the old set goes on, loudly. */
        sy_fail_wrap(&why, "activation at record %llu", (unsigned long long)rec->seq);
        sy_log_fail(SY_LOG_ERROR, "activation-failed", &why);
        return SY_OK;
    }
    sy_era *old = e->now;
    e->now = next;
    sy_batch_site(e->batch);
    sy_upkeep_site(&e->upkeep, next->config->site);
    if (!sy_uplink_measured(next->config))
        sy_uplink_forget(&e->uplink);
    sy_births_keep(&e->births, next->devices);
    err = sy_late_site(&e->late, next->config->site, old ? old->config->site : NULL);
    if (!err)
        err = sy_doubts_site(&e->doubts, next->config->site);
    if (!err)
        err = sy_days_site(&e->days, next->config->site);
    if (err) {
        sy_engine__era_close(old);
        return err;
    }
    if (old && old->judge) {
        e->judge_start = e->start == SY_MS_NONE ? e->judge_start : e->start;
        e->judge_in_force = rec->recv;
        err = sy_engine__turn(e, rec, hash);
        if (!err)
            err = sy_judge_advance(old->judge, rec->recv);
        if (!err)
            err = sy_judge_days(old->judge, SY_ALL_PREMISES, rec->recv);
        if (!err)
            err = sy_engine__judge_open(e, next);
        sy_days_begin(&e->days, next->config->site, rec->recv);
        if (!err)
            err = sy_judge_succeed(next->judge, old->judge, rec->recv);
    } else if (rec->recv != SY_MS_NONE) {
        err = begin_judging(e, rec->recv);
    } else if (old) {
        renumber_early(e, old->config->site, next->config->site);
    }
    sy_engine__era_close(old);
    if (!err)
        err = sy_batch_activation(e->batch, rec->seq, hash);
    return err ? err : sy_engine__advance(e, rec->recv);
}

static sy_err start(sy_engine *e, const sy_jrec *rec)
{
    e->replay = (rec->code & SY_CLOCK_REPLAY) != 0;
    e->unsynced = !e->replay && (rec->code & SY_CLOCK_UNSYNCED) != 0;
    sy_engine__version(e, rec->payload);
    if (e->replay || rec->recv == SY_MS_NONE)
        return SY_OK; /* the replay clock stood still while the process was away */
    e->start = rec->recv;
    sy_uplink_forget(&e->uplink);
    sy_err err = SY_OK;
    if (e->now && e->now->judge) {
        err = sy_engine__turn(e, rec, "");
        if (!err)
            err = sy_judge_restarted(e->now->judge, rec->recv);
    }
    return err ? err : sy_engine__advance(e, rec->recv);
}

static void move(sy_ms *t, sy_ms by)
{
    if (*t != SY_MS_NONE)
        *t += by;
}

/* What the clock said when it was set: {"old":N,… */
static sy_ms before_epoch(sy_span json)
{
    static const char key[] = "{\"old\":";
    sy_ms t = 0;
    size_t i = sizeof key - 1, end = i + 15;
    if (json.n <= i || memcmp(json.p, key, i) != 0)
        return SY_MS_NONE;
    for (; i < json.n && i < end && json.p[i] >= '0' && json.p[i] <= '9'; i++)
        t = t * 10 + (json.p[i] - '0');
    return t;
}

/* The wall clock was set back: the judge goes with it, else everything would be late, and nothing
 * due, for as long as the step. */
static sy_err set_back(sy_engine *e, sy_ms to)
{
    sy_ms by = to - e->clock;
    sy_judge *judge = e->now ? e->now->judge : NULL;
    sy_err err = judge ? sy_judge_days(judge, SY_ALL_PREMISES, e->clock) : SY_OK;
    if (!err && judge)
        err = sy_judge_set_back(judge, to);
    move(&e->start, by);
    move(&e->judge_start, by);
    move(&e->judge_in_force, by);
    sy_upkeep_move(&e->upkeep, e->clock, by);
    sy_standings_move(&e->standings, by);
    sy_uplink_forget(&e->uplink);
    e->clock = to;
    sy_doubts_forget(&e->doubts);
    sy_engine__break(e, "the clock was set back");
    return err;
}

static sy_err epoch(sy_engine *e, const sy_jrec *rec)
{
    if (rec->code & (SY_CLOCK_SYNCED | SY_CLOCK_UNSYNCED))
        e->unsynced = !e->replay && (rec->code & SY_CLOCK_UNSYNCED) != 0;
    sy_ms old = before_epoch(rec->payload);
    sy_err err = old == SY_MS_NONE || rec->recv == SY_MS_NONE
                     ? SY_OK
                     : sy_batch_clock(e->batch, rec->seq, old, rec->recv);
    if (err)
        return err;
    if (rec->recv != SY_MS_NONE && e->clock != SY_MS_NONE &&
        (rec->recv < e->clock || rec->recv < old)) {
        err = sy_engine__advance(e, old); /* what was due until then */
        return err ? err : set_back(e, rec->recv);
    }
    if (e->now && e->now->judge && rec->payload.n > 0 && rec->recv != SY_MS_NONE) {
        err = sy_engine__turn(e, rec, "");
        if (!err)
            err = sy_judge_restarted(e->now->judge, rec->recv);
    }
    return err ? err : sy_engine__advance(e, rec->recv);
}

typedef struct taking {
    sy_engine *e;
    const sy_jrec *rec;
} taking;

void sy_engine_listen(sy_engine *e, void (*seen)(void *ctx, const sy_seen_reading *r), void *ctx)
{
    e->seen = seen;
    e->seen_ctx = ctx;
}

static sy_err wait_for_mark(sy_engine *e, const sy_jrec *rec, const sy_decoded *r)
{
    if (!r->judged)
        return SY_OK;
    if (e->n_early >= EARLY_LIMIT) {
        if (!e->early_full && !e->batch->discard)
            sy_log(SY_LOG_WARN, "early-not-judged", "seq=%llu limit=%d",
                   (unsigned long long)rec->seq, (int)EARLY_LIMIT);
        e->early_full = true;
        return SY_OK;
    }
    sy_err err =
        sy_grow(sy_heap(), (void **)&e->early, &e->cap_early, e->n_early + 1, sizeof *e->early);
    if (!err)
        e->early[e->n_early++] = *r;
    return err;
}

/* What came late, or belongs to what was in force before, is judged again from an earlier state. */
static bool judged_again(sy_engine *e, const sy_decoded *r, sy_verdict verdict)
{
    bool before = r->t <= e->judge_in_force && verdict != SY_READING_DUPLICATE;
    return (verdict == SY_READING_LATE || before) &&
           sy_late_note(&e->late, e->now->config->site->points[r->point].place, r->t, e->clock);
}

static sy_err on_reading(void *ctx, const sy_decoded *decoded)
{
    taking *t = ctx;
    sy_engine *e = t->e;
    sy_decoded reading = *decoded;
    const sy_decoded *r = &reading;
    sy_quality quality = sy_doubts_mark(&e->doubts, decoded);
    if (r->judged && sy_upkeep_covers(&e->upkeep, e->now->config->site, r->point, r->t))
        quality = sy_quality_worsen(quality, SY_Q_UNCERTAIN, SY_Q_MAINTENANCE);
    reading.quality = quality;
    if (r->judged && (quality & SY_Q_GRADE) != SY_Q_BAD &&
        sy_uplink_point(e->now->config, r->point))
        sy_uplink_note(&e->uplink, &e->now->config->site->points[r->point], r->t, r->value);
    sy_err err = SY_OK;
    if (!e->now->judge) {
        err = wait_for_mark(e, t->rec, r);
    } else if (r->judged) {
        sy_verdict verdict = SY_READING_TAKEN;
        err = sy_judge_reading(e->now->judge, r->point, r->t, r->value, quality, &verdict);
        err = err ? err : heard(e, r, quality, verdict);
        if (!judged_again(e, r, verdict) && verdict == SY_READING_LATE)
            quality = sy_quality_worsen(quality, SY_Q_UNCERTAIN, SY_Q_LATE); /* for an export */
    }
    if (err)
        return err;
    sy_ms recv = t->rec->recv == SY_MS_NONE ? r->t : t->rec->recv;
    if (e->seen && !e->batch->discard) {
        const sy_site_point *point = &e->now->config->site->points[r->point];
        sy_seen_reading seen = {point, r->t, recv, r->value, quality, r->judged};
        e->seen(e->seen_ctx, &seen);
    }
    sy_batch_reading row = {r->point, quality, r->t, recv, r->value, t->rec->seq};
    return sy_batch_reading_add(e->batch, &row);
}

static void log_refused(const sy_engine *e, const sy_jrec *rec, const char *why)
{
    char source[128], reason[256];
    if (!e->batch->discard)
        sy_log(SY_LOG_WARN, "message-refused", "seq=%llu source=%s reason=%s",
               (unsigned long long)rec->seq, sy_logq(rec->source, source, sizeof source),
               sy_logq(sy_span_of(why), reason, sizeof reason));
}

static void node_says(sy_engine *e, const sy_decode_sum *sum)
{
    sy_batch_count(e->batch, SY_N_skipped, sum->skipped);
    sy_batch_count(e->batch, SY_N_sequence_gaps, sum->gaps);
    if (sum->ask)
        sy_batch_count(e->batch, SY_N_rebirths, 1);
    if (sum->ask && e->rebirth && !e->batch->discard && !e->replay)
        e->rebirth(e->loaded_ctx, sum->ask);
}

static sy_err message(sy_engine *e, const sy_jrec *rec)
{
    sy_batch *b = e->batch;
    sy_batch_count(b, SY_N_received, 1);
    sy_batch_count(b, SY_N_bytes_received, rec->payload.n);
    if (rec->flags & SY_MSG_PROMISE)
        sy_batch_count(b, SY_N_acknowledged, 1);
    sy_err err = sy_engine__advance(e, rec->recv);
    if (err)
        return err;
    if (!e->now) {
        sy_batch_count(b, SY_N_rejected, 1);
        log_refused(e, rec, "no configuration is in force");
        return SY_OK;
    }
    sy_decode_env env = {e->now->config, e->now->devices, rec->recv,
                         e->replay,      e->unsynced,     &e->births};
    taking t = {e, rec};
    sy_decode_sum sum;
    err = sy_decode(&env, rec, on_reading, &t, &sum);
    if (err == SY_E_NOMEM)
        return err;
    sy_batch_count(b, SY_N_records, sum.records);
    sy_batch_count(b, SY_N_unmatched, sum.unmatched);
    sy_batch_count(b, SY_N_retained, sum.retained);
    sy_batch_count(b, SY_N_future, sum.future);
    sy_batch_count(b, SY_N_faults, sum.faults);
    node_says(e, &sum);
    if (err || sum.refused) {
        sy_batch_count(b, SY_N_rejected, 1);
        log_refused(e, rec, sum.why);
    }
    return sy_engine__advance(e, rec->recv);
}

static sy_err mark(sy_engine *e, const sy_jrec *rec)
{
    if (e->now && !e->now->judge && rec->recv != SY_MS_NONE) {
        sy_err err = begin_judging(e, rec->recv);
        if (err)
            return err;
    }
    return sy_engine__advance(e, rec->recv);
}

/* Whoever appends it has looked whether it can be taken; a log that was mended may hold others. */
static sy_err action(sy_engine *e, const sy_jrec *rec)
{
    sy_upkeep_act a;
    sy_act act;
    sy_err err = sy_engine__advance(e, rec->recv);
    if (err)
        return err;
    if (sy_act_parse(rec->payload, &act) == SY_OK)
        return sy_engine__act(e, rec, &act);
    err = !e->now || rec->recv == SY_MS_NONE ? SY_E_UNSUPPORTED : sy_upkeep_parse(rec->payload, &a);
    if (!err) {
        sy_ms since = e->clock - e->now->config->lateness - SY_LATE_KEEP_MS;
        err = sy_upkeep_take(&e->upkeep, e->now->config->site, &a, e->clock, since);
    }
    if (!err)
        err = sy_batch_action(e->batch, rec->seq, e->clock, &a);
    if (!err)
        err = sy_engine__maintained(e);
    if (err == SY_E_NOMEM)
        return err;
    if (err && !e->batch->discard)
        sy_log(SY_LOG_WARN, "action-refused", "seq=%llu reason=\"%s\"",
               (unsigned long long)rec->seq, sy_err_text(err));
    return SY_OK;
}

bool sy_engine_switches(const sy_engine *e, const sy_jrec *rec)
{
    return rec->type == SY_J_ACTIVATION && !same_set(e, rec->payload);
}

sy_err sy_engine_record(sy_engine *e, const sy_jrec *rec, sy_fail *f)
{
    sy_err err = SY_OK;
    e->seq = rec->seq;
    switch ((sy_jtype)rec->type) {
    case SY_J_MESSAGE:
        err = message(e, rec);
        break;
    case SY_J_TICK:
        err = sy_engine__advance(e, rec->recv);
        break;
    case SY_J_MARK:
        err = mark(e, rec);
        break;
    case SY_J_ACTIVATION:
        err = activate(e, rec);
        break;
    case SY_J_EPOCH:
        err = epoch(e, rec);
        break;
    case SY_J_START:
        err = start(e, rec);
        break;
    case SY_J_ACTION:
        err = action(e, rec);
        break;
    case SY_J_QUARANTINE: /* found before the log is read */
        break;
    }
    if (!err && e->told >= TOLD_MOST && e->now && e->now->judge) {
        sy_judge_forget(e->now->judge); /* else a storm would gather until the next snapshot */
        e->told = 0;
    }
    if (!err)
        err = sy_engine__keep_past(e, rec->seq);
    sy_engine__statement_due(e);
    if (err || e->out_of_memory)
        return sy_fail_set(f, err ? err : SY_E_NOMEM, "record %llu cannot be judged: %s",
                           (unsigned long long)rec->seq, sy_err_text(err ? err : SY_E_NOMEM));
    return SY_OK;
}

void sy_engine_skip(sy_engine *e, const sy_jrec *rec)
{
    if (rec->type == SY_J_MESSAGE)
        sy_batch_count(e->batch, SY_N_received, 1);
    sy_batch_count(e->batch, SY_N_rejected, 1);
    log_refused(e, rec, "quarantined: the process died of it twice");
    sy_engine__break(e, "the process died of it twice"); /* or of what was judged again there */
}

sy_ms sy_engine_deadline(const sy_engine *e)
{
    if (!e->now || !e->now->judge || e->replay)
        return SY_MS_MAX;
    sy_ms deadline = sy_judge_deadline(e->now->judge);
    deadline = deadline < e->late.due ? deadline : e->late.due;
    deadline = deadline < e->statement_due ? deadline : e->statement_due;
    return deadline < e->standings.next ? deadline : e->standings.next;
}

const sy_upkeep *sy_engine_upkeep(const sy_engine *e)
{
    return &e->upkeep;
}

const sy_site *sy_engine_site(const sy_engine *e)
{
    return e->now ? e->now->config->site : NULL;
}
