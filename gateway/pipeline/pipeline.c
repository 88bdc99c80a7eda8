/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the pipeline: who died of what, the newest snapshot, the log since then. */
#include "pipeline/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "pipeline/pipeline_int.h"

static sy_err quarantine(sy_pipeline *p, uint64_t seq, sy_fail *f)
{
    char text[96];
    int n =
        snprintf(text, sizeof text, "%llu the process died of it twice", (unsigned long long)seq);
    sy_jrec rec = {.type = SY_J_QUARANTINE, .payload = {text, (size_t)n}};
    sy_err err = sy_journal_append(p->o.journal, &rec, f);
    if (!err)
        err = sy_journal_wait_synced(p->o.journal, rec.seq, f);
    if (err)
        return err;
    sy_attempt_forgive(&p->attempt);
    sy_log(SY_LOG_ERROR, "record-quarantined", "seq=%llu", (unsigned long long)seq);
    return SY_OK;
}

/* The readings that the store had in memory are put again. */
static sy_err again(sy_pipeline *p, sy_fail *f)
{
    return sy_batch_again(&p->batch, p->o.store, sy_engine_site(p->engine), p->last, f);
}

static sy_err replay_one(sy_pipeline *p, const sy_jrec *rec, sy_fail *f)
{
    sy_err err = SY_OK;
    if (p->batch.n_readings >= SY_BATCH_READINGS || sy_engine_switches(p->engine, rec))
        err = again(p, f);
    return err ? err : sy_pipeline__take(p, rec, f);
}

/* Read the log again up to the stored position; what comes of it is stored already, but for what
 * was open in the store. */
static sy_err replay(sy_pipeline *p, uint64_t position, sy_fail *f)
{
    p->batch.discard = true;
    p->batch.known = sy_store_open_seq(p->o.store);
    while (p->last < position) {
        sy_jrec rec;
        sy_err err = sy_jreader_next(p->reader, &rec, f);
        if (err == SY_E_CORRUPT) {
            sy_log_fail(SY_LOG_ERROR, "journal-read-failed", f);
            continue;
        }
        if (err == SY_E_AGAIN)
            break;
        if (!err)
            err = replay_one(p, &rec, f);
        if (err)
            return err;
    }
    sy_err err = again(p, f);
    p->batch.discard = false;
    return err;
}

static sy_err restore(sy_pipeline *p, uint64_t position, sy_fail *f)
{
    sy_restore r = {.store = p->o.store,
                    .data_dir = p->o.data_dir,
                    .journal = p->o.journal,
                    .batch = &p->batch,
                    .loaded = p->o.loaded,
                    .ctx = p->o.ctx};
    sy_err err = sy_restore_open(&r, position, f);
    if (err) {
        sy_restore_fini(&r);
        return err;
    }
    p->restored = r;
    p->engine = r.engine;
    if (p->o.on_reading)
        sy_engine_listen(p->engine, p->o.on_reading, p->o.ctx);
    sy_engine_rebirths(p->engine, p->o.rebirth);
    p->reader = r.reader;
    p->last = r.from;
    return SY_OK;
}

static sy_err rebuild(sy_pipeline *p, sy_fail *f)
{
    uint64_t killer = 0, position = 0;
    sy_err err = sy_attempt_open(&p->attempt, p->o.data_dir, &killer, f);
    if (!err)
        sy_attempt_enter(&p->attempt); /* until the thread takes over */
    if (!err && killer && killer <= sy_journal_seq(p->o.journal))
        err = quarantine(p, killer, f);
    if (!err)
        err = sy_store_position(p->o.store, &position, f);
    if (err)
        return err;
    if (position > sy_journal_seq(p->o.journal)) {
        /* Never written in this order; the journal was taken away or cut by hand. */
        sy_log(SY_LOG_ERROR, "journal-behind-store", "journal=%llu store=%llu",
               (unsigned long long)sy_journal_seq(p->o.journal), (unsigned long long)position);
        position = sy_journal_seq(p->o.journal);
    }
    err = restore(p, position, f);
    if (err)
        return err;
    uint64_t from = p->last;
    sy_ms began = sy_mono_ms();
    err = replay(p, position, f);
    if (err)
        return err;
    if (p->restored.anew)
        sy_engine_rebuilt(p->engine);
    if (p->last < position)
        p->last = position;
    p->since_snapshot = p->last - from;
    atomic_store(&p->committed, p->last);
    sy_jreader_done(p->reader, p->last);
    sy_log(SY_LOG_INFO, "judge-rebuilt", "snapshot=%llu position=%llu ms=%lld",
           (unsigned long long)from, (unsigned long long)position,
           (long long)(sy_mono_ms() - began));
    return SY_OK;
}

sy_err sy_pipeline__show_upkeep(sy_pipeline *p, sy_fail *f)
{
    sy_upkeep copy = {NULL, 0};
    sy_buf bytes;
    sy_buf_init(&bytes, sy_heap());
    sy_upkeep_save(sy_engine_upkeep(p->engine), &bytes);
    sy_rd in = sy_rd_of(sy_buf_span(&bytes));
    const sy_site *site = sy_engine_site(p->engine);
    sy_err err = bytes.failed ? SY_E_NOMEM : site ? sy_upkeep_load(&copy, site, &in) : SY_OK;
    sy_buf_fini(&bytes);
    if (err) {
        sy_upkeep_fini(&copy);
        return sy_fail_set(f, err, "out of memory");
    }
    pthread_mutex_lock(&p->mu);
    sy_upkeep old = p->upkeep;
    p->upkeep = copy;
    pthread_mutex_unlock(&p->mu);
    sy_upkeep_fini(&old);
    return SY_OK;
}

size_t sy_pipeline_upkeep(sy_pipeline *p, sy_ms now, sy_buf *json)
{
    size_t n = 0;
    sy_buf_char(json, '[');
    pthread_mutex_lock(&p->mu);
    for (size_t i = 0; i < p->upkeep.n; i++) {
        if (p->upkeep.v[i].until <= now)
            continue;
        if (n++)
            sy_buf_char(json, ',');
        sy_upkeep_json(&p->upkeep.v[i], json);
    }
    pthread_mutex_unlock(&p->mu);
    sy_buf_char(json, ']');
    return n;
}

bool sy_pipeline_maintains(sy_pipeline *p, sy_upkeep_kind kind, sy_span on, sy_ms now)
{
    bool runs = false;
    pthread_mutex_lock(&p->mu);
    for (size_t i = 0; i < p->upkeep.n; i++) {
        const sy_upkeep_stretch *s = &p->upkeep.v[i];
        runs = runs || (s->kind == kind && s->until > now && sy_span_is(on, s->on));
    }
    pthread_mutex_unlock(&p->mu);
    return runs;
}

static void destroy(sy_pipeline *p)
{
    sy_upkeep_fini(&p->upkeep);
    sy_restore_fini(&p->restored);
    sy_attempt_close(&p->attempt);
    sy_batch_fini(&p->batch);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->mu);
    free(p);
}

static void *run(void *arg)
{
    sy_pipeline *p = arg;
    sy_attempt_enter(&p->attempt);
    sy_pipeline__main(p);
    sy_attempt_leave(&p->attempt);
    return NULL;
}

sy_err sy_pipeline_start(sy_pipeline **out, const sy_pipeline_options *o, sy_fail *f)
{
    sy_pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    p->o = *o;
    p->ticked = SY_MS_NONE;
    sy_batch_init(&p->batch);
    p->batch.ledger = o->ledger;
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&p->done, &mono);
    pthread_condattr_destroy(&mono);
    pthread_mutex_init(&p->mu, NULL);
    sy_err err = rebuild(p, f);
    if (!err)
        err = sy_pipeline__show_upkeep(p, f);
    sy_attempt_leave(&p->attempt);
    p->refused_at = sy_mono_ms();
    if (!err) {
        int rc = pthread_create(&p->thread, NULL, run, p);
        if (rc)
            err = sy_fail_make(f, SY_E_NOMEM, rc, SY_AT, "cannot start the pipeline's thread");
    }
    if (err) {
        destroy(p);
        return err;
    }
    p->thread_runs = true;
    *out = p;
    return SY_OK;
}

uint64_t sy_pipeline_seq(const sy_pipeline *p)
{
    return atomic_load(&p->committed);
}

void sy_pipeline_want(sy_pipeline *p, uint64_t seq)
{
    uint_fast64_t old = atomic_load(&p->wanted);
    while (old < seq && !atomic_compare_exchange_weak(&p->wanted, &old, seq)) {
    }
}

bool sy_pipeline_wait(sy_pipeline *p, uint64_t seq, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    sy_pipeline_want(p, seq);
    int rc = 0;
    pthread_mutex_lock(&p->mu);
    while (rc == 0 && atomic_load(&p->committed) < seq)
        rc = timeout_ms < 0 ? pthread_cond_wait(&p->done, &p->mu)
                            : pthread_cond_timedwait(&p->done, &p->mu, &until);
    bool reached = atomic_load(&p->committed) >= seq;
    pthread_mutex_unlock(&p->mu);
    return reached;
}

void sy_pipeline_stop(sy_pipeline *p)
{
    if (!p)
        return;
    atomic_store(&p->stopping, true);
    if (p->thread_runs)
        pthread_join(p->thread, NULL);
    destroy(p);
}
