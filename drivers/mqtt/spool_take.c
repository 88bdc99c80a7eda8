/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the managed broker's spool into the journal: the thread "sy-spool".
 *
 * Messages come in the order of their numbers, and the gate drops by number what the journal has
 * from before a crash. A segment is deleted once the journal has synced what was in it; until then
 * a power cut leaves it to be read again. While a message cannot be kept the thread stays at it:
 * the spool grows up to its bound, and then the devices are no longer acknowledged.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/mqtt/client_int.h"

enum {
    RETRY_MS = 200,
    SETTLE_EVERY = 256, /* messages */
    UNSETTLED_MS = 50,  /* how often to ask whether the journal is synced */
    LOOK_MS = 1000,     /* a wake-up that was lost costs no more */
    MARK_MS = 10000
};

/* A number, and what the journal must have synced before it counts as kept. */
typedef struct point {
    uint64_t number, seq;
} point;

typedef struct taking {
    sy_mqtt *m;
    uint64_t mark;    /* as on disk */
    uint64_t settled; /* kept for good up to here */
    point latest;     /* handed to the intake */
    point asked;      /* waits for the journal's sync; number 0: nothing does */
    sy_ms marked;
    sy_spool_counts told;
} taking;

static bool stopping(const sy_mqtt *m)
{
    return atomic_load(&m->taker_stop);
}

/* Until there is a reason to look again, at most ms. */
static void wait_for_more(sy_mqtt *m, int ms)
{
    struct pollfd p[2] = {{.fd = m->wake_fd, .events = POLLIN},
                          {.fd = m->taker_stop_fd, .events = POLLIN}};
    (void)poll(p, 2, ms);
    eventfd_t n;
    (void)eventfd_read(m->wake_fd, &n);
}

/* False: the gateway ends, and the message stays in the spool. */
static bool keep(taking *t, const sy_message *msg, uint64_t *seq)
{
    const sy_intake *in = t->m->intake;
    for (;;) {
        sy_fail f = {0};
        bool kept = false;
        sy_err e = in->submit(in->ctx, msg, seq, &kept, &f);
        if (e == SY_OK) {
            return true;
        }
        if (e == SY_E_RANGE || e == SY_E_PARSE) { /* will never fit */
            in->rejected(in->ctx, SY_TRANSPORT_MQTT, SY_REJECT_MALFORMED, msg->source, f.text);
            return true;
        }
        if (e == SY_E_CLOSED || stopping(t->m)) {
            return false;
        }
        sy_log_fail(SY_LOG_ERROR, "mqtt-not-kept", &f);
        struct pollfd p = {.fd = t->m->taker_stop_fd, .events = POLLIN};
        (void)poll(&p, 1, RETRY_MS);
    }
}

/* What a device sent that nobody knows yet is kept aside. */
static void set_aside(const taking *t, const sy_spool_rec *rec)
{
    sy_stranger s = {.transport = SY_TRANSPORT_MQTT,
                     .source = rec->topic,
                     .client = rec->client,
                     .content_format = 0xffff,
                     .payload = rec->payload};
    sy_refusal r = {.transport = SY_TRANSPORT_MQTT,
                    .why = SY_REJECT_UNKNOWN_DEVICE,
                    .who = rec->topic,
                    .detail = "not known yet; see steelyard devices pending"};
    sy_intake_strange(t->m->intake, &s);
    sy_intake_refuse(t->m->intake, &r);
}

static bool take(taking *t, const sy_spool_rec *rec)
{
    if (rec->number > t->mark && sy_span_is(rec->user, SY_SPOOL_STRANGER)) {
        set_aside(t, rec);
    } else if (rec->number > t->mark) {
        char ident[8];
        for (int i = 0; i < 8; i++) {
            ident[i] = (char)(rec->number >> (8 * i));
        }
        sy_message msg = {.transport = SY_TRANSPORT_MQTT,
                          .flags = SY_MSG_PROMISE | SY_MSG_SPOOLED,
                          .content_format = 0xffff,
                          .source = rec->topic,
                          .ident = {ident, sizeof ident},
                          .payload = rec->payload};
        if (sy_mqtt__admits(t->m, &msg) && !keep(t, &msg, &t->latest.seq)) {
            return false;
        }
    }
    t->latest.number = rec->number;
    atomic_store(&t->m->page->taken, rec->number);
    return true;
}

static void put_mark(taking *t)
{
    sy_fail f = {0};
    if (t->settled <= t->mark) {
        return;
    }
    t->marked = sy_mono_ms();
    if (sy_spool_set_mark(t->m->spool_dir, t->settled, &f)) {
        sy_log_fail(SY_LOG_WARN, "spool-mark", &f);
    } else {
        t->mark = t->settled;
    }
}

/* What the journal has synced need not be in the spool any longer. */
static void settle(taking *t)
{
    const sy_intake *in = t->m->intake;
    uint64_t synced = in->synced ? in->synced(in->ctx) : t->latest.seq;
    if (t->asked.number && synced >= t->asked.seq) {
        t->settled = t->asked.number;
        t->asked.number = 0;
    }
    uint64_t gone = sy_spool_drop(t->m->reader, t->settled);
    if (gone) {
        atomic_fetch_add(&t->m->page->removed, gone);
    }
    if (!t->asked.number && t->latest.number > t->settled) {
        t->asked = t->latest;
    }
    if (sy_mono_ms() - t->marked >= MARK_MS) {
        put_mark(t);
    }
}

static void report(taking *t, sy_err e, const sy_fail *f)
{
    sy_spool_counts now = sy_spool_counts_of(t->m->reader);
    if (e == SY_E_CORRUPT || e == SY_E_IO || e == SY_E_UNSUPPORTED) {
        sy_log_fail(SY_LOG_ERROR, "spool-damaged", f);
    } else if (e != SY_OK && e != SY_E_AGAIN) {
        sy_log_fail(SY_LOG_ERROR, "spool-read-failed", f);
    }
    if (now.torn > t->told.torn) {
        sy_log(SY_LOG_INFO, "spool-torn", "segments=%llu",
               (unsigned long long)(now.torn - t->told.torn));
    }
    t->told = now;
}

/* Nothing more is there: sleep, unless something came in the instant before. */
static void idle(taking *t, uint64_t seen)
{
    sy_spool_page *page = t->m->page;
    if (seen < atomic_load(&page->from) && seen > t->latest.number) {
        atomic_store(&page->taken, seen); /* all that earlier runs left is read */
    }
    atomic_store(&page->waiting, 1);
    if (atomic_load(&page->appended) == seen) {
        bool unsettled = t->asked.number || t->latest.number > t->settled;
        wait_for_more(t->m, unsettled ? UNSETTLED_MS : LOOK_MS);
    }
    atomic_store(&page->waiting, 0);
}

static void *run(void *arg)
{
    sy_mqtt *m = arg;
    taking t = {.m = m, .mark = sy_spool_mark(m->spool_dir), .marked = sy_mono_ms()};
    sy_thread_name("sy-spool");
    t.settled = t.mark;
    bool go_on = true;
    for (unsigned n = 0; go_on && !stopping(m);) {
        sy_fail f = {0};
        sy_spool_rec rec;
        uint64_t seen = atomic_load(&m->page->appended);
        sy_err e = sy_spool_next(m->reader, &rec, &f);
        go_on = e != SY_OK || take(&t, &rec);
        if (e != SY_OK) {
            report(&t, e, &f);
        }
        if (e == SY_E_AGAIN || ++n % SETTLE_EVERY == 0) {
            settle(&t);
        }
        if (e == SY_E_AGAIN || e == SY_E_NOMEM) {
            idle(&t, seen);
        }
    }
    settle(&t);
    settle(&t); /* the first may only have asked */
    put_mark(&t);
    pthread_mutex_lock(&m->lock);
    m->taker_done = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

sy_err sy_mqtt__take_start(sy_mqtt *m, sy_fail *f)
{
    sy_broker_spool spool = sy_broker_spool_of(m->broker);
    m->spool_dir = strdup(spool.dir);
    m->taker_stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    m->wake_fd = fcntl(spool.wake_fd, F_DUPFD_CLOEXEC, 3);
    void *page = mmap(NULL, SY_SPOOL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, spool.page_fd, 0);
    m->page = page == MAP_FAILED ? NULL : page;
    if (!m->spool_dir || m->taker_stop_fd < 0 || m->wake_fd < 0 || !m->page) {
        return sy_fail_sys(f, "cannot share the spool with the broker");
    }
    sy_err e = sy_spool_reader_open(&m->reader, m->spool_dir, m->page, f);
    if (e) {
        return e;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&m->taker, NULL, run, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    m->taking = rc == 0;
    errno = rc;
    return rc ? sy_fail_sys(f, "cannot start the thread that reads the spool") : SY_OK;
}

bool sy_mqtt__take_stop(sy_mqtt *m, int timeout_ms)
{
    if (m->taking) {
        atomic_store(&m->taker_stop, true);
        eventfd_write(m->taker_stop_fd, 1);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += timeout_ms / 1000;
        pthread_mutex_lock(&m->lock);
        int rc = 0;
        while (!m->taker_done && rc == 0) {
            rc = pthread_cond_timedwait(&m->changed, &m->lock, &until);
        }
        bool done = m->taker_done;
        pthread_mutex_unlock(&m->lock);
        if (!done) {
            return false;
        }
        pthread_join(m->taker, NULL);
        m->taking = false;
    }
    sy_spool_reader_close(m->reader);
    if (m->page) {
        munmap(m->page, SY_SPOOL_PAGE);
    }
    if (m->taker_stop_fd >= 0) {
        close(m->taker_stop_fd);
    }
    if (m->wake_fd >= 0) {
        close(m->wake_fd);
    }
    free(m->spool_dir);
    m->spool_dir = NULL;
    m->reader = NULL;
    m->page = NULL;
    m->taker_stop_fd = m->wake_fd = -1;
    return true;
}
