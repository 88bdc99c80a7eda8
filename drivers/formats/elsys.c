/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elsys payloads: a list of type and value, big-endian (Elsys "Sensor payload", types 0x01 to
 * 0x3e), save the position, which is little-endian. A type that is not in the table has an unknown
 * length, so the payload is refused. Settings (0x3e) are no readings.
 */
#include <stdio.h>

#include "drivers/formats/all.h"
#include "drivers/formats/lorawan.h"

typedef struct elsys_type {
    uint8_t type, bytes;
    bool sign;
    double divisor;
    const char *name, *unit;
} elsys_type;

static const elsys_type types[] = {
    {0x01, 2, true, 10, "temperature", "Cel"},
    {0x02, 1, false, 1, "humidity", "%RH"},
    {0x04, 2, false, 1, "light", "lx"},
    {0x05, 1, false, 1, "motion", ""},
    {0x06, 2, false, 1, "co2", "ppm"},
    {0x07, 2, false, 1, "vdd", "mV"},
    {0x08, 2, false, 1, "analog1", "mV"},
    {0x0a, 2, false, 1, "pulse1", ""},
    {0x0b, 4, false, 1, "pulseAbs", ""},
    {0x0c, 2, true, 10, "externalTemperature", "Cel"},
    {0x0d, 1, false, 1, "digital", ""},
    {0x0e, 2, false, 1, "distance", "mm"},
    {0x0f, 1, false, 1, "accMotion", ""},
    {0x11, 1, false, 1, "occupancy", ""},
    {0x12, 1, false, 1, "waterleak", ""},
    {0x14, 4, false, 1000, "pressure", "hPa"},
    {0x16, 2, false, 1, "pulse2", ""},
    {0x17, 4, false, 1, "pulseAbs2", ""},
    {0x18, 2, false, 1, "analog2", "mV"},
    {0x1a, 1, false, 1, "digital2", ""},
    {0x1b, 4, true, 1, "analogUv", ""},
    {0x1c, 2, false, 1, "tvoc", "ppb"},
    {0x1d, 1, false, 1, "iaq", ""},
    {0x1e, 1, false, 1, "genericBool", ""},
    {0x1f, 1, true, 1, "genericInt8", ""},
    {0x20, 2, true, 1, "genericInt16", ""},
    {0x21, 1, false, 1, "view", ""},
    {0x22, 2, true, 10, "setpoint", "Cel"},
    {0x23, 1, false, 1, "speed", ""},
    {0x24, 1, false, 1, "externalHumidity", "%RH"},
    {0x3c, 4, false, 1, "crc", ""},
    {0x3d, 4, false, 1, "debug", ""},
};

static void number(sy_records *l, const sy_record *like, const char *name, double v,
                   const char *unit)
{
    sy_records_number(l, like, name, v, unit);
}

static void numbered(sy_records *l, const sy_record *like, const char *name, unsigned n, double v)
{
    char text[40];
    int len = snprintf(text, sizeof text, "%s.%u", name, n);
    sy_span own = sy_records_text(l, (sy_span){text, (size_t)len});
    if (own.n)
        sy_records_number(l, like, own.p, v, "Cel");
}

static void pixels(sy_records *l, const sy_record *like, const char *p)
{
    for (unsigned i = 0; i < 64; i++)
        numbered(l, like, "grideye", i, sy_be(p, 1) + sy_be(p + 1 + i, 1) / 10.0);
}

static size_t external(sy_records *l, const sy_record *like, double v)
{
    unsigned before = 0;
    for (size_t i = 0; i < l->n; i++)
        before += l->v[i].name.n >= 20 && memcmp(l->v[i].name.p, "externalTemperature2", 20) == 0;
    if (before == 0)
        number(l, like, "externalTemperature2", v, "Cel");
    else
        numbered(l, like, "externalTemperature2", before, v);
    return 3;
}

/* Types of more than one value. Bytes used, 0: not one of them, or cut short. */
static size_t several(sy_records *l, const sy_record *like, sy_span rest)
{
    const char *p = rest.p + 1;
    size_t n = rest.n - 1;
    switch ((unsigned char)rest.p[0]) {
    case 0x03: /* acceleration, in 1/63 g */
        if (n < 3)
            return 0;
        number(l, like, "x", sy_be_signed(p, 1), "");
        number(l, like, "y", sy_be_signed(p + 1, 1), "");
        number(l, like, "z", sy_be_signed(p + 2, 1), "");
        return 4;
    case 0x09: /* position, in 1/10000 degree */
        if (n < 6)
            return 0;
        number(l, like, "lat", sy_signed(sy_le(p, 3), 24) / 10000.0, "lat");
        number(l, like, "long", sy_signed(sy_le(p + 3, 3), 24) / 10000.0, "lon");
        return 7;
    case 0x10: /* infrared, inside and outside */
        if (n < 4)
            return 0;
        number(l, like, "irInternalTemperature", sy_be_signed(p, 2) / 10.0, "Cel");
        number(l, like, "irExternalTemperature", sy_be_signed(p + 2, 2) / 10.0, "Cel");
        return 5;
    case 0x13: /* infrared array: a reference and 64 differences in 1/10 K */
        if (n < 65)
            return 0;
        pixels(l, like, p);
        return 66;
    case 0x15: /* loudness */
        if (n < 2)
            return 0;
        number(l, like, "soundPeak", sy_be(p, 1), "dB");
        number(l, like, "soundAvg", sy_be(p + 1, 1), "dB");
        return 3;
    case 0x19: /* several external temperatures: the second and further have a number */
        return n < 2 ? 0 : external(l, like, sy_be_signed(p, 2) / 10.0);
    case 0x3b: /* bytes that mean nothing here, with their number */
        return n < 1 || n - 1 < sy_be(p, 1) ? 0 : 2 + sy_be(p, 1);
    case 0x3e: /* settings, to the end */
        return rest.n;
    default:
        return 0;
    }
}

const char *sy_elsys_model(size_t i)
{
    static const char *const names[] = {
        "elsys",     "elt-2",   "elt-lite", "elt-ultrasonic", "ems",      "ems-desk", "ems-door",
        "ems-lite",  "ers",     "ers-co2",  "ers-co2-lite",   "ers-desk", "ers-eye",  "ers-lite",
        "ers-sound", "ers-voc", NULL};
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

sy_err sy_elsys_fill(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f)
{
    const sy_record *like = &u->like;
    while (bytes.n > 0) {
        const elsys_type *t = NULL;
        for (size_t i = 0; i < sizeof types / sizeof types[0] && !t; i++)
            if (types[i].type == (unsigned char)bytes.p[0])
                t = &types[i];
        size_t used = 0;
        if (!t) {
            used = several(l, like, bytes);
        } else if (bytes.n > t->bytes) {
            const char *p = bytes.p + 1;
            double v = t->sign ? (double)sy_be_signed(p, t->bytes) : (double)sy_be(p, t->bytes);
            number(l, like, t->name, v / t->divisor, t->unit);
            used = 1u + t->bytes;
        }
        l->none_is_fine = l->none_is_fine || (used && (unsigned char)bytes.p[0] == 0x3e);
        if (used == 0)
            return sy_fail_set(f, SY_E_PARSE, "Elsys: type 0x%02x is not known or cut short",
                               (unsigned char)bytes.p[0]);
        bytes = (sy_span){bytes.p + used, bytes.n - used};
    }
    return l->n || l->none_is_fine ? SY_OK
                                   : sy_fail_set(f, SY_E_PARSE, "Elsys: the payload is empty");
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    return sy_lora_decode(sy_elsys_fill, payload, map, sink, ctx, f);
}

/* Any few bytes may look like it: it is named, never found. */
const sy_format sy_format_elsys = {"elsys", 0xffff, decode, NULL, NULL};
