/*
 * Phrases that are more than a comparison: stuck, exposure, deadlines from the start of a state,
 * due dates, what follows what. docs/judge-language.md 29 to 33.
 */
#ifndef SY_JUDGE_PHRASE_H
#define SY_JUDGE_PHRASE_H

#include "rules/judge_node.h"

typedef struct deadline {
    node test; /* of a reading: the limit is met */
    sy_ms within;
} deadline;
/* What a sample of the kinds STUCK, EXPOSURE and COUNT, or a node CURVE, DUE or FOLLOW, is made of.
 */
typedef struct phrase {
    sy_ms d;            /* STUCK: the time; EXPOSURE: the window; FOLLOW: within */
    sy_ms missing;      /* of the quantity */
    bool others_move;   /* STUCK */
    bool below;         /* EXPOSURE */
    bool never;         /* FOLLOW: not followed */
    double limit, most; /* EXPOSURE, in the unit of the point, and that times ms */
    node test;          /* COUNT: the comparison */
    uint32_t n, of;     /* COUNT: n of so many readings */
    uint16_t state_slot;
    double state; /* CURVE: begins when the state takes this value */
    const deadline *deadlines;
    uint32_t n_deadlines; /* at most PHRASE_DEADLINES */
    sy_ms from;           /* DUE: true from here on */
} phrase;
enum { PHRASE_DEADLINES = 16 };

/* In the state of an instance, one each for a node of the kind. */
typedef struct curve_state {
    sy_ms begun;   /* the state took its value, SY_MS_NONE: not in it */
    int64_t known; /* 1: the state had a reading, whose value was `last` */
    double last;
    int64_t verdicts; /* two bits a deadline: 0 none yet, else 1 + tri */
} curve_state;
typedef struct follow_state {
    sy_ms begun; /* of A, SY_MS_NONE: never */
    int64_t last_a, on, over, unknown, came;
} follow_state;

#endif
