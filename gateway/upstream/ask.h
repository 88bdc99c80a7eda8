/*
 * One request over a TLS connection of its own, with the answer's body: what is asked for seldom
 * (certificates, orders). Runs in the caller's thread and blocks, but ends when `stop_fd` becomes
 * readable and when its time is over. The answer is hostile and bounded.
 */
#ifndef SY_ASK_H
#define SY_ASK_H

#include "upstream/tls.h"

typedef struct sy_ask {
    const sy_url *url;
    const char *path;                                   /* NULL: the url's own */
    const char *method, *accept, *type, *authorization; /* NULL: not sent */
    sy_span body;                                       /* sent where there is a type */
    size_t most;                                        /* of the answer's body, bytes */
    sy_ms now;      /* the time against which certificates are checked */
    sy_ms time;     /* for the whole of it */
    int stop_fd;    /* -1: none */
    bool bootstrap; /* sy_tls_bootstrap */
} sy_ask;

typedef struct sy_asked {
    unsigned status;
    sy_ms retry_after; /* 0: none */
    char note[161];    /* first words of the body, printable */
} sy_asked;

/* The body is appended to `body`. An error is one of the line, of TLS (as sy_tls_connect) or of an
 * answer that is no HTTP; any status is SY_OK. */
SY_MUST_USE sy_err sy_ask_send(const sy_ask *q, const sy_tls_paths *files, sy_asked *out,
                               sy_buf *body, sy_fail *f);

#endif
