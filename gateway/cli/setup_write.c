/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as YAML. It is written beside the file, read by the checker, and only then put
 * in its place; what was there is kept.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/setup_int.h"

enum { FILE_MAX = 1 << 20 };

/* ---- the text ---- */

static void put(sy_buf *b, const char *before, const char *text, const char *after)
{
    sy_buf_text(b, before);
    sy_buf_json(b, sy_span_of(text));
    sy_buf_text(b, after);
}

/* The chosen rule's file, and the same rules in the other language where they lie beside it. */
static void put_rules(const sy_setup *x, const char *more, sy_buf *b)
{
    char other[SY_SETUP_PATH];
    const char *file = x->rule->pos.source->name;
    const char *end = strstr(file, x->lang == SY_ZH ? ".zh.rules" : ".en.rules");
    put(b, "  rules:\n    - ", file, "\n");
    if (end) {
        snprintf(other, sizeof other, "%.*s.%s.rules", (int)(end - file), file,
                 x->lang == SY_ZH ? "en" : "zh");
        if (access(other, R_OK) == 0)
            put(b, "    - ", other, "\n");
    }
    if (more)
        put(b, "    - ", more, "\n");
}

static void put_site(const sy_setup *x, sy_buf *b)
{
    put(b, "premises:\n  - id: ", x->premises, "\n");
    put(b, "    name: ", x->name, "\n");
    if (*x->code)
        put(b, "    code: ", x->code, "\n");
    sy_buf_printf(b, "    subject: %s\n", x->subject->id);
    if (x->stage)
        sy_buf_printf(b, "    stage: %s\n", x->stage->id);
    put(b, "    time-zone: ", x->zone, "\n    places:\n");
    put(b, "      - id: ", x->place, "\n");
    put(b, "        name: ", x->place_name, "\n");
    sy_buf_printf(b, "        kind: %s\n", x->kind->id);
    if (x->goods)
        sy_buf_printf(b, "        goods: [%s]\n", x->goods->id);
    sy_buf_printf(b, "        points:\n          - quantity: %s\n", x->quantity->id);
    put(b, "            device: ", x->device, "\n");
    put(b, "            name: ", x->point, "\n");
    if (x->quantity->unit)
        put(b, "            unit: ", x->quantity->unit->id, "\n");
    put(b, "            every: ", x->every, "\n");
}

static void put_destination(const sy_setup *x, sy_buf *b)
{
    put(b, "destinations:\n  - name: authority\n    kind: https\n    url: ", x->url, "\n");
    sy_buf_text(b, "    serves: [inspector]\n    tls:\n      ca: authority-ca.pem\n");
    if (x->trust == SY_SETUP_FILES)
        sy_buf_text(b, "      cert: gateway.pem\n      key: gateway.key\n");
}

void sy_setup_yaml(const sy_setup *x, const char *more_rules, sy_buf *b)
{
    sy_buf_text(b,
                SY_SETUP_SAY(x, "# Made by steelyard setup; docs/configuration.md has all keys.\n",
                             "# 由 steelyard setup 生成；全部键见 docs/configuration.md。\n"));
    put(b, "gateway:\n  id: ", x->gateway, "\n");
    put(b, "  data: ", x->data, "\n");
    put_rules(x, more_rules, b);
    put(b, "mqtt:\n  broker: managed\n  listen: [", x->listen, "]\n");
    if (*x->console)
        put(b, "console:\n  listen: ", x->console, "\n");
    put_site(x, b);
    put(b, "devices:\n  - id: ", x->device, "\n");
    put(b, "    transport: mqtt\n    topic: ", x->topic, "\n");
    sy_buf_printf(b, "    format: %s\n", x->format);
    if (x->trust != SY_SETUP_NOBODY)
        put_destination(x, b);
}

/* ---- files ---- */

/* Readable for the service, changed by who set it up. */
static sy_err give(const sy_setup *x, const char *path, sy_fail *f)
{
    if (geteuid() == 0 && chown(path, 0, x->gid) != 0)
        return sy_fail_sys(f, "%s", path);
    return SY_OK;
}

static void stamp(char out[20])
{
    time_t now = time(NULL);
    struct tm t;
    gmtime_r(&now, &t);
    if (strftime(out, 20, "%Y%m%d-%H%M%S", &t) == 0)
        *out = '\0';
}

/* A copy of what is there, under the time. */
static sy_err keep(const sy_setup *x, const char *path, char kept[SY_SETUP_PATH], sy_fail *f)
{
    char when[20];
    sy_buf text;
    *kept = '\0';
    if (access(path, F_OK) != 0)
        return SY_OK;
    stamp(when);
    snprintf(kept, SY_SETUP_PATH, "%.1000s.%s", path, when);
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(path, FILE_MAX, &text, f);
    e = e ? e : sy_file_write(kept, sy_buf_span(&text), 0640, f);
    sy_buf_fini(&text);
    return e ? e : give(x, kept, f);
}

static void beside(const sy_setup *x, const char *name, char out[SY_SETUP_PATH])
{
    const char *slash = strrchr(x->config, '/');
    snprintf(out, SY_SETUP_PATH, "%.*s%s", slash ? (int)(slash - x->config) + 1 : 0, x->config,
             name);
}

static sy_err copy_beside(const sy_setup *x, const char *from, const char *name, sy_fail *f)
{
    char to[SY_SETUP_PATH], kept[SY_SETUP_PATH], *a = realpath(from, NULL), *b = NULL;
    sy_buf text;
    beside(x, name, to);
    b = realpath(to, NULL);
    bool same = a && b && strcmp(a, b) == 0;
    free(a);
    free(b);
    if (same)
        return SY_OK;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(from, FILE_MAX, &text, f);
    e = e ? e : keep(x, to, kept, f);
    e = e ? e : sy_file_write(to, sy_buf_span(&text), geteuid() == 0 ? 0640 : 0600, f);
    e = e ? e : give(x, to, f);
    if (text.p)
        explicit_bzero(text.p, text.n);
    sy_buf_fini(&text);
    return e;
}

/* The configuration's folder, for the service to read where root made it. */
static sy_err make_folder(const sy_setup *x, sy_fail *f)
{
    char folder[SY_SETUP_PATH];
    beside(x, ".", folder);
    if (access(folder, F_OK) == 0)
        return SY_OK;
    sy_err e = sy_dir_make(folder, f);
    if (!e && (chmod(folder, 0750) != 0))
        e = sy_fail_sys(f, "%s", folder);
    return e ? e : give(x, folder, f);
}

sy_err sy_setup_prepare(sy_setup *x, sy_fail *f)
{
    struct stat st;
    sy_err e = sy_dir_make(x->data, f);
    if (!e && stat(x->data, &st) != 0)
        e = sy_fail_sys(f, "%s", x->data);
    if (e)
        return e;
    x->uid = st.st_uid; /* the service reads what is made for it */
    x->gid = st.st_gid;
    e = make_folder(x, f);
    e = e ? e : keep(x, x->config, x->backup, f);
    if (!e && *x->ca)
        e = copy_beside(x, x->ca, "authority-ca.pem", f);
    if (!e && *x->cert)
        e = copy_beside(x, x->cert, "gateway.pem", f);
    if (!e && *x->key)
        e = copy_beside(x, x->key, "gateway.key", f);
    return e;
}

/* What the checker says: its errors, or the sum of it. */
static void tell(const sy_setup *x, sy_span said)
{
    json_t *all = json_loadb(said.p ? said.p : "", said.n, 0, NULL), *one;
    size_t i, warnings = 0;
    json_array_foreach(json_object_get(all, "findings"), i, one)
    {
        const char *severity = json_string_value(json_object_get(one, "severity"));
        const char *message = json_string_value(json_object_get(one, "message"));
        if (severity && strcmp(severity, "error") == 0 && message)
            fprintf(stderr, "  ! %s\n", message);
        else
            warnings++;
    }
    if (json_is_integer(json_object_get(all, "instances")))
        printf(SY_SETUP_SAY(x,
                            "\nChecked: %lld rules, %lld times watched here; %zu remarks, which "
                            "`steelyard check --config %s` shows.\n",
                            "\n已检查：%lld 条规则，在此监测 %lld 处；%zu 条提示，可用 "
                            "steelyard check --config %s 查看。\n"),
               (long long)json_integer_value(json_object_get(all, "rules")),
               (long long)json_integer_value(json_object_get(all, "instances")), warnings,
               x->config);
    json_decref(all);
}

sy_err sy_setup_write(sy_setup *x, const char *more_rules, sy_fail *f)
{
    char draft[SY_SETUP_PATH];
    sy_buf text;
    snprintf(draft, sizeof draft, "%.1000s.setup", x->config);
    sy_buf_init(&text, sy_heap());
    sy_setup_yaml(x, more_rules, &text);
    sy_err e = text.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory")
                           : sy_file_write(draft, sy_buf_span(&text), 0640, f);
    sy_buf_reset(&text);
    const char *args[] = {"check", "--config", draft, "--data", x->data, "--json", NULL};
    e = e ? e : give(x, draft, f);
    e = e ? e : sy_setup_self(x, args, NULL, &text, f);
    if (e || (!more_rules && !*x->test)) /* said before the test */
        tell(x, sy_buf_span(&text));
    if (!e && rename(draft, x->config) != 0)
        e = sy_fail_sys(f, "cannot replace %s", x->config);
    if (e)
        (void)unlink(draft);
    sy_buf_fini(&text);
    return e;
}
