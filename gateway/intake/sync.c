/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sync thread: makes what was appended survive a power cut, at an interval or at once when
 * somebody waits, one sync for all who wait.
 *
 * After a failed sync the kernel may have dropped the pages while it calls them clean, so a second
 * sync of the same file proves nothing. The segment is lost for that purpose: its records that were
 * not synced are written into a new segment, that one is synced, and only then are they called
 * synced; the old file is set aside.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "intake/journal_int.h"

enum { COPY_BYTES = 256 * 1024, ROOM_MS = 500, PAGE_BYTES = 4096 };

static sy_err copy_bytes(sy_journal *j, const sy_jsegment *from, sy_jsegment *to, sy_fail *f)
{
    char *buf = malloc(COPY_BYTES);
    if (!buf)
        return sy_fail_set(f, SY_E_NOMEM, "no memory to save a journal segment");
    sy_err e = SY_OK;
    for (size_t off = from->synced_end; off < from->end && !e;) {
        size_t want = from->end - off < COPY_BYTES ? from->end - off : COPY_BYTES;
        ssize_t got = pread(from->fd, buf, want, (off_t)off);
        struct iovec iov = {buf, got > 0 ? (size_t)got : 0};
        if (got <= 0 || j->io.write(to->fd, &iov, 1, (off_t)to->end) != got) {
            e = sy_fail_sys(f, "cannot save a journal segment in %s", j->dir);
            break;
        }
        off += (size_t)got;
        to->end += (size_t)got;
    }
    free(buf);
    return e;
}

/* First record of a segment that is not synced: read from its bytes. */
static sy_err first_unsynced(sy_journal *j, const sy_jsegment *s, uint64_t *first, sy_fail *f)
{
    sy_jwin w;
    sy_jrec rec = {0};
    size_t length;
    sy_jwin_init(&w);
    sy_jwin_set(&w, s->fd, j->salt, s->end);
    sy_jfound found = sy_jwin_record(&w, s->synced_end, &rec, &length);
    *first = rec.seq;
    sy_jwin_fini(&w);
    return found == SY_JFOUND_RECORD
               ? SY_OK
               : sy_fail_set(f, SY_E_CORRUPT, "a journal segment in %s cannot be read back",
                             j->dir);
}

/* Move the unsynced records of *s into `fresh`, a new segment, and sync that. */
static sy_err refile(sy_journal *j, sy_jsegment *s, uint64_t first, sy_jsegment *fresh, sy_fail *f)
{
    sy_err e = sy_journal__create(j, first, fresh, f);
    if (!e)
        e = copy_bytes(j, s, fresh, f);
    if (!e && j->io.sync(fresh->fd) != 0)
        e = sy_fail_sys(f, "cannot sync the journal in %s", j->dir);
    return e ? e : sy_dir_sync(j->dir, f);
}

/* A sync of *s failed. On failure all is as before, to be tried again. Under mu. */
static sy_err rescue(sy_journal *j, sy_jsegment *s, sy_fail *f)
{
    sy_jsegment fresh = {.fd = -1};
    uint64_t first = s->first;
    char name[SY_JNAME], aside[SY_JNAME];
    sy_err e = SY_OK;
    unsigned as = 0;
    s->tainted = true;
    if (s->synced_end < SY_JSEG_HEADER)
        s->synced_end = SY_JSEG_HEADER;
    if (s->end > s->synced_end)
        e = first_unsynced(j, s, &first, f);
    if (!e)
        e = sy_journal__set_aside(j, s->first, "a sync failed", &as, f);
    if (e)
        return e;
    e = refile(j, s, first, &fresh, f);
    if (!e) {
        close(s->fd);
        fresh.synced_end = fresh.end;
        *s = fresh;
        return SY_OK;
    }
    if (fresh.fd >= 0) {
        sy_journal__name(fresh.first, 0, name);
        unlinkat(j->dir_fd, name, 0);
        close(fresh.fd);
    }
    sy_journal__name(s->first, 0, name);
    sy_journal__name(s->first, as, aside);
    if (renameat(j->dir_fd, aside, j->dir_fd, name) == 0)
        j->damaged--;
    return e;
}

/* What one round syncs: full segments first, so that `synced` never runs ahead of an older one. */
typedef struct job {
    int fd;
    size_t end;
    bool retired, failed;
} job;

static size_t take_jobs(sy_journal *j, job jobs[SY_JRETIRED + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < j->n_retired; i++) {
        const sy_jsegment *s = &j->retired[i];
        jobs[n++] = (job){s->fd, s->end, true, s->tainted};
    }
    if (j->cur.fd >= 0)
        jobs[n++] = (job){j->cur.fd, j->cur.end, false, j->cur.tainted};
    return n;
}

static void run_job(sy_journal *j, job *w)
{
    if (w->failed)
        return;
    if (w->retired && ftruncate(w->fd, (off_t)w->end) != 0)
        sy_log(SY_LOG_WARN, "journal-truncate", "dir=%s errno=%d", j->dir, errno);
    if (j->io.sync(w->fd) != 0) {
        sy_fail f;
        sy_fail_sys(&f, "cannot sync the journal in %s", j->dir);
        sy_log_fail(SY_LOG_ERROR, "journal-sync", &f);
        w->failed = true;
    }
}

/* The segment of a job: cur may have been retired meanwhile, it is the same file still. */
static sy_jsegment *segment_of(sy_journal *j, int fd)
{
    for (size_t i = 0; i < j->n_retired; i++)
        if (j->retired[i].fd == fd)
            return &j->retired[i];
    return &j->cur;
}

/* A card writes whole pages: the one that the last sync ended in is written again. */
static void count_pages(sy_journal *j, sy_jsegment *s, size_t end)
{
    size_t from = s->synced_end / PAGE_BYTES * PAGE_BYTES;
    if (end > s->synced_end)
        atomic_fetch_add(&j->paged, (end - from + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
    s->synced_end = end;
}

static sy_err finish_jobs(sy_journal *j, const job *jobs, size_t n, sy_fail *f)
{
    size_t done = 0;
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e; i++) {
        sy_jsegment *s = segment_of(j, jobs[i].fd);
        if (jobs[i].failed)
            e = rescue(j, s, f);
        else
            count_pages(j, s, jobs[i].end);
        done += !e && jobs[i].retired;
    }
    for (size_t i = 0; i < done; i++)
        close(j->retired[i].fd);
    for (size_t i = done; i < j->n_retired; i++)
        j->retired[i - done] = j->retired[i];
    j->n_retired -= done;
    return e;
}

/* One round; mu is held at entry and exit, not meanwhile. False: it failed. */
static bool sync_round(sy_journal *j)
{
    sy_fail f;
    job jobs[SY_JRETIRED + 1];
    size_t n = take_jobs(j, jobs);
    uint64_t target = atomic_load(&j->seq);
    bool dir = j->dir_dirty;
    j->dir_dirty = false;
    pthread_mutex_unlock(&j->mu);
    sy_err e = dir ? sy_dir_sync(j->dir, &f) : SY_OK;
    for (size_t i = 0; i < n && !e; i++)
        run_job(j, &jobs[i]);
    pthread_mutex_lock(&j->mu);
    if (!e)
        e = finish_jobs(j, jobs, n, &f);
    if (e) {
        j->sync_failures++;
        j->dir_dirty = j->dir_dirty || dir;
        sy_log_fail(SY_LOG_ERROR, "journal-sync", &f);
    } else {
        atomic_store(&j->synced, target);
    }
    pthread_cond_broadcast(&j->synced_cond);
    if (!e && j->on_synced) {
        void (*fn)(void *ctx, uint64_t seq) = j->on_synced;
        void *ctx = j->on_synced_ctx;
        pthread_mutex_unlock(&j->mu);
        fn(ctx, target);
        pthread_mutex_lock(&j->mu);
    }
    return !e;
}

static void look_for_room(sy_journal *j)
{
    uint64_t room;
    bool low = j->io.room(j->dir, &room) == 0 && room < j->o.reserve_bytes;
    if (j->low && !low)
        pthread_cond_broadcast(&j->room);
    j->low = low;
}

/* Let ms pass; with `eager` only until somebody waits for a sync. mu is released meanwhile. */
static void pause_for(sy_journal *j, int ms, bool eager)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int rc = 0;
    while (rc == 0 && !j->ending && !(eager && j->wanted > atomic_load(&j->synced)))
        rc = pthread_cond_timedwait(&j->work, &j->mu, &until);
}

void *sy_journal__sync_main(void *journal)
{
    sy_journal *j = journal;
    sy_thread_name("sy-sync");
    pthread_mutex_lock(&j->mu);
    for (bool fine = true;;) {
        bool dirty = atomic_load(&j->synced) < atomic_load(&j->seq) || j->n_retired > 0;
        if (j->ending && (!dirty || !fine))
            break;
        if (!dirty && !j->low) {
            j->idle = true;
            pthread_cond_wait(&j->work, &j->mu);
            j->idle = false;
            continue;
        }
        pause_for(j, dirty ? j->o.sync_ms : ROOM_MS, fine && dirty);
        look_for_room(j);
        fine = !dirty || sync_round(j);
    }
    pthread_mutex_unlock(&j->mu);
    return NULL;
}

sy_err sy_journal_wait_synced(sy_journal *j, uint64_t seq, sy_fail *f)
{
    sy_err e = SY_OK;
    pthread_mutex_lock(&j->mu);
    if (seq > atomic_load(&j->seq))
        e = sy_fail_set(f, SY_E_RANGE, "record %llu is not in the journal",
                        (unsigned long long)seq);
    uint64_t failures = j->sync_failures;
    while (!e && atomic_load(&j->synced) < seq) {
        if (j->wanted < seq)
            j->wanted = seq;
        pthread_cond_signal(&j->work);
        pthread_cond_wait(&j->synced_cond, &j->mu);
        if (j->sync_failures != failures && atomic_load(&j->synced) < seq)
            e = sy_fail_set(f, SY_E_IO, "cannot sync the journal in %s", j->dir);
    }
    pthread_mutex_unlock(&j->mu);
    return e;
}
