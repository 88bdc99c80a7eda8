/*
 * What the journal's tests share: a folder of their own, a system whose parts can be made to fail,
 * and short forms of append and read.
 */
#ifndef SY_JOURNAL_RIG_H
#define SY_JOURNAL_RIG_H

#include "intake/journal_int.h"

/* cmocka wants these, in this order. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* cmocka setup and teardown: *state is the path of an empty folder, removed at the end. */
int rig_dir_setup(void **state);
int rig_dir_teardown(void **state);
void rig_remove(const char *path);

sy_journal_options rig_options(const char *dir, size_t segment_bytes);
sy_journal *rig_open(const sy_journal_options *o, const sy_jio *io);
/* A MESSAGE of that payload; its seq. */
uint64_t rig_append(sy_journal *j, const char *payload);
/* "a b c": payloads from `from_seq` on, read without a writer; '!' stands for a reported loss. */
void rig_read(const char *dir, sy_journal *j, uint64_t from_seq, sy_buf *out);
void rig_expect(const char *dir, sy_journal *j, uint64_t from_seq, const char *expected);
/* Files in dir whose name ends so. */
size_t rig_count_files(const char *dir, const char *suffix);
/* Path of segment `first`. */
const char *rig_path(const char *dir, uint64_t first, unsigned damaged, char path[512]);

#endif
