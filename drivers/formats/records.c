/* SPDX-License-Identifier: Apache-2.0 */
/* Records gathered before they are given, and how scalars of JSON become records. */
#include "drivers/formats/records.h"

#include "drivers/formats/json_in.h"

#include <math.h>
#include <stdio.h>

void sy_records_init(sy_records *l)
{
    l->v = l->few;
    l->n = 0;
    l->cap = SY_RECORDS_FEW;
    l->max = SY_RECORDS_MAX;
    l->err = SY_OK;
    l->none_is_fine = false;
    sy_arena_init(&l->arena, sy_heap(), 0);
}

void sy_records_fini(sy_records *l)
{
    sy_alloc heap = sy_heap();
    if (l->v != l->few)
        heap.resize(heap.ctx, l->v, 0);
    sy_arena_fini(&l->arena);
}

/* Room for one more than there are. */
static sy_err grow(sy_records *l)
{
    void *v = l->v == l->few ? NULL : l->v;
    size_t cap = v ? l->cap : 0;
    sy_err e = sy_grow(sy_heap(), &v, &cap, v ? l->n + 1 : 4 * SY_RECORDS_FEW, sizeof *l->v);
    if (e)
        return e;
    if (l->v == l->few)
        memcpy(v, l->few, sizeof l->few);
    l->v = v;
    l->cap = cap;
    return SY_OK;
}

void sy_records_add(sy_records *l, const sy_record *r)
{
    if (l->err)
        return;
    if (l->n == l->max)
        l->err = SY_E_RANGE;
    else if (l->n == l->cap)
        l->err = grow(l);
    if (!l->err)
        l->v[l->n++] = *r;
}

void sy_records_number(sy_records *l, const sy_record *like, const char *name, double v,
                       const char *unit)
{
    sy_record r = *like;
    r.name = r.local = sy_span_of(name);
    r.kind = SY_REC_NUMBER;
    r.number = v;
    r.unit = sy_span_of(unit ? unit : "");
    sy_records_add(l, &r);
}

void sy_records_fault(sy_records *l, const sy_record *like, sy_span name)
{
    sy_record r = *like;
    r.name = r.local = name;
    r.kind = SY_REC_NULL;
    r.quality = sy_quality_worsen(r.quality, SY_Q_BAD, SY_Q_DEVICE_FAULT);
    sy_records_add(l, &r);
}

sy_span sy_records_text(sy_records *l, sy_span text)
{
    char *copy = sy_arena_text(&l->arena, text);
    if (copy)
        return (sy_span){copy, text.n};
    l->err = SY_E_NOMEM;
    return (sy_span){"", 0};
}

sy_err sy_base64url(sy_arena *a, sy_span octets, sy_span *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *text = sy_arena_get(a, octets.n / 3 * 4 + 4);
    if (!text)
        return SY_E_NOMEM;
    size_t n = 0;
    unsigned bits = 0, held = 0;
    for (size_t i = 0; i < octets.n; i++) {
        held = (held << 8 | (unsigned char)octets.p[i]) & 0xffff;
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            text[n++] = digits[held >> bits & 63];
        }
    }
    if (bits > 0)
        text[n++] = digits[held << (6 - bits) & 63];
    *out = (sy_span){text, n};
    return SY_OK;
}

sy_span sy_records_base64url(sy_records *l, sy_span octets)
{
    sy_span text = {"", 0};
    if (sy_base64url(&l->arena, octets, &text) != SY_OK)
        l->err = SY_E_NOMEM;
    return text;
}

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool sy_records_base64(sy_records *l, sy_span text, sy_span *out)
{
    while (text.n && memchr(" \t\r\n", text.p[0], 4))
        text = (sy_span){text.p + 1, text.n - 1};
    while (text.n && memchr(" \t\r\n=", text.p[text.n - 1], 5))
        text.n--;
    char *p = text.n % 4 == 1 ? NULL : sy_arena_get(&l->arena, text.n / 4 * 3 + 3);
    size_t n = 0;
    unsigned bits = 0, held = 0;
    for (size_t i = 0; p && i < text.n; i++) {
        int d = digit64(text.p[i]);
        if (d < 0)
            return false;
        held = (held << 6 | (unsigned)d) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            p[n++] = (char)(held >> bits & 0xff);
        }
    }
    *out = (sy_span){p, n};
    return p && n > 0;
}

sy_span sy_records_join(sy_records *l, sy_span prefix, sy_span key)
{
    if (prefix.n == 0)
        return key;
    size_t n = prefix.n + 1 + key.n;
    char *p = sy_arena_get(&l->arena, n + 1);
    if (!p) {
        l->err = SY_E_NOMEM;
        return (sy_span){"", 0};
    }
    memcpy(p, prefix.p, prefix.n);
    p[prefix.n] = '.';
    if (key.n)
        memcpy(p + prefix.n + 1, key.p, key.n);
    return (sy_span){p, n};
}

sy_err sy_records_emit(const sy_records *l, sy_record_fn sink, void *ctx, sy_fail *f)
{
    if (l->err == SY_E_RANGE)
        return sy_fail_set(f, SY_E_RANGE, "more than %zu records", l->max);
    if (l->err)
        return sy_fail_set(f, l->err, "no memory for the message");
    if (l->n == 0 && !l->none_is_fine)
        return sy_fail_set(f, SY_E_PARSE, "no reading in the message");
    for (size_t i = 0; i < l->n; i++) {
        sy_err e = sink(ctx, &l->v[i]);
        if (e)
            return e;
    }
    return SY_OK;
}

sy_err sy_bytes_decode(sy_bytes_fill fill, sy_span payload, sy_record_fn sink, void *ctx,
                       sy_fail *f)
{
    sy_records l;
    sy_records_init(&l);
    sy_err e = fill(&l, payload, f);
    if (!e)
        e = sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    return e;
}

sy_err sy_json_decode(sy_json_fill fill, sy_span payload, sy_record_fn sink, void *ctx, sy_fail *f)
{
    json_t *root;
    sy_records l;
    sy_err e = sy_json_in(payload, &root, f);
    if (e)
        return e;
    sy_records_init(&l);
    e = fill(&l, root, f);
    if (!e)
        e = sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    json_decref(root);
    return e;
}

bool sy_json_scalar(const json_t *v, sy_record *r)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        r->kind = SY_REC_TEXT;
        r->text = (sy_span){json_string_value(v), json_string_length(v)};
        return true;
    case JSON_REAL:
    case JSON_INTEGER:
        r->kind = SY_REC_NUMBER;
        r->number = json_number_value(v);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        r->kind = SY_REC_BOOL;
        r->number = json_is_true(v) ? 1.0 : 0.0;
        return true;
    case JSON_NULL:
        r->kind = SY_REC_NULL;
        return true;
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    return false;
}

/* The nesting is bounded by the reader (json_in.h). */
// NOLINTNEXTLINE(misc-no-recursion)
static void flat(sy_records *l, const sy_record *like, sy_span path, size_t local, const json_t *v,
                 bool (*skip)(sy_span path, sy_span key, const json_t *v))
{
    sy_span key = {path.p + path.n - local, local};
    if (l->err || (skip && path.n && skip(path, key, v)))
        return;
    if (json_is_object(v)) {
        const char *k;
        size_t n;
        json_t *item;
        json_object_keylen_foreach((json_t *)v, k, n, item)
        {
            sy_span step = {k, n};
            flat(l, like, sy_records_join(l, path, step), step.n, item, skip);
        }
        return;
    }
    if (json_is_array(v)) {
        for (size_t i = 0; i < json_array_size(v); i++) {
            char text[24];
            int n = snprintf(text, sizeof text, "%zu", i);
            sy_span step = {text, (size_t)n};
            step = path.n ? sy_records_join(l, path, step) : sy_records_text(l, step);
            flat(l, like, step, path.n ? local + 1 + (size_t)n : step.n, json_array_get(v, i),
                 skip);
        }
        return;
    }
    sy_record r = *like;
    r.name = path;
    r.local = key;
    if (sy_json_scalar(v, &r))
        sy_records_add(l, &r);
}

void sy_json_flat(sy_records *l, const sy_record *like, sy_span prefix, const json_t *v,
                  bool (*skip)(sy_span path, sy_span key, const json_t *v))
{
    flat(l, like, prefix, prefix.n, v, skip);
}

sy_span sy_json_text(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) ? (sy_span){json_string_value(v), json_string_length(v)}
                             : (sy_span){"", 0};
}

bool sy_json_time(const json_t *v, sy_record *r)
{
    double number;
    if (json_is_number(v)) {
        number = json_number_value(v);
    } else if (json_is_string(v)) {
        sy_span text = {json_string_value(v), json_string_length(v)};
        sy_ms t;
        if (text.n > 4 && text.p[4] == '-') {
            if (sy_time_parse(text, &t) != SY_OK)
                return false;
            r->has_time = true;
            r->time = t;
            r->time_s = (double)t / 1e3;
            return true;
        }
        if (sy_double_parse(text, &number) != SY_OK)
            return false;
    } else {
        return false;
    }
    return sy_record_time(r, number);
}

bool sy_record_time(sy_record *r, double number)
{
    double seconds = fabs(number) >= 1e11 ? number / 1e3 : number;
    if (!(seconds >= 0 && seconds <= 253402300799.0))
        return false;
    r->has_time = true;
    r->time_relative = false;
    r->time_s = seconds;
    r->time = (sy_ms)llrint(seconds * 1e3);
    return true;
}
