/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All packs at once, in memory: bench_packs POINTS DAYS RULES…
 *
 * Each rule has premises of its own that it applies to (rule_site.h), with places until there are
 * about so many points; every rule judges whatever it applies to. Each point has a reading a
 * minute, each event one an hour. The floor compares each of the same readings with a constant.
 * Prints one line of JSON.
 */
#include "base/os.h"
#include "bench_util.h"
#include "rule_site.h"

enum { MINUTE_MS = 60000, ROUNDS = 1440 };
#define START ((sy_ms)20560 * 86400000 - 28800000) /* 2026-04-17, 00:00 in Shanghai */

static void count_change(void *ctx, const sy_change *c)
{
    *(long *)ctx += c->kind == SY_CHANGE_RAISED;
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

static sy_err feed(const rule_site *w, sy_judge *j, const double *v, long days, long *fed)
{
    sy_err e = SY_OK;
    for (long m = 0; m < days * ROUNDS && !e; m++) {
        sy_ms t = START + (sy_ms)m * MINUTE_MS;
        const double *row = v + (size_t)(m % ROUNDS) * w->site.n_points;
        for (uint32_t p = 0; p < w->site.n_points && !e; p++) {
            sy_verdict verdict;
            if (m % 60 == 0 || !rule_site_is_event(w, p)) {
                e = sy_judge_reading(j, p, t, row[p], SY_Q_GOOD, &verdict);
                ++*fed;
            }
        }
        e = e ? e : sy_judge_advance(j, t);
        if (m % ROUNDS == 0) {
            sy_judge_forget(j);
        }
    }
    return e;
}

static int run(rule_site *w, size_t points, long days)
{
    long raised = 0, fed = 0;
    sy_judge *j;
    sy_err e = rule_site_make(w, w->set->rules, w->set->n_rules, 1);
    size_t copies = w->site.n_points ? points / w->site.n_points : 1;
    e = e ? e : rule_site_make(w, w->set->rules, w->set->n_rules, copies ? copies : 1);
    size_t n = w->site.n_points * ROUNDS;
    double *v = e ? NULL : malloc(n * sizeof *v);
    sy_judge_options o = {.set = w->set,
                          .site = &w->site,
                          .start = START,
                          .in_force = SY_MS_NONE,
                          .wait_delivery = true,
                          .alloc = sy_heap(),
                          .emit = count_change,
                          .ctx = &raised};
    if (!v || sy_judge_open(&j, &o) != SY_OK) {
        fputs("out of memory\n", stderr);
        free(v);
        return 1;
    }
    for (size_t k = 0; k < n; k++) {
        v[k] = rule_site_value(w, k % w->site.n_points);
    }
    double least = floor_seconds(v, n, days), began = bench_now();
    e = feed(w, j, v, days, &fed);
    double seconds = bench_now() - began;
    printf("{\"seconds\": %.4f, \"floor_s\": %.4f, \"readings\": %ld, \"instances\": %zu, "
           "\"bytes\": %zu, \"raised\": %ld, \"points\": %zu, \"rules\": %zu}\n",
           seconds, least, fed, sy_judge_instances(j), sy_judge_bytes(j), raised, w->site.n_points,
           w->set->n_rules);
    sy_judge_close(j);
    free(v);
    return e != SY_OK;
}

int main(int argc, char **argv)
{
    static rule_site w;
    if (argc < 4) {
        fputs("usage: bench_packs POINTS DAYS RULES…\n", stderr);
        return 2;
    }
    w.seed = 88172645463325252u;
    int status = rule_site_load(&w, argv + 3, (size_t)argc - 3) == SY_OK
                     ? run(&w, (size_t)atol(argv[1]), atol(argv[2]))
                     : 1;
    sy_arena_fini(&w.arena);
    return status;
}
