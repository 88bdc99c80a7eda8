/*
 * What people do at the inbox: the cases of the authority, orders to gateways, evidence that came,
 * and what is known of the gateways. All in the inbox's store; cases, orders and evidence are only
 * ever added to, each row with its time and who.
 *
 * A case runs new → notified → replied → reviewed → closed; a step forward may be left out, closing
 * needs an outcome and a reason, and a closed case is opened again as new with a reason.
 */
#ifndef SY_INBOX_DESK_H
#define SY_INBOX_DESK_H

#include "inbox/db.h"

enum {
    SY_DESK_WHO_MAX = 128, /* bytes of a name, and of a comment or a reason (docs/orders.md) */
    SY_DESK_WHY_MAX = 512,
    SY_DESK_JWS_MAX = 1000000,
    SY_DESK_ORDERS_MAX = 100, /* in an answer */
    SY_DESK_ANSWER_MAX = 1 << 20
};

typedef enum sy_case_state {
    SY_CASE_NEW,
    SY_CASE_NOTIFIED,
    SY_CASE_REPLIED,
    SY_CASE_REVIEWED,
    SY_CASE_CLOSED,
    SY_CASE_STATES
} sy_case_state;
const char *sy_case_text(sy_case_state s);  /* "new" … */
sy_case_state sy_case_of(const char *text); /* NULL: new; SY_CASE_STATES: none such */
bool sy_case_may(sy_case_state from, sy_case_state to);
/* "false-alarm", "rectified", "inspection", "filed"; NULL beyond the last. */
const char *sy_case_outcome(unsigned i);

/* Rows are borrowed until the callback returns; texts may be NULL where marked. */
typedef struct sy_desk_step {
    int64_t seq;
    const char *source, *alert, *state, *outcome, *why, *who; /* outcome, why: NULL */
    sy_ms at;
} sy_desk_step;
/* SY_E_NOTFOUND: no such alert. SY_E_RANGE: that step cannot follow, or it lacks something. */
SY_MUST_USE sy_err sy_desk_case_add(sy_inbox_db *db, const sy_desk_step *s, sy_fail *f);
/* Oldest first; source and alert NULL: all. */
SY_MUST_USE sy_err sy_desk_cases(sy_inbox_db *db, const char *source, const char *alert,
                                 int64_t after, int max,
                                 void (*fn)(void *ctx, const sy_desk_step *s), void *ctx,
                                 sy_fail *f);

typedef struct sy_desk_order {
    int64_t seq;                                              /* its number (docs/orders.md) */
    const char *source;                                       /* "*": to every gateway */
    const char *id, *kind, *alert, *who, *why, *signer, *jws; /* alert, why: NULL */
    sy_ms at;
    const char *result, *result_why; /* "done", "refused", "waiting"; NULL: not heard of */
    sy_ms result_at;
    bool asked; /* the gateway has asked for what comes after it: it has it */
} sy_desk_order;
/* Gives it the next number. SY_E_EXISTS: an order with this id is there. */
SY_MUST_USE sy_err sy_desk_order_add(sy_inbox_db *db, const sy_desk_order *o, int64_t *number,
                                     sy_fail *f);
SY_MUST_USE sy_err sy_desk_orders(sy_inbox_db *db, const char *source, const char *alert,
                                  int64_t after, int max,
                                  void (*fn)(void *ctx, const sy_desk_order *o), void *ctx,
                                  sy_fail *f);
/* The gateway asks for what comes after a number: {"orders":[{"number","order"}],"next":N}. */
SY_MUST_USE sy_err sy_desk_serve(sy_inbox_db *db, const char *source, int64_t after, sy_ms now,
                                 sy_buf *out, sy_fail *f);

typedef struct sy_desk_evidence {
    int64_t seq, size;
    const char *source, *alert, *order, *sha256, *findings; /* findings: JSON array of texts */
    bool proven;
    sy_ms at;
} sy_desk_evidence;
/* An evidence order for this alert is there, and no file came for it yet: SY_OK; SY_E_NOTFOUND,
 * SY_E_EXISTS. order may be NULL: the newest such order, whose id is copied to id[]. */
SY_MUST_USE sy_err sy_desk_evidence_wanted(sy_inbox_db *db, const char *source, const char *alert,
                                           const char *order, char id[65], sy_fail *f);
SY_MUST_USE sy_err sy_desk_evidence_add(sy_inbox_db *db, const sy_desk_evidence *e, sy_fail *f);
/* The files of an alert, oldest first; source NULL: all after a seq. */
SY_MUST_USE sy_err sy_desk_evidences(sy_inbox_db *db, const char *source, const char *alert,
                                     int64_t after,
                                     void (*fn)(void *ctx, const sy_desk_evidence *e), void *ctx,
                                     sy_fail *f);

typedef struct sy_desk_gateway {
    const char *source, *sender, *beat; /* beat: JSON or NULL */
    const char *statements;         /* JSON: [{"at" (epoch ms), "data"}], one of each premises */
    sy_ms heard, beat_at, asked_at; /* SY_MS_NONE: never */
    int64_t active, orders_open;    /* active alerts; orders not fetched */
} sy_desk_gateway;
SY_MUST_USE sy_err sy_desk_gateways(sy_inbox_db *db, int max,
                                    void (*fn)(void *ctx, const sy_desk_gateway *g), void *ctx,
                                    sy_fail *f);

#endif
