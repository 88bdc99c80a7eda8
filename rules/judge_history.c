/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans in order of time. Cutting and appending touch the end; trimming, which is rare, moves what
 * stays to the front.
 */
#include "rules/judge_history.h"

#include "rules/judge_core.h"

sy_err sy_judge__hist_add(sy_judge *j, history *h, sy_ms a, sy_ms b)
{
    if (h->n > 0 && b > a && h->v[h->n - 1].b == a && h->v[h->n - 1].a < a) {
        h->v[h->n - 1].b = b;
        return SY_OK;
    }
    sy_err e = sy_judge__grow(j, (void **)&h->v, &h->cap, h->n + 1, sizeof *h->v);
    if (!e) {
        h->v[h->n++] = (span){a, b};
    }
    return e;
}

void sy_judge__hist_cut(history *h, sy_ms t)
{
    while (h->n > 0) {
        span *last = &h->v[h->n - 1];
        if (last->a > t || (last->a == t && last->b > t)) {
            h->n--;
            continue;
        }
        last->b = sooner(last->b, t);
        return;
    }
}

void sy_judge__hist_trim(history *h, sy_ms t)
{
    size_t k = sy_judge__hist_after(h, t);
    k = k == h->n && k > 0 ? k - 1 : k;
    if (k > 0) {
        h->n -= k;
        memmove(h->v, h->v + k, h->n * sizeof *h->v);
    }
}

size_t sy_judge__hist_after(const history *h, sy_ms t)
{
    size_t lo = 0, hi = h->n;
    while (lo < hi) {
        size_t m = lo + (hi - lo) / 2;
        if (h->v[m].b > t) {
            hi = m;
        } else {
            lo = m + 1;
        }
    }
    return lo;
}

sy_ms sy_judge__hist_time(const history *h, sy_ms lo, sy_ms hi)
{
    sy_ms sum = 0;
    for (size_t k = sy_judge__hist_after(h, lo); k < h->n && h->v[k].a < hi; k++) {
        sum += sooner(h->v[k].b, hi) - later(h->v[k].a, lo);
    }
    return sum;
}
