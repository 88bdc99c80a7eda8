/*
 * What devices send that nobody knows yet: kept aside for `steelyard devices pending`, so that a
 * person can see what they look like before they are adopted. It is never a reading and never
 * evidence; an adopted device's first reading is what it sends after that.
 *
 * Bounds: SY_PENDING_SOURCES sources, SY_PENDING_MESSAGES messages of each, SY_PENDING_BYTES in
 * all, SY_PENDING_MESSAGE a message (a longer one is counted and not kept); the newest win. The
 * file is JSON (docs/formats.md), written by save, at most every SY_PENDING_EVERY_MS unless forced;
 * what is in it that is damaged or too much is passed over. Any thread; save and open on one.
 */
#ifndef SY_DOOR_PENDING_H
#define SY_DOOR_PENDING_H

#include "base/intake.h"

enum {
    SY_PENDING_SOURCES = 64,
    SY_PENDING_MESSAGES = 8,
    SY_PENDING_BYTES = 64 << 10,
    SY_PENDING_MESSAGE = 16 << 10,
    SY_PENDING_FILE = 512 << 10, /* longest file that is read */
    SY_PENDING_EVERY_MS = 30000
};

typedef struct sy_pending sy_pending;
/* Reads the file, where there is one. A damaged one is told in the log, and gives an empty table.
 */
SY_MUST_USE sy_err sy_pending_open(sy_pending **out, const char *file, sy_fail *f);
void sy_pending_add(sy_pending *p, const sy_stranger *s, sy_ms now);
/* It is known from now on. False: there is no such source. */
bool sy_pending_forget(sy_pending *p, sy_span transport, sy_span source);
size_t sy_pending_count(sy_pending *p);
/* {"sources":[{"transport","source","client","peer","count","first","last","messages":[{"at" (epoch
 * ms),"content_format" (null: none),"payload" (hexadecimal)}, oldest first]}, newest first]} */
void sy_pending_json(sy_pending *p, sy_buf *out);
/* Write the file where something changed. */
void sy_pending_save(sy_pending *p, bool now);
/* Saves. NULL is allowed. */
void sy_pending_close(sy_pending *p);

/* Inside door/: one source out of the file, and one message of it. */
typedef struct sy_door__source {
    sy_transport transport;
    char source[256], client[65], peer[64];
    uint64_t count;
    sy_ms first, last;
} sy_door__source;
typedef struct sy_door__reader {
    void *ctx;
    void (*source)(void *ctx, const sy_door__source *s);
    void (*message)(void *ctx, sy_ms at, uint16_t content_format, sy_span payload);
} sy_door__reader;
SY_MUST_USE sy_err sy_door__read(sy_span text, const sy_door__reader *to, sy_fail *f);

#endif
