/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RFC 8428 says about a pack, whatever its encoding.
 *
 * A sum ("s") is the integral of the value over time, in the unit times seconds. A record that has
 * a value gives the value and its sum is passed over; a record with a sum alone gives the sum, its
 * unit written "<unit>.s", so that it cannot be taken for the value. A record of nothing but base
 * fields gives no reading; senders use it as a header.
 */
#include "drivers/formats/senml.h"

#include <math.h>

static const struct {
    const char *json;
    sy_senml_kind kind;
    int8_t cbor;
    uint8_t n;
} fields[SY_SENML_FIELDS] = {
#define ROW(name, json, cbor, kind) {json, SY_SENML_##kind, cbor, sizeof(json) - 1},
    SY_SENML_TABLE(ROW)
#undef ROW
};

enum {
    BASES = 1 << SY_SENML_BVER | 1 << SY_SENML_BN | 1 << SY_SENML_BT | 1 << SY_SENML_BU |
            1 << SY_SENML_BV | 1 << SY_SENML_BS,
    VALUES = 1 << SY_SENML_V | 1 << SY_SENML_VS | 1 << SY_SENML_VB | 1 << SY_SENML_VD,
};

/* Times below this are relative to the reception (RFC 8428 section 4.5.3). */
#define RELATIVE_BELOW 268435456.0
#define LAST_SECOND    253402300799.0 /* 9999-12-31T23:59:59Z */

void sy_senml_init(sy_senml_pack *p)
{
    *p = (sy_senml_pack){.bver = 0};
    sy_arena_init(&p->arena, sy_heap(), 0);
}

void sy_senml_fini(sy_senml_pack *p)
{
    sy_alloc heap = sy_heap();
    if (p->records)
        heap.resize(heap.ctx, p->records, 0);
    sy_arena_fini(&p->arena);
}

sy_err sy_senml_label(const sy_senml_pack *p, sy_span label, sy_senml_field *out, sy_fail *f)
{
    for (int i = 0; i < SY_SENML_FIELDS; i++)
        if (label.n == fields[i].n && memcmp(label.p, fields[i].json, label.n) == 0) {
            *out = (sy_senml_field)i;
            return SY_OK;
        }
    if (label.n > 0 && label.p[label.n - 1] == '_')
        return sy_fail_set(f, SY_E_UNSUPPORTED,
                           "record %zu: the field '%.*s' must be understood, and is not",
                           p->read + 1, (int)(label.n > 32 ? 32 : label.n), label.p);
    return SY_E_NOTFOUND;
}

bool sy_senml_label_number(int64_t label, sy_senml_field *out)
{
    for (int i = 0; i < SY_SENML_FIELDS; i++)
        if (label == fields[i].cbor) {
            *out = (sy_senml_field)i;
            return true;
        }
    return false;
}

sy_err sy_senml_wrong_kind(const sy_senml_pack *p, sy_senml_field field, sy_fail *f)
{
    static const char *const words[] = {"a text", "a number", "true or false"};
    return sy_fail_set(f, SY_E_PARSE, "record %zu: '%s' must be %s", p->read + 1,
                       fields[field].json, words[fields[field].kind]);
}

static sy_err mark(const sy_senml_pack *p, sy_senml_raw *raw, sy_senml_field field,
                   sy_senml_kind kind, sy_fail *f)
{
    if (fields[field].kind != kind)
        return sy_senml_wrong_kind(p, field, f);
    if (raw->present & 1u << field)
        return sy_fail_set(f, SY_E_PARSE, "record %zu: '%s' is there twice", p->read + 1,
                           fields[field].json);
    raw->present |= 1u << field;
    return SY_OK;
}

sy_err sy_senml_set_text(const sy_senml_pack *p, sy_senml_raw *raw, sy_senml_field field,
                         sy_span text, sy_fail *f)
{
    raw->text[field] = text;
    return mark(p, raw, field, SY_SENML_TEXT, f);
}

sy_err sy_senml_set_number(const sy_senml_pack *p, sy_senml_raw *raw, sy_senml_field field,
                           double number, sy_fail *f)
{
    raw->number[field] = number;
    if (!isfinite(number))
        return sy_fail_set(f, SY_E_RANGE, "record %zu: '%s' is no finite number", p->read + 1,
                           fields[field].json);
    return mark(p, raw, field, SY_SENML_NUMBER, f);
}

sy_err sy_senml_set_bool(const sy_senml_pack *p, sy_senml_raw *raw, sy_senml_field field,
                         bool value, sy_fail *f)
{
    raw->vb = value;
    return mark(p, raw, field, SY_SENML_BOOL, f);
}

static bool has(const sy_senml_raw *raw, sy_senml_field field)
{
    return (raw->present & 1u << field) != 0;
}

/* The first record says the version of all of them. */
static sy_err version(sy_senml_pack *p, const sy_senml_raw *raw, sy_fail *f)
{
    int v = p->bver > 0 ? p->bver : SY_SENML_VERSION;
    if (has(raw, SY_SENML_BVER)) {
        double said = raw->number[SY_SENML_BVER];
        if (said > SY_SENML_VERSION)
            return sy_fail_set(f, SY_E_UNSUPPORTED,
                               "record %zu: SenML version %.0f; versions up to %d are read",
                               p->read + 1, said, SY_SENML_VERSION);
        if (said < 1 || said != floor(said))
            return sy_fail_set(f, SY_E_PARSE, "record %zu: 'bver' must be a positive integer",
                               p->read + 1);
        if (p->bver > 0 && (int)said != p->bver)
            return sy_fail_set(f, SY_E_PARSE,
                               "record %zu: all records of a pack have the same version",
                               p->read + 1);
        v = (int)said;
    }
    p->bver = v;
    return SY_OK;
}

static sy_err bases(sy_senml_pack *p, const sy_senml_raw *raw, sy_fail *f)
{
    sy_err e = version(p, raw, f);
    if (e != SY_OK)
        return e;
    if (has(raw, SY_SENML_BN))
        p->bn = raw->text[SY_SENML_BN];
    if (has(raw, SY_SENML_BU))
        p->bu = raw->text[SY_SENML_BU];
    if (has(raw, SY_SENML_BT))
        p->bt = raw->number[SY_SENML_BT];
    if (has(raw, SY_SENML_BV))
        p->bv = raw->number[SY_SENML_BV];
    if (has(raw, SY_SENML_BS))
        p->bs = raw->number[SY_SENML_BS];
    return SY_OK;
}

static bool alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* As the RFC says, save that a leading "/" is taken too: LwM2M writes its names so. */
static bool name_legal(sy_span name)
{
    if (name.n == 0 || !(alphanumeric(name.p[0]) || name.p[0] == '/'))
        return false;
    for (size_t i = 1; i < name.n; i++) {
        char c = name.p[i];
        if (!alphanumeric(c) && c != '-' && c != ':' && c != '.' && c != '/' && c != '_')
            return false;
    }
    return true;
}

static sy_err join(sy_arena *a, sy_span first, sy_span second, sy_span *out, sy_fail *f)
{
    char *text = sy_arena_get(a, first.n + second.n);
    if (!text)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the records");
    memcpy(text, first.p, first.n);
    if (second.n > 0)
        memcpy(text + first.n, second.p, second.n);
    *out = (sy_span){text, first.n + second.n};
    return SY_OK;
}

static sy_err name(sy_senml_pack *p, const sy_senml_raw *raw, sy_record *r, sy_fail *f)
{
    r->local = has(raw, SY_SENML_N) ? raw->text[SY_SENML_N] : (sy_span){"", 0};
    r->name = r->local;
    if (p->bn.n + r->local.n > SY_SENML_NAME)
        return sy_fail_set(f, SY_E_RANGE, "record %zu: the name is longer than %d bytes",
                           p->read + 1, SY_SENML_NAME);
    if (p->bn.n > 0 && r->local.n == 0) {
        r->name = p->bn;
    } else if (p->bn.n > 0) {
        sy_err e = join(&p->arena, p->bn, r->local, &r->name, f);
        if (e != SY_OK)
            return e;
    }
    if (p->bn.n == 0)
        r->local = r->name;
    if (r->name.n == 0)
        return sy_fail_set(f, SY_E_PARSE, "record %zu has no name; give 'n' or 'bn'", p->read + 1);
    if (!name_legal(r->name))
        return sy_fail_set(f, SY_E_PARSE,
                           "record %zu: the name must start with a letter or digit and hold only "
                           "letters, digits and - : . / _",
                           p->read + 1);
    return SY_OK;
}

static sy_err time_of(const sy_senml_pack *p, const sy_senml_raw *raw, sy_record *r, sy_fail *f)
{
    double t = p->bt + (has(raw, SY_SENML_T) ? raw->number[SY_SENML_T] : 0.0);
    if (!(fabs(t) <= LAST_SECOND))
        return sy_fail_set(f, SY_E_RANGE, "record %zu: the time is outside the years up to 9999",
                           p->read + 1);
    r->has_time = t != 0.0; /* 0 is the time of reception */
    r->time_relative = t < RELATIVE_BELOW;
    /* The sum of base and offset is a decimal again at a microsecond. */
    r->time_s = nearbyint(t * 1e6) / 1e6;
    r->time = (sy_ms)llrint(t * 1e3);
    return SY_OK;
}

/* base64url without padding (RFC 4648 section 5). */
static bool data_legal(sy_span s)
{
    if (s.n % 4 == 1)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!alphanumeric(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
            return false;
    return true;
}

static sy_err number(const sy_senml_pack *p, double base, double own, sy_record *r, sy_fail *f)
{
    r->kind = SY_REC_NUMBER;
    r->number = base + own;
    return isfinite(r->number)
               ? SY_OK
               : sy_fail_set(f, SY_E_RANGE, "record %zu: the value is too large", p->read + 1);
}

static sy_err value(sy_senml_pack *p, const sy_senml_raw *raw, sy_record *r, sy_fail *f)
{
    uint32_t given = raw->present & VALUES;
    if (given & (given - 1))
        return sy_fail_set(f, SY_E_PARSE, "record %zu has more than one of v, vs, vb, vd",
                           p->read + 1);
    if (has(raw, SY_SENML_V))
        return number(p, p->bv, raw->number[SY_SENML_V], r, f);
    if (has(raw, SY_SENML_VB)) {
        r->kind = SY_REC_BOOL;
        r->number = raw->vb ? 1.0 : 0.0;
        return SY_OK;
    }
    if (has(raw, SY_SENML_VS)) {
        r->kind = SY_REC_TEXT;
        r->text = raw->text[SY_SENML_VS];
        return SY_OK;
    }
    if (has(raw, SY_SENML_VD)) {
        r->kind = SY_REC_TEXT;
        r->text = raw->text[SY_SENML_VD];
        return data_legal(r->text)
                   ? SY_OK
                   : sy_fail_set(f, SY_E_PARSE, "record %zu: 'vd' is not base64url", p->read + 1);
    }
    if (!has(raw, SY_SENML_S) && p->objects) {
        r->kind = SY_REC_NULL;
        return SY_OK;
    }
    if (!has(raw, SY_SENML_S))
        return sy_fail_set(f, SY_E_PARSE, "record %zu has no value; give v, vs, vb, vd or s",
                           p->read + 1);
    if (r->unit.n > SY_SENML_NAME)
        return sy_fail_set(f, SY_E_RANGE, "record %zu: the unit is longer than %d bytes",
                           p->read + 1, SY_SENML_NAME);
    if (r->unit.n > 0) {
        sy_err e = join(&p->arena, r->unit, sy_span_of(".s"), &r->unit, f);
        if (e != SY_OK)
            return e;
    }
    return number(p, p->bs, raw->number[SY_SENML_S], r, f);
}

sy_err sy_senml_add(sy_senml_pack *p, const sy_senml_raw *raw, sy_fail *f)
{
    if (p->read >= SY_SENML_RECORDS)
        return sy_fail_set(f, SY_E_RANGE, "more than %d records in one message", SY_SENML_RECORDS);
    sy_err e = bases(p, raw, f);
    if (e != SY_OK)
        return e;
    if (raw->present != 0 && (raw->present & ~(uint32_t)BASES) == 0 && !p->objects) {
        p->read++;
        return SY_OK;
    }
    sy_record r = {.quality = SY_Q_GOOD};
    r.unit = has(raw, SY_SENML_U) ? raw->text[SY_SENML_U] : p->bu;
    if ((e = name(p, raw, &r, f)) != SY_OK || (e = time_of(p, raw, &r, f)) != SY_OK ||
        (e = value(p, raw, &r, f)) != SY_OK)
        return e;
    void *grown = p->records;
    if (sy_grow(sy_heap(), &grown, &p->cap, p->n + 1, sizeof r) != SY_OK)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the records");
    p->records = grown;
    p->records[p->n++] = r;
    p->read++;
    return SY_OK;
}

sy_err sy_senml_emit(const sy_senml_pack *p, sy_record_fn sink, void *ctx, sy_fail *f)
{
    if (p->n == 0)
        return sy_fail_set(f, SY_E_PARSE, "no record with a value in the message");
    for (size_t i = 0; i < p->n; i++) {
        sy_err e = sink(ctx, &p->records[i]);
        if (e != SY_OK)
            return e;
    }
    return SY_OK;
}
