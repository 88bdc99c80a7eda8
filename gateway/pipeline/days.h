/*
 * The days of each premises, for its statements: how every rule stood on every point, what each
 * sensor sent, which alerts came and went. Part of the engine's state, a function of the log.
 *
 * A day is one of the premises' time zone. It is kept for SY_DAYS_KEPT days after it was told, so
 * that what comes late makes a corrected statement. Invariants:
 *  1. The days of a premises ascend; all before `next` are told, none from it on.
 *  2. A row is by (rule, version, place, series, from): the same stretch that is judged again takes
 *     the place of what it came to before.
 * One thread.
 */
#ifndef SY_DAYS_H
#define SY_DAYS_H

#include "config/config.h"
#include "rules/judge.h"

enum { SY_DAYS_KEPT = 31, SY_DAYS_SETTLE_MS = 900000 };

typedef struct sy_day_row {
    uint32_t name;
    bool by_close, trial;
    sy_ms from, to, in_order, breach, exempt, outside;
} sy_day_row;

typedef struct sy_day_heard { /* of a series */
    uint32_t name;
    uint32_t heard, good;
} sy_day_heard;

typedef struct sy_day {
    int64_t day;
    sy_ms from, to; /* its midnights */
    uint32_t told;  /* statements that were made of it */
    sy_ms due;      /* when the corrected one is; SY_MS_MAX: nothing has changed since */
    uint32_t raised, cleared, withdrawn;
    sy_day_row *rows;
    size_t n_rows, cap_rows;
    sy_day_heard *heard;
    size_t n_heard, cap_heard;
} sy_day;

typedef struct sy_days_premises {
    char *id;
    int64_t next;      /* the first day that is not told; INT64_MIN: nothing is judged yet */
    sy_ms since;       /* when it came under supervision */
    char previous[96]; /* id of the last statement, "" where there is none */
    unsigned char hash[32];
    sy_day *days;
    size_t n, cap;
} sy_days_premises;

typedef struct sy_days_turn { /* a statement that is to be made */
    sy_ms due;
    uint32_t premises;
    int64_t day;
} sy_days_turn;

struct sy_days_name;
typedef struct sy_days {
    sy_days_premises *premises; /* as in the site in force */
    size_t n;
    struct sy_days_name *by_text;
    struct sy_days_name **names; /* by number */
    size_t n_names, cap_names;
    uint32_t *of_point; /* number of the series' name, by point of the site */
    uint32_t *slot;     /* where the point is in the `heard` of the day it was heard in last */
    size_t n_points;
    sy_days_turn turn; /* the next one, where it is known */
    bool known;
} sy_days;

void sy_days_fini(sy_days *d);
/* Another site is in force. Premises that it does not have are forgotten. SY_E_NOMEM, as below. */
SY_MUST_USE sy_err sy_days_site(sy_days *d, const sy_site *site);
/* Judging has begun: premises that are new come under supervision now. */
void sy_days_begin(sy_days *d, const sy_site *site, sy_ms now);

/* What a judge says of a day; `of`: its site, which may be an older one than that in force. */
SY_MUST_USE sy_err sy_days_judged(sy_days *d, const sy_site *site, const sy_site *of,
                                  const sy_judge_day *j, sy_ms now);
/* A reading that is new. */
SY_MUST_USE sy_err sy_days_heard(sy_days *d, const sy_site *site, uint32_t point, sy_ms t,
                                 sy_quality quality, sy_ms now);
/* A change of an alert that is told; likewise. */
SY_MUST_USE sy_err sy_days_change(sy_days *d, const sy_site *site, const sy_site *of,
                                  const sy_change *c, sy_ms now);

/* When the next statement is due, and of which day; SY_MS_MAX: none is. */
sy_days_turn sy_days_next(sy_days *d, const sy_site *site, const sy_judge *judge);
/* The day; made where there is none. NULL: no memory. */
sy_day *sy_days_at(sy_days *d, const sy_site *site, uint32_t premises, int64_t day);
/* A statement of it was made, with that text: what is too old goes. */
void sy_days_told(sy_days *d, const sy_days_turn *t, const char *id, sy_span text);
/* Days that are longer over than any statement is made for are passed over. */
void sy_days_skip(sy_days *d, const sy_site *site, sy_ms now);

/* The parts of a row's or a series' name; rule "" for a series. */
typedef struct sy_days_words {
    const char *rule, *version, *place, *series;
} sy_days_words;
sy_days_words sy_days_words_of(const sy_days *d, uint32_t name);

void sy_days_save(const sy_days *d, sy_buf *out);
/* Into the days of the site in force. SY_E_CORRUPT. */
SY_MUST_USE sy_err sy_days_load(sy_days *d, const sy_site *site, sy_rd *in);

/* statement.c: the event. `unsynced`, `replay`: the log's clock. */
typedef struct sy_statement_of {
    const sy_config *config;
    const sy_days *days;
    sy_days_turn turn;
    bool replay, unsynced;
} sy_statement_of;
/* "statement/<premises>/<day>/<n>" */
void sy_statement_id(const sy_days *d, const sy_days_turn *t, uint32_t n, sy_buf *out);
void sy_statement_json(const sy_statement_of *s, sy_buf *out);

#endif
