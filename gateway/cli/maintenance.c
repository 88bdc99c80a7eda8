/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard maintenance: a person says that a place, a device or a point is being worked on. The
 * running gateway writes it into its log and its ledger.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/stored.h"
#include "control/control.h"

enum { ANSWER_MS = 30000 };

static const char help[] =
    "usage: steelyard maintenance start WHAT --for TIME --reason TEXT --data DIR [--by NAME]\n"
    "       steelyard maintenance end WHAT --reason TEXT --data DIR [--by NAME]\n"
    "       steelyard maintenance list --data DIR [--json]\n\n"
    "While it lasts, readings of WHAT are uncertain and marked `maintenance`: rules do not count\n"
    "them. It begins now, ends by itself after --for (31 days at most) or by `end`, and survives "
    "a\n"
    "restart. Begin and end are entered in the ledger, with who and why; the gateway must be\n"
    "running. A start for what runs already sets its end anew.\n\n"
    "  WHAT           a place (PREMISES/PLACE, or its id), a device's id, or a series; with\n"
    "                 place:, device: or point: before it where one name means several\n"
    "  --for TIME     how long: '2 h', '90 min', '3 d'\n"
    "  --reason TEXT  why: what is done, an order's number\n"
    "  --by NAME      who is responsible; the name of the account unless given\n"
    "  --data DIR     the data folder\n"
    "  --json         list: a JSON array of {kind, on, from, until, who, why}\n\n"
    "Exit codes: 0 fine, 1 it was not done (the reason is on stderr), 2 usage.\n";

static const char help_zh[] =
    "用法：steelyard maintenance start 对象 --for 时长 --reason 理由 --data 目录 [--by 姓名]\n"
    "      steelyard maintenance end 对象 --reason 理由 --data 目录 [--by 姓名]\n"
    "      steelyard maintenance list --data 目录 [--json]\n\n"
    "维护期间，该对象的读数为“存疑”并带有标记 maintenance，规则不计入。维护自此刻开始，\n"
    "经 --for（至多31天）后自动结束，或由 end 结束；重启后依然有效。开始与结束连同经办人\n"
    "和理由记入账本；网关须在运行。对已在维护的对象再次 start，则重新设定其结束时间。\n\n"
    "  对象           地点（经营者/地点，或其 id）、设备 id 或序列；同名时在前面加\n"
    "                 place:、device: 或 point:\n"
    "  --for 时长     例如 '2 h'、'90 min'、'3 d'\n"
    "  --reason 理由  例如所做的工作、文书号\n"
    "  --by 姓名      负责人；缺省为当前账户名\n"
    "  --data 目录    数据目录\n"
    "  --json         list：由 {kind, on, from, until, who, why} 组成的 JSON 数组\n\n"
    "退出码：0 成功，1 未能完成（原因见标准错误），2 用法错误。\n";

typedef struct arguments {
    const char *verb, *on, *data, *why, *who;
    sy_ms time;
    bool json;
} arguments;

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard maintenance: %s; see steelyard maintenance --help\n", what);
    return 2;
}

static int told(const arguments *a, sy_err e, const sy_fail *why)
{
    if (e == SY_E_NOTFOUND || e == SY_E_CLOSED)
        fprintf(stderr, "steelyard maintenance %s: no gateway runs on %s\n", a->verb, a->data);
    else if (e)
        fprintf(stderr, "steelyard maintenance %s: %s\n", a->verb, why->text);
    return e ? 1 : 0;
}

static int change(const arguments *a)
{
    if (strpbrk(a->on, "\t\n") || strpbrk(a->who, "\t\n") || strpbrk(a->why, "\t\n"))
        return wrong("no tabs and line ends in WHAT, --by and --reason");
    sy_buf line;
    sy_fail f = {0};
    sy_buf_init(&line, sy_heap());
    sy_buf_printf(&line, "maintain %s\t%lld\t%s\t%s", a->on, (long long)a->time, a->who, a->why);
    sy_err e = sy_control_do(a->data, &line, ANSWER_MS, &f); /* it is in the ledger then */
    sy_buf_fini(&line);
    return told(a, e, &f);
}

static void put_row(const json_t *row)
{
    const char *text[6], *const keys[] = {"kind", "on", "from", "until", "who", "why"};
    for (size_t i = 0; i < 6; i++) {
        text[i] = json_string_value(json_object_get(row, keys[i]));
        text[i] = text[i] ? text[i] : "";
    }
    printf("%s %s  %s to %s  %s: %s\n", text[0], text[1], text[2], text[3], text[4], text[5]);
}

static int list(const arguments *a)
{
    sy_buf answer;
    sy_fail f = {0};
    sy_buf_init(&answer, sy_heap());
    sy_err e = sy_control_ask(a->data, "maintenance", ANSWER_MS, &answer, &f);
    json_t *o = e ? NULL : json_loads(answer.p, 0, NULL);
    json_t *rows = json_object_get(o, "maintenance"), *row;
    size_t i;
    if (!e && a->json) {
        json_dumpf(rows, stdout, JSON_PRESERVE_ORDER | JSON_INDENT(2));
        putchar('\n');
    } else {
        json_array_foreach(rows, i, row) put_row(row);
    }
    json_decref(o);
    sy_buf_fini(&answer);
    return told(a, e, &f);
}

static int act(const arguments *a, int words)
{
    bool start = strcmp(a->verb, "start") == 0;
    if (!a->data)
        return wrong("--data DIR is missing");
    if (strcmp(a->verb, "list") == 0)
        return words ? wrong("too many arguments") : list(a);
    if (!start && strcmp(a->verb, "end") != 0)
        return wrong("start, end or list?");
    if (words != 1)
        return wrong("which place, device or point? one name is needed");
    if (!a->why)
        return wrong("--reason TEXT is missing");
    if (start && !a->time)
        return wrong("--for TIME is missing");
    if (!start && a->time)
        return wrong("--for is for start");
    return change(a);
}

int sy_cmd_maintenance(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"for", required_argument, NULL, 'f'},
                                            {"reason", required_argument, NULL, 'r'},
                                            {"by", required_argument, NULL, 'b'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    arguments a = {.verb = "", .who = sy_stored_account()};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        }
        if (c == '?')
            return wrong("wrong options");
        if (c == 'f' && (sy_duration_parse(sy_span_of(optarg), &a.time) || a.time <= 0))
            return wrong("--for is a length of time, such as '2 h', '90 min' or '3 d'");
        a.data = c == 'd' ? optarg : a.data;
        a.why = c == 'r' ? optarg : a.why;
        a.who = c == 'b' ? optarg : a.who;
        a.json = a.json || c == 'j';
    }
    if (optind < argc)
        a.verb = argv[optind++];
    if (optind < argc)
        a.on = argv[optind];
    return act(&a, argc - optind);
}
