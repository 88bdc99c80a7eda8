/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response parser is http-parser, behind this file alone. What it leaves open is closed here:
 * the size of the head (its own limit is a global), of the body, interim responses (1xx), a switch
 * of protocols (refused), bytes after the end of a response (refused: nothing was asked).
 */
#include "upstream/http.h"

#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum field { FIELD_OTHER, FIELD_RETRY_AFTER, FIELD_LOCATION } field;

struct sy_http {
    http_parser parser;
    http_parser_settings calls;
    sy_http_state state;
    const char *why;
    size_t head_bytes, body_bytes;
    bool in_head, begun, keep_alive, last_was_value;
    unsigned status;
    char name[24]; /* of the header field being read; cut, which matches nothing */
    size_t name_n;
    field field;
    char retry_after[64], location[200], note[SY_HTTP_NOTE + 1];
    size_t note_n, most;
    sy_buf *into; /* NULL: the body is not kept */
};

static void append(char *to, size_t size, const char *bytes, size_t n)
{
    size_t have = strlen(to);
    for (size_t i = 0; i < n && have + 1 < size; i++) {
        to[have++] = bytes[i] > ' ' && bytes[i] < 127 ? bytes[i] : ' ';
    }
    to[have] = 0;
}

static int on_name(http_parser *p, const char *at, size_t n)
{
    sy_http *h = p->data;
    if (h->last_was_value) {
        h->name_n = 0;
        h->last_was_value = false;
        h->field = FIELD_OTHER;
    }
    for (size_t i = 0; i < n && h->name_n < sizeof h->name; i++) {
        char c = at[i];
        h->name[h->name_n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t n)
{
    sy_http *h = p->data;
    if (!h->last_was_value) {
        sy_span name = {h->name, h->name_n};
        h->last_was_value = true;
        h->field = sy_span_is(name, "retry-after") && !h->retry_after[0] ? FIELD_RETRY_AFTER
                   : sy_span_is(name, "location") && !h->location[0]     ? FIELD_LOCATION
                                                                         : FIELD_OTHER;
    }
    if (h->field == FIELD_RETRY_AFTER) {
        append(h->retry_after, sizeof h->retry_after, at, n);
    } else if (h->field == FIELD_LOCATION) {
        append(h->location, sizeof h->location, at, n);
    }
    return 0;
}

static int on_head_done(http_parser *p)
{
    sy_http *h = p->data;
    h->in_head = false;
    h->status = p->status_code;
    h->keep_alive = http_should_keep_alive(p) != 0;
    if (p->http_major != 1 || p->status_code < 100 || p->status_code > 599 || p->upgrade) {
        h->why = "not an HTTP/1.1 answer that a POST can have";
        return -1;
    }
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    sy_http *h = p->data;
    for (size_t i = 0; i < n && h->note_n < SY_HTTP_NOTE; i++) {
        char c = at[i] > ' ' && at[i] < 127 ? at[i] : ' ';
        if (c != ' ' || (h->note_n > 0 && h->note[h->note_n - 1] != ' ')) {
            h->note[h->note_n++] = c;
        }
    }
    h->note[h->note_n] = 0;
    h->body_bytes += n;
    if (h->into && h->body_bytes <= h->most) {
        sy_buf_put(h->into, at, n);
    }
    if (h->body_bytes > h->most) {
        h->state = SY_HTTP_LARGE;
        return -1;
    }
    return 0;
}

static int on_done(http_parser *p)
{
    sy_http *h = p->data;
    if (p->status_code >= 100 && p->status_code < 200) {
        h->in_head = true; /* interim; the head's bound goes on counting */
        return 0;
    }
    h->state = SY_HTTP_DONE;
    http_parser_pause(p, 1);
    return 0;
}

sy_err sy_http_open(sy_http **out, sy_fail *f)
{
    sy_http *h = calloc(1, sizeof *h);
    if (!h) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for an HTTP parser");
    }
    http_parser_settings_init(&h->calls);
    h->calls.on_header_field = on_name;
    h->calls.on_header_value = on_value;
    h->calls.on_headers_complete = on_head_done;
    h->calls.on_body = on_body;
    h->calls.on_message_complete = on_done;
    sy_http_reset(h);
    *out = h;
    return SY_OK;
}

void sy_http_close(sy_http *h)
{
    free(h);
}

void sy_http_reset(sy_http *h)
{
    http_parser_settings calls = h->calls;
    memset(h, 0, sizeof *h);
    h->calls = calls;
    http_parser_init(&h->parser, HTTP_RESPONSE);
    h->parser.data = h;
    h->in_head = true;
    h->why = "";
    h->most = SY_HTTP_BODY_MAX;
}

void sy_http_keep(sy_http *h, sy_buf *into, size_t most)
{
    h->into = into;
    h->most = most;
}

static sy_http_state bad(sy_http *h, const char *why)
{
    h->state = SY_HTTP_BAD;
    if (!h->why[0]) {
        h->why = why;
    }
    return h->state;
}

/* One slice that is at most what the head may still take, so that a head beyond its bound is seen
 * before the parser is given more of it. */
static sy_http_state feed_slice(sy_http *h, const char *bytes, size_t n, size_t *used)
{
    *used = http_parser_execute(&h->parser, &h->calls, bytes, n);
    enum http_errno e = HTTP_PARSER_ERRNO(&h->parser);
    if (h->state == SY_HTTP_LARGE) {
        h->keep_alive = false;
        return h->state;
    }
    if (h->state == SY_HTTP_DONE) {
        return h->state;
    }
    if (e != HPE_OK || (n > 0 && *used != n)) {
        return bad(h, http_errno_description(e));
    }
    return SY_HTTP_MORE;
}

sy_http_state sy_http_feed(sy_http *h, const char *bytes, size_t n)
{
    h->begun = h->begun || n > 0;
    while (n > 0 && h->state == SY_HTTP_MORE) {
        size_t slice = n;
        if (h->in_head) {
            size_t room = SY_HTTP_HEAD_MAX - h->head_bytes;
            if (room == 0) {
                return bad(h, "its head is longer than 8 KiB");
            }
            slice = n < room ? n : room;
            h->head_bytes += slice;
        }
        size_t used = 0;
        if (feed_slice(h, bytes, slice, &used) == SY_HTTP_BAD) {
            return h->state;
        }
        bytes += used;
        n -= used;
    }
    if (n > 0 && h->state == SY_HTTP_DONE) {
        h->keep_alive = false; /* more than was asked for: this connection is not to be trusted */
    }
    return h->state;
}

sy_http_state sy_http_eof(sy_http *h)
{
    if (h->state != SY_HTTP_MORE) {
        return h->state;
    }
    if (h->in_head) {
        return bad(h, "it ended in the middle of its head");
    }
    size_t used = 0;
    if (feed_slice(h, "", 0, &used) == SY_HTTP_MORE) {
        return bad(h, "it ended in the middle of its body");
    }
    h->keep_alive = false;
    return h->state;
}

unsigned sy_http_status(const sy_http *h)
{
    return h->status;
}

bool sy_http_keep_alive(const sy_http *h)
{
    return h->keep_alive;
}

const char *sy_http_retry_after(const sy_http *h)
{
    return h->retry_after;
}

const char *sy_http_location(const sy_http *h)
{
    return h->location;
}

const char *sy_http_note(const sy_http *h)
{
    return h->note;
}

const char *sy_http_why(const sy_http *h)
{
    return h->why;
}

bool sy_http_begun(const sy_http *h)
{
    return h->begun;
}

static bool copy_field(const char *text, const struct http_parser_url *u, unsigned which, char *to,
                       size_t size)
{
    size_t n = u->field_data[which].len;
    if (!(u->field_set & (1u << which)) || n == 0 || n >= size) {
        return false;
    }
    memcpy(to, text + u->field_data[which].off, n);
    to[n] = 0;
    return true;
}

sy_err sy_url_parse(const char *text, sy_url *out, sy_fail *f)
{
    struct http_parser_url u;
    http_parser_url_init(&u);
    size_t n = strlen(text);
    char scheme[8];
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] >= 127) {
            return sy_fail_set(f, SY_E_USAGE,
                               "the address of a destination holds a blank or a character that is "
                               "not ASCII; write it percent-encoded");
        }
    }
    if (n > 1200 || http_parser_parse_url(text, n, 0, &u) != 0 ||
        !copy_field(text, &u, UF_SCHEMA, scheme, sizeof scheme) || strcmp(scheme, "https") != 0 ||
        !copy_field(text, &u, UF_HOST, out->host, sizeof out->host)) {
        return sy_fail_set(f, SY_E_USAGE,
                           "'%.120s' is no https address; write https://host:port/path", text);
    }
    if (u.field_set & (1u << UF_USERINFO | 1u << UF_FRAGMENT)) {
        return sy_fail_set(f, SY_E_USAGE,
                           "'%.120s': an address has no user and no fragment; the certificate says "
                           "who we are",
                           text);
    }
    unsigned port = u.field_set & (1u << UF_PORT) ? u.port : 443u;
    if (port == 0) {
        return sy_fail_set(f, SY_E_USAGE, "'%.120s': port 0 is no port", text);
    }
    snprintf(out->port, sizeof out->port, "%u", port & 0xffffu);
    char path[768] = "/", query[256] = "";
    bool has_path = (u.field_set & (1u << UF_PATH)) != 0,
         has_query = (u.field_set & (1u << UF_QUERY)) != 0;
    if ((has_path && !copy_field(text, &u, UF_PATH, path, sizeof path)) ||
        (has_query && !copy_field(text, &u, UF_QUERY, query, sizeof query))) {
        return sy_fail_set(f, SY_E_USAGE, "'%.80s…': the path is too long", text);
    }
    snprintf(out->path, sizeof out->path, "%s%s%s", path, query[0] ? "?" : "", query);
    bool v6 = strchr(out->host, ':') != NULL;
    snprintf(out->authority, sizeof out->authority, "%s%s%s:%s", v6 ? "[" : "", out->host,
             v6 ? "]" : "", out->port);
    return SY_OK;
}

static void field_put(sy_buf *out, const char *name, const char *value)
{
    if (value) {
        sy_buf_text(out, name);
        sy_buf_text(out, value);
        sy_buf_text(out, "\r\n");
    }
}

void sy_http_head(sy_buf *out, const sy_url *url, const sy_http_request *r)
{
    sy_buf_text(out, r->method);
    sy_buf_char(out, ' ');
    sy_buf_text(out, r->path ? r->path : url->path);
    sy_buf_text(out, " HTTP/1.1\r\nHost: ");
    sy_buf_text(out, url->authority);
    sy_buf_text(out, "\r\nUser-Agent: steelyard\r\n");
    field_put(out, "Accept: ", r->accept);
    field_put(out, "Authorization: ", r->authorization);
    field_put(out, "Content-Type: ", r->type);
    if (r->type) {
        sy_buf_text(out, "Content-Length: ");
        sy_buf_int(out, (int64_t)r->length);
        sy_buf_text(out, "\r\n");
    }
    sy_buf_text(out, "\r\n");
}

void sy_http_post(sy_buf *out, const sy_url *url, const char *type, const char *key, size_t length)
{
    sy_buf_text(out, "POST ");
    sy_buf_text(out, url->path);
    sy_buf_text(out, " HTTP/1.1\r\nHost: ");
    sy_buf_text(out, url->authority);
    sy_buf_text(out, "\r\nUser-Agent: steelyard\r\nAccept: application/json\r\nContent-Type: ");
    sy_buf_text(out, type);
    sy_buf_text(out, "\r\nIdempotency-Key: ");
    sy_buf_text(out, key);
    sy_buf_text(out, "\r\nContent-Length: ");
    sy_buf_int(out, (int64_t)length);
    sy_buf_text(out, "\r\n\r\n");
}
