/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judge in memory: bench_judge CONFIG DAYS. The points of the configuration each give a reading at
 * their expected interval (a minute where none is stated), for so many days, and its rules judge
 * them; nothing is stored. The floor compares each of the same readings with a constant.
 *
 * Values wander through the middle half of a point's range and leave it now and then; states change
 * every few hours. Prints one line of JSON.
 */
#include <math.h>
#include <string.h>

#include "bench_util.h"
#include "config/config.h"
#include "rules/judge.h"

enum { DAY_MS = 86400000, MINUTE_MS = 60000, ROUNDS = 1440 };

typedef struct totals {
    long raised, changes;
} totals;

static void count_change(void *ctx, const sy_change *c)
{
    totals *t = ctx;
    t->changes++;
    t->raised += c->kind == SY_CHANGE_RAISED;
}

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static double *make_values(const sy_site *site)
{
    double *v = malloc(site->n_points * ROUNDS * sizeof *v);
    uint64_t seed = 88172645463325252u;
    for (size_t p = 0; v && p < site->n_points; p++) {
        const sy_site_point *x = &site->points[p];
        double lo = isnan(x->range_lo) ? -10 : x->range_lo,
               hi = isnan(x->range_hi) ? 30 : x->range_hi;
        double at = (lo + hi) / 2, step = (hi - lo) / 200;
        for (size_t k = 0; k < ROUNDS; k++) {
            uint64_t r = next_random(&seed);
            if (x->is_state) {
                v[k * site->n_points + p] = r % 300 == 0;
                continue;
            }
            at += ((double)(r % 5) - 2) * step;
            at = at < lo ? lo : at > hi ? hi : at;
            v[k * site->n_points + p] = floor(at * 10) / 10;
        }
    }
    return v;
}

static double floor_seconds(const double *v, size_t n, long days)
{
    volatile size_t above = 0;
    double start = bench_now();
    for (long d = 0; d < days; d++) {
        size_t found = 0;
        for (size_t k = 0; k < n; k++) {
            found += v[k] > 8.0;
        }
        above = above + found;
    }
    return bench_now() - start;
}

static sy_err judge(sy_judge *j, const sy_site *site, const double *v, sy_ms start, long days)
{
    sy_err e = SY_OK;
    for (long m = 0; m < days * ROUNDS && !e; m++) {
        sy_ms t = start + (sy_ms)m * MINUTE_MS;
        const double *row = v + (size_t)(m % ROUNDS) * site->n_points;
        for (uint32_t p = 0; p < site->n_points && !e; p++) {
            sy_verdict verdict;
            e = sy_judge_reading(j, p, t, row[p], SY_Q_GOOD, &verdict);
        }
        e = e ? e : sy_judge_advance(j, t);
        if (m % ROUNDS == 0) {
            sy_judge_forget(j);
        }
    }
    return e;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: bench_judge CONFIG DAYS\n", stderr);
        return 2;
    }
    sy_arena arena;
    sy_findings findings;
    sy_config *c;
    sy_fail f = {0};
    sy_judge *j;
    totals sum = {0};
    long days = atol(argv[2]);
    sy_arena_init(&arena, sy_heap(), 0);
    findings = (sy_findings){.arena = &arena};
    if (sy_config_load(argv[1], NULL, &findings, &c, &f) != SY_OK) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    sy_ms start = 20500LL * DAY_MS; /* 2026-02-16 */
    double *v = make_values(c->site);
    sy_judge_options o = {.set = c->set,
                          .site = c->site,
                          .start = start,
                          .in_force = SY_MS_NONE,
                          .wait_delivery = true,
                          .alloc = sy_heap(),
                          .emit = count_change,
                          .ctx = &sum};
    if (!v || sy_judge_open(&j, &o) != SY_OK) {
        fputs("out of memory\n", stderr);
        return 1;
    }
    size_t n = c->site->n_points * ROUNDS;
    double least = floor_seconds(v, n, days), began = bench_now();
    if (judge(j, c->site, v, start, days) != SY_OK) {
        fputs("the judge failed\n", stderr);
        return 1;
    }
    double seconds = bench_now() - began;
    printf("{\"seconds\": %.4f, \"floor_s\": %.4f, \"readings\": %ld, \"instances\": %zu, "
           "\"bytes\": %zu, \"raised\": %ld, \"changes\": %ld}\n",
           seconds, least, (long)n * days, sy_judge_instances(j), sy_judge_bytes(j), sum.raised,
           sum.changes);
    sy_judge_close(j);
    free(v);
    sy_config_unref(c);
    sy_arena_fini(&arena);
    return 0;
}
