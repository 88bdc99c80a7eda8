/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules impact: what would change if this were in force by order? The gateway runs it on
 * each pack that comes down, as a process of its own, with bounds: what a pack may do here, it does
 * to this process alone. Two lines of JSON: what the check finds, and what would change.
 */
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/rules_against.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"
#include "cli/rules_rows.h"
#include "config/config.h"

static const char help_en[] =
    "usage: steelyard rules impact --data DIR --set HASH --orders FILE [--from TIME] [--json]\n\n"
    "Check what an order would put in force, run its scenarios, judge the readings from TIME on\n"
    "by the set HASH and by that set with the orders of FILE, and show what changes:\n"
    "a line of JSON with the findings, then one with the alerts gained, lost and moved.\n\n"
    "Exit codes: 0 fine, 1 it may not be put in force, 2 wrong usage or a folder that cannot be\n"
    "read.\n";
static const char help_zh[] =
    "用法：steelyard rules impact --data 目录 --set 散列 --orders 文件 [--from TIME] [--json]\n\n"
    "检查指令将使之生效的内容并运行其情景，以散列所指的规则集及加上该指令后的规则集判定\n"
    "自 TIME 起的读数，并给出差异：先一行 JSON 为检查结果，再一行为新增、消失和变动的报警。\n\n"
    "退出码：0 正常；1 不得生效；2 用法错误或目录无法读取。\n";

enum { CPU_S = 600, LISTED = 50 };
#define DAY_MS ((sy_ms)86400000)

typedef struct impact {
    const char *data, *set, *orders;
    sy_config *was, *now;
    const sy_config *judged;
    sy_past *keep;
    sy_rows rows;
} impact;

/* A child of the gateway ends with it, and neither starves it nor takes all memory. */
static void bound(void)
{
    const struct rlimit cpu = {CPU_S, CPU_S};
    (void)!nice(10);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CPU, &cpu);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const struct rlimit memory = {(rlim_t)3 << 30, (rlim_t)3 << 30};
    setrlimit(RLIMIT_AS, &memory);
#endif
}

static bool put_line(json_t *v)
{
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    bool ok = text && puts(text) >= 0 && fflush(stdout) == 0;
    free(text);
    json_decref(v);
    return ok;
}

static json_t *parse(const sy_buf *b)
{
    return b->failed || !b->n ? NULL : json_loadb(b->p, b->n, 0, NULL);
}

static sy_err check(impact *x, sy_fail *f)
{
    sy_arena arena;
    sy_buf text;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_findings findings = {.arena = &arena};
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_config_load_ordered(x->was, x->data, x->orders, &findings, &x->now, f);
    sy_findings_json(&findings, &text);
    if ((e == SY_OK || e == SY_E_USAGE) && !put_line(parse(&text)))
        e = sy_fail_set(f, SY_E_IO, "the findings cannot be written");
    sy_buf_fini(&text);
    sy_arena_fini(&arena);
    return e;
}

static void keep(void *ctx, const sy_alert *a)
{
    impact *x = ctx;
    sy_alert_view v = sy_alert_view_of(a, x->judged->site, SY_EN);
    sy_past_add(x->keep, &v);
}

static sy_err judge(impact *x, const sy_config *c, sy_past *to, sy_fail *f)
{
    sy_judge *j;
    sy_judge_options o = {.set = c->set,
                          .site = c->site,
                          .start = sy_rows_start(&x->rows),
                          .in_force = SY_MS_NONE,
                          .alloc = sy_heap()};
    x->judged = c;
    x->keep = to;
    sy_err e = sy_judge_open(&j, &o);
    if (e)
        return sy_fail_set(f, e, "the judge cannot start: %s", sy_err_text(e));
    e = sy_rows_judge(&x->rows, j);
    e = e ? e : sy_judge_alerts(j, keep, x);
    sy_judge_close(j);
    return e ? sy_fail_set(f, e, "judging failed: %s", sy_err_text(e)) : SY_OK;
}

/* Long lists are cut: the totals say how long they were. */
static void shorten(json_t *report)
{
    static const char *const lists[] = {"gained", "lost", "moved"};
    for (size_t i = 0; i < 3; i++) {
        json_t *v = json_object_get(report, lists[i]);
        while (json_array_size(v) > LISTED)
            json_array_remove(v, json_array_size(v) - 1);
    }
}

static sy_err compare(impact *x, sy_fail *f)
{
    sy_past was, now;
    sy_buf text;
    sy_past_init(&was);
    sy_past_init(&now);
    sy_buf_init(&text, sy_heap());
    x->rows.config = x->was;
    sy_err e = sy_rows_read(&x->rows, NULL, x->data, "impact", f);
    e = e ? e : judge(x, x->was, &was, f);
    e = e ? e : judge(x, x->now, &now, f);
    if (!e && sy_against_put(&was, &now, true, SY_EN, &text) != SY_OK)
        e = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    if (!e) {
        json_t *report = parse(&text);
        shorten(report);
        json_object_set_new(report, "from",
                            x->rows.from == SY_MS_NONE ? json_null() : json_integer(x->rows.from));
        json_object_set_new(report, "readings", json_integer((json_int_t)x->rows.n));
        if (!put_line(report))
            e = sy_fail_set(f, SY_E_IO, "the report cannot be written");
    }
    sy_rows_fini(&x->rows);
    sy_past_fini(&was);
    sy_past_fini(&now);
    sy_buf_fini(&text);
    return e;
}

static int run(impact *x)
{
    sy_fail f = {0};
    sy_err e = sy_config_load_kept(x->data, x->set, &x->was, &f);
    e = e ? e : check(x, &f);
    bool refused = e == SY_E_USAGE;
    e = e ? e : compare(x, &f);
    if (e)
        fprintf(stderr, "steelyard rules impact: %s\n", f.text);
    sy_config_unref(x->was);
    sy_config_unref(x->now);
    return refused ? 1 : e ? 2 : 0;
}

int sy_rules_impact_main(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"set", required_argument, NULL, 's'},
                                            {"orders", required_argument, NULL, 'o'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    impact x = {.rows = {.from = SY_MS_NONE, .to = SY_MS_MAX}};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help_en, stdout);
            return 0;
        }
        if (c == 'd')
            x.data = optarg;
        else if (c == 's')
            x.set = optarg;
        else if (c == 'o')
            x.orders = optarg;
        else if (c == 'f' ? !sy_rule_time("impact", "--from", optarg, &x.rows.from) : c != 'j')
            return 2;
    }
    if (!x.data || !x.set || !x.orders || optind != argc)
        return sy_rule_usage("impact", "--data, --set and --orders are needed");
    bound();
    return run(&x);
}
