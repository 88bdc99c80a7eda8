/*
 * Home Assistant MQTT discovery: what a device or its gateway announces of itself under
 * homeassistant/…/config. No readings: names, units, topics, and where in a message the value
 * stands. A proposal of a configuration takes its names and units from here.
 */
#ifndef SY_HA_DISCOVERY_H
#define SY_HA_DISCOVERY_H

#include "drivers/formats/format.h"

/* Texts are empty where the announcement has none. All are borrowed until the call returns. */
typedef struct sy_ha_entity {
    sy_span component; /* its key, where one announcement speaks of several */
    sy_span name, unique_id, state_topic, unit, device_class, value_template, base;
    sy_span device_name, device_model, device_id; /* device_id: the first of its identifiers */
    sy_span payload_on, payload_off;              /* JSON texts */
    sy_span
        path; /* "$.temperature" where value_template is a plain one, "$" for the message itself */
} sy_ha_entity;

typedef sy_err (*sy_ha_fn)(void *ctx, const sy_ha_entity *e);

/* Each entity of an announcement. SY_E_PARSE where it is none; an error of fn is passed on. */
SY_MUST_USE sy_err sy_ha_read(sy_span payload, sy_ha_fn fn, void *ctx, sy_fail *f);

#endif
