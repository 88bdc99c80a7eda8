/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alert for a person with a phone in a cold store: level and one sentence first, then the rule,
 * then what to do and by when. Anything may be missing from an event; nothing is made up for it.
 */
#include <math.h>

#include "inbox/desk_view.h"

/* data.<part>.<name>, else data.<name>. */
static const json_t *pick(const json_t *data, const char *part, const char *name)
{
    const json_t *found = json_object_get(json_object_get(data, part), name);
    return found ? found : json_object_get(data, name);
}

static const char *pick_text(const json_t *data, const char *part, const char *name)
{
    return json_string_value(pick(data, part, name));
}

static double pick_number(const json_t *data, const char *part, const char *name)
{
    const json_t *n = pick(data, part, name);
    return json_is_number(n) ? json_number_value(n) : NAN;
}

bool sy_view_replay(const json_t *data)
{
    const char *clock = json_string_value(json_object_get(data, "clock"));
    return clock && strcmp(clock, "replay") == 0;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return a && a[0] ? a : b && b[0] ? b : c;
}

static const char *title_of(const sy_view *v, const json_t *data)
{
    return sy_view_both(v, json_object_get(json_object_get(data, "rule"), "title")
                               ? json_object_get(json_object_get(data, "rule"), "title")
                               : json_object_get(data, "title"));
}

static const char *rule_id(const json_t *data)
{
    const json_t *rule = json_object_get(data, "rule");
    const char *id = json_string_value(json_object_get(rule, "id"));
    return first_of(id, json_string_value(rule),
                    json_string_value(json_object_get(json_object_get(data, "alert"), "rule")));
}

static void who_and_where(const sy_view *v, const json_t *data, const sy_inbox_alert *a)
{
    const json_t *premises = json_object_get(data, "premises"),
                 *place = json_object_get(data, "place");
    const char *who = first_of(json_string_value(json_object_get(premises, "name")),
                               json_string_value(json_object_get(premises, "id")), a->source);
    const char *where = first_of(json_string_value(json_object_get(place, "name")),
                                 json_string_value(json_object_get(place, "id")),
                                 pick_text(data, "alert", "subject"));
    sy_view_raw(v, "<bdi>");
    sy_view_text(v, who);
    sy_view_raw(v, "</bdi>");
    if (where) {
        sy_view_raw(v, v->zh ? "，<bdi>" : ", <bdi>");
        sy_view_text(v, where);
        sy_view_raw(v, "</bdi>");
    }
}

static void how_long(const sy_view *v, const json_t *data, bool active)
{
    sy_ms onset = sy_view_when(pick(data, "alert", "onset"));
    sy_ms end = sy_view_when(pick(data, "alert", "cleared"));
    if (onset == SY_MS_NONE) {
        onset = sy_view_when(pick(data, "alert", "raised"));
    }
    if (onset == SY_MS_NONE) {
        return;
    }
    sy_view_raw(v, v->zh ? "，" : ", ");
    sy_view_word(v, SY_W_SINCE);
    sy_view_raw(v, " ");
    sy_view_time(v, onset);
    bool ended = end != SY_MS_NONE && end >= onset;
    bool live = active && !sy_view_replay(data) && v->now >= onset;
    if (ended || live) {
        sy_view_raw(v, v->zh ? "（" : " (");
        if (ended || v->zh) {
            sy_view_word(v, ended ? SY_W_LASTED : SY_W_FOR_NOW);
            sy_view_raw(v, v->zh ? "" : " ");
        }
        sy_view_duration(v, (ended ? end : v->now) - onset);
        if (!ended && !v->zh) {
            sy_view_raw(v, " ");
            sy_view_word(v, SY_W_FOR_NOW);
        }
        sy_view_raw(v, v->zh ? "）" : ")");
    }
}

static void how_bad(const sy_view *v, const json_t *data)
{
    double lo = pick_number(data, "alert", "min"), hi = pick_number(data, "alert", "max");
    const char *unit = json_string_value(json_object_get(data, "unit"));
    if (isnan(lo) && isnan(hi)) {
        return;
    }
    sy_view_raw(v, v->zh ? "；" : "; ");
    if (!isnan(hi)) {
        sy_view_word(v, SY_W_HIGHEST);
        sy_view_raw(v, v->zh ? "" : " ");
        sy_view_number(v, hi, unit);
    }
    if (!isnan(lo)) {
        sy_view_raw(v, isnan(hi) ? "" : v->zh ? "，" : ", ");
        sy_view_word(v, SY_W_LOWEST);
        sy_view_raw(v, v->zh ? "" : " ");
        sy_view_number(v, lo, unit);
    }
}

/* Who, where, what, since when, how bad. */
static void sentence(const sy_view *v, const sy_inbox_alert *a, const json_t *data)
{
    const char *limit = sy_view_both(v, pick(data, "rule", "limit"));
    const char *what = first_of(limit, title_of(v, data), a->type);
    sy_view_raw(v, "<span class=\"who\">");
    who_and_where(v, data, a);
    sy_view_raw(v, v->zh ? "：</span><span class=\"what\">" : ": </span><span class=\"what\">");
    sy_view_text(v, what);
    how_long(v, data, strcmp(a->state, "active") == 0);
    how_bad(v, data);
    sy_view_raw(v, v->zh ? "。</span>" : ".</span>");
}

bool sy_view_late(const json_t *data)
{
    const char *reason = json_string_value(json_object_get(data, "reason"));
    return reason && strcmp(reason, "late-readings") == 0;
}

static void tags(const sy_view *v, const sy_inbox_alert *a, const json_t *data)
{
    sy_view_raw(v, "<p class=\"tags\"><span class=\"level\">");
    sy_view_word(v, (sy_word_id)(SY_W_LEVEL_0 + a->severity));
    sy_view_raw(v, "</span> <span class=\"state\">");
    sy_view_text(v, sy_word_state(a->state, v->zh));
    sy_view_raw(v, "</span>");
    if (sy_view_replay(data)) {
        sy_view_raw(v, " <span class=\"mark\">");
        sy_view_word(v, SY_W_REPLAY);
        sy_view_raw(v, "</span>");
    }
    if (sy_view_late(data)) {
        sy_view_raw(v, " <span class=\"mark\">");
        sy_view_word(v, SY_W_LATE);
        sy_view_raw(v, "</span>");
    }
    sy_view_marks(v, a, data);
    sy_view_raw(v, "</p>");
}

static void mark(const sy_view *v, sy_word_id w, bool loud)
{
    sy_view_raw(v, loud ? " <span class=\"mark loud\">" : " <span class=\"mark\">");
    sy_view_word(v, w);
    sy_view_raw(v, "</span>");
}

static void one_basis(const sy_view *v, const json_t *b)
{
    const char *clause = sy_view_both(v, json_object_get(b, "clause"));
    const char *origin = json_string_value(json_object_get(b, "origin"));
    const char *text = sy_view_both(v, json_is_object(b) ? json_object_get(b, "text") : b);
    sy_view_raw(v, "<span class=\"basis\">");
    sy_view_text(v, text);
    if (clause) {
        sy_view_raw(v, v->zh ? "，" : ", ");
        sy_view_word(v, SY_W_CLAUSE);
        sy_view_raw(v, " ");
        sy_view_text(v, clause);
    }
    if (origin) {
        mark(v, strcmp(origin, "law") == 0 ? SY_W_LAW : SY_W_POLICY, false);
    }
    if (json_is_true(json_object_get(b, "verify"))) {
        mark(v, SY_W_UNVERIFIED, true);
    }
    sy_view_raw(v, "</span>");
}

static void by_rule(const sy_view *v, const json_t *data)
{
    const char *title = title_of(v, data), *id = rule_id(data);
    const json_t *version = pick(data, "rule", "version");
    const json_t *basis = pick(data, "rule", "basis");
    const char *pack = pick_text(data, "alert", "pack");
    if (!title && !id) {
        return;
    }
    sy_view_raw(v, "<p><b>");
    sy_view_word(v, SY_W_RULE);
    sy_view_raw(v, "</b> ");
    sy_view_text(v, title);
    sy_view_raw(v, " <span class=\"id\">");
    sy_view_text(v, id);
    if (json_is_integer(version)) {
        sy_view_raw(v, " ");
        sy_view_word(v, SY_W_VERSION);
        sy_buf_printf(v->out, " %lld", (long long)json_integer_value(version));
    }
    if (pack) {
        sy_view_raw(v, ", ");
        sy_view_word(v, SY_W_PACK);
        sy_view_raw(v, " ");
        sy_view_text(v, pack);
    }
    sy_view_raw(v, "</span></p>");
    if (json_is_array(basis) && json_array_size(basis) > 0) {
        sy_view_raw(v, "<p><b>");
        sy_view_word(v, SY_W_BASIS);
        sy_view_raw(v, "</b> ");
        for (size_t i = 0; i < json_array_size(basis); i++) {
            sy_view_raw(v, i ? "<br>" : "");
            one_basis(v, json_array_get(basis, i));
        }
        sy_view_raw(v, "</p>");
    }
}

sy_ms sy_view_within(const json_t *data)
{
    double ms = pick_number(data, "alert", "respond_within_ms");
    double s = pick_number(data, "alert", "respond_within_s");
    double within = !isnan(ms) ? ms : s * 1000;
    return within > 0 && within < 1e12 ? (sy_ms)within : 0;
}

static void to_do(const sy_view *v, const sy_inbox_alert *a, const json_t *data)
{
    const char *say = sy_view_both(v, pick(data, "rule", "say"));
    sy_ms within = sy_view_within(data), raised = sy_view_when(pick(data, "alert", "raised"));
    say = first_of(say, sy_view_both(v, pick(data, "alert", "message")), NULL);
    if (say) {
        sy_view_raw(v, "<p class=\"do\"><b>");
        sy_view_word(v, SY_W_TODO_NOW);
        sy_view_raw(v, "</b> ");
        sy_view_text(v, say);
        sy_view_raw(v, "</p>");
    }
    if (within > 0 && raised != SY_MS_NONE) {
        bool active = strcmp(a->state, "active") == 0 && a->acked == SY_MS_NONE &&
                      (a->shelved == SY_MS_NONE || a->shelved <= v->now);
        sy_view_raw(v, "<p><b>");
        sy_view_word(v, SY_W_RESPOND_BY);
        sy_view_raw(v, "</b> ");
        sy_view_time(v, raised + within);
        sy_view_raw(v, v->zh ? "（" : " (");
        sy_view_word(v, SY_W_WITHIN);
        sy_view_raw(v, v->zh ? "" : " ");
        sy_view_duration(v, within);
        sy_view_raw(v, v->zh ? "内）" : ")");
        if (active && !sy_view_replay(data) && v->now > raised + within) {
            mark(v, SY_W_OVERDUE, true);
        }
        sy_view_raw(v, "</p>");
    }
}

static void open_article(const sy_view *v, const sy_inbox_alert *a)
{
    sy_buf_printf(v->out, "<article class=\"l%d %s\">", a->severity,
                  strcmp(a->state, "active") == 0 ? "open" : "over");
}

void sy_view_card(const sy_view *v, const sy_inbox_alert *a)
{
    json_t *data = json_loads(a->data, 0, NULL);
    open_article(v, a);
    tags(v, a, data);
    sy_buf_printf(v->out, "<h2><a href=\"/alert/%lld", (long long)a->first_seq);
    sy_view_lang(v, true);
    sy_view_raw(v, "\">");
    sentence(v, a, data);
    sy_view_raw(v, "</a></h2>");
    by_rule(v, data);
    if (strcmp(a->state, "active") == 0) {
        to_do(v, a, data);
    }
    sy_view_raw(v, "</article>\n");
    json_decref(data);
}

static void row(const sy_view *v, sy_word_id w)
{
    sy_view_raw(v, "<dt>");
    sy_view_word(v, w);
    sy_view_raw(v, "</dt><dd>");
}

static void row_text(const sy_view *v, sy_word_id w, const char *text, const char *more)
{
    if (text && text[0]) {
        row(v, w);
        sy_view_text(v, text);
        if (more && more[0] && strcmp(more, text) != 0) {
            sy_view_raw(v, " <span class=\"id\">");
            sy_view_text(v, more);
            sy_view_raw(v, "</span>");
        }
        sy_view_raw(v, "</dd>");
    }
}

static void row_time(const sy_view *v, sy_word_id w, const json_t *value)
{
    sy_ms t = sy_view_when(value);
    if (t != SY_MS_NONE) {
        row(v, w);
        sy_view_time(v, t);
        sy_view_raw(v, "</dd>");
    }
}

static void row_measure(const sy_view *v, const json_t *measure)
{
    static const char *const parts[] = {"unknown_ms", "exempt_ms"};
    double counted = pick_number(measure, "", "counted_ms"),
           span = pick_number(measure, "", "span_ms");
    if (isnan(counted) || isnan(span) || fabs(counted) > 1e15 || fabs(span) > 1e15) {
        return;
    }
    row(v, SY_W_MEASURE);
    sy_view_word(v, SY_W_COUNTED);
    sy_view_raw(v, " ");
    sy_view_duration(v, (sy_ms)counted);
    sy_view_raw(v, v->zh ? "" : " ");
    sy_view_word(v, SY_W_OF);
    sy_view_raw(v, " ");
    sy_view_duration(v, (sy_ms)span);
    for (int i = 0; i < 2; i++) {
        double ms = pick_number(measure, "", parts[i]);
        if (ms > 0 && ms < 1e15) {
            sy_view_raw(v, v->zh ? "，" : ", ");
            sy_view_word(v, i ? SY_W_EXEMPT : SY_W_UNKNOWN);
            sy_view_raw(v, " ");
            sy_view_duration(v, (sy_ms)ms);
        }
    }
    sy_view_raw(v, "</dd>");
}

static void row_told(const sy_view *v, const json_t *tell)
{
    if (json_is_array(tell) && json_array_size(tell) > 0) {
        row(v, SY_W_TOLD);
        for (size_t i = 0; i < json_array_size(tell); i++) {
            sy_view_raw(v, i ? (v->zh ? "、" : ", ") : "");
            sy_view_text(v, json_string_value(json_array_get(tell, i)));
        }
        sy_view_raw(v, "</dd>");
    }
}

/* Another alert of the same gateway, with a link where it is known. */
static void row_alert(const sy_view *v, const sy_inbox_alert *a, sy_word_id w, const char *id)
{
    if (!id) {
        return;
    }
    int64_t seq = sy_inbox_db_find(v->db, a->source, id);
    row(v, w);
    if (seq > 0) {
        sy_buf_printf(v->out, "<a href=\"/alert/%lld", (long long)seq);
        sy_view_lang(v, true);
        sy_view_raw(v, "\">");
    }
    sy_view_text(v, id);
    sy_view_raw(v, seq > 0 ? "</a></dd>" : "</dd>");
}

static void details(const sy_view *v, const sy_inbox_alert *a, const json_t *data)
{
    const json_t *premises = json_object_get(data, "premises"),
                 *place = json_object_get(data, "place");
    const json_t *count = pick(data, "alert", "count");
    const char *place_id = json_string_value(json_object_get(place, "id"));
    sy_view_raw(v, "<dl>");
    row_text(v, SY_W_PREMISES,
             first_of(json_string_value(json_object_get(premises, "name")),
                      json_string_value(json_object_get(premises, "id")), NULL),
             json_string_value(json_object_get(premises, "id")));
    row_text(v, SY_W_CODE, json_string_value(json_object_get(premises, "code")), NULL);
    row_text(v, SY_W_PLACE,
             first_of(json_string_value(json_object_get(place, "name")), place_id, NULL), place_id);
    row_text(v, SY_W_POINT, json_string_value(json_object_get(data, "series")),
             json_string_value(json_object_get(data, "quantity")));
    row_text(v, SY_W_LIMIT, sy_view_both(v, pick(data, "rule", "limit")), NULL);
    row_time(v, SY_W_ONSET, pick(data, "alert", "onset"));
    row_time(v, SY_W_RAISED, pick(data, "alert", "raised"));
    row_time(v, SY_W_CLEARED, pick(data, "alert", "cleared"));
    row_measure(v, json_object_get(data, "measure"));
    if (json_is_integer(count)) {
        row(v, SY_W_READINGS);
        sy_buf_int(v->out, json_integer_value(count));
        sy_view_raw(v, "</dd>");
    }
    row_told(v, json_object_get(data, "tell") ? json_object_get(data, "tell")
                                              : json_object_get(data, "recipients"));
    row_alert(v, a, SY_W_REPLACES, pick_text(data, "alert", "replaces"));
    row_alert(v, a, SY_W_REPLACED_BY, pick_text(data, "alert", "replaced_by"));
    row_text(v, SY_W_ALERT_ID, a->id, NULL);
    row_text(v, SY_W_GATEWAY, a->source, NULL);
    row_text(v, SY_W_SENDER, a->sender, NULL);
    sy_view_raw(v, "</dl>");
}

void sy_view_alert(const sy_view *v, const sy_inbox_alert *a)
{
    json_t *data = json_loads(a->data, 0, NULL);
    open_article(v, a);
    tags(v, a, data);
    sy_view_raw(v, "<h1>");
    sentence(v, a, data);
    sy_view_raw(v, "</h1>");
    by_rule(v, data);
    to_do(v, a, data);
    sy_view_raw(v, "</article>\n");
    json_decref(data);
}

void sy_view_details(const sy_view *v, const sy_inbox_alert *a, const json_t *data)
{
    sy_view_raw(v, "<section><h2>");
    sy_view_word(v, SY_W_DETAILS);
    sy_view_raw(v, "</h2>");
    details(v, a, data);
    sy_view_raw(v, "</section>\n");
}
