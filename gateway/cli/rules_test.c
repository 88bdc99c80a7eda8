/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules test: does every scenario come out as it says? For one that does not, what was
 * expected and what happened, side by side in time.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"
#include "rules/scenario.h"

static const char help[] =
    "usage: steelyard rules test [--config FILE] [--json] FILE…\n\n"
    "Run the scenarios of rule files. Each runs on a small site of its own, in the time zone of "
    "the\n"
    "configuration's first premises (Asia/Shanghai without one).\n\n"
    "  --config FILE  take the names that this configuration adds to the vocabulary\n"
    "  --json         results as JSON on the standard output\n\n"
    "Exit codes: 0 all pass, 1 a scenario fails or the rules have errors, 2 wrong usage, a file\n"
    "that cannot be read, a configuration that is refused.\n";

typedef struct tests {
    const sy_rule_files *files;
    const sy_zone *zone;
    sy_lang lang;
    sy_buf out;
    size_t passed, failed;
} tests;

static const char *pick(const sy_text *t, sy_lang lang)
{
    const char *first = lang == SY_ZH ? t->zh : t->en;
    return first ? first : (lang == SY_ZH ? t->en : t->zh);
}

/* Local time, as people read it in the rule. */
static void put_local(const tests *t, sy_buf *b, sy_ms at)
{
    char text[25];
    sy_time_text(at + sy_zone_offset(t->zone, at), text);
    sy_buf_put(b, text, 10);
    sy_buf_char(b, ' ');
    sy_buf_put(b, text + 11, 8);
}

static void put_event(tests *t, const sy_scenario_event *e)
{
    sy_buf_text(&t->out, "      ");
    put_local(t, &t->out, e->at);
    if (e->clear) {
        sy_buf_text(&t->out, t->lang == SY_ZH ? "  解除\n" : "  cleared\n");
    } else {
        sy_buf_printf(&t->out, "  %s %s\n", t->lang == SY_ZH ? "报警" : "alert",
                      sy_alert_level_text(e->level, t->lang));
    }
}

/* The line of the text that a step stands on. */
static void put_step(tests *t, const sy_step *s)
{
    uint32_t line, column;
    sy_span text = s->pos.source->text;
    size_t from = s->pos.at, to = s->pos.at;
    sy_pos_line(s->pos, &line, &column);
    while (from > 0 && text.p[from - 1] != '\n') {
        from--;
    }
    while (to < text.n && text.p[to] != '\n' && text.p[to] != '\r') {
        to++;
    }
    while (from < to && text.p[from] == ' ') {
        from++;
    }
    sy_buf_printf(&t->out, "      %s:%u: ", s->pos.source->name, line);
    sy_buf_put(&t->out, text.p + from, to - from);
    sy_buf_char(&t->out, '\n');
}

static void put_failure(tests *t, const sy_scenario_result *r)
{
    bool zh = t->lang == SY_ZH;
    sy_buf_printf(&t->out, "    %s\n", zh ? r->zh : r->en);
    if (r->failed_step) {
        put_step(t, r->failed_step);
    }
    sy_buf_text(&t->out, zh ? "    预期：\n" : "    expected:\n");
    for (size_t k = 0; k < r->scenario->n_steps; k++) {
        const sy_step *s = &r->scenario->steps[k];
        if (s->kind == SY_STEP_NO_ALERT_UNTIL || s->kind == SY_STEP_ALERT_AT ||
            s->kind == SY_STEP_CLEAR_AT) {
            put_step(t, s);
        }
    }
    sy_buf_text(&t->out, zh ? "    实际：\n" : "    happened:\n");
    for (size_t k = 0; k < r->n_events; k++) {
        put_event(t, &r->events[k]);
    }
    if (r->n_events == 0) {
        sy_buf_text(&t->out, zh ? "      无\n" : "      nothing\n");
    }
}

static void put_row(tests *t, const sy_scenario_result *r)
{
    const char *id = r->scenario->rule->id;
    size_t width = sy_utf8_width(sy_span_of(id));
    const char *word =
        t->lang == SY_ZH ? (r->passed ? "通过" : "失败") : (r->passed ? "pass" : "FAIL");
    sy_buf_printf(&t->out, "%s  %s%*s  %s\n", word, id, (int)(width < 12 ? 12 - width : 0), "",
                  pick(&r->scenario->title, t->lang));
    if (!r->passed) {
        put_failure(t, r);
    }
}

static void put_json(tests *t, const sy_scenario_result *r)
{
    sy_buf *b = &t->out;
    sy_buf_text(b, t->passed + t->failed > 1 ? ",\n    {\"rule\": " : "\n    {\"rule\": ");
    sy_buf_json(b, sy_span_of(r->scenario->rule->id));
    sy_buf_text(b, ", \"scenario\": ");
    sy_buf_json(b, sy_span_of(pick(&r->scenario->title, SY_EN)));
    sy_buf_printf(b, ", \"passed\": %s, \"reason\": ", r->passed ? "true" : "false");
    if (r->passed) {
        sy_buf_text(b, "null");
    } else {
        sy_buf_json(b, sy_span_of(r->en));
    }
    sy_buf_text(b, ", \"events\": [");
    for (size_t k = 0; k < r->n_events; k++) {
        char at[25];
        const sy_scenario_event *e = &r->events[k];
        sy_time_text(e->at, at);
        sy_buf_printf(b, "%s{\"time\": \"%s\", \"event\": \"%s\", \"severity\": \"%s\"}",
                      k ? ", " : "", at, e->clear ? "clear" : "alert",
                      sy_alert_level_text(e->level, SY_EN));
    }
    sy_buf_text(b, "]}");
}

static sy_err run_all(tests *t, bool json)
{
    const sy_set *set = t->files->set;
    sy_err e = SY_OK;
    for (size_t k = 0; k < set->n_scenarios && !e; k++) {
        sy_arena arena;
        sy_scenario_result r;
        sy_arena_init(&arena, sy_heap(), 0);
        e = sy_scenario_run(set->scenarios[k], set, t->zone, sy_heap(), &arena, &r);
        if (!e) {
            t->passed += r.passed;
            t->failed += !r.passed;
            if (json) {
                put_json(t, &r);
            } else {
                put_row(t, &r);
            }
        }
        sy_arena_fini(&arena);
    }
    return e;
}

static int report(const sy_rule_files *files, const sy_zone *zone, bool json)
{
    tests t = {.files = files, .zone = zone, .lang = sy_locale()};
    bool ok;
    sy_buf_init(&t.out, sy_heap());
    if (json) {
        sy_buf_text(&t.out, "{\"scenarios\": [");
    }
    ok = run_all(&t, json) == SY_OK;
    if (json) {
        sy_buf_printf(&t.out, "],\n  \"passed\": %zu, \"failed\": %zu}\n", t.passed, t.failed);
    } else {
        sy_buf_printf(&t.out,
                      t.lang == SY_ZH ? "%zu 个情景通过，%zu 个失败\n"
                                      : "%zu scenarios pass, %zu fail\n",
                      t.passed, t.failed);
    }
    ok = ok && !t.out.failed && fwrite(t.out.p, 1, t.out.n, stdout) == t.out.n;
    ok = fflush(stdout) == 0 && ok;
    sy_buf_fini(&t.out);
    return ok && t.failed == 0 ? 0 : 1;
}

int sy_rules_test_main(int argc, char **argv)
{
    sy_rule_arguments a;
    int status = sy_rule_arguments_parse(&a, help, argc, argv);
    if (status >= 0)
        return status;
    sy_rule_files files;
    sy_arena arena;
    sy_fail f;
    const sy_zone *zone = NULL;
    status = 2;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_err e = sy_rule_files_open(&files, a.paths, a.n, a.config, &f);
    e = e ? e : sy_rule_files_zone(&files, &arena, &zone, &f);
    if (e) {
        fprintf(stderr, "steelyard rules test: %s\n", f.text);
    } else if (!files.set) {
        sy_rule_files_print(&files, sy_locale());
        status = 1;
    } else {
        status = report(&files, zone, a.json);
    }
    sy_rule_files_close(&files);
    sy_arena_fini(&arena);
    return status;
}
