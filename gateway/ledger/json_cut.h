/*
 * The bytes of the events in a message, as they were sent: what a proof speaks of. The text has
 * been checked by the JSON library already. Pure, nothing is copied.
 */
#ifndef SY_JSON_CUT_H
#define SY_JSON_CUT_H

#include "base/span.h"

/* What follows the bracket of an array, or all of the text. */
sy_span sy_json_items(sy_span text, bool array);
/* The next value; *rest moves behind it. */
sy_span sy_json_next(sy_span *rest);

#endif
