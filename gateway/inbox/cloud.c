/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON library checks the whole body; then the bytes of each event are cut out of it, so that
 * what is kept is what was sent, digit by digit (a signature over it stays valid).
 */
#include "inbox/cloud.h"

#include <stdlib.h>

#include "ledger/json_cut.h"
#include "ledger/member.h"
#include "ledger/proof.h"

static void cut(sy_span body, sy_cloud_batch *b, bool batch)
{
    sy_span rest = sy_json_items(body, batch);
    for (size_t i = 0; i < b->n; i++)
        b->v[i].raw = sy_json_next(&rest);
}

/* A text attribute: *out is NULL where it is not there. */
static sy_err text_of(const json_t *event, size_t index, const char *name, size_t max, bool needed,
                      const char **out, sy_fail *f)
{
    const json_t *v = json_object_get(event, name);
    if (!v && !needed) {
        *out = NULL;
        return SY_OK;
    }
    if (!v || !json_is_string(v) || json_string_length(v) == 0 || json_string_length(v) > max) {
        (void)sy_fail_set(f, SY_E_PARSE, "event %zu: '%s' is %s", index, name,
                          v ? "no text of a fitting length" : "missing");
        return SY_E_PARSE;
    }
    *out = json_string_value(v);
    return SY_OK;
}

static const char *alert_of(const sy_cloud *c)
{
    /* A group of alerts has the shape of one (docs/lifecycle.md). */
    static const char alert_type[] = "steelyard.alert.", group_type[] = "steelyard.group.";
    const json_t *alert = json_object_get(c->data, "alert");
    const json_t *id = json_object_get(json_is_object(alert) ? alert : c->data, "id");
    bool known = strncmp(c->type, alert_type, sizeof alert_type - 1) == 0 ||
                 strncmp(c->type, group_type, sizeof group_type - 1) == 0;
    return known && json_is_string(id) && json_string_length(id) > 0 &&
                   json_string_length(id) <= 200
               ? json_string_value(id)
               : NULL;
}

static sy_err read_one(const json_t *event, size_t index, sy_cloud *c, sy_fail *f)
{
    const char *version = NULL;
    if (!json_is_object(event)) {
        return sy_fail_set(f, SY_E_PARSE, "event %zu is no JSON object", index);
    }
    sy_err e = text_of(event, index, "specversion", 16, true, &version, f);
    if (e == SY_OK && strcmp(version, "1.0") != 0) {
        e = sy_fail_set(f, SY_E_PARSE, "event %zu: 'specversion' is not 1.0", index);
    }
    e = e != SY_OK ? e : text_of(event, index, "id", 256, true, &c->id, f);
    e = e != SY_OK ? e : text_of(event, index, "source", 512, true, &c->source, f);
    e = e != SY_OK ? e : text_of(event, index, "type", 256, true, &c->type, f);
    e = e != SY_OK ? e : text_of(event, index, "subject", 1024, false, &c->subject, f);
    e = e != SY_OK ? e : text_of(event, index, "time", 64, false, &c->time, f);
    if (e == SY_OK && c->time) {
        sy_ms t;
        if (sy_time_parse(sy_span_of(c->time), &t) != SY_OK) {
            e = sy_fail_set(f, SY_E_PARSE, "event %zu: 'time' is no RFC 3339 time", index);
        }
    }
    if (e == SY_OK) {
        c->data = json_object_get(event, "data");
        c->alert = alert_of(c);
        e = text_of(event, index, "steelyardoriginal", 64, false, &c->original, f);
    }
    return e;
}

static sy_err take_proof(sy_cloud *c, sy_fail *f)
{
    sy_err e = sy_proof_cut(c->raw, &c->own[0], &c->proof, f);
    if (e == SY_E_NOTFOUND) {
        return SY_OK;
    }
    if (e != SY_OK && e != SY_E_PARSE) {
        return e;
    }
    c->has_proof = e == SY_OK ? SY_PROOF_THERE : SY_PROOF_UNREADABLE;
    c->raw = sy_buf_span(&c->own[0]);
    return SY_OK;
}

static sy_err take_jws(sy_cloud *c, sy_fail *f)
{
    size_t at = 0;
    sy_span value;
    if (!sy_member_find(c->raw, SY_MEMBER_JWS, &at, &value)) {
        return SY_OK;
    }
    sy_buf_span_put(&c->jws, value);
    sy_buf_put(&c->own[1], c->raw.p, at);
    sy_buf_char(&c->own[1], '}');
    c->raw = sy_buf_span(&c->own[1]);
    return c->jws.failed || c->own[1].failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a batch")
                                             : SY_OK;
}

sy_err sy_cloud_parse(sy_span body, sy_cloud_batch *out, sy_fail *f)
{
    json_error_t why;
    sy_cloud_batch b = {.root =
                            json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, &why)};
    if (!b.root) {
        return sy_fail_set(f, SY_E_PARSE, "no valid JSON: %s (line %d, column %d)", why.text,
                           why.line, why.column);
    }
    bool batch = json_is_array(b.root);
    b.n = batch ? json_array_size(b.root) : 1;
    sy_err e = SY_OK;
    if (b.n > SY_CLOUD_MAX) {
        (void)sy_fail_set(f, SY_E_PARSE, "more than %d events in a batch", SY_CLOUD_MAX);
        e = SY_E_PARSE;
    } else if (!(b.v = calloc(b.n + 1, sizeof *b.v))) {
        (void)sy_fail_set(f, SY_E_NOMEM, "no memory for a batch");
        e = SY_E_NOMEM;
    }
    for (size_t i = 0; b.v && i < b.n; i++) {
        sy_buf_init(&b.v[i].own[0], sy_heap());
        sy_buf_init(&b.v[i].own[1], sy_heap());
        sy_buf_init(&b.v[i].jws, sy_heap());
        sy_buf_init(&b.v[i].proof, sy_heap());
    }
    for (size_t i = 0; e == SY_OK && i < b.n; i++) {
        e = read_one(batch ? json_array_get(b.root, i) : b.root, i, &b.v[i], f);
    }
    if (e != SY_OK) {
        sy_cloud_free(&b);
        return e;
    }
    cut(body, &b, batch);
    for (size_t i = 0; e == SY_OK && i < b.n; i++) {
        e = take_proof(&b.v[i], f);
        e = e != SY_OK ? e : take_jws(&b.v[i], f);
    }
    if (e != SY_OK) {
        sy_cloud_free(&b);
        return e;
    }
    *out = b;
    return SY_OK;
}

void sy_cloud_free(sy_cloud_batch *b)
{
    for (size_t i = 0; b->v && i < b->n; i++) {
        sy_buf_fini(&b->v[i].own[0]);
        sy_buf_fini(&b->v[i].own[1]);
        sy_buf_fini(&b->v[i].jws);
        sy_buf_fini(&b->v[i].proof);
    }
    json_decref(b->root);
    free(b->v);
    *b = (sy_cloud_batch){0};
}
