/* SPDX-License-Identifier: Apache-2.0 */
/* See pipeline_rig.h. */
#include "pipeline_rig.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char yaml[] =
    "gateway: {id: gw-1, data: data, rules: [p.rules], future: 2 min, lateness: 30 days}\n"
    "mqtt: {broker: \"mqtt://127.0.0.1:1\"}\n"
    "coap: {listen: [127.0.0.1:0]}\n"
    "premises:\n"
    "  - id: shop\n"
    "    name: Shop\n"
    "    subject: drug-wholesaler\n"
    "    stage: storage\n"
    "    time-zone: Asia/Shanghai\n"
    "    places:\n"
    "      - id: cr-1\n"
    "        kind: room\n"
    "        points:\n"
    "          - {quantity: temperature, device: t1, name: t, unit: degC, every: 60 s,\n"
    "             range: [-40, 60]}\n"
    "          - {quantity: humidity, device: t1, name: h, unit: \"%%RH\"}\n"
    "          - {quantity: door, device: d3, name: contact, states: {open: true, closed: false}}\n"
    "      - id: cr-2\n"
    "        kind: cabinet\n"
    "        points:\n"
    "          - {quantity: temperature, device: t2, name: t, unit: degC, every: 60 s%s}\n"
    "          - {quantity: door, device: d4, name: contact}\n"
    "%s"
    "devices:\n"
    "  - {id: t1, transport: mqtt, topic: s/t1, format: senml-json}\n"
    "  - {id: t2, transport: mqtt, topic: s/t2, format: number}\n"
    "  - {id: d3, transport: mqtt, topic: s/d3, format: json,\n"
    "     map: {contact: \"$.c\", time: \"$.ts\"}}\n"
    "  - {id: d4, transport: mqtt, topic: s/d4, format: senml-json}\n"
    "%s"
    "destinations:\n"
    "  - {name: county, kind: https, url: \"https://127.0.0.1:1/events\",\n"
    "     tls: {ca: ca.pem, cert: gw.pem, key: gw.key}, serves: [inspector]}\n"
    "  - {name: hq, kind: https, url: \"https://127.0.0.1:1/events\",\n"
    "     tls: {ca: ca.pem, cert: gw.pem, key: gw.key}, serves: [duty-chief],\n"
    "     severity: serious}\n";

static const char box_place[] =
    "      - id: box\n"
    "        kind: gateway\n"
    "        points: [{quantity: uplink-delay, device: box, name: uplink-delay, unit: h}]\n";
static const char box_device[] = "  - {id: box, transport: box}\n";

static const char rules[] = "rule P-1 version 1 \"Too warm\" / “过热”\n"
                            "  basis \"made for a test\" policy\n"
                            "  applies to subject any; goods any; stage any\n"
                            "  effective from 2020-01-01\n"
                            "  watch each room: temperature\n"
                            "  missing after 3 min\n"
                            "  alert warning when temperature above %s °C [law] for 5 min\n"
                            "  alert serious when temperature above 20 °C [law] for 5 min\n"
                            "  clear when temperature at most %s °C for 2 min\n"
                            "  then tell inspector; respond within 2 h\n"
                            "  then serious tell duty-chief\n"
                            "  say \"Do something.\"\n"
                            "end\n";

static void write_file(const pipeline_rig *r, const char *name, const char *text)
{
    char path[256];
    sy_fail f;
    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    assert_int_equal(sy_file_write(path, sy_span_of(text), 0600, &f), SY_OK);
}

static void load(pipeline_rig *r)
{
    char path[128];
    sy_arena arena;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_findings findings = {.arena = &arena};
    snprintf(path, sizeof path, "%s/gw.yaml", r->dir);
    sy_err err = sy_config_load(path, r->data, &findings, &r->config, &r->fail);
    if (err) {
        sy_buf text;
        sy_buf_init(&text, sy_heap());
        sy_findings_print(&findings, SY_EN, &text);
        print_error("%s\n", text.p ? text.p : r->fail.text);
        sy_buf_fini(&text);
    }
    assert_int_equal(err, SY_OK);
    sy_arena_fini(&arena);
    assert_int_equal(sy_config_keep(r->config, r->data, &r->fail), SY_OK);
}

void rig_reload(pipeline_rig *r, const char *limit, const char *t2_more)
{
    char text[4096];
    snprintf(text, sizeof text, yaml, t2_more, "", "");
    write_file(r, "gw.yaml", text);
    snprintf(text, sizeof text, rules, limit, limit);
    write_file(r, "p.rules", text);
    if (r->config)
        sy_config_unref(r->config);
    load(r);
}

void rig_rules(pipeline_rig *r, const char *text)
{
    write_file(r, "p.rules", text);
    sy_config_unref(r->config);
    load(r);
}

void rig_box(pipeline_rig *r, const char *text)
{
    char config[4096];
    snprintf(config, sizeof config, yaml, "", box_place, box_device);
    write_file(r, "gw.yaml", config);
    rig_rules(r, text);
}

void rig_open(pipeline_rig *r)
{
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/sy-pipeline-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->data, sizeof r->data, "%s/data", r->dir);
    write_file(r, "ca.pem", "only its name counts here\n");
    write_file(r, "gw.pem", "likewise\n");
    write_file(r, "gw.key", "likewise\n");
    rig_reload(r, "8", "");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void rig_close(pipeline_rig *r)
{
    rig_log_close(r);
    sy_config_unref(r->config);
    nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int rig_set_up(void **state)
{
    pipeline_rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    rig_open(r);
    *state = r;
    return 0;
}

int rig_tear_down(void **state)
{
    rig_close(*state);
    free(*state);
    return 0;
}

void rig_log_open(pipeline_rig *r)
{
    char dir[128];
    uint64_t position = 0;
    assert_int_equal(sy_store_open(&r->store, r->data, false, &r->fail), SY_OK);
    assert_int_equal(sy_store_position(r->store, &position, &r->fail), SY_OK);
    snprintf(dir, sizeof dir, "%s/journal", r->data);
    sy_journal_options o = {.dir = dir,
                            .segment_bytes = 1 << 20,
                            .replay_clock = true,
                            .reserve_bytes = 1,
                            .after_seq = position};
    assert_int_equal(sy_journal_open(&r->journal, &o, &r->fail), SY_OK);
}

void rig_log_close(pipeline_rig *r)
{
    sy_journal_close(r->journal);
    if (r->store)
        sy_store_close(r->store);
    r->journal = NULL;
    r->store = NULL;
}

uint64_t rig_append(pipeline_rig *r, sy_jtype type, sy_ms recv, const char *payload)
{
    sy_jrec rec = {.type = (uint8_t)type, .recv = recv, .payload = sy_span_of(payload)};
    if (type == SY_J_START)
        rec.code = SY_CLOCK_REPLAY;
    assert_int_equal(sy_journal_append(r->journal, &rec, &r->fail), SY_OK);
    return rec.seq;
}

uint64_t rig_start(pipeline_rig *r)
{
    rig_append(r, SY_J_START, 0, "{}");
    return rig_append(r, SY_J_ACTIVATION, 0, r->config->hash_hex);
}

uint64_t rig_mark(pipeline_rig *r, sy_ms t)
{
    return rig_append(r, SY_J_MARK, t, "");
}

uint64_t rig_message(pipeline_rig *r, const char *topic, unsigned flags, const char *payload)
{
    sy_jrec rec = {.type = SY_J_MESSAGE,
                   .flags = (uint8_t)flags,
                   .code = SY_TRANSPORT_MQTT | 0xffffu << 8,
                   .source = sy_span_of(topic),
                   .payload = sy_span_of(payload)};
    assert_int_equal(sy_journal_append(r->journal, &rec, &r->fail), SY_OK);
    return rec.seq;
}

uint64_t rig_celsius(pipeline_rig *r, sy_ms t, double celsius)
{
    char text[128];
    snprintf(text, sizeof text, "[{\"n\":\"t\",\"u\":\"Cel\",\"v\":%.1f,\"t\":%lld}]", celsius,
             (long long)(t / 1000));
    return rig_message(r, "s/t1", SY_MSG_PROMISE, text);
}

uint64_t rig_uplink(pipeline_rig *r, sy_ms t, double hours)
{
    char text[128];
    snprintf(text, sizeof text, "[{\"n\":\"uplink-delay\",\"u\":\"h\",\"v\":%.4g,\"t\":%lld}]",
             hours, (long long)(t / 1000));
    sy_jrec rec = {.type = SY_J_MESSAGE,
                   .code = SY_TRANSPORT_BOX | 0xffffu << 8,
                   .source = sy_span_of("box"),
                   .payload = sy_span_of(text)};
    assert_int_equal(sy_journal_append(r->journal, &rec, &r->fail), SY_OK);
    return rec.seq;
}

sy_pipeline_options rig_options(pipeline_rig *r)
{
    return (sy_pipeline_options){
        .journal = r->journal, .store = r->store, .data_dir = r->data, .replay_clock = true};
}

void rig_run(pipeline_rig *r)
{
    sy_pipeline_options o = rig_options(r);
    assert_int_equal(sy_pipeline_start(&r->pipeline, &o, &r->fail), SY_OK);
    assert_true(sy_pipeline_wait(r->pipeline, sy_journal_seq(r->journal), 20000));
    sy_pipeline_stop(r->pipeline);
}

static bool dump_reading(void *ctx, const sy_reading_row *row)
{
    sy_buf *b = ctx;
    sy_buf_printf(b, "reading %s %lld ", row->series, (long long)row->t);
    sy_buf_double(b, row->value);
    sy_buf_char(b, ' ');
    sy_quality_text(row->quality, b);
    sy_buf_char(b, '\n');
    return true;
}

static bool dump_alert(void *ctx, const sy_alert_row *a)
{
    sy_buf *b = ctx;
    sy_buf_printf(b, "alert %s %s %s %d %d %lld %lld %lld\n", a->id, a->rule, a->subject,
                  a->severity, a->state, (long long)a->onset, (long long)a->raised,
                  (long long)a->cleared);
    return true;
}

static void dump_events(pipeline_rig *r, const char *destination, sy_buf *out)
{
    sy_arena arena;
    sy_outbox_item *items = NULL;
    size_t n = 0;
    sy_arena_init(&arena, sy_heap(), 0);
    assert_int_equal(sy_store_outbox(r->store, destination, 1000, &arena, &items, &n, &r->fail),
                     SY_OK);
    for (size_t i = 0; i < n; i++) {
        sy_buf_printf(out, "event %s %d %s ", destination, items[i].priority, items[i].id);
        sy_buf_span_put(out, items[i].body);
        sy_buf_char(out, '\n');
    }
    sy_arena_fini(&arena);
}

void rig_dump(pipeline_rig *r, sy_buf *out)
{
    uint64_t counts[SY_N_COUNTERS];
    assert_int_equal(
        sy_store_readings(r->store, NULL, SY_MS_NONE, SY_MS_MAX, dump_reading, out, &r->fail),
        SY_OK);
    assert_int_equal(sy_store_alerts(r->store, dump_alert, out, &r->fail), SY_OK);
    dump_events(r, "county", out);
    dump_events(r, "hq", out);
    assert_int_equal(sy_store_counters(r->store, counts, &r->fail), SY_OK);
    for (int i = 0; i < SY_N_COUNTERS; i++)
        if (i != SY_N_bytes_written)
            sy_buf_printf(out, "%s %llu\n", sy_counter_name((sy_counter)i),
                          (unsigned long long)counts[i]);
    assert_false(out->failed);
}

uint64_t rig_counter(pipeline_rig *r, sy_counter c)
{
    uint64_t counts[SY_N_COUNTERS];
    assert_int_equal(sy_store_counters(r->store, counts, &r->fail), SY_OK);
    return counts[c];
}
