/*
 * The sender of one destination: a thread that empties its outbox in order. docs/upstream.md.
 */
#ifndef SY_SENDER_H
#define SY_SENDER_H

#include "upstream/addresses.h"
#include "upstream/road.h"

typedef struct sy_sender_times {
    sy_ms backoff_base, backoff_cap;
    sy_ms idle;    /* a connection without work is closed after it */
    sy_ms primary; /* after so long the first address is tried again */
    sy_ms recheck; /* look into the outbox without being woken */
    sy_exchange_times exchange;
} sy_sender_times;
extern const sy_sender_times sy_sender_defaults;

typedef struct sy_sender_setup {
    const char *name;
    const char *const *urls; /* of one receiver, in the order in which they are tried */
    size_t n_urls;           /* 1 to SY_SENDER_URLS */
    const sy_road_ops *road;
    const sy_road_word *words; /* of that road; compared by sy_sender_same in their order */
    size_t n_words;
    sy_tls_paths files;
    sy_egress egress; /* what may leave */
    sy_store *store;
    sy_sender_times times;
    sy_ms build_time; /* certificates are never checked against an earlier time */
    /* The key that signs each event and its certificate, where the road takes signatures; NULL:
     * events go unsigned. */
    const char *sign_key, *sign_cert;
} sy_sender_setup;

typedef struct sy_sender sy_sender;
/* Copies the texts. */
SY_MUST_USE sy_err sy_sender_start(sy_sender **out, const sy_sender_setup *o, sy_fail *f);
/* Something new may be in the outbox. Any thread, never blocks. */
void sy_sender_wake(sy_sender *s);
/* Certificates or the line may have changed: end the pause, connect anew. */
void sy_sender_kick(sy_sender *s);
/* The log's clock now. It is taken back as the log takes it back (a new epoch): a wall clock that
 * was far ahead for a while must not end all certificates for good. Any thread. */
void sy_sender_log_time(sy_sender *s, sy_ms t);
/* Ask it to end; sy_sender_stop then waits for it and frees it. */
void sy_sender_ask_stop(sy_sender *s);
void sy_sender_stop(sy_sender *s);
bool sy_sender_same(const sy_sender *s, const sy_sender_setup *o);
/* {"name":…,"connected":…,"waiting":…,"refused":…,"by_class":{…},"withheld":…,
 * "connects":…,"resumed":…,"last_error":…} */
void sy_sender_status(sy_sender *s, sy_buf *json);

#endif
