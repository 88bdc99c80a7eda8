/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What open finds in the folder. Only segments that may not have been synced are looked through:
 * the last one and the few that were full but still waiting for their sync (SY_JRETIRED); older
 * ones are checked by whoever reads them.
 *
 * A tail without any valid record behind it is torn: cut and counted. Bad bytes with valid records
 * behind them are damage: the segment is renamed to .damaged, is never written again, and is still
 * read around the damage.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "intake/journal_int.h"
#include "intake/sealed.h"

void sy_journal__name(uint64_t first, unsigned damaged, char name[SY_JNAME])
{
    snprintf(name, SY_JNAME, "%016llx.%s", (unsigned long long)first, damaged ? "damaged" : "log");
    if (damaged > 1)
        snprintf(name + 24, SY_JNAME - 24, "%u", damaged % 10);
}

void sy_journal__file_name(const sy_jfile *file, char name[SY_JNAME])
{
    sy_journal__name(file->first, file->damaged, name);
    if (file->sealed)
        memcpy(name + strlen(name), "z", 2);
}

static bool parse_name(const char *name, sy_jfile *out)
{
    uint64_t first = 0;
    for (size_t i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *d = name[i] ? strchr(digits, name[i]) : NULL;
        if (!d)
            return false;
        first = first << 4 | (uint64_t)(d - digits);
    }
    out->first = first;
    const char *kind = name + 16;
    out->damaged = 0;
    if (strcmp(kind, ".damaged") == 0)
        out->damaged = 1;
    else if (strncmp(kind, ".damaged", 8) == 0 && kind[8] >= '2' && kind[8] <= '9' && !kind[9])
        out->damaged = (unsigned)(kind[8] - '0');
    out->sealed = strcmp(kind, ".logz") == 0;
    return first > 0 && (out->damaged || out->sealed || strcmp(kind, ".log") == 0);
}

/* By first number; of one number those set aside, oldest first, then the whole one. */
static int by_first(const void *a, const void *b)
{
    const sy_jfile *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    unsigned a_rank = x->damaged ? x->damaged : UINT_MAX,
             b_rank = y->damaged ? y->damaged : UINT_MAX;
    if (a_rank == b_rank)
        return (int)x->sealed - (int)y->sealed;
    return a_rank < b_rank ? -1 : 1;
}

/* Behind an original its sealed copy says nothing new. */
static size_t drop_copies(sy_jfile *files, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const sy_jfile *before = kept ? &files[kept - 1] : NULL;
        bool copy = files[i].sealed && before && before->first == files[i].first &&
                    !before->damaged && !before->sealed;
        if (!copy)
            files[kept++] = files[i];
    }
    return kept;
}

sy_err sy_journal__list_all(const char *dir, sy_jfile **files, size_t *n, sy_fail *f)
{
    DIR *d = opendir(dir);
    if (!d)
        return sy_fail_sys(f, "cannot read the journal folder %s", dir);
    size_t cap = 0;
    void *list = NULL;
    *n = 0;
    for (struct dirent *e; (e = readdir(d));) {
        sy_jfile file;
        if (!parse_name(e->d_name, &file))
            continue;
        file.inode = e->d_ino;
        if (sy_grow(sy_heap(), &list, &cap, *n + 1, sizeof file)) {
            free(list);
            closedir(d);
            return sy_fail_set(f, SY_E_NOMEM, "no memory for the list of journal segments");
        }
        ((sy_jfile *)list)[(*n)++] = file;
    }
    closedir(d);
    if (*n)
        qsort(list, *n, sizeof(sy_jfile), by_first);
    *files = list;
    return SY_OK;
}

sy_err sy_journal__list(const char *dir, sy_jfile **files, size_t *n, sy_fail *f)
{
    sy_err e = sy_journal__list_all(dir, files, n, f);
    if (!e && *n)
        *n = drop_copies(*files, *n);
    return e;
}

sy_err sy_journal__set_aside(sy_journal *j, uint64_t first, const char *why, unsigned *as,
                             sy_fail *f)
{
    char from[SY_JNAME], to[SY_JNAME];
    sy_journal__name(first, 0, from);
    int rc = -1;
    errno = EEXIST;
    for (unsigned n = 1; rc != 0 && errno == EEXIST && n < 10; n++) {
        *as = n;
        sy_journal__name(first, n, to);
        rc = renameat2(j->dir_fd, from, j->dir_fd, to, RENAME_NOREPLACE);
    }
    if (rc != 0)
        return sy_fail_sys(f, "cannot set aside the damaged journal segment %s/%s", j->dir, from);
    j->damaged++;
    sy_log(SY_LOG_ERROR, "journal-damaged", "segment=%s/%s why=\"%s\"", j->dir, to, why);
    return SY_OK;
}

/* What a look through one segment found. */
typedef struct scan {
    bool header, damaged; /* the header is good; there are valid records behind bad bytes */
    uint64_t last;        /* seq of the last valid record, 0: none */
    sy_ms last_recv;
    size_t end; /* behind the last valid record before any damage */
    bool dirty; /* bytes other than zero behind it */
    uint64_t inode;
} scan;

static sy_err scan_segment(sy_journal *j, int fd, const sy_jfile *file, sy_jwin *w, scan *s,
                           sy_fail *f)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return sy_fail_sys(f, "cannot read a journal segment in %s", j->dir);
    *s = (scan){.end = SY_JSEG_HEADER, .inode = st.st_ino};
    sy_jwin_set(w, fd, j->salt, (size_t)st.st_size);
    s->header = sy_jwin_header(w, file->first, j->salt);
    j->salt = w->salt;
    uint64_t next = file->first;
    size_t off = SY_JSEG_HEADER;
    for (bool bad = !s->header;;) {
        sy_jrec rec;
        size_t length;
        sy_jfound found = sy_jwin_record(w, off, &rec, &length);
        if (found == SY_JFOUND_IO)
            return sy_fail_sys(f, "cannot read a journal segment in %s", j->dir);
        if (found == SY_JFOUND_RECORD && rec.seq >= next) {
            s->damaged = s->damaged || bad;
            s->last = rec.seq;
            s->last_recv = rec.recv;
            next = rec.seq + 1;
            off += length;
            if (!s->damaged)
                s->end = off;
            continue;
        }
        bad = true;
        if (!sy_jwin_find(w, off + 1, next, &off))
            break;
    }
    s->dirty = sy_jwin_dirty(w, s->end);
    return SY_OK;
}

/* Take the newest segment up again: cut what is torn, preallocate anew. */
static sy_err resume(sy_journal *j, int fd, const sy_jfile *file, const scan *s, sy_fail *f)
{
    if (s->dirty) {
        j->torn++;
        sy_log(SY_LOG_WARN, "journal-torn", "dir=%s seq=%llu msg=\"torn tail cut\"", j->dir,
               (unsigned long long)s->last);
        if (ftruncate(fd, (off_t)s->end) != 0)
            return sy_fail_sys(f, "cannot cut the torn tail of a journal segment in %s", j->dir);
    }
    if (s->end < j->o.segment_bytes) {
        /* Without room the records that fit no more will ask for a new segment, and wait there. */
        errno = j->io.reserve(fd, (off_t)j->o.segment_bytes);
        if (errno)
            sy_log(SY_LOG_WARN, "journal-reserve", "dir=%s errno=%d", j->dir, errno);
    }
    j->cur = (sy_jsegment){.fd = fd, .first = file->first, .inode = s->inode, .end = s->end};
    return SY_OK;
}

/* A sealed segment was checked when it was made, and nothing is written to it. */
static sy_err take_sealed(sy_journal *j, const sy_jfile *file, scan *s, sy_fail *f)
{
    char name[SY_JNAME];
    sy_journal__file_name(file, name);
    int fd = openat(j->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sy_fail_sys(f, "cannot open journal segment %s/%s", j->dir, name);
    sy_sealed *z = NULL;
    sy_err e = sy_sealed_open(&z, fd, file->first, f);
    const sy_seal *seal = e ? NULL : sy_sealed_seal(z);
    if (seal) {
        j->salt = seal->salt;
        s->last = seal->last;
        s->last_recv = seal->to;
    } else if (!e || e == SY_E_CORRUPT) {
        e = SY_OK; /* its readers tell the loss */
    }
    sy_sealed_close(z);
    close(fd);
    return e;
}

/* One segment; `newest` may be written to again. `next` is the first number of what follows it. */
static sy_err check(sy_journal *j, const sy_jfile *file, bool newest, uint64_t next, sy_jwin *w,
                    scan *s, sy_fail *f)
{
    char name[SY_JNAME];
    sy_journal__name(file->first, file->damaged, name);
    int fd = openat(j->dir_fd, name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return sy_fail_sys(f, "cannot open journal segment %s/%s", j->dir, name);
    sy_err e = scan_segment(j, fd, file, w, s, f);
    unsigned as;
    uint64_t last = s->last ? s->last : file->first - 1;
    const char *why = s->damaged ? "bad bytes before valid records" : NULL;
    if (!e && !newest && last + 1 != next && !file->damaged && !why)
        why = "records are missing at its end";
    if (!e && newest && !s->header && !why && s->dirty)
        why = "nothing in it can be read";
    if (e || file->damaged)
        ;
    else if (why)
        e = sy_journal__set_aside(j, file->first, why, &as, f);
    else if (newest && !s->header) {
        /* Power went before anything of it was on the disk. */
        if (unlinkat(j->dir_fd, name, 0) != 0)
            e = sy_fail_sys(f, "cannot remove the empty journal segment %s/%s", j->dir, name);
    } else if (newest && last >= j->o.after_seq)
        /* Else the store knows of records that are gone here: go on in a new segment. */
        e = resume(j, fd, file, s, f);
    if (j->cur.fd != fd) {
        fdatasync(fd);
        close(fd);
    }
    return e;
}

static uint64_t at_least(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

sy_err sy_journal__recover(sy_journal *j, sy_ms *last, sy_fail *f)
{
    sy_jfile *files = NULL;
    size_t n = 0;
    sy_err e = sy_journal__list(j->dir, &files, &n, f);
    if (e)
        return e;
    sy_jwin w;
    sy_jwin_init(&w);
    uint64_t seq = j->o.after_seq;
    size_t from = n > SY_JCHECKED ? n - SY_JCHECKED : 0;
    /* The salt of the newest damaged header comes from a neighbour: look at the oldest first. */
    for (size_t i = from; i < n && !e; i++) {
        scan s = {0};
        uint64_t next = i + 1 < n ? files[i + 1].first : 0;
        e = files[i].sealed ? take_sealed(j, &files[i], &s, f)
                            : check(j, &files[i], i + 1 == n, next, &w, &s, f);
        if (!e && s.last) {
            seq = at_least(seq, s.last);
            *last = s.last_recv;
        }
        seq = at_least(seq, files[i].first - 1);
    }
    sy_jwin_fini(&w);
    free(files);
    while (!e && j->salt == 0) {
        j->salt = j->io.salt;
        if (j->salt == 0)
            sy_random(&j->salt, sizeof j->salt);
    }
    if (!e)
        e = sy_dir_sync(j->dir, f);
    if (!e && j->cur.fd >= 0 && fdatasync(j->cur.fd) != 0)
        e = sy_fail_sys(f, "cannot sync the journal in %s", j->dir);
    j->cur.synced_end = j->cur.end;
    atomic_store(&j->seq, seq);
    atomic_store(&j->synced, seq);
    return e;
}
