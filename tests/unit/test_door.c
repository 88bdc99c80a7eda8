/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who stands before the door: refused, unknown, revoked; and who watches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "door/pending.h"
#include "door/refused.h"
#include "door/revoked.h"
#include "door/watch.h"

static void refuse(sy_refused *t, const char *who, const char *reason, sy_ms now)
{
    sy_refusal r = {.transport = SY_TRANSPORT_MQTT,
                    .why = SY_REJECT_NOT_ALLOWED,
                    .reason = reason,
                    .who = sy_span_of(who),
                    .peer = "192.0.2.7",
                    .detail = "wrong"};
    sy_refused_note(t, &r, now);
}

static char *json_of(sy_refused *t, sy_buf *b)
{
    sy_buf_init(b, sy_heap());
    sy_refused_json(t, b);
    assert_false(b->failed);
    return b->p;
}

static void each_name_and_reason_is_counted(void **state)
{
    (void)state;
    sy_refused *t = sy_refused_open();
    refuse(t, "a", "wrong-password", 1000);
    refuse(t, "b", NULL, 2000);
    refuse(t, "a", "wrong-password", 3000);
    refuse(t, "a", "stolen-topic", 2500);
    refuse(t, "a", "wrong-password", 4000);
    sy_buf b;
    const char *json = json_of(t, &b);
    assert_non_null(strstr(json, "\"total\":5,\"forgotten\":0"));
    assert_non_null(strstr(json, "[{\"transport\":\"mqtt\",\"device\":\"a\",\"reason\":"
                                 "\"wrong-password\",\"count\":3,\"last\":"
                                 "\"1970-01-01T00:00:04.000Z\",\"peer\":\"192.0.2.7\","
                                 "\"detail\":\"wrong\"}"));
    assert_non_null(strstr(json, "\"device\":\"b\",\"reason\":\"not-allowed\",\"count\":1"));
    sy_buf_fini(&b);
    sy_refused_close(t);
}

static void made_up_names_do_not_push_out_what_goes_on(void **state)
{
    (void)state;
    sy_refused *t = sy_refused_open();
    refuse(t, "real", "wrong-password", 1);
    refuse(t, "real", "wrong-password", 2);
    for (int i = 0; i < 1000; i++) {
        char name[20];
        snprintf(name, sizeof name, "n%d", i);
        refuse(t, name, "unknown-device", 10 + i);
    }
    sy_buf b;
    const char *json = json_of(t, &b);
    char forgotten[60];
    snprintf(forgotten, sizeof forgotten, "\"forgotten\":%d,", 1001 - SY_REFUSED_MAX);
    assert_non_null(strstr(json, forgotten));
    assert_non_null(strstr(json, "\"device\":\"real\""));
    assert_non_null(strstr(json, "\"device\":\"n999\""));
    assert_null(strstr(json, "\"device\":\"n100\""));
    sy_buf_fini(&b);
    sy_refused_close(t);
}

static void hostile_names_are_shown_harmlessly(void **state)
{
    (void)state;
    sy_refused *t = sy_refused_open();
    char longest[300];
    memset(longest, 'y', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    refuse(t, "a\x1b[2J\xff\n\"", "wrong-password", 1);
    refuse(t, longest, "wrong-password", 2);
    sy_buf b;
    const char *json = json_of(t, &b);
    assert_non_null(strstr(json, "\"a?[2J??\\\"\""));
    assert_non_null(strstr(json, "\"yyyy"));
    for (const char *p = json; *p; p++) {
        assert_true((unsigned char)*p >= 0x20);
    }
    assert_true(b.n < 800);
    sy_buf_fini(&b);
    sy_refused_close(t);
}

/* ---- unknown devices ---- */

typedef struct folder {
    char dir[64], file[96];
} folder;

static int make_folder(void **state)
{
    static folder f;
    snprintf(f.dir, sizeof f.dir, "/tmp/sy-door-XXXXXX");
    *state = &f;
    if (!mkdtemp(f.dir))
        return -1;
    snprintf(f.file, sizeof f.file, "%s/pending.json", f.dir);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"pending.json", "revoked", "revoked.lock"};
    const folder *f = *state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
        unlink(path);
    }
    return rmdir(f->dir);
}

static sy_pending *open_pending(const folder *f)
{
    sy_pending *p = NULL;
    sy_fail why = {0};
    if (sy_pending_open(&p, f->file, &why))
        fail_msg("%s", why.text);
    return p;
}

static void add(sy_pending *p, const char *source, const char *payload, size_t n, sy_ms now)
{
    sy_stranger s = {.transport = SY_TRANSPORT_COAP,
                     .source = sy_span_of(source),
                     .peer = "192.0.2.1",
                     .content_format = 110,
                     .payload = {payload, n}};
    sy_pending_add(p, &s, now);
}

static char *pending_text(sy_pending *p, sy_buf *b)
{
    sy_buf_init(b, sy_heap());
    sy_pending_json(p, b);
    assert_false(b->failed);
    return b->p;
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

static void what_is_kept_aside_is_there_after_a_restart(void **state)
{
    const folder *f = *state;
    sy_pending *p = open_pending(f);
    add(p, "a", "\x00\xff", 2, 1000);
    add(p, "b", "x", 1, 2000);
    add(p, "a", "yz", 2, 3000);
    sy_buf before, after;
    const char *text = pending_text(p, &before);
    assert_non_null(strstr(text, "{\"sources\":[{\"transport\":\"coap\",\"source\":\"a\","
                                 "\"client\":null,\"peer\":\"192.0.2.1\",\"count\":2,"
                                 "\"first\":1000,\"last\":3000,\"messages\":[{\"at\":1000,"
                                 "\"content_format\":110,\"payload\":\"00ff\"},"));
    sy_pending_close(p);
    p = open_pending(f);
    assert_string_equal(pending_text(p, &after), before.p);
    assert_false(sy_pending_forget(p, sy_span_of("mqtt"), sy_span_of("a")));
    assert_true(sy_pending_forget(p, sy_span_of("coap"), sy_span_of("a")));
    assert_int_equal(sy_pending_count(p), 1);
    sy_pending_close(p);
    sy_buf_fini(&before);
    sy_buf_fini(&after);
}

static void it_is_written_rarely(void **state)
{
    const folder *f = *state;
    sy_pending *p = open_pending(f);
    add(p, "a", "x", 1, 1);
    sy_pending_save(p, false);
    assert_int_not_equal(access(f->file, F_OK), 0);
    sy_pending_save(p, true);
    assert_int_equal(access(f->file, F_OK), 0);
    assert_int_equal(unlink(f->file), 0);
    sy_pending_save(p, true); /* nothing is new */
    assert_int_not_equal(access(f->file, F_OK), 0);
    sy_pending_close(p);
}

static void the_newest_win_within_the_bounds(void **state)
{
    const folder *f = *state;
    static char large[SY_PENDING_MESSAGE + 1];
    memset(large, 'x', sizeof large);
    sy_pending *p = open_pending(f);
    sy_buf b;
    for (int i = 0; i < 20; i++) {
        char text[8];
        add(p, "often", text, (size_t)snprintf(text, sizeof text, "%02d", i), i + 1);
    }
    assert_int_equal(count_of(pending_text(p, &b), "\"at\""), SY_PENDING_MESSAGES);
    assert_non_null(strstr(b.p, "\"count\":20"));
    assert_null(strstr(b.p, "\"payload\":\"3131\""));
    assert_non_null(strstr(b.p, "\"payload\":\"3139\""));
    sy_buf_fini(&b);
    for (int i = 0; i < 100; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i);
        add(p, name, "x", 1, 100 + i);
    }
    assert_int_equal(sy_pending_count(p), SY_PENDING_SOURCES);
    for (int i = 0; i < 6; i++)
        add(p, "big", large, SY_PENDING_MESSAGE, 1000 + i);
    add(p, "huge", large, sizeof large, 2000);
    const char *text = pending_text(p, &b);
    assert_int_equal(count_of(text, "\"at\""), SY_PENDING_BYTES / SY_PENDING_MESSAGE);
    assert_non_null(strstr(text, "\"source\":\"huge\""));
    assert_true(b.n < SY_PENDING_FILE);
    sy_buf_fini(&b);
    sy_pending_close(p);
}

static void a_damaged_file_gives_what_is_whole_of_it(void **state)
{
    const folder *f = *state;
    static const struct {
        const char *text;
        size_t sources;
    } cases[] = {
        {"", 0},
        {"{", 0},
        {"[]", 0},
        {"{\"sources\":[1,null,{}]}", 0},
        {"{\"sources\":[{\"transport\":\"fax\",\"source\":\"a\"}]}", 0},
        {"{\"sources\":[{\"transport\":\"mqtt\",\"source\":\"a\",\"count\":-1,\"last\":1e300,"
         "\"messages\":[{\"payload\":\"0\"},{\"payload\":\"zz\"},{\"payload\":7},"
         "{\"at\":-5,\"content_format\":99999,\"payload\":\"00\"}]},"
         "{\"transport\":\"mqtt\",\"source\":\"a\"}]}",
         1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sy_buf b;
        assert_int_equal(sy_file_write(f->file, sy_span_of(cases[i].text), 0600, NULL), SY_OK);
        sy_pending *p = open_pending(f);
        assert_int_equal(sy_pending_count(p), cases[i].sources);
        (void)pending_text(p, &b);
        sy_buf_fini(&b);
        sy_pending_close(p);
    }
}

/* ---- revoked devices ---- */

static void a_revoked_device_stays_so_until_it_is_added(void **state)
{
    const folder *f = *state;
    sy_buf text;
    assert_int_equal(sy_revoked_set(f->dir, "a", true, NULL), SY_OK);
    assert_int_equal(sy_revoked_set(f->dir, "ab", true, NULL), SY_OK);
    assert_int_equal(sy_revoked_set(f->dir, "a", true, NULL), SY_OK);
    sy_buf_init(&text, sy_heap());
    assert_int_equal(sy_revoked_read(f->dir, &text, NULL), SY_OK);
    assert_string_equal(text.p, "ab\na\n");
    assert_true(sy_revoked_has(sy_buf_span(&text), "a"));
    assert_false(sy_revoked_has(sy_buf_span(&text), "b") || sy_revoked_has(sy_buf_span(&text), ""));
    assert_int_equal(sy_revoked_set(f->dir, "a", false, NULL), SY_OK);
    sy_buf_reset(&text);
    assert_int_equal(sy_revoked_read(f->dir, &text, NULL), SY_OK);
    assert_string_equal(text.p, "ab\n");
    sy_buf_fini(&text);
}

/* ---- watchers ---- */

static void wake(void *ctx)
{
    ++*(int *)ctx;
}

static void a_watcher_sees_its_device_and_a_slow_one_loses_its_own(void **state)
{
    (void)state;
    int woken = 0;
    sy_watch *w = sy_watch_open(wake, &woken);
    assert_false(sy_watch_wanted(w));
    int all = sy_watch_add(w, sy_span_of("")), one = sy_watch_add(w, sy_span_of("a"));
    assert_true(all >= 0 && one >= 0 && sy_watch_wanted(w));
    sy_watch_put(w, sy_span_of("a"), sy_span_of("1"));
    sy_watch_put(w, sy_span_of("b"), sy_span_of("2"));
    assert_int_equal(woken, 1);
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    sy_watch_take(w, one, &out);
    assert_string_equal(out.p, "1\n");
    char line[1001];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    for (int i = 0; i < 100; i++)
        sy_watch_put(w, sy_span_of("b"), sy_span_of(line));
    sy_buf_reset(&out);
    sy_watch_take(w, all, &out);
    assert_true(out.n <= SY_WATCH_BYTES + 40);
    assert_memory_equal(out.p, "1\n2\nxxx", 7);
    assert_non_null(strstr(out.p, "{\"lost\":35}\n"));
    sy_buf_reset(&out);
    sy_watch_take(w, all, &out);
    assert_int_equal(out.n, 0);
    assert_true(sy_watch_add(w, sy_span_of("")) >= 0 && sy_watch_add(w, sy_span_of("")) >= 0);
    assert_int_equal(sy_watch_add(w, sy_span_of("")), -1);
    sy_watch_remove(w, one);
    assert_int_equal(sy_watch_add(w, sy_span_of("")), one);
    sy_buf_fini(&out);
    sy_watch_close(w);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_and_reason_is_counted),
        cmocka_unit_test(made_up_names_do_not_push_out_what_goes_on),
        cmocka_unit_test(hostile_names_are_shown_harmlessly),
        IN_FOLDER(what_is_kept_aside_is_there_after_a_restart),
        IN_FOLDER(it_is_written_rarely),
        IN_FOLDER(the_newest_win_within_the_bounds),
        IN_FOLDER(a_damaged_file_gives_what_is_whole_of_it),
        IN_FOLDER(a_revoked_device_stays_so_until_it_is_added),
        cmocka_unit_test(a_watcher_sees_its_device_and_a_slow_one_loses_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
