/*
 * A random case judged by both judges, as text that can be compared.
 */
#ifndef JUDGE_RANDOM_RUN_H
#define JUDGE_RANDOM_RUN_H

#include "judge_random.h"

enum { AT_ONCE, IN_ORDER, IN_DISORDER, IN_SOME_DISORDER, RANDOM_MODES };
extern const char *const random_modes[RANDOM_MODES];

typedef struct random_run {
    const random_case *c;
    const sy_set *sets[2];
    int switch_at; /* tick at which the second set takes over; 0: never */
} random_run;

/* Both drivers have an instance under each set. */
bool random_watched(const random_run *x);
void random_naive(const random_run *x, sy_buf *b);
/* Alerts to `out`, their ids to `ids`. Draws from the random numbers. */
void random_judge(const random_run *x, int mode, sy_buf *out, sy_buf *ids);

#endif
