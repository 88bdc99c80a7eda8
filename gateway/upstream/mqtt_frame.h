/*
 * What the gateway and its process for MQTT say to each other over a socket pair: frames of a
 * length (u32), a kind (u8) and a body, numbers in little-endian. Both ends are the same binary.
 * Pure.
 *
 *   SETUP   SY_MQTT_TEXTS texts, each ended by a NUL ("": none)    to the process, once, first
 *   EVENT   number u32, length of the topic u16, topic, payload    to the process
 *   UP      window u32, largest packet u32 (0: any)                connected
 *   ANSWER  number u32, reason code u8                             of one event, as the broker said
 *   DOWN    sy_err u8, text                                        the process ends after it
 */
#ifndef SY_MQTT_FRAME_H
#define SY_MQTT_FRAME_H

#include "base/buf.h"
#include "base/err.h"

enum { SY_MQTT_FRAME_MAX = 16 * 1024 * 1024, SY_MQTT_FRAME_HEAD = 5, SY_MQTT_TOPIC_MAX = 1024 };

typedef enum sy_mqtt_kind {
    SY_MQTT_SETUP = 'S',
    SY_MQTT_EVENT = 'E',
    SY_MQTT_UP = 'U',
    SY_MQTT_ANSWER = 'A',
    SY_MQTT_DOWN = 'D'
} sy_mqtt_kind;

/* The texts of a SETUP. */
typedef enum sy_mqtt_text {
    SY_MQTT_HOST,
    SY_MQTT_PORT,
    SY_MQTT_CLIENT,
    SY_MQTT_USER,
    SY_MQTT_PASSWORD,
    SY_MQTT_CA,
    SY_MQTT_CERT,
    SY_MQTT_KEY,
    SY_MQTT_CRL,
    SY_MQTT_VERSION, /* "5" or "3.1.1" */
    SY_MQTT_NOW,     /* the time for certificates, ms UTC */
    SY_MQTT_TIMEOUT, /* of the connection, ms */
    SY_MQTT_TEXTS
} sy_mqtt_text;

typedef struct sy_mqtt_frame {
    sy_mqtt_kind kind;
    uint32_t number; /* EVENT, ANSWER; UP: the window */
    uint32_t most;   /* UP: the largest packet */
    uint8_t code;    /* ANSWER: reason; DOWN: sy_err */
    sy_span topic;   /* EVENT; all spans borrowed from the input */
    sy_span body;    /* EVENT: payload; DOWN: text */
    const char *texts[SY_MQTT_TEXTS];
} sy_mqtt_frame;

/* Append a frame. */
void sy_mqtt_put(sy_buf *out, const sy_mqtt_frame *x);
/* Take the first frame of what came: *used 0: it is not whole yet. SY_E_PARSE: this is none. */
SY_MUST_USE sy_err sy_mqtt_take(sy_span in, sy_mqtt_frame *out, size_t *used);

#endif
