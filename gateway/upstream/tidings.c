/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/tidings.h"

#include <jansson.h>
#include <string.h>

static const struct {
    const char *change, *zh;
} changes[] = {
    {"raised", "报警"},     {"escalated", "加重"}, {"cleared", "恢复"},
    {"superseded", "更替"}, {"withdrawn", "撤回"}, {"unanswered", "逾期未确认"},
};

static const char *text_in(json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static const char *kept(sy_arena *arena, const char *text, bool *failed)
{
    if (!text || !*text)
        return "";
    const char *copy = sy_arena_text(arena, sy_span_of(text));
    *failed = *failed || !copy;
    return copy ? copy : "";
}

static void of_alert(json_t *root, json_t *data, sy_arena *arena, sy_tidings *t, bool *failed)
{
    json_t *alert = json_object_get(data, "alert"), *rule = json_object_get(data, "rule");
    json_t *place = json_object_get(data, "place"), *premises = json_object_get(data, "premises");
    json_t *say = json_object_get(rule, "say");
    const char *name = text_in(place, "name"), *owner = text_in(premises, "name");
    t->place = kept(arena, name ? name : text_in(place, "id"), failed);
    t->premises = kept(arena, owner ? owner : text_in(premises, "id"), failed);
    t->severity = kept(arena, text_in(alert, "severity"), failed);
    t->rule = kept(arena, text_in(alert, "rule"), failed);
    t->id = kept(arena, text_in(alert, "id"), failed);
    t->since = kept(arena, text_in(alert, "onset"), failed);
    t->say_en = kept(arena, text_in(say, "en"), failed);
    t->say_zh = kept(arena, text_in(say, "zh"), failed);
    t->source = kept(arena, text_in(root, "source"), failed);
    t->time = kept(arena, text_in(root, "time"), failed);
}

sy_err sy_tidings_of(sy_span event, sy_arena *arena, sy_tidings *out, sy_fail *f)
{
    json_t *root = json_loadb(event.p ? event.p : "", event.n, 0, NULL);
    json_t *data = json_object_get(root, "data");
    const char *type = text_in(root, "type"), *change = text_in(data, "change");
    bool failed = false;
    *out = (sy_tidings){.what = "",
                        .zh = "",
                        .place = "",
                        .premises = "",
                        .severity = "",
                        .rule = "",
                        .id = "",
                        .say_en = "",
                        .say_zh = "",
                        .since = "",
                        .time = "",
                        .source = ""};
    bool alert = type && change && strncmp(type, "steelyard.alert.", 16) == 0;
    for (size_t i = 0; alert && i < sizeof changes / sizeof *changes; i++)
        if (strcmp(change, changes[i].change) == 0) {
            out->told = true;
            out->what = changes[i].change;
            out->zh = changes[i].zh;
        }
    if (type && strcmp(type, "steelyard.group.raised") == 0) {
        out->told = true;
        out->what = "storm";
        out->zh = "集中报警";
        json_int_t quiet =
            json_integer_value(json_object_get(json_object_get(data, "group"), "quiet"));
        out->quiet = quiet > 0 ? (uint64_t)quiet : 0;
    }
    if (out->told)
        of_alert(root, data, arena, out, &failed);
    json_decref(root);
    return failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for what is told") : SY_OK;
}
