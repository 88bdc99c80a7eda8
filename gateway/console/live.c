/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader that has nothing to read is suspended under the lock, by its own callback; the thread
 * that has something for it resumes it under the same lock.
 */
#include "console/live.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "store/follow.h"

enum { LOOK_MS = 250, COMMENT_MS = 15000, READER_BYTES = 256 << 10, BLOCK = 4096 };

typedef struct reader {
    sy_live *live;
    struct MHD_Connection *mhd;
    sy_buf out;
    size_t taken;
    uint64_t lost;
    bool suspended;
    struct reader *next;
} reader;

struct sy_live {
    sy_store *store;
    sy_watch *watch;
    pthread_t thread;
    pthread_mutex_t lock;
    reader *first;
    size_t n;
    bool stopping;
    int stop_fd;
    /* of the thread alone */
    int watcher; /* -1: none */
    int64_t event;
    sy_ms commented;
};

static void wake(reader *r)
{
    if (r->suspended) {
        r->suspended = false;
        MHD_resume_connection(r->mhd);
    }
}

static void tell_one(reader *r, const char *event, sy_span data)
{
    if (r->out.n - r->taken + data.n > READER_BYTES) {
        r->lost++;
        return;
    }
    if (r->lost) {
        sy_buf_printf(&r->out, "event: lost\ndata: {\"lost\":%llu}\n\n",
                      (unsigned long long)r->lost);
        r->lost = 0;
    }
    sy_buf_printf(&r->out, "event: %s\ndata: ", event);
    sy_buf_span_put(&r->out, data);
    sy_buf_text(&r->out, "\n\n");
}

/* Under the lock. */
static void tell(sy_live *l, const char *event, sy_span data)
{
    for (reader *r = l->first; r; r = r->next) {
        tell_one(r, event, data);
    }
}

static bool take_change(void *ctx, const sy_change_row *row)
{
    sy_live *l = ctx;
    l->event = row->number;
    if (!row->alert) {
        return true;
    }
    json_t *event = json_loadb(row->body.p, row->body.n, 0, NULL);
    const char *type = json_string_value(json_object_get(event, "type"));
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_text(&b, "{\"id\":");
    sy_buf_json(&b, sy_span_of(row->alert));
    sy_buf_text(&b, ",\"type\":");
    sy_buf_json(&b, sy_span_of(type ? type : ""));
    sy_buf_char(&b, '}');
    json_decref(event);
    if (!b.failed) {
        pthread_mutex_lock(&l->lock);
        tell(l, "alert", sy_buf_span(&b));
        pthread_mutex_unlock(&l->lock);
    }
    sy_buf_fini(&b);
    return true;
}

static bool skip(void *ctx, const sy_change_row *row)
{
    (void)ctx, (void)row;
    return false;
}

static void take_readings(sy_live *l)
{
    sy_buf lines;
    sy_buf_init(&lines, sy_heap());
    sy_watch_take(l->watch, l->watcher, &lines);
    sy_span rest = sy_buf_span(&lines);
    pthread_mutex_lock(&l->lock);
    while (rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        sy_span line = {rest.p, end ? (size_t)(end - rest.p) : rest.n};
        bool lost = line.n > 7 && memcmp(line.p, "{\"lost\"", 7) == 0;
        tell(l, lost ? "lost" : "reading", line);
        rest.p += line.n + (end ? 1 : 0);
        rest.n -= line.n + (end ? 1 : 0);
    }
    pthread_mutex_unlock(&l->lock);
    sy_buf_fini(&lines);
}

static void wake_all(sy_live *l)
{
    pthread_mutex_lock(&l->lock);
    for (reader *r = l->first; r; r = r->next) {
        if (r->out.n > r->taken) {
            wake(r);
        }
    }
    pthread_mutex_unlock(&l->lock);
}

static void comment(sy_live *l)
{
    sy_ms now = sy_mono_ms();
    if (now - l->commented < COMMENT_MS) {
        return;
    }
    l->commented = now;
    pthread_mutex_lock(&l->lock);
    for (reader *r = l->first; r; r = r->next) {
        sy_buf_text(&r->out, ": here\n\n");
        wake(r);
    }
    pthread_mutex_unlock(&l->lock);
}

/* Somebody reads: see that we watch; nobody does: that we do not. */
static bool follow(sy_live *l)
{
    sy_fail f;
    bool wanted = sy_live_readers(l) > 0;
    if (wanted && l->watcher < 0) {
        l->watcher = sy_watch_add(l->watch, (sy_span){"", 0});
        sy_err e = sy_store_active_events(l->store, &l->event, skip, NULL, &f);
        if (e) {
            sy_log_fail(SY_LOG_WARN, "console-live", &f);
        }
    } else if (!wanted && l->watcher >= 0) {
        sy_watch_remove(l->watch, l->watcher);
        l->watcher = -1;
    }
    return l->watcher >= 0;
}

static void *run(void *arg)
{
    sy_live *l = arg;
    struct pollfd p = {l->stop_fd, POLLIN, 0};
    sy_fail f;
    sy_thread_name("sy-console-live");
    while (poll(&p, 1, LOOK_MS) <= 0) {
        if (!follow(l)) {
            continue;
        }
        take_readings(l);
        if (sy_store_events_after(l->store, l->event, take_change, l, &f)) {
            sy_log_fail(SY_LOG_WARN, "console-live", &f);
        }
        wake_all(l);
        comment(l);
    }
    if (l->watcher >= 0) {
        sy_watch_remove(l->watch, l->watcher);
    }
    return NULL;
}

sy_err sy_live_open(sy_live **out, sy_store *store, sy_watch *watch, sy_fail *f)
{
    sy_live *l = calloc(1, sizeof *l);
    if (!l) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for live readers");
    }
    l->store = store;
    l->watch = watch;
    l->watcher = -1;
    pthread_mutex_init(&l->lock, NULL);
    l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    errno = l->stop_fd < 0 ? errno : pthread_create(&l->thread, NULL, run, l);
    if (errno) {
        sy_err e = sy_fail_sys(f, "no thread for live readers");
        if (l->stop_fd >= 0) {
            close(l->stop_fd);
        }
        free(l);
        return e;
    }
    *out = l;
    return SY_OK;
}

void sy_live_stop(sy_live *l)
{
    const uint64_t one = 1;
    (void)!write(l->stop_fd, &one, sizeof one);
    pthread_join(l->thread, NULL);
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    for (reader *r = l->first; r; r = r->next) {
        wake(r);
    }
    pthread_mutex_unlock(&l->lock);
}

void sy_live_close(sy_live *l)
{
    if (l) {
        close(l->stop_fd);
        pthread_mutex_destroy(&l->lock);
        free(l);
    }
}

size_t sy_live_readers(sy_live *l)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->n;
    pthread_mutex_unlock(&l->lock);
    return n;
}

/* ---- on the library's threads ---- */

static ssize_t give(void *cls, uint64_t pos, char *room, size_t most)
{
    reader *r = cls;
    ssize_t n = 0;
    (void)pos;
    pthread_mutex_lock(&r->live->lock);
    size_t left = r->out.failed ? 0 : r->out.n - r->taken;
    if (r->live->stopping || r->out.failed) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else if (left) {
        n = (ssize_t)(left < most ? left : most);
        memcpy(room, r->out.p + r->taken, (size_t)n);
        r->taken += (size_t)n;
        if (r->taken == r->out.n) {
            sy_buf_reset(&r->out);
            r->taken = 0;
        }
    } else {
        r->suspended = true;
        MHD_suspend_connection(r->mhd);
    }
    pthread_mutex_unlock(&r->live->lock);
    return n;
}

static void gone(void *cls)
{
    reader *r = cls;
    sy_live *l = r->live;
    pthread_mutex_lock(&l->lock);
    for (reader **at = &l->first; *at; at = &(*at)->next) {
        if (*at == r) {
            *at = r->next;
            l->n--;
            break;
        }
    }
    pthread_mutex_unlock(&l->lock);
    sy_buf_fini(&r->out);
    free(r);
}

/* False: there are too many. */
static bool join(sy_live *l, reader *r)
{
    pthread_mutex_lock(&l->lock);
    bool room = l->n < SY_LIVE_READERS && !l->stopping;
    if (room) {
        r->next = l->first;
        l->first = r;
        l->n++;
    }
    pthread_mutex_unlock(&l->lock);
    return room;
}

enum MHD_Result sy_api_live(sy_request *r)
{
    sy_live *l = r->console->live;
    reader *x = calloc(1, sizeof *x);
    if (!x) {
        return MHD_NO;
    }
    x->live = l;
    x->mhd = r->mhd;
    sy_buf_init(&x->out, sy_heap());
    sy_buf_text(&x->out, "retry: 3000\n\n");
    if (!join(l, x)) {
        sy_buf_fini(&x->out);
        free(x);
        return sy_answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "too-many",
                               "too many pages look on already");
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, give, x, gone);
    if (!response) {
        gone(x);
        return MHD_NO;
    }
    sy_answer_heads(r, response);
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result queued = MHD_queue_response(r->mhd, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}
