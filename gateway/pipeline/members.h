/*
 * Members of a JSON object, written in order and without white space: the one spelling of events
 * and of their basis, whose bytes are hashed. The buffer ends with what stands before the member;
 * the comma is put where one is needed.
 */
#ifndef SY_MEMBERS_H
#define SY_MEMBERS_H

#include "base/os.h"

void sy_member_key(sy_buf *b, const char *name);
void sy_member_text(sy_buf *b, const char *name, const char *value); /* NULL: null */
void sy_member_int(sy_buf *b, const char *name, int64_t value);
void sy_member_number(sy_buf *b, const char *name, double value); /* not finite: null */

#endif
