/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's thread: mend what a crash left, seal, let expire, count. */
#include "run/keeper.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "run/keeper_int.h"
#include "store/leaves.h"

enum {
    EVERY_MS = 5000,
    USAGE_MS = 3600000,
    SCRUB_MS = 600000, /* one sealed segment is looked through so often */
    NICE = 10,
    WHO_MAX = 128,
    WHY_MAX = 1000,
    CATCH_UP = 24, /* the keeper's clock against the time elapsed */
};

static sy_segment_row row_of(const sy_seal *seal, uint64_t stored)
{
    return (sy_segment_row){.first = seal->first,
                            .last = seal->last,
                            .records = seal->records,
                            .raw = seal->raw,
                            .stored = stored,
                            .from = seal->from,
                            .to = seal->to,
                            .root = seal->root};
}

/* Row and leaf in one transaction. */
static sy_err put_row(sy_keeper *k, const sy_segment_row *row, sy_fail *f)
{
    sy_err e = sy_store_begin(k->o.store, true, f);
    if (e)
        return e;
    e = sy_store_segment_put(k->o.store, row, f);
    sy_store_count(k->o.store, SY_N_bytes_written, row->stored);
    if (!e)
        return sy_store_done(k->o.store, f);
    sy_store_rollback(k->o.store);
    return e;
}

static void add_figure(sy_keeper *k, uint64_t *which, uint64_t add)
{
    pthread_mutex_lock(&k->mu);
    *which += add;
    pthread_mutex_unlock(&k->mu);
}

static void bad_segment(sy_keeper *k, const sy_fail *f)
{
    add_figure(k, &k->figures.n_bad, 1);
    sy_log_fail(SY_LOG_ERROR, "segment-damaged", f);
}

/* A sealed segment beside its original: which of the two goes depends on whether the store knows.
 */
static sy_err mend_pair(sy_keeper *k, const sy_segment_file *raw, const sy_segment_file *sealed,
                        sy_fail *f)
{
    sy_segment_row row;
    sy_seal seal;
    char path[PATH_MAX];
    sy_err e = sy_store_segment_get(k->o.store, raw->first, &row, f);
    if (e && e != SY_E_NOTFOUND)
        return e;
    bool whole = !e && sy_sealed_path(k->dir, sealed, path) &&
                 sy_sealed_check(path, raw->first, &seal, f) == SY_OK &&
                 sy_digest_equal(&seal.root, &row.root);
    return sy_sealed_remove(k->dir, whole ? raw : sealed, f);
}

/* A sealed segment alone: it expired, or the store is older than it (a copy that was put back). */
static sy_err mend_alone(sy_keeper *k, const sy_segment_file *sealed, sy_fail *f)
{
    sy_segment_row row;
    sy_seal seal;
    char path[PATH_MAX];
    sy_err e = sy_store_segment_get(k->o.store, sealed->first, &row, f);
    if (!e)
        return row.expired ? sy_sealed_remove(k->dir, sealed, f) : SY_OK;
    if (e != SY_E_NOTFOUND || !sy_sealed_path(k->dir, sealed, path))
        return e;
    e = sy_sealed_check(path, sealed->first, &seal, f);
    if (e == SY_E_CORRUPT) {
        bad_segment(k, f);
        return SY_OK;
    }
    row = row_of(&seal, sealed->bytes);
    return e ? e : put_row(k, &row, f);
}

/* What the store knows and the folder has not: told once a start. */
typedef struct missing {
    const sy_segment_file *files;
    size_t n, at;
    uint64_t count, first;
} missing;

static bool look_for(void *ctx, const sy_segment_row *row)
{
    missing *m = ctx;
    while (m->at < m->n && m->files[m->at].first < row->first)
        m->at++;
    if ((m->at == m->n || m->files[m->at].first != row->first) && m->count++ == 0)
        m->first = row->first;
    return true;
}

static sy_err mend(sy_keeper *k, const sy_segment_file *files, size_t n, sy_fail *f)
{
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e && !sy_keeper__stopping(k); i++) {
        if (files[i].kind != SY_SEG_SEALED)
            continue;
        bool pair =
            i > 0 && files[i - 1].first == files[i].first && files[i - 1].kind == SY_SEG_RAW;
        if (pair)
            e = mend_pair(k, &files[i - 1], &files[i], f);
        else if (!k->mended)
            e = mend_alone(k, &files[i], f);
    }
    missing m = {.files = files, .n = n};
    if (!e && !k->mended)
        e = sy_store_segments(k->o.store, look_for, &m, f);
    if (!e && m.count)
        sy_log(SY_LOG_ERROR, "segments-missing", "count=%llu first=%016llx dir=%s",
               (unsigned long long)m.count, (unsigned long long)m.first, k->dir);
    k->mended = k->mended || !e;
    return e;
}

/* The original with damage in it is set aside: what can be read in it stays readable. */
static sy_err set_aside(sy_keeper *k, uint64_t first, const sy_fail *why, sy_fail *f)
{
    sy_log_fail(SY_LOG_ERROR, "seal-damaged", why);
    return sy_journal_set_aside(k->o.journal, first, "damage was found when it was sealed", f);
}

static sy_err seal_one(sy_keeper *k, const sy_segment_file *raw, uint64_t last, sy_fail *f)
{
    sy_seal seal;
    sy_segment_row row, known;
    uint64_t stored = 0;
    sy_ms began = sy_mono_ms();
    sy_err e = sy_sealed_make(k->dir, raw->first, last, &seal, &stored, f);
    if (e == SY_E_CORRUPT) {
        sy_fail why = *f;
        return set_aside(k, raw->first, &why, f);
    }
    if (e)
        return e;
    add_figure(k, &k->figures.seal_bytes, stored);
    row = row_of(&seal, stored);
    /* Sealed before: its copy was damaged, and its leaf stands. */
    e = sy_store_segment_get(k->o.store, raw->first, &known, f);
    if (e == SY_E_NOTFOUND)
        e = put_row(k, &row, f);
    if (!e)
        e = sy_sealed_remove(k->dir, raw, f);
    if (!e)
        sy_log(SY_LOG_INFO, "segment-sealed", "first=%llu last=%llu raw=%llu stored=%llu ms=%lld",
               (unsigned long long)seal.first, (unsigned long long)seal.last,
               (unsigned long long)seal.raw, (unsigned long long)stored,
               (long long)(sy_mono_ms() - began));
    return e;
}

/* Every original that another segment follows, once synced and judged. */
static sy_err seal(sy_keeper *k, const sy_segment_file *files, size_t n, sy_fail *f)
{
    uint64_t position = 0, synced = sy_journal_synced(k->o.journal);
    sy_err e = sy_store_position(k->o.store, &position, f);
    uint64_t limit = position < synced ? position : synced;
    for (size_t i = 0; i < n && !e && !sy_keeper__stopping(k); i++) {
        size_t next = i + 1;
        while (next < n && files[next].first == files[i].first)
            next++;
        if (files[i].kind != SY_SEG_RAW || next == n || files[next].first - 1 > limit)
            continue;
        e = seal_one(k, &files[i], files[next].first - 1, f);
    }
    return e;
}

/* One sealed segment after the other is read through, so that damage is found before it matters. */
static void scrub(sy_keeper *k, const sy_segment_file *files, size_t n)
{
    sy_ms now = sy_mono_ms();
    if (now - k->scrub_at < SCRUB_MS)
        return;
    k->scrub_at = now;
    const sy_segment_file *next = NULL;
    for (size_t i = 0; i < n && !next; i++)
        if (files[i].kind == SY_SEG_SEALED && files[i].first > k->scrub)
            next = &files[i];
    k->scrub = next ? next->first : 0;
    char path[PATH_MAX];
    sy_seal seal_found;
    sy_fail why = {0};
    if (next && sy_sealed_path(k->dir, next, path) &&
        sy_sealed_check(path, next->first, &seal_found, &why) == SY_E_CORRUPT)
        bad_segment(k, &why);
}

static bool count_raw(void *ctx, const sy_segment_row *row)
{
    sy_keeper_figures *g = ctx;
    g->sealed_raw += row->raw;
    if (row->from != SY_MS_NONE && (g->raw_oldest == SY_MS_NONE || row->from < g->raw_oldest))
        g->raw_oldest = row->from;
    return true;
}

static bool count_hold(void *ctx, const sy_hold_row *h)
{
    (void)h;
    ++*(uint64_t *)ctx;
    return true;
}

static void look_around(sy_keeper *k, const sy_segment_file *files, size_t n)
{
    sy_keeper_figures g = {.raw_oldest = SY_MS_NONE, .readings_oldest = SY_MS_NONE};
    sy_fail why = {0};
    sy_keeper__count_files(&g, files, n);
    if (sy_store_segments(k->o.store, count_raw, &g, &why) ||
        sy_store_holds(k->o.store, count_hold, &g.holds, &why) ||
        sy_store_oldest_alert(k->o.store, &g.alerts_oldest, &why) ||
        sy_store_oldest_reading(k->o.store, &g.readings_oldest, &why))
        return;
    pthread_mutex_lock(&k->mu);
    sy_keeper_figures *to = &k->figures;
    to->raw = g.raw, to->sealed = g.sealed, to->sealed_raw = g.sealed_raw, to->damaged = g.damaged;
    to->n_raw = g.n_raw, to->n_sealed = g.n_sealed, to->n_damaged = g.n_damaged;
    to->readings_oldest = g.readings_oldest;
    to->raw_oldest = g.raw_oldest, to->alerts_oldest = g.alerts_oldest, to->holds = g.holds;
    pthread_mutex_unlock(&k->mu);
}

bool sy_keeper__stopping(sy_keeper *k)
{
    pthread_mutex_lock(&k->mu);
    bool stopping = k->stopping;
    pthread_mutex_unlock(&k->mu);
    return stopping;
}

/* Something failed: shown in status until all went well again. True: it is to be logged. */
static bool trouble(sy_keeper *k, const sy_fail *f)
{
    pthread_mutex_lock(&k->mu);
    snprintf(k->figures.trouble, sizeof k->figures.trouble, "%.199s", f->text);
    pthread_mutex_unlock(&k->mu);
    bool first = !k->told;
    k->told = true;
    return first;
}

static void all_well(sy_keeper *k)
{
    if (k->told)
        sy_log(SY_LOG_INFO, "keeper-well", "msg=\"what could not be kept in order is again\"");
    k->told = false;
    pthread_mutex_lock(&k->mu);
    k->figures.trouble[0] = '\0';
    pthread_mutex_unlock(&k->mu);
}

sy_ms sy_keeper__now(sy_keeper *k)
{
    sy_ms now = sy_journal_now(k->o.journal), mono = sy_mono_ms();
    if (k->o.replay_clock || now == SY_MS_NONE)
        return now;
    int64_t noted = 0;
    sy_fail why = {0};
    if (k->clock == SY_MS_NONE) {
        if (sy_store_note_get(k->o.store, "keeper_clock", &noted, &why))
            return SY_MS_NONE;
        k->clock = noted ? noted : now;
    } else {
        sy_ms step = (mono - k->looked) * (sy_clock_synced() ? CATCH_UP : 1);
        if (now > k->clock)
            k->clock = now - k->clock < step ? now : k->clock + step;
    }
    k->looked = mono;
    return now < k->clock ? now : k->clock;
}

static sy_err round_of(sy_keeper *k, sy_fail *f)
{
    sy_segment_file *files = NULL;
    size_t n = 0;
    sy_sealed_tidy(k->dir);
    sy_err e = sy_sealed_list(k->dir, &files, &n, f);
    if (!e)
        e = mend(k, files, n, f);
    free(files);
    files = NULL;
    if (!e)
        e = sy_sealed_list(k->dir, &files, &n, f);
    if (!e)
        e = seal(k, files, n, f);
    free(files);
    files = NULL;
    if (e && trouble(k, f))
        sy_log_fail(SY_LOG_ERROR, "seal-failed", f);
    /* What cannot be sealed for want of room may find some once the oldest has gone. */
    sy_err first = e;
    e = sy_sealed_list(k->dir, &files, &n, f);
    if (!e)
        e = sy_keeper__expire(k, files, n, f);
    if (!e && (k->usage_at == 0 || sy_mono_ms() - k->usage_at >= USAGE_MS)) {
        k->usage_at = sy_mono_ms();
        e = sy_keeper__note_usage(k, f);
    }
    if (e && trouble(k, f))
        sy_log_fail(SY_LOG_ERROR, "expiry-failed", f);
    scrub(k, files, n);
    free(files);
    if (sy_sealed_list(k->dir, &files, &n, NULL) == SY_OK)
        look_around(k, files, n);
    free(files);
    return first ? first : e;
}

static void *main_of(void *arg)
{
    sy_keeper *k = arg;
    sy_thread_name("sy-keeper");
    /* In Linux the priority is the thread's. What is kept waits for what comes in. */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    pthread_mutex_lock(&k->mu);
    while (!k->stopping) {
        pthread_mutex_unlock(&k->mu);
        sy_fail why = {0};
        if (!round_of(k, &why))
            all_well(k);
        pthread_mutex_lock(&k->mu);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        int every = k->o.every_ms ? k->o.every_ms : EVERY_MS;
        until.tv_sec += every / 1000;
        until.tv_nsec += (long)(every % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        int rc = 0;
        while (rc == 0 && !k->stopping)
            rc = pthread_cond_timedwait(&k->cond, &k->mu, &until);
    }
    pthread_mutex_unlock(&k->mu);
    sy_fail why = {0};
    if (k->usage_at && sy_keeper__note_usage(k, &why))
        sy_log_fail(SY_LOG_WARN, "expiry-failed", &why);
    return NULL;
}

sy_err sy_keeper_start(sy_keeper **out, const sy_keeper_options *o, sy_fail *f)
{
    sy_keeper *k = calloc(1, sizeof *k);
    if (!k)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    k->o = *o;
    k->o.config = NULL;
    k->clock = SY_MS_NONE;
    k->looked = k->scrub_at = sy_mono_ms();
    k->figures.raw_oldest = k->figures.readings_oldest = k->figures.alerts_oldest = SY_MS_NONE;
    int64_t device = 0;
    int n = snprintf(k->dir, sizeof k->dir, "%s/journal", o->data);
    sy_err e = n > 0 && (size_t)n < sizeof k->dir
                   ? sy_store_note_get(o->store, "device_written", &device, f)
                   : sy_fail_set(f, SY_E_RANGE, "the data folder's name is too long");
    if (e) {
        free(k);
        return e;
    }
    k->device_before = (uint64_t)device;
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&k->mu, NULL);
    pthread_cond_init(&k->cond, &mono);
    pthread_condattr_destroy(&mono);
    sy_keeper_configure(k, o->config);
    int rc = pthread_create(&k->thread, NULL, main_of, k);
    if (rc) {
        pthread_cond_destroy(&k->cond);
        pthread_mutex_destroy(&k->mu);
        free(k);
        return sy_fail_make(f, SY_E_NOMEM, rc, SY_AT, "cannot start the keeper's thread");
    }
    *out = k;
    return SY_OK;
}

void sy_keeper_configure(sy_keeper *k, const sy_config *c)
{
    pthread_mutex_lock(&k->mu);
    k->keeping = c->keeping;
    k->lateness = c->lateness;
    pthread_mutex_unlock(&k->mu);
}

static bool clean(const char *text, size_t max)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return n > 0 && n <= max && sy_utf8_check((sy_span){text, n}) == n;
}

/* The leaf, and a head over it. */
static sy_err action(sy_keeper *k, sy_ms now, const sy_action *a, bool *made, sy_fail *f)
{
    sy_buf leaf;
    uint64_t index;
    sy_buf_init(&leaf, sy_heap());
    sy_leaf_action_text(now, a, &leaf);
    sy_err e = leaf.failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory")
                           : sy_store_leaf(k->o.store, sy_buf_span(&leaf), &index, f);
    sy_buf_fini(&leaf);
    return e || !k->o.ledger ? e : sy_ledger_sign(k->o.ledger, now, true, made, f);
}

sy_err sy_keeper_hold(sy_keeper *k, bool hold, const char *alert, const char *who, const char *why,
                      sy_fail *f)
{
    if (!clean(alert, WHO_MAX) || !clean(who, WHO_MAX) || !clean(why, WHY_MAX))
        return sy_fail_set(f, SY_E_PARSE,
                           "an alert, who and why are needed: texts of at most %d, %d and %d bytes "
                           "without control characters",
                           (int)WHO_MAX, (int)WHO_MAX, (int)WHY_MAX);
    sy_ms now = sy_journal_now(k->o.journal);
    sy_hold_row row = {.alert = alert, .who = who, .why = why, .time = now};
    if (now == SY_MS_NONE)
        row.time = now = sy_wall_ms();
    sy_err e = sy_store_begin(k->o.store, true, f);
    if (e)
        return e;
    e = hold ? sy_store_hold(k->o.store, &row, f) : sy_store_release(k->o.store, alert, f);
    const sy_action a = {.who = who, .what = hold ? "hold" : "release", .on = alert, .why = why};
    bool made = false;
    if (!e)
        e = action(k, now, &a, &made, f);
    if (!e)
        e = sy_store_done(k->o.store, f);
    else
        sy_store_rollback(k->o.store);
    if (!e && made)
        sy_ledger_signed(k->o.ledger);
    if (!e && hold)
        sy_log(SY_LOG_INFO, "alert-held", "alert=%s", alert);
    else if (!e)
        sy_log(SY_LOG_INFO, "alert-released", "alert=%s", alert);
    return e;
}

void sy_keeper_stop(sy_keeper *k)
{
    if (!k)
        return;
    pthread_mutex_lock(&k->mu);
    k->stopping = true;
    pthread_cond_signal(&k->cond);
    pthread_mutex_unlock(&k->mu);
    pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->cond);
    pthread_mutex_destroy(&k->mu);
    free(k);
}
