/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: what a good one gives, and what is said, and where, when one thing is wrong.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_rig.h"

static void load_fine(config_rig *r)
{
    sy_err rc = rig_load(r);
    if (rc != SY_OK)
        print_error("%s\n", r->fail.text);
    assert_int_equal(rc, SY_OK);
}

static void what_is_kept_for_how_long(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    assert_int_equal(rig_load_with(&r, "locale: en",
                                   "commit: 500 ms\n  segment: 1 MiB\n"
                                   "  retention: {raw: {time: 90 days, bytes: 1.5 GB},\n"
                                   "              alerts: {bytes: 4096}}\n"
                                   "  flash: {bytes: 32 GB, cycles: 1000}"),
                     SY_OK);
    const sy_config *c = r.config;
    assert_int_equal(c->commit, 500);
    assert_int_equal(c->segment, 1 << 20);
    assert_int_equal(c->keeping.raw.time, 90LL * 86400000);
    assert_int_equal(c->keeping.raw.bytes, 1500000000);
    assert_int_equal(c->keeping.readings.bytes, 0);
    assert_int_equal(c->keeping.alerts.bytes, 4096);
    assert_int_equal(c->keeping.alerts.time, 10LL * 366 * 86400000);
    assert_int_equal(c->keeping.flash_bytes, 32000000000);
    assert_int_equal(c->keeping.flash_cycles, 1000);
    rig_close(&r);
}

static void a_good_file_gives_everything(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    load_fine(&r);
    for (size_t i = 0; i < r.findings.n; i++)
        print_error("%s: %s\n", r.findings.v[i].code, r.findings.v[i].en);
    assert_int_equal(r.findings.n, 0);
    const sy_config *c = r.config;
    assert_string_equal(c->id, "gw-1");
    assert_string_equal(c->data, r.data);
    assert_false(c->strict);
    assert_int_equal(c->future, 120000);
    assert_int_equal(c->lateness, 30LL * 86400000);
    assert_int_equal(c->sync, 250);
    assert_int_equal(c->max_payload, 65536);
    assert_int_equal(c->commit, 2000);
    assert_int_equal(c->segment, 16 << 20);
    assert_int_equal(c->keeping.raw.bytes, 0);
    assert_true(c->keeping.raw.share == 0.25 && c->keeping.alerts.share == 0.1);
    assert_int_equal(c->keeping.readings.time, 6LL * 366 * 86400000);
    assert_string_equal(c->broker, "managed");
    assert_string_equal(c->mqtt_listen[0], "127.0.0.1:1883");
    assert_string_equal(c->dtls_listen[0], "127.0.0.1:5684");
    assert_string_equal(c->console_listen, "127.0.0.1:8080");
    const sy_site *s = c->site;
    assert_int_equal(s->n_points, 3);
    assert_string_equal(s->points[0].series, "a-rear"); /* sorted */
    assert_string_equal(s->points[0].unit, "degF");
    assert_int_equal(s->points[0].delivery, 3600000);
    assert_string_equal(s->points[1].series, "d3/contact");
    assert_true(s->points[1].is_state);
    assert_string_equal(s->points[2].series, "t1/t");
    assert_int_equal(s->points[2].every, 60000);
    assert_int_equal(s->points[2].delivery, 30000);
    assert_true(s->points[2].range_lo == -40 && s->points[2].range_hi == 60);
    assert_true(isnan(s->points[2].accuracy));
    assert_string_equal(s->places[0].goods[0], "refrigerated-drug");
    assert_string_equal(s->premises[0].tiers[0].value, "B");
    assert_int_equal(sy_zone_offset(s->premises[0].zone, 0), 8 * 3600000);
    assert_int_equal(c->n_devices, 3);
    assert_int_equal(c->devices[0].credential, SY_CRED_PASSWORD);
    const sy_device *door = &c->devices[2];
    assert_true(door->from.set && door->from.bits == 8 && door->from.addr[0] == 10);
    assert_int_equal(door->n_map, 2);
    assert_int_equal(door->n_channels, 1);
    assert_int_equal(door->channels[0].point, 1);
    assert_int_equal(door->channels[0].n_states, 3);
    assert_string_equal(door->channels[0].states[0].text, "true");
    assert_string_equal(door->channels[0].states[1].text, "\"on\"");
    assert_int_equal(door->channels[0].states[0].state, door->channels[0].states[1].state);
    assert_int_not_equal(door->channels[0].states[0].state, door->channels[0].states[2].state);
    assert_int_equal(c->n_destinations, 1);
    assert_int_equal(c->destinations[0].severity, SY_NOTICE);
    assert_string_equal(c->destinations[0].serves[0]->id, "inspector");
    assert_int_equal(c->set->n_rules, 1);
    rig_close(&r);
}

/* One more device, of hj212, and its section. */
#define HJ212_FROM "destinations:"
#define HJ212_TO(device)                                                                           \
    "  - {id: h1, transport: hj212, " device "}\nhj212: {listen: [127.0.0.1:0]}\ndestinations:"

/* One change to the good file; what is said first of that code, and where (column 0: any). */
static const struct spoiled {
    const char *from, *to;
    sy_severity severity;
    const char *code;
    uint32_t line, column;
    const char *near;
} spoils[] = {
    {"  id: gw-1\n", "", SY_DIAG_ERROR, "missing-key", 0, 0, NULL},
    {"id: gw-1", "id: gw 1", SY_DIAG_ERROR, "wrong-value", 2, 7, NULL},
    {"  data: data", "  dat: data", SY_DIAG_ERROR, "unknown-key", 3, 3, "data"},
    {"locale: en", "locale: eng", SY_DIAG_ERROR, "unknown-word", 4, 11, "en"},
    {"locale: en", "durability: stict", SY_DIAG_ERROR, "unknown-word", 4, 15, "strict"},
    {"locale: en", "future: 2 days", SY_DIAG_ERROR, "out-of-range", 4, 11, NULL},
    {"locale: en", "lateness: 30", SY_DIAG_ERROR, "wrong-value", 4, 13, NULL},
    {"locale: en", "lateness:", SY_DIAG_ERROR, "empty-value", 4, 3, NULL},
    {"locale: en", "max-payload: 2000000", SY_DIAG_ERROR, "out-of-range", 4, 16, NULL},
    {"locale: en", "commit: 1 min", SY_DIAG_ERROR, "out-of-range", 4, 11, NULL},
    {"locale: en", "segment: 16 MX", SY_DIAG_ERROR, "wrong-value", 4, 12, NULL},
    {"locale: en", "segment: 100 kB", SY_DIAG_ERROR, "out-of-range", 4, 12, NULL},
    {"locale: en", "max-payload: 1000000\n  segment: 1 MB", SY_DIAG_ERROR, "out-of-range", 5, 12,
     NULL},
    {"locale: en", "retention: {readings: {time: 31 days}}", SY_DIAG_ERROR, "out-of-range", 4, 32,
     NULL},
    {"locale: en", "retention: {raw: {bytes: 0}}", SY_DIAG_ERROR, "out-of-range", 4, 28, NULL},
    {"locale: en", "retention: {row: {time: 1 days}}", SY_DIAG_ERROR, "unknown-key", 4, 15, "raw"},
    {"locale: en", "flash: {cycles: 0}", SY_DIAG_ERROR, "out-of-range", 4, 19, NULL},
    {"locale: en", "max-payload: 70000.5", SY_DIAG_ERROR, "wrong-value", 4, 16, NULL},
    {"locale: en", "sync: {a: 1}", SY_DIAG_ERROR, "wrong-value", 4, 0, NULL},
    {"one.rules", "two.rules", SY_DIAG_ERROR, "file", 5, 11, NULL},
    {"local.vocabulary", "missing.vocabulary", SY_DIAG_ERROR, "file", 6, 16, NULL},
    {"broker: managed", "broker: manged", SY_DIAG_ERROR, "wrong-value", 8, 11, "managed"},
    {"broker: managed", "broker: mqtt://b:1883", SY_DIAG_ERROR, "not-here", 9, 3, NULL},
    {"broker: managed", "broker: mqtts://b:1883", SY_DIAG_ERROR, "missing-key", 8, 11, NULL},
    {"broker: managed", "user: me", SY_DIAG_ERROR, "not-here", 8, 9, NULL},
    {"[127.0.0.1:1883]", "[127.0.0.1]", SY_DIAG_ERROR, "wrong-value", 9, 12, NULL},
    {"[127.0.0.1:1883]", "[127.0.0.1:8080]", SY_DIAG_ERROR, "duplicate", 13, 19, NULL},
    {"psk.txt", "none.txt", SY_DIAG_WARNING, "file", 12, 41, NULL},
    {", psk: psk.txt", "", SY_DIAG_ERROR, "missing-key", 12, 0, NULL},
    {"psk: psk.txt", "ca: ca.pem, cert: gw.pem", SY_DIAG_ERROR, "tls", 12, 0, NULL},
    {"psk: psk.txt", "ca: ca.pem, cert: gw.pem, key: gw.key", SY_DIAG_ERROR, "missing-key", 36, 0,
     NULL},
    {"psk: psk.txt", "psk: psk.txt, ca: ca.pem, cert: gw.pem, key: no.key", SY_DIAG_ERROR, "file",
     12, 81, NULL},
    {"00Y43", "00Y44", SY_DIAG_WARNING, "code", 17, 12, NULL},
    {"drug-wholesaler", "drug-wholsaler", SY_DIAG_ERROR, "unknown-word", 18, 14, "drug-wholesaler"},
    {"subject: drug-wholesaler", "subject: room", SY_DIAG_ERROR, "wrong-kind", 18, 14, NULL},
    {"food-risk-tier: B", "food-risk-tier: Q", SY_DIAG_ERROR, "unknown-word", 20, 29, NULL},
    {"food-risk-tier: B", "food-risk: B", SY_DIAG_ERROR, "unknown-word", 20, 13, NULL},
    {"Asia/Shanghai", "Asia/Shangai", SY_DIAG_ERROR, "time-zone", 21, 16, NULL},
    {"10:00-14:00", "10:00-14:60", SY_DIAG_ERROR, "wrong-value", 22, 33, NULL},
    {"kind: room", "kind: romm", SY_DIAG_ERROR, "unknown-word", 25, 15, "room"},
    {"[refrigerated-drug]", "[refrigerated-drugs]", SY_DIAG_ERROR, "unknown-word", 26, 17,
     "refrigerated-drug"},
    {"quantity: temperature", "quantity: temperture", SY_DIAG_ERROR, "unknown-word", 28, 24,
     "temperature"},
    {"unit: degC", "unit: mg/m3", SY_DIAG_ERROR, "unit-mismatch", 28, 64, "degC"},
    {"unit: degC", "unit: degg", SY_DIAG_ERROR, "unknown-unit", 28, 64, NULL},
    {", unit: degC", "", SY_DIAG_WARNING, "no-unit", 28, 24, NULL},
    {"device: t1", "device: t9", SY_DIAG_ERROR, "unknown-device", 28, 45, NULL},
    {"every: 60 s", "every: 3 min", SY_DIAG_ERROR, "blind", 29, 21, NULL},
    {"every: 60 s", "every: 3 min, accept-blind: a logger", SY_DIAG_WARNING, "blind", 29, 21, NULL},
    {"every: 60 s", "every: 11 min, accept-blind: a logger", SY_DIAG_WARNING, "short-hold", 29, 21,
     NULL},
    {"every: 60 s", "every: 0 s", SY_DIAG_ERROR, "out-of-range", 29, 21, NULL},
    {"[-40, 60]", "[60, -40]", SY_DIAG_ERROR, "out-of-range", 29, 0, NULL},
    {"[-40, 60]", "[-40, x]", SY_DIAG_ERROR, "wrong-value", 29, 0, NULL},
    {"12 months", "12 moons", SY_DIAG_ERROR, "wrong-value", 29, 0, NULL},
    {"12 months", "12 months, calibrated: 2026-02-30", SY_DIAG_ERROR, "wrong-value", 29, 0, NULL},
    {"id: a-rear", "id: t1/t", SY_DIAG_ERROR, "duplicate", 31, 0, NULL},
    {"device: t2, name: t", "device: t1, name: t", SY_DIAG_ERROR, "duplicate", 30, 0, NULL},
    {"{open: [", "{opn: [", SY_DIAG_ERROR, "unknown-word", 33, 23, "open"},
    {"\"on\"", "false", SY_DIAG_ERROR, "duplicate", 33, 0, NULL},
    {"name: contact,", "name: contakt,", SY_DIAG_ERROR, "unmapped", 32, 0, "contact"},
    {"topic: s/t1", "topic: s/+/t1", SY_DIAG_ERROR, "wrong-value", 35, 0, NULL},
    {", topic: s/t1", "", SY_DIAG_ERROR, "missing-key", 35, 0, NULL},
    {"format: senml-json", "format: senml-jsn", SY_DIAG_ERROR, "unknown-word", 35, 0, "senml-json"},
    {"format: senml-json", "format: chirpstack, model: em300-ht", SY_DIAG_ERROR, "unknown-word", 35,
     0, "em300-th"},
    {"format: senml-json", "format: dragino, model: em300-th", SY_DIAG_ERROR, "unknown-word", 35, 0,
     NULL},
    {"format: senml-json", "format: senml-json, model: em300-th", SY_DIAG_ERROR, "not-here", 35, 0,
     NULL},
    {"credential: psk", "credential: password", SY_DIAG_ERROR, "wrong-value", 36, 0, NULL},
    {"credential: psk", "credential: none", SY_DIAG_ERROR, "missing-key", 36, 0, NULL},
    {"credential: psk", "observe: \"coaps://10.0.0.9/t\", credential: none", SY_DIAG_ERROR,
     "wrong-value", 36, 0, NULL},
    {"credential: psk", "observe: \"coap://probe/t\"", SY_DIAG_ERROR, "wrong-value", 36, 0, NULL},
    {"credential: none", "observe: \"coap://10.0.0.9/t\"", SY_DIAG_ERROR, "not-here", 38, 0, NULL},
    {"topic: s/t1", "topic: s/t1, observe: \"coap://10.0.0.9/t\"", SY_DIAG_ERROR, "not-here", 35, 0,
     NULL},
    {"credential: psk", "credential: certificate", SY_DIAG_ERROR, "missing-key", 36, 0, NULL},
    {"topic: s/t1", "topic: s/t1, credential: certificate", SY_DIAG_ERROR, "missing-key", 35, 0,
     NULL},
    {"{id: t2", "{id: t1", SY_DIAG_ERROR, "duplicate", 36, 0, NULL},
    {"10.0.0.0/8", "10.0.0.1/8", SY_DIAG_ERROR, "wrong-value", 38, 0, NULL},
    {"\"$.c\"", "c", SY_DIAG_ERROR, "wrong-value", 38, 0, NULL},
    {", format: senml-json", "", SY_DIAG_ERROR, "missing-key", 35, 0, NULL},
    {"topic: s/t1", "topic: s/t1, mn: M1", SY_DIAG_ERROR, "not-here", 35, 0, NULL},
    {HJ212_FROM, HJ212_TO("mn: M1, from: 10.0.0.0/8, format: number"), SY_DIAG_ERROR, "wrong-value",
     39, 0, NULL},
    {HJ212_FROM, HJ212_TO("mn: M1"), SY_DIAG_ERROR, "missing-key", 39, 0, NULL},
    {HJ212_FROM, HJ212_TO("from: 10.0.0.0/8"), SY_DIAG_ERROR, "missing-key", 39, 0, NULL},
    {HJ212_FROM, HJ212_TO("mn: \"M;1\", from: 10.0.0.0/8"), SY_DIAG_ERROR, "wrong-value", 39, 0,
     NULL},
    {HJ212_FROM, HJ212_TO("mn: M1, from: 10.0.0.0/8, password: \"1&\""), SY_DIAG_ERROR,
     "wrong-value", 39, 0, NULL},
    {HJ212_FROM, HJ212_TO("mn: M1, from: 10.0.0.0/8, credential: password"), SY_DIAG_ERROR,
     "not-here", 39, 0, NULL},
    {HJ212_FROM, HJ212_TO("mn: M1, from: 10.0.0.0/8, topic: a"), SY_DIAG_ERROR, "not-here", 39, 0,
     NULL},
    {HJ212_FROM,
     HJ212_TO("mn: M1, from: 10.0.0.0/8}\n  - {id: h2, transport: hj212, mn: M1, from: 10.0.0.0/8"),
     SY_DIAG_ERROR, "duplicate", 40, 0, NULL},
    {"id: t1, transport: mqtt, topic: s/t1, format: senml-json",
     "id: t1, transport: hj212, mn: M1, from: 10.0.0.0/8", SY_DIAG_ERROR, "missing-key", 35, 0,
     NULL},
    {HJ212_FROM, "hj212: {listen: [127.0.0.1:8080]}\ndestinations:", SY_DIAG_ERROR, "duplicate", 39,
     0, NULL},
    {"kind: https", "kind: http", SY_DIAG_ERROR, "unknown-word", 41, 11, "https"},
    {"url: https:", "url: http:", SY_DIAG_ERROR, "wrong-value", 42, 10, NULL},
    {"ca: ca.pem, ", "", SY_DIAG_ERROR, "missing-key", 43, 0, NULL},
    {"key: gw.key", "key: no.key", SY_DIAG_ERROR, "file", 43, 0, NULL},
    {", key: gw.key", "", SY_DIAG_ERROR, "tls", 43, 0, NULL},
    {"[inspector, premises]", "[inspektor, premises]", SY_DIAG_ERROR, "unknown-word", 44, 14,
     "inspector"},
    {"[inspector, premises]", "[]", SY_DIAG_ERROR, "wrong-value", 44, 0, NULL},
    {"[inspector, premises]", "[premises]", SY_DIAG_NOTE, "not-served", 8, 13, NULL},
    {"kind: room", "kind: cabinet", SY_DIAG_WARNING, "no-match", 1, 0, NULL},
    {"gateway:\n", "gateway: &a\n", SY_DIAG_ERROR, "", 0, 0, NULL}, /* an anchor alone is fine */
    {"locale: en", "locale: *a", SY_DIAG_ERROR, "yaml-alias", 4, 11, NULL},
    {"locale: en", "locale: !x en", SY_DIAG_ERROR, "yaml-tag", 4, 0, NULL},
    {"locale: en", "locale: \"e\\u0001n\"", SY_DIAG_ERROR, "yaml-control", 4, 0, NULL},
    {"locale: en", "id: gw-2", SY_DIAG_ERROR, "yaml", 4, 0, NULL},
    {"console: {listen: 127.0.0.1:8080}", "---", SY_DIAG_ERROR, "yaml-documents", 0, 0, NULL},
    {"console: {listen: 127.0.0.1:8080}", "console: {", SY_DIAG_ERROR, "yaml", 0, 0, NULL},
};

static int64_t due(const sy_site_due *v, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].what, what) == 0)
            return v[i].day;
    return -1;
}

static void days_are_known_by_which_something_is_due(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    assert_int_equal(rig_load_with(&r, "recalibrate: 12 months}",
                                   "recalibrate: 12 months, calibrated: 2026-02-01,\n"
                                   "             due: {licence: 2026-10-10}}"),
                     SY_OK);
    const sy_site_point *p = &r.config->site->points[0];
    for (size_t i = 0; i < r.config->site->n_points; i++)
        if (r.config->site->points[i].n_dues)
            p = &r.config->site->points[i];
    assert_int_equal(p->n_dues, 2);
    assert_int_equal(due(p->dues, 2, "licence"), sy_days_of((sy_date){2026, 10, 10}));
    assert_int_equal(due(p->dues, 2, "calibration"), sy_days_of((sy_date){2027, 1, 31}));
    assert_int_equal(rig_load_with(&r, "recalibrate: 12 months}",
                                   "recalibrate: 12 months, calibrated: 2026-02-01,\n"
                                   "             due: {校准: 2026-03-03}}"),
                     SY_OK);
    for (size_t i = 0; i < r.config->site->n_points; i++)
        if (r.config->site->points[i].n_dues)
            p = &r.config->site->points[i];
    assert_int_equal(p->n_dues, 1); /* what is written wins */
    assert_int_equal(p->dues[0].day, sy_days_of((sy_date){2026, 3, 3}));
    assert_int_equal(rig_load_with(&r, "    places:\n",
                                   "    due: {licence: 2026-12-31}\n"
                                   "    places:\n"),
                     SY_OK);
    assert_int_equal(r.config->site->premises[0].n_dues, 1);
    assert_int_equal(rig_load_with(&r, "        kind: room\n",
                                   "        kind: room\n"
                                   "        due: {inspection: soon}\n"),
                     SY_E_USAGE);
    assert_non_null(rig_find(&r, "wrong-value"));
    assert_int_equal(rig_load_with(&r, "        kind: room\n",
                                   "        kind: room\n"
                                   "        due: {inspektion: 2026-12-31}\n"),
                     SY_E_USAGE);
    assert_non_null(rig_find(&r, "unknown-word"));
    rig_close(&r);
}

static void hj212_devices_are_known_by_their_mn(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    assert_int_equal(
        rig_load_with(&r, HJ212_FROM, HJ212_TO("mn: M1, password: \"123456\", from: 10.0.0.0/8")),
        SY_OK);
    const sy_config *c = r.config;
    assert_int_equal(c->n_hj212_listen, 1);
    const sy_device *d = &c->devices[3];
    assert_int_equal(d->transport, SY_TRANSPORT_HJ212);
    assert_string_equal(d->format, "hj212");
    assert_string_equal(d->mn, "M1");
    assert_string_equal(d->password, "123456");
    assert_int_equal(d->credential, SY_CRED_PASSWORD);
    sy_registry *devices = NULL;
    sy_fail f;
    assert_int_equal(sy_config_registry(r.config, &devices, &f), SY_OK);
    assert_ptr_equal(sy_registry_by_mn(devices, sy_span_of("M1")), d);
    assert_null(sy_registry_by_mn(devices, sy_span_of("h1")));
    assert_null(sy_registry_by_mn(devices, sy_span_of("")));
    sy_registry_unref(devices);
    rig_close(&r);
}

static void the_standard_gives_hj212_points_their_unit(void **state)
{
    static const char yaml[] =
        "gateway: {id: g, locale: en}\n"
        "hj212: {listen: [127.0.0.1:0]}\n"
        "premises:\n"
        "  - id: p\n"
        "    places:\n"
        "      - {id: o, kind: outfall, points: [{quantity: cod, device: h, name: hour/%s}]}\n"
        "devices:\n"
        "  - {id: h, transport: hj212, mn: M, from: 10.0.0.0/8}\n";
    config_rig r;
    char text[1000];
    (void)state;
    rig_open(&r);
    snprintf(text, sizeof text, yaml, "w01018-Avg");
    rig_write(&r, "gw.yaml", text);
    load_fine(&r);
    assert_null(rig_find(&r, "no-unit"));
    assert_string_equal(r.config->site->points[0].unit, "mg/L");
    snprintf(text, sizeof text, yaml, "w01018-Cou"); /* kilograms: no unit of a concentration */
    rig_write(&r, "gw.yaml", text);
    load_fine(&r);
    assert_non_null(rig_find(&r, "no-unit"));
    rig_close(&r);
}

static void beyond_doubt_needs_an_uncertainty(void **state)
{
    static const char rule[] =
        "rule R-1 version 1 \"Too warm\"\n"
        "  basis \"made for a test\" policy\n"
        "  effective from 2020-01-01\n"
        "  watch each room: temperature\n"
        "  missing after 3 min\n"
        "  alert serious when not (temperature at most 8 °C [law] beyond doubt)\n"
        "  then tell inspector\n"
        "end\n";
    config_rig r;
    (void)state;
    rig_open(&r);
    rig_write(&r, "one.rules", rule);
    assert_int_equal(rig_load_with(&r, "id: a-rear", "id: a-rear, accuracy: 0.5"), SY_E_USAGE);
    assert_non_null(rig_find(&r, "no-uncertainty")); /* the other point has neither */
    assert_int_equal(rig_load_with(&r,
                                   "recalibrate: 12 months}\n"
                                   "          - {quantity: temperature, device: t2,",
                                   "uncertainty: 0}\n"
                                   "          - {quantity: temperature, accuracy: 1, device: t2,"),
                     SY_OK);
    assert_null(rig_find(&r, "no-uncertainty"));
    rig_close(&r);
}

static void what_is_wrong_is_told_at_its_place(void **state)
{
    config_rig r;
    int wrong = 0;
    (void)state;
    rig_open(&r);
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        const struct spoiled *s = &spoils[i];
        sy_err rc = rig_load_with(&r, s->from, s->to);
        if (!*s->code) {
            assert_int_equal(rc, SY_OK);
            continue;
        }
        const sy_finding *f = rig_find(&r, s->code);
        if (!f || f->severity != s->severity || (s->line && f->line != s->line) ||
            (s->column && f->column != s->column) ||
            (s->near && (!f->near || strcmp(f->near, s->near) != 0)) ||
            (rc == SY_OK) != (s->severity != SY_DIAG_ERROR))
            print_error("'%s' to '%s': %s, found %s at %u:%u near %s: %s\n", s->from, s->to,
                        sy_err_text(rc), f ? f->code : "nothing", f ? f->line : 0,
                        f ? f->column : 0, f && f->near ? f->near : "-", f ? f->en : ""),
                wrong++;
        else
            assert_true(f->zh && *f->zh);
    }
    assert_int_equal(wrong, 0);
    rig_close(&r);
}

static void all_errors_come_at_once_in_order(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    rig_write(&r, "gw.yaml",
              "gateway: {id: g, dat: x}\nmqtt: {broker: x}\nwhat: 1\ndevices: [{id: a b}]\n");
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    assert_null(r.config);
    assert_true(r.findings.errors >= 6);
    for (size_t i = 1; i < r.findings.n; i++)
        assert_true(r.findings.v[i - 1].line <= r.findings.v[i].line);
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    sy_findings_print(&r.findings, SY_EN, &out);
    assert_non_null(strstr(out.p, "gw.yaml:1:18: error: unknown key 'dat' in gateway\n"
                                  "    1 | gateway: {id: g, dat: x}\n"));
    assert_non_null(strstr(out.p, "did you mean 'data'?"));
    sy_buf_reset(&out);
    sy_findings_json(&r.findings, &out);
    assert_non_null(strstr(out.p, "\"code\": \"unknown-key\""));
    sy_buf_fini(&out);
    rig_close(&r);
}

static void hostile_texts_are_refused(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    rig_write_bytes(&r, "gw.yaml", "gateway: {id: \xff\xfe}\n", 19);
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    assert_non_null(rig_find(&r, "not-utf8"));
    rig_write_bytes(&r, "gw.yaml", "gateway: \0", 10);
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    assert_non_null(rig_find(&r, "not-utf8"));
    size_t n = (1 << 20) + 1;
    char *big = malloc(n);
    memset(big, '#', n);
    rig_write_bytes(&r, "gw.yaml", big, n);
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    assert_non_null(rig_find(&r, "file"));
    memset(big, '[', 5000);
    rig_write_bytes(&r, "gw.yaml", big, 5000);
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    free(big);
    rig_write(&r, "gw.yaml", "");
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    rig_write(&r, "gw.yaml", "- a\n- b\n");
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    assert_non_null(rig_find(&r, "wrong-value"));
    rig_close(&r);
}

static void a_byte_order_mark_is_no_error(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    char *text = malloc(strlen(rig_yaml) + 4);
    memcpy(text, "\xef\xbb\xbf", 3);
    memcpy(text + 3, rig_yaml, strlen(rig_yaml));
    rig_write_bytes(&r, "gw.yaml", text, strlen(rig_yaml) + 3);
    free(text);
    load_fine(&r);
    rig_write(&r, "gw.yaml",
              "\xef\xbb\xbfgateway: {id: g, dat: x}\n"); /* nor does it move places */
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    const sy_finding *f = rig_find(&r, "unknown-key");
    assert_true(f && f->line == 1 && f->column == 18);
    assert_ptr_equal(strstr(f->diag->pos.source->text.p, "gateway"), f->diag->pos.source->text.p);
    rig_close(&r);
}

static void cut_texts_never_crash(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    for (size_t n = 0; n < strlen(rig_yaml); n += 7) {
        rig_write_bytes(&r, "gw.yaml", rig_yaml, n);
        (void)!rig_load(&r);
    }
    rig_close(&r);
}

static void the_registry_outlives_the_caller(void **state)
{
    config_rig r;
    sy_registry *reg;
    (void)state;
    rig_open(&r);
    load_fine(&r);
    assert_int_equal(sy_config_registry(r.config, &reg, &r.fail), SY_OK);
    sy_config_unref(r.config);
    r.config = NULL;
    const sy_device *d = sy_registry_by_topic(reg, sy_span_of("s/t1"));
    assert_non_null(d);
    assert_string_equal(d->id, "t1");
    sy_registry_unref(reg);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_known_by_which_something_is_due),
        cmocka_unit_test(hj212_devices_are_known_by_their_mn),
        cmocka_unit_test(the_standard_gives_hj212_points_their_unit),
        cmocka_unit_test(beyond_doubt_needs_an_uncertainty),
        cmocka_unit_test(a_good_file_gives_everything),
        cmocka_unit_test(what_is_kept_for_how_long),
        cmocka_unit_test(what_is_wrong_is_told_at_its_place),
        cmocka_unit_test(all_errors_come_at_once_in_order),
        cmocka_unit_test(hostile_texts_are_refused),
        cmocka_unit_test(a_byte_order_mark_is_no_error),
        cmocka_unit_test(cut_texts_never_crash),
        cmocka_unit_test(the_registry_outlives_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
