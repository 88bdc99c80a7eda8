/*
 * What is posted to the page: /alert/N/act and /alert/N/case by its forms, and /orders, an order
 * that was signed elsewhere (docs/orders.md). Runs on the page's thread.
 */
#ifndef SY_INBOX_POST_H
#define SY_INBOX_POST_H

#include "inbox/desk_view.h"
#include "inbox/web.h"

typedef struct sy_post {
    struct MHD_Connection *connection;
    const char *url;
    sy_span body;
    const sy_guard *guard;
    const sy_view *view; /* of the visitor; its buffer is empty */
    sy_inbox_db *desk;
    struct sy_pen *signer; /* NULL: no orders by buttons */
} sy_post;
/* The largest body of this address in bytes, 0: nothing is posted there. */
size_t sy_post_max(const char *url);
enum MHD_Result sy_post_answer(const sy_post *p);

#endif
