/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The road of webhooks: each event as it is (CloudEvents, structured JSON), one a request, with a
 * signature where there is a secret: HMAC-SHA256 (RFC 2104) over the bytes of the body.
 */
#include <mbedtls/md.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "upstream/carrier.h"

enum { SECRET_MOST = 4096 };

typedef struct webhook {
    sy_carried base;
    const char *secret; /* file; NULL: none */
} webhook;

static webhook *of(sy_road *r)
{
    return (webhook *)r;
}

static sy_err check(const sy_road_setup *o, sy_fail *f)
{
    bool https = strncmp(o->url, "https://", 8) == 0, http = strncmp(o->url, "http://", 7) == 0;
    if (strlen(o->url) >= sizeof((sy_carried *)0)->url || (!https && !http))
        return sy_fail_set(f, SY_E_USAGE, "%.100s: a webhook is https://… or http://…", o->url);
    if (http && !sy_carrier_near(o->url, true))
        return sy_fail_set(f, SY_E_USAGE,
                           "%.100s: without TLS only an address of this box or of a private "
                           "network",
                           o->url);
    return SY_OK;
}

static sy_err start(sy_road **out, const sy_road_setup *o, sy_fail *f)
{
    webhook *w = calloc(1, sizeof *w);
    if (!w)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a destination");
    w->secret = sy_road_word_of(o, "secret");
    sy_err e = sy_carried_open(&w->base, &sy_road_webhook, o, f);
    if (e) {
        free(w);
        return e;
    }
    *out = &w->base.road;
    return SY_OK;
}

/* Read anew each time, so that a new secret needs no restart. */
static sy_err sign(const char *file, sy_span body, char out[128], sy_fail *f)
{
    sy_buf secret;
    unsigned char mac[32];
    char hex[65];
    out[0] = '\0';
    if (!file)
        return SY_OK;
    sy_buf_init(&secret, sy_heap());
    sy_err e = sy_file_read(file, SECRET_MOST, &secret, f);
    while (!e && secret.n && strchr("\r\n", secret.p[secret.n - 1]))
        secret.n--;
    if (!e && secret.n == 0)
        e = sy_fail_set(f, SY_E_USAGE, "%s: no secret in it", file);
    if (!e && mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
                              (const unsigned char *)secret.p, secret.n,
                              (const unsigned char *)body.p, body.n, mac) != 0)
        e = sy_fail_set(f, SY_E_NOMEM, "the signature of a webhook cannot be made");
    if (!e) {
        sy_hex(mac, sizeof mac, hex);
        snprintf(out, 128, "X-Steelyard-Signature: sha256=%s", hex);
    }
    sy_buf_fini(&secret);
    return e;
}

static sy_err give(sy_road *r, const sy_batch *b, sy_reply *reply, sy_fail *f)
{
    webhook *w = of(r);
    char signature[128], key[192];
    const char *fields[8] = {"Content-Type: application/cloudevents+json; charset=utf-8",
                             "User-Agent: steelyard", "Expect:", key};
    snprintf(key, sizeof key, "Idempotency-Key: \"%.150s\"", b->items[0]->id);
    sy_err e = sign(w->secret, b->items[0]->body, signature, f);
    if (e)
        return e;
    if (signature[0])
        fields[4] = signature;
    const sy_parcel p = {.url = w->base.url, .body = b->items[0]->body, .fields = fields};
    *reply = (sy_reply){.answer = SY_ANSWER_LATER};
    e = sy_carrier_send(w->base.carrier, &p, &reply->status, f);
    if (e)
        return e;
    reply->answer = sy_answer_of(reply->status);
    snprintf(reply->text, sizeof reply->text, "%.200s answered %u", w->base.url, reply->status);
    return SY_OK;
}

const sy_road_ops sy_road_webhook = {
    .kind = "webhook",
    .most_events = 1,
    .check = check,
    .open = start,
    .close = sy_carried_close,
    .turn = sy_carried_turn,
    .send = give,
    .fd = sy_carried_fd,
    .drop = sy_carried_drop,
    .counts = sy_carried_counts,
    .peer = sy_carried_peer,
};
