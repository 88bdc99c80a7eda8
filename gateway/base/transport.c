/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the transports. */
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
