/*
 * HTTP/1.1 as a client needs it: the address, the request's head, the response. Pure: bytes in,
 * bytes out.
 *
 * The response is hostile: its head is at most SY_HTTP_HEAD_MAX bytes, of its body only the first
 * SY_HTTP_NOTE bytes are kept (for the log) and at most SY_HTTP_BODY_MAX are read, unless
 * sy_http_keep wants it.
 */
#ifndef SY_HTTP_H
#define SY_HTTP_H

#include "base/os.h"

enum { SY_HTTP_HEAD_MAX = 8192, SY_HTTP_BODY_MAX = 65536, SY_HTTP_NOTE = 160 };

typedef struct sy_url {
    char host[254]; /* without brackets */
    char port[6];
    char path[1024];     /* with query; never empty */
    char authority[264]; /* for the Host field and for messages */
} sy_url;
/* https only; no user, no fragment. SY_E_USAGE says what is wrong. */
SY_MUST_USE sy_err sy_url_parse(const char *text, sy_url *out, sy_fail *f);

/* The head of any request; its body has `length` bytes. Texts that are NULL are left out. Appends.
 */
typedef struct sy_http_request {
    const char *method, *accept, *type, *authorization;
    const char *path; /* NULL: the url's */
    size_t length;
} sy_http_request;
void sy_http_head(sy_buf *out, const sy_url *url, const sy_http_request *r);
/* The head of a POST. `key` is the Idempotency-Key. Appends. */
void sy_http_post(sy_buf *out, const sy_url *url, const char *type, const char *key, size_t length);

typedef enum sy_http_state {
    SY_HTTP_MORE,  /* feed further bytes */
    SY_HTTP_DONE,  /* a whole response */
    SY_HTTP_LARGE, /* the status is there, the body is longer than we read */
    SY_HTTP_BAD    /* no HTTP/1.x response, or a head beyond its bound */
} sy_http_state;

typedef struct sy_http sy_http; /* one parser, used for one response after the other */
SY_MUST_USE sy_err sy_http_open(sy_http **out, sy_fail *f);
void sy_http_close(sy_http *h);
void sy_http_reset(sy_http *h);
/* Until the next reset: the body is appended to `into`, at most `most` bytes of it (more: LARGE).
 */
void sy_http_keep(sy_http *h, sy_buf *into, size_t most);
sy_http_state sy_http_feed(sy_http *h, const char *bytes, size_t n);
/* The peer closed: DONE where that ends the body, BAD where something is missing. */
sy_http_state sy_http_eof(sy_http *h);

/* All after DONE or LARGE. */
unsigned sy_http_status(const sy_http *h);
bool sy_http_keep_alive(const sy_http *h);
const char *sy_http_retry_after(const sy_http *h); /* "" where there is none */
const char *sy_http_location(const sy_http *h);
/* The first words of the body, printable ASCII on one line. */
const char *sy_http_note(const sy_http *h);
/* After BAD: why; a static text. */
const char *sy_http_why(const sy_http *h);
/* Bytes of a response were seen since the reset. */
bool sy_http_begun(const sy_http *h);

#endif
