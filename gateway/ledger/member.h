/*
 * What travels in an event beside its own bytes: text members that are put last in its JSON object
 * and taken off again byte by byte, so that a signature over what is left stays valid. Values have
 * no quotation mark and no backslash in them (base64url, points). Pure.
 *
 * On the way out: the event, then "steelyardjws" (a detached JWS over the event's text, jws.h),
 * then "steelyardproof" (its place in the ledger, proof.h). A receiver takes them off in the
 * reverse order.
 */
#ifndef SY_MEMBER_H
#define SY_MEMBER_H

#include "base/buf.h"

#define SY_MEMBER_JWS   "steelyardjws"
#define SY_MEMBER_PROOF "steelyardproof"
#define SY_TYP_EVENT    "steelyard-event+jws"

/* event: one JSON object with a member at least. Appended to out. */
void sy_member_add(sy_span event, const char *name, sy_span value, sy_buf *out);
/* The value of the last member where it has this name, borrowed, and where in the event
 * `,"name":"value"}` begins; false: the last member is another. */
bool sy_member_find(sy_span event, const char *name, size_t *at, sy_span *value);

#endif
