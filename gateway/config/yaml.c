/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libfyaml 0.7 behind a tree of ours. The library's document is copied at once into the arena and
 * freed, so that its lifetime, its threads and its diagnostics end here. FYPCF_RESOLVE_DOCUMENT is
 * never set: with it a short text of nested aliases takes all memory; without it aliases stay what
 * they are, and are refused.
 */
#include "config/yaml.h"

#include <libfyaml.h>
#include <malloc.h>

#include "base/utf8.h"

typedef struct reader {
    sy_arena *nodes, *texts;
    sy_span text;
    sy_yaml_error_fn error;
    void *ctx;
    bool bad;
    bool nomem;
} reader;

static void tell(reader *r, uint32_t at, uint32_t len, const char *code, const char *en,
                 const char *zh)
{
    r->bad = true;
    r->error(r->ctx, at, len, code, en, zh);
}

static bool has_control(sy_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static void *take(reader *r, size_t n)
{
    void *p = sy_arena_get(r->nodes, n);
    if (!p)
        r->nomem = true;
    return p;
}

static sy_ynode *copy(reader *r, struct fy_node *from, uint32_t at, uint32_t len);

static void copy_scalar(reader *r, struct fy_node *from, sy_ynode *n)
{
    struct fy_token *token = fy_node_get_scalar_token(from);
    const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
    const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
    bool wide = start && end && end->input_pos > start->input_pos;
    n->quoted = token && fy_node_get_style(from) != FYNS_PLAIN;
    /* Nothing at all has no place of its own; some versions of the library give it one, of length
     * 0. */
    if (start && start->line >= 0 && start->input_pos <= r->text.n && (wide || n->quoted)) {
        n->at = (uint32_t)start->input_pos;
        n->len = wide ? (uint32_t)(end->input_pos - start->input_pos) : 1;
    }
    if (fy_node_is_alias(from)) {
        tell(r, n->at ? n->at - 1 : 0, n->len + 1, "yaml-alias",
             "aliases (*name) are not taken; write the value again",
             "不接受别名（*名称）；请重写其值");
        return;
    }
    size_t size = 0;
    const char *text = fy_node_get_scalar(from, &size);
    sy_span raw = {text, text ? size : 0};
    if (has_control(raw)) {
        tell(r, n->at, n->len, "yaml-control", "a control character in a value",
             "值中含有控制字符");
        return;
    }
    const char *own = sy_arena_text(r->texts, raw);
    if (!own) {
        r->nomem = true;
        return;
    }
    n->text = (sy_span){own, raw.n};
}

static void copy_list(reader *r, struct fy_node *from, sy_ynode *n)
{
    int count = fy_node_sequence_item_count(from);
    sy_ynode **values = take(r, (size_t)(count > 0 ? count : 1) * sizeof *values);
    void *it = NULL;
    for (struct fy_node *v; values && !r->nomem && (v = fy_node_sequence_iterate(from, &it));)
        values[n->n++] = copy(r, v, n->at, n->len);
    for (size_t i = 0; i < n->n && !r->nomem; i++) { /* an item has no key: its first one's place */
        sy_ynode *item = values[i];
        if (item->kind == SY_Y_MAP && item->n) {
            item->at = item->keys[0]->at;
            item->len = item->keys[0]->len;
        }
    }
    n->values = values;
}

static void copy_map(reader *r, struct fy_node *from, sy_ynode *n)
{
    int count = fy_node_mapping_item_count(from);
    size_t room = (size_t)(count > 0 ? count : 1);
    sy_ynode **keys = take(r, room * sizeof *keys);
    sy_ynode **values = take(r, room * sizeof *keys);
    void *it = NULL;
    for (struct fy_node_pair *p;
         !r->nomem && keys && values && (p = fy_node_mapping_iterate(from, &it));) {
        struct fy_node *key = fy_node_pair_key(p);
        if (!key || !fy_node_is_scalar(key)) {
            tell(r, n->at, n->len, "yaml-key", "a key must be a plain word", "键必须是简单的词");
            continue;
        }
        sy_ynode *k = copy(r, key, n->at, n->len);
        if (!k)
            return;
        keys[n->n] = k;
        values[n->n++] = copy(r, fy_node_pair_value(p), k->at, k->len);
    }
    n->keys = keys;
    n->values = values;
}

/* The place is the parent's or the key's until the node has one of its own. Recursion is bounded by
 * the library's depth limit. */
static sy_ynode *copy(reader *r, struct fy_node *from, uint32_t at, uint32_t len)
{
    sy_ynode *n = take(r, sizeof *n);
    if (!n)
        return NULL;
    n->at = at;
    n->len = len;
    if (from && fy_node_get_tag_token(from))
        tell(r, at, len, "yaml-tag", "tags (!name) are not taken", "不接受标签（!名称）");
    if (!from || fy_node_is_scalar(from)) {
        n->kind = SY_Y_SCALAR;
        n->text = (sy_span){"", 0};
        if (from)
            copy_scalar(r, from, n);
    } else if (fy_node_is_sequence(from)) {
        n->kind = SY_Y_LIST;
        copy_list(r, from, n);
    } else {
        n->kind = SY_Y_MAP;
        copy_map(r, from, n);
    }
    return n;
}

/* The byte that a 1-based line and column of the library mean. */
static uint32_t offset_of(sy_span text, int line, int column)
{
    size_t i = 0;
    for (int l = 1; l < line; l++) {
        const char *nl = memchr(text.p + i, '\n', text.n - i);
        if (!nl)
            break;
        i = (size_t)(nl - text.p) + 1;
    }
    for (int c = 1; c < column && i < text.n && text.p[i] != '\n'; c++) {
        uint32_t cp;
        size_t step = sy_utf8_next(text.p + i, text.n - i, &cp);
        i += step ? step : 1;
    }
    return (uint32_t)i;
}

static void tell_library(reader *r, struct fy_diag *diag)
{
    void *it = NULL;
    struct fy_diag_error *e;
    while ((e = fy_diag_errors_iterate(diag, &it)) && e->msg) {
        char zh[256] = "YAML 语法：";
        size_t head = strlen(zh), n = strlen(e->msg);
        n = n < sizeof zh - head - 1 ? n : sizeof zh - head - 1;
        memcpy(zh + head, e->msg, n);
        tell(r, offset_of(r->text, e->line, e->column), 1, "yaml", e->msg, zh);
    }
    if (!r->bad)
        tell(r, 0, 0, "yaml", "not well-formed YAML", "不是合法的 YAML");
}

static sy_err read_documents(reader *r, struct fy_parser *p, struct fy_diag *diag,
                             const sy_ynode **root)
{
    struct fy_document *doc = fy_parse_load_document(p);
    if (!doc) {
        if (fy_parser_get_stream_error(p))
            tell_library(r, diag);
        return r->bad ? SY_E_PARSE : SY_OK;
    }
    struct fy_node *top = fy_document_root(doc);
    if (top)
        *root = copy(r, top, 0, 0);
    fy_parse_document_destroy(p, doc);
    doc = fy_parse_load_document(p);
    if (doc) {
        fy_parse_document_destroy(p, doc);
        tell(r, 0, 0, "yaml-documents", "a second document begins in this file (a line ---)",
             "文件中有第二个文档（--- 行）");
    } else if (fy_parser_get_stream_error(p)) {
        tell_library(r, diag);
    }
    if (r->nomem)
        return SY_E_NOMEM;
    return r->bad ? SY_E_PARSE : SY_OK;
}

sy_err sy_yaml_parse(sy_span text, sy_arena *nodes, sy_arena *texts, sy_yaml_error_fn error,
                     void *ctx, const sy_ynode **root)
{
    reader r = {.nodes = nodes, .texts = texts, .text = text, .error = error, .ctx = ctx};
    *root = NULL;
    if (text.n == 0)
        return SY_OK;
    size_t good = sy_utf8_check(text); /* the library takes malformed bytes as they are */
    if (good < text.n || memchr(text.p, 0, text.n)) {
        const char *nul = good < text.n ? NULL : memchr(text.p, 0, text.n);
        tell(&r, nul ? (uint32_t)(nul - text.p) : (uint32_t)good, 1, "not-utf8",
             "not UTF-8 text; save the file as UTF-8", "不是 UTF-8 文本；请另存为 UTF-8");
        return SY_E_PARSE;
    }
    struct fy_diag_cfg dc;
    fy_diag_cfg_default(&dc);
    dc.fp = NULL;
    struct fy_diag *diag = fy_diag_create(&dc);
    if (!diag)
        return SY_E_NOMEM;
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg pc = {.flags = FYPCF_QUIET, .diag = diag};
    struct fy_parser *p = fy_parser_create(&pc);
    sy_err rc = SY_E_NOMEM;
    if (p && fy_parser_set_string(p, text.p, text.n) == 0)
        rc = read_documents(&r, p, diag, root);
    fy_parser_destroy(p);
    fy_diag_destroy(diag);
    malloc_trim(0); /* the library took some 60 times the text's size */
    return rc;
}

const sy_ynode *sy_yaml_get(const sy_ynode *map, const char *key)
{
    for (size_t i = 0; map && map->kind == SY_Y_MAP && i < map->n; i++)
        if (sy_span_is(map->keys[i]->text, key))
            return map->values[i];
    return NULL;
}
