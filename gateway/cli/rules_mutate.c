/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules mutate: would the scenarios of a rule notice if it said something else?
 */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"
#include "rules/mutate.h"

static const char help[] =
    "usage: steelyard rules mutate [--rule ID] [--at-least PERCENT] [--config FILE] [--json] "
    "FILE…\n\n"
    "Change every number and word of each rule's judgement by one step, run the rule's own "
    "scenarios on\n"
    "each change, and show the changes that no scenario notices. The share is of the changes that "
    "the\n"
    "language allows; those that it refuses are counted apart.\n\n"
    "  --rule ID           only this rule\n"
    "  --at-least PERCENT  the share to be caught, of all rules together; default: 95\n"
    "  --config FILE       take the names that this configuration adds to the vocabulary\n"
    "  --json              results as JSON on the standard output\n\n"
    "Exit codes: 0 enough are caught, 1 too few, a scenario fails as it stands, or the rules have\n"
    "errors, 2 wrong usage, a file that cannot be read, a configuration that is refused.\n";

typedef struct mutation {
    sy_rule_files files;
    const sy_zone *zone;
    sy_lang lang;
    const char *rule, *config;
    double at_least;
    bool json, first;
    sy_buf out, changes;                     /* changes: of one rule, after its line */
    size_t tried, caught, survived, refused; /* of all rules */
} mutation;

static void progress(const mutation *x, const char *rule, size_t done, size_t all)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%s %zu of %zu, all so far %zu", rule, done, all, x->tried);
    }
}

static void put_change(mutation *x, const sy_mutant *c)
{
    uint32_t line, column;
    bool zh = x->lang == SY_ZH;
    sy_pos_line(c->pos, &line, &column);
    sy_buf_printf(&x->changes, "  %s:%u:%u: ", c->pos.source->name, line, column);
    if (*c->is) {
        sy_buf_printf(&x->changes, zh ? "“%s”改为“%s”\n" : "'%s' as '%s'\n", c->was, c->is);
    } else {
        sy_buf_printf(&x->changes, zh ? "去掉“%s”\n" : "without '%s'\n", c->was);
    }
}

static void json_change(mutation *x, const sy_mutant *c, const sy_mutant_result *r, bool first)
{
    uint32_t line, column;
    sy_buf *b = &x->out;
    sy_pos_line(c->pos, &line, &column);
    sy_buf_text(b, first ? "\n      {\"file\": " : ",\n      {\"file\": ");
    sy_buf_json(b, sy_span_of(c->pos.source->name));
    sy_buf_printf(b, ", \"line\": %u, \"column\": %u, \"was\": ", line, column);
    sy_buf_json(b, sy_span_of(c->was));
    sy_buf_text(b, ", \"is\": ");
    sy_buf_json(b, sy_span_of(c->is));
    sy_buf_printf(b, ", \"fate\": \"%s\"", r->fate == SY_MUTANT_SURVIVES ? "survives" : "refused");
    if (r->fate == SY_MUTANT_REFUSED) {
        sy_buf_printf(b, ", \"code\": \"%s\"", r->code);
    }
    sy_buf_char(b, '}');
}

static void tell_one(mutation *x, const sy_mutant *c, const sy_mutant_result *r, bool *first)
{
    if (r->fate == SY_MUTANT_CAUGHT) {
        return;
    }
    if (x->json) {
        json_change(x, c, r, *first);
    } else if (r->fate == SY_MUTANT_SURVIVES) {
        put_change(x, c);
    }
    *first = false;
}

static sy_err try_rule(mutation *x, const sy_mutants *all)
{
    size_t n[3] = {0};
    const sy_scenario *last = NULL;
    bool first = true;
    sy_buf *b = &x->out;
    if (x->json) {
        sy_buf_text(b, x->first ? "\n    {\"rule\": " : ",\n    {\"rule\": ");
        sy_buf_json(b, sy_span_of(all->rule->id));
        sy_buf_text(b, ", \"changes\": [");
    }
    for (size_t k = 0; k < all->n; k++) {
        sy_mutant_result r;
        sy_err e = sy_mutant_try(all, &all->v[k], x->zone, last, sy_heap(), &r);
        if (e) {
            return e;
        }
        last = r.by ? r.by : last; /* neighbours are often caught by the same one */
        n[r.fate]++;
        x->tried++;
        tell_one(x, &all->v[k], &r, &first);
        if (k % 16 == 0) {
            progress(x, all->rule->id, k, all->n);
        }
    }
    x->caught += n[SY_MUTANT_CAUGHT];
    x->survived += n[SY_MUTANT_SURVIVES];
    x->refused += n[SY_MUTANT_REFUSED];
    if (x->json) {
        sy_buf_printf(b, "], \"caught\": %zu, \"survived\": %zu, \"refused\": %zu}",
                      n[SY_MUTANT_CAUGHT], n[SY_MUTANT_SURVIVES], n[SY_MUTANT_REFUSED]);
    } else {
        sy_buf_printf(b,
                      x->lang == SY_ZH ? "%s  捕获 %zu，漏过 %zu，不成立 %zu\n"
                                       : "%s  %zu caught, %zu survive, %zu not loadable\n",
                      all->rule->id, n[SY_MUTANT_CAUGHT], n[SY_MUTANT_SURVIVES],
                      n[SY_MUTANT_REFUSED]);
        sy_buf_span_put(b, sy_buf_span(&x->changes));
        sy_buf_reset(&x->changes);
    }
    x->first = false;
    return SY_OK;
}

static sy_err each_rule(mutation *x)
{
    const sy_set *set = x->files.set;
    sy_err e = SY_OK;
    for (size_t k = 0; k < set->n_rules && !e; k++) {
        sy_arena arena;
        sy_mutants all;
        if (x->rule && strcmp(x->rule, set->rules[k]->id) != 0) {
            continue;
        }
        sy_arena_init(&arena, sy_heap(), 0);
        e = sy_mutants_of(set, set->rules[k], &arena, &all);
        e = e ? e : try_rule(x, &all);
        sy_arena_fini(&arena);
    }
    if (isatty(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
    }
    return e;
}

/* What fails already says nothing about a change. */
static sy_err failing(mutation *x, size_t *failed)
{
    const sy_set *set = x->files.set;
    sy_err e = SY_OK;
    *failed = 0;
    for (size_t k = 0; k < set->n_scenarios && !e; k++) {
        sy_arena arena;
        sy_scenario_result r;
        if (x->rule && strcmp(x->rule, set->scenarios[k]->rule->id) != 0) {
            continue;
        }
        sy_arena_init(&arena, sy_heap(), 0);
        e = sy_scenario_run(set->scenarios[k], set, x->zone, sy_heap(), &arena, &r);
        if (!e && !r.passed) {
            const sy_text *t = &set->scenarios[k]->title;
            const char *own = x->lang == SY_ZH ? t->zh : t->en;
            ++*failed;
            fprintf(stderr, "%s  %s: %s\n", set->scenarios[k]->rule->id,
                    own     ? own
                    : t->en ? t->en
                    : t->zh ? t->zh
                            : "",
                    x->lang == SY_ZH ? r.zh : r.en);
        }
        sy_arena_fini(&arena);
    }
    return e;
}

static double share(const mutation *x)
{
    size_t n = x->caught + x->survived;
    return n ? 100.0 * (double)x->caught / (double)n : 100.0;
}

static void finish(mutation *x)
{
    if (x->json) {
        sy_buf_printf(&x->out,
                      "],\n  \"caught\": %zu, \"survived\": %zu, \"refused\": %zu, \"share\": "
                      "%.2f}\n",
                      x->caught, x->survived, x->refused, share(x));
    } else {
        sy_buf_printf(&x->out,
                      x->lang == SY_ZH ? "共 %zu 处改动，捕获 %zu（%.1f %%），另有 %zu 处不成立\n"
                                       : "%zu changes, %zu caught (%.1f %%), another %zu not "
                                         "loadable\n",
                      x->caught + x->survived, x->caught, share(x), x->refused);
    }
}

static int report(mutation *x)
{
    size_t failed;
    sy_err e = failing(x, &failed);
    if (!e && failed > 0) {
        fprintf(stderr,
                "steelyard rules mutate: %zu scenario%s as the rules stand; see steelyard rules "
                "test\n",
                failed, failed == 1 ? " fails" : "s fail");
        return 1;
    }
    sy_buf_init(&x->out, sy_heap());
    sy_buf_init(&x->changes, sy_heap());
    x->first = true;
    if (x->json) {
        sy_buf_text(&x->out, "{\"rules\": [");
    }
    e = e ? e : each_rule(x);
    if (e) {
        fprintf(stderr, "steelyard rules mutate: %s\n", sy_err_text(e));
    } else {
        finish(x);
    }
    bool ok = !e && !x->out.failed && !x->changes.failed &&
              fwrite(x->out.p, 1, x->out.n, stdout) == x->out.n;
    ok = fflush(stdout) == 0 && ok;
    sy_buf_fini(&x->out);
    sy_buf_fini(&x->changes);
    return ok && share(x) >= x->at_least ? 0 : 1;
}

static bool has_rule(const mutation *x)
{
    for (size_t k = 0; k < x->files.set->n_rules; k++) {
        if (!x->rule || strcmp(x->rule, x->files.set->rules[k]->id) == 0) {
            return true;
        }
    }
    return false;
}

static int mutate_files(mutation *x, char **paths, int n)
{
    sy_arena arena;
    sy_fail f;
    int status = 2;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_err e = sy_rule_files_open(&x->files, paths, (size_t)n, x->config, &f);
    e = e ? e : sy_rule_files_zone(&x->files, &arena, &x->zone, &f);
    if (e) {
        fprintf(stderr, "steelyard rules mutate: %s\n", f.text);
    } else if (!x->files.set) {
        sy_rule_files_print(&x->files, x->lang);
        status = 1;
    } else if (x->rule && !has_rule(x)) {
        fprintf(stderr, "steelyard rules mutate: there is no rule '%s' in these files\n", x->rule);
    } else {
        status = report(x);
    }
    sy_rule_files_close(&x->files);
    sy_arena_fini(&arena);
    return status;
}

static bool percent(const char *text, double *out)
{
    bool ok = sy_double_parse(sy_span_of(text), out) == SY_OK && *out >= 0 && *out <= 100;
    if (!ok) {
        sy_rule_usage("mutate", "--at-least: '%s' is not a number of 0 to 100", text);
    }
    return ok;
}

int sy_rules_mutate_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},   {"rule", required_argument, NULL, 'r'},
        {"at-least", required_argument, NULL, 'a'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    mutation x = {.lang = sy_locale(), .at_least = 95};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (c == 'c') {
            x.config = optarg;
        } else if (c == 'r') {
            x.rule = optarg;
        } else if (c == 'j') {
            x.json = true;
        } else if (c == '?') {
            fputs(help, stderr);
            return 2;
        } else if (!percent(optarg, &x.at_least)) {
            return 2;
        }
    }
    if (optind == argc) {
        return sy_rule_usage("mutate", "no rule file is named");
    }
    return mutate_files(&x, argv + optind, argc - optind);
}
