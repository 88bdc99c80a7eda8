/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures over signals: the time for which a signal is known true, less exempt time, since it was
 * last known false. Unknown time neither counts nor resets, unless one run of it is too long.
 */
#include "rules/judge_run.h"

static void reset(measure *m)
{
    *m = (measure){.first = SY_MS_NONE, .unk_since = SY_MS_NONE};
}

/* The signal is known again from t on. */
static void known(measure *m, sy_ms limit, sy_ms t)
{
    if (m->unk_since == SY_MS_NONE) {
        return;
    }
    if (t - m->unk_since > limit) {
        reset(m);
    }
    m->unk_since = SY_MS_NONE;
}

void sy_judge__measure_stretch(run *r, measure *m, tri v, counting how, sy_ms limit, sy_ms t)
{
    sy_ms from = r->st->t;
    if (v == FALSE3) {
        reset(m);
        return;
    }
    if (v == UNKNOWN3) {
        if (m->unk_since == SY_MS_NONE) {
            m->unk_since = from;
        }
        if (m->first != SY_MS_NONE && how != OUTSIDE) {
            m->unknown += t - from;
        }
        return;
    }
    known(m, limit, from);
    if (how != COUNTS) {
        if (m->first != SY_MS_NONE && how == EXEMPT) {
            m->exempt += t - from;
        }
        return;
    }
    if (m->first == SY_MS_NONE) {
        const slot_state *d = &st_slots(r->st)[0];
        m->first = from;
        if (d->t == from && d->v - d->v == 0) { /* over range is no figure */
            figs_add(&m->figs, d->v);
        }
    }
    m->counted += t - from;
    m->grew = 1;
}

void sy_judge__measure_at(measure *m, tri v, sy_ms limit, sy_ms t)
{
    if (v == FALSE3) {
        reset(m);
    } else if (v == TRUE3) {
        known(m, limit, t);
    } else if (m->unk_since == SY_MS_NONE) {
        m->unk_since = t;
    }
}
