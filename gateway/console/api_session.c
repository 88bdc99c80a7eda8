/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in and out: /api/v1/session. */
#include <jansson.h>
#include <stdio.h>

#include "base/log.h"
#include "console/account.h"
#include "console/api.h"

static void put_may(sy_buf *b, unsigned may)
{
    static const struct {
        sy_permission bit;
        const char *word;
    } words[] = {{SY_MAY_VIEW, "view"},       {SY_MAY_ANSWER, "answer"},
                 {SY_MAY_SHELVE, "shelve"},   {SY_MAY_EVIDENCE, "evidence"},
                 {SY_MAY_DEVICES, "devices"}, {SY_MAY_RULES, "rules"},
                 {SY_MAY_AUDIT, "audit"}};
    const char *between = "";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (may & (unsigned)words[i].bit) {
            sy_buf_printf(b, "%s\"%s\"", between, words[i].word);
            between = ",";
        }
    }
}

static void put_who(sy_buf *b, const char *user, sy_role role, const char *guard)
{
    sy_buf_text(b, "{\"user\":");
    sy_buf_json(b, sy_span_of(user));
    sy_buf_printf(b, ",\"role\":\"%s\",\"may\":[", sy_role_word(role));
    put_may(b, sy_role_may(role));
    sy_buf_printf(b, "],\"token\":\"%s\"}\n", guard);
}

enum MHD_Result sy_api_session(sy_request *r)
{
    sy_buf b;
    sy_users users;
    sy_fail f;
    char guard[SY_TOKEN + 1] = "";
    sy_buf_init(&b, sy_heap());
    if (r->user[0]) {
        if (r->session[0]) {
            (void)sy_sessions_guard(r->console->sessions, r->session, guard);
        }
        put_who(&b, r->user, r->role, guard);
    } else if (sy_users_read(r->console->data, &users, &f)) {
        sy_buf_fini(&b);
        return sy_answer_fail(r, &f);
    } else {
        sy_buf_printf(&b, "{\"user\":null,\"accounts\":%s,\"certificates\":%s}\n",
                      users.n ? "true" : "false", r->console->certificates ? "true" : "false");
        sy_users_free(&users);
    }
    enum MHD_Result queued = sy_answer_json(r, MHD_HTTP_OK, &b);
    sy_buf_fini(&b);
    return queued;
}

static enum MHD_Result answer_with_cookie(sy_request *r, unsigned status, const sy_buf *body,
                                          const char *token)
{
    char cookie[200];
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
             sy_account_cookie(r->console), token, r->console->tls ? "; Secure" : "",
             *token ? "" : "; Max-Age=0");
    return sy_answer_with(r, status, "application/json", body, "Set-Cookie", cookie);
}

static enum MHD_Result wait_first(sy_request *r, sy_ms wait)
{
    char text[100];
    snprintf(text, sizeof text, "too many failed attempts; try again in %lld s",
             (long long)wait / 1000 + 1);
    return sy_answer_error(r, MHD_HTTP_TOO_MANY_REQUESTS, "too-many-attempts", text);
}

static enum MHD_Result sign_in(sy_request *r, const char *name, sy_span password)
{
    sy_users users;
    sy_fail f;
    char token[SY_TOKEN + 1], guard[SY_TOKEN + 1];
    sy_ms now = sy_mono_ms(), wait = sy_guard_wait(r->console->guard, name, r->peer, now);
    if (wait > 0) {
        return wait_first(r, wait);
    }
    if (sy_users_read(r->console->data, &users, &f)) {
        return sy_answer_fail(r, &f);
    }
    const sy_user *user = sy_users_find(&users, name);
    bool good = sy_user_check(user, password);
    if (good) {
        sy_sessions_begin(r->console->sessions, user, now, token, guard);
        sy_guard_passed(r->console->guard, name, r->peer, now);
        r->role = user->role;
    }
    sy_users_free(&users);
    if (!good) {
        sy_guard_failed(r->console->guard, name, r->peer, now);
        sy_log(SY_LOG_WARN, "console-login-refused", "peer=%s", r->peer);
        return sy_answer_error(r, MHD_HTTP_UNAUTHORIZED, "wrong-password",
                               "name or password is wrong");
    }
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    put_who(&b, name, r->role, guard);
    enum MHD_Result queued = answer_with_cookie(r, MHD_HTTP_OK, &b, token);
    sy_buf_fini(&b);
    return queued;
}

enum MHD_Result sy_api_sign_in(sy_request *r)
{
    json_t *body = json_loadb(r->body.p ? r->body.p : "", r->body.n, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(body, "name"));
    const json_t *password = json_object_get(body, "password");
    enum MHD_Result queued;
    if (name && json_is_string(password) && sy_user_name_valid(sy_span_of(name))) {
        sy_span given = {json_string_value(password), json_string_length(password)};
        queued = sign_in(r, name, given);
    } else {
        queued = sy_answer_error(r, MHD_HTTP_BAD_REQUEST, "bad-request",
                                 "a JSON object with name and password is needed");
    }
    json_decref(body);
    return queued;
}

enum MHD_Result sy_api_sign_out(sy_request *r)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_sessions_end(r->console->sessions, r->session);
    sy_buf_text(&b, "{}\n");
    enum MHD_Result queued = answer_with_cookie(r, MHD_HTTP_OK, &b, "");
    sy_buf_fini(&b);
    return queued;
}
