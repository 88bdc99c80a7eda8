/* For the tests of formats: what a payload decodes to, as one line of text. */
#ifndef SY_FORMAT_HARNESS_H
#define SY_FORMAT_HARNESS_H

#include "drivers/formats/format.h"

/* "name|local|value|unit|time; …": value as JSON, time in ms, "+ms" where relative, "-" where none.
 * "! reason" where it is refused; "!! …" where it is refused and records had been given. The text
 * lives until the next call. */
const char *f_decode(const char *format, sy_span payload, const sy_device *map);
const char *f_text(const char *format, const char *payload);
/* The payload in hexadecimal; spaces are passed over. */
const char *f_hex(const char *format, const char *hex);
/* A shared data folder, or NULL where it is absent. */
const char *f_shared(void);

/* Fails with both texts. says: a part of the refusal. */
void f_same(const char *got, const char *want);
void f_refused(const char *got, const char *says);

#endif
