/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard events refused: what a destination refused for good, and to try it once more.
 */
#include <getopt.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/stored.h"
#include "control/control.h"
#include "store/queue.h"

enum { ANSWER_MS = 30000 };

static const char help[] =
    "usage: steelyard events refused --data DIR [--json]\n"
    "       steelyard events refused --data DIR --retry ID [--why TEXT] [--who NAME]\n\n"
    "Events that a destination refused for good are set aside: they block nothing and are not\n"
    "sent again by themselves. With --retry the event goes back into the outbox of every\n"
    "destination that refused it; that is entered in the ledger, and the gateway must be "
    "running.\n\n"
    "  --data DIR  the data folder\n"
    "  --json      a JSON array of {destination, id, kind, time, why}\n"
    "  --retry ID  the event to send once more\n"
    "  --why TEXT  why it would be taken now\n"
    "  --who NAME  who asks for it; the name of the account unless given\n\n"
    "Exit codes: 0 fine, 1 it was not done (the reason is on stderr), 2 usage.\n";

static const char help_zh[] =
    "用法：steelyard events refused --data 目录 [--json]\n"
    "      steelyard events refused --data 目录 --retry 事件 [--why 理由] [--who 姓名]\n\n"
    "被接收方最终拒收的事件会被搁置：不妨碍其他事件，也不会自行重发。用 --retry 可将该事件\n"
    "放回每个拒收者的待发队列；此操作记入账本，网关须在运行。\n\n"
    "  --data 目录  数据目录\n"
    "  --json       由 {destination, id, kind, time, why} 组成的 JSON 数组\n"
    "  --retry 事件 要再发一次的事件\n"
    "  --why 理由   为何这次会被接收\n"
    "  --who 姓名   经办人；缺省为当前账户名\n\n"
    "退出码：0 成功，1 未能完成（原因见标准错误），2 用法错误。\n";

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard events: %s; see steelyard events --help\n", what);
    return 2;
}

typedef struct listing {
    sy_buf out;
    bool json;
    size_t n;
} listing;

static void member(sy_buf *b, const char *before, const char *value)
{
    sy_buf_text(b, before);
    sy_buf_json(b, sy_span_of(value));
}

static bool put(void *ctx, const sy_refused_row *r)
{
    listing *l = ctx;
    char time[25];
    sy_time_text(r->time, time);
    if (l->json) {
        member(&l->out,
               l->n ? ",\n  {\"destination\": " : "\n  {\"destination\": ", r->destination);
        member(&l->out, ", \"id\": ", r->id);
        member(&l->out, ", \"kind\": ", r->kind);
        member(&l->out, ", \"time\": ", time);
        member(&l->out, ", \"why\": ", r->why);
        sy_buf_char(&l->out, '}');
    } else {
        sy_buf_printf(&l->out, "%s  %s  %-12s %s\n    %s\n", r->destination, time, r->kind, r->id,
                      r->why);
    }
    l->n++;
    return true;
}

static int list(const char *data, bool json)
{
    sy_store *s = sy_stored_open("events refused", data);
    listing l = {.json = json};
    sy_fail f = {0};
    if (!s)
        return 1;
    sy_buf_init(&l.out, sy_heap());
    if (json)
        sy_buf_char(&l.out, '[');
    sy_err e = sy_store_refused(s, put, &l, &f);
    sy_store_close(s);
    if (json)
        sy_buf_text(&l.out, l.n ? "\n]\n" : "]\n");
    if (e)
        fprintf(stderr, "steelyard events refused: %s\n", f.text);
    int rc = e || !sy_stored_flush("events refused", &l.out) ? 1 : 0;
    sy_buf_fini(&l.out);
    return rc;
}

static int retry(const char *data, const char *id, const char *who, const char *why)
{
    if (strpbrk(id, "\t\n") || strpbrk(who, "\t\n") || strpbrk(why, "\t\n"))
        return wrong("no tabs and line ends in --retry, --who and --why");
    sy_buf line, answer;
    sy_fail f = {0};
    sy_buf_init(&line, sy_heap());
    sy_buf_init(&answer, sy_heap());
    sy_buf_printf(&line, "retry %s\t%s\t%s", id, who, why);
    sy_err e = line.failed                 ? sy_fail_set(&f, SY_E_NOMEM, "out of memory")
               : line.n >= SY_CONTROL_LINE ? sy_fail_set(&f, SY_E_RANGE, "the reason is too long")
                                           : sy_control_ask(data, line.p, ANSWER_MS, &answer, &f);
    sy_buf_fini(&line);
    sy_buf_fini(&answer);
    if (e == SY_E_NOTFOUND || e == SY_E_CLOSED)
        fprintf(stderr,
                "steelyard events refused: no gateway runs on %s; start it, since it sends\n",
                data);
    else if (e)
        fprintf(stderr, "steelyard events refused: %s\n", f.text);
    return e ? 1 : 0;
}

int sy_cmd_events(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"retry", required_argument, NULL, 'r'},
                                            {"why", required_argument, NULL, 'y'},
                                            {"who", required_argument, NULL, 'o'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *data = NULL, *id = NULL, *who = sy_stored_account();
    const char *why = "to be tried once more";
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        }
        if (c == '?')
            return wrong("wrong options");
        data = c == 'd' ? optarg : data;
        id = c == 'r' ? optarg : id;
        why = c == 'y' ? optarg : why;
        who = c == 'o' ? optarg : who;
        json = json || c == 'j';
    }
    if (argc - optind != 1 || strcmp(argv[optind], "refused") != 0)
        return wrong("which events? write `refused`");
    if (!data)
        return wrong("--data DIR is missing");
    return id ? retry(data, id, who, why) : list(data, json);
}
