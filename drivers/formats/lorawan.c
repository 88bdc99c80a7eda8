/* SPDX-License-Identifier: Apache-2.0 */
/* What the codings of LoRaWAN payloads share: records, and the coding of a model. */
#include "drivers/formats/lorawan.h"

static const struct {
    sy_lora_models model;
    sy_lora_fill fill;
} codings[] = {
    {sy_milesight_model, sy_milesight_fill},
    {sy_dragino_model, sy_dragino_fill},
    {sy_elsys_model, sy_elsys_fill},
    {sy_cayenne_model, sy_cayenne_fill},
};

sy_lora_fill sy_lora_coding(sy_span model)
{
    for (size_t c = 0; c < sizeof codings / sizeof *codings; c++)
        for (size_t i = 0; codings[c].model(i); i++)
            if (sy_span_is(model, codings[c].model(i)))
                return codings[c].fill;
    return NULL;
}

/* Of a format: those of its coding; of a network server: of all. */
size_t sy_format_models(sy_span format, const char **names, size_t room)
{
    static const struct {
        const char *format;
        size_t from, to;
    } which[] = {{"milesight", 0, 1}, {"dragino", 1, 2},    {"elsys", 2, 3},
                 {"cayenne", 3, 4},   {"chirpstack", 0, 4}, {"tts", 0, 4}};
    const sy_format *named = sy_format_find(format);
    size_t n = 0;
    for (size_t w = 0; named && w < sizeof which / sizeof *which; w++)
        for (size_t c = which[w].from; c < which[w].to; c++)
            for (size_t i = 0; strcmp(named->name, which[w].format) == 0; i++) {
                const char *model = codings[c].model(i);
                if (!model)
                    break;
                if (n < room)
                    names[n] = model;
                n++;
            }
    return n;
}

sy_err sy_lora_decode(sy_lora_fill fill, sy_span payload, const sy_device *map, sy_record_fn sink,
                      void *ctx, sy_fail *f)
{
    sy_records l;
    const sy_lora u = {.model = sy_span_of(map && map->model ? map->model : ""),
                       .port = -1,
                       .like = {.quality = SY_Q_GOOD}};
    if (payload.n > SY_LORA_MAX)
        return sy_fail_set(f, SY_E_RANGE, "%zu bytes are no LoRaWAN payload", payload.n);
    sy_records_init(&l);
    sy_err e = fill(&l, &u, payload, f);
    if (!e)
        e = sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    return e;
}

void sy_lora_text(sy_records *l, const sy_record *like, sy_span text)
{
    sy_record r = *like;
    r.kind = SY_REC_TEXT;
    r.text = sy_records_text(l, text);
    sy_records_add(l, &r);
}

void sy_lora_fault(sy_records *l, const sy_record *like)
{
    sy_record r = *like;
    r.kind = SY_REC_NULL;
    r.quality = sy_quality_worsen(r.quality, SY_Q_BAD, SY_Q_DEVICE_FAULT);
    sy_records_add(l, &r);
}
