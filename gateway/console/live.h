/*
 * What happens now, for the pages that look: server-sent events (HTML Standard, 9.2). Each reading
 * as it is taken and each change of an alert; a comment every 15 s, by which a reader that is gone
 * is noticed. Internal to console/.
 *
 *   event: reading   data: {"time","series","value"|"state","quality",…}   (door/watch.h)
 *   event: alert     data: {"id":…,"type":…}
 *   event: lost      data: {"lost":N}: readings that were too many to be told
 *
 * Thread "sy-console-live", which looks four times a second, and only while somebody reads. Bounds:
 * SY_LIVE_READERS; 256 KiB that a reader has not taken, then it loses what comes.
 */
#ifndef SY_CONSOLE_LIVE_H
#define SY_CONSOLE_LIVE_H

#include "console/request.h"

enum { SY_LIVE_READERS = 200 };

typedef struct sy_live sy_live;
SY_MUST_USE sy_err sy_live_open(sy_live **out, sy_store *store, sy_watch *watch, sy_fail *f);
/* Lets every reader go. Before the library's daemon stops. */
void sy_live_stop(sy_live *l);
void sy_live_close(sy_live *l);
size_t sy_live_readers(sy_live *l);
/* The handler of GET /api/v1/live. */
enum MHD_Result sy_api_live(sy_request *r);

#endif
