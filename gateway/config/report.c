/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings: what a check says, collected all at once and printed like the diagnostics of rules.
 *
 * They outlive the configuration that they are about (a refused one is freed before they are
 * printed), so texts and sources are copied into the findings' own arena.
 */
#include <stdio.h>
#include <stdlib.h>

#include "config/config_int.h"

void *sy_cfg_get(sy_loader *l, size_t n)
{
    void *p = sy_arena_get(l->arena, n);
    if (!p)
        l->nomem = true;
    return p;
}

const char *sy_cfg_copy(sy_loader *l, sy_span text)
{
    const char *p = sy_arena_text(l->arena, text);
    if (!p)
        l->nomem = true;
    return p;
}

/* Room for one more, or NULL where there are too many or no memory; errors are counted anyway. */
static sy_finding *more(sy_findings *fs, sy_severity severity)
{
    if (severity == SY_DIAG_ERROR)
        fs->errors++;
    if (fs->n >= SY_CFG_FINDINGS_MAX)
        return NULL;
    if (fs->n == fs->cap) {
        size_t cap = fs->cap ? fs->cap * 2 : 16;
        sy_finding *v = sy_arena_get(fs->arena, cap * sizeof *v);
        if (!v)
            return NULL;
        if (fs->n)
            memcpy(v, fs->v, fs->n * sizeof *v);
        fs->v = v;
        fs->cap = cap;
    }
    return &fs->v[fs->n++];
}

static const char *keep(sy_findings *fs, const char *text)
{
    const char *p = text ? sy_arena_text(fs->arena, sy_span_of(text)) : NULL;
    return text && !p ? "" : p;
}

void sy_findings_add(sy_findings *fs, const char *file, const char *code, const char *en,
                     const char *zh)
{
    sy_finding *f = more(fs, SY_DIAG_ERROR);
    if (f)
        *f = (sy_finding){.severity = SY_DIAG_ERROR,
                          .file = keep(fs, file),
                          .code = code,
                          .en = keep(fs, en),
                          .zh = keep(fs, zh)};
}

static const sy_source *source_copy(sy_loader *l, const sy_source *from)
{
    for (size_t i = 0; i < l->n_copied; i++)
        if (l->copied[i].from == from)
            return l->copied[i].to;
    sy_source *to = sy_arena_get(l->findings->arena, sizeof *to);
    const char *text = to ? sy_arena_text(l->findings->arena, from->text) : NULL;
    if (!text || l->n_copied == SY_CFG_TEXTS_MAX)
        return NULL;
    *to = (sy_source){keep(l->findings, from->name), {text, from->text.n}};
    l->copied[l->n_copied++] = (sy_copied){from, to};
    return to;
}

void sy_cfg_report_diag(sy_loader *l, const sy_diag *d)
{
    sy_findings *fs = l->findings;
    sy_finding *f = more(fs, d->severity);
    if (!f)
        return;
    *f = (sy_finding){.severity = d->severity,
                      .file = keep(fs, l->c->file),
                      .code = keep(fs, d->code),
                      .en = keep(fs, d->en),
                      .zh = keep(fs, d->zh),
                      .near = keep(fs, d->near)};
    const sy_source *source = d->pos.source ? source_copy(l, d->pos.source) : NULL;
    sy_diag *own = source ? sy_arena_get(fs->arena, sizeof *own) : NULL;
    if (!own)
        return;
    *own = (sy_diag){d->severity, f->code, {source, d->pos.at, d->pos.len}, f->en, f->zh, f->near};
    f->diag = own;
    f->file = source->name;
    sy_pos_line(own->pos, &f->line, &f->column);
}

void sy_cfg_report(sy_loader *l, sy_severity severity, const sy_ynode *at, const char *code,
                   const char *near, const char *en, const char *zh, ...)
{
    char text_en[640], text_zh[640];
    va_list args, again;
    va_start(args, zh);
    va_copy(again, args);
    vsnprintf(text_en, sizeof text_en, en, args);
    vsnprintf(text_zh, sizeof text_zh, zh, again);
    va_end(again);
    va_end(args);
    sy_diag d = {severity, code, {.source = &l->sources[l->at_source]}, text_en, text_zh, near};
    if (at) {
        d.pos.at = at->at;
        d.pos.len = at->len;
    }
    sy_cfg_report_diag(l, &d);
}

/* The configuration file first, by place; what is about other texts stays as it was told. */
static bool after(const char *first, const sy_finding *a, const sy_finding *b)
{
    bool later_a = strcmp(a->file, first) != 0, later_b = strcmp(b->file, first) != 0;
    if (later_a || later_b)
        return later_a && !later_b;
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* Stable; at most SY_CFG_FINDINGS_MAX. */
void sy_findings_sort(sy_findings *fs, const char *first)
{
    for (size_t i = 1; i < fs->n; i++)
        for (size_t k = i; k > 0 && after(first, &fs->v[k - 1], &fs->v[k]); k--) {
            sy_finding t = fs->v[k];
            fs->v[k] = fs->v[k - 1];
            fs->v[k - 1] = t;
        }
}

static const char *severity_text(sy_severity s, sy_lang lang)
{
    static const char *const texts[][2] = {
        [SY_DIAG_ERROR] = {"error", "错误"},
        [SY_DIAG_WARNING] = {"warning", "警告"},
        [SY_DIAG_NOTE] = {"note", "提示"},
    };
    return texts[s][lang == SY_ZH];
}

void sy_findings_print(const sy_findings *fs, sy_lang lang, sy_buf *out)
{
    for (size_t i = 0; i < fs->n; i++) {
        const sy_finding *f = &fs->v[i];
        if (f->diag) {
            sy_diag_print(f->diag, lang, out);
            continue;
        }
        sy_buf_printf(out, "%s: %s: %s\n", f->file, severity_text(f->severity, lang),
                      lang == SY_ZH ? f->zh : f->en);
    }
}

void sy_findings_json(const sy_findings *fs, sy_buf *out)
{
    sy_buf_char(out, '[');
    for (size_t i = 0; i < fs->n; i++) {
        const sy_finding *f = &fs->v[i];
        const struct {
            const char *key, *text;
        } texts[] = {{"severity", severity_text(f->severity, SY_EN)},
                     {"code", f->code},
                     {"file", f->file},
                     {"message", f->en},
                     {"message_zh", f->zh},
                     {"near", f->near}};
        sy_buf_text(out, i ? ",\n {" : "\n {");
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            sy_buf_printf(out, "%s\"%s\": ", k ? ", " : "", texts[k].key);
            if (texts[k].text)
                sy_buf_json(out, sy_span_of(texts[k].text));
            else
                sy_buf_text(out, "null");
        }
        sy_buf_printf(out, ", \"line\": %u, \"column\": %u}", f->line, f->column);
    }
    sy_buf_text(out, fs->n ? "\n]\n" : "]\n");
}

static int by_text(const void *a, const void *b)
{
    const sy_cfg_unique *x = a, *y = b;
    int c = strcmp(x->text, y->text);
    return c ? c : (x->node->at > y->node->at) - (x->node->at < y->node->at);
}

void sy_cfg_check_unique(sy_loader *l, sy_cfg_unique *v, size_t n, const char *en, const char *zh)
{
    if (n)
        qsort(v, n, sizeof *v, by_text);
    for (size_t i = 1; i < n; i++)
        if (strcmp(v[i].text, v[i - 1].text) == 0)
            sy_cfg_error(l, v[i].node, "duplicate", NULL, "%s%.0s '%s' is there twice",
                         "%.0s%s“%s”重复", en, zh, v[i].text);
}
