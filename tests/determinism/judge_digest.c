/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the judge makes of the same log, in a form that two builds can be compared by:
 * judge_digest DAYS SEED RULES…
 *
 * Each rule watches one place of its own (rule_site.h); readings come with full mantissas, with
 * gaps, bad and late ones. Printed are its
 * alerts with their figures as hexadecimal floating point, and the SHA-256 of the judge's whole
 * state. It needs nothing but the C library, so that it can be built for another processor.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/os.h"
#include "rule_site.h"

enum { MINUTE_MS = 60000 };

typedef struct world {
    rule_site w;
    long alerts;
} world;

static void show(void *ctx, const sy_alert *a)
{
    world *w = ctx;
    w->alerts++;
    printf("%s %s %d %lld %lld %lld %d %a %a %llu %lld %lld %lld\n", a->id, a->rule->id,
           (int)a->level, (long long)a->onset, (long long)a->raised, (long long)a->cleared,
           (int)a->state, a->min, a->max, (unsigned long long)a->count, (long long)a->counted,
           (long long)a->unknown, (long long)a->exempt);
}

static sy_err feed(world *w, sy_judge *j, sy_ms start, long minutes)
{
    sy_err e = SY_OK;
    for (long m = 0; m < minutes && !e; m++) {
        sy_ms t = start + (sy_ms)m * MINUTE_MS;
        bool gap = rule_site_draw(&w->w) % 50 == 0;
        for (uint32_t p = 0; p < w->w.site.n_points && !e && !gap; p++) {
            sy_verdict verdict;
            bool event = rule_site_is_event(&w->w, p);
            sy_quality q = rule_site_draw(&w->w) % 60 == 0   ? SY_Q_UNCERTAIN
                           : rule_site_draw(&w->w) % 70 == 0 ? SY_Q_BAD
                                                             : 0;
            sy_ms late = !event && rule_site_draw(&w->w) % 30 == 0
                             ? (sy_ms)(rule_site_draw(&w->w) % 5) * MINUTE_MS + 7
                             : 0;
            if (event && m % 60 != 0) {
                continue;
            }
            e = sy_judge_reading(j, p, t - late, rule_site_value(&w->w, p), q, &verdict);
        }
        e = e ? e : sy_judge_advance(j, t);
    }
    return e ? e : sy_judge_finish(j);
}

static sy_err judge_rule(world *w, const sy_rule *rule, long days)
{
    const sy_rule *const rules[1] = {rule};
    sy_set one = *w->w.set;
    sy_judge *j;
    unsigned char sum[32];
    char hex[65];
    sy_sha256 sha;
    sy_buf state;
    sy_ms from = 20454, start; /* 2026-01-01 */
    one.rules = rules;
    one.n_rules = 1;
    sy_err e = rule_site_make(&w->w, rules, 1, 1);
    if (e) {
        return e;
    }
    if (rule->has_from && sy_days_of(rule->from) > from) {
        from = sy_days_of(rule->from);
    }
    start = sy_zone_midnight(w->w.zone, from);
    sy_judge_options o = {.set = &one,
                          .site = &w->w.site,
                          .start = start,
                          .in_force = SY_MS_NONE,
                          .wait_delivery = true,
                          .alloc = sy_heap()};
    e = sy_judge_open(&j, &o);
    if (e) {
        return e;
    }
    e = feed(w, j, start, days * 1440);
    e = e ? e : sy_judge_alerts(j, show, w);
    sy_buf_init(&state, sy_heap());
    e = e ? e : sy_judge_save(j, &state);
    sy_sha256_init(&sha);
    sy_sha256_add(&sha, state.p, state.n);
    sy_sha256_end(&sha, sum);
    sy_hex(sum, sizeof sum, hex);
    printf("%s: %zu instances, %zu bytes of state, %s\n", rule->id, sy_judge_instances(j), state.n,
           hex);
    sy_buf_fini(&state);
    sy_judge_close(j);
    return e;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: judge_digest DAYS SEED RULES…\n", stderr);
        return 2;
    }
    static world w;
    long days = atol(argv[1]);
    sy_err e = rule_site_load(&w.w, argv + 3, (size_t)argc - 3);
    for (size_t k = 0; !e && k < w.w.set->n_rules; k++) {
        w.w.seed = 88172645463325252u + (uint64_t)atol(argv[2]) * 1000003 + k;
        e = judge_rule(&w, w.w.set->rules[k], days);
    }
    if (e) {
        fprintf(stderr, "judge_digest: %s\n", sy_err_text(e));
        return 1;
    }
    printf("%ld alerts of %zu rules\n", w.alerts, w.w.set->n_rules);
    sy_arena_fini(&w.w.arena);
    return w.alerts == 0;
}
