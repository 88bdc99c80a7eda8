/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: commands and answers, waits that hold up nobody, hostile clients. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/control.h"

typedef struct server {
    char dir[200];
    sy_control *control;
    pthread_t thread;
    atomic_bool ending;
    atomic_uint_fast64_t committed, marker;
    atomic_llong marked;
    atomic_int stops, watchers, lines;
} server;

static void on_status(void *ctx, sy_buf *json)
{
    (void)ctx;
    sy_buf_text(json, "{\"received\":7}");
}

static sy_err on_mark(void *ctx, sy_ms t, uint64_t *seq, sy_fail *f)
{
    server *s = ctx;
    if (t < 1000)
        return sy_fail_set(f, SY_E_USAGE, "time marks are for replay");
    atomic_store(&s->marked, t);
    *seq = 12;
    return SY_OK;
}

static bool on_marker(void *ctx, uint64_t number)
{
    return atomic_load(&((server *)ctx)->marker) == number;
}

static bool on_committed(void *ctx, uint64_t seq)
{
    return atomic_load(&((server *)ctx)->committed) >= seq;
}

enum { OPEN_BYTES = 3 << 20 }; /* more than a socket takes at once */

static sy_err on_open(void *ctx, sy_buf *bytes, sy_fail *f)
{
    (void)ctx, (void)f;
    for (size_t i = 0; i < OPEN_BYTES; i++)
        sy_buf_u8(bytes, (uint8_t)(i * 7));
    return SY_OK;
}

static sy_err on_reload(void *ctx, sy_fail *f)
{
    (void)ctx;
    return sy_fail_set(f, SY_E_USAGE, "a \"bad\" file");
}

static void on_stop(void *ctx)
{
    atomic_fetch_add(&((server *)ctx)->stops, 1);
}

static void *serve(void *arg)
{
    server *s = arg;
    while (!atomic_load(&s->ending)) {
        struct pollfd fds[SY_CONTROL_FDS];
        size_t n = sy_control_fds(s->control, fds);
        if (poll(fds, (nfds_t)n, 5) >= 0)
            sy_control_serve(s->control, fds, n);
    }
    return NULL;
}

static sy_err on_hold(void *ctx, bool hold, const char *alert, const char *who, const char *why,
                      sy_fail *f)
{
    (void)ctx;
    if (hold && strcmp(alert, "a1") == 0 && strcmp(who, "Li Wei") == 0 &&
        strcmp(why, "case 7: a tab ends who") == 0)
        return SY_OK;
    return sy_fail_set(f, SY_E_NOTFOUND, "%s %s", hold ? "hold" : "release", alert);
}

static sy_err on_rotate(void *ctx, const char *who, const char *why, sy_fail *f)
{
    (void)ctx;
    if (strcmp(who, "Li Wei") == 0 && strcmp(why, "yearly") == 0)
        return SY_OK;
    return sy_fail_set(f, SY_E_USAGE, "rotate");
}

static sy_err on_credentials(void *ctx, const char *what, const char *on, const char *who,
                             sy_fail *f)
{
    (void)ctx;
    if (!what ||
        (strcmp(what, "device-add") == 0 && strcmp(on, "a") == 0 && strcmp(who, "Li") == 0))
        return SY_OK;
    return sy_fail_set(f, SY_E_USAGE, "credentials");
}

static void on_pending(void *ctx, sy_buf *json)
{
    (void)ctx;
    sy_buf_text(json, "{\"sources\":[]}");
}

static bool on_forget(void *ctx, sy_span transport, sy_span source)
{
    (void)ctx;
    return sy_span_is(transport, "coap") && sy_span_is(source, "a b");
}

static int on_watch(void *ctx, sy_span device)
{
    server *s = ctx;
    return sy_span_is(device, "a") && atomic_fetch_add(&s->watchers, 1) == 0 ? 3 : -1;
}

static void on_unwatch(void *ctx, int watcher)
{
    assert_int_equal(watcher, 3);
    atomic_fetch_sub(&((server *)ctx)->watchers, 1);
}

static void on_watched(void *ctx, int watcher, sy_buf *lines)
{
    server *s = ctx;
    if (watcher == 3 && atomic_fetch_add(&s->lines, 1) < 2)
        sy_buf_text(lines, "{\"n\":1}\n{\"n\":2}\n");
}

static sy_err on_maintain(void *ctx, const sy_control_maintain *m, uint64_t *seq, sy_fail *f)
{
    (void)ctx;
    *seq = (uint64_t)m->time;
    if (strcmp(m->on, "place:p/r 1") == 0 && strcmp(m->who, "Li Wei") == 0 &&
        strcmp(m->why, "a new fan") == 0)
        return SY_OK;
    return sy_fail_set(f, SY_E_NOTFOUND, "maintain %s", m->on);
}

static void on_maintenance(void *ctx, sy_buf *json)
{
    (void)ctx;
    sy_buf_text(json, "[1]");
}

static int set_up(void **state)
{
    server *s = calloc(1, sizeof *s);
    sy_fail f;
    /* Longer than a socket's path may be. */
    char top[] = "/tmp/sy-control-XXXXXX";
    assert_non_null(mkdtemp(top));
    snprintf(s->dir, sizeof s->dir, "%s/%0120d", top, 0);
    assert_int_equal(sy_dir_make(s->dir, &f), SY_OK);
    const sy_control_ops ops = {.ctx = s,
                                .status = on_status,
                                .mark = on_mark,
                                .marker_passed = on_marker,
                                .committed = on_committed,
                                .open = on_open,
                                .reload = on_reload,
                                .stop = on_stop,
                                .hold = on_hold,
                                .rotate = on_rotate,
                                .maintain = on_maintain,
                                .maintenance = on_maintenance,
                                .credentials = on_credentials,
                                .pending = on_pending,
                                .forget = on_forget,
                                .watch = on_watch,
                                .unwatch = on_unwatch,
                                .watched = on_watched};
    assert_int_equal(sy_control_open(&s->control, s->dir, &ops, &f), SY_OK);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    server *s = *state;
    atomic_store(&s->ending, true);
    pthread_join(s->thread, NULL);
    sy_control_close(s->control);
    rmdir(s->dir); /* empty: the socket is gone */
    *strrchr(s->dir, '/') = '\0';
    assert_int_equal(rmdir(s->dir), 0);
    free(s);
    return 0;
}

static sy_err ask(const server *s, const char *line, sy_buf *answer, sy_fail *f)
{
    sy_buf_reset(answer);
    return sy_control_ask(s->dir, line, 5000, answer, f);
}

static void answers(void **state)
{
    server *s = *state;
    sy_buf a;
    sy_fail f;
    sy_buf_init(&a, sy_heap());
    assert_int_equal(ask(s, "status", &a, &f), SY_OK);
    assert_string_equal(a.p, "{\"received\":7}");
    assert_int_equal(ask(s, "mark 1767571200000", &a, &f), SY_OK);
    assert_string_equal(a.p, "{\"ok\":true,\"seq\":12}");
    assert_int_equal(atomic_load(&s->marked), 1767571200000);
    assert_int_equal(ask(s, "mark 2026-01-05T08:00:00+08:00", &a, &f), SY_OK);
    assert_int_equal(atomic_load(&s->marked), 1767571200000);
    assert_int_equal(ask(s, "mark 5", &a, &f), SY_E_PEER);
    assert_non_null(strstr(f.text, "time marks are for replay"));
    assert_int_equal(ask(s, "mark soon", &a, &f), SY_E_PEER);
    assert_int_equal(ask(s, "reload", &a, &f), SY_E_PEER);
    assert_non_null(strstr(f.text, "a \\\"bad\\\" file"));
    assert_int_equal(ask(s, "wait", &a, &f), SY_E_PEER);
    assert_int_equal(ask(s, "wait 18446744073709551616", &a, &f), SY_E_PEER);
    assert_int_equal(ask(s, "nonsense", &a, &f), SY_E_PEER);
    assert_int_equal(ask(s, "stop", &a, &f), SY_OK);
    assert_int_equal(atomic_load(&s->stops), 1);
    sy_buf_fini(&a);
}

static bool third(void *ctx, const char *text)
{
    strcat(ctx, text);
    return strlen(ctx) < 30;
}

static bool never(void *ctx, const char *text)
{
    strcat(ctx, text);
    return false;
}

static void commands_about_devices(void **state)
{
    server *s = *state;
    sy_buf a;
    sy_fail f = {0};
    char got[200] = "";
    sy_buf_init(&a, sy_heap());
    assert_int_equal(ask(s, "credentials", &a, &f), SY_OK);
    assert_int_equal(ask(s, "credentials device-add\ta\tLi", &a, &f), SY_OK);
    assert_int_equal(ask(s, "credentials device-add\tb\tLi", &a, &f), SY_E_PEER);
    assert_int_equal(ask(s, "credentials device-add\ta", &a, &f), SY_E_PEER);
    assert_int_equal(ask(s, "pending", &a, &f), SY_OK);
    assert_string_equal(a.p, "{\"sources\":[]}");
    assert_int_equal(ask(s, "forget coap\ta b", &a, &f), SY_OK);
    assert_int_equal(ask(s, "forget coap\tb", &a, &f), SY_E_PEER);
    assert_int_equal(ask(s, "forget coap", &a, &f), SY_E_PEER);
    sy_buf_fini(&a);
    assert_int_equal(sy_control_follow(s->dir, "watch b", -1, never, got, &f), SY_OK);
    assert_non_null(strstr(got, "too many watch already"));
    got[0] = '\0';
    assert_int_equal(sy_control_follow(s->dir, "watch a", -1, third, got, &f), SY_OK);
    assert_string_equal(got, "{\"ok\":true}{\"n\":1}{\"n\":2}{\"n\":1}");
    while (atomic_load(&s->watchers) > 0) /* the server sees that it has gone */
        sched_yield();
}

/* A large answer comes whole. */
static void a_large_answer(void **state)
{
    server *s = *state;
    static const char head[] = "{\"ok\":true,\"open\":\"";
    sy_buf a;
    sy_fail f;
    sy_buf_init(&a, sy_heap());
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(ask(s, "open", &a, &f), SY_OK);
        assert_int_equal(a.n, sizeof head - 1 + 2 * (size_t)OPEN_BYTES + 2);
        assert_memory_equal(a.p, head, sizeof head - 1);
        for (size_t i = 0; i < OPEN_BYTES; i += 4099) {
            char hex[3];
            snprintf(hex, sizeof hex, "%02x", (unsigned)(i * 7 & 0xff));
            assert_memory_equal(a.p + sizeof head - 1 + 2 * i, hex, 2);
        }
    }
    sy_buf_fini(&a);
}

typedef struct waiter {
    const server *s;
    const char *line;
    sy_err err;
    atomic_bool done;
} waiter;

static void *wait_for(void *arg)
{
    waiter *w = arg;
    sy_buf a;
    sy_buf_init(&a, sy_heap());
    w->err = sy_control_ask(w->s->dir, w->line, 20000, &a, NULL);
    sy_buf_fini(&a);
    atomic_store(&w->done, true);
    return NULL;
}

static void waits(void **state)
{
    server *s = *state;
    waiter w[2] = {{.s = s, .line = "wait 9"}, {.s = s, .line = "barrier 4"}};
    pthread_t t[2];
    sy_buf a;
    sy_fail f;
    sy_buf_init(&a, sy_heap());
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, wait_for, &w[i]), 0);
    for (int i = 0; i < 50; i++) /* others are served meanwhile */
        assert_int_equal(ask(s, "status", &a, &f), SY_OK);
    assert_false(atomic_load(&w[0].done) || atomic_load(&w[1].done));
    atomic_store(&s->marker, 4);
    pthread_join(t[1], NULL);
    assert_false(atomic_load(&w[0].done));
    atomic_store(&s->committed, 10);
    pthread_join(t[0], NULL);
    assert_int_equal(w[0].err, SY_OK);
    assert_int_equal(w[1].err, SY_OK);
    sy_buf_fini(&a);
}

static int dial(const server *s)
{
    char path[300];
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    /* The folder's name is too long for an address: go there. */
    assert_int_equal(chdir(s->dir), 0);
    strcpy(to.sun_path, "control.sock");
    struct stat st;
    snprintf(path, sizeof path, "%s/control.sock", s->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(chdir("/"), 0);
    return fd;
}

/* Read until the server closes, or `lines` lines have come. */
static size_t read_lines(int fd, size_t lines, char *out, size_t size)
{
    size_t n = 0, seen = 0;
    while (seen < lines && n + 1 < size) {
        ssize_t got = recv(fd, out + n, size - 1 - n, 0);
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            seen += out[n + (size_t)i] == '\n';
        n += (size_t)got;
    }
    out[n] = '\0';
    return seen;
}

static void hostile(void **state)
{
    server *s = *state;
    char text[2048], long_line[SY_CONTROL_LINE + 344];
    int fd = dial(s);
    /* Several commands at once, in pieces, with CR; a wait in between keeps the order. */
    atomic_store(&s->committed, 3);
    assert_int_equal(send(fd, "wait 3\r\nsta", 11, 0), 11);
    assert_int_equal(send(fd, "tus\nwait 5\nmark 2000\n", 21, 0), 21);
    assert_int_equal(read_lines(fd, 2, text, sizeof text), 2);
    assert_string_equal(text, "{\"ok\":true,\"seq\":3}\n{\"received\":7}\n");
    atomic_store(&s->committed, 5);
    assert_int_equal(read_lines(fd, 2, text, sizeof text), 2);
    assert_string_equal(text, "{\"ok\":true,\"seq\":5}\n{\"ok\":true,\"seq\":12}\n");
    close(fd);
    fd = dial(s);
    const char *const holds =
        "hold a1\tLi Wei\tcase 7: a tab ends who\nrelease a1\tx\ty\nhold a1\n";
    assert_true(send(fd, holds, strlen(holds), 0) > 0);
    assert_int_equal(read_lines(fd, 3, text, sizeof text), 3);
    assert_string_equal(text, "{\"ok\":true}\n{\"ok\":false,\"error\":\"release a1\"}\n"
                              "{\"ok\":false,\"error\":\"write the alert, who and why, with tabs "
                              "between\"}\n");
    close(fd);
    fd = dial(s);
    const char *const rotates = "rotate Li Wei\tyearly\nrotate x\ty\nrotate x\n";
    assert_true(send(fd, rotates, strlen(rotates), 0) > 0);
    assert_int_equal(read_lines(fd, 3, text, sizeof text), 3);
    assert_string_equal(text,
                        "{\"ok\":true}\n{\"ok\":false,\"error\":\"rotate\"}\n"
                        "{\"ok\":false,\"error\":\"write who and why, with a tab between\"}\n");
    close(fd);
    fd = dial(s);
    const char *const maintains = "maintain place:p/r 1\t7200\tLi Wei\ta new fan\n"
                                  "maintain x\t0\ta\tb\nmaintain x\t1\ta\n"
                                  "maintain x\tlong\ta\tb\nmaintenance\n";
    assert_true(send(fd, maintains, strlen(maintains), 0) > 0);
    assert_int_equal(read_lines(fd, 5, text, sizeof text), 5);
    assert_string_equal(
        text, "{\"ok\":true,\"seq\":7200}\n{\"ok\":false,\"error\":\"maintain x\"}\n"
              "{\"ok\":false,\"error\":\"write what, milliseconds, who and why, with tabs "
              "between\"}\n"
              "{\"ok\":false,\"error\":\"write what, milliseconds, who and why, with tabs "
              "between\"}\n"
              "{\"ok\":true,\"maintenance\":[1]}\n");
    close(fd);
    /* A line without an end is cut off. */
    fd = dial(s);
    memset(long_line, 'x', sizeof long_line);
    assert_true(send(fd, long_line, sizeof long_line, MSG_NOSIGNAL) > 0);
    assert_int_equal(read_lines(fd, 2, text, sizeof text), 1);
    assert_non_null(strstr(text, "too long"));
    close(fd);
    /* More clients than there is room for; who goes away while it waits leaves nothing behind. */
    int many[40];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++) {
            many[i] = dial(s);
            send(many[i], "wait 99\nstatus\n", 15, MSG_NOSIGNAL);
        }
        for (int i = 0; i < 40; i++)
            close(many[i]);
    }
    sy_buf a;
    sy_fail f;
    sy_buf_init(&a, sy_heap());
    while (ask(s, "status", &a, &f) != SY_OK) {
    }
    sy_buf_fini(&a);
}

static void nobody(void **state)
{
    (void)state;
    sy_buf a;
    sy_fail f;
    char dir[] = "/tmp/sy-control-XXXXXX";
    assert_non_null(mkdtemp(dir));
    sy_buf_init(&a, sy_heap());
    assert_int_equal(sy_control_ask(dir, "status", 1000, &a, &f), SY_E_NOTFOUND);
    assert_non_null(strstr(f.text, dir));
    rmdir(dir);
    sy_buf_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commands_about_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile, set_up, tear_down),
        cmocka_unit_test(nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
