/* SPDX-License-Identifier: Apache-2.0 */
/* The table of refusals: few enough to be looked through at each. */
#include "door/refused.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/utf8.h"

enum { NAME = 65, REASON = 33, PEER = 64, DETAIL = 121 };

typedef struct entry {
    sy_transport transport;
    char who[NAME], reason[REASON], peer[PEER], detail[DETAIL];
    uint64_t count, order; /* order: of the last one */
    sy_ms last;
} entry;

struct sy_refused {
    pthread_mutex_t mu;
    entry v[SY_REFUSED_MAX];
    size_t n;
    uint64_t total, forgotten;
};

sy_refused *sy_refused_open(void)
{
    sy_refused *t = calloc(1, sizeof *t);
    if (t)
        pthread_mutex_init(&t->mu, NULL);
    return t;
}

void sy_refused_close(sy_refused *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->mu);
    free(t);
}

void sy_door__plain(sy_span text, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n;) {
        uint32_t cp = 0;
        size_t k = sy_utf8_next(text.p + i, text.n - i, &cp);
        bool shown = k > 0 && cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp < 0xa0);
        size_t put = shown ? k : 1;
        if (n + put >= size)
            break;
        if (shown)
            memcpy(out + n, text.p + i, k);
        else
            out[n] = '?';
        n += put;
        i += k ? k : 1;
    }
    out[n] = '\0';
}

/* Under mu: the entry of this key, else a free one, else that which gives way. */
static entry *place(sy_refused *t, const entry *key)
{
    entry *least = NULL;
    for (size_t i = 0; i < t->n; i++) {
        entry *e = &t->v[i];
        if (e->transport == key->transport && strcmp(e->who, key->who) == 0 &&
            strcmp(e->reason, key->reason) == 0)
            return e;
        if (!least || e->count < least->count ||
            (e->count == least->count && e->order < least->order))
            least = e;
    }
    if (t->n < SY_REFUSED_MAX) {
        least = &t->v[t->n++];
    } else {
        t->forgotten++;
    }
    *least = *key;
    return least;
}

void sy_refused_note(sy_refused *t, const sy_refusal *r, sy_ms now)
{
    entry key = {.transport = r->transport};
    char peer[PEER], detail[DETAIL];
    sy_door__plain(r->who, key.who, sizeof key.who);
    sy_door__plain(sy_span_of(r->reason ? r->reason : sy_reject_name(r->why)), key.reason,
                   sizeof key.reason);
    sy_door__plain(sy_span_of(r->peer), peer, sizeof peer);
    sy_door__plain(sy_span_of(r->detail), detail, sizeof detail);
    pthread_mutex_lock(&t->mu);
    entry *e = place(t, &key);
    e->order = ++t->total;
    e->count++;
    e->last = now;
    if (peer[0])
        memcpy(e->peer, peer, sizeof peer);
    memcpy(e->detail, detail, sizeof detail);
    pthread_mutex_unlock(&t->mu);
}

static void put(sy_buf *out, const char *key, const char *text)
{
    sy_buf_printf(out, ",\"%s\":", key);
    if (text[0])
        sy_buf_json(out, sy_span_of(text));
    else
        sy_buf_text(out, "null");
}

static int newest(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    return x->order < y->order ? 1 : x->order > y->order ? -1 : 0;
}

void sy_refused_json(sy_refused *t, sy_buf *out)
{
    pthread_mutex_lock(&t->mu);
    qsort(t->v, t->n, sizeof *t->v, newest);
    sy_buf_printf(out, "{\"total\":%llu,\"forgotten\":%llu,\"list\":[",
                  (unsigned long long)t->total, (unsigned long long)t->forgotten);
    for (size_t i = 0; i < t->n; i++) {
        const entry *e = &t->v[i];
        char last[25];
        sy_time_text(e->last, last);
        sy_buf_printf(out, "%s{\"transport\":\"%s\"", i ? "," : "",
                      sy_transport_name(e->transport));
        put(out, "device", e->who);
        put(out, "reason", e->reason);
        sy_buf_printf(out, ",\"count\":%llu", (unsigned long long)e->count);
        put(out, "last", last);
        put(out, "peer", e->peer);
        put(out, "detail", e->detail);
        sy_buf_char(out, '}');
    }
    sy_buf_text(out, "]}");
    pthread_mutex_unlock(&t->mu);
}
