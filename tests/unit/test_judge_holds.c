/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds and phrases: their scenarios (tests/rules/holds.rules, phrases.rules), and that the alerts
 * do not depend on the order of delivery within ten minutes, nor on restarts from snapshots, which
 * also give the same bytes.
 */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/judge.h"

enum { MIN = 60000, MINUTES = 900, POINTS = 6, READINGS = 4096, ALERTS = 512 };
#define T0 ((sy_ms)1767225600000) /* 2026-01-01T00:00:00Z */

static const char *const series[POINTS] = {"a/core", "b/cooling",  "c/door",
                                           "d/fan",  "e/humidity", "f/temperature"};
static const char *const quantity[POINTS] = {"core-temperature", "cooling",    "door", "fan",
                                             "humidity",         "temperature"};

typedef struct reading {
    sy_ms t;
    double v;
    uint32_t point;
    sy_quality q;
    sy_ms arrives;
} reading;

static uint64_t seed;
static uint32_t draw(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

static const sy_site *site_of(void)
{
    static const sy_site_span hours[] = {{0x7f, 10 * 3600000, 14 * 3600000},
                                         {0x7f, 15 * 3600000, 17 * 3600000}};
    static const sy_site_span night[] = {{0x7f, 22 * 3600000, 30 * 3600000}};
    static const sy_site_calendar calendars[] = {{"night", night, 1}, {"service-hours", hours, 2}};
    static const sy_site_due dues[] = {{"calibration", 20454}};
    static const sy_site_premises premises = {
        .id = "p", .calendars = calendars, .n_calendars = 2, .dues = dues, .n_dues = 1};
    static const sy_site_place place = {.id = "r", .kind = "room"};
    static sy_site_point points[POINTS];
    static const sy_site site = {.gateway = "g",
                                 .premises = &premises,
                                 .n_premises = 1,
                                 .places = &place,
                                 .n_places = 1,
                                 .points = points,
                                 .n_points = POINTS};
    for (uint32_t k = 0; k < POINTS; k++) {
        bool on_off = k >= 1 && k <= 3;
        points[k] = (sy_site_point){.series = series[k],
                                    .device = "d",
                                    .name = series[k],
                                    .quantity = quantity[k],
                                    .unit = on_off   ? NULL
                                            : k == 4 ? "%RH"
                                                     : "degC",
                                    .is_state = on_off,
                                    .every = on_off ? 0 : MIN,
                                    .uncertainty = 0.2,
                                    .resolution = 0.1};
    }
    return &site;
}

/* Long stretches above and below, gaps, a value that stands still, states that change. */
static size_t make_stream(reading *v)
{
    size_t n = 0;
    int left[POINTS] = {0};
    double value[POINTS] = {0};
    for (int m = 0; m < MINUTES; m++) {
        for (uint32_t p = 0; p < POINTS; p++) {
            bool on_off = p >= 1 && p <= 3;
            if (left[p]-- <= 0) {
                left[p] = (int)draw(on_off ? 60 : 40);
                value[p] = on_off ? (double)draw(2) : 4 + (double)draw(60) / 10;
                if (on_off) {
                    v[n++] =
                        (reading){T0 + (sy_ms)m * MIN + draw(60) * 1000, value[p], p, SY_Q_GOOD, 0};
                }
            }
            if (on_off || draw(20) == 0 || (left[p] > 10 && draw(30) == 0)) {
                continue;
            }
            double x = value[p] + (draw(3) == 0 ? (double)draw(3) / 10 : 0);
            v[n++] = (reading){T0 + (sy_ms)m * MIN, x, p, SY_Q_GOOD, 0};
            assert_true(n < READINGS - POINTS);
        }
    }
    return n;
}

static int by_arrival(const void *a, const void *b)
{
    const reading *x = a, *y = b;
    if (x->arrives != y->arrives) {
        return x->arrives < y->arrives ? -1 : 1;
    }
    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    return (x->point > y->point) - (x->point < y->point);
}

typedef struct alerts {
    sy_alert a[ALERTS];
    size_t n;
} alerts;

static void collect(void *ctx, const sy_alert *a)
{
    alerts *l = ctx;
    if (a->state != SY_ALERT_WITHDRAWN) {
        assert_true(l->n < ALERTS);
        l->a[l->n++] = *a;
    }
}

static sy_judge *fresh(const sy_set *set)
{
    sy_judge *j = NULL;
    sy_judge_options o = {
        .set = set, .site = site_of(), .start = T0, .in_force = SY_MS_NONE, .alloc = sy_heap()};
    assert_int_equal(sy_judge_open(&j, &o), SY_OK);
    return j;
}

static sy_judge *restart(sy_judge *j, const sy_set *set)
{
    sy_buf b, again;
    sy_judge *to = fresh(set);
    sy_buf_init(&b, sy_heap());
    sy_buf_init(&again, sy_heap());
    assert_int_equal(sy_judge_save(j, &b), SY_OK);
    assert_int_equal(sy_judge_load(to, sy_buf_span(&b)), SY_OK);
    assert_int_equal(sy_judge_save(to, &again), SY_OK);
    assert_int_equal(b.n, again.n);
    assert_memory_equal(b.p, again.p, b.n);
    sy_buf_fini(&b);
    sy_buf_fini(&again);
    sy_judge_close(j);
    return to;
}

/* Judge the stream as it arrives; `restarts`: one in so many readings, 0 never. */
static void judge(const sy_set *set, reading *v, size_t n, uint32_t restarts, sy_buf *state,
                  alerts *out)
{
    sy_judge *j = fresh(set);
    for (size_t k = 0; k < n; k++) {
        sy_verdict verdict;
        sy_ms now = v[k].arrives;
        assert_int_equal(sy_judge_advance(j, now), SY_OK);
        assert_int_equal(sy_judge_reading(j, v[k].point, v[k].t, v[k].v, v[k].q, &verdict), SY_OK);
        assert_int_not_equal(verdict, SY_READING_LATE);
        if (restarts && draw(restarts) == 0) {
            j = restart(j, set);
        }
    }
    assert_int_equal(sy_judge_advance(j, T0 + (sy_ms)(MINUTES + 60) * MIN), SY_OK);
    if (state) {
        assert_int_equal(sy_judge_save(j, state), SY_OK);
    }
    assert_int_equal(sy_judge_finish(j), SY_OK);
    assert_int_equal(sy_judge_alerts(j, collect, out), SY_OK);
    sy_judge_close(j);
}

static void same_alerts(const char *what, const alerts *a, const alerts *b)
{
    size_t n = a->n < b->n ? a->n : b->n;
    for (size_t k = 0; k < n; k++) {
        const sy_alert *x = &a->a[k], *y = &b->a[k];
        bool same = strcmp(x->id, y->id) == 0 && x->raised == y->raised &&
                    x->cleared == y->cleared && x->level == y->level && x->count == y->count &&
                    x->counted == y->counted && x->unknown == y->unknown &&
                    (x->count == 0 || (!(x->min < y->min) && !(x->max > y->max)));
        if (!same) {
            fail_msg("%s: alert %zu of %s: onset %lld raised %lld cleared %lld level %d counted "
                     "%lld count %llu, or of %s: %lld %lld %lld %d %lld %llu",
                     what, k, x->rule->id, (long long)((x->onset - T0) / 1000),
                     (long long)((x->raised - T0) / 1000), (long long)((x->cleared - T0) / 1000),
                     (int)x->level, (long long)x->counted, (unsigned long long)x->count,
                     y->rule->id, (long long)((y->onset - T0) / 1000),
                     (long long)((y->raised - T0) / 1000), (long long)((y->cleared - T0) / 1000),
                     (int)y->level, (long long)y->counted, (unsigned long long)y->count);
        }
    }
    assert_int_equal(a->n, b->n);
}

static size_t however_delivered(const sy_set *set, uint64_t s)
{
    static reading v[READINGS];
    alerts *a = calloc(3, sizeof *a);
    sy_buf plain, restarted;
    assert_non_null(a);
    sy_buf_init(&plain, sy_heap());
    sy_buf_init(&restarted, sy_heap());
    seed = s;
    size_t n = make_stream(v);
    for (size_t k = 0; k < n; k++) {
        v[k].arrives = v[k].t;
    }
    qsort(v, n, sizeof *v, by_arrival);
    judge(set, v, n, 0, &plain, &a[0]);
    judge(set, v, n, 200, &restarted, &a[1]);
    same_alerts("restarts", &a[0], &a[1]);
    assert_int_equal(plain.n, restarted.n);
    assert_memory_equal(plain.p, restarted.p, plain.n);
    for (size_t k = 0; k < n; k++) {
        v[k].arrives = v[k].t + (sy_ms)draw(9 * MIN);
    }
    qsort(v, n, sizeof *v, by_arrival);
    judge(set, v, n, 300, NULL, &a[2]);
    same_alerts("out of order", &a[0], &a[2]);
    size_t got = a[0].n;
    sy_buf_fini(&plain);
    sy_buf_fini(&restarted);
    free(a);
    return got;
}

static void check(const char *path)
{
    kit_set k;
    sy_buf text = kit_file(path);
    size_t got = 0;
    kit_load(&k, path, sy_buf_span(&text), false);
    assert_int_equal(kit_scenarios(&k, kit_zone("Asia/Shanghai", &k.arena), true), 0);
    const char *cases = getenv("SY_CASES");
    uint64_t wanted = cases ? strtoull(cases, NULL, 10) / 100 : 0;
    for (uint64_t s = 1; s <= (wanted > 6 ? wanted : 6); s++) {
        got += however_delivered(k.set, s * 7919);
    }
    assert_true(got > 20);
    kit_free(&k);
    sy_buf_fini(&text);
}

static void holds(void **state)
{
    (void)state;
    check("tests/rules/holds.rules");
}

static void phrases(void **state)
{
    (void)state;
    check("tests/rules/phrases.rules");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds),
        cmocka_unit_test(phrases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
