/*
 * Heads that a gateway sent earlier, as whoever received them keeps them: what an inbox answers to
 * /api/heads, or events of type steelyard.head, one after the other or in an array.
 */
#ifndef SY_HEADS_FILE_H
#define SY_HEADS_FILE_H

#include "ledger/proof.h"

/* NULL: an entry that is no signed head. Signatures are not checked. */
typedef void (*sy_heads_fn)(void *ctx, const sy_signed_head *h);
/* SY_E_PARSE: it is no JSON; what came before was told. */
SY_MUST_USE sy_err sy_heads_file(const char *path, sy_heads_fn fn, void *ctx, sy_fail *f);

#endif
