/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This program as its own child: what it says, how it ends, and that neither a crash, nor silence,
 * nor a flood, nor a hang gets past the parent.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/child.h"

static sy_err run(const char *what, sy_ms time, int stop_fd, sy_buf *out, int *status)
{
    const char *const args[] = {"child", what, NULL};
    const sy_child c = {.args = args, .most = 100000, .time = time, .stop_fd = stop_fd};
    sy_fail f = {0};
    sy_buf_init(out, sy_heap());
    return sy_child_run(&c, out, status, &f);
}

static void what_it_says_and_its_code_come_back(void **state)
{
    sy_buf out;
    int status = 0;
    (void)state;
    assert_int_equal(run("speak", 20000, -1, &out, &status), SY_OK);
    assert_int_equal(status, 3);
    assert_string_equal(out.p, "a\nb\n");
    sy_buf_fini(&out);
}

static void a_child_that_misbehaves_is_told(void **state)
{
    sy_buf out;
    int status = 0;
    (void)state;
    assert_int_equal(run("crash", 20000, -1, &out, &status), SY_E_PEER);
    sy_buf_fini(&out);
    assert_int_equal(run("flood", 20000, -1, &out, &status), SY_E_PEER);
    sy_buf_fini(&out);
    assert_int_equal(run("hang", 50, -1, &out, &status), SY_E_PEER);
    assert_int_equal(status, -1);
    sy_buf_fini(&out);
}

static void a_child_ends_when_it_is_told_to(void **state)
{
    sy_buf out;
    int status = 0, fd = eventfd(1, EFD_CLOEXEC);
    (void)state;
    assert_int_equal(run("hang", 20000, fd, &out, &status), SY_E_CLOSED);
    sy_buf_fini(&out);
    close(fd);
}

static int as_child(const char *what)
{
    if (strcmp(what, "speak") == 0) {
        sigset_t now;
        sigprocmask(SIG_BLOCK, NULL, &now);
        fputs("a\nb\n", stdout);
        return sigismember(&now, SIGTERM) ? 4 : 3;
    }
    if (strcmp(what, "crash") == 0)
        raise(SIGKILL);
    while (strcmp(what, "flood") == 0)
        puts("all work and no play");
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says_and_its_code_come_back),
        cmocka_unit_test(a_child_that_misbehaves_is_told),
        cmocka_unit_test(a_child_ends_when_it_is_told_to),
    };
    sigset_t blocked;
    if (argc > 2)
        return as_child(argv[2]);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL); /* as the gateway does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
