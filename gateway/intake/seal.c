/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: a full segment of the journal becomes a compressed one beside it, which is read back
 * before it counts. Whoever asks for it removes the original afterwards; until then both are there,
 * and the original is the one that is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "intake/journal_int.h"
#include "intake/sealed.h"

enum { LEVEL = 6 };

typedef struct sealer {
    int fd;      /* of the temporary file */
    uint64_t at; /* where the next frame goes */
    sy_seal seal;
    sy_merkle tree;
    sy_buf frame, index;
    uint64_t frame_first;
    ZSTD_CCtx *cctx;
    unsigned char *packed;
    size_t packed_cap;
} sealer;

static sy_err end_frame(sealer *s, sy_fail *f)
{
    if (s->frame.failed || !s->frame.n)
        return s->frame.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory to seal a segment") : SY_OK;
    size_t most = ZSTD_compressBound(s->frame.n);
    if (most > s->packed_cap) {
        unsigned char *bigger = realloc(s->packed, most);
        if (!bigger)
            return sy_fail_set(f, SY_E_NOMEM, "no memory to seal a segment");
        s->packed = bigger;
        s->packed_cap = most;
    }
    size_t n = ZSTD_compress2(s->cctx, s->packed, s->packed_cap, s->frame.p, s->frame.n);
    if (ZSTD_isError(n))
        return sy_fail_set(f, SY_E_NOMEM, "cannot compress a journal segment: %s",
                           ZSTD_getErrorName(n));
    sy_err e = sy_write_all(s->fd, s->packed, n, f);
    if (e)
        return e;
    sy_buf_u64(&s->index, s->at);
    sy_buf_u64(&s->index, s->frame_first);
    sy_buf_u32(&s->index, (uint32_t)n);
    sy_buf_u32(&s->index, (uint32_t)s->frame.n);
    sy_buf_u32(&s->index, sy_crc32c_fast(0, s->packed, n));
    s->at += n;
    s->seal.frames++;
    s->seal.raw += s->frame.n;
    sy_buf_reset(&s->frame);
    return SY_OK;
}

static sy_err add_record(sealer *s, const sy_jrec *rec, sy_span bytes, sy_fail *f)
{
    sy_err e = SY_OK;
    if (s->frame.n && s->frame.n + bytes.n > SY_SEAL_FRAME)
        e = end_frame(s, f);
    if (e)
        return e;
    if (!s->frame.n)
        s->frame_first = rec->seq;
    sy_buf_span_put(&s->frame, bytes);
    sy_digest leaf = sy_merkle_leaf(bytes);
    sy_merkle_add(&s->tree, &leaf);
    if (rec->recv != SY_MS_NONE) { /* before the first mark of a replay there is no time */
        if (s->seal.from == SY_MS_NONE || rec->recv < s->seal.from)
            s->seal.from = rec->recv;
        if (rec->recv > s->seal.to)
            s->seal.to = rec->recv;
    }
    s->seal.records++;
    return SY_OK;
}

static sy_err damaged(uint64_t first, const char *what, sy_fail *f)
{
    return sy_fail_set(f, SY_E_CORRUPT, "journal segment %016llx: %s", (unsigned long long)first,
                       what);
}

/* Every record of the original; all of them must be there. */
static sy_err take_records(sealer *s, sy_jwin *w, sy_fail *f)
{
    if (!sy_jwin_header(w, s->seal.first, 0))
        return damaged(s->seal.first, "its header is damaged", f);
    s->seal.salt = w->salt;
    size_t off = SY_JSEG_HEADER;
    for (uint64_t seq = s->seal.first; seq <= s->seal.last; seq++) {
        sy_jrec rec;
        size_t length;
        sy_jfound found = sy_jwin_record(w, off, &rec, &length);
        if (found == SY_JFOUND_IO)
            return sy_fail_sys(f, "cannot read journal segment %016llx",
                               (unsigned long long)s->seal.first);
        if (found != SY_JFOUND_RECORD || rec.seq != seq)
            return damaged(s->seal.first, "records are missing or damaged", f);
        const unsigned char *bytes = sy_jwin_get(w, off, length);
        sy_err e = bytes ? add_record(s, &rec, (sy_span){(const char *)bytes, length}, f)
                         : damaged(s->seal.first, "it cannot be read", f);
        if (e)
            return e;
        off += length;
    }
    return SY_OK;
}

static sy_err finish(sealer *s, sy_fail *f)
{
    sy_err e = end_frame(s, f);
    if (e)
        return e;
    if (s->index.failed)
        return sy_fail_set(f, SY_E_NOMEM, "no memory to seal a segment");
    s->seal.root = sy_merkle_root(&s->tree);
    unsigned char h[SY_SEAL_HEADER];
    sy_seal_encode(h, &s->seal, sy_crc32c_fast(0, s->index.p, s->index.n));
    e = sy_write_all(s->fd, s->index.p, s->index.n, f);
    if (!e)
        e = sy_write_all(s->fd, h, sizeof h, f);
    if (!e && pwrite(s->fd, h, sizeof h, 0) != (ssize_t)sizeof h)
        e = sy_fail_sys(f, "cannot write");
    if (!e && fsync(s->fd) != 0)
        e = sy_fail_sys(f, "cannot sync");
    s->at += s->index.n + sizeof h;
    return e;
}

static sy_err open_sealer(sealer *s, const char *path, sy_fail *f)
{
    sy_buf_init(&s->frame, sy_heap());
    sy_buf_init(&s->index, sy_heap());
    sy_merkle_init(&s->tree);
    s->at = SY_SEAL_HEADER;
    s->cctx = ZSTD_createCCtx();
    if (!s->cctx || ZSTD_isError(ZSTD_CCtx_setParameter(s->cctx, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(s->cctx, ZSTD_c_checksumFlag, 1)))
        return sy_fail_set(f, SY_E_NOMEM, "no memory to seal a segment");
    s->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (s->fd < 0 || lseek(s->fd, SY_SEAL_HEADER, SEEK_SET) < 0)
        return sy_fail_sys(f, "cannot create");
    return SY_OK;
}

static void close_sealer(sealer *s)
{
    if (s->fd >= 0)
        close(s->fd);
    ZSTD_freeCCtx(s->cctx);
    free(s->packed);
    sy_buf_fini(&s->frame);
    sy_buf_fini(&s->index);
}

/* The temporary file, whole and synced. */
static sy_err write_sealed(const char *from, const char *to, sy_seal *seal, uint64_t *stored,
                           sy_fail *f)
{
    sealer s = {
        .fd = -1,
        .seal = {.first = seal->first, .last = seal->last, .from = SY_MS_NONE, .to = SY_MS_NONE}};
    sy_jwin w;
    sy_jwin_init(&w);
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    sy_err e = size < 0 ? sy_fail_sys(f, "cannot open %s", from) : open_sealer(&s, to, f);
    if (!e) {
        sy_jwin_set(&w, fd, 0, (size_t)size);
        e = take_records(&s, &w, f);
    }
    if (!e)
        e = finish(&s, f);
    sy_jwin_fini(&w);
    if (size >= 0)
        close_sealer(&s);
    if (fd >= 0)
        close(fd);
    *seal = s.seal;
    *stored = s.at;
    return e;
}

static bool same(const sy_seal *a, const sy_seal *b)
{
    return a->first == b->first && a->last == b->last && a->records == b->records &&
           a->raw == b->raw && a->from == b->from && a->to == b->to && a->salt == b->salt &&
           a->frames == b->frames && sy_digest_equal(&a->root, &b->root);
}

sy_err sy_sealed_make(const char *dir, uint64_t first, uint64_t last, sy_seal *out,
                      uint64_t *stored, sy_fail *f)
{
    char name[SY_JNAME], from[PATH_MAX], to[PATH_MAX], tmp[PATH_MAX];
    sy_fail own = {0};
    f = f ? f : &own;
    sy_journal__name(first, 0, name);
    int n = snprintf(from, sizeof from, "%s/%s", dir, name);
    snprintf(to, sizeof to, "%s/%sz", dir, name);
    snprintf(tmp, sizeof tmp, "%s/%sz.new", dir, name);
    if (n < 0 || (size_t)n + 8 >= sizeof tmp)
        return sy_fail_set(f, SY_E_RANGE, "the journal's folder name is too long");
    *out = (sy_seal){.first = first, .last = last};
    sy_seal back = {0};
    sy_err e = write_sealed(from, tmp, out, stored, f);
    if (!e)
        e = sy_sealed_check(tmp, first, &back, f);
    if (!e && !same(out, &back))
        e = sy_fail_set(f, SY_E_IO, "it does not read back as it was written");
    if (!e && rename(tmp, to) != 0)
        e = sy_fail_sys(f, "cannot rename");
    if (!e)
        e = sy_dir_sync(dir, f);
    if (e && e != SY_E_CORRUPT)
        sy_fail_wrap(f, "%s", to);
    if (e) {
        unlink(tmp);
        unlink(to);
    }
    return e;
}

/* Every record of the sealed segment against what its header says. */
static sy_err check_records(sy_sealed *z, const sy_seal *seal, sy_fail *f)
{
    sy_jwin w;
    sy_merkle tree;
    sy_jwin_init(&w);
    sy_merkle_init(&tree);
    sy_jwin_sealed(&w, z, seal->salt, sy_sealed_size(z));
    size_t off = SY_JSEG_HEADER;
    sy_err e = SY_OK;
    for (uint64_t seq = seal->first; seq <= seal->last && !e; seq++) {
        sy_jrec rec;
        size_t length = 0;
        sy_jfound found = sy_jwin_record(&w, off, &rec, &length);
        const unsigned char *p =
            found == SY_JFOUND_RECORD && rec.seq == seq ? sy_jwin_get(&w, off, length) : NULL;
        if (!p) {
            e = sy_fail_set(f, SY_E_CORRUPT, "record %llu is missing or damaged",
                            (unsigned long long)seq);
            break;
        }
        sy_digest leaf = sy_merkle_leaf((sy_span){(const char *)p, length});
        sy_merkle_add(&tree, &leaf);
        off += length;
    }
    sy_jwin_fini(&w);
    sy_digest root = sy_merkle_root(&tree);
    if (!e && (!sy_digest_equal(&root, &seal->root) || off != SY_JSEG_HEADER + seal->raw))
        e = sy_fail_set(f, SY_E_CORRUPT, "its records are not those of its root");
    return e;
}

sy_err sy_sealed_check(const char *path, uint64_t first, sy_seal *out, sy_fail *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sy_fail_sys(f, "cannot open %s", path);
    sy_sealed *z = NULL;
    sy_err e = sy_sealed_open(&z, fd, first, f);
    const sy_seal *seal = e ? NULL : sy_sealed_seal(z);
    if (!e && !seal)
        e = sy_fail_set(f, SY_E_CORRUPT, "both of its headers are damaged");
    if (!e)
        e = check_records(z, seal, f);
    if (!e && !sy_sealed_whole(z))
        e = sy_fail_set(f, SY_E_CORRUPT, "bytes of it are damaged, but all records can be read");
    if (!e)
        *out = *seal;
    else if (e == SY_E_CORRUPT)
        sy_fail_wrap(f, "sealed journal segment %s", path);
    sy_sealed_close(z);
    close(fd);
    return e;
}
