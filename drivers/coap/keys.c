/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By what a DTLS listener knows its devices: pre-shared keys, certificates, or both. libcoap takes
 * the one or the other by what the ClientHello offers. Its PSK callback asks for a key at each
 * handshake; certificates are handed over as texts, which must stay where they are for as long as
 * libcoap has them.
 */
#include <stdlib.h>

#include "base/log.h"
#include "drivers/coap/coap_int.h"

sy_coap_files sy_coap__files_copy(const sy_coap_files *files)
{
    const char *const from[] = {files->psk, files->ca, files->cert, files->key};
    char *to[4];
    for (size_t i = 0; i < 4; i++)
        to[i] = from[i] ? strdup(from[i]) : NULL;
    return (sy_coap_files){to[0], to[1], to[2], to[3]};
}

void sy_coap__files_fini(sy_coap_files *files)
{
    const char *const texts[] = {files->psk, files->ca, files->cert, files->key};
    for (size_t i = 0; i < 4; i++)
        free((char *)(uintptr_t)texts[i]);
    *files = (sy_coap_files){NULL, NULL, NULL, NULL};
}

static const coap_bin_const_t *psk_of(coap_bin_const_t *identity, coap_session_t *session,
                                      void *arg)
{
    sy_coap *c = arg;
    sy_span id = {(const char *)identity->s, identity->length};
    const coap_bin_const_t *key = c->psk ? sy_coap__psk_find(c->psk, id) : NULL;
    sy_coap__shake_named(c, session, id);
    if (!key)
        sy_coap__shake_refuse(c, session, "unknown-device", id,
                              "no pre-shared key for this identity");
    return key;
}

static sy_err use_psk(sy_coap *c, sy_fail *f)
{
    /* Neither may be empty, though the callback gives the keys; this one, of which
     * libcoap keeps the address, opens nothing. */
    sy_random(c->unused, sizeof c->unused);
    coap_dtls_spsk_t setup;
    memset(&setup, 0, sizeof setup);
    setup.version = COAP_DTLS_SPSK_SETUP_VERSION;
    setup.validate_id_call_back = psk_of;
    setup.id_call_back_arg = c;
    setup.psk_info.hint = (coap_bin_const_t){9, (const uint8_t *)"steelyard"};
    setup.psk_info.key = (coap_bin_const_t){sizeof c->unused, c->unused};
    c->by_psk = coap_context_set_psk2(c->ctx, &setup) == 1;
    return c->by_psk ? SY_OK : sy_fail_set(f, SY_E_IO, "libcoap refuses the pre-shared keys");
}

/* The new ones, or those before where they cannot be used. */
static void take_certificates(sy_coap *c, const sy_coap_files *files)
{
    sy_coap_cert *fresh = NULL, *before = c->cert;
    sy_fail f;
    if (!files->ca || !files->cert || !files->key) {
        c->by_cert = false;
        return;
    }
    if (sy_coap__cert_open(&fresh, files, &f) != SY_OK) {
        sy_log_fail(SY_LOG_ERROR, "coap-certificates", &f);
        return;
    }
    c->cert = fresh;
    if (sy_coap__cert_use(c)) {
        c->by_cert = true;
        sy_coap__cert_close(before);
    } else {
        sy_log(SY_LOG_ERROR, "coap-certificates", "msg=\"libcoap refuses the certificate\"");
        c->cert = before;
        sy_coap__cert_close(fresh);
    }
}

sy_err sy_coap__keys_open(sy_coap *c, sy_fail *f)
{
    const sy_coap_files *files = &c->o.files;
    if (c->o.n_dtls_listen > 0 && !files->psk && !files->cert)
        return sy_fail_set(f, SY_E_USAGE,
                           "coap.dtls needs something to know devices by: a file of keys (psk), or "
                           "ca, cert and key");
    if ((files->psk || files->cert) && !coap_dtls_is_supported())
        return sy_fail_set(f, SY_E_UNSUPPORTED, "this libcoap has no DTLS");
    /* Of observed devices without any listener, too. */
    sy_err e = files->psk ? sy_coap__psk_open(&c->psk, files->psk, f) : SY_OK;
    if (e != SY_OK || c->o.n_dtls_listen == 0)
        return e;
    take_certificates(c, files);
    /* libcoap must have the one or the other before the first datagram comes. */
    return c->psk || !c->by_cert ? use_psk(c, f) : SY_OK;
}

static void take_psk(sy_coap *c, const char *file)
{
    sy_coap_psk *fresh = NULL;
    sy_fail f;
    sy_err e = file ? sy_coap__psk_open(&fresh, file, &f) : SY_OK;
    if (e == SY_OK && fresh && !c->by_psk && c->o.n_dtls_listen > 0)
        e = use_psk(c, &f);
    if (e != SY_OK) {
        sy_log_fail(SY_LOG_ERROR, "coap-psk-file", &f);
        sy_coap__psk_close(fresh);
        return;
    }
    sy_coap__psk_close(c->psk);
    c->psk = fresh;
}

void sy_coap__keys_reload(sy_coap *c)
{
    pthread_mutex_lock(&c->lock);
    sy_coap_files files = c->next;
    c->next = (sy_coap_files){NULL, NULL, NULL, NULL};
    pthread_mutex_unlock(&c->lock);
    take_psk(c, files.psk);
    if (c->o.n_dtls_listen > 0)
        take_certificates(c, &files);
    sy_coap__files_fini(&files);
}
