/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The managed broker: one thread that starts mosquitto, reads its log, and starts it again.
 *
 * The thread "sy-broker" owns the child from fork to reaping. Under `lock`: pid, ready, failed,
 * why. Signals to the child are sent under the lock, where its pid cannot have been reaped. A
 * gateway that was killed leaves a broker that is saving its sessions: the lock file, which the
 * child holds open, makes the next start wait for its end, else two would write one session file.
 * The kept passwords are watched by inotify, since a command may change them while a gateway starts
 * and cannot be told.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/mqtt/broker_int.h"

enum {
    START_MS = 10000,
    STOP_MS = 10000,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 10000,
    STABLE_MS = 30000,
    PORT_TRIES = 5,
    FAILING_AFTER = 3 /* short lives in a row */
};

struct sy_broker {
    sy_broker__setup setup;
    char conf[SY_BROKER__PATH];
    char uri[96];
    const sy_intake *intake;
    int lock_fd, stop_fd, watch_fd;
    pthread_mutex_t files; /* held while the file of users is written */
    sy_registry *devices;  /* under files: those that they are for */
    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long pid;
    bool ready, failed, reload_wanted;
    bool failing;   /* it ends again and again */
    bool holding;   /* it has not for stable_ms */
    sy_fail why;    /* of failed */
    char said[200]; /* the child's last line about an error */
    atomic_ullong restarts;
    /* The thread's own. */
    sy_broker__child child;
    bool ever_ready;
    sy_ms stable_ms;
};

static bool stopping(const sy_broker *b)
{
    struct pollfd p = {.fd = b->stop_fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

static void set_uri(sy_broker *b)
{
    const sy_broker__listener *l = &b->setup.listeners[0];
    for (size_t i = 0; i < b->setup.n_listeners; i++) {
        if (!b->setup.listeners[i].tls) {
            l = &b->setup.listeners[i];
            break;
        }
    }
    const char *host = l->host;
    host = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
    bool v6 = strchr(host, ':') != NULL;
    snprintf(b->uri, sizeof b->uri, "tcp://%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "",
             (unsigned)l->port);
}

/* It takes connections from now on; without the plugin it must not. */
static void running(sy_broker *b)
{
    pthread_mutex_lock(&b->lock);
    if (atomic_load(&b->setup.page->pid) == (uint64_t)b->pid) {
        b->ready = true;
        if (b->reload_wanted) {
            kill((pid_t)b->pid, SIGHUP);
        }
    } else {
        snprintf(b->said, sizeof b->said, "it did not load the plugin %.150s", b->setup.plugin);
        kill((pid_t)b->pid, SIGKILL);
    }
    b->reload_wanted = false;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

/* A device came with its new password; the files' watch does the rest. */
static void renewed(sy_broker *b, const char *device)
{
    sy_fail f = {0};
    char quoted[160];
    if (sy_broker__settle(b->setup.dir, device, &f)) {
        sy_log_fail(SY_LOG_ERROR, "broker-passwords", &f);
    } else {
        sy_log(SY_LOG_INFO, "password-renewed", "device=%s",
               sy_logq(sy_span_of(device), quoted, sizeof quoted));
    }
}

static void said(void *ctx, const char *text)
{
    sy_broker *b = ctx;
    sy_broker__refused refusal;
    char quoted[512];
    sy_logq(sy_span_of(text), quoted, sizeof quoted);
    if (strstr(text, " running") && strncmp(text, "mosquitto version", 17) == 0) {
        running(b);
    } else if (strncmp(text, SY_SPOOL_SAYS_REFUSES, sizeof SY_SPOOL_SAYS_REFUSES - 1) == 0) {
        sy_log(SY_LOG_ERROR, "spool-refuses", "msg=%s", quoted);
    } else if (strcmp(text, SY_SPOOL_SAYS_ACCEPTS) == 0) {
        sy_log(SY_LOG_INFO, "spool-accepts", "msg=%s", quoted);
    } else if (strncmp(text, SY_SPOOL_SAYS_RENEWED, sizeof SY_SPOOL_SAYS_RENEWED - 1) == 0) {
        renewed(b, text + sizeof SY_SPOOL_SAYS_RENEWED - 1);
    } else if (sy_broker__refusal(text, &refusal)) {
        if (b->intake) {
            sy_refusal r = {SY_TRANSPORT_MQTT, refusal.why,  refusal.reason,
                            refusal.who,       refusal.peer, refusal.detail};
            sy_intake_refuse(b->intake, &r);
        }
    } else if (strncmp(text, "Error", 5) == 0 || strncmp(text, "Load error", 10) == 0) {
        pthread_mutex_lock(&b->lock);
        snprintf(b->said, sizeof b->said, "%.190s", text);
        pthread_mutex_unlock(&b->lock);
        sy_log(SY_LOG_WARN, "broker-error", "msg=%s", quoted);
        return;
    }
    sy_log(SY_LOG_DEBUG, "broker-says", "msg=%s", quoted);
}

/* Certificates may be new ones. */
static void tell_child(sy_broker *b)
{
    pthread_mutex_lock(&b->lock);
    if (b->pid > 0 && b->ready) {
        kill((pid_t)b->pid, SIGHUP);
    } else {
        b->reload_wanted = true; /* SIGHUP would end a mosquitto that is still starting */
    }
    pthread_mutex_unlock(&b->lock);
}

/* Write the files for these devices, and keep to the old ones where that fails. */
static sy_err rewrite(sy_broker *b, sy_registry *devices, sy_fail *f)
{
    pthread_mutex_lock(&b->files);
    devices = devices ? devices : b->devices;
    sy_err e = sy_broker__write_access(&b->setup, devices, f);
    if (!e) {
        sy_registry *old = b->devices;
        b->devices = sy_registry_ref(devices);
        sy_registry_unref(old);
    }
    pthread_mutex_unlock(&b->files);
    return e;
}

/* A password was kept or forgotten, perhaps by a command that could not reach the gateway. */
static void see_passwords(sy_broker *b)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } u;
    bool changed = false;
    for (ssize_t n; (n = read(b->watch_fd, u.bytes, sizeof u.bytes)) > 0;) {
        for (ssize_t at = 0; at < n;) {
            struct inotify_event head;
            memcpy(&head, u.bytes + at, sizeof head);
            const char *name = u.bytes + at + sizeof head;
            changed = changed ||
                      (head.len > 0 &&
                       (strcmp(name, "passwords") == 0 || strcmp(name, SY_BROKER__ONBOARD) == 0)) ||
                      (head.mask & IN_Q_OVERFLOW);
            at += (ssize_t)(sizeof head + head.len);
        }
    }
    sy_fail f = {0};
    if (changed && rewrite(b, NULL, &f)) {
        sy_log_fail(SY_LOG_ERROR, "broker-passwords", &f);
    }
}

static void set_failing(sy_broker *b, bool failing)
{
    pthread_mutex_lock(&b->lock);
    bool was = b->failing;
    b->failing = failing;
    b->holding = !failing;
    char why[sizeof b->said], quoted[sizeof b->said * 2];
    memcpy(why, b->said, sizeof why);
    pthread_mutex_unlock(&b->lock);
    if (failing && !was) {
        sy_log(SY_LOG_ERROR, "broker-failing", "restarts=%llu said=%s",
               (unsigned long long)atomic_load(&b->restarts),
               sy_logq(sy_span_of(why), quoted, sizeof quoted));
    } else if (was && !failing) {
        sy_log(SY_LOG_INFO, "broker-holds", "restarts=%llu",
               (unsigned long long)atomic_load(&b->restarts));
    }
}

/* Wait until it ends (true) or we are to stop (false). */
static bool supervise(sy_broker *b, sy_ms born)
{
    for (;;) {
        sy_ms left = born + b->stable_ms - sy_mono_ms();
        if (left <= 0) {
            set_failing(b, false);
        }
        struct pollfd p[4] = {{.fd = b->child.exit_fd, .events = POLLIN},
                              {.fd = b->child.log_fd, .events = POLLIN},
                              {.fd = b->stop_fd, .events = POLLIN},
                              {.fd = b->watch_fd, .events = POLLIN}};
        if (poll(p, 4, left > 0 ? (int)left : -1) < 0) {
            continue; /* EINTR */
        }
        bool open = true;
        if (p[1].revents) {
            open = sy_broker__read_log(&b->child, said, b);
        }
        if (p[3].revents) {
            see_passwords(b);
        }
        if (p[2].revents) {
            return false;
        }
        if (p[0].revents) {
            return true;
        }
        if (!open) { /* it closed its log but lives: do not spin on the pipe */
            close(b->child.log_fd);
            b->child.log_fd = -1;
        }
    }
}

/* The first start on a chosen port may meet somebody who took it meanwhile. */
static sy_err prepare(sy_broker *b, sy_fail *f)
{
    sy_broker__setup *s = &b->setup;
    int keep[SY_BROKER__KEPT] = {b->lock_fd, s->page_fd, s->wake_fd};
    uint64_t kept =
        b->intake && b->intake->last_number ? b->intake->last_number(b->intake->ctx) : 0;
    s->floor = sy_spool_mark(s->spool_dir);
    s->floor = s->floor > kept ? s->floor : kept;
    atomic_store(&s->page->pid, 0);
    sy_err e = b->ever_ready ? SY_OK : sy_broker__choose_ports(s, f);
    e = e ? e : sy_broker__find_plugin(s->plugin, f);
    e = e ? e : sy_broker__write_conf(s, f);
    return e ? e : sy_broker__spawn(&b->child, b->conf, keep, SY_BROKER__KEPT, f);
}

static void end_child(sy_broker *b, int timeout_ms)
{
    pthread_mutex_lock(&b->lock);
    if (b->pid > 0) {
        kill((pid_t)b->pid, SIGTERM);
    }
    b->pid = 0; /* nobody else signals it from here on */
    b->ever_ready = b->ever_ready || b->ready;
    b->ready = b->holding = false;
    pthread_mutex_unlock(&b->lock);
    sy_broker__reap(&b->child, timeout_ms);
}

static void give_up(sy_broker *b, const sy_fail *why)
{
    pthread_mutex_lock(&b->lock);
    b->why = *why;
    b->failed = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

/* It ends at a file of sessions that it cannot read (a power cut, a bad card). What devices were
 * acknowledged is in the spool; without the file they log in anew, so it is set aside and the next
 * life begins without it. `said` is of this life. */
static void mend_sessions(sy_broker *b)
{
    char path[SY_BROKER__PATH], aside[SY_BROKER__PATH + 16];
    if (!strstr(b->said, "database") ||
        sy_broker__path(b->setup.dir, "sessions.db", path, NULL) != SY_OK) {
        return;
    }
    snprintf(aside, sizeof aside, "%s.damaged", path);
    if (rename(path, aside) == 0) {
        sy_log(SY_LOG_ERROR, "broker-sessions-damaged", "aside=%s msg=\"devices log in anew\"",
               aside);
    }
}

/* One life of the child. True where there should be another. */
static bool one_life(sy_broker *b, int *tries)
{
    sy_fail f = {0};
    sy_ms born = sy_mono_ms();
    pthread_mutex_lock(&b->lock);
    b->said[0] = '\0';
    pthread_mutex_unlock(&b->lock);
    sy_err e = prepare(b, &f);
    bool ended = true;
    if (!e) {
        pthread_mutex_lock(&b->lock);
        b->pid = b->child.pid;
        sy_broker__lock_note(b->lock_fd, b->pid);
        pthread_mutex_unlock(&b->lock);
        ended = supervise(b, born);
        if (ended) {
            (void)sy_broker__read_log(&b->child, said, b);
            if (!b->ready) {
                mend_sessions(b);
            }
        }
        end_child(b, STOP_MS);
    }
    if (!ended) {
        return false;
    }
    if (!b->ever_ready) {
        if (!e) {
            e = sy_fail_set(&f, SY_E_IO, "mosquitto ended at its start: %s%s",
                            b->said[0] ? b->said : "it gave no reason",
                            strstr(b->said, "plugin") || strncmp(b->said, "Load", 4) == 0
                                ? "; steelyard's plugin must be of the same release as steelyard, "
                                  "and built for this mosquitto (2.0): install both again"
                                : "");
        }
        if (++*tries >= (e == SY_E_IO && b->setup.listeners[0].chosen ? PORT_TRIES : 2)) {
            give_up(b, &f);
            return false;
        }
    } else {
        *tries = sy_mono_ms() - born > b->stable_ms ? 0 : *tries + 1;
        atomic_fetch_add(&b->restarts, 1);
        if (*tries >= FAILING_AFTER) {
            set_failing(b, true);
        }
        sy_log(SY_LOG_ERROR, "broker-ended", "%s",
               e ? f.text : "msg=\"mosquitto ended, starting it again\"");
    }
    return true;
}

static void *watch(void *arg)
{
    sy_broker *b = arg;
    sy_thread_name("sy-broker");
    int tries = 0;
    while (!stopping(b) && one_life(b, &tries)) {
        int shift = tries < 8 ? tries : 8;
        int wait_ms = BACKOFF_FIRST_MS << shift;
        struct pollfd p = {.fd = b->stop_fd, .events = POLLIN};
        (void)poll(&p, 1, wait_ms < BACKOFF_LAST_MS ? wait_ms : BACKOFF_LAST_MS);
    }
    return NULL;
}

static sy_err set_up(sy_broker *b, const sy_broker_options *o, sy_fail *f)
{
    b->stable_ms = o->stable_ms ? o->stable_ms : STABLE_MS;
    sy_err e = sy_broker__set_up(&b->setup, o, f);
    return e ? e : sy_broker__path(b->setup.dir, "mosquitto.conf", b->conf, f);
}

/* Before the passwords are read, so that no change is missed. */
static sy_err watch_passwords(sy_broker *b, sy_fail *f)
{
    b->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (b->watch_fd < 0 || inotify_add_watch(b->watch_fd, b->setup.dir, IN_MOVED_TO) < 0) {
        return sy_fail_sys(f, "cannot watch %.200s", b->setup.dir);
    }
    return SY_OK;
}

static sy_err await_ready(sy_broker *b, sy_fail *f)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += START_MS / 1000;
    int rc = 0;
    pthread_mutex_lock(&b->lock);
    while (!b->ready && !b->failed && rc == 0) {
        rc = pthread_cond_timedwait(&b->changed, &b->lock, &until);
    }
    sy_err e = SY_OK;
    if (!b->ready) {
        if (b->failed && f) {
            *f = b->why;
        }
        e = b->failed ? b->why.code
                      : sy_fail_set(f, SY_E_IO, "mosquitto does not start within %d s: %s",
                                    START_MS / 1000, b->said);
    }
    pthread_mutex_unlock(&b->lock);
    return e;
}

static sy_err start_thread(sy_broker *b, sy_fail *f)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&b->thread, NULL, watch, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc) {
        errno = rc;
        return sy_fail_sys(f, "cannot start the broker's thread");
    }
    b->threaded = true;
    return SY_OK;
}

sy_err sy_broker_start(sy_broker **out, const sy_broker_options *o, const sy_registry *devices,
                       sy_fail *f)
{
    sy_broker *b = calloc(1, sizeof *b);
    if (!b) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the broker");
    }
    pthread_condattr_t ca;
    pthread_condattr_init(&ca);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_cond_init(&b->changed, &ca);
    pthread_condattr_destroy(&ca);
    pthread_mutex_init(&b->lock, NULL);
    pthread_mutex_init(&b->files, NULL);
    b->intake = o->intake;
    b->lock_fd = b->watch_fd = b->child.exit_fd = b->child.log_fd = -1;
    b->setup.page_fd = b->setup.wake_fd = -1;
    b->devices = sy_registry_ref((sy_registry *)devices);
    b->stop_fd = eventfd(0, EFD_CLOEXEC);
    sy_err e = b->stop_fd < 0 ? sy_fail_sys(f, "cannot make an eventfd") : set_up(b, o, f);
    e = e ? e : sy_broker__lock(b->setup.dir, b->conf, &b->lock_fd, f);
    e = e ? e : watch_passwords(b, f);
    e = e ? e : sy_broker__write_access(&b->setup, devices, f);
    e = e ? e : start_thread(b, f);
    e = e ? e : await_ready(b, f);
    if (e) {
        sy_broker_stop(b);
        return e;
    }
    set_uri(b);
    sy_log(SY_LOG_INFO, "broker-ready", "uri=%s pid=%ld", b->uri, sy_broker_pid(b));
    *out = b;
    return SY_OK;
}

sy_err sy_broker_reload(sy_broker *b, const sy_registry *devices, sy_fail *f)
{
    sy_err e = rewrite(b, (sy_registry *)devices, f); /* the count is no part of its value */
    if (!e) {
        tell_child(b);
    }
    return e;
}

void sy_broker_save(sy_broker *b)
{
    pthread_mutex_lock(&b->lock);
    if (b->pid > 0 && b->ready) {
        kill((pid_t)b->pid, SIGUSR1);
    }
    pthread_mutex_unlock(&b->lock);
}

void sy_broker_stop(sy_broker *b)
{
    if (!b) {
        return;
    }
    if (b->threaded) {
        eventfd_write(b->stop_fd, 1);
        pthread_join(b->thread, NULL);
    }
    if (b->lock_fd >= 0) {
        close(b->lock_fd);
    }
    if (b->stop_fd >= 0) {
        close(b->stop_fd);
    }
    pthread_cond_destroy(&b->changed);
    if (b->watch_fd >= 0) {
        close(b->watch_fd);
    }
    sy_registry_unref(b->devices);
    pthread_mutex_destroy(&b->files);
    pthread_mutex_destroy(&b->lock);
    sy_broker__unshare(&b->setup);
    free(b->setup.listeners);
    free(b);
}

const char *sy_broker_uri(const sy_broker *b)
{
    return b->uri;
}

uint16_t sy_broker_port(const sy_broker *b, size_t i)
{
    return i < b->setup.n_listeners ? b->setup.listeners[i].port : 0;
}

const char *sy_broker_user(const sy_broker *b)
{
    (void)b;
    return SY_BROKER__GATEWAY_USER;
}

const char *sy_broker_password(const sy_broker *b)
{
    return b->setup.gateway_password;
}

static bool read_flag(const sy_broker *b, const bool *flag)
{
    sy_broker *m = (sy_broker *)b; /* the lock is not part of what const promises */
    pthread_mutex_lock(&m->lock);
    bool value = *flag;
    pthread_mutex_unlock(&m->lock);
    return value;
}

bool sy_broker_failing(const sy_broker *b)
{
    return read_flag(b, &b->failing);
}

bool sy_broker_holds(const sy_broker *b)
{
    return read_flag(b, &b->holding);
}

void sy_broker_said(const sy_broker *b, char *out, size_t size)
{
    sy_broker *m = (sy_broker *)b;
    pthread_mutex_lock(&m->lock);
    snprintf(out, size, "%s", m->said);
    pthread_mutex_unlock(&m->lock);
}

sy_broker_spool sy_broker_spool_of(const sy_broker *b)
{
    const sy_broker__setup *s = &b->setup;
    return (sy_broker_spool){s->spool_dir, s->page_fd, s->wake_fd};
}

sy_spool_status sy_broker_spool_status(const sy_broker *b)
{
    sy_spool_page *p = b->setup.page;
    uint64_t bytes = atomic_load(&p->bytes), removed = atomic_load(&p->removed);
    return (sy_spool_status){.state = (unsigned)atomic_load(&p->state),
                             .bytes = bytes > removed ? bytes - removed : 0,
                             .appended = atomic_load(&p->appended),
                             .taken = atomic_load(&p->taken),
                             .refused = atomic_load(&p->refused)};
}

uint64_t sy_broker_restarts(const sy_broker *b)
{
    return atomic_load(&b->restarts);
}

long sy_broker_pid(const sy_broker *b)
{
    sy_broker *m = (sy_broker *)b; /* the lock is not part of what const promises */
    pthread_mutex_lock(&m->lock);
    long pid = m->pid;
    pthread_mutex_unlock(&m->lock);
    return pid;
}
