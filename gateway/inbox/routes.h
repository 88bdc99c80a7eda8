/*
 * What the events' listener (TLS, a client certificate required) answers to: a table of routes in
 * listen.c, each handler in a file of its own. All handlers run on the listener's one thread.
 */
#ifndef SY_INBOX_ROUTES_H
#define SY_INBOX_ROUTES_H

#include "inbox/web.h"

enum { SY_WEB_SENDER = 512, SY_WEB_NAME = 128 };

/* Everything is borrowed until the handler returns. */
typedef struct sy_web_request {
    struct MHD_Connection *connection; /* to answer on; arguments and fields by libmicrohttpd */
    const char *method, *url;          /* url: the path, without arguments */
    const char *rest;                  /* of the path, behind the route's */
    const char *sender;                /* the subject of the client's certificate */
    const char *name;                  /* its CN, "" where it has none that is usable */
    sy_span body;                      /* whole */
    sy_inbox_db *db;                   /* the writer */
    const struct sy_est *est;          /* NULL: this inbox certifies nobody */
} sy_web_request;

typedef struct sy_route {
    const char *method;
    const char *path;         /* "/events"; where it ends in '/', what begins so */
    const char *const *types; /* of the body, NULL-terminated; NULL: not asked */
    size_t body_max;          /* bytes; a longer body is 413, and not read to its end */
    enum MHD_Result (*handle)(const sy_web_request *r);
    /* Before the body is read, so that nobody fills the memory with what is not wanted: 0, or the
     * status and why. NULL: not asked. */
    unsigned (*may)(const sy_web_request *r, const char **why);
} sy_route;

/* events.c: POST /events */
extern const char *const sy_take_types[];
enum MHD_Result sy_take_events(const sy_web_request *r);

/* orders.c: GET /orders, PUT /orders/evidence/ALERT */
enum MHD_Result sy_serve_orders(const sy_web_request *r);
unsigned sy_may_send_evidence(const sy_web_request *r, const char **why);
enum MHD_Result sy_take_evidence(const sy_web_request *r);

#endif
