/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/waiting.h"

#include "store/queue.h"

static bool add(void *ctx, const sy_waiting_row *r)
{
    sy_waiting *t = ctx;
    sy_egress_class c = sy_egress_class_of_kind(r->kind, r->of_alert);
    t->since[c] = t->n[c] == 0 || r->since < t->since[c] ? r->since : t->since[c];
    t->n[c] += r->n;
    return true;
}

bool sy_waiting_count(sy_store *s, const char *destination, sy_waiting *out)
{
    sy_fail unused;
    *out = (sy_waiting){.counted = sy_mono_ms()};
    return sy_store_outbox_count(s, destination, &out->waiting, &out->refused, &unused) == SY_OK &&
           sy_store_waiting(s, destination, add, out, &unused) == SY_OK &&
           sy_store_withheld(s, destination, &out->withheld, &unused) == SY_OK;
}

static void put_classes(const sy_waiting *t, sy_buf *json)
{
    const char *comma = "";
    sy_buf_text(json, ",\"by_class\":{");
    for (int c = 0; c < SY_EGRESS_N; c++) {
        char since[25];
        if (t->n[c] == 0)
            continue;
        sy_time_text(t->since[c], since);
        sy_buf_printf(json, "%s\"%s\":{\"n\":%llu,\"since\":\"%s\"}", comma,
                      sy_egress_class_word((sy_egress_class)c), (unsigned long long)t->n[c], since);
        comma = ",";
    }
    sy_buf_printf(json, "},\"withheld\":%llu", (unsigned long long)t->withheld);
}

void sy_waiting_put(const sy_waiting *t, sy_buf *json)
{
    sy_buf_printf(json, ",\"waiting\":%llu,\"refused\":%llu", (unsigned long long)t->waiting,
                  (unsigned long long)t->refused);
    put_classes(t, json);
}

void sy_waiting_members(sy_store *s, const char *destination, sy_buf *json)
{
    sy_waiting t;
    if (sy_waiting_count(s, destination, &t))
        put_classes(&t, json);
}

typedef struct listing {
    sy_store *s;
    sy_buf *json;
    size_t n;
} listing;

static bool put(void *ctx, const char *destination)
{
    listing *l = ctx;
    sy_waiting t;
    if (!sy_waiting_count(l->s, destination, &t))
        return false;
    sy_buf_text(l->json, l->n++ ? ",{\"name\":" : "{\"name\":");
    sy_buf_json(l->json, sy_span_of(destination));
    sy_waiting_put(&t, l->json);
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
