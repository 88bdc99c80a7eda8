/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SenML in CBOR (RFC 8428 section 6): names the fields of each record for senml.c.
 *
 * libcbor's streaming decoder gives one head at a time from the bytes that are there, so a length
 * that a message claims costs nothing until its bytes have come. Texts and octets have definite
 * lengths, as the RFC wants; arrays and maps may be of either kind.
 */
#include <inttypes.h>
#include <math.h>

#include <cbor.h>

#include "base/utf8.h"
#include "drivers/formats/records.h"
#include "drivers/formats/senml.h"

enum { TAG_DECIMAL = 4, TAG_CBOR = 55799 };

typedef enum item_kind {
    IT_NONE,
    IT_UINT,
    IT_NEGINT, /* -1 - u */
    IT_BYTES,
    IT_TEXT,
    IT_ARRAY,
    IT_MAP,
    IT_TAG,
    IT_FLOAT,
    IT_BOOL,
    IT_NULL,
    IT_BREAK,
    IT_CHUNKED, /* a text or octets of indefinite length */
} item_kind;

typedef struct item {
    item_kind kind;
    bool open; /* ARRAY, MAP: ended by a break */
    uint64_t u;
    double d;
    sy_span bytes;
} item;

typedef struct reader {
    const unsigned char *p;
    size_t n;
    sy_senml_pack *pack;
} reader;

static void put_u(void *ctx, item_kind kind, uint64_t u)
{
    *(item *)ctx = (item){.kind = kind, .u = u};
}

#define HEAD(name, type, kind)                                                                     \
    static void name(void *ctx, type u)                                                            \
    {                                                                                              \
        put_u(ctx, kind, u);                                                                       \
    }
HEAD(on_uint8, uint8_t, IT_UINT)
HEAD(on_uint16, uint16_t, IT_UINT)
HEAD(on_uint32, uint32_t, IT_UINT)
HEAD(on_uint64, uint64_t, IT_UINT)
HEAD(on_negint8, uint8_t, IT_NEGINT)
HEAD(on_negint16, uint16_t, IT_NEGINT)
HEAD(on_negint32, uint32_t, IT_NEGINT)
HEAD(on_negint64, uint64_t, IT_NEGINT)
HEAD(on_array, size_t, IT_ARRAY)
HEAD(on_map, size_t, IT_MAP)
HEAD(on_tag, uint64_t, IT_TAG)
HEAD(on_bool, bool, IT_BOOL)

#define PLAIN(name, ...)                                                                           \
    static void name(void *ctx)                                                                    \
    {                                                                                              \
        *(item *)ctx = (item){__VA_ARGS__};                                                        \
    }
PLAIN(on_chunked, .kind = IT_CHUNKED)
PLAIN(on_open_array, .kind = IT_ARRAY, .open = true)
PLAIN(on_open_map, .kind = IT_MAP, .open = true)
PLAIN(on_null, .kind = IT_NULL)
PLAIN(on_break, .kind = IT_BREAK)

static void on_bytes(void *ctx, cbor_data p, size_t n)
{
    *(item *)ctx = (item){.kind = IT_BYTES, .bytes = {(const char *)p, n}};
}

static void on_text(void *ctx, cbor_data p, size_t n)
{
    *(item *)ctx = (item){.kind = IT_TEXT, .bytes = {(const char *)p, n}};
}

static void on_float(void *ctx, float v)
{
    *(item *)ctx = (item){.kind = IT_FLOAT, .d = (double)v};
}

static void on_double(void *ctx, double v)
{
    *(item *)ctx = (item){.kind = IT_FLOAT, .d = v};
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint64 = on_negint64,
    .negint32 = on_negint32,
    .negint16 = on_negint16,
    .negint8 = on_negint8,
    .byte_string_start = on_chunked,
    .byte_string = on_bytes,
    .string = on_text,
    .string_start = on_chunked,
    .indef_array_start = on_open_array,
    .array_start = on_array,
    .indef_map_start = on_open_map,
    .map_start = on_map,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_null,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = on_break,
};

static sy_err next(reader *r, item *it, sy_fail *f)
{
    *it = (item){.kind = IT_NONE};
    struct cbor_decoder_result done = cbor_stream_decode(r->p, r->n, &callbacks, it);
    if (done.status != CBOR_DECODER_FINISHED || it->kind == IT_NONE)
        return sy_fail_set(f, SY_E_PARSE, "CBOR, record %zu: %s", r->pack->read + 1,
                           done.status == CBOR_DECODER_NEDATA ? "the message ends in the middle"
                                                              : "malformed");
    r->p += done.read;
    r->n -= done.read;
    if (it->kind == IT_CHUNKED)
        return sy_fail_set(f, SY_E_UNSUPPORTED,
                           "CBOR, record %zu: a text of indefinite length; SenML has definite ones",
                           r->pack->read + 1);
    if (it->kind == IT_TEXT && sy_utf8_check(it->bytes) != it->bytes.n)
        return sy_fail_set(f, SY_E_PARSE, "CBOR, record %zu: a text is not UTF-8",
                           r->pack->read + 1);
    return SY_OK;
}

/* Pass over the rest of the value whose head is `it`. */
static sy_err skip(reader *r, const item *it, int depth, sy_fail *f)
{
    if (depth > SY_SENML_DEPTH)
        return sy_fail_set(f, SY_E_RANGE, "nested more than %d deep", SY_SENML_DEPTH);
    uint64_t left = 0;
    if (it->kind == IT_BREAK)
        return sy_fail_set(f, SY_E_PARSE, "CBOR, record %zu: a break out of place",
                           r->pack->read + 1);
    if (it->kind == IT_TAG)
        left = 1;
    else if (it->kind == IT_ARRAY || it->kind == IT_MAP)
        left = it->kind == IT_MAP && it->u <= UINT64_MAX / 2 ? 2 * it->u : it->u;
    for (uint64_t i = 0; it->open || i < left; i++) {
        item inner;
        sy_err e = next(r, &inner, f);
        if (e != SY_OK)
            return e;
        if (it->open && inner.kind == IT_BREAK && (it->kind == IT_ARRAY || i % 2 == 0))
            return SY_OK;
        e = skip(r, &inner, depth + 1, f);
        if (e != SY_OK)
            return e;
    }
    return SY_OK;
}

static bool integer(const item *it, int64_t *out)
{
    if ((it->kind != IT_UINT && it->kind != IT_NEGINT) || it->u > INT64_MAX)
        return false;
    *out = it->kind == IT_UINT ? (int64_t)it->u : -1 - (int64_t)it->u;
    return true;
}

/* Tag 4 (RFC 8949 section 3.4.4): [exponent, mantissa], read as the decimal that it is. */
static sy_err decimal(reader *r, double *out, sy_fail *f)
{
    item array, exponent, mantissa;
    int64_t e10, m;
    sy_err e;
    if ((e = next(r, &array, f)) != SY_OK || (e = next(r, &exponent, f)) != SY_OK ||
        (e = next(r, &mantissa, f)) != SY_OK)
        return e;
    if (array.kind != IT_ARRAY || array.open || array.u != 2 || !integer(&exponent, &e10) ||
        !integer(&mantissa, &m))
        return sy_fail_set(f, SY_E_PARSE,
                           "record %zu: a decimal fraction is an array of two 64-bit integers",
                           r->pack->read + 1);
    char text[64];
    if (e10 < -400 || e10 > 400)
        return sy_fail_set(f, SY_E_RANGE, "record %zu: the exponent of a decimal fraction",
                           r->pack->read + 1);
    int n = snprintf(text, sizeof text, "%" PRId64 "e%" PRId64, m, e10);
    if (sy_double_parse((sy_span){text, (size_t)n}, out) != SY_OK)
        return sy_fail_set(f, SY_E_RANGE, "record %zu: a decimal fraction is too large",
                           r->pack->read + 1);
    return SY_OK;
}

static sy_err value(reader *r, sy_senml_raw *raw, sy_senml_field field, sy_fail *f)
{
    item it;
    sy_err e = next(r, &it, f);
    if (e != SY_OK)
        return e;
    double d = it.d;
    switch (it.kind) {
    case IT_TEXT:
        if (field == SY_SENML_VD)
            break;
        return sy_senml_set_text(r->pack, raw, field, it.bytes, f);
    case IT_BYTES:
        if (field != SY_SENML_VD)
            break;
        if (sy_base64url(&r->pack->arena, it.bytes, &it.bytes) != SY_OK)
            return sy_fail_set(f, SY_E_NOMEM, "no memory for the records");
        return sy_senml_set_text(r->pack, raw, field, it.bytes, f);
    case IT_UINT:
        return sy_senml_set_number(r->pack, raw, field, (double)it.u, f);
    case IT_NEGINT:
        return sy_senml_set_number(r->pack, raw, field, -1.0 - (double)it.u, f);
    case IT_TAG:
        if (it.u != TAG_DECIMAL)
            break;
        if ((e = decimal(r, &d, f)) != SY_OK)
            return e;
        return sy_senml_set_number(r->pack, raw, field, d, f);
    case IT_FLOAT:
        return sy_senml_set_number(r->pack, raw, field, d, f);
    case IT_BOOL:
        return sy_senml_set_bool(r->pack, raw, field, it.u != 0, f);
    case IT_NONE:
    case IT_ARRAY:
    case IT_MAP:
    case IT_NULL:
    case IT_BREAK:
    case IT_CHUNKED:
        break;
    }
    return sy_senml_wrong_kind(r->pack, field, f);
}

static sy_err pair(reader *r, sy_senml_raw *raw, const item *key, sy_fail *f)
{
    sy_senml_field field;
    int64_t label;
    sy_err e;
    if (key->kind == IT_TEXT) {
        e = sy_senml_label(r->pack, key->bytes, &field, f);
        if (e != SY_E_NOTFOUND)
            return e == SY_OK ? value(r, raw, field, f) : e;
    } else if (!integer(key, &label)) {
        return sy_fail_set(f, SY_E_PARSE, "record %zu: a label is neither integer nor text",
                           r->pack->read + 1);
    } else if (sy_senml_label_number(label, &field)) {
        return value(r, raw, field, f);
    }
    item unknown;
    e = next(r, &unknown, f);
    return e == SY_OK ? skip(r, &unknown, 3, f) : e;
}

static sy_err record(reader *r, const item *map, sy_fail *f)
{
    if (map->kind != IT_MAP)
        return sy_fail_set(f, SY_E_PARSE, "record %zu is not a map", r->pack->read + 1);
    sy_senml_raw raw;
    raw.present = 0;
    for (uint64_t i = 0; map->open || i < map->u; i++) {
        item key;
        sy_err e = next(r, &key, f);
        if (e != SY_OK)
            return e;
        if (map->open && key.kind == IT_BREAK)
            break;
        e = pair(r, &raw, &key, f);
        if (e != SY_OK)
            return e;
    }
    return sy_senml_add(r->pack, &raw, f);
}

static sy_err records(reader *r, sy_fail *f)
{
    item array;
    sy_err e = next(r, &array, f);
    if (e == SY_OK && array.kind == IT_TAG && array.u == TAG_CBOR)
        e = next(r, &array, f);
    if (e != SY_OK)
        return e;
    if (array.kind != IT_ARRAY)
        return sy_fail_set(f, SY_E_PARSE, "SenML is an array of records");
    if (!array.open && array.u > SY_SENML_RECORDS)
        return sy_fail_set(f, SY_E_RANGE, "more than %d records in one message", SY_SENML_RECORDS);
    for (uint64_t i = 0; array.open || i < array.u; i++) {
        item map;
        e = next(r, &map, f);
        if (e != SY_OK)
            return e;
        if (array.open && map.kind == IT_BREAK)
            break;
        e = record(r, &map, f);
        if (e != SY_OK)
            return e;
    }
    return r->n == 0 ? SY_OK
                     : sy_fail_set(f, SY_E_PARSE, "%zu bytes follow the array of records", r->n);
}

sy_err sy_senml_cbor_read(sy_senml_pack *p, sy_span bytes, sy_fail *f)
{
    reader r = {.p = (const unsigned char *)bytes.p, .n = bytes.n, .pack = p};
    return bytes.n ? records(&r, f) : sy_fail_set(f, SY_E_PARSE, "the message is empty");
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    sy_senml_pack p;
    sy_senml_init(&p);
    sy_err e = sy_senml_cbor_read(&p, payload, f);
    if (e == SY_OK)
        e = sy_senml_emit(&p, sink, ctx, f);
    sy_senml_fini(&p);
    return e;
}

static int probe(sy_span payload)
{
    if (payload.n < 3)
        return 0;
    unsigned char array = (unsigned char)payload.p[0], map = (unsigned char)payload.p[1];
    return array >= 0x81 && array <= 0x9f && map >= 0xa1 && map <= 0xbf ? 85 : 0;
}

const sy_format sy_format_senml_cbor = {"senml-cbor", 112, decode, probe, NULL};
