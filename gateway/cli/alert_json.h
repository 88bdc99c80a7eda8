/*
 * The alert object that `rules backtest` and `alerts` print, so that their output can be compared
 * byte for byte.
 */
#ifndef SY_ALERT_JSON_H
#define SY_ALERT_JSON_H

#include "base/os.h"
#include "rules/judge.h"

typedef struct sy_alert_view {
    const char *id, *rule, *pack; /* pack NULL: null */
    int64_t version;
    const char *subject;
    sy_alert_level severity;
    sy_ms onset, raised, cleared; /* cleared SY_MS_NONE: null */
    sy_alert_state state;
    double min, max; /* NaN, or driver_is_state: null */
    uint64_t count;
    bool driver_is_state;
    const char *message; /* NULL: null */
} sy_alert_view;

/* One object, keys in the order of the interface, on one line, without a line end. */
void sy_alert_json_put(sy_buf *b, const sy_alert_view *a);
/* An array, one object a line: begin, then put with `first` true for the first one, then end. */
void sy_alert_json_begin(sy_buf *b);
void sy_alert_json_item(sy_buf *b, const sy_alert_view *a, bool first);
void sy_alert_json_end(sy_buf *b);

/* "active", "cleared", "superseded", "withdrawn". */
const char *sy_alert_state_text(sy_alert_state s);
/* The message in a language, or in the other where it is missing; NULL where there is none. */
const char *sy_message_of(const char *en, const char *zh, sy_lang lang);
/* A judge's alert as a view; the pointers are those of the alert. */
sy_alert_view sy_alert_view_of(const sy_alert *a, const sy_site *site, sy_lang lang);

#endif
