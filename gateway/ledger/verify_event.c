/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying events as a supervisor received them: one, or an array of them. */
#include <jansson.h>

#include "ledger/json_cut.h"
#include "ledger/verify.h"

enum { EVENTS_BYTES = 64 << 20 };

static const char *id_of(const json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "id"));
    return id ? id : "?";
}

static void check_one(sy_span raw, const json_t *event, sy_check *c)
{
    sy_buf body, json;
    sy_proof proof;
    sy_proof_facts facts;
    sy_fail why = {0};
    sy_buf_init(&body, sy_heap());
    sy_buf_init(&json, sy_heap());
    sy_proof_init(&proof);
    sy_err e = sy_proof_cut(raw, &body, &json, &why);
    if (!e)
        e = sy_proof_read(sy_buf_span(&json), &proof, &why);
    if (!e)
        e = sy_proof_check(&proof, c->ca, &facts, &why);
    const char *id = id_of(event);
    if (e)
        sy_check_say(c, SY_FOUND_BROKEN, "event %s: %s", "事件 %s：%s", id, why.text);
    else if (!sy_leaf_is_event(sy_buf_span(&proof.leaf), sy_span_of(id), sy_buf_span(&body)))
        sy_check_say(c, SY_FOUND_BROKEN, "event %s is not what the ledger's leaf %llu says",
                     "事件 %s 与账本第 %llu 叶不符", id, (unsigned long long)proof.index);
    else if (!sy_verify_source(event, facts.head.gateway))
        sy_check_say(c, SY_FOUND_BROKEN, "event %s is in the ledger of another gateway",
                     "事件 %s 位于另一网关的账本中", id);
    else
        sy_check_say(c, SY_FOUND_FINE,
                     "event %s is leaf %llu of the ledger of %.*s, under a head of %llu leaves",
                     "事件 %s 是网关账本第 %llu 叶（网关 %.*s，签名头含 %llu 叶）", id,
                     (unsigned long long)proof.index, (int)facts.head.gateway.n,
                     facts.head.gateway.p, (unsigned long long)facts.head.size);
    if (!e && !c->ca.n)
        sy_check_say(c, SY_FOUND_BROKEN,
                     "whose key it is was not checked: give the authority's certificate with --ca",
                     "未核对密钥归属：请用 --ca 给出主管机关证书");
    sy_proof_free(&proof);
    sy_buf_fini(&json);
    sy_buf_fini(&body);
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
