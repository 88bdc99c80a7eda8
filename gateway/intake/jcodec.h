/*
 * Bytes of the journal: segment header, record, and a window over a segment file. Internal to
 * intake/. Pure but for reading the file. docs/formats.md describes the same bytes for others.
 *
 * Every integer is little endian. The checksum of a record starts from the journal's salt, a random
 * number that no device knows: a payload that looks like records can never be taken for one when a
 * damaged stretch is searched for the next record.
 */
#ifndef SY_JCODEC_H
#define SY_JCODEC_H

#include "intake/journal.h"

struct sy_sealed;

enum {
    SY_JSEG_HEADER = 32,
    SY_JREC_HEADER = 36,
    SY_JREC_MAX = 1 << 21,   /* longest record */
    SY_JWINDOW = 256 * 1024, /* bytes read at once */
};

void sy_jseg_encode(unsigned char out[SY_JSEG_HEADER], uint64_t first, uint32_t salt);
/* False: not a header of this format. */
bool sy_jseg_decode(const unsigned char in[SY_JSEG_HEADER], uint64_t *first, uint32_t *salt);

/* Length of a record as it will be written, 0 where a part is too long. */
size_t sy_jrec_length(const sy_jrec *rec);
/* Checksum of the body; it may be taken before seq and receive time are known. */
uint32_t sy_jrec_body_crc(uint32_t salt, const sy_jrec *rec);
void sy_jrec_encode(unsigned char out[SY_JREC_HEADER], const sy_jrec *rec, uint32_t body_crc);

/* A sliding window over a segment; bytes at and behind `limit` are not looked at. */
typedef struct sy_jwin {
    int fd;
    struct sy_sealed *sealed; /* a sealed segment is read instead of fd */
    uint32_t salt;
    size_t limit;
    unsigned char *buf;
    size_t cap, at, n; /* buf holds n bytes from offset at */
} sy_jwin;

typedef enum sy_jfound {
    SY_JFOUND_RECORD,
    SY_JFOUND_END, /* no room for a record, or zeros */
    SY_JFOUND_BAD, /* bytes that are no record */
    SY_JFOUND_IO   /* the file cannot be read; errno */
} sy_jfound;

void sy_jwin_init(sy_jwin *w);
void sy_jwin_fini(sy_jwin *w); /* leaves fd alone */
/* Look at another file, or at the same one afresh. */
void sy_jwin_set(sy_jwin *w, int fd, uint32_t salt, size_t limit);
void sy_jwin_sealed(sy_jwin *w, struct sy_sealed *z, uint32_t salt, size_t limit);
/* Take the salt from the header: of a damaged one, what fits its first record, else `fallback`.
 * True where the header is good and says `first`. */
bool sy_jwin_header(sy_jwin *w, uint64_t first, uint32_t fallback);
/* n bytes at off, or NULL (behind the limit, or errno). Valid until the next call. */
const unsigned char *sy_jwin_get(sy_jwin *w, size_t off, size_t n);
/* The record at off; *length is its length. Spans are valid until the next call. */
sy_jfound sy_jwin_record(sy_jwin *w, size_t off, sy_jrec *rec, size_t *length);
/* The first valid record at or behind `off` whose seq is at least min_seq. */
bool sy_jwin_find(sy_jwin *w, size_t off, uint64_t min_seq, size_t *found);
/* Whether any byte at or behind `off` is not zero. */
bool sy_jwin_dirty(sy_jwin *w, size_t off);

#endif
