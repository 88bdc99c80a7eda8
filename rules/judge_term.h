/*
 * Derived quantities: what a let, an aggregate over time, or one across points comes to at an
 * instant, as a function of the logs. Terms lie children before parents.
 *
 * A window keeps what it has summed up beside the state, for the stretch (lo, hi] of its point's
 * log that it covers; it is moved to the instant that is asked for, in either direction, or built
 * again from the log. It is never saved: what it says does not depend on what it has kept.
 */
#ifndef SY_JUDGE_TERM_H
#define SY_JUDGE_TERM_H

#include "rules/judge_calendar.h"
#include "rules/judge_log.h"
#include "rules/judge_math.h"
#include "rules/judge_node.h"
#include "rules/judge_rank.h"

typedef enum term_kind {
    T_CONST,
    T_DATED,   /* the value in force */
    T_POINT,   /* the latest reading of slot a */
    T_WINDOW,  /* window a at the latest instant of its point */
    T_ACROSS,  /* aggregate of terms */
    T_TABLE,   /* of term a, linear between rows */
    T_CONVERT, /* term a, from one unit to another */
    T_SCALE,   /* term a, times k */
    T_ADD,
    T_SUB,
    T_MUL,
    T_DIV
} term_kind;
typedef struct table_row {
    double x, y;
} table_row;
typedef struct term {
    uint8_t kind, agg;
    uint16_t a, b;
    uint32_t kid, n_kids;
    double k; /* CONST, SCALE; ACROSS: rank */
    const sy_unit *from, *to;
    sy_ms missing;           /* POINT, WINDOW: not older; 0: no limit */
    const dated *rows;       /* DATED */
    const table_row *points; /* TABLE */
    size_t n_rows;
} term;

typedef struct extreme {
    sy_ms t;
    double v;
} extreme;
typedef struct extremes { /* candidates in the window, in order of time; a ring */
    extreme *e;
    size_t cap, head, n;
} extremes;
typedef struct window {
    uint8_t agg;
    bool has_while;
    uint16_t slot, while_slot;
    double while_value, rank, valid; /* valid: per cent */
    double factor, offset;           /* KINETIC: into °C */
    sy_ms length, every, missing;
    calendar *during; /* only readings inside; NULL: all */
    /* what it has kept */
    bool ready;
    sy_ms lo, hi;
    uint64_t first, end; /* entries of the log, by their number since the log began */
    int64_t count;       /* of those that count */
    sy_i128 sum;
    sy_ms held;   /* KINETIC, SOUND_LEVEL: time that sum is weighed by */
    entry latest; /* … the last that counts */
    extremes high, low;
    ranking order;
} window;

#endif
