/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the transports and refusals; telling of a refusal. */
#include "base/intake.h"

const char *sy_transport_name(sy_transport t)
{
    switch (t) {
    case SY_TRANSPORT_MQTT:
        return "mqtt";
    case SY_TRANSPORT_COAP:
        return "coap";
    case SY_TRANSPORT_HJ212:
        return "hj212";
    case SY_TRANSPORT_MODBUS:
        return "modbus";
    case SY_TRANSPORT_BOX:
        return "box";
    }
    return "unknown";
}

const char *sy_reject_name(sy_reject why)
{
    static const char *const names[SY_REJECT_COUNT] = {
        [SY_REJECT_TOO_LARGE] = "too-large",     [SY_REJECT_UNKNOWN_DEVICE] = "unknown-device",
        [SY_REJECT_NOT_ALLOWED] = "not-allowed", [SY_REJECT_FORMAT] = "format",
        [SY_REJECT_MALFORMED] = "malformed",
    };
    return why < SY_REJECT_COUNT ? names[why] : "unknown";
}

void sy_intake_refuse(const sy_intake *in, const sy_refusal *r)
{
    if (in->refused)
        in->refused(in->ctx, r);
    else
        in->rejected(in->ctx, r->transport, r->why, r->who, r->detail);
}

void sy_intake_strange(const sy_intake *in, const sy_stranger *s)
{
    if (in->strange)
        in->strange(in->ctx, s);
}
