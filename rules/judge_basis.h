/*
 * The basis of an alert: which points its conditions read, and from when on. Pure.
 */
#ifndef SY_RULES_JUDGE_BASIS_H
#define SY_RULES_JUDGE_BASIS_H

#include "rules/judge.h"

/* What matters of a point: its readings in [from, to]; the last one before `from` where it is not
 * older than `before` (a state lasts until the next reading; SY_MS_MAX: however old); the first one
 * after `to` where it is not later than `after` (what lies between two readings follows from both).
 */
enum { SY_BASIS_LIMITS = 4 };
typedef struct sy_basis_point {
    uint32_t point;
    sy_ms from, to, before, after;
    double
        limits[SY_BASIS_LIMITS]; /* that it is compared with, in its unit, for people; in order */
    size_t n_limits;
} sy_basis_point;

/* Of an alert that j has just told, up to `to`: the driver first, then in the order in which the
 * rule names them. `from` is the onset less all that the conditions and their exemptions look back
 * from there: windows, holds inside, silences. Writes at most cap; gives how many there are, 0
 * where j does not know the rule or the subject. */
size_t sy_judge_basis(const sy_judge *j, const sy_alert *a, sy_ms to, sy_basis_point *out,
                      size_t cap);

/* The rule as it is written: its lines in its source, up to what follows it, without blanks and
 * comments at the end. Of the set that it is in. */
sy_span sy_rule_source(const sy_set *set, const sy_rule *r);

#endif
