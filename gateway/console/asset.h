/*
 * The static files of the pages, built into the binary from gateway/console/static by tools/assets.
 */
#ifndef SY_CONSOLE_ASSET_H
#define SY_CONSOLE_ASSET_H

#include "base/span.h"

typedef struct sy_asset {
    const char *path; /* "/app.js" */
    const char *type; /* of its content */
    const char *tag;  /* ETag, quoted: a hash of the bytes */
    sy_span bytes;
} sy_asset;

extern const sy_asset sy_assets[];
extern const size_t sy_assets_count;

#endif
