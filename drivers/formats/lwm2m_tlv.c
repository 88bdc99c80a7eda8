/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LwM2M TLV (core specification 6.4.3, 7.4.3 of 1.1): type byte (bits 7-6: 00 object instance, 01
 * item of a resource, 10 resource of several items, 11 resource; bit 5: the id has two bytes; bits
 * 4-3: bytes of the length, 0: it is bits 2-0), id, length, value. An instance holds resources, a
 * resource of several its items; nothing else nests.
 *
 * Kinds of values are not in the bytes. Where the object is not known and the resource is none of
 * those that all objects share, the value is guessed: text where it cannot be a number.
 */
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "drivers/formats/lorawan.h"
#include "drivers/formats/lwm2m.h"

enum { INSTANCE = 0, ITEM = 1, SEVERAL = 2, RESOURCE = 3 };

typedef struct tlv {
    int type;
    int32_t id;
    sy_span value;
} tlv;

/* The next TLV of *rest. */
static bool next(sy_span *rest, tlv *out)
{
    const char *p = rest->p;
    if (rest->n == 0)
        return false;
    unsigned head = (unsigned char)p[0];
    size_t id_bytes = head & 0x20 ? 2 : 1, length_bytes = head >> 3 & 3;
    size_t n = 1 + id_bytes + length_bytes;
    if (rest->n < n)
        return false;
    size_t length = length_bytes ? sy_be(p + 1 + id_bytes, length_bytes) : head & 7;
    if (rest->n - n < length)
        return false;
    *out = (tlv){(int)(head >> 6), (int32_t)sy_be(p + 1, id_bytes), {p + n, length}};
    *rest = (sy_span){p + n + length, rest->n - n - length};
    return true;
}

static bool printable(sy_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && sy_utf8_check(s) == s.n;
}

static double whole(sy_span s)
{
    uint64_t v = s.n && (unsigned char)s.p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < s.n; i++)
        v = v << 8 | (unsigned char)s.p[i];
    return (double)(int64_t)v;
}

static double real(sy_span s)
{
    union {
        uint64_t u;
        double d;
    } eight = {0};
    union {
        uint32_t u;
        float f;
    } four = {0};
    if (s.n == 4) {
        four.u = sy_be(s.p, 4);
        return (double)four.f;
    }
    eight.u = (uint64_t)sy_be(s.p, 4) << 32 | sy_be(s.p + 4, 4);
    return eight.d;
}

/* Of 4 or 8 bytes: a float of a size that things measured have (2^-14 to 2^24), by its exponent. A
 * time in seconds begins with bytes above those. */
static bool like_real(sy_span s)
{
    unsigned top = (unsigned)(sy_be(s.p, 2) & 0x7fff);
    return s.n == 4 ? top >= 0x3880 && top < 0x4b80 : top >= 0x3f10 && top < 0x4170;
}

static bool sized(sy_span s)
{
    return s.n == 1 || s.n == 2 || s.n == 4 || s.n == 8;
}

static sy_lwm2m_kind guess(sy_span s)
{
    if (printable(s) && s.n != 1 && s.n != 2)
        return SY_LWM2M_KIND_STRING;
    if (!sized(s))
        return s.n ? SY_LWM2M_KIND_OPAQUE : SY_LWM2M_KIND_STRING;
    return s.n >= 4 && like_real(s) ? SY_LWM2M_KIND_FLOAT : SY_LWM2M_KIND_INTEGER;
}

static sy_err wrong(const sy_record *r, const char *want, sy_fail *f)
{
    return sy_fail_set(f, SY_E_PARSE, "LwM2M: resource %.*s is not %s", (int)r->name.n, r->name.p,
                       want);
}

static sy_err number(sy_record *r, sy_span s, sy_lwm2m_kind kind, sy_fail *f)
{
    r->kind = SY_REC_NUMBER;
    if (kind == SY_LWM2M_KIND_FLOAT && s.n != 4 && s.n != 8)
        return wrong(r, "a float of 4 or 8 bytes", f);
    if (!sized(s))
        return wrong(r, "a number of 1, 2, 4 or 8 bytes", f);
    r->number = kind == SY_LWM2M_KIND_FLOAT ? real(s) : whole(s);
    if (kind == SY_LWM2M_KIND_BOOLEAN) {
        r->kind = SY_REC_BOOL;
        if (s.n != 1 || (r->number != 0 && r->number != 1))
            return wrong(r, "a byte of 0 or 1", f);
    }
    return isfinite(r->number) ? SY_OK : wrong(r, "a finite number", f);
}

static sy_err link_to(sy_records *l, sy_record *r, sy_span s, sy_fail *f)
{
    char text[16];
    if (s.n != 4)
        return wrong(r, "a link of 4 bytes", f);
    int n =
        snprintf(text, sizeof text, "%u:%u", (unsigned)sy_be(s.p, 2), (unsigned)sy_be(s.p + 2, 2));
    r->kind = SY_REC_TEXT;
    r->text = sy_records_text(l, (sy_span){text, (size_t)n});
    return SY_OK;
}

static sy_err put(sy_records *l, const sy_lwm2m_path *p, sy_span name, sy_span s, sy_fail *f)
{
    sy_record r = {.name = name, .local = name, .quality = SY_Q_GOOD};
    sy_lwm2m_kind kind = sy_lwm2m_kind_of(p);
    sy_err e = SY_OK;
    switch (kind == SY_LWM2M_KIND_UNKNOWN ? guess(s) : kind) {
    case SY_LWM2M_KIND_UNKNOWN:
    case SY_LWM2M_KIND_STRING:
        r.kind = SY_REC_TEXT;
        r.text = s;
        if (sy_utf8_check(s) != s.n)
            e = wrong(&r, "UTF-8", f);
        break;
    case SY_LWM2M_KIND_INTEGER:
    case SY_LWM2M_KIND_TIME:
        e = number(&r, s, SY_LWM2M_KIND_INTEGER, f);
        break;
    case SY_LWM2M_KIND_FLOAT:
        e = number(&r, s, SY_LWM2M_KIND_FLOAT, f);
        break;
    case SY_LWM2M_KIND_BOOLEAN:
        e = number(&r, s, SY_LWM2M_KIND_BOOLEAN, f);
        break;
    case SY_LWM2M_KIND_OPAQUE:
        r.kind = SY_REC_TEXT;
        r.text = sy_records_base64url(l, s);
        break;
    case SY_LWM2M_KIND_OBJLNK:
        e = link_to(l, &r, s, f);
        break;
    }
    if (!e)
        sy_records_add(l, &r);
    return e;
}

typedef struct walk {
    sy_records *l;
    sy_lwm2m_path at; /* from the base: object and instance where it says them */
    sy_lwm2m_level first;
    sy_fail *f;
} walk;

static sy_err leaf(walk *w, int32_t resource, int32_t item, sy_span value)
{
    sy_lwm2m_path p = w->at;
    char text[48];
    int n = 0;
    p.id[2] = resource;
    p.id[3] = item;
    for (size_t i = (size_t)w->first; i < 4 && p.id[i] >= 0; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%d",
                      n || w->first == SY_LWM2M_OBJECT ? "/" : "", (int)p.id[i]);
    sy_span name = sy_records_text(w->l, (sy_span){text, (size_t)n});
    return w->l->err ? SY_OK : put(w->l, &p, name, value, w->f);
}

static sy_err broken(walk *w, const char *what)
{
    return sy_fail_set(w->f, SY_E_PARSE, "LwM2M TLV: %s", what);
}

static sy_err items(walk *w, int32_t resource, sy_span rest)
{
    tlv t;
    while (rest.n) {
        if (!next(&rest, &t) || t.type != ITEM)
            return broken(w, "a resource of several holds something else than its items");
        sy_err e = leaf(w, resource, t.id, t.value);
        if (e)
            return e;
    }
    return SY_OK;
}

static sy_err resources(walk *w, const tlv *t)
{
    if (t->type == RESOURCE)
        return leaf(w, t->id, SY_LWM2M_UNKNOWN, t->value);
    if (t->type == SEVERAL)
        return items(w, t->id, t->value);
    return broken(w, "something that is no resource in an instance");
}

static sy_err instance(walk *w, const tlv *t)
{
    sy_span rest = t->value;
    tlv in;
    w->at.id[1] = t->id;
    while (rest.n) {
        if (!next(&rest, &in))
            return broken(w, "cut short in an instance");
        sy_err e = resources(w, &in);
        if (e)
            return e;
    }
    return SY_OK;
}

sy_err sy_lwm2m_tlv(sy_records *l, sy_span bytes, sy_span base, sy_lwm2m_level *first, sy_fail *f)
{
    walk w = {.l = l, .f = f};
    bool known = sy_lwm2m_path_of(base, SY_LWM2M_OBJECT, &w.at);
    bool instances = bytes.n && (unsigned char)bytes.p[0] >> 6 == INSTANCE;
    if (!known)
        w.at = (sy_lwm2m_path){
            {SY_LWM2M_UNKNOWN, SY_LWM2M_UNKNOWN, SY_LWM2M_UNKNOWN, SY_LWM2M_UNKNOWN}};
    if (known && w.at.id[1] < 0 && !instances)
        w.at.id[1] = 0; /* an object that has one instance */
    int32_t resource = w.at.id[2];
    w.first = known ? SY_LWM2M_OBJECT : instances ? SY_LWM2M_INSTANCE : SY_LWM2M_RESOURCE;
    *first = w.first;
    while (bytes.n && !l->err) {
        tlv t;
        sy_err e = SY_OK;
        if (!next(&bytes, &t))
            return broken(&w, "cut short");
        if ((t.type == INSTANCE) != instances)
            return broken(&w, "instances beside resources");
        if (t.type == INSTANCE)
            e = instance(&w, &t);
        else if (t.type == ITEM && resource >= 0)
            e = leaf(&w, resource, t.id, t.value);
        else
            e = resources(&w, &t);
        if (e)
            return e;
    }
    return SY_OK;
}

/* Three levels at most: what an item holds is not looked into. */
// NOLINTNEXTLINE(misc-no-recursion)
static bool all_of(sy_span rest, unsigned types)
{
    tlv t;
    while (rest.n)
        if (!next(&rest, &t) || !(types & 1u << t.type) ||
            (t.type == SEVERAL && !all_of(t.value, 1u << ITEM)) ||
            (t.type == INSTANCE && !all_of(t.value, 1u << SEVERAL | 1u << RESOURCE)))
            return false;
    return true;
}

bool sy_lwm2m_is_tlv(sy_span bytes)
{
    return bytes.n > 0 &&
           (all_of(bytes, 1u << INSTANCE) || all_of(bytes, 1u << SEVERAL | 1u << RESOURCE));
}
