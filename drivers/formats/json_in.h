/*
 * JSON text to a tree (jansson), with our bounds. Internal to formats/.
 */
#ifndef SY_JSON_IN_H
#define SY_JSON_IN_H

#include <jansson.h>

#include "base/os.h"

/* Large integers are numbers too: take numbers by json_number_value. Refuses members given twice,
 * NUL, numbers beyond a double, bad UTF-8, nesting beyond 32. Free with json_decref. */
SY_MUST_USE sy_err sy_json_in(sy_span text, json_t **out, sy_fail *f);
/* The first byte that is no white space, 0 where there is none. */
char sy_json_first(sy_span text);

/* One step of a path such as $.a[0]: a member's key, or an index. */
typedef struct sy_json_step {
    sy_span key;
    bool is_index;
    size_t index;
} sy_json_step;
/* The step at *p, behind the "$", and on; false where the path is malformed there. */
bool sy_json_path_step(const char **p, sy_json_step *s);

#endif
