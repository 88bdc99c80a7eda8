/*
 * What a destination that wants to be told again and again (an Alertmanager) was told is firing: by
 * alert the newest event that it took. Any thread, as the store.
 */
#ifndef SY_FIRING_H
#define SY_FIRING_H

#include "store/store.h"

/* What a taken event says of its alert. */
typedef struct sy_told {
    int64_t number;    /* of the event */
    const char *alert; /* NULL: it belongs to none */
    bool firing;       /* false: the alert is over */
} sy_told;

/* The destination has taken these (as sy_store_outbox_done), and knows since `now` what fires. */
SY_MUST_USE sy_err sy_store_firing_done(sy_store *s, const char *destination, const sy_told *v,
                                        size_t n, sy_ms now, sy_fail *f);

typedef struct sy_firing {
    const char *alert;
    int64_t number; /* of the event */
    sy_ms since;    /* wall clock: when the alert was first taken as firing */
    sy_span body;   /* the event */
    bool over;      /* the alert is not active any more, and nothing waits that would say so */
} sy_firing;
/* Up to max of them behind the alert `after` ("": from the first), by alert, copied into the arena.
 */
SY_MUST_USE sy_err sy_store_firing(sy_store *s, const char *destination, const char *after,
                                   size_t max, sy_arena *arena, sy_firing **v, size_t *n,
                                   sy_fail *f);
/* The one of an alert; SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_store_firing_of(sy_store *s, const char *destination, const char *alert,
                                      sy_arena *arena, sy_firing *out, sy_fail *f);
/* The destination was told that the alert is over. Own transaction. */
SY_MUST_USE sy_err sy_store_firing_over(sy_store *s, const char *destination, const char *alert,
                                        sy_fail *f);

#endif
