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
/* RFC 3339 in UTC; SY_MS_NONE: null. */
void sy_member_time(sy_buf *b, const char *name, sy_ms t);
void sy_member_truth(sy_buf *b, const char *name, bool value);
void sy_member_number(sy_buf *b, const char *name, double value); /* not finite: null */

#endif
