/*
 * The gate: what drivers see of the intake (base/intake.h), over the journal. Any thread.
 *
 * It recognises a message that is kept already: one out of the managed broker's spool by its
 * number, which is not above the highest that is kept (behind damage in the journal, which is one
 * of those kept); other MQTT by DUP + ident (packet id) +
 * equal content among the last SY_GATE_RECENT messages; CoAP by ident (peer, message id, token) +
 * equal content within EXCHANGE_LIFETIME (247 s) of the log's clock; what came in blocks by its
 * last one alone, too, as a restart has forgotten the blocks before it; other transports by ident +
 * equal content among all that it remembers (the last 32,768). What it must remember is
 * rebuilt from the journal's tail at open. It counts and logs (rate-limited) what was refused at
 * the door.
 */
#ifndef SY_GATE_H
#define SY_GATE_H

#include "base/intake.h"
#include "intake/journal.h"

enum { SY_GATE_RECENT = 4096 };

typedef struct sy_gate sy_gate;
SY_MUST_USE sy_err sy_gate_open(sy_gate **out, sy_journal *j, bool strict,
                                void (*marker)(void *ctx, uint64_t number), void *ctx, sy_fail *f);
/* The interface to give to drivers; lives as long as the gate. */
const sy_intake *sy_gate_intake(sy_gate *g);
/* Who is told of each refusal, of what strangers send, of what panels ask for; on the thread of the
 * driver. Each may be NULL. Set before the drivers start. */
typedef struct sy_gate_teller {
    void (*refused)(void *ctx, const sy_refusal *r);
    void (*strange)(void *ctx, const sy_stranger *s);
    sy_err (*press)(void *ctx, const sy_press *p, sy_fail *f);
    void *ctx;
} sy_gate_teller;
void sy_gate_tell(sy_gate *g, const sy_gate_teller *t);
/* What was refused since the last call, and duplicates recognised; both are reset. */
void sy_gate_take(sy_gate *g, uint64_t rejected[SY_REJECT_COUNT], uint64_t *duplicates);
void sy_gate_close(sy_gate *g);

#endif
