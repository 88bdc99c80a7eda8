/*
 * On site: what is active at the premises, shown on the local broker (retained) and by CoAP
 * (observed), and acknowledged by who is there. docs/on-site.md.
 *
 * Thread "sy-onsite" follows the store's events from the newest that it knows; nothing is kept
 * beside them, so a restart shows what is active. Every place of the premises has its text from the
 * start, also where nothing is active: a lamp must know that, too.
 *
 * press runs on the thread of a driver, and waits for no disk.
 */
#ifndef SY_ONSITE_H
#define SY_ONSITE_H

#include "base/intake.h"
#include "config/config.h"
#include "store/store.h"

typedef struct sy_onsite_options {
    sy_store *store;
    /* Show a text; on the thread. Each may be NULL. A topic's text "" takes it away. */
    void (*topic)(void *ctx, const char *topic, const char *text);
    void (*panel)(void *ctx, const char *premises, sy_span json, sy_span cbor);
    /* A person at the premises acknowledges the alert: into the log. */
    sy_err (*acknowledge)(void *ctx, const char *alert, const char *who, const char *why,
                          sy_fail *f);
    void *ctx;
} sy_onsite_options;

typedef struct sy_onsite sy_onsite;
SY_MUST_USE sy_err sy_onsite_start(sy_onsite **out, const sy_onsite_options *o, sy_config *c,
                                   sy_fail *f);
/* There are new events. Any thread; never blocks. */
void sy_onsite_wake(sy_onsite *s);
/* Another configuration is in force. */
void sy_onsite_configure(sy_onsite *s, sy_config *c);
/* What a panel asks for (base/intake.h). Any thread, until close. */
SY_MUST_USE sy_err sy_onsite_press(sy_onsite *s, const sy_press *p, sy_fail *f);
/* End the thread: nothing is shown any more. NULL is allowed. */
void sy_onsite_stop(sy_onsite *s);
/* After no driver can press any more. NULL is allowed. */
void sy_onsite_close(sy_onsite *s);

#endif
