/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules cover: what of a configuration is watched by these rules, and what is not?
 */
#include "cli/rules_cover.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"

static const char help[] =
    "usage: steelyard rules cover --config FILE [--json] FILE…\n\n"
    "Which parts of a configuration have a rule and which have none: its cells of subject, goods\n"
    "and stage, its places and points; for each rule how many instances it has there, what they\n"
    "need in memory, and where it applies without being watched, and why.\n\n"
    "  --config FILE  the premises, places and points (the rules that it names are not used)\n"
    "  --json         everything as JSON on the standard output\n\n"
    "Exit codes: 0 fine, 1 errors in the rules, 2 wrong usage, a file that cannot be read, a\n"
    "configuration that is refused.\n";

static const char *or_none(const char *text)
{
    return text ? text : "-";
}

static void put_place(const sy_site *s, uint32_t place, sy_buf *out)
{
    const sy_site_place *p = &s->places[place];
    sy_buf_printf(out, "%s/%s", s->premises[p->premises].id, p->id);
}

static const char *series_of(const sy_cover *c, const sy_cover_gap *g)
{
    return g->point == SY_UNWATCHED_PLACE ? NULL : c->site->points[g->point].series;
}

static void put_count(sy_buf *out, size_t n, const char *one, const char *more)
{
    sy_buf_printf(out, "%zu %s", n, n == 1 ? one : more);
}

static void text_rule(const sy_cover *c, const sy_cover_rule *r, bool zh, sy_buf *out)
{
    if (r->instances) {
        sy_buf_printf(out, zh ? "%s：" : "%s: ", r->rule->id);
        put_count(out, r->instances, zh ? "个实例" : "instance", zh ? "个实例" : "instances");
        sy_buf_printf(out, zh ? "，%zu 字节\n" : ", %zu bytes\n", r->bytes);
    } else {
        sy_buf_printf(out, zh ? "%s：%s\n" : "%s: %s\n", r->rule->id,
                      r->n_gaps ? (zh ? "未监测" : "watches nothing")
                      : zh      ? "无匹配的场所或测点"
                                : "matches nothing here");
    }
    for (size_t k = 0; k < r->n_gaps; k++) {
        sy_buf_text(out, "  ");
        put_place(c->site, r->gaps[k].place, out);
        const char *series = series_of(c, &r->gaps[k]);
        sy_buf_printf(out, "%s%s: %s\n", series ? "/" : "", series ? series : "", r->gaps[k].why);
    }
}

static void text_cell(const sy_cover *c, const sy_cover_cell *cell, bool zh, sy_buf *out)
{
    bool first = true;
    sy_buf_printf(out, zh ? "  %s × %s × %s，" : "  %s × %s × %s, ", or_none(cell->subject),
                  or_none(cell->goods), or_none(cell->stage));
    put_count(out, cell->places, zh ? "处：" : "place:", zh ? "处：" : "places:");
    if (cell->n_rules == 0) {
        sy_buf_text(out, zh ? "无规则" : " no rule");
    }
    for (size_t r = 0; r < c->n_rules; r++) {
        if (cell->rules[r]) {
            sy_buf_printf(out, "%s%s", first ? (zh ? "" : " ") : ", ", c->rules[r].rule->id);
            first = false;
        }
    }
    sy_buf_char(out, '\n');
}

void sy_cover_text(const sy_cover *c, sy_lang lang, sy_buf *out)
{
    bool zh = lang == SY_ZH;
    put_count(out, c->n_rules, zh ? "条规则，" : "rule, ", zh ? "条规则，" : "rules, ");
    put_count(out, c->bases, zh ? "项依据，" : "basis, ", zh ? "项依据，" : "bases, ");
    sy_buf_printf(out, zh ? "其中 %zu 项条款待核\n" : "%zu of them with a clause to verify\n",
                  c->verify);
    for (size_t k = 0; k < c->n_rules; k++) {
        text_rule(c, &c->rules[k], zh, out);
    }
    sy_buf_text(out, zh ? "主体 × 品种 × 环节：\n" : "subject × goods × stage:\n");
    for (size_t k = 0; k < c->n_cells; k++) {
        text_cell(c, &c->cells[k], zh, out);
    }
    for (uint32_t k = 0; k < c->site->n_places; k++) {
        if (!c->places[k]) {
            sy_buf_text(out, zh ? "场所无规则：" : "place without a rule: ");
            put_place(c->site, k, out);
            sy_buf_char(out, '\n');
        }
    }
    for (uint32_t k = 0; k < c->site->n_points; k++) {
        if (!c->points[k]) {
            const sy_site_point *p = &c->site->points[k];
            sy_buf_text(out, zh ? "测点无规则：" : "point without a rule: ");
            put_place(c->site, p->place, out);
            sy_buf_printf(out, "/%s (%s)\n", p->series, p->quantity);
        }
    }
}

static void member(sy_buf *out, const char *key, const char *text, bool first)
{
    sy_buf_printf(out, "%s\"%s\": ", first ? "" : ", ", key);
    if (text) {
        sy_buf_json(out, sy_span_of(text));
    } else {
        sy_buf_text(out, "null");
    }
}

static void json_place(const sy_cover *c, uint32_t place, sy_buf *out)
{
    const sy_site_place *p = &c->site->places[place];
    member(out, "premises", c->site->premises[p->premises].id, true);
    member(out, "place", p->id, false);
}

static void json_rule(const sy_cover *c, const sy_cover_rule *r, sy_buf *out)
{
    sy_buf_char(out, '{');
    member(out, "rule", r->rule->id, true);
    sy_buf_printf(out, ", \"instances\": %zu, \"bytes\": %zu, \"unwatched\": [", r->instances,
                  r->bytes);
    for (size_t k = 0; k < r->n_gaps; k++) {
        sy_buf_text(out, k ? ",\n      {" : "\n      {");
        json_place(c, r->gaps[k].place, out);
        member(out, "series", series_of(c, &r->gaps[k]), false);
        member(out, "why", r->gaps[k].why, false);
        sy_buf_char(out, '}');
    }
    sy_buf_text(out, "]}");
}

static void json_cell(const sy_cover *c, const sy_cover_cell *cell, sy_buf *out)
{
    bool first = true;
    sy_buf_char(out, '{');
    member(out, "subject", cell->subject, true);
    member(out, "goods", cell->goods, false);
    member(out, "stage", cell->stage, false);
    sy_buf_printf(out, ", \"places\": %zu, \"rules\": [", cell->places);
    for (size_t r = 0; r < c->n_rules; r++) {
        if (cell->rules[r]) {
            sy_buf_text(out, first ? "" : ", ");
            sy_buf_json(out, sy_span_of(c->rules[r].rule->id));
            first = false;
        }
    }
    sy_buf_text(out, "]}");
}

static void json_bare(const sy_cover *c, sy_buf *out)
{
    bool first = true;
    sy_buf_text(out, "],\n  \"places_without\": [");
    for (uint32_t k = 0; k < c->site->n_places; k++) {
        if (!c->places[k]) {
            sy_buf_text(out, first ? "\n    {" : ",\n    {");
            json_place(c, k, out);
            sy_buf_char(out, '}');
            first = false;
        }
    }
    first = true;
    sy_buf_text(out, "],\n  \"points_without\": [");
    for (uint32_t k = 0; k < c->site->n_points; k++) {
        if (!c->points[k]) {
            sy_buf_text(out, first ? "\n    {" : ",\n    {");
            json_place(c, c->site->points[k].place, out);
            member(out, "series", c->site->points[k].series, false);
            member(out, "quantity", c->site->points[k].quantity, false);
            sy_buf_char(out, '}');
            first = false;
        }
    }
}

void sy_cover_json(const sy_cover *c, sy_buf *out)
{
    sy_buf_printf(out, "{\"bases\": %zu, \"verify\": %zu,\n  \"rules\": [", c->bases, c->verify);
    for (size_t k = 0; k < c->n_rules; k++) {
        sy_buf_text(out, k ? ",\n    " : "\n    ");
        json_rule(c, &c->rules[k], out);
    }
    sy_buf_text(out, "],\n  \"cells\": [");
    for (size_t k = 0; k < c->n_cells; k++) {
        sy_buf_text(out, k ? ",\n    " : "\n    ");
        json_cell(c, &c->cells[k], out);
    }
    json_bare(c, out);
    sy_buf_text(out, "]}\n");
}

static int report(const sy_rule_files *files, bool json)
{
    sy_cover c;
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    sy_err e = sy_cover_find(&c, files->set, files->config->site);
    if (e) {
        fprintf(stderr, "steelyard rules cover: %s\n", sy_err_text(e));
    } else if (json) {
        sy_cover_json(&c, &out);
    } else {
        sy_cover_text(&c, sy_locale(), &out);
    }
    sy_cover_close(&c);
    bool ok = !e && !out.failed && fwrite(out.p, 1, out.n, stdout) == out.n;
    ok = fflush(stdout) == 0 && ok;
    sy_buf_fini(&out);
    return ok ? 0 : 1;
}

int sy_rules_cover_main(int argc, char **argv)
{
    sy_rule_arguments a;
    int status = sy_rule_arguments_parse(&a, help, argc, argv);
    if (status >= 0) {
        return status;
    }
    if (!a.config) {
        return sy_rule_usage("cover", "--config FILE is missing");
    }
    sy_rule_files files;
    sy_fail f;
    status = 2;
    sy_err e = sy_rule_files_open(&files, a.paths, a.n, a.config, &f);
    if (e) {
        fprintf(stderr, "steelyard rules cover: %s\n", f.text);
    } else if (!files.set) {
        sy_rule_files_print(&files, sy_locale());
        status = 1;
    } else {
        status = report(&files, a.json);
    }
    sy_rule_files_close(&files);
    return status;
}
