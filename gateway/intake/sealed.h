/*
 * Sealed segments of the journal, <first>.logz: the records of a full segment, compressed in frames
 * that are read one by one, with their numbers, times and Merkle root. docs/formats.md has the
 * bytes.
 *
 * What is read from one is the segment as it was, byte by byte: sy_jwin looks at both kinds alike.
 * A frame that cannot be read shows as bytes that are no record, so that a reader tells the loss
 * and goes on behind it. Files are hostile: header and index carry checksums, the header stands at
 * both ends, and without an index the frames are searched. Blocks; one thread an object.
 */
#ifndef SY_SEALED_H
#define SY_SEALED_H

#include <sys/types.h>

#include "base/merkle.h"
#include "intake/jcodec.h"

enum {
    SY_SEAL_HEADER = 112,
    SY_SEAL_INDEX = 28,          /* bytes of one index entry */
    SY_SEAL_FRAME = 256 * 1024,  /* records in a frame, but for a longer one alone */
    SY_SEAL_FRAME_MAX = 1 << 21, /* SY_JREC_MAX */
};

/* What a sealed segment says of itself. */
typedef struct sy_seal {
    uint64_t first, last, records; /* numbers of its records, and how many */
    uint64_t raw;                  /* bytes of its records, as in the .log */
    sy_ms from, to;                /* smallest and largest receive time; SY_MS_NONE: none has one */
    uint32_t salt, frames;
    sy_digest root; /* over the records' bytes, header and body, in order */
} sy_seal;

/* Write <first>.logz from <first>.log, which holds the records first..last and is not written to
 * any more, and read it back: a temporary file, synced, renamed, the folder synced. The .log stays.
 * *stored: size of the file. SY_E_CORRUPT: the .log is damaged; SY_E_FULL: no room. On failure
 * there is no .logz. */
SY_MUST_USE sy_err sy_sealed_make(const char *dir, uint64_t first, uint64_t last, sy_seal *out,
                                  uint64_t *stored, sy_fail *f);

/* A file of the journal's folder. Of one number: those set aside, the original, the sealed one. */
typedef enum sy_segment_kind { SY_SEG_RAW, SY_SEG_SEALED, SY_SEG_DAMAGED } sy_segment_kind;
typedef struct sy_segment_file {
    sy_segment_kind kind;
    unsigned damaged; /* which of those set aside, from 1 */
    uint64_t first;   /* number of its first record */
    uint64_t bytes;   /* that it takes on the disk */
} sy_segment_file;
/* By number; free(*files). */
SY_MUST_USE sy_err sy_sealed_list(const char *dir, sy_segment_file **files, size_t *n, sy_fail *f);
/* Remove what a crash left of a sealing; by who seals. */
void sy_sealed_tidy(const char *dir);
SY_MUST_USE sy_err sy_sealed_remove(const char *dir, const sy_segment_file *file, sy_fail *f);
/* The file's path, PATH_MAX bytes; false where it is too long. */
bool sy_sealed_path(const char *dir, const sy_segment_file *file, char *path);

typedef struct sy_sealed sy_sealed;
/* `fd` is borrowed and stays open until close. SY_E_CORRUPT: this is no sealed segment at all. */
SY_MUST_USE sy_err sy_sealed_open(sy_sealed **out, int fd, uint64_t first, sy_fail *f);
/* NULL where both headers are damaged. */
const sy_seal *sy_sealed_seal(const sy_sealed *z);
/* Whether headers, index and the frames read so far are as they were written. */
bool sy_sealed_whole(const sy_sealed *z);
/* Bytes of the segment as it was. */
size_t sy_sealed_size(const sy_sealed *z);
/* As pread(2) of the segment as it was. */
ssize_t sy_sealed_read(sy_sealed *z, void *buf, size_t n, size_t off);
/* Where to begin to look for record `seq`: an offset at or before it. */
size_t sy_sealed_offset(const sy_sealed *z, uint64_t seq);
/* NULL is allowed. */
void sy_sealed_close(sy_sealed *z);

/* Read the whole file and compare it with what it says of itself. SY_E_CORRUPT says what is wrong.
 * *out: what it says. */
SY_MUST_USE sy_err sy_sealed_check(const char *path, uint64_t first, sy_seal *out, sy_fail *f);

/* The bytes, for seal.c. */
void sy_seal_encode(unsigned char out[SY_SEAL_HEADER], const sy_seal *s, uint32_t index_crc);
bool sy_seal_decode(const unsigned char in[SY_SEAL_HEADER], sy_seal *s, uint32_t *index_crc);

#endif
