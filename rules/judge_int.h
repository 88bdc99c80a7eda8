/*
 * Inside the judge: what its files share.
 *
 * An instance is one rule on one driver point. Its conditions are compiled into nodes (children
 * before parents) over slots (the points that it watches). All that changes lies in one flat state
 * of 8-byte words, so that it can be copied (checkpoints), compared and saved as it is.
 *
 * Invariants
 *   1. A state at time t has processed every visible reading and timer up to and including t.
 *   2. base.t <= mid.t <= cur.t; base and mid rest on readings that can no longer change.
 *   3. A point's log holds every reading after the oldest base of the instances that use it.
 *   4. recs[] holds at most one rec per onset; work is what is judged, pub what has been told.
 */
#ifndef SY_JUDGE_INT_H
#define SY_JUDGE_INT_H

#include "rules/judge.h"

typedef enum tri { FALSE3 = 0, UNKNOWN3 = 1, TRUE3 = 2 } tri;
enum { FLUTTER_MS = 5000, DAY_MS = 86400000, LEVELS = 4 };

/* State, words only. */
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
typedef struct outcome { /* an alert; raised SY_MS_NONE: none */
    sy_ms onset, raised, cleared;
    int64_t state;          /* sy_alert_state */
    sy_ms level_at[LEVELS]; /* when the severity was reached, SY_MS_NONE */
    sy_ms counted, unknown, exempt;
    figs figs;
} outcome;
typedef struct state {
    sy_ms t;
    outcome alert; /* the open one */
    int64_t words[];
} state;

/* Compiled rule. */
typedef enum node_kind { N_CMP, N_IS, N_NODATA, N_NOT, N_THRESH, N_HOLD } node_kind;
typedef struct node {
    uint8_t kind, op;
    uint16_t slot;                 /* leaf */
    uint16_t item;                 /* NODATA: silence; HOLD: measure */
    uint16_t k, n_kids;            /* THRESH: true where k kids are true */
    int16_t level;                 /* HOLD: whose exemptions act; -1: the clear condition's */
    uint32_t kid;                  /* first entry in kids */
    double a, b;                   /* limits; IS: a is the state's number */
    const sy_unit *from, *ua, *ub; /* convert the reading where not NULL */
    sy_ms d;                       /* HOLD, NODATA: length */
    sy_ms gap;                     /* NODATA: at most that between readings that count as data */
} node;
typedef struct root {     /* a condition with its outer hold split off */
    uint32_t first, last; /* nodes; last is the root */
    sy_ms hold;           /* -1: bare */
    uint16_t item;        /* measure of the hold */
    bool clocked;         /* made of what holds: judged by the clock */
    bool timers;          /* has a hold or a silence inside */
} root;
typedef enum level_kind { L_BARE, L_FOR, L_SILENCE } level_kind;
typedef struct jlevel {
    root cond;
    level_kind kind;
    sy_alert_level severity;
    uint16_t fitem; /* measure of known false, for the default clear */
    sy_ms fhold;
    uint32_t except, n_excepts;
    sy_ms delivery; /* L_SILENCE: publication waits */
} jlevel;
typedef struct except {
    uint32_t kid; /* slots in kids */
    uint16_t n_slots;
    double value;
    sy_ms each;
    int64_t times;
} except;
typedef struct jslot {
    uint32_t point;
    sy_ms bound;   /* state: holds at most; 0: for ever */
    sy_ms missing; /* between readings of a quantity that is compared */
    bool cmp, exc, silent;
} jslot;

typedef struct rec {
    outcome work, pub;
    sy_ms replaces; /* onset of the withdrawn one */
    bool has_work, has_pub;
} rec;

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
    root clear;
    bool has_clear, timers, clocked, mixed, has_silence;
    uint16_t n_slots, n_levels, n_excepts, n_measures, n_silences;
    uint32_t n_nodes;
    uint16_t at_measures, at_stretches, at_levels, at_silences, n_words; /* in state.words */
    sy_ms reach; /* a change at t can alter what is up to `reach` before it */
    state *cur, *mid, *base;
    rec *recs;
    size_t n_recs, cap_recs, live; /* recs before live are final and told */
    sy_ms work_t;                  /* figures of an open work reach to here */
    sy_ms wake, due;               /* next visit by the clock; next delayed publication */
    size_t heap_at;                /* position in the heap, SIZE_MAX: not in it */
    bool provisional, dirty;
} inst;

/* Log of a point: (time << 2 | flags, value), ascending. */
enum { E_VALID = 1, E_CONFLICT = 2 };
typedef struct entry {
    int64_t key;
    double v;
} entry;
typedef struct point_log {
    entry *e;                 /* whole array */
    uint32_t head, n, cap;    /* entries head .. head + n */
    uint32_t inst_at, n_inst; /* in judge.users */
} point_log;

typedef struct restart {
    sy_ms off, at;
} restart;
typedef struct change {
    sy_ms key;
    uint32_t inst, seq;
    sy_ms replaces, at;
    sy_change_kind kind;
    sy_alert_level level;
    outcome what;
} change;

struct sy_judge {
    sy_judge_options o;
    sy_arena arena; /* what binding makes */
    size_t bytes;   /* growing arrays */
    sy_ms now;
    inst *insts;
    size_t n_insts, cap_insts;
    uint32_t *users; /* (instance, slot) pairs by point */
    point_log *logs;
    sy_unwatched *unwatched;
    size_t n_unwatched, cap_unwatched;
    uint32_t *heap;
    size_t n_heap;
    restart *restarts;
    size_t n_restarts, cap_restarts;
    change *changes;
    size_t n_changes, cap_changes;
    uint8_t *seg, *at; /* node values: of the stretch, of the instant */
    uint32_t *next;    /* per slot: the next entry of its log */
    state *scratch;
    uint32_t max_nodes, max_slots, max_words;
    bool finished;
    unsigned char site_hash[32];
};

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
static inline size_t st_bytes(const inst *i)
{
    return sizeof(state) + (size_t)i->n_words * 8;
}
static inline sy_ms e_time(const entry *e)
{
    return e->key >> 2;
}
static inline bool e_valid(const entry *e)
{
    return (e->key & 3) == E_VALID;
}
static inline void figs_add(figs *f, double v)
{
    f->min = f->count == 0 || v < f->min ? v : f->min;
    f->max = f->count == 0 || v > f->max ? v : f->max;
    f->count++;
}
static inline bool same_text(const char *a, const char *b)
{
    return sy_span_eq(sy_span_of(a), sy_span_of(b));
}
/* Byte by byte, as strcmp. */
static inline int text_order(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}
static inline sy_ms later(sy_ms a, sy_ms b)
{
    return a > b ? a : b;
}
static inline sy_ms sooner(sy_ms a, sy_ms b)
{
    return a < b ? a : b;
}

/* One run of an instance over a stretch of event time. */
typedef struct run {
    sy_judge *j;
    inst *i;
    state *st;
    sy_ms limit;  /* judged up to here */
    bool reading; /* a watched point has a reading at the instant */
    bool driver;  /* … the driver has */
    double driver_v;
    sy_ms timer; /* the next timer after the limit */
    sy_err err;
} run;

/* judge_bind.c, judge_compile.c */
sy_err sy_judge__bind(sy_judge *j);
sy_err sy_judge__compile(sy_judge *j, inst *i, const sy_site_tier *tiers, size_t n_tiers,
                         const char **why);
void sy_judge__state_init(const inst *i, state *s);
sy_ms sy_judge__duration(const sy_num *n);
/* A formatted English text in the arena. */
const char *sy_judge__text(sy_judge *j, const char *a, const char *b, const char *c);

/* judge_log.c: readings of a point. */
uint32_t sy_judge__log_after(const point_log *l,
                             sy_ms t); /* first entry with time > t, from head */
/* The nearest valid entry before / after t, or NULL. */
const entry *sy_judge__log_prev(const point_log *l, sy_ms t);
const entry *sy_judge__log_next(const point_log *l, sy_ms t);
sy_ms sy_judge__log_newest(const point_log *l);
/* *changed: the set of valid readings changed. */
sy_err sy_judge__log_add(sy_judge *j, point_log *l, sy_ms t, double v, bool good, bool *changed,
                         sy_verdict *verdict);
void sy_judge__log_prune(sy_judge *j, uint32_t point);

/* judge_signal.c: values of nodes. */
bool sy_judge__test(const node *n, double v);
sy_ms sy_judge__silent_from(const run *r, const node *n, sy_ms t, sy_ms *base);
void sy_judge__eval_stretch(run *r, const root *c);         /* over (st.t, next instant) */
void sy_judge__eval_before(run *r, const root *c, sy_ms t); /* at t, before its readings */
void sy_judge__eval_at(run *r, const root *c, sy_ms t);     /* at t, after its readings */

/* judge_measure.c */
void sy_judge__measure_stretch(run *r, measure *m, tri v, bool exempt, sy_ms limit, sy_ms t);
void sy_judge__measure_at(measure *m, tri v, sy_ms limit, sy_ms t);
static inline sy_ms run_limit(sy_ms d)
{
    return d > DAY_MS ? d : DAY_MS;
}

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

/* judge_step.c: run to the limit. */
void sy_judge__steps(run *r);

/* judge_redo.c: what a reading, or the clock, makes of an instance. */
sy_err sy_judge__run(sy_judge *j, inst *i);
sy_err sy_judge__touch(sy_judge *j, inst *i, uint32_t slot, sy_ms t, bool *judged);

/* judge_alert.c */
/* SY_E_NOMEM. */
sy_err sy_judge__rec_open(sy_judge *j, inst *i, const outcome *o);
void sy_judge__rec_set(inst *i, const outcome *o);
void sy_judge__rec_restore(inst *i);
sy_err sy_judge__publish(sy_judge *j, inst *i);
void sy_judge__emit(sy_judge *j);
void sy_judge__id(const sy_judge *j, const inst *i, sy_ms onset, char out[33]);
void sy_judge__settle(inst *i); /* after a new base: what can no longer change */
/* An alert as it is shown; id and replaces are buffers of the caller. */
sy_alert sy_judge__view(const sy_judge *j, const inst *i, const outcome *o, sy_ms replaces,
                        sy_alert_level level, char replaces_id[33]);
sy_alert_level sy_judge__highest(const outcome *o);

/* judge.c: heap by (wake, instance). */
void sy_judge__wake(sy_judge *j, inst *i, sy_ms t);
sy_err sy_judge__grow(sy_judge *j, void **data, size_t *cap, size_t need, size_t item);

#endif
