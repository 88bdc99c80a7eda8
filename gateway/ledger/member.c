/* SPDX-License-Identifier: Apache-2.0 */
/* Members that are put last in an event, and taken off again. */
#include "ledger/member.h"

enum { AROUND = 5 }; /* ,"":" */

void sy_member_add(sy_span event, const char *name, sy_span value, sy_buf *out)
{
    sy_buf_put(out, event.p, event.n ? event.n - 1 : 0);
    sy_buf_text(out, ",\"");
    sy_buf_text(out, name);
    sy_buf_text(out, "\":\"");
    sy_buf_span_put(out, value);
    sy_buf_text(out, "\"}");
}

/* The name stands right before the last '"' but one. */
bool sy_member_find(sy_span event, const char *name, size_t *at, sy_span *value)
{
    const size_t n = strlen(name) + AROUND;
    size_t end = event.n, from;
    if (end < n + 2 || event.p[end - 1] != '}' || event.p[end - 2] != '"')
        return false;
    end -= 2;
    for (from = end; from > 0 && event.p[from - 1] != '"'; from--)
        ;
    if (from < n)
        return false;
    const char *p = event.p + from - n;
    if (memcmp(p, ",\"", 2) != 0 || memcmp(p + 2, name, n - AROUND) != 0 ||
        memcmp(p + n - 3, "\":\"", 3) != 0)
        return false;
    *at = from - n;
    *value = (sy_span){event.p + from, end - from};
    return true;
}
