/*
 * What the inbox makes of the signature of an event (`steelyardjws`), before it is stored.
 *
 * Refused is what is forged or altered: a signature that is not over these bytes, one that cannot
 * be read, a certificate of another gateway than the event's source or one that is revoked; and an
 * event without a certified signature of a gateway whose key is certified, where neither a
 * certificate with that gateway's name delivers it nor who delivered its signed events before. What
 * is merely not certified (no signature, a key without a certificate, one of an authority that is
 * not ours, or that had expired) is stored and flagged: an alert is worth more than its signature.
 * docs/receiver.md
 */
#ifndef SY_INBOX_SIGNED_H
#define SY_INBOX_SIGNED_H

#include "inbox/db_int.h"

typedef enum sy_sign_state {
    SY_SIGN_NONE,        /* there is no signature */
    SY_SIGN_UNCERTIFIED, /* by a key that no authority of ours vouches for */
    SY_SIGN_CERTIFIED,   /* by the key of the gateway that it comes from */
    SY_SIGN_REFUSED
} sy_sign_state;

typedef struct sy_signature {
    sy_sign_state state;
    char why[160]; /* what is amiss; "" nothing */
} sy_signature;

/* Within the transaction of a batch. Failures are those of the store. */
SY_MUST_USE sy_err sy_inbox__signature(sy_inbox_db *d, const sy_cloud *c,
                                       const sy_inbox_sender *from, sy_ms now, sy_signature *out,
                                       sy_fail *f);
/* The event was new and is stored, as row `seq` (0: a head): keep its signature beside it, remember
 * whose key is certified, flag what is not. */
SY_MUST_USE sy_err sy_inbox__book_signature(sy_inbox_db *d, const sy_cloud *c, int64_t seq,
                                            const char *sender, const sy_signature *s, sy_ms now,
                                            sy_fail *f);

#endif
