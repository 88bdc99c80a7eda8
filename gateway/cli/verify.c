/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard verify: what stands and what is broken in evidence, in events, in a data folder. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/verify_dir.h"
#include "config/config.h"

static const char help_en[] =
    "usage: steelyard verify FILE|DIR --ca CA.pem [--heads FILE] [--json] [--language en|zh]\n\n"
    "Checks evidence, events as they were received, or a data folder (of a gateway that is\n"
    "stopped, or a copy). Nothing but the authority's certificate is needed.\n\n"
    "  FILE           a file of `steelyard evidence`, or JSON: an event with its proof, or "
    "several\n"
    "  DIR            the whole ledger and all that it speaks of and that is still there\n"
    "  --ca CA.pem    certificate of the authority that certifies the gateways' keys\n"
    "  --heads FILE   DIR: heads that the gateway sent earlier, one event a line: finds a ledger\n"
    "                 whose end was cut off, or another one put in its place\n"
    "  --json         one object: {\"proven\": …, \"findings\": [{\"kind\", \"text\"}]}\n"
    "  --language L   of the lines; that of the locale unless given\n\n"
    "Exit codes: 0 all that was checked stands, 1 damage, or no proof, 2 usage.\n";
static const char help_zh[] =
    "用法：steelyard verify 文件|目录 --ca CA.pem [--heads 文件] [--json] [--language en|zh]\n\n"
    "核验证据文件、收到的事件，或（已停止的网关的）数据目录及其副本。只需主管机关的证书。\n\n"
    "  文件           steelyard evidence 的文件，或 JSON：一个或多个带证明的事件\n"
    "  目录           整个账本及其所述且尚在的一切\n"
    "  --ca CA.pem    为网关密钥签发证书的主管机关证书\n"
    "  --heads 文件   用于目录：网关先前发出的签名头，每行一个事件；可发现账本尾部被截或被替换\n"
    "  --json         一个对象：{\"proven\": …, \"findings\": [{\"kind\", \"text\"}]}\n"
    "  --language L   输出语言；未给出时按区域设置\n\n"
    "退出码：0 所核验的均成立；1 有损坏或无证明；2 用法错误。\n";

typedef struct options {
    const char *path, *ca, *heads;
    bool json, zh;
} options;

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard verify: %s; see steelyard verify --help\n", what);
    return 2;
}

static int parse(options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"ca", required_argument, NULL, 'c'},       {"heads", required_argument, NULL, 'e'},
        {"language", required_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    *o = (options){.zh = sy_locale() == SY_ZH};
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help_en, stdout);
            return 0;
        }
        if (c == 'c') {
            o->ca = optarg;
        } else if (c == 'e') {
            o->heads = optarg;
        } else if (c == 'j') {
            o->json = true;
        } else if (c == 'l' && (strcmp(optarg, "en") == 0 || strcmp(optarg, "zh") == 0)) {
            o->zh = optarg[0] == 'z';
        } else {
            return wrong(c == 'l' ? "--language is en or zh" : "wrong options");
        }
    }
    if (optind + 1 != argc)
        return wrong("one file or folder is wanted");
    o->path = argv[optind];
    return -1;
}

typedef struct output {
    const options *o;
    sy_buf json;
    size_t n;
} output;

static const char *kind_text(sy_finding_kind kind)
{
    return kind == SY_FOUND_FINE ? "fine" : kind == SY_FOUND_NOTE ? "note" : "broken";
}

static void tell(void *ctx, sy_finding_kind kind, const char *text)
{
    output *out = ctx;
    if (out->o->json) {
        sy_buf_printf(&out->json, "%s\n  {\"kind\": \"%s\", \"text\": ", out->n ? "," : "",
                      kind_text(kind));
        sy_buf_json(&out->json, sy_span_of(text));
        sy_buf_char(&out->json, '}');
    } else {
        static const char *const marks[][2] = {
            {"fine    ", "成立  "}, {"note    ", "说明  "}, {"BROKEN  ", "损坏  "}};
        printf("%s%s\n", marks[kind][out->o->zh], text);
    }
    out->n++;
}

static sy_err verify_file(const options *o, sy_check *c, sy_fail *f)
{
    sy_buf file;
    sy_span ignored;
    sy_buf_init(&file, sy_heap());
    sy_err e = sy_file_read(o->path, (size_t)SY_EVIDENCE_BYTES * 2, &file, f);
    if (!e) {
        /* What looks like a page and has no whole data part is damaged evidence, not an event. */
        bool page = file.n > 0 && file.p[0] == '<';
        bool evidence = sy_evidence_cut(sy_buf_span(&file), &ignored, NULL) == SY_OK;
        e = page || evidence ? sy_verify_evidence(sy_buf_span(&file), c, f)
                             : sy_verify_events(sy_buf_span(&file), c, f);
    }
    sy_buf_fini(&file);
    return e;
}

static int result(const options *o, output *out, const sy_check *c, const sy_fail *why)
{
    bool proven = !why->code && c->broken == 0 && c->fine > 0;
    if (why->code)
        tell(out, SY_FOUND_BROKEN, why->text);
    if (o->json) {
        sy_buf_text(&out->json, out->n ? "\n]}\n" : "]}\n");
        printf("{\"proven\": %s, \"findings\": [%s", proven ? "true" : "false",
               out->json.n ? out->json.p : "");
    } else if (proven) {
        puts(o->zh ? "结论：所核验的内容均成立" : "all that was checked stands");
    } else {
        puts(o->zh ? "结论：未能证明，见上列损坏项" : "NOT PROVEN: see what is broken above");
    }
    return fflush(stdout) == 0 && proven ? 0 : 1;
}

int sy_cmd_verify(int argc, char **argv)
{
    options o;
    struct stat st;
    sy_fail why = {0};
    sy_buf ca;
    int rc = parse(&o, argc, argv);
    if (rc >= 0)
        return rc;
    sy_buf_init(&ca, sy_heap());
    if (o.ca && sy_file_read(o.ca, 1 << 20, &ca, &why)) {
        fprintf(stderr, "steelyard verify: --ca: %s\n", why.text);
        sy_buf_fini(&ca);
        return 2;
    }
    output out = {.o = &o};
    sy_buf_init(&out.json, sy_heap());
    sy_check c = {.zh = o.zh, .ca = sy_buf_span(&ca), .tell = tell, .ctx = &out};
    sy_err e = SY_OK;
    if (stat(o.path, &st) != 0)
        e = sy_fail_sys(&why, "%s", o.path);
    else if (S_ISDIR(st.st_mode))
        e = sy_verify_dir(o.path, o.heads, &c, &why);
    else
        e = verify_file(&o, &c, &why);
    why.code = e; /* what was tried on the way does not count */
    rc = result(&o, &out, &c, &why);
    sy_buf_fini(&out.json);
    sy_buf_fini(&ca);
    return rc;
}
