/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and signing. All that is written goes through the store's batch, so that a head never
 * speaks of leaves that are not there, and a leaf never stands without what it speaks of.
 */
#include "ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "ledger/box.h"
#include "ledger/ledger_int.h"
#include "store/salvage.h"

enum { TOLD_AGAIN = 8 };

static void free_destinations(sy_ledger *l)
{
    for (size_t i = 0; i < l->n_destinations; i++)
        free(l->destinations[i]);
    free(l->destinations);
    l->destinations = NULL;
    l->n_destinations = 0;
}

static sy_err take_options(sy_ledger *l, const sy_ledger_options *o, sy_fail *f)
{
    char **names = calloc(o->n_destinations + 1, sizeof *names);
    bool good = names != NULL;
    for (size_t i = 0; good && i < o->n_destinations; i++)
        good = (names[i] = strdup(o->destinations[i])) != NULL;
    free_destinations(l);
    l->destinations = names;
    l->n_destinations = names ? o->n_destinations : 0;
    l->interval = o->interval;
    return good ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for the ledger");
}

static void trouble(sy_ledger *l, const sy_fail *why)
{
    memcpy(l->trouble, why->text, sizeof l->trouble);
    l->trouble[sizeof l->trouble - 1] = 0;
    sy_log_fail(SY_LOG_ERROR, "ledger-trouble", why);
}

void sy_ledger__chain_bytes(const sy_chain *c, sy_buf *out)
{
    for (size_t i = 0; i < c->n; i++)
        sy_buf_blob(out, sy_buf_span(&c->der[i]));
}

static void read_chain(sy_ledger *l)
{
    sy_fail why = {0};
    if (l->key && sy_keyfile_chain(l->cert_path, sy_es256_spki(l->key), &l->chain, &why))
        sy_log_fail(SY_LOG_ERROR, "ledger-certificate-unfit", &why);
}

static void copy_kid(void *ctx, const sy_key_row *k)
{
    char *kid = ctx;
    size_t n = strnlen(k->kid, SY_KID_CHARS);
    memcpy(kid, k->kid, n);
    kid[n] = 0;
}

static void copy_size(void *ctx, const sy_head_row *h)
{
    *(uint64_t *)ctx = h->size;
}

static sy_err newest_size(sy_ledger *l, uint64_t *size, sy_fail *f)
{
    *size = 0;
    return sy_store_heads(l->store, 0, INT64_MAX, 1, true, copy_size, size, f);
}

sy_err sy_ledger_event(sy_ledger *l, const char *event_id, const sy_leaf_event *e, sy_fail *f)
{
    sy_buf leaf;
    uint64_t index = 0;
    sy_buf_init(&leaf, sy_heap());
    sy_leaf_event_text(e, &leaf);
    sy_err err = leaf.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf")
                             : sy_store_leaf(l->store, sy_buf_span(&leaf), &index, f);
    sy_buf_fini(&leaf);
    return err ? err : sy_store_event_leaf(l->store, event_id, index, f);
}

sy_err sy_ledger__sign_with(sy_ledger *l, sy_es256 *key, sy_ms now, bool *made, sy_fail *f)
{
    uint8_t signature[SY_SIGNATURE_BYTES];
    uint64_t newest = 0;
    sy_buf text;
    sy_head h = {.gateway = sy_span_of(l->gateway),
                 .box = sy_span_of(l->box),
                 .kid = sy_span_of(sy_es256_kid(key)),
                 .time = now > 0 ? now : 0};
    *made = false;
    sy_err e = sy_store_leaves(l->store, &h.size, f);
    e = e ? e : newest_size(l, &newest, f);
    if (e || h.size == newest)
        return e;
    e = sy_store_root(l->store, h.size, &h.root, f);
    if (e)
        return e;
    sy_buf_init(&text, sy_heap());
    sy_head_text(&h, &text);
    sy_fail why = {0};
    if (text.failed || sy_es256_sign(key, sy_buf_span(&text), signature, &why)) {
        sy_log_fail(SY_LOG_ERROR, "ledger-sign-failed", &why);
        sy_buf_fini(&text);
        return SY_OK;
    }
    const sy_head_row row = {h.size,
                             h.time,
                             sy_es256_kid(key),
                             sy_buf_span(&text),
                             {(const char *)signature, sizeof signature}};
    e = sy_store_head_put(l->store, &row, f);
    sy_buf_fini(&text);
    if (!e) {
        l->signed_size = h.size;
        *made = true;
    }
    return e;
}

sy_err sy_ledger_sign(sy_ledger *l, sy_ms now, bool urgent, bool *made, sy_fail *f)
{
    sy_err e = SY_OK;
    *made = false;
    pthread_mutex_lock(&l->lock);
    if (l->key && (urgent || sy_mono_ms() - l->signed_at >= l->interval))
        e = sy_ledger__sign_with(l, l->key, now, made, f);
    pthread_mutex_unlock(&l->lock);
    return e;
}

bool sy_ledger_due(sy_ledger *l)
{
    uint64_t size = 0;
    sy_fail unused;
    pthread_mutex_lock(&l->lock);
    bool due = l->key && sy_mono_ms() - l->signed_at >= l->interval;
    if (due && (sy_store_leaves(l->store, &size, &unused) || size == l->signed_size)) {
        l->signed_at = sy_mono_ms(); /* nothing new: look again after the next interval */
        due = false;
    }
    pthread_mutex_unlock(&l->lock);
    return due;
}

void sy_ledger_signed(sy_ledger *l)
{
    pthread_mutex_lock(&l->lock);
    l->signed_at = sy_mono_ms();
    pthread_mutex_unlock(&l->lock);
}

/* The first key names itself. */
static sy_err put_first_key(sy_ledger *l, sy_ms now, sy_fail *f)
{
    uint8_t signature[SY_SIGNATURE_BYTES];
    uint64_t index = 0;
    sy_buf leaf, chain;
    sy_buf_init(&leaf, sy_heap());
    sy_buf_init(&chain, sy_heap());
    sy_leaf_key k = {now, sy_es256_kid(l->key), NULL, sy_es256_spki(l->key), NULL, NULL};
    sy_leaf_key_text(&k, &leaf);
    sy_err e = leaf.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf")
                           : sy_es256_sign(l->key, sy_buf_span(&leaf), signature, f);
    k.new_signature = signature;
    sy_buf_reset(&leaf);
    sy_leaf_key_text(&k, &leaf);
    sy_ledger__chain_bytes(&l->chain, &chain);
    e = e ? e : sy_store_leaf(l->store, sy_buf_span(&leaf), &index, f);
    const sy_key_row row = {k.kid, index, now, k.spki, sy_buf_span(&chain)};
    e = e ? e : sy_store_key_put(l->store, &row, f);
    sy_buf_fini(&leaf);
    sy_buf_fini(&chain);
    return e;
}

static sy_err put_chain(sy_ledger *l, sy_fail *f)
{
    sy_buf chain;
    sy_buf_init(&chain, sy_heap());
    sy_ledger__chain_bytes(&l->chain, &chain);
    sy_err e = sy_store_key_chain(l->store, sy_es256_kid(l->key), sy_buf_span(&chain), f);
    sy_buf_fini(&chain);
    return e;
}

static sy_err put_box(sy_ledger *l, const char *before, sy_ms now, sy_fail *f)
{
    uint64_t index = 0;
    sy_buf leaf;
    sy_buf_init(&leaf, sy_heap());
    sy_leaf_box_text(now, l->box, before[0] ? before : NULL, &leaf);
    sy_err e = sy_store_leaf(l->store, sy_buf_span(&leaf), &index, f);
    sy_buf_fini(&leaf);
    e = e ? e : sy_store_box_put(l->store, l->box, now, index, f);
    if (e || !before[0])
        return e;
    sy_log(SY_LOG_ERROR, "box-changed", "box=%.16s before=%.16s", l->box, before);
    return sy_ledger__tell_box(l, before, index, now, f);
}

/* A durable transaction that is no part of the log; with a head where the ledger has grown. */
static sy_err begin(sy_ledger *l, sy_fail *f)
{
    return sy_store_begin(l->store, true, f);
}

static sy_err end(sy_ledger *l, sy_err e, sy_ms now, sy_fail *f)
{
    bool made = false;
    e = e ? e : sy_ledger_sign(l, now, true, &made, f);
    if (!e)
        e = sy_store_done(l->store, f);
    else
        sy_store_rollback(l->store);
    if (!e && made)
        sy_ledger_signed(l);
    return e;
}

typedef struct sizes {
    uint64_t v[TOLD_AGAIN];
    size_t n;
} sizes;

static void take_size(void *ctx, const sy_head_row *h)
{
    sizes *s = ctx;
    if (s->n < TOLD_AGAIN)
        s->v[s->n++] = h->size;
}

/* Heads that the old folder may have told after it was backed up: each destination is shown that
 * the ledger continues them. */
static sy_err tell_again(sy_ledger *l, sy_fail *f)
{
    sizes s = {.n = 0};
    sy_err e = sy_store_heads(l->store, 0, INT64_MAX, TOLD_AGAIN, true, take_size, &s, f);
    for (size_t d = 0; d < l->n_destinations && !e; d++) {
        uint64_t confirmed = 0;
        e = sy_store_confirmed(l->store, l->destinations[d], &confirmed, f);
        for (size_t i = 0; i < s.n && !e; i++)
            if (s.v[i] > confirmed)
                e = sy_store_told_put(l->store, l->destinations[d], s.v[i], f);
    }
    return e;
}

/* The note is of this ledger: it has just its leaves, or goes on from them with a leaf that says
 * so.
 */
static bool note_fits(sy_ledger *l, const sy_restored *r)
{
    uint64_t n = 0;
    sy_digest root;
    sy_buf leaf;
    char id[64];
    if (sy_store_leaves(l->store, &n, NULL) || n < r->leaves ||
        sy_store_root(l->store, r->leaves, &root, NULL) || !sy_digest_equal(&root, &r->root))
        return false;
    if (n == r->leaves)
        return true;
    (void)snprintf(id, sizeof id, "\"on\":\"ledger-restored/%s\"", r->id);
    sy_buf_init(&leaf, sy_heap());
    bool fits = sy_store_leaf_get(l->store, r->leaves, &leaf, NULL) == SY_OK && leaf.n &&
                memmem(leaf.p, leaf.n, id, strlen(id)) != NULL;
    sy_buf_fini(&leaf);
    return fits;
}

/* The first leaf behind those of the backup says so, once; then whoever knows more is told. */
static sy_err put_restored(sy_ledger *l, const sy_restored *r, sy_ms now, sy_fail *f)
{
    char id[64];
    uint64_t n = 0;
    sy_buf leaf;
    sy_err e = sy_store_leaves(l->store, &n, f);
    if (!e && n == r->leaves) {
        (void)snprintf(id, sizeof id, "ledger-restored/%s", r->id);
        const sy_action a = {.who = r->who, .what = "restore", .on = id, .why = r->why};
        sy_buf_init(&leaf, sy_heap());
        sy_leaf_action_text(now, &a, &leaf);
        e = leaf.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf")
                        : sy_store_leaf(l->store, sy_buf_span(&leaf), &n, f);
        sy_buf_fini(&leaf);
        e = e ? e : tell_again(l, f);
        char made[25], who[SY_RESTORED_WHO * 4], why[SY_RESTORED_WHY];
        sy_time_text(r->made, made);
        sy_log(SY_LOG_WARN, "ledger-restored", "leaves=%llu backup=%s who=%s msg=%s",
               (unsigned long long)r->leaves, made, sy_logq(sy_span_of(r->who), who, sizeof who),
               sy_logq(sy_span_of(r->why), why, sizeof why));
    }
    return e;
}

/* What a start has to say, in one transaction. */
static sy_err write_start(sy_ledger *l, const sy_restored *restored, const char *recorded,
                          sy_ms now, sy_fail *f)
{
    char before[65];
    sy_err e = sy_store_box(l->store, before, f);
    if (e)
        return e;
    e = begin(l, f);
    if (!e && l->key)
        e = recorded[0] ? put_chain(l, f) : put_first_key(l, now, f);
    if (!e && restored)
        e = put_restored(l, restored, now, f);
    if (!e && l->box[0] && strcmp(before, l->box) != 0)
        e = put_box(l, before, now, f);
    if (!e && restored && l->key) /* what nobody signs would prove nothing */
        e = sy_ledger__tell_restored(l, restored, now, f);
    if (!e && l->trouble[0])
        e = sy_ledger__tell_trouble(l, now, f);
    return end(l, e, now, f);
}

static sy_err open_files(sy_ledger *l, const sy_ledger_options *o, char recorded[65],
                         sy_restored *restored, bool *is_restored, sy_fail *f)
{
    sy_fail why = {0};
    sy_err e = sy_keyfile_paths(o->data_dir, o->key, o->cert, l->key_path, l->cert_path, f);
    e = e ? e : sy_store_key(l->store, NULL, copy_kid, recorded, f);
    if (e && e != SY_E_NOTFOUND)
        return e;
    if (sy_box_id(o->box, l->box, &why))
        sy_log_fail(SY_LOG_WARN, "box-unknown", &why);
    why = (sy_fail){0};
    bool lost = false;
    e = sy_store_ledger_lost(l->store, &lost, f);
    if (e)
        return e;
    if (lost)
        sy_fail_set(&why, SY_E_CORRUPT,
                    "leaves of the ledger were lost with a damaged store: nothing is signed; "
                    "restore a backup of the data folder");
    sy_err note = sy_restored_read(o->data_dir, restored, &why);
    if (!note && !note_fits(l, restored))
        note = sy_fail_set(
            &why, SY_E_DENIED,
            "%s/ledger/restored.json is not of this ledger: restore the folder again", o->data_dir);
    *is_restored = note == SY_OK;
    bool unfit = note != SY_OK && note != SY_E_NOTFOUND; /* why says so */
    if (lost || unfit || sy_keyfile_open(l->key_path, l->cert_path, recorded, &l->key, &why))
        trouble(l, &why);
    read_chain(l);
    return newest_size(l, &l->signed_size, f);
}

sy_err sy_ledger_open(sy_ledger **out, const sy_ledger_options *o, sy_ms now, sy_fail *f)
{
    char recorded[65] = "";
    sy_ledger *l = calloc(1, sizeof *l);
    if (!l)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the ledger");
    pthread_mutex_init(&l->lock, NULL);
    sy_chain_init(&l->chain);
    l->store = o->store;
    l->gateway = strdup(o->gateway);
    sy_err e =
        l->gateway ? take_options(l, o, f) : sy_fail_set(f, SY_E_NOMEM, "no memory for the ledger");
    l->signed_at = sy_mono_ms() - l->interval;
    sy_restored restored;
    bool is_restored = false;
    e = e ? e : open_files(l, o, recorded, &restored, &is_restored, f);
    e = e ? e : write_start(l, is_restored ? &restored : NULL, recorded, now, f);
    if (!e && is_restored && l->key)
        sy_restored_done(o->data_dir);
    if (e) {
        sy_ledger_close(l);
        return sy_fail_wrap(f, "the ledger");
    }
    if (l->key && !l->chain.n)
        sy_log(SY_LOG_WARN, "ledger-not-certified",
               "kid=%.16s msg=\"no authority has certified the key; see steelyard keys request\"",
               sy_es256_kid(l->key));
    *out = l;
    return SY_OK;
}

void sy_ledger_close(sy_ledger *l)
{
    if (!l)
        return;
    sy_es256_close(l->key);
    sy_chain_free(&l->chain);
    free_destinations(l);
    free(l->gateway);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

sy_err sy_ledger_reload(sy_ledger *l, const sy_ledger_options *o, sy_fail *f)
{
    sy_err e = begin(l, f);
    if (e)
        return e;
    pthread_mutex_lock(&l->lock);
    e = take_options(l, o, f);
    read_chain(l);
    if (!e && l->key)
        e = put_chain(l, f);
    pthread_mutex_unlock(&l->lock);
    if (!e)
        return sy_store_done(l->store, f);
    sy_store_rollback(l->store);
    return e;
}

sy_err sy_ledger_tell(sy_ledger *l, const sy_event_row *row, sy_ms now, sy_fail *f)
{
    bool added = false;
    sy_err e = begin(l, f);
    if (e)
        return e;
    e = sy_ledger__put_event(l, row, &added, f);
    return end(l, e, now, f);
}

sy_err sy_ledger_action(sy_ledger *l, sy_ms now, const sy_action *a, sy_fail *f)
{
    uint64_t index = 0;
    sy_buf leaf;
    sy_buf_init(&leaf, sy_heap());
    sy_leaf_action_text(now, a, &leaf);
    sy_err e = leaf.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf") : begin(l, f);
    if (!e) {
        e = sy_store_leaf(l->store, sy_buf_span(&leaf), &index, f);
        e = end(l, e, now, f);
    }
    sy_buf_fini(&leaf);
    return e;
}

/* The certificate that waits for the next key, as the key's row keeps it. */
static void next_chain(const sy_ledger *l, const sy_es256 *next, sy_buf *out)
{
    char path[SY_LEDGER_PATH + 8];
    sy_chain chain;
    sy_fail why = {0};
    sy_chain_init(&chain);
    snprintf(path, sizeof path, "%s.next", l->cert_path);
    if (sy_keyfile_chain(path, sy_es256_spki(next), &chain, &why))
        sy_log_fail(SY_LOG_ERROR, "ledger-certificate-unfit", &why);
    sy_ledger__chain_bytes(&chain, out);
    sy_chain_free(&chain);
}

/* With the batch and the lock held: both keys sign the leaf, the new one signs the head. */
static sy_err put_rotation(sy_ledger *l, sy_es256 *next, sy_ms now, sy_fail *f)
{
    uint8_t signature[2][SY_SIGNATURE_BYTES];
    uint64_t index = 0;
    bool made = false;
    sy_buf leaf, chain;
    sy_leaf_key k = {now, sy_es256_kid(next), sy_es256_kid(l->key), sy_es256_spki(next), NULL,
                     NULL};
    sy_buf_init(&leaf, sy_heap());
    sy_buf_init(&chain, sy_heap());
    sy_leaf_key_text(&k, &leaf);
    sy_err e = sy_es256_sign(next, sy_buf_span(&leaf), signature[0], f);
    e = e ? e : sy_es256_sign(l->key, sy_buf_span(&leaf), signature[1], f);
    k.new_signature = signature[0];
    k.old_signature = signature[1];
    sy_buf_reset(&leaf);
    sy_leaf_key_text(&k, &leaf);
    e = e ? e : sy_store_leaf(l->store, sy_buf_span(&leaf), &index, f);
    next_chain(l, next, &chain);
    const sy_key_row row = {k.kid, index, now, k.spki, sy_buf_span(&chain)};
    e = e ? e : sy_store_key_put(l->store, &row, f);
    sy_buf_fini(&chain);
    e = e ? e : sy_ledger__sign_with(l, next, now, &made, f);
    if (!e && !made)
        e = sy_fail_set(f, SY_E_IO, "the new key cannot sign");
    sy_buf_fini(&leaf);
    return e;
}

sy_err sy_ledger_rotate(sy_ledger *l, sy_ms now, sy_fail *f)
{
    sy_es256 *next = NULL;
    if (l->trouble[0])
        return sy_fail_set(f, SY_E_USAGE, "the ledger is in trouble: %s", l->trouble);
    sy_err e = sy_keyfile_next(l->key_path, &next, f);
    e = e ? e : begin(l, f);
    if (e) {
        sy_es256_close(next);
        return e;
    }
    pthread_mutex_lock(&l->lock);
    e = put_rotation(l, next, now, f);
    if (e)
        sy_store_rollback(l->store);
    else
        e = sy_store_done(l->store, f);
    if (!e) {
        sy_es256_close(l->key);
        l->key = next;
        next = NULL;
        l->signed_at = sy_mono_ms();
        e = sy_keyfile_switch(l->key_path, l->cert_path, f);
        read_chain(l);
        sy_log(SY_LOG_INFO, "ledger-key-rotated", "kid=%.16s", sy_es256_kid(l->key));
    }
    pthread_mutex_unlock(&l->lock);
    sy_es256_close(next);
    return e;
}
