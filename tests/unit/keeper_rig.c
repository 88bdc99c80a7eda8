/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the keeper's tests. */
#include "keeper_rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/leaves.h"

static void remove_all(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char inner[1024];
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlink(inner) != 0)
            remove_all(inner);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

int keeper_rig_setup(void **state)
{
    box *b = calloc(1, sizeof *b);
    strcpy(b->data, "/tmp/sy-test-XXXXXX");
    *state = b;
    if (!mkdtemp(b->data))
        return -1;
    snprintf(b->dir, sizeof b->dir, "%s/journal", b->data);
    b->config.lateness = 30 * DAY;
    b->config.keeping = (sy_keeping){.raw = {.time = 4000 * DAY, .share = 1},
                                     .readings = {.time = 4000 * DAY, .share = 1},
                                     .alerts = {.time = 4000 * DAY, .share = 1},
                                     .flash_cycles = 3000};
    return 0;
}

int keeper_rig_teardown(void **state)
{
    box *b = *state;
    remove_all(b->data);
    free(b);
    return 0;
}

/* Replay clock: the log's time is what the test says. */
void open_box(box *b)
{
    sy_journal_options o = {
        .dir = b->dir, .segment_bytes = SEG, .reserve_bytes = 1, .replay_clock = true};
    fine(sy_store_open(&b->store, b->data, false, &b->f));
    fine(sy_store_position(b->store, &o.after_seq, &b->f));
    fine(sy_journal_open(&b->journal, &o, &b->f));
}

void close_box(box *b)
{
    sy_keeper_stop(b->keeper);
    b->keeper = NULL;
    sy_journal_close(b->journal);
    sy_store_close(b->store);
}

void start(box *b)
{
    sy_keeper_options o = {.journal = b->journal,
                           .store = b->store,
                           .data = b->data,
                           .config = &b->config,
                           .replay_clock = true,
                           .every_ms = ROUND_MS};
    fine(sy_keeper_start(&b->keeper, &o, &b->f));
}

void mark(box *b, sy_ms t)
{
    sy_jrec rec = {.type = SY_J_MARK, .recv = t};
    fine(sy_journal_append(b->journal, &rec, &b->f));
}

size_t payload(uint64_t i, char text[200])
{
    return (size_t)snprintf(text, 200, "[{\"n\":\"t\",\"v\":%llu.25,\"t\":%llu}]",
                            (unsigned long long)(i % 17), (unsigned long long)(i * 60));
}

/* n messages, a minute between two; a mark now and then; all synced and, for the store, judged. */
void fill(box *b, uint64_t n, sy_ms from)
{
    char text[200];
    sy_jrec rec = {0};
    for (uint64_t i = 0; i < n; i++) {
        if (i % 50 == 0)
            mark(b, from + (sy_ms)i * 60000);
        rec = (sy_jrec){.type = SY_J_MESSAGE, .source = sy_span_of("s/t1")};
        rec.payload = (sy_span){text, payload(i, text)};
        fine(sy_journal_append(b->journal, &rec, &b->f));
    }
    fine(sy_journal_wait_synced(b->journal, rec.seq, &b->f));
    fine(sy_store_begin(b->store, true, &b->f));
    fine(sy_store_snapshot_put(b->store, rec.seq, "00", sy_span_of("state"), &b->f));
    fine(sy_store_commit(b->store, rec.seq, &b->f));
}

size_t count_files(const box *b, const char *suffix)
{
    size_t n = 0;
    DIR *d = opendir(b->dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t have = strlen(e->d_name), want = strlen(suffix);
        n += have >= want && strcmp(e->d_name + have - want, suffix) == 0;
    }
    if (d)
        closedir(d);
    return n;
}

/* Every record is there, once and in order. */
static void whole_log(box *b, uint64_t from, uint64_t to)
{
    sy_jreader *r = NULL;
    sy_jrec rec;
    sy_err e;
    fine(sy_jreader_open(&r, NULL, b->dir, from, &b->f));
    uint64_t next = from;
    while ((e = sy_jreader_next(r, &rec, &b->f)) == SY_OK)
        assert_int_equal(rec.seq, next++);
    assert_int_equal(e, SY_E_AGAIN);
    sy_jreader_close(r);
    assert_int_equal(next, to + 1);
}

static bool count_row(void *ctx, const sy_segment_row *row)
{
    (void)row;
    ++*(size_t *)ctx;
    return true;
}

size_t rows(box *b)
{
    size_t n = 0;
    fine(sy_store_segments(b->store, count_row, &n, &b->f));
    return n;
}

size_t leaves(box *b, const char *begins)
{
    uint64_t all;
    size_t n = 0;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    fine(sy_store_leaves(b->store, &all, &b->f));
    for (uint64_t i = 0; i < all; i++) {
        sy_buf_reset(&text);
        fine(sy_store_leaf_get(b->store, i, &text, &b->f));
        n += strncmp(text.p, begins, strlen(begins)) == 0;
    }
    sy_buf_fini(&text);
    return n;
}

bool status_has(box *b, const char *text)
{
    sy_buf status;
    sy_buf_init(&status, sy_heap());
    sy_keeper_status(b->keeper, &status);
    assert_false(status.failed);
    bool has = strstr(status.p, text) != NULL;
    sy_buf_fini(&status);
    return has;
}

/* A round that began from now on has ended: a new keeper knows figures after its first. */
void after_a_round(box *b)
{
    sy_keeper_stop(b->keeper);
    start(b);
    until(!status_has(b, "\"open\":0,"));
}

typedef struct first_of {
    uint64_t first, last;
} first_of;
static bool take_first(void *ctx, const sy_segment_row *row)
{
    *(first_of *)ctx = (first_of){row->first, row->last};
    return false;
}

void oldest(box *b, uint64_t *first, uint64_t *last)
{
    first_of f = {0};
    fine(sy_store_segments(b->store, take_first, &f, &b->f));
    *first = f.first;
    *last = f.last;
}

/* All but the newest segment are sealed; files, rows and leaves are of one mind. */
void settled(box *b, uint64_t last)
{
    uint64_t first = 0, end = 0;
    until(count_files(b, ".log") == 1 && count_files(b, ".logz") == rows(b));
    assert_int_equal(count_files(b, ".new"), 0);
    assert_int_equal(leaves(b, "{\"leaf\":\"segment\","),
                     rows(b) + leaves(b, "{\"leaf\":\"expiry\","));
    oldest(b, &first, &end);
    whole_log(b, first, last);
}
