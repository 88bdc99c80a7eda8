/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules fmt: rule files in canonical layout, in either language. Each file is read by
 * itself. What is written was read again first: the same rules with the same hashes, and a second
 * pass would change nothing.
 */
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"
#include "rules/fmt.h"

static const char help[] =
    "usage: steelyard rules fmt [--language en|zh] [--write | --check] [--config FILE] FILE…\n\n"
    "Show rule files in canonical layout: a clause a line, keywords, names and units in one\n"
    "language. Texts in quotes, comments and the names that a rule declares stay as they are, and\n"
    "so does what the rules judge: each keeps its judgement hash, in either language. A file with\n"
    "errors is refused; a scenario may test a rule of another file.\n\n"
    "  --language L   en or zh; without it each file keeps that of most of its keywords\n"
    "  --write        write each file that changes back in place, show its name\n"
    "  --check        write nothing; show the names of files that would change\n"
    "  --config FILE  take the names that this configuration adds to the vocabulary\n\n"
    "Exit codes: 0 fine, 1 errors in the rules, or with --check a file that would change, 2 wrong\n"
    "usage, a file that cannot be read or written, a configuration that is refused.\n";

typedef struct job {
    sy_fmt_lang lang;
    bool write, check;
    const char *config;
} job;

/* Whether nothing is wrong but scenarios of rules that stand elsewhere. */
static bool well_formed(const sy_diags *d)
{
    size_t elsewhere = 0;
    for (size_t i = 0; i < d->n; i++)
        elsewhere += d->v[i].severity == SY_DIAG_ERROR && strcmp(d->v[i].code, "unknown-rule") == 0;
    return d->errors == elsewhere;
}

/* The text read again: the same rules and texts, and laid out already. */
static bool holds(sy_rule_files *r, sy_span text, sy_fmt_lang lang)
{
    sy_source source = {r->sources[0].name, text};
    const sy_set *set;
    sy_diags d;
    sy_buf again;
    sy_diags_init(&d, &r->arena);
    sy_buf_init(&again, sy_heap());
    sy_err e = sy_set_load(&source, 1, r->vocab, &r->arena, &d, &set);
    bool same = (e == SY_OK || e == SY_E_PARSE) && well_formed(&d) && !set == !r->set &&
                (!set || memcmp(set->hash, r->set->hash, sizeof set->hash) == 0) &&
                sy_fmt(&source, r->vocab, lang, &r->arena, &d, &again) == SY_OK &&
                sy_span_eq(sy_buf_span(&again), text);
    sy_buf_fini(&again);
    sy_diags_fini(&d);
    return same;
}

static int put(const char *path, sy_span text, const job *j, sy_span old)
{
    sy_fail f;
    struct stat st;
    bool changes = !sy_span_eq(text, old);
    if (!j->write && !j->check)
        return fwrite(text.p, 1, text.n, stdout) == text.n ? 0 : 2;
    if (!changes)
        return 0;
    puts(path);
    if (j->check)
        return 1;
    unsigned mode = stat(path, &st) == 0 ? (unsigned)st.st_mode & 0777u : 0644u;
    if (sy_file_write(path, text, mode, &f) == SY_OK)
        return 0;
    fprintf(stderr, "steelyard rules fmt: %s\n", f.text);
    return 2;
}

static int one(char *path, const job *j)
{
    sy_rule_files r;
    sy_fail f;
    sy_buf out;
    int status = 2;
    sy_buf_init(&out, sy_heap());
    if (sy_rule_files_open(&r, &path, 1, j->config, &f) != SY_OK) {
        fprintf(stderr, "steelyard rules fmt: %s\n", f.text);
    } else if (!well_formed(&r.diags)) {
        sy_rule_files_print(&r, sy_locale());
        status = 1;
    } else if (sy_fmt(&r.sources[0], r.vocab, j->lang, &r.arena, &r.diags, &out) != SY_OK) {
        fprintf(stderr, "steelyard rules fmt: %s: no memory for it\n", path);
    } else if (!holds(&r, sy_buf_span(&out), j->lang)) {
        fprintf(stderr,
                "steelyard rules fmt: %s: left as it is: laid out it would not read the same\n",
                path);
        status = 1;
    } else {
        status = put(path, sy_buf_span(&out), j, r.sources[0].text);
    }
    sy_buf_fini(&out);
    sy_rule_files_close(&r);
    return status;
}

static bool language(const char *text, sy_fmt_lang *out)
{
    *out = strcmp(text, "zh") == 0 ? SY_FMT_ZH : SY_FMT_EN;
    bool ok = *out == SY_FMT_ZH || strcmp(text, "en") == 0;
    if (!ok) {
        sy_rule_usage("fmt", "--language: '%s' is neither en nor zh", text);
    }
    return ok;
}

int sy_rules_fmt_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"language", required_argument, NULL, 'l'}, {"write", no_argument, NULL, 'w'},
        {"check", no_argument, NULL, 'k'},          {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    job j = {.lang = SY_FMT_OWN};
    int c, status = 0;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        j.write |= c == 'w';
        j.check |= c == 'k';
        if (c == 'c')
            j.config = optarg;
        else if (c == 'l' && !language(optarg, &j.lang))
            return 2;
        else if (c == '?') {
            fputs(help, stderr);
            return 2;
        }
    }
    if (optind == argc)
        return sy_rule_usage("fmt", "no rule file is named");
    if (j.write && j.check)
        return sy_rule_usage("fmt", "--write and --check exclude each other");
    for (int i = optind; i < argc; i++) {
        int s = one(argv[i], &j);
        status = s > status ? s : status;
    }
    return fflush(stdout) == 0 ? status : 2;
}
