/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline while somebody steps the wall clock: over a journal whose clock the test holds,
 * live, so that ticks come from the pipeline itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "intake/journal_int.h"
#include "pipeline_rig.h"

#define HOUR (60 * RIG_MIN)

static const char silence[] = "rule S-1 version 1 \"Silent\" / “无数据”\n"
                              "  basis \"made for a test\" policy\n"
                              "  applies to subject any; goods any; stage any\n"
                              "  effective from 2020-01-01\n"
                              "  watch each room: temperature\n"
                              "  missing after 3 min\n"
                              "  alert notice when temperature has no data for 15 min [policy]\n"
                              "  then tell inspector\n"
                              "end\n";

typedef struct hands {
    _Atomic sy_ms wall, mono;
} hands;

typedef struct stepped {
    pipeline_rig rig;
    hands hands;
    sy_buf dump;
} stepped;

static sy_ms wall(void *ctx)
{
    return atomic_load(&((hands *)ctx)->wall);
}

static sy_ms mono(void *ctx)
{
    return atomic_load(&((hands *)ctx)->mono);
}

static bool synced(void *ctx)
{
    (void)ctx;
    return true;
}

static void open_log(stepped *s)
{
    char dir[128];
    uint64_t position = 0;
    pipeline_rig *r = &s->rig;
    assert_int_equal(sy_store_open(&r->store, r->data, false, &r->fail), SY_OK);
    assert_int_equal(sy_store_position(r->store, &position, &r->fail), SY_OK);
    snprintf(dir, sizeof dir, "%s/journal", r->data);
    sy_journal_options o = {
        .dir = dir, .segment_bytes = 1 << 20, .reserve_bytes = 1, .after_seq = position};
    sy_jio io = sy_journal__io();
    io.clock = (sy_clock_source){wall, mono, synced, &s->hands};
    assert_int_equal(sy_journal__open(&r->journal, &o, &io, &r->fail), SY_OK);
}

static void start(stepped *s)
{
    sy_pipeline_options o = rig_options(&s->rig);
    o.replay_clock = false;
    assert_int_equal(sy_pipeline_start(&s->rig.pipeline, &o, &s->rig.fail), SY_OK);
}

static void settle(stepped *s)
{
    assert_true(sy_pipeline_wait(s->rig.pipeline, sy_journal_seq(s->rig.journal), 20000));
}

static void stop(stepped *s)
{
    settle(s);
    sy_pipeline_stop(s->rig.pipeline);
}

/* START is appended as the gateway does it live, without the code of the replay clock. */
static void append_start(stepped *s)
{
    sy_jrec rec = {.type = SY_J_START, .payload = sy_span_of("{}")};
    assert_int_equal(sy_journal_append(s->rig.journal, &rec, &s->rig.fail), SY_OK);
    rig_append(&s->rig, SY_J_ACTIVATION, 0, s->rig.config->hash_hex);
}

static void elapse(stepped *s, sy_ms by)
{
    atomic_fetch_add(&s->hands.mono, by);
    atomic_fetch_add(&s->hands.wall, by);
}

/* Readings without a time of their own, a minute apart. */
static void minutes(stepped *s, int n, double celsius)
{
    char text[64];
    snprintf(text, sizeof text, "[{\"n\":\"t\",\"u\":\"Cel\",\"v\":%.1f}]", celsius);
    for (int i = 0; i < n; i++) {
        elapse(s, RIG_MIN);
        rig_message(&s->rig, "s/t1", SY_MSG_PROMISE, text);
    }
}

static void set_up(stepped *s, const char *rules)
{
    memset(s, 0, sizeof *s);
    rig_open(&s->rig);
    if (rules)
        rig_rules(&s->rig, rules);
    sy_buf_init(&s->dump, sy_heap());
    atomic_store(&s->hands.mono, 1000);
    atomic_store(&s->hands.wall, RIG_DAY + 8 * HOUR);
    open_log(s);
    append_start(s);
}

static void tear_down(stepped *s)
{
    rig_close(&s->rig);
    sy_buf_fini(&s->dump);
}

static size_t count(const sy_buf *text, const char *word)
{
    size_t n = 0;
    for (const char *p = text->p; (p = strstr(p, word)); p += strlen(word))
        n++;
    return n;
}

static void dump(stepped *s)
{
    sy_buf_reset(&s->dump);
    rig_dump(&s->rig, &s->dump);
}

static void expect_story(const stepped *s)
{
    assert_int_equal(count(&s->dump, "late"), 1); /* the counter's name */
    assert_int_equal(count(&s->dump, "\"type\":\"steelyard.alert.raised\""), 2);
    assert_int_equal(count(&s->dump, "\"type\":\"steelyard.alert.cleared\""), 1);
    assert_int_equal(count(&s->dump, "\nlate 0\n"), 1);
    /* The first, raised in the old time, ends in the new one; the second is of the new alone. */
    assert_int_equal(count(&s->dump, "\"cleared\":\"2026-01-05T00:1"), 1);
    assert_int_equal(count(&s->dump, "\"onset\":\"2026-01-05T00:2"), 1);
}

/* Ten minutes too warm, eight hours back, ten minutes well, ten too warm. */
static void story(stepped *s, bool again)
{
    minutes(s, 10, 9);
    if (again) { /* with a snapshot before the step, and one after it */
        stop(s);
        start(s);
    }
    atomic_fetch_sub(&s->hands.wall, 8 * HOUR);
    minutes(s, 2, 9);
    if (again) {
        stop(s);
        start(s);
    }
    minutes(s, 8, 5);
    minutes(s, 10, 9);
}

static void a_step_back(void **state)
{
    char command[160];
    stepped one, other;
    (void)state;
    set_up(&one, NULL);
    start(&one);
    story(&one, false);
    stop(&one);
    dump(&one);
    expect_story(&one);
    /* with snapshots in between */
    set_up(&other, NULL);
    start(&other);
    story(&other, true);
    stop(&other);
    dump(&other);
    assert_string_equal(other.dump.p, one.dump.p);
    tear_down(&other);
    /* the log alone, read again without any */
    sy_buf first = one.dump;
    sy_buf_init(&one.dump, sy_heap());
    rig_log_close(&one.rig);
    snprintf(command, sizeof command, "rm -f %s/store.db*", one.rig.data);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
    open_log(&one);
    start(&one);
    stop(&one);
    dump(&one);
    assert_string_equal(one.dump.p, first.p);
    sy_buf_fini(&first);
    tear_down(&one);
}

/* Whether the log holds n records of this type, looked at until it does or a while has passed. */
static bool wait_for(stepped *s, sy_jtype type, int n)
{
    char dir[128];
    snprintf(dir, sizeof dir, "%s/journal", s->rig.data);
    sy_ms until = sy_mono_ms() + 20000;
    while (sy_mono_ms() < until) {
        sy_jreader *r = NULL;
        sy_jrec rec;
        int found = 0;
        assert_int_equal(sy_jreader_open(&r, NULL, dir, 1, &s->rig.fail), SY_OK);
        while (!sy_jreader_next(r, &rec, &s->rig.fail))
            found += rec.type == type;
        sy_jreader_close(r);
        if (found >= n)
            return true;
        sy_pipeline_wait(s->rig.pipeline, sy_journal_seq(s->rig.journal) + 1, 20);
    }
    return false;
}

/* A tick that meets the step says that it was due in the old time; the next come in the new. */
static void silence_is_told_after_the_step(void **state)
{
    stepped s;
    (void)state;
    set_up(&s, silence);
    start(&s);
    minutes(&s, 3, 5);
    settle(&s);
    elapse(&s, 6 * RIG_MIN);
    atomic_fetch_sub(&s.hands.wall, 8 * HOUR);
    minutes(&s, 2, 5);
    settle(&s);
    elapse(&s, 30 * RIG_MIN); /* nothing but ticks says so */
    assert_true(wait_for(&s, SY_J_TICK, 1));
    settle(&s);
    dump(&s);
    assert_int_equal(count(&s.dump, "\"type\":\"steelyard.alert.raised\""), 1);
    assert_int_equal(count(&s.dump, "\"onset\":\"2026-01-05T00:11"), 1);
    /* Heard again, silent again: the deadline is met by a tick whose record finds the step. */
    minutes(&s, 20, 5);
    settle(&s);
    elapse(&s, 30 * RIG_MIN);
    atomic_fetch_sub(&s.hands.wall, 2 * HOUR);
    assert_true(wait_for(&s, SY_J_TICK, 2));
    assert_true(wait_for(&s, SY_J_EPOCH, 2));
    minutes(&s, 20, 5);
    settle(&s);
    elapse(&s, 30 * RIG_MIN);
    assert_true(wait_for(&s, SY_J_TICK, 3));
    settle(&s);
    dump(&s);
    assert_int_equal(count(&s.dump, "\"type\":\"steelyard.alert.raised\""), 3);
    assert_int_equal(count(&s.dump, "\"type\":\"steelyard.alert.cleared\""), 2);
    assert_int_equal(count(&s.dump, "\nlate 0\n"), 1);
    stop(&s);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_back),
        cmocka_unit_test(silence_is_told_after_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
