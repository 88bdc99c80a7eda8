/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of devices and gateways: the first byte says which; where that has models, the second
 * says which one, or none; the others are the payload. What a Modbus slave answers is read with a
 * register map, too; a payload of Sparkplug as a birth and then as data. */
#include "drivers/formats/sparkplug.h"
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

typedef struct born {
    sy_spb_metric v[64];
    char text[64][64];
    size_t n;
} born;

static sy_err learn(void *ctx, const sy_spb_metric *m)
{
    born *b = ctx;
    require(sy_utf8_check(m->name) == m->name.n && m->name.n > 0);
    if (b->n == 64 || m->name.n > 64)
        return SY_E_FULL;
    memcpy(b->text[b->n], m->name.p, m->name.n);
    b->v[b->n] = *m;
    b->v[b->n].name.p = b->text[b->n];
    b->v[b->n].unit.n = 0;
    b->n++;
    return SY_OK;
}

static const sy_spb_metric *by_alias(void *ctx, uint64_t alias)
{
    born *b = ctx;
    for (size_t i = 0; i < b->n; i++)
        if (b->v[i].has_alias && b->v[i].alias == alias)
            return &b->v[i];
    return NULL;
}

static const sy_spb_metric *by_name(void *ctx, sy_span name)
{
    born *b = ctx;
    for (size_t i = 0; i < b->n; i++)
        if (sy_span_eq(b->v[i].name, name))
            return &b->v[i];
    return NULL;
}

static void fuzz_births(sy_span payload)
{
    born b = {.n = 0};
    sy_spb_births births = {&b, by_alias, by_name, learn};
    sy_spb *p;
    uint64_t number;
    if (sy_spb_open(&p, payload, NULL))
        return;
    (void)sy_spb_seq(p, &number);
    (void)sy_spb_bdseq(p, &number);
    for (int birth = 1; birth >= 0; birth--) {
        size_t given = 0;
        sy_spb_count count;
        sy_fail f = {.text = ""};
        sy_err e = sy_spb_records(p, sy_span_of("pump"), birth, &births, &count, checked_record,
                                  &given, &f);
        require(e == SY_OK || (given == 0 && f.text[0] != '\0'));
    }
    sy_spb_close(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *names[512];
    size_t formats = 0;
    while (sy_formats[formats])
        formats++;
    if (n == 0)
        return 0;
    const char *name = sy_formats[bytes[0] % formats]->name;
    if (strcmp(name, "sparkplugb") == 0)
        fuzz_births((sy_span){(const char *)bytes + 1, n - 1});
    if (strncmp(name, "modbus", 6) == 0)
        fuzz_format(name, bytes + 1, n - 1, &device);
    size_t models = sy_format_models(sy_span_of(name), names, 512);
    if (models == 0 || n == 1)
        return fuzz_format(name, bytes + 1, n - 1, NULL);
    const sy_device by_model = {.model = bytes[1] < models ? names[bytes[1]] : NULL};
    return fuzz_format(name, bytes + 2, n - 2, &by_model);
}
