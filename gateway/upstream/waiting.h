/*
 * What waits for a destination, as JSON. Any thread.
 */
#ifndef SY_WAITING_H
#define SY_WAITING_H

#include "store/store.h"

/* Members (with a comma before each): "by_class":{"alert":{"n":…,"since":"…"},…} with the classes
 * of which something waits, and "withheld":n. A failure leaves them out. */
void sy_waiting_members(sy_store *s, const char *destination, sy_buf *json);
/* [{"name","waiting","refused","by_class","withheld"}]: of a folder on which no gateway runs. */
void sy_waiting_all(sy_store *s, sy_buf *json);

#endif
