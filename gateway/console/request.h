/*
 * One request as its handler sees it, and how it answers. Internal to console/.
 *
 * A handler is called once the whole body is there, on a thread of the library; what it borrows
 * lives until it returns. It answers exactly once, by one of the functions here, and returns what
 * that returned.
 */
#ifndef SY_CONSOLE_REQUEST_H
#define SY_CONSOLE_REQUEST_H

#include "console/console_int.h"

enum { SY_REQUEST_PARTS = 4, SY_REQUEST_PART = 256, SY_REQUEST_PEER = 64 };

typedef struct sy_request {
    sy_console *console;
    struct MHD_Connection *mhd;
    const struct sy_route *route;
    const char *path, *method;
    char part[SY_REQUEST_PARTS][SY_REQUEST_PART]; /* what {} of the route's path stands for */
    char peer[SY_REQUEST_PEER];                   /* address of the client, without its port */
    bool loopback;                                /* it is this machine */
    sy_buf body;
    bool too_long, early; /* early: its head was judged */
    /* Who it is; name "" where nobody is signed in. */
    char user[SY_USER_NAME + 1];
    sy_role role;
    bool by_certificate;
    char session[SY_TOKEN + 1]; /* its token; "" with a certificate */
    bool zh;                    /* the language asked for */
    void *job;                  /* work that goes on elsewhere (jobs.h); NULL: none */
} sy_request;

typedef enum MHD_Result (*sy_handler)(sy_request *r);

typedef struct sy_route {
    const char *method; /* "GET" also serves HEAD */
    const char *path;   /* "/api/v1/alerts/{}": {} is one part of the path */
    unsigned may;       /* sy_permission that is needed */
    size_t body_most;   /* longest body in bytes; 0: none */
    sy_handler handler;
} sy_route;

/* Ends with a row whose method is NULL. */
extern const sy_route sy_console_routes[];

/* An argument of the query; NULL: it is not there. */
const char *sy_request_arg(const sy_request *r, const char *name);
/* A whole number of the query from lo to hi; `otherwise` where it is missing; false: it is none. */
bool sy_request_number(const sy_request *r, const char *name, int64_t lo, int64_t hi,
                       int64_t otherwise, int64_t *out);
/* A time (RFC 3339 or epoch ms); `otherwise` where it is missing; false: it is none. */
bool sy_request_time(const sy_request *r, const char *name, sy_ms otherwise, sy_ms *out);

/* Answer with a copy of the bytes; an empty 500 where the buffer has failed. */
enum MHD_Result sy_answer(sy_request *r, unsigned status, const char *type, const sy_buf *body);
/* The same with one more header; name NULL: none. */
enum MHD_Result sy_answer_with(sy_request *r, unsigned status, const char *type, const sy_buf *body,
                               const char *name, const char *value);
enum MHD_Result sy_answer_json(sy_request *r, unsigned status, const sy_buf *body);
/* {"error":{"code":…,"text":…}}, as every failure of the API is told. */
enum MHD_Result sy_answer_error(sy_request *r, unsigned status, const char *code, const char *text);
/* By the code of a failure: 400, 403, 404, 409, 503, 500. */
enum MHD_Result sy_answer_fail(sy_request *r, const sy_fail *f);
/* A file to be saved under that name. */
enum MHD_Result sy_answer_file(sy_request *r, const char *type, const char *name,
                               const sy_buf *body);
/* Put what every answer has on a response of one's own. */
void sy_answer_heads(const sy_request *r, struct MHD_Response *response);

/* Send a line to the gateway's control socket (control.h). SY_E_PEER: it said no, f has why. */
SY_MUST_USE sy_err sy_request_ask(sy_request *r, const char *line, sy_buf *answer, sy_fail *f);
/* The same for what becomes a record; done when that is judged and stored. */
SY_MUST_USE sy_err sy_request_do(sy_request *r, const sy_buf *line, sy_fail *f);

#endif
