/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs are made when an event is sent, so that all events of a batch stand under the newest head,
 * however long they waited. */
#include "upstream/proofs.h"

#include "base/log.h"
#include "ledger/member.h"
#include "ledger/prove.h"
#include "store/heads.h"

static bool keep(sy_arena *arena, const sy_buf *from, sy_span *to)
{
    char *copy = from->failed ? NULL : sy_arena_get(arena, from->n + 1);
    if (!copy)
        return false;
    memcpy(copy, from->p, from->n);
    copy[from->n] = 0;
    *to = (sy_span){copy, from->n};
    return true;
}

void sy_proofs_sign(sy_signer *signer, sy_outbox_item *item, sy_arena *arena)
{
    sy_buf jws, body;
    sy_fail why = {0};
    sy_buf_init(&jws, sy_heap());
    sy_buf_init(&body, sy_heap());
    sy_err e = sy_signer_sign(signer, item->body, &jws, &why);
    if (!e) {
        sy_member_add(item->body, SY_MEMBER_JWS, sy_buf_span(&jws), &body);
        if (!keep(arena, &body, &item->body))
            e = sy_fail_set(&why, SY_E_NOMEM, "no memory for a signature");
    }
    if (e)
        sy_log_fail(SY_LOG_WARN, "upstream-unsigned", &why);
    sy_buf_fini(&body);
    sy_buf_fini(&jws);
}

void sy_proofs_add(sy_store *s, sy_outbox_item *item, sy_arena *arena)
{
    sy_proof proof;
    sy_buf json, body;
    sy_fail why = {0};
    if (item->leaf < 0)
        return;
    sy_proof_init(&proof);
    sy_buf_init(&json, sy_heap());
    sy_buf_init(&body, sy_heap());
    sy_err e = sy_prove_leaf(s, (uint64_t)item->leaf, &proof, &why);
    if (!e) {
        sy_proof_json(&proof, &json);
        sy_proof_add(item->body, sy_buf_span(&json), &body);
        if (json.failed || !keep(arena, &body, &item->body))
            e = sy_fail_set(&why, SY_E_NOMEM, "no memory for a proof");
    }
    if (e)
        sy_log_fail(SY_LOG_WARN, "upstream-unproven", &why);
    sy_buf_fini(&body);
    sy_buf_fini(&json);
    sy_proof_free(&proof);
}

/* SY_E_NOTFOUND: the destination knows the newest. */
static sy_err choose(sy_store *s, const char *destination, uint64_t *telling, sy_fail *f)
{
    uint64_t newest = 0, confirmed = 0;
    if (*telling)
        return SY_OK;
    sy_err e = sy_prove_newest(s, &newest, f);
    e = e ? e : sy_store_confirmed(s, destination, &confirmed, f);
    if (!e && newest <= confirmed)
        return SY_E_NOTFOUND;
    e = e ? e : sy_store_tell(s, destination, newest, f);
    *telling = e ? 0 : newest;
    return e;
}

bool sy_proofs_head(sy_store *s, const char *destination, uint64_t *telling, sy_outbox_item *item,
                    sy_arena *arena)
{
    sy_head_event event;
    sy_span id = {NULL, 0};
    sy_fail why = {0};
    sy_head_event_init(&event);
    sy_err e = choose(s, destination, telling, &why);
    e = e ? e : sy_prove_event(s, destination, *telling, &event, &why);
    if (!e && (!keep(arena, &event.id, &id) || !keep(arena, &event.body, &item->body)))
        e = sy_fail_set(&why, SY_E_NOMEM, "no memory for a head");
    if (!e) {
        item->id = id.p;
        item->number = -(int64_t)event.size;
        item->priority = 2;
        item->leaf = -1;
    } else if (e != SY_E_NOTFOUND) {
        sy_log_fail(SY_LOG_WARN, "upstream-head-failed", &why);
    }
    sy_head_event_free(&event);
    return !e;
}

sy_err sy_proofs_taken(sy_store *s, const char *destination, const int64_t *numbers, size_t n,
                       sy_fail *f)
{
    for (size_t i = 0; i < n; i++)
        if (sy_proofs_is_head(numbers[i]))
            return sy_store_confirm(s, destination, (uint64_t)-numbers[i], f);
    return SY_OK;
}
