/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparkplug edge nodes (Eclipse Sparkplug 3.0): what births, data and deaths become, with payloads
 * that are written here by the specification's field numbers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_rig.h"
#include "drivers/formats/sparkplug.h"
#include "pipeline/births.h"

enum { MAX = 8, NOW = 1767571200, UINT64 = 8, INT16 = 2, FLOAT = 9, BOOL = 11, STRING = 12 };
#define NOW_MS ((sy_ms)NOW * 1000)

static const char yaml[] =
    "gateway: {id: gw-1, data: data, locale: en}\n"
    "mqtt: {broker: managed, listen: [127.0.0.1:0]}\n"
    "premises:\n"
    "  - id: shop\n"
    "    places:\n"
    "      - id: cr-1\n"
    "        kind: room\n"
    "        points:\n"
    "          - {quantity: temperature, device: n1, name: Rear, unit: degC}\n"
    "          - {quantity: temperature, device: n1, name: pump/Oil, unit: degC}\n"
    "          - {quantity: door, device: n1, name: Door}\n"
    "devices:\n"
    "  - {id: n1, transport: mqtt, node: plant/edge 1}\n"
    "  - {id: n2, transport: mqtt, node: plant/edge 2}\n";

typedef struct births_test {
    config_rig rig;
    sy_registry *devices;
    sy_births births;
    sy_decode_env env;
    sy_decoded got[MAX];
    size_t n;
    sy_decode_sum sum;
    sy_err err;
} births_test;

static int set_up(void **state)
{
    births_test *t = calloc(1, sizeof *t);
    rig_open(&t->rig);
    rig_write(&t->rig, "gw.yaml", yaml);
    if (rig_load(&t->rig) != SY_OK)
        fail_msg("%s", t->rig.findings.n ? t->rig.findings.v[0].en : t->rig.fail.text);
    assert_int_equal(sy_config_registry(t->rig.config, &t->devices, &t->rig.fail), SY_OK);
    sy_births_init(&t->births);
    t->env = (sy_decode_env){t->rig.config, t->devices, NOW_MS, false, false, &t->births};
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    births_test *t = *state;
    sy_births_fini(&t->births);
    sy_registry_unref(t->devices);
    rig_close(&t->rig);
    free(t);
    return 0;
}

/* ---- payloads ---- */

typedef struct bytes {
    char p[4096];
    size_t n;
} bytes;

static void varint(bytes *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        b->p[b->n++] = (char)(0x80 | (v & 0x7f));
    b->p[b->n++] = (char)v;
}

static void number(bytes *b, unsigned field, uint64_t v)
{
    varint(b, field << 3);
    varint(b, v);
}

static void block(bytes *b, unsigned field, const void *p, size_t n)
{
    varint(b, field << 3 | 2);
    varint(b, n);
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

/* A payload with its time and sequence number; seq -1: none. */
static bytes payload(int seq)
{
    bytes b = {.n = 0};
    number(&b, 1, (uint64_t)NOW_MS);
    if (seq >= 0)
        number(&b, 3, (uint64_t)seq);
    return b;
}

typedef struct metric {
    const char *name; /* NULL: by its alias alone */
    int alias;        /* -1: none */
    int datatype;     /* 0: none */
    double value;
    const char *text, *unit;
    sy_ms time; /* 0: none */
    bool null, historical;
} metric;

static void add(bytes *b, metric m)
{
    bytes x = {.n = 0};
    if (m.name)
        block(&x, 1, m.name, strlen(m.name));
    if (m.alias >= 0)
        number(&x, 2, (uint64_t)m.alias);
    if (m.time)
        number(&x, 3, (uint64_t)m.time);
    if (m.datatype)
        number(&x, 4, (uint64_t)m.datatype);
    if (m.historical)
        number(&x, 5, 1);
    if (m.null)
        number(&x, 7, 1);
    if (m.unit) {
        bytes set = {.n = 0}, v = {.n = 0};
        block(&set, 1, "engUnit", 7);
        number(&v, 1, STRING);
        block(&v, 8, m.unit, strlen(m.unit));
        block(&set, 2, v.p, v.n);
        block(&x, 9, set.p, set.n);
    }
    if (m.text) {
        block(&x, 15, m.text, strlen(m.text));
    } else if (m.datatype == BOOL) {
        number(&x, 14, m.value > 0);
    } else if (m.datatype == UINT64) {
        number(&x, 11, (uint64_t)m.value);
    } else if (m.datatype == INT16 || (!m.datatype && m.value < 0)) {
        number(&x, 10, (uint32_t)(int32_t)m.value);
    } else if (!m.null) {
        float v = (float)m.value;
        varint(&x, 12 << 3 | 5);
        memcpy(x.p + x.n, &v, 4); /* little endian, as the test's machine is */
        x.n += 4;
    }
    block(b, 2, x.p, x.n);
}

static sy_err sink(void *ctx, const sy_decoded *r)
{
    births_test *t = ctx;
    assert_in_range(t->n, 0, MAX - 1);
    t->got[t->n++] = *r;
    return SY_OK;
}

static void take(births_test *t, const char *topic, const bytes *b)
{
    sy_jrec rec = {.seq = 1,
                   .recv = t->env.now,
                   .type = SY_J_MESSAGE,
                   .code = SY_TRANSPORT_MQTT | 0xffffu << 8,
                   .source = sy_span_of(topic),
                   .payload = {b->p, b->n}};
    t->n = 0;
    t->err = sy_decode(&t->env, &rec, sink, t, &t->sum);
    if (t->err)
        print_message("%s\n", t->sum.why);
    assert_int_equal(t->err, SY_OK);
}

static const char *topic_of(const char *type, const char *device)
{
    static char text[128];
    snprintf(text, sizeof text, "spBv1.0/plant/%s/edge 1%s%s", type, device ? "/" : "",
             device ? device : "");
    return text;
}

static void birth(births_test *t, uint64_t bdseq)
{
    bytes b = payload(0);
    add(&b, (metric){.name = "bdSeq", .alias = -1, .datatype = UINT64, .value = (double)bdseq});
    add(&b, (metric){.name = "Node Control/Rebirth", .alias = -1, .datatype = BOOL});
    add(&b, (metric){.name = "Rear", .alias = 7, .datatype = INT16, .value = 41, .unit = "degF"});
    add(&b, (metric){.name = "Door", .alias = 8, .datatype = STRING, .text = "open"});
    take(t, topic_of("NBIRTH", NULL), &b);
}

static void death(births_test *t, int bdseq)
{
    bytes b = payload(-1);
    if (bdseq >= 0)
        add(&b, (metric){.name = "bdSeq", .alias = -1, .datatype = UINT64, .value = bdseq});
    take(t, topic_of("NDEATH", NULL), &b);
}

static void value(births_test *t, int seq, metric m)
{
    bytes b = payload(seq);
    add(&b, m);
    take(t, topic_of("NDATA", NULL), &b);
}

/* The i-th reading: series, value, quality but for the bit that it was converted. */
static void is(const births_test *t, size_t i, const char *series, double v, sy_quality quality)
{
    assert_true(i < t->n);
    const sy_decoded *r = &t->got[i];
    assert_string_equal(t->rig.config->site->points[r->point].series, series);
    assert_true(fabs(r->value - v) < 1e-6);
    assert_int_equal(r->quality & ~(sy_quality)SY_Q_UNIT_CONVERTED, quality);
}

/* ---- tests ---- */

static void topics_are_those_of_the_specification(void **state)
{
    (void)state;
    sy_spb_topic t = sy_spb_topic_of(sy_span_of("spBv1.0/g/DDATA/n/d"));
    assert_int_equal(t.kind, SY_SPB_DDATA);
    assert_true(sy_span_is(t.group, "g") && sy_span_is(t.node, "n") && sy_span_is(t.device, "d"));
    static const char *const none[] = {
        "spBv1.0/g/NDATA/n/d",   "spBv1.0/g/DDATA/n", "spBv1.0/g/DDATA/n/", "spBv1.0/g/NCMD/n",
        "spBv1.0/g/DDATA/n/d/e", "spBv1.0/STATE/h",   "spAv1.0/g/NDATA/n",  "spBv1.0/g/NDATA/",
        "spBv1.0//NDATA/n",      "spBv1.0/",          "spBv1.0/g/NDATA",    "",
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(sy_spb_topic_of(sy_span_of(none[i])).kind, SY_SPB_NONE);
    static const char *const bad[] = {"", "a", "a/", "/b", "a/b/c", "a/+", "#/b", "a/b\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(sy_spb_node_valid(sy_span_of(bad[i])));
    assert_true(sy_spb_node_valid(sy_span_of("组/节点 1")));
    char text[SY_SPB_TOPIC];
    size_t n = 0;
    while (sy_spb_topic_at("g/n", n, text))
        n++;
    assert_int_equal(n, 6);
    assert_true(sy_spb_topic_at("g/n", 4, text));
    assert_string_equal(text, "spBv1.0/g/DDATA/n/#");
    assert_true(sy_spb_command("g/n", false, text));
    assert_string_equal(text, "spBv1.0/g/NCMD/n");
    assert_true(sy_spb_command("g/n", true, text));
    assert_string_equal(text, "spBv1.0/g/DCMD/n/#");
}

static void aliases_have_the_name_type_and_unit_of_their_birth(void **state)
{
    births_test *t = *state;
    birth(t, 1);
    assert_int_equal(t->n, 2);
    assert_int_equal(t->sum.records, 2); /* bdSeq and Node Control are the node's own business */
    is(t, 0, "n1/Rear", 5, SY_Q_GOOD);
    is(t, 1, "n1/Door", t->got[1].value, SY_Q_GOOD);
    assert_null(t->sum.ask);
    value(t, 1, (metric){.alias = 7, .value = -40}); /* no type, no unit: those of the birth */
    assert_int_equal(t->n, 1);
    is(t, 0, "n1/Rear", -40, SY_Q_GOOD);
    value(t, 2, (metric){.name = "Rear", .alias = -1, .value = -40});
    is(t, 0, "n1/Rear", -40, SY_Q_GOOD);
    value(t, 3, (metric){.alias = 8, .text = "closed"});
    is(t, 0, "n1/Door", t->got[0].value, SY_Q_GOOD);
    assert_null(t->sum.ask);
    /* Of devices behind the node: their name, then the metric's. */
    bytes b = payload(4);
    add(&b, (metric){.name = "Oil", .alias = 9, .datatype = FLOAT, .value = 60});
    take(t, topic_of("DBIRTH", "pump"), &b);
    is(t, 0, "n1/pump/Oil", 60, SY_Q_GOOD);
    b = payload(5);
    add(&b, (metric){.alias = 9, .value = 61.5});
    take(t, topic_of("DDATA", "pump"), &b);
    is(t, 0, "n1/pump/Oil", 61.5, SY_Q_GOOD);
    assert_null(t->sum.ask);
    assert_int_equal(t->sum.gaps, 0);
}

static void a_node_is_asked_for_its_births(void **state)
{
    births_test *t = *state;
    value(t, 17, (metric){.alias = 7, .value = 5}); /* no birth is known */
    assert_int_equal(t->n, 0);
    assert_int_equal(t->sum.unmatched, 1);
    assert_string_equal(t->sum.ask, "plant/edge 1");
    t->env.now += SY_BIRTHS_ASK_MS - 1;
    value(t, 18, (metric){.name = "Rear", .alias = -1, .datatype = FLOAT, .value = 5});
    is(t, 0, "n1/Rear", 5, SY_Q_GOOD); /* what says its name counts all the same */
    assert_null(t->sum.ask);           /* not so soon again */
    t->env.now += 1;
    value(t, 19, (metric){.alias = 7, .value = 5});
    assert_non_null(t->sum.ask);
    t->env.now += SY_BIRTHS_ASK_MS;
    birth(t, 2);
    assert_null(t->sum.ask);
    value(t, 1, (metric){.alias = 7, .value = -40});
    assert_null(t->sum.ask);
    value(t, 3, (metric){.alias = 7, .value = -41}); /* 2 is missing */
    assert_int_equal(t->sum.gaps, 1);
    assert_int_equal(t->n, 1);
    assert_non_null(t->sum.ask);
    t->env.now += SY_BIRTHS_ASK_MS;
    value(t, 4, (metric){.alias = 99, .value = 5}); /* an alias of no birth */
    assert_int_equal(t->sum.gaps, 0);
    assert_non_null(t->sum.ask);
    t->env.now += SY_BIRTHS_ASK_MS;
    bytes b = payload(5);
    add(&b, (metric){.name = "Oil", .alias = -1, .datatype = FLOAT, .value = 1});
    take(t, topic_of("DDATA", "pump"), &b); /* a device without its birth */
    assert_non_null(t->sum.ask);
    birth(t, 3);
    for (int i = 1; i < 256; i++)
        value(t, i, (metric){.alias = 7, .value = -40});
    value(t, 0, (metric){.alias = 7, .value = -40}); /* 255 is followed by 0 */
    assert_int_equal(t->sum.gaps, 0);
}

static void a_death_makes_the_last_values_stale(void **state)
{
    births_test *t = *state;
    const sy_quality stale = SY_Q_UNCERTAIN | SY_Q_DEVICE_FAULT;
    birth(t, 5);
    bytes b = payload(1);
    add(&b, (metric){.name = "Oil", .alias = 9, .datatype = FLOAT, .value = 60});
    take(t, topic_of("DBIRTH", "pump"), &b);
    t->env.now += 60000;
    b = payload(2);
    take(t, topic_of("DDEATH", "pump"), &b);
    assert_int_equal(t->n, 1);
    is(t, 0, "n1/pump/Oil", 60, stale);
    assert_int_equal(t->got[0].t, t->env.now);
    death(t, 4); /* the will of an earlier connection */
    assert_int_equal(t->n, 0);
    death(t, 5);
    assert_int_equal(t->n, 2); /* not the pump again */
    is(t, 0, "n1/Door", t->got[0].value, stale);
    is(t, 1, "n1/Rear", 5, stale);
    death(t, 5);
    assert_int_equal(t->n, 0);
    /* The birth says that the values are those of now, though their own time is older. */
    t->env.now += 60000;
    birth(t, 6);
    assert_int_equal(t->n, 2);
    is(t, 0, "n1/Rear", 5, SY_Q_GOOD);
    assert_int_equal(t->got[0].t, t->env.now);
    death(t, -1); /* no bdSeq: it is taken for the one that is there */
    assert_int_equal(t->n, 2);
}

static void what_was_stored_on_the_way_is_late_data(void **state)
{
    births_test *t = *state;
    birth(t, 1);
    value(t, 1, (metric){.alias = 7, .value = -40, .time = NOW_MS - 5000, .historical = true});
    is(t, 0, "n1/Rear", -40, SY_Q_GOOD);
    assert_int_equal(t->got[0].t, NOW_MS - 5000);
    t->env.now += 1000;
    death(t, 1);
    is(t, 1, "n1/Rear", 5, SY_Q_UNCERTAIN | SY_Q_DEVICE_FAULT); /* the last by its time */
}

static void what_is_no_reading_is_counted(void **state)
{
    births_test *t = *state;
    bytes b = payload(0), x = {.n = 0};
    block(&x, 1, "Set", 3);
    number(&x, 4, 16);
    block(&x, 17, "\x08\x01", 2); /* a data set */
    block(&b, 2, x.p, x.n);
    add(&b, (metric){.name = "Rear", .alias = 7, .datatype = INT16, .null = true});
    take(t, topic_of("NBIRTH", NULL), &b);
    assert_int_equal(t->sum.skipped, 1);
    assert_int_equal(t->n, 0);
    assert_int_equal(t->sum.faults, 1); /* a null: the node has no value of it */
    assert_int_equal(t->sum.refused, 0);
}

static void it_goes_on_from_a_snapshot(void **state)
{
    births_test *t = *state;
    sy_buf a, b;
    sy_buf_init(&a, sy_heap());
    sy_buf_init(&b, sy_heap());
    birth(t, 5);
    bytes oil = payload(1);
    add(&oil, (metric){.name = "Oil", .alias = 9, .datatype = FLOAT, .value = 60});
    take(t, topic_of("DBIRTH", "pump"), &oil);
    sy_births_save(&t->births, &a);
    sy_births_fini(&t->births);
    sy_rd in = sy_rd_of(sy_buf_span(&a));
    assert_int_equal(sy_births_load(&t->births, &in), SY_OK);
    sy_births_save(&t->births, &b);
    assert_true(sy_span_eq(sy_buf_span(&a), sy_buf_span(&b)));
    value(t, 2, (metric){.alias = 7, .value = -40});
    is(t, 0, "n1/Rear", -40, SY_Q_GOOD);
    assert_null(t->sum.ask);
    death(t, 5);
    assert_int_equal(t->n, 3);
    /* Cut anywhere it is refused, and nothing is lost. */
    for (size_t i = 0; i < a.n; i++) {
        sy_births half;
        sy_births_init(&half);
        in = sy_rd_of((sy_span){a.p, i});
        assert_int_not_equal(sy_births_load(&half, &in), SY_OK);
        sy_births_fini(&half);
    }
    /* Of a node that the configuration no longer has nothing is kept. */
    sy_registry *none = NULL;
    assert_int_equal(sy_registry_make(&none, NULL, 0, NULL, NULL, &t->rig.fail), SY_OK);
    sy_births_keep(&t->births, none);
    assert_int_equal(t->births.n, 0);
    sy_registry_unref(none);
    sy_buf_fini(&a);
    sy_buf_fini(&b);
}

static void a_birth_takes_bounded_memory(void **state)
{
    births_test *t = *state;
    char name[40];
    birth(t, 1);
    for (int i = 0; i < 400; i++) {
        snprintf(name, sizeof name, "device %d", i);
        bytes b = payload(i + 1);
        add(&b, (metric){.name = "Oil", .alias = i, .datatype = FLOAT, .value = 60});
        take(t, topic_of("DBIRTH", name), &b);
    }
    sy_buf all;
    sy_buf_init(&all, sy_heap());
    sy_births_save(&t->births, &all);
    assert_true(all.n < 40000);
    birth(t, 2); /* all of it is forgotten */
    sy_buf_reset(&all);
    sy_births_save(&t->births, &all);
    assert_true(all.n < 1000);
    sy_buf_fini(&all);
}

static void a_request_is_one_that_nodes_understand(void **state)
{
    (void)state;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_spb_rebirth(1486144502122, &b);
    static const char want[] = "\x08\xea\xf2\xf5\xa8\xa0\x2b" /* timestamp */
                               "\x12\x21\x0a\x14Node Control/Rebirth"
                               "\x18\xea\xf2\xf5\xa8\xa0\x2b\x20\x0b\x70\x01";
    assert_int_equal(b.n, sizeof want - 1);
    assert_memory_equal(b.p, want, b.n);
    sy_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_those_of_the_specification),
        cmocka_unit_test_setup_teardown(aliases_have_the_name_type_and_unit_of_their_birth, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_node_is_asked_for_its_births, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_death_makes_the_last_values_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_stored_on_the_way_is_late_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_reading_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_on_from_a_snapshot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_birth_takes_bounded_memory, set_up, tear_down),
        cmocka_unit_test(a_request_is_one_that_nodes_understand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
