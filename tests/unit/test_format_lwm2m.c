/* SPDX-License-Identifier: Apache-2.0 */
/* OMA LwM2M: the examples of the core specification (6.4.3, 6.4.4) and each form that they do not
 * show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/formats/lwm2m.h"
#include "format_harness.h"

static void reads_tlv(void **state)
{
    (void)state;
    /* Two instances of an object that is not known, each with a resource of several. */
    f_same(f_hex("lwm2m", "08000e c10001 c10100 8302 417f07 c1037f"
                          "080212 c10003 c10100 8702 417f07 61013601 c1037f"),
           "0/0|0/0|1||-; 0/1|0/1|0||-; 0/2/127|0/2/127|7||-; 0/3|0/3|127||-; 2/0|2/0|3||-; "
           "2/1|2/1|0||-; 2/2/127|2/2/127|7||-; 2/2/310|2/2/310|1||-; 2/3|2/3|127||-");
    /* A resource that all objects share: its kind is known without the object. */
    f_same(f_hex("lwm2m", "e4 1644 41b40000 e3 1645 43656c"),
           "5700|5700|22.5|Cel|-; 5701|5701|\"Cel\"||-");
    f_same(f_hex("lwm2m", "e8 1644 08 c0 32 00 00 00 00 00 00"), "5700|5700|-18||-");
    f_same(f_hex("lwm2m", "e1 157c 01"), "5500|5500|true||-");
    /* 1, 2, 4 and 8 bytes are integers with sign; other sizes of unknown resources text or octets.
     */
    f_same(f_hex("lwm2m", "c1 01 ff c2 02 ff00 c4 03 ffffff00 c8 04 08 ffffffffffffff00"),
           "1|1|-1||-; 2|2|-256||-; 3|3|-256||-; 4|4|-256||-");
    f_same(f_hex("lwm2m", "c3 01 312e30 c3 02 0102ff c0 03 c4 04 41b40000"),
           "1|1|\"1.0\"||-; 2|2|\"AQL_\"||-; 3|3|\"\"||-; 4|4|22.5||-");
}

static void reads_lengths_of_tlv(void **state)
{
    (void)state;
    enum { SIZES = 4 };
    static const size_t sizes[SIZES] = {7, 255, 65535, 65536};
    static const char *const heads[SIZES] = {"\xc7\x09", "\xc8\x09\xff", "\xd0\x09\xff\xff",
                                             "\xd8\x09\x01\x00\x00"};
    static const size_t lengths[SIZES] = {2, 3, 4, 5};
    for (size_t i = 0; i < SIZES; i++) {
        size_t n = lengths[i] + sizes[i];
        char *bytes = malloc(n);
        assert_non_null(bytes);
        memset(bytes, 'x', n);
        memcpy(bytes, heads[i], lengths[i]);
        const char *got = f_decode("lwm2m", (sy_span){bytes, n}, NULL);
        assert_memory_equal(got, "9|9|\"xxxx", 9);
        assert_int_equal(strlen(got), 5 + sizes[i] + 4);
        f_refused(f_decode("lwm2m", (sy_span){bytes, n - 1}, NULL), "cut short");
        free(bytes);
    }
}

static void refuses_tlv(void **state)
{
    (void)state;
    f_refused(f_hex("lwm2m", ""), "empty");
    f_refused(f_hex("lwm2m", "c1"), "cut short");
    f_refused(f_hex("lwm2m", "e1 16"), "cut short");
    f_refused(f_hex("lwm2m", "c1 01 01 0003 c10001"), "instances beside resources");
    f_refused(f_hex("lwm2m", "0200 0000"), "no resource in an instance");
    f_refused(f_hex("lwm2m", "8203 4100"), "something else than its items");
    f_refused(f_hex("lwm2m", "8303 c10001"), "something else than its items");
    f_refused(f_hex("lwm2m", "41 01 01"), "no resource");
    f_refused(f_hex("lwm2m", "e3 1644 010203"), "resource 5700 is not a float");
    f_refused(f_hex("lwm2m", "e4 1644 7f800000"), "not a finite number");
    f_refused(f_hex("lwm2m", "e1 157c 02"), "not a byte of 0 or 1");
    f_refused(f_hex("lwm2m", "e2 1645 c328"), "not UTF-8");
}

static void reads_json(void **state)
{
    (void)state;
    f_same(f_text("lwm2m",
                  "{\"bn\":\"/3/0/\",\"e\":[{\"n\":\"0\",\"sv\":\"OMA\"},{\"n\":\"7/1\","
                  "\"v\":5000},{\"n\":\"9\",\"v\":100},{\"n\":\"22/0\",\"ov\":\"10:0\"}]}"),
           "/3/0/0|device.manufacturer|\"OMA\"||-; /3/0/7/1|device.power-source-voltage.1|5000|mV|-"
           "; /3/0/9|device.battery-level|100|%|-; /3/0/22/0|device.more.0|\"10:0\"||-");
    f_same(f_text("lwm2m", "{\"bn\":\"/3342/1/\",\"bt\":1600000000,\"e\":[{\"n\":\"5850\",\"bv\":"
                           "true,\"t\":-2.5}]}"),
           "/3342/1/5850|switch.1|true||1599999997500");
    /* Below 0 from now on, 0 is now. */
    f_same(
        f_text("lwm2m", "{\"e\":[{\"n\":\"/9999/0/1\",\"v\":1,\"t\":-30},{\"n\":\"/9999/0/1\","
                        "\"v\":2,\"t\":0},{\"n\":\"/9999/0/1\",\"v\":3,\"t\":30}]}"),
        "/9999/0/1|/9999/0/1|1||+-30000; /9999/0/1|/9999/0/1|2||-; /9999/0/1|/9999/0/1|3||30000");
    f_same(f_text("lwm2m", "{\"e\":[{\"n\":\"/3/0/9\"}]}"), "/3/0/9|device.battery-level|null|%|-");
    f_refused(f_text("lwm2m", "{\"e\":[{\"v\":1}]}"), "entry 1 has no name");
    f_refused(f_text("lwm2m", "{\"e\":[{\"n\":\"/1/0/1\",\"v\":1,\"sv\":\"x\"}]}"),
              "more than one");
    f_refused(f_text("lwm2m", "{\"e\":[{\"n\":\"/1/0/1\",\"v\":\"1\"}]}"), "v is a number");
    f_refused(f_text("lwm2m", "{\"e\":[{\"n\":\"/1/0/1\",\"v\":1,\"t\":1e12}]}"), "9999");
    f_refused(f_text("lwm2m", "{\"e\":[1]}"), "not an object");
    f_refused(f_text("lwm2m", "{\"e\":1}"), "list of entries");
}

static void reads_senml_of_objects(void **state)
{
    (void)state;
    static const char *const as_json =
        "[{\"bn\":\"/3303/0/\",\"n\":\"5700\",\"v\":-18.5},{\"n\":\"5701\",\"vs\":\"Cel\"},"
        "{\"n\":\"5518\",\"v\":1700000000},{\"n\":\"5601\",\"v\":-20}]";
    static const char *const want =
        "/3303/0/5700|temperature|-18.5|Cel|1700000000000; /3303/0/5701|temperature.unit|\"Cel\"||-"
        "; /3303/0/5518|temperature.timestamp|1700000000||-; "
        "/3303/0/5601|temperature.min|-20|Cel|-";
    f_same(f_text("lwm2m", as_json), want);
    f_same(f_hex("lwm2m", "84 a3 21 68 2f333330332f302f 00 64 35373030 02 f9 cca0"
                          "a2 00 64 35373031 03 63 43656c a2 00 64 35353138 02 1a 6553f100"
                          "a2 00 64 35363031 02 33"),
           want);
    /* A name alone, as a server asks; nothing at all. */
    f_same(f_text("lwm2m", "[{\"n\":\"/4/0/2\"}]"), "/4/0/2|connectivity.signal|null|dBm|-");
    f_refused(f_text("senml", "[{\"n\":\"/4/0/2\"}]"), "no value");
    f_refused(f_text("senml", "[]"), "no record with a value");
}

static const char *based(const char *observe, const char *topic, const char *bytes, size_t n)
{
    sy_device d = {.id = "d", .observe = observe, .topic = topic};
    return f_decode("lwm2m", (sy_span){bytes, n}, &d);
}

static void knows_where_answers_stand(void **state)
{
    (void)state;
    static const char two[] = "\xe4\x16\x44\x41\xb4\x00\x00"; /* resource 5700, 22.5 */
    static const char *const whole = "/3303/0/5700|temperature|22.5||-";
    f_same(based("coap://10.0.0.9:5683/3303/0", NULL, two, sizeof two - 1), whole);
    f_same(based("coap://10.0.0.9/3303/0/5700", NULL, two, sizeof two - 1), whole);
    f_same(based("coap://10.0.0.9/3303", NULL, two, sizeof two - 1), whole);
    f_same(based(NULL, "site/ep1/3303/0", two, sizeof two - 1), whole);
    /* One number may be anything; an address is none. */
    f_same(based(NULL, "site/42", two, sizeof two - 1), "5700|5700|22.5||-");
    f_same(based("coap://10.0.0.9", NULL, two, sizeof two - 1), "5700|5700|22.5||-");
    /* What is text or number is known with the object: battery level, binding. */
    static const char device[] = "\xc1\x09\x64\xc1\x10\x55";
    f_same(based("coap://h/3/0", NULL, device, sizeof device - 1),
           "/3/0/9|device.battery-level|100|%|-; /3/0/16|device.binding|\"U\"||-");
    static const char instances[] = "\x03\x01\xc1\x09\x64"; /* instance 1 */
    f_same(based("coap://h/3", NULL, instances, sizeof instances - 1),
           "/3/1/9|device.1.battery-level|100|%|-");
}

typedef struct seen {
    size_t n;
    sy_quality worst;
} seen;

static sy_err look(void *ctx, const sy_record *r)
{
    seen *s = ctx;
    s->n++;
    if (sy_span_is(r->name, "/3303/0/5700"))
        s->worst = r->quality;
    return SY_OK;
}

static void takes_an_empty_list_and_the_quality(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        sy_quality worst;
    } rows[] = {
        {"[]", 0, 0},
        {"{\"bn\":\"2/0\", \"e\":[]}", 0, 0},
        {"{}", 0, 0},
        {"[{\"bn\":\"/3303/0/\",\"n\":\"5700\",\"v\":1},{\"n\":\"6042\",\"v\":1}]", 2,
         SY_Q_BAD | SY_Q_DEVICE_FAULT},
        {"[{\"bn\":\"/3303/0/\",\"n\":\"5700\",\"v\":1},{\"n\":\"6042\",\"v\":3}]", 2,
         SY_Q_UNCERTAIN},
        {"[{\"bn\":\"/3303/0/\",\"n\":\"5700\",\"v\":1},{\"n\":\"6042\",\"v\":4}]", 2, SY_Q_GOOD},
        {"[{\"bn\":\"/3303/\",\"n\":\"0/5700\",\"v\":1},{\"n\":\"1/6042\",\"v\":1}]", 2, SY_Q_GOOD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sy_fail f = {.text = ""};
        seen s = {0};
        if (sy_format_find(sy_span_of("lwm2m"))
                ->decode(sy_span_of(rows[i].text), NULL, look, &s, &f))
            fail_msg("%s: %s", rows[i].text, f.text);
        assert_int_equal(s.n, rows[i].n);
        assert_int_equal(s.worst, rows[i].worst);
    }
}

static void knows_paths(void **state)
{
    (void)state;
    sy_lwm2m_path p;
    assert_true(sy_lwm2m_path_of(sy_span_of("/3303/1/5700/2"), SY_LWM2M_OBJECT, &p));
    assert_int_equal(p.id[0], 3303);
    assert_int_equal(p.id[3], 2);
    assert_true(sy_lwm2m_path_of(sy_span_of("1/5700"), SY_LWM2M_INSTANCE, &p));
    assert_int_equal(p.id[0], SY_LWM2M_UNKNOWN);
    assert_int_equal(p.id[2], 5700);
    static const char *const bad[] = {"",      "/",          "a",      "/3303/x",
                                      "/1//2", "/1/2/3/4/5", "/65536", "/99999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (sy_lwm2m_path_of(sy_span_of(bad[i]), SY_LWM2M_OBJECT, &p))
            fail_msg("%s", bad[i]);
}

static const char *found(const char *bytes)
{
    const sy_format *f = sy_format_probe(sy_span_of(bytes));
    return f ? f->name : "none";
}

static void is_found(void **state)
{
    (void)state;
    assert_string_equal(found("{\"bn\":\"/3/0/\",\"e\":[{\"n\":\"9\",\"v\":1}]}"), "lwm2m");
    assert_string_equal(found("\xe4\x16\x44\x41\xb4\x01\x01"), "lwm2m");
    assert_string_equal(sy_format_by_content(11542)->name, "lwm2m-tlv");
    assert_string_equal(sy_format_by_content(11543)->name, "lwm2m-json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tlv),
        cmocka_unit_test(reads_lengths_of_tlv),
        cmocka_unit_test(refuses_tlv),
        cmocka_unit_test(reads_json),
        cmocka_unit_test(reads_senml_of_objects),
        cmocka_unit_test(knows_where_answers_stand),
        cmocka_unit_test(takes_an_empty_list_and_the_quality),
        cmocka_unit_test(knows_paths),
        cmocka_unit_test(is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
