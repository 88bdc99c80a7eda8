/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the judge makes of the same log, in a form that two builds can be compared by:
 * judge_digest DAYS SEED RULES…
 *
 * Each rule watches one place of its own, with one point of each name that it watches; readings
 * wander around its limits with full mantissas, with gaps, bad and late ones. Printed are its
 * alerts with their figures as hexadecimal floating point, and the SHA-256 of the judge's whole
 * state. It needs nothing but the C library, so that it can be built for another processor.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/os.h"
#include "rules/judge.h"

enum { DAY_MS = 86400000, MINUTE_MS = 60000, POINTS = 64, DUES = 8, CALENDARS = 32 };

typedef struct world {
    sy_arena arena;
    sy_vocab vocab;
    const sy_set *set;
    const sy_zone *zone;
    sy_site site;
    sy_site_premises premises;
    sy_site_place place;
    sy_site_point points[POINTS];
    const sy_word *words[POINTS];
    double centre[POINTS], at[POINTS];
    sy_site_calendar calendars[CALENDARS];
    uint64_t seed;
    long alerts;
} world;

static const sy_site_span open_hours = {0x7f, 8 * 3600000, 20 * 3600000};
static const sy_site_due dues[] = {
    {"calibration", 20510}, {"licence", 20512}, {"inspection", 20511}};

static uint64_t draw(world *w)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return w->seed;
}

/* The first limit that a condition has for the word, in the word's unit. */
static bool limit_of(const sy_cond *c, const sy_word *word, double *out)
{
    for (size_t k = 0; k < c->n_kids; k++) {
        if (limit_of(c->kids[k], word, out)) {
            return true;
        }
    }
    const sy_word *mine = c->agg ? c->agg->of.word : c->operand.word;
    if (c->kind != SY_COND_TEST || mine != word || (!c->a.num && !c->a.set)) {
        return false;
    }
    const sy_num *n = c->a.num ? c->a.num : sy_value_num(&c->a, NULL, 0);
    *out = n->value;
    if (n->unit && word->unit && !n->time && sy_unit_convertible(n->unit, word->unit)) {
        *out = sy_unit_convert(n->value, n->unit, word->unit);
    }
    return true;
}

static void add_point(world *w, const sy_rule *rule, const sy_word *word)
{
    size_t n = w->site.n_points;
    char name[64];
    for (size_t k = 0; k < n; k++) {
        if (w->words[k] == word) {
            return;
        }
    }
    if (n == POINTS) {
        return;
    }
    (void)snprintf(name, sizeof name, "s/%02zu", n);
    w->words[n] = word;
    w->centre[n] = 5;
    for (size_t k = 0; k < rule->n_alerts; k++) {
        if (limit_of(rule->alerts[k].when, word, &w->centre[n])) {
            break;
        }
    }
    w->at[n] = 0;
    w->points[n] = (sy_site_point){.series = sy_arena_text(&w->arena, sy_span_of(name)),
                                   .device = "d",
                                   .name = word->id,
                                   .quantity = word->id,
                                   .unit = word->unit ? word->unit->id : NULL,
                                   .is_state = word->kind == SY_W_STATE,
                                   .every = word->kind == SY_W_EVENT ? 0 : MINUTE_MS,
                                   .delivery = 30000,
                                   .range_lo = -1e9,
                                   .range_hi = 1e9,
                                   .accuracy = 0.5,
                                   .uncertainty = 0.3,
                                   .resolution = 0.1};
    w->site.n_points++;
    for (size_t k = 0; word->kind == SY_W_EVENT && k < word->n_members; k++) {
        add_point(w, rule, word->members[k]);
    }
}

static const char *first_of(const sy_axis *a)
{
    return a->n ? a->names[0].word->id : NULL;
}

static void make_site(world *w, const sy_rule *rule)
{
    static const char *goods[1];
    size_t n = 0;
    for (size_t k = 0; k < w->vocab.n && n < CALENDARS; k++) {
        if (w->vocab.words[k]->kind == SY_W_CALENDAR) {
            w->calendars[n++] = (sy_site_calendar){w->vocab.words[k]->id, &open_hours, 1};
        }
    }
    goods[0] = first_of(&rule->goods);
    w->premises = (sy_site_premises){.id = "p",
                                     .name = "p",
                                     .subject = first_of(&rule->subject),
                                     .stage = first_of(&rule->stage),
                                     .calendars = w->calendars,
                                     .n_calendars = n,
                                     .dues = dues,
                                     .n_dues = sizeof dues / sizeof *dues,
                                     .zone = w->zone};
    w->place = (sy_site_place){.id = "l",
                               .kind = rule->watch_kind ? rule->watch_kind->id : "room",
                               .goods = goods,
                               .n_goods = goods[0] != NULL};
    w->site = (sy_site){.gateway = "g",
                        .premises = &w->premises,
                        .n_premises = 1,
                        .places = &w->place,
                        .n_places = 1,
                        .points = w->points};
    for (size_t k = 0; k < rule->n_watch; k++) {
        add_point(w, rule, rule->watch[k].word);
    }
}

static double value_of(world *w, size_t p)
{
    if (w->points[p].is_state) {
        w->at[p] = draw(w) % 40 == 0 ? (double)(draw(w) % w->words[p]->n_values) : w->at[p];
        return w->at[p];
    }
    double unit = (double)(draw(w) >> 11) / 9007199254740992.0 - 0.5;
    w->at[p] = w->at[p] * 0.97 + unit * 0.1;
    double size = w->centre[p] < 0 ? -w->centre[p] : w->centre[p];
    return w->centre[p] + w->at[p] * (size + 1);
}

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
        bool gap = draw(w) % 50 == 0;
        for (uint32_t p = 0; p < w->site.n_points && !e && !gap; p++) {
            sy_verdict verdict;
            bool event = w->words[p]->kind == SY_W_EVENT;
            sy_quality q = draw(w) % 60 == 0 ? SY_Q_UNCERTAIN : draw(w) % 70 == 0 ? SY_Q_BAD : 0;
            sy_ms late = !event && draw(w) % 30 == 0 ? (sy_ms)(draw(w) % 5) * MINUTE_MS + 7 : 0;
            if (event && m % 60 != 0) {
                continue;
            }
            e = sy_judge_reading(j, p, t - late, value_of(w, p), q, &verdict);
        }
        e = e ? e : sy_judge_advance(j, t);
    }
    return e ? e : sy_judge_finish(j);
}

static sy_err judge_rule(world *w, const sy_rule *rule, long days)
{
    const sy_rule *const rules[1] = {rule};
    sy_set one = *w->set;
    sy_judge *j;
    unsigned char sum[32];
    char hex[65];
    sy_sha256 sha;
    sy_buf state;
    sy_ms from = 20454, start; /* 2026-01-01 */
    one.rules = rules;
    one.n_rules = 1;
    make_site(w, rule);
    if (rule->has_from && sy_days_of(rule->from) > from) {
        from = sy_days_of(rule->from);
    }
    start = sy_zone_midnight(w->zone, from);
    sy_judge_options o = {.set = &one,
                          .site = &w->site,
                          .start = start,
                          .in_force = SY_MS_NONE,
                          .wait_delivery = true,
                          .alloc = sy_heap()};
    sy_err e = sy_judge_open(&j, &o);
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

static sy_err load(world *w, char **paths, size_t n)
{
    sy_source *sources = sy_arena_get(&w->arena, n * sizeof *sources);
    sy_diags diags;
    sy_fail f;
    sy_err e = sources ? SY_OK : SY_E_NOMEM;
    sy_vocab_init(&w->vocab, &w->arena);
    sy_diags_init(&diags, &w->arena);
    for (size_t k = 0; k < n && !e; k++) {
        sy_buf b;
        sy_buf_init(&b, sy_heap());
        e = sy_file_read(paths[k], 1 << 20, &b, &f);
        const char *text = e ? NULL : sy_arena_text(&w->arena, sy_buf_span(&b));
        sources[k] = (sy_source){paths[k], sy_span_of(text ? text : "")};
        sy_buf_fini(&b);
        if (e) {
            fprintf(stderr, "%s\n", f.text);
        }
    }
    e = e ? e : sy_vocab_add(&w->vocab, &sy_vocab_builtin, &diags);
    e = e ? e : sy_set_load(sources, n, &w->vocab, &w->arena, &diags, &w->set);
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    for (size_t k = 0; k < diags.n; k++) {
        if (diags.v[k].severity != SY_DIAG_ERROR) {
            continue;
        }
        sy_diag_print(&diags.v[k], SY_EN, &out);
    }
    if (out.n) {
        fwrite(out.p, 1, out.n, stderr);
    }
    sy_buf_fini(&out);
    sy_diags_fini(&diags);
    return e ? e : sy_zone_load(&w->arena, "Asia/Shanghai", &w->zone, &f);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: judge_digest DAYS SEED RULES…\n", stderr);
        return 2;
    }
    static world w;
    long days = atol(argv[1]);
    sy_arena_init(&w.arena, sy_heap(), 0);
    sy_err e = load(&w, argv + 3, (size_t)argc - 3);
    for (size_t k = 0; !e && k < w.set->n_rules; k++) {
        w.seed = 88172645463325252u + (uint64_t)atol(argv[2]) * 1000003 + k;
        e = judge_rule(&w, w.set->rules[k], days);
    }
    if (e) {
        fprintf(stderr, "judge_digest: %s\n", sy_err_text(e));
        return 1;
    }
    printf("%ld alerts of %zu rules\n", w.alerts, w.set->n_rules);
    sy_arena_fini(&w.arena);
    return w.alerts == 0;
}
