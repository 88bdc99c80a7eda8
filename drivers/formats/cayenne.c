/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cayenne Low Power Payload: channel, type (an IPSO object less 3200), value, big-endian. Named as
 * the usual decoders name them: "temperature_1".
 */
#include <stdio.h>

#include "drivers/formats/all.h"
#include "drivers/formats/lorawan.h"

typedef struct lpp_type {
    uint8_t type, bytes;
    bool sign;
    double divisor;
    const char *name, *unit;
} lpp_type;

static const lpp_type types[] = {
    {0, 1, false, 1, "digital_in", ""},
    {1, 1, false, 1, "digital_out", ""},
    {2, 2, true, 100, "analog_in", ""},
    {3, 2, true, 100, "analog_out", ""},
    {100, 4, false, 1, "generic", ""},
    {101, 2, false, 1, "luminosity", "lx"},
    {102, 1, false, 1, "presence", ""},
    {103, 2, true, 10, "temperature", "Cel"},
    {104, 1, false, 2, "relative_humidity", "%RH"},
    {115, 2, false, 10, "barometric_pressure", "hPa"},
    {116, 2, false, 100, "voltage", "V"},
    {117, 2, false, 1000, "current", "A"},
    {118, 4, false, 1, "frequency", "Hz"},
    {120, 1, false, 1, "percentage", "%"},
    {121, 2, true, 1, "altitude", "m"},
    {125, 2, false, 1, "concentration", "ppm"},
    {128, 2, false, 1, "power", "W"},
    {130, 4, false, 1000, "distance", "m"},
    {131, 4, false, 1000, "energy", "kWh"},
    {132, 2, false, 1, "direction", "deg"},
    {133, 4, false, 1, "time", "s"},
    {142, 1, false, 1, "switch", ""},
};

static void add(sy_records *l, const sy_record *like, const char *name, unsigned channel, double v,
                const char *unit)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%s_%u", name, channel);
    sy_span own = sy_records_text(l, (sy_span){text, (size_t)n});
    if (own.n)
        sy_records_number(l, like, own.p, v, unit);
}

static size_t several(sy_records *l, const sy_record *like, sy_span rest)
{
    static const char *const axes[] = {"accelerometer_x", "accelerometer_y", "accelerometer_z"};
    static const char *const rates[] = {"gyrometer_x", "gyrometer_y", "gyrometer_z"};
    const char *p = rest.p + 2;
    unsigned channel = (unsigned char)rest.p[0], type = (unsigned char)rest.p[1];
    if ((type == 113 || type == 134) && rest.n >= 8) {
        for (int i = 0; i < 3; i++)
            add(l, like, type == 113 ? axes[i] : rates[i], channel,
                sy_be_signed(p + 2 * (ptrdiff_t)i, 2) / (type == 113 ? 1000.0 : 100.0), "");
        return 8;
    }
    if (type == 135 && rest.n >= 5) {
        add(l, like, "colour_r", channel, sy_be(p, 1), "");
        add(l, like, "colour_g", channel, sy_be(p + 1, 1), "");
        add(l, like, "colour_b", channel, sy_be(p + 2, 1), "");
        return 5;
    }
    if (type == 136 && rest.n >= 11) {
        add(l, like, "latitude", channel, sy_be_signed(p, 3) / 10000.0, "lat");
        add(l, like, "longitude", channel, sy_be_signed(p + 3, 3) / 10000.0, "lon");
        add(l, like, "altitude", channel, sy_be_signed(p + 6, 3) / 100.0, "m");
        return 11;
    }
    return 0;
}

const char *sy_cayenne_model(size_t i)
{
    static const char *const names[] = {"cayenne", NULL};
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

sy_err sy_cayenne_fill(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f)
{
    const sy_record *like = &u->like;
    while (bytes.n > 2) {
        const lpp_type *t = NULL;
        for (size_t i = 0; i < sizeof types / sizeof types[0] && !t; i++)
            if (types[i].type == (unsigned char)bytes.p[1])
                t = &types[i];
        size_t used = 0;
        if (!t) {
            used = several(l, like, bytes);
        } else if (bytes.n >= 2u + t->bytes) {
            const char *p = bytes.p + 2;
            double v = t->sign ? (double)sy_be_signed(p, t->bytes) : (double)sy_be(p, t->bytes);
            add(l, like, t->name, (unsigned char)bytes.p[0], v / t->divisor, t->unit);
            used = 2u + t->bytes;
        }
        if (used == 0)
            return sy_fail_set(f, SY_E_PARSE, "Cayenne LPP: type %u is not known or cut short",
                               (unsigned char)bytes.p[1]);
        bytes = (sy_span){bytes.p + used, bytes.n - used};
    }
    if (bytes.n > 0 || l->n == 0)
        return sy_fail_set(f, SY_E_PARSE, "Cayenne LPP: the payload is cut short");
    return SY_OK;
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    return sy_lora_decode(sy_cayenne_fill, payload, map, sink, ctx, f);
}

/* Any few bytes may look like it: it is named, never found. */
const sy_format sy_format_cayenne = {"cayenne", 0xffff, decode, NULL, NULL};
