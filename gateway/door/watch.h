/*
 * Who watches live what devices send (`steelyard devices watch`): lines for up to SY_WATCHERS
 * watchers, each with a bound of SY_WATCH_BYTES that it has not taken yet; what is beyond that is
 * counted and told to it, so that a slow watcher holds up nobody. Any thread.
 */
#ifndef SY_DOOR_WATCH_H
#define SY_DOOR_WATCH_H

#include "base/os.h"

enum { SY_WATCHERS = 4, SY_WATCH_BYTES = 64 << 10 };

typedef struct sy_watch sy_watch;
/* wake is called where a watcher has something new and had nothing before; NULL: no memory. */
sy_watch *sy_watch_open(void (*wake)(void *ctx), void *ctx);
void sy_watch_close(sy_watch *w); /* NULL is allowed */
/* A new watcher of one device, or with an empty id of all; -1: there are SY_WATCHERS already. */
int sy_watch_add(sy_watch *w, sy_span device);
void sy_watch_remove(sy_watch *w, int i);
/* False: nobody watches, so that nothing need be made. Cheap. */
bool sy_watch_wanted(const sy_watch *w);
int sy_watch_count(const sy_watch *w);
/* A line of JSON, without its end, about a device. */
void sy_watch_put(sy_watch *w, sy_span device, sy_span line);
/* Append what is there, each line with its end; a line {"lost":N} where some were. */
void sy_watch_take(sy_watch *w, int i, sy_buf *out);

#endif
