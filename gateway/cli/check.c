/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard check: is this configuration fine, and what would it watch?
 */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "config/config.h"
#include "orders/force.h"
#include "rules/judge.h"

static const char help[] =
    "usage: steelyard check --config FILE [--data DIR] [--json]\n\n"
    "Check a configuration with its rules and vocabulary. Every error is shown with its place;\n"
    "when all is well, what the gateway would watch.\n\n"
    "  --config FILE  the configuration (YAML)\n"
    "  --data DIR     the data folder, instead of gateway.data\n"
    "  --json         findings and summary as JSON\n\n"
    "Exit codes: 0 fine (warnings allowed), 2 errors.\n";

typedef struct gaps { /* what is not watched, as text or JSON */
    const sy_config *config;
    sy_buf *out;
    bool json;
    size_t n;
} gaps;

static void tell_gap(void *ctx, const sy_unwatched *u)
{
    gaps *g = ctx;
    const sy_site_place *place = &g->config->site->places[u->place];
    const char *premises = g->config->site->premises[place->premises].id;
    if (g->json) {
        sy_buf_text(g->out, g->n ? ",\n  {\"rule\": " : "\n  {\"rule\": ");
        sy_buf_json(g->out, sy_span_of(u->rule->id));
        sy_buf_text(g->out, ", \"premises\": ");
        sy_buf_json(g->out, sy_span_of(premises));
        sy_buf_text(g->out, ", \"place\": ");
        sy_buf_json(g->out, sy_span_of(place->id));
        sy_buf_text(g->out, ", \"why\": ");
        sy_buf_json(g->out, sy_span_of(u->why));
        sy_buf_char(g->out, '}');
    } else {
        sy_buf_printf(g->out, "  not watched: rule %s at %s/%s: %s\n", u->rule->id, premises,
                      place->id, u->why);
    }
    g->n++;
}

static void ignore_change(void *ctx, const sy_change *c)
{
    (void)ctx, (void)c;
}

static void text_summary(const sy_config *c, const sy_judge *j, sy_buf *out)
{
    const sy_site *s = c->site;
    size_t states = 0;
    for (size_t i = 0; i < s->n_points; i++)
        states += s->points[i].is_state;
    sy_buf_printf(out, "%s: gateway %s, set %.12s\n", c->file, c->id, c->hash_hex);
    sy_buf_printf(out, "  %zu premises, %zu places, %zu points (%zu states), %zu devices\n",
                  s->n_premises, s->n_places, s->n_points, states, c->n_devices);
    sy_buf_printf(
        out,
        "  %zu rules, %zu instances (%zu KiB, at most %zu KiB), %zu scenarios, %zu destinations\n",
        c->set->n_rules, sy_judge_instances(j), sy_judge_bytes(j) / 1024,
        sy_judge_bytes_at_most(j) / 1024, c->set->n_scenarios, c->n_destinations);
    gaps g = {.config = c, .out = out};
    sy_judge_unwatched(j, tell_gap, &g);
}

static void json_summary(const sy_config *c, const sy_judge *j, sy_buf *out)
{
    const sy_site *s = c->site;
    sy_buf_text(out, ",\n\"gateway\": ");
    sy_buf_json(out, sy_span_of(c->id));
    sy_buf_printf(out,
                  ", \"set\": \"%s\",\n\"premises\": %zu, \"places\": %zu, \"points\": %zu, "
                  "\"devices\": %zu, \"rules\": %zu, \"scenarios\": %zu, \"instances\": %zu, "
                  "\"judge_bytes\": %zu, \"judge_bytes_at_most\": %zu, \"destinations\": "
                  "%zu,\n\"not_watched\": [",
                  c->hash_hex, s->n_premises, s->n_places, s->n_points, c->n_devices,
                  c->set->n_rules, c->set->n_scenarios, sy_judge_instances(j), sy_judge_bytes(j),
                  sy_judge_bytes_at_most(j), c->n_destinations);
    gaps g = {.config = c, .out = out, .json = true};
    sy_judge_unwatched(j, tell_gap, &g);
    sy_buf_text(out, "]");
}

/* What is in force by order, on top of the files. */
static void put_ordered(const sy_config *c, bool json, sy_buf *out)
{
    sy_force *force;
    sy_force_pack p;
    sy_fail f;
    bool any = false;
    sy_span text = sy_config_orders(c);
    if (json) {
        sy_buf_text(out, ",\n\"in_force_by_order\": ");
        if (text.n)
            sy_buf_span_put(out, text);
        else
            sy_buf_text(out, "null");
        return;
    }
    if (!text.n || sy_force_open(&force, text, &f) != SY_OK)
        return;
    for (size_t i = 0; sy_force_at(force, i, &p); i++) {
        if (p.version == 0)
            continue;
        sy_buf_printf(out, "%s%s %s version %lld (%s)",
                      any ? ", " : "  in force by order: ", p.tuning ? "tuning" : "pack", p.name,
                      (long long)p.version, p.from);
        any = true;
    }
    sy_buf_text(out, any ? "\n" : "");
    sy_force_close(force);
}

static sy_err summary(const sy_config *c, bool json, sy_buf *out)
{
    sy_judge *j;
    sy_judge_options o = {.set = c->set,
                          .site = c->site,
                          .in_force = SY_MS_NONE,
                          .alloc = sy_heap(),
                          .emit = ignore_change};
    sy_err rc = sy_judge_open(&j, &o);
    if (rc != SY_OK)
        return rc;
    if (json)
        json_summary(c, j, out);
    else
        text_summary(c, j, out);
    put_ordered(c, json, out);
    sy_judge_close(j);
    return SY_OK;
}

static int check(const char *file, const char *data, bool json)
{
    sy_arena arena;
    sy_buf out;
    sy_fail f;
    sy_config *c = NULL;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_buf_init(&out, sy_heap());
    sy_findings findings = {.arena = &arena};
    sy_err rc = sy_config_load(file, data, &findings, &c, &f);
    if (json) {
        sy_buf_text(&out, "{\"findings\": ");
        sy_findings_json(&findings, &out);
    } else {
        sy_findings_print(&findings, sy_locale(), &out);
    }
    if (rc == SY_OK && summary(c, json, &out) != SY_OK)
        rc = sy_fail_set(&f, SY_E_NOMEM, "out of memory");
    if (json)
        sy_buf_text(&out, "}\n");
    if (out.p)
        fwrite(out.p, 1, out.n, rc == SY_OK || json ? stdout : stderr);
    if (rc != SY_OK && !json)
        fprintf(stderr, "steelyard check: %s\n", f.text);
    sy_config_unref(c);
    sy_buf_fini(&out);
    sy_arena_fini(&arena);
    return rc == SY_OK ? 0 : 2;
}

int sy_cmd_check(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *config = NULL, *data = NULL;
    bool json = false;
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (o == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (o == 'c')
            config = optarg;
        else if (o == 'd')
            data = optarg;
        else if (o == 'j')
            json = true;
        else
            return 2; /* getopt said why */
    }
    if (!config || optind < argc) {
        fputs(help, stderr);
        return 2;
    }
    return check(config, data, json);
}
