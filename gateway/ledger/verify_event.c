/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying events as a supervisor received them: one, or an array of them. */
#include <jansson.h>

#include "ledger/json_cut.h"
#include "ledger/jws.h"
#include "ledger/member.h"
#include "ledger/verify.h"

enum { EVENTS_BYTES = 64 << 20 };

static const char *id_of(const json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "id"));
    return id ? id : "?";
}

/* An event taken apart. */
typedef struct parts {
    sy_buf text, jws, proof_json; /* jws empty: none */
    sy_proof proof;
    sy_proof_facts facts;
    const char *original; /* of a redacted one */
} parts;

static void parts_init(parts *p)
{
    memset(p, 0, sizeof *p);
    sy_buf_init(&p->text, sy_heap());
    sy_buf_init(&p->jws, sy_heap());
    sy_buf_init(&p->proof_json, sy_heap());
    sy_proof_init(&p->proof);
}

static void parts_free(parts *p)
{
    sy_proof_free(&p->proof);
    sy_buf_fini(&p->proof_json);
    sy_buf_fini(&p->jws);
    sy_buf_fini(&p->text);
}

static sy_err take_apart(sy_span raw, const json_t *event, parts *p, sy_fail *f)
{
    size_t at = 0;
    sy_span value;
    sy_err e = sy_proof_cut(raw, &p->text, &p->proof_json, f);
    if (!e && sy_member_find(sy_buf_span(&p->text), SY_MEMBER_JWS, &at, &value)) {
        sy_buf_span_put(&p->jws, value);
        p->text.n = at;
        sy_buf_char(&p->text, '}');
    }
    p->original = json_string_value(json_object_get(event, "steelyardoriginal"));
    if (!e && (p->text.failed || p->jws.failed))
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for an event");
    return e ? e : sy_proof_read(sy_buf_span(&p->proof_json), &p->proof, f);
}

/* The event was signed when it was sent, under the newest head: by a certificate that is valid
 * then, or was made only afterwards. */
static sy_err check_chain(const parts *p, const sy_jws *j, sy_span ca, sy_fail *f)
{
    sy_subject who;
    const sy_ms head = p->facts.head.time;
    sy_err e = sy_chain_subject(&j->chain, &who, f);
    const sy_chain_want want = {.ca_pem = ca,
                                .spki = sy_buf_span(&j->spki),
                                .gateway = p->facts.head.gateway,
                                .when = who.from > head ? who.from : head};
    return e ? e : sy_chain_check(&j->chain, &want, f);
}

/* The signature is over this text, by the gateway's key: that of the head, or one that the
 * authority has certified for it. */
static sy_err check_signature(const parts *p, sy_span ca, sy_fail *f)
{
    sy_jws j;
    sy_jws_init(&j);
    sy_err e = sy_jws_read(sy_buf_span(&p->jws), &j, f);
    if (!e && (!j.detached || strcmp(j.typ, SY_TYP_EVENT) != 0))
        e = sy_fail_set(f, SY_E_DENIED, "the signature is none of an event");
    e = e ? e : sy_jws_holds(&j, sy_buf_span(&p->text), sy_buf_span(&p->proof.head.spki), f);
    if (!e && ca.n && j.chain.n)
        e = check_chain(p, &j, ca, f);
    else if (!e && ca.n && strcmp(j.kid, "") != 0 && !sy_span_is(p->facts.head.kid, j.kid))
        e = sy_fail_set(f, SY_E_DENIED, "the signature is by another key than the head");
    sy_jws_free(&j);
    return e;
}

static bool leaf_fits(const parts *p, const char *id)
{
    const sy_span leaf = sy_buf_span(&p->proof.leaf);
    return p->original ? sy_leaf_is_redacted(leaf, sy_span_of(id), p->original)
                       : sy_leaf_is_event(leaf, sy_span_of(id), sy_buf_span(&p->text));
}

static void tell_fine(const parts *p, const char *id, sy_check *c)
{
    const sy_span gateway = p->facts.head.gateway;
    sy_check_say(c, SY_FOUND_FINE,
                 "event %s is leaf %llu of the ledger of %.*s, under a head of %llu leaves",
                 "事件 %s 是网关账本第 %llu 叶（网关 %.*s，签名头含 %llu 叶）", id,
                 (unsigned long long)p->proof.index, (int)gateway.n, gateway.p,
                 (unsigned long long)p->facts.head.size);
    if (p->original)
        sy_check_say(c, SY_FOUND_NOTE,
                     "event %s is shortened: the ledger has the whole text, and the gateway's "
                     "signature says that this is what is left of it",
                     "事件 %s 已删减：账本存有全文，网关签名证明此为删减后的文本", id);
}

static void check_one(sy_span raw, const json_t *event, sy_check *c)
{
    parts p;
    sy_fail why = {0};
    const char *id = id_of(event);
    parts_init(&p);
    sy_err e = take_apart(raw, event, &p, &why);
    e = e ? e : sy_proof_check(&p.proof, c->ca, &p.facts, &why);
    if (!e && p.original && !p.jws.n)
        e = sy_fail_set(&why, SY_E_DENIED, "it is shortened, and carries no signature");
    if (!e && p.jws.n)
        e = check_signature(&p, c->ca, &why);
    if (e)
        sy_check_say(c, SY_FOUND_BROKEN, "event %s: %s", "事件 %s：%s", id, why.text);
    else if (!leaf_fits(&p, id))
        sy_check_say(c, SY_FOUND_BROKEN, "event %s is not what the ledger's leaf %llu says",
                     "事件 %s 与账本第 %llu 叶不符", id, (unsigned long long)p.proof.index);
    else if (!sy_verify_source(event, p.facts.head.gateway))
        sy_check_say(c, SY_FOUND_BROKEN, "event %s is in the ledger of another gateway",
                     "事件 %s 位于另一网关的账本中", id);
    else
        tell_fine(&p, id, c);
    if (!e && !c->ca.n)
        sy_check_say(c, SY_FOUND_BROKEN,
                     "whose key it is was not checked: give the authority's certificate with --ca",
                     "未核对密钥归属：请用 --ca 给出主管机关证书");
    parts_free(&p);
}

sy_err sy_verify_events(sy_span file, sy_check *c, sy_fail *f)
{
    json_error_t why = {.line = 0};
    json_t *root = file.n <= EVENTS_BYTES
                       ? json_loadb(file.n ? file.p : "", file.n, JSON_REJECT_DUPLICATES, &why)
                       : NULL;
    if (!root)
        return sy_fail_set(f, SY_E_PARSE,
                           "neither evidence nor events: no valid JSON: %s (line %d, column %d)",
                           why.text, why.line, why.column);
    bool batch = json_is_array(root);
    size_t n = batch ? json_array_size(root) : 1;
    sy_span rest = sy_json_items(file, batch);
    for (size_t i = 0; i < n; i++)
        check_one(sy_json_next(&rest), batch ? json_array_get(root, i) : root, c);
    if (n == 0)
        sy_check_say(c, SY_FOUND_NOTE, "there are no events in the file", "文件中没有事件");
    json_decref(root);
    return SY_OK;
}
