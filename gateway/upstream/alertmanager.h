/*
 * Events as an Alertmanager takes them (its API v2, POST /api/v2/alerts: "alerts"): pure, JSON in,
 * JSON out.
 *
 * The labels are what its routes and silences match, and stay the same for as long as an alert does
 * (but for the severity): alertname (the rule), severity, gateway, premises, place, device, series,
 * alert (the id). Everything else is an annotation. An alert that fires ends far ahead, since a box
 * whose line is down has not become well; one that is over ends when it ended. An event that
 * belongs to no alert fires for an hour, under its type.
 */
#ifndef SY_ALERTMANAGER_H
#define SY_ALERTMANAGER_H

#include "base/os.h"

enum { SY_AM_ID_MAX = 128 };

typedef struct sy_am_event {
    char alert[SY_AM_ID_MAX]; /* "" where it belongs to none */
    char severity[16];        /* "" where it has none */
    bool firing;
} sy_am_event;

/* What an event is; SY_E_PARSE where it is none of ours. */
SY_MUST_USE sy_err sy_am_read(sy_span event, sy_am_event *out, sy_fail *f);

/* How to write it. */
typedef struct sy_am_say {
    sy_ms now;    /* UTC */
    sy_ms keep;   /* how far ahead a firing alert ends */
    bool is_over; /* say that it is over, whatever the event says */
} sy_am_say;
/* Append the object to a JSON array (a comma before it where the array has one already). */
SY_MUST_USE sy_err sy_am_write(sy_buf *out, sy_span event, const sy_am_say *say, sy_fail *f);

#endif
