/*
 * What the files of the sender share: sender.c (the thread), batch.c (what goes), verdict.c (what
 * an answer does). All of the sender's thread.
 */
#ifndef SY_SENDER_INT_H
#define SY_SENDER_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "ledger/signer.h"
#include "upstream/sender.h"
#include "upstream/suspects.h"
#include "upstream/waiting.h"

struct sy_sender {
    char *name, *ca, *cert, *key, *crl;
    sy_road_word *words; /* the sender's own texts */
    size_t n_words;
    sy_store *store;
    sy_sender_times times;
    sy_egress egress;
    sy_ms build_time;
    int stop_fd, wake_fd;
    pthread_t thread;
    atomic_bool kicked, connected;
    atomic_uint connects, resumed;
    _Atomic sy_ms log_time;
    pthread_mutex_t lock;
    char last_error[512]; /* under the lock */
    sy_waiting waits;     /* as counted last; under the lock */

    /* of the thread alone */
    sy_road *road;
    const sy_road_ops *ops; /* its kind */
    sy_arena arena;
    sy_suspects suspects;
    sy_ms held_until; /* monotonic; when the held ones are tried again */
    unsigned failures;
    sy_addresses addresses;
    sy_signer *signer;    /* NULL: events go unsigned */
    size_t limit;         /* events in a batch; halved while something is refused */
    int64_t head_refused; /* number of a head that was refused for good; a newer one is tried */
    uint64_t telling;     /* size of the head that is told until it is answered; 0: none */
};

typedef enum sy_step { SY_STEP_MORE, SY_STEP_IDLE, SY_STEP_PAUSE } sy_step;

typedef struct sy_chosen {
    const sy_outbox_item *items[SY_BATCH_EVENTS];
    int64_t numbers[SY_BATCH_EVENTS];
    size_t n, bytes;
    int64_t skipped[SY_BATCH_EVENTS]; /* that the road has nothing to tell of */
    size_t n_skipped;
    sy_outbox_item head; /* room */
} sy_chosen;

/* batch.c */
void sy_sender__choose(sy_sender *s, sy_outbox_item *items, size_t n, sy_chosen *c);
/* The alert that an event belongs to; "": none. */
void sy_sender__alert_of(const sy_outbox_item *item, char *out, size_t size);

/* verdict.c */
sy_step sy_sender__act(sy_sender *s, const sy_batch *b, const sy_reply *r, sy_ms *pause);

/* sender.c */
void sy_sender__set_error(sy_sender *s, const char *text);
void sy_sender__report(sy_sender *s, sy_level level, const char *event, const char *text,
                       sy_ms pause);
sy_ms sy_sender__backoff(sy_sender *s);
sy_step sy_sender__failed(sy_sender *s, const sy_fail *f, sy_ms *pause);
sy_ms sy_sender__now(sy_sender *s); /* for certificates */
/* This address does not serve us: true where there is another that was not tried yet. */
bool sy_sender__next_address(sy_sender *s, const char *why);

#endif
