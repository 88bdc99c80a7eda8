/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's writer. An append is one pwritev by the caller's own thread under one mutex, so
 * that the order of numbers is the order in the file, and a driver's callback needs no other thread
 * to have its message kept. Only a device's message waits for room or for the reader: what the
 * gateway itself records (ticks, marks) must pass, else an alert would wait for the disk, and the
 * reader for itself.
 */
#include "intake/journal_int.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"

static int default_room(const char *dir, uint64_t *free_bytes)
{
    struct statvfs v;
    if (statvfs(dir, &v) != 0)
        return -1;
    *free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return 0;
}

static int default_reserve(int fd, off_t bytes)
{
    return posix_fallocate(fd, 0, bytes);
}

sy_jio sy_journal__io(void)
{
    return (sy_jio){.write = pwritev,
                    .sync = fdatasync,
                    .reserve = default_reserve,
                    .room = default_room,
                    .clock = sy_clock_system()};
}

static sy_journal_options with_defaults(const sy_journal_options *o)
{
    sy_journal_options r = *o;
    if (r.segment_bytes == 0)
        r.segment_bytes = (size_t)16 << 20;
    if (r.sync_ms <= 0)
        r.sync_ms = 250;
    if (r.reserve_bytes == 0)
        r.reserve_bytes = (uint64_t)64 << 20;
    if (r.max_lag_bytes == 0)
        r.max_lag_bytes = (uint64_t)256 << 20;
    return r;
}

static void init_locks(sy_journal *j)
{
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&j->mu, NULL);
    pthread_cond_init(&j->work, &mono);
    pthread_cond_init(&j->synced_cond, &mono);
    pthread_cond_init(&j->more, &mono);
    pthread_cond_init(&j->room, &mono);
    pthread_condattr_destroy(&mono);
}

static void destroy(sy_journal *j)
{
    if (j->cur.fd >= 0)
        close(j->cur.fd);
    for (size_t i = 0; i < j->n_retired; i++)
        close(j->retired[i].fd);
    if (j->dir_fd >= 0)
        close(j->dir_fd);
    pthread_cond_destroy(&j->room);
    pthread_cond_destroy(&j->more);
    pthread_cond_destroy(&j->synced_cond);
    pthread_cond_destroy(&j->work);
    pthread_mutex_destroy(&j->mu);
    free(j->dir);
    free(j);
}

static sy_err start(sy_journal *j, sy_fail *f)
{
    sy_ms last = SY_MS_NONE;
    sy_err e = sy_dir_make(j->dir, f);
    if (e)
        return e;
    j->dir_fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->dir_fd < 0)
        return sy_fail_sys(f, "cannot open the journal folder %s", j->dir);
    e = sy_journal__recover(j, &last, f);
    if (e)
        return e;
    sy_clock_init(&j->clock, j->io.clock, j->o.replay_clock, last);
    uint64_t room = 0;
    j->low = j->io.room(j->dir, &room) == 0 && room < j->o.reserve_bytes;
    int rc = pthread_create(&j->thread, NULL, sy_journal__sync_main, j);
    if (rc)
        return sy_fail_make(f, SY_E_NOMEM, rc, SY_AT, "cannot start the journal's sync thread");
    j->thread_runs = true;
    return SY_OK;
}

sy_err sy_journal__open(sy_journal **out, const sy_journal_options *o, const sy_jio *io, sy_fail *f)
{
    sy_journal_options set = with_defaults(o);
    if (set.segment_bytes < 4096 || set.segment_bytes > ((size_t)1 << 30))
        return sy_fail_set(f, SY_E_USAGE, "journal segments of %zu bytes: 4 KiB to 1 GiB",
                           set.segment_bytes);
    sy_journal *j = calloc(1, sizeof *j);
    if (!j)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the journal");
    init_locks(j);
    j->o = set;
    j->io = *io;
    j->dir_fd = j->cur.fd = -1;
    j->dir = strdup(o->dir);
    sy_err e = j->dir ? start(j, f) : sy_fail_set(f, SY_E_NOMEM, "no memory for the journal");
    if (e) {
        destroy(j);
        return e;
    }
    *out = j;
    return SY_OK;
}

sy_err sy_journal_open(sy_journal **out, const sy_journal_options *o, sy_fail *f)
{
    sy_jio io = sy_journal__io();
    return sy_journal__open(out, o, &io, f);
}

/* A disk that is full says so in several ways; each ends when there is room again. */
static bool is_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

sy_err sy_journal__create(sy_journal *j, uint64_t first, sy_jsegment *out, sy_fail *f)
{
    char name[SY_JNAME];
    sy_journal__name(first, 0, name);
    int fd = openat(j->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return sy_fail_sys(f, "cannot create journal segment %s/%s", j->dir, name);
    unsigned char header[SY_JSEG_HEADER];
    sy_jseg_encode(header, first, j->salt);
    struct iovec iov = {header, sizeof header};
    errno = j->io.reserve(fd, (off_t)j->o.segment_bytes);
    struct stat st;
    if (errno == 0 && j->io.write(fd, &iov, 1, 0) == (ssize_t)sizeof header &&
        fstat(fd, &st) == 0) {
        *out = (sy_jsegment){.fd = fd, .first = first, .inode = st.st_ino, .end = SY_JSEG_HEADER};
        return SY_OK;
    }
    int error = errno ? errno : ENOSPC;
    close(fd);
    unlinkat(j->dir_fd, name, 0);
    return sy_fail_make(f, is_full(error) ? SY_E_FULL : SY_E_IO, error, SY_AT,
                        "cannot fill journal segment %s/%s: %s", j->dir, name, strerror(error));
}

/* Move on to a new segment. May wait for the sync thread, with mu released meanwhile. */
static sy_err roll(sy_journal *j, sy_fail *f)
{
    while (j->cur.fd >= 0 && j->n_retired == SY_JRETIRED) {
        if (j->shut)
            return sy_fail_set(f, SY_E_CLOSED, "the journal is closed");
        j->wanted = atomic_load(&j->seq);
        pthread_cond_signal(&j->work);
        pthread_cond_wait(&j->synced_cond, &j->mu);
    }
    sy_jsegment next;
    sy_err e = sy_journal__create(j, atomic_load(&j->seq) + 1, &next, f);
    if (e)
        return e;
    if (j->cur.fd >= 0)
        j->retired[j->n_retired++] = j->cur;
    j->cur = next;
    j->dir_dirty = true;
    atomic_fetch_add(&j->bytes, SY_JSEG_HEADER);
    return SY_OK;
}

/* The record at the end of cur. A part that was written before a failure is written over. */
static sy_err put(sy_journal *j, const sy_jrec *rec, uint32_t body_crc, size_t length, sy_fail *f)
{
    unsigned char header[SY_JREC_HEADER];
    sy_jrec_encode(header, rec, body_crc);
    struct iovec iov[4] = {{header, sizeof header}};
    int n = 1;
    const sy_span parts[3] = {rec->source, rec->ident, rec->payload};
    for (size_t i = 0; i < 3; i++)
        if (parts[i].n)
            iov[n++] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].n};
    ssize_t got;
    do
        got = j->io.write(j->cur.fd, iov, n, (off_t)j->cur.end);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)length)
        return SY_OK;
    int error = got < 0 ? errno : ENOSPC;
    return sy_fail_make(f, is_full(error) ? SY_E_FULL : SY_E_IO, error, SY_AT,
                        "cannot write to the journal in %s: %s", j->dir, strerror(error));
}

/* Number the record, write it, count it. Under mu. */
static sy_err write_one(sy_journal *j, sy_jrec *rec, uint32_t body_crc, sy_fail *f)
{
    size_t length = sy_jrec_length(rec);
    sy_err e = SY_OK;
    /* Twice: roll may let go of mu, and others fill the new segment meanwhile. */
    while (!e && (j->cur.fd < 0 || length > j->o.segment_bytes - j->cur.end))
        e = roll(j, f);
    if (e)
        return e;
    rec->seq = atomic_load(&j->seq) + 1;
    e = put(j, rec, body_crc, length, f);
    if (e == SY_E_IO && j->cur.end > SY_JSEG_HEADER) {
        sy_log_fail(SY_LOG_ERROR, "journal-write", f);
        e = roll(j, f);
        if (!e) {
            rec->seq = atomic_load(&j->seq) + 1;
            e = put(j, rec, body_crc, length, f);
        }
    }
    if (e)
        return e;
    j->cur.end += length;
    j->lag_bytes += (int64_t)length;
    atomic_fetch_add(&j->bytes, length);
    atomic_store(&j->seq, rec->seq);
    if (j->idle)
        pthread_cond_signal(&j->work);
    if (j->waiting_readers)
        pthread_cond_broadcast(&j->more);
    return SY_OK;
}

/* Give the record its time; a new clock epoch is a record of its own, before it. */
static sy_err stamp(sy_journal *j, sy_jrec *rec, sy_ms mark, sy_fail *f)
{
    if (rec->type == SY_J_MARK) {
        rec->recv = sy_clock_mark(&j->clock, mark);
        return SY_OK;
    }
    sy_ms old;
    sy_clock before = j->clock;
    if (!sy_clock_now(&j->clock, &rec->recv, &old))
        return SY_OK;
    char text[96];
    int n = snprintf(text, sizeof text, "{\"old\":%lld,\"new\":%lld}", (long long)old,
                     (long long)rec->recv);
    sy_jrec epoch = {.type = SY_J_EPOCH, .recv = rec->recv, .payload = {text, (size_t)n}};
    sy_err e = write_one(j, &epoch, sy_jrec_body_crc(j->salt, &epoch), f);
    if (e)
        j->clock =
            before; /* not recorded: it did not happen; the next append sees the jump again */
    else
        sy_log(SY_LOG_WARN, "clock-epoch", "old=%lld new=%lld", (long long)old,
               (long long)rec->recv);
    return e;
}

static bool lags(const sy_journal *j)
{
    return j->lag_known && j->lag_bytes > 0 && (uint64_t)j->lag_bytes > j->o.max_lag_bytes;
}

/* Wait until a message may come in; under mu. */
static sy_err admit(sy_journal *j, const sy_jrec *rec, sy_fail *f)
{
    bool message = rec->type == SY_J_MESSAGE;
    while (!j->shut && message && (j->low || lags(j))) {
        if (j->low && !j->full_told) {
            j->full_told = true;
            sy_log(SY_LOG_ERROR, "journal-full",
                   "dir=%s reserve=%llu msg=\"less than the reserve is free: messages wait until "
                   "there is room\"",
                   j->dir, (unsigned long long)j->o.reserve_bytes);
        }
        if (j->idle)
            pthread_cond_signal(&j->work);
        j->waiting_room++;
        pthread_cond_wait(&j->room, &j->mu);
        j->waiting_room--;
    }
    return j->shut ? sy_fail_set(f, SY_E_CLOSED, "the journal is closed") : SY_OK;
}

static sy_err append_locked(sy_journal *j, sy_jrec *rec, uint32_t body_crc, sy_fail *f)
{
    sy_ms mark = rec->recv;
    for (;;) {
        sy_err e = admit(j, rec, f);
        if (!e)
            e = stamp(j, rec, mark, f);
        if (!e)
            e = write_one(j, rec, body_crc, f);
        if (e != SY_E_FULL || rec->type != SY_J_MESSAGE) {
            if (!e && rec->type == SY_J_MESSAGE && j->full_told) {
                j->full_told = false;
                sy_log(SY_LOG_INFO, "journal-room", "dir=%s msg=\"there is room again\"", j->dir);
            }
            return e;
        }
        j->low = true;
    }
}

sy_err sy_journal_append(sy_journal *j, sy_jrec *rec, sy_fail *f)
{
    size_t length = sy_jrec_length(rec);
    if (length == 0 || length > j->o.segment_bytes - SY_JSEG_HEADER)
        return sy_fail_set(f, SY_E_RANGE, "a record of %zu bytes of payload is too long",
                           rec->payload.n);
    if (rec->type == SY_J_MARK && !j->o.replay_clock)
        return sy_fail_set(f, SY_E_USAGE, "time marks are for --clock replay only");
    uint32_t crc = sy_jrec_body_crc(j->salt, rec);
    pthread_mutex_lock(&j->mu);
    sy_err e = append_locked(j, rec, crc, f);
    pthread_mutex_unlock(&j->mu);
    return e;
}

uint64_t sy_journal_seq(const sy_journal *j)
{
    return atomic_load(&j->seq);
}

uint64_t sy_journal_synced(const sy_journal *j)
{
    return atomic_load(&j->synced);
}

uint64_t sy_journal_bytes(const sy_journal *j)
{
    return atomic_load(&j->bytes);
}

uint64_t sy_journal_torn(const sy_journal *j)
{
    return j->torn;
}

uint64_t sy_journal_damaged(const sy_journal *j)
{
    return atomic_load(&j->damaged);
}

uint64_t sy_journal_paged(const sy_journal *j)
{
    return atomic_load(&j->paged);
}

sy_err sy_journal_set_aside(sy_journal *j, uint64_t first, const char *why, sy_fail *f)
{
    unsigned as;
    pthread_mutex_lock(&j->mu);
    sy_err e = j->cur.fd >= 0 && j->cur.first == first
                   ? sy_fail_set(f, SY_E_USAGE, "journal segment %016llx is in use",
                                 (unsigned long long)first)
                   : sy_journal__set_aside(j, first, why, &as, f);
    pthread_mutex_unlock(&j->mu);
    return e;
}

sy_ms sy_journal_now(const sy_journal *j)
{
    sy_journal *w = (sy_journal *)(uintptr_t)j;
    sy_ms now, old;
    pthread_mutex_lock(&w->mu);
    sy_clock c = w->clock;
    bool epoch = sy_clock_now(&c, &now, &old);
    if (!epoch)
        w->clock = c; /* an epoch starts with a record, not with a look at the clock */
    pthread_mutex_unlock(&w->mu);
    return epoch ? old : now;
}

void sy_journal_on_synced(sy_journal *j, void (*fn)(void *ctx, uint64_t seq), void *ctx)
{
    pthread_mutex_lock(&j->mu);
    j->on_synced = fn;
    j->on_synced_ctx = ctx;
    pthread_mutex_unlock(&j->mu);
}

void sy_journal_shut(sy_journal *j)
{
    pthread_mutex_lock(&j->mu);
    j->shut = true;
    pthread_cond_broadcast(&j->room);
    pthread_cond_broadcast(&j->more);
    pthread_cond_broadcast(&j->synced_cond);
    pthread_mutex_unlock(&j->mu);
}

void sy_journal_close(sy_journal *j)
{
    if (!j)
        return;
    sy_journal_shut(j);
    if (j->thread_runs) {
        pthread_mutex_lock(&j->mu);
        j->ending = true;
        pthread_cond_signal(&j->work);
        pthread_mutex_unlock(&j->mu);
        pthread_join(j->thread, NULL);
    }
    destroy(j);
}
