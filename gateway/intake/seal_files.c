/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's folder as the one who seals sees it: originals, sealed ones, what was set aside. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "intake/journal_int.h"
#include "intake/sealed.h"

bool sy_sealed_path(const char *dir, const sy_segment_file *file, char *path)
{
    sy_jfile j = {.first = file->first,
                  .damaged = file->kind == SY_SEG_DAMAGED ? file->damaged : 0,
                  .sealed = file->kind == SY_SEG_SEALED};
    char name[SY_JNAME];
    sy_journal__file_name(&j, name);
    int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX;
}

/* A sealing that was cut short: its original is still there. */
void sy_sealed_tidy(const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n == 16 + sizeof ".logz.new" - 1 && strcmp(e->d_name + 16, ".logz.new") == 0)
            unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d)
        closedir(d);
}

sy_err sy_sealed_list(const char *dir, sy_segment_file **files, size_t *n, sy_fail *f)
{
    sy_jfile *list = NULL;
    size_t kept = 0, all = 0;
    *files = NULL;
    *n = 0;
    sy_err e = sy_journal__list_all(dir, &list, &all, f);
    if (e)
        return e;
    *files = calloc(all ? all : 1, sizeof **files);
    for (size_t i = 0; i < all && *files; i++) {
        char path[PATH_MAX];
        struct stat st;
        sy_segment_file one = {.first = list[i].first, .damaged = list[i].damaged};
        one.kind = list[i].damaged ? SY_SEG_DAMAGED : list[i].sealed ? SY_SEG_SEALED : SY_SEG_RAW;
        if (!sy_sealed_path(dir, &one, path) || stat(path, &st) != 0)
            continue; /* renamed since */
        one.bytes = (uint64_t)st.st_blocks * 512;
        (*files)[kept++] = one;
    }
    free(list);
    *n = kept;
    return *files ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for the journal's segments");
}

sy_err sy_sealed_remove(const char *dir, const sy_segment_file *file, sy_fail *f)
{
    char path[PATH_MAX];
    if (!sy_sealed_path(dir, file, path))
        return sy_fail_set(f, SY_E_RANGE, "the journal's folder name is too long");
    return unlink(path) == 0 || errno == ENOENT
               ? SY_OK
               : sy_fail_sys(f, "cannot remove journal segment %s", path);
}
