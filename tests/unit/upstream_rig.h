/*
 * What the tests of the sender share: certificates of their own, a real store, and a peer that
 * misbehaves as told. The peer speaks TLS by GnuTLS, so that both ends are not one implementation.
 */
#ifndef SY_UPSTREAM_RIG_H
#define SY_UPSTREAM_RIG_H

#include "upstream/certs.h"
#include "upstream/sender.h"

/* cmocka wants these, in this order. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- a folder with certificates ---- */
enum { RIG_DAY = 86400000 };
int rig_setup(void **state); /* *state: the folder's path */
int rig_teardown(void **state);
const char *rig_path(const char *dir, const char *name); /* one of a few rotating buffers */
/* Signed by the rig's CA: NAME.pem, NAME.key; names NULL-terminated. */
void rig_cert(const char *dir, const char *file, sy_cert_use use, const char *const *names,
              sy_ms from, sy_ms to);
/* A further CA, file.pem, and a client's certificate of it, file-client, and a server's
 * for 127.0.0.1, file-server. */
void rig_other_ca(const char *dir, const char *file);

/* A list of the rig's CA, crl.pem, on which the certificate in this file is. */
void rig_revoke(const char *dir, const char *file);

/* ---- a store with events ---- */
sy_store *rig_store(const char *dir);
/* Events first … first + n - 1, ids "e<number>", of alert "a<number % alerts>". */
void rig_events(sy_store *s, int first, int n, int alerts);
void rig_one_event(sy_store *s, const char *id, const char *alert, size_t extra_bytes);
uint64_t rig_waiting(sy_store *s, uint64_t *refused);
/* Wait until that many wait in the outbox; fails after 20 s. */
void rig_until_waiting(sy_store *s, uint64_t n);

/* ---- the peer ---- */
typedef struct rig_peer rig_peer;
typedef struct rig_request {
    unsigned number;                    /* from 1, over all connections */
    unsigned connection, on_connection; /* both from 1 */
    const char *head;
    const char *const *ids; /* of the events in the body */
    size_t n;
    void *script;
} rig_request;
/* Called on the peer's thread for each request; ends the connection where it returns false. It says
 * what it wants with rig_say; a request to which it begins to say a 2xx counts as taken. */
typedef bool (*rig_script)(rig_peer *p, const rig_request *r);
rig_peer *rig_peer_start(const char *dir, const char *cert_file, rig_script fn, void *script);
void rig_peer_stop(rig_peer *p);
unsigned rig_peer_port(const rig_peer *p);
void rig_peer_cert(rig_peer *p, const char *cert_file); /* from the next connection on */
void rig_peer_script(rig_peer *p, rig_script fn, void *script);
void rig_peer_ca(rig_peer *p, const char *ca_file); /* that clients must have */
void rig_peer_tls12(rig_peer *p); /* from the next connection on TLS 1.2 alone, with tickets */
/* Likewise what GnuTLS takes as priorities; a text that lives on. */
void rig_peer_priority(rig_peer *p, const char *text);
/* CN of the client of the last connection whose handshake succeeded, "" before. */
void rig_peer_client(rig_peer *p, char out[128]);
void rig_say(rig_peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool rig_ok(rig_peer *p, const rig_request *r); /* a script: 200 and keep alive */
bool rig_answer(rig_peer *p, unsigned status, const char *fields); /* true */
void rig_reset(rig_peer *p); /* the connection ends with a RST */
unsigned rig_requests(rig_peer *p);
unsigned rig_connections(rig_peer *p);
void rig_until_requests(rig_peer *p, unsigned n);
/* Ids taken, in the order of their first time, "e1 e2 …"; *doubled: taken more than once. Free it.
 */
char *rig_taken(rig_peer *p, unsigned *doubled);

/* ---- the sender ---- */
sy_sender *rig_sender(sy_store *s, const char *dir, const char *url, const sy_sender_times *times);
sy_sender *rig_sender_to(sy_store *s, const char *dir, const rig_peer *p); /* with rig_times */
sy_sender *rig_sender_timed(sy_store *s, const char *dir, const rig_peer *p,
                            const sy_sender_times *times);
extern const sy_sender_times rig_times; /* as the product's, but quick */
/* Wait until last_error holds the text. */
void rig_until_error(sy_sender *s, const char *text);
void rig_nap(void); /* a few ms, between two looks at a condition */

#endif
