/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framing of HJ 212 over TCP: a stream in pieces of any size (the byte before each says how
 * long) into one connection. Whatever comes, the buffers hold, what is kept is a frame of the
 * device, and answers are whole lines.
 */
#include <stdlib.h>

#include "drivers/hj212/hj212_int.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static sy_err submit(void *ctx, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f)
{
    uint64_t *n = ctx;
    (void)f;
    require(m->payload.n >= 10 && m->payload.p[0] == '#' && m->payload.p[1] == '#');
    require(m->ident.n <= 64 && sy_span_is(m->source, "d"));
    *seq = ++*n;
    *kept = true;
    return *n % 7 == 0 ? SY_E_FULL : SY_OK; /* at times it cannot be kept */
}

static void rejected(void *ctx, sy_transport t, sy_reject why, sy_span source, const char *detail)
{
    (void)ctx, (void)t, (void)why;
    require(detail != NULL && (source.n == 0 || source.p != NULL));
}

static uint64_t synced(void *ctx)
{
    return *(uint64_t *)ctx / 2;
}

static const sy_device device[] = {{.id = "d",
                                    .transport = SY_TRANSPORT_HJ212,
                                    .mn = "1",
                                    .password = "p",
                                    .from = {.bits = 0, .v6 = true, .set = true}},
                                   {.id = "e",
                                    .transport = SY_TRANSPORT_HJ212,
                                    .mn = "2",
                                    .from = {.bits = 0, .v6 = false, .set = true}}};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t kept = 0;
    sy_intake intake = {.ctx = &kept,
                        .submit = submit,
                        .rejected = rejected,
                        .synced = synced,
                        .strict = n % 2 == 1};
    sy_registry *r;
    sy_hj212 h = {.intake = &intake};
    sy_hj212__conn *c = calloc(1, sizeof *c);
    if (!c || sy_registry_make(&r, device, 2, NULL, NULL, NULL) ||
        sy_registry_slot_open(&h.devices, r, NULL))
        abort();
    bool open = true;
    for (size_t i = 0; i < n && open;) {
        size_t piece = bytes[i++], room = sizeof c->in - c->n_in;
        piece = piece < n - i ? piece : n - i;
        piece = piece < room ? piece : room;
        if (piece)
            memcpy(c->in + c->n_in, bytes + i, piece);
        c->n_in += piece;
        i += piece;
        open = sy_hj212__frames(&h, c, (sy_ms)i);
        require(c->n_in <= sizeof c->in && c->n_out <= sizeof c->out && c->held <= c->n_out);
        require(c->n_out == 0 || c->out[c->n_out - 1] == '\n');
        c->n_out = c->held = 0; /* the peer has read them */
        c->until = 0;
    }
    sy_registry_slot_close(h.devices);
    free(c);
    return 0;
}
