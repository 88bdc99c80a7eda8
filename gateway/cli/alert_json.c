/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One writer for the alert object: two commands print it and their output is compared as text, so
 * nothing about it may be decided twice.
 */
#include "cli/alert_json.h"

#include <math.h>

const char *sy_alert_state_text(sy_alert_state s)
{
    switch (s) {
    case SY_ALERT_ACTIVE:
        return "active";
    case SY_ALERT_CLEARED:
        return "cleared";
    case SY_ALERT_SUPERSEDED:
        return "superseded";
    case SY_ALERT_WITHDRAWN:
        return "withdrawn";
    default:
        return "unknown";
    }
}

static void key(sy_buf *b, const char *name)
{
    sy_buf_text(b, ", \"");
    sy_buf_text(b, name);
    sy_buf_text(b, "\": ");
}

static void text(sy_buf *b, const char *name, const char *value)
{
    key(b, name);
    if (value) {
        sy_buf_json(b, sy_span_of(value));
    } else {
        sy_buf_text(b, "null");
    }
}

static void when(sy_buf *b, const char *name, sy_ms t)
{
    char at[25];
    if (t == SY_MS_NONE) {
        text(b, name, NULL);
        return;
    }
    sy_time_text(t, at);
    text(b, name, at);
}

static void number(sy_buf *b, const char *name, double v, bool none)
{
    key(b, name);
    sy_buf_double(b, none ? NAN : v);
}

void sy_alert_json_put(sy_buf *b, const sy_alert_view *a)
{
    sy_buf_text(b, "{\"id\": ");
    sy_buf_json(b, sy_span_of(a->id));
    text(b, "rule", a->rule);
    text(b, "pack", a->pack);
    key(b, "version");
    sy_buf_int(b, a->version);
    text(b, "subject", a->subject);
    text(b, "severity", sy_alert_level_text(a->severity, SY_EN));
    when(b, "onset", a->onset);
    when(b, "raised", a->raised);
    when(b, "cleared", a->cleared);
    text(b, "state", sy_alert_state_text(a->state));
    number(b, "min", a->min, a->driver_is_state || a->count == 0);
    number(b, "max", a->max, a->driver_is_state || a->count == 0);
    key(b, "count");
    sy_buf_int(b, (int64_t)a->count);
    text(b, "message", a->message);
    sy_buf_char(b, '}');
}

void sy_alert_json_begin(sy_buf *b)
{
    sy_buf_char(b, '[');
}

void sy_alert_json_item(sy_buf *b, const sy_alert_view *a, bool first)
{
    sy_buf_text(b, first ? "\n  " : ",\n  ");
    sy_alert_json_put(b, a);
}

void sy_alert_json_end(sy_buf *b)
{
    sy_buf_text(b, "\n]\n");
}

const char *sy_message_of(const char *en, const char *zh, sy_lang lang)
{
    const char *first = lang == SY_ZH ? zh : en;
    return first ? first : (lang == SY_ZH ? en : zh);
}

sy_alert_view sy_alert_view_of(const sy_alert *a, const sy_site *site, sy_lang lang)
{
    return (sy_alert_view){
        .id = a->id,
        .rule = a->rule->id,
        .version = (int64_t)a->rule->version->value,
        .subject = a->subject,
        .severity = a->level,
        .onset = a->onset,
        .raised = a->raised,
        .cleared = a->cleared,
        .state = a->state,
        .min = a->min,
        .max = a->max,
        .count = a->count,
        .driver_is_state = site->points[a->point].is_state,
        .message = sy_message_of(a->rule->say.en, a->rule->say.zh, lang),
    };
}
