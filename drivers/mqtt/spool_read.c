/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the spool while the broker's plugin writes it, and after either of the two has died.
 *
 * A segment is finished when a newer one stands beside it or a newer run of the broker has begun:
 * it is read to its end, around what is damaged. The segment that is being written is read only up
 * to the last number that the writer calls whole, so that a record half written is never looked at.
 * Every byte is hostile: sizes are bounded before anything is read, and a file that is no plain
 * file is passed over.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/mqtt/spool.h"

enum {
    WINDOW = 256 << 10,
    KEPT_ASIDE = 8,
    MARK_BYTES = 20,
    SEARCH_BYTES = 256 << 20 /* checksummed in one search, at most */
};

typedef struct segment {
    uint64_t first;
    uint32_t salt;
    bool read;    /* to its end */
    bool damaged; /* to be set aside */
    bool foreign; /* of a newer version: stays where it is */
} segment;

struct sy_spool_reader {
    char *dir;
    int dir_fd;
    const sy_spool_page *page;
    segment *v; /* ascending */
    size_t n, cap;
    size_t at; /* the one that is being read */
    int fd;
    uint64_t entered; /* first number of the newest segment that was opened */
    uint64_t next;    /* no smaller number is taken from here on */
    size_t off, limit;
    unsigned char *buf; /* n_buf bytes of the file from buf_at */
    size_t cap_buf, buf_at, n_buf;
    int error;   /* of the last read, 0: none */
    size_t work; /* bytes checksummed since off last moved */
    sy_spool_counts counts;
};

/* ---- the folder ---- */

static int by_first(const void *a, const void *b)
{
    const segment *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static segment *known(sy_spool_reader *r, uint64_t first)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->v[i].first == first) {
            return &r->v[i];
        }
    }
    return NULL;
}

/* Add what is new in the folder. The writer makes segments with ascending numbers: what is at or
 * behind the newest one that was opened has been read, even where it could not be deleted. */
static sy_err list(sy_spool_reader *r, sy_fail *f)
{
    int fd = dup(r->dir_fd);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        sy_err e = sy_fail_sys(f, "cannot list %s", r->dir);
        if (fd >= 0) {
            close(fd);
        }
        return e;
    }
    rewinddir(d);
    sy_err e = SY_OK;
    for (struct dirent *entry; !e && (entry = readdir(d));) {
        segment s = {0};
        if (!sy_spool_parse_name(entry->d_name, &s.first, &s.salt) || s.first <= r->entered ||
            known(r, s.first)) {
            continue;
        }
        e = sy_grow(sy_heap(), (void **)&r->v, &r->cap, r->n + 1, sizeof *r->v);
        if (e) {
            sy_fail_set(f, e, "no memory for the list of %s", r->dir);
        } else {
            r->v[r->n++] = s;
        }
    }
    closedir(d);
    if (r->n > 1) {
        qsort(r->v, r->n, sizeof *r->v, by_first);
    }
    return e;
}

static bool finished(const sy_spool_reader *r, size_t i)
{
    return !r->page || i + 1 < r->n ||
           r->v[i].first < atomic_load_explicit(&r->page->from, memory_order_acquire);
}

/* ---- a segment's bytes ---- */

/* n bytes at off, or NULL: behind the end, no memory, or r->error. */
static const unsigned char *bytes(sy_spool_reader *r, size_t off, size_t n)
{
    if (n > r->limit || off > r->limit - n) {
        return NULL;
    }
    if (off >= r->buf_at && off + n <= r->buf_at + r->n_buf) {
        return r->buf + (off - r->buf_at);
    }
    size_t want = n > WINDOW ? n : WINDOW;
    if (want > r->cap_buf) {
        unsigned char *p = realloc(r->buf, want);
        if (!p) {
            r->error = ENOMEM;
            return NULL;
        }
        r->buf = p;
        r->cap_buf = want;
    }
    r->buf_at = off;
    r->n_buf = 0;
    size_t most = r->limit - off < r->cap_buf ? r->limit - off : r->cap_buf;
    while (r->n_buf < n) {
        ssize_t got = pread(r->fd, r->buf + r->n_buf, most - r->n_buf, (off_t)(off + r->n_buf));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            r->error = got < 0 ? errno : 0;
            return NULL;
        }
        r->n_buf += (size_t)got;
    }
    return r->buf;
}

static void leave(sy_spool_reader *r)
{
    if (r->fd >= 0) {
        close(r->fd);
    }
    r->fd = -1;
    r->n_buf = 0;
}

/* How much of the file there is now; what is beyond the bound is not looked at. */
static bool measure(sy_spool_reader *r)
{
    struct stat st;
    if (fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    r->limit = st.st_size < SY_SPOOL_MAX_SEGMENT ? (size_t)st.st_size : SY_SPOOL_MAX_SEGMENT;
    return true;
}

static sy_err enter(sy_spool_reader *r, sy_fail *f)
{
    segment *s = &r->v[r->at];
    char name[SY_SPOOL_NAME];
    sy_spool_name(s->first, s->salt, name);
    r->entered = s->first;
    r->fd = openat(r->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (r->fd < 0) {
        return sy_fail_sys(f, "cannot open %s/%s", r->dir, name);
    }
    if (!measure(r)) {
        return sy_fail_set(f, SY_E_IO, "%s/%s is no plain file", r->dir, name);
    }
    r->n_buf = 0;
    r->error = 0;
    r->off = SY_SPOOL_HEADER;
    r->next = r->next > s->first ? r->next : s->first;
    const unsigned char *head = bytes(r, 0, SY_SPOOL_HEADER);
    if (head && !sy_spool_header_known(head)) {
        s->foreign = true;
        return sy_fail_set(f, SY_E_UNSUPPORTED, "%s/%s was written by a newer version", r->dir,
                           name);
    }
    return r->error ? sy_fail_sys(f, "cannot read %s/%s", r->dir, name) : SY_OK;
}

/* The record at off; false where there is none that is valid and new. */
static bool record(sy_spool_reader *r, size_t off, sy_spool_rec *rec, size_t *length)
{
    uint64_t number = 0, first = r->v[r->at].first;
    const unsigned char *head = bytes(r, off, SY_SPOOL_RECORD);
    size_t n = head ? sy_spool_peek(head, &number) : 0;
    if (n == 0 || number < r->next || number - first >= SY_SPOOL_RUN) {
        return false;
    }
    head = bytes(r, off, n);
    r->work += n;
    return head && sy_spool_decode((sy_span){(const char *)head, n}, r->v[r->at].salt, rec, length);
}

/* Behind a damaged stretch: the next valid record. */
static bool find(sy_spool_reader *r, size_t off, size_t *found)
{
    sy_spool_rec rec;
    size_t length;
    r->work = 0;
    for (; off + SY_SPOOL_RECORD <= r->limit && !r->error && r->work < SEARCH_BYTES; off++) {
        if (record(r, off, &rec, &length)) {
            *found = off;
            return true;
        }
    }
    return false;
}

/* Not an empty tail: bytes that are no record. */
static bool dirty(sy_spool_reader *r, size_t off)
{
    for (; off < r->limit; off++) {
        const unsigned char *p = bytes(r, off, 1);
        if (!p || *p) {
            return true;
        }
    }
    return false;
}

/* No valid record at r->off in a finished segment. */
static sy_err pass(sy_spool_reader *r, sy_fail *f)
{
    segment *s = &r->v[r->at];
    size_t found = 0, from = r->off;
    bool more = find(r, r->off + 1, &found);
    if (r->error || more) {
        r->counts.damaged += !s->damaged;
        s->damaged = true;
    }
    if (more) {
        r->off = found;
        return sy_fail_set(f, SY_E_CORRUPT, "%s: segment %016llx is damaged from byte %zu to %zu",
                           r->dir, (unsigned long long)s->first, from, found);
    }
    s->read = true;
    if (r->error) {
        errno = r->error;
        return sy_fail_sys(f, "%s: cannot read segment %016llx behind byte %zu", r->dir,
                           (unsigned long long)s->first, from);
    }
    r->counts.torn += dirty(r, r->off);
    return SY_OK;
}

/* Turn to the next segment. SY_E_AGAIN: there is none. */
static sy_err advance(sy_spool_reader *r, sy_fail *f)
{
    leave(r);
    if (r->at < r->n && r->v[r->at].read) {
        r->at++;
    }
    if (r->at >= r->n) {
        sy_err e = list(r, f);
        if (e || r->at >= r->n) {
            return e ? e : SY_E_AGAIN;
        }
    }
    sy_err e = enter(r, f);
    if (e) {
        r->counts.damaged += !r->v[r->at].damaged;
        r->v[r->at].damaged = r->v[r->at].read = true;
    }
    return e;
}

/* The writer calls numbers up to `appended` whole; the next of them must be in this segment, or a
 * newer one was begun. True: look again, as a finished one. */
static bool moved_on(sy_spool_reader *r)
{
    sy_fail f;
    return list(r, &f) == SY_OK && finished(r, r->at);
}

sy_err sy_spool_next(sy_spool_reader *r, sy_spool_rec *rec, sy_fail *f)
{
    for (;;) {
        if (r->at >= r->n || r->fd < 0 || r->v[r->at].read) {
            sy_err e = advance(r, f);
            if (e) {
                return e;
            }
        }
        bool done = finished(r, r->at);
        if (!done && atomic_load_explicit(&r->page->appended, memory_order_acquire) < r->next) {
            return SY_E_AGAIN;
        }
        size_t length = 0;
        if (!measure(r)) {
            r->limit = 0;
        }
        r->error = 0;
        bool got = record(r, r->off, rec, &length);
        if (!got) { /* what was read ahead may be of a time before it was whole */
            r->n_buf = 0;
            got = record(r, r->off, rec, &length);
        }
        if (got) {
            r->off += length;
            r->next = rec->number + 1;
            return SY_OK;
        }
        if (done) {
            sy_err e = pass(r, f);
            if (e) {
                return e;
            }
        } else if (!moved_on(r)) {
            r->n_buf = 0;
            return SY_E_AGAIN;
        }
    }
}

/* ---- what is done with ---- */

static unsigned set_aside(sy_spool_reader *r)
{
    unsigned n = 0;
    int fd = dup(r->dir_fd);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d && fd >= 0) {
        close(fd);
    }
    if (d) {
        rewinddir(d);
        for (struct dirent *entry; (entry = readdir(d));) {
            n += strstr(entry->d_name, ".damaged") != NULL;
        }
        closedir(d);
    }
    return n;
}

uint64_t sy_spool_drop(sy_spool_reader *r, uint64_t number)
{
    uint64_t gone = 0;
    while (r->at > 0 && r->next > 0) {
        /* The first segment is read; its last number is below the first of the next one. */
        const segment *s = &r->v[0];
        uint64_t last = r->n > 1 ? r->v[1].first - 1 : r->next - 1;
        last = last < r->next - 1 ? last : r->next - 1;
        if (!s->read || last > number) {
            break;
        }
        char name[SY_SPOOL_NAME], aside[SY_SPOOL_NAME + 8];
        struct stat st;
        sy_spool_name(s->first, s->salt, name);
        snprintf(aside, sizeof aside, "%.25s.damaged", name);
        if (fstatat(r->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
            gone += (uint64_t)st.st_size;
        }
        bool keep = s->foreign || (s->damaged && set_aside(r) < KEPT_ASIDE &&
                                   renameat(r->dir_fd, name, r->dir_fd, aside) == 0);
        if (!keep) {
            unlinkat(r->dir_fd, name, 0);
        }
        memmove(r->v, r->v + 1, (r->n - 1) * sizeof *r->v);
        r->n--;
        r->at--;
    }
    return gone;
}

sy_spool_counts sy_spool_counts_of(const sy_spool_reader *r)
{
    return r->counts;
}

sy_err sy_spool_reader_open(sy_spool_reader **out, const char *dir, const sy_spool_page *page,
                            sy_fail *f)
{
    sy_spool_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->dir = strdup(dir))) {
        free(r);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the spool");
    }
    r->page = page;
    r->fd = -1;
    r->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sy_err e = r->dir_fd < 0 ? sy_fail_sys(f, "cannot open %s", dir) : list(r, f);
    if (e) {
        sy_spool_reader_close(r);
        return e;
    }
    *out = r;
    return SY_OK;
}

void sy_spool_reader_close(sy_spool_reader *r)
{
    if (!r) {
        return;
    }
    leave(r);
    if (r->dir_fd >= 0) {
        close(r->dir_fd);
    }
    free(r->buf);
    free(r->v);
    free(r->dir);
    free(r);
}

/* ---- the mark: "SYMARK1\n", number, CRC-32C of both ---- */

static void encode_mark(uint64_t number, unsigned char out[MARK_BYTES])
{
    memcpy(out, "SYMARK1\n", 8);
    for (int i = 0; i < 8; i++) {
        out[8 + i] = (unsigned char)(number >> (8 * i));
    }
    uint32_t crc = sy_crc32c_fast(0, out, 16);
    for (int i = 0; i < 4; i++) {
        out[16 + i] = (unsigned char)(crc >> (8 * i));
    }
}

static int open_mark(const char *dir, int flags)
{
    char path[4200];
    int n = snprintf(path, sizeof path, "%s/mark", dir);
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
}

uint64_t sy_spool_mark(const char *dir)
{
    unsigned char in[MARK_BYTES], good[MARK_BYTES];
    int fd = open_mark(dir, O_RDONLY);
    ssize_t n = fd >= 0 ? pread(fd, in, sizeof in, 0) : -1;
    if (fd >= 0) {
        close(fd);
    }
    uint64_t number = 0;
    for (int i = 0; n == MARK_BYTES && i < 8; i++) {
        number |= (uint64_t)in[8 + i] << (8 * i);
    }
    encode_mark(number, good);
    return n == MARK_BYTES && memcmp(in, good, sizeof in) == 0 && number < SY_SPOOL_NUMBERS ? number
                                                                                            : 0;
}

sy_err sy_spool_set_mark(const char *dir, uint64_t number, sy_fail *f)
{
    unsigned char out[MARK_BYTES];
    encode_mark(number, out);
    int fd = open_mark(dir, O_WRONLY | O_CREAT);
    ssize_t n = fd >= 0 ? pwrite(fd, out, sizeof out, 0) : -1;
    bool ok = n == MARK_BYTES && fdatasync(fd) == 0;
    sy_err e = ok ? SY_OK : sy_fail_sys(f, "cannot write %s/mark", dir);
    if (fd >= 0) {
        close(fd);
    }
    return e;
}
