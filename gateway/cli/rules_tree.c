/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules tree: what the rules say, as JSON for other programs.
 */
#include <getopt.h>
#include <stdio.h>

#include "base/hash.h"
#include "cli/cli.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"
#include "cli/tree_json.h"

static const char help[] =
    "usage: steelyard rules tree [--config FILE] FILE…\n\n"
    "Show rule files, read as one set, as JSON: every rule with its clauses, conditions as trees,\n"
    "numbers with unit and origin, scenarios, tunings, the place of each in the text. The schema "
    "is\n"
    "docs/rules-tree.schema.json. A text and its translation give the same tree, but for texts in\n"
    "quotes, names that the rule declares, and places.\n\n"
    "  --config FILE  take the names that this configuration adds to the vocabulary\n\n"
    "Exit codes: 0 fine, 1 errors in the rules (shown, no JSON), 2 wrong usage, a file that "
    "cannot\n"
    "be read, a configuration that is refused.\n";

static void put_set(const sy_set *s, sy_buf *out)
{
    sy_tree_out w = {.out = out};
    char hex[65];
    sy_hex(s->hash, sizeof s->hash, hex);
    sy_tree_open(&w, '{');
    sy_tree_key(&w, "set");
    sy_tree_string(&w, hex);
    sy_tree_key(&w, "rules");
    sy_tree_open(&w, '[');
    for (size_t i = 0; i < s->n_rules; i++) {
        sy_buf_char(out, '\n');
        sy_tree_rule(&w, s->rules[i]);
    }
    sy_tree_close(&w, ']');
    sy_buf_char(out, '\n');
    sy_tree_key(&w, "scenarios");
    sy_tree_open(&w, '[');
    for (size_t i = 0; i < s->n_scenarios; i++) {
        sy_buf_char(out, '\n');
        sy_tree_scenario(&w, s->scenarios[i]);
    }
    sy_tree_close(&w, ']');
    sy_buf_char(out, '\n');
    sy_tree_key(&w, "tunings");
    sy_tree_open(&w, '[');
    for (size_t i = 0; i < s->n_tunings; i++) {
        sy_buf_char(out, '\n');
        sy_tree_tuning(&w, s->tunings[i]);
    }
    sy_tree_close(&w, ']');
    sy_tree_close(&w, '}');
    sy_buf_char(out, '\n');
}

static int show(const sy_rule_files *r)
{
    sy_buf out;
    if (!r->set) {
        sy_rule_files_print(r, sy_locale());
        return 1;
    }
    sy_buf_init(&out, sy_heap());
    put_set(r->set, &out);
    bool written = !out.failed && fwrite(out.p, 1, out.n, stdout) == out.n;
    written = fflush(stdout) == 0 && written;
    sy_buf_fini(&out);
    return written ? 0 : 2;
}

int sy_rules_tree_main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *config = NULL;
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (c != 'c') {
            fputs(help, stderr);
            return 2;
        }
        config = optarg;
    }
    if (optind == argc) {
        fputs(help, stderr);
        return 2;
    }
    sy_rule_files files;
    sy_fail f;
    int status = 2;
    if (sy_rule_files_open(&files, argv + optind, (size_t)(argc - optind), config, &f) == SY_OK)
        status = show(&files);
    else
        fprintf(stderr, "steelyard rules tree: %s\n", f.text);
    sy_rule_files_close(&files);
    return status;
}
