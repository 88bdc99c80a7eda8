/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an event with a signature or a proof, as either, as a head. What is read is written
 * again as the same; nothing that was not signed is taken for signed.
 */
#include <stdlib.h>

#include "ledger/jws.h"
#include "ledger/member.h"
#include "ledger/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void as_head(sy_span text)
{
    sy_head h;
    sy_buf again;
    if (sy_head_read(text, &h, NULL) != SY_OK)
        return;
    sy_buf_init(&again, sy_heap());
    sy_head_text(&h, &again);
    require(sy_span_eq(text, sy_buf_span(&again)));
    sy_buf_fini(&again);
}

static void as_proof(sy_span json)
{
    sy_proof p, q;
    sy_proof_facts facts;
    sy_buf once, twice;
    sy_fail f = {0};
    sy_proof_init(&p);
    sy_proof_init(&q);
    sy_buf_init(&once, sy_heap());
    sy_buf_init(&twice, sy_heap());
    if (sy_proof_read(json, &p, &f) == SY_OK) {
        sy_proof_json(&p, &once);
        require(sy_proof_read(sy_buf_span(&once), &q, &f) == SY_OK);
        sy_proof_json(&q, &twice);
        require(sy_span_eq(sy_buf_span(&once), sy_buf_span(&twice)));
        (void)!sy_proof_check(&p, (sy_span){NULL, 0}, &facts, &f);
        as_head(sy_buf_span(&p.head.text));
    }
    sy_proof_free(&p);
    sy_proof_free(&q);
    sy_buf_fini(&once);
    sy_buf_fini(&twice);
}

static void as_event(sy_span event)
{
    sy_buf body, proof, again;
    sy_fail f = {0};
    sy_buf_init(&body, sy_heap());
    sy_buf_init(&proof, sy_heap());
    sy_buf_init(&again, sy_heap());
    if (sy_proof_cut(event, &body, &proof, &f) == SY_OK) {
        sy_proof_add(sy_buf_span(&body), sy_buf_span(&proof), &again);
        require(sy_span_eq(event, sy_buf_span(&again)));
        as_proof(sy_buf_span(&proof));
    }
    sy_buf_fini(&body);
    sy_buf_fini(&proof);
    sy_buf_fini(&again);
}

/* As a signature, and as an event that carries one: what is taken off can be put back. */
static void as_jws(sy_span text)
{
    size_t at = 0;
    sy_span value;
    sy_jws j;
    sy_fail f = {0};
    sy_jws_init(&j);
    if (sy_jws_read(text, &j, &f) == SY_OK && j.chain.n == 0) {
        require(sy_jws_holds(&j, text, (sy_span){NULL, 0}, &f) == SY_E_NOTFOUND);
    } else if (j.spki.n) {
        (void)!sy_jws_holds(&j, text, (sy_span){NULL, 0}, &f);
    }
    sy_jws_free(&j);
    if (sy_member_find(text, SY_MEMBER_JWS, &at, &value)) {
        sy_buf body, again;
        sy_buf_init(&body, sy_heap());
        sy_buf_init(&again, sy_heap());
        sy_buf_put(&body, text.p, at);
        sy_buf_char(&body, '}');
        sy_member_add(sy_buf_span(&body), SY_MEMBER_JWS, value, &again);
        require(sy_span_eq(text, sy_buf_span(&again)));
        sy_buf_fini(&body);
        sy_buf_fini(&again);
        as_jws(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const sy_span all = {(const char *)bytes, n};
    as_jws(all);
    as_event(all);
    as_proof(all);
    as_head(all);
    return 0;
}
