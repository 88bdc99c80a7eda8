/*
 * A rule compiled for one instance: its conditions as nodes (children before parents) over slots,
 * the points that it watches; its levels and exemptions. Nothing here changes while it is judged.
 * Derived quantities: judge_term.h.
 */
#ifndef SY_JUDGE_NODE_H
#define SY_JUDGE_NODE_H

#include "rules/judge.h"
#include "rules/judge_calendar.h"

typedef enum tri { FALSE3 = 0, UNKNOWN3 = 1, TRUE3 = 2 } tri;

typedef enum node_kind {
    N_CMP,
    N_IS,
    N_NODATA,
    N_NOT,
    N_THRESH,
    N_HOLD,
    N_CUM,    /* a cumulative hold inside a condition */
    N_SAMPLE, /* looked at at the readings of some points: see sample */
    N_CLOSE,  /* of a calendar window: has a value at its closes, see calendar */
    N_DUE,    /* judge_phrase.h */
    N_CURVE,
    N_FOLLOW
} node_kind;
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
struct phrase;
typedef struct node {
    uint8_t kind, op;
    uint16_t slot;       /* leaf */
    uint16_t item;       /* NODATA: silence; HOLD: measure; CUM: cum; SAMPLE, CLOSE: which */
    uint16_t k, n_kids;  /* THRESH: true where k kids are true */
    int16_t level;       /* HOLD: whose exemptions act; -1: the clear condition's */
    uint32_t kid;        /* first entry in kids */
    double a, b;         /* limits; IS: a is the state's number */
    const limits *dated; /* limits that change by date, else NULL */
    const sy_unit *from, *ua, *ub; /* convert the reading where not NULL */
    sy_ms d;                       /* HOLD, NODATA: length */
    sy_ms gap; /* NODATA: at most that between readings that count as data; CUM: the window */
    const struct phrase *p; /* DUE, CURVE, FOLLOW */
    const sy_cond *cond;    /* what of the rule it was made from, for people */
} node;
typedef struct root {     /* a condition with its outer hold split off */
    uint32_t first, last; /* nodes; last is the root */
    sy_ms hold;           /* -1: bare */
    uint16_t item;        /* measure of the hold, or cum */
    bool cum;             /* the hold is cumulative, over `window` */
    sy_ms window;
    bool clocked; /* made of what holds: judged by the clock */
    bool timers;  /* has a hold or a silence inside */
    bool closes;  /* has a calendar window: judged at its closes alone */
} root;
typedef enum level_kind { L_BARE, L_FOR, L_SILENCE, L_CALENDAR, L_CUM } level_kind;
typedef struct jlevel {
    root cond;
    level_kind kind;
    sy_alert_level severity;
    uint16_t fitem; /* measure of known false, for the default clear */
    sy_ms fhold;
    uint32_t except, n_excepts;
    calendar *during; /* only time inside counts; NULL: always */
    sy_ms delivery;   /* L_SILENCE, L_CALENDAR: publication waits */
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
    sy_ms wait;    /* the next reading decides about the time before it for so long */
    sy_ms keep;    /* windows look back so far */
    bool cmp, exc, silent;
    bool sampled; /* a sample rests on it */
    bool member;  /* of an event */
} jslot;

/* A leaf that has a value at each reading of its points (its instants) and follows, between two
 * neighbouring ones, from both, as a comparison does. The value is a function of the logs. */
typedef enum sample_kind { S_DERIVED, S_STUCK, S_EXPOSURE, S_COUNT } sample_kind;
typedef struct sample {
    uint8_t kind, op;
    uint32_t kid; /* slots in kids: of the instants, then others that it rests on */
    uint16_t n_slots, n_more;
    bool event;              /* judged at events alone */
    sy_ms missing;           /* neighbouring instants are at most so far apart */
    uint32_t needs, n_needs; /* DERIVED: terms in kids, operands first */
    uint16_t xa, xb, a, b;   /* DERIVED: terms; x in the unit of the limit a, of b */
    const struct phrase *p;  /* STUCK, EXPOSURE */
} sample;

#endif
