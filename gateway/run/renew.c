/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, which mostly sleeps; an eventfd ends its sleep and its questions. */
#include "run/renew.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "enrol/enrol.h"
#include "ledger/ledger_files.h"
#include "upstream/retry.h"

enum { LOOK_MS = 60000, LEAST_MS = 100, PAUSE_LEAST_MS = 1000, PAUSE_MS = 60000 };
static const sy_ms pause_most = (sy_ms)6 * 3600 * 1000;

struct sy_renew {
    sy_renew_options o;
    char data[4096];
    pthread_t thread;
    int stop_fd;
    uint32_t spread; /* where in its window this box renews */
    unsigned failures;
    pthread_mutex_t lock;
    char why[320]; /* under lock */
};

static sy_ms at_most(sy_ms v, sy_ms most)
{
    return v < most ? v : most;
}

/* When something is due, by certificates' own times; *life: of the shorter one. SY_MS_NONE: never,
 * since nothing was enrolled by EST. */
static sy_ms due_at(const sy_renew *r, const sy_config *c, sy_ms *life)
{
    char path[SY_ENROL_PATH], key[SY_LEDGER_PATH], cert[SY_LEDGER_PATH];
    sy_ms from = 0, until = 0, due;
    sy_fail unused;
    sy_enrol_path(r->data, "url", path);
    if (access(path, F_OK) != 0) {
        return SY_MS_NONE;
    }
    sy_enrol_path(r->data, "gateway.pem", path);
    if (sy_enrol_times(path, &from, &until, &unused) != SY_OK) {
        return SY_MS_NONE;
    }
    *life = until - from;
    due = sy_enrol_due(from, until, r->spread);
    if (sy_keyfile_paths(r->data, c->ledger_key, c->ledger_cert, key, cert, &unused) == SY_OK &&
        sy_enrol_times(cert, &from, &until, &unused) == SY_OK) {
        sy_ms ledger = sy_enrol_due(from, until, r->spread);
        *life = at_most(*life, until - from);
        due = at_most(due, ledger);
    }
    return due;
}

static void note(sy_renew *r, const char *why)
{
    pthread_mutex_lock(&r->lock);
    snprintf(r->why, sizeof r->why, "%s", why);
    pthread_mutex_unlock(&r->lock);
}

void sy_renew_failure(sy_renew *r, char out[320])
{
    pthread_mutex_lock(&r->lock);
    memcpy(out, r->why, sizeof r->why);
    pthread_mutex_unlock(&r->lock);
}

/* How long until the next try. */
static sy_ms failed(sy_renew *r, sy_ms life, sy_ms wanted)
{
    uint64_t random;
    sy_ms base = life / 1000 > PAUSE_LEAST_MS ? at_most(life / 1000, PAUSE_MS) : PAUSE_LEAST_MS;
    sy_random(&random, sizeof random);
    sy_ms pause = sy_backoff_ms(++r->failures, base, pause_most, random);
    return wanted > pause ? wanted : pause;
}

static sy_ms attempt(sy_renew *r, const sy_config *c, sy_ms life)
{
    sy_enrol_done done;
    sy_fail why = {0};
    const sy_enrol o = {.data = r->data,
                        .gateway = c->id,
                        .ledger_key = c->ledger_key,
                        .ledger_cert = c->ledger_cert,
                        .now = r->o.now(r->o.ctx),
                        .stop_fd = r->stop_fd};
    sy_err e = sy_enrol_renew(&o, &done, &why);
    if (e == SY_E_CLOSED) {
        return LEAST_MS; /* told to end */
    }
    if (e != SY_OK) {
        sy_log_fail(SY_LOG_WARN, "enrol-failed", &why);
        note(r, why.text);
        return failed(r, life, done.again);
    }
    char until[25] = "";
    sy_time_text(done.until, until);
    sy_log(SY_LOG_INFO, "enrol-renewed", "until=%s ledger=%d", until, done.ledger);
    r->o.renewed(r->o.ctx);
    if (!done.ledger) {
        sy_fail_set(&why, SY_E_DENIED, "the ledger's key: %s", done.ledger_why);
        sy_log_fail(SY_LOG_WARN, "enrol-failed", &why);
        note(r, why.text);
        return failed(r, life, 0);
    }
    note(r, "");
    r->failures = 0;
    return LEAST_MS;
}

/* How long until the next look. */
static sy_ms turn(sy_renew *r)
{
    sy_config *c = r->o.config(r->o.ctx);
    sy_ms life = 0, due = due_at(r, c, &life), now = r->o.now(r->o.ctx), next = LOOK_MS;
    if (due != SY_MS_NONE && due <= now) {
        next = attempt(r, c, life);
    } else if (due != SY_MS_NONE) {
        next = at_most(due - now, LOOK_MS);
    }
    sy_config_unref(c);
    return next > LEAST_MS ? next : LEAST_MS;
}

static void *main_of(void *arg)
{
    sy_renew *r = arg;
    sy_thread_name("sy-enrol");
    sy_ms next = LEAST_MS;
    for (;;) {
        struct pollfd p = {r->stop_fd, POLLIN, 0};
        int n = poll(&p, 1, (int)at_most(next, pause_most));
        if (n > 0) {
            return NULL;
        }
        if (n == 0) {
            next = turn(r);
        }
    }
}

sy_err sy_renew_start(sy_renew **out, const sy_renew_options *o, sy_fail *f)
{
    sy_renew *r = calloc(1, sizeof *r);
    if (!r) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the renewal of certificates");
    }
    r->o = *o;
    snprintf(r->data, sizeof r->data, "%s", o->data);
    sy_random(&r->spread, sizeof r->spread);
    pthread_mutex_init(&r->lock, NULL);
    r->stop_fd = eventfd(0, EFD_CLOEXEC);
    int rc = r->stop_fd < 0 ? errno : pthread_create(&r->thread, NULL, main_of, r);
    if (rc) {
        if (r->stop_fd >= 0) {
            close(r->stop_fd);
        }
        pthread_mutex_destroy(&r->lock);
        free(r);
        return sy_fail_make(f, SY_E_NOMEM, rc, SY_AT, "the renewal of certificates cannot start");
    }
    *out = r;
    return SY_OK;
}

void sy_renew_stop(sy_renew *r)
{
    if (!r) {
        return;
    }
    uint64_t one = 1;
    (void)!write(r->stop_fd, &one, sizeof one);
    pthread_join(r->thread, NULL);
    close(r->stop_fd);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
