/*
 * /api/…: what the page shows as JSON, for programs. docs/inbox.md lists the members.
 */
#ifndef SY_INBOX_API_H
#define SY_INBOX_API_H

#include "inbox/desk_view.h"

typedef struct sy_api_ask {
    sy_inbox_db *db;
    const char *what;   /* alerts events ledger heads orders cases evidence gateways */
    const char *source; /* heads, orders; NULL: not given */
    int64_t after, limit;
} sy_api_ask;
/* SY_E_NOTFOUND: there is no such list. */
SY_MUST_USE sy_err sy_api_answer(const sy_api_ask *a, sy_buf *out, sy_fail *f);

#endif
