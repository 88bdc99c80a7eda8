/* SPDX-License-Identifier: Apache-2.0 */
/* The log sink: the one place with mutable state of the process (level, counts for the rate
 * limit). A line is one write, so that lines of several threads do not mix. */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENTS = 128, EVENT_NAME = 40 };

static struct {
    pthread_mutex_t lock;
    sy_level level;
    int journald; /* -1: not looked yet */
    struct event {
        char name[EVENT_NAME];
        sy_ms window;
        uint64_t lines, held;
    } events[EVENTS];
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = SY_LOG_INFO, .journald = -1};

void sy_log_set_level(sy_level level)
{
    pthread_mutex_lock(&sink.lock);
    sink.level = level;
    pthread_mutex_unlock(&sink.lock);
}

/* The entry of an event, or NULL where the table is full: then there is no limit. */
static struct event *entry(const char *name)
{
    uint32_t h = 2166136261u;
    for (const char *p = name; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    for (size_t i = 0; i < EVENTS; i++) {
        struct event *e = &sink.events[(h + i) % EVENTS];
        if (e->name[0] == 0)
            snprintf(e->name, sizeof e->name, "%s", name);
        if (strncmp(e->name, name, EVENT_NAME - 1) == 0)
            return e;
    }
    return NULL;
}

/* Whether a line may go out now; *held gets what was held back in the minute before. */
static bool allowed(const char *event, uint64_t *held)
{
    struct event *e = entry(event);
    *held = 0;
    if (!e)
        return true;
    sy_ms now = sy_mono_ms();
    if (e->lines == 0 || now - e->window >= 60000) {
        *held = e->held;
        e->window = now;
        e->lines = 0;
        e->held = 0;
    }
    if (e->lines >= SY_LOG_BURST) {
        e->held++;
        return false;
    }
    e->lines++;
    return true;
}

static const char *level_text(sy_level level)
{
    switch (level) {
    case SY_LOG_ERROR:
        return "error";
    case SY_LOG_WARN:
        return "warn";
    case SY_LOG_INFO:
        return "info";
    case SY_LOG_DEBUG:
        return "debug";
    }
    return "info";
}

void sy_log(sy_level level, const char *event, const char *fmt, ...)
{
    int keep = errno;
    char line[1024], thread[16] = "?", when[25];
    uint64_t held = 0;
    pthread_mutex_lock(&sink.lock);
    bool out = level <= sink.level && (level == SY_LOG_INFO || allowed(event, &held));
    if (sink.journald < 0)
        sink.journald = getenv("JOURNAL_STREAM") != NULL;
    int journald = sink.journald;
    pthread_mutex_unlock(&sink.lock);
    if (!out) {
        errno = keep;
        return;
    }
    pthread_getname_np(pthread_self(), thread, sizeof thread);
    sy_time_text(sy_wall_ms(), when);
    int n = journald ? snprintf(line, sizeof line, "<%d>", (int)level)
                     : snprintf(line, sizeof line, "time=%s ", when);
    n += snprintf(line + n, sizeof line - (size_t)n, "level=%s event=%s thread=%s ",
                  level_text(level), event, thread);
    if (held)
        n += snprintf(line + n, sizeof line - (size_t)n, "held_back=%llu ",
                      (unsigned long long)held);
    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    va_end(ap);
    size_t total = (size_t)n + (m < 0 ? 0 : (size_t)m);
    if (total > sizeof line - 2)
        total = sizeof line - 2;
    line[total] = '\n';
    sy_err e = sy_write_all(STDERR_FILENO, line, total + 1, NULL);
    (void)e; /* nowhere left to say it */
    errno = keep;
}

void sy_log_fail(sy_level level, const char *event, const sy_fail *f)
{
    char text[sizeof f->text * 2];
    sy_log(level, event, "error=\"%s\" at=%s msg=%s", sy_err_text(f->code), f->at ? f->at : "?",
           sy_logq(sy_span_of(f->text), text, sizeof text));
}

const char *sy_logq(sy_span text, char *buf, size_t size)
{
    size_t n = 0;
    if (size < 8) {
        if (size)
            buf[0] = 0;
        return buf;
    }
    buf[n++] = '"';
    for (size_t i = 0; i < text.n && n + 6 < size; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            buf[n++] = '\\';
        if (c < 0x20 || c == 0x7f)
            n += (size_t)snprintf(buf + n, size - n, "\\x%02x", c);
        else
            buf[n++] = (char)c;
    }
    buf[n++] = '"';
    buf[n] = 0;
    return buf;
}
