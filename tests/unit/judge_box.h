/*
 * A box for the judge's tests: one room with a door and a temperature that comes each minute and is
 * delivered within five, a judge over it, and what the judge told. Times are minutes since BOX_T0.
 */
#ifndef JUDGE_BOX_H
#define JUDGE_BOX_H

#include "judge_kit.h"

enum { BOX_MIN = 60000, BOX_TOLD = 64 };
#define BOX_T0 ((sy_ms)1772323200000) /* 2026-03-01T00:00:00Z */

enum { BOX_DOOR, BOX_TEMPERATURE }; /* points of the site */
extern const sy_site box_site;

#define BOX_RULE_HEAD                                                                              \
    "  basis \"b\" policy\n  applies to subject any; goods any; stage any\n"                       \
    "  watch each room: temperature\n  missing after 3 min\n"
extern const char box_hot[];    /* above 8 °C for 10 min */
extern const char box_silent[]; /* no data for 15 min */
extern const char box_both[];   /* no data for 3 min, or above 8 °C for 30 min */

typedef struct box_told {
    sy_change_kind kind[BOX_TOLD];
    int raised[BOX_TOLD], onset[BOX_TOLD], at[BOX_TOLD];
    char id[BOX_TOLD][33], replaces[BOX_TOLD][33];
    size_t n;
} box_told;

typedef struct box {
    kit_set k;
    box_told t;
    sy_judge *j;
} box;

/* A box that starts at BOX_T0, or at another time. */
void box_start(box *b, const char *text, sy_ms in_force);
void box_start_at(box *b, const char *text, sy_ms start, sy_ms in_force);
void box_stop(box *b);
/* Of the temperature, good. */
sy_verdict box_reading(box *b, int at, double v);
void box_advance(box *b, int to);
/* Readings of v each minute, the clock with them. */
void box_run(box *b, int from, int to, double v);
int box_minute(sy_ms t);

#endif
