/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/owed.h"

#include "base/log.h"
#include "store/queue.h"

enum { MOST = 256 }; /* withheld in one transaction */

sy_err sy_owed_text(const sy_egress *policy, sy_span *event, sy_arena *arena, sy_fail *f)
{
    sy_egress_verdict verdict;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_egress_apply(policy, *event, &text, &verdict, f);
    if (!e && verdict == SY_EGRESS_WITHHELD)
        e = sy_fail_set(f, SY_E_DENIED, "events of its class do not leave");
    if (!e && verdict == SY_EGRESS_REDACTED) {
        char *copy = sy_arena_text(arena, sy_buf_span(&text));
        *event = (sy_span){copy, text.n};
        if (!copy)
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for an event");
    }
    sy_buf_fini(&text);
    return e;
}

static sy_err set_aside(sy_store *s, const char *destination, const sy_outbox_item *item,
                        const sy_fail *why, sy_fail *f)
{
    char quoted[256];
    sy_log(SY_LOG_ERROR, "upstream-event-refused", "destination=%s event=%s msg=%s", destination,
           item->id, sy_logq(sy_span_of(why->text), quoted, sizeof quoted));
    return sy_store_outbox_done(s, destination, &item->number, 1, why->text, f);
}

sy_err sy_owed(sy_store *s, const char *destination, const sy_egress *policy, sy_outbox_item *items,
               size_t *n, sy_arena *arena, sy_fail *f)
{
    int64_t withheld[MOST];
    size_t kept = 0, out = 0;
    sy_err err = SY_OK;
    for (size_t i = 0; i < *n && out < MOST && !err; i++) {
        sy_fail why = {0};
        sy_err e = sy_owed_text(policy, &items[i].body, arena, &why);
        if (e == SY_OK)
            items[kept++] = items[i];
        else if (e == SY_E_DENIED)
            withheld[out++] = items[i].number;
        else if (e == SY_E_PARSE)
            err = set_aside(s, destination, &items[i], &why, f);
        else
            err = sy_fail_set(f, e, "%s", why.text);
    }
    if (!err && out)
        err = sy_store_withhold(s, destination, withheld, out, f);
    *n = err ? 0 : kept;
    return err;
}
