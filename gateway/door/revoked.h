/*
 * The devices that `steelyard devices revoke` cut off: <data>/revoked, an id a line. The running
 * gateway marks them in its registry, at its start and when it is told that credentials changed.
 */
#ifndef SY_DOOR_REVOKED_H
#define SY_DOOR_REVOKED_H

#include "base/os.h"

/* Appends the file's text to `out`; nothing where there is none. */
SY_MUST_USE sy_err sy_revoked_read(const char *data, sy_buf *out, sy_fail *f);
bool sy_revoked_has(sy_span text, const char *id);
/* Put the id into the file, or take it out; waits for another command that does so. */
SY_MUST_USE sy_err sy_revoked_set(const char *data, const char *id, bool revoked, sy_fail *f);

#endif
