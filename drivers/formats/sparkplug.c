/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparkplug B payloads (Eclipse Sparkplug 3.0, section 6): birth and data messages of edge nodes
 * and devices. A metric is a record by its name; one that a data message calls by its alias alone
 * has the name, the type and the unit of its birth, and is "alias/<number>" where no birth is
 * known. The property Quality (OPC codes: 192 good, 500 stale, 0 bad) and engUnit are taken where
 * they are sent.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"
#include "drivers/formats/sparkplug.h"
#include "sparkplug.pb-c.h"

enum { INT8 = 1, INT16 = 2, INT32 = 3, INT64 = 4, BOOLEAN = 11, GOOD = 192, STALE = 500 };

static bool is_text(const char *s)
{
    sy_span text = sy_span_of(s);
    return sy_utf8_check(text) == text.n;
}

static double signed_of(uint32_t v, uint32_t datatype)
{
    switch (datatype) {
    case INT8:
        return (int8_t)(uint8_t)v;
    case INT16:
        return (int16_t)(uint16_t)v;
    case INT32:
        return (int32_t)v;
    default:
        return v;
    }
}

/* False: a kind that is no reading. */
static bool value_of(const SySparkplug__Metric *m, uint32_t datatype, sy_record *r)
{
    r->kind = m->has_is_null && m->is_null ? SY_REC_NULL : SY_REC_NUMBER;
    if (r->kind == SY_REC_NULL)
        return true;
    switch ((int)m->value_case) {
    case SY_SPARKPLUG__METRIC__VALUE_INT_VALUE:
        r->number = signed_of(m->int_value, datatype);
        break;
    case SY_SPARKPLUG__METRIC__VALUE_LONG_VALUE:
        r->number = datatype == INT64 ? (double)(int64_t)m->long_value : (double)m->long_value;
        break;
    case SY_SPARKPLUG__METRIC__VALUE_FLOAT_VALUE:
        r->number = (double)m->float_value;
        break;
    case SY_SPARKPLUG__METRIC__VALUE_DOUBLE_VALUE:
        r->number = m->double_value;
        break;
    case SY_SPARKPLUG__METRIC__VALUE_BOOLEAN_VALUE:
        r->kind = SY_REC_BOOL;
        r->number = m->boolean_value ? 1 : 0;
        break;
    case SY_SPARKPLUG__METRIC__VALUE_STRING_VALUE:
        r->kind = SY_REC_TEXT;
        r->text = sy_span_of(m->string_value);
        return is_text(m->string_value);
    default: /* none, or a kind that is no reading */
        r->kind = SY_REC_NULL;
        return false;
    }
    if (!isfinite(r->number)) {
        r->kind = SY_REC_NULL;
        r->quality = sy_quality_worsen(r->quality, SY_Q_BAD, SY_Q_DEVICE_FAULT);
    }
    return true;
}

static void properties(const SySparkplug__PropertySet *set, sy_record *r)
{
    for (size_t i = 0; set && i < set->n_keys && i < set->n_values; i++) {
        const SySparkplug__PropertyValue *v = set->values[i];
        if (strcmp(set->keys[i], "Quality") == 0 && v->has_int_value) {
            if (v->int_value == STALE)
                r->quality = sy_quality_worsen(r->quality, SY_Q_UNCERTAIN, 0);
            else if (v->int_value != GOOD)
                r->quality = sy_quality_worsen(r->quality, SY_Q_BAD, SY_Q_DEVICE_FAULT);
        } else if (strcmp(set->keys[i], "engUnit") == 0 && v->string_value &&
                   is_text(v->string_value)) {
            r->unit = sy_span_of(v->string_value);
        }
    }
}

static void time_of(uint64_t ms, sy_record *r)
{
    if (ms > UINT64_C(253402300799999))
        return;
    r->has_time = true;
    r->time = (sy_ms)ms;
    r->time_s = (double)ms / 1e3;
}

/* What the record says but its name, value and unit. */
static sy_record record_of(const SySparkplug__Payload *p, const SySparkplug__Metric *m)
{
    sy_record r = {.quality = SY_Q_GOOD, .unit = {"", 0}};
    if (p->has_timestamp)
        time_of(p->timestamp, &r);
    if (m->has_timestamp)
        time_of(m->timestamp, &r);
    return r;
}

static sy_span alias_name(sy_records *l, uint64_t alias)
{
    char text[32];
    int n = snprintf(text, sizeof text, "alias/%llu", (unsigned long long)alias);
    return sy_records_text(l, (sy_span){text, (size_t)n});
}

static sy_err not_utf8(size_t i, sy_fail *f)
{
    return sy_fail_set(f, SY_E_PARSE, "Sparkplug: the name of metric %zu is not UTF-8", i);
}

static bool metric(sy_records *l, const SySparkplug__Payload *p, const SySparkplug__Metric *m)
{
    sy_record r = record_of(p, m);
    if (m->name && !is_text(m->name))
        return false;
    r.name = sy_span_of(m->name ? m->name : "");
    if (r.name.n == 0 && m->has_alias)
        r.name = alias_name(l, m->alias);
    r.local = r.name;
    if (value_of(m, m->datatype, &r)) {
        properties(m->properties, &r);
        sy_records_add(l, &r);
    }
    return true;
}

static void *arena_alloc(void *arena, size_t size)
{
    return sy_arena_get(arena, size);
}

/* What an arena gave goes with the arena. */
static void arena_free(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

/* The payload in the arena: nothing is freed one by one. */
static SySparkplug__Payload *unpack(sy_arena *arena, sy_span payload)
{
    ProtobufCAllocator in = {arena_alloc, arena_free, arena};
    return sy_sparkplug__payload__unpack(&in, payload.n, (const uint8_t *)payload.p);
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    sy_records l;
    sy_err e = SY_OK;
    sy_records_init(&l);
    SySparkplug__Payload *p = unpack(&l.arena, payload);
    if (!p)
        e = sy_fail_set(f, SY_E_PARSE, "Sparkplug: not a payload of Sparkplug B");
    for (size_t i = 0; p && i < p->n_metrics && !e; i++)
        if (!metric(&l, p, p->metrics[i]))
            e = not_utf8(i, f);
    if (!e)
        e = sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    return e;
}

/* A timestamp first (field 1, varint), then metrics (field 2): what every sender writes. */
static int probe(sy_span payload)
{
    if (payload.n < 4 || (uint8_t)payload.p[0] != 0x08)
        return 0;
    sy_arena arena;
    sy_arena_init(&arena, sy_heap(), 0);
    SySparkplug__Payload *p = unpack(&arena, payload);
    bool like = p && p->has_timestamp && p->timestamp > UINT64_C(946684800000) && p->n_metrics > 0;
    sy_arena_fini(&arena);
    return like ? 95 : 0;
}

const sy_format sy_format_sparkplugb = {"sparkplugb", 0xffff, decode, probe, NULL};

/* ---- with what births said ---- */

struct sy_spb {
    sy_arena arena; /* the payload */
    SySparkplug__Payload *p;
};

sy_err sy_spb_open(sy_spb **out, sy_span payload, sy_fail *f)
{
    sy_spb *s = malloc(sizeof *s);
    if (!s)
        return sy_fail_set(f, SY_E_NOMEM, "Sparkplug: no memory");
    sy_arena_init(&s->arena, sy_heap(), 0);
    s->p = unpack(&s->arena, payload);
    if (!s->p) {
        sy_spb_close(s);
        return sy_fail_set(f, SY_E_PARSE, "Sparkplug: not a payload of Sparkplug B");
    }
    *out = s;
    return SY_OK;
}

void sy_spb_close(sy_spb *s)
{
    if (s)
        sy_arena_fini(&s->arena);
    free(s);
}

bool sy_spb_seq(const sy_spb *s, uint64_t *seq)
{
    *seq = s->p->seq;
    return s->p->has_seq;
}

bool sy_spb_bdseq(const sy_spb *s, uint64_t *bdseq)
{
    for (size_t i = 0; i < s->p->n_metrics; i++) {
        const SySparkplug__Metric *m = s->p->metrics[i];
        sy_record r = {.quality = SY_Q_GOOD};
        if (m->name && strcmp(m->name, "bdSeq") == 0 && value_of(m, INT64, &r) &&
            r.kind == SY_REC_NUMBER && r.number >= 0) {
            *bdseq = (uint64_t)r.number;
            return true;
        }
    }
    return false;
}

/* The node's own business, not what it measures. */
static bool of_protocol(sy_span name)
{
    static const char *const heads[] = {"Node Control/", "Device Control/"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (name.n > strlen(heads[i]) && memcmp(name.p, heads[i], strlen(heads[i])) == 0)
            return true;
    return sy_span_is(name, "bdSeq");
}

typedef struct giving {
    const SySparkplug__Payload *p;
    sy_span device;
    bool birth;
    const sy_spb_births *births;
    sy_spb_count *count;
} giving;

static sy_err learn(const giving *g, const SySparkplug__Metric *m, const sy_record *r)
{
    sy_spb_metric born = {.name = r->name,
                          .unit = r->unit,
                          .datatype = m->datatype,
                          .has_alias = m->has_alias,
                          .alias = m->alias};
    sy_err e = g->birth && born.name.n ? g->births->learn(g->births->ctx, &born) : SY_OK;
    return e == SY_E_FULL ? SY_OK : e;
}

static sy_err known_metric(const giving *g, sy_records *l, const SySparkplug__Metric *m)
{
    const sy_spb_births *b = g->births;
    sy_record r = record_of(g->p, m);
    const sy_spb_metric *born = NULL;
    r.name = sy_span_of(m->name ? m->name : "");
    if (!g->birth)
        born = r.name.n       ? b->by_name(b->ctx, r.name)
               : m->has_alias ? b->by_alias(b->ctx, m->alias)
                              : NULL;
    if (!born && r.name.n == 0) {
        g->count->unknown++;
        return SY_OK;
    }
    /* Its own texts: what is known may change before the records are given. */
    r.name = born ? sy_records_text(l, born->name) : r.name;
    r.unit = born ? sy_records_text(l, born->unit) : r.unit;
    r.local = r.name;
    r.device = g->device;
    uint32_t datatype = m->has_datatype || !born ? m->datatype : born->datatype;
    bool reading = value_of(m, datatype, &r);
    properties(m->properties, &r);
    if (reading && r.kind == SY_REC_NULL) /* the node has no value of it */
        r.quality = sy_quality_worsen(r.quality, SY_Q_BAD, SY_Q_DEVICE_FAULT);
    sy_err e = learn(g, m, &r);
    if (of_protocol(r.name))
        return e;
    if (reading)
        sy_records_add(l, &r);
    else
        g->count->skipped++;
    return e ? e : l->err;
}

sy_err sy_spb_records(const sy_spb *s, sy_span device, bool birth, const sy_spb_births *births,
                      sy_spb_count *count, sy_record_fn sink, void *ctx, sy_fail *f)
{
    giving g = {s->p, device, birth, births, count};
    sy_records l;
    sy_err e = SY_OK;
    *count = (sy_spb_count){0};
    for (size_t i = 0; i < s->p->n_metrics; i++)
        if (s->p->metrics[i]->name && !is_text(s->p->metrics[i]->name))
            return not_utf8(i, f);
    sy_records_init(&l);
    for (size_t i = 0; i < s->p->n_metrics && !e; i++)
        e = known_metric(&g, &l, s->p->metrics[i]);
    if (!e && l.n)
        e = sy_records_emit(&l, sink, ctx, f);
    else if (e)
        e = sy_fail_set(f, e,
                        e == SY_E_RANGE ? "Sparkplug: more than %d metrics" : "no memory (%d)",
                        (int)SY_RECORDS_MAX);
    sy_records_fini(&l);
    return e;
}

void sy_spb_rebirth(sy_ms now, sy_buf *out)
{
    SySparkplug__Payload p = SY_SPARKPLUG__PAYLOAD__INIT;
    SySparkplug__Metric m = SY_SPARKPLUG__METRIC__INIT, *metrics[] = {&m};
    char name[] = "Node Control/Rebirth";
    uint8_t bytes[128];
    m.name = name;
    m.has_timestamp = p.has_timestamp = true;
    m.timestamp = p.timestamp = (uint64_t)now;
    m.has_datatype = true;
    m.datatype = BOOLEAN;
    m.value_case = SY_SPARKPLUG__METRIC__VALUE_BOOLEAN_VALUE;
    m.boolean_value = true;
    p.n_metrics = 1;
    p.metrics = metrics;
    if (sy_sparkplug__payload__get_packed_size(&p) <= sizeof bytes)
        sy_buf_put(out, bytes, sy_sparkplug__payload__pack(&p, bytes));
}
