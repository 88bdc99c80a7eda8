/* SPDX-License-Identifier: Apache-2.0 */
/* The basis of an event: which readings are listed, that the list is the same in a replay, and that
 * its root is that of its lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/basis.h"
#include "pipeline_rig.h"
#include "store/basis.h"

static void minutes(pipeline_rig *r, int from, int to, double celsius)
{
    for (int i = from; i <= to; i++) {
        rig_celsius(r, RIG_DAY + i * RIG_MIN, celsius);
        rig_mark(r, RIG_DAY + i * RIG_MIN);
    }
}

static void story(pipeline_rig *r)
{
    rig_start(r);
    rig_mark(r, RIG_DAY);
    minutes(r, 1, 10, 5);
    minutes(r, 11, 20, 9);
    minutes(r, 21, 30, 4);
}

typedef struct all {
    sy_store *store;
    sy_buf text;
    size_t n;
} all;

static bool add(void *ctx, const sy_event_row *e)
{
    all *a = ctx;
    uint64_t n = 0;
    sy_digest root, again;
    sy_fail f;
    sy_buf lines;
    sy_merkle tree;
    sy_buf_init(&lines, sy_heap());
    sy_merkle_init(&tree);
    assert_int_equal(sy_store_basis_get(a->store, e->id, &n, &root, &lines, &f), SY_OK);
    for (size_t i = 0, from = 0; i < lines.n; i++) {
        if (lines.p[i] == '\n') {
            sy_digest leaf = sy_merkle_leaf((sy_span){lines.p + from, i - from});
            sy_merkle_add(&tree, &leaf);
            from = i + 1;
        }
    }
    again = sy_merkle_root(&tree);
    assert_true(sy_digest_equal(&root, &again));
    assert_int_equal(tree.n, n);
    sy_buf_printf(&a->text, "== %s %s\n%s", e->kind, e->id, lines.p);
    a->n++;
    sy_buf_fini(&lines);
    return true;
}

/* All lists of the folder as text. */
static size_t lists(pipeline_rig *r, sy_buf *out)
{
    all a = {.store = r->store};
    sy_fail f;
    sy_buf_init(&a.text, sy_heap());
    assert_int_equal(sy_store_events(r->store, NULL, add, &a, &f), SY_OK);
    *out = a.text;
    return a.n;
}

static size_t count(const char *text, const char *end, const char *word)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, word)) && (!end || p < end); p += strlen(word))
        n++;
    return n;
}

static void what_is_listed(void **state)
{
    pipeline_rig *r = *state;
    sy_buf text;
    rig_log_open(r);
    story(r);
    rig_run(r);
    assert_int_equal(lists(r, &text), 2);
    const char *cleared = strstr(text.p, "== cleared");
    assert_non_null(cleared);
    /* Onset at minute 11, raised at 16: six readings and the last before. */
    assert_int_equal(count(text.p, cleared, "{\"series\":"), 7);
    assert_int_equal(count(text.p, cleared, "\"v\":5,\"q\":\"good\"}"), 1);
    assert_int_equal(count(text.p, cleared, "\"v\":9,\"q\":\"good\"}"), 6);
    static const char *const parts[] = {
        "{\"basis\":1,\"event\":\"",
        "\"rule\":{\"id\":\"P-1\",\"version\":1,\"judgement\":\"",
        "\"text\":\"rule P-1 version 1 \\\"Too warm\\\" / “过热”\\n",
        "  say \\\"Do something.\\\"\\nend\"}",
        "\"premises\":{\"id\":\"shop\",\"name\":\"Shop\",\"code\":null,",
        "\"zone\":\"Asia/"
        "Shanghai\",\"offset\":28800},\"place\":{\"id\":\"cr-1\",\"kind\":\"room\",",
        "{\"point\":\"t1/t\",\"device\":\"t1\",\"name\":\"t\",\"place\":\"cr-1\","
        "\"quantity\":\"temperature\",\"unit\":\"degC\",\"words\":null,\"every\":60000,",
        "\"range\":[-40,60],\"accuracy\":null,",
        "\"limits\":[8,20],\"dues\":[],",
        "\"from\":1767571860000,\"to\":1767572160000,\"left_out\":0}\n"
        "{\"series\":\"t1/t\",\"t\":1767571800000,\"v\":5,\"q\":\"good\"}\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text.p, parts[i]))
            fail_msg("no %s in\n%s", parts[i], text.p);
    sy_buf_fini(&text);
}

/* A batch for each record, or all in one; the lists do not know. */
static void the_same_in_a_replay(void **state)
{
    pipeline_rig *r = *state;
    sy_buf once, again;
    rig_log_open(r);
    story(r);
    rig_run(r);
    (void)lists(r, &once);
    rig_log_close(r);
    char command[200];
    snprintf(command, sizeof command, "rm -f %s/store.db*", r->data);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    rig_log_open(r);
    sy_pipeline_options o = rig_options(r);
    o.batch_records = 1;
    assert_int_equal(sy_pipeline_start(&r->pipeline, &o, &r->fail), SY_OK);
    assert_true(sy_pipeline_wait(r->pipeline, sy_journal_seq(r->journal), 20000));
    sy_pipeline_stop(r->pipeline);
    (void)lists(r, &again);
    assert_string_equal(once.p, again.p);
    sy_buf_fini(&once);
    sy_buf_fini(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_listed, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(the_same_in_a_replay, rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
