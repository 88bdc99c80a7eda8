/* SPDX-License-Identifier: Apache-2.0 */
/* The main thread: open, say ready, serve signals and the control socket, close. */
#include "run/service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "run/orders.h"
#include "run/service_int.h"

enum { TURN_MS = 1000 };

/* Signals come through a descriptor, to this thread alone; threads that libraries make inherit the
 * mask. A peer that goes away must not end us. */
static sy_err catch_signals(sy_service *s, sy_fail *f)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return sy_fail_sys(f, "cannot block signals");
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signal_fd < 0 ? sy_fail_sys(f, "cannot make a signalfd") : SY_OK;
}

static void on_signals(sy_service *s)
{
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            sy_fail why = {0};
            sy_service__notify("RELOADING=1");
            (void)!sy_service__reload(s, &why); /* logged there; nothing changed */
            sy_service__notify("READY=1");
        } else {
            s->stopping = true;
        }
    }
}

/* Damage that a call met: the next start looks through the store and mends it. */
static void look_at_store(sy_service *s)
{
    if (s->stopping || !sy_store_damaged(s->store))
        return;
    sy_log(SY_LOG_ERROR, "store-damaged",
           "data=%s msg=\"the process ends, so that a new start mends the store\"", s->data);
    sy_mend_ask(s->data);
    s->failed = s->stopping = true;
}

/* The main thread turns: what it waits for has a bound. The service manager says how long it waits
 * (sd_watchdog_enabled(3)); it is told three times as often. */
static void feed_watchdog(sy_ms *fed)
{
    const char *text = getenv("WATCHDOG_USEC");
    long long every = text ? strtoll(text, NULL, 10) / 3000 : 0;
    sy_ms now = sy_mono_ms();
    if (every <= 0 || now - *fed < every)
        return;
    *fed = now;
    sy_service__notify("WATCHDOG=1");
}

static void serve(sy_service *s)
{
    sy_ms fed = sy_mono_ms();
    struct pollfd fds[2 + SY_CONTROL_FDS];
    while (!s->stopping) {
        fds[0] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = s->wake_fd, .events = POLLIN};
        size_t n = sy_control_fds(s->control, fds + 2);
        int found = poll(fds, (nfds_t)(n + 2), TURN_MS);
        if (found < 0 && errno != EINTR)
            sy_log(SY_LOG_ERROR, "poll-failed", "errno=%d", errno);
        if (found <= 0)
            for (size_t i = 0; i < n + 2; i++)
                fds[i].revents = 0;
        uint64_t woken;
        (void)!read(s->wake_fd, &woken, sizeof woken);
        on_signals(s);
        sy_control_serve(s->control, fds + 2, n);
        sy_service__look_at_clock(s);
        sy_service__look_at_broker(s);
        sy_heartbeat_turn(s->heartbeat, s);
        sy_service__look_at_certificates(s);
        sy_orders_turn(s->orders);
        sy_pending_save(s->pending, false);
        look_at_store(s);
        feed_watchdog(&fed);
    }
}

int sy_service_run(const sy_service_options *o)
{
    sy_service s = {.o = *o,
                    .lock_fd = -1,
                    .signal_fd = -1,
                    .wake_fd = -1,
                    .config_lock = PTHREAD_MUTEX_INITIALIZER,
                    .asks_lock = PTHREAD_MUTEX_INITIALIZER};
    sy_fail why = {0};
    s.started = sy_mono_ms();
    sy_buf_init(&s.refused, sy_heap());
    if (s.o.ready_fd >= 0)
        fcntl(s.o.ready_fd, F_SETFD, FD_CLOEXEC); /* the broker child must not hold it open */
    sy_err err = catch_signals(&s, &why);
    if (!err)
        err = sy_service__open(&s, &why);
    if (err) {
        sy_log_fail(SY_LOG_ERROR, "start-failed", &why);
        if (s.store && sy_store_damaged(s.store))
            sy_mend_ask(s.data);
    } else {
        sy_service__ready(&s);
        serve(&s);
        sy_service__notify("STOPPING=1");
        sy_log(SY_LOG_INFO, "stopping", "seq=%llu", (unsigned long long)sy_journal_seq(s.journal));
    }
    sy_service__close(&s);
    if (s.signal_fd >= 0)
        close(s.signal_fd);
    if (err)
        return err == SY_E_USAGE ? 2 : 1;
    sy_log(SY_LOG_INFO, "stopped", "uptime_ms=%lld", (long long)(sy_mono_ms() - s.started));
    return s.failed ? 1 : 0;
}
