/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By what right? The signature is that of a key that the destination's own authority certified; the
 * certificate says in which role; the payload says for which gateway and until when.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ledger/jws.h"
#include "run/orders_int.h"

enum { PEM_MAX = 1 << 20 };

typedef struct authority {
    char *ca, *crl;
    char gateway[160];
} authority;

static bool find(sy_orders *o, const char *destination, authority *a)
{
    bool found = false;
    pthread_mutex_lock(&o->s->config_lock);
    const sy_config *c = o->s->config;
    for (size_t i = 0; i < c->n_destinations && !found; i++) {
        const sy_destination *d = &c->destinations[i];
        if (strcmp(d->name, destination) != 0 || !d->orders || !d->authority.ca)
            continue;
        a->ca = strdup(d->authority.ca);
        a->crl = d->authority.crl ? strdup(d->authority.crl) : NULL;
        snprintf(a->gateway, sizeof a->gateway, "%s", c->id);
        found = a->ca && (!d->authority.crl || a->crl);
    }
    pthread_mutex_unlock(&o->s->config_lock);
    return found;
}

static void refuse(sy_job *j, const sy_fail *f)
{
    snprintf(j->refused, sizeof j->refused, "%s", f->text);
}

/* What is wrong with a text is the order's; what is wrong here is not. */
static bool is_its_fault(sy_err e)
{
    return e == SY_E_PARSE || e == SY_E_DENIED || e == SY_E_RANGE || e == SY_E_NOTFOUND ||
           e == SY_E_UNSUPPORTED;
}

static sy_err check_signed(sy_job *j, const sy_jws_want *want, const char *gateway, sy_fail *f)
{
    sy_jws jws;
    sy_subject who;
    sy_flaw flaw = SY_FLAW_NONE;
    sy_jws_init(&jws);
    sy_err e = j->jws.n > SY_ORDER_BYTES
                   ? sy_fail_set(f, SY_E_PARSE, "the order is longer than 1 MiB")
                   : sy_jws_check(j->jws, want, &jws, &who, &flaw, f);
    if (!e) {
        snprintf(j->signer, sizeof j->signer, "%s", who.cn);
        e = sy_order_read(sy_buf_span(&jws.payload), &j->order, f);
        j->known = !e;
    }
    if (!e) {
        unsigned roles = 0;
        for (size_t i = 0; i < who.n_ou; i++)
            roles |= sy_order_role_of(who.ou[i]);
        e = sy_order_check(&j->order, gateway, roles, j->now, f);
    }
    sy_jws_free(&jws);
    return e;
}

/* Each order once, by its id. */
static sy_err check_new(sy_orders *o, sy_job *j, sy_fail *f)
{
    int64_t number = 0;
    sy_err e = sy_store_order_number(o->s->store, j->destination, j->order.id, &number, f);
    if (e == SY_E_NOTFOUND)
        return SY_OK;
    return e ? e
             : sy_fail_set(f, SY_E_DENIED, "the order was taken before, as number %lld",
                           (long long)number);
}

sy_err sy_orders__prove(sy_orders *o, sy_job *j, sy_fail *f)
{
    authority a = {0};
    sy_buf ca, crl;
    sy_buf_init(&ca, sy_heap());
    sy_buf_init(&crl, sy_heap());
    sy_err e = find(o, j->destination, &a) ? SY_OK : sy_fail_set(f, SY_E_CLOSED, "no longer asked");
    e = e ? e : sy_file_read(a.ca, PEM_MAX, &ca, f);
    if (!e && a.crl)
        e = sy_file_read(a.crl, PEM_MAX, &crl, f);
    bool ready = !e;
    const sy_jws_want want = {.ca_pem = sy_buf_span(&ca),
                              .crl_pem = sy_buf_span(&crl),
                              .when = j->now,
                              .typ = SY_ORDER_TYP};
    e = e ? e : check_signed(j, &want, a.gateway, f);
    e = e ? e : check_new(o, j, f);
    j->permitted = !e;
    if (ready && is_its_fault(e)) {
        refuse(j, f);
        e = SY_OK;
    }
    sy_buf_fini(&ca);
    sy_buf_fini(&crl);
    free(a.ca);
    free(a.crl);
    return e;
}
