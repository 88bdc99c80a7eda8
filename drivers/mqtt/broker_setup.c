/* SPDX-License-Identifier: Apache-2.0 */
/* What the managed broker is to be, from the options. */
#include <stdlib.h>
#include <string.h>

#include "drivers/mqtt/broker_int.h"

static sy_err copy_path(char *out, const char *in, sy_fail *f)
{
    size_t n = in ? strlen(in) : 0;
    if (n >= SY_BROKER__PATH || (n && strpbrk(in, "\r\n"))) {
        return sy_fail_set(f, SY_E_RANGE, "path too long, or with a line break: %.100s", in);
    }
    memcpy(out, in ? in : "", n + 1);
    return SY_OK;
}

sy_err sy_broker__set_up(sy_broker__setup *s, const sy_broker_options *o, sy_fail *f)
{
    bool tls = o->cert && o->key;
    s->max_payload = o->max_payload;
    s->replay_user = o->replay_user;
    s->strict = o->intake && o->intake->strict;
    s->sync_ms = o->sync_ms;
    s->spool_bytes = o->spool_bytes;
    s->reserve_bytes = o->reserve_bytes;
    s->listeners = calloc(o->n_listen + o->n_cert_listen + 1, sizeof *s->listeners);
    if (!s->listeners) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the broker");
    }
    if (o->n_listen == 0) {
        return sy_fail_set(f, SY_E_USAGE, "the managed broker needs an address in mqtt: listen:");
    }
    sy_err e = copy_path(s->dir, o->dir, f);
    e = e ? e : copy_path(s->writes, o->writes, f);
    e = e ? e : copy_path(s->ca, o->ca, f);
    e = e ? e : copy_path(s->cert, o->cert, f);
    e = e ? e : copy_path(s->key, o->key, f);
    e = e ? e : copy_path(s->cert_ca, o->n_cert_listen ? o->cert_ca : NULL, f);
    e = e ? e : copy_path(s->cert_crl, o->n_cert_listen ? o->cert_crl : NULL, f);
    for (size_t i = 0; i < o->n_listen && !e; i++) {
        e = sy_broker__parse_listen(o->listen[i], &s->listeners[i], f);
        s->listeners[i].tls = tls;
    }
    s->n_listeners = o->n_listen;
    for (size_t i = 0; i < o->n_cert_listen && !e; i++) {
        sy_broker__listener *l = &s->listeners[s->n_listeners++];
        e = sy_broker__parse_listen(o->cert_listen[i], l, f);
        l->tls = l->certificates = true;
    }
    if (!e && tls) { /* for ourselves: no certificate must name 127.0.0.1, no cipher to pay for */
        e = sy_broker__parse_listen("127.0.0.1:0", &s->listeners[s->n_listeners++], f);
    }
    sy_broker__random_password(s->gateway_password);
    sy_broker__random_password(s->replay_password);
    e = e ? e : sy_broker__hash(s->gateway_password, s->gateway_hash, f);
    e = e ? e : sy_broker__hash(s->replay_password, s->replay_hash, f);
    return e ? e : sy_broker__share(s, f);
}
