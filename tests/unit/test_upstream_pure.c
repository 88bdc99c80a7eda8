/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the sender that need no connection: addresses, responses, answers, pauses, proof.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "upstream/http.h"
#include "upstream/retry.h"
#include "upstream/suspects.h"

static void urls(void **state)
{
    sy_url u;
    sy_fail f;
    (void)state;
    assert_int_equal(sy_url_parse("https://127.0.0.1:8443/events", &u, &f), SY_OK);
    assert_string_equal(u.host, "127.0.0.1");
    assert_string_equal(u.port, "8443");
    assert_string_equal(u.path, "/events");
    assert_string_equal(u.authority, "127.0.0.1:8443");
    assert_int_equal(sy_url_parse("https://a.example?x=1", &u, &f), SY_OK);
    assert_string_equal(u.port, "443");
    assert_string_equal(u.path, "/?x=1");
    assert_int_equal(sy_url_parse("https://[::1]:1/", &u, &f), SY_OK);
    assert_string_equal(u.host, "::1");
    assert_string_equal(u.authority, "[::1]:1");
    static const char *const bad[] = {"",
                                      "http://a/",
                                      "https://",
                                      "https://a:0/",
                                      "https://a:65536/",
                                      "https://u:p@a/",
                                      "https://a/#f",
                                      "https://a/ b",
                                      "https://a/\r\nX: y",
                                      "https://\xe4\xb8\xad/",
                                      "ftp://a/"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(sy_url_parse(bad[i], &u, &f), SY_E_USAGE);
        assert_true(f.text[0] != 0);
    }
}

static void request_head(void **state)
{
    sy_url u;
    sy_fail f;
    sy_buf b;
    (void)state;
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_url_parse("https://a:8443/e?q", &u, &f), SY_OK);
    sy_http_post(&b, &u, "t/x", "k1", 12);
    assert_string_equal(b.p, "POST /e?q HTTP/1.1\r\nHost: a:8443\r\nUser-Agent: steelyard\r\n"
                             "Accept: application/json\r\nContent-Type: t/x\r\n"
                             "Idempotency-Key: k1\r\nContent-Length: 12\r\n\r\n");
    sy_buf_fini(&b);
}

/* The same bytes whole, byte by byte, and in every two parts, must give the same. */
static sy_http_state feed_all(sy_http *h, const char *bytes, size_t n, size_t step)
{
    sy_http_state s = SY_HTTP_MORE;
    sy_http_reset(h);
    for (size_t i = 0; i < n && s == SY_HTTP_MORE; i += step) {
        s = sy_http_feed(h, bytes + i, n - i < step ? n - i : step);
    }
    return s;
}

static const struct {
    const char *text;
    sy_http_state state;
    bool eof; /* the peer closes after it */
    unsigned status;
    bool keep_alive;
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", SY_HTTP_DONE, false, 200, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", SY_HTTP_DONE, false,
     200, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", SY_HTTP_DONE, false, 200, false},
    {"HTTP/1.1 204 No Content\r\n\r\n", SY_HTTP_DONE, false, 204, true},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", SY_HTTP_DONE,
     false, 503, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", SY_HTTP_DONE,
     false, 200, true},
    {"HTTP/1.1 200 OK\r\n\r\nto the end", SY_HTTP_DONE, true, 200, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", SY_HTTP_BAD, true, 0, false},
    {"HTTP/1.1 200 OK\r\nContent-Le", SY_HTTP_BAD, true, 0, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", SY_HTTP_BAD, true, 0,
     false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", SY_HTTP_BAD, false, 0, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", SY_HTTP_BAD, false, 0,
     false},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", SY_HTTP_BAD, false, 0, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", SY_HTTP_BAD, false, 0,
     false},
    {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", SY_HTTP_BAD, false, 0,
     false},
    {"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", SY_HTTP_BAD, false, 0, false},
    {"SSH-2.0-OpenSSH\r\n", SY_HTTP_BAD, false, 0, false},
    {"HTTP/1.1 99 x\r\nContent-Length: 0\r\n\r\n", SY_HTTP_BAD, false, 0, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", SY_HTTP_DONE, false, 200,
     false},
};

static void responses(void **state)
{
    sy_http *h;
    sy_fail f;
    (void)state;
    assert_int_equal(sy_http_open(&h, &f), SY_OK);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        size_t n = strlen(answers[i].text);
        for (size_t step = 1; step <= n; step++) {
            sy_http_state s = feed_all(h, answers[i].text, n, step);
            s = s == SY_HTTP_MORE && answers[i].eof ? sy_http_eof(h) : s;
            if (s != answers[i].state) {
                fail_msg("row %zu, step %zu: %d (%s)", i, step, (int)s, sy_http_why(h));
            }
            if (s == SY_HTTP_DONE) {
                assert_int_equal(sy_http_status(h), answers[i].status);
            }
            if (s == SY_HTTP_DONE && step == n) {
                assert_int_equal(sy_http_keep_alive(h), answers[i].keep_alive);
            }
        }
    }
    sy_http_close(h);
}

static void fields_of_a_response(void **state)
{
    static const char text[] = "HTTP/1.1 429 Slow\r\nX-Retry-After: 9\r\nretry-AFTER:  17 \r\n"
                               "Location: https://b/\r\nContent-Length: 13\r\n\r\nplease\r\n\twait";
    sy_http *h;
    sy_fail f;
    (void)state;
    assert_int_equal(sy_http_open(&h, &f), SY_OK);
    for (size_t step = 1; step < sizeof text; step++) {
        assert_int_equal(feed_all(h, text, sizeof text - 1, step), SY_HTTP_DONE);
        assert_int_equal(sy_retry_after_ms(sy_http_retry_after(h), 0, 100000), 17000);
        assert_string_equal(sy_http_location(h), "https://b/");
        assert_string_equal(sy_http_note(h), "please wait");
    }
    sy_http_close(h);
}

static void bounds_of_a_response(void **state)
{
    sy_http *h;
    sy_fail f;
    char line[1024];
    (void)state;
    assert_int_equal(sy_http_open(&h, &f), SY_OK);
    sy_http_state s = sy_http_feed(h, "HTTP/1.1 200 OK\r\n", 17);
    size_t fed = 17;
    while (s == SY_HTTP_MORE && fed < 100000) {
        int n = snprintf(line, sizeof line, "X-%zu: %0500d\r\n", fed, 0);
        s = sy_http_feed(h, line, (size_t)n);
        fed += (size_t)n;
    }
    assert_int_equal(s, SY_HTTP_BAD);
    assert_true(fed < SY_HTTP_HEAD_MAX + 1024);
    assert_string_equal(sy_http_why(h), "its head is longer than 8 KiB");

    /* Interim responses for ever are a head without end, too. */
    sy_http_reset(h);
    for (fed = 0; (s = sy_http_feed(h, "HTTP/1.1 100 Go on\r\n\r\n", 22)) == SY_HTTP_MORE;
         fed += 22) {
        assert_true(fed < 2 * SY_HTTP_HEAD_MAX);
    }
    assert_int_equal(s, SY_HTTP_BAD);

    /* A body without end: the status counts, the rest is not read. */
    sy_http_reset(h);
    s = sy_http_feed(h, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", 46);
    memset(line, 'x', sizeof line);
    for (fed = 0; s == SY_HTTP_MORE; fed += sizeof line) {
        s = sy_http_feed(h, line, sizeof line);
    }
    assert_int_equal(s, SY_HTTP_LARGE);
    assert_int_equal(sy_http_status(h), 200);
    assert_false(sy_http_keep_alive(h));
    assert_true(fed <= SY_HTTP_BODY_MAX + 2 * sizeof line);
    assert_int_equal(strlen(sy_http_note(h)), SY_HTTP_NOTE);
    sy_http_close(h);
}

static void answer_table(void **state)
{
    (void)state;
    for (unsigned s = 100; s < 600; s++) {
        sy_answer want = s >= 200 && s < 300                            ? SY_ANSWER_OK
                         : s >= 500 || s == 408 || s == 425 || s == 429 ? SY_ANSWER_LATER
                         : s == 400 || s == 409 || s == 413 || s == 422 ? SY_ANSWER_EVENT
                                                                        : SY_ANSWER_DESTINATION;
        assert_int_equal(sy_answer_of(s), want);
    }
}

static void pauses(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 200; n++) {
        sy_ms top = n < 10 ? 1000 << (n - 1) : 300000;
        top = top < 300000 ? top : 300000;
        assert_int_equal(sy_backoff_ms(n, 1000, 300000, 0), 50);
        assert_int_equal(sy_backoff_ms(n, 1000, 300000, (uint64_t)(top - 50)), top);
        for (uint64_t r = 1; r != 0; r <<= 1) {
            sy_ms p = sy_backoff_ms(n, 1000, 300000, r * 0x9e3779b97f4a7c15u);
            assert_true(p >= 50 && p <= top);
        }
    }
}

static void retry_after(void **state)
{
    const sy_ms t = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    (void)state;
    assert_int_equal(sy_retry_after_ms("", t, 3600000), 0);
    assert_int_equal(sy_retry_after_ms(" 120 ", t, 3600000), 120000);
    assert_int_equal(sy_retry_after_ms("999999999999999999999999", t, 3600000), 3600000);
    assert_int_equal(sy_retry_after_ms("-1", t, 3600000), 0);
    assert_int_equal(sy_retry_after_ms("1.5", t, 3600000), 0);
    assert_int_equal(sy_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", t - 5000, 3600000), 5000);
    assert_int_equal(sy_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", t + 5000, 3600000), 0);
    assert_int_equal(sy_retry_after_ms("Sun, 06 Nov 2094 08:49:37 GMT", t, 3600000), 3600000);
    assert_int_equal(sy_retry_after_ms("Sun, 31 Feb 1994 08:49:37 GMT", t - 5000, 3600000), 0);
    assert_int_equal(sy_retry_after_ms("Sun, 06 ovD 1994 08:49:37 GMT", t - 5000, 3600000), 0);
    assert_int_equal(sy_retry_after_ms("tomorrow", t, 3600000), 0);
}

static void proof_before_an_event_is_set_aside(void **state)
{
    sy_suspects s = {.n = 0};
    const int64_t batch[] = {1, 2, 3, 4}, first[] = {1, 2}, other[] = {9};
    (void)state;
    /* Nothing was taken since: held, whatever often it is refused. */
    assert_false(sy_suspects_alone(&s, 7, "A"));
    assert_false(sy_suspects_alone(&s, 7, "A"));
    assert_true(sy_suspects_held(&s, 7));
    assert_true(sy_suspects_holds_alert(&s, "A"));
    assert_false(sy_suspects_holds_alert(&s, "B"));
    assert_false(sy_suspects_holds_alert(&s, ""));
    assert_int_equal(sy_suspects_count_held(&s), 1);
    /* Another is taken: proof; refused once more: aside. */
    sy_suspects_taken(&s, other, 1);
    assert_false(sy_suspects_held(&s, 7));
    assert_true(sy_suspects_alone(&s, 7, "A"));
    assert_int_equal(s.n, 0);
    /* A batch, its first half taken, then one of the rest refused alone. */
    sy_suspects_refused(&s, batch, 4);
    sy_suspects_taken(&s, first, 2);
    assert_true(sy_suspects_alone(&s, 3, ""));
    sy_suspects_taken(&s, batch, 4);
    assert_int_equal(s.n, 0);
    /* A proof from before its own first refusal is none. */
    sy_suspects_taken(&s, other, 1);
    assert_false(sy_suspects_alone(&s, 5, ""));
    sy_suspects_release(&s);
    assert_false(sy_suspects_held(&s, 5));
    /* The list is bounded. */
    for (int64_t i = 100; i < 100 + 3 * SY_SUSPECTS_MAX; i++) {
        assert_false(sy_suspects_alone(&s, i, ""));
    }
    assert_int_equal(s.n, SY_SUSPECTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(request_head),
        cmocka_unit_test(responses),
        cmocka_unit_test(fields_of_a_response),
        cmocka_unit_test(bounds_of_a_response),
        cmocka_unit_test(answer_table),
        cmocka_unit_test(pauses),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(proof_before_an_event_is_set_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
