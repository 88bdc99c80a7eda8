/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block-wise bodies, and the answers to last blocks. The library's own reassembly mixes transfers
 * that overlap and believes the sizes that a peer claims, so it is switched off; here memory grows
 * with the bytes that have come, and with nothing else.
 */
#include <stdlib.h>

#include "drivers/coap/blocks.h"

typedef struct transfer {
    bool live;
    sy_coap_peer peer;
    uint8_t tag[8], token[8];
    uint8_t n_tag, n_token;
    char *device;
    char *bytes;
    size_t n, cap;
    sy_ms used;
} transfer;

struct sy_coap_blocks {
    size_t max_body;
    transfer *done; /* handed out whole, freed with the next call */
    transfer t[SY_BLOCK_TRANSFERS];
};

static void drop(transfer *t)
{
    free(t->device);
    free(t->bytes);
    *t = (transfer){.live = false};
}

sy_coap_blocks *sy_coap__blocks_open(size_t max_body)
{
    sy_coap_blocks *b = calloc(1, sizeof *b);
    if (b)
        b->max_body = max_body;
    return b;
}

void sy_coap__blocks_close(sy_coap_blocks *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < SY_BLOCK_TRANSFERS; i++)
        drop(&b->t[i]);
    free(b);
}

static bool bytes_are(const uint8_t *have, uint8_t n, sy_span want)
{
    return n == want.n && (n == 0 || memcmp(have, want.p, n) == 0);
}

static bool of_sender(const transfer *t, const sy_block_key *k)
{
    return t->live && memcmp(&t->peer, &k->peer, sizeof t->peer) == 0 &&
           bytes_are(t->tag, t->n_tag, k->tag) && sy_span_is(k->device, t->device);
}

/* The transfer that a later block belongs to; NULL where there is none, or more than one. */
static transfer *belongs(sy_coap_blocks *b, const sy_block_key *k, size_t offset)
{
    transfer *waiting = NULL;
    size_t candidates = 0;
    for (size_t i = 0; i < SY_BLOCK_TRANSFERS; i++) {
        transfer *t = &b->t[i];
        if (!of_sender(t, k))
            continue;
        if (bytes_are(t->token, t->n_token, k->token))
            return t;
        if (t->n == offset) {
            waiting = t;
            candidates++;
        }
    }
    return candidates == 1 ? waiting : NULL;
}

static void age(sy_coap_blocks *b, sy_ms now)
{
    if (b->done)
        drop(b->done);
    b->done = NULL;
    for (size_t i = 0; i < SY_BLOCK_TRANSFERS; i++)
        if (b->t[i].live && now - b->t[i].used > SY_BLOCK_AGE_MS)
            drop(&b->t[i]);
}

static transfer *begin(sy_coap_blocks *b, const sy_block_key *k)
{
    transfer *room = NULL, *stalest = NULL;
    size_t of_device = 0;
    for (size_t i = 0; i < SY_BLOCK_TRANSFERS; i++) {
        transfer *t = &b->t[i];
        if (of_sender(t, k) && bytes_are(t->token, t->n_token, k->token)) {
            room = t; /* the same one from its beginning again */
            of_device = 0;
            break;
        }
        if (!t->live) {
            room = room ? room : t;
        } else if (sy_span_is(k->device, t->device)) {
            of_device++;
            if (!stalest || t->used < stalest->used)
                stalest = t;
        }
    }
    if (of_device >= SY_BLOCK_PER_DEVICE)
        room = stalest;
    if (!room)
        return NULL;
    drop(room);
    room->device = strndup(k->device.p, k->device.n);
    if (!room->device)
        return NULL;
    room->live = true;
    room->peer = k->peer;
    room->n_tag = (uint8_t)(k->tag.n < 8 ? k->tag.n : 8);
    if (room->n_tag > 0)
        memcpy(room->tag, k->tag.p, room->n_tag);
    return room;
}

static bool append(transfer *t, sy_span bytes)
{
    void *p = t->bytes;
    if (sy_grow(sy_heap(), &p, &t->cap, t->n + bytes.n, 1) != SY_OK)
        return false;
    t->bytes = p;
    if (bytes.n > 0)
        memcpy(t->bytes + t->n, bytes.p, bytes.n);
    t->n += bytes.n;
    return true;
}

sy_block_result sy_coap__blocks_add(sy_coap_blocks *b, const sy_block_key *key,
                                    const coap_block_b_t *block, sy_span bytes, sy_ms now,
                                    sy_span *body)
{
    size_t size = (size_t)1 << (block->szx + 4), offset = (size_t)block->num << (block->szx + 4);
    age(b, now);
    if (offset + bytes.n > b->max_body)
        return SY_BLOCK_LARGE;
    if (block->m ? bytes.n != size : bytes.n > size)
        return SY_BLOCK_SIZE;
    transfer *t = belongs(b, key, offset);
    /* A retransmission of a block that is here already. */
    if (t && block->m && offset + bytes.n <= t->n &&
        memcmp(t->bytes + offset, bytes.p, bytes.n) == 0)
        return SY_BLOCK_MORE;
    if (offset == 0) {
        t = begin(b, key);
        if (!t)
            return SY_BLOCK_BUSY;
    } else if (!t || t->n != offset) {
        return SY_BLOCK_GAP;
    }
    if (!append(t, bytes)) {
        drop(t);
        return SY_BLOCK_BUSY;
    }
    t->used = now;
    t->n_token = (uint8_t)(key->token.n < 8 ? key->token.n : 8);
    if (t->n_token > 0)
        memcpy(t->token, key->token.p, t->n_token);
    if (block->m)
        return SY_BLOCK_MORE;
    *body = (sy_span){t->bytes, t->n};
    b->done = t;
    return SY_BLOCK_WHOLE;
}

void sy_coap__answer_keep(sy_coap_answers *a, const sy_coap_answer *answer)
{
    a->ring[a->next] = *answer;
    a->next = (a->next + 1) % SY_ANSWERS;
}

const sy_coap_answer *sy_coap__answer_find(const sy_coap_answers *a, const sy_coap_ident *ident,
                                           sy_ms now)
{
    for (size_t i = 0; i < SY_ANSWERS; i++) {
        const sy_coap_answer *x = &a->ring[i];
        if (x->ident.n == ident->n && now - x->at <= SY_ANSWER_AGE_MS &&
            memcmp(x->ident.bytes, ident->bytes, ident->n) == 0)
            return x;
    }
    return NULL;
}
