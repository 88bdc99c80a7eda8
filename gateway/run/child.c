/* SPDX-License-Identifier: Apache-2.0 */
#include "run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The gateway's threads block signals; the child must not inherit that. */
static int spawn(pid_t *pid, int out, char *const *argv)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    int rc = posix_spawn(pid, "/proc/self/exe", &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

static sy_err listen_to(const sy_child *c, int fd, sy_buf *out, sy_fail *f)
{
    char bytes[8192];
    size_t before = out->n;
    sy_ms end = sy_mono_ms() + c->time, now;
    while ((now = sy_mono_ms()) < end) {
        struct pollfd p[2] = {{fd, POLLIN, 0}, {c->stop_fd, POLLIN, 0}};
        int n = poll(p, 2, end - now > 60000 ? 60000 : (int)(end - now));
        if (n > 0 && p[1].revents)
            return sy_fail_set(f, SY_E_CLOSED, "told to end");
        if (n <= 0 || !p[0].revents)
            continue;
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got == 0)
            return SY_OK;
        if (got < 0)
            return sy_fail_sys(f, "a child's output cannot be read");
        sy_buf_put(out, bytes, (size_t)got);
        if (out->failed || out->n - before > c->most)
            return sy_fail_set(f, SY_E_PEER, "it said more than is taken");
    }
    return sy_fail_set(f, SY_E_PEER, "it took longer than %lld s", (long long)(c->time / 1000));
}

sy_err sy_child_run(const sy_child *c, sy_buf *out, int *status, sy_fail *f)
{
    enum { ARGS = 32 };
    char *argv[ARGS + 2] = {(char *)(uintptr_t) "steelyard"};
    int fds[2], raw = 0;
    pid_t pid;
    for (size_t i = 0; i < ARGS && c->args[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)c->args[i];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return sy_fail_sys(f, "a pipe");
    int rc = spawn(&pid, fds[1], argv);
    close(fds[1]);
    if (rc != 0) {
        close(fds[0]);
        errno = rc;
        return sy_fail_sys(f, "this program cannot be started again");
    }
    sy_err e = listen_to(c, fds[0], out, f);
    close(fds[0]);
    if (e)
        kill(pid, SIGKILL);
    while (waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
    }
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
    if (!e && WIFSIGNALED(raw))
        e = sy_fail_set(f, SY_E_PEER, "it was ended by signal %d", WTERMSIG(raw));
    return e;
}
