/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules over random streams: the judge against the naive one, and against itself under
 * another order of delivery, other steps of the clock, and restarts from snapshots.
 *
 * SY_CASES and SY_SEED choose the cases, SY_CONSTRUCTS ("cumulative,during") what they are made of.
 */
#include "judge_kit.h"
#include "judge_naive.h"
#include "judge_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRIVERS = 2 };
static const uint32_t drivers[DRIVERS] = {P_TEMPERATURE, P_TEMPERATURE2};

static random_case c;

/* Alerts as text; times in ticks from t0. */

static void put_alert(sy_buf *b, const naive_alert *a)
{
    sy_buf_printf(b, "onset %d raised %d cleared %d state %d level %d%s ", a->onset, a->raised,
                  a->cleared, (int)a->state, (int)a->level, a->trial ? " trial" : "");
    sy_buf_printf(b, "min %.17g max %.17g count %d counted %d unknown %d exempt %d\n",
                  a->count ? a->min : 0, a->count ? a->max : 0, a->count, a->counted, a->unknown,
                  a->exempt);
}

typedef struct taking {
    sy_buf *b, *ids;
    uint32_t point;
} taking;

static int ticks(sy_ms t)
{
    assert_int_equal(t % c.tick, 0);
    return (int)(t / c.tick);
}

static void take(void *ctx, const sy_alert *a)
{
    const taking *x = ctx;
    if (a->state == SY_ALERT_WITHDRAWN || a->point != x->point) {
        return;
    }
    assert_int_equal(a->span, a->raised - a->onset);
    naive_alert n = {.onset = ticks(a->onset - c.t0),
                     .raised = ticks(a->raised - c.t0),
                     .cleared = a->cleared == SY_MS_NONE ? -1 : ticks(a->cleared - c.t0),
                     .state = a->state,
                     .level = a->level,
                     .min = a->min,
                     .max = a->max,
                     .count = (int)a->count,
                     .counted = ticks(a->counted),
                     .unknown = ticks(a->unknown),
                     .exempt = ticks(a->exempt),
                     .trial = a->trial};
    put_alert(x->b, &n);
    sy_buf_printf(x->ids, "%d %s %s\n", n.onset, a->id, a->subject);
}

static void naive_text(const sy_set *set, sy_buf *b)
{
    static naive_alert a[NAIVE_ALERTS];
    for (int d = 0; d < DRIVERS; d++) {
        naive_case n = {.versions = {{set, set->rules[0], 0}},
                        .n_versions = 1,
                        .site = &c.site,
                        .driver = drivers[d],
                        .t0 = c.t0,
                        .tick = c.tick,
                        .readings = c.r,
                        .n = c.n,
                        .now = c.length};
        size_t count = naive_judge(&n, a);
        sy_buf_printf(b, "driver %u\n", drivers[d]);
        for (size_t k = 0; k < count; k++) {
            put_alert(b, &a[k]);
        }
    }
}

/* The judge, run in several ways. */

static sy_judge *open_judge(const sy_set *set, bool wait)
{
    sy_judge *j;
    sy_judge_options o = {.set = set,
                          .site = &c.site,
                          .start = c.t0,
                          .in_force = SY_MS_NONE,
                          .wait_delivery = wait,
                          .alloc = sy_heap()};
    assert_int_equal(sy_judge_open(&j, &o), SY_OK);
    return j;
}

static void give(sy_judge *j, const naive_reading *r)
{
    sy_verdict v;
    assert_int_equal(sy_judge_reading(j, r->point, c.t0 + c.tick * r->at, r->value, r->quality, &v),
                     SY_OK);
    assert_int_not_equal(v, SY_READING_LATE);
}

static void finish(sy_judge *j, sy_buf *b, sy_buf *ids)
{
    assert_int_equal(sy_judge_advance(j, c.t0 + c.tick * c.length), SY_OK);
    assert_int_equal(sy_judge_finish(j), SY_OK);
    for (int d = 0; d < DRIVERS; d++) {
        taking x = {b, ids, drivers[d]};
        sy_buf_printf(b, "driver %u\n", drivers[d]);
        assert_int_equal(sy_judge_alerts(j, take, &x), SY_OK);
    }
    sy_judge_close(j);
}

static sy_judge *restart(sy_judge *j, const sy_set *set, bool wait)
{
    sy_buf saved, again;
    sy_judge *n = open_judge(set, wait);
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

typedef struct delivery {
    sy_ms at;
    int k;
} delivery;

static int by_delivery(const void *a, const void *b)
{
    const delivery *x = a, *y = b;
    return x->at != y->at ? (x->at < y->at ? -1 : 1) : (x->k > y->k) - (x->k < y->k);
}

/* Delivered up to `late` seconds late, in any order, the clock in odd steps, with restarts. */
static void disorder(const sy_set *set, uint32_t late, sy_buf *b, sy_buf *ids)
{
    static delivery order[NAIVE_READINGS];
    bool wait = random_chance(50);
    sy_judge *j = open_judge(set, wait);
    sy_ms now = c.t0, end = c.t0 + c.tick * c.length;
    for (size_t k = 0; k < c.n; k++) {
        order[k].at = c.t0 + c.tick * c.r[k].at + 1000 * (sy_ms)random_below(late + 1) -
                      (random_chance(30) ? 5000 : 0);
        order[k].k = (int)k;
    }
    qsort(order, c.n, sizeof order[0], by_delivery);
    for (size_t k = 0; k < c.n; k++) {
        if (order[k].at > now && random_chance(70)) {
            now = order[k].at - 1000 * (sy_ms)random_below(3);
            now = now < end ? now : end;
            assert_int_equal(sy_judge_advance(j, now), SY_OK);
        }
        give(j, &c.r[order[k].k]);
        if (random_chance(1)) {
            j = restart(j, set, wait);
        }
    }
    finish(j, b, ids);
}

static void in_order(const sy_set *set, sy_buf *b, sy_buf *ids)
{
    static delivery order[NAIVE_READINGS];
    sy_judge *j = open_judge(set, false);
    size_t k = 0;
    for (size_t i = 0; i < c.n; i++) {
        order[i] = (delivery){c.r[i].at, (int)i};
    }
    qsort(order, c.n, sizeof order[0], by_delivery);
    for (int t = 0; t <= c.length; t++) {
        for (; k < c.n && order[k].at == t; k++) {
            give(j, &c.r[order[k].k]);
        }
        assert_int_equal(sy_judge_advance(j, c.t0 + c.tick * t), SY_OK);
    }
    finish(j, b, ids);
}

static void at_once(const sy_set *set, sy_buf *b, sy_buf *ids)
{
    sy_judge *j = open_judge(set, false);
    for (size_t k = 0; k < c.n; k++) {
        give(j, &c.r[k]);
    }
    finish(j, b, ids);
}

/* What a failure shows: the rule, the first alerts that differ, the readings before them. */

static void show_frame(void)
{
    char at[25];
    sy_time_text(c.t0, at);
    fprintf(stderr, "t0 %s, tick %lld ms, zone %s, tier %s, due day %lld, constructs:", at,
            (long long)c.tick, c.zone ? c.zone->name : "UTC",
            c.premises.n_tiers ? c.tier.value : "none", (long long)c.due.day);
    static const char *const names[] = {
#define CONSTRUCT_NAME(name, text) text,
        CONSTRUCT_TABLE(CONSTRUCT_NAME)
#undef CONSTRUCT_NAME
    };
    for (int k = 0; k < CONSTRUCTS; k++) {
        fprintf(stderr, "%s%s", c.on[k] ? " " : "", c.on[k] ? names[k] : "");
    }
    for (int k = 0; k < 2 && c.on[C_DURING]; k++) {
        fprintf(stderr, "\n%s:", c.calendars[k].name);
        for (size_t s = 0; s < c.calendars[k].n_spans; s++) {
            fprintf(stderr, " [days %x, %lld s to %lld s]", c.spans[k][s].days,
                    (long long)c.spans[k][s].from / 1000, (long long)c.spans[k][s].to / 1000);
        }
    }
    fprintf(stderr, "\n");
    for (int p = 0; p < POINTS; p++) {
        const sy_site_point *s = &c.points[p];
        fprintf(stderr, "  %d %s every %lld accuracy %g uncertainty %g resolution %g\n", p,
                s->series, (long long)(s->every / c.tick), s->accuracy, s->uncertainty,
                s->resolution);
    }
}

static void show_readings(int to)
{
    int shown = 0;
    for (int t = to; t >= 0 && shown < 120; t--) {
        for (size_t k = 0; k < c.n; k++) {
            if (c.r[k].at == t) {
                fprintf(stderr, "%s%d@%d=%g%s", shown++ % 10 ? "  " : "\n  ", (int)c.r[k].point, t,
                        c.r[k].value,
                        c.r[k].quality == SY_Q_GOOD        ? ""
                        : c.r[k].quality == SY_Q_UNCERTAIN ? "?"
                        : c.r[k].quality == SY_Q_BAD       ? "!"
                                                           : "^");
            }
        }
    }
    fprintf(stderr, "\n");
}

/* Up to where two lines of alerts differ. */
static int until(const char *a, const char *b)
{
    int x[3] = {c.length, 0, 0}, y[3] = {c.length, 0, 0};
    bool first = sscanf(a, "onset %d raised %d cleared %d", &x[0], &x[1], &x[2]) == 3;
    bool second = sscanf(b, "onset %d raised %d cleared %d", &y[0], &y[1], &y[2]) == 3;
    if (!first || !second) {
        return first ? x[1] + 5 : second ? y[1] + 5 : c.length;
    }
    int k = x[0] == y[0] && x[1] == y[1] ? 2 : 1;
    return (x[k] < 0 || (y[k] >= 0 && y[k] < x[k]) ? y[k] : x[k]) + 5;
}

enum { AT_ONCE, IN_ORDER, IN_DISORDER, IN_SOME_DISORDER, MODES };
static const char *const mode_names[MODES] = {"all at once", "in order", "in disorder",
                                              "in some disorder"};

typedef struct texts {
    sy_buf rule, want, got, ids, first_ids;
    uint64_t seed;
} texts;

static void judged(const sy_set *set, int mode, texts *x)
{
    sy_buf_reset(&x->got);
    sy_buf_reset(&x->ids);
    random_seed(x->seed + 1000003 * (uint64_t)(mode + 1));
    if (mode == AT_ONCE) {
        at_once(set, &x->got, &x->ids);
    } else if (mode == IN_ORDER) {
        in_order(set, &x->got, &x->ids);
    } else {
        disorder(set, mode == IN_DISORDER ? 600 : 20, &x->got, &x->ids);
    }
}

static bool differ(const sy_buf *a, const sy_buf *b)
{
    return !sy_span_eq(sy_buf_span(a), sy_buf_span(b));
}

static bool wrong(const sy_set *set, int mode, texts *x)
{
    sy_buf_reset(&x->want);
    naive_text(set, &x->want);
    judged(set, mode, x);
    return differ(&x->want, &x->got);
}

/* Leave readings out as long as it goes wrong without them, too. */
static void shrink(const sy_set *set, int mode, texts *x)
{
    static naive_reading kept[NAIVE_READINGS];
    int tries = 4000;
    for (size_t part = c.n / 2; part > 0; part /= 2) {
        for (size_t at = 0; at < c.n && tries-- > 0;) {
            size_t n = c.n, drop = part < n - at ? part : n - at;
            memcpy(kept, c.r, n * sizeof kept[0]);
            memmove(c.r + at, c.r + at + drop, (n - at - drop) * sizeof kept[0]);
            c.n = n - drop;
            if (!wrong(set, mode, x)) {
                memcpy(c.r, kept, n * sizeof kept[0]);
                c.n = n;
                at += drop;
            }
        }
    }
    (void)wrong(set, mode, x);
}

static void report(const sy_set *set, int mode, texts *x)
{
    size_t at = 0, line = 0;
    if (differ(&x->want, &x->got)) {
        shrink(set, mode, x);
    } else {
        x->want = x->first_ids;
        x->got = x->ids;
    }
    size_t n = x->want.n < x->got.n ? x->want.n : x->got.n;
    for (; at < n && x->want.p[at] == x->got.p[at]; at++) {
        line = x->want.p[at] == '\n' ? at + 1 : line;
    }
    fprintf(stderr, "seed %llu, %s\n%s\nexpected:\n%.3000s\ngot:\n%.3000s\n",
            (unsigned long long)x->seed, mode_names[mode], x->rule.p, x->want.p, x->got.p);
    show_frame();
    show_readings(until(x->want.p + line, x->got.p + line));
    fail();
}

typedef struct counts {
    size_t cases, judged, with_alerts;
} counts;

static void compare_all(const sy_set *set, texts *x)
{
    sy_buf_reset(&x->want);
    naive_text(set, &x->want);
    for (int mode = 0; mode < MODES; mode++) {
        judged(set, mode, x);
        if (mode == AT_ONCE) {
            sy_buf_reset(&x->first_ids);
            sy_buf_put(&x->first_ids, x->ids.p, x->ids.n);
        }
        if (differ(&x->want, &x->got) || differ(&x->first_ids, &x->ids)) {
            report(set, mode, x);
        }
    }
}

/* SY_RULE names a file with a rule to judge instead, on the same site and stream. */
static void instead(sy_buf *b)
{
    sy_fail f;
    if (getenv("SY_RULE")) {
        sy_buf_reset(b);
        assert_int_equal(sy_file_read(getenv("SY_RULE"), 1u << 20, b, &f), SY_OK);
        sy_buf_text(b, "");
    }
}

static void one_case(texts *x, const sy_zone *const zones[3], counts *n)
{
    kit_set k;
    random_seed(x->seed);
    sy_buf_reset(&x->rule);
    random_frame(&c, zones);
    random_rule(&c, 1, &x->rule);
    sy_buf_text(&x->rule, "");
    random_stream(&c);
    n->cases++;
    instead(&x->rule);
    if (!kit_load(&k, "random", sy_buf_span(&x->rule), true)) { /* a hold upon a hold is refused */
        if (getenv("SY_SHOW")) {
            sy_buf_reset(&x->got);
            for (size_t i = 0; i < k.diags.n; i++) {
                sy_diag_print(&k.diags.v[i], SY_EN, &x->got);
            }
            fprintf(stderr, "seed %llu\n%s\n", (unsigned long long)x->seed, x->got.p);
        }
        kit_free(&k);
        return;
    }
    sy_judge *j = open_judge(k.set, false);
    size_t instances = sy_judge_instances(j);
    sy_judge_close(j);
    if (instances == DRIVERS) { /* else something that it needs is not there */
        n->judged++;
        compare_all(k.set, x);
        n->with_alerts += strstr(x->want.p, "onset") != NULL;
    }
    kit_free(&k);
}

static void choose(void)
{
    static const char *const names[] = {
#define CONSTRUCT_NAME(name, text) text,
        CONSTRUCT_TABLE(CONSTRUCT_NAME)
#undef CONSTRUCT_NAME
    };
    const char *only = getenv("SY_CONSTRUCTS");
    bool but = only && only[0] == '-'; /* all but these */
    for (int k = 0; k < CONSTRUCTS; k++) {
        size_t len = strlen(names[k]);
        bool listed = false;
        for (const char *p = only ? only + but : NULL; p && *p; p += *p == ',') {
            size_t l = strcspn(p, ",");
            listed = listed || (l == len && memcmp(p, names[k], l) == 0);
            p += l;
        }
        c.allowed[k] = only ? listed != but : true;
    }
}

static void differential(void **state)
{
    const char *cases = getenv("SY_CASES"), *first = getenv("SY_SEED");
    const char *only = getenv("SY_CONSTRUCTS");
    size_t todo = cases ? strtoul(cases, NULL, 10) : 300;
    uint64_t from = first ? strtoull(first, NULL, 10) : 1;
    sy_arena arena;
    texts x = {.seed = from};
    sy_buf *const all[] = {&x.rule, &x.want, &x.got, &x.ids, &x.first_ids};
    counts n = {0, 0, 0};
    (void)state;
    sy_arena_init(&arena, sy_heap(), 0);
    const sy_zone *const zones[3] = {NULL, kit_zone("Asia/Shanghai", &arena),
                                     kit_zone("Europe/Berlin", &arena)};
    for (int i = 0; i < 5; i++) {
        sy_buf_init(all[i], sy_heap());
    }
    choose();
    for (; n.cases < todo; x.seed++) {
        one_case(&x, zones, &n);
    }
    print_message("%zu cases, %zu judged, %zu with alerts\n", n.cases, n.judged, n.with_alerts);
    assert_true(only || todo < 100 || n.judged * 2 > n.cases);
    assert_true(only || todo < 100 || n.with_alerts * 3 > n.judged);
    for (int i = 0; i < 5; i++) {
        sy_buf_fini(all[i]);
    }
    sy_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(differential)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
