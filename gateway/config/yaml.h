/*
 * A YAML text as a tree of nodes with their places. The one file that knows libfyaml is yaml.c.
 *
 * Aliases, tags, several documents, keys that are not scalars and control characters in scalars are
 * refused; duplicate keys are refused by the library. Depth is bounded by it too (64).
 */
#ifndef SY_CONFIG_YAML_H
#define SY_CONFIG_YAML_H

#include "base/alloc.h"
#include "rules/diag.h"

enum { SY_YAML_MAX = 1 << 20 }; /* bytes; the library takes about 60 times as much memory */

typedef enum sy_ykind { SY_Y_SCALAR, SY_Y_LIST, SY_Y_MAP } sy_ykind;
typedef struct sy_ynode {
    sy_ykind kind;
    bool quoted;      /* SCALAR: "1" and 1 differ */
    sy_span text;     /* SCALAR, NUL-terminated */
    uint32_t at, len; /* where in the text; of lists and maps their key's place */
    size_t n;         /* LIST, MAP */
    struct sy_ynode *const *keys, *const *values; /* keys: MAP only, scalars */
} sy_ynode;

/* Called for each thing that is wrong, in both languages. */
typedef void (*sy_yaml_error_fn)(void *ctx, uint32_t at, uint32_t len, const char *code,
                                 const char *en, const char *zh);

/* A text without a byte order mark; that it is UTF-8 is checked here. Nodes come from one arena,
 * the texts of scalars from another. *root is NULL for an empty text. SY_E_PARSE after errors were
 * told, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_yaml_parse(sy_span text, sy_arena *nodes, sy_arena *texts,
                                 sy_yaml_error_fn error, void *ctx, const sy_ynode **root);

/* The value of a key of a map, or NULL. */
const sy_ynode *sy_yaml_get(const sy_ynode *map, const char *key);

#endif
