/* SPDX-License-Identifier: Apache-2.0 */
/* The filter over the list of alerts: a form that asks for the same page with arguments. */
#include "inbox/desk_view.h"

enum { CHOICES = 300 };

bool sy_filter_set(const sy_inbox_filter *w)
{
    return w->premises || w->rule || w->text || w->state || w->case_state || w->group ||
           w->severity > 0;
}

/* For an address inside HTML: what is not plain is percent-encoded. */
static void encoded(const sy_view *v, const char *text)
{
    for (const char *p = text; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '-' || *p == '.' || *p == '_';
        if (plain) {
            sy_buf_char(v->out, *p);
        } else {
            sy_buf_printf(v->out, "%%%02X", (unsigned char)*p);
        }
    }
}

static void argument(const sy_view *v, const char *name, const char *value)
{
    if (value && value[0]) {
        sy_buf_printf(v->out, "&amp;%s=", name);
        encoded(v, value);
    }
}

void sy_view_filter_link(const sy_view *v, const sy_inbox_filter *w)
{
    argument(v, "premises", w->premises);
    argument(v, "rule", w->rule);
    argument(v, "text", w->text);
    argument(v, "state", w->state);
    argument(v, "case", w->case_state);
    argument(v, "group", w->group);
    if (w->severity > 0) {
        sy_buf_printf(v->out, "&amp;severity=%d", w->severity);
    }
}

typedef struct options {
    const sy_view *v;
    const char *chosen;
} options;

static void option(const sy_view *v, const char *value, const char *text, const char *chosen)
{
    sy_view_raw(v, "<option value=\"");
    sy_view_text(v, value);
    sy_view_raw(v, chosen && strcmp(chosen, value) == 0 ? "\" selected>" : "\">");
    sy_view_text(v, text);
    sy_view_raw(v, "</option>");
}

static void add_choice(void *ctx, const char *id, const char *name)
{
    options *o = ctx;
    option(o->v, id, name ? name : id, o->chosen);
}

static void open_select(const sy_view *v, const char *name, sy_word_id w)
{
    sy_view_raw(v, "<label>");
    sy_view_word(v, w);
    sy_buf_printf(v->out, "<select name=\"%s\">", name);
    option(v, "", sy_word_text(SY_W_ANY, v->zh), NULL);
}

static void close_select(const sy_view *v)
{
    sy_view_raw(v, "</select></label>");
}

static void states(const sy_view *v, const sy_inbox_filter *w)
{
    static const struct {
        const char *state;
        sy_word_id word;
    } all[] = {{"active", SY_W_S_ACTIVE},         {"unacknowledged", SY_W_M_UNACKNOWLEDGED},
               {"unanswered", SY_W_M_UNANSWERED}, {"shelved", SY_W_C_SHELVED},
               {"cleared", SY_W_S_CLEARED},       {"superseded", SY_W_S_SUPERSEDED},
               {"withdrawn", SY_W_S_WITHDRAWN}};
    open_select(v, "state", SY_W_STATE);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        option(v, all[i].state, sy_word_text(all[i].word, v->zh), w->state);
    }
    close_select(v);
    open_select(v, "case", SY_W_CASE);
    for (int i = 0; i < SY_CASE_STATES; i++) {
        option(v, sy_case_text((sy_case_state)i), sy_word_text((sy_word_id)(SY_W_K_NEW + i), v->zh),
               w->case_state);
    }
    close_select(v);
}

static void severities(const sy_view *v, int chosen)
{
    open_select(v, "severity", SY_W_SEVERITY);
    for (int i = 1; i <= 4; i++) {
        sy_buf_printf(v->out, "<option value=\"%d\"%s>", i, i == chosen ? " selected" : "");
        sy_view_word(v, (sy_word_id)(SY_W_LEVEL_0 + i));
        if (i < 4) {
            sy_view_raw(v, v->zh ? "" : " ");
            sy_view_word(v, SY_W_AND_WORSE);
        }
        sy_view_raw(v, "</option>");
    }
    close_select(v);
}

sy_err sy_view_filter(const sy_view *v, const sy_inbox_filter *w, sy_fail *f)
{
    options premises = {v, w->premises}, rules = {v, w->rule};
    bool set = sy_filter_set(w);
    sy_view_raw(v, "<details class=\"filter\"><summary>");
    sy_view_word(v, SY_W_FILTER);
    if (set) {
        sy_view_raw(v, " <span class=\"mark loud\">");
        sy_view_word(v, SY_W_FILTERED);
        sy_view_raw(v, "</span>");
    }
    sy_view_raw(v, "</summary><form method=\"get\" action=\"/\"><label>");
    sy_view_word(v, SY_W_TEXT);
    sy_view_raw(v, "<input name=\"text\" maxlength=\"100\" type=\"search\" value=\"");
    sy_view_text(v, w->text);
    sy_view_raw(v, "\"></label>");
    open_select(v, "premises", SY_W_PREMISES);
    sy_err e = sy_inbox_db_choices(v->db, false, CHOICES, add_choice, &premises, f);
    close_select(v);
    severities(v, w->severity);
    states(v, w);
    open_select(v, "rule", SY_W_RULE);
    e = e != SY_OK ? e : sy_inbox_db_choices(v->db, true, CHOICES, add_choice, &rules, f);
    close_select(v);
    if (v->forced) {
        sy_buf_printf(v->out, "<input type=\"hidden\" name=\"lang\" value=\"%s\">",
                      v->zh ? "zh" : "en");
    }
    sy_view_raw(v, "<div class=\"buttons\"><button class=\"first\">");
    sy_view_word(v, SY_W_SHOW);
    sy_view_raw(v, "</button></div></form></details>");
    if (set) {
        sy_view_raw(v, "<p><a href=\"/");
        sy_view_lang(v, true);
        sy_view_raw(v, "\">");
        sy_view_word(v, SY_W_RESET);
        sy_view_raw(v, "</a></p>");
    }
    return e;
}
