/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence without a gateway: its JSON, its page, and what a verifier says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ledger/verify.h"

static const char alert[] = "0123456789abcdef0123456789abcdef";
static const char body_text[] =
    "{\"specversion\":\"1.0\",\"id\":\"0123456789abcdef0123456789abcdef/1\","
    "\"source\":\"/steelyard/"
    "gw\",\"type\":\"steelyard.alert.raised\",\"time\":\"2026-01-05T00:16:00.000Z\",\"data\":{"
    "\"change\":\"raised\",\"clock\":\"wall\",\"alert\":{\"id\":"
    "\"0123456789abcdef0123456789abcdef\",\"severity\":\"major\",\"onset\":"
    "\"2026-01-05T00:11:00.000Z\",\"raised\":\"2026-01-05T00:16:00.000Z\",\"cleared\":null,"
    "\"state\":\"active\",\"min\":9,\"max\":9.5,\"count\":2},\"rule\":{\"id\":\"R-1\",\"version\":"
    "1,"
    "\"title\":{\"en\":\"Hot & <i>\",\"zh\":\"过热\"},\"judgement\":\"j\"},\"premises\":{\"id\":"
    "\"p\",\"name\":\"</script><script>x\"},\"place\":{\"id\":\"c\"},\"tell\":[\"inspector\"]}}";
static const char lines_text[] =
    "{\"basis\":1,\"event\":\"0123456789abcdef0123456789abcdef/1\",\"set\":\"s\",\"rule\":{\"id\":"
    "\"R-1\",\"judgement\":\"j\",\"text\":\"rule R-1\"},\"premises\":{\"offset\":28800}}\n"
    "{\"point\":\"d/t\",\"device\":\"d\",\"unit\":\"degC\",\"words\":null,\"every\":60000,"
    "\"limits\":[8],\"dues\":[{\"what\":\"calibration\",\"of\":\"point\",\"due\":\"2026-05-01\"}]}"
    "\n"
    "{\"series\":\"d/t\",\"t\":1767571860000,\"v\":9,\"q\":\"good\"}\n"
    "{\"series\":\"d/t\",\"t\":1767571920000,\"v\":9.5,\"q\":\"uncertain+late\"}\n"
    "{\"series\":\"d/t\",\"t\":1767571980000,\"v\":\"7ff0000000000000\",\"q\":\"bad\"}\n"
    "{\"point\":\"d/"
    "door\",\"device\":\"d\",\"quantity\":\"door\",\"unit\":null,\"words\":[\"open\","
    "\"closed\"],\"every\":0,\"limits\":[],\"dues\":[]}\n"
    "{\"series\":\"d/door\",\"t\":1767571800000,\"v\":1,\"q\":\"good\"}\n"
    "{\"series\":\"d/door\",\"t\":1767571920000,\"v\":0,\"q\":\"good\"}\n";

typedef struct said {
    sy_buf text;
    sy_check c;
} said;

static void tell(void *ctx, sy_finding_kind kind, const char *text)
{
    sy_buf_printf(ctx, "%d %s\n", (int)kind, text);
}

static void said_init(said *s)
{
    sy_buf_init(&s->text, sy_heap());
    s->c = (sy_check){.tell = tell, .ctx = &s->text};
}

/* One event under a head that a key without certificates signed. */
static void make(sy_evidence *e)
{
    sy_fail f;
    sy_es256 *key = NULL;
    sy_evidence_init(e);
    memcpy(e->alert, alert, sizeof alert);
    sy_evidence_event *v = sy_evidence_add_event(e);
    sy_buf_text(&v->body, body_text);
    sy_buf_text(&v->basis, lines_text);
    sy_leaf_event leaf = {.id = {body_text + 27, 34},
                          .body = sy_buf_span(&v->body),
                          .set = sy_span_of("s"),
                          .readings = true};
    assert_true(sy_verify_lines(sy_buf_span(&v->basis), &leaf.n, &leaf.root));
    sy_leaf_event_text(&leaf, &v->proof.leaf);
    assert_int_equal(sy_es256_make(&key, &f), SY_OK);
    sy_head head = {.gateway = sy_span_of("gw"),
                    .box = sy_span_of("b"),
                    .kid = sy_span_of(sy_es256_kid(key)),
                    .size = 1,
                    .root = sy_merkle_leaf(sy_buf_span(&v->proof.leaf)),
                    .time = 1767571970000};
    v->has_proof = true;
    v->proof.size = 1;
    sy_signed_head *h = &v->proof.head;
    sy_head_text(&head, &h->text);
    sy_buf_span_put(&h->spki, sy_es256_spki(key));
    assert_int_equal(sy_es256_sign(key, sy_buf_span(&h->text), h->signature, &f), SY_OK);
    sy_es256_close(key);
}

static void the_same_again(void **state)
{
    (void)state;
    sy_evidence e, again;
    sy_buf one, two;
    sy_fail f;
    make(&e);
    sy_buf_init(&one, sy_heap());
    sy_buf_init(&two, sy_heap());
    sy_evidence_json(&e, &one);
    assert_null(strchr(one.p, '<'));
    sy_evidence_init(&again);
    assert_int_equal(sy_evidence_read(sy_buf_span(&one), &again, &f), SY_OK);
    sy_evidence_json(&again, &two);
    assert_string_equal(one.p, two.p);
    sy_evidence_free(&again);
    sy_evidence_free(&e);
    sy_buf_fini(&one);
    sy_buf_fini(&two);
}

static void shown(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "Hot &amp; &lt;i&gt;",
        "&lt;/script&gt;&lt;script&gt;x",
        "major",
        "2026-01-05 08:11:00", /* the premises' time */
        "UTC+08:00",
        "9.5\xc2\xa0°C",
        "uncertain+<wbr>late",
        "7ff0000000000000",
        "calibration due 2026-05-01",
        "told inspector",
        "<pre>rule R-1</pre>",
        "class=\"limit\"",
        "class=\"unsure\"",
        "class=\"bad\"",
        "<td>open</td>",
        "<td>closed</td>",
        "M62.0 22.7H512.0L512.0 175.3\"/>", /* a state goes in steps */
    };
    sy_evidence e;
    sy_buf page;
    sy_fail f;
    make(&e);
    sy_buf_init(&page, sy_heap());
    assert_int_equal(sy_evidence_page(&e, &page, &f), SY_OK);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(page.p, parts[i]))
            fail_msg("no %s in\n%s", parts[i], page.p);
    const char *first = strstr(page.p, "<script");
    assert_non_null(first);
    assert_null(strstr(first + 1, "<script"));
    sy_evidence_free(&e);
    sy_buf_fini(&page);
}

/* All stands but for whose key it is: nobody gave the authority's certificate. */
static void what_is_said(void **state)
{
    (void)state;
    sy_evidence e;
    sy_buf page;
    sy_fail f;
    said s;
    make(&e);
    said_init(&s);
    sy_buf_init(&page, sy_heap());
    assert_int_equal(sy_evidence_page(&e, &page, &f), SY_OK);
    assert_int_equal(sy_verify_evidence(sy_buf_span(&page), &s.c, &f), SY_OK);
    assert_int_equal(s.c.broken, 1);
    assert_non_null(strstr(s.text.p, "2 whose key it is was not checked"));
    assert_non_null(strstr(s.text.p, "0 event 1 (steelyard.alert.raised): its text and readings"));
    assert_non_null(strstr(s.text.p, "0 the page shows what is proven"));
    assert_null(strstr(s.text.p, "is proven\n0 alert"));
    /* Readings exchanged for others, the page made to fit. */
    sy_buf_reset(&s.text);
    sy_buf_reset(&page);
    *strstr(e.events[0].basis.p, "9.5") = '7';
    assert_int_equal(sy_evidence_page(&e, &page, &f), SY_OK);
    assert_int_equal(sy_verify_evidence(sy_buf_span(&page), &s.c, &f), SY_OK);
    assert_non_null(strstr(s.text.p, "2 event 1: its list of readings was changed: leaf 0"));
    sy_evidence_free(&e);
    sy_buf_fini(&page);
    sy_buf_fini(&s.text);
}

/* A leaf without a set (the gateway's own notices), with one, and with other readings. */
static void leaves(void **state)
{
    (void)state;
    const char *part = NULL;
    sy_span id = sy_span_of("box/1"), body = sy_span_of("{}"), none = {NULL, 0};
    sy_leaf_event e = {.id = id, .body = body};
    sy_buf leaf;
    sy_buf_init(&leaf, sy_heap());
    sy_leaf_event_text(&e, &leaf);
    assert_true(sy_verify_leaf(sy_buf_span(&leaf), id, body, none, &part));
    assert_false(sy_verify_leaf(sy_buf_span(&leaf), id, body, sy_span_of("a\n"), &part));
    assert_string_equal(part, "list of readings");
    assert_false(sy_verify_leaf(sy_buf_span(&leaf), id, sy_span_of("{ }"), none, &part));
    assert_string_equal(part, "body");
    sy_buf_reset(&leaf);
    e.set = sy_span_of("abc");
    sy_leaf_event_text(&e, &leaf);
    assert_true(sy_verify_leaf(sy_buf_span(&leaf), id, body, none, &part));
    leaf.n--;
    assert_false(sy_verify_leaf(sy_buf_span(&leaf), id, body, none, &part));
    sy_buf_fini(&leaf);
}

static void nonsense(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"version\":1,\"language\":\"en\",\"alert\":\"x\",\"events\":{}}",
        "{\"version\":1,\"language\":\"en\",\"alert\":\"x\",\"events\":[1]}",
        "{\"version\":2,\"language\":\"en\",\"alert\":\"x\",\"events\":[]}",
        "{\"version\":1,\"language\":\"en\",\"alert\":\"0123456789abcdef0123456789abcdef0\","
        "\"events\":[]}",
        "{\"version\":1,\"language\":\"en\",\"alert\":\"x\",\"events\":[{\"body\":\"{}\",\"proof\":"
        "null,\"basis\":[\"a\\nb\"]}]}",
        "{\"version\":1,\"language\":\"en\",\"alert\":\"x\",\"events\":[],\"originals\":[{"
        "\"record\":"
        "\"\",\"index\":0,\"records\":1,\"path\":[],\"segment\":0}]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sy_evidence e;
        sy_fail f;
        sy_evidence_init(&e);
        if (sy_evidence_read(sy_span_of(texts[i]), &e, &f) != SY_E_PARSE)
            fail_msg("taken: %s", texts[i]);
        sy_evidence_free(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_again), cmocka_unit_test(shown),
        cmocka_unit_test(what_is_said),   cmocka_unit_test(leaves),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
