/*
 * The running gateway: its parts, opened in the order in which they rest on each other, closed in
 * the reverse order.
 *
 * Order: data folder and lock, accepted set, store, journal (START and ACTIVATION recorded), gate,
 * pipeline, upstream, broker, MQTT, CoAP, control socket, ready. So nothing is acknowledged before
 * there is a log to keep it in, and the judge is rebuilt before anything new comes in.
 * Everything here runs on the main thread, save what is said to be called from others.
 */
#ifndef SY_SERVICE_H
#define SY_SERVICE_H

#include "base/os.h"

typedef struct sy_service_options {
    const char *config_file;
    const char *data; /* NULL: as the configuration says */
    bool replay;
    int ready_fd; /* -1: none */
} sy_service_options;

/* Run until SIGTERM, SIGINT or `stop`. The exit code: 0 after a clean end, 1, 2 (configuration). */
int sy_service_run(const sy_service_options *o);

#endif
