/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules check: are these rules well formed, and which hash has each?
 */
#include <stdio.h>

#include "base/hash.h"
#include "cli/cli.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"

static const char help[] =
    "usage: steelyard rules check [--config FILE] [--json] FILE…\n\n"
    "Check rule files as one set. All errors and warnings are shown with their places; when there\n"
    "are no errors, id, version and judgement hash of each rule: texts that judge alike have the\n"
    "same hash, in whatever language.\n\n"
    "  --config FILE  take the names that this configuration adds to the vocabulary\n"
    "  --json         everything as JSON on the standard output\n\n"
    "Exit codes: 0 fine (warnings allowed), 1 errors in the rules, 2 wrong usage, a file that "
    "cannot\n"
    "be read, a configuration that is refused.\n";

static void put_version(sy_buf *out, const sy_rule *r)
{
    sy_buf_double(out, r->version->value);
}

static void text_rules(const sy_rule_files *r, sy_buf *out)
{
    sy_lang lang = sy_locale();
    for (size_t i = 0; r->set && i < r->set->n_rules; i++) {
        const sy_rule *rule = r->set->rules[i];
        const char *title = lang == SY_ZH ? rule->title.zh : rule->title.en;
        if (!title)
            title = lang == SY_ZH ? rule->title.en : rule->title.zh;
        sy_buf_printf(out, "%s version ", rule->id);
        put_version(out, rule);
        sy_buf_printf(out, " %s %s\n", rule->judgement_hex, title);
    }
}

static const char *severity(sy_severity s)
{
    return s == SY_DIAG_ERROR ? "error" : s == SY_DIAG_WARNING ? "warning" : "note";
}

static void put_member(sy_buf *out, const char *key, const char *text)
{
    sy_buf_printf(out, ", \"%s\": ", key);
    if (text)
        sy_buf_json(out, sy_span_of(text));
    else
        sy_buf_text(out, "null");
}

static void json_findings(const sy_rule_files *r, sy_buf *out)
{
    for (size_t i = 0; i < r->diags.n; i++) {
        const sy_diag *d = &r->diags.v[i];
        uint32_t line, column;
        sy_pos_line(d->pos, &line, &column);
        sy_buf_printf(out, "%s{\"severity\": \"%s\", \"code\": \"%s\"", i ? ",\n    " : "\n    ",
                      severity(d->severity), d->code);
        put_member(out, "file", d->pos.source ? d->pos.source->name : NULL);
        put_member(out, "message", d->en);
        put_member(out, "message_zh", d->zh);
        put_member(out, "near", d->near);
        sy_buf_printf(out, ", \"line\": %u, \"column\": %u}", line, column);
    }
}

static void json(const sy_rule_files *r, sy_buf *out)
{
    sy_buf_printf(out, "{\"errors\": %zu,\n  \"findings\": [", r->diags.errors);
    json_findings(r, out);
    sy_buf_text(out, "],\n  \"rules\": [");
    for (size_t i = 0; r->set && i < r->set->n_rules; i++) {
        const sy_rule *rule = r->set->rules[i];
        char text[65];
        sy_hex(rule->text_hash, sizeof rule->text_hash, text);
        sy_buf_text(out, i ? ",\n    {\"rule\": " : "\n    {\"rule\": ");
        sy_buf_json(out, sy_span_of(rule->id));
        sy_buf_text(out, ", \"version\": ");
        put_version(out, rule);
        put_member(out, "judgement", rule->judgement_hex);
        put_member(out, "texts", text);
        put_member(out, "title", rule->title.en);
        put_member(out, "title_zh", rule->title.zh);
        sy_buf_char(out, '}');
    }
    sy_buf_printf(
        out, "],\n  \"scenarios\": %zu,\n  \"set\": ", r->set ? r->set->n_scenarios : (size_t)0);
    if (r->set) {
        char hex[65];
        sy_hex(r->set->hash, sizeof r->set->hash, hex);
        sy_buf_json(out, sy_span_of(hex));
    } else {
        sy_buf_text(out, "null");
    }
    sy_buf_text(out, "}\n");
}

static int report(const sy_rule_files *r, bool as_json)
{
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    if (as_json) {
        json(r, &out);
    } else {
        sy_rule_files_print(r, sy_locale());
        text_rules(r, &out);
    }
    bool written = !out.failed && (out.n == 0 || fwrite(out.p, 1, out.n, stdout) == out.n);
    written = fflush(stdout) == 0 && written;
    sy_buf_fini(&out);
    return r->set && written ? 0 : 1;
}

int sy_rules_check_main(int argc, char **argv)
{
    sy_rule_arguments a;
    int status = sy_rule_arguments_parse(&a, help, argc, argv);
    if (status >= 0)
        return status;
    sy_rule_files files;
    sy_fail f;
    status = 2;
    if (sy_rule_files_open(&files, a.paths, a.n, a.config, &f) == SY_OK)
        status = report(&files, a.json);
    else
        fprintf(stderr, "steelyard rules check: %s\n", f.text);
    sy_rule_files_close(&files);
    return status;
}
