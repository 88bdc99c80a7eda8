/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form that passes the guard becomes a row of a case, or an order to the alert's gateway that is
 * signed here and now; the browser is sent back to the alert (303), so that loading it again sends
 * nothing twice.
 */
#include "inbox/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"

/* A box allows 7 days from when it takes the order; 168 h from now may be later there. */
enum { ID_MAX = 201, SOURCE_MAX = 513, SHELVE_LESS_MS = 60000 };

typedef enum target { TO_NOTHING, TO_ACT, TO_CASE, TO_ORDERS } target;

typedef struct subject { /* the alert that it is about */
    int64_t seq;
    char source[SOURCE_MAX], id[ID_MAX];
    bool cut;
} subject;

static target target_of(const char *url, int64_t *seq)
{
    static const char prefix[] = "/alert/";
    *seq = 0;
    if (strcmp(url, "/orders") == 0) {
        return TO_ORDERS;
    }
    if (strncmp(url, prefix, sizeof prefix - 1) != 0) {
        return TO_NOTHING;
    }
    const char *digits = url + sizeof prefix - 1;
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 18) {
        return TO_NOTHING;
    }
    *seq = strtoll(digits, NULL, 10);
    return strcmp(digits + n, "/act") == 0    ? TO_ACT
           : strcmp(digits + n, "/case") == 0 ? TO_CASE
                                              : TO_NOTHING;
}

size_t sy_post_max(const char *url)
{
    int64_t seq;
    target t = target_of(url, &seq);
    return t == TO_NOTHING ? 0 : t == TO_ORDERS ? SY_DESK_JWS_MAX : SY_FORM_BYTES;
}

static bool type_is(struct MHD_Connection *c, const char *want)
{
    const char *type = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type");
    size_t n = strlen(want);
    return type && strncasecmp(type, want, n) == 0 &&
           (!type[n] || type[n] == ';' || type[n] == ' ');
}

static enum MHD_Result refuse(const sy_post *p, unsigned status, sy_word_id w, const char *more)
{
    sy_log(SY_LOG_WARN, "inbox-form-refused", "status=%u msg=\"%s\"", status,
           sy_word_text(w, false));
    sy_view_refusal(p->view, w, more);
    return sy_web_answer(p->connection, status, "text/html; charset=utf-8", p->view->out);
}

static void note_subject(void *ctx, const sy_inbox_alert *a)
{
    subject *s = ctx;
    int n = snprintf(s->source, sizeof s->source, "%s", a->source);
    int k = snprintf(s->id, sizeof s->id, "%s", a->id);
    s->cut = n >= SOURCE_MAX || k >= ID_MAX;
}

/* Back to the alert, with the name kept for the next form. */
static enum MHD_Result back(const sy_post *p, const subject *s, const char *anchor, const char *who)
{
    char at[96];
    sy_buf cookie;
    const sy_view *v = p->view;
    snprintf(at, sizeof at, "/alert/%lld%s#%s", (long long)s->seq,
             !v->forced ? ""
             : v->zh    ? "?lang=zh"
                        : "?lang=en",
             anchor);
    sy_buf_init(&cookie, sy_heap());
    if (!v->visitor->named) {
        sy_guard_who(p->guard, who, &cookie);
    }
    const sy_web_field fields[] = {
        {"Location", at}, {"Set-Cookie", cookie.failed ? NULL : cookie.p}, {NULL, NULL}};
    enum MHD_Result queued =
        sy_web_send(p->connection, MHD_HTTP_SEE_OTHER, "text/html; charset=utf-8", v->out, fields);
    sy_buf_fini(&cookie);
    return queued;
}

static enum MHD_Result failed(const sy_post *p, sy_err e, const sy_fail *f)
{
    if (e == SY_E_RANGE || e == SY_E_EXISTS) {
        return refuse(p, MHD_HTTP_CONFLICT, SY_W_W_STEP, f->text);
    }
    if (e == SY_E_NOTFOUND) {
        return refuse(p, MHD_HTTP_NOT_FOUND, SY_W_NOT_FOUND, NULL);
    }
    if (e == SY_E_DENIED || e == SY_E_PARSE) {
        return refuse(p, MHD_HTTP_FORBIDDEN, SY_W_W_DENIED, f->text);
    }
    sy_log_fail(SY_LOG_ERROR, "inbox-store", f);
    return refuse(p, MHD_HTTP_SERVICE_UNAVAILABLE, SY_W_BROKEN, NULL);
}

/* An order's texts have no line ends. */
static void one_line(const char *text, char out[SY_DESK_WHY_MAX + 1])
{
    size_t n = strlen(text);
    memcpy(out, text, n + 1);
    for (size_t i = 0; i < n; i++) {
        out[i] = out[i] == '\n' || out[i] == '\t' ? ' ' : out[i];
    }
}

static sy_err give_order(const sy_post *p, const subject *s, sy_order *w, sy_fail *f)
{
    static const char prefix[] = "/steelyard/";
    char id[33];
    uint8_t random[16];
    sy_buf jws;
    int64_t number = 0;
    if (!p->signer) {
        return sy_fail_set(f, SY_E_DENIED, "it was started without --sign-cert and --sign-key");
    }
    if (s->cut || strncmp(s->source, prefix, sizeof prefix - 1) != 0) {
        return sy_fail_set(f, SY_E_DENIED, "the alert's source names no gateway");
    }
    w->gateway = s->source + sizeof prefix - 1;
    w->alert = s->id;
    w->id = id;
    sy_random(random, sizeof random);
    sy_hex(random, sizeof random, id);
    sy_buf_init(&jws, sy_heap());
    sy_ms now = sy_wall_ms();
    sy_err e = sy_pen_order(p->signer, w, now, &jws, f);
    if (e == SY_OK) {
        e = sy_desk_order_add(p->desk,
                              &(sy_desk_order){.source = s->source,
                                               .id = id,
                                               .kind = sy_order_kind_text(w->kind),
                                               .alert = s->id,
                                               .who = w->who,
                                               .why = w->why,
                                               .signer = sy_pen_name(p->signer),
                                               .jws = jws.p,
                                               .at = now},
                              &number, f);
    }
    sy_buf_fini(&jws);
    if (e == SY_OK) {
        sy_log(SY_LOG_INFO, "inbox-order", "number=%lld kind=%s", (long long)number,
               sy_order_kind_text(w->kind));
    }
    return e;
}

static enum MHD_Result act(const sy_post *p, const sy_form *form, const subject *s, const char *who)
{
    const char *what = sy_form_get(form, "do"), *hours = sy_form_get(form, "hours");
    char why[SY_DESK_WHY_MAX + 1];
    sy_fail f;
    sy_order w = {.who = who};
    if (!sy_order_kind_of(what, &w.kind) || w.kind > SY_ORDER_EVIDENCE) {
        return refuse(p, MHD_HTTP_BAD_REQUEST, SY_W_W_FORM, NULL);
    }
    one_line(sy_form_get(form, "why"), why);
    if (!why[0] && (w.kind == SY_ORDER_SHELVE || w.kind == SY_ORDER_COMMENT)) {
        return refuse(p, MHD_HTTP_UNPROCESSABLE_CONTENT, SY_W_W_WHY, NULL);
    }
    w.why = why[0] ? why : "at the inbox";
    w.text = w.kind == SY_ORDER_COMMENT ? why : NULL;
    if (w.kind == SY_ORDER_SHELVE) {
        size_t n = strlen(hours);
        long h = n > 0 && n <= 3 && strspn(hours, "0123456789") == n ? strtol(hours, NULL, 10) : 0;
        if (h < 1 || h > 168) {
            return refuse(p, MHD_HTTP_BAD_REQUEST, SY_W_W_FORM, NULL);
        }
        w.until = sy_wall_ms() + h * 3600000 - SHELVE_LESS_MS;
    }
    sy_err e = give_order(p, s, &w, &f);
    return e == SY_OK ? back(p, s, "orders", who) : failed(p, e, &f);
}

static enum MHD_Result take_step(const sy_post *p, const sy_form *form, const subject *s,
                                 const char *who)
{
    sy_fail f;
    sy_err e = sy_desk_case_add(p->desk,
                                &(sy_desk_step){.source = s->source,
                                                .alert = s->id,
                                                .state = sy_form_get(form, "state"),
                                                .outcome = sy_form_get(form, "outcome"),
                                                .why = sy_form_get(form, "why"),
                                                .who = who,
                                                .at = sy_wall_ms()},
                                &f);
    return e == SY_OK ? back(p, s, "case", who) : failed(p, e, &f);
}

static enum MHD_Result form_answer(const sy_post *p, const sy_form *form, target t, int64_t seq)
{
    const sy_visitor *visitor = p->view->visitor;
    subject s = {.seq = seq};
    sy_fail f;
    if (!sy_guard_token(visitor, sy_form_get(form, "token"))) {
        return refuse(p, MHD_HTTP_FORBIDDEN, SY_W_W_TOKEN, NULL);
    }
    const char *who = visitor->named ? visitor->who : sy_form_get(form, "who");
    if (!visitor->may || !sy_who_fits(who)) {
        return refuse(p, visitor->may ? MHD_HTTP_UNPROCESSABLE_CONTENT : MHD_HTTP_FORBIDDEN,
                      visitor->may ? SY_W_W_WHO : SY_W_NOT_SIGNED_IN, NULL);
    }
    if (strlen(sy_form_get(form, "why")) > SY_DESK_WHY_MAX) {
        return refuse(p, MHD_HTTP_UNPROCESSABLE_CONTENT, SY_W_W_WHY, NULL);
    }
    sy_err e = sy_inbox_db_alert(p->view->db, seq, note_subject, &s, &f);
    if (e != SY_OK) {
        return failed(p, e, &f);
    }
    return t == TO_ACT ? act(p, form, &s, who) : take_step(p, form, &s, who);
}

static enum MHD_Result take_order(const sy_post *p)
{
    char source[SOURCE_MAX];
    char signer[SY_SUBJECT_TEXT + 1];
    sy_order o;
    sy_fail f;
    int64_t number = 0;
    if (!type_is(p->connection, "application/jose")) {
        return sy_web_refuse(p->connection, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                             "the body must be application/jose");
    }
    sy_span text = p->body;
    while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r')) {
        text.n--;
    }
    sy_buf jws;
    sy_buf_init(&jws, sy_heap());
    sy_buf_span_put(&jws, text);
    sy_err e = sy_signed_read(text, &o, signer, &f);
    if (e == SY_OK) {
        bool all = strcmp(o.gateway, "*") == 0;
        snprintf(source, sizeof source, "%s%s", all ? "" : "/steelyard/", o.gateway);
        e = sy_desk_order_add(p->desk,
                              &(sy_desk_order){.source = source,
                                               .id = o.id,
                                               .kind = sy_order_kind_text(o.kind),
                                               .alert = o.alert,
                                               .who = o.who,
                                               .why = o.why,
                                               .signer = signer,
                                               .jws = jws.p,
                                               .at = sy_wall_ms()},
                              &number, &f);
        sy_order_free(&o);
    }
    sy_buf_fini(&jws);
    if (e != SY_OK) {
        bool bad = e == SY_E_PARSE || e == SY_E_DENIED || e == SY_E_RANGE || e == SY_E_UNSUPPORTED;
        sy_log_fail(bad ? SY_LOG_WARN : SY_LOG_ERROR, bad ? "inbox-form-refused" : "inbox-store",
                    &f);
        return sy_web_refuse(p->connection,
                             e == SY_E_EXISTS ? MHD_HTTP_CONFLICT
                             : bad            ? MHD_HTTP_BAD_REQUEST
                                              : MHD_HTTP_SERVICE_UNAVAILABLE,
                             f.text);
    }
    sy_log(SY_LOG_INFO, "inbox-order", "number=%lld", (long long)number);
    sy_buf_printf(p->view->out, "{\"number\":%lld}\n", (long long)number);
    return sy_web_answer(p->connection, MHD_HTTP_OK, "application/json", p->view->out);
}

enum MHD_Result sy_post_answer(const sy_post *p)
{
    int64_t seq = 0;
    target t = target_of(p->url, &seq);
    sy_form form;
    sy_fail f;
    if (!sy_guard_origin(p->guard, p->connection)) {
        return refuse(p, MHD_HTTP_FORBIDDEN, SY_W_W_ORIGIN, NULL);
    }
    if (t == TO_ORDERS) {
        return take_order(p);
    }
    if (!type_is(p->connection, "application/x-www-form-urlencoded") ||
        sy_form_parse(p->body, &form, &f) != SY_OK) {
        return refuse(p, MHD_HTTP_BAD_REQUEST, SY_W_W_FORM, NULL);
    }
    enum MHD_Result queued = form_answer(p, &form, t, seq);
    sy_form_free(&form);
    return queued;
}
