/* SPDX-License-Identifier: Apache-2.0 */
/* "senml": a pack in JSON or CBOR, as its first byte says. */
#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"

static const sy_format *which(sy_span payload)
{
    return sy_json_first(payload) == '[' ? &sy_format_senml_json : &sy_format_senml_cbor;
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    return which(payload)->decode(payload, map, sink, ctx, f);
}

/* Found by the names of its two kinds. */
const sy_format sy_format_senml = {"senml", 0xffff, decode, NULL, NULL};
