/*
 * Judging: one instance over a stretch of event time, from signals to levels.
 */
#ifndef SY_JUDGE_RUN_H
#define SY_JUDGE_RUN_H

#include "rules/judge_core.h"

/* One run of an instance over a stretch of event time. */
typedef struct run {
    sy_judge *j;
    inst *i;
    state *st;
    sy_ms limit;  /* judged up to here */
    bool ending;  /* the last instant in force: only calendar windows are judged */
    bool reading; /* a watched point has a reading at the instant */
    bool driver;  /* … the driver has */
    bool changes; /* a length changes at the instant */
    double driver_v;
    bool tells;  /* days that end are told though the state is a copy */
    sy_ms timer; /* the next timer after the limit */
    sy_err err;
} run;

/* judge_signal.c: values of nodes. */
bool sy_judge__test(const node *n, double v, sy_ms t); /* a reading of time t */
/* x beside the limits: xa in the unit of a, xb in that of b. */
bool sy_judge__compare(sy_op op, double xa, double a, double xb, double b);
/* When silence that is counted from `base` is due. */
sy_ms sy_judge__silent_at(const run *r, const node *n, sy_ms base);
sy_ms sy_judge__silent_from(const run *r, const node *n, sy_ms t, sy_ms *base);
void sy_judge__eval_stretch(run *r, const root *c);         /* over (st.t, next instant) */
void sy_judge__eval_before(run *r, const root *c, sy_ms t); /* at t, before its readings */
void sy_judge__eval_at(run *r, const root *c, sy_ms t);     /* at t, after its readings */
/* not, and, or, hold; at t or over the stretch after it */
tri sy_judge__inner(const run *r, const node *n, const uint8_t *v, sy_ms t);

/* judge_term.c: samples. Their value at an instant (`event`: members have exactly that time), over
 * the stretch from st.t on, and in the state once the readings of t are taken; from the slots of a
 * state that was made; the latest instant before t of the samples that rest on a slot. */
tri sy_judge__sample(run *r, const sample *s, sy_ms u, bool event);
tri sy_judge__sample_stretch(run *r, const sample *s);
void sy_judge__samples_at(run *r, sy_ms t);
void sy_judge__samples_begin(run *r);
sy_ms sy_judge__samples_before(const sy_judge *j, const inst *i, uint32_t slot, sy_ms t);

/* judge_term.c: the latest reading of a slot at u, not older than its bound (0: none), or NULL */
const entry *sy_judge__latest(const run *r, uint32_t slot, sy_ms u, sy_ms missing);

/* judge_close.c: calendar windows. The next close after t; whether one of them, or one of those of
 * a condition, closes at t; the value of a leaf at t; what an alert that opens there is. */
sy_ms sy_judge__next_close(const run *r, sy_ms t);
bool sy_judge__closes_at(const run *r, const closing *c, sy_ms t, sy_ms *start);
bool sy_judge__any_closes_at(const run *r, const root *c, sy_ms t);
tri sy_judge__close(run *r, const node *n, sy_ms t);
void sy_judge__close_outcome(run *r, const jlevel *l, sy_ms t, outcome *o);

/* judge_window.c: the value at an instant of the window's point, false: unknown; what its kinds
 * compute with. */
bool sy_judge__counts(const run *r, const window *w, const entry *e);
bool sy_judge__window(run *r, window *w, sy_ms u, double *out);
double sy_judge__image(sy_agg_kind agg, double v, double factor, double offset);
double sy_judge__preimage(sy_agg_kind agg, double mean, double factor, double offset);
uint32_t sy_judge__rank_of(double p, uint32_t n); /* from 0, of n values in order */
double sy_judge__middle(double a, double b);
/* The log of a slot has changed at t; what is kept beside the state follows. SY_E_NOMEM. */
sy_err sy_judge__windows_disturb(sy_judge *j, inst *i, uint32_t slot, sy_ms t, const added *what);
void sy_judge__windows_forget(inst *i);
void sy_judge__windows_free(sy_judge *j, inst *i);

/* judge_phrase.c: samples at a reading; a node at a moment (`after`: the stretch that begins at t)
 * with its kids' values; what follows and deadlines in the state; the next instant that matters. */
tri sy_judge__stuck(const run *r, const sample *s, sy_ms u);
tri sy_judge__exposure(const run *r, const sample *s, sy_ms u);
tri sy_judge__count_of(const run *r, const sample *s, sy_ms u);
tri sy_judge__phrase(run *r, const node *n, const uint8_t *v, sy_ms t, bool after);
void sy_judge__follows(run *r, const root *c, const uint8_t *v, sy_ms t, bool after);
void sy_judge__curves_at(run *r, sy_ms t);
sy_ms sy_judge__phrase_timer(const run *r);

/* judge_measure.c: what a stretch is to a measure. Outside its calendar time that is true neither
 * counts nor resets. */
typedef enum counting { COUNTS, EXEMPT, OUTSIDE } counting;
void sy_judge__measure_stretch(run *r, measure *m, tri v, counting how, sy_ms limit, sy_ms t);
void sy_judge__measure_at(measure *m, tri v, sy_ms limit, sy_ms t);
static inline sy_ms run_limit(sy_ms d)
{
    return d > DAY_MS ? d : DAY_MS;
}

counting sy_judge__counting(run *r, int level, bool use); /* the stretch after st.t, to a hold */

/* judge_tally.c: what the stretch after st.t is to a level, of several the largest counts; the
 * stretch to t is that; the day begins anew, not before `since` (SY_MS_NONE: from any time). */
typedef enum tally_kind { T_OUTSIDE, T_ORDER, T_EXEMPT, T_UNKNOWN, T_BREACH } tally_kind;
tally_kind sy_judge__tally_of(run *r, uint32_t level, tri v, counting how);
void sy_judge__tally(run *r, tally_kind kind, sy_ms t);
void sy_judge__tally_anew(state *s, sy_ms since);

/* judge_cumulative.c: over the stretch to t; when the sum reaches d while time counts, and after
 * which instant it is below d while none does; whether the hold is true in the stretch after st.t,
 * its condition being true; the alert that it raises. */
void sy_judge__cum_stretch(run *r, uint16_t item, sy_ms over, bool counts, sy_ms t);
sy_ms sy_judge__cum_completes(const run *r, uint16_t item, sy_ms d, sy_ms over);
sy_ms sy_judge__cum_falls(const run *r, uint16_t item, sy_ms d, sy_ms over);
bool sy_judge__cum_holds(const run *r, uint16_t item, sy_ms d, sy_ms over, bool counts);
void sy_judge__cum_outcome(const run *r, uint16_t item, sy_ms over, sy_ms t, outcome *o);
/* The alert opens at t: true where that raises its level. */
bool sy_judge__opening_counts(run *r, sy_ms t);
void sy_judge__histories_cut(inst *i, sy_ms t);
sy_ms sy_judge__history_needed(const inst *i, uint32_t k, sy_ms t);

/* judge_exempt.c */
bool sy_judge__exempt(run *r, const jlevel *l, sy_ms t, bool use); /* at t+; use up where it acts */
void sy_judge__exempt_at(run *r, sy_ms t);                         /* the states are as after t */
sy_ms sy_judge__exempt_timer(run *r);
/* Publication waits while a contact may only flutter. */
sy_ms sy_judge__exempt_frontier(const sy_judge *j, const inst *i, sy_ms now, sy_ms *wake);

/* judge_level.c: at t, with the values of the instant in j->at, those before it in j->seg. */
void sy_judge__open_levels(run *r, sy_ms t, bool by_clock);
bool sy_judge__clears_at_reading(const run *r);
bool sy_judge__clears_by_clock(const run *r, sy_ms t);
void sy_judge__close_alert(run *r, sy_ms t, sy_alert_state how);

/* judge_step.c: run to the limit. Measures of the stretch from there on, up to t within it; its
 * values stay in j->seg. */
void sy_judge__steps(run *r);
void sy_judge__reach(run *r, sy_ms t);

/* judge_redo.c: what a reading, or the clock, makes of an instance. */
sy_err sy_judge__run(sy_judge *j, inst *i);
sy_err sy_judge__touch(sy_judge *j, inst *i, uint32_t slot, sy_ms t, bool *judged);

#endif
