/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's side of the control socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/address.h"
#include "control/control.h"

sy_err sy_control__address(sy_control_address *a, const char *data_dir, sy_fail *f)
{
    memset(a, 0, sizeof *a);
    a->dir_fd = open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (a->dir_fd < 0)
        return sy_fail_sys(f, "cannot open the data folder %s", data_dir);
    a->sun.sun_family = AF_UNIX;
    snprintf(a->sun.sun_path, sizeof a->sun.sun_path, "/proc/self/fd/%d/control.sock", a->dir_fd);
    return SY_OK;
}

static sy_err dial(const char *data_dir, int *out, sy_fail *f)
{
    sy_control_address a;
    sy_err err = sy_control__address(&a, data_dir, f);
    if (err)
        return err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a.sun, sizeof a.sun) != 0) {
        err = errno == ENOENT || errno == ECONNREFUSED
                  ? sy_fail_set(f, SY_E_NOTFOUND, "no gateway runs on %s", data_dir)
                  : sy_fail_sys(f, "%s/control.sock: cannot connect", data_dir);
        close(fd);
        fd = -1;
    } else if (fd < 0) {
        err = sy_fail_sys(f, "cannot make a socket");
    }
    close(a.dir_fd);
    *out = fd;
    return err;
}

static sy_err receive(int fd, int timeout_ms, sy_buf *answer, sy_fail *f)
{
    sy_ms end = timeout_ms < 0 ? SY_MS_MAX : sy_mono_ms() + timeout_ms;
    for (;;) {
        sy_ms left = timeout_ms < 0 ? -1 : end - sy_mono_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = timeout_ms >= 0 && left <= 0 ? 0 : poll(&p, 1, (int)left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            return sy_fail_set(f, SY_E_AGAIN, "the gateway did not answer in time");
        char part[16384];
        ssize_t got = n < 0 ? -1 : recv(fd, part, sizeof part, 0);
        if (got < 0)
            return sy_fail_sys(f, "cannot read the gateway's answer");
        if (got == 0)
            return sy_fail_set(f, SY_E_CLOSED, "the gateway ended before it answered");
        sy_buf_put(answer, part, (size_t)got);
        if (answer->failed || answer->n > SY_CONTROL_ANSWER)
            return sy_fail_set(f, SY_E_RANGE, "the gateway's answer is too long");
        if (answer->p[answer->n - 1] == '\n') {
            answer->p[--answer->n] = '\0';
            return SY_OK;
        }
    }
}

static sy_err ask(int fd, const char *line, sy_fail *f)
{
    sy_err err = SY_OK;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_buf_text(&text, line);
    sy_buf_char(&text, '\n');
    if (text.failed || send(fd, text.p, text.n, MSG_NOSIGNAL) != (ssize_t)text.n)
        err = sy_fail_sys(f, "cannot ask the gateway");
    sy_buf_fini(&text);
    return err;
}

/* Each whole line in hand; false: enough. */
static bool give_lines(sy_buf *b, bool (*each)(void *ctx, const char *text), void *ctx)
{
    bool go_on = true;
    char *end;
    while (go_on && b->n && (end = memchr(b->p, '\n', b->n)) != NULL) {
        size_t n = (size_t)(end - b->p) + 1;
        *end = '\0';
        go_on = each(ctx, b->p);
        memmove(b->p, b->p + n, b->n - n);
        b->n -= n;
    }
    return go_on;
}

sy_err sy_control_follow(const char *data_dir, const char *line, int stop_fd,
                         bool (*each)(void *ctx, const char *text), void *ctx, sy_fail *f)
{
    int fd = -1;
    sy_buf got;
    sy_err err = dial(data_dir, &fd, f);
    if (err)
        return err;
    sy_buf_init(&got, sy_heap());
    err = ask(fd, line, f);
    for (bool go_on = true; go_on && !err;) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
        char part[16384];
        if (poll(p, 2, -1) < 0)
            continue;
        if (p[1].revents)
            break;
        ssize_t n = recv(fd, part, sizeof part, 0);
        if (n <= 0) {
            err = sy_fail_set(f, SY_E_CLOSED, "the gateway ended");
            break;
        }
        sy_buf_put(&got, part, (size_t)n);
        if (got.failed || got.n > SY_CONTROL_ANSWER)
            err = sy_fail_set(f, SY_E_RANGE, "the gateway's answer is too long");
        else
            go_on = give_lines(&got, each, ctx);
    }
    sy_buf_fini(&got);
    close(fd);
    return err;
}

sy_err sy_control_ask(const char *data_dir, const char *line, int timeout_ms, sy_buf *answer,
                      sy_fail *f)
{
    static const char no[] = "{\"ok\":false,\"error\":";
    int fd = -1;
    sy_err err = dial(data_dir, &fd, f);
    if (err)
        return err;
    size_t from = answer->n;
    err = ask(fd, line, f);
    if (!err)
        err = receive(fd, timeout_ms, answer, f);
    close(fd);
    if (!err && answer->n - from >= sizeof no - 1 &&
        memcmp(answer->p + from, no, sizeof no - 1) == 0)
        err = sy_fail_set(f, SY_E_PEER, "the gateway says: %.*s",
                          (int)(answer->n - from - sizeof no), answer->p + from + sizeof no - 1);
    return err;
}

sy_err sy_control_do(const char *data_dir, const sy_buf *line, int timeout_ms, sy_fail *f)
{
    static const char seq[] = "\"seq\":";
    char wait[64];
    sy_buf answer;
    if (line->failed)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    if (line->n >= SY_CONTROL_LINE)
        return sy_fail_set(f, SY_E_RANGE, "the text is too long");
    sy_buf_init(&answer, sy_heap());
    sy_err e = sy_control_ask(data_dir, line->p, timeout_ms, &answer, f);
    const char *at = e ? NULL : strstr(answer.p, seq);
    if (!e && !at)
        e = sy_fail_set(f, SY_E_PEER, "the gateway named no record");
    if (!e) {
        snprintf(wait, sizeof wait, "wait %llu", strtoull(at + sizeof seq - 1, NULL, 10));
        sy_buf_reset(&answer);
        e = sy_control_ask(data_dir, wait, timeout_ms, &answer, f);
    }
    sy_buf_fini(&answer);
    return e;
}

sy_err sy_control_peer(const char *data_dir, pid_t *out, sy_fail *f)
{
    int fd = -1;
    struct ucred who;
    socklen_t n = sizeof who;
    sy_err err = dial(data_dir, &fd, f);
    if (err)
        return err;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
        err = sy_fail_sys(f, "cannot tell which process the gateway is");
    else
        *out = who.pid;
    close(fd);
    return err;
}
