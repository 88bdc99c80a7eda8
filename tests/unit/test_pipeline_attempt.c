/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is to blame for a dead process: deaths of children with a record in work, by hand and in the
 * running pipeline. An acknowledged record is set aside for crashes alone.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/attempt.h"
#include "pipeline_rig.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

typedef void (*way_fn)(void);

/* In a child: cmocka's handlers would take a crash for a failed test. */
static void as_a_program(void)
{
    static const int all[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        signal(all[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static void killed(void)
{
    kill(getpid(), SIGKILL);
}

static void faulted(void)
{
    static char *volatile nowhere = (char *)16;
    *nowhere = 1;
}

static void bus(void)
{
    raise(SIGBUS);
}

static void arithmetic(void)
{
    raise(SIGFPE);
}

static void instruction(void)
{
    raise(SIGILL);
}

static int deeper(volatile char *above, int n)
{
    volatile char here[1024];
    here[0] = above ? above[0] : (char)n;
    return n == 0 ? here[0] : deeper(here, n - 1) + here[0];
}

static void stack_ran_over(void)
{
    setrlimit(RLIMIT_STACK, &(struct rlimit){1 << 20, 1 << 20});
    _exit(deeper(NULL, 1000000) == 0);
}

static void *fault_there(void *arg)
{
    (void)arg;
    faulted();
    return NULL;
}

static void other_thread_faulted(void)
{
    pthread_t t;
    pthread_create(&t, NULL, fault_there, NULL);
    pthread_join(t, NULL);
}

static void told_from_outside(void)
{
    pid_t parent = getpid();
    if (fork() == 0) {
        kill(parent, SIGABRT);
        _exit(0);
    }
    for (;;)
        pause();
}

/* A process that starts, and ends with seq in work. Its status. */
static int death(const pipeline_rig *r, uint64_t seq, way_fn way)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sy_attempt a;
        uint64_t killer = 0;
        sy_fail f;
        as_a_program();
        if (sy_attempt_open(&a, r->data, &killer, &f))
            _exit(1);
        sy_attempt_enter(&a);
        sy_attempt_set(&a, seq);
        way();
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

/* What the next start makes of it. */
static uint64_t blamed(const pipeline_rig *r)
{
    sy_attempt a;
    sy_fail f;
    uint64_t killer = 0;
    assert_int_equal(sy_attempt_open(&a, r->data, &killer, &f), SY_OK);
    sy_attempt_forgive(&a);
    sy_attempt_close(&a);
    return killer;
}

static void a_kill_is_not_a_crash(void **state)
{
    pipeline_rig *r = *state;
    static const way_fn ways[] = {killed, told_from_outside, other_thread_faulted};
    static const int signals[] = {SIGKILL, SIGABRT, SIGSEGV};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        for (int n = 0; n < 3; n++)
            assert_int_equal(death(r, 7, ways[i]), signals[i]);
        assert_int_equal(blamed(r), 0);
    }
}

static void two_crashes_are(void **state)
{
    pipeline_rig *r = *state;
    static const way_fn ways[] = {faulted, abort, bus, arithmetic, instruction, stack_ran_over};
    static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        assert_int_equal(death(r, 7, ways[i]), signals[i]);
        assert_int_equal(death(r, 7, ways[i]), signals[i]);
        assert_int_equal(blamed(r), 7);
    }
}

static void in_a_row(void **state)
{
    pipeline_rig *r = *state;
    death(r, 7, abort);
    assert_int_equal(blamed(r), 0);
    death(r, 7, abort);
    death(r, 8, abort);
    death(r, 7, abort);
    assert_int_equal(blamed(r), 0);
    death(r, 7, abort);
    death(r, 0, abort); /* between two records: it had come through */
    death(r, 7, abort);
    assert_int_equal(blamed(r), 0);
    death(r, 7, abort);
    death(r, 8, killed); /* likewise */
    death(r, 7, abort);
    assert_int_equal(blamed(r), 0);
    death(r, 7, abort);
    death(r, 7, killed); /* it had not */
    death(r, 7, abort);
    assert_int_equal(blamed(r), 7);
}

static void leave_with_42(int number)
{
    (void)number;
    _exit(42);
}

/* As a sanitizer's, which prints its report and exits. */
static void the_handler_before_runs_too(void **state)
{
    pipeline_rig *r = *state;
    for (int n = 0; n < 4; n++) {
        pid_t pid = fork();
        if (pid == 0) {
            sy_attempt a;
            uint64_t killer = 0;
            sy_fail f;
            as_a_program();
            signal(SIGSEGV, leave_with_42);
            signal(SIGABRT, leave_with_42);
            if (sy_attempt_open(&a, r->data, &killer, &f))
                _exit(1);
            sy_attempt_enter(&a);
            sy_attempt_set(&a, 7);
            (n % 2 ? abort : faulted)();
            _exit(2);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 42);
        if (n % 2)
            assert_int_equal(blamed(r), 7);
    }
}

/* Takes all memory there is; what the pipeline asks for next it does not get. */
static void no_memory(void)
{
    setrlimit(RLIMIT_AS, &(struct rlimit){1, 1});
    for (size_t size = 1 << 20; size >= 8; size = size > 4096 ? size / 2 : size - 8)
        while (malloc(size))
            ;
}

typedef struct trap { /* the set whose activation is the record that the process dies at */
    const char *hash;
    way_fn way;
} trap;

static sy_config *spring(void *ctx, const char *hash_hex)
{
    const trap *t = ctx;
    if (strcmp(t->hash, hash_hex) == 0)
        t->way();
    return NULL;
}

static int run_into(pipeline_rig *r, way_fn way)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        trap t = {r->config->hash_hex, way};
        as_a_program();
        rig_log_open(r);
        sy_pipeline_options o = rig_options(r);
        o.loaded = spring;
        o.ctx = &t;
        if (sy_pipeline_start(&r->pipeline, &o, &r->fail))
            _exit(1);
        sy_pipeline_wait(r->pipeline, sy_journal_seq(r->journal), 20000);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static uint64_t log_end(pipeline_rig *r)
{
    rig_log_open(r);
    uint64_t seq = sy_journal_seq(r->journal);
    rig_log_close(r);
    return seq;
}

static void set_aside_for_crashes_alone(void **state)
{
    pipeline_rig *r = *state;
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    rig_celsius(r, RIG_DAY, 5);
    rig_reload(r, "9", "");
    uint64_t last = rig_append(r, SY_J_ACTIVATION, RIG_DAY, r->config->hash_hex);
    rig_log_close(r);
    for (int i = 0; i < 3; i++)
        assert_int_equal(run_into(r, killed), SIGKILL);
    for (int i = 0; i < 3 && !SANITIZED; i++)
        assert_int_equal(run_into(r, no_memory), SIGABRT);
    assert_int_equal(run_into(r, faulted), SIGSEGV);
    assert_int_equal(run_into(r, faulted), SIGSEGV);
    assert_int_equal(log_end(r), last); /* no quarantine so far */
    assert_int_equal(run_into(r, faulted), 0);
    assert_int_equal(log_end(r), last + 1);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_kill_is_not_a_crash),
        ROW(two_crashes_are),
        ROW(in_a_row),
        ROW(the_handler_before_runs_too),
        ROW(set_aside_for_crashes_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
