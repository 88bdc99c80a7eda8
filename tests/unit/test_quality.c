/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a reading doubtful: known faults, spikes, what is stuck, calibration; saved and loaded
 * at every point of a stream it goes on the same. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_rig.h"
#include "pipeline/quality.h"

#define DAY ((sy_ms)1767571200000) /* 2026-01-05T00:00:00Z */
#define MIN ((sy_ms)60000)
#define H   ((sy_ms)3600000)

/* clang-format off */
static const char yaml[] =
    "gateway: {id: gw, data: data}\n"
    "mqtt: {broker: managed, listen: [127.0.0.1:0]}\n"
    "premises:\n"
    "  - id: p\n"
    "    time-zone: Asia/Shanghai\n"
    "    places:\n"
    "      - id: r\n"
    "        kind: room\n"
    "        points:\n"
    "          - {quantity: temperature, device: two, name: t, unit: degC, every: 10 min, stuck: 6 h, resolution: 0.1}\n"
    "          - {quantity: humidity, device: two, name: h, unit: '%RH', every: 10 min, resolution: 1}\n"
    "          - {quantity: temperature, device: fine, name: t, unit: degC, every: 10 min, resolution: 0.1}\n"
    "          - {quantity: humidity, device: fine, name: h, unit: '%RH', every: 10 min}\n"
    "          - {quantity: temperature, device: one, name: t, unit: degC, every: 10 min, stuck: 6 h}\n"
    "          - {quantity: temperature, device: solo, name: t, unit: degC, every: 10 min, resolution: 0.1}\n"
    "          - {quantity: pm25, device: air, name: pm25, unit: ug/m3, rate: 100 / 10 min}\n"
    "          - {quantity: temperature, device: plug, name: DS18B20.Temperature, unit: degC, calibrated: 2025-01-05, recalibrate: 12 months}\n"
    "          - {quantity: temperature, device: bee, name: temperature, unit: degC}\n"
    "          - {quantity: temperature, device: freezer, name: temperature, unit: degC, faults: [882.6, aqara]}\n"
    "          - {quantity: door, device: freezer, name: door}\n"
    "devices:\n"
    "  - {id: two, transport: mqtt, topic: s/two, format: senml-json}\n"
    "  - {id: fine, transport: mqtt, topic: s/fine, format: senml-json}\n"
    "  - {id: one, transport: mqtt, topic: s/one, format: senml-json}\n"
    "  - {id: solo, transport: mqtt, topic: s/solo, format: senml-json}\n"
    "  - {id: air, transport: mqtt, topic: s/air, format: senml-json}\n"
    "  - {id: plug, transport: mqtt, topic: s/plug, format: tasmota}\n"
    "  - {id: bee, transport: mqtt, topic: s/bee, format: zigbee2mqtt}\n"
    "  - {id: freezer, transport: mqtt, topic: s/freezer, format: zigbee2mqtt}\n";
/* clang-format on */

typedef struct rig {
    config_rig config;
    sy_doubts doubts;
} rig;

static int set_up(void **state)
{
    rig *r = calloc(1, sizeof *r);
    rig_open(&r->config);
    rig_write(&r->config, "gw.yaml", yaml);
    if (rig_load(&r->config) != SY_OK)
        fail_msg("%s: %s", r->config.fail.text,
                 r->config.findings.n ? r->config.findings.v[0].en : "");
    sy_doubts_init(&r->doubts);
    assert_int_equal(sy_doubts_site(&r->doubts, r->config.config->site), SY_OK);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig *r = *state;
    sy_doubts_fini(&r->doubts);
    rig_close(&r->config);
    free(r);
    return 0;
}

static uint32_t point(const rig *r, const char *series)
{
    const sy_site *site = r->config.config->site;
    for (uint32_t i = 0; i < site->n_points; i++)
        if (strcmp(site->points[i].series, series) == 0)
            return i;
    fail_msg("no series %s", series);
    return 0;
}

static sy_quality put_as(rig *r, const char *series, sy_ms t, double value, sy_quality q)
{
    sy_decoded d = {.point = point(r, series),
                    .t = t,
                    .value = value,
                    .raw = value,
                    .quality = q,
                    .judged = true};
    return sy_doubts_mark(&r->doubts, &d);
}

static sy_quality put(rig *r, const char *series, sy_ms t, double value)
{
    return put_as(r, series, t, value, SY_Q_GOOD);
}

#define GOOD  SY_Q_GOOD
#define FAULT (SY_Q_BAD | SY_Q_DEVICE_FAULT)
#define STUCK (SY_Q_UNCERTAIN | SY_Q_STUCK)
#define SPIKE (SY_Q_UNCERTAIN | SY_Q_SPIKE)

static void known_faults(void **state)
{
    rig *r = *state;
    sy_ms day = DAY - 30 * 24 * H;
    assert_int_equal(put(r, "plug/DS18B20.Temperature", day, 85), FAULT); /* power-on */
    assert_int_equal(put(r, "plug/DS18B20.Temperature", day + MIN, 4.5), GOOD);
    assert_int_equal(put(r, "plug/DS18B20.Temperature", day + 2 * MIN, 85), FAULT);
    assert_int_equal(put(r, "plug/DS18B20.Temperature", day + 3 * MIN, 85), FAULT); /* constant */
    assert_int_equal(put(r, "plug/DS18B20.Temperature", day + 4 * MIN, -127), FAULT);
    assert_int_equal(put(r, "plug/DS18B20.Temperature", day + 5 * MIN, 84.9), GOOD);
    assert_int_equal(put(r, "plug/DS18B20.Temperature", day + 6 * MIN, 85), GOOD); /* it is hot */
    assert_int_equal(put(r, "bee/temperature", day, -100), FAULT);
    assert_int_equal(put(r, "bee/temperature", day, -327.68), FAULT);
    assert_int_equal(put(r, "bee/temperature", day, 327.670013), FAULT); /* a float */
    assert_int_equal(put(r, "bee/temperature", day, 327.7), FAULT);
    assert_int_equal(put_as(r, "bee/temperature", day, 327.7, SY_Q_BAD | SY_Q_OUT_OF_RANGE), FAULT);
    assert_int_equal(put_as(r, "bee/temperature", day, 99, SY_Q_BAD | SY_Q_OUT_OF_RANGE),
                     SY_Q_BAD | SY_Q_OUT_OF_RANGE);
    assert_int_equal(put(r, "bee/temperature", day, 85), GOOD);
    assert_int_equal(put(r, "two/t", day, -100), GOOD); /* nothing known of its device */
    assert_int_equal(put(r, "freezer/temperature", day, 882.6), FAULT);
    assert_int_equal(put(r, "freezer/temperature", day, 882.7), GOOD);
    assert_int_equal(put(r, "freezer/temperature", day, -100), FAULT);
    assert_int_equal(put(r, "freezer/temperature", day, -327.68), GOOD); /* written: those alone */
}

static void calibration(void **state)
{
    rig *r = *state;
    sy_ms from = DAY - 8 * H; /* local midnight of the day behind the last good one */
    assert_int_equal(put(r, "plug/DS18B20.Temperature", from - 1, 4), GOOD);
    assert_int_equal(put(r, "plug/DS18B20.Temperature", from, 4), SY_Q_UNCALIBRATED);
    assert_int_equal(put(r, "plug/DS18B20.Temperature", from + 1, 85), FAULT | SY_Q_UNCALIBRATED);
    assert_int_equal(put(r, "two/t", from + 900 * 24 * H, 4), GOOD);
}

static void spikes(void **state)
{
    rig *r = *state;
    assert_int_equal(put(r, "air/pm25", DAY, 6), GOOD);
    assert_int_equal(put(r, "air/pm25", DAY + 1 * MIN, 43521), SPIKE); /* a roll-over */
    assert_int_equal(put(r, "air/pm25", DAY + 2 * MIN, 7), GOOD);
    assert_int_equal(put(r, "air/pm25", DAY + 3 * MIN, 107), GOOD); /* the rate itself */
    assert_int_equal(put(r, "air/pm25", DAY + 4 * MIN, 207.1), SPIKE);
    assert_int_equal(put(r, "air/pm25", DAY + 5 * MIN, 210), GOOD); /* it agrees: a new level */
    assert_int_equal(put(r, "air/pm25", DAY + 6 * MIN, 250), GOOD);
    assert_int_equal(put(r, "air/pm25", DAY + 36 * MIN, 550), GOOD); /* in half an hour */
    assert_int_equal(put(r, "air/pm25", DAY + 37 * MIN, 900), SPIKE);
    assert_int_equal(put(r, "air/pm25", DAY + 38 * MIN, 1200),
                     SPIKE); /* one does not bear another */
    assert_int_equal(put(r, "air/pm25", DAY + 39 * MIN, 1190), GOOD);
    /* What comes again stays what it was; what is older is not looked at. */
    assert_int_equal(put(r, "air/pm25", DAY + 38 * MIN, 1200), SPIKE);
    assert_int_equal(put(r, "air/pm25", DAY + 37 * MIN, 900), SPIKE);
    assert_int_equal(put(r, "air/pm25", DAY + 37 * MIN, 5), GOOD);
}

/* From `from` on, every ten minutes for so many hours; the last quality. */
static sy_quality hold(rig *r, sy_ms from, int hours, double t, bool sibling_moves)
{
    sy_quality q = 0;
    for (int i = 0; i <= hours * 6; i++) {
        sy_ms at = from + i * 10 * MIN;
        assert_int_equal(put(r, "two/h", at, sibling_moves ? 50 + 2 * (i % 2) : 50), GOOD);
        q = put(r, "two/t", at, t);
    }
    return q;
}

static void stuck(void **state)
{
    rig *r = *state;
    assert_int_equal(hold(r, DAY, 12, 0, false), GOOD); /* a constant zero may be honest */
    assert_int_equal(put(r, "two/t", DAY + 13 * H, 4), GOOD);
    assert_int_equal(hold(r, DAY + 24 * H, 5, 0, true), GOOD);
    assert_int_equal(put(r, "two/t", DAY + 30 * H - 1, 0), GOOD); /* a moment short of six hours */
    assert_int_equal(put(r, "two/t", DAY + 30 * H, 0), STUCK);
    assert_int_equal(put(r, "two/t", DAY + 30 * H, 0), STUCK); /* sent twice */
    assert_int_equal(put(r, "two/t", DAY + 30 * H + MIN, 0), STUCK);
    assert_int_equal(put(r, "two/t", DAY + 30 * H, 0), STUCK); /* sent once more, late */
    assert_int_equal(put(r, "two/t", DAY + 31 * H, 0.1), GOOD);
}

static void little_moves(void **state)
{
    rig *r = *state;
    for (int i = 0; i <= 7 * 6; i++) { /* the sibling's steps are those of its resolution */
        assert_int_equal(put(r, "two/h", DAY + i * 10 * MIN, 50 + i % 2), GOOD);
        assert_int_equal(put(r, "two/t", DAY + i * 10 * MIN, 4), GOOD);
    }
}

static void gaps(void **state)
{
    rig *r = *state;
    assert_int_equal(hold(r, DAY, 5, 4, true), GOOD);
    /* Ninety minutes, a quarter of six hours, are carried; a moment more begins anew. */
    assert_int_equal(put(r, "two/t", DAY + 5 * H + 90 * MIN, 4), STUCK);
    assert_int_equal(put(r, "two/t", DAY + 5 * H + 180 * MIN + 1, 4), GOOD);
}

static void alone(void **state)
{
    rig *r = *state;
    sy_quality q = 0;
    for (int i = 0; i <= 6 * 6; i++)
        q = put(r, "one/t", DAY + i * 10 * MIN, 4);
    assert_int_equal(q, STUCK); /* as written, and it has no sibling */
}

static void by_itself(void **state)
{
    rig *r = *state;
    sy_quality q = 0;
    for (int i = 0; i <= 24 * 6; i++) {
        assert_int_equal(q, GOOD);
        assert_int_equal(put(r, "solo/t", DAY + i * 10 * MIN, 4), GOOD);
        put(r, "fine/h", DAY + i * 10 * MIN, i);
        q = put(r, "fine/t", DAY + i * 10 * MIN, 4);
    }
    assert_int_equal(q, STUCK); /* a day, nothing written: its resolution is fine */
}

static void save(const sy_doubts *d, sy_buf *out)
{
    sy_buf_reset(out);
    sy_doubts_save(d, out);
    assert_false(out->failed);
}

/* A stream of everything; at each reading the state goes through bytes into another. */
static void saved_and_loaded(void **state)
{
    rig *r = *state, other = *r;
    static const char *const series[] = {"two/t", "two/h", "air/pm25", "plug/DS18B20.Temperature",
                                         "freezer/door"};
    sy_buf bytes, again;
    unsigned random = 7;
    sy_buf_init(&bytes, sy_heap());
    sy_buf_init(&again, sy_heap());
    for (int i = 0; i < 4000; i++) {
        random = random * 1103515245 + 12345;
        const char *s = series[(random >> 16) % 5];
        double value = (random >> 20) % 7 == 0 ? 85 : (double)((random >> 12) % 3) * 120;
        sy_ms t = DAY + i * 7 * MIN - (sy_ms)((random >> 8) % 4) * 10 * MIN;
        sy_doubts_init(&other.doubts);
        assert_int_equal(sy_doubts_site(&other.doubts, r->config.config->site), SY_OK);
        save(&r->doubts, &bytes);
        sy_rd in = sy_rd_of(sy_buf_span(&bytes));
        assert_int_equal(sy_doubts_load(&other.doubts, &in), SY_OK);
        assert_int_equal(in.n, 0);
        save(&other.doubts, &again);
        assert_int_equal(bytes.n, again.n);
        assert_memory_equal(bytes.p, again.p, bytes.n);
        assert_int_equal(put(&other, s, t, value), put(r, s, t, value));
        sy_doubts_fini(&other.doubts);
    }
    for (size_t cut = 0; cut < bytes.n; cut++) { /* torn anywhere: refused */
        sy_doubts_init(&other.doubts);
        assert_int_equal(sy_doubts_site(&other.doubts, r->config.config->site), SY_OK);
        sy_rd in = sy_rd_of((sy_span){bytes.p, cut});
        assert_int_equal(sy_doubts_load(&other.doubts, &in), SY_E_CORRUPT);
        sy_doubts_fini(&other.doubts);
    }
    sy_buf_fini(&bytes);
    sy_buf_fini(&again);
}

/* Another configuration with the same point goes on; one that measures otherwise begins anew. */
static void another_site(void **state)
{
    rig *r = *state;
    assert_int_equal(put(r, "air/pm25", DAY, 6), GOOD);
    assert_int_equal(sy_doubts_site(&r->doubts, r->config.config->site), SY_OK);
    assert_int_equal(put(r, "air/pm25", DAY + MIN, 5000), SPIKE);
    sy_site other = *r->config.config->site;
    sy_site_point *points = calloc(other.n_points, sizeof *points);
    memcpy(points, other.points, other.n_points * sizeof *points);
    points[point(r, "air/pm25")].unit = "mg/m3";
    other.points = points;
    assert_int_equal(sy_doubts_site(&r->doubts, &other), SY_OK);
    assert_int_equal(put(r, "air/pm25", DAY + 2 * MIN, 9000), GOOD);
    sy_doubts_forget(&r->doubts);
    assert_int_equal(put(r, "air/pm25", DAY, 6), GOOD); /* the clock was set back */
    assert_int_equal(sy_doubts_site(&r->doubts, r->config.config->site), SY_OK);
    free(points);
}

static void wrong(rig *r, const char *keys, const char *code)
{
    char text[sizeof yaml + 256];
    const char *at = strstr(yaml, "rate: 100 / 10 min");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - yaml), yaml, keys, at + 18);
    rig_write(&r->config, "gw.yaml", text);
    assert_int_equal(rig_load(&r->config), SY_E_USAGE);
    assert_non_null(rig_find(&r->config, code));
}

static void refused_keys(void **state)
{
    rig *r = *state;
    sy_doubts_fini(&r->doubts); /* its site goes */
    wrong(r, "rate: 100", "wrong-value");
    wrong(r, "rate: -1 / min", "wrong-value");
    wrong(r, "rate: 1 / fortnight", "wrong-value");
    wrong(r, "rate: 1 / 0 s", "wrong-value");
    wrong(r, "faults: [ds18b21]", "unknown-word");
    wrong(r, "stuck: soon", "wrong-value");
}

/* The box as a device: what it does not measure, what it has no use for, a second one. */
static void the_box(void **state)
{
    static const char box[] =
        "gateway: {id: gw, data: data}\n"
        "premises:\n"
        "  - id: p\n"
        "    places:\n"
        "      - id: b\n"
        "        kind: gateway\n"
        "        points:\n"
        "          - {quantity: disk-free, device: box, name: %s, unit: \"%%\"}\n"
        "devices:\n"
        "  - {id: box, transport: box%s}\n%s";
    static const struct {
        const char *name, *keys, *more, *code;
    } rows[] = {
        {"disk-free", "", "", NULL},
        {"uplink-delay/county", ", poll: 30 s", "", NULL},
        {"disk-fee", "", "", "unmapped"},
        {"disk-free", ", topic: a/b", "", "not-here"},
        {"disk-free", ", format: json", "", "not-here"},
        {"disk-free", ", credential: none", "", "not-here"},
        {"disk-free", ", unit: 3", "", "not-here"},
        {"disk-free", "", "  - {id: other, transport: box}\n", "duplicate"},
    };
    rig *r = *state;
    sy_doubts_fini(&r->doubts);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        snprintf(text, sizeof text, box, rows[i].name, rows[i].keys, rows[i].more);
        rig_write(&r->config, "gw.yaml", text);
        assert_int_equal(rig_load(&r->config), rows[i].code ? SY_E_USAGE : SY_OK);
        if (rows[i].code && !rig_find(&r->config, rows[i].code))
            fail_msg("row %zu: no %s", i, rows[i].code);
        if (!rows[i].code)
            assert_int_equal(r->config.config->site->points[0].every, i ? 30000 : 60000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calibration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spikes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stuck, set_up, tear_down),
        cmocka_unit_test_setup_teardown(little_moves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gaps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(saved_and_loaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_site, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_box, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
