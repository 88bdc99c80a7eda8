/*
 * A copy of the data base as it stood at one moment, beside a gateway that goes on writing.
 *
 * The copy is one file, in SQLite's rollback mode, so that to read it makes no other; a gateway
 * that opens it goes over to WAL again. It is not synced. Any thread.
 */
#ifndef SY_COPY_H
#define SY_COPY_H

#include "base/os.h"

/* Bytes that are copied, and bytes in all. */
typedef void (*sy_copy_fn)(void *ctx, uint64_t done, uint64_t all);

/* The store of a data folder as the file `to`, which must not be there. The writer is not held up;
 * its WAL grows until the copy is whole. SY_E_NOTFOUND, SY_E_FULL, SY_E_CORRUPT, SY_E_IO. */
SY_MUST_USE sy_err sy_store_copy(const char *data_dir, const char *to, sy_copy_fn progress,
                                 void *ctx, sy_fail *f);

#endif
