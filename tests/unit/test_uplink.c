/* SPDX-License-Identifier: Apache-2.0 */
/* The cause of a storm where the box measures its own uplink: what its readings make of it, and
 * storms that come to the same in one go, in parts, and read again into an empty
 * store. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/uplink.h"
#include "pipeline_rig.h"

static bool down_at(const sy_uplink *u, sy_ms t)
{
    return sy_uplink_down(u, t) != NULL;
}

static void turns(void **state)
{
    const sy_site_point hours = {.unit = "h"}, minutes = {.unit = "min"}, none = {.unit = NULL};
    sy_uplink u, copy;
    (void)state;
    sy_uplink_forget(&u);
    assert_false(down_at(&u, SY_MS_MAX));
    sy_uplink_note(&u, &minutes, 100 * RIG_MIN, 1); /* no longer than what is on its way */
    assert_false(down_at(&u, 200 * RIG_MIN));
    sy_uplink_note(&u, &minutes, 101 * RIG_MIN, 1.5);
    sy_uplink_note(&u, &hours, 102 * RIG_MIN, 0.05);
    assert_false(down_at(&u, 101 * RIG_MIN - 1));
    assert_int_equal(sy_uplink_down(&u, 102 * RIG_MIN)->at, 101 * RIG_MIN);
    assert_int_equal(sy_uplink_down(&u, 102 * RIG_MIN)->since, 99 * RIG_MIN + 30000);
    sy_uplink_note(&u, &minutes, 100 * RIG_MIN, 0); /* late, no unit, no number, no delay */
    sy_uplink_note(&u, &none, 103 * RIG_MIN, 0);
    sy_uplink_note(&u, &minutes, 103 * RIG_MIN, (double)NAN);
    sy_uplink_note(&u, &minutes, 103 * RIG_MIN, -1);
    assert_true(down_at(&u, 103 * RIG_MIN));
    sy_uplink_note(&u, &minutes, 104 * RIG_MIN, 0); /* of two destinations one is down still */
    sy_uplink_note(&u, &minutes, 104 * RIG_MIN, 4.5);
    sy_uplink_note(&u, &minutes, 104 * RIG_MIN, 0);
    assert_int_equal(sy_uplink_down(&u, 104 * RIG_MIN)->at, 101 * RIG_MIN);
    sy_uplink_note(&u, &minutes, 105 * RIG_MIN, 0);
    assert_true(down_at(&u, 104 * RIG_MIN)); /* what was so then */
    assert_false(down_at(&u, 105 * RIG_MIN));
    for (int i = 0; i < 3 * SY_UPLINK_TURNS; i++)
        sy_uplink_note(&u, &minutes, (110 + i) * RIG_MIN, i % 2 ? 0 : 2);
    assert_int_equal(u.n, SY_UPLINK_TURNS);
    assert_false(down_at(&u, 101 * RIG_MIN)); /* not known any more */
    assert_true(down_at(&u, (110 + 3 * SY_UPLINK_TURNS - 2) * RIG_MIN));
    /* What is saved comes back; what is cut does not. */
    sy_buf bytes, again;
    sy_buf_init(&bytes, sy_heap());
    sy_buf_init(&again, sy_heap());
    sy_uplink_save(&u, &bytes);
    for (size_t cut = 0; cut <= bytes.n; cut++) {
        sy_rd in = sy_rd_of((sy_span){bytes.p, cut});
        assert_int_equal(sy_uplink_load(&copy, &in), cut < bytes.n ? SY_E_CORRUPT : SY_OK);
    }
    sy_uplink_save(&copy, &again);
    assert_int_equal(bytes.n, again.n);
    assert_memory_equal(bytes.p, again.p, bytes.n);
    sy_buf_fini(&bytes);
    sy_buf_fini(&again);
}

/* ---- storms ---- */

#define RULE(id, watch, alert)                                                                     \
    "rule " id " version 1 \"Of a test\"\n"                                                        \
    "  basis \"made for a test\" policy\n"                                                         \
    "  applies to subject any; goods any; stage any\n"                                             \
    "  effective from 2020-01-01\n"                                                                \
    "  watch each " watch "\n" alert "  then tell inspector; respond within 10 min\n"              \
    "end\n"
#define UPLINK(after)                                                                              \
    RULE("U-1", "gateway: uplink-delay",                                                           \
         "  missing after 30 min\n"                                                                \
         "  alert notice when uplink-delay above " after " min [policy] for 2 min\n")

/* The points are silent from minute 10 to 50; the uplink is down from `down` to 55. */
typedef struct storm {
    const char *rules;
    int down, before; /* before: it was down for so long, and up again, before it */
    /* What is told of it. */
    const char *cause, *end, *first; /* causes when it begins and ends; the rule of its first */
    int members;                     /* alerts in the end */
} storm;

#define SILENT(after)                                                                              \
    RULE("S-1", "point: temperature",                                                              \
         "  alert warning when temperature has no data for " after " min\n")

static const storm storms[] = {
    /* The uplink is down when the points have been silent for long enough; 15 min later it is an
     * alert itself, which joins them. */
    {SILENT("5") UPLINK("15"), 10, 0, "uplink-down", "uplink-down", "S-1", 3},
    /* The alert of the uplink comes first, and begins the storm. */
    {SILENT("20") UPLINK("3"), 10, 0, "uplink-down", "uplink-down", "U-1", 3},
    /* It shows only after the storm was told: its alert says why it was. */
    {SILENT("5") UPLINK("15"), 14, 0, "premises-silent", "uplink-down", "S-1", 3},
    /* It went down long after: another matter. */
    {SILENT("5") UPLINK("15"), 30, 0, "premises-silent", "premises-silent", "S-1", 2},
    /* It was down, and is not any more. */
    {SILENT("5") UPLINK("15"), 99, 5, "premises-silent", "premises-silent", "S-1", 2},
    /* Nobody is told of the uplink: the storm has its cause all the same. */
    {SILENT("5"), 10, 0, "uplink-down", "uplink-down", "S-1", 2},
};

/* The process ends after each `every` minutes; 0: it lives on. */
static void play(pipeline_rig *r, const storm *s, int every)
{
    rig_box(r, s->rules);
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    for (int i = 1; i <= 80; i++) {
        sy_ms t = RIG_DAY + i * RIG_MIN;
        int waits = i <= s->before ? i : i >= s->down && i < 55 ? i - s->down : 0;
        if (i < 10 || i >= 50) {
            char text[96];
            rig_celsius(r, t, 5 + i % 2);
            snprintf(text, sizeof text, "%d", 4 + i % 2);
            rig_message(r, "s/t2", 0, text);
        }
        rig_uplink(r, t, waits / 60.0);
        rig_mark(r, t);
        if (every && i % every == 0) {
            rig_run(r);
            rig_log_close(r);
            rig_log_open(r);
        }
    }
    rig_run(r);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static void line_says(const char *line, const char *what)
{
    const char *end = line ? strchr(line, '\n') : NULL, *at = line ? strstr(line, what) : NULL;
    if (!at || (end && at > end))
        fail_msg("'%s' is not in: %.400s", what, line ? line : "(no such event)");
}

static void comes_to(const storm *s, const char *text)
{
    char what[96], id[33] = "", first[33] = "", name[96];
    const char *raised = strstr(text, "\"type\":\"steelyard.group.raised\"");
    const char *cleared = strstr(text, "\"type\":\"steelyard.group.cleared\"");
    assert_int_equal(count(text, "\"type\":\"steelyard.group.raised\""), 1);
    assert_int_equal(count(text, "\"type\":\"steelyard.group.cleared\""), 1);
    snprintf(what, sizeof what, "\"cause\":\"%s\"", s->cause);
    line_says(raised, what);
    line_says(raised, "\"quiet\":2,\"of\":3,\"members\":1");
    snprintf(what, sizeof what, "\"cause\":\"%s\"", s->end);
    line_says(cleared, what);
    snprintf(what, sizeof what, "\"members\":%d}", s->members);
    line_says(cleared, what);
    assert_int_equal(
        sscanf(strstr(raised, "\"alert\":{\"id\":"), "\"alert\":{\"id\":\"%32[0-9a-f]", id), 1);
    assert_int_equal(sscanf(strstr(raised, "\"first\":"), "\"first\":\"%32[0-9a-f]", first), 1);
    snprintf(name, sizeof name, "\"id\":\"%s/1\"", first);
    const char *member = strstr(raised, name); /* told after the group */
    snprintf(what, sizeof what, "\"rule\":\"%s\"", s->first);
    line_says(member, what);
    snprintf(what, sizeof what, "\"group\":\"%s\"", id);
    line_says(member, what);
}

static void same(const storm *s, const char *whole, int every)
{
    pipeline_rig other;
    sy_buf parts;
    sy_buf_init(&parts, sy_heap());
    rig_open(&other);
    play(&other, s, every);
    rig_dump(&other, &parts);
    assert_string_equal(whole, parts.p);
    rig_close(&other);
    sy_buf_fini(&parts);
}

static void causes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof storms / sizeof *storms; i++) {
        pipeline_rig r;
        sy_buf whole, again;
        char path[160];
        sy_buf_init(&whole, sy_heap());
        sy_buf_init(&again, sy_heap());
        rig_open(&r);
        play(&r, &storms[i], 0);
        rig_dump(&r, &whole);
        comes_to(&storms[i], whole.p);
        same(&storms[i], whole.p, 13);
        same(&storms[i], whole.p, 17);
        /* The same log, read into an empty store. */
        rig_log_close(&r);
        snprintf(path, sizeof path, "%s/store.db", r.data);
        assert_int_equal(unlink(path), 0);
        rig_log_open(&r);
        rig_run(&r);
        rig_dump(&r, &again);
        assert_string_equal(whole.p, again.p);
        rig_close(&r);
        sy_buf_fini(&whole);
        sy_buf_fini(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns),
        cmocka_unit_test(causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
