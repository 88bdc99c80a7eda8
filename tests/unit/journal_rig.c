/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the journal's tests; every helper fails the test by itself, so that tests read as what
 * they show. */
#include "journal_rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int rig_dir_setup(void **state)
{
    char *path = strdup("/tmp/sy-test-XXXXXX");
    *state = path;
    return path && mkdtemp(path) ? 0 : -1;
}

void rig_remove(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char inner[1024];
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (unlink(inner) != 0)
            rig_remove(inner);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

int rig_dir_teardown(void **state)
{
    rig_remove(*state);
    free(*state);
    return 0;
}

sy_journal_options rig_options(const char *dir, size_t segment_bytes)
{
    return (sy_journal_options){.dir = dir, .segment_bytes = segment_bytes, .reserve_bytes = 1};
}

sy_journal *rig_open(const sy_journal_options *o, const sy_jio *io)
{
    sy_fail f = {0};
    sy_journal *j = NULL;
    sy_jio plain = sy_journal__io();
    if (sy_journal__open(&j, o, io ? io : &plain, &f))
        fail_msg("open: %s", f.text);
    return j;
}

uint64_t rig_append(sy_journal *j, const char *payload)
{
    sy_fail f = {0};
    sy_jrec rec = {.type = SY_J_MESSAGE, .source = sy_span_of("t"), .payload = sy_span_of(payload)};
    if (sy_journal_append(j, &rec, &f))
        fail_msg("append: %s", f.text);
    return rec.seq;
}

void rig_read(const char *dir, sy_journal *j, uint64_t from_seq, sy_buf *out)
{
    sy_jreader *r;
    sy_fail f = {0};
    sy_jrec rec;
    sy_err e;
    uint64_t last = 0;
    assert_int_equal(sy_jreader_open(&r, j, dir, from_seq, &f), SY_OK);
    while ((e = sy_jreader_next(r, &rec, &f)) != SY_E_AGAIN) {
        if (out->n)
            sy_buf_char(out, ' ');
        if (e == SY_E_CORRUPT) {
            sy_buf_char(out, '!');
            continue;
        }
        if (e)
            fail_msg("next: %s", f.text);
        assert_true(rec.seq > last);
        last = rec.seq;
        sy_buf_span_put(out, rec.payload);
    }
    sy_jreader_close(r);
}

void rig_expect(const char *dir, sy_journal *j, uint64_t from_seq, const char *expected)
{
    sy_buf got;
    sy_buf_init(&got, sy_heap());
    rig_read(dir, j, from_seq, &got);
    assert_false(got.failed);
    assert_string_equal(got.n ? got.p : "", expected);
    sy_buf_fini(&got);
}

size_t rig_count_files(const char *dir, const char *suffix)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t have = strlen(e->d_name), want = strlen(suffix);
        n += have >= want && strcmp(e->d_name + have - want, suffix) == 0;
    }
    if (d)
        closedir(d);
    return n;
}

const char *rig_path(const char *dir, uint64_t first, unsigned damaged, char path[512])
{
    char name[SY_JNAME];
    sy_journal__name(first, damaged, name);
    snprintf(path, 512, "%s/%s", dir, name);
    return path;
}
