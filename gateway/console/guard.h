/*
 * Who tried too often: failed logins by name and by address. After SY_GUARD_FREE failures in a row
 * the next attempt must wait 1 s, then twice as long each time, up to 15 min; a success forgets.
 *
 * A name that is locked out is so for everybody, which lets a stranger keep a person out; so the
 * lock of a name is bound to the address where the person was let in last: from there only the
 * address counts. Bounds: SY_GUARD_ROWS of each, the one that failed longest ago makes room.
 * Any thread.
 */
#ifndef SY_CONSOLE_GUARD_H
#define SY_CONSOLE_GUARD_H

#include "base/os.h"

enum { SY_GUARD_FREE = 5, SY_GUARD_ROWS = 512 };

typedef struct sy_guard sy_guard;
sy_guard *sy_guard_open(void); /* NULL: no memory */
void sy_guard_close(sy_guard *g);

/* How long the next attempt must wait; 0: it may be made. now: monotonic. */
sy_ms sy_guard_wait(sy_guard *g, const char *name, const char *address, sy_ms now);
/* What came of one. */
void sy_guard_failed(sy_guard *g, const char *name, const char *address, sy_ms now);
void sy_guard_passed(sy_guard *g, const char *name, const char *address, sy_ms now);

#endif
