/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard users: the accounts of the console. A change counts at once, and where the gateway runs
 * it is entered in the ledger.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/devices_int.h"
#include "cli/stored.h"
#include "config/config.h"
#include "console/users.h"
#include "control/control.h"

static const char help[] =
    "usage: steelyard users add NAME --role ROLE --data DIR [--by WHO]\n"
    "       steelyard users password NAME --data DIR [--by WHO]\n"
    "       steelyard users role NAME --role ROLE --data DIR [--by WHO]\n"
    "       steelyard users remove NAME --data DIR [--by WHO]\n"
    "       steelyard users list --data DIR [--json]\n\n"
    "The accounts of the console. The password is asked for on a terminal, else it is the first\n"
    "line of standard input; 10 to 256 bytes. A change counts at once, and ends the sessions of\n"
    "that account. Where the gateway runs, it is entered in the ledger, with who did it.\n\n"
    "  --role ROLE  viewer     looks\n"
    "               inspector  looks, acknowledges, comments, gets evidence\n"
    "               deployer   looks, acknowledges, adopts devices, announces maintenance\n"
    "               regulator  as inspector; also shelves, and works on rules\n"
    "               auditor    looks, gets evidence, sees what people did\n"
    "  --data DIR   the data folder\n"
    "  --by WHO     who is responsible; the name of the account unless given\n"
    "  --json       list: a JSON array of {name, role}\n\n"
    "Exit codes: 0 fine, 1 it was not done (the reason is on stderr), 2 usage.\n";

static const char help_zh[] =
    "用法：steelyard users add 用户名 --role 角色 --data 目录 [--by 姓名]\n"
    "      steelyard users password 用户名 --data 目录 [--by 姓名]\n"
    "      steelyard users role 用户名 --role 角色 --data 目录 [--by 姓名]\n"
    "      steelyard users remove 用户名 --data 目录 [--by 姓名]\n"
    "      steelyard users list --data 目录 [--json]\n\n"
    "控制台的账户。在终端上提示输入口令，否则取标准输入的第一行；10至256字节。更改立即生效，\n"
    "并结束该账户的会话。网关运行时，更改连同经办人记入账本。\n\n"
    "  --role 角色  viewer     查看\n"
    "               inspector  查看、确认、批注、取证\n"
    "               deployer   查看、确认、接纳设备、登记维护\n"
    "               regulator  同 inspector，另可搁置报警、编辑规则\n"
    "               auditor    查看、取证、查看人员操作\n"
    "  --data 目录  数据目录\n"
    "  --by 姓名    负责人；缺省为当前账户名\n"
    "  --json       list：由 {name, role} 组成的 JSON 数组\n\n"
    "退出码：0 成功，1 未能完成（原因见标准错误），2 用法错误。\n";

typedef struct arguments {
    const char *verb, *name, *data, *role, *who;
    bool json;
} arguments;

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard users: %s; see steelyard users --help\n", what);
    return 2;
}

/* One line; false: none, or too long. */
static bool read_line(char *out, size_t size)
{
    if (!fgets(out, (int)size, stdin) || !strchr(out, '\n')) {
        return false;
    }
    out[strcspn(out, "\r\n")] = 0;
    return true;
}

static bool ask(const char *what, char *out, size_t size)
{
    struct termios old, quiet;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
    if (!terminal) {
        return read_line(out, size);
    }
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s: ", what);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    bool good = read_line(out, size);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
    fputc('\n', stderr);
    return good;
}

static bool ask_password(char *out, size_t size)
{
    char again[SY_PASSWORD_MOST + 2];
    if (!ask("Password", out, size)) {
        fputs("steelyard users: a password of at most 256 bytes and a line end are needed\n",
              stderr);
        return false;
    }
    if (!isatty(STDIN_FILENO)) {
        return true;
    }
    bool same = ask("Once more", again, sizeof again) && strcmp(out, again) == 0;
    explicit_bzero(again, sizeof again);
    if (!same) {
        fputs("steelyard users: the two are not the same\n", stderr);
    }
    return same;
}

/* The gateway notes in its ledger who did what; where none runs there is nobody to tell. */
static sy_err tell(const arguments *a, sy_fail *f)
{
    char line[SY_CONTROL_LINE];
    snprintf(line, sizeof line, "credentials user-%s\t%.64s\t%.200s", a->verb, a->name, a->who);
    return sy_devices_tell(a->data, line, f);
}

static int list(const arguments *a)
{
    sy_users u;
    sy_fail f;
    sy_buf b;
    if (sy_users_read(a->data, &u, &f)) {
        fprintf(stderr, "steelyard users: %s\n", f.text);
        return 1;
    }
    sy_buf_init(&b, sy_heap());
    for (size_t i = 0; i < u.n; i++) {
        if (a->json) {
            sy_buf_text(&b, i ? ",\n {\"name\":" : "[{\"name\":");
            sy_buf_json(&b, sy_span_of(u.v[i].name));
            sy_buf_printf(&b, ",\"role\":\"%s\"}", sy_role_word(u.v[i].role));
        } else {
            sy_buf_printf(&b, "%-20s %s\n", u.v[i].name, sy_role_word(u.v[i].role));
        }
    }
    sy_buf_text(&b, a->json ? u.n ? "]\n" : "[]\n" : "");
    if (b.n && !b.failed) {
        fwrite(b.p, 1, b.n, stdout);
    }
    sy_buf_fini(&b);
    sy_users_free(&u);
    return 0;
}

static sy_err role_now(const arguments *a, sy_role *role, sy_fail *f)
{
    sy_users u;
    sy_err e = sy_users_read(a->data, &u, f);
    const sy_user *user = e ? NULL : sy_users_find(&u, a->name);
    if (user) {
        *role = user->role;
    } else if (!e) {
        e = sy_fail_set(f, SY_E_NOTFOUND, "there is no account '%s'", a->name);
    }
    sy_users_free(&u);
    return e;
}

static int change(const arguments *a, bool with_password)
{
    char password[SY_PASSWORD_MOST + 2] = "";
    sy_role role = SY_ROLE_VIEWER;
    sy_fail f;
    bool add = strcmp(a->verb, "add") == 0, remove = strcmp(a->verb, "remove") == 0;
    if (a->role && !sy_role_of(sy_span_of(a->role), &role)) {
        return wrong("a role is viewer, inspector, deployer, regulator or auditor");
    }
    sy_role before = SY_ROLE_VIEWER;
    sy_err e = role_now(a, &before, &f);
    if (add && e == SY_E_NOTFOUND) {
        e = SY_OK;
    } else if (add && !e) {
        e = sy_fail_set(&f, SY_E_EXISTS, "the account '%s' is there already", a->name);
    }
    if (!e && with_password && !ask_password(password, sizeof password)) {
        return 1;
    }
    if (!e && remove) {
        e = sy_users_remove(a->data, a->name, &f);
    } else if (!e) {
        e = sy_users_set(a->data, a->name, a->role ? role : before, with_password ? password : NULL,
                         &f);
    }
    explicit_bzero(password, sizeof password);
    e = e ? e : tell(a, &f);
    if (e) {
        fprintf(stderr, "steelyard users %s: %s\n", a->verb, f.text);
    }
    return e ? 1 : 0;
}

static int act(const arguments *a, int words)
{
    bool add = strcmp(a->verb, "add") == 0, password = strcmp(a->verb, "password") == 0;
    bool role = strcmp(a->verb, "role") == 0, remove = strcmp(a->verb, "remove") == 0;
    if (!a->data) {
        return wrong("--data DIR is missing");
    }
    if (strcmp(a->verb, "list") == 0) {
        return words ? wrong("too many arguments") : list(a);
    }
    if (!add && !password && !role && !remove) {
        return wrong("add, password, role, remove or list?");
    }
    if (words != 1 || strpbrk(a->who, "\t\n")) {
        return wrong("one NAME is needed, and --by without tabs and line ends");
    }
    if ((add || role) != (a->role != NULL)) {
        return wrong("--role ROLE is for add and role, and needed there");
    }
    return change(a, add || password);
}

int sy_cmd_users(int argc, char **argv)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'}, {"role", required_argument, NULL, 'r'},
        {"by", required_argument, NULL, 'b'},   {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    arguments a = {.verb = "", .name = "", .who = sy_stored_account()};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        }
        if (c == '?') {
            return wrong("wrong options");
        }
        a.data = c == 'd' ? optarg : a.data;
        a.role = c == 'r' ? optarg : a.role;
        a.who = c == 'b' ? optarg : a.who;
        a.json = a.json || c == 'j';
    }
    if (optind < argc) {
        a.verb = argv[optind++];
    }
    if (optind < argc) {
        a.name = argv[optind];
    }
    return act(&a, argc - optind);
}
