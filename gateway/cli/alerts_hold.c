/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard alerts hold, release, holds: what an alert rests on is kept whatever retention says. A
 * hold is an action in the ledger, so the running gateway writes it.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/alerts_hold.h"
#include "cli/stored.h"
#include "control/control.h"
#include "store/keep.h"

enum { ANSWER_MS = 30000 };

static const char help[] =
    "usage: steelyard alerts hold ALERT --data DIR --why TEXT [--who NAME]\n"
    "       steelyard alerts release ALERT --data DIR --why TEXT [--who NAME]\n"
    "       steelyard alerts holds --data DIR [--json]\n\n"
    "A held alert does not expire, nor do its events and what was measured from a day before its\n"
    "onset to a day after its end. Hold and release are entered in the ledger, with who and why;\n"
    "the gateway must be running.\n\n"
    "  --data DIR  the data folder\n"
    "  --why TEXT  the reason: a case number, an order\n"
    "  --who NAME  who asks for it; the name of the account unless given\n"
    "  --json      holds: a JSON array of {alert, time, who, why}\n\n"
    "Exit codes: 0 fine, 1 it was not done (the reason is on stderr), 2 usage.\n";

static const char help_zh[] =
    "用法：steelyard alerts hold 警情 --data 目录 --why 理由 [--who 姓名]\n"
    "      steelyard alerts release 警情 --data 目录 --why 理由 [--who 姓名]\n"
    "      steelyard alerts holds --data 目录 [--json]\n\n"
    "被保留的警情不会到期，其事件以及自发生前一天至结束后一天的读数亦然。保留与解除\n"
    "连同经办人和理由记入账本；网关须在运行。\n\n"
    "  --data 目录  数据目录\n"
    "  --why 理由   例如案号、文书\n"
    "  --who 姓名   经办人；缺省为当前账户名\n"
    "  --json       holds：由 {alert, time, who, why} 组成的 JSON 数组\n\n"
    "退出码：0 成功，1 未能完成（原因见标准错误），2 用法错误。\n";

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard alerts: %s; see steelyard alerts hold --help\n", what);
    return 2;
}

static int ask(const char *verb, const char *data, const char *alert, const char *who,
               const char *why)
{
    if (strpbrk(alert, "\t\n") || strpbrk(who, "\t\n") || strpbrk(why, "\t\n"))
        return wrong("no tabs and line ends in ALERT, --who and --why");
    sy_buf line, answer;
    sy_fail f = {0};
    sy_buf_init(&line, sy_heap());
    sy_buf_init(&answer, sy_heap());
    sy_buf_printf(&line, "%s %s\t%s\t%s", verb, alert, who, why);
    sy_err e = line.failed                 ? sy_fail_set(&f, SY_E_NOMEM, "out of memory")
               : line.n >= SY_CONTROL_LINE ? sy_fail_set(&f, SY_E_RANGE, "the reason is too long")
                                           : sy_control_ask(data, line.p, ANSWER_MS, &answer, &f);
    sy_buf_fini(&line);
    sy_buf_fini(&answer);
    if (e == SY_E_NOTFOUND || e == SY_E_CLOSED)
        fprintf(
            stderr,
            "steelyard alerts %s: no gateway runs on %s; start it, since it writes the ledger\n",
            verb, data);
    else if (e)
        fprintf(stderr, "steelyard alerts %s: %s\n", verb, f.text);
    return e ? 1 : 0;
}

typedef struct listing {
    sy_buf out;
    bool json;
    size_t n;
} listing;

static bool put_hold(void *ctx, const sy_hold_row *h)
{
    listing *l = ctx;
    char time[25];
    sy_time_text(h->time, time);
    if (l->json) {
        sy_buf_text(&l->out, l->n ? ",\n  {\"alert\": " : "\n  {\"alert\": ");
        sy_buf_json(&l->out, sy_span_of(h->alert));
        sy_buf_printf(&l->out, ", \"time\": \"%s\", \"who\": ", time);
        sy_buf_json(&l->out, sy_span_of(h->who));
        sy_buf_text(&l->out, ", \"why\": ");
        sy_buf_json(&l->out, sy_span_of(h->why));
        sy_buf_char(&l->out, '}');
    } else {
        sy_buf_printf(&l->out, "%s  %s  %s: %s\n", h->alert, time, h->who, h->why);
    }
    l->n++;
    return true;
}

static int list(const char *data, bool json)
{
    sy_store *s = sy_stored_open("alerts holds", data);
    listing l = {.json = json};
    sy_fail f = {0};
    if (!s)
        return 1;
    sy_buf_init(&l.out, sy_heap());
    if (json)
        sy_buf_char(&l.out, '[');
    sy_err e = sy_store_holds(s, put_hold, &l, &f);
    sy_store_close(s);
    if (json)
        sy_buf_text(&l.out, l.n ? "\n]\n" : "]\n");
    if (e)
        fprintf(stderr, "steelyard alerts holds: %s\n", f.text);
    int rc = e || !sy_stored_flush("alerts holds", &l.out) ? 1 : 0;
    sy_buf_fini(&l.out);
    return rc;
}

bool sy_alerts_holds_named(const char *word)
{
    return strcmp(word, "hold") == 0 || strcmp(word, "release") == 0 || strcmp(word, "holds") == 0;
}

int sy_alerts_holds(int argc, char **argv)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'}, {"why", required_argument, NULL, 'y'},
        {"who", required_argument, NULL, 'o'},  {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    const char *data = NULL, *why = NULL, *who = sy_stored_account(), *verb = argv[0];
    bool json = false, all = strcmp(verb, "holds") == 0;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        }
        if (c == '?')
            return wrong("wrong options");
        data = c == 'd' ? optarg : data;
        why = c == 'y' ? optarg : why;
        who = c == 'o' ? optarg : who;
        json = json || c == 'j';
    }
    if (!data)
        return wrong("--data DIR is missing");
    if (argc - optind != (all ? 0 : 1))
        return wrong(all ? "too many arguments" : "which alert? one id is needed");
    if (all)
        return list(data, json);
    return why ? ask(verb, data, argv[optind], who, why) : wrong("--why TEXT is missing");
}
