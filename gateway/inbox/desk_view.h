/*
 * The parts of the page where people act: forms, what came of them, cases; the filter; the
 * gateways. Rendering as in view.h.
 */
#ifndef SY_INBOX_DESK_VIEW_H
#define SY_INBOX_DESK_VIEW_H

#include "inbox/form.h"
#include "inbox/sign.h"
#include "inbox/view.h"

/* Opens a form that posts to `action`, with its token and who sends it.
 */
void sy_view_form(const sy_view *v, const char *action);
/* The field of a comment or reason. */
void sy_view_why(const sy_view *v, bool required);
/* Beneath an alert: answers, orders, evidence, case. */
SY_MUST_USE sy_err sy_view_desk(const sy_view *v, const sy_inbox_alert *a, const json_t *data,
                                sy_fail *f);
/* What a person did, of an event with `act` in its data. */
void sy_view_act(const sy_view *v, const json_t *data);

/* case_view.c. until: when the next step is due, SY_MS_NONE where nothing is. */
SY_MUST_USE sy_err sy_view_case(const sy_view *v, const sy_inbox_alert *a, const json_t *data,
                                sy_fail *f);
sy_ms sy_case_due(const sy_inbox_alert *a, const json_t *data);
/* Marks of how an alert stands with people, in the line of its tags. */
void sy_view_marks(const sy_view *v, const sy_inbox_alert *a, const json_t *data);

/* filter.c: the form over the list, and the filter as arguments of an address (escaped for HTML,
 * each with "&amp;" before it). */
SY_MUST_USE sy_err sy_view_filter(const sy_view *v, const sy_inbox_filter *w, sy_fail *f);
void sy_view_filter_link(const sy_view *v, const sy_inbox_filter *w);
bool sy_filter_set(const sy_inbox_filter *w);

/* gateways.c: /gateways, and the same as JSON. */
SY_MUST_USE sy_err sy_view_gateways(const sy_view *v, sy_fail *f);
/* How long a gateway may be silent, by its newest heartbeat. */
sy_ms sy_gateway_patience(const char *beat);

#endif
