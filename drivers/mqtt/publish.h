/*
 * An MQTT publisher with a window of its own: what a device does, for `steelyard replay`.
 *
 * The window is never larger than the broker's receive maximum: Paho 1.3.12 stalls where its own
 * limit is reached. One thread; a lost connection ends it (SY_E_CLOSED): open another and send
 * again what was not acknowledged.
 */
#ifndef SY_PUBLISH_H
#define SY_PUBLISH_H

#include "base/os.h"

typedef struct sy_publisher sy_publisher;
typedef struct sy_publisher_options {
    const char *uri, *client_id;
    const char *user, *password; /* NULL: none */
    const char *ca, *cert, *key; /* NULL: none */
    bool v311;
} sy_publisher_options;

/* Connect, at most timeout_ms. SY_E_DENIED: user or password; SY_E_IO: nobody answers. */
SY_MUST_USE sy_err sy_publisher_open(sy_publisher **out, const sy_publisher_options *o,
                                     int timeout_ms, sy_fail *f);
/* Publish at QoS 1; blocks while the window is full. The payload is copied. */
SY_MUST_USE sy_err sy_publisher_send(sy_publisher *p, const char *topic, sy_span payload,
                                     sy_fail *f);
/* Wait until everything sent is acknowledged, at most timeout_ms without any progress. SY_E_PEER
 * where the broker refused some, or had no subscriber for them: their number is in *refused. */
SY_MUST_USE sy_err sy_publisher_flush(sy_publisher *p, int timeout_ms, uint64_t *refused,
                                      sy_fail *f);
void sy_publisher_close(sy_publisher *p);

#endif
