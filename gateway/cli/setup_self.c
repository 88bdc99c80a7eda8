/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This program once more, as the owner of the data folder: what root sets up must be readable for
 * the service, and only for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/setup_int.h"
#include "control/control.h"

enum { ARGS = 24, OUTPUT_MAX = 1 << 20, READY_MS = 60000, ANSWER_MS = 30000 };

/* In the child: gives up root for good. */
static bool become(const sy_setup *x)
{
    if (geteuid() != 0 || x->uid == 0)
        return true;
    return setgroups(1, &x->gid) == 0 && setgid(x->gid) == 0 && setuid(x->uid) == 0;
}

static void execute(const sy_setup *x, const char *const *args)
{
    char *argv[ARGS + 2], program[PATH_MAX];
    size_t n = 0;
    sigset_t none;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    argv[n++] = strdup("steelyard");
    for (; args[n - 1] && n < ARGS + 1; n++)
        argv[n] = strdup(args[n - 1]);
    argv[n] = NULL;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (become(x))
        execv(program, argv);
    _exit(127);
}

static void read_all(int fd, sy_buf *out)
{
    char part[4096];
    for (ssize_t n; (n = read(fd, part, sizeof part)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || out->n > OUTPUT_MAX)
            break;
        sy_buf_span_put(out, (sy_span){part, (size_t)n});
    }
}

sy_err sy_setup_self(const sy_setup *x, const char *const *args, const char *input, sy_buf *out,
                     sy_fail *f)
{
    int in[2], back[2], status = 0;
    if (pipe2(in, O_CLOEXEC) != 0)
        return sy_fail_sys(f, "pipe");
    if (pipe2(back, O_CLOEXEC) != 0) {
        close(in[0]), close(in[1]);
        return sy_fail_sys(f, "pipe");
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        if (out)
            dup2(back[1], STDOUT_FILENO);
        execute(x, args);
    }
    close(in[0]), close(back[1]);
    sy_err e = pid < 0 ? sy_fail_sys(f, "fork") : SY_OK;
    if (!e && input && sy_write_all(in[1], input, strlen(input), NULL) != SY_OK)
        e = sy_fail_set(f, SY_E_IO, "steelyard %s did not take what it needs", args[0]);
    close(in[1]);
    if (pid > 0 && out)
        read_all(back[0], out);
    close(back[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!e && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        e = sy_fail_set(f, SY_E_PEER, "steelyard %s %s failed", args[0], args[1] ? args[1] : "");
    return e;
}

sy_err sy_setup_reload(const sy_setup *x, bool *runs, sy_fail *f)
{
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    sy_err e = sy_control_ask(x->data, "reload", ANSWER_MS, &answer, f);
    sy_buf_fini(&answer);
    *runs = e != SY_E_NOTFOUND;
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

static sy_err wait_ready(int fd, sy_fail *f)
{
    char byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n = poll(&p, 1, READY_MS);
    return n == 1 && read(fd, &byte, 1) == 1
               ? SY_OK
               : sy_fail_set(f, SY_E_PEER, "the gateway did not start");
}

sy_err sy_setup_start(const sy_setup *x, pid_t *pid, sy_fail *f)
{
    char log[SY_SETUP_PATH + 16], number[12];
    int ready[2];
    bool runs = false;
    *pid = -1;
    sy_err e = sy_setup_reload(x, &runs, f);
    if (e || runs)
        return e;
    if (pipe(ready) != 0)
        return sy_fail_sys(f, "pipe");
    snprintf(log, sizeof log, "%s/setup.log", x->data);
    snprintf(number, sizeof number, "%d", ready[1]);
    (void)fcntl(ready[0], F_SETFD, FD_CLOEXEC);
    fflush(stdout);
    *pid = fork();
    if (*pid == 0) {
        const char *args[] = {"run",   "--config",   x->config, "--data",
                              x->data, "--ready-fd", number,    NULL};
        int null = open("/dev/null", O_RDWR);
        (void)setpgid(0, 0); /* ^C is for us, who end it in order */
        int fd = become(x) ? open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
        if (null < 0 || fd < 0)
            _exit(127);
        dup2(null, STDIN_FILENO), dup2(fd, STDOUT_FILENO), dup2(fd, STDERR_FILENO);
        execute(x, args);
    }
    close(ready[1]);
    e = *pid < 0 ? sy_fail_sys(f, "fork") : wait_ready(ready[0], f);
    close(ready[0]);
    if (e && *pid > 0) {
        sy_setup_stop(*pid);
        *pid = -1;
        return sy_fail_wrap(f, "see %s", log);
    }
    return e;
}

void sy_setup_stop(pid_t pid)
{
    int status;
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
}
