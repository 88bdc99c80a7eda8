/*
 * The log of a point: its readings, as far back as something may be judged again.
 */
#ifndef SY_JUDGE_LOG_H
#define SY_JUDGE_LOG_H

#include "rules/judge.h"

/* (time << 2 | flags, value), ascending. */
enum { E_VALID = 1, E_CONFLICT = 2 };
typedef struct entry {
    int64_t key;
    double v;
} entry;
typedef struct point_log {
    entry *e;                 /* whole array */
    uint32_t head, n, cap;    /* entries head .. head + n */
    uint32_t inst_at, n_inst; /* in judge.users */
    uint64_t gone;            /* entries before the head, ever */
    bool sampled;             /* an instance has a sample that rests on it */
} point_log;

static inline sy_ms e_time(const entry *e)
{
    return e->key >> 2;
}
static inline bool e_valid(const entry *e)
{
    return (e->key & 3) == E_VALID;
}

/* The first entry with time > t, from head. */
uint32_t sy_judge__log_after(const point_log *l, sy_ms t);
/* The nearest valid entry before / after t, or NULL. */
const entry *sy_judge__log_prev(const point_log *l, sy_ms t);
const entry *sy_judge__log_next(const point_log *l, sy_ms t);
sy_ms sy_judge__log_newest(const point_log *l);
/* *changed: the set of valid readings changed. */
sy_err sy_judge__log_add(sy_judge *j, point_log *l, sy_ms t, double v, bool good, bool *changed,
                         sy_verdict *verdict);
void sy_judge__log_prune(sy_judge *j, uint32_t point);

#endif
