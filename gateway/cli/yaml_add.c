/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/yaml_add.h"

#include <stdlib.h>

/* ---- where things are in the text ---- */

static size_t line_start(sy_span t, size_t at)
{
    while (at > 0 && t.p[at - 1] != '\n')
        at--;
    return at;
}

/* Behind the line's end, or the end of the text. */
static size_t line_after(sy_span t, size_t at)
{
    const char *nl = at < t.n ? memchr(t.p + at, '\n', t.n - at) : NULL;
    return nl ? (size_t)(nl - t.p) + 1 : t.n;
}

/* Past blanks, line ends and comments. */
static size_t skip_space(sy_span t, size_t at)
{
    while (at < t.n) {
        if (t.p[at] == '#')
            at = line_after(t, at);
        else if (memchr(" \t\r\n", t.p[at], 4))
            at++;
        else
            break;
    }
    return at;
}

/* Past a quoted scalar that begins here. */
static size_t skip_quoted(sy_span t, size_t at)
{
    char quote = t.p[at++];
    for (; at < t.n; at++) {
        bool twice = quote == '\'' && t.p[at] == quote && at + 1 < t.n && t.p[at + 1] == quote;
        if (twice || (quote == '"' && t.p[at] == '\\'))
            at++;
        else if (t.p[at] == quote)
            break;
    }
    return at < t.n ? at + 1 : t.n;
}

/* The bracket that closes the one here, t.n where there is none; *last: the last byte before it
 * that is neither blank nor comment. */
static size_t closing(sy_span t, size_t at, size_t *last)
{
    int depth = 0;
    bool fresh = true; /* a quote here would begin a scalar */
    *last = at;
    while (at < t.n) {
        char c = t.p[at];
        if (fresh && (c == '"' || c == '\'')) {
            at = skip_quoted(t, at);
            *last = at - 1;
            fresh = false;
            continue;
        }
        if (c == '#' && memchr(" \t\n", t.p[at - 1], 3)) {
            at = line_after(t, at);
            continue;
        }
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        if (depth == 0)
            return at;
        if (!memchr(" \t\r\n", c, 4)) {
            fresh = memchr("[{,:", c, 4) != NULL;
            *last = at;
        }
        at++;
    }
    return t.n;
}

static size_t key_end(sy_span t, const sy_ynode *key)
{
    size_t at = key->at;
    at = at < t.n && (t.p[at] == '"' || t.p[at] == '\'') ? skip_quoted(t, at) : at + key->len;
    at = skip_space(t, at);
    return at < t.n && (t.p[at] == '"' || t.p[at] == '\'') ? skip_space(t, at + 1) : at;
}

static const sy_ynode *key_of(const sy_ynode *map, const char *key, const sy_ynode **value)
{
    for (size_t i = 0; map && map->kind == SY_Y_MAP && i < map->n; i++)
        if (sy_span_is(map->keys[i]->text, key)) {
            *value = map->values[i];
            return map->keys[i];
        }
    return NULL;
}

/* ---- the edits ---- */

static void put_items(sy_buf *b, const char *const *items, size_t n, const char *before,
                      const char *between)
{
    for (size_t i = 0; i < n; i++) {
        sy_buf_text(b, i ? between : before);
        sy_buf_text(b, items[i]);
    }
}

static void put_lines(sy_buf *b, const char *const *items, size_t n, size_t indent)
{
    for (size_t i = 0; i < n; i++)
        sy_buf_printf(b, "%*s- %s\n", (int)indent, "", items[i]);
}

static sy_err into_flow(sy_span t, size_t open, bool empty, const char *const *items, size_t n,
                        sy_yaml_edit *e, sy_fail *f)
{
    size_t last, end = closing(t, open, &last);
    if (end == t.n)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "a list that does not end");
    /* A comment at the end of its line would take the item in; then it goes before the bracket. */
    bool comment = memchr(t.p + last + 1, '#', end - last - 1) != NULL;
    e->at = comment ? end : last + 1;
    bool comma = !empty && t.p[last] != ',';
    put_items(&e->text, items, n, comma ? ", " : "", ", ");
    return SY_OK;
}

static size_t indent_of(sy_span t, size_t line)
{
    size_t at = line;
    while (at < t.n && t.p[at] == ' ')
        at++;
    return at - line;
}

static bool is_item(sy_span t, size_t at)
{
    return at < t.n && t.p[at] == '-' && (at + 1 == t.n || memchr(" \t\r\n", t.p[at + 1], 4));
}

/* After the last line of a block list whose first item begins at `first`. */
static sy_err into_block(sy_span t, size_t first, const char *const *items, size_t n,
                         sy_yaml_edit *e, sy_fail *f)
{
    size_t line = line_start(t, first), indent = first - line, end = line;
    if (!is_item(t, first) || indent_of(t, line) != indent)
        return sy_fail_set(f, SY_E_UNSUPPORTED,
                           "a list is written in a way that cannot be added to");
    for (; line < t.n; line = line_after(t, line)) {
        size_t own = indent_of(t, line), at = line + own;
        if (at == t.n || memchr("#\r\n", t.p[at], 3))
            continue; /* blank, or a comment: it stays behind what is added unless more follows */
        if (own < indent || (own == indent && !is_item(t, at)))
            break;
        end = line_after(t, line);
    }
    e->at = end;
    if (end > 0 && t.p[end - 1] != '\n')
        sy_buf_char(&e->text, '\n');
    put_lines(&e->text, items, n, indent);
    return SY_OK;
}

/* The map has no such key: put it behind the map's first value, in the map's own style. */
static sy_err new_key(sy_span t, const sy_ynode *map, const char *key, const char *const *items,
                      size_t n, sy_yaml_edit *e, sy_fail *f)
{
    const sy_ynode *first = map->keys[0], *value = map->values[0];
    size_t column = first->at - line_start(t, first->at);
    if (column == 0 && t.p[first->at] != '"') {
        e->at = t.n;
        sy_buf_text(&e->text, t.n && t.p[t.n - 1] != '\n' ? "\n" : "");
        sy_buf_printf(&e->text, "%s:\n", key);
        put_lines(&e->text, items, n, 2);
        return SY_OK;
    }
    if (value->kind != SY_Y_SCALAR)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "write \"%s: []\" where it belongs first", key);
    size_t at = value->at;
    at = t.p[at] == '"' || t.p[at] == '\'' ? skip_quoted(t, at) : at + value->len;
    at += at < t.n && value->quoted && (t.p[at] == '"' || t.p[at] == '\'');
    size_t next = skip_space(t, at);
    if (next < t.n && (t.p[next] == ',' || t.p[next] == '}')) {
        e->at = at;
        sy_buf_printf(&e->text, ", %s: [", key);
        put_items(&e->text, items, n, "", ", ");
        sy_buf_char(&e->text, ']');
        return SY_OK;
    }
    size_t indent = first->at - line_start(t, first->at);
    e->at = line_after(t, at);
    if (e->at > 0 && t.p[e->at - 1] != '\n')
        sy_buf_char(&e->text, '\n');
    sy_buf_printf(&e->text, "%*s%s:\n", (int)indent, "", key);
    put_lines(&e->text, items, n, indent + 2);
    return SY_OK;
}

sy_err sy_yaml_add(sy_span text, const sy_ynode *map, const char *key, const char *const *items,
                   size_t n, sy_yaml_edit *edit, sy_fail *f)
{
    const sy_ynode *list = NULL, *at_key = key_of(map, key, &list);
    sy_buf_init(&edit->text, sy_heap());
    edit->at = text.n;
    if (!map || map->kind != SY_Y_MAP || map->n == 0)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "there is nothing to put '%s' into", key);
    if (!at_key)
        return new_key(text, map, key, items, n, edit, f);
    size_t at = key_end(text, at_key);
    if (at >= text.n || text.p[at] != ':')
        return sy_fail_set(f, SY_E_UNSUPPORTED, "the list '%s' cannot be found in the text", key);
    size_t first = skip_space(text, at + 1);
    if (first < text.n && text.p[first] == '[')
        return into_flow(text, first, list->n == 0, items, n, edit, f);
    if (list->kind == SY_Y_LIST && list->n > 0)
        return into_block(text, first, items, n, edit, f);
    size_t indent = at_key->at - line_start(text, at_key->at) + 2; /* "key:" and nothing */
    edit->at = line_after(text, at);
    if (edit->at > 0 && text.p[edit->at - 1] != '\n')
        sy_buf_char(&edit->text, '\n');
    put_lines(&edit->text, items, n, indent);
    return SY_OK;
}

/* The indices of the edits by place; at most 8. */
static size_t in_order(const sy_yaml_edit *edits, size_t n, size_t order[8])
{
    n = n < 8 ? n : 8;
    for (size_t i = 0; i < n; i++) {
        size_t k = i;
        for (; k > 0 && edits[order[k - 1]].at > edits[i].at; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    return n;
}

void sy_yaml_apply(sy_span text, const sy_yaml_edit *edits, size_t n, sy_buf *out)
{
    size_t order[8], from = 0;
    n = in_order(edits, n, order);
    for (size_t i = 0; i < n; i++) {
        const sy_yaml_edit *e = &edits[order[i]];
        sy_buf_put(out, text.p + from, e->at - from);
        sy_buf_span_put(out, sy_buf_span(&e->text));
        from = e->at;
    }
    sy_buf_put(out, text.p + from, text.n - from);
}

static void put_prefixed(sy_buf *out, char mark, sy_span lines)
{
    while (lines.n > 0) {
        size_t n = line_after(lines, 0);
        bool ended = lines.p[n - 1] == '\n';
        sy_buf_char(out, mark);
        sy_buf_put(out, lines.p, n);
        sy_buf_text(out, ended ? "" : "\n");
        lines = (sy_span){lines.p + n, lines.n - n};
    }
}

void sy_yaml_diff(const char *file, sy_span text, const sy_yaml_edit *edits, size_t n, sy_buf *out)
{
    size_t order[8];
    n = in_order(edits, n, order);
    sy_buf_printf(out, "--- %s\n+++ %s\n", file, file);
    for (size_t i = 0; i < n; i++) {
        const sy_yaml_edit *e = &edits[order[i]];
        size_t start = line_start(text, e->at), line = 1;
        for (size_t k = 0; k < start; k++)
            line += text.p[k] == '\n';
        sy_buf_printf(out, "@@ line %zu @@\n", line);
        if (start == e->at) {
            put_prefixed(out, '+', sy_buf_span(&e->text));
            continue;
        }
        size_t end = line_after(text, e->at);
        sy_buf whole;
        sy_buf_init(&whole, sy_heap());
        sy_buf_put(&whole, text.p + start, e->at - start);
        sy_buf_span_put(&whole, sy_buf_span(&e->text));
        sy_buf_put(&whole, text.p + e->at, end - e->at);
        put_prefixed(out, '-', (sy_span){text.p + start, end - start});
        put_prefixed(out, '+', sy_buf_span(&whole));
        sy_buf_fini(&whole);
    }
}
