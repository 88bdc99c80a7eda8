/*
 * A rule compiled for one instance: its conditions as nodes (children before parents) over slots,
 * the points that it watches; its levels and exemptions. Nothing here changes while it is judged.
 */
#ifndef SY_JUDGE_NODE_H
#define SY_JUDGE_NODE_H

#include "rules/judge.h"
#include "rules/judge_calendar.h"

typedef enum tri { FALSE3 = 0, UNKNOWN3 = 1, TRUE3 = 2 } tri;

typedef enum node_kind { N_CMP, N_IS, N_NODATA, N_NOT, N_THRESH, N_HOLD, N_CUM } node_kind;
/* A value in force from a time on; the first from SY_MS_NONE, ascending. */
typedef struct dated {
    sy_ms from;
    double v;
} dated;
typedef struct limits { /* of a comparison whose limits change by date */
    const dated *a, *b;
    uint32_t n_a, n_b;
} limits;
typedef struct vary { /* a length that changes by date (judge_value.h) */
    uint8_t what;
    uint32_t index;
    const dated *rows;
    uint32_t n;
} vary;
typedef struct node {
    uint8_t kind, op;
    uint16_t slot;                 /* leaf */
    uint16_t item;                 /* NODATA: silence; HOLD: measure; CUM: cum */
    uint16_t k, n_kids;            /* THRESH: true where k kids are true */
    int16_t level;                 /* HOLD: whose exemptions act; -1: the clear condition's */
    uint32_t kid;                  /* first entry in kids */
    double a, b;                   /* limits; IS: a is the state's number */
    const limits *dated;           /* limits that change by date, else NULL */
    const sy_unit *from, *ua, *ub; /* convert the reading where not NULL */
    sy_ms d;                       /* HOLD, NODATA: length */
    sy_ms gap; /* NODATA: at most that between readings that count as data; CUM: the window */
} node;
typedef struct root {     /* a condition with its outer hold split off */
    uint32_t first, last; /* nodes; last is the root */
    sy_ms hold;           /* -1: bare */
    uint16_t item;        /* measure of the hold, or cum */
    bool cum;             /* the hold is cumulative, over `window` */
    sy_ms window;
    bool clocked; /* made of what holds: judged by the clock */
    bool timers;  /* has a hold or a silence inside */
} root;
typedef enum level_kind { L_BARE, L_FOR, L_SILENCE, L_CUM } level_kind;
typedef struct jlevel {
    root cond;
    level_kind kind;
    sy_alert_level severity;
    uint16_t fitem; /* measure of known false, for the default clear */
    sy_ms fhold;
    uint32_t except, n_excepts;
    calendar *during; /* only time inside counts; NULL: always */
    sy_ms delivery;   /* L_SILENCE: publication waits */
} jlevel;
typedef struct escalation { /* openings that are counted raise the level */
    int64_t times;
    sy_ms window, apart;
    sy_alert_level level;
} escalation;
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

#endif
