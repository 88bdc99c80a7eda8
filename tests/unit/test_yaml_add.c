/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items added to a YAML text: comments, order and spelling stay, and the result says what it
 * should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/yaml_add.h"

static void on_error(void *ctx, uint32_t at, uint32_t len, const char *code, const char *en,
                     const char *zh)
{
    (void)ctx, (void)at, (void)len, (void)zh;
    print_error("%s: %s\n", code, en);
}

typedef struct tree {
    sy_arena nodes, texts;
    const sy_ynode *root;
} tree;

static void parse(tree *t, sy_span text)
{
    sy_arena_init(&t->nodes, sy_heap(), 0);
    sy_arena_init(&t->texts, sy_heap(), 0);
    if (sy_yaml_parse(text, &t->nodes, &t->texts, on_error, NULL, &t->root))
        fail_msg("not YAML:\n%.*s", (int)text.n, text.p);
}

static void drop(tree *t)
{
    sy_arena_fini(&t->nodes);
    sy_arena_fini(&t->texts);
}

/* The place "p/x" of the file, or its root. */
static const sy_ynode *map_of(const tree *t, bool place)
{
    const sy_ynode *premises = sy_yaml_get(t->root, "premises");
    return place ? sy_yaml_get(premises->values[0], "places")->values[0] : t->root;
}

static const struct {
    const char *text, *key;
    bool place;
    const char *added; /* NULL: it cannot be edited */
} cases[] = {
    /* block lists */
    {"a: 1\ndevices:\n  - {id: x}   # the first\n  # end\nb: 2\n", "devices", false,
     "a: 1\ndevices:\n  - {id: x}   # the first\n  - {id: n}\n  - {id: m}\n  # end\nb: 2\n"},
    {"devices:\n- id: x\n  topic: |\n    more\n    lines\n\nb: 2\n", "devices", false,
     "devices:\n- id: x\n  topic: |\n    more\n    lines\n- {id: n}\n- {id: m}\n\nb: 2\n"},
    {"devices:\n  - id: x\n    map: {a: b,\n      c: d}", "devices", false,
     "devices:\n  - id: x\n    map: {a: b,\n      c: d}\n  - {id: n}\n  - {id: m}\n"},
    {"devices:\n  - {id: x}\n...\n", "devices", false,
     "devices:\n  - {id: x}\n  - {id: n}\n  - {id: m}\n...\n"},
    /* flow lists */
    {"devices: [{id: 'it''s]'}, {id: \"]\\\"\"}] # ]\n", "devices", false,
     "devices: [{id: 'it''s]'}, {id: \"]\\\"\"}, {id: n}, {id: m}] # ]\n"},
    {"devices: []\n", "devices", false, "devices: [{id: n}, {id: m}]\n"},
    {"devices: [\n  {id: x}, # one ]\n  ]\n", "devices", false,
     "devices: [\n  {id: x}, # one ]\n  {id: n}, {id: m}]\n"},
    {"{\"devices\": [{\"id\": \"x\"}], \"b\": 1}", "devices", false,
     "{\"devices\": [{\"id\": \"x\"}, {id: n}, {id: m}], \"b\": 1}"},
    /* no list yet */
    {"a: {b: 1}\n", "devices", false, "a: {b: 1}\ndevices:\n  - {id: n}\n  - {id: m}\n"},
    {"a: 1\ndevices:\nb: 2\n", "devices", false,
     "a: 1\ndevices:\n  - {id: n}\n  - {id: m}\nb: 2\n"},
    {"premises: [{id: p, places: [{id: x, kind: room}]}]\n", "points", true,
     "premises: [{id: p, places: [{id: x, points: [{id: n}, {id: m}], kind: room}]}]\n"},
    {"premises:\n  - id: p\n    places:\n      - id: \"x\" # here\n        kind: room\n", "points",
     true,
     "premises:\n  - id: p\n    places:\n      - id: \"x\" # here\n        points:\n"
     "          - {id: n}\n          - {id: m}\n        kind: room\n"},
    {"premises:\n  - id: p\n    places:\n      - {id: x, points: [{id: q}]}\n", "points", true,
     "premises:\n  - id: p\n    places:\n      - {id: x, points: [{id: q}, {id: n}, {id: m}]}\n"},
    {"{\"a\": {\"b\": 1}}", "devices", false, NULL},
    {"", "devices", false, NULL},
};

static void it_is_added_and_nothing_else_changes(void **state)
{
    (void)state;
    static const char *const items[] = {"{id: n}", "{id: m}"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sy_span text = sy_span_of(cases[i].text);
        sy_yaml_edit e;
        sy_fail f = {0};
        tree t;
        parse(&t, text);
        sy_err err = sy_yaml_add(text, t.root ? map_of(&t, cases[i].place) : NULL, cases[i].key,
                                 items, 2, &e, &f);
        if (!cases[i].added) {
            assert_int_equal(err, SY_E_UNSUPPORTED);
        } else if (err) {
            fail_msg("case %zu: %s", i, f.text);
        } else {
            sy_buf out;
            tree after;
            sy_buf_init(&out, sy_heap());
            sy_yaml_apply(text, &e, 1, &out);
            assert_string_equal(out.p, cases[i].added);
            parse(&after, sy_buf_span(&out));
            const sy_ynode *list = sy_yaml_get(map_of(&after, cases[i].place), cases[i].key);
            assert_true(list->n >= 2);
            assert_true(sy_span_is(sy_yaml_get(list->values[list->n - 1], "id")->text, "m"));
            drop(&after);
            sy_buf_fini(&out);
        }
        sy_buf_fini(&e.text);
        drop(&t);
    }
}

static void the_difference_is_shown(void **state)
{
    (void)state;
    sy_span text = sy_span_of("a: 1\nb: [x]\nc:\n  - y\n");
    sy_yaml_edit edits[2];
    static const char *const item[] = {"z"};
    tree t;
    parse(&t, text);
    assert_int_equal(sy_yaml_add(text, t.root, "c", item, 1, &edits[0], NULL), SY_OK);
    assert_int_equal(sy_yaml_add(text, t.root, "b", item, 1, &edits[1], NULL), SY_OK);
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    sy_yaml_diff("f", text, edits, 2, &out);
    assert_string_equal(out.p, "--- f\n+++ f\n@@ line 2 @@\n-b: [x]\n+b: [x, z]\n@@ line 5 @@\n"
                               "+  - z\n");
    sy_buf_reset(&out);
    sy_yaml_apply(text, edits, 2, &out);
    assert_string_equal(out.p, "a: 1\nb: [x, z]\nc:\n  - y\n  - z\n");
    sy_buf_fini(&out);
    sy_buf_fini(&edits[0].text);
    sy_buf_fini(&edits[1].text);
    drop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_added_and_nothing_else_changes),
        cmocka_unit_test(the_difference_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
