/* SPDX-License-Identifier: Apache-2.0 */
/* Tables fit every width, nothing that moves a cursor gets through, sparklines show the course. */
#include "cli/term.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/utf8.h"

static const sy_grid_column columns[] = {
    {"name", false, 8}, {"number", true, 0}, {"a longer text", false, 10}};

static void each_line_fits(const sy_buf *b, size_t columns_of)
{
    for (size_t at = 0; at < b->n;) {
        const char *end = memchr(b->p + at, '\n', b->n - at);
        assert_non_null(end);
        size_t n = (size_t)(end - (b->p + at));
        assert_true(sy_utf8_width((sy_span){b->p + at, n}) <= columns_of);
        at += n + 1;
    }
}

static void test_fits(void **state)
{
    (void)state;
    for (size_t w = 20; w < 120; w++) {
        sy_term t = {.on = true, .columns = w, .rows = 24};
        sy_grid g;
        sy_buf b;
        sy_buf_init(&b, sy_heap());
        sy_grid_init(&g, columns, 3);
        sy_grid_add(&g, SY_INK_NONE, "冷藏柜冷藏柜冷藏柜冷藏柜");
        sy_grid_addf(&g, SY_INK_RED, "%d", 123456);
        sy_grid_add(&g, SY_INK_NONE, "温度高于 8 °C 已有十五分钟, and more than that of it");
        sy_grid_add(&g, SY_INK_NONE, "b");
        sy_grid_add(&g, SY_INK_NONE, "7");
        sy_grid_add(&g, SY_INK_NONE, "");
        sy_grid_put(&g, &t, &b);
        sy_grid_add(&g, SY_INK_NONE, "a part that came later and is wider than the first");
        sy_grid_add(&g, SY_INK_NONE, "99999999999");
        sy_grid_add(&g, SY_INK_NONE, "x");
        sy_grid_put(&g, &t, &b);
        each_line_fits(&b, w);
        assert_non_null(strstr(b.p, "name"));
        assert_null(strchr(b.p, '\033'));
        if (w >= 100) {
            assert_non_null(strstr(b.p, "冷藏柜冷藏柜冷藏柜冷藏柜  123456"));
            assert_non_null(strstr(b.p, "                    7\n") ? b.p : strstr(b.p, "     7"));
        } else if (w < 60) {
            assert_non_null(strstr(b.p, "…"));
        }
        sy_grid_fini(&g);
        sy_buf_fini(&b);
    }
}

static void test_harmless(void **state)
{
    (void)state;
    sy_term t = {.on = true, .colour = true, .columns = 80, .rows = 24};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    size_t used = sy_term_put(&t, &b, SY_INK_NONE,
                              "a\033[2Jb\nc\xc2\x9b"
                              "d\xe2\x80\xae"
                              "e\xff"
                              "f",
                              80);
    sy_buf_char(&b, 0);
    assert_string_equal(b.p, "a?[2Jb?c?d?e?f");
    assert_int_equal(used, 14);
    sy_buf_reset(&b);
    sy_term_put(&t, &b, SY_INK_RED, "bad", 80);
    sy_buf_char(&b, 0);
    assert_string_equal(b.p, "\033[1;31mbad\033[0m");
    sy_buf_reset(&b);
    assert_int_equal(sy_term_put(&t, &b, SY_INK_NONE, "冷藏柜", 4), 3);
    sy_buf_char(&b, 0);
    assert_string_equal(b.p, "冷…");
    sy_buf_fini(&b);
}

static void test_spark(void **state)
{
    (void)state;
    const double v[] = {0, 1, 2, 3, (double)NAN, 4, 5, 6, 7}, flat[] = {3, 3};
    sy_spark s = {0};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_spark_put(&b, v, 9, 40);
    assert_string_equal(b.p, "▁▂▃▄ ▅▆▇█");
    sy_buf_reset(&b);
    sy_spark_put(&b, v, 9, 3);
    assert_int_equal(sy_utf8_width(sy_buf_span(&b)), 3);
    sy_buf_reset(&b);
    sy_spark_put(&b, flat, 2, 10);
    assert_string_equal(b.p, "▅▅");
    for (int i = 0; i < 100000; i++) {
        sy_spark_add(&s, i);
    }
    sy_spark_end(&s);
    assert_true(s.n > SY_SPARK / 2 && s.n <= SY_SPARK);
    for (size_t i = 1; i < s.n; i++) {
        assert_true(s.v[i] > s.v[i - 1]);
    }
    assert_true(s.v[s.n - 1] > 98000);
    sy_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_harmless),
        cmocka_unit_test(test_spark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
