/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules over random streams: the judge against the naive one, and against itself under
 * another order of delivery, other steps of the clock, and restarts from snapshots.
 *
 * SY_CASES and SY_SEED choose the cases, SY_CONSTRUCTS ("cumulative,during") what they are made of.
 */
#include "judge_kit.h"
#include "judge_random_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static random_case c;

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
    if (x[k] == y[k]) {
        return c.length;
    }
    return (x[k] < 0 || (y[k] >= 0 && y[k] < x[k]) ? y[k] : x[k]) + 5;
}

typedef struct texts {
    sy_buf rule, later, want, got, ids, first_ids;
    uint64_t seed;
} texts;

static void judged(const random_run *r, int mode, texts *x)
{
    sy_buf_reset(&x->got);
    sy_buf_reset(&x->ids);
    random_seed(x->seed + 1000003 * (uint64_t)(mode + 1));
    random_judge(r, mode, &x->got, &x->ids);
}

static bool differ(const sy_buf *a, const sy_buf *b)
{
    return !sy_span_eq(sy_buf_span(a), sy_buf_span(b));
}

static bool wrong(const random_run *r, int mode, texts *x)
{
    sy_buf_reset(&x->want);
    random_naive(r, &x->want);
    judged(r, mode, x);
    return differ(&x->want, &x->got);
}

/* Leave readings out as long as it goes wrong without them, too. */
static void shrink(const random_run *r, int mode, texts *x)
{
    static naive_reading kept[NAIVE_READINGS];
    int tries = 4000;
    for (size_t part = c.n / 2; part > 0; part /= 2) {
        for (size_t at = 0; at < c.n && tries-- > 0;) {
            size_t n = c.n, drop = part < n - at ? part : n - at;
            memcpy(kept, c.r, n * sizeof kept[0]);
            memmove(c.r + at, c.r + at + drop, (n - at - drop) * sizeof kept[0]);
            c.n = n - drop;
            if (!wrong(r, mode, x)) {
                memcpy(c.r, kept, n * sizeof kept[0]);
                c.n = n;
                at += drop;
            }
        }
    }
    (void)wrong(r, mode, x);
}

static void report(const random_run *r, int mode, texts *x)
{
    size_t at = 0, line = 0;
    if (differ(&x->want, &x->got)) {
        shrink(r, mode, x);
    } else {
        x->want = x->first_ids;
        x->got = x->ids;
    }
    size_t n = x->want.n < x->got.n ? x->want.n : x->got.n;
    for (; at < n && x->want.p[at] == x->got.p[at]; at++) {
        line = x->want.p[at] == '\n' ? at + 1 : line;
    }
    fprintf(stderr, "seed %llu, %s\n%s\nexpected:\n%.3000s\ngot:\n%.3000s\n",
            (unsigned long long)x->seed, random_modes[mode], x->rule.p, x->want.p, x->got.p);
    if (r->switch_at) {
        fprintf(stderr, "from %d on:\n%s\n", r->switch_at, x->later.p);
    }
    show_frame();
    show_readings(until(x->want.p + line, x->got.p + line));
    fail();
}

typedef struct counts {
    size_t cases, judged, with_alerts;
} counts;

static void compare_all(const random_run *r, texts *x)
{
    sy_buf_reset(&x->want);
    random_naive(r, &x->want);
    for (int mode = 0; mode < RANDOM_MODES; mode++) {
        judged(r, mode, x);
        if (mode == AT_ONCE) {
            sy_buf_reset(&x->first_ids);
            sy_buf_put(&x->first_ids, x->ids.p, x->ids.n);
        }
        if (differ(&x->want, &x->got) || differ(&x->first_ids, &x->ids)) {
            report(r, mode, x);
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

static void complain(const kit_set *k, texts *x)
{
    if (getenv("SY_SHOW")) {
        sy_buf_reset(&x->got);
        for (size_t i = 0; i < k->diags.n; i++) {
            sy_diag_print(&k->diags.v[i], SY_EN, &x->got);
        }
        fprintf(stderr, "seed %llu\n%s\n", (unsigned long long)x->seed, x->got.p);
    }
}

/* The rule again with another title, or its version 2 with other numbers. From a tick without
 * readings on; other numbers where nothing waits for the next reading, which the first version
 * would no longer judge. */
static int another_version(texts *x)
{
    int at = c.length / 4 + (int)random_below((uint32_t)c.length / 2);
    bool texts_alone = random_chance(40);
    for (size_t k = 0; k < c.n; k++) {
        if (c.r[k].at == at) {
            at++;
            k = (size_t)-1;
        }
    }
    for (size_t k = 0; k < c.n && !texts_alone;) {
        if (c.r[k].at < at && c.r[k].at > at - 80) {
            c.r[k] = c.r[--c.n];
        } else {
            k++;
        }
    }
    sy_buf_reset(&x->later);
    sy_buf_put(&x->later, x->rule.p, x->rule.n);
    sy_buf_text(&x->later, "");
    for (char *p = x->later.p; *p; p++) {
        if (strncmp(p, "version 1", 9) == 0 && !texts_alone) {
            p[8] = '2';
        } else if (strncmp(p, " 8 °C", 6) == 0 && !texts_alone) {
            p[1] = '7';
        } else if (strncmp(p, "\"random\"", 8) == 0) {
            p[1] = 'R';
        }
    }
    return at;
}

static void one_case(texts *x, const sy_zone *const zones[3], counts *n)
{
    kit_set k[2];
    random_run r = {.c = &c};
    random_seed(x->seed);
    sy_buf_reset(&x->rule);
    random_frame(&c, zones);
    random_rule(&c, 1, &x->rule);
    sy_buf_text(&x->rule, "");
    random_stream(&c);
    n->cases++;
    instead(&x->rule);
    bool loaded = kit_load(&k[0], "random", sy_buf_span(&x->rule), true);
    if (!loaded) { /* a hold upon a hold is refused */
        complain(&k[0], x);
        kit_free(&k[0]);
        return;
    }
    if (c.on[C_VERSIONS]) {
        r.switch_at = another_version(x);
        (void)kit_load(&k[1], "random, version 2", sy_buf_span(&x->later), false);
        r.sets[1] = k[1].set;
    }
    r.sets[0] = k[0].set;
    if (random_watched(&r)) { /* else something that it needs is not there */
        n->judged++;
        compare_all(&r, x);
        n->with_alerts += strstr(x->want.p, "onset") != NULL;
    }
    kit_free(&k[0]);
    if (r.switch_at) {
        kit_free(&k[1]);
    }
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
    size_t wanted = cases ? strtoul(cases, NULL, 10) : 300;
    uint64_t from = first ? strtoull(first, NULL, 10) : 1;
    sy_arena arena;
    texts x = {.seed = from};
    sy_buf *const all[] = {&x.rule, &x.later, &x.want, &x.got, &x.ids, &x.first_ids};
    counts n = {0, 0, 0};
    (void)state;
    sy_arena_init(&arena, sy_heap(), 0);
    const sy_zone *const zones[3] = {NULL, kit_zone("Asia/Shanghai", &arena),
                                     kit_zone("Europe/Berlin", &arena)};
    for (int i = 0; i < 6; i++) {
        sy_buf_init(all[i], sy_heap());
    }
    choose();
    for (; n.cases < wanted; x.seed++) {
        one_case(&x, zones, &n);
    }
    print_message("%zu cases, %zu judged, %zu with alerts\n", n.cases, n.judged, n.with_alerts);
    assert_true(only || wanted < 100 || n.judged * 2 > n.cases);
    assert_true(only || wanted < 100 || n.with_alerts * 3 > n.judged);
    for (int i = 0; i < 6; i++) {
        sy_buf_fini(all[i]);
    }
    sy_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(differential)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
