/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a sealed segment.
 *
 * file:   header[112] | frames (RFC 8878) | index, 28 bytes a frame | the header again
 * header: 0 magic[8] | 8 u32 version | 12 u32 salt | 16 u64 first | 24 u64 last | 32 i64 from |
 *         40 i64 to | 48 u64 records | 56 u64 raw bytes | 64 u32 frames | 68 u32 zero |
 *         72 root[32] | 104 u32 CRC-32C of the index | 108 u32 CRC-32C of bytes 0..107
 * entry:  0 u64 offset in the file | 8 u64 first seq | 16 u32 stored bytes | 20 u32 raw bytes |
 *         24 u32 CRC-32C of the stored bytes
 */
#include "intake/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static const char magic[8] = {'S', 'Y', 'S', 'E', 'A', 'L', 'D', '\n'};
enum {
    VERSION = 1,
    NO_RECORD = 0xff, /* the byte that stands for what is lost: no length begins so */
    LOST_BYTES = 64,  /* how many stand for a stretch of unknown length */
    SCAN_BYTES = 64 * 1024,
};

typedef struct frame {
    uint64_t at, first, raw_at; /* in the file; number of its first record; in the segment */
    uint32_t stored, raw, crc;
    bool lost;
} frame;

struct sy_sealed {
    int fd;
    uint64_t first, file_bytes;
    sy_seal seal;
    unsigned headers;     /* how many are good */
    bool sealed, indexed; /* a header is good; the index is */
    bool hit;             /* a frame's bytes are not those that were written */
    frame *frames;
    size_t n, cap;
    uint64_t size; /* of the segment as it was */
    ZSTD_DCtx *dctx;
    unsigned char *stored, *raw; /* buffers of one frame */
    size_t stored_cap, raw_cap;
    size_t held; /* the frame in raw, + 1; 0: none */
};

static unsigned char *put(unsigned char *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(v >> 8 * i);
    return p + n;
}

void sy_seal_encode(unsigned char out[SY_SEAL_HEADER], const sy_seal *s, uint32_t index_crc)
{
    memcpy(out, magic, sizeof magic);
    unsigned char *p = put(out + sizeof magic, VERSION, 4);
    p = put(p, s->salt, 4);
    p = put(p, s->first, 8);
    p = put(p, s->last, 8);
    p = put(p, (uint64_t)s->from, 8);
    p = put(p, (uint64_t)s->to, 8);
    p = put(p, s->records, 8);
    p = put(p, s->raw, 8);
    p = put(p, s->frames, 4);
    p = put(p, 0, 4);
    memcpy(p, s->root.b, sizeof s->root.b);
    p = put(p + sizeof s->root.b, index_crc, 4);
    put(p, sy_crc32c_fast(0, out, SY_SEAL_HEADER - 4), 4);
}

bool sy_seal_decode(const unsigned char in[SY_SEAL_HEADER], sy_seal *s, uint32_t *index_crc)
{
    sy_rd r = sy_rd_of((sy_span){(const char *)in + sizeof magic, SY_SEAL_HEADER - sizeof magic});
    if (memcmp(in, magic, sizeof magic) != 0 || sy_rd_u32(&r) != VERSION)
        return false;
    s->salt = sy_rd_u32(&r);
    s->first = sy_rd_u64(&r);
    s->last = sy_rd_u64(&r);
    s->from = (sy_ms)sy_rd_u64(&r);
    s->to = (sy_ms)sy_rd_u64(&r);
    s->records = sy_rd_u64(&r);
    s->raw = sy_rd_u64(&r);
    s->frames = sy_rd_u32(&r);
    uint32_t zero = sy_rd_u32(&r);
    memcpy(s->root.b, in + 72, sizeof s->root.b);
    r = sy_rd_of((sy_span){(const char *)in + 104, 8});
    *index_crc = sy_rd_u32(&r);
    return sy_rd_u32(&r) == sy_crc32c_fast(0, in, 108) && zero == 0 && s->last >= s->first &&
           s->records == s->last - s->first + 1 && s->raw <= (uint64_t)1 << 30;
}

/* All n bytes at off; false: the file ends before, or errno. */
static bool get(const sy_sealed *z, void *buf, size_t n, uint64_t off)
{
    errno = 0;
    for (size_t got = 0; got < n;) {
        ssize_t r = pread(z->fd, (char *)buf + got, n - got, (off_t)(off + got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return false;
        got += (size_t)r;
    }
    return true;
}

static bool add_frame(sy_sealed *z, const frame *f)
{
    void *list = z->frames;
    if (sy_grow(sy_heap(), &list, &z->cap, z->n + 1, sizeof *z->frames))
        return false;
    z->frames = list;
    z->frames[z->n] = *f;
    z->frames[z->n++].raw_at = z->size;
    z->size += f->raw;
    return true;
}

/* The index, where its checksum is good and it describes frames that lie one behind the other. */
static sy_err read_index(sy_sealed *z, uint32_t crc, sy_fail *f)
{
    uint64_t bytes = (uint64_t)z->seal.frames * SY_SEAL_INDEX;
    uint64_t least = bytes + 2 * (uint64_t)SY_SEAL_HEADER;
    if (z->file_bytes < least)
        return SY_OK;
    unsigned char *raw = malloc(bytes ? (size_t)bytes : 1);
    if (!raw)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the index of a sealed segment");
    uint64_t end = z->file_bytes - SY_SEAL_HEADER - bytes, at = SY_SEAL_HEADER;
    bool good = get(z, raw, (size_t)bytes, end) && sy_crc32c_fast(0, raw, (size_t)bytes) == crc;
    sy_rd r = sy_rd_of((sy_span){(const char *)raw, (size_t)bytes});
    bool memory = true;
    for (uint32_t i = 0; i < z->seal.frames && good && memory; i++) {
        frame one = {.at = sy_rd_u64(&r), .first = sy_rd_u64(&r)};
        one.stored = sy_rd_u32(&r);
        one.raw = sy_rd_u32(&r);
        one.crc = sy_rd_u32(&r);
        good = one.at == at && one.stored <= end - at && one.raw <= SY_SEAL_FRAME_MAX;
        at += one.stored;
        memory = !good || add_frame(z, &one);
    }
    free(raw);
    z->indexed = good && memory && at == end && z->size == SY_JSEG_HEADER + z->seal.raw;
    if (!z->indexed) {
        z->n = 0;
        z->size = SY_JSEG_HEADER;
    }
    return memory ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for a sealed segment's frames");
}

static bool room(unsigned char **buf, size_t *cap, size_t n)
{
    if (n <= *cap)
        return true;
    unsigned char *bigger = realloc(*buf, n);
    if (!bigger)
        return false;
    *buf = bigger;
    *cap = n;
    return true;
}

/* The frame that begins at `at`, by its own bytes; stored 0: there is none. SY_E_NOMEM. */
static sy_err probe(sy_sealed *z, uint64_t at, frame *out)
{
    *out = (frame){.at = at};
    size_t most = ZSTD_compressBound(SY_SEAL_FRAME_MAX);
    size_t n = z->file_bytes - at < most ? (size_t)(z->file_bytes - at) : most;
    if (!room(&z->stored, &z->stored_cap, n))
        return SY_E_NOMEM;
    if (!get(z, z->stored, n, at))
        return SY_OK;
    size_t length = ZSTD_findFrameCompressedSize(z->stored, n);
    unsigned long long raw = ZSTD_getFrameContentSize(z->stored, n);
    if (ZSTD_isError(length) || raw == 0 || raw > SY_SEAL_FRAME_MAX)
        return SY_OK;
    out->stored = (uint32_t)length;
    out->raw = (uint32_t)raw;
    return SY_OK;
}

/* The next place at or behind `at` that begins like a frame; the file's end where there is none. */
static uint64_t find_magic(const sy_sealed *z, uint64_t at, unsigned char *buf)
{
    static const unsigned char begin[4] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 8878 section 3.1.1 */
    while (at + sizeof begin <= z->file_bytes) {
        uint64_t left = z->file_bytes - at;
        size_t n = left < SCAN_BYTES ? (size_t)left : SCAN_BYTES;
        if (!get(z, buf, n, at))
            break;
        const unsigned char *p = memmem(buf, n, begin, sizeof begin);
        if (p)
            return at + (uint64_t)(p - buf);
        at += n - sizeof begin + 1;
    }
    return z->file_bytes;
}

/* Without an index: frame behind frame, and past what is none. */
static sy_err walk(sy_sealed *z, sy_fail *f)
{
    unsigned char *buf = malloc(SCAN_BYTES);
    bool memory = buf != NULL;
    for (uint64_t at = SY_SEAL_HEADER; memory && at < z->file_bytes;) {
        uint64_t begin = find_magic(z, at, buf);
        frame one = {0}, lost = {.raw = LOST_BYTES, .lost = true};
        if (begin > at)
            memory = add_frame(z, &lost);
        if (begin >= z->file_bytes || !memory)
            break;
        memory = probe(z, begin, &one) == SY_OK;
        if (memory && one.stored)
            memory = add_frame(z, &one);
        at = begin + (one.stored ? one.stored : 1);
    }
    free(buf);
    return memory ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for a sealed segment's frames");
}

static sy_err look(sy_sealed *z, sy_fail *f)
{
    struct stat st;
    if (fstat(z->fd, &st) != 0)
        return sy_fail_sys(f, "cannot read a sealed journal segment");
    z->file_bytes = (uint64_t)st.st_size;
    if (z->file_bytes < 2 * SY_SEAL_HEADER)
        return sy_fail_set(f, SY_E_CORRUPT, "a sealed journal segment of %llu bytes",
                           (unsigned long long)z->file_bytes);
    unsigned char h[SY_SEAL_HEADER];
    uint32_t crc = 0;
    const uint64_t places[2] = {0, z->file_bytes - SY_SEAL_HEADER};
    for (size_t i = 0; i < 2; i++) {
        sy_seal says;
        uint32_t its;
        if (!get(z, h, sizeof h, places[i]) && errno)
            return sy_fail_sys(f, "cannot read a sealed journal segment");
        if (!sy_seal_decode(h, &says, &its) || says.first != z->first)
            continue;
        z->headers++;
        z->sealed = true;
        z->seal = says;
        crc = its;
    }
    sy_err e = z->sealed ? read_index(z, crc, f) : SY_OK;
    return e || z->indexed ? e : walk(z, f);
}

sy_err sy_sealed_open(sy_sealed **out, int fd, uint64_t first, sy_fail *f)
{
    sy_sealed *z = calloc(1, sizeof *z);
    if (!z)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a sealed segment");
    *z = (sy_sealed){.fd = fd, .first = first, .size = SY_JSEG_HEADER};
    z->dctx = ZSTD_createDCtx();
    sy_err e = z->dctx ? look(z, f) : sy_fail_set(f, SY_E_NOMEM, "no memory for a sealed segment");
    if (e) {
        sy_sealed_close(z);
        return e;
    }
    *out = z;
    return SY_OK;
}

const sy_seal *sy_sealed_seal(const sy_sealed *z)
{
    return z->sealed ? &z->seal : NULL;
}

bool sy_sealed_whole(const sy_sealed *z)
{
    return z->headers == 2 && z->indexed && !z->hit;
}

size_t sy_sealed_size(const sy_sealed *z)
{
    return (size_t)z->size;
}

/* Frame i into raw; what cannot be read becomes bytes that are no record. False: errno. */
static bool hold(sy_sealed *z, size_t i)
{
    const frame *one = &z->frames[i];
    if (z->held == i + 1)
        return true;
    z->held = 0;
    if (!room(&z->raw, &z->raw_cap, one->raw) || !room(&z->stored, &z->stored_cap, one->stored)) {
        errno = ENOMEM;
        return false;
    }
    bool good = !one->lost && get(z, z->stored, one->stored, one->at);
    if (!good && !one->lost && errno == ENOMEM)
        return false;
    z->hit =
        z->hit || !good || (z->indexed && sy_crc32c_fast(0, z->stored, one->stored) != one->crc);
    if (good) {
        size_t n = ZSTD_decompressDCtx(z->dctx, z->raw, one->raw, z->stored, one->stored);
        good = !ZSTD_isError(n) && n == one->raw;
    }
    if (!good)
        memset(z->raw, NO_RECORD, one->raw);
    z->held = i + 1;
    return true;
}

static size_t frame_at(const sy_sealed *z, uint64_t off)
{
    size_t lo = 0, hi = z->n;
    while (lo + 1 < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (z->frames[mid].raw_at <= off)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

ssize_t sy_sealed_read(sy_sealed *z, void *buf, size_t n, size_t off)
{
    unsigned char head[SY_JSEG_HEADER], *to = buf;
    if (off >= z->size || n == 0)
        return 0;
    if (off < SY_JSEG_HEADER) {
        memset(head, NO_RECORD, sizeof head);
        if (z->sealed)
            sy_jseg_encode(head, z->first, z->seal.salt);
        size_t k = SY_JSEG_HEADER - off < n ? SY_JSEG_HEADER - off : n;
        memcpy(to, head + off, k);
        return (ssize_t)k;
    }
    size_t i = frame_at(z, off);
    if (!hold(z, i))
        return -1;
    size_t within = off - (size_t)z->frames[i].raw_at, left = z->frames[i].raw - within;
    size_t k = left < n ? left : n;
    memcpy(to, z->raw + within, k);
    return (ssize_t)k;
}

size_t sy_sealed_offset(const sy_sealed *z, uint64_t seq)
{
    uint64_t best = SY_JSEG_HEADER;
    for (size_t i = 0; i < z->n && z->indexed && z->frames[i].first <= seq; i++)
        best = z->frames[i].raw_at;
    return (size_t)best;
}

void sy_sealed_close(sy_sealed *z)
{
    if (!z)
        return;
    ZSTD_freeDCtx(z->dctx);
    free(z->frames);
    free(z->stored);
    free(z->raw);
    free(z);
}
