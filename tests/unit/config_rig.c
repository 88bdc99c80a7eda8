/* SPDX-License-Identifier: Apache-2.0 */
/* See config_rig.h. */
#include "config_rig.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

const char rig_yaml[] = "gateway:\n"
                        "  id: gw-1\n"
                        "  data: data\n"
                        "  locale: en\n"
                        "  rules: [one.rules, more/]\n"
                        "  vocabulary: [local.vocabulary]\n"
                        "mqtt:\n"
                        "  broker: managed\n"
                        "  listen: [127.0.0.1:1883]\n"
                        "coap:\n"
                        "  listen: [127.0.0.1:5683]\n"
                        "  dtls: {listen: [127.0.0.1:5684], psk: psk.txt}\n"
                        "console: {listen: 127.0.0.1:8080}\n"
                        "premises:\n"
                        "  - id: shop\n"
                        "    name: 药品冷库\n"
                        "    code: \"91350100M000100Y43\"\n"
                        "    subject: drug-wholesaler\n"
                        "    stage: storage\n"
                        "    tiers: {food-risk-tier: B}\n"
                        "    time-zone: Asia/Shanghai\n"
                        "    calendars: {service-hours: \"Mon-Sun 10:00-14:00\"}\n"
                        "    places:\n"
                        "      - id: cr-1\n"
                        "        kind: room\n"
                        "        goods: [refrigerated-drug]\n"
                        "        points:\n"
                        "          - {quantity: temperature, device: t1, name: t, unit: degC,\n"
                        "             every: 60 s, range: [-40, 60], recalibrate: 12 months}\n"
                        "          - {quantity: temperature, device: t2, name: t, unit: degF,\n"
                        "             every: 60 s, id: a-rear, delivery: 1 h}\n"
                        "          - {quantity: door, device: d3, name: contact,\n"
                        "             states: {open: [true, \"on\"], closed: false}}\n"
                        "devices:\n"
                        "  - {id: t1, transport: mqtt, topic: s/t1, format: senml-json}\n"
                        "  - {id: t2, transport: coap, format: senml-cbor, credential: psk}\n"
                        "  - {id: d3, transport: coap, format: json, credential: none,\n"
                        "     from: 10.0.0.0/8, map: {contact: \"$.c\", time: \"$.ts\"}}\n"
                        "destinations:\n"
                        "  - name: county\n"
                        "    kind: https\n"
                        "    url: https://127.0.0.1:8443/events\n"
                        "    tls: {ca: ca.pem, cert: gw.pem, key: gw.key}\n"
                        "    serves: [inspector, premises]\n";

static const char rig_rule[] = "rule R-1 version 1 \"Too warm\"\n"
                               "  basis \"made for a test\" policy\n"
                               "  applies to subject any; goods any; stage any\n"
                               "  effective from 2020-01-01\n"
                               "  watch each room: temperature\n"
                               "  missing after 3 min\n"
                               "  alert serious when temperature above 8 °C [law] for 10 min\n"
                               "  then tell inspector\n"
                               "end\n"
                               "scenario \"alerts\" tests R-1\n"
                               "  from 08:00 to 08:20 every 1 min: temperature 9 °C\n"
                               "  expect alert serious at 08:10\n"
                               "end\n"
                               "scenario \"stays silent\" tests R-1\n"
                               "  from 08:00 to 08:20 every 1 min: temperature 8 °C\n"
                               "  expect no alert until 08:20\n"
                               "end\n";

void rig_write_bytes(config_rig *r, const char *name, const void *bytes, size_t n)
{
    char path[256];
    sy_fail f;
    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    assert_int_equal(sy_file_write(path, (sy_span){bytes, n}, 0600, &f), SY_OK);
}

void rig_write(config_rig *r, const char *name, const char *text)
{
    rig_write_bytes(r, name, text, strlen(text));
}

void rig_open(config_rig *r)
{
    char path[96];
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/sy-config-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->file, sizeof r->file, "%s/gw.yaml", r->dir);
    snprintf(r->data, sizeof r->data, "%s/data", r->dir);
    snprintf(path, sizeof path, "%s/more", r->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    sy_arena_init(&r->arena, sy_heap(), 0);
    static const char *const files[] = {"ca.pem", "gw.pem", "gw.key", "psk.txt"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        rig_write(r, files[i], "x\n");
    rig_write(r, "gw.yaml", rig_yaml);
    rig_write(r, "one.rules", rig_rule);
    rig_write(r, "more/empty.rules", "# nothing yet\n");
    rig_write(r, "local.vocabulary", "frost = 结霜 : state no 无霜, yes 有霜\n");
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void rig_close(config_rig *r)
{
    sy_config_unref(r->config);
    sy_arena_fini(&r->arena);
    nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

sy_err rig_load(config_rig *r)
{
    sy_config_unref(r->config);
    r->config = NULL;
    r->findings = (sy_findings){.arena = &r->arena};
    return sy_config_load(r->file, NULL, &r->findings, &r->config, &r->fail);
}

sy_err rig_load_with(config_rig *r, const char *from, const char *to)
{
    const char *at = strstr(rig_yaml, from);
    assert_non_null(at);
    size_t head = (size_t)(at - rig_yaml), n = sizeof rig_yaml + strlen(to) + 1;
    char *text = malloc(n);
    snprintf(text, n, "%.*s%s%s", (int)head, rig_yaml, to, at + strlen(from));
    rig_write(r, "gw.yaml", text);
    free(text);
    return rig_load(r);
}

const sy_finding *rig_find(const config_rig *r, const char *code)
{
    for (size_t i = 0; i < r->findings.n; i++)
        if (strcmp(r->findings.v[i].code, code) == 0)
            return &r->findings.v[i];
    return NULL;
}
