/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard assess: how secure this box is, as far as it can tell. */
#include "assess/assess.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_file.h"

static const char help_en[] =
    "usage: steelyard assess --config FILE [--data DIR] [--json|--html] [--out FILE]\n"
    "                        [--language en|zh]\n\n"
    "A security self-assessment of this box: keys and certificates, permissions, open ports,\n"
    "credentials, TLS, versions of parts, clock, disk, what leaves to whom, and who may. Each\n"
    "finding is pass, note, weak or bad, with what to do, under the headings of ETSI EN 303 645\n"
    "and GB/T 22239-2019; the grade A to E is explained in docs/assess.md. Nothing is changed.\n\n"
    "  --config FILE  the configuration\n"
    "  --data DIR     the data folder; gateway.data unless given\n"
    "  --json         one JSON object, with the texts in both languages\n"
    "  --html         one page, without a script\n"
    "  --out FILE     to a file (mode 0600) instead of the standard output\n"
    "  --language L   of the text; that of the locale unless given\n\n"
    "Run it as root or as the service's user, or what it cannot look at is a note.\n"
    "Exit codes: 0 nothing bad, 1 something is bad, or it could not be done, 2 usage or\n"
    "configuration error.\n";
static const char help_zh[] =
    "用法：steelyard assess --config 文件 [--data 目录] [--json|--html] [--out 文件]\n"
    "                      [--language en|zh]\n\n"
    "本机的安全自评估：密钥与证书、权限、开放端口、凭据、TLS、部件版本、时钟、磁盘、数据外发\n"
    "对象、人员权限。每项结论为通过、提示、薄弱或不合格，并说明应做之事，按 ETSI EN 303 645 与\n"
    "GB/T 22239-2019 的标题编排；总评 A 至 E 的规则见 docs/assess.md。不作任何更改。\n\n"
    "  --config 文件  配置\n"
    "  --data 目录    数据目录；缺省为 gateway.data\n"
    "  --json         一个 JSON 对象，文字为两种语言\n"
    "  --html         一个页面，不含脚本\n"
    "  --out 文件     写入文件（权限0600），而非标准输出\n"
    "  --language L   文字语言；未给出时按区域设置\n\n"
    "请以 root 或服务用户运行，否则无法检查之处记为提示。\n"
    "退出码：0 没有不合格项；1 有不合格项，或未能完成；2 用法或配置错误。\n";

typedef struct options {
    const char *config, *data, *out;
    bool json, html;
    sy_lang language;
} options;

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard assess: %s; see steelyard assess --help\n", what);
    return 2;
}

static bool take(options *o, int c)
{
    switch (c) {
    case 'c':
        o->config = optarg;
        return true;
    case 'd':
        o->data = optarg;
        return true;
    case 'o':
        o->out = optarg;
        return true;
    case 'j':
        o->json = true;
        return true;
    case 'm':
        o->html = true;
        return true;
    case 'l':
        o->language = strcmp(optarg, "zh") == 0 ? SY_ZH : SY_EN;
        return strcmp(optarg, "zh") == 0 || strcmp(optarg, "en") == 0;
    default:
        return false;
    }
}

static int parse(options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'}, {"data", required_argument, NULL, 'd'},
        {"out", required_argument, NULL, 'o'},    {"json", no_argument, NULL, 'j'},
        {"html", no_argument, NULL, 'm'},         {"language", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    *o = (options){.language = sy_locale()};
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help_en, stdout);
            return 0;
        }
        if (!take(o, c)) {
            return wrong("wrong options");
        }
    }
    if (optind < argc) {
        return wrong("too many arguments");
    }
    if (o->json && o->html) {
        return wrong("--json or --html, not both");
    }
    return o->config ? -1 : wrong("--config FILE is missing");
}

static sy_err show(const options *o, const sy_assess *a, sy_fail *f)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    if (o->json) {
        sy_assess_json(a, &b);
    } else if (o->html) {
        sy_assess_html(a, o->language, &b);
    } else {
        sy_assess_text(a, o->language, &b);
    }
    sy_err e = b.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for the assessment") : SY_OK;
    if (!e && o->out) {
        e = sy_file_write(o->out, sy_buf_span(&b), 0600, f);
    } else if (!e && (fwrite(b.p, 1, b.n, stdout) != b.n || fflush(stdout) != 0)) {
        e = sy_fail_sys(f, "cannot write the assessment");
    }
    sy_buf_fini(&b);
    return e;
}

int sy_cmd_assess(int argc, char **argv)
{
    options o;
    sy_fail f = {0};
    sy_config *c = NULL;
    sy_assess a;
    int rc = parse(&o, argc, argv);
    if (rc >= 0) {
        return rc;
    }
    sy_err e = sy_config_file_load(o.config, o.data, &c, &f);
    if (e) {
        fprintf(stderr, "steelyard assess: %s\n", f.text);
        return 2;
    }
    e = sy_assess_run(&a, c, (sy_ms)SY_BUILD_TIME * 1000, &f);
    e = e ? e : show(&o, &a, &f);
    if (e) {
        fprintf(stderr, "steelyard assess: %s\n", f.text);
    }
    rc = e || a.count[SY_ASSESS_BAD] ? 1 : 0;
    sy_assess_free(&a);
    sy_config_unref(c);
    return rc;
}
