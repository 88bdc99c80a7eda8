/*
 * What the files of the naive judge share: the whole stream as tables by second, and what the pass
 * over the seconds has counted so far.
 */
#ifndef JUDGE_NAIVE_WORLD_H
#define JUDGE_NAIVE_WORLD_H

#include "judge_naive.h"

enum { F = 0, U = 1, T = 2, NEVER = -1000000, MEASURES = 64, STRETCHES = 1024, CLAUSES = 16 };
enum { PRE, AT, AFTER }; /* before the readings of a second, with them, the stretch that follows */

typedef struct hold {
    const sy_cond *c;
    int slot; /* level, or -1 for the clear condition; 100 + level: known false */
    int counted, first, unknown, exempt, unknown_since;
    long total, total_at_reading;
} hold;

typedef struct used { /* exemption clause of a level */
    int level, times, each;
    int from[STRETCHES], to[STRETCHES], n;
    bool used[STRETCHES];
} used;

typedef struct world {
    const naive_case *c;
    /* valid readings: value by point and second, NAN where there is none */
    double v[NAIVE_POINTS][NAIVE_SECONDS + 1];
    int prev[NAIVE_POINTS][NAIVE_SECONDS + 1]; /* latest reading at or before */
    int next[NAIVE_POINTS][NAIVE_SECONDS + 1]; /* earliest at or after */
    bool mine[NAIVE_POINTS];                   /* the instance watches it */
    int from, to;
    hold holds[MEASURES];
    int n_holds;
    used clauses[CLAUSES];
    int n_clauses;
    int level; /* whose exemptions act on the holds that are looked at */
    bool open[4], blocked[4];
    int opened_at[4];
    int was[5]; /* value of the stretch before: levels, then the clear condition */
} world;

/* Values of the whole tree are those before this second is counted: take them first. */
typedef struct pending {
    hold *h;
    int x, length;
} pending;

static inline const sy_site_point *point(const world *w, int p)
{
    return &w->c->site->points[p];
}

/* judge_naive_value.c: `when` is PRE, AT or AFTER. */
int naive_sec(const sy_value *v);
int naive_missing(const world *w, int p);
void naive_tabulate(world *w);
bool naive_named(const world *w, int p, const sy_name *n);
/* From where silence of p is counted, with the readings before (or at) second g. */
int naive_silence_base(const world *w, int p, int g, bool with_g);
int naive_silence_length(const world *w, const sy_cond *c, int p);
hold *naive_hold_of(world *w, const sy_cond *c, int slot);
/* Without the hold of c itself. */
int naive_value(world *w, const sy_cond *c, int g, int when);
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
/* One second (g, g+1) with value x. */
void naive_count_second(hold *h, int x, int g, int length, bool exempt);
void naive_count_instant(hold *h, int x, int g, int length);
bool naive_nested_counts(world *w, const sy_cond *c, int g, bool outermost);
int naive_gather(world *w, const sy_cond *c, int g, int when, bool outermost, pending *list, int n);
int naive_clear_length(const sy_cond *c);

/* judge_naive_level.c */
bool naive_clears(world *w, int g, bool clock);
/* Openings at g; `n` alerts so far, the last may be open. Returns the new number. */
size_t naive_opens(world *w, int g, bool clock, naive_alert *out, size_t n);
void naive_close_at(world *w, naive_alert *a, int g, sy_alert_state how);

#endif
