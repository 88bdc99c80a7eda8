/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/waiting.h"

#include "store/queue.h"
#include "upstream/egress.h"

typedef struct tally {
    uint64_t n[SY_EGRESS_N];
    sy_ms since[SY_EGRESS_N];
} tally;

static bool add(void *ctx, const sy_waiting_row *r)
{
    tally *t = ctx;
    sy_egress_class c = sy_egress_class_of_kind(r->kind, r->of_alert);
    t->since[c] = t->n[c] == 0 || r->since < t->since[c] ? r->since : t->since[c];
    t->n[c] += r->n;
    return true;
}

void sy_waiting_members(sy_store *s, const char *destination, sy_buf *json)
{
    tally t = {0};
    uint64_t withheld = 0;
    sy_fail unused;
    const char *comma = "";
    if (sy_store_waiting(s, destination, add, &t, &unused) ||
        sy_store_withheld(s, destination, &withheld, &unused))
        return;
    sy_buf_text(json, ",\"by_class\":{");
    for (int c = 0; c < SY_EGRESS_N; c++) {
        char since[25];
        if (t.n[c] == 0)
            continue;
        sy_time_text(t.since[c], since);
        sy_buf_printf(json, "%s\"%s\":{\"n\":%llu,\"since\":\"%s\"}", comma,
                      sy_egress_class_word((sy_egress_class)c), (unsigned long long)t.n[c], since);
        comma = ",";
    }
    sy_buf_printf(json, "},\"withheld\":%llu", (unsigned long long)withheld);
}

typedef struct listing {
    sy_store *s;
    sy_buf *json;
    size_t n;
} listing;

static bool put(void *ctx, const char *destination)
{
    listing *l = ctx;
    uint64_t waiting = 0, refused = 0;
    sy_fail unused;
    if (sy_store_outbox_count(l->s, destination, &waiting, &refused, &unused))
        return false;
    sy_buf_text(l->json, l->n++ ? ",{\"name\":" : "{\"name\":");
    sy_buf_json(l->json, sy_span_of(destination));
    sy_buf_printf(l->json, ",\"waiting\":%llu,\"refused\":%llu", (unsigned long long)waiting,
                  (unsigned long long)refused);
    sy_waiting_members(l->s, destination, l->json);
    sy_buf_char(l->json, '}');
    return true;
}

void sy_waiting_all(sy_store *s, sy_buf *json)
{
    listing l = {.s = s, .json = json};
    sy_fail unused;
    sy_buf_char(json, '[');
    sy_err e = sy_store_outboxes(s, put, &l, &unused);
    (void)e;
    sy_buf_char(json, ']');
}
