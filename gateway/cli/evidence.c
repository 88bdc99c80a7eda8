/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard evidence: what a data folder holds about an alert, with its proofs, as one file. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/evidence_originals.h"
#include "config/config.h"
#include "ledger/evidence.h"
#include "ledger/prove.h"
#include "store/basis.h"
#include "store/leaves.h"

static const char help_en[] =
    "usage: steelyard evidence ALERT --data DIR [--out FILE] [--language en|zh]\n\n"
    "Writes the evidence of an alert: one HTML file that a browser shows and prints, with the\n"
    "events, the readings, and their proofs inside. A gateway may run on the folder.\n\n"
    "  ALERT          its id, as `steelyard alerts` shows it, or the first digits of it\n"
    "  --data DIR     the data folder, or a copy of it\n"
    "  --out FILE     the file; the standard output unless given\n"
    "  --language L   of the page; that of the locale unless given\n\n"
    "Check it with `steelyard verify FILE --ca CA.pem`.\n"
    "Exit codes: 0 fine, 1 no such alert, or the folder cannot be read, 2 usage.\n";
static const char help_zh[] =
    "用法：steelyard evidence 警报 --data 目录 [--out 文件] [--language en|zh]\n\n"
    "写出一条警报的证据：一个可在浏览器中查看和打印的 HTML 文件，内含事件、读数及其证明。\n"
    "网关可同时在该目录上运行。\n\n"
    "  警报           其编号（见 steelyard alerts），或编号的前几位\n"
    "  --data 目录    数据目录或其副本\n"
    "  --out 文件     输出文件；未给出时写到标准输出\n"
    "  --language L   页面语言；未给出时按区域设置\n\n"
    "核验：steelyard verify 文件 --ca CA.pem\n"
    "退出码：0 正常；1 无此警报或目录无法读取；2 用法错误。\n";

enum { TRIES = 5 };

typedef struct options {
    const char *alert, *data, *out;
    bool zh;
} options;

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard evidence: %s; see steelyard evidence --help\n", what);
    return 2;
}

static int parse(options *o, int argc, char **argv)
{
    static const struct option known[] = {{"data", required_argument, NULL, 'd'},
                                          {"out", required_argument, NULL, 'o'},
                                          {"language", required_argument, NULL, 'l'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *o = (options){.zh = sy_locale() == SY_ZH};
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help_en, stdout);
            return 0;
        }
        if (c == 'd') {
            o->data = optarg;
        } else if (c == 'o') {
            o->out = optarg;
        } else if (c == 'l' && (strcmp(optarg, "en") == 0 || strcmp(optarg, "zh") == 0)) {
            o->zh = optarg[0] == 'z';
        } else {
            return wrong(c == 'l' ? "--language is en or zh" : "wrong options");
        }
    }
    if (optind + 1 != argc)
        return wrong("one alert is wanted");
    o->alert = argv[optind];
    return o->data ? -1 : wrong("--data DIR is missing");
}

typedef struct finding {
    const char *prefix;
    char id[33];
    int n;
} finding;

static bool find(void *ctx, const sy_alert_row *a)
{
    finding *x = ctx;
    if (strncmp(a->id, x->prefix, strlen(x->prefix)) == 0 && strlen(a->id) == 32) {
        memcpy(x->id, a->id, 33);
        x->n++;
    }
    return x->n < 2;
}

static sy_err find_alert(sy_store *s, const char *prefix, char id[33], sy_fail *f)
{
    finding x = {.prefix = prefix};
    sy_err e = sy_store_alerts(s, find, &x, f);
    if (e)
        return e;
    if (x.n != 1)
        return sy_fail_set(f, SY_E_NOTFOUND,
                           x.n ? "more than one alert begins with '%.40s': give more of its id"
                               : "there is no alert '%.40s' in this folder",
                           prefix);
    memcpy(id, x.id, 33);
    return SY_OK;
}

typedef struct gathering {
    sy_store *s;
    sy_evidence *e;
    sy_err err;
    sy_fail *f;
} gathering;

static sy_err leaf_of(sy_store *s, const char *event, uint64_t *leaf, sy_fail *f)
{
    sy_buf body;
    sy_buf_init(&body, sy_heap());
    sy_err e = sy_store_event_get(s, event, &body, leaf, f);
    sy_buf_fini(&body);
    return e;
}

static bool add_event(void *ctx, const sy_event_row *row)
{
    gathering *g = ctx;
    uint64_t n = 0, leaf = 0;
    sy_digest root;
    sy_evidence_event *v = sy_evidence_add_event(g->e);
    if (!v) {
        g->err = sy_fail_set(g->f, SY_E_NOMEM, "no memory for the events, or too many of them");
        return false;
    }
    sy_buf_span_put(&v->body, row->body);
    g->err = sy_store_basis_get(g->s, row->id, &n, &root, &v->basis, g->f);
    if (g->err == SY_E_NOTFOUND)
        g->err = SY_OK;
    if (!g->err)
        g->err = leaf_of(g->s, row->id, &leaf, g->f);
    if (!g->err && leaf != SY_NO_LEAF) {
        g->err = sy_prove_leaf(g->s, leaf, &v->proof, g->f);
        v->has_proof = !g->err;
        if (g->err == SY_E_NOTFOUND) /* not signed yet: the page says so */
            g->err = SY_OK;
    }
    return !g->err;
}

static sy_err gather(sy_store *s, sy_evidence *e, sy_fail *f)
{
    gathering g = {.s = s, .e = e, .f = f};
    sy_err err = sy_store_events(s, e->alert, add_event, &g, f);
    if (!err)
        err = g.err;
    if (!err && e->n_events == 0)
        err = sy_fail_set(f, SY_E_NOTFOUND, "the alert has no events in this folder: they expired");
    return err;
}

/* A gateway that runs may have signed another head meanwhile. */
static bool one_head(const sy_evidence *e)
{
    const sy_buf *first = &e->events[0].proof.head.text;
    for (size_t i = 0; i < e->n_events; i++)
        if (!sy_span_eq(sy_buf_span(first), sy_buf_span(&e->events[i].proof.head.text)))
            return false;
    for (size_t i = 0; i < e->n_segments; i++)
        if (!sy_span_eq(sy_buf_span(first), sy_buf_span(&e->segments[i].head.text)))
            return false;
    return true;
}

static sy_err gather_all(const options *o, sy_store *s, sy_evidence *e, sy_fail *f)
{
    char id[33];
    sy_err err = find_alert(s, o->alert, id, f);
    for (int i = 0; i < TRIES && !err; i++) {
        sy_evidence_free(e);
        e->zh = o->zh;
        memcpy(e->alert, id, sizeof e->alert);
        err = gather(s, e, f);
        if (!err)
            err = sy_evidence_originals(e, s, o->data, f);
        if (!err && one_head(e))
            return SY_OK;
    }
    return err ? err : sy_fail_set(f, SY_E_AGAIN, "the gateway signs too fast: try again");
}

static sy_err write_out(const options *o, const sy_buf *page, sy_fail *f)
{
    if (o->out)
        return sy_file_write(o->out, sy_buf_span(page), 0644, f);
    if (fwrite(page->p, 1, page->n, stdout) != page->n || fflush(stdout) != 0)
        return sy_fail_sys(f, "cannot write to the standard output");
    return SY_OK;
}

int sy_cmd_evidence(int argc, char **argv)
{
    options o;
    sy_fail why = {0};
    sy_store *s = NULL;
    sy_evidence e;
    sy_buf page;
    int rc = parse(&o, argc, argv);
    if (rc >= 0)
        return rc;
    sy_evidence_init(&e);
    sy_buf_init(&page, sy_heap());
    sy_err err = sy_store_open(&s, o.data, true, &why);
    if (!err)
        err = gather_all(&o, s, &e, &why);
    if (!err)
        err = sy_evidence_page(&e, &page, &why);
    if (!err)
        err = write_out(&o, &page, &why);
    if (err)
        fprintf(stderr, "steelyard evidence: %s\n", why.text);
    sy_store_close(s);
    sy_buf_fini(&page);
    sy_evidence_free(&e);
    return err ? 1 : 0;
}
