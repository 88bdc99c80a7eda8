/* SPDX-License-Identifier: Apache-2.0 */
#include "onsite/board.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sy_board_init(sy_board *b, const sy_on_site *o)
{
    *b = (sy_board){.o = o};
}

static void release(sy_board_alert *a)
{
    free(a->id);
    free(a->premises);
    free(a->place);
    free(a->place_name);
    free(a->rule);
    free(a->en);
    free(a->zh);
    free(a->by);
}

void sy_board_fini(sy_board *b)
{
    for (size_t i = 0; i < b->n; i++)
        release(&b->v[i]);
    free(b->v);
    *b = (sy_board){.o = b->o};
}

static sy_board_alert *find(const sy_board *b, const char *id)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->v[i].id, id) == 0)
            return &b->v[i];
    return NULL;
}

const sy_board_alert *sy_board_find(const sy_board *b, const char *premises, sy_span alert)
{
    for (size_t i = 0; i < b->n; i++)
        if (sy_span_is(alert, b->v[i].id))
            return b->v[i].told && strcmp(b->v[i].premises, premises) == 0 ? &b->v[i] : NULL;
    return NULL;
}

static void drop(sy_board *b, sy_board_alert *a)
{
    release(a);
    *a = b->v[--b->n];
}

static const char *text_at(json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* False: no memory. A missing text is NULL. */
static bool set(char **to, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return false;
    free(*to);
    *to = copy;
    return true;
}

static sy_alert_level level_of(const char *word)
{
    for (unsigned l = SY_NOTICE; word && l <= SY_MAJOR; l++)
        if (strcmp(word, sy_alert_level_text((sy_alert_level)l, SY_EN)) == 0)
            return (sy_alert_level)l;
    return SY_NOTICE;
}

static bool tells(const sy_board *b, json_t *data)
{
    json_t *tell = json_object_get(data, "tell"), *word;
    size_t i;
    json_array_foreach(tell, i, word)
    {
        for (size_t k = 0; json_is_string(word) && k < b->o->n_serves; k++)
            if (strcmp(json_string_value(word), b->o->serves[k]->id) == 0)
                return true;
    }
    return false;
}

/* Who did what: an acknowledgement holds until the alert is raised anew or becomes more severe, and
 * the end of a shelving by itself takes it away, too. */
static bool note_act(sy_board_alert *a, const char *change, json_t *data)
{
    const char *who = text_at(json_object_get(data, "act"), "who");
    if (strcmp(change, "acknowledged") == 0)
        return set(&a->by, who ? who : "");
    if (strcmp(change, "escalated") == 0)
        return set(&a->by, NULL);
    if (strcmp(change, "shelved") == 0)
        a->shelved = true;
    if (strcmp(change, "unshelved") == 0) {
        a->shelved = false;
        return set(&a->by, who && who[0] ? who : NULL);
    }
    return true;
}

static bool fill(sy_board *b, sy_board_alert *a, json_t *data)
{
    json_t *alert = json_object_get(data, "alert"), *rule = json_object_get(data, "rule");
    json_t *say = json_object_get(rule, "say"), *place = json_object_get(data, "place");
    const char *onset = text_at(alert, "onset"), *change = text_at(data, "change");
    a->severity = level_of(text_at(alert, "severity"));
    snprintf(a->since, sizeof a->since, "%s", onset ? onset : "");
    a->told = a->told || (a->severity >= b->o->severity && tells(b, data));
    return set(&a->premises, text_at(json_object_get(data, "premises"), "id")) &&
           set(&a->place, text_at(place, "id")) && set(&a->place_name, text_at(place, "name")) &&
           set(&a->rule, text_at(alert, "rule")) && set(&a->en, text_at(say, "en")) &&
           set(&a->zh, text_at(say, "zh")) && note_act(a, change ? change : "", data);
}

/* A new one, or NULL without memory. */
static sy_board_alert *add(sy_board *b, const char *id)
{
    if (sy_grow(sy_heap(), (void **)&b->v, &b->cap, b->n + 1, sizeof *b->v))
        return NULL;
    sy_board_alert *a = &b->v[b->n];
    *a = (sy_board_alert){.id = strdup(id)};
    if (!a->id)
        return NULL;
    b->n++;
    return a;
}

sy_err sy_board_take(sy_board *b, sy_span event, char premises[SY_BOARD_ID], sy_fail *f)
{
    premises[0] = '\0';
    json_t *root = json_loadb(event.p ? event.p : "", event.n, 0, NULL);
    json_t *data = json_object_get(root, "data"), *alert = json_object_get(data, "alert");
    const char *id = text_at(alert, "id"), *state = text_at(alert, "state");
    const char *where = text_at(json_object_get(data, "premises"), "id");
    const char *place = text_at(json_object_get(data, "place"), "id");
    sy_err e = SY_OK;
    if (id && state && where && place && text_at(data, "change")) {
        sy_board_alert *a = find(b, id);
        bool active = strcmp(state, "active") == 0;
        bool was = a && a->told;
        if (active && !a && !(a = add(b, id)))
            e = SY_E_NOMEM;
        if (!e && active && !fill(b, a, data))
            e = SY_E_NOMEM;
        bool shown = !e && active && a->told;
        if (!active && a)
            drop(b, a);
        if (was || shown)
            snprintf(premises, SY_BOARD_ID, "%s", where);
    }
    json_decref(root);
    return e ? sy_fail_set(f, e, "no memory for the active alerts") : SY_OK;
}
