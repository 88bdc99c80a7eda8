/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of evidence: read on a phone, printed on A4, self-contained. What is shown comes from
 * the proven parts alone: bodies of events, lists of readings, leaves, the head.
 */
#include <math.h>
#include <stdio.h>

#include "ledger/page_int.h"

enum { PLOTS = 8, ROWS = 600 };

static const char style[] =
    ":root{color-scheme:light}*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:50rem;padding:.75rem;background:#fff;color:#16191d;"
    "font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",\"PingFang SC\",\"Noto Sans CJK SC\","
    "\"Microsoft YaHei\",sans-serif;overflow-wrap:anywhere}"
    "h1{font-size:1.3rem;line-height:1.35;margin:.25rem 0}"
    "h2{font-size:1.05rem;margin:1.4rem 0 .4rem;border-bottom:1px solid #d0d7de}"
    "p{margin:.35rem 0}.dim,figcaption,dt{color:#57606a;font-size:.85rem}"
    "dl{margin:0;display:grid;grid-template-columns:minmax(8rem,1fr) 3fr;gap:.2rem .8rem}"
    "dt{font-weight:600;padding-top:.1rem}dd{margin:0}"
    ".level{border:2px solid #16191d;border-radius:.35rem;padding:0 .45rem;font-weight:700}"
    ".mark{border:1px dashed #57606a;border-radius:.35rem;padding:0 .35rem;font-size:.85rem}"
    "pre{white-space:pre-wrap;background:#f4f5f7;border:1px solid #d0d7de;border-radius:.4rem;"
    "padding:.6rem;font:.85rem/1.45 ui-monospace,Menlo,Consolas,\"Noto Sans Mono CJK SC\","
    "monospace;margin:0}code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.85rem}"
    "ol{margin:0;padding-left:1.4rem}li{margin:0 0 .5rem}"
    "figure{margin:.5rem "
    "0;break-inside:avoid}svg{width:100%;max-width:44rem;height:auto;display:block}"
    "svg text{font-size:13px;fill:#16191d}.axis,.grid,.limit,.line,.bad{fill:none;stroke:#16191d}"
    ".axis{stroke-width:1}.grid{stroke:#d0d7de}.limit{stroke:#b3261e;stroke-width:1.5;"
    "stroke-dasharray:7 4}.line{stroke:#0b57d0;stroke-width:1.8}circle{fill:#0b57d0}"
    ".bad{stroke-width:1.6}.unsure{fill:#8a5a00}.stretch{fill:#b3261e;fill-opacity:.12}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.3rem 0 .8rem;"
    "overflow-wrap:normal}h3{font-size:.95rem;margin:.6rem 0 .2rem}"
    "th,td{text-align:left;padding:.12rem .5rem .12rem 0;border-bottom:1px solid #e4e8ec;"
    "vertical-align:top}td:nth-child(2){font-variant-numeric:tabular-nums;white-space:nowrap}."
    "records td{"
    "white-space:normal;overflow-wrap:anywhere}"
    "thead{display:table-header-group}tr{break-inside:avoid}time{white-space:nowrap}"
    "@media(max-width:30rem){dl{display:block}dd{margin-bottom:.45rem}}"
    "@media print{@page{size:A4;margin:15mm}body{max-width:none;padding:0;font-size:10pt}"
    "h2{break-after:avoid}pre{background:none}}";

static void begin(const sy_page *p)
{
    sy_buf_printf(p->out,
                  "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'\"><meta name=\"generator\" content=\"steelyard\">\n",
                  p->zh ? "zh-CN" : "en");
    sy_page__raw(p, "<title>");
    sy_page__word(p, SY_PW_EVIDENCE);
    sy_page__raw(p, " ");
    sy_page__text(p, p->e->alert);
    sy_page__raw(p, "</title>\n<style>");
    sy_page__raw(p, style);
    sy_page__raw(p, "</style></head><body>\n");
}

static void section(const sy_page *p, sy_page_word w)
{
    sy_page__raw(p, "<h2>");
    sy_page__word(p, w);
    sy_page__raw(p, "</h2>\n");
}

static void term(const sy_page *p, sy_page_word w)
{
    sy_page__raw(p, "<dt>");
    sy_page__word(p, w);
    sy_page__raw(p, "</dt><dd>");
}

static void end_term(const sy_page *p)
{
    sy_page__raw(p, "</dd>\n");
}

static void bdi(const sy_page *p, const char *text)
{
    sy_page__raw(p, "<bdi>");
    sy_page__text(p, text);
    sy_page__raw(p, "</bdi>");
}

/* The name, and behind it the id. */
static void named(const sy_page *p, const json_t *thing)
{
    const char *name = sy_page__str(thing, "name"), *id = sy_page__str(thing, "id");
    bdi(p, *name ? name : id);
    if (*name) {
        sy_page__raw(p, " <span class=\"dim\">");
        bdi(p, id);
        sy_page__raw(p, "</span>");
    }
}

static void mark(const sy_page *p, sy_page_word w)
{
    sy_page__raw(p, " <span class=\"mark\">");
    sy_page__word(p, w);
    sy_page__raw(p, "</span>");
}

static void title(const sy_page *p)
{
    const json_t *alert = json_object_get(p->data, "alert"),
                 *rule = json_object_get(p->data, "rule");
    sy_page__raw(p, "<p><span class=\"level\">");
    sy_page__text(p, sy_page__severity(p, sy_page__str(alert, "severity")));
    sy_page__raw(p, "</span> ");
    sy_page__text(p, sy_page__change(p, sy_page__str(alert, "state")));
    if (strcmp(sy_page__str(p->data, "clock"), "replay") == 0)
        mark(p, SY_PW_REPLAY);
    sy_page__raw(p, "</p>\n<h1>");
    const json_t *premises = json_object_get(p->data, "premises"),
                 *place = json_object_get(p->data, "place");
    const char *who = sy_page__str(premises, "name"), *where = sy_page__str(place, "name");
    bdi(p, *who ? who : sy_page__str(premises, "id"));
    sy_page__raw(p, p->zh ? "，" : ", ");
    bdi(p, *where ? where : sy_page__str(place, "id"));
    sy_page__raw(p, p->zh ? "：" : ": ");
    sy_page__text(p, sy_page__both(p, json_object_get(rule, "title")));
    sy_page__raw(p, "</h1>\n<p class=\"dim\">");
    sy_page__word(p, SY_PW_MADE);
    sy_page__raw(p, " ");
    sy_page__word(p, SY_PW_TIMES);
    sy_ms minutes = p->offset / 60000;
    sy_buf_printf(p->out, "%c%02d:%02d.</p>\n", minutes < 0 ? '-' : '+',
                  (int)((minutes < 0 ? -minutes : minutes) / 60),
                  (int)((minutes < 0 ? -minutes : minutes) % 60));
}

static void one_basis(const sy_page *p, const json_t *b)
{
    const char *clause = sy_page__both(p, json_object_get(b, "clause"));
    sy_page__raw(p, "<div>");
    sy_page__text(p, sy_page__both(p, json_object_get(b, "text")));
    if (*clause) {
        sy_page__raw(p, p->zh ? "，" : ", ");
        sy_page__word(p, SY_PW_CLAUSE);
        sy_page__raw(p, " ");
        sy_page__text(p, clause);
    }
    mark(p, strcmp(sy_page__str(b, "origin"), "law") == 0 ? SY_PW_LAW : SY_PW_POLICY);
    if (json_is_true(json_object_get(b, "verify")))
        mark(p, SY_PW_UNVERIFIED);
    sy_page__raw(p, "</div>");
}

static void where(const sy_page *p)
{
    const json_t *premises = json_object_get(p->data, "premises");
    term(p, SY_PW_PREMISES);
    named(p, premises);
    end_term(p);
    if (*sy_page__str(premises, "code")) {
        term(p, SY_PW_CODE);
        sy_page__text(p, sy_page__str(premises, "code"));
        end_term(p);
    }
    term(p, SY_PW_PLACE);
    named(p, json_object_get(p->data, "place"));
    end_term(p);
    term(p, SY_PW_POINT);
    sy_page__name(p, sy_page__str(p->data, "quantity"));
    sy_page__raw(p, " · ");
    bdi(p, sy_page__str(p->data, "series"));
    end_term(p);
}

static void by_what(const sy_page *p)
{
    const json_t *rule = json_object_get(p->data, "rule"), *bases = json_object_get(rule, "basis");
    term(p, SY_PW_RULE);
    sy_page__text(p, sy_page__str(rule, "id"));
    sy_page__raw(p, " ");
    sy_page__word(p, SY_PW_VERSION);
    sy_page__raw(p, " ");
    sy_buf_int(p->out, json_integer_value(json_object_get(rule, "version")));
    end_term(p);
    term(p, SY_PW_LIMIT);
    sy_page__text(p, sy_page__both(p, json_object_get(rule, "limit")));
    end_term(p);
    term(p, SY_PW_BASIS);
    for (size_t i = 0; i < json_array_size(bases); i++)
        one_basis(p, json_array_get(bases, i));
    end_term(p);
}

static void when(const sy_page *p, sy_page_word w, sy_ms t)
{
    term(p, w);
    sy_page__time(p, t, true);
    end_term(p);
}

static void span(const sy_page *p, const json_t *measure, const char *name, sy_page_word w)
{
    sy_ms d = json_integer_value(json_object_get(measure, name));
    if (d > 0) {
        sy_page__raw(p, p->zh ? "；" : "; ");
        sy_page__word(p, w);
        sy_page__raw(p, " ");
        sy_page__duration(p, d);
    }
}

static const json_t *driver(const sy_page *p)
{
    return p->n_points ? p->points[0].info : p->data;
}

static void what(const sy_page *p)
{
    const json_t *alert = json_object_get(p->data, "alert"),
                 *measure = json_object_get(p->data, "measure");
    sy_ms onset = sy_page__when(json_object_get(alert, "onset")),
          cleared = sy_page__when(json_object_get(alert, "cleared"));
    double lo = sy_page__num(alert, "min"), hi = sy_page__num(alert, "max");
    when(p, SY_PW_ONSET, onset);
    when(p, SY_PW_RAISED, sy_page__when(json_object_get(alert, "raised")));
    term(p, SY_PW_CLEARED);
    if (cleared == SY_MS_NONE) {
        sy_page__word(p, SY_PW_STILL);
    } else {
        sy_page__time(p, cleared, true);
        sy_page__raw(p, " (");
        sy_page__word(p, SY_PW_LASTED);
        sy_page__raw(p, " ");
        sy_page__duration(p, cleared - onset);
        sy_page__raw(p, ")");
    }
    end_term(p);
    if (!isnan(lo) && !isnan(hi)) {
        term(p, SY_PW_LOWEST);
        sy_page__value(p, lo, driver(p));
        end_term(p);
        term(p, SY_PW_HIGHEST);
        sy_page__value(p, hi, driver(p));
        end_term(p);
    }
    term(p, SY_PW_COUNT);
    sy_buf_int(p->out, json_integer_value(json_object_get(alert, "count")));
    end_term(p);
    term(p, SY_PW_COUNTED);
    sy_page__duration(p, json_integer_value(json_object_get(measure, "counted_ms")));
    span(p, measure, "unknown_ms", SY_PW_UNKNOWN);
    span(p, measure, "exempt_ms", SY_PW_EXEMPT);
    end_term(p);
    const char *say = sy_page__both(p, json_object_get(json_object_get(p->data, "rule"), "say"));
    if (*say) {
        term(p, SY_PW_MESSAGE);
        sy_page__text(p, say);
        end_term(p);
    }
}

static void told(const sy_page *p, const json_t *data)
{
    const json_t *tell = json_object_get(data, "tell");
    size_t n = json_array_size(tell);
    sy_page__word(p, n ? SY_PW_TOLD : SY_PW_NOBODY);
    for (size_t i = 0; i < n; i++) {
        sy_page__raw(p, i ? (p->zh ? "、" : ", ") : " ");
        const char *role = json_string_value(json_array_get(tell, i));
        sy_page__name(p, role ? role : "");
    }
    sy_ms within = json_integer_value(json_object_get(data, "respond_within_ms"));
    if (within > 0) {
        sy_page__raw(p, p->zh ? "，" : ", ");
        sy_page__word(p, SY_PW_RESPOND);
        sy_page__raw(p, " ");
        sy_page__duration(p, within);
    }
}

static void linked(const sy_page *p, sy_page_word w, const char *alert)
{
    if (*alert) {
        sy_page__raw(p, " · ");
        sy_page__word(p, w);
        sy_page__raw(p, " <code>");
        sy_page__text(p, alert);
        sy_page__raw(p, "</code>");
    }
}

/* What brought it about, where it was not the time itself, and what it stands in the place of. */
static void why(const sy_page *p, const json_t *data)
{
    const char *reason = sy_page__str(data, "reason");
    if (*reason) {
        sy_page__raw(p, " · ");
        if (strcmp(reason, "late-readings") == 0)
            sy_page__word(p, SY_PW_LATE);
        else
            sy_page__text(p, reason);
    }
    linked(p, SY_PW_REPLACES, sy_page__str(data, "replaces"));
    linked(p, SY_PW_REPLACED_BY, sy_page__str(data, "replaced_by"));
}

static void history(const sy_page *p)
{
    section(p, SY_PW_HISTORY);
    sy_page__raw(p, "<ol>\n");
    for (size_t i = 0; i < p->e->n_events; i++) {
        const sy_evidence_event *v = &p->e->events[i];
        const json_t *body = json_array_get(p->bodies, i), *data = json_object_get(body, "data");
        sy_page__raw(p, "<li><b>");
        sy_page__text(p, sy_page__change(p, sy_page__str(data, "change")));
        sy_page__raw(p, "</b> ");
        sy_page__time(p, sy_page__when(json_object_get(body, "time")), true);
        sy_page__raw(p, " · ");
        sy_page__text(
            p, sy_page__severity(p, sy_page__str(json_object_get(data, "alert"), "severity")));
        why(p, data);
        sy_page__raw(p, "<br>");
        told(p, data);
        sy_page__raw(p, "<br><span class=\"dim\">");
        if (v->has_proof) {
            sy_page__word(p, SY_PW_LEAF);
            sy_buf_printf(p->out, " %llu", (unsigned long long)v->proof.index);
        } else {
            sy_page__word(p, SY_PW_NOT_PROVEN);
        }
        sy_page__raw(p, "</span></li>\n");
    }
    sy_page__raw(p, "</ol>\n");
}

static void plots(const sy_page *p)
{
    const json_t *alert = json_object_get(p->data, "alert");
    sy_ms onset = sy_page__when(json_object_get(alert, "onset")),
          cleared = sy_page__when(json_object_get(alert, "cleared"));
    if (p->n_points == 0)
        return;
    section(p, SY_PW_PLOTS);
    for (size_t i = 0; i < p->n_points && i < PLOTS; i++)
        sy_page__plot(p, &p->points[i], onset, cleared);
    sy_page__raw(p, "<p class=\"dim\">");
    sy_page__word(p, SY_PW_STRETCH);
    sy_page__raw(p, "</p>\n");
}

static void rule_text(const sy_page *p)
{
    if (!p->head)
        return;
    section(p, SY_PW_TEXT);
    sy_page__raw(p, "<pre>");
    sy_page__text(p, sy_page__str(json_object_get(p->head, "rule"), "text"));
    sy_page__raw(p, "</pre>\n<p class=\"dim\">");
    sy_page__word(p, SY_PW_SET);
    sy_page__raw(p, " <code>");
    sy_page__text(p, sy_page__str(p->head, "set"));
    sy_page__raw(p, "</code></p>\n");
}

static void property(const sy_page *p, sy_page_word w, double v, const json_t *info)
{
    sy_page__raw(p, " · ");
    sy_page__word(p, w);
    sy_page__raw(p, " ");
    if (isnan(v))
        sy_page__word(p, SY_PW_NOT_STATED);
    else
        sy_page__value(p, v, info);
}

static void dues(const sy_page *p, const json_t *info)
{
    const json_t *list = json_object_get(info, "dues");
    if (json_array_size(list) == 0)
        sy_page__word(p, SY_PW_NO_DUES);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *d = json_array_get(list, i);
        sy_page__raw(p, i ? " · " : "");
        sy_page__name(p, sy_page__str(d, "what"));
        sy_page__raw(p, " ");
        sy_page__word(p, SY_PW_DUE);
        sy_page__raw(p, " ");
        sy_page__text(p, sy_page__str(d, "due"));
    }
}

static void point(const sy_page *p, const json_t *info)
{
    const json_t *range = json_object_get(info, "range");
    term(p, SY_PW_POINT);
    bdi(p, sy_page__str(info, "point"));
    sy_page__raw(p, " · ");
    sy_page__name(p, sy_page__str(info, "quantity"));
    sy_page__raw(p, " · ");
    sy_page__word(p, SY_PW_DEVICE);
    sy_page__raw(p, " ");
    bdi(p, sy_page__str(info, "device"));
    sy_ms every = json_integer_value(json_object_get(info, "every"));
    sy_page__raw(p, "<div class=\"dim\">");
    sy_page__word(p, SY_PW_EVERY);
    sy_page__raw(p, " ");
    if (every > 0)
        sy_page__duration(p, every);
    else
        sy_page__word(p, SY_PW_NOT_STATED);
    if (!json_is_array(json_object_get(info, "words"))) {
        property(p, SY_PW_RANGE,
                 json_is_number(json_array_get(range, 0))
                     ? json_number_value(json_array_get(range, 0))
                     : NAN,
                 info);
        if (json_is_number(json_array_get(range, 1))) {
            sy_page__raw(p, " … ");
            sy_page__value(p, json_number_value(json_array_get(range, 1)), info);
        }
        property(p, SY_PW_ACCURACY, sy_page__num(info, "accuracy"), info);
        property(p, SY_PW_UNCERTAINTY, sy_page__num(info, "uncertainty"), info);
        property(p, SY_PW_RESOLUTION, sy_page__num(info, "resolution"), info);
    }
    sy_page__raw(p, "</div><div class=\"dim\">");
    dues(p, info);
    sy_page__raw(p, "</div>");
    end_term(p);
}

static void points(const sy_page *p)
{
    if (p->n_points == 0)
        return;
    section(p, SY_PW_POINTS);
    sy_page__raw(p, "<dl>\n");
    for (size_t i = 0; i < p->n_points; i++)
        point(p, p->points[i].info);
    sy_page__raw(p, "</dl>\n");
}

static void row(const sy_page *p, const sy_page_point *v, const sy_page_reading *r)
{
    sy_page__raw(p, "<tr><td>");
    sy_page__time(p, r->t, true);
    sy_page__raw(p, "</td><td>");
    if (r->bits)
        sy_page__text(p, r->bits);
    else
        sy_page__value(p, r->v, v->info);
    sy_page__raw(p, "</td><td>");
    sy_page__quality(p, r->q);
    sy_page__raw(p, "</td></tr>\n");
}

static void note(const sy_page *p, uint64_t n, sy_page_word w)
{
    sy_page__raw(p, "<p class=\"dim\">");
    sy_buf_int(p->out, (int64_t)n);
    sy_page__raw(p, " ");
    sy_page__word(p, w);
    sy_page__raw(p, "</p>\n");
}

/* The first and the last rows where there are many. */
static void table(const sy_page *p, const sy_page_point *v)
{
    size_t head = v->n <= ROWS ? v->n : ROWS / 2, tail = v->n <= ROWS ? v->n : v->n - ROWS / 2;
    sy_page__raw(p, "<h3>");
    bdi(p, sy_page__str(v->info, "point"));
    sy_page__raw(p, "</h3>\n");
    if (v->n == 0) {
        sy_page__raw(p, "<p>");
        sy_page__word(p, SY_PW_NONE);
        sy_page__raw(p, "</p>\n");
        return;
    }
    sy_page__raw(p, "<table><thead><tr><th>");
    sy_page__word(p, SY_PW_TIME);
    sy_page__raw(p, "</th><th>");
    sy_page__word(p, SY_PW_VALUE);
    sy_page__raw(p, "</th><th>");
    sy_page__word(p, SY_PW_QUALITY);
    sy_page__raw(p, "</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < head; i++)
        row(p, v, &v->v[i]);
    if (tail > head)
        sy_page__raw(p, "<tr><td>…</td><td></td><td></td></tr>\n");
    for (size_t i = tail; i < v->n; i++)
        row(p, v, &v->v[i]);
    sy_page__raw(p, "</tbody></table>\n");
    if (tail > head)
        note(p, tail - head, SY_PW_MIDDLE);
    sy_ms left_out = json_integer_value(json_object_get(v->info, "left_out"));
    if (left_out > 0)
        note(p, (uint64_t)left_out, SY_PW_LEFT_OUT);
}

static void tables(const sy_page *p)
{
    if (p->n_points == 0)
        return;
    section(p, SY_PW_TABLE);
    for (size_t i = 0; i < p->n_points; i++)
        table(p, &p->points[i]);
}

static void head_of(const sy_page *p, const sy_head *h)
{
    char text[SY_KID_CHARS + 200];
    char time[25], root[65];
    sy_time_text(h->time, time);
    sy_digest_hex(&h->root, root);
    sy_page__raw(p, "<p>");
    sy_page__word(p, SY_PW_LEDGER);
    (void)snprintf(text, sizeof text, " %.*s · ", (int)(h->gateway.n > 64 ? 64 : h->gateway.n),
                   h->gateway.p);
    sy_page__text(p, text);
    sy_page__word(p, SY_PW_BOX);
    (void)snprintf(text, sizeof text, " %.*s · %llu ", (int)(h->box.n > 64 ? 64 : h->box.n),
                   h->box.p, (unsigned long long)h->size);
    sy_page__text(p, text);
    sy_page__word(p, SY_PW_LEAVES);
    sy_page__raw(p, " · ");
    sy_page__word(p, SY_PW_SIGNED);
    sy_buf_printf(p->out, " %s · ", time);
    sy_page__word(p, SY_PW_KEY);
    (void)snprintf(text, sizeof text, "%.*s",
                   (int)(h->kid.n > SY_KID_CHARS ? SY_KID_CHARS : h->kid.n), h->kid.p);
    sy_page__raw(p, " <code>");
    sy_page__text(p, text);
    sy_page__raw(p, "</code> · ");
    sy_page__word(p, SY_PW_ROOT);
    sy_buf_printf(p->out, " <code>%s</code></p>\n", root);
}

static void proof(const sy_page *p)
{
    const sy_evidence_event *last = &p->e->events[p->e->n_events - 1];
    sy_head head;
    section(p, SY_PW_PROOF);
    if (last->has_proof && sy_head_read(sy_buf_span(&last->proof.head.text), &head, NULL) == SY_OK)
        head_of(p, &head);
    sy_page__raw(p, "<p>");
    sy_page__word(p, SY_PW_HOW);
    sy_page__raw(p, "</p>\n<pre>steelyard verify FILE --ca CA.pem</pre>\n<p class=\"dim\">");
    sy_page__word(p, SY_PW_HOW_NOT);
    sy_page__raw(p, "</p>\n");
}

sy_err sy_evidence_page(const sy_evidence *e, sy_buf *out, sy_fail *f)
{
    sy_page p = {.out = out};
    sy_err err = sy_page__load(&p, e, f);
    if (!err) {
        begin(&p);
        title(&p);
        sy_page__raw(&p, "<dl>\n");
        where(&p);
        by_what(&p);
        what(&p);
        sy_page__raw(&p, "</dl>\n");
        plots(&p);
        history(&p);
        rule_text(&p);
        points(&p);
        tables(&p);
        sy_page__records(&p);
        proof(&p);
        sy_evidence__embed(e, out);
        if (out->failed)
            err = sy_fail_set(f, SY_E_NOMEM, "no memory for the page");
    }
    sy_page__free(&p);
    return err;
}
