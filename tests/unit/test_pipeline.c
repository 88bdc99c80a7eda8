/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline over a journal that the test writes: what is stored, that a process killed at any
 * batch comes to the same rows, alerts and events, quarantine, reload, snapshots.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/batch.h"
#include "pipeline_rig.h"

/* Readings a minute apart, each followed by its mark. */
static void minutes(pipeline_rig *r, int from, int to, double celsius)
{
    for (int i = from; i <= to; i++) {
        rig_celsius(r, RIG_DAY + i * RIG_MIN, celsius);
        rig_mark(r, RIG_DAY + i * RIG_MIN);
    }
}

/* Two runs above the limit, the second above the higher one too; what no point matches, what cannot
 * be decoded, a duplicate, a reading out of range. In the end two readings come half an hour and
 * more late: the first run was interrupted, and began later. */
static void story(pipeline_rig *r)
{
    rig_start(r);
    rig_mark(r, RIG_DAY);
    minutes(r, 1, 10, 5);
    minutes(r, 11, 20, 9);
    rig_message(r, "s/t1", SY_MSG_PROMISE, "[{\"n\":\"t\",");
    rig_message(r, "s/t1", SY_MSG_PROMISE, "[{\"n\":\"t\",\"u\":\"Pa\",\"v\":1}]");
    rig_message(r, "s/t1", 0, "[{\"n\":\"x\",\"v\":1}]");
    rig_message(r, "s/t1", SY_MSG_RETAINED, "[{\"n\":\"t\",\"v\":1}]");
    rig_celsius(r, RIG_DAY + 20 * RIG_MIN, 9);
    minutes(r, 21, 30, 4);
    rig_celsius(r, RIG_DAY + 30 * RIG_MIN + 30000, 99);
    minutes(r, 31, 40, 10);
    minutes(r, 41, 50, 22);
    minutes(r, 51, 60, 3);
    rig_celsius(r, RIG_DAY + 12 * RIG_MIN + 30000, 3);
    rig_celsius(r, RIG_DAY + 25 * RIG_MIN + 30000, 4);
    minutes(r, 61, 65, 3);
}

static sy_span run_and_dump(pipeline_rig *r, sy_buf *out)
{
    rig_run(r);
    rig_dump(r, out);
    return sy_buf_span(out);
}

static size_t count(sy_span text, const char *word)
{
    size_t n = 0;
    for (const char *p = text.p; (p = strstr(p, word)); p += strlen(word))
        n++;
    return n;
}

static void a_story(void **state)
{
    pipeline_rig *r = *state;
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    rig_log_open(r);
    story(r);
    sy_span text = run_and_dump(r, &out);
    assert_int_equal(count(text, "reading t1/t"), 68);
    assert_int_equal(count(text, "99 bad+out-of-range"), 1);
    assert_int_equal(rig_counter(r, SY_N_received), 73);
    assert_int_equal(rig_counter(r, SY_N_acknowledged), 71);
    assert_int_equal(rig_counter(r, SY_N_stored), 68);
    assert_int_equal(rig_counter(r, SY_N_duplicates), 1);
    assert_int_equal(rig_counter(r, SY_N_rejected), 2);
    assert_int_equal(rig_counter(r, SY_N_unmatched), 1);
    assert_int_equal(rig_counter(r, SY_N_retained), 1);
    assert_int_equal(rig_counter(r, SY_N_late), 0);
    assert_int_equal(rig_counter(r, SY_N_rejudged), 1);
    assert_int_equal(rig_counter(r, SY_N_alerts), 3); /* one of them found late */
    /* The first alert: raised, cleared, told to the county; the second: raised, escalated, cleared,
     * from the escalation on told to hq too, and to the end to those who were told first. Then the
     * first is withdrawn, and another one raised and cleared in its place. */
    assert_int_equal(count(text, "event county"), 8);
    assert_int_equal(count(text, "event hq"), 2);
    assert_int_equal(rig_counter(r, SY_N_events_queued), 10);
    /* What tells of danger goes first. */
    assert_int_equal(count(text, "event county 0 "), 4);
    assert_int_equal(count(text, "event county 1 "), 4);
    assert_int_equal(count(text, "\"type\":\"steelyard.alert.raised\""), 3);
    assert_int_equal(count(text, "\"type\":\"steelyard.alert.escalated\""), 2);
    assert_int_equal(count(text, "\"type\":\"steelyard.alert.cleared\""), 4);
    assert_int_equal(count(text, "\"type\":\"steelyard.alert.withdrawn\""), 1);
    assert_int_equal(count(text, "\"reason\":\"late-readings\""), 3);
    assert_int_equal(count(text, "\"reason\":null"), 7);
    sy_buf_fini(&out);
}

static void an_event(void **state)
{
    pipeline_rig *r = *state;
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    rig_log_open(r);
    story(r);
    sy_span text = run_and_dump(r, &out);
    static const char *const parts[] = {
        "/1 {\"specversion\":\"1.0\",\"id\":\"",
        "\"source\":\"/steelyard/gw-1\",\"type\":\"steelyard.alert.raised\","
        "\"subject\":\"shop/cr-1/t1/t\",\"time\":\"2026-01-05T00:16:00.000Z\"",
        "\"change\":\"raised\",\"clock\":\"replay\",\"alert\":{\"id\":\"",
        "\"rule\":\"P-1\",\"pack\":null,\"version\":1,\"subject\":\"shop/cr-1/t1/t\","
        "\"severity\":\"warning\",\"onset\":\"2026-01-05T00:11:00.000Z\"",
        "\"title\":{\"en\":\"Too warm\",\"zh\":\"过热\"}",
        "\"basis\":[{\"text\":{\"en\":\"made for a test\",\"zh\":null},\"clause\":null,"
        "\"verify\":false,\"origin\":\"policy\"}]",
        "\"limit\":{\"en\":\"temperature above 8 °C for 5 min\",",
        "\"premises\":{\"id\":\"shop\",\"name\":\"Shop\",\"code\":null},"
        "\"place\":{\"id\":\"cr-1\",\"kind\":\"room\",\"name\":null},\"device\":\"t1\","
        "\"series\":\"t1/t\",\"quantity\":\"temperature\",\"unit\":\"degC\"",
        "\"tell\":[\"inspector\"],\"respond_within_ms\":7200000",
        "\"tell\":[\"duty-chief\"],\"respond_within_ms\":null",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text.p, parts[i]))
            fail_msg("no %s in\n%s", parts[i], text.p);
    sy_buf_fini(&out);
}

/* What a child does: run the pipeline, and die at its n-th commit, before or after it. */
typedef struct killer {
    int after_commits, before_commits;
} killer;

static void die_after(void *ctx, bool with_events)
{
    (void)with_events;
    if (--((killer *)ctx)->after_commits == 0)
        kill(getpid(), SIGKILL);
}

static void die_before(void *ctx, uint64_t rejected[SY_REJECT_COUNT], uint64_t *duplicates)
{
    (void)rejected, (void)duplicates;
    if (--((killer *)ctx)->before_commits == 0)
        kill(getpid(), SIGKILL);
}

static void child(pipeline_rig *r, killer k)
{
    rig_log_open(r);
    sy_pipeline_options o = rig_options(r);
    o.on_commit = die_after;
    o.take_refused = die_before;
    o.ctx = &k;
    o.batch_records = 7;
    o.snapshot_records = 20;
    /* A process that dies sooner than it writes its position would come no further. */
    if (k.after_commits + k.before_commits < 5)
        sy_store_commit_every(r->store, 0);
    if (sy_pipeline_start(&r->pipeline, &o, &r->fail) ||
        !sy_pipeline_wait(r->pipeline, sy_journal_seq(r->journal), 20000))
        _exit(1);
    _exit(0); /* without a clean end */
}

/* Children until one comes through; how many died. */
static int run_killed(pipeline_rig *r, killer k)
{
    for (int died = 0; died < 200; died++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            child(r, k);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return died;
        }
        assert_int_equal(WTERMSIG(status), SIGKILL);
    }
    fail_msg("no child came through");
    return 0;
}

static void killed_at_each_batch(void **state)
{
    pipeline_rig *r = *state;
    static const killer kills[] = {{1, 0}, {2, 0}, {5, 0}, {0, 2}, {0, 3}, {0, 6}};
    sy_buf want, got;
    sy_buf_init(&want, sy_heap());
    sy_buf_init(&got, sy_heap());
    rig_log_open(r);
    story(r);
    run_and_dump(r, &want);
    rig_log_close(r); /* no thread of ours when children are made */
    for (size_t i = 0; i < sizeof kills / sizeof *kills; i++) {
        pipeline_rig again;
        rig_open(&again);
        rig_log_open(&again);
        story(&again);
        rig_log_close(&again);
        int died = run_killed(&again, kills[i]);
        rig_log_open(&again);
        sy_buf_reset(&got);
        run_and_dump(&again, &got);
        assert_string_equal(got.p, want.p);
        assert_in_range(died, 2, 199);
        rig_close(&again);
    }
    sy_buf_fini(&got);
    sy_buf_fini(&want);
}

/* As the handler of attempt.c leaves it: a crash at seq. */
static void write_attempt(const pipeline_rig *r, uint64_t seq)
{
    char path[128];
    unsigned char bytes[8], crash[8] = {SIGSEGV};
    snprintf(path, sizeof path, "%s/attempt", r->data);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(seq >> (8 * i));
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, 8, 0), 8);
    assert_int_equal(pwrite(fd, crash, 8, 24), 8);
    close(fd);
}

static void expect_no_attempt(const pipeline_rig *r)
{
    char path[128];
    unsigned char bytes[8], zeros[8] = {0};
    snprintf(path, sizeof path, "%s/attempt", r->data);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, bytes, 8, 0), 8);
    assert_memory_equal(bytes, zeros, 8);
    close(fd);
}

static void start_and_stop(pipeline_rig *r)
{
    rig_log_open(r);
    rig_run(r);
    rig_log_close(r);
}

static void quarantined(void **state)
{
    pipeline_rig *r = *state;
    char path[160];
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    rig_celsius(r, RIG_DAY - RIG_MIN, 5);
    uint64_t poison = rig_celsius(r, RIG_DAY, 6);
    rig_run(r);
    expect_no_attempt(r);
    rig_log_close(r);
    /* Died of it once, then of another, then of it again: not in a row. */
    for (uint64_t seq = poison; seq + 1 >= poison && seq <= poison; seq--) {
        write_attempt(r, seq);
        start_and_stop(r);
    }
    write_attempt(r, poison);
    start_and_stop(r);
    start_and_stop(r); /* it came through once: forgiven */
    write_attempt(r, poison);
    start_and_stop(r);
    rig_log_open(r);
    assert_int_equal(rig_counter(r, SY_N_stored), 2);
    uint64_t before = sy_journal_seq(r->journal);
    assert_int_equal(before, poison); /* no quarantine so far */
    rig_log_close(r);
    write_attempt(r, poison); /* now twice in a row */
    start_and_stop(r);
    /* The record is in the log, and a rebuild from nothing skips what it names. */
    for (const char *const *name =
             (const char *const[]){"store.db", "store.db-wal", "store.db-shm", NULL};
         *name; name++) {
        snprintf(path, sizeof path, "%s/%s", r->data, *name);
        unlink(path);
    }
    rig_log_open(r);
    assert_int_equal(sy_journal_seq(r->journal), before + 1);
    run_and_dump(r, &out);
    assert_int_equal(count(sy_buf_span(&out), "reading t1/t"), 1);
    assert_int_equal(rig_counter(r, SY_N_stored), 1);
    assert_int_equal(rig_counter(r, SY_N_rejected), 1);
    sy_buf_fini(&out);
}

static void late_in_the_log(void **state)
{
    pipeline_rig *r = *state;
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    minutes(r, 1, 30, 5);
    rig_celsius(r, RIG_DAY + 25 * RIG_MIN + 1000, 6); /* within ten minutes: judged at once */
    rig_celsius(r, RIG_DAY + 5 * RIG_MIN + 1000, 7);  /* judged again later */
    rig_celsius(r, RIG_DAY - RIG_MIN, 8);             /* from before the box was there: not */
    sy_span text = run_and_dump(r, &out);
    assert_int_equal(count(text, " 6 good\n"), 1);
    assert_int_equal(count(text, " 7 good\n"), 1);
    assert_int_equal(count(text, " 8 uncertain+late\n"), 1);
    assert_int_equal(rig_counter(r, SY_N_late), 1);
    assert_int_equal(rig_counter(r, SY_N_rejudged), 0); /* nothing is due yet */
    rig_mark(r, RIG_DAY + 33 * RIG_MIN);
    rig_run(r);
    assert_int_equal(rig_counter(r, SY_N_rejudged), 1);
    sy_buf_fini(&out);
}

static void before_the_first_mark(void **state)
{
    pipeline_rig *r = *state;
    sy_buf first, second;
    sy_buf_init(&first, sy_heap());
    sy_buf_init(&second, sy_heap());
    rig_log_open(r);
    rig_start(r);
    for (int i = 0; i < 10; i++)
        rig_celsius(r, RIG_DAY + i * RIG_MIN, 9);
    rig_mark(r, RIG_DAY + 10 * RIG_MIN);
    run_and_dump(r, &first);
    assert_int_equal(count(sy_buf_span(&first), "steelyard.alert.raised"), 1);
    /* In two runs, the first of which ends before there is a clock. */
    pipeline_rig again;
    rig_open(&again);
    rig_log_open(&again);
    rig_start(&again);
    for (int i = 0; i < 10; i++)
        rig_celsius(&again, RIG_DAY + i * RIG_MIN, 9);
    rig_run(&again);
    rig_mark(&again, RIG_DAY + 10 * RIG_MIN);
    run_and_dump(&again, &second);
    assert_string_equal(second.p, first.p);
    rig_close(&again);
    sy_buf_fini(&second);
    sy_buf_fini(&first);
}

/* Another limit, while an alert is open; the log alone, read again, gives the same. */
/* What the pipeline logs goes to `to`; the former stderr. */
static int log_into(int to)
{
    fflush(stderr);
    int was = dup(STDERR_FILENO);
    assert_true(was >= 0 && dup2(to, STDERR_FILENO) == STDERR_FILENO);
    return was;
}

static void too_many_before_the_first_mark(void **state)
{
    pipeline_rig *r = *state;
    char path[128];
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    rig_log_open(r);
    rig_start(r);
    for (int i = 0; i < 402; i++) {
        sy_buf_reset(&text);
        for (int k = 0; k < 500; k++)
            sy_buf_printf(&text, "%s{\"n\":\"t\",\"u\":\"Cel\",\"v\":5,\"t\":%lld}", k ? "," : "[",
                          (long long)(RIG_DAY / 1000 + i * 500 + k));
        sy_buf_char(&text, ']');
        rig_message(r, "s/t1", SY_MSG_PROMISE, text.p);
    }
    rig_mark(r, RIG_DAY + 202 * RIG_MIN * 60);
    snprintf(path, sizeof path, "%s/log", r->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    int was = log_into(fd);
    rig_run(r);
    close(log_into(was));
    close(was);
    assert_int_equal(rig_counter(r, SY_N_stored), 201000);
    sy_buf_reset(&text);
    char *room = malloc(65536);
    ssize_t n = pread(fd, room, 65535, 0);
    assert_in_range(n, 1, 65534);
    sy_span said = {room, (size_t)n};
    assert_int_equal(count(said, "early-not-judged"), 1);
    assert_int_equal(count(said, "early-not-judged thread=sy-pipeline seq=403 limit=200000"), 1);
    free(room);
    close(fd);
    sy_buf_fini(&text);
}

static void reloaded(void **state)
{
    pipeline_rig *r = *state;
    sy_buf first, second;
    char path[160];
    sy_buf_init(&first, sy_heap());
    sy_buf_init(&second, sy_heap());
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    minutes(r, 1, 10, 9);
    rig_reload(r, "12", "");
    rig_append(r, SY_J_ACTIVATION, 0, r->config->hash_hex);
    minutes(r, 11, 20, 9);
    minutes(r, 21, 30, 13);
    run_and_dump(r, &first);
    sy_span text = sy_buf_span(&first);
    assert_int_equal(count(text, "above 8 °C"), 1);
    assert_true(count(text, "above 12 °C") >= 2);
    rig_log_close(r);
    snprintf(path, sizeof path, "rm -f %s/store.db*", r->data);
    assert_int_equal(system(path), 0); // NOLINT(cert-env33-c)
    rig_log_open(r);
    run_and_dump(r, &second);
    assert_string_equal(second.p, first.p);
    sy_buf_fini(&second);
    sy_buf_fini(&first);
}

/* The points are numbered anew in the midst of a batch: t2/t becomes the first. */
static void renumbered(void **state)
{
    pipeline_rig *r = *state;
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    rig_log_open(r);
    rig_start(r);
    rig_celsius(r, RIG_DAY, 1);
    rig_mark(r, RIG_DAY);
    rig_message(r, "s/t2", 0, "2");
    rig_celsius(r, RIG_DAY + 1000, 3);
    rig_reload(r, "8", ", id: a-first");
    rig_append(r, SY_J_ACTIVATION, 0, r->config->hash_hex);
    rig_message(r, "s/t2", 0, "4");
    rig_celsius(r, RIG_DAY + 2000, 5);
    sy_span text = run_and_dump(r, &out);
    static const char *const lines[] = {
        "reading t1/t 1767571200000 1 good\n", "reading t2/t 1767571200000 2 good\n",
        "reading t1/t 1767571201000 3 good\n", "reading a-first 1767571200000 4 good\n",
        "reading t1/t 1767571202000 5 good\n"};
    for (size_t i = 0; i < 5; i++)
        if (count(text, lines[i]) != 1)
            fail_msg("no %s in\n%s", lines[i], text.p);
    sy_buf_fini(&out);
}

static sy_err refuse(void *ctx, uint64_t seq, sy_fail *f)
{
    (void)ctx;
    return sy_fail_set(f, SY_E_IO, "record %llu cannot be synced", (unsigned long long)seq);
}

/* A transaction that fails is tried again with all that is in it. */
static void a_failed_commit(void **state)
{
    pipeline_rig *r = *state;
    sy_batch batch;
    sy_batch_end bad = {.seq = 1, .sync = refuse}, good = {.seq = 1};
    sy_batch_reading reading = {.t = RIG_DAY, .recv = RIG_DAY, .value = 7, .seq = 1};
    uint64_t position = 99;
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    rig_log_open(r);
    sy_batch_init(&batch);
    assert_int_equal(sy_batch_reading_add(&batch, &reading), SY_OK);
    sy_batch_count(&batch, SY_N_received, 1);
    const sy_site *site = r->config->site;
    assert_int_not_equal(sy_batch_commit(&batch, r->store, site, &bad, &r->fail), SY_OK);
    assert_int_equal(sy_store_position(r->store, &position, &r->fail), SY_OK);
    assert_int_equal(position, 0);
    assert_int_equal(sy_batch_commit(&batch, r->store, site, &good, &r->fail), SY_OK);
    sy_batch_fini(&batch);
    rig_dump(r, &out);
    assert_int_equal(count(sy_buf_span(&out), "reading "), 1);
    assert_int_equal(rig_counter(r, SY_N_received), 1);
    assert_int_equal(rig_counter(r, SY_N_stored), 1);
    sy_buf_fini(&out);
}

/* A store that cannot be written, a full disk, must not keep the gateway from ending: what was not
 * stored is in the journal, and is stored by the next start. */
static void a_stop_while_nothing_can_be_stored(void **state)
{
    pipeline_rig *r = *state;
    sy_store *shut;
    uint64_t position;
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    minutes(r, 1, 3, 4);
    assert_int_equal(sy_store_open(&shut, r->data, true, &r->fail), SY_OK);
    sy_pipeline_options o = rig_options(r);
    o.store = shut;
    o.batch_records = 2;
    assert_int_equal(sy_pipeline_start(&r->pipeline, &o, &r->fail), SY_OK);
    alarm(60); /* ends the test where the stop does not end */
    sy_pipeline_stop(r->pipeline);
    alarm(0);
    sy_store_close(shut);
    assert_int_equal(sy_store_position(r->store, &position, &r->fail), SY_OK);
    assert_int_equal(position, 0);
    rig_run(r);
    assert_int_equal(rig_counter(r, SY_N_stored), rig_counter(r, SY_N_received));
    assert_true(rig_counter(r, SY_N_stored) > 0);
}

static void a_useless_snapshot(void **state)
{
    pipeline_rig *r = *state;
    sy_buf want, got;
    uint64_t position = 0;
    sy_buf_init(&want, sy_heap());
    sy_buf_init(&got, sy_heap());
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    minutes(r, 1, 8, 9);
    rig_run(r);
    assert_int_equal(sy_store_position(r->store, &position, &r->fail), SY_OK);
    assert_int_equal(sy_store_begin(r->store, false, &r->fail), SY_OK);
    assert_int_equal(sy_store_snapshot_put(r->store, position, r->config->hash_hex,
                                           sy_span_of("\001no snapshot"), &r->fail),
                     SY_OK);
    assert_int_equal(sy_store_commit(r->store, position, &r->fail), SY_OK);
    minutes(r, 9, 20, 4);
    run_and_dump(r, &got);
    pipeline_rig whole;
    rig_open(&whole);
    rig_log_open(&whole);
    rig_start(&whole);
    rig_mark(&whole, RIG_DAY);
    minutes(&whole, 1, 8, 9);
    minutes(&whole, 9, 20, 4);
    run_and_dump(&whole, &want);
    assert_string_equal(got.p, want.p);
    assert_int_equal(count(sy_buf_span(&got), "steelyard.alert.cleared"), 1);
    rig_close(&whole);
    sy_buf_fini(&got);
    sy_buf_fini(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_story, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(an_event, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(killed_at_each_batch, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(quarantined, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(late_in_the_log, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(before_the_first_mark, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(too_many_before_the_first_mark, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(reloaded, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(renumbered, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(a_failed_commit, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(a_stop_while_nothing_can_be_stored, rig_set_up,
                                        rig_tear_down),
        cmocka_unit_test_setup_teardown(a_useless_snapshot, rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
