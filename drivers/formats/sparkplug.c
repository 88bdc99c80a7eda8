/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparkplug B payloads (Eclipse Sparkplug 3.0, section 6): birth and data messages of edge nodes
 * and devices. A metric is a record by its name; one that a data message calls by its alias alone
 * is "alias/<number>", since only the birth message knows the name. The property Quality (OPC
 * codes: 192 good, 500 stale, 0 bad) and engUnit are taken where they are sent.
 */
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"
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

static bool value_of(const SySparkplug__Metric *m, sy_record *r)
{
    r->kind = SY_REC_NUMBER;
    switch ((int)m->value_case) {
    case SY_SPARKPLUG__METRIC__VALUE_INT_VALUE:
        r->number = signed_of(m->int_value, m->datatype);
        break;
    case SY_SPARKPLUG__METRIC__VALUE_LONG_VALUE:
        r->number = m->datatype == INT64 ? (double)(int64_t)m->long_value : (double)m->long_value;
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
        return m->has_is_null && m->is_null;
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

static bool metric(sy_records *l, const SySparkplug__Payload *p, const SySparkplug__Metric *m)
{
    char alias[32];
    sy_record r = {.quality = SY_Q_GOOD, .unit = {"", 0}};
    if (p->has_timestamp)
        time_of(p->timestamp, &r);
    if (m->has_timestamp)
        time_of(m->timestamp, &r);
    if (m->name && !is_text(m->name))
        return false;
    r.name = sy_span_of(m->name ? m->name : "");
    if (r.name.n == 0 && m->has_alias) {
        int n = snprintf(alias, sizeof alias, "alias/%llu", (unsigned long long)m->alias);
        r.name = sy_records_text(l, (sy_span){alias, (size_t)n});
    }
    r.local = r.name;
    if (value_of(m, &r)) {
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
            e = sy_fail_set(f, SY_E_PARSE, "Sparkplug: the name of metric %zu is not UTF-8", i);
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
