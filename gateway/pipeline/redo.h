/*
 * Judging again: what readings that came late touch is judged a second time, whole, and each
 * difference to what has been told becomes a change.
 *
 * Right after record N, when a place is due (late.h), and never while the log is read again: the
 * batch up to N is committed; a judge of that place alone is opened from its newest past state that
 * lies before the earliest late reading, and fed with the stored readings of the place in the order
 * of their time, with the activations, restarts and ticks of the log in between; what it comes to
 * is compared with the stored alerts; it takes the place's part in the judge in force; and all is
 * committed at N together with a snapshot. So the store is asked when it holds exactly what the
 * records up to N make of it: a function of the log. A crash before that second commit finds the
 * store at N, and does the same again; after it the snapshot lies behind it.
 *
 * Thread: the pipeline's. Intake goes on: the journal is appended to by others.
 */
#ifndef SY_REDO_H
#define SY_REDO_H

#include "pipeline/engine.h"

bool sy_engine_redo_due(sy_engine *e);
/* Judge the places again that are due. The batch is empty; afterwards it holds the changes and the
 * past states, to be committed with a snapshot. SY_E_NOMEM: as of sy_engine_record. What the store
 * does not give is logged, and tried again later. */
SY_MUST_USE sy_err sy_engine_redo(sy_engine *e, sy_store *store, sy_fail *f);
/* The state was made anew from the whole log, without a snapshot: stretches from before now are not
 * judged again, since what was found then is stored, yet not part of the state. */
void sy_engine_rebuilt(sy_engine *e);

#endif
