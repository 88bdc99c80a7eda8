/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inbox's desk without listeners: forms, cases, what events say of an alert, the filter, the
 * numbers of orders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "inbox/db_int.h"
#include "inbox/form.h"

static void forms(void **state)
{
    static const struct {
        const char *body, *a; /* a: its value; NULL: refused */
    } rows[] = {
        {"a=1&b=2", "1"},
        {"b=&a=+x%20y+", "x y"},
        {"a=%E7%8E%8B", "王"},
        {"a=1%0D%0A2%0D%0A", "1\n2"},
        {"", ""},
        {"b=1", ""},
        {"a=1&a=2", "1"},
        {"a=%2", NULL},
        {"a=%zz", NULL},
        {"a=%00", NULL},
        {"a=%ff", NULL},
        {"a=%c0%80", NULL},
        {"a=%1b[0m", NULL},
        {"a", NULL},
        {"a=1&&b=2", NULL},
        {"1=&2=&3=&4=&5=&6=&7=&8=&9=&10=&11=&12=&13=&14=&15=&16=&17=", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sy_form form;
        sy_fail f;
        sy_err e = sy_form_parse(sy_span_of(rows[i].body), &form, &f);
        if ((e == SY_OK) != (rows[i].a != NULL)) {
            fail_msg("row %zu: %s", i, rows[i].body);
        }
        if (e == SY_OK) {
            assert_string_equal(sy_form_get(&form, "a"), rows[i].a);
            sy_form_free(&form);
        }
    }
}

static void names(void **state)
{
    char text[SY_DESK_WHO_MAX + 2];
    (void)state;
    memset(text, 'x', sizeof text);
    text[SY_DESK_WHO_MAX + 1] = 0;
    assert_false(sy_who_fits(text));
    text[SY_DESK_WHO_MAX] = 0;
    assert_true(sy_who_fits(text));
    assert_true(sy_who_fits("王芳"));
    assert_false(sy_who_fits(""));
    assert_false(sy_who_fits("a\nb"));
    assert_false(sy_who_fits("\xff"));
}

static void tokens(void **state)
{
    sy_visitor v = {.token = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    char token[SY_TOKEN_CHARS + 2];
    (void)state;
    memcpy(token, v.token, sizeof v.token);
    assert_true(sy_guard_token(&v, token));
    v.fresh = true; /* a visitor without the cookie has no token */
    assert_false(sy_guard_token(&v, token));
    v.fresh = false;
    token[SY_TOKEN_CHARS - 1] = 'b';
    assert_false(sy_guard_token(&v, token));
    token[SY_TOKEN_CHARS - 1] = 0;
    assert_false(sy_guard_token(&v, token));
    assert_false(sy_guard_token(&v, ""));
}

static void steps(void **state)
{
    (void)state;
    assert_true(sy_case_may(SY_CASE_NEW, SY_CASE_NOTIFIED));
    assert_true(sy_case_may(SY_CASE_NEW, SY_CASE_CLOSED));
    assert_true(sy_case_may(SY_CASE_CLOSED, SY_CASE_NEW));
    assert_false(sy_case_may(SY_CASE_REPLIED, SY_CASE_NOTIFIED));
    assert_false(sy_case_may(SY_CASE_NEW, SY_CASE_NEW));
    assert_false(sy_case_may(SY_CASE_NEW, SY_CASE_STATES));
    assert_int_equal(sy_case_of("odd"), SY_CASE_STATES);
    assert_int_equal(sy_case_of(NULL), SY_CASE_NEW);
}

/* ---- with a store ---- */
typedef struct desk {
    char dir[64];
    sy_inbox_db *db;
    sy_inbox_alert last;
    char by[64];
    int n;
} desk;

static int open_desk(void **state)
{
    desk *d = calloc(1, sizeof *d);
    sy_fail f;
    snprintf(d->dir, sizeof d->dir, "/tmp/sy-desk-XXXXXX");
    assert_non_null(mkdtemp(d->dir));
    assert_int_equal(sy_inbox_db_open(&d->db, d->dir, true, &f), SY_OK);
    *state = d;
    return 0;
}

static int close_desk(void **state)
{
    static const char *const files[] = {"inbox.db", "inbox.db-wal", "inbox.db-shm"};
    desk *d = *state;
    char path[128];
    sy_inbox_db_close(d->db);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", d->dir, files[i]);
        unlink(path);
    }
    rmdir(d->dir);
    free(d);
    return 0;
}

/* An event of gw; more: further members of its data, with a comma before them. */
static void take(desk *d, const char *id, const char *type, const char *alert, const char *more)
{
    char text[2048];
    sy_cloud_batch b;
    sy_inbox_counted counted;
    sy_fail f;
    int n =
        snprintf(text, sizeof text,
                 "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/steelyard/gw\",\"type\":"
                 "\"steelyard.%s\",\"time\":\"2026-01-01T00:00:00Z\",\"data\":{\"alert\":{"
                 "\"id\":\"%s\",\"severity\":\"warning\",\"state\":\"active\"},\"rule\":{\"id\":"
                 "\"R_1\"},\"premises\":{\"id\":\"p%%1\",\"name\":\"冷库\"}%s}}",
                 id, type, alert, more);
    assert_int_equal(sy_cloud_parse((sy_span){text, (size_t)n}, &b, &f), SY_OK);
    sy_inbox_sender from = {"CN=gw", "gw"};
    assert_int_equal(sy_inbox_db_add(d->db, &b, &from, 1000, &counted, &f), SY_OK);
    assert_int_equal(counted.stored, 1);
    sy_cloud_free(&b);
}

static void note(void *ctx, const sy_inbox_alert *a)
{
    desk *d = ctx;
    d->last = *a;
    snprintf(d->by, sizeof d->by, "%s", a->acked_who ? a->acked_who : "");
    d->n++;
}

static const sy_inbox_alert *get(desk *d, const char *alert)
{
    sy_fail f;
    int64_t seq = sy_inbox_db_find(d->db, "/steelyard/gw", alert);
    assert_int_equal(sy_inbox_db_alert(d->db, seq, note, d, &f), SY_OK);
    return &d->last;
}

static int count(desk *d, const sy_inbox_filter *w)
{
    sy_fail f;
    d->n = 0;
    assert_int_equal(sy_inbox_db_newest(d->db, w, 0, 100, note, d, &f), SY_OK);
    return d->n;
}

#define ACT(kind, who, via)                                                                        \
    ",\"act\":{\"kind\":\"" kind "\",\"who\":" who ",\"via\":\"" via                               \
    "\",\"at\":\"2026-01-01T00:00:05.000Z\"}"

static void how_an_alert_stands(void **state)
{
    desk *d = *state;
    take(d, "a/1", "alert.raised", "A", "");
    assert_true(get(d, "A")->acked == SY_MS_NONE);
    take(d, "a/2", "alert.unanswered", "A", "");
    assert_true(get(d, "A")->unanswered);
    take(d, "a/3", "alert.acknowledged", "A", ACT("acknowledge", "\"Li\"", "order/1"));
    assert_int_equal(get(d, "A")->acked, 1767225605000);
    assert_string_equal(d->by, "Li");
    assert_false(d->last.unanswered);
    take(d, "a/4", "alert.commented", "A", ACT("comment", "\"Wu\"", "local"));
    assert_int_equal(get(d, "A")->acked, 1767225605000);
    assert_string_equal(d->by, "Li");
    take(d, "a/5", "alert.escalated", "A", ""); /* worse: wants to be acknowledged anew */
    assert_true(get(d, "A")->acked == SY_MS_NONE);
    take(d, "a/6", "alert.shelved", "A",
         ",\"shelved\":true,\"shelved_until\":\"2026-01-01T01:00:00.000Z\"" ACT("shelve", "\"Li\"",
                                                                                "local"));
    assert_int_equal(get(d, "A")->shelved, 1767229200000);
    sy_inbox_filter shelved = {.state = "shelved", .now = 1767229200000 - 1};
    assert_int_equal(count(d, &shelved), 1);
    shelved.now++; /* it ends by itself, whether or not its event has come */
    assert_int_equal(count(d, &shelved), 0);
    take(d, "a/7", "alert.unshelved", "A", ACT("unshelve", "null", "clock"));
    assert_true(get(d, "A")->shelved == SY_MS_NONE && d->last.acked == SY_MS_NONE);
    take(d, "a/8", "alert.unshelved", "A", ACT("unshelve", "null", "local")); /* who was redacted */
    assert_true(get(d, "A")->acked != SY_MS_NONE);
    take(d, "b/1", "alert.raised", "B", ",\"replaces\":\"A\"");
    assert_true(get(d, "B")->acked != SY_MS_NONE);
    take(d, "c/1", "alert.raised", "C", ",\"replaces\":\"unknown\",\"group\":\"g1\"");
    assert_true(get(d, "C")->acked == SY_MS_NONE);
    assert_int_equal(count(d, &(sy_inbox_filter){.group = "g1"}), 1);
    take(d, "g1/1", "group.raised", "g1", ",\"group\":{\"id\":\"g1\",\"quiet\":3,\"of\":4}");
    assert_int_equal(count(d, &(sy_inbox_filter){.group = "g1"}), 1);
    assert_int_equal(count(d, &(sy_inbox_filter){.state = "unacknowledged"}), 1);
}

static void filters(void **state)
{
    desk *d = *state;
    take(d, "a/1", "alert.raised", "A", "");
    static const struct {
        sy_inbox_filter w;
        int n;
    } rows[] = {
        {{0}, 1},
        {{.premises = "p%1"}, 1},
        {{.premises = "p"}, 0},
        {{.rule = "R_1"}, 1},
        {{.text = "r_1"}, 1},
        {{.text = "rx1"}, 0}, /* _ and % mean themselves */
        {{.text = "p%1"}, 1},
        {{.text = "%%"}, 0},
        {{.text = "\\"}, 0},
        {{.text = "冷"}, 1},
        {{.text = "' OR 1=1 --"}, 0},
        {{.severity = 2}, 1},
        {{.severity = 3}, 0},
        {{.state = "active"}, 1},
        {{.state = "odd"}, 0},
        {{.case_state = "new"}, 1},
        {{.case_state = "closed"}, 0},
        {{.source = "/steelyard/gw"}, 1},
        {{.source = "/steelyard/other"}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (count(d, &rows[i].w) != rows[i].n) {
            fail_msg("row %zu: %d", i, d->n);
        }
    }
}

static void cases_are_only_added_to(void **state)
{
    desk *d = *state;
    sy_fail f;
    take(d, "a/1", "alert.raised", "A", "");
    sy_desk_step s = {.source = "/steelyard/gw", .alert = "A", .state = "notified", .who = "Li"};
    assert_int_equal(sy_desk_case_add(d->db, &s, &f), SY_OK);
    assert_int_equal(sy_desk_case_add(d->db, &s, &f), SY_E_RANGE);
    s.state = "closed";
    s.why = "mended";
    assert_int_equal(sy_desk_case_add(d->db, &s, &f), SY_E_RANGE);
    s.outcome = "rectified";
    assert_int_equal(sy_desk_case_add(d->db, &s, &f), SY_OK);
    assert_string_equal(get(d, "A")->case_state ? "there" : "not", "there");
    s.alert = "Z";
    assert_int_equal(sy_desk_case_add(d->db, &s, &f), SY_E_NOTFOUND);
    assert_int_not_equal(sqlite3_exec(d->db->db, "UPDATE cases SET who='x'", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(d->db->db, "DELETE FROM cases", NULL, NULL, NULL), SQLITE_OK);
}

static void serve(desk *d, const char *gateway, int64_t after, const char *want)
{
    sy_buf b;
    sy_fail f;
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_desk_serve(d->db, gateway, after, 1, &b, &f), SY_OK);
    assert_string_equal(b.p, want);
    sy_buf_fini(&b);
}

static void note_fetched(void *ctx, const sy_desk_order *o)
{
    unsigned *fetched = ctx;
    *fetched |= o->asked ? 1u << o->seq : 0;
}

/* Bits: the numbers of orders that count as fetched. */
static unsigned fetched(desk *d)
{
    sy_fail f;
    unsigned bits = 0;
    assert_int_equal(sy_desk_orders(d->db, NULL, NULL, 0, 9, note_fetched, &bits, &f), SY_OK);
    return bits;
}

static void numbers_of_orders(void **state)
{
    desk *d = *state;
    sy_fail f;
    int64_t number = 0;
    sy_desk_order o = {.kind = "evidence", .alert = "A", .who = "w", .signer = "s", .at = 1};
    static const char *const rows[][3] = {
        {"/steelyard/gw", "1", "j1"}, {"/steelyard/other", "1", "j2"}, {"*", "2", "j3"}};
    for (size_t i = 0; i < 3; i++) {
        o.source = rows[i][0];
        o.id = rows[i][1];
        o.jws = rows[i][2];
        assert_int_equal(sy_desk_order_add(d->db, &o, &number, &f), SY_OK);
        assert_int_equal(number, i + 1);
        assert_int_equal(sy_desk_order_add(d->db, &o, &number, &f), SY_E_EXISTS);
    }
    serve(d, "/steelyard/gw", 0,
          "{\"orders\":[\n{\"number\":1,\"order\":\"j1\"},\n{\"number\":3,\"order\":\"j3\"}],"
          "\"next\":3}\n");
    assert_int_equal(fetched(d), 0);
    serve(d, "/steelyard/gw", 3, "{\"orders\":[],\"next\":3}\n");
    assert_int_equal(fetched(d), 1u << 1 | 1u << 3); /* one to all: by any of them */
    serve(d, "/steelyard/none", 0, "{\"orders\":[\n{\"number\":3,\"order\":\"j3\"}],\"next\":3}\n");
    char id[65];
    assert_int_equal(sy_desk_evidence_wanted(d->db, "/steelyard/gw", "A", NULL, id, &f), SY_OK);
    assert_string_equal(id, "1");
    assert_int_equal(sy_desk_evidence_wanted(d->db, "/steelyard/gw", "B", NULL, id, &f),
                     SY_E_NOTFOUND);
    assert_int_equal(sy_desk_evidence_wanted(d->db, "/steelyard/gw", "A", "9", id, &f),
                     SY_E_NOTFOUND);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),      cmocka_unit_test(names),  cmocka_unit_test(tokens),
        cmocka_unit_test(steps),      ROW(how_an_alert_stands), ROW(filters),
        ROW(cases_are_only_added_to), ROW(numbers_of_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
