/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs: their JSON and their verification. */
#include "ledger/proof.h"

#include <jansson.h>

#include "ledger/b64.h"
#include "ledger/member.h"

void sy_signed_head_init(sy_signed_head *h)
{
    memset(h, 0, sizeof *h);
    sy_buf_init(&h->text, sy_heap());
    sy_buf_init(&h->spki, sy_heap());
    sy_chain_init(&h->chain);
}

void sy_signed_head_free(sy_signed_head *h)
{
    sy_buf_fini(&h->text);
    sy_buf_fini(&h->spki);
    sy_chain_free(&h->chain);
}

void sy_proof_init(sy_proof *p)
{
    memset(p, 0, sizeof *p);
    sy_buf_init(&p->leaf, sy_heap());
    sy_signed_head_init(&p->head);
}

void sy_proof_free(sy_proof *p)
{
    sy_buf_fini(&p->leaf);
    sy_signed_head_free(&p->head);
}

void sy_signed_head_json(const sy_signed_head *h, sy_buf *out)
{
    sy_buf_text(out, "\"head\":");
    sy_buf_json(out, sy_buf_span(&h->text));
    sy_buf_text(out, ",\"signature\":\"");
    sy_b64_put(out, (sy_span){(const char *)h->signature, sizeof h->signature}, SY_B64_URL);
    sy_buf_text(out, "\",\"key\":\"");
    sy_b64_put(out, sy_buf_span(&h->spki), SY_B64);
    sy_buf_text(out, "\",\"chain\":[");
    for (size_t i = 0; i < h->chain.n; i++) {
        sy_buf_text(out, i ? ",\"" : "\"");
        sy_b64_put(out, sy_buf_span(&h->chain.der[i]), SY_B64);
        sy_buf_char(out, '"');
    }
    sy_buf_char(out, ']');
}

void sy_proof_json(const sy_proof *p, sy_buf *out)
{
    sy_buf_text(out, "{\"leaf\":");
    sy_buf_json(out, sy_buf_span(&p->leaf));
    sy_buf_text(out, ",\"index\":");
    sy_buf_int(out, (int64_t)p->index);
    sy_buf_text(out, ",\"size\":");
    sy_buf_int(out, (int64_t)p->size);
    sy_buf_text(out, ",\"path\":[");
    for (size_t i = 0; i < p->path.n; i++) {
        char hex[65];
        sy_digest_hex(&p->path.path[i], hex);
        sy_buf_printf(out, "%s\"%s\"", i ? "," : "", hex);
    }
    sy_buf_text(out, "],");
    sy_signed_head_json(&p->head, out);
    sy_buf_char(out, '}');
}

static sy_span text_of(const json_t *v)
{
    return (sy_span){json_string_value(v), json_string_length(v)};
}

static sy_err bytes_of(const json_t *v, sy_b64 kind, size_t most, sy_buf *out)
{
    if (!json_is_string(v) || json_string_length(v) > most * 2)
        return SY_E_PARSE;
    sy_err e = sy_b64_get(text_of(v), kind, out);
    return !e && out->n > most ? SY_E_PARSE : e;
}

static sy_err read_chain(const json_t *list, sy_chain *out)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > SY_CHAIN_MAX)
        return SY_E_PARSE;
    for (size_t i = 0; i < n; i++) {
        sy_err e = bytes_of(json_array_get(list, i), SY_B64, SY_CHAIN_BYTES, &out->der[i]);
        if (e)
            return e;
        out->n = i + 1;
    }
    return SY_OK;
}

static sy_err read_head(const json_t *o, sy_signed_head *out)
{
    const json_t *text = json_object_get(o, "head");
    sy_buf signature;
    if (!json_is_string(text))
        return SY_E_PARSE;
    sy_buf_span_put(&out->text, text_of(text));
    sy_buf_init(&signature, sy_heap());
    sy_err e =
        bytes_of(json_object_get(o, "signature"), SY_B64_URL, sizeof out->signature, &signature);
    if (!e && signature.n != sizeof out->signature)
        e = SY_E_PARSE;
    if (!e)
        memcpy(out->signature, signature.p, sizeof out->signature);
    sy_buf_fini(&signature);
    e = e ? e : bytes_of(json_object_get(o, "key"), SY_B64, SY_SPKI_BYTES, &out->spki);
    e = e ? e : read_chain(json_object_get(o, "chain"), &out->chain);
    return e ? e : out->text.failed ? SY_E_NOMEM : SY_OK;
}

sy_err sy_signed_head_take(const struct json_t *object, sy_signed_head *out, sy_fail *f)
{
    sy_err e = read_head(object, out);
    return e ? sy_fail_set(f, e, "the head is not in the form of a signed head") : SY_OK;
}

static bool number_of(const json_t *v, uint64_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}

/* Those of the leaf, of `members` in all. */
static sy_err read_front(const json_t *o, size_t members, sy_proof *out)
{
    const json_t *leaf = json_object_get(o, "leaf"), *path = json_object_get(o, "path");
    size_t n = json_array_size(path);
    if (json_object_size(o) != members || !json_is_string(leaf) || !json_is_array(path) ||
        n > sizeof out->path.path / sizeof out->path.path[0] ||
        !number_of(json_object_get(o, "index"), &out->index) ||
        !number_of(json_object_get(o, "size"), &out->size))
        return SY_E_PARSE;
    for (size_t i = 0; i < n; i++) {
        const json_t *hex = json_array_get(path, i);
        if (!json_is_string(hex) || sy_digest_parse(text_of(hex), &out->path.path[i]))
            return SY_E_PARSE;
    }
    out->path.n = n;
    sy_buf_span_put(&out->leaf, text_of(leaf));
    return out->leaf.failed ? SY_E_NOMEM : SY_OK;
}

static sy_err read_members(const json_t *o, sy_proof *out)
{
    sy_err e = read_front(o, 8, out);
    return e ? e : read_head(o, &out->head);
}

static sy_err not_in_form(sy_err e, sy_fail *f)
{
    return sy_fail_set(f, e,
                       e == SY_E_NOMEM ? "no memory for a proof"
                                       : "the proof is not in the form of a proof");
}

sy_err sy_proof_read(sy_span json, sy_proof *out, sy_fail *f)
{
    json_t *root = json.n <= SY_PROOF_BYTES
                       ? json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL)
                       : NULL;
    sy_err e = root ? read_members(root, out) : SY_E_PARSE;
    json_decref(root);
    return e ? not_in_form(e, f) : SY_OK;
}

/* Front and tail make an object of eight members; the front, closed, is one of four: so the rest of
 * it is the tail's four, whatever stands before it. */
static json_t *load_front(sy_span front)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_buf_span_put(&text, front);
    sy_buf_char(&text, '}');
    json_t *root = text.failed ? NULL : json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    sy_buf_fini(&text);
    return root;
}

bool sy_proof_tail(sy_span json, sy_span *tail)
{
    static const char mark[] = "],\"head\":\"";
    const char *at = json.n ? memmem(json.p, json.n, mark, sizeof mark - 1) : NULL;
    if (!at)
        return false;
    const size_t front = (size_t)(at - json.p) + 1;
    json_t *root = load_front((sy_span){json.p, front});
    bool good = json_object_size(root) == 4;
    json_decref(root);
    *tail = (sy_span){json.p + front, json.n - front};
    return good;
}

sy_err sy_proof_read_front(sy_span json, sy_span tail, sy_proof *out, sy_fail *f)
{
    if (tail.n == 0 || json.n <= tail.n || json.n > SY_PROOF_BYTES ||
        memcmp(json.p + json.n - tail.n, tail.p, tail.n) != 0)
        return sy_fail_set(f, SY_E_NOTFOUND, "another head");
    json_t *root = load_front((sy_span){json.p, json.n - tail.n});
    sy_err e = root ? read_front(root, 4, out) : SY_E_PARSE;
    json_decref(root);
    return e ? not_in_form(e, f) : SY_OK;
}

sy_err sy_signed_head_check(const sy_signed_head *h, sy_span ca, sy_proof_facts *facts, sy_fail *f)
{
    char kid[SY_KID_CHARS + 1];
    *facts = (sy_proof_facts){0};
    sy_err e = sy_head_read(sy_buf_span(&h->text), &facts->head, f);
    if (e)
        return e;
    sy_kid_of(sy_buf_span(&h->spki), kid);
    if (!sy_span_is(facts->head.kid, kid))
        return sy_fail_set(f, SY_E_DENIED, "the head names another key than the one it comes with");
    e = sy_es256_check(sy_buf_span(&h->spki), sy_buf_span(&h->text), h->signature, f);
    if (e)
        return sy_fail_wrap(f, "the head");
    facts->signature_holds = true;
    if (!ca.n)
        return SY_OK;
    const sy_chain_want want = {.ca_pem = ca,
                                .spki = sy_buf_span(&h->spki),
                                .gateway = facts->head.gateway,
                                .when = facts->head.time};
    e = sy_chain_check(&h->chain, &want, f);
    facts->certified = !e;
    return e;
}

sy_err sy_proof_included(const sy_proof *p, const sy_head *head, sy_fail *f)
{
    sy_digest leaf = sy_merkle_leaf(sy_buf_span(&p->leaf));
    if (p->size != head->size ||
        !sy_merkle_included(&leaf, p->index, p->size, &p->path, &head->root))
        return sy_fail_set(f, SY_E_DENIED, "the leaf is not in the tree of the signed head");
    return SY_OK;
}

sy_err sy_proof_check(const sy_proof *p, sy_span ca, sy_proof_facts *facts, sy_fail *f)
{
    /* What the authority says of the key is told last: a leaf that is not in the tree is worse. */
    sy_err e = sy_signed_head_check(&p->head, (sy_span){NULL, 0}, facts, f);
    e = e ? e : sy_proof_included(p, &facts->head, f);
    facts->leaf_included = !e;
    if (e || !ca.n)
        return e;
    const sy_chain_want want = {.ca_pem = ca,
                                .spki = sy_buf_span(&p->head.spki),
                                .gateway = facts->head.gateway,
                                .when = facts->head.time};
    e = sy_chain_check(&p->head.chain, &want, f);
    facts->certified = !e;
    return e;
}

void sy_proof_add(sy_span event, sy_span proof, sy_buf *out)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_b64_put(&text, proof, SY_B64_URL);
    sy_member_add(event, SY_MEMBER_PROOF, sy_buf_span(&text), out);
    out->failed = out->failed || text.failed;
    sy_buf_fini(&text);
}

sy_err sy_proof_cut(sy_span event, sy_buf *body, sy_buf *proof, sy_fail *f)
{
    size_t at = 0;
    sy_span value = {NULL, 0};
    if (!sy_member_find(event, SY_MEMBER_PROOF, &at, &value)) {
        sy_buf_span_put(body, event);
        return sy_fail_set(f, SY_E_NOTFOUND, "the event has no proof");
    }
    sy_buf_put(body, event.p, at);
    sy_buf_char(body, '}');
    if (value.n > SY_PROOF_BYTES || sy_b64_get(value, SY_B64_URL, proof))
        return sy_fail_set(f, SY_E_PARSE, "the event's proof is no base64url, or too long");
    return body->failed || proof->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a proof")
                                         : SY_OK;
}
