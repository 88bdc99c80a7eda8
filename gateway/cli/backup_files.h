/*
 * What backup and restore share: files copied with their SHA-256, the list of them (SHA256SUMS, as
 * sha256sum(1) reads it), the description of a backup (backup.json), and a line of progress.
 *
 * Names are relative to the folder, of bounded length, without "." and ".." and control characters;
 * a list from outside that has others is refused. One thread.
 */
#ifndef SY_BACKUP_FILES_H
#define SY_BACKUP_FILES_H

#include "base/merkle.h"
#include "base/os.h"

#define SY_BACKUP_SUMS  "SHA256SUMS"
#define SY_BACKUP_ABOUT "backup.json"

typedef struct sy_backup_file {
    char *name;
    uint64_t bytes;
    char hex[65];
} sy_backup_file;
typedef struct sy_backup_list {
    sy_backup_file *v;
    size_t n, cap;
} sy_backup_list;
void sy_backup_list_free(sy_backup_list *l);
/* NULL where it has none of this name. */
const sy_backup_file *sy_backup_find(const sy_backup_list *l, const char *name);
/* Adds, or replaces the one of this name. */
SY_MUST_USE sy_err sy_backup_note(sy_backup_list *l, const char *name, uint64_t bytes,
                                  const char *hex, sy_fail *f);
void sy_backup_forget(sy_backup_list *l, const char *name);
bool sy_backup_name_fits(const char *name);
void sy_backup_sums(const sy_backup_list *l, sy_buf *out);
SY_MUST_USE sy_err sy_backup_sums_read(sy_span text, sy_backup_list *out, sy_fail *f);

/* A bar on the terminal. */
typedef struct sy_backup_bar {
    bool show;
    uint64_t done, all; /* bytes */
    sy_ms shown;
} sy_backup_bar;
void sy_backup_add(sy_backup_bar *b, uint64_t bytes);
void sy_backup_bar_end(sy_backup_bar *b);

/* The file `name` of one folder into another, which takes its folders as needed: mode 0600, synced,
 * and what was written is read again for *bytes and the hash. Of a file that grows meanwhile the
 * copy is what it was at some moment. SY_E_NOTFOUND: it is not there (any more). */
SY_MUST_USE sy_err sy_backup_copy(const char *from, const char *to, const char *name,
                                  uint64_t *bytes, char hex[65], sy_backup_bar *bar, sy_fail *f);
SY_MUST_USE sy_err sy_backup_hash(const char *folder, const char *name, uint64_t *bytes,
                                  char hex[65], sy_fail *f);
/* Sync the folder and all folders in it. */
SY_MUST_USE sy_err sy_backup_sync(const char *folder, sy_fail *f);

/* What a backup says of itself. */
typedef struct sy_backup_about {
    char gateway[128]; /* "": its ledger has no head yet */
    sy_ms made;
    uint64_t leaves, head,
        records;    /* of the ledger, under its newest head; of the journal, stored */
    sy_digest root; /* over all leaves */
    bool key;       /* the ledger's key is in it */
} sy_backup_about;
void sy_backup_about_json(const sy_backup_about *a, sy_buf *out);
SY_MUST_USE sy_err sy_backup_about_read(sy_span json, sy_backup_about *out, sy_fail *f);

#endif
