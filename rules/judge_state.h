/*
 * The state of an instance: all that changes, in one flat run of 8-byte words, so that it can be
 * copied (checkpoints), compared and saved as it is. What it measures, and the alert as it is
 * judged.
 */
#ifndef SY_JUDGE_STATE_H
#define SY_JUDGE_STATE_H

#include "rules/judge.h"

enum { FLUTTER_MS = 5000, DAY_MS = 86400000, LEVELS = 4 };

typedef struct figs {
    double min, max; /* 0 while count is 0, so that equal states have equal bytes */
    int64_t count;
} figs;
typedef struct slot_state {
    sy_ms t; /* last valid reading; SY_MS_NONE */
    double v;
} slot_state;
typedef struct measure {
    sy_ms counted, unknown, exempt;
    sy_ms first;     /* start of the first counted time since the last known false */
    sy_ms unk_since; /* start of the unknown run that lasts, or SY_MS_NONE */
    int64_t grew;    /* counted time since the previous reading of the instance */
    figs figs;       /* of the driver since `first` */
} measure;
typedef struct stretch { /* of an exemption clause */
    sy_ms a;             /* begin of the stretch, SY_MS_NONE: none */
    sy_ms bridge;        /* the state ended, but returns here */
    int64_t used_this;   /* this stretch is used up */
    int64_t day, used;   /* stretches used up of that local day */
} stretch;
typedef struct level_state {
    int64_t open, blocked;
} level_state;
typedef struct silence { /* of a "has no data" leaf */
    figs figs;           /* of the driver since the point's last valid reading */
    sy_ms since, sum;    /* data time since the level opened */
} silence;
typedef struct cum { /* of a cumulative hold */
    sy_ms sum, was;  /* counted in the window that ends at st.t; at the instant before */
    sy_ms since;     /* last clear */
    int64_t grew;    /* counted time since the previous reading of the instance */
} cum;
typedef struct sample_state { /* its last instant, SY_MS_NONE: none; the value there */
    sy_ms t;
    int64_t v;
} sample_state;
typedef struct run_state { /* of "lasts": closes that were true, in a row */
    int64_t n, unknown;
    sy_ms onset, to; /* from the start of the first window; figs reach to here */
    sy_ms last;      /* the latest close that is in it */
    figs figs;       /* of the driver */
} run_state;
typedef struct outcome { /* an alert; raised SY_MS_NONE: none */
    sy_ms onset, raised, cleared;
    int64_t state;          /* sy_alert_state */
    sy_ms level_at[LEVELS]; /* when the severity was reached, SY_MS_NONE */
    sy_ms counted, unknown, exempt;
    figs figs;
} outcome;
typedef struct tally { /* of the local day that t lies in; end <= begin: none yet */
    sy_ms begin, end;
    sy_ms in_order, breach, exempt, outside;
    sy_ms since; /* where the clock was set back: not before */
    int64_t moved;
} tally;
typedef struct state {
    sy_ms t;
    sy_ms tuned;   /* lengths took over counted time here: nothing opens or clears before */
    outcome alert; /* the open one */
    tally day;
    int64_t words[];
} state;

static inline void figs_add(figs *f, double v)
{
    f->min = f->count == 0 || v < f->min ? v : f->min;
    f->max = f->count == 0 || v > f->max ? v : f->max;
    f->count++;
}
static inline sy_ms later(sy_ms a, sy_ms b)
{
    return a > b ? a : b;
}
static inline sy_ms sooner(sy_ms a, sy_ms b)
{
    return a < b ? a : b;
}

#endif
