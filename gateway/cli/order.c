/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard order, steelyard rules sign: what an authority orders, signed with its key
 * (docs/orders.md). The receiver that serves it needs no key of its own for that.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/cli.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"
#include "ledger/jws.h"
#include "orders/order.h"

static const char help_en[] =
    "usage: steelyard order KIND [options] --cert FILE --key FILE [--out FILE]\n"
    "       steelyard rules sign FILE… --name NAME --version N [options] --cert FILE --key FILE\n\n"
    "Signs an order to a gateway. KIND and what it needs:\n"
    "  acknowledge, unshelve, evidence   --alert ID\n"
    "  comment                           --alert ID --text TEXT\n"
    "  shelve                            --alert ID --until TIME\n"
    "  calibration                       --series S --calibrated DATE [--uncertainty X]\n"
    "  tiers                             --premises ID --tier SCHEME=TIER …\n"
    "  tune                              --name NAME --version N [FILE]; without a file: taken "
    "back\n"
    "  pack (or rules sign)              --name NAME --version N [--effective TIME] FILE…\n"
    "  rollback                          --name NAME --version N; 0: without the pack\n\n"
    "  --gateway ID     the box; for pack, tune and rollback all boxes unless given\n"
    "  --who NAME       who orders it; the CN of the certificate unless given\n"
    "  --why TEXT       the reason, entered in the ledger\n"
    "  --effective T    when the pack comes into force; at once unless given\n"
    "  --expires TIME   it is not taken later than that; never unless given\n"
    "  --cert FILE      the signer's certificate with its chain (PEM): OU is the role\n"
    "  --key FILE       its key (PEM, P-256)\n"
    "  --out FILE       where to; standard output unless given\n\n"
    "Times are RFC 3339. POST the result to the receiver: docs/orders.md\n"
    "Exit codes: 0 fine, 1 it could not be signed, 2 usage.\n";
static const char help_zh[] =
    "用法：steelyard order 类别 [选项] --cert 文件 --key 文件 [--out 文件]\n"
    "      steelyard rules sign 文件… --name 名称 --version N [选项] --cert 文件 --key 文件\n\n"
    "对发给网关的指令签名。类别及所需选项：\n"
    "  acknowledge、unshelve、evidence   --alert 编号\n"
    "  comment                           --alert 编号 --text 文字\n"
    "  shelve                            --alert 编号 --until 时间\n"
    "  calibration                       --series 序列 --calibrated 日期 [--uncertainty 数值]\n"
    "  tiers                             --premises 编号 --tier 方案=等级 …\n"
    "  tune                              --name 名称 --version N [文件]；无文件：撤回\n"
    "  pack（或 rules sign）             --name 名称 --version N [--effective 时间] 文件…\n"
    "  rollback                          --name 名称 --version N；0：不用该规则包\n\n"
    "  --gateway 编号   网关；pack、tune、rollback 缺省为所有网关\n"
    "  --who 姓名       下达者；缺省为证书的 CN\n"
    "  --why 理由       记入账本\n"
    "  --effective 时间 规则包何时生效；缺省为立即\n"
    "  --expires 时间   逾期不再执行；缺省为不过期\n"
    "  --cert 文件      签名者证书及证书链（PEM）：OU 为角色\n"
    "  --key 文件       其密钥（PEM，P-256）\n"
    "  --out 文件       输出文件；缺省为标准输出\n\n"
    "时间为 RFC 3339。将结果 POST 到接收方：docs/orders.md\n"
    "退出码：0 成功；1 无法签名；2 用法错误。\n";

typedef struct request {
    const char *command, *cert, *key, *out;
    sy_order order;
    sy_order_pair pairs[SY_ORDER_FILES];
    sy_buf texts[SY_ORDER_FILES];
    char **files;
    size_t n_files;
} request;

static int wrong(const char *command, const char *what)
{
    fprintf(stderr, "steelyard %s: %s; see steelyard %s --help\n", command, what, command);
    return 2;
}

static bool take_time(const char *text, sy_ms *out)
{
    return strchr(text, 'T') && sy_time_parse(sy_span_of(text), out) == SY_OK;
}

static bool take_tier(request *r, char *text)
{
    char *equal = strchr(text, '=');
    if (!equal || r->order.n_pairs == SY_ORDER_TIERS)
        return false;
    *equal = '\0';
    r->pairs[r->order.n_pairs++] = (sy_order_pair){text, equal + 1};
    return true;
}

static bool take_number(const char *text, int64_t *out)
{
    char *end;
    *out = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

static bool option(request *r, int c, char *v)
{
    sy_order *o = &r->order;
    switch (c) {
    case 'a':
        o->alert = v;
        return true;
    case 't':
        o->text = v;
        return true;
    case 'u':
        return take_time(v, &o->until);
    case 's':
        o->series = v;
        return true;
    case 'd':
        o->calibrated = v;
        return true;
    case 'x':
        o->has_uncertainty = true;
        return sy_double_parse(sy_span_of(v), &o->uncertainty) == SY_OK;
    case 'p':
        o->premises = v;
        return true;
    case 'i':
        return take_tier(r, v);
    case 'n':
        o->name = v;
        return true;
    case 'v':
        return take_number(v, &o->version);
    case 'e':
        return take_time(v, &o->effective);
    case 'g':
        o->gateway = v;
        return true;
    case 'w':
        o->who = v;
        return true;
    case 'y':
        o->why = v;
        return true;
    case 'E':
        return take_time(v, &o->expires);
    case 'c':
        r->cert = v;
        return true;
    case 'k':
        r->key = v;
        return true;
    case 'o':
        r->out = v;
        return true;
    default:
        return false;
    }
}

/* -1: go on; else the exit code. */
static int parse(request *r, int argc, char **argv)
{
    static const struct option known[] = {{"alert", required_argument, NULL, 'a'},
                                          {"text", required_argument, NULL, 't'},
                                          {"until", required_argument, NULL, 'u'},
                                          {"series", required_argument, NULL, 's'},
                                          {"calibrated", required_argument, NULL, 'd'},
                                          {"uncertainty", required_argument, NULL, 'x'},
                                          {"premises", required_argument, NULL, 'p'},
                                          {"tier", required_argument, NULL, 'i'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"version", required_argument, NULL, 'v'},
                                          {"effective", required_argument, NULL, 'e'},
                                          {"gateway", required_argument, NULL, 'g'},
                                          {"who", required_argument, NULL, 'w'},
                                          {"why", required_argument, NULL, 'y'},
                                          {"expires", required_argument, NULL, 'E'},
                                          {"cert", required_argument, NULL, 'c'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"out", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help_en, stdout);
            return 0;
        }
        if (!option(r, c, optarg))
            return wrong(r->command, "an option is wrong, or its value");
    }
    if (!r->cert || !r->key)
        return wrong(r->command, "--cert and --key are needed");
    r->files = argv + optind;
    r->n_files = (size_t)(argc - optind);
    return -1;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static sy_err read_files(request *r, sy_fail *f)
{
    sy_order *o = &r->order;
    size_t most = o->kind == SY_ORDER_PACK ? SY_ORDER_FILES : o->kind == SY_ORDER_TUNE ? 1 : 0;
    if (r->n_files > most)
        return sy_fail_set(f, SY_E_USAGE, "%zu files are too many for this", r->n_files);
    for (size_t i = 0; i < r->n_files; i++) {
        sy_err e = sy_file_read(r->files[i], SY_ORDER_TEXTS, &r->texts[i], f);
        if (e)
            return e;
        const char *text = r->texts[i].n ? r->texts[i].p : "";
        if (strlen(text) != r->texts[i].n)
            return sy_fail_set(f, SY_E_PARSE, "%s is no text", r->files[i]);
        if (o->kind == SY_ORDER_TUNE)
            o->text = text;
        else
            r->pairs[o->n_pairs++] = (sy_order_pair){base_name(r->files[i]), text};
    }
    if (o->kind == SY_ORDER_TUNE && !o->text)
        o->text = "";
    if (o->n_pairs)
        o->pairs = r->pairs;
    return SY_OK;
}

static sy_err sign(request *r, sy_buf *out, sy_fail *f)
{
    sy_buf cert, key, header, payload;
    sy_es256 *own = NULL;
    sy_chain chain;
    sy_subject who = {.n_ou = 0};
    sy_order *o = &r->order;
    sy_buf_init(&cert, sy_heap());
    sy_buf_init(&key, sy_heap());
    sy_buf_init(&header, sy_heap());
    sy_buf_init(&payload, sy_heap());
    sy_chain_init(&chain);
    sy_err e = sy_file_read(r->cert, 1 << 20, &cert, f);
    e = e ? e : sy_file_read(r->key, 1 << 20, &key, f);
    e = e ? e : sy_chain_read_pem(sy_buf_span(&cert), &chain, f);
    e = e ? e : sy_chain_subject(&chain, &who, f);
    e = e ? e : sy_es256_load(&own, sy_buf_span(&key), f);
    o->who = o->who ? o->who : who.cn;
    e = e ? e : sy_order_write(o, &payload, f);
    e = e ? e : sy_jws_header(own, &chain, SY_ORDER_TYP, &header, f);
    e = e ? e : sy_jws_sign(own, sy_buf_span(&header), sy_buf_span(&payload), false, out, f);
    if (!e && out->n > SY_ORDER_BYTES)
        e = sy_fail_set(f, SY_E_RANGE, "the order is longer than 1 MiB");
    if (key.p)
        explicit_bzero(key.p, key.cap);
    sy_es256_close(own);
    sy_chain_free(&chain);
    sy_buf_fini(&cert);
    sy_buf_fini(&key);
    sy_buf_fini(&header);
    sy_buf_fini(&payload);
    return e;
}

static sy_err put(const request *r, const sy_buf *text, sy_fail *f)
{
    if (r->out)
        return sy_file_write(r->out, sy_buf_span(text), 0644, f);
    return sy_write_all(STDOUT_FILENO, text->p, text->n, f);
}

static int order_run(request *r)
{
    char id[33], why[160];
    unsigned char random[16];
    sy_order *o = &r->order;
    sy_buf text;
    sy_fail f = {0};
    bool any = o->kind == SY_ORDER_PACK || o->kind == SY_ORDER_TUNE || o->kind == SY_ORDER_ROLLBACK;
    sy_random(random, sizeof random);
    sy_hex(random, sizeof random, id);
    o->id = id;
    o->issued = sy_wall_ms();
    o->gateway = o->gateway ? o->gateway : any ? "*" : NULL;
    if (!o->gateway)
        return wrong(r->command, "--gateway ID is missing");
    snprintf(why, sizeof why, "%s %.64s", sy_order_kind_text(o->kind), o->name ? o->name : "");
    o->why = o->why ? o->why : why;
    if (o->n_pairs)
        o->pairs = r->pairs;
    sy_buf_init(&text, sy_heap());
    for (size_t i = 0; i < SY_ORDER_FILES; i++)
        sy_buf_init(&r->texts[i], sy_heap());
    sy_err e = read_files(r, &f);
    e = e ? e : sign(r, &text, &f);
    e = e ? e : put(r, &text, &f);
    if (e)
        fprintf(stderr, "steelyard %s: %s\n", r->command, f.text);
    for (size_t i = 0; i < SY_ORDER_FILES; i++)
        sy_buf_fini(&r->texts[i]);
    sy_buf_fini(&text);
    return e == SY_OK ? 0 : 1;
}

static request *fresh(const char *command)
{
    request *r = calloc(1, sizeof *r);
    if (r) {
        r->command = command;
        r->order.effective = SY_MS_NONE;
        r->order.expires = SY_MS_MAX;
    }
    return r;
}

int sy_cmd_order(int argc, char **argv)
{
    request *r = fresh("order");
    int status = !r || argc < 2 ? wrong("order", "a kind is wanted") : -1;
    bool help = argc > 1 && argv[1][0] == '-';
    if (status < 0 && !help && !sy_order_kind_of(argv[1], &r->order.kind))
        status = wrong("order", "there is no such kind of order");
    if (status < 0)
        status = parse(r, help ? argc : argc - 1, help ? argv : argv + 1);
    if (status < 0)
        status = help ? wrong("order", "a kind is wanted") : order_run(r);
    free(r);
    return status;
}

int sy_rules_sign_main(int argc, char **argv)
{
    request *r = fresh("rules sign");
    if (!r)
        return 1;
    r->order.kind = SY_ORDER_PACK;
    int status = parse(r, argc, argv);
    if (status < 0)
        status = r->n_files ? order_run(r) : wrong("rules sign", "no rule file is named");
    free(r);
    return status;
}
