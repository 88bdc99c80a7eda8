/*
 * An instance: one rule on one driver point, compiled (judge_node.h), with its state and
 * checkpoints (judge_state.h) and the record of its alerts.
 *
 * Invariants
 *   1. A state at time t has processed every visible reading and timer up to and including t.
 *   2. base.t <= mid.t <= cur.t; base and mid rest on readings that can no longer change.
 *   3. A point's log holds every reading after the oldest base of the instances that use it.
 *   4. A history holds what is counted up to cur.t, or up to the end of a run beyond it, and all
 *      that a state from base.t on may ask for.
 *   5. recs[] holds at most one rec per onset; work is what is judged, pub what has been told.
 */
#ifndef SY_JUDGE_INST_H
#define SY_JUDGE_INST_H

#include "rules/judge_close.h"
#include "rules/judge_history.h"
#include "rules/judge_phrase.h"
#include "rules/judge_state.h"

typedef struct rec {
    outcome work, pub;
    sy_ms replaces; /* onset of the withdrawn one */
    bool has_work, has_pub;
    bool stands; /* told before the clock was set back: its times are ahead of the state */
} rec;

typedef struct memo { /* what a sample came to at an instant; SY_MS_NONE: none known */
    sy_ms u;
    int64_t v;
    sy_ms at;    /* EXPOSURE: of the window that ends here, SY_MS_NONE: none known */
    sy_i128 sum; /* … its whole segments */
} memo;

typedef struct inst {
    const sy_rule *rule;
    const char *subject;
    uint32_t place, point;
    sy_ms from, end; /* in force [from, end) */
    jslot *slots;
    node *nodes;
    uint16_t *kids;
    jlevel *levels;
    except *excepts;
    sample *samples;
    term *terms;
    window *windows; /* what they have kept is no part of the state */
    memo *memos;     /* of samples */
    closing *closings;
    sy_ms clear_delivery; /* of the calendar windows of the clear condition */
    root clear;
    bool has_clear, timers, clocked, mixed, has_silence, has_phrases;
    uint16_t n_slots, n_levels, n_excepts, n_measures, n_silences;
    uint16_t n_samples, n_terms, n_windows, n_closings, n_runs, n_curves, n_follows;
    uint32_t n_nodes;
    uint16_t at_measures, at_stretches, at_levels, at_silences, at_samples, at_cums, at_runs,
        at_curves, at_follows, n_words; /* in state.words */
    sy_ms reach;           /* a change at t can alter what is up to `reach` before it */
    history *histories;    /* of the cumulative holds; then of the openings, where they count */
    sy_ms *horizons;       /* how far back each is asked for */
    escalation escalation; /* times 0: none */
    uint16_t n_cums, n_histories;
    vary *varies;
    uint32_t n_varies;
    sy_ms varies_from, varies_to; /* the lengths are those in force here; empty: of no time yet */
    state *cur, *mid, *base;
    rec *recs;
    size_t n_recs, cap_recs, live; /* recs before live are final and told */
    sy_ms work_t;                  /* figures of an open work reach to here */
    sy_ms wake, due;               /* next visit by the clock; next delayed publication */
    size_t heap_at;                /* position in the heap, SIZE_MAX: not in it */
    bool provisional, dirty;
    uint8_t sees, takes; /* kinds of entries: that it judges; that count in figures and windows */
} inst;

/* The parts of a state. */
static inline slot_state *st_slots(state *s)
{
    return (slot_state *)(void *)s->words;
}
static inline measure *st_measures(const inst *i, state *s)
{
    return (measure *)(void *)(s->words + i->at_measures);
}
static inline stretch *st_stretches(const inst *i, state *s)
{
    return (stretch *)(void *)(s->words + i->at_stretches);
}
static inline level_state *st_levels(const inst *i, state *s)
{
    return (level_state *)(void *)(s->words + i->at_levels);
}
static inline silence *st_silences(const inst *i, state *s)
{
    return (silence *)(void *)(s->words + i->at_silences);
}
static inline cum *st_cums(const inst *i, state *s)
{
    return (cum *)(void *)(s->words + i->at_cums);
}
static inline sample_state *st_samples(const inst *i, state *s)
{
    return (sample_state *)(void *)(s->words + i->at_samples);
}
static inline run_state *st_runs(const inst *i, state *s)
{
    return (run_state *)(void *)(s->words + i->at_runs);
}
static inline curve_state *st_curves(const inst *i, state *s)
{
    return (curve_state *)(void *)(s->words + i->at_curves);
}
static inline follow_state *st_follows(const inst *i, state *s)
{
    return (follow_state *)(void *)(s->words + i->at_follows);
}
static inline size_t st_bytes(const inst *i)
{
    return sizeof(state) + (size_t)i->n_words * 8;
}

#endif
