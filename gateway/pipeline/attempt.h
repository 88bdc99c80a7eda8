/*
 * The record that may be a killer: <data>/attempt, mapped, holds the seq being processed, 0 while
 * idle or committing, and the signal that ended the process at it. A record that two starts in a
 * row crashed at is quarantined (C7).
 *
 * A crash is SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT that the thread with the record brought on
 * itself. kill -9, the OOM killer, a signal from another process, a crash of another thread and a
 * lack of memory are not the record's fault: they end the row only when another record, or none,
 * was in work. An acknowledged message is never set aside for them (C1).
 *
 * 32 bytes, little endian: seq in work, seq that a former start crashed at, how often in a row,
 * signal of a crash at the seq in work or 0 (absent in files of 24 bytes: no crash). Written by one
 * thread; survives kill -9 because it is the page cache's, not ours.
 */
#ifndef SY_ATTEMPT_H
#define SY_ATTEMPT_H

#include "base/os.h"

enum { SY_ATTEMPT_LIMIT = 2, SY_ATTEMPT_STACK_BYTES = 32768 };

typedef struct sy_attempt {
    volatile unsigned char *map;
    unsigned char stack[SY_ATTEMPT_STACK_BYTES]; /* of the handler: a stack may have run over */
} sy_attempt;

/* Maps <data_dir>/attempt, made when missing, and has crashes noted from now on; handlers that the
 * process had before (a sanitizer's) run after ours. *killer: the seq that has now crashed the
 * process SY_ATTEMPT_LIMIT times in a row, else 0; it stays the answer until sy_attempt_forgive. */
SY_MUST_USE sy_err sy_attempt_open(sy_attempt *a, const char *data_dir, uint64_t *killer,
                                   sy_fail *f);
void sy_attempt_close(sy_attempt *a);
/* The calling thread takes records from now on, or no longer. One thread at a time, one attempt a
 * thread; leave before close. */
void sy_attempt_enter(sy_attempt *a);
void sy_attempt_leave(sy_attempt *a);
void sy_attempt_set(sy_attempt *a, uint64_t seq); /* 0: out of danger */
/* The quarantine is in the journal. */
void sy_attempt_forgive(sy_attempt *a);

#endif
