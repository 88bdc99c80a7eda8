/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Late readings, case by case: what is judged again and told how, where the line is behind which
 * nothing is, and the past states in the store. test_late_random has the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/engine.h"
#include "pipeline/redo.h"
#include "pipeline_rig.h"

typedef struct box {
    pipeline_rig rig;
    sy_engine *engine;
    sy_batch batch;
    uint64_t seq;
    sy_buf dump;
} box;

static void commit(box *b)
{
    sy_fail f = {0};
    const sy_batch_end end = {.seq = b->seq};
    if (sy_batch_commit(&b->batch, b->rig.store, sy_engine_site(b->engine), &end, &f))
        fail_msg("%s", f.text);
    sy_batch_reset(&b->batch);
}

static void give(box *b, uint8_t type, sy_ms recv, const char *source, const char *payload)
{
    sy_fail f = {0};
    sy_jrec rec = {.seq = b->seq + 1,
                   .recv = recv,
                   .type = type,
                   .code = type == SY_J_MESSAGE ? SY_TRANSPORT_MQTT | 0xffffu << 8 : 0,
                   .source = sy_span_of(source),
                   .payload = sy_span_of(payload)};
    if (sy_engine_switches(b->engine, &rec))
        commit(b);
    b->seq++;
    if (sy_engine_record(b->engine, &rec, &f))
        fail_msg("%s", f.text);
    commit(b);
    if (sy_engine_redo_due(b->engine)) {
        if (sy_engine_redo(b->engine, b->rig.store, &f))
            fail_msg("%s", f.text);
        commit(b);
    }
}

static sy_ms minute(int n)
{
    return RIG_DAY + n * RIG_MIN;
}

static void celsius(box *b, int at, int came, double value)
{
    char text[96];
    snprintf(text, sizeof text, "[{\"n\":\"t\",\"u\":\"Cel\",\"v\":%.1f,\"t\":%lld}]", value,
             (long long)(minute(at) / 1000));
    give(b, SY_J_MESSAGE, minute(came), "s/t1", text);
}

static void minutes(box *b, int from, int to, double value)
{
    for (int i = from; i <= to; i++)
        celsius(b, i, i, value);
}

static void activate(box *b, int at)
{
    give(b, SY_J_ACTIVATION, minute(at), "", b->rig.config->hash_hex);
}

static void begin(box *b, const char *version)
{
    memset(b, 0, sizeof *b);
    rig_open(&b->rig);
    rig_log_open(&b->rig);
    sy_batch_init(&b->batch);
    sy_buf_init(&b->dump, sy_heap());
    assert_int_equal(sy_engine_open(&b->engine, b->rig.data, &b->batch, &b->rig.fail), SY_OK);
    give(b, SY_J_START, minute(0), "", version);
    activate(b, 0);
}

static void end(box *b)
{
    sy_engine_close(b->engine);
    sy_batch_fini(&b->batch);
    sy_buf_fini(&b->dump);
    rig_close(&b->rig);
}

static size_t count(box *b, const char *word)
{
    size_t n = 0;
    sy_buf_reset(&b->dump);
    rig_dump(&b->rig, &b->dump);
    for (const char *p = b->dump.p; (p = strstr(p, word)); p += strlen(word))
        n++;
    return n;
}

/* Five minutes at 9 °C that came in two halves: the second shows that there was no alert. */
static void withdrawn(void **state)
{
    box b;
    (void)state;
    begin(&b, "{}");
    minutes(&b, 1, 10, 5);
    minutes(&b, 11, 20, 9);
    minutes(&b, 21, 40, 5);
    assert_int_equal(count(&b, "\nalert "), 1);
    for (int i = 12; i <= 18; i += 3) {
        char text[96];
        snprintf(text, sizeof text, "[{\"n\":\"t\",\"v\":5,\"t\":%lld}]",
                 (long long)(minute(i) / 1000 + 30));
        give(&b, SY_J_MESSAGE, minute(40), "s/t1", text);
    }
    assert_int_equal(count(&b, "withdrawn"), 0);
    give(&b, SY_J_TICK, minute(41), "", "");
    assert_int_equal(count(&b, "\"type\":\"steelyard.alert.withdrawn\""), 1);
    assert_int_equal(count(&b, "/3 {"), 1); /* raised, cleared, withdrawn */
    assert_int_equal(count(&b, "\"time\":\"2026-01-05T00:41:00.000Z\""), 1);
    assert_int_equal(rig_counter(&b.rig, SY_N_rejudged), 1);
    /* Again nothing new: the same readings make no difference. */
    give(&b, SY_J_MESSAGE, minute(60), "s/t1", "[{\"n\":\"t\",\"v\":5,\"t\":1767572010}]");
    give(&b, SY_J_TICK, minute(80), "", "");
    assert_int_equal(rig_counter(&b.rig, SY_N_rejudged), 2);
    assert_int_equal(count(&b, "withdrawn"), 3); /* type, change and state of the one event */
    end(&b);
}

/* The rule is gone since; what it said of that time is judged by it all the same. */
static void rules_of_that_time(void **state)
{
    box b;
    (void)state;
    begin(&b, "{}");
    minutes(&b, 1, 10, 5);
    minutes(&b, 11, 13, 9);
    minutes(&b, 40, 50, 5);
    rig_rules(&b.rig, "rule Q-1 version 1 \"Too cold\"\n  basis \"made for a test\" policy\n"
                      "  applies to subject any; goods any; stage any\n"
                      "  effective from 2020-01-01\n  watch each room: temperature\n"
                      "  missing after 3 min\n"
                      "  alert warning when temperature below 0 °C [law] for 5 min\n"
                      "  then tell inspector\nend\n");
    activate(&b, 51);
    minutes(&b, 52, 60, 5);
    for (int i = 14; i <= 39; i++)
        celsius(&b, i, 60, 9);
    give(&b, SY_J_TICK, minute(62), "", "");
    assert_int_equal(count(&b, "\"type\":\"steelyard.alert.raised\""), 1);
    assert_int_equal(count(&b, "\"type\":\"steelyard.alert.cleared\""), 1);
    assert_int_equal(count(&b, "alert.raised\",\"subject\":\"shop/cr-1/t1/t\",\"time\":"
                               "\"2026-01-05T01:02:00.000Z\""),
                     1);
    assert_int_equal(count(&b, "\"id\":\"P-1\",\"version\":1"), 2);
    end(&b);
}

static void another_version(void **state)
{
    box b;
    (void)state;
    begin(&b, "{\"version\":\"1.0\",\"clock\":\"wall\"}");
    minutes(&b, 1, 30, 5);
    give(&b, SY_J_START, minute(31), "", "{\"version\":\"1.1\",\"clock\":\"wall\"}");
    activate(&b, 31);
    minutes(&b, 32, 60, 5);
    give(&b, SY_J_MESSAGE, minute(60), "s/t1", "[{\"n\":\"t\",\"v\":9,\"t\":1767571830}]");
    give(&b, SY_J_MESSAGE, minute(60), "s/t1", "[{\"n\":\"t\",\"v\":7,\"t\":1767573630}]");
    give(&b, SY_J_TICK, minute(70), "", "");
    assert_int_equal(count(&b, " 9 uncertain+late\n"), 1); /* judged by another program */
    assert_int_equal(count(&b, " 7 good\n"), 1);
    assert_int_equal(rig_counter(&b.rig, SY_N_rejudged), 1);
    end(&b);
}

static void clock_set_back(void **state)
{
    box b;
    char text[64];
    (void)state;
    begin(&b, "{}");
    minutes(&b, 1, 60, 5);
    snprintf(text, sizeof text, "{\"old\":%lld,\"new\":%lld}", (long long)minute(61),
             (long long)minute(20));
    give(&b, SY_J_EPOCH, minute(20), "", text);
    minutes(&b, 70, 71, 5); /* ahead of the clock: receive time */
    give(&b, SY_J_TICK, minute(50), "", "");
    give(&b, SY_J_MESSAGE, minute(50), "s/t1", "[{\"n\":\"t\",\"v\":7,\"t\":1767572130}]");
    give(&b, SY_J_TICK, minute(70), "", "");
    assert_int_equal(count(&b, " 7 uncertain+late\n"), 1);
    assert_int_equal(rig_counter(&b.rig, SY_N_rejudged), 0);
    end(&b);
}

static void put(sy_store *s, const char *place, sy_ms time, uint64_t seq, const char *bytes)
{
    sy_fail f;
    sy_past p = {place, time, seq, "ab12", sy_span_of(bytes)};
    assert_int_equal(sy_store_past_put(s, &p, &f), SY_OK);
}

static void past_states(void **state)
{
    pipeline_rig *r = *state;
    sy_fail f;
    sy_past_at at;
    sy_buf bytes;
    rig_log_open(r);
    sy_buf_init(&bytes, sy_heap());
    assert_int_equal(sy_store_past_get(r->store, "a/1", 5000, &at, &bytes, &f), SY_E_NOTFOUND);
    assert_int_equal(sy_store_begin(r->store, false, &f), SY_OK);
    put(r->store, "a/1", 1000, 7, "one");
    put(r->store, "a/2", 1000, 7, "two");
    put(r->store, "a/2", 2000, 9, "three");
    put(r->store, "a/1", 3000, 12, "");
    put(r->store, "a/1", 3000, 13, "four");
    assert_int_equal(sy_store_commit(r->store, 13, &f), SY_OK);
    assert_int_equal(sy_store_past_get(r->store, "a/1", 2500, &at, &bytes, &f), SY_OK);
    assert_true(sy_span_is(sy_buf_span(&bytes), "one"));
    assert_int_equal(at.seq, 7);
    assert_string_equal(at.set_hash, "ab12");
    assert_int_equal(sy_store_past_next(r->store, "a/1", 1000, &at, &f), SY_OK);
    assert_int_equal(at.time, 3000);
    assert_int_equal(at.seq, 13);
    assert_int_equal(sy_store_past_next(r->store, "a/2", 2000, &at, &f), SY_E_NOTFOUND);
    assert_int_equal(sy_store_past_get(r->store, "a/1", 999, &at, &bytes, &f), SY_E_NOTFOUND);
    sy_buf_reset(&bytes);
    assert_int_equal(sy_store_past_get(r->store, "a/1", 9000, &at, &bytes, &f), SY_OK);
    assert_true(sy_span_is(sy_buf_span(&bytes), "four"));
    assert_int_equal(sy_store_begin(r->store, false, &f), SY_OK);
    assert_int_equal(sy_store_past_forget(r->store, 3000, &f), SY_OK);
    assert_int_equal(sy_store_commit(r->store, 14, &f), SY_OK);
    assert_int_equal(sy_store_past_get(r->store, "a/2", 9000, &at, &bytes, &f), SY_E_NOTFOUND);
    sy_buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(withdrawn),
        cmocka_unit_test(rules_of_that_time),
        cmocka_unit_test(another_version),
        cmocka_unit_test(clock_set_back),
        cmocka_unit_test_setup_teardown(past_states, rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
