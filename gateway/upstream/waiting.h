/*
 * What waits for a destination, as JSON. Any thread.
 */
#ifndef SY_WAITING_H
#define SY_WAITING_H

#include "store/store.h"
#include "upstream/egress.h"

/* How many events wait, of each class, and since when; how many were refused or withheld. */
typedef struct sy_waiting {
    uint64_t waiting, refused, n[SY_EGRESS_N], withheld;
    sy_ms since[SY_EGRESS_N]; /* where n is not 0 */
    sy_ms counted;            /* sy_mono_ms() then */
} sy_waiting;

/* Goes through all that waits: 0.1 s for 100,000 events. False: the store failed. */
SY_MUST_USE bool sy_waiting_count(sy_store *s, const char *destination, sy_waiting *out);
/* "waiting", "refused" and the members below, a comma before each. */
void sy_waiting_put(const sy_waiting *t, sy_buf *json);
/* Members (with a comma before each): "by_class":{"alert":{"n":…,"since":"…"},…} with the classes
 * of which something waits, and "withheld":n: counted and put. A failure leaves them out. */
void sy_waiting_members(sy_store *s, const char *destination, sy_buf *json);
/* [{"name","waiting","refused","by_class","withheld"}]: of a folder on which no gateway runs. */
void sy_waiting_all(sy_store *s, sy_buf *json);

#endif
