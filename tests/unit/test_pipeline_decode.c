/* SPDX-License-Identifier: Apache-2.0 */
/* One message into readings: match, units, states, time, quality; what is refused and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/decode.h"
#include "pipeline_rig.h"

enum { MAX = 8 };

typedef struct decoded {
    pipeline_rig rig;
    sy_registry *devices;
    sy_decode_env env;
    sy_decoded got[MAX];
    size_t n;
    sy_decode_sum sum;
    sy_err err;
} decoded;

static int set_up(void **state)
{
    decoded *d = calloc(1, sizeof *d);
    rig_open(&d->rig);
    assert_int_equal(sy_config_registry(d->rig.config, &d->devices, &d->rig.fail), SY_OK);
    d->env = (sy_decode_env){d->rig.config, d->devices, RIG_DAY, false, false, NULL};
    *state = d;
    return 0;
}

static int tear_down(void **state)
{
    decoded *d = *state;
    sy_registry_unref(d->devices);
    rig_close(&d->rig);
    free(d);
    return 0;
}

static sy_err sink(void *ctx, const sy_decoded *r)
{
    decoded *d = ctx;
    assert_in_range(d->n, 0, MAX - 1);
    d->got[d->n++] = *r;
    return SY_OK;
}

static void take(decoded *d, const char *topic, unsigned flags, const char *payload)
{
    sy_jrec rec = {.seq = 1,
                   .recv = d->env.now,
                   .type = SY_J_MESSAGE,
                   .flags = (uint8_t)flags,
                   .code = SY_TRANSPORT_MQTT | 0xffffu << 8,
                   .source = sy_span_of(topic),
                   .payload = sy_span_of(payload)};
    d->n = 0;
    d->err = sy_decode(&d->env, &rec, sink, d, &d->sum);
}

static void senml(decoded *d, const char *fields)
{
    char text[512];
    snprintf(text, sizeof text, "[{\"n\":\"t\",%s}]", fields);
    take(d, "s/t1", 0, text);
    assert_int_equal(d->err, SY_OK);
}

static const char *series(const decoded *d, size_t i)
{
    return d->rig.config->site->points[d->got[i].point].series;
}

static void one(const decoded *d, double value, sy_ms t, sy_quality quality)
{
    assert_int_equal(d->n, 1);
    assert_true(d->got[0].value >= value && d->got[0].value <= value);
    assert_int_equal(d->got[0].t, t);
    assert_int_equal(d->got[0].quality, quality);
}

static void refused(const decoded *d, const char *why)
{
    assert_int_equal(d->n, 0);
    assert_int_equal(d->sum.refused, 1);
    if (!strstr(d->sum.why, why))
        fail_msg("'%s' is not in '%s'", why, d->sum.why);
}

static void times(void **state)
{
    decoded *d = *state;
    senml(d, "\"v\":5");
    one(d, 5, RIG_DAY, SY_Q_GOOD);
    senml(d, "\"v\":5,\"t\":1767571140");
    one(d, 5, RIG_DAY - RIG_MIN, SY_Q_GOOD);
    senml(d, "\"v\":5,\"t\":-90");
    one(d, 5, RIG_DAY - 90000, SY_Q_GOOD);
    senml(d, "\"v\":5,\"t\":1767571320"); /* two minutes ahead: the bound itself */
    one(d, 5, RIG_DAY + 2 * RIG_MIN, SY_Q_GOOD);
    senml(d, "\"v\":5,\"t\":1767571320.001");
    one(d, 5, RIG_DAY, SY_Q_FUTURE);
    assert_int_equal(d->sum.future, 1);
    senml(d, "\"v\":5,\"t\":4070908800"); /* 2099 */
    one(d, 5, RIG_DAY, SY_Q_FUTURE);
}

static void late(void **state)
{
    decoded *d = *state;
    sy_ms month = (sy_ms)30 * 86400 * 1000;
    senml(d, "\"v\":5,\"t\":1764979200"); /* thirty days: the bound itself */
    one(d, 5, RIG_DAY - month, SY_Q_GOOD);
    assert_true(d->got[0].judged);
    senml(d, "\"v\":5,\"t\":1764979199");
    one(d, 5, RIG_DAY - month - 1000, SY_Q_UNCERTAIN | SY_Q_LATE);
    assert_false(d->got[0].judged);
    take(d, "s/d3", 0, "{\"c\":true,\"ts\":1767571}"); /* 1970 */
    assert_int_equal(d->n, 1);
    assert_int_equal(d->got[0].quality, SY_Q_UNCERTAIN | SY_Q_LATE);
    assert_int_equal(d->sum.late, 1);
}

static void replay_times(void **state)
{
    decoded *d = *state;
    d->env.replay_clock = true;
    senml(d, "\"v\":5,\"t\":1767578400"); /* hours ahead of the last mark */
    one(d, 5, RIG_DAY + 120 * RIG_MIN, SY_Q_GOOD);
    d->env.now = SY_MS_NONE;
    senml(d, "\"v\":5,\"t\":1767571140");
    one(d, 5, RIG_DAY - RIG_MIN, SY_Q_GOOD);
    senml(d, "\"v\":5");
    refused(d, "no time");
}

static void retained(void **state)
{
    decoded *d = *state;
    take(d, "s/t1", SY_MSG_RETAINED, "[{\"n\":\"t\",\"v\":5}]");
    assert_int_equal(d->n, 0);
    assert_int_equal(d->sum.retained, 1);
    take(d, "s/t1", SY_MSG_RETAINED, "[{\"n\":\"t\",\"v\":5,\"t\":-5}]");
    assert_int_equal(d->n, 0);
    take(d, "s/t1", SY_MSG_RETAINED, "[{\"n\":\"t\",\"v\":5,\"t\":1767571140}]");
    one(d, 5, RIG_DAY - RIG_MIN, SY_Q_GOOD);
}

static void bits(void **state)
{
    decoded *d = *state;
    d->env.unsynced = true;
    take(d, "s/t1", SY_MSG_UNAUTHENTICATED, "[{\"n\":\"t\",\"v\":5}]");
    one(d, 5, RIG_DAY, SY_Q_UNAUTHENTICATED | SY_Q_CLOCK_UNSYNCHRONISED);
    d->env.replay_clock = true;
    senml(d, "\"v\":5");
    one(d, 5, RIG_DAY, SY_Q_GOOD);
}

static void units(void **state)
{
    decoded *d = *state;
    senml(d, "\"u\":\"Cel\",\"v\":5.5");
    one(d, 5.5, RIG_DAY, SY_Q_GOOD);
    senml(d, "\"u\":\"degF\",\"v\":50");
    assert_int_equal(d->n, 1);
    assert_int_equal(d->got[0].quality, SY_Q_UNIT_CONVERTED);
    assert_true(d->got[0].value > 9.999999 && d->got[0].value < 10.000001);
    senml(d, "\"u\":\"C\",\"v\":5.5");
    one(d, 5.5, RIG_DAY, SY_Q_GOOD);
    take(d, "s/t1", 0, "[{\"n\":\"h\",\"u\":\"%\",\"v\":40}]");
    one(d, 40, RIG_DAY, SY_Q_GOOD);
    senml(d, "\"u\":\"Pa\",\"v\":5");
    refused(d, "unit 'Pa' does not convert to degC");
    senml(d, "\"u\":\"no such thing\",\"v\":5");
    refused(d, "does not convert");
    senml(d, "\"vs\":\"5\"");
    refused(d, "a number written as text");
    senml(d, "\"vb\":true");
    refused(d, "a truth value where a number is due");
}

static void range(void **state)
{
    decoded *d = *state;
    senml(d, "\"v\":60");
    one(d, 60, RIG_DAY, SY_Q_GOOD);
    senml(d, "\"v\":60.1");
    one(d, 60.1, RIG_DAY, SY_Q_BAD | SY_Q_OUT_OF_RANGE);
    senml(d, "\"v\":-40");
    one(d, -40, RIG_DAY, SY_Q_GOOD);
    senml(d, "\"v\":-40.1");
    one(d, -40.1, RIG_DAY, SY_Q_BAD | SY_Q_OUT_OF_RANGE);
}

static void states(void **state)
{
    decoded *d = *state;
    take(d, "s/d3", 0, "{\"c\":true}");
    one(d, 0, RIG_DAY, SY_Q_GOOD);
    take(d, "s/d3", 0, "{\"c\":false}");
    one(d, 1, RIG_DAY, SY_Q_GOOD);
    take(d, "s/d3", 0, "{\"c\":\"closed\"}");
    one(d, 1, RIG_DAY, SY_Q_GOOD);
    take(d, "s/d3", 0, "{\"c\":\"打开\"}");
    one(d, 0, RIG_DAY, SY_Q_GOOD);
    take(d, "s/d3", 0, "{\"c\":\"ajar\"}");
    refused(d, "'ajar' is no value of door");
    take(d, "s/d3", 0, "{\"c\":1}");
    refused(d, "map it by `states:`");
    take(d, "s/d4", 0, "[{\"n\":\"contact\",\"vb\":true}]");
    refused(d, "map it by `states:`");
}

static void matching(void **state)
{
    decoded *d = *state;
    take(d, "s/t1", 0, "[{\"bn\":\"urn:x:\",\"n\":\"t\",\"v\":1},{\"n\":\"h\",\"v\":2}]");
    assert_int_equal(d->n, 2);
    assert_string_equal(series(d, 0), "t1/t");
    assert_string_equal(series(d, 1), "t1/h");
    /* Two points: a single record without a known name could be either. */
    take(d, "s/t1", 0, "[{\"n\":\"x\",\"v\":1}]");
    assert_int_equal(d->n, 0);
    assert_int_equal(d->sum.unmatched, 1);
    /* One point: the only record is it, whatever its name. */
    take(d, "s/t2", 0, "7.25");
    one(d, 7.25, RIG_DAY, SY_Q_GOOD);
    take(d, "s/d4", 0, "[{\"n\":\"x\",\"vs\":\"open\"}]");
    one(d, 0, RIG_DAY, SY_Q_GOOD);
    assert_int_equal(d->sum.unmatched, 0);
    take(d, "s/d4", 0, "[{\"n\":\"x\",\"vs\":\"open\"},{\"n\":\"y\",\"v\":1}]");
    assert_int_equal(d->n, 0);
    assert_int_equal(d->sum.unmatched, 2);
}

/* What a device says counts for itself only. */
static void another_device(void **state)
{
    decoded *d = *state;
    take(d, "s/t1", 0, "[{\"bn\":\"t2/\",\"n\":\"t\",\"v\":1}]");
    refused(d, "speaks for another device");
    take(d, "s/t2", 0, "7");
    one(d, 7, RIG_DAY, SY_Q_GOOD);
    take(d, "s/t1", 0, "[{\"bn\":\"t1/\",\"n\":\"t\",\"v\":1}]");
    one(d, 1, RIG_DAY, SY_Q_GOOD);
}

static void whole_messages(void **state)
{
    decoded *d = *state;
    take(d, "s/nobody", 0, "[]");
    assert_int_equal(d->err, SY_E_NOTFOUND);
    take(d, "s/t1", 0, "[{\"n\":\"t\",\"v\":1},");
    assert_int_not_equal(d->err, SY_OK);
    assert_int_equal(d->n, 0);
    assert_true(d->sum.why[0] != '\0');
    take(d, "s/t1", 0, "");
    assert_int_not_equal(d->err, SY_OK);
}

/* A LoRaWAN device by its model: the history counts for the points of the live readings, each value
 * at its own time; a failed sensor gives none. */
static void by_model(void **state)
{
    decoded *d = *state;
    const sy_device *t1 = sy_registry_by_id(d->devices, sy_span_of("t1"));
    size_t t = 0;
    while (strcmp(t1->channels[t].name, "t") != 0)
        t++;
    const sy_channel channel = {.point = t1->channels[t].point, .name = "temperature"};
    const sy_device device = {.id = "l1",
                              .transport = SY_TRANSPORT_MQTT,
                              .topic = "lora/l1",
                              .format = "chirpstack",
                              .model = "em300-th",
                              .channels = &channel,
                              .n_channels = 1};
    sy_registry *lora;
    assert_int_equal(sy_registry_make(&lora, &device, 1, NULL, NULL, &d->rig.fail), SY_OK);
    d->env.devices = lora;
    /* 0367 f000, 20ce 00ab5a69 1001 5d 00: 24.0 now, 27.2 six hours before */
    take(d, "lora/l1", 0,
         "{\"time\":\"2026-01-05T00:00:00Z\",\"deviceInfo\":{},\"fPort\":85,"
         "\"data\":\"A2fwACDOAKtaaRABXQA=\"}");
    assert_int_equal(d->err, SY_OK);
    assert_int_equal(d->n, 2);
    assert_string_equal(series(d, 0), series(d, 1));
    assert_true(d->got[0].value > 23.9 && d->got[0].value < 24.1);
    assert_true(d->got[1].value > 27.1 && d->got[1].value < 27.3);
    assert_int_equal(d->got[0].t, RIG_DAY);
    assert_int_equal(d->got[1].t, 1767549696000);
    d->env.devices = d->devices;
    sy_registry_unref(lora);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replay_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(retained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(units, set_up, tear_down),
        cmocka_unit_test_setup_teardown(range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(matching, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whole_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_model, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
