/*
 * What people did about alerts, and how alerts stand for it. Rows of a batch, each with the number
 * of the record that made it; they go with their alert. Reading: any thread.
 */
#ifndef SY_ACTS_H
#define SY_ACTS_H

#include "store/store.h"

typedef struct sy_act_row {
    uint64_t seq;             /* of its record: the key */
    const char *alert, *kind; /* "acknowledge" … */
    sy_ms time, until;        /* until: of a shelf, else 0 */
    const char *who, *via, *why;
} sy_act_row;
SY_MUST_USE sy_err sy_store_act(sy_store *s, const sy_act_row *a, sy_fail *f);
/* Of one alert and of the group that it belongs to, oldest first. Texts are borrowed until the
 * callback returns; false ends it. */
SY_MUST_USE sy_err sy_store_acts(sy_store *s, const char *alert,
                                 bool (*fn)(void *ctx, const sy_act_row *a), void *ctx, sy_fail *f);

typedef struct sy_stand_row {
    uint64_t seq; /* of the record that made it so */
    const char *alert;
    sy_ms acknowledged; /* SY_MS_NONE: it is not */
    const char *by;     /* who acknowledged it; NULL: nobody */
    sy_ms shelved;      /* until; SY_MS_NONE: it is not */
    sy_ms suppressed;   /* maintenance until; SY_MS_NONE: none */
    const char *group;  /* of the storm that it belongs to; NULL: none */
    bool unanswered;    /* nobody acknowledged it in time */
} sy_stand_row;
/* Upsert by alert. */
SY_MUST_USE sy_err sy_store_stand(sy_store *s, const sy_stand_row *r, sy_fail *f);
/* How an alert stands, and its row's state and end; SY_E_NOTFOUND: there is no such alert. An alert
 * that nobody did anything about has no row: then `at` says so. `by` and `group` live in the arena.
 */
typedef struct sy_stand {
    int state;     /* sy_alert_state */
    sy_ms cleared; /* SY_MS_NONE: open */
    sy_stand_row at;
} sy_stand;
SY_MUST_USE sy_err sy_store_stand_get(sy_store *s, const char *alert, sy_arena *arena,
                                      sy_stand *out, sy_fail *f);
/* Whether a group has a member, or one that nobody acknowledged. */
SY_MUST_USE sy_err sy_store_group_has(sy_store *s, const char *group, bool unacknowledged,
                                      bool *has, sy_fail *f);

#endif
