/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the rule files that a command names, with the vocabulary that they are to be read by.
 */
#include "cli/rules_files.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/config_file.h"

int sy_rule_usage(const char *part, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "steelyard rules %s: ", part);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; see steelyard rules %s --help\n", part);
    va_end(args);
    return 2;
}

bool sy_rule_time(const char *part, const char *name, const char *text, sy_ms *out)
{
    bool ok = sy_time_parse(sy_span_of(text), out) == SY_OK;
    if (!ok) {
        sy_rule_usage(part,
                      "%s: '%s' is neither RFC 3339 (2026-03-02T09:18:00+08:00) nor epoch "
                      "milliseconds",
                      name, text);
    }
    return ok;
}

bool sy_rule_readings(const char *part, const char *readings, const char *data)
{
    if (!readings == !data) {
        sy_rule_usage(part, readings ? "--readings and --data exclude each other"
                                     : "no readings: --readings CSV or --data DIR is missing");
    }
    return !readings != !data;
}

int sy_rule_arguments_parse(sy_rule_arguments *a, const char *help, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;
    *a = (sy_rule_arguments){.config = NULL};
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (c == 'c') {
            a->config = optarg;
        } else if (c == 'j') {
            a->json = true;
        } else {
            fputs(help, stderr);
            return 2;
        }
    }
    if (optind == argc) {
        return sy_rule_usage(argv[0], "no rule file is named");
    }
    a->paths = argv + optind;
    a->n = (size_t)(argc - optind);
    return -1;
}

static sy_err read_file(sy_rule_files *r, const char *path, sy_fail *f)
{
    sy_buf bytes;
    sy_buf_init(&bytes, sy_heap());
    sy_err e = sy_file_read(path, 1 << 20, &bytes, f);
    if (e == SY_OK) {
        const char *text = sy_arena_text(&r->arena, sy_buf_span(&bytes));
        r->sources[r->n++] = (sy_source){path, {text, bytes.n}};
        if (!text)
            e = sy_fail_set(f, SY_E_NOMEM, "%s: no memory for it", path);
    }
    sy_buf_fini(&bytes);
    return e;
}

sy_err sy_rule_files_open(sy_rule_files *r, char *const *paths, size_t n, const char *config,
                          sy_fail *f)
{
    memset(r, 0, sizeof *r);
    sy_arena_init(&r->arena, sy_heap(), 0);
    sy_diags_init(&r->diags, &r->arena);
    sy_vocab_init(&r->own, &r->arena);
    r->vocab = &r->own;
    r->sources = sy_arena_get(&r->arena, (n + 1) * sizeof *r->sources);
    if (!r->sources)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for %zu files", n);
    sy_err e = config ? sy_config_file_load(config, NULL, &r->config, f)
                      : sy_vocab_add(&r->own, &sy_vocab_builtin, &r->diags);
    if (r->config)
        r->vocab = r->config->vocab;
    if (e == SY_E_PARSE || (e == SY_E_NOMEM && !config))
        return sy_fail_set(f, e, "the vocabulary that ships cannot be loaded");
    for (size_t i = 0; i < n && e == SY_OK; i++)
        e = read_file(r, paths[i], f);
    if (e != SY_OK)
        return e;
    e = sy_set_load(r->sources, r->n, r->vocab, &r->arena, &r->diags, &r->set);
    if (e == SY_E_PARSE)
        return SY_OK;
    return e == SY_OK ? SY_OK : sy_fail_set(f, e, "no memory for the rules");
}

void sy_rule_files_close(sy_rule_files *r)
{
    if (r->config)
        sy_config_unref(r->config);
    sy_diags_fini(&r->diags);
    sy_arena_fini(&r->arena);
}

sy_err sy_rule_files_zone(const sy_rule_files *r, sy_arena *arena, const sy_zone **out, sy_fail *f)
{
    if (r->config && r->config->site->n_premises > 0) {
        *out = r->config->site->premises[0].zone;
        return SY_OK;
    }
    return sy_zone_load(arena, "Asia/Shanghai", out, f);
}

void sy_rule_files_print(const sy_rule_files *r, sy_lang lang)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    for (size_t i = 0; i < r->diags.n; i++)
        sy_diag_print(&r->diags.v[i], lang, &text);
    if (text.n > 0)
        fwrite(text.p, 1, text.n, stderr);
    sy_buf_fini(&text);
}
