/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts, times and numbers on the page. What comes from an event is hostile: it passes
 * sy_view_text.
 */
#include "inbox/view.h"

#include <stdlib.h>
#include <time.h>

void sy_view_raw(const sy_view *v, const char *html)
{
    sy_buf_text(v->out, html);
}

void sy_view_text(const sy_view *v, const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        switch (*p) {
        case '&':
            sy_buf_text(v->out, "&amp;");
            break;
        case '<':
            sy_buf_text(v->out, "&lt;");
            break;
        case '>':
            sy_buf_text(v->out, "&gt;");
            break;
        case '"':
            sy_buf_text(v->out, "&quot;");
            break;
        case '\'':
            sy_buf_text(v->out, "&#39;");
            break;
        default:
            sy_buf_char(v->out, *p);
        }
    }
}

void sy_view_word(const sy_view *v, sy_word_id w)
{
    sy_view_text(v, sy_word_text(w, v->zh));
}

static int offset_minutes(const sy_view *v, sy_ms t)
{
    if (v->zone) {
        return (int)(sy_zone_offset(v->zone, t) / 60000);
    }
    time_t s = (time_t)(t / 1000);
    struct tm tm;
    return localtime_r(&s, &tm) ? (int)(tm.tm_gmtoff / 60) : 0;
}

void sy_view_time(const sy_view *v, sy_ms t)
{
    char utc[25], local[25];
    if (t == SY_MS_NONE) {
        sy_view_raw(v, "–");
        return;
    }
    sy_time_text(t, utc);
    sy_time_text(t + (sy_ms)offset_minutes(v, t) * 60000, local);
    sy_buf_printf(v->out, "<time datetime=\"%s\">%.10s %.5s</time>", utc, local, local + 11);
}

void sy_view_zone(const sy_view *v)
{
    int minutes = offset_minutes(v, v->now);
    sy_view_word(v, SY_W_TIMES_IN);
    sy_view_raw(v, " ");
    if (v->zone) {
        sy_view_text(v, v->zone->name);
        sy_view_raw(v, ", ");
    }
    sy_buf_printf(v->out, "UTC%c%02d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60,
                  abs(minutes) % 60);
}

void sy_view_duration(const sy_view *v, sy_ms d)
{
    static const char *const units[2][4] = {{" d", " h", " min", " s"},
                                            {"天", "小时", "分钟", "秒"}};
    static const sy_ms sizes[] = {86400000, 3600000, 60000, 1000};
    int shown = 0;
    d = d < 0 ? 0 : d;
    for (int i = 0; i < 4 && shown < 2 && (i < 3 || shown == 0); i++) {
        sy_ms n = d / sizes[i];
        d %= sizes[i];
        if (n > 0 || (i == 3 && shown == 0)) {
            sy_buf_text(v->out, shown && !v->zh ? " " : "");
            sy_buf_int(v->out, n);
            sy_buf_text(v->out, units[v->zh][i]);
            shown++;
        } else if (shown) {
            break;
        }
    }
}

/* Unit ids are ASCII; people read signs. */
static const char *unit_sign(const char *unit)
{
    static const char *const signs[][2] = {
        {"degC", "°C"},   {"degF", "°F"}, {"%RH", "% RH"},  {"mg/m3", "mg/m³"}, {"ug/m3", "µg/m³"},
        {"ug/L", "µg/L"}, {"m3", "m³"},   {"m3/h", "m³/h"}, {"uSv/h", "µSv/h"}, {"uS/cm", "µS/cm"},
        {"um", "µm"},     {"uSv", "µSv"}, {"ohm", "Ω"},     {"kohm", "kΩ"},     {"Mohm", "MΩ"}};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (strcmp(unit, signs[i][0]) == 0) {
            return signs[i][1];
        }
    }
    return unit;
}

void sy_view_number(const sy_view *v, double value, const char *unit)
{
    sy_buf_double(v->out, value);
    if (unit && unit[0]) {
        sy_view_raw(v, "\xc2\xa0"); /* no break between number and unit */
        sy_view_text(v, unit_sign(unit));
    }
}

void sy_view_lang(const sy_view *v, bool first)
{
    if (v->forced) {
        sy_buf_printf(v->out, "%slang=%s", first ? "?" : "&amp;", v->zh ? "zh" : "en");
    }
}

const char *sy_view_both(const sy_view *v, const json_t *value)
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    const char *en = json_string_value(json_object_get(value, "en"));
    const char *zh = json_string_value(json_object_get(value, "zh"));
    const char *mine = v->zh ? zh : en, *other = v->zh ? en : zh;
    return mine && mine[0] ? mine : other;
}

sy_ms sy_view_when(const json_t *value)
{
    sy_ms t = SY_MS_NONE;
    const char *text = json_string_value(value);
    return text && sy_time_parse(sy_span_of(text), &t) == SY_OK ? t : SY_MS_NONE;
}
