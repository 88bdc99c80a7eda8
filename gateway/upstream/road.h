/*
 * A road: one way to deliver the events of one destination (https, alertmanager, mqtt, …).
 *
 * The sender (sender.h) has the outbox, the order, the pauses, what is set aside and the status; a
 * road has one protocol and one connection. Everything is called on the sender's thread. An event
 * is out of the outbox only when the road said that it was taken, so a road keeps nothing that must
 * outlive a crash. A road blocks nowhere but in waits that `stop_fd` ends (io.h).
 *
 * A new kind is one file: a struct that begins with sy_road, its sy_road_ops, and a line in
 * upstream.c.
 */
#ifndef SY_ROAD_H
#define SY_ROAD_H

#include "base/egress.h"
#include "store/store.h"
#include "upstream/retry.h"
#include "upstream/tls.h"

enum { SY_BATCH_EVENTS = 200, SY_BATCH_BYTES = 1024 * 1024 };

typedef struct sy_exchange_times {
    sy_ms connect, answer, grace;
} sy_exchange_times;

/* What one kind alone needs to know: texts by name ("settle" → "360000"). */
typedef struct sy_road_word {
    const char *key, *value;
} sy_road_word;

/* Borrowed by the road for as long as it lives, but for `url`. */
typedef struct sy_road_setup {
    const char *name; /* of the destination */
    const char *url;  /* the first address */
    sy_tls_paths files;
    const sy_egress *egress; /* what may leave; batches come as they leave */
    const sy_road_word *words;
    size_t n_words;
    sy_store *store;
    sy_exchange_times times;
    int stop_fd;
} sy_road_setup;
/* NULL where there is none. */
const char *sy_road_word_of(const sy_road_setup *o, const char *key);

/* What became of one event of a batch. */
typedef enum sy_fate {
    SY_FATE_OPEN,    /* not known: `answer` says what to do with it */
    SY_FATE_UNSENT,  /* it was not sent, and waits, whatever the answer */
    SY_FATE_TAKEN,   /* confirmed */
    SY_FATE_REFUSED, /* for good, by a receiver that says so of this very event: set aside */
    SY_FATE_DOUBTED  /* refused, and it may be the event's fault or not: suspects.h decides */
} sy_fate;
typedef struct sy_each {
    sy_fate fate;
    const char *why; /* of REFUSED and DOUBTED; in the arena; one line */
} sy_each;

typedef struct sy_reply {
    sy_answer answer;    /* of the whole batch, or of what is OPEN in `each` */
    const sy_each *each; /* as many as were sent, in the arena; NULL: all share the answer */
    unsigned status;     /* of HTTP; 0: none */
    sy_ms retry_after;   /* 0: none */
    char text[512];      /* what to log where the answer is not OK */
} sy_reply;

typedef struct sy_batch {
    const sy_outbox_item *const *items;
    const int64_t *numbers;
    size_t n;
    sy_arena *arena; /* lives until the answer was acted upon */
    sy_ms now;       /* UTC: the larger of wall clock, log time and build time */
} sy_batch;

typedef enum sy_choice {
    SY_CHOICE_GO,
    SY_CHOICE_LATER, /* it stays in the outbox, and is asked for again */
    SY_CHOICE_SKIP   /* this road has nothing to tell of it: done */
} sy_choice;

typedef struct sy_road {
    const struct sy_road_ops *ops;
} sy_road;

/* Those that say so may be NULL. */
typedef struct sy_road_ops {
    const char *kind;
    bool ledger;        /* events carry proofs, and the ledger's heads go, too (proofs.h) */
    bool stays;         /* the connection is kept while nothing is sent */
    size_t most_events; /* in a batch, 1 to SY_BATCH_EVENTS */
    size_t most_bytes;  /* in a batch of more than one event; 0: no bound */

    /* Whether a setup is right: nothing is opened (stop_fd and store mean nothing). */
    sy_err (*check)(const sy_road_setup *o, sy_fail *f);
    sy_err (*open)(sy_road **out, const sy_road_setup *o, sy_fail *f);
    void (*close)(sy_road *r);
    /* Another address from now on; the connection, if any, ends. */
    sy_err (*turn)(sy_road *r, const char *url, sy_fail *f);

    /* A new batch is chosen; then each event in the outbox's order. NULL: every event goes. */
    void (*begin)(sy_road *r);
    sy_choice (*choose)(sy_road *r, const sy_outbox_item *item, sy_arena *arena, sy_ms now);
    /* Send what was chosen, at least one. An error is one of the line: nothing is known about the
     * batch. SY_E_CLOSED: told to end. */
    sy_err (*send)(sy_road *r, const sy_batch *b, sy_reply *reply, sy_fail *f);
    /* The whole batch was taken: out of the outbox with it. NULL: the sender does it. A road that
     * has this never answers with `each`. */
    sy_err (*taken)(sy_road *r, const sy_batch *b, sy_fail *f);
    /* Nothing is to be sent: is there something to tell again? *did: it was, ask once more. NULL:
     * never. */
    sy_err (*spare)(sy_road *r, sy_arena *arena, sy_ms now, bool *did, sy_fail *f);
    /* How long the sender may sleep, at most `most`. NULL: that long. */
    sy_ms (*sleep)(sy_road *r, sy_ms now, sy_ms most);

    /* To be watched while nothing is sent; -1: not connected. */
    int (*fd)(const sy_road *r);
    /* It is readable: true where the sender is to look at once. NULL: drop. */
    bool (*readable)(sy_road *r);
    void (*drop)(sy_road *r); /* end the connection, if there is one */
    void (*kick)(sy_road *r); /* files or the line may have changed; after drop. NULL: nothing */
    /* Connections made, and how many of them resumed a session. */
    void (*counts)(const sy_road *r, unsigned *connects, unsigned *resumed);
    const char *(*peer)(const sy_road *r); /* host:port in use */
} sy_road_ops;

extern const sy_road_ops sy_road_https;        /* CloudEvents batches; road_https.c */
extern const sy_road_ops sy_road_mqtt;         /* words: gateway topic version user password */
extern const sy_road_ops sy_road_alertmanager; /* word: settle, ms; road_alertmanager.c */
extern const sy_road_ops sy_road_webhook; /* an event a request; word: secret; road_webhook.c */
extern const sy_road_ops sy_road_mail;    /* words: from, to, user, password; road_mail.c */

#endif
