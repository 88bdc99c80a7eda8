/*
 * The log's clock: receive times that a stepping wall clock cannot spoil. One owner, its lock.
 *
 * Value = last value + monotonic time elapsed. It follows the wall clock where that is ahead by
 * less than a day, or by anything while the wall clock was never yet synchronised. A larger jump,
 * or one backward, is a new clock epoch, which the caller records. A wall clock that is behind at
 * start and not synchronised (a box without a battery boots in 1970) is not believed.
 * In replay the value moves only by marks.
 */
#ifndef SY_CLOCK_H
#define SY_CLOCK_H

#include "base/os.h"

#define SY_CLOCK_JUMP_MS  ((sy_ms)86400000) /* from here on a step forward is a new epoch */
#define SY_CLOCK_SLACK_MS ((sy_ms)1000)     /* the wall clock may lag by this: rounding, slewing */
#define SY_CLOCK_CHECK_MS ((sy_ms)10000)    /* how often the kernel is asked whether it is synced */

/* Where time comes from; tests step it. */
typedef struct sy_clock_source {
    sy_ms (*wall)(void *ctx);
    sy_ms (*mono)(void *ctx);
    bool (*synced)(void *ctx);
    void *ctx;
} sy_clock_source;
sy_clock_source sy_clock_system(void);

typedef struct sy_clock {
    sy_clock_source source;
    bool replay, was_synced;
    sy_ms last, last_mono; /* the value and when it was taken */
    sy_ms offset;          /* wall - monotonic when last looked at: a step shows here */
    sy_ms checked;         /* monotonic time of the last question about synchronisation */
} sy_clock;

/* Continue after `last`, the time of the last record, SY_MS_NONE where there is none. */
void sy_clock_init(sy_clock *c, sy_clock_source source, bool replay, sy_ms last);
/* The value now. True: a new epoch begins with it, *old is what the old one would have said. */
bool sy_clock_now(sy_clock *c, sy_ms *now, sy_ms *old);
/* Replay: move to `mark`, never backward; gives the value. */
sy_ms sy_clock_mark(sy_clock *c, sy_ms mark);

#endif
