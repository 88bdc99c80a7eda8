/*
 * Items added to the lists of a YAML text, with nothing else touched: comments, order and spelling
 * stay. Pure.
 *
 * Block lists get a line after their last item, flow lists (JSON too) the item before their
 * bracket. The caller checks the result by loading it.
 */
#ifndef SY_CLI_YAML_ADD_H
#define SY_CLI_YAML_ADD_H

#include "base/os.h"
#include "config/yaml.h"

typedef struct sy_yaml_edit {
    size_t at;   /* where in the text */
    sy_buf text; /* what is put there */
} sy_yaml_edit;

/* Add flow items ("{id: a}") to the list under `key` of `map` (a map of the text, NULL for none);
 * where the list is not there it is made. SY_E_UNSUPPORTED where the text is written in a way that
 * this cannot edit, with what to write by hand. edit->text is the caller's to free in any case. */
SY_MUST_USE sy_err sy_yaml_add(sy_span text, const sy_ynode *map, const char *key,
                               const char *const *items, size_t n, sy_yaml_edit *edit, sy_fail *f);
/* The text with the edits, which may come in any order. */
void sy_yaml_apply(sy_span text, const sy_yaml_edit *edits, size_t n, sy_buf *out);
/* What the edits change, as a unified diff without context. */
void sy_yaml_diff(const char *file, sy_span text, const sy_yaml_edit *edits, size_t n, sy_buf *out);

#endif
