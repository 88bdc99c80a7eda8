/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side. A client that waits is asked about again at each turn of the main loop, which
 * the pipeline's commits and the markers wake; so no thread and no timer is needed here. */
#include "control/control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "control/address.h"

enum {
    OUT_MAX = 1 << 20, /* with more waiting to be read, a client's commands wait, too */
    DEAF_MS = 1000,
};
typedef enum wait_kind { WAIT_NONE, WAIT_MARKER, WAIT_SEQ } wait_kind;

typedef struct client {
    int fd; /* -1: free */
    char line[SY_CONTROL_LINE];
    size_t n;
    sy_buf out;
    size_t sent; /* of out */
    wait_kind waits;
    uint64_t number;
    bool gone;
    int watcher; /* -1: it is none */
} client;

struct sy_control {
    sy_control_ops ops;
    sy_control_address address;
    int listener;
    sy_ms deaf_until; /* monotonic: no descriptor for one more client, so it is not asked for one */
    client clients[SY_CONTROL_CLIENTS];
};

sy_err sy_control_open(sy_control **out, const char *data_dir, const sy_control_ops *ops,
                       sy_fail *f)
{
    sy_control *c = calloc(1, sizeof *c);
    if (!c)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    c->ops = *ops;
    c->listener = -1;
    for (size_t i = 0; i < SY_CONTROL_CLIENTS; i++)
        c->clients[i].fd = c->clients[i].watcher = -1;
    sy_err err = sy_control__address(&c->address, data_dir, f);
    if (err) {
        free(c);
        return err;
    }
    unlinkat(c->address.dir_fd, "control.sock", 0);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->listener < 0 ||
        bind(c->listener, (const struct sockaddr *)&c->address.sun, sizeof c->address.sun) != 0 ||
        chmod(c->address.sun.sun_path, 0600) != 0 || listen(c->listener, 8) != 0) {
        err = sy_fail_sys(f, "%s/control.sock: cannot listen", data_dir);
        sy_control_close(c);
        return err;
    }
    *out = c;
    return SY_OK;
}

static void drop(sy_control *s, client *c)
{
    if (c->watcher >= 0)
        s->ops.unwatch(s->ops.ctx, c->watcher);
    close(c->fd);
    sy_buf_fini(&c->out);
    memset(c, 0, sizeof *c);
    c->fd = c->watcher = -1;
}

void sy_control_close(sy_control *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < SY_CONTROL_CLIENTS; i++)
        if (c->clients[i].fd >= 0)
            drop(c, &c->clients[i]);
    if (c->listener >= 0) {
        close(c->listener);
        unlinkat(c->address.dir_fd, "control.sock", 0);
    }
    close(c->address.dir_fd);
    free(c);
}

static void answer_fail(client *c, const char *why)
{
    sy_buf_text(&c->out, "{\"ok\":false,\"error\":");
    sy_buf_json(&c->out, sy_span_of(why));
    sy_buf_text(&c->out, "}\n");
}

static void answer_seq(client *c, const char *key, uint64_t number)
{
    sy_buf_printf(&c->out, "{\"ok\":true,\"%s\":%llu}\n", key, (unsigned long long)number);
}

static bool parse_number(sy_span s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return s.n > 0;
}

static void do_mark(sy_control *s, client *c, sy_span argument)
{
    sy_ms t = 0;
    uint64_t seq = 0;
    sy_fail why = {0};
    if (sy_time_parse(argument, &t))
        answer_fail(c, "mark: write epoch milliseconds or RFC 3339");
    else if (s->ops.mark(s->ops.ctx, t, &seq, &why))
        answer_fail(c, why.text);
    else
        answer_seq(c, "seq", seq);
}

static void do_wait(client *c, wait_kind kind, sy_span argument)
{
    if (parse_number(argument, &c->number))
        c->waits = kind;
    else
        answer_fail(c, "write a whole number");
}

static void do_open(sy_control *s, client *c)
{
    sy_buf bytes;
    sy_fail why = {0};
    sy_buf_init(&bytes, sy_heap());
    sy_err err = s->ops.open(s->ops.ctx, &bytes, &why);
    if (!err && bytes.n > (SY_CONTROL_ANSWER - 64) / 2)
        err = sy_fail_set(&why, SY_E_RANGE, "open: too much is open to be told at once");
    if (err) {
        answer_fail(c, why.text);
    } else {
        sy_buf_text(&c->out, "{\"ok\":true,\"open\":\"");
        for (size_t i = 0; i < bytes.n; i++) {
            char hex[3];
            sy_hex((const unsigned char *)bytes.p + i, 1, hex);
            sy_buf_put(&c->out, hex, 2);
        }
        sy_buf_text(&c->out, "\"}\n");
    }
    sy_buf_fini(&bytes);
}

/* ALERT<TAB>WHO<TAB>WHY */
static void do_hold(sy_control *s, client *c, bool hold, sy_span argument)
{
    char text[SY_CONTROL_LINE];
    sy_fail why = {0};
    memcpy(text, argument.p, argument.n);
    text[argument.n] = '\0';
    char *who = strchr(text, '\t'), *reason = who ? strchr(who + 1, '\t') : NULL;
    if (!reason || memchr(text, '\0', argument.n)) {
        answer_fail(c, "write the alert, who and why, with tabs between");
        return;
    }
    *who++ = *reason++ = '\0';
    if (s->ops.hold(s->ops.ctx, hold, text, who, reason, &why))
        answer_fail(c, why.text);
    else
        sy_buf_text(&c->out, "{\"ok\":true}\n");
}

/* WHO<TAB>WHY */
static void do_rotate(sy_control *s, client *c, sy_span argument)
{
    char text[SY_CONTROL_LINE];
    sy_fail why = {0};
    memcpy(text, argument.p, argument.n);
    text[argument.n] = '\0';
    char *reason = strchr(text, '\t');
    if (!reason || memchr(text, '\0', argument.n)) {
        answer_fail(c, "write who and why, with a tab between");
        return;
    }
    *reason++ = '\0';
    if (s->ops.rotate(s->ops.ctx, text, reason, &why))
        answer_fail(c, why.text);
    else
        sy_buf_text(&c->out, "{\"ok\":true}\n");
}

/* TRANSPORT<TAB>SOURCE */
static void do_forget(sy_control *s, client *c, sy_span argument)
{
    const char *tab = argument.n ? memchr(argument.p, '\t', argument.n) : NULL;
    size_t n = tab ? (size_t)(tab - argument.p) : 0;
    if (!tab)
        answer_fail(c, "write the transport and the source, with a tab between");
    else if (!s->ops.forget(s->ops.ctx, (sy_span){argument.p, n},
                            (sy_span){tab + 1, argument.n - n - 1}))
        answer_fail(c, "there is no such source");
    else
        sy_buf_text(&c->out, "{\"ok\":true}\n");
}

static void do_watch(sy_control *s, client *c, sy_span argument)
{
    c->watcher = s->ops.watch(s->ops.ctx, argument);
    if (c->watcher < 0)
        answer_fail(c, "too many watch already");
    else
        sy_buf_text(&c->out, "{\"ok\":true}\n");
}

/* Nothing, or WHAT<TAB>ID<TAB>WHO */
static void do_credentials(sy_control *s, client *c, sy_span argument)
{
    char text[SY_CONTROL_LINE];
    sy_fail why = {0};
    memcpy(text, argument.n ? argument.p : "", argument.n);
    text[argument.n] = '\0';
    char *on = strchr(text, '\t'), *who = on ? strchr(on + 1, '\t') : NULL;
    if (argument.n && (!who || memchr(text, '\0', argument.n))) {
        answer_fail(c, "write nothing, or what, whose and who, with tabs between");
        return;
    }
    if (who)
        *on++ = *who++ = '\0';
    if (s->ops.credentials(s->ops.ctx, who ? text : NULL, on, who, &why))
        answer_fail(c, why.text);
    else
        sy_buf_text(&c->out, "{\"ok\":true}\n");
}

/* The commands about devices; false: it is none of them. */
static bool device_command(sy_control *s, client *c, sy_span verb, sy_span argument)
{
    if (sy_span_is(verb, "credentials")) {
        do_credentials(s, c, argument);
    } else if (sy_span_is(verb, "pending")) {
        s->ops.pending(s->ops.ctx, &c->out);
        sy_buf_char(&c->out, '\n');
    } else if (sy_span_is(verb, "forget")) {
        do_forget(s, c, argument);
    } else if (sy_span_is(verb, "watch")) {
        do_watch(s, c, argument);
    } else {
        return false;
    }
    return true;
}

/* Cuts the argument into n texts with tabs between, in `text`. */
static bool cut(sy_span argument, char text[SY_CONTROL_LINE], char **part, size_t n)
{
    if (argument.n)
        memcpy(text, argument.p, argument.n);
    text[argument.n] = '\0';
    part[0] = text;
    for (size_t i = 1; i < n; i++) {
        part[i] = strchr(part[i - 1], '\t');
        if (!part[i])
            return false;
        *part[i]++ = '\0';
    }
    return true;
}

/* EVENT<TAB>WHO<TAB>WHY */
static void do_retry(sy_control *s, client *c, sy_span argument)
{
    char text[SY_CONTROL_LINE];
    char *part[3];
    sy_fail why = {0};
    if (!cut(argument, text, part, 3))
        answer_fail(c, "write the event, who and why, with tabs between");
    else if (s->ops.retry(s->ops.ctx, part[0], part[1], part[2], &why))
        answer_fail(c, why.text);
    else
        sy_buf_text(&c->out, "{\"ok\":true}\n");
}

/* ON<TAB>MS<TAB>WHO<TAB>WHY */
static void do_maintain(sy_control *s, client *c, sy_span argument)
{
    char text[SY_CONTROL_LINE], *part[4];
    sy_fail why = {0};
    uint64_t ms = 0, seq = 0;
    if (!cut(argument, text, part, 4) || !parse_number(sy_span_of(part[1]), &ms) ||
        ms > INT64_MAX) {
        answer_fail(c, "write what, milliseconds, who and why, with tabs between");
        return;
    }
    const sy_control_maintain m = {
        .on = part[0], .who = part[2], .why = part[3], .time = (sy_ms)ms};
    if (s->ops.maintain(s->ops.ctx, &m, &seq, &why))
        answer_fail(c, why.text);
    else
        answer_seq(c, "seq", seq);
}

/* KIND<TAB>ALERT<TAB>UNTIL<TAB>WHO<TAB>VIA<TAB>WHY */
static void do_act(sy_control *s, client *c, sy_span argument)
{
    char text[SY_CONTROL_LINE], *part[6];
    sy_fail why = {0};
    uint64_t ms = 0, seq = 0;
    bool good = cut(argument, text, part, 6) && !memchr(part[5], '\t', strlen(part[5]));
    bool from_now = good && part[2][0] == '+';
    if (!good || !parse_number(sy_span_of(part[2] + from_now), &ms) || ms > INT64_MAX) {
        answer_fail(c, "write the kind, the alert, until when, who, by what way and why, with tabs "
                       "between");
        return;
    }
    const sy_control_act a = {.kind = part[0],
                              .alert = part[1],
                              .who = part[3],
                              .via = part[4],
                              .why = part[5],
                              .until = (sy_ms)ms,
                              .from_now = from_now};
    if (s->ops.act(s->ops.ctx, &a, &seq, &why))
        answer_fail(c, why.text);
    else
        answer_seq(c, "seq", seq);
}

static void do_maintenance(sy_control *s, client *c)
{
    sy_buf_text(&c->out, "{\"ok\":true,\"maintenance\":");
    s->ops.maintenance(s->ops.ctx, &c->out);
    sy_buf_text(&c->out, "}\n");
}

static void command(sy_control *s, client *c, sy_span line)
{
    size_t word = 0;
    while (word < line.n && line.p[word] != ' ')
        word++;
    sy_span verb = {line.p, word};
    sy_span argument = {line.p + word, line.n - word};
    while (argument.n && argument.p[0] == ' ') {
        argument.p++;
        argument.n--;
    }
    sy_fail why = {0};
    if (sy_span_is(verb, "status")) {
        s->ops.status(s->ops.ctx, &c->out);
        sy_buf_char(&c->out, '\n');
    } else if (sy_span_is(verb, "mark")) {
        do_mark(s, c, argument);
    } else if (sy_span_is(verb, "barrier")) {
        do_wait(c, WAIT_MARKER, argument);
    } else if (sy_span_is(verb, "wait")) {
        do_wait(c, WAIT_SEQ, argument);
    } else if (sy_span_is(verb, "open")) {
        do_open(s, c);
    } else if (sy_span_is(verb, "retry")) {
        do_retry(s, c, argument);
    } else if (sy_span_is(verb, "hold") || sy_span_is(verb, "release")) {
        do_hold(s, c, sy_span_is(verb, "hold"), argument);
    } else if (sy_span_is(verb, "rotate")) {
        do_rotate(s, c, argument);
    } else if (sy_span_is(verb, "maintain")) {
        do_maintain(s, c, argument);
    } else if (sy_span_is(verb, "act")) {
        do_act(s, c, argument);
    } else if (sy_span_is(verb, "maintenance")) {
        do_maintenance(s, c);
    } else if (sy_span_is(verb, "reload")) {
        if (s->ops.reload(s->ops.ctx, &why))
            answer_fail(c, why.text);
        else
            sy_buf_text(&c->out, "{\"ok\":true}\n");
    } else if (sy_span_is(verb, "stop")) {
        sy_buf_text(&c->out, "{\"ok\":true}\n");
        s->ops.stop(s->ops.ctx);
    } else if (!device_command(s, c, verb, argument)) {
        answer_fail(
            c, "commands: status, mark T, barrier N, wait SEQ, open, reload, hold, release, retry, "
               "rotate, maintain, maintenance, act, credentials, pending, forget, watch, stop");
    }
}

static void flush(client *c)
{
    while (c->sent < c->out.n && !c->out.failed) {
        ssize_t sent =
            send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            c->gone = c->gone || (errno != EAGAIN && errno != EINTR);
            return;
        }
        c->sent += (size_t)sent;
    }
    c->gone = c->gone || c->out.failed;
    c->sent = 0;
    if (c->out.cap > OUT_MAX)
        sy_buf_fini(&c->out); /* a large answer is rare */
    else
        sy_buf_reset(&c->out);
}

static void settle_wait(sy_control *s, client *c)
{
    if (c->waits == WAIT_MARKER && s->ops.marker_passed(s->ops.ctx, c->number)) {
        answer_seq(c, "marker", c->number);
        c->waits = WAIT_NONE;
    } else if (c->waits == WAIT_SEQ && s->ops.committed(s->ops.ctx, c->number)) {
        answer_seq(c, "seq", c->number);
        c->waits = WAIT_NONE;
    }
}

/* Whole lines in hand, as far as no wait is in the way. */
static void run_lines(sy_control *s, client *c)
{
    for (;;) {
        settle_wait(s, c);
        char *end = memchr(c->line, '\n', c->n);
        if (c->waits != WAIT_NONE || !end || c->out.n > OUT_MAX || c->watcher >= 0)
            break;
        size_t n = (size_t)(end - c->line);
        size_t shown = n && c->line[n - 1] == '\r' ? n - 1 : n;
        command(s, c, (sy_span){c->line, shown});
        memmove(c->line, end + 1, c->n - n - 1);
        c->n -= n + 1;
    }
    if (c->n == sizeof c->line && c->waits == WAIT_NONE && c->out.n <= OUT_MAX) {
        answer_fail(c, "a line is too long");
        c->n = 0;
        flush(c);
        c->gone = true;
    }
}

static void read_some(client *c, short revents)
{
    if (c->n == sizeof c->line) {
        c->gone = c->gone || (revents & (POLLHUP | POLLERR));
        return;
    }
    ssize_t got = recv(c->fd, c->line + c->n, sizeof c->line - c->n, MSG_DONTWAIT);
    if (got > 0)
        c->n += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        c->gone = true;
}

static void welcome(sy_control *s)
{
    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                s->deaf_until = sy_mono_ms() + DEAF_MS;
            return;
        }
        size_t i = 0;
        while (i < SY_CONTROL_CLIENTS && s->clients[i].fd >= 0)
            i++;
        if (i == SY_CONTROL_CLIENTS) {
            close(fd);
            continue;
        }
        s->clients[i].fd = fd;
        sy_buf_init(&s->clients[i].out, sy_heap());
    }
}

size_t sy_control_fds(const sy_control *c, struct pollfd *fds)
{
    size_t n = 0;
    bool deaf = sy_mono_ms() < c->deaf_until;
    fds[n++] = (struct pollfd){.fd = deaf ? -1 : c->listener, .events = POLLIN};
    for (size_t i = 0; i < SY_CONTROL_CLIENTS; i++) {
        const client *k = &c->clients[i];
        if (k->fd < 0)
            continue;
        short events = k->out.n ? POLLOUT : 0;
        if (k->n < sizeof k->line)
            events |= POLLIN;
        fds[n++] = (struct pollfd){.fd = k->fd, .events = events};
    }
    return n;
}

void sy_control_serve(sy_control *c, const struct pollfd *fds, size_t n)
{
    for (size_t i = 0; i < SY_CONTROL_CLIENTS; i++) {
        client *k = &c->clients[i];
        if (k->fd < 0)
            continue;
        for (size_t p = 1; p < n; p++)
            if (fds[p].fd == k->fd && fds[p].revents)
                read_some(k, fds[p].revents);
        run_lines(c, k);
        if (k->watcher >= 0 && k->out.n < OUT_MAX / 4)
            c->ops.watched(c->ops.ctx, k->watcher, &k->out);
        flush(k);
        if (k->gone)
            drop(c, k);
    }
    if (n && fds[0].revents)
        welcome(c);
}
