/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of Modbus in the configuration: their keys, register maps by name, file and list, what is
 * wrong with them and where, and that a map is part of the accepted set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_rig.h"
#include "drivers/modbus/map.h"

#define DEVICE "  - {id: t1, transport: mqtt, topic: s/t1, format: senml-json}\n"

static sy_err load(config_rig *r, const char *device)
{
    char to[4096];
    snprintf(to, sizeof to, "  - %s\n", device);
    return rig_load_with(r, DEVICE, to);
}

#define AT "id: t1, transport: modbus, address: \"10.0.0.5:502\""

static const sy_mb_map *map_of(const config_rig *r)
{
    return r->config->devices[0].modbus->map;
}

static void test_list(void **state)
{
    (void)state;
    config_rig r;
    rig_open(&r);
    assert_int_equal(load(&r, "{" AT ", unit: 7, poll: 5 s, timeout: 300 ms, registers: ["
                              "{name: t, address: 30009, type: i16, scale: 0.1, unit: degC, "
                              "errors: [0x7fff, -32768]}, "
                              "{name: e, address: 400010, type: f64, order: CDAB, scale: 2.5}, "
                              "{name: d, table: discrete, address: 0x10, states: {open: 1}}, "
                              "{name: b, table: holding, address: 0, type: bits, bit: 3}]}"),
                     SY_OK);
    const sy_mb_device *m = r.config->devices[0].modbus;
    assert_int_equal(m->unit, 7);
    assert_int_equal(m->poll, 5000);
    assert_int_equal(m->timeout, 300);
    assert_string_equal(r.config->devices[0].format, "modbus-poll");
    const sy_mb_row *rows = m->map->rows; /* by table and address */
    assert_int_equal(m->map->n, 4);
    assert_string_equal(rows[0].name, "d");
    assert_int_equal(rows[0].address, 16);
    assert_int_equal(rows[0].type, SY_MB_BOOL);
    assert_string_equal(rows[1].name, "b");
    assert_int_equal(rows[1].width, 13);
    assert_string_equal(rows[2].name, "e");
    assert_int_equal(rows[2].address, 9);
    assert_true(rows[2].words_reversed && !rows[2].bytes_swapped);
    assert_true(rows[2].scale == 2.5 && rows[2].divisor == 1);
    assert_int_equal(rows[3].address, 8);
    assert_true(rows[3].scale == 1 && rows[3].divisor == 10); /* 0.1 is a tenth */
    assert_true(rows[3].n_errors == 2 && rows[3].errors[1] == 0x8000);
    rig_close(&r);
}

/* Every map that ships is good, and is found by its name. */
static void test_shipped(void **state)
{
    (void)state;
    size_t n = 0;
    for (const char *name; (name = sy_config_map_name(n)) != NULL; n++) {
        sy_config *owner;
        const sy_mb_map *map;
        sy_fail f;
        if (sy_config_map(name, &owner, &map, &f) != SY_OK)
            fail_msg("%s: %s", name, f.text);
        assert_true(map->n >= 2);
        assert_string_equal(map->name, name);
        sy_config_unref(owner);
    }
    assert_true(n >= 7);
    sy_config *owner;
    const sy_mb_map *map;
    sy_fail f;
    assert_int_equal(sy_config_map("sdm12", &owner, &map, &f), SY_E_USAGE);
    assert_non_null(strstr(f.text, "no register map 'sdm12'"));
}

static const char map_yaml[] = "gap: 3\nmost: 20\nregisters:\n"
                               "  - {name: t, table: input, address: 4}\n";

/* A map in a file: reports point into it, and a kept set has it. */
static void test_file(void **state)
{
    (void)state;
    config_rig r;
    sy_config *kept = NULL;
    sy_fail f;
    rig_open(&r);
    rig_write(&r, "probe.yaml", map_yaml);
    assert_int_equal(load(&r, "{" AT ", registers: probe.yaml}"), SY_OK);
    assert_int_equal(map_of(&r)->gap, 3);
    assert_int_equal(map_of(&r)->most, 20);
    assert_int_equal(map_of(&r)->rows[0].address, 4);
    unsigned char hash[32];
    memcpy(hash, r.config->hash, sizeof hash);
    assert_int_equal(sy_config_keep(r.config, r.data, &f), SY_OK);
    char path[128];
    snprintf(path, sizeof path, "%s/probe.yaml", r.dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(sy_config_load_kept(r.data, r.config->hash_hex, &kept, &f), SY_OK);
    assert_int_equal(kept->devices[0].modbus->map->rows[0].address, 4);
    sy_config_unref(kept);
    rig_write(&r, "probe.yaml", "registers:\n  - {name: t, table: input, address: 5}\n");
    assert_int_equal(rig_load(&r), SY_OK); /* another map is another set */
    assert_memory_not_equal(hash, r.config->hash, sizeof hash);
    assert_int_equal(map_of(&r)->rows[0].address, 5);
    rig_write(&r, "probe.yaml",
              "registers:\n  - {name: t, table: input, address: 4}\n"
              "  - {name: t, table: input, address: 70000}\n");
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    const sy_finding *wrong = rig_find(&r, "wrong-value");
    assert_non_null(wrong);
    assert_non_null(strstr(wrong->file, "probe.yaml"));
    assert_int_equal(wrong->line, 3);
    assert_non_null(strstr(wrong->en, "0 to 65535"));
    assert_non_null(strstr(wrong->zh, "65535"));
    rig_close(&r);
}

static void test_wrong(void **state)
{
    (void)state;
#define LIST(row) "{" AT ", registers: [" row "]}"
#define T         "{name: t, table: holding, address: 0}"
    static const struct {
        const char *device, *code;
    } cases[] = {
        {"{id: t1, transport: modbus, registers: [" T "]}", "missing-key"},
        {"{" AT "}", "missing-key"},
        {"{" AT ", registers: nowhere}", "unknown-word"},
        {"{" AT ", registers: nowhere.yaml}", "file"},
        {"{" AT ", registers: [" T "], format: json}", "not-here"},
        {"{" AT ", registers: [" T "], topic: a}", "not-here"},
        {"{" AT ", registers: [" T "], credential: psk}", "wrong-value"},
        {"{" AT ", registers: [" T "], unit: 256}", "out-of-range"},
        {"{" AT ", registers: [" T "], poll: 1 ms}", "out-of-range"},
        {"{id: t1, transport: modbus, address: \"/dev/ttyS0,9600\", registers: [" T "]}",
         "wrong-value"},
        {"{id: t1, transport: modbus, address: \"/dev/ttyS0,9600,8N1\", unit: 0, registers: [" T
         "]}",
         "out-of-range"},
        {LIST(""), "out-of-range"},
        {LIST(T ", " T), "duplicate"},
        {LIST("{name: t, address: 7}"), "wrong-value"},
        {LIST("{name: t, address: 20001}"), "wrong-value"},
        {LIST("{name: t, address: 40000}"), "wrong-value"},
        {LIST("{name: t, address: 465537}"), "wrong-value"},
        {LIST("{name: t, table: holding, address: 65536}"), "wrong-value"},
        {LIST("{name: t, table: holding, address: 65535, type: f32}"), "out-of-range"},
        {LIST("{name: t, table: coil, address: 1, type: u16}"), "wrong-value"},
        {LIST("{name: t, table: holding, address: 1, bit: 3}"), "not-here"},
        {LIST("{name: t, table: holding, address: 1, type: bits, bit: 9, width: 8}"),
         "out-of-range"},
        {LIST("{name: t, table: holding, address: 1, scale: 0}"), "wrong-value"},
        {LIST("{name: t, table: holding, address: 1, unit: parsec}"), "unknown-word"},
        {LIST("{name: t, table: holding, address: 1, errors: [70000]}"), "wrong-value"},
        {LIST("{name: t, table: holding, address: 1, type: i16, errors: [-32769]}"), "wrong-value"},
        {LIST("{name: t, table: holding, address: 1, states: {a: b}}"), "wrong-value"},
        {LIST("{name: t, table: holding, address: 1, type: bool, scale: 2}"), "not-here"},
        {LIST("{name: other, table: holding, address: 1}"), "unmapped"},
        {"{id: t1, transport: mqtt, topic: s/t1}", "missing-key"},
        {"{id: t1, transport: mqtt, topic: s/t1, format: json, unit: 3}", "not-here"},
        {LIST(T) "\n  - {id: x1, transport: modbus, address: \"/dev/a,9600,8N1\", registers: [" T
                 "]}\n  - {id: x2, transport: modbus, address: \"/dev/a,9600,8E1\", registers: [" T
                 "]}",
         "conflict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        config_rig r;
        rig_open(&r);
        if (load(&r, cases[i].device) != SY_E_USAGE)
            fail_msg("taken: %s", cases[i].device);
        const sy_finding *f = rig_find(&r, cases[i].code);
        if (!f || f->severity != SY_DIAG_ERROR)
            fail_msg("no %s: %s (%s)", cases[i].code, cases[i].device, r.fail.text);
        if (f && (!f->zh || strcmp(f->zh, f->en) == 0 || f->line == 0))
            fail_msg("no place or no Chinese: %s", cases[i].device);
        rig_close(&r);
    }
}

/* Frames that come by another transport. */
static void test_frames(void **state)
{
    (void)state;
    config_rig r;
    rig_open(&r);
    assert_int_equal(load(&r, "{id: t1, transport: mqtt, topic: s/t1, format: modbus, unit: 3, "
                              "registers: [" T "]}"),
                     SY_OK);
    assert_int_equal(r.config->devices[0].modbus->unit, 3);
    assert_int_equal(map_of(&r)->n, 1);
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(load(&r, "{id: t1, transport: mqtt, topic: s/t1, format: modbus}"),
                     SY_E_USAGE);
    assert_non_null(rig_find(&r, "missing-key"));
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(load(&r, "{id: t1, transport: mqtt, topic: s/t1, format: modbus, poll: 1 s, "
                              "registers: [" T "]}"),
                     SY_E_USAGE);
    assert_non_null(rig_find(&r, "not-here"));
    rig_close(&r);
}

static void test_warnings(void **state)
{
    (void)state;
    config_rig r;
    rig_open(&r);
    assert_int_equal(load(&r, LIST("{name: t, table: holding, address: 40001}")), SY_OK);
    assert_non_null(rig_find(&r, "address"));
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(load(&r, "{" AT ", poll: 2 min, registers: [" T "]}"), SY_OK);
    assert_non_null(rig_find(&r, "polled-less")); /* its point says 60 s */
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),   cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_file),   cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_frames), cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
