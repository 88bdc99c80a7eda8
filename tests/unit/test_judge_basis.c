/* SPDX-License-Identifier: Apache-2.0 */
/* Which readings an alert rests on: how far back each point matters, limits, the rule's own text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "judge_kit.h"
#include "rules/judge_basis.h"

#define MIN ((sy_ms)60000)
#define T0  ((sy_ms)1772323200000)

static sy_site_premises premises = {.id = "p"};
static sy_site_place place = {.id = "c", .kind = "room"};
static const sy_site_point points[] = {
    {.series = "d/door", .device = "d", .name = "door", .quantity = "door", .is_state = true},
    {.series = "d/t",
     .device = "d",
     .name = "t",
     .quantity = "temperature",
     .unit = "degC",
     .every = MIN}};
static const sy_site site = {.gateway = "g",
                             .premises = &premises,
                             .n_premises = 1,
                             .places = &place,
                             .n_places = 1,
                             .points = points,
                             .n_points = 2};

#define HEAD                                                                                       \
    "  basis \"b\" policy\n  applies to subject any; goods any; stage any\n"                       \
    "  watch each room: temperature, door\n  missing after 3 min\n"
static const char hot[] =
    "# before\nrule HOT version 1 \"hot\"\n" HEAD
    "  alert serious when temperature above 8 °C [law] for 10 min\n"
    "    except while door open, each at most 10 min, daily at most 3 times\n"
    "  then tell premises\nend\n\n# between\n"
    "rule NEXT version 1 \"n\"\n" HEAD "  alert notice when temperature above 90 °C [law]\n"
    "  then tell premises\nend\n";
static const char silent[] = "rule SILENT version 1 \"silent\"\n" HEAD
                             "  alert notice when temperature has no data for 15 min [policy]\n"
                             "  then tell premises\nend\n";
static const char nested[] =
    "rule NESTED version 1 \"nested\"\n" HEAD
    "  alert notice when (temperature outside 2 to 8 °C [law] for 20 min) and door is open\n"
    "  then tell premises\nend\n";

typedef struct heard {
    sy_judge *j;
    sy_basis_point at[4];
    size_t n, times;
    sy_ms onset, to;
    char rule[400];
    const sy_set *set;
} heard;

static void hear(void *ctx, const sy_change *c)
{
    heard *h = ctx;
    if (h->times++)
        return;
    h->n = sy_judge_basis(h->j, &c->alert, c->at, h->at, 4);
    h->onset = c->alert.onset;
    h->to = c->at;
    sy_span text = sy_rule_source(h->set, c->alert.rule);
    assert_true(text.n < sizeof h->rule);
    memcpy(h->rule, text.p, text.n);
}

/* The door is opened long before; 9 °C from minute 60 on, or silence. */
static void run(const char *rules, heard *h, bool quiet)
{
    kit_set k;
    sy_verdict v;
    memset(h, 0, sizeof *h);
    kit_load(&k, "basis", sy_span_of(rules), false);
    h->set = k.set;
    const sy_judge_options o = {.set = k.set,
                                .site = &site,
                                .start = T0,
                                .in_force = SY_MS_NONE,
                                .alloc = sy_heap(),
                                .emit = hear,
                                .ctx = h};
    assert_int_equal(sy_judge_open(&h->j, &o), SY_OK);
    assert_int_equal(sy_judge_reading(h->j, 0, T0, 0, SY_Q_GOOD, &v), SY_OK);
    for (int i = 0; i < 120; i++) {
        sy_ms t = T0 + i * MIN;
        if (!quiet || i < 60)
            assert_int_equal(sy_judge_reading(h->j, 1, t, i < 60 ? 5 : 9, SY_Q_GOOD, &v), SY_OK);
        assert_int_equal(sy_judge_advance(h->j, t), SY_OK);
    }
    sy_judge_close(h->j);
    kit_free(&k);
    assert_true(h->times > 0);
}

static void the_driver_and_its_limits(void **state)
{
    heard h;
    (void)state;
    run(hot, &h, false);
    assert_int_equal(h.n, 2);
    assert_int_equal(h.at[0].point, 1);
    assert_int_equal(h.at[0].from, h.onset);
    assert_int_equal(h.at[0].to, h.to);
    assert_int_equal(h.at[0].before, 3 * MIN);
    assert_int_equal(h.at[0].n_limits, 1);
    assert_true(h.at[0].limits[0] == 8);
    /* The exemption is used up by the day, and a state lasts. */
    assert_int_equal(h.at[1].point, 0);
    assert_int_equal(h.at[1].from, h.onset - 24 * 60 * MIN);
    assert_int_equal(h.at[1].before, SY_MS_MAX);
    assert_int_equal(h.at[1].n_limits, 0);
}

static void what_is_looked_back(void **state)
{
    heard h;
    (void)state;
    run(silent, &h, true);
    assert_true(h.at[0].from <= h.onset - 15 * MIN);
    run(nested, &h, false);
    assert_int_equal(h.at[0].from, h.onset - 20 * MIN);
    assert_int_equal(h.at[0].n_limits, 2);
    assert_int_equal(h.at[1].from, h.onset);
}

static void the_rule_as_written(void **state)
{
    heard h;
    (void)state;
    run(hot, &h, false);
    assert_int_equal(strncmp(h.rule, "rule HOT version 1", 18), 0);
    assert_string_equal(h.rule + strlen(h.rule) - 12, "premises\nend");
    assert_null(strstr(h.rule, "NEXT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_driver_and_its_limits),
        cmocka_unit_test(what_is_looked_back),
        cmocka_unit_test(the_rule_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
