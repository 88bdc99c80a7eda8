/*
 * What both listeners share: libmicrohttpd behind two files, addresses, answers.
 */
#ifndef SY_INBOX_WEB_H
#define SY_INBOX_WEB_H

#include "inbox/db.h"
#include "web/web.h"

/* Answer with a copy of the buffer (an empty 500 where it has failed). */
enum MHD_Result sy_web_answer(struct MHD_Connection *c, unsigned status, const char *type,
                              const sy_buf *body);
/* With further fields, until one without a name; one without a value is left out. */
typedef struct sy_web_field {
    const char *name, *value;
} sy_web_field;
enum MHD_Result sy_web_send(struct MHD_Connection *c, unsigned status, const char *type,
                            const sy_buf *body, const sy_web_field *fields);
/* The same with {"error": text}. */
enum MHD_Result sy_web_refuse(struct MHD_Connection *c, unsigned status, const char *text);

typedef struct sy_listen sy_listen; /* the events, TLS */
typedef struct sy_listen_options {
    struct sockaddr_storage address;
    const char *cert, *key, *client_ca; /* PEM texts; copied */
    sy_span crl;                        /* PEM, lists of revoked certificates; may be empty */
    sy_inbox_db *db;                    /* writer; used by the listener's thread alone */
    const struct sy_est *est;           /* likewise; NULL: none; outlives the listener */
} sy_listen_options;
SY_MUST_USE sy_err sy_listen_start(sy_listen **out, const sy_listen_options *o, sy_fail *f);
void sy_listen_stop(sy_listen *l);
unsigned sy_listen_port(const sy_listen *l);

typedef struct sy_page sy_page; /* the page, plain HTTP */
typedef struct sy_page_options {
    struct sockaddr_storage address;
    /* reader: to show; desk: to write what people do. Used by the page's thread alone. */
    sy_inbox_db *reader, *desk;
    const sy_zone *zone;              /* NULL: the machine's */
    struct sy_pen *signer;            /* NULL: no orders; used by the page's thread alone */
    const char *origin, *user_header; /* as in form.h; borrowed until the stop */
} sy_page_options;
SY_MUST_USE sy_err sy_page_start(sy_page **out, const sy_page_options *o, sy_fail *f);
void sy_page_stop(sy_page *p);
unsigned sy_page_port(const sy_page *p);

#endif
