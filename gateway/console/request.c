/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments and answers. */
#include "console/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "control/control.h"

const char *sy_request_arg(const sy_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->mhd, MHD_GET_ARGUMENT_KIND, name);
}

bool sy_request_number(const sy_request *r, const char *name, int64_t lo, int64_t hi,
                       int64_t otherwise, int64_t *out)
{
    const char *text = sy_request_arg(r, name);
    char *end;
    *out = otherwise;
    if (!text) {
        return true;
    }
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *out = n;
    return *text && !*end && !errno && n >= lo && n <= hi;
}

bool sy_request_time(const sy_request *r, const char *name, sy_ms otherwise, sy_ms *out)
{
    const char *text = sy_request_arg(r, name);
    *out = otherwise;
    if (!text) {
        return true;
    }
    if (*text && strspn(text, "0123456789") == strlen(text)) {
        return sy_request_number(r, name, 0, 253402300799999, otherwise, out);
    }
    return sy_time_parse(sy_span_of(text), out) == SY_OK;
}

void sy_answer_heads(const sy_request *r, struct MHD_Response *response)
{
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
                            "'self' data:; connect-src 'self'; manifest-src 'self'; base-uri "
                            "'none'; form-action 'none'; frame-ancestors 'none'");
    if (r->console->tls) {
        MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
    }
}

static struct MHD_Response *response_of(const sy_buf *body)
{
    bool good = !body->failed;
    return MHD_create_response_from_buffer(good ? body->n : 0,
                                           good && body->n ? body->p : (void *)(uintptr_t) "",
                                           MHD_RESPMEM_MUST_COPY);
}

enum MHD_Result sy_answer_with(sy_request *r, unsigned status, const char *type, const sy_buf *body,
                               const char *name, const char *value)
{
    struct MHD_Response *response = response_of(body);
    if (!response) {
        return MHD_NO;
    }
    sy_answer_heads(r, response);
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (name) {
        MHD_add_response_header(response, name, value);
    }
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        MHD_add_response_header(response, "Retry-After", "5");
    }
    enum MHD_Result queued = MHD_queue_response(
        r->mhd, body->failed ? MHD_HTTP_INTERNAL_SERVER_ERROR : status, response);
    MHD_destroy_response(response);
    return queued;
}

enum MHD_Result sy_answer(sy_request *r, unsigned status, const char *type, const sy_buf *body)
{
    return sy_answer_with(r, status, type, body, NULL, NULL);
}

enum MHD_Result sy_answer_json(sy_request *r, unsigned status, const sy_buf *body)
{
    return sy_answer_with(r, status, "application/json", body, NULL, NULL);
}

enum MHD_Result sy_answer_error(sy_request *r, unsigned status, const char *code, const char *text)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_text(&b, "{\"error\":{\"code\":");
    sy_buf_json(&b, sy_span_of(code));
    sy_buf_text(&b, ",\"text\":");
    sy_buf_json(&b, sy_span_of(text));
    sy_buf_text(&b, "}}\n");
    enum MHD_Result queued = sy_answer_json(r, status, &b);
    sy_buf_fini(&b);
    return queued;
}

enum MHD_Result sy_answer_fail(sy_request *r, const sy_fail *f)
{
    static const struct {
        sy_err code;
        unsigned status;
        const char *word;
    } rows[] = {
        {SY_E_USAGE, MHD_HTTP_BAD_REQUEST, "bad-request"},
        {SY_E_PARSE, MHD_HTTP_BAD_REQUEST, "bad-request"},
        {SY_E_RANGE, MHD_HTTP_BAD_REQUEST, "out-of-range"},
        {SY_E_DENIED, MHD_HTTP_FORBIDDEN, "not-allowed"},
        {SY_E_NOTFOUND, MHD_HTTP_NOT_FOUND, "not-found"},
        {SY_E_EXISTS, MHD_HTTP_CONFLICT, "exists"},
        {SY_E_PEER, MHD_HTTP_CONFLICT, "refused"},
        {SY_E_AGAIN, MHD_HTTP_SERVICE_UNAVAILABLE, "try-again"},
        {SY_E_FULL, MHD_HTTP_SERVICE_UNAVAILABLE, "no-room"},
        {SY_E_NOMEM, MHD_HTTP_SERVICE_UNAVAILABLE, "no-memory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == f->code) {
            return sy_answer_error(r, rows[i].status, rows[i].word, f->text);
        }
    }
    sy_log_fail(SY_LOG_ERROR, "console-failed", f);
    return sy_answer_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed",
                           "it failed on the box; its log says why");
}

enum MHD_Result sy_answer_file(sy_request *r, const char *type, const char *name,
                               const sy_buf *body)
{
    char value[300];
    snprintf(value, sizeof value, "attachment; filename=\"%.200s\"", name);
    for (char *p = value + 22; *p; p++) {
        /* What is no plain character of a file's name cannot break out of the quotes. */
        if (p[1] && (*p == '"' || *p == '\\' || *p == '/' || (unsigned char)*p < ' ')) {
            *p = '_';
        }
    }
    return sy_answer_with(r, MHD_HTTP_OK, type, body, "Content-Disposition", value);
}

enum { PATIENCE_MS = 10000 };

sy_err sy_request_ask(sy_request *r, const char *line, sy_buf *answer, sy_fail *f)
{
    return sy_control_ask(r->console->data, line, PATIENCE_MS, answer, f);
}

sy_err sy_request_do(sy_request *r, const sy_buf *line, sy_fail *f)
{
    return sy_control_do(r->console->data, line, PATIENCE_MS, f);
}
