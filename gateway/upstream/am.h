/*
 * The sender's side of an Alertmanager: which events may go now, the body of a request, what was
 * taken, and what is told again. One thread.
 *
 * An Alertmanager forgets (it may be started anew) and notifies of an alert only while it fires. So
 * everything that fires is told again every `again`, and an alert fires there for `settle` at
 * least, however short it was here: its group_wait and group_interval must fit into it.
 */
#ifndef SY_AM_H
#define SY_AM_H

#include "store/firing.h"
#include "upstream/alertmanager.h"
#include "upstream/egress.h"

enum { SY_AM_BATCH = 200 };

typedef struct sy_am_times {
    sy_ms settle, again, keep;
} sy_am_times;

typedef struct sy_am {
    sy_store *store;
    const char *destination; /* borrowed */
    sy_am_times times;
    const sy_egress *egress; /* borrowed */
    sy_buf body;             /* of the request */
    sy_ms settled; /* UTC: when the first event that was passed over may go; SY_MS_MAX: none */
    size_t n;      /* chosen */
    sy_told told[SY_AM_BATCH];
    sy_am_event events[SY_AM_BATCH];
    size_t n_passed;
    char passed[SY_AM_BATCH][SY_AM_ID_MAX]; /* alerts one of whose events was passed over */
    sy_ms next;                             /* monotonic: the next round of telling again */
    char after[SY_AM_ID_MAX];               /* where the round is; "": at its begin */
} sy_am;

void sy_am_init(sy_am *a, sy_store *store, const char *destination, const sy_am_times *times,
                const sy_egress *egress);
void sy_am_fini(sy_am *a);

/* Choose for a batch, event by event in the outbox's order: true where it goes. */
void sy_am_begin(sy_am *a);
bool sy_am_choose(sy_am *a, const sy_outbox_item *item, sy_arena *arena, sy_ms now);
/* The body for what was chosen. `now`: UTC. */
SY_MUST_USE sy_err sy_am_body(sy_am *a, const sy_outbox_item *const *items, size_t n,
                              sy_arena *arena, sy_ms now, sy_fail *f);
/* It was taken: out of the outbox with it. */
SY_MUST_USE sy_err sy_am_taken(sy_am *a, sy_ms now, sy_fail *f);

/* Telling again: the body of the next request of a round that is due; *n 0: nothing to tell. */
SY_MUST_USE sy_err sy_am_again(sy_am *a, sy_arena *arena, sy_ms now, size_t *n, sy_fail *f);
SY_MUST_USE sy_err sy_am_again_taken(sy_am *a, sy_fail *f);
/* How long the sender may sleep, at most `most`. */
sy_ms sy_am_sleep(const sy_am *a, sy_ms now, sy_ms most);

#endif
