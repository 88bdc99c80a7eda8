/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sliding windows against sums over all readings: random readings with gaps, bad and contradictory
 * ones, delivered in any order within ten minutes, with restarts from snapshots in between. Each
 * window is judged bare, so that its alerts are the runs of readings at which it is true.
 */
#include "judge_kit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MIN = 60000, MINUTES = 600, EVENTS = 400 };
#define T0 ((sy_ms)1772323200000)
enum { FAN, NOISE, TEMPERATURE, POINTS };

typedef struct tried {
    const char *text; /* the operand */
    const char *limit;
    int kind;
    double rank, valid, limit_value; /* valid: per cent */
    int point, minutes;              /* of the window */
    bool while_on;
} tried;

enum { MEAN, HIGHEST, LOWEST, SPREAD, RATE, TOTAL, PERCENTILE, MEDIAN, KINETIC, SOUND };
static const tried all[] = {
    {"mean of temperature over 1 h", "above 5.013 °C", MEAN, 0, 75, 5.013, TEMPERATURE, 60, false},
    {"mean of temperature over 20 min (valid at least 40 %)", "above 5.213 °C", MEAN, 0, 40, 5.213,
     TEMPERATURE, 20, false},
    {"mean of temperature over 30 min while fan is on (valid at least 30 %)", "above 5.113 °C",
     MEAN, 0, 30, 5.113, TEMPERATURE, 30, true},
    {"highest of temperature over 15 min", "above 9.6 °C", HIGHEST, 0, 75, 9.6, TEMPERATURE, 15,
     false},
    {"lowest of temperature over 30 min", "above 0.3 °C", LOWEST, 0, 75, 0.3, TEMPERATURE, 30,
     false},
    {"spread of temperature over 10 min", "above 8.9 K", SPREAD, 0, 75, 8.9, TEMPERATURE, 10,
     false},
    {"spread of temperature over 20 min while fan is on (valid at least 20 %)", "above 9.1 K",
     SPREAD, 0, 20, 9.1, TEMPERATURE, 20, true},
    {"rate of temperature over 10 min", "above 20.03 K/h", RATE, 0, 75, 20.03, TEMPERATURE, 10,
     false},
    {"total of temperature over 20 min", "above 101.13 °C", TOTAL, 0, 75, 101.13, TEMPERATURE, 20,
     false},
    {"percentile 90 of temperature over 1 h", "above 8.9 °C", PERCENTILE, 90, 75, 8.9, TEMPERATURE,
     60, false},
    {"median of temperature over 30 min", "above 5.06 °C", MEDIAN, 0, 75, 5.06, TEMPERATURE, 30,
     false},
    {"median of temperature over 21 min while fan is on (valid at least 10 %)", "above 5.06 °C",
     MEDIAN, 0, 10, 5.06, TEMPERATURE, 21, true},
    {"mean kinetic temperature of temperature over 1 h", "above 5.9003 °C", KINETIC, 0, 75, 5.9003,
     TEMPERATURE, 60, false},
    {"sound level mean of noise over 30 min", "above 60.0003 dB(A)", SOUND, 0, 75, 60.0003, NOISE,
     30, false},
};

typedef struct item {
    sy_ms t, arrives;
    double v;
    sy_quality q;
    int point;
} item;
typedef struct event {
    sy_ms raised, cleared;
} event;
typedef struct events {
    event v[EVENTS];
    size_t n;
} events;

static uint64_t seed;
static unsigned dice(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % n);
}

static sy_site_point points[POINTS] = {
    [FAN] = {.series = "d/fan", .device = "d", .name = "fan", .quantity = "fan", .is_state = true},
    [NOISE] = {.series = "d/noise",
               .device = "d",
               .name = "noise",
               .quantity = "noise",
               .unit = "dB(A)",
               .every = MIN},
    [TEMPERATURE] = {.series = "d/temperature",
                     .device = "d",
                     .name = "temperature",
                     .quantity = "temperature",
                     .unit = "degC",
                     .every = MIN}};
static sy_site_premises premises = {.id = "p", .subject = "caterer", .stage = "storage"};
static sy_site_place place = {.id = "r", .kind = "room"};
static sy_site site = {.gateway = "g",
                       .premises = &premises,
                       .n_premises = 1,
                       .places = &place,
                       .n_places = 1,
                       .points = points,
                       .n_points = POINTS};

static size_t make(item *v)
{
    size_t n = 0;
    double base[POINTS] = {0, 60, 5};
    for (int m = 0; m < MINUTES; m++) {
        for (int p = 0; p < POINTS; p++) {
            sy_ms t = T0 + (sy_ms)m * MIN + (p == FAN ? 500 : (sy_ms)dice(20) * 100);
            if (p == FAN ? dice(12) != 0 : dice(10) == 0) {
                continue;
            }
            if (p != FAN && dice(60) == 0) { /* a gap */
                base[p] += dice(3) - 1.0;
                m += p == TEMPERATURE ? (int)dice(12) : 0;
                continue;
            }
            double x = p == FAN ? (double)dice(2) : base[p] + ((double)dice(41) - 20) / 4;
            sy_quality q = dice(25) ? SY_Q_GOOD : dice(2) ? SY_Q_UNCERTAIN : SY_Q_BAD;
            v[n++] = (item){t, 0, x, p == FAN ? SY_Q_GOOD : q, p};
            if (dice(40) == 0) { /* again, and differently */
                v[n] = v[n - 1];
                v[n++].v += dice(2);
            }
        }
    }
    for (size_t k = 0; k < n; k++) {
        v[k].arrives = v[k].t + (dice(8) ? (sy_ms)dice(3000) : (sy_ms)dice(9 * MIN));
    }
    return n;
}

static int by_arrival(const void *a, const void *b)
{
    const item *x = a, *y = b;
    return x->arrives != y->arrives ? (x->arrives < y->arrives ? -1 : 1) : (x < y ? -1 : 1);
}

static int by_time(const void *a, const void *b)
{
    const item *x = a, *y = b;
    return x->t != y->t ? (x->t < y->t ? -1 : 1) : (x < y ? -1 : 1);
}

/* The valid readings of a point in order; returns how many. */
static size_t valid(const item *v, size_t n, int point, item *out)
{
    size_t m = 0;
    for (size_t k = 0; k < n; k++) {
        if (v[k].point == point && (v[k].q & SY_Q_GRADE) != SY_Q_BAD) {
            out[m++] = v[k];
        }
    }
    qsort(out, m, sizeof *out, by_time);
    size_t to = 0;
    for (size_t k = 0; k < m;) {
        size_t e = k;
        bool same = true, good = false;
        for (; e < m && out[e].t == out[k].t; e++) {
            same = same && out[e].v == out[k].v;
            good = good || out[e].q == SY_Q_GOOD;
        }
        if (same && good) {
            out[to++] = out[k];
        }
        k = e;
    }
    return to;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Not a number: unknown. */
static double value(const tried *x, const item *v, size_t n, const item *fan, size_t n_fan, sy_ms u)
{
    static double in[MINUTES * 2], sorted[MINUTES * 2];
    static sy_ms at[MINUTES * 2];
    size_t m = 0;
    double sum = 0, held = 0, weighed = 0;
    sy_ms from = u - (sy_ms)x->minutes * MIN;
    for (size_t k = 0; k < n && v[k].t <= u; k++) {
        bool on = false;
        for (size_t q = 0; q < n_fan && fan[q].t <= v[k].t; q++) {
            on = fan[q].v == 0; /* the first of its values */
        }
        if (v[k].t > from && (!x->while_on || on)) {
            at[m] = v[k].t;
            in[m++] = v[k].v;
            sum += v[k].v;
        }
    }
    for (size_t k = 0; k + 1 < m; k++) {
        double w = fmin((double)(at[k + 1] - at[k]), 3.0 * MIN);
        double f = x->kind == KINETIC ? exp(-83144.0 / 8.314462618 / (in[k] + 273.15))
                                      : pow(10, in[k] / 10);
        held += w;
        weighed += w * f;
    }
    bool by_time_held = x->kind == KINETIC || x->kind == SOUND;
    bool enough = by_time_held ? held * 100 >= x->valid * x->minutes * MIN
                               : (double)m * 100 >= x->valid * x->minutes;
    if (m == 0 || !enough || (by_time_held && held <= 0)) {
        return NAN;
    }
    memcpy(sorted, in, m * sizeof *in);
    qsort(sorted, m, sizeof *sorted, by_value);
    switch (x->kind) {
    case MEAN:
        return sum / (double)m;
    case HIGHEST:
        return sorted[m - 1];
    case LOWEST:
        return sorted[0];
    case SPREAD:
        return sorted[m - 1] - sorted[0];
    case RATE:
        return at[m - 1] == at[0] ? (double)NAN
                                  : (in[m - 1] - in[0]) / (double)(at[m - 1] - at[0]) * 3600000;
    case TOTAL:
        return sum;
    case PERCENTILE:
        return sorted[(size_t)ceil(x->rank / 100 * (double)m - 1e-9) - 1];
    case MEDIAN:
        return (sorted[(m - 1) / 2] + sorted[m / 2]) / 2;
    case KINETIC:
        return -83144.0 / 8.314462618 / log(weighed / held) - 273.15;
    default:
        return 10 * log10(weighed / held);
    }
}

/* The runs of readings at which the window is true. */
static void expected(const tried *x, const item *all_items, size_t n_all, events *out)
{
    static item v[4 * MINUTES], fan[4 * MINUTES];
    size_t n = valid(all_items, n_all, x->point, v), n_fan = valid(all_items, n_all, FAN, fan);
    bool open = false;
    out->n = 0;
    for (size_t k = 0; k < n; k++) {
        double y = value(x, v, n, fan, n_fan, v[k].t);
        if (!open && y > x->limit_value) {
            out->v[out->n++] = (event){v[k].t, SY_MS_NONE};
            open = true;
        } else if (open && y < x->limit_value) {
            out->v[out->n - 1].cleared = v[k].t;
            open = false;
        }
        assert_true(out->n < EVENTS);
    }
}

static void take(void *ctx, const sy_alert *a)
{
    events *e = ctx;
    if (a->state != SY_ALERT_WITHDRAWN) {
        assert_true(e->n < EVENTS);
        e->v[e->n++] = (event){a->raised, a->cleared};
    }
}

static sy_judge *open_judge(const sy_set *set)
{
    sy_judge *j = NULL;
    sy_judge_options o = {
        .set = set, .site = &site, .start = T0, .in_force = SY_MS_NONE, .alloc = sy_heap()};
    assert_int_equal(sy_judge_open(&j, &o), SY_OK);
    assert_int_equal(sy_judge_instances(j), 1);
    return j;
}

static sy_judge *restart(sy_judge *j, const sy_set *set)
{
    sy_buf b, again;
    sy_judge *to = open_judge(set);
    sy_buf_init(&b, sy_heap());
    sy_buf_init(&again, sy_heap());
    assert_int_equal(sy_judge_save(j, &b), SY_OK);
    assert_int_equal(sy_judge_load(to, (sy_span){(const char *)b.p, b.n}), SY_OK);
    assert_int_equal(sy_judge_save(to, &again), SY_OK);
    assert_int_equal(b.n, again.n);
    assert_memory_equal(b.p, again.p, b.n);
    sy_buf_fini(&b);
    sy_buf_fini(&again);
    sy_judge_close(j);
    return to;
}

static void judged(const tried *x, const item *v, size_t n, bool restarts, events *out)
{
    static char text[1024];
    kit_set k;
    sy_verdict verdict;
    (void)snprintf(text, sizeof text,
                   "rule W version 1 \"w\"\n  basis \"b\" policy\n"
                   "  applies to subject any; goods any; stage any\n"
                   "  watch each room: %s, fan\n  missing after 3 min\n"
                   "  alert notice when %s %s [law]\n  then tell premises\nend\n",
                   x->point == NOISE ? "noise" : "temperature", x->text, x->limit);
    kit_load(&k, x->text, sy_span_of(text), false);
    sy_judge *j = open_judge(k.set);
    for (size_t q = 0; q < n; q++) {
        assert_int_equal(sy_judge_advance(j, v[q].arrives), SY_OK);
        assert_int_equal(
            sy_judge_reading(j, (uint32_t)v[q].point, v[q].t, v[q].v, v[q].q, &verdict), SY_OK);
        assert_int_not_equal(verdict, SY_READING_LATE);
        if (restarts && dice(150) == 0) {
            j = restart(j, k.set);
        }
    }
    assert_int_equal(sy_judge_advance(j, T0 + (sy_ms)(MINUTES + 20) * MIN), SY_OK);
    assert_int_equal(sy_judge_finish(j), SY_OK);
    out->n = 0;
    assert_int_equal(sy_judge_alerts(j, take, out), SY_OK);
    sy_judge_close(j);
    kit_free(&k);
}

static void same(const tried *x, int round, const events *a, const events *b)
{
    for (size_t k = 0; k < a->n && k < b->n; k++) {
        if (a->v[k].raised != b->v[k].raised || a->v[k].cleared != b->v[k].cleared) {
            fail_msg("%s, round %d, alert %zu: %.3f to %.3f, not %.3f to %.3f (minutes)", x->text,
                     round, k, (double)(b->v[k].raised - T0) / MIN,
                     (double)(b->v[k].cleared - T0) / MIN, (double)(a->v[k].raised - T0) / MIN,
                     (double)(a->v[k].cleared - T0) / MIN);
        }
    }
    if (a->n != b->n) {
        fail_msg("%s, round %d: %zu alerts, not %zu", x->text, round, b->n, a->n);
    }
}

static void windows_are_what_all_readings_give(void **state)
{
    static item v[8 * MINUTES];
    static events want, got;
    (void)state;
    size_t alerts = 0;
    for (int round = 0; round < 6; round++) {
        seed = (uint64_t)round * 77 + 5;
        size_t n = make(v);
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            qsort(v, n, sizeof *v, round == 0 ? by_time : by_arrival);
            for (size_t q = 0; round == 0 && q < n; q++) {
                v[q].arrives = v[q].t;
            }
            expected(&all[k], v, n, &want);
            judged(&all[k], v, n, round > 2, &got);
            same(&all[k], round, &want, &got);
            alerts += want.n;
        }
    }
    assert_true(alerts > 500);
}

/* 22 h at 4 °C and 2 h at 15 °C: 5.706 °C. */
static void the_kinetic_mean_of_a_day(void **state)
{
    static const char *limits[] = {"above 5.7055 °C", "above 5.7065 °C"};
    events got;
    (void)state;
    for (int k = 0; k < 2; k++) {
        static item v[2000];
        tried x = {.text = "mean kinetic temperature of temperature over 1441 min",
                   .limit = limits[k],
                   .point = TEMPERATURE};
        size_t n = 0;
        for (int m = 0; m <= 24 * 60; m++) {
            v[n++] = (item){T0 + (sy_ms)m * MIN, 0, m < 22 * 60 ? 4 : 15, 0, TEMPERATURE};
        }
        for (size_t q = 0; q < n; q++) {
            v[q].arrives = v[q].t;
        }
        judged(&x, v, n, false, &got);
        assert_int_equal(got.n, k == 0);
    }
}

/* Nine days of readings never take more than was said at the start. */
static void memory_is_what_was_said(void **state)
{
    static const char text[] =
        "rule W version 1 \"w\"\n  basis \"b\" policy\n"
        "  applies to subject any; goods any; stage any\n  watch each room: temperature\n"
        "  missing after 3 min\n"
        "  alert notice when median of temperature over 2 d above 100 °C [law] and lowest of "
        "temperature over 24 h above 100 °C [law]\n"
        "  alert warning when spread of temperature over 1 h above 100 K [law]\n"
        "  alert serious when daily mean of temperature above 100 °C [law]\n"
        "  then tell premises\nend\n";
    kit_set k;
    sy_verdict verdict;
    (void)state;
    kit_load(&k, "memory", sy_span_of(text), false);
    sy_judge *j = open_judge(k.set);
    size_t most = sy_judge_bytes_at_most(j), seen = 0;
    seed = 3;
    for (int m = 0; m < 9 * 24 * 60; m++) {
        sy_ms t = T0 + (sy_ms)m * MIN;
        double v = m < 4000 ? (m % 4000) / 50.0 : 80 - (m % 4000) / 50.0; /* each is an extreme */
        assert_int_equal(sy_judge_advance(j, t), SY_OK);
        assert_int_equal(sy_judge_reading(j, TEMPERATURE, t, v, SY_Q_GOOD, &verdict), SY_OK);
        seen = sy_judge_bytes(j) > seen ? sy_judge_bytes(j) : seen;
    }
    assert_true(seen <= most);
    assert_true(most < 4 * seen); /* and it says something */
    sy_judge_close(j);
    kit_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_what_all_readings_give),
        cmocka_unit_test(the_kinetic_mean_of_a_day),
        cmocka_unit_test(memory_is_what_was_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
