/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, feeding and ending the process for MQTT. */
#include "upstream/mqtt_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_SIZE = 65536 };

void sy_mqtt_process_init(sy_mqtt_process *p)
{
    *p = (sy_mqtt_process){.fd = -1};
    sy_buf_init(&p->in, sy_heap());
    sy_buf_init(&p->out, sy_heap());
}

void sy_mqtt_process_fini(sy_mqtt_process *p)
{
    sy_buf_fini(&p->in);
    sy_buf_fini(&p->out);
}

/* After fork, in a copy of a process with threads: only async-signal-safe calls. */
static _Noreturn void become(int fd, pid_t parent)
{
    char name[] = "steelyard", command[] = SY_MQTT_COMMAND;
    char *const argv[] = {name, command, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(0); /* it ended before the line above */
    }
    setpgid(0, 0); /* a Ctrl-C on the terminal is the gateway's to handle */
    int null_fd = open("/dev/null", O_RDWR);
    if (null_fd < 0 || dup2(fd, 0) < 0 || dup2(null_fd, 1) < 0) {
        _exit(126);
    }
    close_range(3, ~0U, 0);
    execv("/proc/self/exe", argv);
    _exit(127);
}

sy_err sy_mqtt_process_start(sy_mqtt_process *p, sy_fail *f)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return sy_fail_sys(f, "a socket for the process that speaks MQTT");
    }
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become(pair[1], parent);
    }
    sy_err e = pid < 0 ? sy_fail_sys(f, "cannot start the process that speaks MQTT") : SY_OK;
    close(pair[1]);
    if (e != SY_OK) {
        close(pair[0]);
        return e;
    }
    p->pid = pid;
    p->fd = pair[0];
    sy_buf_reset(&p->in);
    sy_buf_reset(&p->out);
    p->sent = p->taken = 0;
    return SY_OK;
}

static sy_err write_some(sy_mqtt_process *p)
{
    while (p->sent < p->out.n) {
        ssize_t n = send(p->fd, p->out.p + p->sent, p->out.n - p->sent, MSG_NOSIGNAL);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR ? SY_OK : SY_E_CLOSED;
        }
        p->sent += (size_t)n;
    }
    sy_buf_reset(&p->out);
    p->sent = 0;
    return SY_OK;
}

sy_err sy_mqtt_process_move(sy_mqtt_process *p)
{
    char part[READ_SIZE];
    sy_err e = write_some(p);
    if (p->taken > 0) {
        memmove(p->in.p, p->in.p + p->taken, p->in.n - p->taken);
        p->in.n -= p->taken;
        p->taken = 0;
    }
    for (;;) {
        ssize_t n = recv(p->fd, part, sizeof part, 0);
        if (n > 0) {
            sy_buf_put(&p->in, part, (size_t)n);
        } else if (n == 0) {
            return SY_E_CLOSED;
        } else {
            return errno == EAGAIN || errno == EINTR ? e : SY_E_CLOSED;
        }
    }
}

sy_err sy_mqtt_process_take(sy_mqtt_process *p, sy_mqtt_frame *frame, bool *got)
{
    size_t used = 0;
    sy_err e = sy_mqtt_take((sy_span){p->in.p + p->taken, p->in.n - p->taken}, frame, &used);
    *got = e == SY_OK && used > 0;
    p->taken += used;
    return p->in.failed ? SY_E_NOMEM : e;
}

void sy_mqtt_process_end(sy_mqtt_process *p, sy_ms grace, char *how, size_t size)
{
    int status = 0;
    snprintf(how, size, "nothing");
    if (p->fd >= 0) {
        close(p->fd); /* it reads the end of its input */
        p->fd = -1;
    }
    if (p->pid <= 0) {
        return;
    }
    struct pollfd ended = {pidfd_open(p->pid, 0), POLLIN, 0};
    sy_ms until = sy_mono_ms() + grace;
    for (sy_ms left = grace; ended.fd >= 0 && left > 0; left = until - sy_mono_ms()) {
        if (poll(&ended, 1, (int)left) > 0) {
            break;
        }
    }
    if (ended.fd < 0 || !ended.revents) {
        kill(p->pid, SIGKILL);
    }
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (ended.fd >= 0) {
        close(ended.fd);
    }
    p->pid = 0;
    if (WIFSIGNALED(status)) {
        snprintf(how, size, "signal %d", WTERMSIG(status));
    } else {
        snprintf(how, size, "exit code %d", WEXITSTATUS(status));
    }
}
