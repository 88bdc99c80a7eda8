/*
 * What is counted over a sliding window: the counted spans of a cumulative hold, and the counted
 * openings of an alert. They lie beside the flat state, ordered by time and only appended, so that
 * going back to a checkpoint is cutting them at its time.
 */
#ifndef SY_JUDGE_HISTORY_H
#define SY_JUDGE_HISTORY_H

#include "rules/judge.h"

typedef struct span { /* [a, b) is counted; an opening is a == b */
    sy_ms a, b;
} span;
typedef struct history {
    span *v;
    size_t n, cap;
} history;

/* Append; a span that begins where the last one ends lengthens it. SY_E_NOMEM. */
sy_err sy_judge__hist_add(sy_judge *j, history *h, sy_ms a, sy_ms b);
/* What came after t was not yet. */
void sy_judge__hist_cut(history *h, sy_ms t);
/* What ended at or before t is no longer asked for; the newest stays. */
void sy_judge__hist_trim(history *h, sy_ms t);
/* The first span that ends after t. */
size_t sy_judge__hist_after(const history *h, sy_ms t);
/* The counted time in (lo, hi]. */
sy_ms sy_judge__hist_time(const history *h, sy_ms lo, sy_ms hi);

#endif
