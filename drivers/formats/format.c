/* SPDX-License-Identifier: Apache-2.0 */
/* The list of formats. A new one is a file and a line here. */
#include "drivers/formats/format.h"

#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"

const sy_format *const sy_formats[] = {
#define SY_FORMAT_ADDRESS(name) &sy_format_##name,
    SY_FORMATS(SY_FORMAT_ADDRESS)
#undef SY_FORMAT_ADDRESS
        NULL};

const sy_format *sy_format_find(sy_span name)
{
    static const char prefix[] = "lorawan_";
    if (name.n > sizeof prefix - 1 && memcmp(name.p, prefix, sizeof prefix - 1) == 0)
        name = (sy_span){name.p + sizeof prefix - 1, name.n - (sizeof prefix - 1)};
    for (size_t i = 0; sy_formats[i]; i++)
        if (sy_span_is(name, sy_formats[i]->name))
            return sy_formats[i];
    return NULL;
}

const sy_format *sy_format_by_content(uint16_t content_format)
{
    for (size_t i = 0; sy_formats[i] && content_format != 0xffff; i++)
        if (sy_formats[i]->content_format == content_format)
            return sy_formats[i];
    return NULL;
}

const sy_format *sy_format_probe(sy_span payload)
{
    const sy_format *best = NULL;
    json_t *root = NULL;
    int sure = 0;
    char first = sy_json_first(payload);
    if ((first == '{' || first == '[') && sy_json_in(payload, &root, NULL) != SY_OK)
        root = NULL;
    for (size_t i = 0; sy_formats[i]; i++) {
        const sy_format *f = sy_formats[i];
        int p = f->probe ? f->probe(payload) : 0;
        if (p == 0 && f->probe_json && root)
            p = f->probe_json(root);
        if (p > sure) {
            sure = p;
            best = f;
        }
    }
    json_decref(root);
    return best;
}
