/*
 * The generated table (tools/gen_units.c): rows in order, spellings sorted by their bytes. Private
 * to units.c and the generated file.
 */
#ifndef SY_RULES_UNITS_TABLE_H
#define SY_RULES_UNITS_TABLE_H

#include "rules/units.h"

extern const sy_unit sy_units[];
extern const size_t sy_units_n;
extern const char *const sy_unit_texts[];
extern const unsigned char sy_unit_rows[]; /* the row of each spelling */
extern const size_t sy_unit_texts_n;

#endif
