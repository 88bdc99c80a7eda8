/* SPDX-License-Identifier: Apache-2.0 */
/* kill -9 at any instant: what was acknowledged is in the journal, once, and in order. A child
 * appends from two threads and acknowledges over a pipe; the parent kills it after a number of
 * acknowledgements that differs from round to round, and looks. */
#include "journal_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 20, THREADS = 2 };

typedef struct sender {
    sy_journal *j;
    int fd, round, id;
} sender;

/* One acknowledgement: seq and what it stands for; shorter than PIPE_BUF, so never mixed. */
typedef struct ack {
    uint64_t seq;
    int round, id, i;
} ack;

static void *send_for_ever(void *ctx)
{
    sender *s = ctx;
    for (int i = 0;; i++) {
        char text[64];
        snprintf(text, sizeof text, "%d/%d/%d", s->round, s->id, i);
        ack a = {.round = s->round, .id = s->id, .i = i};
        sy_fail f;
        sy_jrec rec = {.type = SY_J_MESSAGE, .payload = sy_span_of(text)};
        if (sy_journal_append(s->j, &rec, &f))
            _exit(3);
        a.seq = rec.seq;
        if (write(s->fd, &a, sizeof a) != sizeof a)
            _exit(4);
    }
    return NULL;
}

static void child(const char *dir, int round, int fd)
{
    sy_journal_options o = rig_options(dir, 16384);
    o.sync_ms = 5;
    sy_journal *j = NULL;
    sy_fail f;
    if (sy_journal_open(&j, &o, &f))
        _exit(2);
    sender s[THREADS];
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++) {
        s[i] = (sender){j, fd, round, i};
        pthread_create(&t[i], NULL, send_for_ever, &s[i]);
    }
    pthread_join(t[0], NULL);
}

/* Kill after `after` acknowledgements; all that were given are appended to acks. */
static void run_and_kill(const char *dir, int round, size_t after, sy_buf *acks)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        child(dir, round, fds[1]);
        _exit(5);
    }
    close(fds[1]);
    ack a;
    for (size_t n = 0; read(fds[0], &a, sizeof a) == sizeof a; n++) {
        sy_buf_put(acks, &a, sizeof a);
        if (n == after)
            kill(pid, SIGKILL);
    }
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void check(const char *dir, const sy_buf *acks)
{
    size_t n = acks->n / sizeof(ack);
    uint64_t highest = 0;
    for (size_t i = 0; i < n; i++) {
        ack a;
        memcpy(&a, acks->p + i * sizeof a, sizeof a);
        highest = a.seq > highest ? a.seq : highest;
    }
    char **have = calloc(highest + 1, sizeof *have);
    sy_jreader *r;
    sy_jrec rec;
    sy_fail f;
    sy_err e;
    uint64_t last = 0;
    assert_int_equal(sy_jreader_open(&r, NULL, dir, 1, &f), SY_OK);
    while ((e = sy_jreader_next(r, &rec, &f)) == SY_OK) {
        assert_int_equal(rec.seq, ++last); /* once, and no gap */
        if (rec.seq <= highest)
            have[rec.seq] = strndup(rec.payload.p, rec.payload.n);
    }
    assert_int_equal(e, SY_E_AGAIN);
    for (size_t i = 0; i < n; i++) {
        ack a;
        char text[64];
        memcpy(&a, acks->p + i * sizeof a, sizeof a);
        snprintf(text, sizeof text, "%d/%d/%d", a.round, a.id, a.i);
        assert_non_null(have[a.seq]);
        assert_string_equal(have[a.seq], text);
    }
    for (uint64_t i = 0; i <= highest; i++)
        free(have[i]);
    free(have);
    sy_jreader_close(r);
}

static void killed_at_any_instant(void **state)
{
    sy_buf acks;
    sy_buf_init(&acks, sy_heap());
    unsigned seed = 20240229;
    for (int round = 0; round < ROUNDS; round++) {
        run_and_kill(*state, round, (size_t)rand_r(&seed) % 1500, &acks);
        check(*state, &acks);
    }
    sy_buf_fini(&acks);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, rig_dir_setup, rig_dir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(killed_at_any_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
