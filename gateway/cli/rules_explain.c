/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules explain: why was there an alert at that time, or none? Recorded readings are
 * judged up to then and the instance tells how it stands.
 *
 * The judge is given the ten minutes after the instant too, so that what lies between two readings
 * is known, as the box knows it by then.
 */
#include "cli/rules_explain.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"

static const char help[] =
    "usage: steelyard rules explain RULE --place PLACE --at TIME --config FILE\n"
    "                               (--readings CSV | --data DIR) [--json] [FILE…]\n\n"
    "How a rule stood at a place at a past time: its conditions with their values, what its holds\n"
    "had counted, exemptions used, the readings behind each comparison, limits and their "
    "origin.\n\n"
    "  RULE              id of the rule\n"
    "  --place PLACE     id of the place, or premises/place\n"
    "  --at TIME         RFC 3339 or epoch milliseconds\n"
    "  --config FILE     the premises, places and points\n"
    "  --readings CSV    columns time, device, point, value and perhaps quality\n"
    "  --data DIR        the readings that a gateway has stored\n"
    "  --json            the tree as JSON, its texts in English\n"
    "  FILE…             rule files; without them the rules of the configuration\n\n"
    "Exit codes: 0 fine, 1 errors in the rules, or nothing is watched there, 2 wrong usage, input\n"
    "that cannot be read, a configuration that is refused.\n";

typedef struct explain {
    const char *rule, *place, *config, *readings, *data;
    sy_ms at;
    bool json;
    sy_rule_files files;
    sy_rows rows;
    sy_buf out;
    size_t told, unwatched;
} explain;

static bool is_place(const explain *x, uint32_t place)
{
    const sy_site *s = x->files.config->site;
    const sy_site_place *p = &s->places[place];
    const char *premises = s->premises[p->premises].id;
    size_t n = strlen(premises);
    return strcmp(x->place, p->id) == 0 ||
           (strncmp(x->place, premises, n) == 0 && x->place[n] == '/' &&
            strcmp(x->place + n + 1, p->id) == 0);
}

static void say_unwatched(void *ctx, const sy_unwatched *u)
{
    explain *x = ctx;
    if (is_place(x, u->place)) {
        x->unwatched++;
        bool whole = u->point == SY_UNWATCHED_PLACE;
        fprintf(stderr, "steelyard rules explain: %s is not watched there: %s%s%s\n", u->rule->id,
                whole ? "" : x->files.config->site->points[u->point].series, whole ? "" : ": ",
                u->why);
    }
}

static sy_err tell(explain *x, sy_judge *j, sy_fail *f)
{
    sy_explain_out o = {.rows = &x->rows,
                        .site = x->files.config->site,
                        .vocab = x->files.vocab,
                        .at = x->at,
                        .lang = x->json ? SY_EN : sy_locale(),
                        .out = &x->out};
    sy_buf_text(&x->out, x->json ? "[" : "");
    for (size_t k = 0; k < sy_judge_instances(j); k++) {
        o.of = sy_judge_instance(j, k);
        if (!is_place(x, o.of.place)) {
            continue;
        }
        sy_err e = sy_judge_explain(j, k, x->at, x->json ? sy_explain_json : sy_explain_text, &o);
        if (e) {
            return sy_fail_set(f, e,
                               e == SY_E_RANGE ? "that time is before the first reading"
                                               : "explaining failed: %s",
                               sy_err_text(e));
        }
        if (x->json) {
            sy_explain_json_end(&o);
        }
        x->told++;
    }
    sy_buf_text(&x->out, x->json ? "\n]\n" : "");
    return SY_OK;
}

static sy_err feed(const explain *x, sy_judge *j, sy_ms end)
{
    sy_err e = SY_OK;
    for (size_t k = 0; k < x->rows.n && !e; k++) {
        const sy_row *r = &x->rows.v[k];
        sy_verdict v;
        e = sy_judge_reading(j, r->point, r->t, r->value, r->quality, &v);
        if (!e && (k + 1 == x->rows.n || x->rows.v[k + 1].t > r->t)) {
            e = sy_judge_advance(j, r->t);
        }
    }
    return e ? e : sy_judge_advance(j, end);
}

static sy_err explain_rule(explain *x, const sy_rule *rule, const sy_set *set, sy_fail *f)
{
    sy_judge *j;
    sy_set one = *set;
    x->rows.config = x->files.config;
    x->rows.from = SY_MS_NONE;
    x->rows.to = x->at + SY_JUDGE_REDO;
    sy_err e = sy_rows_read(&x->rows, x->readings, x->data, "explain", f);
    if (e) {
        return e;
    }
    one.rules = &rule;
    one.n_rules = 1;
    sy_judge_options o = {.set = &one,
                          .site = x->files.config->site,
                          .start = sy_rows_start(&x->rows),
                          .in_force = SY_MS_NONE,
                          .alloc = sy_heap()};
    e = sy_judge_open(&j, &o);
    if (e) {
        return sy_fail_set(f, e, "the judge cannot start: %s", sy_err_text(e));
    }
    e = feed(x, j, x->rows.to);
    e = e ? sy_fail_set(f, e, "judging failed: %s", sy_err_text(e)) : tell(x, j, f);
    if (!e && x->told == 0) {
        sy_judge_unwatched(j, say_unwatched, x);
    }
    sy_judge_close(j);
    return e;
}

/* The version in force at the time, else any. */
static const sy_rule *find_rule(const explain *x, const sy_set *set)
{
    const sy_rule *found = NULL;
    int64_t day = x->at / 86400000;
    for (size_t k = 0; k < set->n_rules; k++) {
        const sy_rule *r = set->rules[k];
        bool covers = (!r->has_from || sy_days_of(r->from) <= day + 1) &&
                      (!r->has_to || sy_days_of(r->to) + 1 >= day);
        if (strcmp(r->id, x->rule) == 0 && (!found || covers)) {
            found = r;
        }
    }
    return found;
}

static bool has_place(const explain *x)
{
    uint32_t k = 0;
    while (k < x->files.config->site->n_places && !is_place(x, k)) {
        k++;
    }
    return k < x->files.config->site->n_places;
}

static int report(explain *x, sy_fail *f)
{
    const sy_set *set = x->files.n ? x->files.set : x->files.config->set;
    const sy_rule *rule = set ? find_rule(x, set) : NULL;
    if (!rule) {
        fprintf(stderr, "steelyard rules explain: there is no rule '%s'\n", x->rule);
        return 2;
    }
    if (!has_place(x)) {
        fprintf(stderr, "steelyard rules explain: there is no place '%s' in %s\n", x->place,
                x->config);
        return 2;
    }
    if (explain_rule(x, rule, set, f)) {
        fprintf(stderr, "steelyard rules explain: %s\n", f->text);
        return 2;
    }
    if (x->told == 0) {
        if (x->unwatched == 0) {
            fprintf(stderr, "steelyard rules explain: %s watches nothing at '%s'\n", x->rule,
                    x->place);
        }
        return 1;
    }
    bool ok = !x->out.failed && fwrite(x->out.p, 1, x->out.n, stdout) == x->out.n;
    return fflush(stdout) == 0 && ok ? 0 : 1;
}

static int explain_files(explain *x, char **paths, int n)
{
    sy_fail f;
    int status = 2;
    sy_buf_init(&x->out, sy_heap());
    sy_err e = sy_rule_files_open(&x->files, paths, (size_t)n, x->config, &f);
    if (e) {
        fprintf(stderr, "steelyard rules explain: %s\n", f.text);
    } else if (!x->files.set) {
        sy_rule_files_print(&x->files, sy_locale());
        status = 1;
    } else {
        status = report(x, &f);
    }
    sy_rows_fini(&x->rows);
    sy_buf_fini(&x->out);
    sy_rule_files_close(&x->files);
    return status;
}

static bool option(explain *x, int c, const char *value)
{
    switch (c) {
    case 'p':
        x->place = value;
        return true;
    case 't':
        return sy_rule_time("explain", "--at", value, &x->at);
    case 'c':
        x->config = value;
        return true;
    case 'r':
        x->readings = value;
        return true;
    case 'd':
        x->data = value;
        return true;
    case 'j':
        x->json = true;
        return true;
    default:
        fputs(help, stderr);
        return false;
    }
}

static bool complete(const explain *x, bool rule)
{
    const char *missing = !rule                 ? "no rule is named"
                          : !x->place           ? "--place PLACE is missing"
                          : x->at == SY_MS_NONE ? "--at TIME is missing"
                          : !x->config          ? "--config FILE is missing"
                                                : NULL;
    if (missing) {
        sy_rule_usage("explain", "%s", missing);
    }
    return !missing && sy_rule_readings("explain", x->readings, x->data);
}

int sy_rules_explain_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"place", required_argument, NULL, 'p'},  {"at", required_argument, NULL, 't'},
        {"config", required_argument, NULL, 'c'}, {"readings", required_argument, NULL, 'r'},
        {"data", required_argument, NULL, 'd'},   {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    explain x = {.at = SY_MS_NONE};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (!option(&x, c, optarg)) {
            return 2;
        }
    }
    if (!complete(&x, optind < argc)) {
        return 2;
    }
    x.rule = argv[optind++];
    return explain_files(&x, argv + optind, argc - optind);
}
