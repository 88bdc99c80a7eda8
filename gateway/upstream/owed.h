/*
 * What of the outbox a destination is owed: the egress policy (egress.h) at work. One thread.
 */
#ifndef SY_OWED_H
#define SY_OWED_H

#include "store/store.h"
#include "upstream/egress.h"

/* Of n items those that may leave, each with its text as it leaves (in the arena), in their order;
 * *n: how many. The others leave the outbox: withheld, counted; what is no event is set aside. */
SY_MUST_USE sy_err sy_owed(sy_store *s, const char *destination, const sy_egress *policy,
                           sy_outbox_item *items, size_t *n, sy_arena *arena, sy_fail *f);
/* One text as it leaves, into the arena: for what is told again. SY_E_DENIED: it may not leave. */
SY_MUST_USE sy_err sy_owed_text(const sy_egress *policy, sy_span *event, sy_arena *arena,
                                sy_fail *f);

#endif
