/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is active at the premises, for panels: one observable resource a panel (RFC 7641), so that
 * who may read it is decided by the very rules by which devices send, and a notification to a panel
 * that was revoked meanwhile is a 4.03, which ends its registration.
 *
 * Notifications are confirmable: they matter, and a panel that is gone is found out. What is longer
 * than a block is sent by Block2 (RFC 7959); its ETag tells a panel that it changed between blocks.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "drivers/coap/coap_int.h"

enum { JSON = 50, CBOR = 60, MAX_AGE_S = 60 };

static void shown_fini(sy_coap_shown *s)
{
    free(s->premises);
    sy_buf_fini(&s->json);
    sy_buf_fini(&s->cbor);
}

/* Under the lock. */
static sy_coap_shown *find(sy_coap_alerts *a, const char *premises)
{
    for (size_t i = 0; i < a->n_shown; i++)
        if (strcmp(a->shown[i].premises, premises) == 0)
            return &a->shown[i];
    return NULL;
}

static sy_coap_shown *room_for(sy_coap_alerts *a, const char *premises)
{
    sy_coap_shown *s = find(a, premises);
    if (s)
        return s;
    if (sy_grow(sy_heap(), (void **)&a->shown, &a->cap_shown, a->n_shown + 1, sizeof *a->shown))
        return NULL;
    s = &a->shown[a->n_shown];
    *s = (sy_coap_shown){.premises = strdup(premises)};
    sy_buf_init(&s->json, sy_heap());
    sy_buf_init(&s->cbor, sy_heap());
    if (!s->premises)
        return NULL;
    a->n_shown++;
    return s;
}

static bool put(sy_buf *to, sy_span bytes)
{
    sy_buf_reset(to);
    sy_buf_put(to, bytes.p, bytes.n);
    return !to->failed;
}

sy_err sy_coap_show(sy_coap *c, const char *premises, sy_span json, sy_span cbor, sy_fail *f)
{
    pthread_mutex_lock(&c->lock);
    sy_coap_shown *s = room_for(&c->alerts, premises);
    bool same = s && s->json.n == json.n && json.n && memcmp(s->json.p, json.p, json.n) == 0;
    bool ok = s && (same || (put(&s->json, json) && put(&s->cbor, cbor)));
    if (ok && !same)
        s->changed = true;
    pthread_mutex_unlock(&c->lock);
    if (!ok)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for what panels are shown");
    if (!same) {
        __atomic_store_n(&c->alerts.changed, true, __ATOMIC_RELEASE);
        sy_coap__wake(c);
    }
    return SY_OK;
}

/* ---- requests, on the CoAP thread ---- */

static void get(sy_coap *c, const sy_device *d, const coap_pdu_t *pdu, coap_pdu_t *response)
{
    coap_opt_iterator_t it;
    coap_opt_t *opt = coap_check_option(pdu, COAP_OPTION_ACCEPT, &it);
    unsigned accept =
        opt ? coap_decode_var_bytes(coap_opt_value(opt), coap_opt_length(opt)) : (unsigned)JSON;
    if (accept != JSON && accept != CBOR) {
        sy_coap__reason(response, 406, "only 50 (JSON) and 60 (CBOR)");
        return;
    }
    pthread_mutex_lock(&c->lock);
    const sy_coap_shown *s = find(&c->alerts, d->panel);
    const sy_buf *b = s ? (accept == CBOR ? &s->cbor : &s->json) : NULL;
    if (b && b->n) {
        coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
        coap_add_data_blocked_response(pdu, response, (uint16_t)accept, MAX_AGE_S, b->n,
                                       (const uint8_t *)b->p);
    } else {
        sy_coap__reason(response, 503, "not known yet");
    }
    pthread_mutex_unlock(&c->lock);
}

static void post(sy_coap *c, const sy_device *d, coap_session_t *session, const coap_pdu_t *pdu,
                 coap_pdu_t *response)
{
    coap_opt_iterator_t it;
    size_t n = 0;
    const uint8_t *bytes = NULL;
    char text[SY_COAP_PEER_TEXT];
    sy_coap_peer peer;
    if (coap_check_option(pdu, COAP_OPTION_BLOCK1, &it)) {
        sy_coap__reason(response, 413, "one datagram is enough");
        return;
    }
    sy_coap__peer(session, &peer);
    sy_coap__peer_text(&peer, text);
    (void)coap_get_data(pdu, &n, &bytes);
    sy_press p = {.transport = SY_TRANSPORT_COAP,
                  .device = sy_span_of(d->id),
                  .premises = sy_span_of(d->panel),
                  .peer = text,
                  .payload = {n ? (const char *)bytes : "", n}};
    sy_fail f = {0};
    sy_err e = sy_intake_press(c->intake, &p, &f);
    if (e == SY_OK)
        coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
    else
        sy_coap__reason(response,
                        e == SY_E_PARSE         ? 400
                        : e == SY_E_NOTFOUND    ? 404
                        : e == SY_E_UNSUPPORTED ? 405
                                                : 503,
                        f.text);
}

static const sy_coap_panel *panel_of(const sy_coap *c, const coap_resource_t *resource)
{
    for (size_t i = 0; i < c->alerts.n_panels; i++)
        if (c->alerts.panels[i].resource == resource)
            return &c->alerts.panels[i];
    return NULL;
}

static void handle(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
                   const coap_string_t *query, coap_pdu_t *response)
{
    (void)query;
    sy_coap *c = coap_resource_get_userdata(resource);
    c->handled++;
    const sy_coap_panel *p = panel_of(c, resource);
    sy_registry *devices = sy_registry_slot_get(c->devices);
    const sy_device *d = p ? sy_registry_by_id(devices, sy_span_of(p->id)) : NULL;
    coap_pdu_code_t method = coap_pdu_get_code(pdu);
    if (!d || !d->panel)
        sy_coap__reason(response, 404, "there is no such panel");
    else if (!sy_coap__admits(c, session, pdu, d, response))
        ; /* answered */
    else if (method == COAP_REQUEST_CODE_GET)
        get(c, d, pdu, response);
    else if (method == COAP_REQUEST_CODE_POST)
        post(c, d, session, pdu, response);
    else
        sy_coap__reason(response, 405, "GET, observed or not, and POST");
    sy_registry_unref(devices);
}

/* ---- the resources ---- */

static coap_resource_t *make(sy_coap *c, const char *id)
{
    static const coap_request_t methods[] = {COAP_REQUEST_GET, COAP_REQUEST_POST, COAP_REQUEST_PUT,
                                             COAP_REQUEST_DELETE};
    char path[96];
    int n = snprintf(path, sizeof path, "alerts/%s", id);
    if (n <= 0 || (size_t)n >= sizeof path)
        return NULL;
    coap_str_const_t *uri = coap_new_str_const((const uint8_t *)path, (size_t)n);
    coap_resource_t *r = uri ? coap_resource_init(uri, COAP_RESOURCE_FLAGS_RELEASE_URI |
                                                           COAP_RESOURCE_FLAGS_NOTIFY_CON)
                             : NULL;
    if (!r)
        return NULL;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        coap_register_request_handler(r, methods[i], handle);
    coap_resource_set_get_observable(r, 1);
    coap_resource_set_userdata(r, c);
    coap_add_resource(c->ctx, r);
    return r;
}

static sy_err add(sy_coap *c, const sy_device *d, sy_fail *f)
{
    sy_coap_alerts *a = &c->alerts;
    for (size_t i = 0; i < a->n_panels; i++)
        if (strcmp(a->panels[i].id, d->id) == 0 && strcmp(a->panels[i].premises, d->panel) == 0) {
            a->panels[i].stays = true;
            return SY_OK;
        }
    sy_coap_panel p = {.id = strdup(d->id), .premises = strdup(d->panel), .stays = true};
    if (p.id && p.premises &&
        !sy_grow(sy_heap(), (void **)&a->panels, &a->cap_panels, a->n_panels + 1,
                 sizeof *a->panels) &&
        (p.resource = make(c, d->id))) {
        a->panels[a->n_panels++] = p;
        return SY_OK;
    }
    free(p.id);
    free(p.premises);
    return sy_fail_set(f, SY_E_NOMEM, "no memory for the panel %s", d->id);
}

static void drop(sy_coap *c, sy_coap_panel *p)
{
    if (p->resource && c->ctx)
        coap_delete_resource(c->ctx, p->resource);
    free(p->id);
    free(p->premises);
}

/* Those that go are dropped first: one of the same id at other premises is a new one. */
sy_err sy_coap__panels_set(sy_coap *c, sy_fail *f)
{
    sy_coap_alerts *a = &c->alerts;
    sy_err e = SY_OK;
    sy_registry *r = sy_registry_slot_get(c->devices);
    for (size_t i = 0; i < a->n_panels; i++) {
        const sy_device *d = sy_registry_by_id(r, sy_span_of(a->panels[i].id));
        a->panels[i].stays = d && d->panel && d->transport == SY_TRANSPORT_COAP &&
                             strcmp(d->panel, a->panels[i].premises) == 0;
    }
    size_t n = 0;
    for (size_t i = 0; i < a->n_panels; i++) {
        if (a->panels[i].stays)
            a->panels[n++] = a->panels[i];
        else
            drop(c, &a->panels[i]);
    }
    a->n_panels = n;
    for (size_t i = 0; i < r->n && !e; i++)
        if (r->devices[i].panel && r->devices[i].transport == SY_TRANSPORT_COAP)
            e = add(c, &r->devices[i], f);
    sy_registry_unref(r);
    return e;
}

void sy_coap__panels_tell(sy_coap *c)
{
    sy_coap_alerts *a = &c->alerts;
    coap_tick_t now;
    for (size_t i = 0; i < a->n_panels; i++) {
        pthread_mutex_lock(&c->lock);
        const sy_coap_shown *s = find(a, a->panels[i].premises);
        bool changed = s && s->changed;
        pthread_mutex_unlock(&c->lock);
        if (changed)
            coap_resource_notify_observers(a->panels[i].resource, NULL);
    }
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < a->n_shown; i++)
        a->shown[i].changed = false;
    pthread_mutex_unlock(&c->lock);
    coap_ticks(&now);
    coap_io_prepare_epoll(c->ctx, now); /* sends them */
}

void sy_coap__panels_fini(sy_coap *c)
{
    sy_coap_alerts *a = &c->alerts;
    for (size_t i = 0; i < a->n_panels; i++) { /* the resources went with the context */
        free(a->panels[i].id);
        free(a->panels[i].premises);
    }
    free(a->panels);
    for (size_t i = 0; i < a->n_shown; i++)
        shown_fini(&a->shown[i]);
    free(a->shown);
}
