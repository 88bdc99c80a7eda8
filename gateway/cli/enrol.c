/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard enrol: certificates for TLS and for the ledger's key in one go, by EST or by files. A
 * running gateway takes them at once.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config_file.h"
#include "control/control.h"
#include "enrol/enrol.h"

enum { ANSWER_MS = 30000, TOKEN_MAX = 400, CHAIN_MAX = 262144, INSTALL_MAX = 4 };

static const char help[] =
    "usage: steelyard enrol (--config FILE | --data DIR --gateway ID) --url URL\n"
    "                       (--ca FILE | --fingerprint SHA256) [--token-file FILE]\n"
    "       steelyard enrol (--config FILE | --data DIR --gateway ID) --renew\n"
    "       steelyard enrol (--config FILE | --data DIR --gateway ID) --out FILE\n"
    "       steelyard enrol (--config FILE | --data DIR --gateway ID) --install CHAIN… [--ca "
    "FILE]\n\n"
    "Makes a key on this box, has it certified by the authority (EST, RFC 7030), likewise the "
    "ledger's\nkey, and puts both in place; destinations use them without being told "
    "(docs/enrolment.md).\n"
    "Without a network: --out writes the requests, --install takes what the authority made of "
    "them.\n\n"
    "  --config FILE       the configuration: gateway.id, gateway.data and the ledger's files\n"
    "  --data DIR          the data folder\n"
    "  --gateway ID        the gateway's id, which the certificates name\n"
    "  --url URL           https://ca.example/.well-known/est\n"
    "  --ca FILE           whom the authority's server (--install: the chain) must come from "
    "(PEM)\n"
    "  --fingerprint HEX   instead: SHA-256 of the certificate of that CA\n"
    "  --token-file FILE   the one-time token, or user:password\n"
    "  --keep-token        keep it for a renewal that the certificate alone does not get\n"
    "  --renew             now; a running gateway does it by itself after two thirds of the time\n"
    "  --out FILE          request of the TLS key; that of the ledger's goes to FILE.ledger\n"
    "  --install CHAIN…    PEM files, each put in place for the key that it fits\n\n"
    "Exit codes: 0 fine, 1 it was not done (the reason is on stderr), 2 usage.\n";

static const char help_zh[] =
    "用法：steelyard enrol (--config 文件 | --data 目录 --gateway 编号) --url 地址\n"
    "                      (--ca 文件 | --fingerprint SHA256) [--token-file 文件]\n"
    "      steelyard enrol (--config 文件 | --data 目录 --gateway 编号) --renew\n"
    "      steelyard enrol (--config 文件 | --data 目录 --gateway 编号) --out 文件\n"
    "      steelyard enrol (--config 文件 | --data 目录 --gateway 编号) --install 证书链… [--ca "
    "文件]\n\n"
    "在本机生成密钥，由主管机构签发证书（EST，RFC 7030），账本密钥一并签发，并放到位；\n"
    "接收方无需另行配置即可使用（docs/enrolment.md）。无网络时：--out 写出请求，--install "
    "安装签发结果。\n\n"
    "  --config 文件       配置文件：gateway.id、gateway.data 与账本文件\n"
    "  --data 目录         数据目录\n"
    "  --gateway 编号      网关编号，即证书名称\n"
    "  --url 地址          https://ca.example/.well-known/est\n"
    "  --ca 文件           机构服务器（--install 时为证书链）所属的 CA（PEM）\n"
    "  --fingerprint 十六进制  或者：该 CA 证书的 SHA-256\n"
    "  --token-file 文件   一次性令牌，或 用户:口令\n"
    "  --keep-token        保留令牌，供仅凭证书无法续期时使用\n"
    "  --renew             立即续期；运行中的网关在有效期过三分之二后自行续期\n"
    "  --out 文件          TLS 密钥的请求；账本密钥的请求写入 文件.ledger\n"
    "  --install 证书链…   PEM 文件，放到与之相符的密钥处\n\n"
    "退出码：0 成功，1 未能完成（原因见标准错误），2 用法错误。\n";

typedef struct arguments {
    const char *config, *data, *gateway, *url, *ca, *fingerprint, *token_file, *out;
    bool keep_token, renew, install;
    char *const *files;
    size_t n_files;
} arguments;

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard enrol: %s; see steelyard enrol --help\n", what);
    return 2;
}

static void print_until(const char *what, sy_ms until)
{
    char text[25] = "";
    sy_time_text(until, text);
    printf("%s is certified until %s\n", what, text);
}

/* A running gateway connects anew and reads the ledger's certificate. */
static sy_err tell_gateway(const sy_enrol *o, sy_fail *f)
{
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    sy_err e = sy_control_ask(o->data, "reload", ANSWER_MS, &answer, f);
    sy_buf_fini(&answer);
    return e == SY_E_NOTFOUND || e == SY_E_CLOSED ? SY_OK : e;
}

static sy_err report(const sy_enrol *o, const sy_enrol_done *d, sy_fail *f)
{
    print_until("TLS", d->until);
    if (d->ledger) {
        puts("the ledger's key is certified");
    } else {
        fprintf(stderr, "steelyard enrol: the ledger's key is not certified: %s\n", d->ledger_why);
    }
    return tell_gateway(o, f);
}

static bool hex_of(const char *text, unsigned char out[32])
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        static const char digits[] = "0123456789abcdef";
        const char *d = strchr(digits, *p >= 'A' && *p <= 'F' ? *p + 32 : *p);
        if (*p == ':') {
            continue;
        }
        if (!d || n == 64) {
            return false;
        }
        unsigned v = (unsigned)(d - digits);
        out[n / 2] = (unsigned char)(n % 2 ? out[n / 2] | v : v << 4);
        n++;
    }
    return n == 64;
}

/* "user:password", or a token alone, whose user is the gateway. In place. */
static sy_err read_token(const arguments *a, const sy_enrol *o, sy_buf *text, sy_enrol_from *from,
                         sy_fail *f)
{
    sy_err e = sy_file_read(a->token_file, TOKEN_MAX, text, f);
    while (e == SY_OK && text->n && strchr(" \r\n\t", text->p[text->n - 1])) {
        text->p[--text->n] = 0;
    }
    if (e == SY_OK && (!text->n || strlen(text->p) != text->n)) {
        e = sy_fail_set(f, SY_E_PARSE, "%.200s holds no token", a->token_file);
    }
    if (e == SY_OK) {
        char *colon = strchr(text->p, ':');
        from->user = colon ? text->p : o->gateway;
        from->token = colon ? colon + 1 : text->p;
        if (colon) {
            *colon = 0;
        }
    }
    return e;
}

static sy_err ask(const arguments *a, const sy_enrol *o, sy_fail *f)
{
    unsigned char fingerprint[32];
    sy_enrol_done done = {0};
    sy_enrol_from from = {.url = a->url, .ca = a->ca, .keep_token = a->keep_token};
    sy_buf token;
    sy_buf_init(&token, sy_heap());
    if (a->fingerprint) {
        if (!hex_of(a->fingerprint, fingerprint)) {
            return sy_fail_set(f, SY_E_USAGE, "--fingerprint has 64 hex digits");
        }
        from.fingerprint = fingerprint;
    }
    sy_err e = a->token_file ? read_token(a, o, &token, &from, f) : SY_OK;
    e = e != SY_OK ? e : sy_enrol_ask(o, &from, &done, f);
    if (token.p) {
        explicit_bzero(token.p, token.cap);
    }
    sy_buf_fini(&token);
    return e != SY_OK ? e : report(o, &done, f);
}

static sy_err write_requests(const arguments *a, const sy_enrol *o, sy_fail *f)
{
    sy_buf tls, ledger, path;
    sy_enrol_done done = {0};
    sy_buf_init(&tls, sy_heap());
    sy_buf_init(&ledger, sy_heap());
    sy_buf_init(&path, sy_heap());
    sy_buf_printf(&path, "%s.ledger", a->out);
    sy_err e = sy_enrol_request(o, &tls, &ledger, &done, f);
    e = e != SY_OK ? e : sy_file_write(a->out, sy_buf_span(&tls), 0644, f);
    if (e == SY_OK && done.ledger) {
        e = path.failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory")
                        : sy_file_write(path.p, sy_buf_span(&ledger), 0644, f);
    }
    if (e == SY_OK) {
        printf("requests: %s%s%s\n", a->out, done.ledger ? ", " : "", done.ledger ? path.p : "");
        if (!done.ledger) {
            fprintf(stderr, "steelyard enrol: none for the ledger's key: %s\n", done.ledger_why);
        }
    }
    sy_buf_fini(&tls);
    sy_buf_fini(&ledger);
    sy_buf_fini(&path);
    return e;
}

static sy_err install(const arguments *a, const sy_enrol *o, sy_fail *f)
{
    sy_buf pem, ca;
    sy_err e = SY_OK;
    sy_buf_init(&ca, sy_heap());
    e = a->ca ? sy_file_read(a->ca, CHAIN_MAX, &ca, f) : SY_OK;
    for (size_t i = 0; i < a->n_files && e == SY_OK; i++) {
        bool ledger = false;
        sy_buf_init(&pem, sy_heap());
        e = sy_file_read(a->files[i], CHAIN_MAX, &pem, f);
        e = e != SY_OK ? e : sy_enrol_install(o, sy_buf_span(&pem), sy_buf_span(&ca), &ledger, f);
        sy_buf_fini(&pem);
        if (e == SY_OK) {
            printf("%s: installed for %s\n", a->files[i], ledger ? "the ledger's key" : "TLS");
        } else {
            e = sy_fail_wrap(f, "%.100s", a->files[i]);
        }
    }
    sy_buf_fini(&ca);
    return e != SY_OK ? e : tell_gateway(o, f);
}

static sy_err act(const arguments *a, const sy_enrol *o, sy_fail *f)
{
    sy_enrol_done done = {0};
    if (a->renew) {
        sy_err e = sy_enrol_renew(o, &done, f);
        return e != SY_OK ? e : report(o, &done, f);
    }
    return a->url ? ask(a, o, f) : a->out ? write_requests(a, o, f) : install(a, o, f);
}

static int run(const arguments *a)
{
    sy_config *c = NULL;
    sy_fail f = {0};
    sy_ms now = sy_wall_ms(), built = (sy_ms)SY_BUILD_TIME * 1000;
    sy_err e = a->config ? sy_config_file_load(a->config, a->data, &c, &f) : SY_OK;
    if (e == SY_OK) {
        const sy_enrol o = {.data = c ? c->data : a->data,
                            .gateway = a->gateway ? a->gateway
                                       : c        ? c->id
                                                  : "",
                            .ledger_key = c ? c->ledger_key : NULL,
                            .ledger_cert = c ? c->ledger_cert : NULL,
                            .now = now > built ? now : built,
                            .stop_fd = -1};
        e = act(a, &o, &f);
    }
    sy_config_unref(c);
    if (e != SY_OK) {
        fprintf(stderr, "steelyard enrol: %s\n", f.text);
    }
    return e == SY_OK ? 0 : e == SY_E_USAGE ? 2 : 1;
}

static int parse(int argc, char **argv, arguments *a)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"gateway", required_argument, NULL, 'g'},
                                            {"url", required_argument, NULL, 'u'},
                                            {"ca", required_argument, NULL, 'a'},
                                            {"fingerprint", required_argument, NULL, 'f'},
                                            {"token-file", required_argument, NULL, 't'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"keep-token", no_argument, NULL, 'k'},
                                            {"renew", no_argument, NULL, 'r'},
                                            {"install", no_argument, NULL, 'i'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        const char **text = c == 'c'   ? &a->config
                            : c == 'd' ? &a->data
                            : c == 'g' ? &a->gateway
                            : c == 'u' ? &a->url
                            : c == 'a' ? &a->ca
                            : c == 'f' ? &a->fingerprint
                            : c == 't' ? &a->token_file
                            : c == 'o' ? &a->out
                                       : NULL;
        if (text) {
            *text = optarg;
        } else if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        } else if (c == '?') {
            return wrong("wrong options");
        }
        a->keep_token = a->keep_token || c == 'k';
        a->renew = a->renew || c == 'r';
        a->install = a->install || c == 'i';
    }
    a->files = argv + optind;
    a->n_files = (size_t)(argc - optind);
    return -1;
}

int sy_cmd_enrol(int argc, char **argv)
{
    arguments a = {0};
    int code = parse(argc, argv, &a);
    if (code >= 0) {
        return code;
    }
    if (!a.config && !(a.data && a.gateway)) {
        return wrong("give --config FILE, or --data DIR and --gateway ID");
    }
    if ((a.url != NULL) + (a.out != NULL) + a.renew + a.install != 1) {
        return wrong("one of --url, --renew, --out and --install is needed");
    }
    if (a.install ? a.n_files < 1 || a.n_files > INSTALL_MAX : a.n_files > 0) {
        return wrong(a.install ? "which chains? one to four files are needed"
                               : "too many arguments");
    }
    return run(&a);
}
