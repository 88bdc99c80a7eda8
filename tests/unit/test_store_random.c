/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store against a plain list: random logs of readings (in order, late, twice, contradicting,
 * from far times), in random batches, some rolled back, with snapshots, clean ends and crashes in
 * between. Every answer to a put and every query is that of the list, and one log gives the same
 * chunks, amendments and leaves, byte for byte, whatever happened on the way.
 */
#include "store/store_int.h"

#include "store_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SERIES = 4, READINGS = 24000, DAY_MS = 86400000 };

typedef struct entry { /* of the log; record i + 1 */
    uint32_t series;   /* index */
    sy_sample x;
    sy_ms recv;
    sy_put expected;
} entry;

typedef struct list { /* what a series holds */
    sy_sample *v;
    size_t n;
} list;

typedef struct world {
    entry *log;
    size_t n;
    list lists[SERIES];
    size_t applied; /* entries that are in the lists */
} world;

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static sy_quality any_quality(uint64_t *seed)
{
    static const sy_quality q[] = {SY_Q_UNCERTAIN, SY_Q_BAD, SY_Q_BAD | SY_Q_STUCK,
                                   SY_Q_UNCERTAIN | SY_Q_LATE};
    return next(seed) % 8 ? SY_Q_GOOD : q[next(seed) % 4];
}

static double any_value(uint64_t *seed)
{
    return next(seed) % 200 == 0 ? NAN : (double)(next(seed) % 90) / 10;
}

static world *make_world(uint64_t seed)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->log = calloc(READINGS, sizeof *w->log);
    w->n = READINGS;
    for (size_t s = 0; s < SERIES; s++)
        w->lists[s].v = calloc(READINGS, sizeof(sy_sample));
    sy_ms now = 1767571200000, newest[SERIES], late = 0;
    for (size_t s = 0; s < SERIES; s++)
        newest[s] = now;
    for (size_t i = 0; i < READINGS; i++) {
        entry *e = &w->log[i];
        uint64_t kind = next(&seed) % 100;
        now += (sy_ms)(next(&seed) % 20000);
        if (next(&seed) % 4000 == 0) /* nothing for days, or the clock was set back */
            now += (sy_ms)(next(&seed) % 9) * DAY_MS - 2 * DAY_MS;
        e->recv = now;
        e->series = (uint32_t)(next(&seed) % 10 < 7 ? 0 : next(&seed) % SERIES);
        e->x = (sy_sample){.value = any_value(&seed), .quality = any_quality(&seed)};
        if (kind < 70) {
            newest[e->series] += (sy_ms)(next(&seed) % 120000);
            e->x.t = newest[e->series];
        } else if (kind < 80 && i > 0) { /* again, as it was or otherwise */
            const entry *old = &w->log[i - 1 - next(&seed) % (i < 5000 ? i : 5000)];
            e->series = old->series;
            e->x.t = old->x.t;
            if (next(&seed) % 2)
                e->x.value = old->x.value;
        } else if (kind < 95) { /* a logger's upload, one after the other */
            late = next(&seed) % 300 ? late + 30000 : now - (sy_ms)(next(&seed) % 40) * DAY_MS;
            e->x.t = late;
        } else if (kind < 99) {
            e->x.t = newest[e->series] - (sy_ms)(next(&seed) % (3 * DAY_MS));
        } else {
            e->x.t = (sy_ms)(next(&seed) << 33 ^ next(&seed) << 10);
        }
    }
    return w;
}

static void free_world(world *w)
{
    for (size_t s = 0; s < SERIES; s++)
        free(w->lists[s].v);
    free(w->log);
    free(w);
}

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b;
}

/* The rules, said once more. */
static sy_put put_in_list(list *l, const sy_sample *x)
{
    sy_sample *known = NULL;
    bool other = false, bad = (x->quality & SY_Q_GRADE) == SY_Q_BAD;
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].t != x->t)
            continue;
        if (same(l->v[i].value, x->value))
            known = &l->v[i];
        else
            other = other || (l->v[i].quality & SY_Q_GRADE) != SY_Q_BAD;
    }
    if (known) {
        if ((x->quality & SY_Q_GRADE) >= (known->quality & SY_Q_GRADE) ||
            (known->quality & SY_Q_CONFLICT))
            return SY_PUT_DUPLICATE;
        known->quality = x->quality;
    } else {
        l->v[l->n++] = *x;
    }
    if (!other || bad)
        return known ? SY_PUT_DUPLICATE : SY_PUT_NEW;
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].t == x->t && (l->v[i].quality & SY_Q_GRADE) != SY_Q_BAD)
            l->v[i].quality = sy_quality_worsen(l->v[i].quality, SY_Q_UNCERTAIN, SY_Q_CONFLICT);
    return known ? SY_PUT_DUPLICATE : SY_PUT_CONFLICT;
}

static void apply(world *w, size_t to)
{
    for (; w->applied < to; w->applied++) {
        entry *e = &w->log[w->applied];
        e->expected = put_in_list(&w->lists[e->series], &e->x);
    }
}

/* The lists begin again; expected answers stay. */
static void rewind_lists(world *w)
{
    for (size_t s = 0; s < SERIES; s++)
        w->lists[s].n = 0;
    w->applied = 0;
}

typedef struct found {
    char name[8];
    sy_sample x;
} found;
typedef struct collected {
    found *v;
    size_t n, cap;
} collected;

static bool collect(void *ctx, const sy_reading_row *r)
{
    collected *c = ctx;
    assert_int_equal(sy_grow(sy_heap(), (void **)&c->v, &c->cap, c->n + 1, sizeof *c->v), SY_OK);
    snprintf(c->v[c->n].name, sizeof c->v[c->n].name, "%s", r->series);
    c->v[c->n++].x = (sy_sample){.t = r->t, .value = r->value, .quality = r->quality};
    return true;
}

static int by_order(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->x.t != y->x.t)
        return x->x.t < y->x.t ? -1 : 1;
    int names = strcmp(x->name, y->name);
    return names ? names : sy_value_order(x->x.value, y->x.value);
}

static void check_query(const world *w, sy_store *s, int series, sy_ms from, sy_ms to)
{
    sy_fail f = {0};
    collected got = {0}, want = {0};
    char name[8];
    snprintf(name, sizeof name, "s%d", series);
    fine(sy_store_readings(s, series < 0 ? NULL : name, from, to, collect, &got, &f), f);
    for (int k = 0; k < SERIES; k++)
        for (size_t i = 0; i < w->lists[k].n && (series < 0 || k == series); i++) {
            const sy_sample *x = &w->lists[k].v[i];
            char of[8];
            snprintf(of, sizeof of, "s%d", k);
            const sy_reading_row r = {
                .series = of, .t = x->t, .value = x->value, .quality = x->quality};
            if (x->t >= from && x->t <= to)
                collect(&want, &r);
        }
    if (want.n)
        qsort(want.v, want.n, sizeof *want.v, by_order);
    assert_int_equal(got.n, want.n);
    for (size_t i = 0; i < got.n; i++) {
        assert_string_equal(got.v[i].name, want.v[i].name);
        assert_int_equal(got.v[i].x.t, want.v[i].x.t);
        assert_true(same(got.v[i].x.value, want.v[i].x.value));
        assert_int_equal(got.v[i].x.quality, want.v[i].x.quality);
    }
    free(got.v);
    free(want.v);
}

typedef struct bucket_check {
    const list *l;
    sy_ms from, to, width;
    uint64_t seen;
} bucket_check;

static bool check_bucket(void *ctx, const sy_bucket *b)
{
    bucket_check *c = ctx;
    uint64_t n = 0;
    double min = NAN, max = NAN, sum = 0;
    for (size_t i = 0; i < c->l->n; i++) {
        const sy_sample *x = &c->l->v[i];
        if (x->t < c->from || x->t > c->to || x->t < b->from || x->t - b->from >= c->width ||
            !sy_quality_valid(x->quality) || isnan(x->value))
            continue;
        min = n == 0 || x->value < min ? x->value : min;
        max = n == 0 || x->value > max ? x->value : max;
        sum += x->value;
        n++;
    }
    assert_true(n == b->count && min == b->min && max == b->max);
    assert_true(fabs(sum / (double)n - b->mean) < 1e-9);
    c->seen += n;
    return true;
}

static void check_buckets(const world *w, sy_store *s, sy_ms from, sy_ms to, sy_ms width)
{
    sy_fail f = {0};
    bucket_check c = {&w->lists[0], from, to, width, 0};
    uint64_t n = 0, count;
    double min, max;
    fine(sy_store_buckets(s, "s0", from, to, width, check_bucket, &c, &f), f);
    for (size_t i = 0; i < c.l->n; i++) {
        const sy_sample *x = &c.l->v[i];
        n += x->t >= from && x->t <= to && sy_quality_valid(x->quality) && !isnan(x->value);
    }
    assert_int_equal(c.seen, n);
    fine(sy_store_figures(s, "s0", from, to, &min, &max, &count, &f), f);
    assert_int_equal(count, n);
}

static void check_all(world *w, sy_store *s, size_t upto, uint64_t *seed)
{
    if (w->applied > upto)
        rewind_lists(w);
    apply(w, upto);
    check_query(w, s, -1, SY_MS_NONE, SY_MS_MAX);
    sy_ms at = 1767571200000 + (sy_ms)(next(seed) % 40) * DAY_MS;
    check_query(w, s, (int)(next(seed) % SERIES), at, at + (sy_ms)(next(seed) % 30) * DAY_MS);
    check_query(w, s, 0, at, at + DAY_MS / 2);
    check_buckets(w, s, at, at + 20 * DAY_MS, (sy_ms)(next(seed) % 4 + 1) * DAY_MS / 4);
    check_buckets(w, s, at, at + 20 * DAY_MS, 10 * (sy_ms)DAY_MS);
}

/* Entries from..to in one batch, their answers checked. */
static void put_entries(const world *w, sy_store *s, size_t from, size_t to)
{
    sy_fail f = {0};
    for (size_t i = from; i < to; i++) {
        const entry *e = &w->log[i];
        char name[8];
        int64_t id;
        sy_put put;
        snprintf(name, sizeof name, "s%u", e->series);
        fine(sy_store_series(s, name, "d", name, "Cel", &id, &f), f);
        fine(sy_store_reading(s, id, e->x.t, e->x.value, e->x.quality, e->recv, i + 1, &put, &f),
             f);
        if (put != e->expected)
            fail_msg("entry %zu: %d, not %d", i, (int)put, (int)e->expected);
    }
}

static sy_store *crash_and_open(sy_store *s, const char *dir)
{
    /* As after kill -9: what is in memory alone is gone. */
    s->memory.dirty = s->is_pending = false;
    sy_store_close(s);
    return store_rig_open(dir);
}

static size_t restore(const world *w, sy_store *s, uint64_t *seed)
{
    sy_fail f = {0};
    size_t position = (size_t)store_rig_position(s);
    for (size_t at = (size_t)sy_store_open_seq(s); at < position;) {
        size_t to = at + 1 + next(seed) % 3000;
        to = to < position ? to : position;
        fine(sy_store_begin(s, false, &f), f);
        put_entries(w, s, at, to);
        fine(sy_store_commit(s, to, &f), f);
        at = to;
    }
    return position;
}

static void check_tool(world *w, sy_store *s, const char *dir, size_t at, uint64_t *seed)
{
    sy_fail f = {0};
    sy_store *tool = NULL;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    fine(sy_store_open(&tool, dir, true, &f), f);
    fine(sy_store_open_bytes(s, &b, &f), f);
    fine(sy_store_adopt(tool, sy_buf_span(&b), &f), f);
    check_all(w, tool, at, seed);
    sy_store_close(tool);
    /* And one that makes what is behind the saved samples by itself, in memory. */
    fine(sy_store_open(&tool, dir, true, &f), f);
    fine(sy_store_go_on(tool, &f), f);
    size_t from = (size_t)sy_store_open_seq(tool);
    fine(sy_store_begin(tool, false, &f), f);
    put_entries(w, tool, from, at);
    fine(sy_store_commit(tool, at, &f), f);
    check_all(w, tool, at, seed);
    sy_store_close(tool);
    sy_buf_fini(&b);
}

static void live(world *w, const char *dir, uint64_t seed)
{
    sy_store *s = store_rig_open(dir);
    sy_fail f = {0};
    size_t at = 0;
    while (at < w->n) {
        size_t to = at + 1 + next(&seed) % 700;
        to = to < w->n ? to : w->n;
        uint64_t what = next(&seed) % 60;
        fine(sy_store_begin(s, what % 7 == 0, &f), f);
        put_entries(w, s, at, to);
        if (what < 6) {
            sy_store_rollback(s);
            check_all(w, s, at, &seed);
            continue;
        }
        if (what < 12)
            fine(sy_store_snapshot_put(s, to, "hash", sy_span_of("state"), &f), f);
        if (what == 13)
            check_all(w, s, to, &seed); /* its own, before the commit */
        fine(sy_store_commit(s, to, &f), f);
        at = to;
        if (what >= 14 && what < 18) {
            s = crash_and_open(s, dir);
            at = restore(w, s, &seed);
            assert_int_equal(s->chunks_differ, 0);
            check_all(w, s, at, &seed);
        } else if (what == 18) {
            sy_store_close(s);
            s = store_rig_open(dir);
            assert_int_equal(sy_store_open_seq(s), at);
        } else if (what == 19) {
            check_tool(w, s, dir, at, &seed);
        }
    }
    check_all(w, s, at, &seed);
    sy_store_close(s);
}

/* Everything of some tables as text. */
static void dump(const char *dir, sy_buf *out)
{
    static const char *const queries[] = {
        "SELECT number||','||series||','||t0||','||t1||','||n||','||valid||','||"
        "coalesce(min,'-')||','||coalesce(max,'-')||','||sum||','||first_seq||','||last_seq||','||"
        "leaf||','||hex(root)||','||hex(bytes) FROM chunk ORDER BY number",
        "SELECT number||','||series||','||t||','||value||','||quality FROM amended ORDER BY number",
        "SELECT n||','||bytes FROM leaf ORDER BY n",
        "SELECT value FROM counter WHERE name IN ('chunks','amended','journal_seq') ORDER BY name",
        "SELECT hex(bytes) FROM open_samples",
    };
    sy_store *s = store_rig_open(dir);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(s->reader, queries[i], -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW)
            sy_buf_printf(out, "%s\n", (const char *)sqlite3_column_text(st, 0));
        sqlite3_finalize(st);
        sy_buf_char(out, '\n');
    }
    sy_store_close(s);
    assert_false(out->failed);
}

static void one_log_is_one_store(void **state)
{
    sy_buf want, got;
    sy_buf_init(&want, sy_heap());
    sy_buf_init(&got, sy_heap());
    for (uint64_t seed = 1; seed <= 2; seed++) {
        world *w = make_world(seed);
        apply(w, w->n);
        for (uint64_t life = 0; life < 3; life++) {
            void *dir = NULL;
            assert_int_equal(store_rig_setup(&dir), 0);
            live(w, dir, 100 * seed + life);
            sy_buf_reset(&got);
            dump(dir, life ? &got : &want);
            if (life)
                assert_string_equal(got.p, want.p);
            assert_non_null(strchr(want.p, ',')); /* there are chunks */
            store_rig_teardown(&dir);
        }
        sy_buf_reset(&want);
        free_world(w);
    }
    sy_buf_fini(&want);
    sy_buf_fini(&got);
    (void)state;
}

static void put_run(sy_store *s)
{
    sy_fail f = {0};
    fine(sy_store_begin(s, false, &f), f);
    for (int i = 0; i < 1024; i++)
        store_rig_put(s, "a", i * 1000, i % 7, SY_Q_GOOD);
    fine(sy_store_commit(s, 1024, &f), f);
}

static void a_chunk_that_is_made_again_otherwise_is_told(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_store_commit_every(s, 0); /* the row is written, what is open is not */
    put_run(s);
    for (uint64_t changed = 0; changed < 2; changed++) {
        s = crash_and_open(s, *state);
        assert_int_equal(s->disk_chunks, 1);
        assert_int_equal(sy_store_open_seq(s), 0);
        if (changed)
            assert_int_equal(
                sqlite3_exec(s->writer, "UPDATE chunk SET root=zeroblob(32)", NULL, NULL, NULL),
                SQLITE_OK);
        put_run(s);
        assert_int_equal(s->chunks_differ, changed);
    }
    sy_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_log_is_one_store),
        cmocka_unit_test_setup_teardown(a_chunk_that_is_made_again_otherwise_is_told,
                                        store_rig_setup, store_rig_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
