/*
 * The log of a point: its readings, as far back as something may be judged again.
 */
#ifndef SY_JUDGE_LOG_H
#define SY_JUDGE_LOG_H

#include "rules/judge.h"

/* (time << 2 | what it is, value), ascending. OVER: bad, since it is above the range; its value
 * says nothing and is 0. */
enum { E_UNCERTAIN = 0, E_VALID = 1, E_CONFLICT = 2, E_OVER = 3, E_ABSENT = 4 };
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
static inline int e_kind(const entry *e)
{
    return (int)(e->key & 3);
}
static inline bool e_valid(const entry *e)
{
    return e_kind(e) == E_VALID;
}
/* A rule sees good readings, and others where it says so: a bit a kind (inst.sees). */
static inline bool e_seen(const entry *e, unsigned sees)
{
    return (sees >> e_kind(e)) & 1u;
}
/* As it is compared: over range is above everything. */
static inline double e_value(const entry *e)
{
    return e_kind(e) == E_OVER ? (double)__builtin_inff() : e->v;
}

/* The first entry with time > t, from head. */
uint32_t sy_judge__log_after(const point_log *l, sy_ms t);
/* The nearest entry before / after t that a rule sees, or NULL. */
const entry *sy_judge__log_prev(const point_log *l, sy_ms t, unsigned sees);
const entry *sy_judge__log_next(const point_log *l, sy_ms t, unsigned sees);
sy_ms sy_judge__log_newest(const point_log *l);
/* What the entry of a time was and is now: equal where nothing changed. */
typedef struct added {
    int was, is;
    sy_verdict verdict;
} added;
sy_err sy_judge__log_add(sy_judge *j, point_log *l, sy_ms t, double v, int kind, added *what);
void sy_judge__log_prune(sy_judge *j, uint32_t point);

#endif
