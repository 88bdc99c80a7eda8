/*
 * What the files of the naive judge share: the whole stream as tables by tick, and what the pass
 * over the ticks has counted so far.
 */
#ifndef JUDGE_NAIVE_WORLD_H
#define JUDGE_NAIVE_WORLD_H

#include "judge_naive.h"

enum { F = 0, U = 1, T = 2, NEVER = -1000000000 };
enum { MEASURES = 64, STRETCHES = 1024, CLAUSES = 16, TABLES = 96, FOLLOWS = 24, LEVELS = 4 };
/* Before the readings of a tick, with them, the stretch that follows; the close of windows. */
enum { PRE, AT, AFTER, CLOSE };

typedef struct hold {
    const sy_cond *c;
    int slot; /* level, or -1 for the clear condition; 100 + level: known false */
    int counted, before, first, unknown, exempt, unknown_since;
    long total, total_at_reading;
    bool tick[NAIVE_TICKS + 1]; /* counted: what cumulative sums */
} hold;

typedef struct used { /* exemption clause of a level */
    int level, times, each;
    int from[STRETCHES], to[STRETCHES], n;
    bool used[STRETCHES];
} used;

/* What a test says at the instants at which it has a value of its own; -1 elsewhere. */
typedef struct table {
    const sy_cond *c;
    int p; /* the point, or -1 where it is of several */
    int gap;
    signed char at[NAIVE_TICKS + 1];
} table;

/* What A followed by B remembers from one moment to the next. */
typedef struct follow {
    const sy_cond *c;
    int level;
    int last_a;             /* last known value of A, U: none yet */
    int begun;              /* NEVER: not yet */
    bool on, over;          /* followed: latched; not followed: ended for good */
    bool b_unknown, b_came; /* since begun, up to begun + D */
    int value;              /* at the last moment */
} follow;

typedef struct world {
    const naive_case *c;
    const sy_set *set;
    const sy_rule *rule;
    /* valid readings: value by point and tick, NAN where there is none. In v an over range reading
     * is infinite where the rule says so; d is without. */
    double v[NAIVE_POINTS][NAIVE_TICKS + 1];
    double d[NAIVE_POINTS][NAIVE_TICKS + 1];
    int prev[NAIVE_POINTS][NAIVE_TICKS + 1];                /* of v: latest reading at or before */
    int next[NAIVE_POINTS][NAIVE_TICKS + 1];                /* earliest at or after */
    int first_at[NAIVE_TICKS + 1], same_at[NAIVE_READINGS]; /* all readings of one tick */
    bool mine[NAIVE_POINTS];                                /* the instance watches it */
    int from, to;   /* in force, not before the box started */
    int force_from; /* the same, without regard to the box */
    hold holds[MEASURES];
    int n_holds;
    used clauses[CLAUSES];
    int n_clauses;
    table *tables[TABLES];
    int n_tables;
    follow follows[FOLLOWS];
    int n_follows;
    int inside[LEVELS][NAIVE_TICKS + 2]; /* ticks inside `during` of a level before this one */
    signed char verdict[LEVELS + 1][NAIVE_TICKS + 1]; /* of calendar levels and clear; -1: none */
    int level; /* whose exemptions and calendar act on what is looked at; -1: clear */
    bool open[LEVELS], blocked[LEVELS];
    int opened_at[LEVELS];
    int was[LEVELS + 1]; /* value of the stretch before: levels, then the clear condition */
    int last_clear;
    bool last_tick; /* 00:00 after `to`: only what closes is judged */
    int counted_openings[NAIVE_ALERTS], n_openings; /* escalate */
} world;

/* Values of the whole tree are those before this tick is counted: take them first. */
typedef struct pending {
    hold *h;
    int x, length;
} pending;

static inline const sy_site_point *point(const world *w, int p)
{
    return &w->c->site->points[p];
}
static inline int n_points(const world *w)
{
    return (int)w->c->site->n_points;
}

/* judge_naive_number.c: numbers in force, units, time of the premises */
const sy_site_premises *naive_premises(const world *w);
sy_ms naive_time(const world *w, int g);
int64_t naive_day(const world *w, int g);
int naive_tick_of(const world *w, sy_ms t); /* rounded up */
const sy_num *naive_num(const world *w, const sy_value *v, int g);
int naive_ticks(const world *w, const sy_value *v, int g);
double naive_ms(const world *w, const sy_value *v, int g);
typedef enum naive_measure { PLAIN, DIFFERENCE, RATE } naive_measure;
typedef struct naive_quantity { /* a value that is compared */
    double x;                   /* NAN: unknown */
    const sy_unit *unit;
    naive_measure kind;
} naive_quantity;
/* The limits of c in force at g; u is the uncertainty in the unit of q, 0 for none. */
int naive_compare(const world *w, const sy_cond *c, naive_quantity q, int g, double u);
bool naive_close_to(double a, double b);
const sy_unit *naive_unit(const world *w, int p);

/* judge_naive_table.c: readings and what tests say of them */
void naive_tabulate(world *w);
bool naive_named(const world *w, int p, const sy_name *n); /* at the driver's place */
int naive_point_of(const world *w, const sy_name *n);      /* the driver, or the only one */
int naive_missing(const world *w, int p);
const table *naive_table(world *w, const sy_cond *c, int p);
void naive_free_tables(world *w);
/* The state of point p at g (readings of g included), -1 where it is not known. */
int naive_state_at(const world *w, int p, int g);

/* judge_naive_window.c: sums, aggregates, lets */
typedef struct naive_list { /* readings in order of time */
    double x[NAIVE_TICKS + 1];
    int at[NAIVE_TICKS + 1];
    int n;
} naive_list;
double naive_mean(const naive_list *l);
/* Readings of p in the ticks from ≤ g < to that an aggregate takes. */
void naive_take(const world *w, const sy_agg *a, const sy_name *during, int p, int from, int to,
                naive_list *l);
double naive_over(const world *w, const sy_agg *a, const sy_name *during, int p, int g);
naive_quantity naive_agg_at(const world *w, const sy_agg *a, const sy_name *during, int g);
/* exact: members of an event are those of exactly g. */
naive_quantity naive_let_at(const world *w, const sy_letdef *l, int g, bool exact);
/* Mark the points that it is made of. */
void naive_made_of_agg(const world *w, const sy_agg *a, bool *points);
void naive_made_of(const world *w, const sy_expr *e, bool *points);

/* judge_naive_calendar.c: windows of the calendar, portions, during */
bool naive_inside(const world *w, const sy_name *calendar, int g); /* (g, g+1), and g */
int naive_inside_ticks(const world *w, const sy_name *calendar, int from, int to);
void naive_calendars(world *w);              /* fill w->inside */
const sy_name *naive_during(const world *w); /* of w->level, or NULL */
bool naive_calendar_kind(const sy_cond *c);
int naive_close(world *w, const sy_cond *c, int g);                     /* a leaf, at g */
bool naive_closes(const world *w, const sy_cond *c, int g, int *start); /* any window of the tree */
void naive_verdicts(world *w, int g);

/* judge_naive_phrase.c */
int naive_stuck(const world *w, const sy_cond *c, int p, int g);
int naive_exposure(const world *w, const sy_cond *c, int p, int g);
void naive_n_of_m(const world *w, const sy_cond *c, table *t);
int naive_curve(const world *w, const sy_cond *c, int g, int when);
int naive_due(const world *w, const sy_cond *c, int g, int when);
/* All followed-by below the rule's conditions see one more moment. */
void naive_follow_moment(world *w, int g, int when);
int naive_followed(world *w, const sy_cond *c);

/* judge_naive_value.c: `when` is PRE, AT, AFTER or CLOSE. */
/* From where silence of p is counted, with the readings before (or at) tick g. */
int naive_silence_base(const world *w, int p, int g, bool with_g);
int naive_silence_length(const world *w, const sy_cond *c, int p, int g);
bool naive_silent_since(const world *w, int base, int g, int length);
hold *naive_hold_of(world *w, const sy_cond *c, int slot);
/* Without the hold of c itself; with it. */
int naive_value(world *w, const sy_cond *c, int g, int when);
int naive_held_value(world *w, const sy_cond *c, int g, int when);
bool naive_has_hold(const sy_cond *c);
bool naive_silent_kind(const sy_cond *c);
bool naive_compares(const sy_cond *c);

/* judge_naive_exempt.c */
void naive_find_stretches(world *w);
/* Does (g, g+1), or the instant g, lie in exempt time? Use up what acts. */
bool naive_exempt_at(world *w, int level, int g, bool use);
/* Exempt up to the instant g, before its readings. */
bool naive_exempt_before(world *w, int level, int g);
/* judge_naive_hold.c */
int naive_measured(const world *w, const hold *h, int g); /* for or cumulative, at g */
bool naive_reached(const world *w, const hold *h, int g); /* measure at least D */
bool naive_just_reached(const world *w, const hold *h, int g);
/* One tick (g, g+1) with value x. */
void naive_count_tick(const world *w, const pending *p, int g, bool exempt, bool outside);
void naive_count_instant(const world *w, const pending *p, int g);
bool naive_gap_resets(const world *w, const hold *h, int g, int length);
bool naive_nested_counts(world *w, const sy_cond *c, int g, bool outermost);
int naive_gather(world *w, const sy_cond *c, int g, int when, bool outermost, pending *list, int n);
int naive_clear_length(const world *w, const sy_cond *c, int g);

/* judge_naive_level.c */
bool naive_clears(world *w, int g, bool clock);
/* Openings at g; `n` alerts so far, the last may be open. Returns the new number. */
size_t naive_opens(world *w, int g, bool clock, naive_alert *out, size_t n);
void naive_close_at(world *w, naive_alert *a, int g, sy_alert_state how);

#endif
