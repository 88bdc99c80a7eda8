/*
 * The intake journal: the one log. Every accepted message, tick, mark and activation, in order.
 *
 * Segments of fixed size, preallocated, named <first seq as 16 hex digits>.log; a record is length,
 * CRC-32C, sequence, receive time, type, flags, source, ident, payload (docs/formats.md has the
 * bytes). Append is one pwrite under a mutex by the caller's own thread: after it returns the
 * record survives kill -9; the sync thread "sy-sync" syncs every sync_ms, or at once when somebody
 * waits. A torn tail is cut and counted; damage with valid records behind it is SY_E_CORRUPT: that
 * segment is set aside and reported, the rest goes on. The journal gives receive times from the
 * log's clock (intake/clock.h): never backward.
 */
#ifndef SY_JOURNAL_H
#define SY_JOURNAL_H

#include "base/os.h"

typedef enum sy_jtype {
    SY_J_MESSAGE = 1, /* a device's message: flags SY_MSG_*, source, ident, payload; `code` is the
                         transport in the low byte, content format above it */
    SY_J_TICK = 2,    /* the clock passed a deadline of the judge; nothing else */
    SY_J_MARK = 3,    /* --clock replay: the clock is now `recv` */
    SY_J_ACTIVATION = 4, /* payload: hash of the accepted set (hex) */
    SY_J_EPOCH = 5,      /* the wall clock jumped; payload: JSON with old and new */
    SY_J_START = 6,      /* the process started: payload JSON (version, clock mode, synced) */
    SY_J_QUARANTINE = 7, /* payload: decimal seq of a record to skip, and why */
    SY_J_ACTION = 8      /* what a person did: pipeline/upkeep.h */
} sy_jtype;

typedef struct sy_jrec {
    uint64_t seq; /* from 1; set by append */
    sy_ms recv;   /* set by append, except MARK where the caller gives it */
    uint8_t type, flags;
    uint32_t code;
    sy_span source, ident, payload; /* on reading: valid until the next call on the reader */
} sy_jrec;

typedef struct sy_journal sy_journal;
typedef struct sy_journal_options {
    const char *dir;
    size_t segment_bytes;   /* 0: 16 MiB */
    int sync_ms;            /* 0: 250 */
    bool replay_clock;      /* the clock moves only by MARK */
    uint64_t reserve_bytes; /* free space kept: below it append blocks; 0: 64 MiB */
    uint64_t max_lag_bytes; /* append blocks while the reader is further behind; 0: 256 MiB */
    /* The store's position. Numbering goes on above it even where a power cut took the journal's
     * last records, so that a number never means two records. */
    uint64_t after_seq;
} sy_journal_options;

SY_MUST_USE sy_err sy_journal_open(sy_journal **out, const sy_journal_options *o, sy_fail *f);
/* Any thread. A MESSAGE waits while the disk is below its reserve or the reader too far behind
 * (counted from its first sy_jreader_done); other records pass. SY_E_CLOSED once sy_journal_shut
 * was called. A MARK before the clock's value is moved up to it. */
SY_MUST_USE sy_err sy_journal_append(sy_journal *j, sy_jrec *rec, sy_fail *f);
/* Block until seq is synced; asks the sync thread to do it now. SY_E_IO where the disk refuses. */
SY_MUST_USE sy_err sy_journal_wait_synced(sy_journal *j, uint64_t seq, sy_fail *f);
uint64_t sy_journal_seq(const sy_journal *j); /* last appended */
uint64_t sy_journal_synced(const sy_journal *j);
uint64_t sy_journal_bytes(const sy_journal *j);   /* written since open */
uint64_t sy_journal_torn(const sy_journal *j);    /* torn tails cut at open */
uint64_t sy_journal_damaged(const sy_journal *j); /* segments set aside since open, and at it */
/* Bytes that the syncs so far had to write at least: whole pages of 4 KiB. */
uint64_t sy_journal_paged(const sy_journal *j);
/* Set aside a segment that is not written to any more, in which damage was found. Any thread. */
SY_MUST_USE sy_err sy_journal_set_aside(sy_journal *j, uint64_t first, const char *why, sy_fail *f);
sy_ms sy_journal_now(const sy_journal *j); /* the log's clock; SY_MS_NONE before the first mark */
/* Called on the sync thread after each sync; set before the first append. */
void sy_journal_on_synced(sy_journal *j, void (*fn)(void *ctx, uint64_t seq), void *ctx);
/* Wake everybody who waits; further appends fail with SY_E_CLOSED. */
void sy_journal_shut(sy_journal *j);
void sy_journal_close(sy_journal *j); /* syncs */

/* Reading, live or after the fact (j NULL: the folder is read without a gateway). One thread. */
typedef struct sy_jreader sy_jreader;
SY_MUST_USE sy_err sy_jreader_open(sy_jreader **out, sy_journal *j, const char *dir,
                                   uint64_t from_seq, sy_fail *f);
/* SY_OK and *rec; SY_E_AGAIN at the end; SY_E_CORRUPT once for a damaged stretch, which is skipped.
 */
SY_MUST_USE sy_err sy_jreader_next(sy_jreader *r, sy_jrec *rec, sy_fail *f);
/* Wait until there is more to read, at most timeout_ms. */
bool sy_jreader_wait(sy_jreader *r, int timeout_ms);
/* Tell the journal how far the reader is (back-pressure). */
void sy_jreader_done(sy_jreader *r, uint64_t seq);
void sy_jreader_close(sy_jreader *r);

#endif
