/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as `status` shows it: what the store knows, whether or not a gateway runs. */
#include "base/log.h"
#include "ledger/ledger_int.h"

typedef struct state {
    uint64_t leaves, head;
    sy_ms time;
    sy_digest root;
    char kid[SY_KID_CHARS + 1], box[65];
    bool certified;
} state;

static void take_head(void *ctx, const sy_head_row *h)
{
    state *s = ctx;
    s->head = h->size;
    s->time = h->time;
}

static void take_key(void *ctx, const sy_key_row *k)
{
    state *s = ctx;
    size_t n = strnlen(k->kid, SY_KID_CHARS);
    memcpy(s->kid, k->kid, n);
    s->kid[n] = 0;
    s->certified = k->chain.n > 0;
}

static sy_err read_state(sy_store *store, state *s, sy_fail *f)
{
    sy_err e = sy_store_leaves(store, &s->leaves, f);
    e = e ? e : sy_store_root(store, s->leaves, &s->root, f);
    e = e ? e : sy_store_heads(store, 1, INT64_MAX, 1, true, take_head, s, f);
    e = e ? e : sy_store_box(store, s->box, f);
    e = e ? e : sy_store_key(store, NULL, take_key, s, f);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

void sy_ledger_state(sy_store *store, const char *word, const char *trouble, sy_buf *json)
{
    state s = {.head = 0};
    char hex[65], time[25];
    sy_fail why = {0};
    if (read_state(store, &s, &why))
        sy_log_fail(SY_LOG_ERROR, "status-failed", &why);
    sy_digest_hex(&s.root, hex);
    sy_buf_printf(json, "{\"state\":\"%s\",\"trouble\":", word);
    if (trouble[0])
        sy_buf_json(json, sy_span_of(trouble));
    else
        sy_buf_text(json, "null");
    sy_buf_printf(json, ",\"size\":%llu,\"root\":\"%s\",\"head\":", (unsigned long long)s.leaves,
                  hex);
    if (s.head) {
        sy_time_text(s.time, time);
        sy_buf_printf(json, "{\"size\":%llu,\"time\":\"%s\"}", (unsigned long long)s.head, time);
    } else {
        sy_buf_text(json, "null");
    }
    sy_buf_printf(json, ",\"kid\":\"%s\",\"certified\":%s,\"box\":\"%s\"}", s.kid,
                  s.certified ? "true" : "false", s.box);
}

void sy_ledger_status(sy_ledger *l, sy_buf *json)
{
    char trouble[sizeof l->trouble];
    pthread_mutex_lock(&l->lock);
    memcpy(trouble, l->trouble, sizeof trouble);
    pthread_mutex_unlock(&l->lock);
    sy_ledger_state(l->store, trouble[0] ? "trouble" : "signing", trouble, json);
}
