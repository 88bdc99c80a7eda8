/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as people write them, and the manual, whose tables come from the tables of keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/config_int.h"

static void durations(void **state)
{
    static const struct {
        const char *text;
        bool calendar;
        sy_ms ms; /* -1: refused */
    } rows[] = {{"60 s", false, 60000},
                {"60s", false, 60000},
                {"250 ms", false, 250},
                {"2 min", false, 120000},
                {"30 days", false, 2592000000},
                {"1.5 h", false, 5400000},
                {"10分钟", false, 600000},
                {"12 months", true, 31104000000},
                {"12 months", false, -1},
                {"30", false, -1},
                {"s", false, -1},
                {"-1 s", false, -1},
                {"1e3 s", false, -1},
                {"1..2 s", false, -1},
                {"99999999999999999 d", false, -1},
                {"", false, -1},
                {"5 parsec", false, -1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sy_ms ms = -1;
        bool ok = sy_value_duration(sy_span_of(rows[i].text), rows[i].calendar, &ms);
        if (ok != (rows[i].ms >= 0) || (ok && ms != rows[i].ms))
            fail_msg("%s: %d, %lld", rows[i].text, ok, (long long)ms);
    }
}

static void yes_and_no(bool (*check)(sy_span), const char *const *yes, const char *const *no)
{
    for (; *yes; yes++)
        if (!check(sy_span_of(*yes)))
            fail_msg("'%s' was refused", *yes);
    for (; *no; no++)
        if (check(sy_span_of(*no)))
            fail_msg("'%s' was taken", *no);
}

static bool is_https(sy_span s)
{
    return sy_value_url(s, "https");
}

static bool is_cidr(sy_span s)
{
    unsigned char addr[16];
    int bits;
    bool v6;
    return sy_value_cidr(s, addr, &bits, &v6);
}

static bool is_date(sy_span s)
{
    sy_date d;
    return sy_value_date(s, &d);
}

static bool is_hours(sy_span s)
{
    sy_site_span spans[256];
    size_t n;
    return sy_value_hours(s, spans, &n);
}

static void periods_end_the_day_before(void **state)
{
    static const struct {
        const char *from, *period, *last;
    } cases[] = {
        {"2025-03-10", "12 months", "2026-03-09"}, {"2025-03-10", "1 year", "2026-03-09"},
        {"2025-11-01", "3个月", "2026-01-31"},     {"2025-01-31", "1 month", "2025-02-28"},
        {"2024-02-29", "1 年", "2025-02-28"},      {"2025-12-31", "30 days", "2026-01-29"},
        {"2025-03-10", "2 weeks", "2025-03-23"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sy_date from, last;
        int64_t day;
        assert_true(sy_value_date(sy_span_of(cases[i].from), &from));
        assert_true(sy_value_date(sy_span_of(cases[i].last), &last));
        assert_true(sy_value_last_day(from, sy_span_of(cases[i].period), &day));
        assert_int_equal(day, sy_days_of(last));
    }
}

static void hours_are_spans(void **state)
{
    sy_site_span s[256];
    size_t n;
    (void)state;
    assert_true(
        sy_value_hours(sy_span_of("Mon-Fri 08:00-12:00 14:30-18:00; Sat-Mon 22:00-02:00"), s, &n));
    assert_int_equal(n, 3);
    assert_int_equal(s[0].days, 0x1f);
    assert_int_equal(s[1].from, (14 * 60 + 30) * 60000);
    assert_int_equal(s[1].to, 18 * 3600000);
    assert_int_equal(s[2].days, 0x61);
    assert_int_equal(s[2].to, 26 * 3600000); /* into the next day */
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void addresses(void **state)
{
    (void)state;
    yes_and_no(sy_value_listen, LIST("127.0.0.1:0", "0.0.0.0:65535", "[::1]:5683"),
               LIST("", ":1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:01", "::1:5",
                    "[127.0.0.1]:1", "localhost:1", "1.2.3:4", "[::1]:1x"));
    yes_and_no(is_cidr, LIST("10.0.0.0/8", "192.168.1.7", "0.0.0.0/0", "fe80::/10", "::1/128"),
               LIST("10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::1/10", "x", ""));
    yes_and_no(is_https,
               LIST("https://a", "https://a.b:8443/e?x=1", "https://[::1]:1/", "https://1.2.3.4"),
               LIST("http://a", "https://", "https://:1", "https://a:0", "https://a:70000",
                    "https://u@a/", "https://a b", "https://[::1", "https://a:1x", ""));
}

static void words(void **state)
{
    (void)state;
    yes_and_no(sy_value_id, LIST("a", "gw-330106-0042", "冷库1"),
               LIST("", "a b", "a/b", "a,b", "a\"", "a\n", "#"));
    yes_and_no(is_date, LIST("2026-05-01", "2024-02-29"),
               LIST("2026-02-29", "2026-13-01", "2026-5-1", "2026-05-01x", "x"));
    yes_and_no(sy_value_topic, LIST("a", "a/b", "a/#", "场/1"),
               LIST("", "#", "a#", "a/#/b", "+", "a/+", "$SYS/x", "/#x"));
    yes_and_no(sy_value_json_path, LIST("$.a", "$.a.b[0].c", "$[3]", "$.温度"),
               LIST("", "$", "a", "$a", "$.", "$.a.", "$[", "$[x]", "$[1", "$[999999]"));
    yes_and_no(is_hours,
               LIST("Mon-Sun 10:00-14:00 16:00-21:00", "Mon-Fri 08:00-12:00; Sat 09:00-12:00",
                    "Fri 22:00-02:00", "Sun 00:00-24:00"),
               LIST("", "Mon", "10:00-11:00", "Mon 10-11", "Mon 24:01-25:00", "Mon 10:00-11:60",
                    "Mno 10:00-11:00", "Mon 10:00-11:00;"));
}

static void social_credit_codes(void **state)
{
    (void)state;
    yes_and_no(sy_uscc_valid, LIST("91350100M000100Y43", "91110000600037341L"),
               LIST("91350100M0001TGQXM", "91350100M000100Y44", "91350100M000100Y4",
                    "91350100M000100Y433", "9135O100M000100Y43", "91350100m000100y43", ""));
}

/* The manual's tables come from the keys: docs/configuration.md holds what sy_cfg_manual writes.
 * With the environment variable SY_WRITE_MANUAL=1 the file is brought up to date instead. */
static void the_manual_knows_every_key(void **state)
{
    static const char begin[] = "<!-- keys: begin -->\n", end[] = "<!-- keys: end -->";
    const char *root = getenv("SY_SOURCE_DIR");
    char path[1024];
    sy_buf doc, manual;
    sy_fail f;
    (void)state;
    if (!root)
        skip();
    snprintf(path, sizeof path, "%s/docs/configuration.md", root);
    sy_buf_init(&doc, sy_heap());
    sy_buf_init(&manual, sy_heap());
    assert_int_equal(sy_file_read(path, 1 << 20, &doc, &f), SY_OK);
    char *from = strstr(doc.p, begin), *to = strstr(doc.p, end);
    assert_true(from && to && from < to);
    from += sizeof begin - 1;
    sy_cfg_manual(&manual);
    if (getenv("SY_WRITE_MANUAL")) {
        sy_buf out;
        sy_buf_init(&out, sy_heap());
        sy_buf_put(&out, doc.p, (size_t)(from - doc.p));
        sy_buf_span_put(&out, sy_buf_span(&manual));
        sy_buf_text(&out, to);
        assert_int_equal(sy_file_write(path, sy_buf_span(&out), 0644, &f), SY_OK);
        sy_buf_fini(&out);
    } else if (!sy_span_eq((sy_span){from, (size_t)(to - from)}, sy_buf_span(&manual))) {
        fail_msg("docs/configuration.md is behind the keys: run this with SY_WRITE_MANUAL=1");
    }
    sy_buf_fini(&doc);
    sy_buf_fini(&manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(periods_end_the_day_before),
        cmocka_unit_test(hours_are_spans),
        cmocka_unit_test(durations),
        cmocka_unit_test(addresses),
        cmocka_unit_test(words),
        cmocka_unit_test(social_credit_codes),
        cmocka_unit_test(the_manual_knows_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
