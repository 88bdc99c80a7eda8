/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying evidence. What is told rests on four things alone: SHA-256 trees (base/merkle.c), a
 * signature (es256.c), certificates (chain.c), and writing again what was read and comparing.
 */
#include "ledger/verify.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sy_check_say(sy_check *c, sy_finding_kind kind, const char *en, const char *zh, ...)
{
    char text[600];
    va_list args;
    va_start(args, zh);
    (void)vsnprintf(text, sizeof text, c->zh ? zh : en, args);
    va_end(args);
    c->fine += kind == SY_FOUND_FINE;
    c->broken += kind == SY_FOUND_BROKEN;
    c->tell(c->ctx, kind, text);
}

bool sy_verify_lines(sy_span lines, uint64_t *n, sy_digest *root)
{
    sy_merkle tree;
    size_t from = 0;
    sy_merkle_init(&tree);
    for (size_t i = 0; i < lines.n; i++) {
        if (lines.p[i] == '\n') {
            sy_digest leaf = sy_merkle_leaf((sy_span){lines.p + from, i - from});
            sy_merkle_add(&tree, &leaf);
            from = i + 1;
        }
    }
    *n = tree.n;
    *root = sy_merkle_root(&tree);
    return from == lines.n;
}

/* The set is bound by the leaf alone: what stands between its last quotes, or nothing where it ends
 * with null. */
static sy_span set_of(sy_span leaf)
{
    size_t end = leaf.n >= 2 ? leaf.n - 2 : 0, from = end;
    if (end == 0 || leaf.p[end] != '"')
        return (sy_span){NULL, 0};
    while (from > 0 && leaf.p[from - 1] != '"')
        from--;
    return (sy_span){leaf.p + from, end - from};
}

bool sy_verify_source(const json_t *event, sy_span gateway)
{
    static const char start[] = "/steelyard/";
    const char *source = json_string_value(json_object_get(event, "source"));
    return source && strncmp(source, start, sizeof start - 1) == 0 &&
           sy_span_is(gateway, source + sizeof start - 1);
}

bool sy_verify_leaf(sy_span leaf, sy_span id, sy_span body, sy_span lines, const char **part)
{
    sy_leaf_event want = {.id = id, .body = body, .set = set_of(leaf), .readings = lines.n > 0};
    sy_buf text;
    bool whole = sy_verify_lines(lines, &want.n, &want.root);
    *part = "body";
    if (!sy_leaf_is_event(leaf, id, body))
        return false;
    *part = "list of readings";
    sy_buf_init(&text, sy_heap());
    sy_leaf_event_text(&want, &text);
    bool same = whole && !text.failed && sy_span_eq(sy_buf_span(&text), leaf);
    sy_buf_fini(&text);
    return same;
}

const char *sy_verify_part(const sy_check *c, const char *part)
{
    return !c->zh ? part : strcmp(part, "body") == 0 ? "正文" : "读数";
}

static const char *member(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* The body is one of this alert, and the number at the end of its id is `number`. */
static bool belongs(const json_t *body, const char *alert, size_t number)
{
    char want[64];
    const char *id = member(body, "id"), *type = member(body, "type");
    const char *about = member(json_object_get(json_object_get(body, "data"), "alert"), "id");
    (void)snprintf(want, sizeof want, "%s/%zu", alert, number);
    return id && type && about && strcmp(id, want) == 0 && strcmp(about, alert) == 0 &&
           strncmp(type, "steelyard.alert.", 16) == 0;
}

/* The head of the lines names the event and its rule. */
static bool head_fits(sy_span lines, const json_t *body)
{
    const char *end = lines.n ? memchr(lines.p, '\n', lines.n) : NULL;
    json_t *head = end ? json_loadb(lines.p, (size_t)(end - lines.p), 0, NULL) : NULL;
    const char *event = member(head, "event"), *id = member(body, "id");
    const char *rule = member(json_object_get(head, "rule"), "judgement");
    const char *want = member(json_object_get(json_object_get(body, "data"), "rule"), "judgement");
    bool fits = event && id && rule && want && strcmp(event, id) == 0 && strcmp(rule, want) == 0;
    json_decref(head);
    return fits;
}

static bool prove(const sy_proof *p, const char *en, const char *zh, size_t number, sy_check *c)
{
    sy_proof_facts facts;
    sy_fail why = {0};
    sy_err e = sy_proof_check(p, c->ca, &facts, &why);
    if (e)
        sy_check_say(c, SY_FOUND_BROKEN, "%s %zu: %s", "%s %zu：%s", c->zh ? zh : en, number,
                     why.text);
    return !e;
}

/* The event says that it is of the gateway whose ledger it is in. */
static bool of_gateway(const sy_proof *p, const json_t *event)
{
    sy_head head;
    return sy_head_read(sy_buf_span(&p->head.text), &head, NULL) == SY_OK &&
           sy_verify_source(event, head.gateway);
}

static void check_event(const sy_evidence *e, size_t i, sy_check *c)
{
    const sy_evidence_event *v = &e->events[i];
    sy_span body = sy_buf_span(&v->body), lines = sy_buf_span(&v->basis);
    const char *part = "";
    json_t *json = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    const char *id = member(json, "id");
    if (!json || !belongs(json, e->alert, i + 1)) {
        sy_check_say(c, SY_FOUND_BROKEN, "event %zu is not change %zu of this alert",
                     "事件 %zu 不是本警报的第 %zu 次变更", i + 1, i + 1);
    } else if (!v->has_proof) {
        sy_check_say(c, SY_FOUND_BROKEN,
                     "event %zu is not proven: no signed head covered it when the file was made",
                     "事件 %zu 未经证明：生成文件时尚无签名头覆盖它", i + 1);
    } else if (prove(&v->proof, "event", "事件", i + 1, c)) {
        if (!sy_verify_leaf(sy_buf_span(&v->proof.leaf), sy_span_of(id), body, lines, &part))
            sy_check_say(c, SY_FOUND_BROKEN,
                         "event %zu: its %s was changed: leaf %llu of the ledger says otherwise",
                         "事件 %zu：其%s已被改动，与账本第 %llu 叶不符", i + 1,
                         sy_verify_part(c, part), (unsigned long long)v->proof.index);
        else if (!of_gateway(&v->proof, json))
            sy_check_say(c, SY_FOUND_BROKEN, "event %zu is in the ledger of another gateway",
                         "事件 %zu 位于另一网关的账本中", i + 1);
        else if (lines.n && !head_fits(lines, json))
            sy_check_say(c, SY_FOUND_BROKEN, "event %zu: its readings are those of another event",
                         "事件 %zu：其读数属于另一事件", i + 1);
        else
            sy_check_say(c, SY_FOUND_FINE,
                         "event %zu (%s): its text and readings are leaf %llu of the signed ledger",
                         "事件 %zu（%s）：其正文与读数即签名账本第 %llu 叶", i + 1,
                         member(json, "type"), (unsigned long long)v->proof.index);
    }
    json_decref(json);
}

/* A segment's leaf names the root of its records. */
static bool segment_root(sy_span leaf, uint64_t *records, sy_digest *root)
{
    json_t *o = json_loadb(leaf.n ? leaf.p : "", leaf.n, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = member(o, "leaf"), *hex = member(o, "root");
    const json_t *n = json_object_get(o, "records");
    bool fine = kind && hex && strcmp(kind, "segment") == 0 && json_is_integer(n) &&
                json_integer_value(n) > 0 && sy_digest_parse(sy_span_of(hex), root) == SY_OK;
    *records = fine ? (uint64_t)json_integer_value(n) : 0;
    json_decref(o);
    return fine;
}

static void check_originals(const sy_evidence *e, sy_check *c)
{
    size_t proven = 0;
    for (size_t i = 0; i < e->n_segments; i++)
        if (!prove(&e->segments[i], "segment", "日志段", i + 1, c))
            return;
    for (size_t i = 0; i < e->n_originals; i++) {
        const sy_evidence_original *o = &e->originals[i];
        sy_digest root, leaf = sy_merkle_leaf(sy_buf_span(&o->record));
        uint64_t records = 0;
        if (segment_root(sy_buf_span(&e->segments[o->segment].leaf), &records, &root) &&
            records == o->records &&
            sy_merkle_included(&leaf, o->index, o->records, &o->path, &root))
            proven++;
        else
            sy_check_say(c, SY_FOUND_BROKEN, "original record %zu is not in its sealed segment",
                         "原始记录 %zu 不在其封存的日志段中", i + 1);
    }
    if (e->n_originals == 0)
        sy_check_say(
            c, SY_FOUND_NOTE,
            "originals: none in the file (their segment was not sealed yet, or has expired)",
            "原始记录：文件中没有（日志段尚未封存，或已到期删除）");
    else if (proven == e->n_originals)
        sy_check_say(c, SY_FOUND_FINE,
                     "originals proven: %zu records are in segments of the signed ledger",
                     "原始记录已证明：%zu 条记录位于签名账本所列的日志段中", proven);
}

/* All proofs are of one head, which is told. */
static void check_head(const sy_evidence *e, sy_check *c)
{
    const sy_evidence_event *first = &e->events[0];
    sy_proof_facts facts;
    char time[25];
    for (size_t i = 0; i < e->n_events + e->n_segments; i++) {
        const sy_proof *p = i < e->n_events ? &e->events[i].proof : &e->segments[i - e->n_events];
        if (!sy_span_eq(sy_buf_span(&p->head.text), sy_buf_span(&first->proof.head.text))) {
            sy_check_say(c, SY_FOUND_BROKEN, "the proofs are of different heads",
                         "各证明所依据的签名头不同");
            return;
        }
    }
    if (!first->has_proof || sy_signed_head_check(&first->proof.head, c->ca, &facts, NULL))
        return; /* told with the event */
    sy_time_text(facts.head.time, time);
    sy_check_say(c, SY_FOUND_FINE, "head: gateway %.*s, %llu leaves, signed at %s by key %.16s…",
                 "签名头：网关 %.*s，%llu 叶，%s 由密钥 %.16s… 签名", (int)facts.head.gateway.n,
                 facts.head.gateway.p, (unsigned long long)facts.head.size, time, facts.head.kid.p);
    if (facts.certified)
        sy_check_say(c, SY_FOUND_FINE, "the authority's certificate binds that key to the gateway",
                     "主管机关的证书证明该密钥属于该网关");
    else
        sy_check_say(c, SY_FOUND_BROKEN,
                     "whose key it is was not checked: give the authority's certificate with --ca",
                     "未核对密钥归属：请用 --ca 给出主管机关证书");
}

/* The first byte that differs, by line. */
static size_t line_of_difference(sy_span a, sy_span b)
{
    size_t line = 1;
    for (size_t i = 0; i < a.n && i < b.n && a.p[i] == b.p[i]; i++)
        line += a.p[i] == '\n';
    return line;
}

static sy_err check_page(const sy_evidence *e, sy_span file, sy_check *c, sy_fail *f)
{
    sy_buf page;
    sy_buf_init(&page, sy_heap());
    sy_err err = sy_evidence_page(e, &page, f);
    if (err == SY_OK && !sy_span_eq(sy_buf_span(&page), file))
        sy_check_say(c, SY_FOUND_BROKEN,
                     "the page was changed: line %zu does not show what the proven part says",
                     "页面已被改动：第 %zu 行与已证明的内容不符",
                     line_of_difference(file, sy_buf_span(&page)));
    else if (err == SY_OK)
        sy_check_say(c, SY_FOUND_FINE, "the page shows what is proven, byte by byte",
                     "页面逐字节显示的就是已证明的内容");
    else if (err == SY_E_PARSE) {
        sy_check_say(c, SY_FOUND_BROKEN, "the page cannot be made again: %s", "页面无法重现：%s",
                     f->text);
        err = SY_OK;
    }
    sy_buf_fini(&page);
    return err;
}

sy_err sy_verify_evidence(sy_span file, sy_check *c, sy_fail *f)
{
    sy_span json = {NULL, 0};
    sy_evidence e;
    sy_err err = sy_evidence_cut(file, &json, f);
    if (err)
        return err;
    sy_evidence_init(&e);
    err = sy_evidence_read(json, &e, f);
    if (!err && e.n_events == 0)
        err = sy_fail_set(f, SY_E_PARSE, "the evidence has no events");
    if (!err) {
        uint64_t before = c->broken;
        for (size_t i = 0; i < e.n_events; i++)
            check_event(&e, i, c);
        check_head(&e, c);
        check_originals(&e, c);
        err = check_page(&e, file, c, f);
        if (!err && c->broken == before)
            sy_check_say(c, SY_FOUND_FINE, "alert %s is proven", "警报 %s 已证明", e.alert);
    }
    sy_evidence_free(&e);
    return err;
}
