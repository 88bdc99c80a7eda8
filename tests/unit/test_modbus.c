/* SPDX-License-Identifier: Apache-2.0 */
/* Register maps, requests and answers by the MODBUS Application Protocol V1.1b3 and MODBUS over
 * Serial Line V1.02: grouping, addresses of lines, values of every type and order, frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/modbus/bus.h"
#include "format_harness.h"

static sy_mb_row row(const char *name, sy_mb_table table, uint16_t address, sy_mb_type type)
{
    return (sy_mb_row){
        .name = name, .table = table, .address = address, .type = type, .scale = 1, .divisor = 1};
}

/* The plan as "function:start+count …". */
static const char *plan(const sy_mb_row *rows, size_t n, int gap, int most)
{
    static char text[2000];
    sy_mb_read reads[SY_MB_ROWS_MAX];
    sy_mb_map map = {.name = "m", .rows = rows, .n = n, .gap = gap, .most = most};
    size_t k = sy_mb_plan(&map, gap, reads), at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < k; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%u:%u+%u", i ? " " : "",
                               reads[i].function, reads[i].start, reads[i].count);
    return text;
}

static void test_grouping(void **state)
{
    (void)state;
    const sy_mb_row near[] = {
        row("a", SY_MB_COIL, 0, SY_MB_BOOL),     row("b", SY_MB_COIL, 100, SY_MB_BOOL),
        row("c", SY_MB_HOLDING, 0, SY_MB_U16),   row("d", SY_MB_HOLDING, 1, SY_MB_F32),
        row("e", SY_MB_HOLDING, 13, SY_MB_F64),  row("f", SY_MB_HOLDING, 28, SY_MB_U16),
        row("g", SY_MB_INPUT, 65535, SY_MB_U16),
    };
    assert_string_equal(plan(near, 7, 10, 125), "1:0+101 3:0+17 3:28+1 4:65535+1");
    assert_string_equal(plan(near, 7, 11, 125), "1:0+101 3:0+29 4:65535+1");
    assert_string_equal(plan(near, 7, 0, 125), "1:0+1 1:100+1 3:0+3 3:13+4 3:28+1 4:65535+1");
    assert_string_equal(plan(near, 7, -1, 125),
                        "1:0+1 1:100+1 3:0+1 3:1+2 3:13+4 3:28+1 4:65535+1");
    assert_string_equal(plan(near, 7, 10, 4), "1:0+101 3:0+3 3:13+4 3:28+1 4:65535+1");
}

/* 6.3: at most 125 registers a request; a value is never torn. 6.1: at most 2000 coils. */
static void test_limits(void **state)
{
    (void)state;
    sy_mb_row rows[200];
    for (uint16_t i = 0; i < 70; i++)
        rows[i] = row("x", SY_MB_INPUT, (uint16_t)(2 * i), SY_MB_F32);
    assert_string_equal(plan(rows, 70, 10, 125), "4:0+124 4:124+16");
    assert_string_equal(plan(rows, 70, 10, 60), "4:0+60 4:60+60 4:120+20");
    for (uint16_t i = 0; i < 30; i++)
        rows[i] = row("x", SY_MB_DISCRETE, (uint16_t)(100 * i), SY_MB_BOOL);
    assert_string_equal(plan(rows, 30, 10, 125), "2:0+1901 2:2000+901");
    /* Two names for one value, and one within another. */
    rows[0] = row("a", SY_MB_HOLDING, 5, SY_MB_F64);
    rows[1] = row("b", SY_MB_HOLDING, 5, SY_MB_U16);
    rows[2] = row("c", SY_MB_HOLDING, 6, SY_MB_U16);
    assert_string_equal(plan(rows, 3, 0, 125), "3:5+4");
}

/* What a device refuses is asked in smaller and smaller parts; what is single stays. */
static void test_split(void **state)
{
    (void)state;
    const sy_mb_row rows[] = {
        row("a", SY_MB_HOLDING, 0, SY_MB_U16), row("b", SY_MB_HOLDING, 1, SY_MB_U16),
        row("c", SY_MB_HOLDING, 5, SY_MB_U16), row("d", SY_MB_INPUT, 0, SY_MB_U16)};
    const sy_mb_map map = {.name = "m", .rows = rows, .n = 4, .gap = 10, .most = 125};
    const sy_mb_device modbus = {
        .address = "", .unit = 1, .poll = 1000, .timeout = 100, .map = &map};
    const sy_device device = {.id = "d", .modbus = &modbus};
    sy_mb_unit u = {.device = &device};
    assert_int_equal(sy_mb_unit__plan(&u), SY_OK);
    assert_int_equal(u.n_asks, 2);
    assert_true(sy_mb_unit__split(&u, 0)); /* the gap away */
    assert_int_equal(u.n_asks, 3);
    assert_int_equal(u.asks[0].read.count, 2);
    assert_int_equal(u.asks[1].read.start, 5);
    assert_int_equal(u.asks[2].read.function, 4);
    assert_false(sy_mb_unit__split(&u, 1));
    assert_true(sy_mb_unit__split(&u, 0)); /* each by itself */
    assert_int_equal(u.n_asks, 4);
    assert_int_equal(u.asks[1].read.start, 1);
    for (size_t i = 0; i < 4; i++)
        assert_false(sy_mb_unit__split(&u, i));
    free(u.asks);
}

/* Turns stay on their grid; missed ones are counted; a dead device is asked less and less. */
static void test_schedule(void **state)
{
    (void)state;
    const sy_mb_device modbus = {.address = "", .unit = 1, .poll = 1000, .timeout = 200};
    const sy_device device = {.id = "d", .modbus = &modbus};
    sy_mb_unit u = {.device = &device, .due = 10000};
    assert_int_equal(sy_mb_unit__next(&u, 10400), 0);
    assert_int_equal(u.due, 11000);
    assert_int_equal(sy_mb_unit__next(&u, 14300), 3); /* 12000, 13000, 14000 */
    assert_int_equal(u.due, 15000);
    u.silent = 1; /* held for five time-outs */
    assert_int_equal(sy_mb_unit__next(&u, 15200), 1);
    assert_int_equal(u.due, 17000);
    u.silent = 3;
    assert_int_equal(sy_mb_unit__next(&u, 17200), 4); /* until after 21200 */
    assert_int_equal(u.due, 22000);
    u.silent = 400;
    assert_int_equal(sy_mb_unit__next(&u, 22000), 60);
    assert_int_equal(u.due, 83000);
}

static void test_lines(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "host",
                                        "host:",
                                        "host:0",
                                        "host:65536",
                                        ":502",
                                        "ho st:502",
                                        "[::1:502",
                                        "[::1]502",
                                        "host:502x",
                                        "/dev/ttyS0",
                                        "/dev/ttyS0,9600",
                                        "/dev/ttyS0,9601,8N1",
                                        "/dev/ttyS0,9600,7E1",
                                        "/dev/ttyS0,9600,8X1",
                                        "/dev/ttyS0,9600,8N3",
                                        "/dev/ttyS0,9600,8N1,",
                                        "/dev/t\"y,9600,8N1",
                                        ",9600,8N1"};
    sy_mb_line line;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (sy_mb_line_parse(sy_span_of(wrong[i]), &line) == SY_OK)
            fail_msg("taken: %s", wrong[i]);
    assert_int_equal(sy_mb_line_parse(sy_span_of("10.0.0.5:502"), &line), SY_OK);
    assert_false(line.serial);
    assert_string_equal(line.host, "10.0.0.5");
    assert_string_equal(line.port, "502");
    assert_int_equal(sy_mb_line_parse(sy_span_of("[fe80::1]:1502"), &line), SY_OK);
    assert_string_equal(line.host, "fe80::1");
    assert_int_equal(sy_mb_line_parse(sy_span_of("/dev/ttyUSB0,19200,8E2"), &line), SY_OK);
    assert_true(line.serial);
    assert_string_equal(line.host, "/dev/ttyUSB0");
    assert_int_equal(line.baud, 19200);
    assert_int_equal(line.parity, 'E');
    assert_int_equal(line.stop, 2);
}

/* Serial Line V1.02, 6.2.2: the example of its CRC, 02 07 with 41 12. */
static void test_crc(void **state)
{
    (void)state;
    assert_int_equal(sy_mb_crc((sy_span){"\x02\x07", 2}), 0x1241);
    assert_int_equal(sy_mb_crc((sy_span){"", 0}), 0xffff);
}

static const char *poll_of(const sy_mb_row *rows, size_t n, const char *hex)
{
    static sy_mb_map map;
    static sy_mb_device modbus;
    static sy_device device;
    unsigned char bytes[600];
    size_t k = 0;
    map = (sy_mb_map){.name = "m", .rows = rows, .n = n, .gap = 10, .most = 125};
    modbus = (sy_mb_device){.map = &map};
    device = (sy_device){.id = "d", .modbus = &modbus};
    for (const char *p = hex; *p; p++)
        if (*p != ' ') {
            bytes[k / 2] =
                (unsigned char)(k % 2 ? bytes[k / 2] << 4 | sy_hex_digit(*p) : sy_hex_digit(*p));
            k++;
        }
    return f_decode("modbus-poll", (sy_span){(const char *)bytes, k / 2}, rows ? &device : NULL);
}

/* One value: its type and order, the registers as they come, what it is. */
static void value(sy_mb_type type, const char *order, const char *registers, const char *want)
{
    char hex[200], line[200];
    sy_mb_row r = row("v", SY_MB_HOLDING, 7, type);
    unsigned size = sy_mb_row_size(&r);
    r.words_reversed = order[0] == 'C' || order[0] == 'D';
    r.bytes_swapped = order[0] == 'B' || order[0] == 'D';
    snprintf(hex, sizeof hex, "01 01 0007 %04x %02x 03 %02x %s", size, 2 + 2 * size, 2 * size,
             registers);
    snprintf(line, sizeof line, "v|v|%s||-", want);
    f_same(poll_of(&r, 1, hex), line);
}

static void test_types(void **state)
{
    (void)state;
    value(SY_MB_U16, "ABCD", "ffff", "65535");
    value(SY_MB_U16, "BADC", "0100", "1");
    value(SY_MB_U16, "CDAB", "0100", "256");
    value(SY_MB_I16, "ABCD", "8000", "-32768");
    value(SY_MB_I16, "DCBA", "48ff", "-184");
    value(SY_MB_U32, "ABCD", "ffff fffe", "4294967294");
    value(SY_MB_U32, "CDAB", "2345 0001", "74565");
    value(SY_MB_U32, "BADC", "0100 4523", "74565");
    value(SY_MB_U32, "DCBA", "4523 0100", "74565");
    value(SY_MB_I32, "ABCD", "8000 0000", "-2147483648");
    value(SY_MB_I32, "CDAB", "fffe ffff", "-2");
    value(SY_MB_U64, "ABCD", "0000 0100 0000 0001", "1099511627777");
    value(SY_MB_U64, "CDAB", "0001 0000 0100 0000", "1099511627777");
    value(SY_MB_I64, "ABCD", "ffff ffff ffff fffb", "-5");
    value(SY_MB_I64, "DCBA", "fbff ffff ffff ffff", "-5");
    value(SY_MB_F32, "ABCD", "c194 0000", "-18.5");
    value(SY_MB_F32, "CDAB", "0000 41aa", "21.25");
    value(SY_MB_F32, "BADC", "6040 0000", "3.5");
    value(SY_MB_F32, "DCBA", "0000 003e", "0.125");
    value(SY_MB_F64, "ABCD", "4013 8000 0000 0000", "4.875");
    value(SY_MB_F64, "DCBA", "0000 0000 0080 1340", "4.875");
    value(SY_MB_BCD, "ABCD", "1234", "1234");
    value(SY_MB_BCD32, "CDAB", "5678 1234", "12345678");
}

static sy_err note_quality(void *ctx, const sy_record *r)
{
    *(sy_quality *)ctx = r->quality;
    return SY_OK;
}

static sy_quality quality_of(const sy_mb_row *r, const char *bytes, size_t n)
{
    sy_quality q = 0;
    sy_mb_map map = {.name = "m", .rows = r, .n = 1};
    sy_mb_device modbus = {.map = &map};
    sy_device device = {.id = "d", .modbus = &modbus};
    const sy_format *f = sy_format_find(sy_span_of("modbus-poll"));
    assert_int_equal(f->decode((sy_span){bytes, n}, &device, note_quality, &q, NULL), SY_OK);
    return q;
}

static void test_meaning(void **state)
{
    (void)state;
    sy_mb_row r = row("v", SY_MB_HOLDING, 0, SY_MB_I16);
    r.divisor = 10;
    r.unit = "degC";
    f_same(poll_of(&r, 1, "0101 0000 0001 04 03 02 0088"), "v|v|13.6|degC|-");
    r.offset = -40;
    f_same(poll_of(&r, 1, "0101 0000 0001 04 03 02 0088"), "v|v|-26.4|degC|-");
    static const uint64_t errors[] = {0x7fff, 0x8000};
    r.errors = errors;
    r.n_errors = 2;
    assert_int_equal(quality_of(&r, "\1\1\0\0\0\1\4\3\2\x80\0", 11), SY_Q_BAD | SY_Q_DEVICE_FAULT);
    assert_int_equal(quality_of(&r, "\1\1\0\0\0\1\4\3\2\x80\1", 11), SY_Q_GOOD);
    sy_mb_row nan = row("v", SY_MB_HOLDING, 0, SY_MB_F32);
    assert_int_equal(quality_of(&nan, "\1\1\0\0\0\2\6\3\4\x7f\xc0\0\0", 13),
                     SY_Q_BAD | SY_Q_DEVICE_FAULT);
    nan.type = SY_MB_BCD32;
    assert_int_equal(quality_of(&nan, "\1\1\0\0\0\2\6\3\4\x12\xa4\0\0", 13),
                     SY_Q_BAD | SY_Q_DEVICE_FAULT);
    static const sy_mb_word words[] = {{9, "run"}, {0, "stop"}};
    sy_mb_row bits = row("s", SY_MB_HOLDING, 0, SY_MB_BITS);
    bits.bit = 2;
    bits.width = 4;
    f_same(poll_of(&bits, 1, "0101 0000 0001 04 03 02 ff27"), "s|s|9||-");
    bits.states = words;
    bits.n_states = 2;
    f_same(poll_of(&bits, 1, "0101 0000 0001 04 03 02 ff27"), "s|s|\"run\"||-");
    sy_mb_row any = row("b", SY_MB_HOLDING, 0, SY_MB_BOOL);
    f_same(poll_of(&any, 1, "0101 0000 0001 04 03 02 0100"), "b|b|true||-");
    any.bit = 0;
    any.width = 1;
    f_same(poll_of(&any, 1, "0101 0000 0001 04 03 02 0100"), "b|b|false||-");
}

/* 6.1: the example of the protocol, coils 20 to 38: CD 6B 05; coil 27 is on, 26 off. */
static void test_coils(void **state)
{
    (void)state;
    sy_mb_row rows[] = {row("c20", SY_MB_COIL, 19, SY_MB_BOOL),
                        row("c21", SY_MB_COIL, 20, SY_MB_BOOL),
                        row("c38", SY_MB_COIL, 37, SY_MB_BOOL)};
    f_same(poll_of(rows, 3, "0101 0013 0013 05 01 03 cd6b05"),
           "c20|c20|true||-; c21|c21|false||-; c38|c38|true||-");
}

/* Answers to several requests; what is not in the map is passed over, without one all are given. */
static void test_poll(void **state)
{
    (void)state;
    sy_mb_row rows[] = {row("a", SY_MB_HOLDING, 1, SY_MB_U16), row("b", SY_MB_INPUT, 8, SY_MB_U32),
                        row("cut", SY_MB_INPUT, 9, SY_MB_U32)};
    const char *two = "0105 0000 0002 06 03 04 0007 0009  0008 0002 06 04 04 0001 0000";
    f_same(poll_of(rows, 3, two), "a|a|9||-; b|b|65536||-");
    f_same(poll_of(NULL, 0, two), "holding-0|holding-0|7||-; holding-1|holding-1|9||-; "
                                  "input-8|input-8|1||-; input-9|input-9|0||-");
    f_refused(poll_of(rows, 3, "0205 0000 0001 04 03 02 0007"), "not the answers of a poll");
    f_refused(poll_of(rows, 3, "0105 0000 0001 04 03 02 00"), "cut short");
    f_refused(poll_of(rows, 3, "0105 0000 0002 04 03 02 0007"), "does not fit what was asked");
    f_refused(poll_of(rows, 3, "0105 0000 0001 04 03 03 0007"), "does not fit what was asked");
    f_refused(poll_of(rows, 3, "0105 0000 0001 03 83 02 00"), "does not fit what was asked");
    f_refused(poll_of(rows, 3, "0105 ffff 0002 06 03 04 0007 0007"), "does not fit");
    f_refused(poll_of(rows, 3, "0105"), "no reading");
    f_refused(poll_of(rows, 3, "0105 0000 0001 04 03 02 0007"), "no reading");
}

static void test_frames(void **state)
{
    (void)state;
    f_same(f_hex("modbus", "010304026c00883bf0"),
           "holding-+0|holding-+0|620||-; holding-+1|holding-+1|136||-");
    f_same(f_hex("modbus", "0001 0000 0005 11 04 02 000a"), "input-+0|input-+0|10||-");
    f_refused(f_hex("modbus", "010304026c00883bf1"), "CRC");
    f_refused(f_hex("modbus", "0a 81 02 b0 53"), "exception 2, illegal data address");
    f_refused(f_hex("modbus", "0001 0000 0003 11 84 0b"),
              "exception 11, gateway target device failed to respond");
    f_refused(f_hex("modbus", "0102"), "not a frame");
    /* By a map: the request that it may be the answer to; of the unit alone. */
    const sy_mb_row rows[] = {row("a", SY_MB_HOLDING, 40, SY_MB_U16),
                              row("b", SY_MB_HOLDING, 41, SY_MB_U16),
                              row("c", SY_MB_HOLDING, 90, SY_MB_U16)};
    const sy_mb_map map = {.name = "m", .rows = rows, .n = 3, .gap = 10, .most = 125};
    sy_mb_device modbus = {.address = "", .map = &map};
    const sy_device device = {.id = "d", .modbus = &modbus};
    const sy_span frame = {"\x01\x03\x04\x02\x6c\x00\x88\x3b\xf0", 9};
    f_same(f_decode("modbus", frame, &device), "a|a|620||-; b|b|136||-");
    modbus.unit = 1;
    f_same(f_decode("modbus", frame, &device), "a|a|620||-; b|b|136||-");
    modbus.unit = 2;
    f_refused(f_decode("modbus", frame, &device), "a frame of unit 1, the device is unit 2");
    const sy_span other = {"\0\1\0\0\0\5\2\4\2\0\7", 11};
    f_refused(f_decode("modbus", other, &device), "no request of the register map m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grouping), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_split),    cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_lines),    cmocka_unit_test(test_crc),
        cmocka_unit_test(test_types),    cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_coils),    cmocka_unit_test(test_poll),
        cmocka_unit_test(test_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
