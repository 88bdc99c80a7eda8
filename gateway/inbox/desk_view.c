/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beneath an alert: the buttons that answer it, what was sent to its gateway and what came of that,
 * and its evidence. Plain forms, no script.
 */
#include <stdio.h>

#include "inbox/desk_view.h"

enum { ROWS = 200, FINDINGS = 400 };

static sy_word_id kind_word(const char *kind)
{
    static const char *const kinds[] = {"acknowledge", "comment", "shelve", "unshelve", "evidence"};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            return (sy_word_id)(SY_W_O_ACKNOWLEDGE + i);
        }
    }
    return SY_W_COUNT;
}

void sy_view_form(const sy_view *v, const char *action)
{
    sy_buf_printf(v->out, "<form method=\"post\" action=\"%s", action);
    sy_view_lang(v, true);
    sy_buf_printf(v->out, "\"><input type=\"hidden\" name=\"token\" value=\"%s\">",
                  v->visitor->token);
    if (v->visitor->named) {
        sy_view_raw(v, "<p class=\"id\">");
        sy_view_word(v, SY_W_SIGNED_IN);
        sy_view_raw(v, " <b>");
        sy_view_text(v, v->visitor->who);
        sy_view_raw(v, "</b></p>");
        return;
    }
    sy_view_raw(v, "<label>");
    sy_view_word(v, SY_W_NAME);
    sy_view_raw(v, "<input name=\"who\" required maxlength=\"100\" autocomplete=\"name\" value=\"");
    sy_view_text(v, v->visitor->who);
    sy_view_raw(v, "\"></label>");
}

void sy_view_why(const sy_view *v, bool required)
{
    sy_view_raw(v, "<label>");
    sy_view_word(v, SY_W_COMMENT);
    sy_buf_printf(v->out,
                  "<textarea name=\"why\" rows=\"2\" maxlength=\"500\"%s></textarea></label>",
                  required ? " required" : "");
}

static void button(const sy_view *v, const char *what, sy_word_id w, bool first)
{
    sy_buf_printf(v->out, "<button name=\"do\" value=\"%s\"%s>", what,
                  first ? " class=\"first\"" : "");
    sy_view_word(v, w);
    sy_view_raw(v, "</button> ");
}

static void note(const sy_view *v, sy_word_id w)
{
    sy_view_raw(v, "<p class=\"id\">");
    sy_view_word(v, w);
    sy_view_raw(v, "</p>");
}

static void shelving(const sy_view *v, const char *action)
{
    static const int hours[] = {1, 4, 8, 24, 72, 168};
    sy_view_raw(v, "<details><summary>");
    sy_view_word(v, SY_W_D_SHELVE);
    sy_view_raw(v, "</summary>");
    if (!sy_pen_may(v->signer, SY_ORDER_SHELVE)) {
        note(v, SY_W_NO_SHELVE);
        sy_view_raw(v, "</details>");
        return;
    }
    sy_view_form(v, action);
    sy_view_why(v, true);
    sy_view_raw(v, "<label>");
    sy_view_word(v, SY_W_SHELVE_FOR);
    sy_view_raw(v, "<select name=\"hours\">");
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        sy_buf_printf(v->out, "<option value=\"%d\">", hours[i]);
        sy_view_duration(v, (sy_ms)hours[i] * 3600000);
        sy_view_raw(v, "</option>");
    }
    sy_view_raw(v, "</select></label><div class=\"buttons\">");
    button(v, "shelve", SY_W_D_SHELVE, false);
    sy_view_raw(v, "</div></form></details>");
}

static void acts(const sy_view *v, const sy_inbox_alert *a)
{
    char action[48];
    bool shelved = a->shelved != SY_MS_NONE && a->shelved > v->now;
    bool group = strncmp(a->type, "steelyard.group.", 16) == 0; /* all of its alerts at once */
    snprintf(action, sizeof action, "/alert/%lld/act", (long long)a->first_seq);
    sy_view_raw(v, "<section id=\"do\"><h2>");
    sy_view_word(v, SY_W_DO);
    sy_view_raw(v, "</h2>");
    if (!v->signer || !v->visitor->may) {
        note(v, !v->signer ? SY_W_NO_SIGNER : SY_W_NOT_SIGNED_IN);
        sy_view_raw(v, "</section>");
        return;
    }
    sy_view_form(v, action);
    sy_view_why(v, false);
    sy_view_raw(v, "<div class=\"buttons\">");
    if (a->acked == SY_MS_NONE) {
        button(v, "acknowledge", SY_W_D_ACKNOWLEDGE, true);
    }
    button(v, "comment", SY_W_D_COMMENT, false);
    if (!group) {
        button(v, "evidence", SY_W_D_EVIDENCE, false);
    }
    if (shelved && sy_pen_may(v->signer, SY_ORDER_UNSHELVE)) {
        button(v, "unshelve", SY_W_D_UNSHELVE, false);
    }
    sy_view_raw(v, "</div></form>");
    if (!shelved && !group && strcmp(a->state, "active") == 0) {
        shelving(v, action);
    }
    sy_view_raw(v, "</section>");
}

typedef struct rows {
    const sy_view *v;
    int n;
    sy_word_id heading;
    const char *anchor;
} rows;

static void open_rows(rows *r)
{
    if (r->n++ == 0) {
        sy_buf_printf(r->v->out, "<section id=\"%s\"><h2>", r->anchor);
        sy_view_word(r->v, r->heading);
        sy_view_raw(r->v, "</h2><ol>\n");
    }
}

static void close_rows(const rows *r)
{
    sy_view_raw(r->v, r->n ? "</ol></section>\n" : "");
}

static void outcome(const sy_view *v, const sy_desk_order *o)
{
    bool done = o->result && strcmp(o->result, "done") == 0;
    bool refused = o->result && strcmp(o->result, "refused") == 0;
    sy_word_id w = done        ? SY_W_O_DONE
                   : refused   ? SY_W_O_REFUSED
                   : o->result ? SY_W_O_WAITING
                   : o->asked  ? SY_W_O_TAKEN
                               : SY_W_O_OPEN;
    sy_view_raw(v, refused ? " <span class=\"mark loud\">" : " <span class=\"mark\">");
    sy_view_word(v, w);
    sy_view_raw(v, "</span>");
    if (o->result) {
        sy_view_raw(v, " ");
        sy_view_time(v, o->result_at);
    }
    if (o->result_why) {
        sy_view_raw(v, " ");
        sy_view_text(v, o->result_why);
    }
}

static void order_row(void *ctx, const sy_desk_order *o)
{
    rows *r = ctx;
    const sy_view *v = r->v;
    sy_word_id w = kind_word(o->kind);
    open_rows(r);
    sy_view_raw(v, "<li><b>");
    if (w == SY_W_COUNT) {
        sy_view_text(v, o->kind);
    } else {
        sy_view_word(v, w);
    }
    sy_view_raw(v, "</b> ");
    sy_view_time(v, o->at);
    sy_view_raw(v, " · ");
    sy_view_text(v, o->who);
    outcome(v, o);
    sy_view_raw(v, "<br><span class=\"said\">");
    sy_view_text(v, o->why);
    sy_view_raw(v, "</span></li>\n");
}

static void findings(const sy_view *v, const char *json)
{
    json_t *list = json_loads(json, 0, NULL);
    size_t n = json_array_size(list);
    sy_view_raw(v, "<details><summary>");
    sy_view_word(v, SY_W_FINDINGS);
    sy_view_raw(v, "</summary><ul>");
    for (size_t i = 0; i < n && i < FINDINGS; i++) {
        const json_t *one = json_array_get(list, i);
        const char *kind = json_string_value(json_array_get(one, 0));
        sy_view_raw(v, kind && strcmp(kind, "broken") == 0 ? "<li class=\"bad\">" : "<li>");
        sy_view_text(v, json_string_value(json_array_get(one, v->zh ? 2 : 1)));
        sy_view_raw(v, "</li>");
    }
    sy_view_raw(v, "</ul></details>");
    json_decref(list);
}

static void evidence_row(void *ctx, const sy_desk_evidence *e)
{
    rows *r = ctx;
    const sy_view *v = r->v;
    open_rows(r);
    sy_buf_printf(v->out, "<li><a class=\"file\" href=\"/evidence/%lld\" download>",
                  (long long)e->seq);
    sy_view_word(v, SY_W_DOWNLOAD);
    sy_buf_printf(v->out, "</a> %lld KiB · ", (long long)((e->size + 1023) / 1024));
    sy_view_time(v, e->at);
    sy_view_raw(v, e->proven ? " <span class=\"mark fine\">" : " <span class=\"mark loud\">");
    sy_view_word(v, e->proven ? SY_W_E_PROVEN : SY_W_E_BROKEN);
    sy_view_raw(v, "</span><br><span class=\"id\">SHA-256 ");
    sy_view_text(v, e->sha256);
    sy_view_raw(v, "</span>");
    findings(v, e->findings);
    sy_view_raw(v, "</li>\n");
}

sy_err sy_view_desk(const sy_view *v, const sy_inbox_alert *a, const json_t *data, sy_fail *f)
{
    rows orders = {v, 0, SY_W_ORDERS, "orders"}, files = {v, 0, SY_W_EVIDENCE, "evidence"};
    acts(v, a);
    sy_err e = sy_desk_evidences(v->db, a->source, a->id, 0, evidence_row, &files, f);
    close_rows(&files);
    e = e != SY_OK ? e : sy_desk_orders(v->db, a->source, a->id, 0, ROWS, order_row, &orders, f);
    close_rows(&orders);
    return e != SY_OK ? e : sy_view_case(v, a, data, f);
}

void sy_view_act(const sy_view *v, const json_t *data)
{
    const json_t *act = json_object_get(data, "act");
    const char *who = json_string_value(json_object_get(act, "who"));
    const char *why = json_string_value(json_object_get(act, "why"));
    const char *via = json_string_value(json_object_get(act, "via"));
    sy_ms until = sy_view_when(json_object_get(act, "until"));
    if (until != SY_MS_NONE) {
        sy_view_raw(v, " ");
        sy_view_word(v, SY_W_UNTIL);
        sy_view_raw(v, " ");
        sy_view_time(v, until);
    }
    if (who && who[0]) {
        sy_view_raw(v, " · ");
        sy_view_text(v, who);
        if (via && via[0]) {
            sy_view_raw(v, " <span class=\"id\">(");
            sy_view_text(v, strncmp(via, "order/", 6) == 0 ? "order" : via);
            sy_view_raw(v, ")</span>");
        }
    }
    if (why && why[0]) {
        sy_view_raw(v, "<br><span class=\"said\">");
        sy_view_text(v, why);
        sy_view_raw(v, "</span>");
    }
}
