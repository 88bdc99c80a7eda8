/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's backup of one read transaction: what is committed meanwhile is not in it. */
#include "store/copy.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "store/store_int.h"

enum { CACHE_KIB = 1024, STEP_PAGES = 256, PAGE = 4096 };

static sy_err exec(sqlite3 *db, const char *sql, sy_fail *f)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SY_OK : sy_store__err(db, rc, "copy", f);
}

static sy_err copy_pages(sqlite3 *from, sqlite3 *to, sy_copy_fn progress, void *ctx, sy_fail *f)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int rc = b ? SQLITE_OK : sqlite3_errcode(to);
    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(b, STEP_PAGES);
        uint64_t all = (uint64_t)sqlite3_backup_pagecount(b);
        uint64_t left = (uint64_t)sqlite3_backup_remaining(b);
        if (progress)
            progress(ctx, (all - left) * PAGE, all * PAGE);
    }
    (void)sqlite3_backup_finish(b); /* tells again what step has told */
    return rc == SQLITE_DONE ? SY_OK : sy_store__err(to, rc, "copy", f);
}

sy_err sy_store_copy(const char *data_dir, const char *to, sy_copy_fn progress, void *ctx,
                     sy_fail *f)
{
    char path[4200];
    sqlite3 *from = NULL, *copy = NULL;
    (void)snprintf(path, sizeof path, "%.4096s/store.db", data_dir);
    if (access(path, R_OK) != 0)
        return sy_fail_make(f, errno == ENOENT ? SY_E_NOTFOUND : SY_E_DENIED, errno, SY_AT,
                            "no store to read at %s: is this the gateway's data folder?", path);
    if (access(to, F_OK) == 0)
        return sy_fail_set(f, SY_E_EXISTS, "%s is there already", to);
    sy_err e = sy_store__connect(&from, path, SQLITE_OPEN_READONLY, CACHE_KIB, f);
    e = e ? e
          : sy_store__connect(&copy, to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, CACHE_KIB, f);
    /* One transaction over all steps: without it each step would see another state, and the copy
     * would begin again with each commit of the gateway. */
    e = e ? e : exec(from, "BEGIN; SELECT count(*) FROM sqlite_master;", f);
    e = e ? e
          : exec(copy,
                 "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF; PRAGMA "
                 "journal_mode=MEMORY;",
                 f);
    e = e ? e : copy_pages(from, copy, progress, ctx, f);
    sqlite3_close(from);
    /* The pages bring the mode of the original, which the first look at them has the copy take. */
    e = e ? e : exec(copy, "SELECT count(*) FROM sqlite_master; PRAGMA journal_mode=DELETE;", f);
    sqlite3_close(copy);
    return e ? sy_fail_wrap(f, "copying %s to %s", path, to) : SY_OK;
}
