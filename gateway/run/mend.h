/*
 * A damaged store is set aside as store.db.damaged, what can be read of it goes into a new one, and
 * the rest comes from the journal again (store/salvage.h).
 *
 * It is found when the store cannot be opened, or when a start looks through it because the run
 * before met damage and left the note <data>/store.check (an operator may put one there as well).
 * The main thread.
 */
#ifndef SY_MEND_H
#define SY_MEND_H

#include "store/salvage.h"

typedef struct sy_mended {
    bool damaged;
    sy_fail why;
    sy_salvaged what;
    char aside[64]; /* the name of the old file, in the data folder */
} sy_mended;

/* Open the store of a folder that is locked, sound or mended. */
SY_MUST_USE sy_err sy_mend_open(sy_store **out, const char *data_dir, sy_mended *m, sy_fail *f);
/* Leave the note for the next start. */
void sy_mend_ask(const char *data_dir);

#endif
