/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard egress --show: what each destination gets, by examples as they would leave.
 *
 * An example is the newest event of its class in the store; without one, an alert and an act are
 * made of the configuration's own names.
 */
#include <getopt.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/config_file.h"
#include "cli/stored.h"
#include "store/queue.h"
#include "upstream/egress.h"

static const char help[] =
    "usage: steelyard egress --show --config FILE [--data DIR] [--json]\n\n"
    "What each destination gets: the classes of events that leave for it, what is taken out, and\n"
    "an example of each class, byte for byte as it would leave (before its signature and proof):\n"
    "the newest of the data folder, else one made of the configuration. docs/egress.md\n\n"
    "  --show         print it\n"
    "  --config FILE  the configuration (YAML)\n"
    "  --data DIR     the data folder that the examples come from\n"
    "  --json         a JSON array, one object a destination\n\n"
    "Exit codes: 0 fine, 1 the data folder cannot be read, 2 usage or configuration.\n";

static const char help_zh[] =
    "用法：steelyard egress --show --config 文件 [--data 目录] [--json]\n\n"
    "每个接收方会得到什么：发给它的事件类别、被去除的内容，以及每类事件的实例，与发出时逐字节\n"
    "相同（不含签名与证明）：取自数据目录中最新的事件，否则依配置生成。见 docs/egress.md\n\n"
    "  --show         显示\n"
    "  --config 文件  配置（YAML）\n"
    "  --data 目录    实例所在的数据目录\n"
    "  --json         JSON 数组，每个接收方一个对象\n\n"
    "退出码：0 成功，1 数据目录无法读取，2 用法或配置错误。\n";

static const struct {
    const char *en, *zh;
} class_texts[] =
    {
#define TEXTS(name, word, en, zh) {en, zh},
        SY_EGRESS_CLASSES(TEXTS)
#undef TEXTS
},
  part_texts[] = {
#define TEXTS(name, word, en, zh) {en, zh},
      SY_EGRESS_PARTS(TEXTS)
#undef TEXTS
};

/* Kinds of rows, the first that there is one of is shown. */
static const struct {
    sy_egress_class class;
    const char *kind;
    bool of_alert;
} kinds[] = {
    {SY_EGRESS_ALERT, "raised", true},
    {SY_EGRESS_ALERT, "cleared", true},
    {SY_EGRESS_ACT, "acknowledged", true},
    {SY_EGRESS_ACT, "commented", true},
    {SY_EGRESS_ACT, "shelved", true},
    {SY_EGRESS_ACT, "unanswered", true},
    {SY_EGRESS_GROUP, "group", false},
    {SY_EGRESS_HEARTBEAT, "heartbeat", false},
    {SY_EGRESS_STATEMENT, "statement", false},
    {SY_EGRESS_ORDER, "order-done", false},
    {SY_EGRESS_ORDER, "order-refused", false},
    {SY_EGRESS_SERVICE, "configuration-refused", false},
    {SY_EGRESS_SERVICE, "broker-failing", false},
    {SY_EGRESS_SERVICE, "store-damaged", false},
};

typedef struct example {
    sy_buf text; /* "": there is none */
    bool made;
} example;

static void member(sy_buf *b, const char *before, const char *value)
{
    sy_buf_text(b, before);
    if (value)
        sy_buf_json(b, sy_span_of(value));
    else
        sy_buf_text(b, "null");
}

/* An event about the first point of the configuration. */
static void make(const sy_config *c, bool act, sy_buf *b)
{
    const sy_site *site = c->site;
    if (site->n_points == 0)
        return;
    const sy_site_point *p = &site->points[0];
    const sy_site_place *place = &site->places[p->place];
    const sy_site_premises *premises = &site->premises[place->premises];
    sy_buf subject;
    sy_buf_init(&subject, sy_heap());
    sy_buf_printf(&subject, "%s/%s/%s", premises->id, place->id, p->series);
    sy_buf_char(&subject, 0);
    const char *of = subject.failed ? "" : subject.p;
    sy_buf_text(b, "{\"specversion\":\"1.0\",\"id\":\"0123456789abcdef/1\",\"source\":");
    sy_buf_printf(b, "\"/steelyard/%s\",\"type\":\"steelyard.alert.%s\",\"subject\":", c->id,
                  act ? "acknowledged" : "raised");
    sy_buf_json(b, sy_span_of(of));
    sy_buf_text(b, ",\"datacontenttype\":\"application/json\",\"data\":{");
    sy_buf_printf(b, "\"change\":\"%s\",\"alert\":{\"id\":\"0123456789abcdef\",\"subject\":",
                  act ? "acknowledged" : "raised");
    sy_buf_json(b, sy_span_of(of));
    sy_buf_text(b, ",\"severity\":\"warning\",\"min\":1.5,\"max\":11.4,\"count\":23}");
    member(b, ",\"premises\":{\"id\":", premises->id);
    member(b, ",\"name\":", premises->name);
    member(b, ",\"code\":", premises->code);
    member(b, "},\"place\":{\"id\":", place->id);
    member(b, ",\"kind\":", place->kind);
    member(b, ",\"name\":", place->name);
    member(b, "},\"device\":", p->device);
    member(b, ",\"series\":", p->series);
    if (act)
        sy_buf_text(b, ",\"act\":{\"kind\":\"acknowledge\",\"who\":\"A Person\",\"via\":"
                       "\"premises\",\"why\":\"the door was open\"}");
    sy_buf_text(b, "}}");
    sy_buf_fini(&subject);
}

static sy_err find(sy_store *s, const sy_config *c, example v[SY_EGRESS_N], sy_fail *f)
{
    for (size_t i = 0; s && i < sizeof kinds / sizeof *kinds; i++) {
        example *x = &v[kinds[i].class];
        sy_err e = x->text.n
                       ? SY_OK
                       : sy_store_newest_event(s, kinds[i].kind, kinds[i].of_alert, &x->text, f);
        if (e && e != SY_E_NOTFOUND)
            return e;
    }
    for (int k = SY_EGRESS_ALERT; k <= SY_EGRESS_ACT; k++)
        if (v[k].text.n == 0) {
            make(c, k == SY_EGRESS_ACT, &v[k].text);
            v[k].made = true;
        }
    return SY_OK;
}

static void put_words(sy_buf *b, const char *title, unsigned bits, bool parts, bool json)
{
    bool zh = sy_locale() == SY_ZH;
    size_t n = 0;
    sy_buf_text(b, title);
    for (int i = 0; i < (parts ? (int)SY_PART_N : (int)SY_EGRESS_N); i++) {
        const char *word = parts ? sy_egress_part_word((sy_egress_part)i)
                                 : sy_egress_class_word((sy_egress_class)i);
        if (!(bits & (1u << i)))
            continue;
        if (json)
            sy_buf_printf(b, "%s\"%s\"", n ? ", " : "", word);
        else
            sy_buf_printf(b, "\n    %-10s %s", word,
                          parts ? (zh ? part_texts[i].zh : part_texts[i].en)
                                : (zh ? class_texts[i].zh : class_texts[i].en));
        n++;
    }
    if (!json)
        sy_buf_text(b, n ? "\n" : (zh ? " 无\n" : " nothing\n"));
}

/* The example as it leaves: into `out`; false: it does not. */
static bool leaves(const sy_destination *d, const example *x, sy_buf *out)
{
    sy_egress_verdict verdict;
    sy_fail why = {0};
    sy_buf_reset(out);
    if (x->text.n == 0 || sy_egress_apply(&d->egress, sy_buf_span(&x->text), out, &verdict, &why) ||
        verdict == SY_EGRESS_WITHHELD)
        return false;
    if (verdict == SY_EGRESS_WHOLE)
        sy_buf_span_put(out, sy_buf_span(&x->text));
    return true;
}

static const char *const kind_words[] = {"https", "alertmanager", "mqtt", "webhook", "mail"};

static const char *kind_word(const sy_destination *d)
{
    size_t i = (size_t)d->kind;
    return i < sizeof kind_words / sizeof *kind_words ? kind_words[i] : "";
}

static void show_text(const sy_destination *d, const example *v, sy_buf *b)
{
    bool zh = sy_locale() == SY_ZH;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_buf_printf(b, "%s (%s, %s)\n", d->name, kind_word(d), d->url);
    put_words(b, zh ? "  发送：" : "  leaves:", d->egress.classes, false, false);
    put_words(b, zh ? "  从不发送：" : "  never leaves:", SY_EGRESS_ALL & ~d->egress.classes, false,
              false);
    put_words(b, zh ? "  去除：" : "  taken out:", d->egress.redact, true, false);
    for (int i = 0; i < SY_EGRESS_N; i++) {
        if (!leaves(d, &v[i], &text))
            continue;
        sy_buf_printf(b, "  %s (%s):\n    ", sy_egress_class_word((sy_egress_class)i),
                      v[i].made ? (zh ? "依配置生成" : "made of the configuration")
                                : (zh ? "数据目录中最新的" : "the newest of the data folder"));
        sy_buf_span_put(b, sy_buf_span(&text));
        sy_buf_char(b, '\n');
    }
    sy_buf_fini(&text);
}

static void show_json(const sy_destination *d, const example *v, sy_buf *b)
{
    size_t n = 0;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    member(b, "\n  {\"name\": ", d->name);
    member(b, ", \"kind\": ", kind_word(d));
    member(b, ", \"url\": ", d->url);
    put_words(b, ", \"classes\": [", d->egress.classes, false, true);
    put_words(b, "], \"withheld\": [", SY_EGRESS_ALL & ~d->egress.classes, false, true);
    put_words(b, "], \"redact\": [", d->egress.redact, true, true);
    sy_buf_text(b, "], \"examples\": {");
    for (int i = 0; i < SY_EGRESS_N; i++) {
        if (!leaves(d, &v[i], &text))
            continue;
        sy_buf_printf(b, "%s\n    \"%s\": {\"from\": \"%s\", \"event\": ", n++ ? "," : "",
                      sy_egress_class_word((sy_egress_class)i), v[i].made ? "made" : "store");
        sy_buf_span_put(b, sy_buf_span(&text));
        sy_buf_char(b, '}');
    }
    sy_buf_text(b, "}}");
    sy_buf_fini(&text);
}

static int show(const sy_config *c, sy_store *s, bool json)
{
    example v[SY_EGRESS_N];
    sy_fail f = {0};
    sy_buf out;
    for (int i = 0; i < SY_EGRESS_N; i++) {
        sy_buf_init(&v[i].text, sy_heap());
        v[i].made = false;
    }
    sy_buf_init(&out, sy_heap());
    sy_err e = find(s, c, v, &f);
    if (json)
        sy_buf_char(&out, '[');
    for (size_t i = 0; i < c->n_destinations && !e; i++) {
        if (i)
            sy_buf_text(&out, json ? "," : "\n");
        (json ? show_json : show_text)(&c->destinations[i], v, &out);
    }
    if (json)
        sy_buf_text(&out, c->n_destinations ? "\n]\n" : "]\n");
    if (e)
        fprintf(stderr, "steelyard egress: %s\n", f.text);
    int rc = e || !sy_stored_flush("egress", &out) ? 1 : 0;
    for (int i = 0; i < SY_EGRESS_N; i++)
        sy_buf_fini(&v[i].text);
    sy_buf_fini(&out);
    return rc;
}

int sy_cmd_egress(int argc, char **argv)
{
    static const struct option options[] = {
        {"show", no_argument, NULL, 's'},       {"config", required_argument, NULL, 'c'},
        {"data", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    const char *file = NULL, *data = NULL;
    bool json = false, shows = false;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help, stdout);
            return 0;
        }
        if (c == '?')
            return 2;
        file = c == 'c' ? optarg : file;
        data = c == 'd' ? optarg : data;
        json = json || c == 'j';
        shows = shows || c == 's';
    }
    if (!shows || !file || optind != argc) {
        fputs(
            "steelyard egress: --show and --config FILE are needed; see steelyard egress --help\n",
            stderr);
        return 2;
    }
    sy_config *c = NULL;
    sy_fail f = {0};
    if (sy_config_file_load(file, data, &c, &f)) {
        fprintf(stderr, "steelyard egress: %s\n", f.text);
        return 2;
    }
    sy_store *s = data ? sy_stored_open("egress", data) : NULL;
    int rc = data && !s ? 1 : show(c, s, json);
    sy_store_close(s);
    sy_config_unref(c);
    return rc;
}
