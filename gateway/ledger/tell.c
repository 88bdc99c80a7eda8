/* SPDX-License-Identifier: Apache-2.0 */
/* Events about the ledger itself: the card is in another box, the folder was restored from a
 * backup, nothing can be signed. They are no judgement, so they are no function of the log; each
 * stands in the ledger as the others do. */
#include <stdio.h>

#include "ledger/ledger_int.h"

sy_err sy_ledger__put_event(sy_ledger *l, const sy_event_row *e, bool *added, sy_fail *f)
{
    sy_err err = sy_store_event(l->store, e, (const char *const *)l->destinations,
                                l->n_destinations, added, f);
    if (err || !*added)
        return err;
    sy_store_count(l->store, SY_N_events_queued, l->n_destinations);
    const sy_leaf_event leaf = {.id = sy_span_of(e->id), .body = e->body};
    return sy_ledger_event(l, e->id, &leaf, f);
}

/* A restore is told before anything else: what follows is signed over a ledger that went back. */
enum { FIRST = -1, SOON = 1 };

static sy_err put(sy_ledger *l, const char *id, const char *type, int priority, sy_span data,
                  sy_ms now, sy_fail *f)
{
    char time[25];
    bool added = false;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_time_text(now, time);
    sy_buf_text(&b, "{\"specversion\":\"1.0\",\"id\":");
    sy_buf_json(&b, sy_span_of(id));
    sy_buf_text(&b, ",\"source\":\"/steelyard/");
    sy_buf_text(&b, l->gateway);
    sy_buf_printf(&b, "\",\"type\":\"steelyard.%s\",\"time\":\"%s\"", type, time);
    sy_buf_text(&b, ",\"datacontenttype\":\"application/json\",\"data\":");
    sy_buf_span_put(&b, data);
    sy_buf_char(&b, '}');
    const sy_event_row e = {.id = id,
                            .kind = type,
                            .time = now,
                            .severity = 3,
                            .priority = priority,
                            .body = sy_buf_span(&b)};
    sy_err err = b.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for an event")
                          : sy_ledger__put_event(l, &e, &added, f);
    sy_buf_fini(&b);
    return err;
}

sy_err sy_ledger__tell_box(sy_ledger *l, const char *before, uint64_t leaf, sy_ms now, sy_fail *f)
{
    char id[48];
    sy_buf data;
    sy_buf_init(&data, sy_heap());
    snprintf(id, sizeof id, "box/%llu", (unsigned long long)leaf);
    sy_buf_printf(&data, "{\"box\":\"%s\",\"before\":\"%s\"}", l->box, before);
    sy_err e = put(l, id, "box.changed", SOON, sy_buf_span(&data), now, f);
    sy_buf_fini(&data);
    return e;
}

sy_err sy_ledger__tell_restored(sy_ledger *l, const sy_restored *r, sy_ms now, sy_fail *f)
{
    char id[64], made[25], root[65];
    sy_buf data;
    (void)snprintf(id, sizeof id, "ledger-restored/%s", r->id);
    sy_time_text(r->made, made);
    sy_digest_hex(&r->root, root);
    sy_buf_init(&data, sy_heap());
    sy_buf_printf(&data, "{\"leaves\":%llu,\"root\":\"%s\",\"backup\":\"%s\",\"known\":",
                  (unsigned long long)r->leaves, root, made);
    if (r->known)
        sy_buf_printf(&data, "%llu", (unsigned long long)r->known);
    else
        sy_buf_text(&data, "null");
    sy_buf_printf(&data, ",\"box\":\"%s\",\"who\":", l->box);
    sy_buf_json(&data, sy_span_of(r->who));
    sy_buf_text(&data, ",\"why\":");
    sy_buf_json(&data, sy_span_of(r->why));
    sy_buf_char(&data, '}');
    sy_err e = put(l, id, "ledger.restored", FIRST, sy_buf_span(&data), now, f);
    sy_buf_fini(&data);
    return e;
}

/* Once a day, however often the gateway starts. */
sy_err sy_ledger__tell_trouble(sy_ledger *l, sy_ms now, sy_fail *f)
{
    char id[96], time[25], hex[33];
    sy_sha256 h;
    unsigned char sum[32];
    sy_buf data;
    sy_time_text(now, time);
    sy_sha256_init(&h);
    sy_sha256_add(&h, l->trouble, strlen(l->trouble));
    sy_sha256_add(&h, time, 10);
    sy_sha256_end(&h, sum);
    sy_hex(sum, 16, hex);
    snprintf(id, sizeof id, "ledger-trouble/%s", hex);
    sy_buf_init(&data, sy_heap());
    sy_buf_text(&data, "{\"trouble\":");
    sy_buf_json(&data, sy_span_of(l->trouble));
    sy_buf_char(&data, '}');
    sy_err e = put(l, id, "ledger.trouble", SOON, sy_buf_span(&data), now, f);
    sy_buf_fini(&data);
    return e;
}
