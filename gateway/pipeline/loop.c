/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline's thread: take records, commit batches, tick the judge.
 *
 * Before a commit writes to disk the journal is synced up to the batch's last record, so that the
 * store never holds what a power cut could take from the log, and nothing that leaves the box rests
 * on less (C6). A commit that fails (a full disk) is tried again until it succeeds: the journal
 * keeps growing behind it, and its bound is the back-pressure.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "pipeline/pipeline_int.h"

enum {
    POLL_MS = 20,      /* with records in hand: how soon somebody who waits is seen */
    IDLE_MS = 200,     /* without: how soon a stop is seen */
    REFUSED_MS = 1000, /* how often refusals are counted while nothing is accepted */
    RETRY_MS = 500,    /* between two tries of a commit */
    RECORD_HEAD = 36,  /* of a record in the journal */
    LAST_TRIES = 6,    /* of a commit while stopping: it is all in the journal */
};

static sy_ms least(sy_ms a, sy_ms b)
{
    return a < b ? a : b;
}

static void pause_ms(sy_ms ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static sy_ms batch_ms(const sy_pipeline *p)
{
    return p->o.batch_ms ? p->o.batch_ms : SY_BATCH_MS;
}

sy_err sy_pipeline__take(sy_pipeline *p, const sy_jrec *rec, sy_fail *f)
{
    sy_err err = SY_OK;
    if (sy_restore_is_quarantined(&p->restored, rec->seq)) {
        sy_engine_skip(p->engine, rec);
    } else {
        sy_attempt_set(&p->attempt, rec->seq);
        err = sy_engine_record(p->engine, rec, f);
        if (!err && (rec->type == SY_J_ACTION || rec->type == SY_J_EPOCH))
            err = sy_pipeline__show_upkeep(p, f);
        if (!err)
            sy_attempt_set(&p->attempt, 0);
    }
    p->last = rec->seq;
    p->since_snapshot++;
    p->log_bytes += RECORD_HEAD + rec->source.n + rec->ident.n + rec->payload.n;
    return err;
}

static void count_refused(sy_pipeline *p)
{
    p->refused_at = sy_mono_ms();
    if (!p->o.take_refused)
        return;
    uint64_t rejected[SY_REJECT_COUNT] = {0}, duplicates = 0;
    p->o.take_refused(p->o.ctx, rejected, &duplicates);
    for (int i = 0; i < SY_REJECT_COUNT; i++)
        sy_batch_count(&p->batch, SY_N_rejected, rejected[i]);
    sy_batch_count(&p->batch, SY_N_duplicates, duplicates);
}

static void count_written(sy_pipeline *p)
{
    uint64_t now = sy_journal_bytes(p->o.journal);
    sy_batch_count(&p->batch, SY_N_bytes_written, now - p->journal_bytes);
    p->journal_bytes = now;
}

/* A snapshot costs as many bytes as it has; so the log grows by many times that before the next.
 * It has nothing to do with time: what it saves is reading the log again. */
static bool is_due(const sy_pipeline *p, bool final)
{
    uint64_t least = (uint64_t)SY_SNAPSHOT_LEAST, grown = p->snapshot_bytes * SY_SNAPSHOT_TIMES;
    if (p->must_snapshot)
        return true;
    if (p->since_snapshot == 0)
        return false;
    if (p->o.snapshot_records && p->since_snapshot >= (uint64_t)p->o.snapshot_records)
        return true;
    return final || p->log_bytes >= (grown > least ? grown : least);
}

/* Into end, where one is due and can be made now. */
static void snapshot(sy_pipeline *p, bool final, sy_buf *bytes, sy_batch_end *end)
{
    const char *set_hash = NULL;
    if (!is_due(p, final))
        return;
    sy_err err = sy_engine_save(p->engine, bytes, &set_hash);
    if (err) {
        if (err != SY_E_AGAIN)
            sy_log(SY_LOG_ERROR, "snapshot-failed", "error=\"%s\"", sy_err_text(err));
        return;
    }
    end->snapshot = sy_buf_span(bytes);
    end->set_hash = set_hash;
}

static void snapshot_is_kept(sy_pipeline *p, const sy_batch_end *end)
{
    sy_open_figures open;
    sy_store_open_figures(p->o.store, &open);
    p->snapshot_bytes = end->snapshot.n + open.saved_bytes;
    p->since_snapshot = 0;
    p->must_snapshot = false;
    p->log_bytes = 0;
}

static sy_err sync_journal(void *ctx, uint64_t seq, sy_fail *f)
{
    sy_pipeline *p = ctx;
    return seq > sy_journal_synced(p->o.journal) ? sy_journal_wait_synced(p->o.journal, seq, f)
                                                 : SY_OK;
}

static sy_err commit_once(sy_pipeline *p, const sy_batch_end *end, sy_fail *f)
{
    /* The log's clock, which a box without a battery keeps better; a replayed one says nothing of
     * when a head was signed. */
    sy_ms now = p->o.replay_clock ? SY_MS_NONE : sy_journal_now(p->o.journal);
    p->batch.now = now == SY_MS_NONE ? sy_wall_ms() : now;
    /* What is sure to be written is synced before the transaction is opened. */
    sy_err err = p->batch.n_changes || p->batch.n_events || end->set_hash
                     ? sync_journal(p, end->seq, f)
                     : SY_OK;
    return err ? err : sy_batch_commit(&p->batch, p->o.store, sy_engine_site(p->engine), end, f);
}

static void publish(sy_pipeline *p, bool with_events)
{
    pthread_mutex_lock(&p->mu);
    atomic_store(&p->committed, p->last);
    pthread_cond_broadcast(&p->done);
    pthread_mutex_unlock(&p->mu);
    sy_jreader_done(p->reader, p->last);
    if (p->o.on_commit)
        p->o.on_commit(p->o.ctx, with_events);
}

static void commit(sy_pipeline *p, bool final)
{
    sy_buf bytes;
    sy_batch_end end = {.seq = p->last, .sync = sync_journal, .ctx = p};
    sy_buf_init(&bytes, sy_heap());
    snapshot(p, final, &bytes, &end);
    count_refused(p);
    count_written(p);
    for (int tries = 1;; tries++) {
        sy_fail why = {0};
        if (!commit_once(p, &end, &why))
            break;
        sy_log_fail(SY_LOG_ERROR, "commit-failed", &why);
        if (atomic_load(&p->stopping) && tries >= LAST_TRIES) {
            sy_buf_fini(&bytes);
            p->gave_up = true; /* the next start makes it again from the journal */
            return;
        }
        pause_ms(RETRY_MS);
    }
    if (end.set_hash)
        snapshot_is_kept(p, &end);
    sy_buf_fini(&bytes);
    p->new_events =
        p->new_events || p->batch.n_changes > 0 || p->batch.n_events > 0 || p->batch.signed_head;
    sy_batch_reset(&p->batch);
    p->n_records = 0;
    if (!p->redoing) {
        publish(p, p->new_events);
        p->new_events = false;
    }
}

/* Out of memory in the judge leaves a state that nothing can vouch for: start again from the log.
 * That is not the record's fault, so `attempt` must not hold it against the record. */
static void give_up(sy_pipeline *p, const sy_fail *why)
{
    sy_log_fail(SY_LOG_ERROR, "pipeline-failed", why);
    if (why->code == SY_E_NOMEM)
        sy_attempt_set(&p->attempt, 0);
    abort();
}

/* Places that are due are judged again right here, behind the last record (redo.h). */
static void redo(sy_pipeline *p)
{
    if (!sy_engine_redo_due(p->engine))
        return;
    p->redoing = true; /* the record is not done before that is */
    if (p->n_records || !sy_batch_empty(&p->batch))
        commit(p, false);
    p->redoing = false;
    if (p->gave_up)
        return;
    sy_fail why = {0};
    sy_attempt_set(&p->attempt, p->last); /* a crash in it must not come back for ever */
    if (sy_engine_redo(p->engine, p->o.store, &why))
        give_up(p, &why);
    sy_attempt_set(&p->attempt, 0);
    p->must_snapshot = true;
    commit(p, false);
}

static void take(sy_pipeline *p, const sy_jrec *rec)
{
    if (sy_engine_switches(p->engine, rec) && p->n_records)
        commit(p, false);
    if (p->gave_up)
        return; /* the batch is of the old site still */
    if (p->n_records++ == 0)
        p->batch_began = sy_mono_ms();
    if (rec->type == SY_J_EPOCH)
        p->ticked = SY_MS_NONE; /* that time may come again */
    sy_fail why = {0};
    if (sy_pipeline__take(p, rec, &why))
        give_up(p, &why);
    redo(p);
    if (p->n_records == 0)
        return;
    uint64_t limit = p->o.batch_records ? (uint64_t)p->o.batch_records : SY_BATCH_RECORDS;
    bool full = p->n_records >= limit || p->batch.n_readings >= SY_BATCH_READINGS ||
                p->batch.n_changes > 0 || p->batch.n_events > 0;
    if (full || (p->n_records % 64 == 0 && sy_mono_ms() - p->batch_began >= batch_ms(p)))
        commit(p, false);
}

/* The log's clock has passed what the judge waits for: say so in the log, and read it there. */
static bool tick(sy_pipeline *p, sy_ms *wait)
{
    sy_ms deadline = sy_engine_deadline(p->engine);
    if (deadline == SY_MS_MAX || deadline == p->ticked)
        return false;
    sy_ms now = sy_journal_now(p->o.journal);
    if (now == SY_MS_NONE)
        return false;
    if (now < deadline) {
        *wait = least(*wait, deadline - now);
        return false;
    }
    sy_jrec rec = {.type = SY_J_TICK};
    sy_fail why = {0};
    if (sy_journal_append(p->o.journal, &rec, &why)) {
        if (why.code != SY_E_CLOSED)
            sy_log_fail(SY_LOG_ERROR, "tick-failed", &why);
        return false;
    }
    p->ticked = deadline;
    return true;
}

/* Nothing to read. False: the thread ends. */
static bool idle(sy_pipeline *p)
{
    sy_ms now = sy_mono_ms(), wait = IDLE_MS;
    bool stopping = atomic_load(&p->stopping);
    if (p->n_records) {
        bool wanted = atomic_load(&p->wanted) > atomic_load(&p->committed);
        sy_ms left = p->batch_began + batch_ms(p) - now;
        if (wanted || stopping || left <= 0) {
            commit(p, stopping);
            return true;
        }
        wait = least(POLL_MS, left);
    } else if (stopping) {
        if (p->since_snapshot)
            commit(p, true);
        return false;
    } else if (now - p->refused_at >= REFUSED_MS) {
        count_refused(p);
        if (!sy_batch_empty(&p->batch) || (p->o.ledger && sy_ledger_due(p->o.ledger)))
            commit(p, false);
    }
    if (tick(p, &wait))
        return true;
    /* With records in hand, let more gather: to be woken for each costs the driver that appends it
     * more than the append. */
    if (p->n_records)
        pause_ms(wait);
    else
        sy_jreader_wait(p->reader, (int)wait);
    return true;
}

void *sy_pipeline__main(void *arg)
{
    sy_pipeline *p = arg;
    sy_thread_name("sy-pipeline");
    redo(p);
    while (!p->gave_up) {
        sy_jrec rec;
        sy_fail why = {0};
        sy_err err = sy_jreader_next(p->reader, &rec, &why);
        if (err == SY_OK) {
            take(p, &rec);
        } else if (err == SY_E_AGAIN) {
            if (!idle(p))
                return NULL;
        } else {
            sy_log_fail(SY_LOG_ERROR, "journal-read-failed", &why);
            if (err != SY_E_CORRUPT) {
                if (atomic_load(&p->stopping))
                    return NULL;
                pause_ms(RETRY_MS);
            }
        }
    }
    return NULL;
}
