/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of a gateway's ledger: a request for its certificate goes out to the authority, the
 * certificate comes in, and from time to time another key takes over. Private keys stay where they
 * are. A rotation is written by the running gateway, which owns the ledger.
 */
#include "cli/keys_ledger.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/stored.h"
#include "config/config.h"
#include "control/control.h"
#include "ledger/ledger_files.h"
#include "ledger/prove.h"

enum { ANSWER_MS = 30000, CERT_MAX = 65536 };

static const char help[] =
    "usage: steelyard keys request --data DIR [--next] [--gateway ID] [--key FILE] [--out FILE]\n"
    "       steelyard keys install CERT --data DIR [--key FILE] [--cert FILE]\n"
    "       steelyard keys rotate --data DIR --why TEXT [--who NAME]\n\n"
    "request: a request (PKCS #10) for a certificate of the ledger's key, for the authority to\n"
    "sign: CN is the gateway's id, key usage digitalSignature. With --next for the key that the\n"
    "next rotation brings, which is made where it is missing.\n"
    "install: put the authority's certificate (PEM, with its chain) in place, for the key that it\n"
    "fits; a running gateway takes it at once.\n"
    "rotate: the running gateway goes over to the next key. Both keys sign the entry in the "
    "ledger.\n\n"
    "  --data DIR    the data folder\n"
    "  --key FILE    gateway.ledger.key, where it is configured\n"
    "  --cert FILE   gateway.ledger.cert, where it is configured\n"
    "  --gateway ID  where the gateway has not run yet\n"
    "  --out FILE    where to; standard output unless given\n"
    "  --why TEXT    the reason, entered in the ledger\n"
    "  --who NAME    who asks for it; the name of the account unless given\n\n"
    "Exit codes: 0 fine, 1 it was not done (the reason is on stderr), 2 usage.\n";

static const char help_zh[] =
    "用法：steelyard keys request --data 目录 [--next] [--gateway 编号] [--key 文件] [--out 文件]\n"
    "      steelyard keys install 证书 --data 目录 [--key 文件] [--cert 文件]\n"
    "      steelyard keys rotate --data 目录 --why 理由 [--who 姓名]\n\n"
    "request：为账本密钥生成证书请求（PKCS #10），由主管机构签发：CN 为网关编号，\n"
    "密钥用途 digitalSignature。--next 用于下次轮换的密钥，缺少时生成。\n"
    "install：将主管机构的证书（PEM，含证书链）放到与之相符的密钥处；运行中的网关随即采用。\n"
    "rotate：运行中的网关改用下一把密钥，新旧密钥都对账本条目签名。\n\n"
    "  --data 目录     数据目录\n"
    "  --key 文件      配置了 gateway.ledger.key 时给出\n"
    "  --cert 文件     配置了 gateway.ledger.cert 时给出\n"
    "  --gateway 编号  网关尚未运行过时给出\n"
    "  --out 文件      输出文件；缺省为标准输出\n"
    "  --why 理由      记入账本\n"
    "  --who 姓名      经办人；缺省为当前账户名\n\n"
    "退出码：0 成功，1 未能完成（原因见标准错误），2 用法错误。\n";

typedef struct arguments {
    const char *verb, *data, *key, *cert, *gateway, *out, *why, *who, *file;
    bool next;
} arguments;

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard keys: %s; see steelyard keys request --help\n", what);
    return 2;
}

static int failed(const arguments *a, const sy_fail *f)
{
    fprintf(stderr, "steelyard keys %s: %s\n", a->verb, f->text);
    return 1;
}

/* The gateway that the ledger's newest head names. */
static sy_err gateway_of(const char *data, char out[65], sy_fail *f)
{
    sy_store *s = NULL;
    sy_signed_head h;
    sy_head head;
    sy_signed_head_init(&h);
    sy_err e = sy_store_open(&s, data, true, f);
    e = e ? e : sy_prove_head(s, &h, &head, f);
    if (!e)
        snprintf(out, 65, "%.*s", (int)(head.gateway.n < 64 ? head.gateway.n : 64), head.gateway.p);
    else
        e = sy_fail_wrap(f, "the gateway's id is not known (give --gateway ID)");
    sy_signed_head_free(&h);
    if (s)
        sy_store_close(s);
    return e;
}

static int request(const arguments *a)
{
    char key_path[SY_LEDGER_PATH], cert_path[SY_LEDGER_PATH], gateway[65] = "";
    sy_es256 *key = NULL;
    sy_buf pem;
    sy_fail f = {0};
    sy_buf_init(&pem, sy_heap());
    if (a->gateway)
        snprintf(gateway, sizeof gateway, "%s", a->gateway);
    sy_err e = a->gateway ? SY_OK : gateway_of(a->data, gateway, &f);
    e = e ? e : sy_keyfile_paths(a->data, a->key, a->cert, key_path, cert_path, &f);
    if (!e)
        e = a->next ? sy_keyfile_next(key_path, &key, &f) : sy_keyfile_load(key_path, &key, &f);
    e = e ? e : sy_es256_request(key, gateway, &pem, &f);
    if (!e && a->out)
        e = sy_file_write(a->out, sy_buf_span(&pem), 0644, &f);
    else if (!e && fwrite(pem.p, 1, pem.n, stdout) != pem.n)
        e = sy_fail_sys(&f, "standard output");
    sy_es256_close(key);
    sy_buf_fini(&pem);
    return e ? failed(a, &f) : 0;
}

/* SY_OK: the certificate is for the key in this file. */
static sy_err fits(const char *key_path, const sy_chain *chain, sy_fail *f)
{
    sy_es256 *key = NULL;
    sy_buf spki;
    sy_buf_init(&spki, sy_heap());
    sy_err e = sy_chain_spki(chain, &spki, f);
    e = e ? e : sy_keyfile_load(key_path, &key, f);
    if (!e && !sy_span_eq(sy_buf_span(&spki), sy_es256_spki(key)))
        e = sy_fail_set(f, SY_E_DENIED, "the certificate is for another key than %s", key_path);
    sy_es256_close(key);
    sy_buf_fini(&spki);
    return e;
}

static sy_err place(const arguments *a, sy_span pem, const sy_chain *chain, bool *next, sy_fail *f)
{
    char key_path[SY_LEDGER_PATH], cert_path[SY_LEDGER_PATH], other[SY_LEDGER_PATH + 8];
    sy_fail why = {0};
    sy_err e = sy_keyfile_paths(a->data, a->key, a->cert, key_path, cert_path, f);
    if (e)
        return e;
    snprintf(other, sizeof other, "%s.next", key_path);
    *next = false;
    e = fits(key_path, chain, f);
    if (e && fits(other, chain, &why) == SY_OK) {
        *next = true;
        e = SY_OK;
    }
    if (e)
        return e;
    snprintf(other, sizeof other, "%s.next", cert_path);
    return sy_file_write(*next ? other : cert_path, pem, 0644, f);
}

static int install(const arguments *a)
{
    sy_buf pem, answer;
    sy_chain chain;
    sy_fail f = {0};
    bool next = false;
    sy_buf_init(&pem, sy_heap());
    sy_buf_init(&answer, sy_heap());
    sy_chain_init(&chain);
    sy_err e = sy_file_read(a->file, CERT_MAX, &pem, &f);
    e = e ? e : sy_chain_read_pem(sy_buf_span(&pem), &chain, &f);
    e = e ? e : place(a, sy_buf_span(&pem), &chain, &next, &f);
    if (!e && !next) {
        e = sy_control_ask(a->data, "reload", ANSWER_MS, &answer, &f);
        if (e == SY_E_NOTFOUND || e == SY_E_CLOSED)
            e = SY_OK; /* the next start reads it */
    }
    if (!e)
        puts(next ? "installed for the next key; it counts after steelyard keys rotate"
                  : "installed");
    sy_chain_free(&chain);
    sy_buf_fini(&answer);
    sy_buf_fini(&pem);
    return e ? failed(a, &f) : 0;
}

static int rotate(const arguments *a)
{
    sy_buf line, answer;
    sy_fail f = {0};
    if (strpbrk(a->who, "\t\n") || strpbrk(a->why, "\t\n"))
        return wrong("no tabs and line ends in --who and --why");
    sy_buf_init(&line, sy_heap());
    sy_buf_init(&answer, sy_heap());
    sy_buf_printf(&line, "rotate %s\t%s", a->who, a->why);
    sy_err e = line.failed ? sy_fail_set(&f, SY_E_NOMEM, "out of memory")
               : line.n >= SY_CONTROL_LINE
                   ? sy_fail_set(&f, SY_E_RANGE, "the reason is too long")
                   : sy_control_ask(a->data, line.p, ANSWER_MS, &answer, &f);
    if (e == SY_E_NOTFOUND || e == SY_E_CLOSED)
        sy_fail_set(&f, e, "no gateway runs on %s; start it, since it writes the ledger", a->data);
    sy_buf_fini(&line);
    sy_buf_fini(&answer);
    return e ? failed(a, &f) : 0;
}

bool sy_keys_ledger_named(const char *word)
{
    return strcmp(word, "request") == 0 || strcmp(word, "install") == 0 ||
           strcmp(word, "rotate") == 0;
}

static int parse(int argc, char **argv, arguments *a)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'}, {"key", required_argument, NULL, 'k'},
        {"cert", required_argument, NULL, 'c'}, {"gateway", required_argument, NULL, 'g'},
        {"out", required_argument, NULL, 'o'},  {"why", required_argument, NULL, 'y'},
        {"who", required_argument, NULL, 'w'},  {"next", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        }
        if (c == '?')
            return wrong("wrong options");
        a->data = c == 'd' ? optarg : a->data;
        a->key = c == 'k' ? optarg : a->key;
        a->cert = c == 'c' ? optarg : a->cert;
        a->gateway = c == 'g' ? optarg : a->gateway;
        a->out = c == 'o' ? optarg : a->out;
        a->why = c == 'y' ? optarg : a->why;
        a->who = c == 'w' ? optarg : a->who;
        a->next = a->next || c == 'n';
    }
    return -1;
}

int sy_keys_ledger(int argc, char **argv)
{
    arguments a = {.verb = argv[0], .who = sy_stored_account()};
    bool takes_file = strcmp(a.verb, "install") == 0;
    int code = parse(argc, argv, &a);
    if (code >= 0)
        return code;
    if (!a.data)
        return wrong("--data DIR is missing");
    if (argc - optind != (takes_file ? 1 : 0))
        return wrong(takes_file ? "which certificate? one file is needed" : "too many arguments");
    a.file = takes_file ? argv[optind] : NULL;
    if (takes_file)
        return install(&a);
    if (strcmp(a.verb, "request") == 0)
        return request(&a);
    return a.why ? rotate(&a) : wrong("--why TEXT is missing");
}
