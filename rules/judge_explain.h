/*
 * Looking into a judge: what it watches, and why an instance stands as it does. Pure.
 */
#ifndef SY_RULES_JUDGE_EXPLAIN_H
#define SY_RULES_JUDGE_EXPLAIN_H

#include "rules/judge.h"

/* One of sy_judge_instances(j), ordered by rule id, then point. */
typedef struct sy_instance {
    const sy_rule *rule;
    const char *subject;   /* premises/place/series */
    uint32_t place, point; /* the driver's */
    size_t n_points;       /* all that it watches, the driver's first */
} sy_instance;
sy_instance sy_judge_instance(const sy_judge *j, size_t k);
uint32_t sy_judge_instance_point(const sy_judge *j, size_t k, size_t n);

typedef enum sy_truth { SY_IS_FALSE, SY_IS_UNKNOWN, SY_IS_TRUE } sy_truth;

/* What is told of an instance, in this order; depth is that of the tree that it makes:
 *   INSTANCE 0, and the alert that is open
 *     LEVEL 1, ascending
 *       HOLD or COND 2, and what they are made of below; POINT below what compares it; DERIVED
 *       below what compares a let or an aggregate, and a WATCH for each point that it rests on
 *       EXCEPT 2, one a clause
 *     CLEAR 1, then its HOLD or COND; by default only the HOLD of what opened is known false
 *     WATCH 1, one a point */
typedef enum sy_told_kind {
    SY_TOLD_INSTANCE,
    SY_TOLD_LEVEL,
    SY_TOLD_CLEAR,
    SY_TOLD_HOLD,
    SY_TOLD_COND,
    SY_TOLD_POINT,
    SY_TOLD_DERIVED,
    SY_TOLD_EXCEPT,
    SY_TOLD_WATCH
} sy_told_kind;
typedef struct sy_told {
    sy_told_kind kind;
    int depth;
    sy_truth value;       /* INSTANCE: in force. HOLD: of what is inside */
    const sy_cond *cond;  /* HOLD, COND; CLEAR: NULL by default */
    bool open;            /* INSTANCE, LEVEL; EXCEPT: the state holds, or a stretch goes on */
    bool blocked;         /* LEVEL: opens only after a known false */
    sy_alert_level level; /* INSTANCE: of the open alert; LEVEL */
    sy_ms onset, raised;  /* INSTANCE with open. HOLD: onset is the first counted time or NONE */
    sy_ms counted, unknown, exempt, needed; /* HOLD; silence: counted since the last reading */
    sy_ms window;                           /* HOLD: of a cumulative one; 0 */
    bool reached;                           /* HOLD */
    uint32_t point;                         /* POINT, WATCH */
    sy_ms at;        /* … its last valid reading, NONE; DERIVED: instant; EXCEPT: since */
    double reading;  /* … in the point's unit, a state's number; DERIVED: in that of a, NaN */
    sy_truth then;   /* POINT, DERIVED: of that by itself */
    bool has_limits; /* POINT of a quantity, DERIVED: what it is compared with */
    double a, b;     /* (for DERIVED, b is that of outside and within) */
    const sy_except *except;
    int64_t
        used; /* EXCEPT: stretches used up of this day, or of that on which the open one began */
} sy_told;
typedef void (*sy_told_fn)(void *ctx, const sy_told *t);

/* Explain instance k at a time up to the judge's clock; a clock some way ahead of it lets what lies
 * between two readings be known. The judge is spent: explain more instances, or close it.
 * SY_E_RANGE where `at` is further back than the judge remembers, or before its start; SY_E_NOMEM.
 */
SY_MUST_USE sy_err sy_judge_explain(sy_judge *j, size_t k, sy_ms at, sy_told_fn fn, void *ctx);

#endif
