/*
 * What the inbox keeps: each event once, and the state of each alert after its last event. SQLite.
 *
 * A handle belongs to one thread. One writes; readers open their own.
 */
#ifndef SY_INBOX_DB_H
#define SY_INBOX_DB_H

#include "inbox/cloud.h"

typedef struct sy_inbox_db sy_inbox_db;
SY_MUST_USE sy_err sy_inbox_db_open(sy_inbox_db **out, const char *folder, bool writer, sy_fail *f);
/* The CA (PEM) whose certificates bind keys to gateways, and its lists of revoked ones (may be
 * empty); copied. */
SY_MUST_USE sy_err sy_inbox_db_ca(sy_inbox_db *db, sy_span pem, sy_span crl, sy_fail *f);
void sy_inbox_db_close(sy_inbox_db *db); /* NULL is allowed */
const char *sy_inbox_db_folder(const sy_inbox_db *db);

/* Who delivered it: subject and CN of the client's certificate. */
typedef struct sy_inbox_sender {
    const char *subject, *name;
} sy_inbox_sender;
typedef struct sy_inbox_counted {
    size_t stored, known, refused;
} sy_inbox_counted;
/* Store a batch in one transaction; durable when it returns SY_OK. What is forged or altered is not
 * stored: those events say why in `refused`. */
SY_MUST_USE sy_err sy_inbox_db_add(sy_inbox_db *db, sy_cloud_batch *b, const sy_inbox_sender *from,
                                   sy_ms now, sy_inbox_counted *out, sy_fail *f);

/* Rows are borrowed until the callback returns. */
typedef struct sy_inbox_event {
    int64_t seq;
    const char *source, *id, *type, *subject, *time, *sender, *alert, *body; /* some may be NULL */
    const char *jws; /* its signature; NULL: none */
    bool certified;  /* and it is by the gateway's certified key */
    const char
        *proof; /* what was made of its proof, "proven", "redacted" (proven for the whole
                 * text, and this is what the signing gateway left of it), "uncertified" (by a key
                 * that nobody has certified), "none", "bad: why"; NULL: from before proofs */
    sy_ms received;
} sy_inbox_event;
typedef struct sy_inbox_alert {
    int64_t first_seq, last_seq, events;
    const char *source, *id, *state, *type, *sender, *data; /* data: JSON */
    int severity;                                           /* 1 notice … 4 major, 0 not known */
    sy_ms received;                                         /* of the last event */
    /* What people did, as the gateway told it; SY_MS_NONE: not. grouped: id of its group or NULL.
     */
    sy_ms acked, shelved; /* shelved: until */
    const char *acked_who, *shelved_who, *grouped;
    bool unanswered;
    const char *case_state; /* NULL: nothing was written yet */
    sy_ms case_at;
} sy_inbox_alert;

/* Oldest first, after a sequence, at most max. source and alert NULL: all. */
SY_MUST_USE sy_err sy_inbox_db_events(sy_inbox_db *db, const char *source, const char *alert,
                                      int64_t after, int max,
                                      void (*fn)(void *ctx, const sy_inbox_event *e), void *ctx,
                                      sy_fail *f);
/* Oldest first, after a first_seq. */
SY_MUST_USE sy_err sy_inbox_db_alerts(sy_inbox_db *db, int64_t after, int max,
                                      void (*fn)(void *ctx, const sy_inbox_alert *a), void *ctx,
                                      sy_fail *f);
/* NULL or 0: all. state: that of an alert, or "unacknowledged", "shelved", "unanswered";
 * case_state: "new" finds those without a case, too. text is looked for in names and texts,
 * whatever the case of ASCII letters. */
typedef struct sy_inbox_filter {
    const char *source, *premises, *rule, *state, *text, *case_state, *group;
    int severity; /* and worse */
    sy_ms now;    /* shelving ends by itself */
} sy_inbox_filter;
/* Newest first by last event, before a last_seq (0: from the newest). */
SY_MUST_USE sy_err sy_inbox_db_newest(sy_inbox_db *db, const sy_inbox_filter *filter,
                                      int64_t before, int max,
                                      void (*fn)(void *ctx, const sy_inbox_alert *a), void *ctx,
                                      sy_fail *f);
/* What can be filtered by, at most max: premises with their names, or rules (name NULL). */
SY_MUST_USE sy_err sy_inbox_db_choices(sy_inbox_db *db, bool rules, int max,
                                       void (*fn)(void *ctx, const char *id, const char *name),
                                       void *ctx, sy_fail *f);
/* One alert by the number of its first event; SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_inbox_db_alert(sy_inbox_db *db, int64_t first_seq,
                                     void (*fn)(void *ctx, const sy_inbox_alert *a), void *ctx,
                                     sy_fail *f);
/* The first_seq of an alert by id, 0: not known. */
int64_t sy_inbox_db_find(sy_inbox_db *db, const char *source, const char *alert);
/* The ledgers that are known, by their newest heads; and what was found wrong, newest first. */
typedef struct sy_inbox_ledger {
    const char *source, *root, *box, *kid;
    int64_t size, heads;
    sy_ms time, received;
    bool certified;
} sy_inbox_ledger;
SY_MUST_USE sy_err sy_inbox_db_ledgers(sy_inbox_db *db,
                                       void (*fn)(void *ctx, const sy_inbox_ledger *l), void *ctx,
                                       sy_fail *f);
/* The heads of one ledger as they were signed, by size, after a size: JSON objects {"head",
 * "signature", "key", "chain"}, which `steelyard verify --heads` reads. */
SY_MUST_USE sy_err sy_inbox_db_heads(sy_inbox_db *db, const char *source, int64_t after, int max,
                                     void (*fn)(void *ctx, const char *json), void *ctx,
                                     sy_fail *f);
typedef struct sy_inbox_flag {
    int64_t seq;
    const char *source, *kind, *text; /* kind: see docs/ledger.md */
    sy_ms received;
} sy_inbox_flag;
SY_MUST_USE sy_err sy_inbox_db_flags(sy_inbox_db *db, int max,
                                     void (*fn)(void *ctx, const sy_inbox_flag *g), void *ctx,
                                     sy_fail *f);
/* Active alerts by severity (index 0: not known), and all events. */
typedef struct sy_inbox_counts {
    int64_t active[5], events, alerts, flags;
} sy_inbox_counts;
SY_MUST_USE sy_err sy_inbox_db_counts(sy_inbox_db *db, sy_inbox_counts *out, sy_fail *f);

#endif
