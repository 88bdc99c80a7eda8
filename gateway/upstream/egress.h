/*
 * What of an event leaves the box: the class that it belongs to, and its text without what the
 * destination is not owed. Pure, text in, text out.
 *
 * The sender applies it to each event before anything is added to it: egress, then the signature
 * (JWS), then the proof. What is taken out becomes null (a subject is cut to its premises, an
 * array's rows stay), all other bytes stay as they are, and two attributes are added at the end:
 * "steelyardredacted":"people,codes" (the parts that were found and taken out) and
 * "steelyardoriginal":"<SHA-256 of the whole text, hex>", which is what the leaf in the ledger
 * covers. An event in which nothing is taken out stays as it is.
 */
#ifndef SY_EGRESS_H
#define SY_EGRESS_H

#include "base/egress.h"
#include "base/os.h"

/* "alert" … */
const char *sy_egress_class_word(sy_egress_class c);
const char *sy_egress_part_word(sy_egress_part p);

/* By its type: steelyard.alert.raised is an alert, steelyard.alert.acknowledged an act …; what is
 * not known, or is no event, is a service notice. */
sy_egress_class sy_egress_class_of_type(sy_span type);
sy_egress_class sy_egress_class_of(sy_span event);

/* Likewise by the kind of its row in the store. */
sy_egress_class sy_egress_class_of_kind(const char *kind, bool of_alert);

typedef enum sy_egress_verdict {
    SY_EGRESS_WHOLE,
    SY_EGRESS_REDACTED, /* the text is in `out` */
    SY_EGRESS_WITHHELD  /* its class may not leave */
} sy_egress_verdict;
/* `out` is appended to only where it is REDACTED. SY_E_PARSE: it is no event, and must not leave.
 */
SY_MUST_USE sy_err sy_egress_apply(const sy_egress *policy, sy_span event, sy_buf *out,
                                   sy_egress_verdict *verdict, sy_fail *f);

#endif
