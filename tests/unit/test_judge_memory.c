/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge without memory: whichever allocation fails, once or from then on, the call says
 * SY_E_NOMEM, nothing is lost track of, and what was opened can be closed.
 */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MIN = 60000 };
#define T0 ((sy_ms)1772323200000) /* 2026-03-01T00:00:00Z */

#define HEAD                                                                                       \
    "  basis \"b\" policy\n  applies to subject any; goods any; stage any\n"                       \
    "  watch each room: temperature, door\n  missing after 3 min\n"
#define EXEMPT                                                                                     \
    "rule EXEMPT version 1 \"a\"\n" HEAD                                                           \
    "  alert warning when temperature above 8 °C [law] for 5 min\n"                               \
    "    except while door open, each at most 10 min, daily at most 3 times\n"                     \
    "  alert serious when temperature above 8 °C [law] for 10 min\n"                              \
    "  clear when temperature at most 8 °C for 1 min\n  then tell premises\nend\n"
#define MANY                                                                                       \
    "rule MANY version 1 \"b\"\n" HEAD                                                             \
    "  alert notice when ((2 of temperature above 8 °C [law]) or door is open) for 1 min\n"       \
    "  then tell premises\nend\n"
#define QUICK                                                                                      \
    "rule QUICK version 1 \"c\"\n" HEAD                                                            \
    "  alert notice when temperature above 8 °C [law] for 1 min\n  then tell premises\nend\n"
#define SILENT                                                                                     \
    "rule SILENT version 1 \"d\"\n" HEAD                                                           \
    "  alert notice when temperature has no data for 6 min [policy]\n"                             \
    "  then tell premises\nend\n"
#define WINDOWS                                                                                    \
    "rule WINDOWS version 1 \"f\"\n" HEAD "  let warm = mean of temperature over 5 min + 1 K\n"    \
    "  alert notice when warm above 8 °C [law] or median of temperature over 10 min above 8 °C " \
    "[law] or spread of temperature over 8 min above 3 K [law]\n"                                  \
    "  alert warning when hourly mean of temperature (valid at least 20 %) above 7 °C [law]\n"    \
    "  alert serious when warning lasts 2 h\n  then tell premises\nend\n"
/* Nothing to watch: the reasons are texts of their own. */
#define UNWATCHED                                                                                  \
    "rule UNWATCHED version 1 \"e\"\n  basis \"b\" policy\n"                                       \
    "  applies to subject any; goods any; stage any\n  watch each room: humidity\n"                \
    "  missing after 3 min\n  alert notice when humidity above 80 %RH [policy] for 5 min\n"        \
    "  then tell premises\nend\n"
static const char before[] = EXEMPT MANY QUICK SILENT UNWATCHED WINDOWS;
/* One rule goes, one judges otherwise, the others go on. */
static const char after[] = EXEMPT QUICK UNWATCHED WINDOWS
    "rule SILENT version 2 \"d\"\n" HEAD
    "  alert notice when temperature has no data for 9 min [policy]\n"
    "  then tell premises\nend\n";

enum { DOOR, T1, T2, T3, ELSEWHERE, POINTS };
static sy_site_premises premises = {.id = "p"};
static sy_site_place places[] = {{.id = "a", .kind = "room"}, {.id = "b", .kind = "room"}};
#define CELSIUS(at, in)                                                                            \
    {                                                                                              \
        .series = (at), .device = "d", .name = (at), .quantity = "temperature", .unit = "degC",    \
        .every = MIN, .delivery = 2 * MIN, .place = (in)                                           \
    }
static const sy_site_point points[POINTS] = {
    {.series = "a/door", .device = "d", .name = "a/door", .quantity = "door", .is_state = true},
    CELSIUS("a/t1", 0),
    CELSIUS("a/t2", 0),
    CELSIUS("a/t3", 0),
    CELSIUS("b/t", 1)};
static const sy_site site = {.gateway = "g",
                             .premises = &premises,
                             .n_premises = 1,
                             .places = places,
                             .n_places = 2,
                             .points = points,
                             .n_points = POINTS};

typedef struct memory {
    size_t calls, fail_at, failed, live;
    bool for_ever;
} memory;

static void *resize(void *ctx, void *p, size_t size)
{
    memory *m = ctx;
    if (size == 0) {
        m->live -= p ? 1 : 0;
        free(p);
        return NULL;
    }
    m->calls++;
    if (m->calls == m->fail_at || (m->for_ever && m->calls > m->fail_at)) {
        m->failed++;
        return NULL;
    }
    m->live += p ? 0 : 1;
    return realloc(p, size);
}

typedef struct world {
    kit_set old_set, new_set;
    sy_alloc alloc;
    sy_judge *a, *b, *c;
    sy_buf saved;
    size_t changes, listed;
} world;

static void hear(void *ctx, const sy_change *c)
{
    (void)c;
    ((world *)ctx)->changes++;
}

static sy_err open_judge(world *w, const kit_set *k, sy_judge **out)
{
    sy_judge_options o = {.set = k->set,
                          .site = &site,
                          .start = T0,
                          .in_force = SY_MS_NONE,
                          .wait_delivery = true,
                          .alloc = w->alloc,
                          .emit = hear,
                          .ctx = w};
    return sy_judge_open(out, &o);
}

static sy_err minute(sy_judge *j, int m, double v)
{
    sy_verdict verdict;
    sy_err e = sy_judge_advance(j, T0 + (sy_ms)m * MIN);
    for (uint32_t p = T1; p < POINTS && !e; p++) {
        e = sy_judge_reading(j, p, T0 + (sy_ms)m * MIN, v, SY_Q_GOOD, &verdict);
    }
    return e;
}

/* Two minutes too warm, two not, so that there are many alerts; then one that stays open. */
static sy_err readings(sy_judge *j)
{
    sy_verdict verdict;
    sy_err e = SY_OK;
    for (int m = 0; m < 60 && !e; m++) {
        e = minute(j, m, m < 48 && m % 4 < 2 ? 5 : 9);
    }
    for (int m = 59; m > 50 && !e; m -= 2) { /* late: the stretch is judged again */
        e = sy_judge_reading(j, DOOR, T0 + (sy_ms)m * MIN - 30000, m % 4 < 2, SY_Q_GOOD, &verdict);
        e = e ? e : sy_judge_reading(j, T1, T0 + (sy_ms)m * MIN - 30000, 5, SY_Q_GOOD, &verdict);
        e = e ? e : sy_judge_reading(j, T2, T0 + (sy_ms)m * MIN, 5, SY_Q_GOOD, &verdict);
    }
    e = e ? e : sy_judge_restarted(j, T0 + 63 * MIN);
    return e ? e : sy_judge_advance(j, T0 + 75 * MIN); /* silent meanwhile */
}

static void list(void *ctx, const sy_alert *a)
{
    (void)a;
    ((world *)ctx)->listed++;
}

static sy_err story(world *w)
{
    sy_err e = open_judge(w, &w->old_set, &w->a);
    e = e ? e : readings(w->a);
    e = e ? e : sy_judge_save(w->a, &w->saved);
    e = e ? e : open_judge(w, &w->old_set, &w->b);
    e = e ? e : sy_judge_load(w->b, sy_buf_span(&w->saved));
    e = e ? e : sy_judge_set_back(w->b, T0 + 10 * MIN);
    for (int m = 11; m < 20 && !e; m++) {
        e = minute(w->b, m, 5);
    }
    e = e ? e : open_judge(w, &w->new_set, &w->c);
    e = e ? e : sy_judge_succeed(w->c, w->b, T0 + 19 * MIN);
    for (int m = 20; m < 40 && !e; m++) {
        e = minute(w->c, m, 9);
    }
    e = e ? e : sy_judge_finish(w->c);
    return e ? e : sy_judge_alerts(w->c, list, w);
}

static void close_all(world *w)
{
    sy_judge_close(w->a);
    sy_judge_close(w->b);
    sy_judge_close(w->c);
    w->a = w->b = w->c = NULL;
    sy_buf_fini(&w->saved);
    w->changes = w->listed = 0;
}

static int set_up(void **state)
{
    static world w;
    kit_load(&w.old_set, "before", sy_span_of(before), false);
    kit_load(&w.new_set, "after", sy_span_of(after), false);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    kit_free(&w->old_set);
    kit_free(&w->new_set);
    return 0;
}

/* Runs `fn` with allocation `at` failing; false where it does not have that many. */
static bool fails(world *w, sy_err (*fn)(world *w), size_t at, bool for_ever)
{
    memory m = {.fail_at = at, .for_ever = for_ever};
    w->alloc = (sy_alloc){resize, &m};
    sy_buf_init(&w->saved, w->alloc);
    sy_err e = fn(w);
    if (e != (m.failed ? SY_E_NOMEM : SY_OK)) {
        fail_msg("allocation %zu fails%s: %s", at, for_ever ? " and all after it" : "",
                 sy_err_text(e));
    }
    close_all(w);
    assert_int_equal(m.live, 0);
    return m.failed > 0;
}

/* The story is one: without a failure each kind of call allocates, and there is much to tell. */
static void enough_memory(void **state)
{
    world *w = *state;
    memory m = {.fail_at = SIZE_MAX};
    w->alloc = (sy_alloc){resize, &m};
    sy_buf_init(&w->saved, w->alloc);
    assert_int_equal(story(w), SY_OK);
    assert_true(w->changes > 60);
    assert_true(w->listed > 30);
    close_all(w);
    assert_int_equal(m.live, 0);
}

static void each_allocation_fails(void **state)
{
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        for (size_t at = 1; fails(*state, story, at, for_ever); at++) {
        }
    }
}

static sy_err only_open(world *w)
{
    return open_judge(w, &w->old_set, &w->a);
}

/* Which of its texts and tables begins a new block of the arena depends on how long a name is. */
static void each_allocation_of_opening_fails(void **state)
{
    char id[2100];
    for (size_t n = 1; n < sizeof id; n += 16) {
        memset(id, 'i', n);
        id[n] = '\0';
        places[1].id = id;
        for (size_t at = 1; fails(*state, only_open, at, false); at++) {
        }
    }
    places[1].id = "b";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enough_memory),
        cmocka_unit_test(each_allocation_fails),
        cmocka_unit_test(each_allocation_of_opening_fails),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
