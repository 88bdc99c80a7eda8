/*
 * Thread "sy-enrol": renews what was enrolled by EST (docs/enrolment.md) when two thirds of its
 * time are over, and tries again after a growing pause. It owns no state of the gateway: it
 * replaces files, and says so.
 */
#ifndef SY_RENEW_H
#define SY_RENEW_H

#include "config/config.h"

typedef struct sy_renew sy_renew;
typedef struct sy_renew_options {
    const char *data;
    sy_config *(*config)(void *ctx); /* the one in force, a reference; its thread */
    sy_ms (*now)(void *ctx);         /* for certificates; its thread */
    void (*renewed)(void *ctx);      /* files were replaced; its thread */
    void *ctx;
} sy_renew_options;

SY_MUST_USE sy_err sy_renew_start(sy_renew **out, const sy_renew_options *o, sy_fail *f);
/* Ends a question that is under way. NULL is allowed. */
void sy_renew_stop(sy_renew *r);
/* Why the last attempt failed, "" where it did not. Any thread. */
void sy_renew_failure(sy_renew *r, char out[320]);

#endif
