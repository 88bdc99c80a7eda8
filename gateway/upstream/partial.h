/*
 * A 2xx that takes only a part of a batch names what it refuses (docs/receiver.md):
 * {"stored":n,"known":n,"refused":[{"id":"…","why":"…"},…]}. Pure but for the JSON library.
 */
#ifndef SY_PARTIAL_H
#define SY_PARTIAL_H

#include "upstream/road.h"

/* A text of this many bytes at most is kept of each `why`. */
enum { SY_PARTIAL_WHY = 200 };

/* The fate of each event of the batch by the body of a 2xx, in the batch's arena: those that it
 * names were refused, the others were taken; *each NULL where it names none, or is no JSON object:
 * then all were taken. Where all of the batch is refused it is doubted whether that is the events'
 * fault. SY_E_PEER: `refused` is there and cannot be understood, so nothing is known. */
SY_MUST_USE sy_err sy_partial_read(sy_span body, const sy_batch *b, const sy_each **each,
                                   sy_fail *f);

#endif
