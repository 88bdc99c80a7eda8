/*
 * The record that may be a killer: <data>/attempt, mapped, holds the seq being processed, 0 while
 * idle or committing. What a dead process leaves in it tells the next start which record it died
 * of. A record that two starts in a row died of is quarantined (C7).
 *
 * 24 bytes, little endian: seq in work, seq that a former start died of, how often in a row.
 * Written by one thread; survives kill -9 because it is the page cache's, not ours.
 */
#ifndef SY_ATTEMPT_H
#define SY_ATTEMPT_H

#include "base/os.h"

enum { SY_ATTEMPT_LIMIT = 2 };

typedef struct sy_attempt {
    volatile unsigned char *map;
} sy_attempt;

/* Maps <data_dir>/attempt, made when missing. *killer: the seq that has now killed
 * SY_ATTEMPT_LIMIT times in a row, else 0; it stays the answer until sy_attempt_forgive. */
SY_MUST_USE sy_err sy_attempt_open(sy_attempt *a, const char *data_dir, uint64_t *killer,
                                   sy_fail *f);
void sy_attempt_close(sy_attempt *a);
void sy_attempt_set(sy_attempt *a, uint64_t seq); /* 0: out of danger */
/* The quarantine is in the journal. */
void sy_attempt_forgive(sy_attempt *a);

#endif
