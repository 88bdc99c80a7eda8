/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer. An append is one pwritev by the caller; the thread "sy-spool-sync" makes it last.
 *
 * Flash wears: what the gateway has taken is in its journal, which is synced by itself, so only
 * what it has left lying for half an interval is synced here. As a rule that is nothing.
 *
 * After a failed sync the kernel may call pages clean that are not on the disk. Nothing more is
 * acknowledged until a new segment could be synced; what was acknowledged in the last interval is
 * in memory still, and the gateway takes it from there.
 */
#include "drivers/mqtt/plugin/spool_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { RETIRED = 16, LOOK_MS = 500 };

typedef struct segment {
    int fd;
    uint64_t last; /* number in it */
} segment;

struct sy_spool {
    sy_spool_options o;
    sy_spool_io io;
    char *dir;
    int dir_fd;
    uint64_t base; /* bytes found at the start, less what the gateway had removed by then */
    /* append's own */
    segment cur; /* fd -1: none */
    uint32_t salt;
    size_t end;
    uint64_t next, written; /* bytes since the start */
    sy_spool_state told;
    /* Under mu. */
    pthread_t thread;
    bool threaded;
    pthread_mutex_t mu;
    pthread_cond_t work, room;
    segment syncing; /* cur, as the thread knows it */
    segment retired[RETIRED];
    size_t n_retired;
    bool dir_dirty, low, suspect, ending;
};

static int system_room(const char *dir, uint64_t *free_bytes)
{
    struct statvfs v;
    if (statvfs(dir, &v) != 0) {
        return -1;
    }
    *free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return 0;
}

sy_spool_io sy_spool_system(void)
{
    return (sy_spool_io){.write = pwritev, .sync = fdatasync, .room = system_room};
}

static uint64_t load(const _Atomic uint64_t *p)
{
    return atomic_load_explicit(p, memory_order_acquire);
}

static void store(_Atomic uint64_t *p, uint64_t v)
{
    atomic_store_explicit(p, v, memory_order_release);
}

/* ---- the thread that syncs ---- */

/* One round: the folder, the full segments, the one being written. mu is held at entry and exit. */
static void sync_round(sy_spool *s)
{
    segment full[RETIRED], cur = s->syncing;
    size_t n = s->n_retired;
    memcpy(full, s->retired, sizeof full);
    bool dir = s->dir_dirty, ok = true;
    s->dir_dirty = false;
    pthread_mutex_unlock(&s->mu);
    if (dir) {
        ok = s->io.sync(s->dir_fd) == 0;
    }
    uint64_t taken = load(&s->o.page->taken);
    for (size_t i = 0; i < n; i++) {
        ok = (full[i].last <= taken || s->io.sync(full[i].fd) == 0) && ok;
        close(full[i].fd);
    }
    if (cur.fd >= 0 && s->io.sync(cur.fd) != 0) {
        ok = false;
    }
    pthread_mutex_lock(&s->mu);
    memmove(s->retired, s->retired + n, (s->n_retired - n) * sizeof s->retired[0]);
    s->n_retired -= n;
    s->dir_dirty = s->dir_dirty || (dir && !ok);
    s->suspect = s->suspect || !ok;
    pthread_cond_signal(&s->room);
}

static void look_for_room(sy_spool *s)
{
    uint64_t room;
    s->low = s->io.room(s->dir, &room) == 0 && room < s->o.reserve_bytes;
}

static void pause_for(sy_spool *s, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int rc = 0;
    while (rc == 0 && !s->ending && s->n_retired < RETIRED / 2) {
        rc = pthread_cond_timedwait(&s->work, &s->mu, &until);
    }
}

static void *sync_main(void *arg)
{
    sy_spool *s = arg;
    sy_thread_name("sy-spool-sync");
    int step = s->o.sync_ms / 2 > 0 ? s->o.sync_ms / 2 : 1;
    uint64_t before = load(&s->o.page->from) - 1, synced = before; /* nothing is written yet */
    sy_ms looked = sy_mono_ms();
    pthread_mutex_lock(&s->mu);
    while (!s->ending) {
        pause_for(s, step);
        uint64_t taken = load(&s->o.page->taken), now = load(&s->o.page->appended);
        /* Half an interval old and not taken: sync. */
        if ((before > synced && taken < before) || s->n_retired >= RETIRED / 2) {
            sync_round(s);
            synced = s->suspect ? synced : now;
        }
        before = now;
        if (sy_mono_ms() - looked >= LOOK_MS) {
            look_for_room(s);
            looked = sy_mono_ms();
        }
    }
    sync_round(s);
    pthread_mutex_unlock(&s->mu);
    return NULL;
}

/* ---- the segments ---- */

/* The folder as it is found: its bytes, and the first number that is free. */
static sy_err survey(sy_spool *s, uint64_t *from, sy_fail *f)
{
    uint64_t bytes = 0, highest = s->o.floor;
    int fd = dup(s->dir_fd);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0) {
            close(fd);
        }
        return sy_fail_sys(f, "cannot list %s", s->dir);
    }
    rewinddir(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        uint64_t first;
        uint32_t salt;
        struct stat st;
        if (sy_spool_parse_name(entry->d_name, &first, &salt) &&
            fstatat(s->dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            bytes += (uint64_t)st.st_size;
            highest = highest > first + SY_SPOOL_RUN ? highest : first + SY_SPOOL_RUN;
        }
    }
    closedir(d);
    *from = (highest / SY_SPOOL_RUN + 1) * SY_SPOOL_RUN;
    s->base = bytes + load(&s->o.page->removed);
    return SY_OK;
}

/* What is in the spool now. */
static uint64_t held(const sy_spool *s)
{
    uint64_t all = s->base + s->written, removed = load(&s->o.page->removed);
    return all > removed ? all - removed : 0;
}

static sy_err failed_write(sy_spool *s, const char *what, int error, sy_fail *f)
{
    bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return sy_fail_make(f, full ? SY_E_FULL : SY_E_IO, error, SY_AT, "cannot %s in %s: %s", what,
                        s->dir, strerror(error));
}

/* What was reserved beyond the end. */
static void give_back(sy_spool *s)
{
    if (s->o.strict && s->cur.fd >= 0) {
        (void)!ftruncate(s->cur.fd, (off_t)s->end);
    }
}

/* Hand the full one to the thread; waits while that is far behind. */
static void retire(sy_spool *s)
{
    give_back(s);
    pthread_mutex_lock(&s->mu);
    while (s->n_retired == RETIRED) {
        pthread_cond_signal(&s->work);
        pthread_cond_wait(&s->room, &s->mu);
    }
    s->retired[s->n_retired++] = s->cur;
    s->syncing.fd = s->cur.fd = -1;
    if (s->n_retired >= RETIRED / 2) {
        pthread_cond_signal(&s->work);
    }
    pthread_mutex_unlock(&s->mu);
}

/* A new segment. `prove`: it must be seen to reach the disk before anything is trusted to it. */
static sy_err roll(sy_spool *s, bool prove, sy_fail *f)
{
    char name[SY_SPOOL_NAME];
    unsigned char head[SY_SPOOL_HEADER];
    if (s->cur.fd >= 0) {
        retire(s);
    }
    sy_random(&s->salt, sizeof s->salt);
    sy_spool_name(s->next, s->salt, name);
    sy_spool_encode_header(s->next, s->salt, head);
    int fd = openat(s->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return failed_write(s, "make a segment", errno, f);
    }
    struct iovec iov = {head, sizeof head};
    /* A sync of a file that does not grow is cheaper. */
    errno = s->o.strict ? posix_fallocate(fd, 0, (off_t)s->o.segment_bytes) : 0;
    bool ok = errno == 0 && s->io.write(fd, &iov, 1, 0) == (ssize_t)sizeof head &&
              (!prove || (s->io.sync(fd) == 0 && s->io.sync(s->dir_fd) == 0));
    if (!ok) {
        sy_err e = failed_write(s, "fill a segment", errno ? errno : ENOSPC, f);
        close(fd);
        unlinkat(s->dir_fd, name, 0);
        return e;
    }
    s->cur = (segment){fd, s->next - 1};
    s->end = SY_SPOOL_HEADER;
    s->written += SY_SPOOL_HEADER;
    pthread_mutex_lock(&s->mu);
    s->syncing = s->cur;
    s->dir_dirty = !prove;
    s->suspect = s->suspect && !prove;
    pthread_mutex_unlock(&s->mu);
    return SY_OK;
}

/* May it come in? */
static sy_err admit(sy_spool *s, size_t length, bool *suspect, sy_fail *f)
{
    pthread_mutex_lock(&s->mu);
    bool low = s->low;
    *suspect = s->suspect;
    pthread_mutex_unlock(&s->mu);
    if (low) {
        return sy_fail_set(f, SY_E_FULL, "less than %llu MiB are free on the disk of %s",
                           (unsigned long long)s->o.reserve_bytes >> 20, s->dir);
    }
    if (held(s) + length > s->o.max_bytes) {
        return sy_fail_set(f, SY_E_FULL,
                           "%s holds %llu MiB that the gateway has not taken, the most it may",
                           s->dir, (unsigned long long)s->o.max_bytes >> 20);
    }
    return SY_OK;
}

static sy_err put(sy_spool *s, const sy_spool_rec *rec, size_t length, sy_fail *f)
{
    unsigned char head[SY_SPOOL_RECORD];
    sy_spool_encode(rec, s->salt, head);
    const sy_span parts[] = {rec->topic, rec->client, rec->user, rec->payload};
    struct iovec iov[5] = {{head, sizeof head}};
    int n = 1;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].n) {
            iov[n++] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].n};
        }
    }
    ssize_t got;
    do {
        errno = 0;
        got = s->io.write(s->cur.fd, iov, n, (off_t)s->end);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)length) {
        sy_err e = failed_write(s, "write", got < 0 ? errno : ENOSPC, f);
        (void)!ftruncate(s->cur.fd, (off_t)s->end); /* a next record is written over it */
        return e;
    }
    bool dir = true;
    pthread_mutex_lock(&s->mu);
    dir = s->dir_dirty;
    s->dir_dirty = dir && !s->o.strict;
    pthread_mutex_unlock(&s->mu);
    if (s->o.strict && (s->io.sync(s->cur.fd) != 0 || (dir && s->io.sync(s->dir_fd) != 0))) {
        return failed_write(s, "sync", errno, f);
    }
    return SY_OK;
}

static sy_err append(sy_spool *s, sy_spool_rec *rec, size_t length, sy_fail *f)
{
    bool suspect = false;
    sy_err e = admit(s, length, &suspect, f);
    if (!e && (suspect || s->cur.fd < 0 ||
               (s->end + length > s->o.segment_bytes && s->end > SY_SPOOL_HEADER))) {
        e = roll(s, suspect, f);
    }
    if (e) {
        return e;
    }
    rec->number = s->next;
    e = put(s, rec, length, f);
    if (e) {
        if (e == SY_E_IO) { /* this segment is not to be trusted, the record in it not promised */
            s->cur.last = s->next++;
            pthread_mutex_lock(&s->mu);
            s->suspect = true;
            pthread_mutex_unlock(&s->mu);
        }
        return e;
    }
    s->end += length;
    s->written += length;
    s->cur.last = s->next++;
    store(&s->o.page->bytes, s->base + s->written);
    atomic_store(&s->o.page->appended, rec->number); /* in order with `waiting`: see wake */
    return SY_OK;
}

static void tell(sy_spool *s, sy_spool_state state, const char *why)
{
    if (state != s->told && s->o.say) {
        s->o.say(s->o.ctx, state, why);
    }
    s->told = state;
    store(&s->o.page->state, (uint64_t)state);
}

static void wake(sy_spool *s)
{
    if (s->o.wake_fd >= 0 && atomic_exchange(&s->o.page->waiting, 0)) {
        eventfd_write(s->o.wake_fd, 1);
    }
}

sy_err sy_spool_append(sy_spool *s, sy_spool_rec *rec, sy_fail *f)
{
    size_t length = sy_spool_length(rec);
    if (length == 0) {
        return sy_fail_set(f, SY_E_RANGE, "a message of %zu bytes is too long for the spool",
                           rec->payload.n);
    }
    sy_fail why = {0};
    sy_err e = append(s, rec, length, &why);
    if (e) {
        atomic_fetch_add(&s->o.page->refused, 1);
        tell(s, e == SY_E_FULL ? SY_SPOOL_FULL : SY_SPOOL_IO, why.text);
        if (f) {
            *f = why;
        }
        return e;
    }
    tell(s, SY_SPOOL_FINE, "");
    wake(s);
    return SY_OK;
}

/* ---- open and close ---- */

static void destroy(sy_spool *s)
{
    if (s->cur.fd >= 0) {
        close(s->cur.fd);
    }
    if (s->dir_fd >= 0) {
        close(s->dir_fd);
    }
    pthread_cond_destroy(&s->room);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->mu);
    free(s->dir);
    free(s);
}

static sy_err start(sy_spool *s, sy_fail *f)
{
    uint64_t from = 0;
    sy_err e = sy_dir_make(s->dir, f);
    s->dir_fd = e ? -1 : open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!e && s->dir_fd < 0) {
        e = sy_fail_sys(f, "cannot open %s", s->dir);
    }
    e = e ? e : survey(s, &from, f);
    if (e) {
        return e;
    }
    s->next = from;
    look_for_room(s);
    store(&s->o.page->bytes, s->base + s->written);
    store(&s->o.page->appended, from - 1);
    store(&s->o.page->from, from);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&s->thread, NULL, sync_main, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->threaded = rc == 0;
    return rc ? sy_fail_make(f, SY_E_NOMEM, rc, SY_AT, "cannot start the spool's sync thread")
              : SY_OK;
}

sy_err sy_spool_open(sy_spool **out, const sy_spool_options *o, const sy_spool_io *io, sy_fail *f)
{
    sy_spool *s = calloc(1, sizeof *s);
    if (!s) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the spool");
    }
    s->o = *o;
    s->o.max_bytes = o->max_bytes ? o->max_bytes : (uint64_t)256 << 20;
    s->o.reserve_bytes = o->reserve_bytes ? o->reserve_bytes : (uint64_t)64 << 20;
    s->o.segment_bytes = o->segment_bytes ? o->segment_bytes : SY_SPOOL_SEGMENT;
    s->o.sync_ms = o->sync_ms > 0 ? o->sync_ms : 250;
    s->io = *io;
    s->dir_fd = s->cur.fd = s->syncing.fd = -1;
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->mu, NULL);
    pthread_cond_init(&s->work, &mono);
    pthread_cond_init(&s->room, &mono);
    pthread_condattr_destroy(&mono);
    s->dir = strdup(o->dir);
    sy_err e = s->dir ? start(s, f) : sy_fail_set(f, SY_E_NOMEM, "no memory for the spool");
    if (e) {
        destroy(s);
        return e;
    }
    *out = s;
    return SY_OK;
}

void sy_spool_close(sy_spool *s)
{
    if (!s) {
        return;
    }
    pthread_mutex_lock(&s->mu);
    s->ending = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->mu);
    pthread_join(s->thread, NULL);
    give_back(s);
    destroy(s);
}
