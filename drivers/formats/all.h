/*
 * Every format, by name: what the list in format.c names. Internal to formats/.
 */
#ifndef SY_FORMATS_ALL_H
#define SY_FORMATS_ALL_H

#include "drivers/formats/format.h"

/* X(NAME): a format sy_format_NAME. */
#define SY_FORMATS(X)                                                                              \
    X(senml_json)                                                                                  \
    X(senml_cbor)                                                                                  \
    X(json)                                                                                        \
    X(number)                                                                                      \
    X(zigbee2mqtt)                                                                                 \
    X(tasmota)                                                                                     \
    X(shelly)                                                                                      \
    X(neuron)                                                                                      \
    X(thingsboard)                                                                                 \
    X(qingping)                                                                                    \
    X(opcua)                                                                                       \
    X(hj212)                                                                                       \
    X(senml)                                                                                       \
    X(chirpstack)                                                                                  \
    X(tts)                                                                                         \
    X(milesight)                                                                                   \
    X(dragino)                                                                                     \
    X(elsys)                                                                                       \
    X(cayenne)                                                                                     \
    X(scale)                                                                                       \
    X(csv)                                                                                         \
    X(ha_discovery)                                                                                \
    X(coldchain)                                                                                   \
    X(lwm2m)                                                                                       \
    X(lwm2m_tlv)                                                                                   \
    X(lwm2m_json)                                                                                  \
    X(sparkplugb)                                                                                  \
    X(modbus)                                                                                      \
    X(modbus_poll)

#define SY_FORMAT_EXTERN(name) extern const sy_format sy_format_##name;
SY_FORMATS(SY_FORMAT_EXTERN)
#undef SY_FORMAT_EXTERN

#endif
