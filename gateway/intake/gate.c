/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate. A message goes from the driver's buffer straight into the journal; what stays here of
 * it is a keyed hash in a ring of fixed size. The hash is SipHash with a random key, since what two
 * devices send decides what is taken for a repetition: nobody can make a message that hides
 * another.
 */
#include "intake/gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"

enum {
    RING = 32768,         /* messages remembered; a power of two */
    SLOTS = 2 * RING,     /* of the hash table over it */
    EXCHANGE_MS = 247000, /* RFC 7252 EXCHANGE_LIFETIME */
    /* MAX_TRANSMIT_SPAN and MAX_LATENCY: what its sender sent again has come by then. */
    REPEAT_MS = 145000,
    IDENT_MAX = 64,
    OFFSET = 4,     /* bytes at the end of the identity of what came in blocks */
    OF_END = 0x100, /* beside the transport: a hash over the last block alone */
};
_Static_assert((int)SY_GATE_RECENT <= (int)RING && (RING & (RING - 1)) == 0, "ring");

/* A remembered message; chained by slot, newest first. */
typedef struct seen {
    uint64_t hash, seq, number; /* number: counts the messages remembered, from 1; 0: empty */
    sy_ms recv;
    uint32_t next; /* ring index + 1 of the next older one in the slot, 0: none */
} seen;

struct sy_gate {
    sy_intake intake;
    sy_journal *journal;
    void (*marker)(void *ctx, uint64_t number);
    void *ctx;
    sy_gate_teller teller;
    uint64_t key[2];
    pthread_mutex_t mu;
    uint64_t number;
    seen *ring;
    uint32_t *slots; /* ring index + 1 */
    _Atomic uint64_t rejected[SY_REJECT_COUNT];
    _Atomic uint64_t duplicates;
    /* Of the broker's spool: all numbers up to number_kept that the spool may still hold are kept.
     * Behind damage in the journal single ones are, in `scattered`, ascending; set at open. */
    _Atomic uint64_t number_kept;
    uint64_t *scattered;
    size_t n_scattered, cap_scattered;
};

static uint64_t rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
}

/* Length, then bytes, zero-padded to words: parts cannot run into each other. */
static void sip_span(uint64_t v[4], sy_span s)
{
    sip_word(v, s.n);
    for (size_t i = 0; i < s.n; i += 8) {
        uint64_t m = 0;
        memcpy(&m, s.p + i, s.n - i < 8 ? s.n - i : 8);
        sip_word(v, m);
    }
}

/* SipHash-1-3 over the parts. The value never leaves the process: byte order does not matter. */
static uint64_t hash_of(const sy_gate *g, uint32_t transport, sy_span source, sy_span ident,
                        sy_span payload)
{
    uint64_t v[4] = {g->key[0] ^ 0x736f6d6570736575u, g->key[1] ^ 0x646f72616e646f6du,
                     g->key[0] ^ 0x6c7967656e657261u, g->key[1] ^ 0x7465646279746573u};
    sip_word(v, transport);
    sip_span(v, ident);
    sip_span(v, source);
    sip_span(v, payload);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Under mu. */
static void forget(sy_gate *g, uint32_t at)
{
    uint32_t *link = &g->slots[g->ring[at].hash & (SLOTS - 1)];
    while (*link && *link != at + 1)
        link = &g->ring[*link - 1].next;
    if (*link)
        *link = g->ring[at].next;
}

/* The last block of what came in blocks; no more than there is, whatever the identity says. */
static sy_span end_of(sy_span ident, sy_span payload)
{
    size_t at = 0;
    for (size_t i = ident.n - OFFSET; i < ident.n; i++)
        at = at << 8 | (unsigned char)ident.p[i];
    at = at < payload.n ? at : payload.n;
    return (sy_span){payload.p + at, payload.n - at};
}

static void remember_hash(sy_gate *g, uint64_t hash, uint64_t seq, sy_ms recv)
{
    pthread_mutex_lock(&g->mu);
    uint32_t at = (uint32_t)(g->number & (RING - 1));
    if (g->ring[at].number)
        forget(g, at);
    uint32_t *slot = &g->slots[hash & (SLOTS - 1)];
    g->ring[at] =
        (seen){.hash = hash, .seq = seq, .number = ++g->number, .recv = recv, .next = *slot};
    *slot = at + 1;
    pthread_mutex_unlock(&g->mu);
}

static uint64_t hash_of_record(const sy_gate *g, const sy_jrec *rec)
{
    return hash_of(g, rec->code & 0xff, rec->source, rec->ident, rec->payload);
}

/* By all of it, of which this is the hash, and where it came in blocks by the last one too. */
static void remember(sy_gate *g, const sy_jrec *rec, uint64_t hash)
{
    remember_hash(g, hash, rec->seq, rec->recv);
    if ((rec->flags & SY_MSG_BLOCKS) && rec->ident.n >= OFFSET) {
        sy_span end = end_of(rec->ident, rec->payload);
        hash = hash_of(g, (rec->code & 0xff) | OF_END, rec->source, rec->ident, end);
        remember_hash(g, hash, rec->seq, rec->recv);
    }
}

static void gate_refused(void *ctx, const sy_refusal *r);

/* It changes nothing, and is answered as before; but somebody should know. */
static void tell_replayed(sy_gate *g, const sy_message *m)
{
    sy_refusal r = {.transport = m->transport,
                    .why = SY_REJECT_NOT_ALLOWED,
                    .reason = "replayed",
                    .who = m->source,
                    .detail = "the datagram came before, longer ago than a device sends again"};
    gate_refused(g, &r);
}

static bool known(sy_gate *g, const sy_message *m, uint64_t hash, uint64_t *seq)
{
    if (m->transport == SY_TRANSPORT_MQTT && !(m->flags & SY_MSG_DUP))
        return false;
    sy_ms now = m->transport == SY_TRANSPORT_COAP ? sy_journal_now(g->journal) : 0;
    bool found = false, replayed = false;
    pthread_mutex_lock(&g->mu);
    for (uint32_t i = g->slots[hash & (SLOTS - 1)]; i && !found; i = g->ring[i - 1].next) {
        const seen *s = &g->ring[i - 1];
        if (s->hash != hash)
            continue;
        if (m->transport == SY_TRANSPORT_COAP) {
            found = s->recv == now || (s->recv != SY_MS_NONE && now - s->recv <= EXCHANGE_MS);
            replayed = found && s->recv != now && now - s->recv > REPEAT_MS;
        } else {
            found = m->transport != SY_TRANSPORT_MQTT || g->number - s->number < SY_GATE_RECENT;
        }
        *seq = s->seq;
    }
    pthread_mutex_unlock(&g->mu);
    if (replayed)
        tell_replayed(g, m);
    else if (found)
        atomic_fetch_add(&g->duplicates, 1);
    return found;
}

static bool gate_knows_end(void *ctx, const sy_message *m, uint64_t *seq)
{
    sy_gate *g = ctx;
    uint64_t hash = hash_of(g, m->transport | OF_END, m->source, m->ident, m->payload);
    return known(g, m, hash, seq);
}

/* The number of a message out of the spool, 0: it has none. */
static uint64_t number_of(uint32_t transport, unsigned flags, sy_span ident)
{
    uint64_t n = 0;
    if (transport != SY_TRANSPORT_MQTT || !(flags & SY_MSG_SPOOLED) || ident.n != 8)
        return 0;
    for (size_t i = 8; i-- > 0;)
        n = n << 8 | (unsigned char)ident.p[i];
    return n;
}

static bool is_scattered(const sy_gate *g, uint64_t number)
{
    size_t from = 0, to = g->n_scattered;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (g->scattered[mid] < number)
            from = mid + 1;
        else
            to = mid;
    }
    return from < g->n_scattered && g->scattered[from] == number;
}

static sy_err gate_submit(void *ctx, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f)
{
    sy_gate *g = ctx;
    if (m->ident.n > IDENT_MAX)
        return sy_fail_set(f, SY_E_RANGE, "a message identity of %zu bytes: at most %d", m->ident.n,
                           IDENT_MAX);
    uint64_t hash = 0, number = number_of(m->transport, m->flags, m->ident);
    if (number && (number <= atomic_load(&g->number_kept) || is_scattered(g, number))) {
        atomic_fetch_add(&g->duplicates, 1);
        *seq = sy_journal_seq(g->journal); /* at most */
        *kept = false;
        return SY_OK;
    }
    if (m->ident.n && !number) {
        hash = hash_of(g, m->transport, m->source, m->ident, m->payload);
        if (known(g, m, hash, seq)) {
            *kept = false;
            return SY_OK;
        }
    }
    sy_jrec rec = {.type = SY_J_MESSAGE,
                   .flags = m->flags,
                   .code = (uint32_t)m->transport | (uint32_t)m->content_format << 8,
                   .source = m->source,
                   .ident = m->ident,
                   .payload = m->payload};
    sy_err e = sy_journal_append(g->journal, &rec, f);
    if (e)
        return e;
    if (number)
        atomic_store(&g->number_kept, number);
    else if (m->ident.n)
        remember(g, &rec, hash);
    *seq = rec.seq;
    *kept = true;
    return SY_OK;
}

static sy_err gate_wait_synced(void *ctx, uint64_t seq, sy_fail *f)
{
    return sy_journal_wait_synced(((sy_gate *)ctx)->journal, seq, f);
}

static uint64_t gate_synced(void *ctx)
{
    return sy_journal_synced(((sy_gate *)ctx)->journal);
}

static uint64_t gate_last_number(void *ctx)
{
    const sy_gate *g = ctx;
    uint64_t kept = atomic_load(&g->number_kept);
    uint64_t last = g->n_scattered ? g->scattered[g->n_scattered - 1] : 0;
    return kept > last ? kept : last;
}

static void gate_refused(void *ctx, const sy_refusal *r)
{
    sy_gate *g = ctx;
    char from[160], text[240], peer[80];
    atomic_fetch_add(&g->rejected[r->why], 1);
    if (g->teller.refused)
        g->teller.refused(g->teller.ctx, r);
    sy_log(SY_LOG_WARN, "message-rejected",
           "transport=%s why=%s reason=%s source=%s peer=%s msg=%s",
           sy_transport_name(r->transport), sy_reject_name(r->why),
           r->reason ? r->reason : sy_reject_name(r->why), sy_logq(r->who, from, sizeof from),
           sy_logq(sy_span_of(r->peer), peer, sizeof peer),
           sy_logq(sy_span_of(r->detail), text, sizeof text));
}

static void gate_rejected(void *ctx, sy_transport t, sy_reject why, sy_span source,
                          const char *detail)
{
    sy_refusal r = {.transport = t, .why = why, .who = source, .detail = detail};
    gate_refused(ctx, &r);
}

static void gate_strange(void *ctx, const sy_stranger *s)
{
    sy_gate *g = ctx;
    if (g->teller.strange)
        g->teller.strange(g->teller.ctx, s);
}

static sy_err gate_press(void *ctx, const sy_press *p, sy_fail *f)
{
    sy_gate *g = ctx;
    return g->teller.press ? g->teller.press(g->teller.ctx, p, f)
                           : sy_fail_set(f, SY_E_UNSUPPORTED, "nothing is acknowledged here");
}

static void gate_marker(void *ctx, uint64_t number)
{
    sy_gate *g = ctx;
    if (g->marker)
        g->marker(g->ctx, number);
}

/* A number that the journal has. Behind damage those that are missing may be in the damage, and in
 * the spool still: only what is there counts. */
static sy_err note_number(sy_gate *g, uint64_t number, bool behind_damage, sy_fail *f)
{
    if (!behind_damage) {
        if (number > atomic_load(&g->number_kept))
            atomic_store(&g->number_kept, number);
        return SY_OK;
    }
    if (g->n_scattered && number <= g->scattered[g->n_scattered - 1])
        return SY_OK;
    if (sy_grow(sy_heap(), (void **)&g->scattered, &g->cap_scattered, g->n_scattered + 1,
                sizeof *g->scattered))
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the intake");
    g->scattered[g->n_scattered++] = number;
    return SY_OK;
}

/* The newest messages of the journal, as they were remembered before. */
static sy_err rebuild(sy_gate *g, sy_fail *f)
{
    uint64_t last = sy_journal_seq(g->journal);
    sy_jreader *r;
    sy_err e = sy_jreader_open(&r, g->journal, NULL, last > RING ? last - RING + 1 : 1, f);
    if (e)
        return e;
    sy_jrec rec;
    sy_err failed = SY_OK;
    bool damage = false;
    while (!failed && ((e = sy_jreader_next(r, &rec, f)) == SY_OK || e == SY_E_CORRUPT)) {
        bool message = e == SY_OK && rec.type == SY_J_MESSAGE && rec.ident.n;
        uint64_t number = message ? number_of(rec.code & 0xff, rec.flags, rec.ident) : 0;
        damage = damage || e == SY_E_CORRUPT;
        if (number)
            failed = note_number(g, number, damage, f);
        else if (message)
            remember(g, &rec, hash_of_record(g, &rec));
        if (e == SY_OK && rec.seq >= last)
            break;
    }
    sy_jreader_close(r);
    if (failed)
        return failed;
    return e == SY_E_AGAIN || e == SY_E_CORRUPT ? SY_OK : e;
}

sy_err sy_gate_open(sy_gate **out, sy_journal *j, bool strict,
                    void (*marker)(void *ctx, uint64_t number), void *ctx, sy_fail *f)
{
    sy_gate *g = calloc(1, sizeof *g);
    if (!g)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the intake");
    pthread_mutex_init(&g->mu, NULL);
    g->journal = j;
    g->marker = marker;
    g->ctx = ctx;
    g->intake = (sy_intake){.ctx = g,
                            .submit = gate_submit,
                            .wait_synced = gate_wait_synced,
                            .strict = strict,
                            .rejected = gate_rejected,
                            .marker = gate_marker,
                            .knows_end = gate_knows_end,
                            .synced = gate_synced,
                            .last_number = gate_last_number,
                            .refused = gate_refused,
                            .strange = gate_strange,
                            .press = gate_press};
    sy_random(g->key, sizeof g->key);
    g->ring = calloc(RING, sizeof *g->ring);
    g->slots = calloc(SLOTS, sizeof *g->slots);
    sy_err e = g->ring && g->slots ? rebuild(g, f)
                                   : sy_fail_set(f, SY_E_NOMEM, "no memory for the intake");
    if (e) {
        sy_gate_close(g);
        return e;
    }
    *out = g;
    return SY_OK;
}

const sy_intake *sy_gate_intake(sy_gate *g)
{
    return &g->intake;
}

void sy_gate_tell(sy_gate *g, const sy_gate_teller *t)
{
    g->teller = *t;
}

void sy_gate_take(sy_gate *g, uint64_t rejected[SY_REJECT_COUNT], uint64_t *duplicates)
{
    for (int i = 0; i < SY_REJECT_COUNT; i++)
        rejected[i] = atomic_exchange(&g->rejected[i], 0);
    *duplicates = atomic_exchange(&g->duplicates, 0);
}

void sy_gate_close(sy_gate *g)
{
    if (!g)
        return;
    pthread_mutex_destroy(&g->mu);
    free(g->scattered);
    free(g->slots);
    free(g->ring);
    free(g);
}
