/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer is hostile: ids that were not sent are passed over, what it says is cut to one
 * printable line, and its size is bounded by that of a body (http.h).
 */
#include "upstream/partial.h"

#include <jansson.h>

static const char *line_of(const json_t *v, sy_arena *arena)
{
    const char *text = json_string_value(v);
    size_t n = text ? json_string_length(v) : 0;
    if (n > SY_PARTIAL_WHY) {
        for (n = SY_PARTIAL_WHY; n > 0 && (text[n] & 0xc0) == 0x80; n--)
            ;
    }
    char *copy = n ? sy_arena_get(arena, n + 1) : NULL;
    if (!copy)
        return "the destination refused it and did not say why";
    for (size_t i = 0; i < n; i++)
        copy[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? ' ' : text[i];
    copy[n] = 0;
    return copy;
}

/* By id: a batch has each once. */
static size_t find(const sy_batch *b, const char *id)
{
    size_t i = 0;
    while (i < b->n && strcmp(b->items[i]->id, id) != 0)
        i++;
    return i;
}

static sy_err mark(const json_t *list, const sy_batch *b, sy_each *each, size_t *refused,
                   sy_fail *f)
{
    for (size_t k = 0; k < json_array_size(list); k++) {
        const json_t *one = json_array_get(list, k);
        const char *id = json_string_value(json_object_get(one, "id"));
        if (!id)
            return sy_fail_set(f, SY_E_PEER,
                               "the answer is not usable: it refuses an event without its id");
        size_t i = find(b, id);
        if (i < b->n && each[i].fate == SY_FATE_TAKEN) {
            each[i] = (sy_each){SY_FATE_REFUSED, line_of(json_object_get(one, "why"), b->arena)};
            ++*refused;
        }
    }
    return SY_OK;
}

static sy_err read_list(const json_t *list, const sy_batch *b, const sy_each **each, sy_fail *f)
{
    size_t refused = 0;
    if (!json_is_array(list))
        return sy_fail_set(f, SY_E_PEER, "the answer is not usable: `refused` is no list");
    sy_each *v = sy_arena_get(b->arena, b->n * sizeof *v);
    if (!v)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for an answer");
    for (size_t i = 0; i < b->n; i++)
        v[i] = (sy_each){SY_FATE_TAKEN, NULL};
    sy_err e = mark(list, b, v, &refused, f);
    for (size_t i = 0; i < b->n && refused == b->n; i++)
        v[i].fate = SY_FATE_DOUBTED;
    *each = e == SY_OK && refused > 0 ? v : NULL;
    return e;
}

sy_err sy_partial_read(sy_span body, const sy_batch *b, const sy_each **each, sy_fail *f)
{
    *each = NULL;
    json_t *root = body.n ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *list = json_object_get(root, "refused");
    sy_err e = list ? read_list(list, b, each, f) : SY_OK;
    json_decref(root);
    return e;
}
