/*
 * The topic of an event: a template with the names of what the event tells in braces, as in
 * steelyard/{gateway}/{premises}/{severity}. Pure.
 *
 * Names: gateway, premises, place, device, rule, severity, type (the last words of the event's
 * type, "alert.raised"). What an event does not have is "none". In a value each byte that would
 * make another level or a wildcard of it (/ + # %, control characters) is written as % and two hex
 * digits, so that no id can reach another box's topics.
 */
#ifndef SY_MQTT_TOPIC_H
#define SY_MQTT_TOPIC_H

#include "base/buf.h"

/* Append. False: the template has an unknown name, or the event is no JSON object. */
bool sy_mqtt_topic(sy_buf *out, const char *format, sy_span event);

#endif
