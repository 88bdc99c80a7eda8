/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's reader: whole records in order, from big blocks of the page cache, beside the
 * writer or without one.
 *
 * With a writer it trusts exactly the bytes that the writer has finished (one look under the mutex
 * a block); without one it trusts checksums, and takes bad bytes at the very end for a record that
 * is being written. A segment may be renamed or copied under us (a damaged one, a failed sync), so
 * the next one is found by listing the folder, our own place in it by inode, and records that came
 * already are passed over by number.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "intake/journal_int.h"
#include "intake/sealed.h"

struct sy_jreader {
    sy_journal *j; /* NULL: without a writer */
    char *dir;
    int fd;
    sy_sealed *sealed; /* over fd; NULL: it is none */
    sy_jfile file;     /* the segment that we are in */
    size_t off;        /* where the next record begins */
    sy_jwin win;
    uint64_t next;  /* number of the next record to give out */
    bool begun;     /* gave one out: from now on a missing number is a loss */
    bool told;      /* the loss before `next` was reported */
    bool last_look; /* a later segment exists and the end was looked at again since */
    uint32_t salt;
    int64_t since_done; /* bytes given out since the last done */
    uint64_t done;      /* the seq of that done */
};

/* How far the bytes of our segment can be trusted. */
static sy_err look(sy_jreader *r, sy_fail *f)
{
    if (r->j) {
        pthread_mutex_lock(&r->j->mu);
        bool current = r->j->cur.fd >= 0 && r->j->cur.inode == r->file.inode;
        size_t end = r->j->cur.end;
        pthread_mutex_unlock(&r->j->mu);
        if (current) {
            r->win.limit = end;
            return SY_OK;
        }
    }
    if (r->sealed) {
        sy_jwin_sealed(&r->win, r->sealed, r->salt, sy_sealed_size(r->sealed));
        return SY_OK;
    }
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        return sy_fail_sys(f, "cannot read the journal in %s", r->dir);
    sy_jwin_set(&r->win, r->fd, r->salt, (size_t)st.st_size);
    return SY_OK;
}

/* Open the segment; *fd -1: it was renamed or sealed since the folder was listed. */
static sy_err open_file(const sy_jreader *r, const sy_jfile *file, int *fd, sy_sealed **sealed,
                        sy_fail *f)
{
    char name[SY_JNAME], path[4096];
    sy_journal__file_name(file, name);
    int n = snprintf(path, sizeof path, "%s/%s", r->dir, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return sy_fail_set(f, SY_E_RANGE, "the journal's folder name is too long");
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return errno == ENOENT ? SY_OK : sy_fail_sys(f, "cannot open journal segment %s", path);
    sy_err e = file->sealed ? sy_sealed_open(sealed, *fd, file->first, f) : SY_OK;
    if (e == SY_E_CORRUPT)
        e = SY_OK; /* no record will be found in it, and the loss is told */
    if (e)
        close(*fd);
    return e;
}

static sy_err enter(sy_jreader *r, const sy_jfile *file, sy_fail *f)
{
    int fd;
    sy_sealed *sealed = NULL;
    sy_err e = open_file(r, file, &fd, &sealed, f);
    if (e || fd < 0)
        return e; /* not there: the folder will be listed again */
    sy_sealed_close(r->sealed);
    if (r->fd >= 0)
        close(r->fd);
    r->fd = fd;
    r->sealed = sealed;
    r->file = *file;
    struct stat st;
    if (fstat(fd, &st) == 0)
        r->file.inode = st.st_ino;
    r->off = sealed ? sy_sealed_offset(sealed, r->next) : SY_JSEG_HEADER;
    r->last_look = false;
    sy_jwin_set(&r->win, fd, r->salt, 0);
    e = look(r, f);
    if (e)
        return e;
    (void)sy_jwin_header(&r->win, file->first, r->salt);
    r->salt = r->win.salt;
    r->begun = r->begun || file->first <= r->next;
    return SY_OK;
}

/* The segment to go to: at first the one that holds `next`, later the one behind ours. */
static const sy_jfile *pick(const sy_jreader *r, const sy_jfile *files, size_t n)
{
    const sy_jfile *best = n ? &files[0] : NULL;
    if (r->fd < 0) {
        for (size_t i = 0; i < n; i++)
            if (files[i].first <= r->next)
                best = &files[i];
        return best;
    }
    size_t own = n;
    for (size_t i = 0; i < n; i++)
        if (files[i].inode == r->file.inode)
            own = i;
    for (size_t i = 0; i < n; i++)
        if (own < n ? i > own : files[i].first > r->file.first)
            return &files[i];
    return NULL;
}

/* Go to the next segment. SY_E_AGAIN: there is none. */
static sy_err advance(sy_jreader *r, sy_fail *f)
{
    sy_jfile *files = NULL;
    size_t n = 0;
    sy_err e = sy_journal__list(r->dir, &files, &n, f);
    if (e)
        return e;
    const sy_jfile *to = pick(r, files, n);
    if (!to)
        e = SY_E_AGAIN;
    else if (r->fd >= 0 && !r->last_look) {
        /* The writer may have filled our segment after we looked and before it began the next. */
        r->last_look = true;
        e = look(r, f);
    } else
        e = enter(r, to, f);
    free(files);
    return e;
}

static sy_err corrupt(sy_jreader *r, sy_fail *f)
{
    r->told = true;
    return sy_fail_set(f, SY_E_CORRUPT,
                       "journal segment %016llx in %s: damaged, or gone, before record %llu",
                       (unsigned long long)r->file.first, r->dir, (unsigned long long)r->next);
}

/* Bad bytes, or an end where none is expected. */
static sy_err past_end(sy_jreader *r, bool bad, sy_fail *f)
{
    size_t found;
    if ((bad || r->file.damaged) && sy_jwin_find(&r->win, r->off + 1, r->next, &found)) {
        r->off = found;
        return SY_OK;
    }
    return advance(r, f);
}

/* There is no record at our place: look again, or go on behind it. */
static sy_err move_on(sy_jreader *r, bool bad, sy_fail *f)
{
    size_t limit = r->win.limit;
    sy_err e = look(r, f);
    return !e && r->win.limit == limit ? past_end(r, bad, f) : e;
}

sy_err sy_jreader_next(sy_jreader *r, sy_jrec *rec, sy_fail *f)
{
    for (;;) {
        uint64_t newest = r->j ? atomic_load(&r->j->seq) : UINT64_MAX;
        if (r->next > newest)
            return SY_E_AGAIN;
        size_t length = 0;
        sy_jfound found = SY_JFOUND_END;
        if (r->fd >= 0)
            found = sy_jwin_record(&r->win, r->off, rec, &length);
        if (found == SY_JFOUND_IO)
            return sy_fail_sys(f, "cannot read the journal in %s", r->dir);
        if (found != SY_JFOUND_RECORD) {
            sy_err e = r->fd >= 0 ? move_on(r, found == SY_JFOUND_BAD, f) : advance(r, f);
            if (e == SY_E_AGAIN && r->j && newest == atomic_load(&r->j->seq)) {
                e = corrupt(r, f); /* the writer counts on records that are not there */
                r->next = newest + 1;
                r->told = false;
            }
            if (e && !(e == SY_E_AGAIN && r->j))
                return e;
            continue;
        }
        if (rec->seq > r->next && r->begun && !r->told)
            return corrupt(r, f);
        r->off += length;
        r->begun = true;
        if (rec->seq < r->next)
            continue;
        r->next = rec->seq + 1;
        r->told = r->last_look = false;
        r->since_done += (int64_t)length;
        return SY_OK;
    }
}

sy_err sy_jreader_open(sy_jreader **out, sy_journal *j, const char *dir, uint64_t from_seq,
                       sy_fail *f)
{
    sy_jreader *r = calloc(1, sizeof *r);
    char *copy = r ? strdup(j ? j->dir : dir) : NULL;
    if (!copy) {
        free(r);
        return sy_fail_set(f, SY_E_NOMEM, "no memory to read the journal");
    }
    *r = (sy_jreader){.j = j, .dir = copy, .fd = -1, .next = from_seq ? from_seq : 1};
    r->done = r->next - 1;
    r->salt = j ? j->salt : 0;
    sy_jwin_init(&r->win);
    sy_jfile *files = NULL;
    size_t n;
    sy_err e = sy_journal__list(r->dir, &files, &n, f);
    free(files);
    if (e) {
        sy_jreader_close(r);
        return e;
    }
    *out = r;
    return SY_OK;
}

bool sy_jreader_wait(sy_jreader *r, int timeout_ms)
{
    struct timespec until;
    if (!r->j) {
        /* Nobody tells us: look again soon. */
        int ms = timeout_ms < 0 || timeout_ms > 50 ? 50 : timeout_ms;
        nanosleep(&(struct timespec){0, (long)ms * 1000000}, NULL);
        return true;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)(timeout_ms < 0 ? 0 : timeout_ms) * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&r->j->mu);
    r->j->waiting_readers++;
    int rc = 0;
    while (rc == 0 && atomic_load(&r->j->seq) < r->next && !r->j->shut)
        rc = timeout_ms < 0 ? pthread_cond_wait(&r->j->more, &r->j->mu)
                            : pthread_cond_timedwait(&r->j->more, &r->j->mu, &until);
    r->j->waiting_readers--;
    pthread_mutex_unlock(&r->j->mu);
    return atomic_load(&r->j->seq) >= r->next;
}

/* Bytes behind our place, roughly: what is preallocated counts. done puts it right at the end. */
static int64_t backlog(const sy_jreader *r)
{
    sy_jfile *files = NULL;
    size_t n = 0;
    if (sy_journal__list(r->dir, &files, &n, NULL))
        return 0;
    int64_t behind = 0;
    for (size_t i = 0; i < n; i++)
        if (files[i].first > r->file.first)
            behind += (int64_t)r->j->o.segment_bytes;
    free(files);
    return behind + (int64_t)(r->win.limit > r->off ? r->win.limit - r->off : 0);
}

void sy_jreader_done(sy_jreader *r, uint64_t seq)
{
    if (!r->j || seq <= r->done)
        return;
    uint64_t given = r->next - 1;
    int64_t bytes = r->since_done;
    if (seq < given)
        bytes = (int64_t)((double)bytes * (double)(seq - r->done) / (double)(given - r->done));
    int64_t behind = r->j->lag_known ? 0 : backlog(r);
    pthread_mutex_lock(&r->j->mu);
    if (!r->j->lag_known)
        r->j->lag_bytes = behind;
    else
        r->j->lag_bytes -= bytes;
    r->j->lag_known = true;
    if (seq >= atomic_load(&r->j->seq) || r->j->lag_bytes < 0)
        r->j->lag_bytes = 0;
    pthread_cond_broadcast(&r->j->room);
    pthread_mutex_unlock(&r->j->mu);
    r->since_done -= bytes;
    r->done = seq < given ? seq : given;
}

void sy_jreader_close(sy_jreader *r)
{
    if (!r)
        return;
    sy_sealed_close(r->sealed);
    if (r->fd >= 0)
        close(r->fd);
    sy_jwin_fini(&r->win);
    free(r->dir);
    free(r);
}
