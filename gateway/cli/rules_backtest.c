/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules backtest: which alerts would these rules have raised? The judge is the one that
 * runs live; here its clock is moved by the readings. With other rules to compare with, those judge
 * the same readings first.
 */
#include <getopt.h>
#include <stdio.h>

#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/rules_against.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"
#include "cli/rules_rows.h"

static const char help[] =
    "usage: steelyard rules backtest --config FILE (--readings CSV | --data DIR)\n"
    "                                [--from TIME] [--to TIME] [--against OLD-FILE]…\n"
    "                                [--json] [--language en|zh] FILE…\n\n"
    "Judge recorded readings by rule files and show the alerts that come of it, ordered by when\n"
    "they were raised. When rules were activated is ignored, their effective dates are not.\n\n"
    "  --config FILE     the premises, places, points and devices\n"
    "  --readings CSV    columns time, device, point, value and perhaps quality; - is standard "
    "input\n"
    "  --data DIR        the readings that a gateway has stored\n"
    "  --from, --to      only readings of this time (RFC 3339 or epoch milliseconds); default: "
    "all\n"
    "  --against FILE    judge by the rules of this file as well, and show what changes with "
    "FILE…:\n"
    "                    alerts gained, lost, moved; may stand several times for several files\n"
    "  --json            a JSON array, one alert a line\n"
    "  --language        of the text and the messages; default: the locale's, with --json "
    "English\n\n"
    "Exit codes: 0 fine, 1 errors in the rules, 2 wrong usage, input that cannot be read, a\n"
    "configuration that is refused.\n";

typedef struct backtest {
    const char *config, *readings, *data;
    char *against[64];
    size_t n_against;
    bool json, has_lang;
    sy_lang lang;
    sy_rule_files files, old;
    sy_rows rows;
    sy_past was, now;
    sy_buf out;
    bool first;
} backtest;

static const char *state_text(sy_alert_state s, sy_lang lang)
{
    static const char *const zh[] = {"进行中", "已解除", "已被取代", "已撤回"};
    return lang == SY_ZH ? zh[s] : sy_alert_state_text(s);
}

static void put_padded(sy_buf *out, const char *text, size_t width)
{
    size_t n = sy_utf8_width(sy_span_of(text));
    sy_buf_printf(out, "%s%*s", text, (int)(n < width ? width - n : 0), "");
}

static void text_alert(backtest *b, const sy_alert_view *a)
{
    char at[2][25];
    sy_time_text(a->raised, at[0]);
    if (a->cleared != SY_MS_NONE) {
        sy_time_text(a->cleared, at[1]);
    }
    sy_buf_printf(&b->out, "%s  ", at[0]);
    put_padded(&b->out, sy_alert_level_text(a->severity, b->lang), 8);
    sy_buf_printf(&b->out, " %-12s ", a->rule);
    put_padded(&b->out, state_text(a->state, b->lang), 10);
    sy_buf_printf(&b->out, " %s  %s\n", a->subject, a->cleared != SY_MS_NONE ? at[1] : "-");
}

static void put_alert(void *ctx, const sy_alert *a)
{
    backtest *b = ctx;
    sy_alert_view v = sy_alert_view_of(a, b->files.config->site, b->lang);
    if (b->json) {
        sy_alert_json_item(&b->out, &v, b->first);
    } else {
        text_alert(b, &v);
    }
    b->first = false;
}

static void keep_was(void *ctx, const sy_alert *a)
{
    backtest *b = ctx;
    sy_alert_view v = sy_alert_view_of(a, b->files.config->site, b->lang);
    sy_past_add(&b->was, &v);
}

static void keep_now(void *ctx, const sy_alert *a)
{
    backtest *b = ctx;
    sy_alert_view v = sy_alert_view_of(a, b->files.config->site, b->lang);
    sy_past_add(&b->now, &v);
}

static sy_err judge(backtest *b, const sy_set *set, void (*fn)(void *ctx, const sy_alert *a),
                    sy_fail *f)
{
    sy_judge *j;
    sy_judge_options o = {.set = set,
                          .site = b->files.config->site,
                          .start = sy_rows_start(&b->rows),
                          .in_force = SY_MS_NONE,
                          .alloc = sy_heap()};
    sy_err e = sy_judge_open(&j, &o);
    if (e) {
        return sy_fail_set(f, e, "the judge cannot start: %s", sy_err_text(e));
    }
    e = sy_rows_judge(&b->rows, j);
    e = e ? e : sy_judge_alerts(j, fn, b);
    if (e) {
        e = sy_fail_set(f, e, "judging failed: %s", sy_err_text(e));
    }
    sy_judge_close(j);
    return e;
}

static sy_err list(backtest *b, sy_fail *f)
{
    b->first = true;
    if (b->json) {
        sy_alert_json_begin(&b->out);
    }
    sy_err e = judge(b, b->files.set, put_alert, f);
    if (b->json) {
        sy_alert_json_end(&b->out);
    } else if (!e && b->first) {
        sy_buf_printf(&b->out,
                      b->lang == SY_ZH ? "%zu 个读数，无报警\n"
                      : b->rows.n == 1 ? "%zu reading, no alert\n"
                                       : "%zu readings, no alert\n",
                      b->rows.n);
    }
    return e;
}

static sy_err compare(backtest *b, sy_fail *f)
{
    sy_err e = judge(b, b->old.set, keep_was, f);
    e = e ? e : judge(b, b->files.set, keep_now, f);
    if (!e && sy_against_put(&b->was, &b->now, b->json, b->lang, &b->out) != SY_OK) {
        e = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    }
    return e;
}

static sy_err backtest_run(backtest *b, sy_fail *f)
{
    b->rows.config = b->files.config;
    sy_err e = sy_rows_read(&b->rows, b->readings, b->data, "backtest", f);
    e = e ? e : (b->n_against ? compare(b, f) : list(b, f));
    if (!e && (b->out.failed || (b->out.n && fwrite(b->out.p, 1, b->out.n, stdout) != b->out.n) ||
               fflush(stdout) != 0)) {
        e = sy_fail_set(f, SY_E_IO, "the result cannot be written");
    }
    return e;
}

static int backtest_files(backtest *b, char **paths, int n)
{
    sy_fail f;
    int status = 2;
    sy_buf_init(&b->out, sy_heap());
    sy_past_init(&b->was);
    sy_past_init(&b->now);
    sy_err e = sy_rule_files_open(&b->files, paths, (size_t)n, b->config, &f);
    bool old = !e && b->n_against > 0;
    if (old) {
        e = sy_rule_files_open(&b->old, b->against, b->n_against, b->config, &f);
    }
    if (!e && (!b->files.set || (old && !b->old.set))) {
        sy_rule_files_print(b->files.set ? &b->old : &b->files, sy_locale());
        status = 1;
    } else {
        e = e ? e : backtest_run(b, &f);
        if (e) {
            fprintf(stderr, "steelyard rules backtest: %s\n", f.text);
        } else {
            status = 0;
        }
    }
    sy_rows_fini(&b->rows);
    sy_past_fini(&b->was);
    sy_past_fini(&b->now);
    sy_buf_fini(&b->out);
    if (old) {
        sy_rule_files_close(&b->old);
    }
    sy_rule_files_close(&b->files);
    return status;
}

static bool language(backtest *b, const char *value)
{
    b->lang = strncmp(value, "zh", 2) == 0 ? SY_ZH : SY_EN;
    b->has_lang = b->lang == SY_ZH || strncmp(value, "en", 2) == 0;
    if (!b->has_lang) {
        sy_rule_usage("backtest", "--language: '%s' is neither en nor zh", value);
    }
    return b->has_lang;
}

static bool option(backtest *b, int c, char *value)
{
    switch (c) {
    case 'c':
        b->config = value;
        return true;
    case 'r':
        b->readings = value;
        return true;
    case 'd':
        b->data = value;
        return true;
    case 'f':
        return sy_rule_time("backtest", "--from", value, &b->rows.from);
    case 't':
        return sy_rule_time("backtest", "--to", value, &b->rows.to);
    case 'a':
        if (b->n_against == sizeof b->against / sizeof *b->against) {
            sy_rule_usage("backtest", "--against: more than %zu files", b->n_against);
            return false;
        }
        b->against[b->n_against++] = value;
        return true;
    case 'j':
        b->json = true;
        return true;
    case 'l':
        return language(b, value);
    default:
        fputs(help, stderr);
        return false;
    }
}

int sy_rules_backtest_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"readings", required_argument, NULL, 'r'},
        {"data", required_argument, NULL, 'd'},   {"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'},     {"against", required_argument, NULL, 'a'},
        {"json", no_argument, NULL, 'j'},         {"language", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    backtest b = {.rows = {.from = SY_MS_NONE, .to = SY_MS_MAX}, .lang = SY_EN};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (!option(&b, c, optarg)) {
            return 2;
        }
    }
    if (!b.config || optind == argc) {
        return sy_rule_usage("backtest", "%s",
                             b.config ? "no rule file is named" : "--config FILE is missing");
    }
    if (!sy_rule_readings("backtest", b.readings, b.data)) {
        return 2;
    }
    if (!b.json && !b.has_lang) {
        b.lang = sy_locale();
    }
    return backtest_files(&b, argv + optind, argc - optind);
}
