/* SPDX-License-Identifier: Apache-2.0 */
#include "door/watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct watcher {
    bool used;
    char device[65]; /* "": all */
    sy_buf lines;
    uint64_t lost;
} watcher;

struct sy_watch {
    pthread_mutex_t mu;
    watcher v[SY_WATCHERS];
    atomic_int wanted;
    void (*wake)(void *ctx);
    void *ctx;
};

sy_watch *sy_watch_open(void (*wake)(void *ctx), void *ctx)
{
    sy_watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    pthread_mutex_init(&w->mu, NULL);
    w->wake = wake;
    w->ctx = ctx;
    for (size_t i = 0; i < SY_WATCHERS; i++)
        sy_buf_init(&w->v[i].lines, sy_heap());
    return w;
}

void sy_watch_close(sy_watch *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < SY_WATCHERS; i++)
        sy_buf_fini(&w->v[i].lines);
    pthread_mutex_destroy(&w->mu);
    free(w);
}

int sy_watch_add(sy_watch *w, sy_span device)
{
    int found = -1;
    pthread_mutex_lock(&w->mu);
    for (int i = 0; i < SY_WATCHERS && found < 0; i++)
        found = w->v[i].used ? -1 : i;
    if (found >= 0) {
        watcher *k = &w->v[found];
        size_t n = device.n < sizeof k->device ? device.n : sizeof k->device - 1;
        memcpy(k->device, n ? device.p : "", n);
        k->device[n] = '\0';
        k->used = true;
        k->lost = 0;
        sy_buf_reset(&k->lines);
        atomic_fetch_add(&w->wanted, 1);
    }
    pthread_mutex_unlock(&w->mu);
    return found;
}

void sy_watch_remove(sy_watch *w, int i)
{
    pthread_mutex_lock(&w->mu);
    w->v[i].used = false;
    sy_buf_fini(&w->v[i].lines);
    pthread_mutex_unlock(&w->mu);
    atomic_fetch_sub(&w->wanted, 1);
}

bool sy_watch_wanted(const sy_watch *w)
{
    return atomic_load_explicit(&w->wanted, memory_order_relaxed) > 0;
}

int sy_watch_count(const sy_watch *w)
{
    return atomic_load(&w->wanted);
}

void sy_watch_put(sy_watch *w, sy_span device, sy_span line)
{
    bool news = false;
    pthread_mutex_lock(&w->mu);
    for (size_t i = 0; i < SY_WATCHERS; i++) {
        watcher *k = &w->v[i];
        if (!k->used || (k->device[0] && !sy_span_is(device, k->device)))
            continue;
        if (k->lines.n + line.n + 1 > SY_WATCH_BYTES || k->lines.failed) {
            k->lost++;
            continue;
        }
        news = news || k->lines.n == 0;
        sy_buf_span_put(&k->lines, line);
        sy_buf_char(&k->lines, '\n');
    }
    pthread_mutex_unlock(&w->mu);
    if (news)
        w->wake(w->ctx);
}

void sy_watch_take(sy_watch *w, int i, sy_buf *out)
{
    pthread_mutex_lock(&w->mu);
    watcher *k = &w->v[i];
    if (!k->lines.failed)
        sy_buf_span_put(out, sy_buf_span(&k->lines));
    if (k->lost)
        sy_buf_printf(out, "{\"lost\":%llu}\n", (unsigned long long)k->lost);
    k->lost = 0;
    sy_buf_reset(&k->lines);
    pthread_mutex_unlock(&w->mu);
}
