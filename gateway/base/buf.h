/*
 * A growing byte buffer with text and little-endian helpers, and a reader for the same. Pure.
 *
 * Writers never report a failure one by one: after the first failed allocation the buffer is
 * `failed` and further writes do nothing; check it once at the end. Always NUL-terminated where
 * n > 0 and not failed (the NUL is not counted).
 */
#ifndef SY_BUF_H
#define SY_BUF_H

#include "base/alloc.h"

typedef struct sy_buf {
    sy_alloc alloc;
    char *p;
    size_t n, cap;
    bool failed;
} sy_buf;

void sy_buf_init(sy_buf *b, sy_alloc alloc);
void sy_buf_fini(sy_buf *b);
static inline void sy_buf_reset(sy_buf *b)
{
    b->n = 0;
    b->failed = false;
}
static inline sy_span sy_buf_span(const sy_buf *b)
{
    return (sy_span){b->p, b->n};
}

void sy_buf_put(sy_buf *b, const void *bytes, size_t n);
void sy_buf_text(sy_buf *b, const char *text);
void sy_buf_span_put(sy_buf *b, sy_span s);
void sy_buf_char(sy_buf *b, char c);
void sy_buf_int(sy_buf *b, int64_t v); /* decimal text */
/* Text as a JSON string, quotes included; control characters escaped, UTF-8 kept. */
void sy_buf_json(sy_buf *b, sy_span s);

/* Little endian, fixed width; blob: u32 length, then bytes. */
void sy_buf_u8(sy_buf *b, uint8_t v);
void sy_buf_u16(sy_buf *b, uint16_t v);
void sy_buf_u32(sy_buf *b, uint32_t v);
void sy_buf_u64(sy_buf *b, uint64_t v);
void sy_buf_f64(sy_buf *b, double v);
void sy_buf_blob(sy_buf *b, sy_span s);

/* Reader over borrowed bytes. Reading past the end sets `bad` and gives zeros. */
typedef struct sy_rd {
    const unsigned char *p;
    size_t n;
    bool bad;
} sy_rd;

sy_rd sy_rd_of(sy_span s);
uint8_t sy_rd_u8(sy_rd *r);
uint16_t sy_rd_u16(sy_rd *r);
uint32_t sy_rd_u32(sy_rd *r);
uint64_t sy_rd_u64(sy_rd *r);
double sy_rd_f64(sy_rd *r);
sy_span sy_rd_blob(sy_rd *r);

#endif
