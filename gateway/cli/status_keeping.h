/*
 * The part of `steelyard status` about what is kept, as people read it.
 */
#ifndef SY_CLI_STATUS_KEEPING_H
#define SY_CLI_STATUS_KEEPING_H

#include <jansson.h>

#include "base/buf.h"

/* Lines, appended. NULL and what is no object print nothing. */
void sy_status_keeping(const json_t *keeping, sy_buf *b);

#endif
