/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The case of the authority beside the machine's state: where it stands, by when the next step is
 * due, who took which step. The rule's `respond within` is the time that each step has: the first
 * from when the alert was raised, the next ones from the step before.
 */
#include <stdio.h>

#include "inbox/desk_view.h"

enum { STEPS = 200 };

static sy_word_id state_word(const char *state)
{
    sy_case_state s = sy_case_of(state);
    return (sy_word_id)(SY_W_K_NEW + (s < SY_CASE_STATES ? s : SY_CASE_NEW));
}

sy_ms sy_case_due(const sy_inbox_alert *a, const json_t *data)
{
    sy_ms within = sy_view_within(data);
    sy_ms raised = sy_view_when(json_object_get(json_object_get(data, "alert"), "raised"));
    sy_ms from = a->case_at != SY_MS_NONE ? a->case_at : raised;
    bool open = sy_case_of(a->case_state) != SY_CASE_CLOSED;
    bool over = strcmp(a->state, "withdrawn") == 0 || strcmp(a->state, "superseded") == 0;
    bool live = !sy_view_replay(data);
    return open && live && !over && within > 0 && from != SY_MS_NONE ? from + within : SY_MS_NONE;
}

static void mark(const sy_view *v, const char *kind, sy_word_id w)
{
    sy_buf_printf(v->out, " <span class=\"mark%s\">", kind);
    sy_view_word(v, w);
    sy_view_raw(v, "</span>");
}

/* How many points are silent, and the way to the alerts of this group. */
static void of_group(const sy_view *v, const sy_inbox_alert *a, const json_t *group)
{
    const json_t *quiet = json_object_get(group, "quiet"), *of = json_object_get(group, "of");
    sy_view_raw(v, " <a class=\"mark\" href=\"/?");
    sy_view_filter_link(v, &(sy_inbox_filter){.group = a->id});
    sy_view_lang(v, false);
    sy_view_raw(v, "\">");
    sy_view_word(v, SY_W_GROUP);
    if (json_is_integer(quiet) && json_is_integer(of)) {
        sy_buf_printf(v->out, "%s%lld/%lld ", v->zh ? "：" : ": ",
                      (long long)json_integer_value(quiet), (long long)json_integer_value(of));
        sy_view_word(v, SY_W_POINTS_SILENT);
    }
    sy_view_raw(v, "</a>");
}

void sy_view_marks(const sy_view *v, const sy_inbox_alert *a, const json_t *data)
{
    bool shelved = a->shelved != SY_MS_NONE && a->shelved > v->now;
    bool open = strcmp(a->state, "active") == 0 || strcmp(a->state, "cleared") == 0;
    bool group = json_is_object(json_object_get(data, "group"));
    sy_ms due = sy_case_due(a, data);
    if (shelved) {
        sy_view_raw(v, " <span class=\"mark\">");
        sy_view_word(v, SY_W_M_SHELVED);
        sy_view_raw(v, " ");
        sy_view_time(v, a->shelved);
        sy_view_raw(v, "</span>");
    } else if (a->acked != SY_MS_NONE) {
        mark(v, " fine", SY_W_M_ACKNOWLEDGED);
    } else if (a->unanswered) {
        mark(v, " loud", SY_W_M_UNANSWERED);
    } else if (open && !group) {
        mark(v, "", SY_W_M_UNACKNOWLEDGED);
    }
    if (json_is_string(json_object_get(data, "suppressed"))) {
        mark(v, "", SY_W_M_SUPPRESSED);
    }
    if (group) {
        of_group(v, a, json_object_get(data, "group"));
    }
    if (a->grouped) {
        sy_view_raw(v, " <a class=\"mark\" href=\"/?");
        sy_view_filter_link(v, &(sy_inbox_filter){.group = a->grouped});
        sy_view_lang(v, false);
        sy_view_raw(v, "\">");
        sy_view_word(v, SY_W_M_GROUP);
        sy_view_raw(v, "</a>");
    }
    if (a->case_state) {
        sy_view_raw(v, " <span class=\"mark\">");
        sy_view_word(v, SY_W_CASE);
        sy_view_raw(v, v->zh ? "：" : ": ");
        sy_view_word(v, state_word(a->case_state));
        sy_view_raw(v, "</span>");
    }
    if (a->case_state && due != SY_MS_NONE && due < v->now) {
        mark(v, " loud", SY_W_OVERDUE);
    }
}

static void step_row(void *ctx, const sy_desk_step *s)
{
    const sy_view *v = ctx;
    sy_view_raw(v, "<li><b>");
    sy_view_word(v, state_word(s->state));
    sy_view_raw(v, "</b> ");
    for (unsigned i = 0; s->outcome && sy_case_outcome(i); i++) {
        if (strcmp(s->outcome, sy_case_outcome(i)) == 0) {
            mark(v, "", (sy_word_id)(SY_W_R_FALSE_ALARM + i));
            sy_view_raw(v, " ");
        }
    }
    sy_view_time(v, s->at);
    sy_view_raw(v, " · ");
    sy_view_text(v, s->who);
    if (s->why) {
        sy_view_raw(v, "<br><span class=\"said\">");
        sy_view_text(v, s->why);
        sy_view_raw(v, "</span>");
    }
    sy_view_raw(v, "</li>\n");
}

static void choices(const sy_view *v, sy_case_state now)
{
    sy_view_raw(v, "<label>");
    sy_view_word(v, SY_W_NEXT_STEP);
    sy_view_raw(v, "<select name=\"state\">");
    for (int i = 0; i < SY_CASE_STATES; i++) {
        if (sy_case_may(now, (sy_case_state)i)) {
            sy_buf_printf(v->out, "<option value=\"%s\">", sy_case_text((sy_case_state)i));
            sy_view_word(v, (sy_word_id)(SY_W_T_NEW + i));
            sy_view_raw(v, "</option>");
        }
    }
    sy_view_raw(v, "</select></label>");
    if (now == SY_CASE_CLOSED) {
        return;
    }
    sy_view_raw(v, "<label>");
    sy_view_word(v, SY_W_OUTCOME);
    sy_view_raw(v, "<select name=\"outcome\"><option value=\"\">–</option>");
    for (unsigned i = 0; sy_case_outcome(i); i++) {
        sy_buf_printf(v->out, "<option value=\"%s\">", sy_case_outcome(i));
        sy_view_word(v, (sy_word_id)(SY_W_R_FALSE_ALARM + i));
        sy_view_raw(v, "</option>");
    }
    sy_view_raw(v, "</select></label>");
}

sy_err sy_view_case(const sy_view *v, const sy_inbox_alert *a, const json_t *data, sy_fail *f)
{
    char action[48];
    sy_case_state now = sy_case_of(a->case_state);
    sy_ms due = sy_case_due(a, data);
    snprintf(action, sizeof action, "/alert/%lld/case", (long long)a->first_seq);
    sy_view_raw(v, "<section id=\"case\"><h2>");
    sy_view_word(v, SY_W_CASE);
    sy_view_raw(v, v->zh ? "：" : ": ");
    sy_view_word(v, state_word(a->case_state));
    sy_view_raw(v, "</h2>");
    if (due != SY_MS_NONE) {
        sy_view_raw(v, "<p>");
        sy_view_word(v, SY_W_STEP_BY);
        sy_view_raw(v, " ");
        sy_view_time(v, due);
        if (due < v->now) {
            mark(v, " loud", SY_W_OVERDUE);
        }
        sy_view_raw(v, "</p>");
    }
    sy_view_raw(v, "<ol>\n");
    sy_err e = sy_desk_cases(v->db, a->source, a->id, 0, STEPS, step_row, (void *)(uintptr_t)v, f);
    sy_view_raw(v, "</ol>");
    if (v->visitor->may) {
        sy_view_raw(v, "<details><summary>");
        sy_view_word(v, SY_W_NEXT_STEP);
        sy_view_raw(v, "</summary>");
        sy_view_form(v, action);
        choices(v, now);
        sy_view_why(v, now == SY_CASE_CLOSED);
        sy_view_raw(v, "<div class=\"buttons\"><button>");
        sy_view_word(v, SY_W_RECORD);
        sy_view_raw(v, "</button></div></form></details>");
    }
    sy_view_raw(v, "</section>\n");
    return e;
}
