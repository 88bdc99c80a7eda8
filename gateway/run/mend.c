/* SPDX-License-Identifier: Apache-2.0 */
#include "run/mend.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "intake/journal.h"

enum { ASIDE_MAX = 9, DIGITS = 16 };

static void path_of(char out[4200], const char *data_dir, const char *name, const char *end)
{
    snprintf(out, 4200, "%s/%s%s", data_dir, name, end);
}

/* The first record that the journal still has, by the names of its segments, and the last one; 1
 * and 0 where it has none. */
static void journal_range(const char *data_dir, uint64_t *first, uint64_t *last)
{
    char path[4200];
    uint64_t newest = 0;
    *first = *last = 0;
    path_of(path, data_dir, "journal", "");
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char *end;
        uint64_t n = strtoull(e->d_name, &end, 16);
        if (end != e->d_name + DIGITS || *end != '.' || n == 0)
            continue;
        *first = *first == 0 || n < *first ? n : *first;
        newest = n > newest ? n : newest;
    }
    if (d)
        closedir(d);
    *first = *first ? *first : 1;
    sy_jreader *r = NULL;
    sy_jrec rec;
    sy_err e = newest ? sy_jreader_open(&r, NULL, path, newest, NULL) : SY_E_NOTFOUND;
    while (e == SY_OK || e == SY_E_CORRUPT) {
        e = sy_jreader_next(r, &rec, NULL);
        *last = e == SY_OK ? rec.seq : *last;
    }
    sy_jreader_close(r);
}

/* The data base and its WAL together, since the one cannot be read without the other. */
static sy_err set_aside(const char *data_dir, char name[64], sy_fail *f)
{
    static const char *const parts[] = {"", "-wal"};
    char from[4200], to[4200];
    int n = 0;
    do {
        n++;
        snprintf(name, 64, n == 1 ? "store.db.damaged" : "store.db.damaged%d", n);
        path_of(to, data_dir, name, "");
    } while (access(to, F_OK) == 0 && n < ASIDE_MAX);
    /* The WAL first: without its data base it would be taken for one of the new data base. */
    for (size_t i = sizeof parts / sizeof *parts; i-- > 0;) {
        path_of(from, data_dir, "store.db", parts[i]);
        path_of(to, data_dir, name, parts[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return sy_fail_sys(f, "cannot set aside the damaged store %s", from);
    }
    path_of(from, data_dir, "store.db", "-shm");
    unlink(from);
    return sy_dir_sync(data_dir, f);
}

static sy_err make_again(sy_store **out, const char *data_dir, sy_mended *m, sy_fail *f)
{
    char path[4200];
    uint64_t first, last;
    journal_range(data_dir, &first, &last);
    sy_log_fail(SY_LOG_ERROR, "store-damaged", &m->why);
    sy_err e = set_aside(data_dir, m->aside, f);
    if (!e)
        e = sy_store_open(out, data_dir, false, f);
    if (e)
        return e;
    path_of(path, data_dir, m->aside, "");
    e = sy_store_salvage(*out, path, first, last, &m->what, f);
    if (e) {
        sy_store_close(*out);
        *out = NULL;
        return e;
    }
    m->damaged = true;
    sy_log(SY_LOG_WARN, "store-mended",
           "aside=%s rows=%llu tables_cut=%llu journal_from=%llu msg=\"the rest comes from the "
           "journal\"",
           m->aside, (unsigned long long)m->what.rows, (unsigned long long)m->what.cut,
           (unsigned long long)first);
    return SY_OK;
}

sy_err sy_mend_open(sy_store **out, const char *data_dir, sy_mended *m, sy_fail *f)
{
    char note[4200], db[4200];
    *m = (sy_mended){.damaged = false};
    path_of(note, data_dir, "store.check", "");
    path_of(db, data_dir, "store.db", "");
    sy_err e = SY_OK;
    bool asked = access(note, F_OK) == 0 && access(db, F_OK) == 0;
    if (asked)
        e = sy_store_check(data_dir, &m->why);
    if (!e) {
        e = sy_store_open(out, data_dir, false, &m->why);
    }
    if (e == SY_E_CORRUPT)
        e = make_again(out, data_dir, m, f);
    else if (e)
        *f = m->why;
    if (!e && asked && unlink(note) != 0)
        sy_log(SY_LOG_WARN, "store-check", "note=%s errno=%d", note, errno);
    return e;
}

void sy_mend_ask(const char *data_dir)
{
    char note[4200];
    sy_fail f;
    path_of(note, data_dir, "store.check", "");
    if (sy_file_write(note, (sy_span){"", 0}, 0600, &f))
        sy_log_fail(SY_LOG_WARN, "store-check", &f);
}
