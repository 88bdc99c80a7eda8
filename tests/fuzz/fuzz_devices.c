/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of devices and gateways: the first byte says which; where that has models, the second
 * says which one, or none; the others are the payload. What a Modbus slave answers is read with a
 * register map, too. */
#include "drivers/modbus/map.h"
#include "format_fuzz.h"

#define ROW(name, table, address, type, order)                                                     \
    {                                                                                              \
        name, table, address, type, order, order, 2, 5, 3, 7, -1, "degC", words, 1, errors, 1      \
    }
static const sy_mb_word words[] = {{1, "on"}};
static const uint64_t errors[] = {0x8000};
static const sy_mb_row rows[] = {
    ROW("coil", SY_MB_COIL, 3, SY_MB_BOOL, false),
    ROW("discrete", SY_MB_DISCRETE, 9, SY_MB_BOOL, false),
    ROW("u16", SY_MB_HOLDING, 0, SY_MB_U16, true),
    ROW("f32", SY_MB_HOLDING, 1, SY_MB_F32, false),
    ROW("f64", SY_MB_HOLDING, 2, SY_MB_F64, true),
    ROW("bcd", SY_MB_HOLDING, 3, SY_MB_BCD32, false),
    ROW("i16", SY_MB_INPUT, 0, SY_MB_I16, false),
    ROW("u64", SY_MB_INPUT, 0, SY_MB_U64, true),
    ROW("bits", SY_MB_INPUT, 5, SY_MB_BITS, false),
    ROW("last", SY_MB_INPUT, 65534, SY_MB_I32, false),
};
static const sy_mb_map map = {"fuzz", rows, sizeof rows / sizeof *rows, 4, 125};
static const sy_mb_device asked = {.address = "", .unit = 1, .map = &map};
static const sy_device device = {.id = "d", .modbus = &asked};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *names[512];
    size_t formats = 0;
    while (sy_formats[formats])
        formats++;
    if (n == 0)
        return 0;
    const char *name = sy_formats[bytes[0] % formats]->name;
    if (strncmp(name, "modbus", 6) == 0)
        fuzz_format(name, bytes + 1, n - 1, &device);
    size_t models = sy_format_models(sy_span_of(name), names, 512);
    if (models == 0 || n == 1)
        return fuzz_format(name, bytes + 1, n - 1, NULL);
    const sy_device by_model = {.model = bytes[1] < models ? names[bytes[1]] : NULL};
    return fuzz_format(name, bytes + 2, n - 2, &by_model);
}
