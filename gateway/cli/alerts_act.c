/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard alerts acknowledge, shelve, unshelve, comment: what a person does about an alert. The
 * running gateway writes it into its log and its ledger, and tells it upstream.
 */
#include "cli/alerts_act.h"

#include <getopt.h>
#include <jansson.h>

#include "cli/stored.h"
#include "control/control.h"
#include "pipeline/act.h"

enum { ANSWER_MS = 30000 };

static const char help[] =
    "usage: steelyard alerts acknowledge ALERT --data DIR [--why TEXT] [--who NAME]\n"
    "       steelyard alerts shelve ALERT (--for TIME | --until T) --why TEXT --data DIR\n"
    "                               [--who NAME]\n"
    "       steelyard alerts unshelve ALERT --data DIR [--why TEXT] [--who NAME]\n"
    "       steelyard alerts comment ALERT --why TEXT --data DIR [--who NAME]\n\n"
    "What a person does about an alert (docs/lifecycle.md). A shelved alert wakes nobody until "
    "its\n"
    "time is over, at most 7 days; then it wants to be acknowledged anew. All of it goes upstream\n"
    "and into the ledger, with who and why; the gateway must be running.\n\n"
    "  ALERT       its id, as `steelyard alerts --json` prints it\n"
    "  --for TIME  how long, from now on: '30 min', '8 h', '3 d'\n"
    "  --until T   or until when: RFC 3339, or epoch milliseconds\n"
    "  --why TEXT  the reason, or the comment\n"
    "  --who NAME  who does it; the name of the account unless given\n"
    "  --data DIR  the data folder\n\n"
    "Exit codes: 0 fine, 1 it was not done (the reason is on stderr), 2 usage.\n";

static const char help_zh[] =
    "用法：steelyard alerts acknowledge 警情 --data 目录 [--why 理由] [--who 姓名]\n"
    "      steelyard alerts shelve 警情 (--for 时长 | --until 时刻) --why 理由 --data 目录\n"
    "                              [--who 姓名]\n"
    "      steelyard alerts unshelve 警情 --data 目录 [--why 理由] [--who 姓名]\n"
    "      steelyard alerts comment 警情 --why 内容 --data 目录 [--who 姓名]\n\n"
    "人员对警情的处理（docs/lifecycle.md）。被搁置的警情在期满前（至多7天）不再提醒任何人，\n"
    "期满后须重新确认。所有处理连同经办人和理由上报并记入账本；网关须在运行。\n\n"
    "  警情         其 id，见 `steelyard alerts --json`\n"
    "  --for 时长   自此刻起，例如 '30 min'、'8 h'、'3 d'\n"
    "  --until 时刻 或直到何时：RFC 3339，或自1970年起的毫秒数\n"
    "  --why 理由   理由，或备注内容\n"
    "  --who 姓名   经办人；缺省为当前账户名\n"
    "  --data 目录  数据目录\n\n"
    "退出码：0 成功，1 未能完成（原因见标准错误），2 用法错误。\n";

typedef struct arguments {
    sy_act_kind kind;
    const char *alert, *data, *who, *why;
    sy_ms time, until;
} arguments;

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard alerts: %s; see steelyard alerts acknowledge --help\n", what);
    return 2;
}

bool sy_alerts_act_named(const char *word)
{
    sy_act_kind kind;
    return sy_act_kind_of(sy_span_of(word), &kind);
}

/* Done once it is judged and in the ledger. */
static sy_err ask(const arguments *a, sy_fail *f)
{
    sy_buf line;
    sy_buf_init(&line, sy_heap());
    sy_buf_printf(&line, "act %s\t%s\t%s%lld\t%s\tlocal\t%s", sy_act_word(a->kind), a->alert,
                  a->time ? "+" : "", (long long)(a->time ? a->time : a->until), a->who, a->why);
    sy_err e = sy_control_do(a->data, &line, ANSWER_MS, f);
    sy_buf_fini(&line);
    return e;
}

static int run(const arguments *a)
{
    sy_fail f = {0};
    if (!a->data)
        return wrong("--data DIR is missing");
    if (a->kind == SY_ACT_SHELVE && !a->time == !a->until)
        return wrong("--for TIME or --until T is needed: a shelf has an end");
    if (a->kind != SY_ACT_SHELVE && (a->time || a->until))
        return wrong("--for and --until are for shelve");
    if (!a->why[0] && (a->kind == SY_ACT_SHELVE || a->kind == SY_ACT_COMMENT))
        return wrong("--why TEXT is missing");
    if (strpbrk(a->alert, "\t\n") || strpbrk(a->who, "\t\n") || strpbrk(a->why, "\t\n"))
        return wrong("no tabs and line ends in ALERT, --who and --why");
    sy_err e = ask(a, &f);
    if (e == SY_E_NOTFOUND || e == SY_E_CLOSED)
        fprintf(stderr, "steelyard alerts %s: no gateway runs on %s\n", sy_act_word(a->kind),
                a->data);
    else if (e)
        fprintf(stderr, "steelyard alerts %s: %s\n", sy_act_word(a->kind), f.text);
    return e ? 1 : 0;
}

int sy_alerts_act(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"why", required_argument, NULL, 'y'},
                                            {"who", required_argument, NULL, 'o'},
                                            {"for", required_argument, NULL, 'f'},
                                            {"until", required_argument, NULL, 'u'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    arguments a = {.who = sy_stored_account(), .why = ""};
    (void)sy_act_kind_of(sy_span_of(argv[0]), &a.kind);
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        }
        if (c == '?')
            return wrong("wrong options");
        if (c == 'f' && (sy_duration_parse(sy_span_of(optarg), &a.time) || a.time <= 0))
            return wrong("--for is a length of time, such as '30 min', '8 h' or '3 d'");
        if (c == 'u' && (sy_time_parse(sy_span_of(optarg), &a.until) || a.until <= 0))
            return wrong("--until is a time: RFC 3339, or epoch milliseconds");
        a.data = c == 'd' ? optarg : a.data;
        a.why = c == 'y' ? optarg : a.why;
        a.who = c == 'o' ? optarg : a.who;
    }
    if (argc - optind != 1)
        return wrong("which alert? one id is needed");
    a.alert = argv[optind];
    return run(&a);
}
