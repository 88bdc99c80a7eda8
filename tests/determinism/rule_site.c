/* SPDX-License-Identifier: Apache-2.0 */
/* Sites and readings made for rules. */
#include "rule_site.h"

#include <math.h>
#include <stdio.h>

#include "base/os.h"

enum { MINUTE_MS = 60000 };

static const sy_site_span open_hours = {0x7f, 8 * 3600000, 20 * 3600000};
uint64_t rule_site_draw(rule_site *w)
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

static void add_point(rule_site *w, sy_site_point *points, const sy_rule *rule, const sy_word *word,
                      uint32_t place)
{
    size_t n = w->site.n_points;
    char name[64];
    for (size_t k = 0; k < n; k++) {
        if (points[k].place == place && w->words[k] == word) {
            return;
        }
    }
    (void)snprintf(name, sizeof name, "s/%06zu", n);
    w->words[n] = word;
    w->centre[n] = 5;
    for (size_t k = 0; k < rule->n_alerts; k++) {
        if (limit_of(rule->alerts[k].when, word, &w->centre[n])) {
            break;
        }
    }
    char device[32];
    (void)snprintf(device, sizeof device, "d%u", (unsigned)place);
    points[n] = (sy_site_point){.series = sy_arena_text(&w->arena, sy_span_of(name)),
                                .device = sy_arena_text(&w->arena, sy_span_of(device)),
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
                                .resolution = 0.1,
                                .place = place};
    w->site.n_points++;
    for (size_t k = 0; word->kind == SY_W_EVENT && k < word->n_members; k++) {
        add_point(w, points, rule, word->members[k], place);
    }
}

static const char *first_of(const sy_axis *a)
{
    return a->n ? a->names[0].word->id : NULL;
}

static size_t points_of(const sy_rule *r)
{
    size_t n = 0;
    for (size_t k = 0; k < r->n_watch; k++) {
        n += 1 + r->watch[k].word->n_members;
    }
    return n;
}

static const sy_site_calendar *calendars(rule_site *w, size_t *n)
{
    sy_site_calendar *v = sy_arena_get(&w->arena, (w->vocab.n + 1) * sizeof *v);
    *n = 0;
    for (size_t k = 0; v && k < w->vocab.n; k++) { /* the vocabulary is sorted */
        if (w->vocab.words[k]->kind == SY_W_CALENDAR) {
            v[(*n)++] = (sy_site_calendar){w->vocab.words[k]->id, &open_hours, 1};
        }
    }
    return v;
}

/* Every date of the vocabulary, due on the days after 2026-02-25. */
static const sy_site_due *dates(rule_site *w, size_t *n)
{
    sy_site_due *v = sy_arena_get(&w->arena, (w->vocab.n + 1) * sizeof *v);
    *n = 0;
    for (size_t k = 0; v && k < w->vocab.n; k++) {
        if (w->vocab.words[k]->kind == SY_W_DATE) {
            v[*n] = (sy_site_due){w->vocab.words[k]->id, 20510 + (int64_t)*n};
            ++*n;
        }
    }
    return v;
}

sy_err rule_site_make(rule_site *w, const sy_rule *const *rules, size_t n, size_t copies)
{
    size_t most = 0, n_calendars, n_dates;
    for (size_t k = 0; k < n; k++) {
        most += points_of(rules[k]) * copies;
    }
    const sy_site_calendar *cals = calendars(w, &n_calendars);
    const sy_site_due *dues = dates(w, &n_dates);
    sy_site_premises *premises = sy_arena_get(&w->arena, (n + 1) * sizeof *premises);
    sy_site_place *places = sy_arena_get(&w->arena, (n * copies + 1) * sizeof *places);
    const char **goods = sy_arena_get(&w->arena, (n + 1) * sizeof *goods);
    sy_site_point *points = sy_arena_get(&w->arena, (most + 1) * sizeof *points);
    w->words = sy_arena_get(&w->arena, (most + 1) * sizeof *w->words);
    w->centre = sy_arena_get(&w->arena, (most + 1) * sizeof *w->centre);
    w->at = sy_arena_get(&w->arena, (most + 1) * sizeof *w->at);
    if (!cals || !dues || !premises || !places || !goods || !points || !w->words || !w->centre ||
        !w->at) {
        return SY_E_NOMEM;
    }
    w->site = (sy_site){.gateway = "g",
                        .premises = premises,
                        .n_premises = n,
                        .places = places,
                        .n_places = n * copies,
                        .points = points};
    for (size_t k = 0; k < n; k++) {
        const sy_rule *r = rules[k];
        char id[32];
        (void)snprintf(id, sizeof id, "p%zu", k);
        goods[k] = first_of(&r->goods);
        premises[k] = (sy_site_premises){.id = sy_arena_text(&w->arena, sy_span_of(id)),
                                         .name = "p",
                                         .subject = first_of(&r->subject),
                                         .stage = first_of(&r->stage),
                                         .calendars = cals,
                                         .n_calendars = n_calendars,
                                         .dues = dues,
                                         .n_dues = n_dates,
                                         .zone = w->zone};
        for (size_t c = 0; c < copies; c++) {
            uint32_t place = (uint32_t)(k * copies + c);
            (void)snprintf(id, sizeof id, "l%u", (unsigned)place);
            places[place] = (sy_site_place){.id = sy_arena_text(&w->arena, sy_span_of(id)),
                                            .kind = r->watch_kind ? r->watch_kind->id : "room",
                                            .goods = &goods[k],
                                            .n_goods = goods[k] != NULL,
                                            .premises = (uint32_t)k};
            for (size_t q = 0; q < r->n_watch; q++) {
                add_point(w, points, r, r->watch[q].word, place);
            }
        }
    }
    return SY_OK;
}

bool rule_site_is_event(const rule_site *w, size_t point)
{
    return w->words[point]->kind == SY_W_EVENT;
}

double rule_site_value(rule_site *w, size_t p)
{
    if (w->site.points[p].is_state) {
        bool change = rule_site_draw(w) % 40 == 0;
        w->at[p] = change ? (double)(rule_site_draw(w) % w->words[p]->n_values) : w->at[p];
        return w->at[p];
    }
    double unit = (double)(rule_site_draw(w) >> 11) / 9007199254740992.0 - 0.5;
    w->at[p] = w->at[p] * 0.97 + unit * 0.1;
    double size = w->centre[p] < 0 ? -w->centre[p] : w->centre[p];
    return w->centre[p] + w->at[p] * (size + 1);
}

sy_err rule_site_load(rule_site *w, char **paths, size_t n)
{
    sy_arena_init(&w->arena, sy_heap(), 0);
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
        if (diags.v[k].severity == SY_DIAG_ERROR) {
            sy_diag_print(&diags.v[k], SY_EN, &out);
        }
    }
    if (out.n) {
        fwrite(out.p, 1, out.n, stderr);
    }
    sy_buf_fini(&out);
    sy_diags_fini(&diags);
    return e ? e : sy_zone_load(&w->arena, "Asia/Shanghai", &w->zone, &f);
}
