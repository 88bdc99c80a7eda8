/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the store's tests. */
#include "store_rig.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int store_rig_setup(void **state)
{
    char *path = strdup("/tmp/sy-test-XXXXXX");
    *state = path;
    return path && mkdtemp(path) ? 0 : -1;
}

int store_rig_teardown(void **state)
{
    char *path = *state, inner[512];
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(inner, sizeof inner, "%s/%s", path, names[i]);
        unlink(inner);
    }
    rmdir(path);
    free(path);
    return 0;
}

sy_store *store_rig_open(const char *dir)
{
    sy_store *s = NULL;
    sy_fail f = {0};
    fine(sy_store_open(&s, dir, false, &f), f);
    return s;
}

sy_put store_rig_put(sy_store *s, const char *series, sy_ms t, double value, sy_quality q)
{
    sy_fail f = {0};
    int64_t id;
    sy_put put;
    fine(sy_store_series(s, series, "dev", series, "Cel", &id, &f), f);
    fine(sy_store_reading(s, id, t, value, q, 5, 1, &put, &f), f);
    return put;
}

static bool add_row(void *ctx, const sy_reading_row *r)
{
    sy_buf *b = ctx;
    if (b->n)
        sy_buf_char(b, ' ');
    sy_buf_int(b, r->t);
    sy_buf_char(b, ':');
    sy_buf_double(b, r->value);
    sy_buf_char(b, ':');
    sy_quality_text(r->quality, b);
    return true;
}

void store_rig_expect(sy_store *s, const char *series, const char *expected)
{
    sy_buf b;
    sy_fail f = {0};
    sy_buf_init(&b, sy_heap());
    fine(sy_store_readings(s, series, SY_MS_NONE, SY_MS_MAX, add_row, &b, &f), f);
    assert_string_equal(b.n ? b.p : "", expected);
    sy_buf_fini(&b);
}

uint64_t store_rig_counter(sy_store *s, sy_counter c)
{
    uint64_t all[SY_N_COUNTERS];
    sy_fail f = {0};
    fine(sy_store_counters(s, all, &f), f);
    return all[c];
}

uint64_t store_rig_position(sy_store *s)
{
    uint64_t position;
    sy_fail f = {0};
    fine(sy_store_position(s, &position, &f), f);
    return position;
}
