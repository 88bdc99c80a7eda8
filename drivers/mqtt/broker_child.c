/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mosquitto process: start it, read its log, see it end.
 *
 * It dies with us: the kernel sends it SIGTERM when the thread that forked it ends (SIGTERM, so
 * that it saves its sessions). That setting survives neither a change of user nor a set-uid file,
 * hence "user" in the configuration names our own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drivers/mqtt/broker_int.h"

/* mosquitto lies in /usr/sbin, which is not in everybody's PATH. */
static const char *program(void)
{
    static const char *const places[] = {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto",
                                         "/usr/bin/mosquitto", "/usr/local/bin/mosquitto"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (access(places[i], X_OK) == 0) {
            return places[i];
        }
    }
    return NULL;
}

/* Close all but 0, 1, 2 and keep[n]. */
static void close_others(const int *keep, size_t n)
{
    int from = 3;
    for (size_t done = 0; done < n; done++) {
        int next = -1; /* the smallest that is not below `from` */
        for (size_t i = 0; i < n; i++) {
            if (keep[i] >= from && (next < 0 || keep[i] < next)) {
                next = keep[i];
            }
        }
        if (next < 0) {
            break;
        }
        if (next > from) {
            close_range((unsigned)from, (unsigned)next - 1, 0);
        }
        fcntl(next, F_SETFD, 0);
        from = next + 1;
    }
    close_range((unsigned)from, ~0U, 0);
}

/* After fork, in a copy of a process with threads: only async-signal-safe calls. */
static _Noreturn void become(const char *path, char *const argv[], pid_t parent, int log_fd,
                             const int *keep, size_t n)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(0); /* it ended before the line above */
    }
    setpgid(0,
            0); /* a Ctrl-C on the terminal is the gateway's to handle, which stops us in order */
    int null_fd = open("/dev/null", O_RDWR);
    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(log_fd, 2) < 0) {
        _exit(126);
    }
    close_others(keep, n);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    execv(path, argv);
    _exit(127);
}

sy_err sy_broker__spawn(sy_broker__child *c, const char *conf, const int *keep, size_t n,
                        sy_fail *f)
{
    *c = (sy_broker__child){.exit_fd = -1, .log_fd = -1};
    const char *path = program();
    if (!path) {
        return sy_fail_set(f, SY_E_NOTFOUND,
                           "mosquitto is not installed: install the package \"mosquitto\", or name "
                           "another broker in the configuration (mqtt: broker:)");
    }
    char file[SY_BROKER__PATH];
    char name[] = "mosquitto", option[] = "-c";
    if (strlen(conf) >= sizeof file) {
        return sy_fail_set(f, SY_E_RANGE, "path too long: %.200s", conf);
    }
    memcpy(file, conf, strlen(conf) + 1);
    char *argv[] = {name, option, file, NULL};
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
        return sy_fail_sys(f, "cannot make a pipe for the broker's log");
    }
    fcntl(fds[1], F_SETFL, 0); /* the broker's end may block; ours is always read */
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(path, argv, parent, fds[1], keep, n);
    }
    sy_err e = pid < 0 ? sy_fail_sys(f, "cannot start mosquitto") : SY_OK;
    close(fds[1]);
    if (e) {
        close(fds[0]);
        return e;
    }
    c->pid = pid;
    c->log_fd = fds[0];
    c->exit_fd = pidfd_open(pid, 0);
    if (c->exit_fd < 0) {
        e = sy_fail_sys(f, "cannot watch mosquitto");
        sy_broker__reap(c, 0);
    }
    return e;
}

bool sy_broker__read_log(sy_broker__child *c, void (*line)(void *ctx, const char *text), void *ctx)
{
    char chunk[2048];
    for (;;) {
        ssize_t n = read(c->log_fd, chunk, sizeof chunk);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if (n == 0) {
            return false;
        }
        for (ssize_t i = 0; i < n; i++) {
            if (chunk[i] == '\n') {
                c->line[c->n_line] = '\0';
                line(ctx, c->line);
                c->n_line = 0;
            } else if (c->n_line < sizeof c->line - 1) {
                c->line[c->n_line++] = chunk[i];
            }
        }
    }
}

void sy_broker__reap(sy_broker__child *c, int timeout_ms)
{
    if (c->pid > 0) {
        struct pollfd p = {.fd = c->exit_fd, .events = POLLIN};
        sy_ms until = sy_mono_ms() + timeout_ms;
        int rc = 0;
        while (c->exit_fd >= 0) {
            sy_ms left = until - sy_mono_ms();
            rc = poll(&p, 1, left > 0 ? (int)left : 0);
            if (rc >= 0 || errno != EINTR) {
                break;
            }
        }
        if (rc <= 0) {
            kill((pid_t)c->pid, SIGKILL);
        }
        while (waitpid((pid_t)c->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    if (c->exit_fd >= 0) {
        close(c->exit_fd);
    }
    if (c->log_fd >= 0) {
        close(c->log_fd);
    }
    c->pid = 0;
    c->exit_fd = c->log_fd = -1;
}
