/*
 * Inside drivers/coap/: what panels are shown, and their resources.
 */
#ifndef SY_COAP_ALERTS_H
#define SY_COAP_ALERTS_H

#include <coap3/coap.h>

#include "drivers/coap/coap.h"

/* What panels are shown, by premises; under the lock. */
typedef struct sy_coap_shown {
    char *premises;
    sy_buf json, cbor;
    bool changed; /* observers are to be told */
} sy_coap_shown;
/* The resource of a panel. */
typedef struct sy_coap_panel {
    char *id, *premises;
    coap_resource_t *resource;
    bool stays;
} sy_coap_panel;
typedef struct sy_coap_alerts {
    sy_coap_shown *shown;
    size_t n_shown, cap_shown;
    sy_coap_panel *panels; /* the thread's own */
    size_t n_panels, cap_panels;
    bool changed; /* atomic: some `shown` is */
} sy_coap_alerts;

/* Panels (alerts.c): resources as the devices in force say; tell observers of what changed. */
SY_MUST_USE sy_err sy_coap__panels_set(sy_coap *c, sy_fail *f);
void sy_coap__panels_tell(sy_coap *c);
void sy_coap__panels_fini(sy_coap *c);

#endif
