/* SPDX-License-Identifier: Apache-2.0 */
#include "door/pending.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "door/refused.h"

typedef struct message {
    sy_ms at;
    uint16_t content_format;
    char *bytes;
    size_t n;
} message;

typedef struct source {
    sy_door__source s;
    uint64_t order; /* of its last message */
    message v[SY_PENDING_MESSAGES];
    size_t n;
} source;

struct sy_pending {
    pthread_mutex_t mu;
    char *file;
    source *v; /* the n first of SY_PENDING_SOURCES */
    size_t n, bytes;
    uint64_t order;
    bool changed;
    sy_ms saved;     /* monotonic */
    source *reading; /* while the file is read */
};

/* ---- under mu ---- */

static void drop_oldest(sy_pending *p, source *s)
{
    p->bytes -= s->v[0].n;
    free(s->v[0].bytes);
    memmove(s->v, s->v + 1, (s->n - 1) * sizeof *s->v);
    s->n--;
}

static void drop_source(sy_pending *p, source *s)
{
    while (s->n > 0)
        drop_oldest(p, s);
    *s = p->v[--p->n];
}

/* The one whose last message is longest ago, of those that hold one where that is asked. */
static source *stalest(sy_pending *p, bool with_messages)
{
    source *found = NULL;
    for (size_t i = 0; i < p->n; i++)
        if ((p->v[i].n > 0 || !with_messages) && (!found || p->v[i].order < found->order))
            found = &p->v[i];
    return found;
}

static source *find(sy_pending *p, sy_transport t, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].s.transport == t && strcmp(p->v[i].s.source, name) == 0)
            return &p->v[i];
    return NULL;
}

static source *place(sy_pending *p, const sy_door__source *s)
{
    source *at = find(p, s->transport, s->source);
    if (!at) {
        if (p->n == SY_PENDING_SOURCES)
            drop_source(p, stalest(p, false));
        at = &p->v[p->n++];
        *at = (source){.s = *s};
    }
    at->order = ++p->order;
    return at;
}

static void keep(sy_pending *p, source *s, sy_ms at, uint16_t content_format, sy_span payload)
{
    char *bytes = payload.n <= SY_PENDING_MESSAGE ? malloc(payload.n + 1) : NULL;
    if (!bytes)
        return;
    memcpy(bytes, payload.n ? payload.p : "", payload.n);
    if (s->n == SY_PENDING_MESSAGES)
        drop_oldest(p, s);
    s->v[s->n++] = (message){at, content_format, bytes, payload.n};
    p->bytes += payload.n;
    while (p->bytes > SY_PENDING_BYTES)
        drop_oldest(p, stalest(p, true)); /* never the one just kept: it alone fits */
}

/* ---- the file ---- */

static void read_source(void *ctx, const sy_door__source *s)
{
    sy_pending *p = ctx;
    p->reading = place(p, s);
    p->reading->s = *s;
}

static void read_message(void *ctx, sy_ms at, uint16_t content_format, sy_span payload)
{
    sy_pending *p = ctx;
    keep(p, p->reading, at, content_format, payload);
}

static void read_file(sy_pending *p)
{
    sy_fail f = {0};
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_door__reader to = {p, read_source, read_message};
    if (access(p->file, F_OK) == 0 && (sy_file_read(p->file, SY_PENDING_FILE, &text, &f) ||
                                       sy_door__read(sy_buf_span(&text), &to, &f)))
        sy_log_fail(SY_LOG_WARN, "pending-damaged", &f);
    sy_buf_fini(&text);
}

sy_err sy_pending_open(sy_pending **out, const char *file, sy_fail *f)
{
    sy_pending *p = calloc(1, sizeof *p);
    if (p) {
        pthread_mutex_init(&p->mu, NULL);
        p->file = strdup(file);
        p->v = calloc(SY_PENDING_SOURCES, sizeof *p->v);
    }
    if (!p || !p->file || !p->v) {
        sy_pending_close(p);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for what unknown devices send");
    }
    read_file(p);
    p->changed = false;
    p->saved = sy_mono_ms();
    *out = p;
    return SY_OK;
}

void sy_pending_add(sy_pending *p, const sy_stranger *stranger, sy_ms now)
{
    sy_door__source s = {.transport = stranger->transport, .first = now};
    if (stranger->source.n >= sizeof s.source)
        return; /* no name of ours can be so long */
    sy_door__plain(stranger->source, s.source, sizeof s.source);
    sy_door__plain(stranger->client, s.client, sizeof s.client);
    sy_door__plain(sy_span_of(stranger->peer), s.peer, sizeof s.peer);
    pthread_mutex_lock(&p->mu);
    source *at = place(p, &s);
    memcpy(at->s.client, s.client, sizeof s.client);
    memcpy(at->s.peer, s.peer, sizeof s.peer);
    at->s.count++;
    at->s.last = now;
    keep(p, at, now, stranger->content_format, stranger->payload);
    p->changed = true;
    pthread_mutex_unlock(&p->mu);
}

bool sy_pending_forget(sy_pending *p, sy_span transport, sy_span name)
{
    bool found = false;
    pthread_mutex_lock(&p->mu);
    for (size_t i = 0; i < p->n && !found; i++) {
        const sy_door__source *s = &p->v[i].s;
        found =
            sy_span_is(transport, sy_transport_name(s->transport)) && sy_span_is(name, s->source);
        if (found)
            drop_source(p, &p->v[i]);
    }
    p->changed = p->changed || found;
    pthread_mutex_unlock(&p->mu);
    return found;
}

size_t sy_pending_count(sy_pending *p)
{
    pthread_mutex_lock(&p->mu);
    size_t n = p->n;
    pthread_mutex_unlock(&p->mu);
    return n;
}

static void put_text(sy_buf *out, const char *key, const char *text)
{
    sy_buf_printf(out, ",\"%s\":", key);
    if (text[0])
        sy_buf_json(out, sy_span_of(text));
    else
        sy_buf_text(out, "null");
}

static void put_message(sy_buf *out, const message *m)
{
    sy_buf_printf(out, "{\"at\":%lld,\"content_format\":", (long long)m->at);
    if (m->content_format == 0xffff)
        sy_buf_text(out, "null");
    else
        sy_buf_printf(out, "%u", m->content_format);
    sy_buf_text(out, ",\"payload\":\"");
    for (size_t i = 0; i < m->n; i++) {
        char hex[3];
        sy_hex((const unsigned char *)m->bytes + i, 1, hex);
        sy_buf_put(out, hex, 2);
    }
    sy_buf_text(out, "\"}");
}

static int newest(const void *a, const void *b)
{
    const source *x = a, *y = b;
    return x->order < y->order ? 1 : x->order > y->order ? -1 : 0;
}

void sy_pending_json(sy_pending *p, sy_buf *out)
{
    pthread_mutex_lock(&p->mu);
    qsort(p->v, p->n, sizeof *p->v, newest);
    sy_buf_text(out, "{\"sources\":[");
    for (size_t i = 0; i < p->n; i++) {
        const source *s = &p->v[i];
        sy_buf_printf(out, "%s{\"transport\":\"%s\"", i ? "," : "",
                      sy_transport_name(s->s.transport));
        put_text(out, "source", s->s.source);
        put_text(out, "client", s->s.client);
        put_text(out, "peer", s->s.peer);
        sy_buf_printf(out, ",\"count\":%llu,\"first\":%lld,\"last\":%lld,\"messages\":[",
                      (unsigned long long)s->s.count, (long long)s->s.first, (long long)s->s.last);
        for (size_t k = 0; k < s->n; k++) {
            sy_buf_text(out, k ? "," : "");
            put_message(out, &s->v[k]);
        }
        sy_buf_text(out, "]}");
    }
    sy_buf_text(out, "]}");
    pthread_mutex_unlock(&p->mu);
}

void sy_pending_save(sy_pending *p, bool now)
{
    sy_fail f = {0};
    sy_buf text;
    pthread_mutex_lock(&p->mu);
    bool due = p->changed && (now || sy_mono_ms() - p->saved >= SY_PENDING_EVERY_MS);
    p->changed = p->changed && !due;
    pthread_mutex_unlock(&p->mu);
    if (!due)
        return;
    p->saved = sy_mono_ms();
    sy_buf_init(&text, sy_heap());
    sy_pending_json(p, &text);
    sy_buf_char(&text, '\n');
    sy_err e = text.failed ? sy_fail_set(&f, SY_E_NOMEM, "no memory for %s", p->file)
                           : sy_file_write(p->file, sy_buf_span(&text), 0600, &f);
    if (e)
        sy_log_fail(SY_LOG_WARN, "pending-not-written", &f);
    sy_buf_fini(&text);
}

void sy_pending_close(sy_pending *p)
{
    if (!p)
        return;
    if (p->v && p->file)
        sy_pending_save(p, true);
    while (p->v && p->n > 0)
        drop_source(p, &p->v[p->n - 1]);
    pthread_mutex_destroy(&p->mu);
    free(p->v);
    free(p->file);
    free(p);
}
