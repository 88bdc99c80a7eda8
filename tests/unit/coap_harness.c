/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_PAYLOAD = 32768 };

static const sy_map_row door_map[] = {{"contact", "$.contact"}, {"time", "$.ts"}};
#define LOOPBACK                                                                                   \
    {                                                                                              \
        .addr = {127}, .bits = 8, .set = true                                                      \
    }
static const sy_device device_list[] = {
    {.id = "num-1", .transport = SY_TRANSPORT_COAP, .format = "number", .from = LOOPBACK},
    {.id = "sen-1", .transport = SY_TRANSPORT_COAP, .format = "senml-json", .from = LOOPBACK},
    {.id = "door-1",
     .transport = SY_TRANSPORT_COAP,
     .format = "json",
     .map = door_map,
     .n_map = 2,
     .from = LOOPBACK},
    {.id = "far-1",
     .transport = SY_TRANSPORT_COAP,
     .format = "number",
     .from = {.addr = {10, 1}, .bits = 17, .set = true}},
    {.id = "half-1",
     .transport = SY_TRANSPORT_COAP,
     .format = "number",
     .from = {.addr = {127, 128}, .bits = 9, .set = true}},
    {.id = "half-2",
     .transport = SY_TRANSPORT_COAP,
     .format = "number",
     .from = {.addr = {127, 127}, .bits = 9, .set = true}},
    {.id = "six-1",
     .transport = SY_TRANSPORT_COAP,
     .format = "number",
     .from = {.bits = 0, .v6 = true, .set = true}},
    {.id = "nowhere-1", .transport = SY_TRANSPORT_COAP, .format = "number"},
    {.id = "psk-1",
     .transport = SY_TRANSPORT_COAP,
     .format = "number",
     .credential = SY_CRED_PSK,
     .from = LOOPBACK},
    {.id = "psk-2", .transport = SY_TRANSPORT_COAP, .format = "number", .credential = SY_CRED_PSK},
    {.id = "cert-1",
     .transport = SY_TRANSPORT_COAP,
     .format = "number",
     .credential = SY_CRED_CERTIFICATE},
    {.id = "cert-2",
     .transport = SY_TRANSPORT_COAP,
     .format = "number",
     .credential = SY_CRED_CERTIFICATE},
    {.id = "mqtt-1", .transport = SY_TRANSPORT_MQTT, .format = "number", .from = LOOPBACK},
    {.id = "odd-1", .transport = SY_TRANSPORT_COAP, .format = "not-there", .from = LOOPBACK},
};

static bool same(const h_kept *k, const sy_message *m)
{
    return sy_span_eq(k->m.ident, m->ident) && sy_span_eq(k->m.source, m->source) &&
           sy_span_eq(k->m.payload, m->payload);
}

static void remember(h_kept *k, const sy_message *m)
{
    assert_true(m->source.n < sizeof k->source && m->ident.n <= sizeof k->ident);
    k->m = *m;
    memcpy(k->source, m->source.p, m->source.n);
    memcpy(k->ident, m->ident.p, m->ident.n);
    k->payload = malloc(m->payload.n + 1);
    memcpy(k->payload, m->payload.p, m->payload.n);
    k->m.source.p = k->source;
    k->m.ident.p = k->ident;
    k->m.payload.p = k->payload;
}

static sy_err submit(void *ctx, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f)
{
    harness *h = ctx;
    sy_err e = SY_OK;
    size_t i = 0;
    pthread_mutex_lock(&h->lock);
    h->submits++;
    if (h->answer != SY_OK) {
        e = sy_fail_set(f, h->answer, "the test wants it so");
    } else {
        while (i < h->n_kept && !same(&h->kept[i], m))
            i++;
        *kept = i == h->n_kept;
        *seq = i + 1;
        if (*kept && h->n_kept < H_KEPT)
            remember(&h->kept[h->n_kept++], m);
    }
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
    return e;
}

static bool knows_end(void *ctx, const sy_message *m, uint64_t *seq)
{
    harness *h = ctx;
    bool found = false;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_kept && !found; i++) {
        const sy_message *k = &h->kept[i].m;
        *seq = i + 1;
        found = sy_span_eq(k->ident, m->ident) && sy_span_eq(k->source, m->source) &&
                k->payload.n >= m->payload.n &&
                memcmp(k->payload.p + k->payload.n - m->payload.n, m->payload.p, m->payload.n) == 0;
    }
    pthread_mutex_unlock(&h->lock);
    return found;
}

static void refused(void *ctx, const sy_refusal *r)
{
    harness *h = ctx;
    pthread_mutex_lock(&h->lock);
    if (r->transport == SY_TRANSPORT_COAP)
        h->rejected[r->why]++;
    snprintf(h->detail, sizeof h->detail, "%s", r->detail);
    snprintf(h->refused, sizeof h->refused, "%.*s", (int)r->who.n, r->who.p);
    snprintf(h->word, sizeof h->word, "%s", r->reason ? r->reason : sy_reject_name(r->why));
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

void h_begin(harness *h, bool strict)
{
    sy_fail f = {.text = ""};
    sy_registry *r;
    *h = (harness){.intake = {.ctx = h,
                              .submit = submit,
                              .strict = strict,
                              .refused = refused,
                              .knows_end = knows_end}};
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &clock);
    pthread_condattr_destroy(&clock);
    snprintf(h->dir, sizeof h->dir, "/tmp/sy-coap-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    assert_int_equal(sy_registry_make(&r, device_list, sizeof device_list / sizeof device_list[0],
                                      NULL, NULL, &f),
                     SY_OK);
    assert_int_equal(sy_registry_slot_open(&h->devices, r, &f), SY_OK);
}

void h_serve(harness *h, const sy_coap_files *files)
{
    sy_fail f = {.text = ""};
    const char *const listen[] = {"127.0.0.1:0"};
    sy_coap_options o = {.listen = listen, .n_listen = 1, .max_payload = MAX_PAYLOAD};
    if (files) {
        o.handshake = 300;
        o.files = *files;
        o.dtls_listen = listen;
        o.n_dtls_listen = 1;
    }
    if (sy_coap_start(&h->server, &o, &h->intake, h->devices, &f) != SY_OK)
        fail_msg("%s", f.text);
    h->fd = h_socket(h);
}

void h_start(harness *h, bool strict, const char *psk)
{
    h_begin(h, strict);
    char *psk_file = psk ? h_file(h, "psk", psk, strlen(psk)) : NULL;
    h_serve(h, psk ? &(sy_coap_files){.psk = psk_file} : NULL);
    free(psk_file);
}

void h_devices(harness *h, const sy_device *v, size_t n)
{
    sy_fail f = {.text = ""};
    sy_registry *r;
    assert_int_equal(sy_registry_make(&r, v, n, NULL, NULL, &f), SY_OK);
    sy_registry_slot_set(h->devices, r);
}

void h_restart(harness *h)
{
    char at[32];
    sy_fail f = {.text = ""};
    snprintf(at, sizeof at, "127.0.0.1:%u", sy_coap_port(h->server, 0));
    const char *const listen[] = {at};
    sy_coap_options o = {.listen = listen, .n_listen = 1, .max_payload = MAX_PAYLOAD};
    sy_coap_stop(h->server);
    if (sy_coap_start(&h->server, &o, &h->intake, h->devices, &f) != SY_OK)
        fail_msg("%s", f.text);
}

void h_stop(harness *h)
{
    char command[128];
    sy_coap_stop(h->server);
    sy_registry_slot_close(h->devices);
    for (size_t i = 0; i < h->n_kept; i++)
        free(h->kept[i].payload);
    close(h->fd);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    snprintf(command, sizeof command, "rm -r '%s'", h->dir);
    free(h_shell(command));
}

int h_socket(const harness *h)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(sy_coap_port(h->server, 0))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void wait_for(harness *h, const size_t *count, size_t n)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 8;
    int rc = 0;
    pthread_mutex_lock(&h->lock);
    while (*count < n && rc == 0)
        rc = pthread_cond_timedwait(&h->changed, &h->lock, &until);
    size_t have = *count;
    pthread_mutex_unlock(&h->lock);
    assert_int_equal(have, n);
}

void h_wait_kept(harness *h, size_t n)
{
    wait_for(h, &h->n_kept, n);
}

void h_wait_submits(harness *h, size_t n)
{
    wait_for(h, &h->submits, n);
}

void h_wait_rejected(harness *h, sy_reject why, size_t n)
{
    wait_for(h, &h->rejected[why], n);
}

size_t h_rejected(harness *h, sy_reject why)
{
    pthread_mutex_lock(&h->lock);
    size_t n = h->rejected[why];
    pthread_mutex_unlock(&h->lock);
    return n;
}

datagram d_begin(int type, int code, unsigned mid, const char *token)
{
    datagram d = {.n = 4};
    size_t n = strlen(token);
    d.b[0] = (unsigned char)(0x40 | type << 4 | (int)n);
    d.b[1] = (unsigned char)code;
    d.b[2] = (unsigned char)(mid >> 8);
    d.b[3] = (unsigned char)mid;
    memcpy(d.b + 4, token, n);
    d.n += n;
    return d;
}

void d_option(datagram *d, unsigned number, const void *value, size_t n)
{
    unsigned delta = number - d->last;
    d->last = number;
    assert_true(n < 269 && delta < 269 + 256);
    unsigned nibble = delta < 13 ? delta : delta < 269 ? 13 : 14;
    d->b[d->n++] = (unsigned char)(nibble << 4 | (n < 13 ? n : 13));
    if (nibble == 14)
        d->b[d->n++] = (unsigned char)((delta - 269) >> 8);
    if (nibble >= 13)
        d->b[d->n++] = (unsigned char)(nibble == 13 ? delta - 13 : delta - 269);
    if (n >= 13)
        d->b[d->n++] = (unsigned char)(n - 13);
    memcpy(d->b + d->n, value, n);
    d->n += n;
}

void d_option_uint(datagram *d, unsigned number, unsigned value)
{
    unsigned char b[4];
    size_t n = 0;
    for (int shift = 24; shift >= 0; shift -= 8)
        if (n > 0 || value >> shift)
            b[n++] = (unsigned char)(value >> shift);
    d_option(d, number, b, n);
}

void d_path(datagram *d, const char *device)
{
    d_option(d, 11, "r", 1);
    d_option(d, 11, device, strlen(device));
}

void d_payload(datagram *d, const void *bytes, size_t n)
{
    assert_true(d->n + n < sizeof d->b);
    d->b[d->n++] = 0xff;
    memcpy(d->b + d->n, bytes, n);
    d->n += n;
}

void d_send(int fd, const datagram *d)
{
    assert_int_equal(send(fd, d->b, d->n, 0), (ssize_t)d->n);
}

static unsigned uint_of(const unsigned char *p, size_t n)
{
    unsigned v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static size_t extended(const unsigned char **p, size_t nibble)
{
    if (nibble == 13)
        return 13u + *(*p)++;
    if (nibble != 14)
        return nibble;
    size_t v = 269u + (size_t)(*p)[0] * 256 + (*p)[1];
    *p += 2;
    return v;
}

reply d_parse(const unsigned char *b, size_t n)
{
    reply r = {.type = b[0] >> 4 & 3,
               .code = (b[1] >> 5) * 100 + (b[1] & 31),
               .mid = (unsigned)b[2] << 8 | b[3],
               .block1 = -1,
               .block2 = -1,
               .observe = -1,
               .size1 = -1};
    const unsigned char *p = b + 4, *end = b + n;
    r.n_token = b[0] & 15;
    memcpy(r.token, p, r.n_token);
    p += b[0] & 15;
    for (size_t number = 0; p < end && *p != 0xff;) {
        unsigned char head = *p++;
        number += extended(&p, head >> 4);
        size_t length = extended(&p, head & 15);
        if (number == 27)
            r.block1 = (int)uint_of(p, length);
        if (number == 23)
            r.block2 = (int)uint_of(p, length);
        if (number == 6)
            r.observe = (int)uint_of(p, length);
        if (number == 11 || number == 15)
            snprintf(r.path + strlen(r.path), sizeof r.path - strlen(r.path), "%c%.*s",
                     number == 11 ? '/' : '?', (int)length, (const char *)p);
        if (number == 60)
            r.size1 = (int)uint_of(p, length);
        p += length;
    }
    if (p < end)
        snprintf(r.text, sizeof r.text, "%.*s", (int)(end - p - 1), (const char *)p + 1);
    return r;
}

reply d_receive(int fd, int timeout_ms)
{
    unsigned char b[2048];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, timeout_ms) != 1)
        return (reply){.none = true};
    ssize_t n = recv(fd, b, sizeof b, 0);
    assert_true(n >= 4);
    return d_parse(b, (size_t)n);
}

reply d_exchange(int fd, const datagram *d)
{
    d_send(fd, d);
    reply r = d_receive(fd, 5000);
    assert_false(r.none);
    return r;
}

reply d_post(int fd, unsigned mid, const char *device, const char *text)
{
    datagram d = d_begin(H_TYPE_CON, H_POST, mid, "tok");
    d_path(&d, device);
    if (*text)
        d_payload(&d, text, strlen(text));
    reply r = d_exchange(fd, &d);
    assert_int_equal(r.type, H_TYPE_ACK);
    assert_int_equal(r.mid, mid);
    assert_string_equal(r.token, "tok");
    return r;
}

char *h_shell(const char *command)
{
    FILE *p = popen(command, "r");
    assert_non_null(p);
    char *out = calloc(1, 65536);
    size_t n = fread(out, 1, 65535, p);
    out[n] = '\0';
    pclose(p);
    return out;
}

char *h_file(harness *h, const char *name, const void *bytes, size_t n)
{
    char *path = NULL;
    sy_fail f;
    assert_true(asprintf(&path, "%s/%s", h->dir, name) > 0);
    assert_int_equal(sy_file_write(path, (sy_span){bytes, n}, 0600, &f), SY_OK);
    return path;
}
