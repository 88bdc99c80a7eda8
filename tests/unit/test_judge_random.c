/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules over random streams: the judge against the naive one, and against itself under
 * another order of delivery, other steps of the clock, and restarts from snapshots.
 */
#include "judge_kit.h"
#include "judge_naive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { POINTS = 6, LENGTH = 1500, READINGS = 3000 };

static uint64_t seed;
static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % n);
}
static bool chance(uint32_t percent)
{
    return below(100) < percent;
}

/* Rules */

static const int lengths[] = {5, 10, 20, 30, 45, 60, 90, 120};
static int length(void)
{
    return lengths[below(8)];
}

static void compare_leaf(sy_buf *b)
{
    static const char *const ops[] = {"above", "below", "at least", "at most"};
    bool humid = chance(25);
    static const char *const picks[] = {"", "", "any of ", "all of ", "2 of "};
    const char *pick = humid ? "" : picks[below(5)];
    const char *unit = humid ? "%RH" : "°C";
    int lo = humid ? 40 + 10 * (int)below(3) : 6 + (int)below(4);
    sy_buf_printf(b, "%s%s ", pick, humid ? "humidity" : "temperature");
    if (chance(30)) {
        sy_buf_printf(b, "%s %d to %d %s [law]", chance(60) ? "outside" : "within", lo,
                      lo + (humid ? 10 : 1 + (int)below(2)), unit);
    } else {
        sy_buf_printf(b, "%s %d %s [law]", ops[below(4)], lo, unit);
    }
}

static void leaf(sy_buf *b)
{
    uint32_t k = below(10);
    if (k < 6) {
        compare_leaf(b);
    } else if (k < 9) {
        static const char *const states[] = {"door is open", "any of defrost is on",
                                             "all of defrost is on"};
        sy_buf_text(b, states[below(3)]);
    } else {
        sy_buf_printf(b, "%s has no data for %d s [policy]",
                      chance(50) ? "temperature" : "humidity", 10 + 10 * (int)below(6));
    }
}

static void cond(sy_buf *b, int depth)
{
    uint32_t k = depth > 0 ? below(6) : 9;
    if (k == 0) {
        sy_buf_text(b, "not (");
        cond(b, depth - 1);
        sy_buf_text(b, ")");
    } else if (k <= 2) {
        sy_buf_text(b, "((");
        cond(b, depth - 1);
        sy_buf_text(b, k == 1 ? ") and (" : ") or (");
        cond(b, depth - 1);
        sy_buf_text(b, "))");
    } else if (k == 3) {
        sy_buf_text(b, "((");
        cond(b, depth - 1);
        sy_buf_printf(b, ") for %d s)", length());
    } else {
        leaf(b);
    }
}

static void when(sy_buf *b)
{
    uint32_t k = below(10);
    if (k < 2) { /* silence by itself */
        static const char *const picks[] = {"", "", "any of ", "all of ", "2 of "};
        const char *pick = picks[below(5)];
        sy_buf_printf(b, "%s%s has no data", pick, *pick || chance(60) ? "temperature" : "door");
        if (chance(80)) {
            sy_buf_printf(b, " for %d s [policy]", length());
        }
    } else if (k < 4) {
        cond(b, 2);
    } else {
        sy_buf_text(b, "(");
        cond(b, (int)below(3));
        sy_buf_printf(b, ") for %d s", length());
    }
}

static void level(sy_buf *b, const char *name)
{
    sy_buf_printf(b, "  alert %s when ", name);
    when(b);
    sy_buf_text(b, "\n");
    for (uint32_t k = below(4); k > 1; k--) {
        sy_buf_printf(b, "    except while %s, each at most %d s, daily at most %u times\n",
                      chance(50) ? "door open" : "defrost on", length() + 1, 1 + below(3));
    }
}

static void random_rule(sy_buf *b)
{
    sy_buf_text(b, "rule R-1 version 1 \"random\"\n  basis \"none\" policy\n"
                   "  applies to subject any; goods any; stage any\n");
    if (chance(25)) {
        bool to = chance(60);
        sy_buf_text(b, to ? "  effective from 2026-01-01 to 2026-03-01\n"
                          : "  effective from 2026-03-02\n");
    }
    sy_buf_text(b, "  watch each room: temperature, humidity, door, defrost\n");
    if (chance(75)) {
        sy_buf_printf(b, "  missing after %d s\n", 15 + 15 * (int)below(5));
    }
    if (chance(70)) {
        level(b, "warning");
    } else {
        level(b, "notice");
        level(b, chance(50) ? "serious" : "major");
    }
    if (chance(40)) {
        sy_buf_text(b, "  clear when ");
        if (chance(50)) {
            sy_buf_text(b, "(");
            cond(b, 1);
            sy_buf_printf(b, ") for %d s\n", length());
        } else {
            cond(b, 2);
            sy_buf_text(b, "\n");
        }
    }
    sy_buf_text(b, "  then tell premises\nend\n");
}

/* Streams */

typedef struct stream {
    sy_site_point points[POINTS];
    sy_site_premises premises;
    sy_site_place place;
    sy_site site;
    naive_reading r[READINGS];
    size_t n;
} stream;

static void random_site(stream *s)
{
    static const char *const what[POINTS] = {"defrost",  "door",        "door2",
                                             "humidity", "temperature", "temperature2"};
    s->premises = (sy_site_premises){.id = "p"};
    s->place = (sy_site_place){.id = "c", .kind = "room"};
    for (int k = 0; k < POINTS; k++) {
        bool quantity = k >= 3;
        s->points[k] = (sy_site_point){.series = what[k],
                                       .device = "d",
                                       .name = what[k],
                                       .quantity = k == 2   ? "defrost"
                                                   : k == 5 ? "temperature"
                                                            : what[k],
                                       .unit = k >= 4   ? "degC"
                                               : k == 3 ? "%RH"
                                                        : NULL,
                                       .is_state = !quantity,
                                       .delivery = 1000 * (sy_ms)below(40)};
        if (quantity ? chance(85) : chance(30)) {
            s->points[k].every = 1000 * (quantity ? 5 + (sy_ms)below(20) : 20 + (sy_ms)below(60));
        }
    }
    s->site = (sy_site){.gateway = "g",
                        .premises = &s->premises,
                        .n_premises = 1,
                        .places = &s->place,
                        .n_places = 1,
                        .points = s->points,
                        .n_points = POINTS};
}

static double random_value(int point, double last)
{
    if (point < 3) {
        return last == 0 ? 1 : 0;
    }
    if (chance(70)) {
        return last;
    }
    return point == 3 ? 40 + 10 * (double)below(3) : 6 + (double)below(5);
}

static void add(stream *s, int point, int at, double v, sy_quality q)
{
    if (s->n < READINGS) {
        s->r[s->n++] = (naive_reading){(uint32_t)point, at, v, q};
    }
}

static void random_stream(stream *s)
{
    s->n = 0;
    for (int k = 0; k < POINTS; k++) {
        int step = k < 3 ? 10 + (int)below(150) : 4 + (int)below(16);
        double v = k < 3 ? below(2) : 6 + below(4);
        for (int t = (int)below(60); t <= LENGTH; t += 1 + (int)below((uint32_t)(2 * step))) {
            v = random_value(k, v);
            add(s, k, t, v, chance(94) ? SY_Q_GOOD : chance(50) ? SY_Q_BAD : SY_Q_UNCERTAIN);
            if (chance(3)) {
                add(s, k, t, chance(50) ? v : v + 1, chance(80) ? SY_Q_GOOD : SY_Q_UNCERTAIN);
            }
            if (k < 3 && chance(20)) { /* a contact flutters */
                add(s, k, t + 1 + (int)below(8), v == 0 ? 1 : 0, SY_Q_GOOD);
            }
            if (chance(4)) {
                t += (int)below(200);
            }
        }
    }
}

/* Running */

static sy_ms t0; /* ten minutes before midnight: the day changes in the stream */

static void put_alert(sy_buf *b, long onset, long raised, long cleared, int state, int lvl,
                      double min, double max, long count, long counted, long unknown, long exempt)
{
    sy_buf_printf(b, "onset %ld raised %ld cleared %ld state %d level %d ", onset, raised, cleared,
                  state, lvl);
    sy_buf_printf(b, "min %g max %g count %ld counted %ld unknown %ld exempt %ld\n",
                  count ? min : 0, count ? max : 0, count, counted, unknown, exempt);
}

typedef struct taking {
    sy_buf *b;
    uint32_t point;
} taking;

static void take(void *ctx, const sy_alert *a)
{
    const taking *x = ctx;
    if (a->state == SY_ALERT_WITHDRAWN || a->point != x->point) {
        return;
    }
    assert_int_equal(a->span, a->raised - a->onset);
    put_alert(x->b, (long)(a->onset - t0) / 1000, (long)(a->raised - t0) / 1000,
              a->cleared == SY_MS_NONE ? -1 : (long)(a->cleared - t0) / 1000, (int)a->state,
              (int)a->level, a->min, a->max, (long)a->count, (long)a->counted / 1000,
              (long)a->unknown / 1000, (long)a->exempt / 1000);
}

static void naive_text(const stream *s, const sy_rule *rule, sy_buf *b)
{
    static naive_alert a[NAIVE_ALERTS];
    for (uint32_t driver = 4; driver < POINTS; driver++) {
        naive_case c = {.rule = rule,
                        .site = &s->site,
                        .driver = driver,
                        .t0 = t0,
                        .readings = s->r,
                        .n = s->n,
                        .now = LENGTH};
        size_t n = naive_judge(&c, a);
        sy_buf_printf(b, "driver %u\n", driver);
        for (size_t k = 0; k < n; k++) {
            put_alert(b, a[k].onset, a[k].raised, a[k].cleared, (int)a[k].state, (int)a[k].level,
                      a[k].min, a[k].max, a[k].count, a[k].counted, a[k].unknown, a[k].exempt);
        }
    }
}

static sy_judge *open_judge(const stream *s, const sy_set *set, bool wait)
{
    sy_judge *j;
    sy_judge_options o = {.set = set,
                          .site = &s->site,
                          .start = t0,
                          .in_force = SY_MS_NONE,
                          .wait_delivery = wait,
                          .alloc = sy_heap()};
    assert_int_equal(sy_judge_open(&j, &o), SY_OK);
    return j;
}

static void give(sy_judge *j, const naive_reading *r)
{
    sy_verdict v;
    assert_int_equal(
        sy_judge_reading(j, r->point, t0 + 1000 * (sy_ms)r->at, r->value, r->quality, &v), SY_OK);
    assert_int_not_equal(v, SY_READING_LATE);
}

static void alerts_text(sy_judge *j, sy_buf *b)
{
    for (uint32_t driver = 4; driver < POINTS; driver++) {
        taking x = {b, driver};
        sy_buf_printf(b, "driver %u\n", driver);
        assert_int_equal(sy_judge_alerts(j, take, &x), SY_OK);
    }
}

static int by_delivery(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return x[0] != y[0] ? (x[0] < y[0] ? -1 : 1) : (x[1] < y[1] ? -1 : x[1] > y[1]);
}

static sy_judge *restart(sy_judge *j, const stream *s, const sy_set *set, bool wait)
{
    sy_buf saved, again;
    sy_judge *n = open_judge(s, set, wait);
    sy_buf_init(&saved, sy_heap());
    sy_buf_init(&again, sy_heap());
    assert_int_equal(sy_judge_save(j, &saved), SY_OK);
    assert_int_equal(sy_judge_load(n, sy_buf_span(&saved)), SY_OK);
    assert_int_equal(sy_judge_save(n, &again), SY_OK);
    assert_true(sy_span_eq(sy_buf_span(&saved), sy_buf_span(&again)));
    sy_buf_fini(&saved);
    sy_buf_fini(&again);
    sy_judge_close(j);
    return n;
}

/* Delivered up to ten minutes late, in any order, the clock in odd steps, with restarts. */
static void disorder(const stream *s, const sy_set *set, int late, sy_buf *b)
{
    static int order[READINGS][2];
    bool wait = chance(50);
    sy_judge *j = open_judge(s, set, wait);
    int now = 0;
    for (size_t k = 0; k < s->n; k++) {
        order[k][0] = s->r[k].at + (int)below((uint32_t)late + 1) - (chance(30) ? 5 : 0);
        order[k][1] = (int)k;
    }
    qsort(order, s->n, sizeof order[0], by_delivery);
    for (size_t k = 0; k < s->n; k++) {
        int at = order[k][0];
        if (at > now && chance(70)) {
            now = at - (int)below(3);
            now = now < LENGTH ? now : LENGTH;
            assert_int_equal(sy_judge_advance(j, t0 + 1000 * (sy_ms)now), SY_OK);
        }
        give(j, &s->r[order[k][1]]);
        if (chance(1)) {
            j = restart(j, s, set, wait);
        }
    }
    assert_int_equal(sy_judge_advance(j, t0 + 1000 * (sy_ms)LENGTH), SY_OK);
    assert_int_equal(sy_judge_finish(j), SY_OK);
    alerts_text(j, b);
    sy_judge_close(j);
}

static void in_order(const stream *s, const sy_set *set, sy_buf *b)
{
    sy_judge *j = open_judge(s, set, false);
    for (int t = 0; t <= LENGTH; t++) {
        for (size_t k = 0; k < s->n; k++) {
            if (s->r[k].at == t) {
                give(j, &s->r[k]);
            }
        }
        assert_int_equal(sy_judge_advance(j, t0 + 1000 * (sy_ms)t), SY_OK);
    }
    assert_int_equal(sy_judge_finish(j), SY_OK);
    alerts_text(j, b);
    sy_judge_close(j);
}

static void at_once(const stream *s, const sy_set *set, sy_buf *b)
{
    sy_judge *j = open_judge(s, set, false);
    for (size_t k = 0; k < s->n; k++) {
        give(j, &s->r[k]);
    }
    assert_int_equal(sy_judge_advance(j, t0 + 1000 * (sy_ms)LENGTH), SY_OK);
    assert_int_equal(sy_judge_finish(j), SY_OK);
    alerts_text(j, b);
    sy_judge_close(j);
}

static void same(const char *what, const sy_buf *want, const sy_buf *got, const sy_buf *rule,
                 uint64_t case_seed)
{
    size_t at = 0, line = 0, n = want->n < got->n ? want->n : got->n;
    if (sy_span_eq(sy_buf_span(want), sy_buf_span(got))) {
        return;
    }
    for (; at < n && want->p[at] == got->p[at]; at++) {
        line = want->p[at] == '\n' ? at + 1 : line;
    }
    fprintf(stderr, "seed %llu, %s\n%s\nfirst difference, expected:\n%.400s\n\ngot:\n%.400s\n",
            (unsigned long long)case_seed, what, rule->p, want->p + line, got->p + line);
    fail();
}

static bool one_case(uint64_t case_seed, sy_buf b[6])
{
    static stream s;
    kit_set k;
    seed = case_seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 6; i++) {
        sy_buf_reset(&b[i]);
        sy_buf_text(&b[i], "");
    }
    for (int i = 0; i < 20; i++) {
        (void)below(2);
    }
    random_rule(&b[0]);
    random_site(&s);
    random_stream(&s);
    if (!kit_load(&k, "random", sy_buf_span(&b[0]), true)) { /* a hold upon a hold is refused */
        kit_free(&k);
        return false;
    }
    sy_judge *j = open_judge(&s, k.set, false);
    size_t instances = sy_judge_instances(j);
    sy_judge_close(j);
    if (instances != 2) { /* no missing-after where one is needed */
        kit_free(&k);
        return false;
    }
    naive_text(&s, k.set->rules[0], &b[1]);
    at_once(&s, k.set, &b[2]);
    same("all at once", &b[1], &b[2], &b[0], case_seed);
    in_order(&s, k.set, &b[3]);
    same("in order", &b[1], &b[3], &b[0], case_seed);
    disorder(&s, k.set, 600, &b[4]);
    same("in disorder", &b[1], &b[4], &b[0], case_seed);
    disorder(&s, k.set, 20, &b[5]);
    same("in some disorder", &b[1], &b[5], &b[0], case_seed);
    kit_free(&k);
    return strstr(b[1].p, "onset") != NULL;
}

static void differential(void **state)
{
    const char *n = getenv("SY_CASES"), *first = getenv("SY_SEED");
    size_t cases = n ? strtoul(n, NULL, 10) : 250, with_alerts = 0;
    uint64_t from = first ? strtoull(first, NULL, 10) : 1;
    sy_buf b[6];
    (void)state;
    for (int i = 0; i < 6; i++) {
        sy_buf_init(&b[i], sy_heap());
    }
    assert_int_equal(sy_time_parse(sy_span_of("2026-03-01T23:50:00Z"), &t0), SY_OK);
    for (size_t k = 0; k < cases; k++) {
        with_alerts += one_case(from + k, b);
    }
    print_message("%zu cases, %zu with alerts\n", cases, with_alerts);
    assert_true(cases < 100 || with_alerts * 3 > cases);
    for (int i = 0; i < 6; i++) {
        sy_buf_fini(&b[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(differential)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
