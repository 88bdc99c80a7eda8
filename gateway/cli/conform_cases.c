/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each case delivers something and looks at the answer alone: a receiver shows nothing else to its
 * gateways. Where an answer counts (`stored`, `known`) the counts are asked for, too.
 */
#include "cli/conform.h"

#include <stdarg.h>
#include <stdio.h>

#include "ledger/member.h"
#include "upstream/ask.h"

enum {
    ANSWER_MAX = 65536,
    TIME_MS = 60 * 1000,
    EVENT_MAX = 8192,
    LARGE = 200,
    TOO_LONG = 24 << 20
};

static const char batch_type[] = "application/cloudevents-batch+json; charset=UTF-8";
static const char one_type[] = "application/cloudevents+json";

typedef struct answer {
    unsigned status; /* 0: none came */
    char text[256];  /* what came, for the table */
    json_t *body;    /* NULL: no JSON */
} answer;

static answer send_it(const sy_conform *c, const sy_ask *more, bool named)
{
    answer a = {0};
    sy_asked asked = {0};
    sy_buf body;
    sy_fail f = {0};
    sy_ask q = *more;
    sy_tls_paths files = c->files;
    files.cert = named ? files.cert : NULL;
    files.key = named ? files.key : NULL;
    q.url = &c->url;
    q.accept = "application/json";
    q.most = ANSWER_MAX;
    q.now = sy_wall_ms();
    q.time = TIME_MS;
    q.stop_fd = -1;
    sy_buf_init(&body, sy_heap());
    if (sy_ask_send(&q, &files, &asked, &body, &f) == SY_OK) {
        a.status = asked.status;
        a.body = body.n ? json_loadb(body.p, body.n, 0, NULL) : NULL;
        snprintf(a.text, sizeof a.text, "%u %.160s", asked.status, asked.note);
    } else {
        snprintf(a.text, sizeof a.text, "%.200s", f.text);
    }
    sy_buf_fini(&body);
    return a;
}

static answer post(const sy_conform *c, const char *type, const sy_buf *body)
{
    return send_it(c, &(sy_ask){.method = "POST", .type = type, .body = sy_buf_span(body)}, true);
}

static bool taken(const answer *a)
{
    return a->status >= 200 && a->status < 300;
}

static size_t refused(const answer *a)
{
    return json_array_size(json_object_get(a->body, "refused"));
}

/* Everything was taken, and where it counts, so many were new and so many known. */
static bool counts(const answer *a, int stored, int known)
{
    const json_t *s = json_object_get(a->body, "stored"), *k = json_object_get(a->body, "known");
    return taken(a) && refused(a) == 0 && (!s || json_integer_value(s) == stored) &&
           (!k || json_integer_value(k) == known);
}

static bool bad_request(const answer *a)
{
    return a->status == 400 || a->status == 422;
}

/* It names this event, and no other. */
static bool refuses_only(const answer *a, const char *id)
{
    const json_t *first = json_array_get(json_object_get(a->body, "refused"), 0);
    const char *named = json_string_value(json_object_get(first, "id"));
    return taken(a) && refused(a) == 1 && named && strcmp(named, id) == 0;
}

static void row(sy_conform *c, const char *name, bool pass, const char *want, answer *a)
{
    sy_conform_row(c, name, pass, want, a->text);
    json_decref(a->body);
    a->body = NULL;
}

/* ---- events ---- */

typedef struct event {
    char id[64];
    sy_buf text;
} event;

static void make(sy_conform *c, event *e, const char *gateway, const char *type, const char *more)
{
    char time[25];
    sy_time_text(sy_wall_ms(), time);
    snprintf(e->id, sizeof e->id, "conform-%s/%d", c->run, c->next++);
    sy_buf_init(&e->text, sy_heap());
    sy_buf_printf(&e->text,
                  "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/steelyard/%s\",\"type\":"
                  "\"%s\",\"time\":\"%s\",\"datacontenttype\":\"application/json\"%s}",
                  e->id, gateway, type, time, more);
}

static void plain(sy_conform *c, event *e)
{
    make(c, e, c->gateway, "steelyard.service.test",
         ",\"data\":{\"note\":\"conformance test, 一致性测试\",\"value\":1.10}");
}

static void drop(event *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sy_buf_fini(&e[i].text);
    }
}

static void batch(const event *e, size_t n, sy_buf *out)
{
    sy_buf_init(out, sy_heap());
    sy_buf_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        sy_buf_text(out, i ? "," : "");
        sy_buf_span_put(out, sy_buf_span(&e[i].text));
    }
    sy_buf_char(out, ']');
}

static void sign(sy_conform *c, sy_es256 *key, sy_span header, event *e)
{
    sy_buf jws, text;
    sy_fail f;
    sy_buf_init(&jws, sy_heap());
    sy_buf_init(&text, sy_heap());
    if (sy_jws_sign(key, header, sy_buf_span(&e->text), true, &jws, &f) == SY_OK) {
        sy_member_add(sy_buf_span(&e->text), SY_MEMBER_JWS, sy_buf_span(&jws), &text);
        sy_buf_reset(&e->text);
        sy_buf_span_put(&e->text, sy_buf_span(&text));
    } else {
        sy_conform_row(c, "sign", false, "a signature", f.text);
    }
    sy_buf_fini(&jws);
    sy_buf_fini(&text);
}

/* ---- cases ---- */

static void who_delivers(sy_conform *c)
{
    event e;
    plain(c, &e);
    answer a = send_it(
        c, &(sy_ask){.method = "POST", .type = one_type, .body = sy_buf_span(&e.text)}, false);
    bool away = a.status == 0 || a.status == 400 || a.status == 401 || a.status == 403 ||
                a.status == 495 || a.status == 496;
    row(c, "no-certificate", away, "403, or no connection", &a);
    drop(&e, 1);
}

static void good_ones(sy_conform *c)
{
    event e[3];
    sy_buf body;
    plain(c, &e[0]);
    answer a = post(c, one_type, &e[0].text);
    row(c, "one-event", counts(&a, 1, 0), "2xx, one stored", &a);
    a = post(c, one_type, &e[0].text);
    row(c, "one-doubled", counts(&a, 0, 1), "2xx, one known", &a);
    plain(c, &e[1]);
    plain(c, &e[2]);
    batch(e, 3, &body);
    a = post(c, batch_type, &body);
    row(c, "batch-half-known", counts(&a, 2, 1), "2xx, two stored, one known", &a);
    a = post(c, batch_type, &body);
    row(c, "batch-doubled", counts(&a, 0, 3), "2xx, three known", &a);
    sy_buf_fini(&body);
    drop(e, 3);
    sy_buf_init(&body, sy_heap());
    sy_buf_text(&body, "[]");
    a = post(c, batch_type, &body);
    row(c, "empty-batch", counts(&a, 0, 0), "2xx", &a);
    sy_buf_fini(&body);
}

static void same_id_of_another(sy_conform *c)
{
    event e[2];
    sy_buf body;
    char other[80];
    snprintf(other, sizeof other, "%s-other", c->run);
    plain(c, &e[0]);
    c->next--;
    make(c, &e[1], other, "steelyard.service.test", ",\"data\":{}");
    batch(e, 2, &body);
    answer a = post(c, batch_type, &body);
    row(c, "same-id-two-sources", counts(&a, 2, 0), "2xx, two stored: (source, id) is the identity",
        &a);
    sy_buf_fini(&body);
    drop(e, 2);
}

static void unknown_things(sy_conform *c)
{
    event e;
    make(c, &e, c->gateway, "org.example.never.heard.of",
         ",\"dataschema\":\"urn:x\",\"oddattribute\":\"1\",\"steelyardnew\":true,\"data\":[null]");
    answer a = post(c, one_type, &e.text);
    row(c, "unknown-type", counts(&a, 1, 0), "2xx, one stored", &a);
    drop(&e, 1);
    char alert[600];
    snprintf(alert, sizeof alert,
             ",\"data\":{\"alert\":{\"id\":\"conform-%s\",\"severity\":\"notice\",\"state\":"
             "\"cleared\"},\"rule\":{\"id\":\"CONFORM\",\"version\":1,\"title\":{\"en\":"
             "\"Conformance test\",\"zh\":\"一致性测试\"}}}",
             c->run);
    make(c, &e, c->gateway, "steelyard.alert.cleared", alert);
    a = post(c, one_type, &e.text);
    row(c, "alert", counts(&a, 1, 0), "2xx, one stored", &a);
    drop(&e, 1);
}

static void long_ones(sy_conform *c)
{
    static event e[LARGE];
    char more[EVENT_MAX / 2 + 64];
    sy_buf body;
    int n = snprintf(more, sizeof more, ",\"data\":{\"fill\":\"");
    memset(more + n, 'x', EVENT_MAX / 2);
    memcpy(more + n + EVENT_MAX / 2, "\"}", 3);
    for (size_t i = 0; i < LARGE; i++) {
        make(c, &e[i], c->gateway, "steelyard.service.test", more);
    }
    batch(e, LARGE, &body);
    answer a = post(c, batch_type, &body);
    row(c, "200-events-of-0.8-MiB", counts(&a, LARGE, 0), "2xx, 200 stored", &a);
    sy_buf_fini(&body);
    drop(e, LARGE);
    sy_buf_init(&body, sy_heap());
    sy_buf_char(&body, '[');
    for (size_t i = 0; i < TOO_LONG; i++) {
        sy_buf_char(&body, ' ');
    }
    sy_buf_char(&body, ']');
    a = post(c, batch_type, &body);
    row(c, "24-MiB", a.status == 0 || a.status == 413, "413, or the connection ends", &a);
    sy_buf_fini(&body);
}

static void malformed(sy_conform *c, const char *name, const char *type, const char *text)
{
    sy_buf body;
    sy_buf_init(&body, sy_heap());
    sy_buf_text(&body, text);
    answer a = post(c, type, &body);
    row(c, name, bad_request(&a), "400 or 422", &a);
    sy_buf_fini(&body);
}

static void malformed_ones(sy_conform *c)
{
    malformed(c, "no-json", batch_type, "[{\"specversion\"");
    malformed(c, "no-utf-8", batch_type, "[{\"specversion\":\"1.0\",\"id\":\"\xff\"}]");
    malformed(c, "no-object", batch_type, "[1]");
    malformed(c, "no-id", one_type, "{\"specversion\":\"1.0\",\"source\":\"/x\",\"type\":\"t\"}");
    malformed(c, "other-specversion", one_type,
              "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"/x\",\"type\":\"t\"}");
    event e[2];
    sy_buf body;
    plain(c, &e[0]);
    sy_buf_init(&e[1].text, sy_heap());
    sy_buf_text(&e[1].text, "{\"id\":\"conform\"}");
    batch(e, 2, &body);
    answer a = post(c, batch_type, &body);
    bool whole = bad_request(&a);
    row(c, "half-malformed", whole || (taken(&a) && refused(&a) > 0),
        "400, 422, or 2xx that refuses one", &a);
    a = post(c, one_type, &e[0].text);
    row(c, "its-good-half-later", whole ? counts(&a, 1, 0) : taken(&a),
        whole ? "2xx, one stored: nothing was kept of the batch" : "2xx", &a);
    sy_buf_fini(&body);
    drop(e, 2);
}

static void wrong_requests(sy_conform *c)
{
    event e;
    plain(c, &e);
    answer a = post(c, "text/plain", &e.text);
    row(c, "other-media-type", a.status == 415 || bad_request(&a), "415", &a);
    a = send_it(c, &(sy_ask){.method = "GET"}, true);
    row(c, "get", a.status == 405 || a.status == 404 || a.status == 400, "405", &a);
    drop(&e, 1);
}

/* A digit of the data is another. */
static void alter(event *e)
{
    char *at = strstr(e->text.p, "1.10");
    if (at) {
        at[2] = '7';
    }
}

static void forged(sy_conform *c, const char *name, event *e)
{
    answer a = post(c, one_type, &e->text);
    row(c, name, refuses_only(&a, e->id) || bad_request(&a), "2xx that refuses it by id, or 400",
        &a);
    sy_buf_fini(&e->text);
}

static void signed_ones(sy_conform *c)
{
    event e[3];
    sy_buf body, bare;
    sy_es256 *other = NULL;
    sy_fail f = {0};
    const sy_span header = sy_buf_span(&c->header);
    for (size_t i = 0; i < 3; i++) {
        plain(c, &e[i]);
        sign(c, c->key, header, &e[i]);
    }
    alter(&e[1]);
    batch(e, 3, &body);
    answer a = post(c, batch_type, &body);
    row(c, "one-of-three-altered", refuses_only(&a, e[1].id), "2xx that refuses that one by id",
        &a);
    sy_buf_fini(&body);
    a = post(c, one_type, &e[0].text);
    row(c, "the-others-were-taken", counts(&a, 0, 1), "2xx, one known", &a);
    drop(e, 3);
    plain(c, &e[0]);
    sign(c, c->key, header, &e[0]);
    a = post(c, one_type, &e[0].text);
    row(c, "signed", counts(&a, 1, 0), "2xx, one stored", &a);
    alter(&e[0]);
    forged(c, "known-and-altered", &e[0]);
    make(c, &e[0], "conform-other", "steelyard.service.test", ",\"data\":{}");
    sign(c, c->key, header, &e[0]);
    forged(c, "in-the-name-of-another", &e[0]);
    sy_buf_init(&bare, sy_heap());
    if (sy_es256_make(&other, &f) == SY_OK &&
        sy_jws_header(other, NULL, SY_TYP_EVENT, &bare, &f) == SY_OK) {
        plain(c, &e[0]);
        sign(c, other, header, &e[0]); /* the gateway's certificates, another's key */
        forged(c, "signed-by-another-key", &e[0]);
    } else {
        sy_conform_row(c, "signed-by-another-key", false, "a key", f.text);
    }
    sy_es256_close(other);
    sy_buf_fini(&bare);
}

void sy_conform_cases(sy_conform *c)
{
    good_ones(c);
    same_id_of_another(c);
    unknown_things(c);
    long_ones(c);
    malformed_ones(c);
    wrong_requests(c);
    who_delivers(c);
    if (c->key) {
        signed_ones(c);
    }
}
