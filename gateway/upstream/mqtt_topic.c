/* SPDX-License-Identifier: Apache-2.0 */
/* Topics of events from a template. */
#include "upstream/mqtt_topic.h"

#include <jansson.h>
#include <string.h>

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *last_of(const char *path, char c)
{
    const char *at = path ? strrchr(path, c) : NULL;
    return at ? at + 1 : path;
}

/* "steelyard.alert.raised" → "alert.raised" */
static const char *type_of(const char *type)
{
    const char *dot = type ? strchr(type, '.') : NULL;
    return dot ? dot + 1 : type;
}

/* *known: there is such a name; NULL: the event has no such thing. */
static const char *value_of(const json_t *event, const char *name, size_t n, bool *known)
{
    static const char *const names[] = {"gateway", "premises", "place", "device",
                                        "rule",    "severity", "type",  NULL};
    const json_t *data = json_object_get(event, "data"), *alert = json_object_get(data, "alert");
    size_t i = 0;
    while (names[i] && (strlen(names[i]) != n || memcmp(names[i], name, n) != 0))
        i++;
    *known = names[i] != NULL;
    switch (i) {
    case 0:
        return last_of(text(event, "source"), '/');
    case 1:
    case 2:
        return text(json_object_get(data, names[i]), "id");
    case 3:
        return text(data, "device");
    case 4:
    case 5:
        return text(alert, names[i]);
    default:
        return type_of(text(event, "type"));
    }
}

static void put_value(sy_buf *out, const char *value)
{
    static const char hex[] = "0123456789ABCDEF";
    for (const char *p = value; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f || strchr("/+#%", *p)) {
            sy_buf_char(out, '%');
            sy_buf_char(out, hex[c >> 4]);
            sy_buf_char(out, hex[c & 15]);
        } else {
            sy_buf_char(out, *p);
        }
    }
}

bool sy_mqtt_topic(sy_buf *out, const char *format, sy_span event)
{
    json_t *root = json_loadb(event.p, event.n, 0, NULL);
    bool fine = json_is_object(root);
    for (const char *p = format; fine && *p;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (!end) {
            sy_buf_char(out, *p++);
            continue;
        }
        const char *value = value_of(root, p + 1, (size_t)(end - p) - 1, &fine);
        put_value(out, value && *value ? value : "none");
        p = end + 1;
    }
    json_decref(root);
    return fine;
}
