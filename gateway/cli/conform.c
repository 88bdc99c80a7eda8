/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard conform: tries a receiver of events, and prints what holds. */
#include "cli/conform.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "config/config.h"
#include "ledger/ledger_files.h"
#include "ledger/member.h"

static const char help_en[] =
    "usage: steelyard conform --url https://HOST:PORT/PATH --ca FILE --cert FILE --key FILE\n"
    "                         [--sign-key FILE --sign-cert FILE --gateway ID] [--json]\n\n"
    "Tries whether a receiver does what gateways rely on (docs/receiver.md): delivers good, "
    "doubled,\n"
    "altered, unknown, long and malformed events and looks at the answers. Use a test instance: "
    "what\n"
    "it delivers stays there.\n\n"
    "  --url URL         where gateways deliver\n"
    "  --ca FILE         the CA of the receiver's certificate (PEM)\n"
    "  --cert, --key     a client certificate that may deliver, and its key\n"
    "  --sign-key FILE   the key of a gateway's ledger; without it signatures are not tried\n"
    "  --sign-cert FILE  its certificate and those between it and the CA\n"
    "  --gateway ID      the gateway that this certificate names (conform)\n"
    "  --json            {\"conforms\": …, \"rows\": [{\"name\", \"pass\", \"want\", \"got\"}]}\n\n"
    "Exit code: 0 all holds, 1 something does not, 2 usage error.\n";

static const char help_zh[] =
    "用法：steelyard conform --url https://主机:端口/路径 --ca 文件 --cert 文件 --key 文件\n"
    "                        [--sign-key 文件 --sign-cert 文件 --gateway 编号] [--json]\n\n"
    "检验接收端是否符合网关的要求（docs/"
    "receiver.md）：投递正常、重复、被改、未知、超长及格式错误的\n"
    "事件，并核对应答。请用于测试实例：所投递的事件会留在其中。\n\n"
    "  --url 地址        网关投递的地址\n"
    "  --ca 文件         签发接收端证书的 CA（PEM）\n"
    "  --cert、--key     可投递的客户端证书及其私钥\n"
    "  --sign-key 文件   网关账本的私钥；未给出时不检验签名\n"
    "  --sign-cert 文件  其证书及中间证书\n"
    "  --gateway 编号    该证书所指的网关（默认 conform）\n"
    "  --json            {\"conforms\": …, \"rows\": [{\"name\", \"pass\", \"want\", \"got\"}]}\n\n"
    "退出码：0 全部符合；1 有不符合项；2 用法错误。\n";

typedef struct options {
    const char *url, *sign_key, *sign_cert;
    bool json;
} options;

void sy_conform_row(sy_conform *c, const char *name, bool pass, const char *want, const char *got)
{
    c->failed += pass ? 0 : 1;
    json_array_append_new(c->rows, json_pack("{s:s,s:b,s:s,s:s}", "name", name, "pass", pass,
                                             "want", want, "got", got));
}

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard conform: %s; see steelyard conform --help\n", what);
    return 2;
}

/* -1: go on. */
static int parse(int argc, char **argv, options *o, sy_conform *c)
{
    static const struct option known[] = {
        {"url", required_argument, NULL, 'u'},      {"ca", required_argument, NULL, 'a'},
        {"cert", required_argument, NULL, 'c'},     {"key", required_argument, NULL, 'k'},
        {"sign-key", required_argument, NULL, 's'}, {"sign-cert", required_argument, NULL, 't'},
        {"gateway", required_argument, NULL, 'g'},  {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    c->gateway = "conform";
    optind = 1;
    for (int k; (k = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        const char **text = k == 'u'   ? &o->url
                            : k == 'a' ? &c->files.ca
                            : k == 'c' ? &c->files.cert
                            : k == 'k' ? &c->files.key
                            : k == 's' ? &o->sign_key
                            : k == 't' ? &o->sign_cert
                            : k == 'g' ? &c->gateway
                                       : NULL;
        if (text) {
            *text = optarg;
        } else if (k == 'j') {
            o->json = true;
        } else if (k == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help_en, stdout);
            return 0;
        } else {
            return wrong("wrong options");
        }
    }
    if (optind != argc || !o->url || !c->files.ca || !c->files.cert || !c->files.key)
        return wrong("--url, --ca, --cert and --key are needed");
    if (!o->sign_key != !o->sign_cert)
        return wrong("--sign-key and --sign-cert go together");
    if (strlen(c->gateway) > 64 || strpbrk(c->gateway, "\"\\/"))
        return wrong("--gateway is no id of a gateway");
    return -1;
}

static sy_err take_key(const options *o, sy_conform *c, sy_fail *f)
{
    sy_chain chain;
    if (!o->sign_key)
        return SY_OK;
    sy_chain_init(&chain);
    sy_err e = sy_keyfile_load(o->sign_key, &c->key, f);
    e = e ? e : sy_keyfile_chain(o->sign_cert, sy_es256_spki(c->key), &chain, f);
    if (!e && chain.n == 0)
        e = sy_fail_set(f, SY_E_NOTFOUND, "%.160s is not there", o->sign_cert);
    e = e ? e : sy_jws_header(c->key, &chain, SY_TYP_EVENT, &c->header, f);
    sy_chain_free(&chain);
    return e;
}

static void print(const options *o, const sy_conform *c)
{
    size_t i;
    json_t *r;
    if (o->json) {
        json_t *all = json_pack("{s:b,s:O}", "conforms", c->failed == 0, "rows", c->rows);
        json_dumpf(all, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(all);
        return;
    }
    json_array_foreach(c->rows, i, r)
    {
        bool pass = json_is_true(json_object_get(r, "pass"));
        printf("%-8s %-24s %s\n",
               pass    ? "ok"
               : c->zh ? "不符合"
                       : "FAILED",
               json_string_value(json_object_get(r, "name")),
               json_string_value(json_object_get(r, "got")));
        if (!pass)
            printf("         %s: %s\n", c->zh ? "应为" : "wanted",
                   json_string_value(json_object_get(r, "want")));
    }
    if (!c->key)
        puts(c->zh ? "未检验签名：请给出 --sign-key 与 --sign-cert"
                   : "signatures were not tried: give --sign-key and --sign-cert");
    printf(c->zh ? "共 %zu 项，%d 项不符合\n" : "%zu tried, %d failed\n", json_array_size(c->rows),
           c->failed);
}

int sy_cmd_conform(int argc, char **argv)
{
    options o = {0};
    sy_conform c = {.zh = sy_locale() == SY_ZH, .next = 1};
    sy_fail f = {0};
    unsigned char random[SY_CONFORM_RUN / 2];
    int code = parse(argc, argv, &o, &c);
    if (code >= 0)
        return code;
    signal(SIGPIPE, SIG_IGN);
    sy_buf_init(&c.header, sy_heap());
    sy_random(random, sizeof random);
    sy_hex(random, sizeof random, c.run);
    c.rows = json_array();
    sy_err e = sy_url_parse(o.url, &c.url, &f);
    e = e ? e : take_key(&o, &c, &f);
    if (e) {
        fprintf(stderr, "steelyard conform: %s\n", f.text);
        code = 2;
    } else {
        sy_conform_cases(&c);
        print(&o, &c);
        code = c.failed ? 1 : 0;
    }
    sy_es256_close(c.key);
    sy_buf_fini(&c.header);
    json_decref(c.rows);
    return code;
}
