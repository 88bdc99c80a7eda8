/*
 * Stored readings as SenML (RFC 8428): packs, one a line, each a message that a gateway takes.
 *
 * A pack is at most 2,048 readings and 64 KiB. It begins with the base time; each series follows
 * with its base name and base unit, then its readings with their distance from the base time. A
 * state's value is its word ("vs"). A reading that is not good has "steelyard_quality" beside its
 * value: SenML has no word for it, and readers pass over labels that they do not know.
 *
 * SenML cannot say everything: a reading without a finite value, or of a time before 1978-07-05
 * (which would count from the reception) or after the year 9999, is left out and counted. What a
 * name cannot hold (section 4.5.1) is written as ":" and two hexadecimal digits a byte, with "x" in
 * front where it would not begin with a letter or digit.
 */
#ifndef SY_EXPORT_SENML_H
#define SY_EXPORT_SENML_H

#include "store/store.h"

typedef struct sy_senml_out sy_senml_out;

/* NULL: no memory. */
sy_senml_out *sy_senml_out_open(void);
void sy_senml_out_close(sy_senml_out *o);
/* In order of time, as the store gives them. word: of a state's value, else NULL; unit: as SenML
 * writes it, or NULL. Whole packs are appended to out. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_senml_out_add(sy_senml_out *o, const sy_reading_row *r, const char *word,
                                    const char *unit, sy_buf *out);
/* The last pack. */
SY_MUST_USE sy_err sy_senml_out_end(sy_senml_out *o, sy_buf *out);
uint64_t sy_senml_out_left(const sy_senml_out *o);

#endif
