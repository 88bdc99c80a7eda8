/*
 * When and whether to send again. Pure.
 *
 * What an answer means (docs/upstream.md has the table):
 *   OK           the batch is confirmed
 *   LATER        the destination cannot now: the same again after a pause
 *   EVENT        something in the batch is refused: halve it until one event stands alone
 *   DESTINATION  the destination does not take us: nothing is set aside, a person must look
 */
#ifndef SY_RETRY_H
#define SY_RETRY_H

#include "base/reading.h"

typedef enum sy_answer {
    SY_ANSWER_OK,
    SY_ANSWER_LATER,
    SY_ANSWER_EVENT,
    SY_ANSWER_DESTINATION
} sy_answer;
sy_answer sy_answer_of(unsigned status);

/* Exponential with full jitter: uniform over (0, min(cap, base * 2^(failures - 1))], failures from
 * 1, never below base / 20, so that an unlucky draw is no tight loop. */
sy_ms sy_backoff_ms(unsigned failures, sy_ms base, sy_ms cap, uint64_t random);

/* The field Retry-After: seconds, or an HTTP date (IMF-fixdate) against `wall`. 0 where it is
 * empty, malformed or past; at most `cap`. */
sy_ms sy_retry_after_ms(const char *text, sy_ms wall, sy_ms cap);

#endif
