/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What unknown devices announce of themselves for Home Assistant (retained under homeassistant/…):
 * the unit and the class of the values that another topic then brings.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/devices_int.h"
#include "door/refused.h"
#include "drivers/formats/ha_discovery.h"

/* "$.a['b c'][0]" as a record is named: "a.b c.0". */
static void name_of(sy_span path, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = path.n && path.p[0] == '$' ? 1 : 0; i < path.n && n + 1 < size; i++) {
        char c = path.p[i];
        if (c == '.' || c == '[') {
            if (n)
                out[n++] = '.';
        } else if (c != ']' && c != '\'' && c != '"') {
            out[n++] = c;
        }
    }
    out[n] = '\0';
}

typedef struct gathering {
    sy_announced *a;
    const char *topic;
} gathering;

static sy_err entity(void *ctx, const sy_ha_entity *e)
{
    const gathering *g = ctx;
    if (!sy_span_is(e->state_topic, g->topic) || e->path.n == 0 || g->a->n == SY_ANNOUNCED)
        return SY_OK;
    sy_announced_value *v = &g->a->of[g->a->n++];
    char name[sizeof v->name];
    name_of(e->path, name, sizeof name);
    sy_door__plain(sy_span_of(name), v->name, sizeof v->name);
    sy_door__plain(e->unit, v->unit, sizeof v->unit);
    sy_door__plain(e->device_class, v->quantity, sizeof v->quantity);
    return SY_OK;
}

void sy_announced_gather(sy_announced *a, const json_t *sources, const char *topic)
{
    static const char head[] = "homeassistant/";
    sy_buf bytes;
    size_t i;
    json_t *source;
    a->n = 0;
    sy_buf_init(&bytes, sy_heap());
    gathering g = {a, topic};
    json_array_foreach(sources, i, source)
    {
        const char *name = json_string_value(json_object_get(source, "source"));
        const json_t *messages = json_object_get(source, "messages");
        const json_t *newest = json_array_get(messages, json_array_size(messages) - 1);
        if (!name || strncmp(name, head, sizeof head - 1) != 0 || !sy_pending_bytes(newest, &bytes))
            continue;
        /* What is no announcement names nothing. */
        (void)!sy_ha_read((sy_span){bytes.n ? bytes.p : "", bytes.n}, entity, &g, NULL);
    }
    sy_buf_fini(&bytes);
}

const sy_announced_value *sy_announced_find(const sy_announced *a, const char *name)
{
    for (size_t i = 0; a && i < a->n; i++)
        if (strcmp(a->of[i].name, name) == 0)
            return &a->of[i];
    return NULL;
}
