/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One frame: whose it is, whether that device may send it here, the journal, the answer.
 *
 * HJ 212-2017 6.3 and its tables of commands; HJ/T 212-2005 6.3.2. The version bits of Flag stay in
 * the answer. The edition of 2005 names the request inside CP ("QN=…;CN=…"), the later ones leave
 * CP empty; the head carries QN in all of them.
 */
#include <stdio.h>

#include "drivers/hj212/hj212_int.h"

enum { FIELD = 40, SETS_CLOCK = 1013, ANSWERS = 9011, LAST_ANSWER = 9014 };

static int number_of(sy_span text)
{
    int v = 0;
    for (size_t i = 0; i < text.n && i < 5; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        v = v * 10 + (text.p[i] - '0');
    }
    return text.n ? v : -1;
}

/* One field with its end, where there is anything to say; at most FIELD bytes of it. */
static void put(char *out, size_t size, size_t *n, const char *key, sy_span value)
{
    int width = (int)(value.n < FIELD ? value.n : FIELD);
    if (value.n == 0)
        return;
    int more = snprintf(out + *n, size - *n, "%s=%.*s;", key, width, value.p);
    if (more > 0 && (size_t)more < size - *n)
        *n += (size_t)more;
}

size_t sy_hj212__answer(const sy_hj212_frame *f, char out[SY_HJ212__ANSWER])
{
    char segment[SY_HJ212__ANSWER - 16], end[32];
    const size_t size = sizeof segment - sizeof end;
    int cn = number_of(f->cn);
    size_t n = 0;
    if (f->flag < 0 || !(f->flag & 1) || (cn >= ANSWERS && cn <= LAST_ANSWER))
        return 0;
    put(segment, size, &n, "QN", f->qn);
    put(segment, size, &n, "ST", sy_span_of("91"));
    put(segment, size, &n, "CN", sy_span_of(cn == SETS_CLOCK ? "9013" : "9014"));
    put(segment, size, &n, "PW", f->pw);
    put(segment, size, &n, "MN", f->mn);
    n += (size_t)snprintf(segment + n, sizeof end, "Flag=%d;CP=&&", f->flag & ~3);
    if (sy_hj212_edition(f) == SY_HJ212_2005) {
        put(segment, size, &n, "QN", f->qn);
        put(segment, size, &n, "CN", f->cn);
        n -= segment[n - 1] == ';';
    }
    n += (size_t)snprintf(segment + n, sizeof end, "&&");
    int all = snprintf(out, SY_HJ212__ANSWER, "##%04zu%.*s%04X\r\n", n, (int)n, segment,
                       (unsigned)sy_hj212_crc((sy_span){segment, n}));
    return all > 0 && all < SY_HJ212__ANSWER ? (size_t)all : 0;
}

/* "DataTime=…" up to what ends it. */
static sy_span data_time(sy_span data)
{
    static const char key[] = "DataTime=";
    const char *p = data.n ? memmem(data.p, data.n, key, sizeof key - 1) : NULL;
    size_t n = 0;
    while (p && p + n < data.p + data.n && p[n] != ';' && p[n] != ',' && p[n] != '&')
        n++;
    return (sy_span){p, n};
}

size_t sy_hj212__ident(const sy_hj212_frame *f, char out[64])
{
    sy_span what = f->qn.n ? f->qn : data_time(f->data);
    if (what.n == 0)
        return 0;
    int n = snprintf(out, 64, "%.*s;%.*s;%d;%d", (int)(what.n < FIELD ? what.n : FIELD), what.p,
                     (int)(f->cn.n < 5 ? f->cn.n : 5), f->cn.n ? f->cn.p : "", f->pnum, f->pno);
    return n < 64 ? (size_t)n : 63;
}

bool sy_hj212__anybody(const sy_hj212 *h, const unsigned char addr[16])
{
    sy_registry *r = sy_registry_slot_get(h->devices);
    bool any = false;
    for (size_t i = 0; i < r->n && !any; i++)
        any = r->devices[i].mn && sy_device_from(&r->devices[i], addr);
    sy_registry_unref(r);
    return any;
}

static sy_hj212__fate refuse(sy_hj212 *h, sy_hj212__conn *c, const sy_refusal *r)
{
    c->refused++;
    sy_hj212__refuse(h, c->addr, r);
    return SY_HJ212__NOT_TAKEN;
}

/* As long whatever the two have in common: the time tells nothing of the password. */
static bool same_secret(sy_span a, sy_span b)
{
    unsigned char differ = a.n != b.n;
    for (size_t i = 0; i < a.n && b.n; i++)
        differ |= (unsigned char)(a.p[i] ^ b.p[i % b.n]);
    return !differ;
}

/* Nobody's MN: refused, and kept aside for `devices pending`. */
static void strange(sy_hj212 *h, sy_hj212__conn *c, const sy_hj212_frame *f, sy_span raw)
{
    char peer[SY_HJ212__PEER];
    sy_hj212__peer(c->addr, peer);
    sy_stranger s = {.transport = SY_TRANSPORT_HJ212,
                     .source = f->mn,
                     .client = {"", 0},
                     .peer = peer,
                     .content_format = 0xffff,
                     .payload = raw};
    if (f->mn.n)
        sy_intake_strange(h->intake, &s);
    sy_refusal r = {
        .why = SY_REJECT_UNKNOWN_DEVICE, .who = f->mn, .detail = "no device has this MN"};
    (void)refuse(h, c, &r);
}

static bool admitted(sy_hj212 *h, sy_hj212__conn *c, const sy_device *d, const sy_hj212_frame *f)
{
    sy_refusal r = {.why = SY_REJECT_NOT_ALLOWED, .who = sy_span_of(d->id)};
    if (d->revoked) {
        r.reason = "revoked-device";
        r.detail = "this device was revoked";
    } else if (!sy_device_from(d, c->addr)) {
        r.reason = "wrong-address";
        r.detail = "this device may not send from this address";
    } else if (c->mn[0] && !sy_span_is(f->mn, c->mn)) {
        r.reason = "speaks-for-another";
        r.detail = "the connection is that of another device";
    } else if (d->password && !same_secret(f->pw, sy_span_of(d->password))) {
        r.reason = "wrong-password";
        r.detail = "its PW is not that of the configuration";
    }
    if (r.detail)
        (void)refuse(h, c, &r);
    return r.detail == NULL;
}

static sy_hj212__fate keep(sy_hj212 *h, sy_hj212__conn *c, const sy_device *d,
                           const sy_hj212_frame *f, sy_span raw)
{
    char ident[64], answer[SY_HJ212__ANSWER];
    size_t n = sy_hj212__answer(f, answer);
    unsigned flags = (n ? SY_MSG_PROMISE : 0u) | (d->password ? 0u : SY_MSG_UNAUTHENTICATED);
    sy_message m = {.transport = SY_TRANSPORT_HJ212,
                    .flags = (uint8_t)flags,
                    .content_format = 0xffff,
                    .source = sy_span_of(d->id),
                    .ident = {ident, sy_hj212__ident(f, ident)},
                    .payload = raw};
    sy_fail why = {.text = ""};
    uint64_t seq = 0;
    bool kept = false;
    sy_err e = h->intake->submit(h->intake->ctx, &m, &seq, &kept, &why);
    if (e == SY_E_RANGE || e == SY_E_PARSE)
        return refuse(
            h, c, &(sy_refusal){.why = SY_REJECT_MALFORMED, .who = m.source, .detail = why.text});
    if (e)
        return SY_HJ212__AGAIN;
    c->refused = 0;
    snprintf(c->mn, sizeof c->mn, "%s", d->mn);
    if (n) {
        memcpy(c->out + c->n_out, answer, n);
        c->n_out += n;
        if (h->intake->strict && seq > h->intake->synced(h->intake->ctx)) {
            c->held += n;
            h->unsynced = seq > h->unsynced ? seq : h->unsynced;
        } else if (c->held) {
            c->held += n; /* in order */
        }
    }
    return SY_HJ212__TAKEN;
}

sy_hj212__fate sy_hj212__take(sy_hj212 *h, sy_hj212__conn *c, const sy_hj212_frame *f, sy_span raw)
{
    sy_registry *r = sy_registry_slot_get(h->devices);
    const sy_device *d = sy_registry_by_mn(r, f->mn);
    sy_hj212__fate fate = SY_HJ212__NOT_TAKEN;
    if (!d)
        strange(h, c, f, raw);
    else if (admitted(h, c, d, f))
        fate = keep(h, c, d, f, raw);
    sy_registry_unref(r);
    return fate;
}
