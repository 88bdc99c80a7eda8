/*
 * Random rules of the whole language, sites and streams for them, from a seed.
 */
#ifndef JUDGE_RANDOM_H
#define JUDGE_RANDOM_H

#include "base/os.h"
#include "judge_naive.h"

/* X(NAME, "name"): what SY_CONSTRUCTS chooses from; a case draws a few of them. */
#define CONSTRUCT_TABLE(X)                                                                         \
    X(TIERS, "tiers")                                                                              \
    X(UNITS, "units")                                                                              \
    X(CUMULATIVE, "cumulative")                                                                    \
    X(DURING, "during")                                                                            \
    X(READINGS, "readings")                                                                        \
    X(DOUBT, "doubt")                                                                              \
    X(DATED, "dated")                                                                              \
    X(TUNE, "tune")                                                                                \
    X(TRIAL, "trial")                                                                              \
    X(UNCERTAIN, "uncertain")                                                                      \
    X(OVER_RANGE, "over-range")                                                                    \
    X(ESCALATE, "escalate")                                                                        \
    X(WINDOW, "window")                                                                            \
    X(ACROSS, "across")                                                                            \
    X(ENERGY, "energy")                                                                            \
    X(LETS, "let")                                                                                 \
    X(CALENDAR, "calendar")                                                                        \
    X(PORTION, "portion")                                                                          \
    X(LASTS, "lasts")                                                                              \
    X(STUCK, "stuck")                                                                              \
    X(EXPOSURE, "exposure")                                                                        \
    X(FOLLOWED, "followed")                                                                        \
    X(CURVE, "curve")                                                                              \
    X(DUE, "due")                                                                                  \
    X(VERSIONS, "versions")
typedef enum construct {
#define CONSTRUCT_ENUM(name, text) C_##name,
    CONSTRUCT_TABLE(CONSTRUCT_ENUM)
#undef CONSTRUCT_ENUM
        CONSTRUCTS
} construct;

/* Points of the one place, in the order of their series. */
enum {
    P_DEFROST,
    P_DOOR,
    P_DEFROST2,
    P_FUEL,
    P_HUMIDITY,
    P_NOISE,
    P_REFUEL,
    P_TEMPERATURE,
    P_TEMPERATURE2,
    P_VAPOUR,
    POINTS
};

typedef struct random_case {
    bool allowed[CONSTRUCTS], on[CONSTRUCTS];
    bool coarse; /* no tick of less than a minute */
    sy_ms t0, tick;
    int length; /* ticks */
    const sy_zone *zone;
    sy_site_point points[POINTS];
    sy_site_premises premises;
    sy_site_place place;
    sy_site_tier tier;
    sy_site_calendar calendars[2];
    sy_site_span spans[2][3];
    sy_site_swap swap;
    sy_site_due due;
    sy_site site;
    naive_reading r[NAIVE_READINGS];
    size_t n;
} random_case;

void random_seed(uint64_t seed);
uint32_t random_below(uint32_t n);
bool random_chance(uint32_t percent);

/* judge_random_stream.c: draw constructs, time, site and readings. */
void random_frame(random_case *c, const sy_zone *const zones[3]);
void random_stream(random_case *c);

/* judge_random_rule.c: the text of a rule (and of tunings) for that frame. */
void random_rule(const random_case *c, int version, sy_buf *b);

/* judge_random_cond.c */
typedef struct random_writer {
    const random_case *c;
    sy_buf *b;
    bool in_alert; /* numbers need marks; names of let are declared */
} random_writer;
void random_condition(random_writer *w, int depth);
void random_silence(random_writer *w);
void random_calendar(random_writer *w, bool only_hours, bool only_days);
int random_length(void); /* ticks */
void random_duration(random_writer *w, int ticks);
void random_hold(random_writer *w); /* a length, or a name of set */
int64_t random_local_day(const random_case *c);
void random_date(random_writer *w, int64_t day);

#endif
