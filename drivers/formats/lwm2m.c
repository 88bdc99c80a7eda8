/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OMA LwM2M objects as a client sends them: TLV (11542), JSON (11543) and SenML in JSON or CBOR.
 * The first byte tells which. JSON of LwM2M 1.0 (core specification 6.4.4) is an object of base
 * name, base time and entries; its times are those of the SenML draft of its day: 0 is now, what is
 * below counts from now, what is above since 1970.
 *
 * A name without a value is what a server asks with: null. An empty list is no fault and no
 * reading.
 */
#include "drivers/formats/lwm2m.h"

#include <math.h>

#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/senml.h"

static sy_err entry_time(double t, size_t i, sy_record *r, sy_fail *f)
{
    r->has_time = t != 0;
    r->time_relative = t < 0;
    if (!(fabs(t) <= 253402300799.0))
        return sy_fail_set(f, SY_E_RANGE, "entry %zu: the time is outside the years up to 9999", i);
    r->time_s = nearbyint(t * 1e6) / 1e6;
    r->time = (sy_ms)llrint(t * 1e3);
    return SY_OK;
}

/* v: a number, sv: a text, bv: true or false, ov: a link to an object ("3:0"); one of them. */
static sy_err entry_value(const json_t *e, size_t i, sy_record *r, sy_fail *f)
{
    const json_t *v = json_object_get(e, "v"), *sv = json_object_get(e, "sv");
    const json_t *bv = json_object_get(e, "bv"), *ov = json_object_get(e, "ov");
    r->kind = SY_REC_NULL;
    if ((v != NULL) + (sv != NULL) + (bv != NULL) + (ov != NULL) > 1)
        return sy_fail_set(f, SY_E_PARSE, "entry %zu has more than one of v, sv, bv, ov", i);
    if ((v && !json_is_number(v)) || (sv && !json_is_string(sv)) || (bv && !json_is_boolean(bv)) ||
        (ov && !json_is_string(ov)))
        return sy_fail_set(f, SY_E_PARSE,
                           "entry %zu: v is a number, sv and ov are texts, bv is true or false", i);
    const json_t *any = v ? v : sv ? sv : bv ? bv : ov;
    if (any)
        (void)sy_json_scalar(any, r);
    return SY_OK;
}

static sy_err entry(sy_records *l, const json_t *root, const json_t *e, size_t i, sy_fail *f)
{
    sy_record r = {.quality = SY_Q_GOOD};
    sy_span base = sy_json_text(root, "bn"), own = sy_json_text(e, "n");
    if (!json_is_object(e))
        return sy_fail_set(f, SY_E_PARSE, "entry %zu is not an object", i);
    if (base.n + own.n == 0 || base.n + own.n > SY_SENML_NAME)
        return sy_fail_set(f, SY_E_PARSE, "entry %zu has no name of at most %d bytes", i,
                           SY_SENML_NAME);
    r.name = base.n ? base : own;
    if (base.n && own.n) {
        char *name = sy_arena_get(&l->arena, base.n + own.n);
        if (!name)
            return sy_fail_set(f, SY_E_NOMEM, "no memory for the records");
        memcpy(name, base.p, base.n);
        memcpy(name + base.n, own.p, own.n);
        r.name = (sy_span){name, base.n + own.n};
    }
    r.local = r.name;
    sy_err err = entry_time(json_number_value(json_object_get(root, "bt")) +
                                json_number_value(json_object_get(e, "t")),
                            i, &r, f);
    err = err ? err : entry_value(e, i, &r, f);
    if (!err)
        sy_records_add(l, &r);
    return err;
}

static sy_err fill_json(sy_records *l, const json_t *root, sy_fail *f)
{
    const json_t *entries = json_object_get(root, "e");
    size_t i;
    json_t *e;
    if (!json_is_object(root) || (entries && !json_is_array(entries)))
        return sy_fail_set(f, SY_E_PARSE, "LwM2M: not an object with a list of entries \"e\"");
    json_array_foreach(entries, i, e)
    {
        sy_err err = entry(l, root, e, i + 1, f);
        if (err)
            return err;
    }
    return SY_OK;
}

static sy_err give(const sy_record *v, size_t n, sy_record_fn sink, void *ctx)
{
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e; i++)
        e = sink(ctx, &v[i]);
    return e;
}

static sy_err no_memory(sy_err e, sy_fail *f)
{
    if (e == SY_E_RANGE)
        return sy_fail_set(f, e, "more than %d records", SY_RECORDS_MAX);
    return e == SY_E_NOMEM ? sy_fail_set(f, e, "no memory for the records") : e;
}

static sy_err finish(sy_records *l, sy_lwm2m_level first, sy_record_fn sink, void *ctx, sy_fail *f)
{
    sy_err e = l->err ? l->err : sy_lwm2m_finish(&l->arena, l->v, l->n, first);
    return e ? no_memory(e, f) : give(l->v, l->n, sink, ctx);
}

static sy_err decode_json(sy_span payload, sy_record_fn sink, void *ctx, sy_fail *f)
{
    json_t *root;
    sy_records l;
    sy_err e = sy_json_in(payload, &root, f);
    if (e)
        return e;
    sy_records_init(&l);
    e = fill_json(&l, root, f);
    e = e ? e : finish(&l, SY_LWM2M_OBJECT, sink, ctx, f);
    sy_records_fini(&l);
    json_decref(root);
    return e;
}

static sy_err decode_senml(sy_span payload, bool json, sy_record_fn sink, void *ctx, sy_fail *f)
{
    json_t *root = NULL;
    sy_senml_pack p;
    sy_err e = SY_OK;
    sy_senml_init(&p);
    p.objects = true;
    if (!json) {
        e = sy_senml_cbor_read(&p, payload, f);
    } else if (!sy_senml_plain(&p, payload)) {
        sy_senml_fini(&p);
        sy_senml_init(&p);
        p.objects = true;
        e = sy_senml_tree(&p, payload, &root, f);
    }
    if (!e)
        e = no_memory(sy_lwm2m_finish(&p.arena, p.records, p.n, SY_LWM2M_OBJECT), f);
    e = e ? e : give(p.records, p.n, sink, ctx);
    sy_senml_fini(&p);
    json_decref(root);
    return e;
}

/* Where the device's answers stand in its tree, as far as that is known: the numbers that end the
 * address that is observed, or (two of them at least) its topic. */
static sy_span base_of(const sy_device *d)
{
    sy_span text = sy_span_of(!d ? "" : d->observe ? d->observe : d->topic ? d->topic : "");
    size_t at = text.n, steps = 0;
    for (size_t i = text.n; i > 0; i--) {
        if (text.p[i - 1] == '/' && i < text.n && i < at + 1 && text.p[i] != '/') {
            at = i - 1;
            steps++;
        } else if (text.p[i - 1] < '0' || text.p[i - 1] > '9') {
            break;
        }
    }
    size_t least = d && d->observe ? 1 : 2;
    return steps >= least ? (sy_span){text.p + at, text.n - at} : (sy_span){"", 0};
}

static sy_err decode_tlv(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                         sy_fail *f)
{
    sy_lwm2m_level first = SY_LWM2M_OBJECT;
    sy_records l;
    sy_records_init(&l);
    sy_err e = sy_lwm2m_tlv(&l, payload, base_of(map), &first, f);
    e = e ? e : finish(&l, first, sink, ctx, f);
    sy_records_fini(&l);
    return e;
}

/* An array of maps in CBOR; a resource of several with an id of 160 to 191 looks the same. */
static bool like_cbor(sy_span payload)
{
    return sy_format_senml_cbor.probe(payload) > 0 && !sy_lwm2m_is_tlv(payload);
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    char first = sy_json_first(payload);
    if (payload.n == 0)
        return sy_fail_set(f, SY_E_PARSE, "the message is empty");
    if (first == '{')
        return decode_json(payload, sink, ctx, f);
    if (first == '[' || like_cbor(payload))
        return decode_senml(payload, first == '[', sink, ctx, f);
    return decode_tlv(payload, map, sink, ctx, f);
}

static bool entry_like(const json_t *e)
{
    return json_object_get(e, "v") || json_object_get(e, "sv") || json_object_get(e, "bv") ||
           json_object_get(e, "ov");
}

static int probe(sy_span payload)
{
    char first = sy_json_first(payload);
    return first != '{' && first != '[' && payload.n >= 4 && sy_lwm2m_is_tlv(payload) ? 40 : 0;
}

static int probe_json(const json_t *root)
{
    const json_t *e = json_object_get(root, "e");
    return json_is_array(e) && entry_like(json_array_get(e, 0)) ? 90 : 0;
}

/* Any of the four; and the two content formats that are LwM2M's own. */
const sy_format sy_format_lwm2m = {"lwm2m", 0xffff, decode, probe, probe_json};
const sy_format sy_format_lwm2m_tlv = {"lwm2m-tlv", 11542, decode, NULL, NULL};
const sy_format sy_format_lwm2m_json = {"lwm2m-json", 11543, decode, NULL, NULL};
