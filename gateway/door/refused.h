/*
 * Who was refused: one entry for each transport, name and reason, with how often, when last and
 * from where. For `steelyard status`. In memory, since the start; bounded to SY_REFUSED_MAX
 * entries: where there is no room the entry that was counted least, of those the one longest ago,
 * gives way, and is counted as forgotten; so many made-up names do not push out what goes on.
 *
 * Names, reasons and details are kept as printable UTF-8, cut to their bounds. Any thread.
 */
#ifndef SY_DOOR_REFUSED_H
#define SY_DOOR_REFUSED_H

#include "base/intake.h"

enum { SY_REFUSED_MAX = 128 };

typedef struct sy_refused sy_refused;
sy_refused *sy_refused_open(void); /* NULL: no memory */
void sy_refused_close(sy_refused *t);
void sy_refused_note(sy_refused *t, const sy_refusal *r, sy_ms now);
/* {"total":N,"forgotten":N,"list":[{"transport","device","reason","count","last","peer","detail"}]},
 * the newest first. */
void sy_refused_json(sy_refused *t, sy_buf *out);

/* Copy text as what may be shown: malformed bytes and control characters become '?'. */
void sy_door__plain(sy_span text, char *out, size_t size);

#endif
