/*
 * The note that a data folder was made from a backup: <data>/ledger/restored.json. `steelyard
 * restore` leaves it; the first start that can sign enters it in the ledger, tells every
 * destination and takes it away (docs/ledger.md, "Backup and restore").
 *
 * One thread. The file is hostile: bounded, its texts are checked.
 */
#ifndef SY_RESTORED_H
#define SY_RESTORED_H

#include "base/merkle.h"
#include "base/os.h"

enum { SY_RESTORED_WHO = 128, SY_RESTORED_WHY = 1000 };

typedef struct sy_restored {
    char id[33];     /* of this restore, hex */
    uint64_t leaves; /* that the ledger goes on from */
    sy_digest root;  /* over them */
    sy_ms made;      /* the backup */
    uint64_t known;  /* leaves under the newest head that a receiver had; 0: not known */
    char who[SY_RESTORED_WHO + 1], why[SY_RESTORED_WHY + 1];
} sy_restored;

/* 1 to `most` bytes of UTF-8 without control characters. */
bool sy_restored_text_fits(const char *text, size_t most);
SY_MUST_USE sy_err sy_restored_write(const char *data_dir, const sy_restored *r, sy_fail *f);
/* SY_E_NOTFOUND: the folder is no restored one. */
SY_MUST_USE sy_err sy_restored_read(const char *data_dir, sy_restored *out, sy_fail *f);
void sy_restored_done(const char *data_dir);

#endif
