/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence as JSON. Within strings <, > and & are escaped, so that the text can stand in a script
 * element of HTML; there is one spelling of each value. */
#include "ledger/page_int.h"

#include <jansson.h>
#include <stdlib.h>

#include "ledger/b64.h"

static const char open_tag[] = "<script type=\"application/json\" id=\"steelyard-evidence\">\n";
static const char close_tag[] = "\n</script>\n</body></html>\n";

void sy_evidence_init(sy_evidence *e)
{
    memset(e, 0, sizeof *e);
}

void sy_evidence_free(sy_evidence *e)
{
    for (size_t i = 0; i < e->n_events; i++) {
        sy_buf_fini(&e->events[i].body);
        sy_buf_fini(&e->events[i].basis);
        sy_proof_free(&e->events[i].proof);
    }
    for (size_t i = 0; i < e->n_segments; i++)
        sy_proof_free(&e->segments[i]);
    for (size_t i = 0; i < e->n_originals; i++)
        sy_buf_fini(&e->originals[i].record);
    free(e->events);
    free(e->segments);
    free(e->originals);
    memset(e, 0, sizeof *e);
}

sy_evidence_event *sy_evidence_add_event(sy_evidence *e)
{
    if (e->n_events >= SY_EVIDENCE_EVENTS ||
        sy_grow(sy_heap(), (void **)&e->events, &e->cap_events, e->n_events + 1, sizeof *e->events))
        return NULL;
    sy_evidence_event *v = &e->events[e->n_events++];
    memset(v, 0, sizeof *v);
    sy_buf_init(&v->body, sy_heap());
    sy_buf_init(&v->basis, sy_heap());
    sy_proof_init(&v->proof);
    return v;
}

sy_proof *sy_evidence_add_segment(sy_evidence *e)
{
    if (e->n_segments >= SY_EVIDENCE_ORIGINALS ||
        sy_grow(sy_heap(), (void **)&e->segments, &e->cap_segments, e->n_segments + 1,
                sizeof *e->segments))
        return NULL;
    sy_proof *p = &e->segments[e->n_segments++];
    sy_proof_init(p);
    return p;
}

sy_evidence_original *sy_evidence_add_original(sy_evidence *e)
{
    if (e->n_originals >= SY_EVIDENCE_ORIGINALS ||
        sy_grow(sy_heap(), (void **)&e->originals, &e->cap_originals, e->n_originals + 1,
                sizeof *e->originals))
        return NULL;
    sy_evidence_original *o = &e->originals[e->n_originals++];
    memset(o, 0, sizeof *o);
    sy_buf_init(&o->record, sy_heap());
    return o;
}

/* JSON that was written already, with the signs of HTML escaped; they occur in strings alone. */
static void put_safe(sy_buf *out, const sy_buf *json)
{
    for (size_t i = 0; i < json->n; i++) {
        char c = json->p[i];
        if (c == '<' || c == '>' || c == '&')
            sy_buf_printf(out, "\\u%04x", (unsigned)c);
        else
            sy_buf_char(out, c);
    }
    out->failed = out->failed || json->failed;
}

static void put_lines(sy_buf *b, const sy_buf *lines)
{
    bool first = true;
    for (size_t i = 0, from = 0; i < lines->n; i++) {
        if (lines->p[i] != '\n')
            continue;
        sy_buf_text(b, first ? "\n" : ",\n");
        sy_buf_json(b, (sy_span){lines->p + from, i - from});
        from = i + 1;
        first = false;
    }
}

static void put_event(sy_buf *b, const sy_evidence_event *v)
{
    sy_buf_text(b, "{\"body\":");
    sy_buf_json(b, sy_buf_span(&v->body));
    sy_buf_text(b, ",\n\"proof\":");
    if (v->has_proof)
        sy_proof_json(&v->proof, b);
    else
        sy_buf_text(b, "null");
    sy_buf_text(b, ",\n\"basis\":[");
    put_lines(b, &v->basis);
    sy_buf_text(b, "]}");
}

static void put_original(sy_buf *b, const sy_evidence_original *o)
{
    sy_buf_text(b, "{\"record\":\"");
    sy_b64_put(b, sy_buf_span(&o->record), SY_B64);
    sy_buf_printf(b, "\",\"index\":%llu,\"records\":%llu,\"path\":[", (unsigned long long)o->index,
                  (unsigned long long)o->records);
    for (size_t i = 0; i < o->path.n; i++) {
        char hex[65];
        sy_digest_hex(&o->path.path[i], hex);
        sy_buf_printf(b, "%s\"%s\"", i ? "," : "", hex);
    }
    sy_buf_printf(b, "],\"segment\":%zu}", o->segment);
}

void sy_evidence_json(const sy_evidence *e, sy_buf *out)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_printf(&b, "{\"steelyard\":\"evidence\",\"version\":1,\"language\":\"%s\",\"alert\":",
                  e->zh ? "zh" : "en");
    sy_buf_json(&b, sy_span_of(e->alert));
    sy_buf_text(&b, ",\"events\":[");
    for (size_t i = 0; i < e->n_events; i++) {
        sy_buf_text(&b, i ? ",\n" : "\n");
        put_event(&b, &e->events[i]);
    }
    sy_buf_text(&b, "],\"segments\":[");
    for (size_t i = 0; i < e->n_segments; i++) {
        sy_buf_text(&b, i ? ",\n" : "\n");
        sy_proof_json(&e->segments[i], &b);
    }
    sy_buf_text(&b, "],\"originals\":[");
    for (size_t i = 0; i < e->n_originals; i++) {
        sy_buf_text(&b, i ? ",\n" : "\n");
        put_original(&b, &e->originals[i]);
    }
    sy_buf_text(&b, "]}");
    put_safe(out, &b);
    sy_buf_fini(&b);
}

static bool text_into(const json_t *v, sy_buf *out)
{
    if (!json_is_string(v))
        return false;
    sy_buf_put(out, json_string_value(v), json_string_length(v));
    return !out->failed;
}

static bool number_into(const json_t *v, uint64_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}

static bool proof_into(const json_t *v, sy_proof *out)
{
    if (!json_is_object(v))
        return false;
    char *text = json_dumps(v, JSON_COMPACT);
    bool fine = text && sy_proof_read(sy_span_of(text), out, NULL) == SY_OK;
    free(text);
    return fine;
}

static bool path_into(const json_t *v, sy_merkle_proof *out)
{
    size_t n = json_array_size(v);
    if (!json_is_array(v) || n > sizeof out->path / sizeof out->path[0])
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *hex = json_array_get(v, i);
        const sy_span text = {json_string_value(hex), json_string_length(hex)};
        if (!json_is_string(hex) || sy_digest_parse(text, &out->path[i]))
            return false;
    }
    out->n = n;
    return true;
}

static bool lines_into(const json_t *v, sy_buf *out)
{
    if (!json_is_array(v))
        return false;
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *line = json_array_get(v, i);
        if (!text_into(line, out) ||
            memchr(json_string_value(line), '\n', json_string_length(line)))
            return false;
        sy_buf_char(out, '\n');
    }
    return !out->failed;
}

static bool event_into(const json_t *v, sy_evidence *e)
{
    sy_evidence_event *out = sy_evidence_add_event(e);
    const json_t *proof = json_object_get(v, "proof");
    if (!out || !text_into(json_object_get(v, "body"), &out->body) ||
        !lines_into(json_object_get(v, "basis"), &out->basis))
        return false;
    out->has_proof = !json_is_null(proof);
    return !out->has_proof || proof_into(proof, &out->proof);
}

static bool original_into(const json_t *v, sy_evidence *e)
{
    sy_evidence_original *o = sy_evidence_add_original(e);
    const json_t *record = json_object_get(v, "record");
    uint64_t segment = 0;
    if (!o || !json_is_string(record) ||
        sy_b64_get((sy_span){json_string_value(record), json_string_length(record)}, SY_B64,
                   &o->record) ||
        !number_into(json_object_get(v, "index"), &o->index) ||
        !number_into(json_object_get(v, "records"), &o->records) ||
        !path_into(json_object_get(v, "path"), &o->path) ||
        !number_into(json_object_get(v, "segment"), &segment) || segment >= e->n_segments)
        return false;
    o->segment = (size_t)segment;
    return true;
}

static bool members_into(const json_t *root, sy_evidence *e)
{
    const json_t *list = json_object_get(root, "events"), *alert = json_object_get(root, "alert");
    const char *language = json_string_value(json_object_get(root, "language"));
    if (!json_is_array(list) || !language || !json_is_string(alert) ||
        json_string_length(alert) >= sizeof e->alert ||
        json_integer_value(json_object_get(root, "version")) != 1)
        return false;
    e->zh = strcmp(language, "zh") == 0;
    memcpy(e->alert, json_string_value(alert), json_string_length(alert) + 1);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!event_into(json_array_get(list, i), e))
            return false;
    list = json_object_get(root, "segments");
    for (size_t i = 0; i < json_array_size(list); i++) {
        sy_proof *p = sy_evidence_add_segment(e);
        if (!p || !proof_into(json_array_get(list, i), p))
            return false;
    }
    list = json_object_get(root, "originals");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!original_into(json_array_get(list, i), e))
            return false;
    return true;
}

sy_err sy_evidence_read(sy_span json, sy_evidence *out, sy_fail *f)
{
    json_error_t why = {.line = 0};
    if (json.n > SY_EVIDENCE_BYTES)
        return sy_fail_set(f, SY_E_PARSE, "the evidence is larger than %d bytes",
                           (int)SY_EVIDENCE_BYTES);
    json_t *root = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return sy_fail_set(f, SY_E_PARSE, "the evidence is no valid JSON: %s (byte %d)", why.text,
                           why.position);
    bool fine = members_into(root, out);
    json_decref(root);
    return fine ? SY_OK : sy_fail_set(f, SY_E_PARSE, "the JSON is not in the form of evidence");
}

void sy_evidence__embed(const sy_evidence *e, sy_buf *out)
{
    sy_buf_text(out, open_tag);
    sy_evidence_json(e, out);
    sy_buf_text(out, close_tag);
}

sy_err sy_evidence_cut(sy_span file, sy_span *json, sy_fail *f)
{
    const size_t no = sizeof open_tag - 1, nc = sizeof close_tag - 1;
    if (file.n >= no + nc && memcmp(file.p + file.n - nc, close_tag, nc) == 0) {
        const char *at = memmem(file.p, file.n - nc, open_tag, no);
        if (at) {
            *json = (sy_span){at + no, (size_t)(file.p + file.n - nc - (at + no))};
            return SY_OK;
        }
    }
    return sy_fail_set(f, SY_E_PARSE, "the file holds no evidence, or its end is missing");
}
