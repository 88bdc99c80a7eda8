/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard setup: from nothing to a gateway that judges its first device, by questions. What it
 * does can be done by hand with `check`, `devices`, `users` and `enrol`, which it runs.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/setup_int.h"

static const char help[] =
    "usage: steelyard setup [--config FILE] [--data DIR] [--rules DIR]\n\n"
    "Makes a configuration by questions: premises, what is watched, the first device, the "
    "authority,\n"
    "the console. Each answer is checked at once; an empty one takes what stands in brackets. "
    "Then\n"
    "the file is checked and written, the device's password is shown, once, and a test alert is\n"
    "offered. A file that is there is replaced only if you say so, and kept under another name.\n\n"
    "  --config FILE  what is written; /etc/steelyard/steelyard.yaml unless given\n"
    "  --data DIR     the data folder; /var/lib/steelyard unless given\n"
    "  --rules DIR    where the rule files lie; /usr/share/steelyard/rules unless given\n\n"
    "The answers may come from a file, one a line (steelyard setup <answers); a wrong one ends it\n"
    "then, with the reason. Run it as root where the package is installed: what it makes\n"
    "belongs to the owner of the data folder.\n\n"
    "Exit codes: 0 fine, 1 it was not done (the reason is on stderr), 2 usage, or a wrong "
    "answer.\n";

static const char help_zh[] =
    "用法：steelyard setup [--config 文件] [--data 目录] [--rules 目录]\n\n"
    "逐项提问生成配置：经营者、监测内容、第一台设备、监管机构、控制台。每项回答当即检查；直接\n"
    "回车则取方括号中的值。随后检查并写入文件，显示一次设备口令，并可发出测试报警。已有的文件\n"
    "须经同意方可替换，并以另名保留。\n\n"
    "  --config 文件  写入的文件；缺省为 /etc/steelyard/steelyard.yaml\n"
    "  --data 目录    数据目录；缺省为 /var/lib/steelyard\n"
    "  --rules 目录   规则文件所在目录；缺省为 /usr/share/steelyard/rules\n\n"
    "答案可来自文件，每行一项（steelyard setup <答案）；此时一有错误即告结束，并说明原因。\n"
    "安装软件包后请以 root 运行：所建文件归数据目录的所有者。\n\n"
    "退出码：0 成功，1 未能完成（原因见标准错误），2 用法错误或答案有误。\n";

static int is_rules(const struct dirent *d, sy_lang lang)
{
    const char *end = lang == SY_ZH ? ".zh.rules" : ".en.rules";
    size_t n = strlen(d->d_name), m = strlen(end);
    return n > m && strcmp(d->d_name + n - m, end) == 0;
}

static int is_english(const struct dirent *d)
{
    return is_rules(d, SY_EN);
}

static int is_chinese(const struct dirent *d)
{
    return is_rules(d, SY_ZH);
}

/* All rule files of the language in the folder, as one set to choose from. */
static sy_err load_rules(sy_setup *x, sy_fail *f)
{
    struct dirent **names = NULL;
    char folder[PATH_MAX];
    if (!realpath(x->packs, folder))
        return sy_fail_sys(f, "%s", x->packs);
    int n = scandir(folder, &names, x->lang == SY_ZH ? is_chinese : is_english, alphasort);
    if (n <= 0)
        return sy_fail_set(f, SY_E_NOTFOUND, "%s: no rule files; name their folder with --rules",
                           folder);
    x->files = calloc((size_t)n, sizeof *x->files);
    for (int i = 0; i < n; i++) {
        if (x->files && asprintf(&x->files[x->n_files], "%s/%s", folder, names[i]->d_name) > 0)
            x->n_files++;
        free(names[i]);
    }
    free(names);
    sy_err e = sy_rule_files_open(&x->rules, x->files, x->n_files, NULL, f);
    if (!e && !x->rules.set) {
        sy_rule_files_print(&x->rules, x->lang);
        e = sy_fail_set(f, SY_E_PARSE, "%s holds rules with errors", folder);
    }
    return e;
}

static sy_err may_replace(sy_setup *x, bool *go_on, sy_fail *f)
{
    char ask[SY_SETUP_PATH + 120];
    *go_on = true;
    if (access(x->config, F_OK) != 0)
        return SY_OK;
    snprintf(ask, sizeof ask,
             SY_SETUP_SAY(x, "%s is there already. Replace it? (A copy of it is kept.)",
                          "%s 已存在。是否替换？（原文件会保留副本。）"),
             x->config);
    return sy_setup_confirm(x, ask, false, go_on, f);
}

static sy_err add_device(sy_setup *x, sy_fail *f)
{
    const char *args[] = {"devices", "add",    x->device, "--config",
                          x->config, "--data", x->data,   NULL};
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    sy_err e = sy_setup_self(x, args, NULL, &out, f);
    if (!e)
        snprintf(x->password, sizeof x->password, "%.*s", (int)strcspn(out.p ? out.p : "", "\n"),
                 out.p ? out.p : "");
    if (out.p)
        explicit_bzero(out.p, out.n);
    sy_buf_fini(&out);
    return e;
}

/* The account; one of the name that is there gets the new password. */
static sy_err add_user(sy_setup *x, sy_fail *f)
{
    char input[sizeof x->user_password + 2];
    const char *list[] = {"users", "list", "--data", x->data, "--json", NULL};
    const char *add[] = {"users", "add", x->user, "--role", "deployer", "--data", x->data, NULL};
    const char *change[] = {"users", "password", x->user, "--data", x->data, NULL};
    char name[SY_SETUP_WORD + 16];
    sy_buf out;
    if (!*x->console)
        return SY_OK;
    sy_buf_init(&out, sy_heap());
    snprintf(name, sizeof name, "\"name\":\"%s\"", x->user);
    sy_err e = sy_setup_self(x, list, NULL, &out, f);
    bool there = !e && out.n && memmem(out.p, out.n, name, strlen(name));
    snprintf(input, sizeof input, "%s\n", x->user_password);
    e = e ? e : sy_setup_self(x, there ? change : add, input, NULL, f);
    explicit_bzero(input, sizeof input);
    sy_buf_fini(&out);
    return e;
}

static sy_err enrol(sy_setup *x, sy_fail *f)
{
    char file[SY_SETUP_PATH + 16], text[SY_SETUP_TEXT + 2], ca[SY_SETUP_PATH];
    if (x->trust != SY_SETUP_ENROL)
        return SY_OK;
    const char *slash = strrchr(x->config, '/');
    snprintf(ca, sizeof ca, "%.*sauthority-ca.pem", slash ? (int)(slash - x->config) + 1 : 0,
             x->config);
    snprintf(file, sizeof file, "%s/setup.token", x->data);
    snprintf(text, sizeof text, "%s\n", x->token);
    const char *args[] = {"enrol", "--config", x->config, "--data",       x->data, "--url",
                          x->est,  "--ca",     ca,        "--token-file", file,    NULL};
    sy_err e = sy_file_write(file, sy_span_of(text), 0600, f);
    if (!e && geteuid() == 0 && chown(file, x->uid, x->gid) != 0)
        e = sy_fail_sys(f, "%s", file);
    e = e ? e : sy_setup_self(x, args, NULL, NULL, f);
    (void)unlink(file);
    explicit_bzero(text, sizeof text);
    return e ? sy_fail_wrap(f, "the configuration is written, but the box has no certificate; try "
                               "again with steelyard enrol")
             : SY_OK;
}

static void show_file(const sy_setup *x)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_setup_yaml(x, NULL, &text);
    printf("\n%s\n\n%.*s", x->config, (int)text.n, text.p ? text.p : "");
    sy_buf_fini(&text);
    if (*x->backup)
        printf("\n%s %s\n", SY_SETUP_SAY(x, "What was there before:", "原文件："), x->backup);
}

static sy_err offer_test(sy_setup *x, sy_fail *f)
{
    bool yes = false;
    bool warm = strcmp(x->quantity->id, "temperature") == 0;
    sy_err e = sy_setup_confirm(
        x,
        SY_SETUP_SAY(x, "Send a test alert? It is marked as a test, and nobody is woken.",
                     "是否发出测试报警？报警注明为测试，不惊动任何人。"),
        true, &yes, f);
    if (e || !yes)
        return e;
    const sy_question q = {
        .ask = SY_SETUP_SAY(x, "Which value is beyond the limit?", "哪个值超限？"),
        .note =
            SY_SETUP_SAY(x, "The gateway takes it from the device's account, as under maintenance.",
                         "以该设备的账户发送，并按维护期间的读数处理。"),
        .preset = warm ? "25" : "1000",
        .good = sy_setup_is_number,
        .out = x->test,
        .size = sizeof x->test};
    e = sy_setup_ask(x, &q, f);
    return e ? e : sy_setup_try(x, f);
}

static void next(const sy_setup *x)
{
    bool service = strcmp(x->config, "/etc/steelyard/steelyard.yaml") == 0 &&
                   strcmp(x->data, "/var/lib/steelyard") == 0;
    const char *port = strrchr(x->listen, ':');
    sy_setup_head(x, SY_SETUP_SAY(x, "Next", "接下来"));
    if (service)
        puts("  systemctl restart steelyard");
    else
        printf("  steelyard run --config %s --data %s\n", x->config, x->data);
    printf("  steelyard devices watch --config %s --data %s\n", x->config, x->data);
    sy_buf message;
    sy_buf_init(&message, sy_heap());
    sy_setup_payload(x, 4.2, &message);
    printf("  mosquitto_pub -h 127.0.0.1 -p %s -q 1 -u %s -P %s -t %s -m '%s'\n",
           port ? port + 1 : "", x->device, x->password, x->topic, message.p ? message.p : "");
    sy_buf_fini(&message);
    printf("  steelyard alerts --data %s\n", x->data);
    if (*x->console)
        printf("  http://%s/\n", x->console);
}

static sy_err go(sy_setup *x, sy_fail *f)
{
    bool go_on = false;
    sy_err e = load_rules(x, f);
    e = e ? e : may_replace(x, &go_on, f);
    if (!e && !go_on)
        return sy_fail_set(f, SY_E_EXISTS, "%s",
                           SY_SETUP_SAY(x, "nothing was changed", "未作任何更改"));
    e = e ? e : sy_setup_site(x, f);
    e = e ? e : sy_setup_reach(x, f);
    e = e ? e : sy_setup_prepare(x, f);
    e = e ? e : sy_setup_write(x, NULL, f);
    if (e)
        return e;
    show_file(x);
    e = add_device(x, f);
    e = e ? e : add_user(x, f);
    e = e ? e : enrol(x, f);
    if (e)
        return e;
    printf("\n%s %s\n  %s\n",
           SY_SETUP_SAY(x, "Password of the device, shown once:", "设备口令（仅显示一次）："),
           x->device, x->password);
    e = offer_test(x, f);
    next(x);
    return e;
}

int sy_cmd_setup(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static const char *const usual = "/var/lib/steelyard";
    const char *config = "/etc/steelyard/steelyard.yaml", *data = usual;
    const char *packs = "/usr/share/steelyard/rules";
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        }
        if (c == '?')
            return 2; /* getopt said why */
        *(c == 'c' ? &config : c == 'd' ? &data : &packs) = optarg;
    }
    if (optind < argc || strlen(config) > 900 || strlen(data) > 900) {
        fputs(help, stderr);
        return 2;
    }
    sy_fail f = {0};
    sy_setup *x = calloc(1, sizeof *x);
    if (!x) {
        fputs("steelyard setup: no memory\n", stderr);
        return 1;
    }
    x->config = config;
    x->packs = packs;
    x->lang = sy_locale();
    x->terminal = isatty(STDIN_FILENO);
    snprintf(x->data, sizeof x->data, "%s", data);
    sy_err e = go(x, &f);
    if (e)
        fprintf(stderr, "steelyard setup: %s\n", f.text);
    sy_rule_files_close(&x->rules);
    for (size_t i = 0; i < x->n_files; i++)
        free(x->files[i]);
    free(x->files);
    explicit_bzero(x, sizeof *x);
    free(x);
    return e == SY_E_USAGE ? 2 : e ? 1 : 0;
}
