/* SPDX-License-Identifier: Apache-2.0 */
/* How an alert stands after what people do and after what is due, by itself; and who hears of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "pipeline/event.h"
#include "pipeline/standing.h"
#include "pipeline_rig.h"

#define ID "0123456789abcdef0123456789abcdef"

static sy_act act(sy_act_kind kind, const char *alert, sy_ms until)
{
    return (sy_act){kind,
                    sy_span_of(alert),
                    until,
                    sy_span_of("Li Wei"),
                    sy_span_of("local"),
                    sy_span_of("seen to it")};
}

static const char rules[] = "rule P-1 version 1 \"Too warm\"\n"
                            "  basis \"made for a test\" policy\n"
                            "  applies to subject any; goods any; stage any\n"
                            "  effective from 2020-01-01\n"
                            "  watch each room: temperature\n"
                            "  alert warning when temperature above 8 °C [law] for 5 min\n"
                            "  alert serious when temperature above 20 °C [law] for 5 min\n"
                            "  then tell inspector; respond within 30 min\n"
                            "  then serious tell duty-chief; respond within 20 min\n"
                            "end\n";

static void raise(sy_standings *s, const sy_config *c, const char *id, sy_ms at, sy_standing **out)
{
    sy_change x = {.kind = SY_CHANGE_RAISED, .at = at};
    x.alert.rule = c->set->rules[0];
    x.alert.subject = "shop/cr-1/t1/t";
    x.alert.level = SY_WARNING;
    x.alert.onset = x.alert.raised = at;
    x.alert.cleared = SY_MS_NONE;
    memcpy(x.alert.id, id, 33);
    assert_true(sy_site_point_of(c->site, "t1/t", &x.alert.point));
    assert_int_equal(sy_standings_note(s, &x, c, at, out), SY_OK);
}

static void standings(void **state)
{
    pipeline_rig *r = *state;
    sy_standings s;
    sy_standing *x = NULL, *y = NULL;
    sy_due what;
    sy_ms at;
    sy_act ack = act(SY_ACT_ACKNOWLEDGE, ID, 0), shelve = act(SY_ACT_SHELVE, ID, 5000);
    rig_rules(r, rules);
    sy_standings_init(&s);
    raise(&s, r->config, ID, 1000, &x);
    assert_int_equal(s.next, 1000 + 30 * RIG_MIN);
    assert_int_equal(sy_standings_act(&s, &ack, 1500, &y, NULL), SY_OK);
    assert_ptr_equal(x, y);
    assert_true(x->acknowledged == 1500 && strcmp(x->by, "Li Wei") == 0 && s.next == SY_MS_MAX);
    assert_int_equal(sy_standings_act(&s, &shelve, 2000, &y, NULL), SY_OK);
    sy_standings_move(&s, -1000); /* the clock is set from 2000 to 1000 */
    assert_int_equal(s.next, 4000);
    assert_false(sy_standings_pass(&s, 3999, &y, &what, &at));
    assert_true(sy_standings_pass(&s, 9000, &y, &what, &at));
    assert_true(what == SY_DUE_UNSHELVE && at == 4000 && x->shelved == SY_MS_NONE);
    assert_true(x->acknowledged == SY_MS_NONE && !x->by); /* it wants to be acknowledged anew */
    sy_standings_await(&s, x, at, 500);
    assert_true(sy_standings_pass(&s, 9000, &y, &what, &at));
    assert_true(what == SY_DUE_ANSWER && at == 4500 && x->unanswered);
    /* Cleared while it is shelved: the next one there is shelved for the rest. */
    shelve.until = 20000;
    assert_int_equal(sy_standings_act(&s, &shelve, 10000, &y, NULL), SY_OK);
    sy_change over = {.kind = SY_CHANGE_CLEARED, .at = 11000};
    assert_true(sy_standing_alert(x, r->config, &over.alert));
    over.alert.state = SY_ALERT_CLEARED;
    over.alert.cleared = 11000;
    assert_int_equal(sy_standings_note(&s, &over, r->config, 11000, &y), SY_OK);
    raise(&s, r->config, "fedcba9876543210fedcba9876543210", 12000, &y);
    assert_true(y != x && y->shelved == 20000 && x->shelved == SY_MS_NONE);
    assert_true(y->answer == SY_MS_NONE && s.next == 20000);
    /* A late reading moves the onset: who stands in its place stands as it did. */
    assert_int_equal(sy_standings_act(&s, &ack, 12500, &x, NULL), SY_OK);
    sy_change moved = {.kind = SY_CHANGE_RAISED, .at = 13000};
    assert_true(sy_standing_alert(x, r->config, &moved.alert));
    moved.alert.state = SY_ALERT_ACTIVE;
    moved.alert.cleared = SY_MS_NONE;
    moved.alert.replaces = x->id;
    memcpy(moved.alert.id, "00000000000000000000000000000001", 33);
    assert_int_equal(sy_standings_note(&s, &moved, r->config, 13000, &y), SY_OK);
    assert_true(y->acknowledged == 12500 && strcmp(y->by, "Li Wei") == 0);
    assert_int_equal(y->answer, SY_MS_NONE);
    /* What is saved comes back; what is cut does not. */
    sy_buf bytes, again;
    sy_buf_init(&bytes, sy_heap());
    sy_buf_init(&again, sy_heap());
    sy_standings_save(&s, &bytes);
    for (size_t cut = 0; cut <= bytes.n; cut++) {
        sy_standings copy;
        sy_standings_init(&copy);
        sy_rd in = sy_rd_of((sy_span){bytes.p, cut});
        assert_int_equal(sy_standings_load(&copy, &in), cut < bytes.n ? SY_E_CORRUPT : SY_OK);
        if (cut == bytes.n) {
            sy_standings_save(&copy, &again);
            assert_int_equal(copy.next, s.next);
        }
        sy_standings_fini(&copy);
    }
    assert_int_equal(bytes.n, again.n);
    assert_memory_equal(bytes.p, again.p, bytes.n);
    sy_buf_fini(&bytes);
    sy_buf_fini(&again);
    sy_standings_fini(&s);
}

static void hears(const sy_destination *d, const sy_rule *rule, sy_event_to to, bool expect)
{
    if (sy_event_goes_to(d, rule, SY_WARNING, &to) != expect)
        fail_msg("%s (%d): levels %u up %d unanswered %d quiet %d folded %d", d->name, (int)d->kind,
                 to.levels, (int)to.up, (int)to.unanswered, (int)to.quiet, to.folded != NULL);
}

static void who_hears(void **state)
{
    pipeline_rig *r = *state;
    rig_rules(r, rules);
    const sy_rule *rule = r->config->set->rules[0];
    sy_destination county = r->config->destinations[0], hq = r->config->destinations[1];
    sy_destination pager = county, desk = hq;
    pager.kind = SY_DEST_ALERTMANAGER;
    desk.severity = SY_NOTICE;
    const unsigned warning = 1u << SY_WARNING;
    sy_event_to plain = {.levels = warning}, quiet = plain, up = plain, asks = plain, fold = plain;
    assert_string_equal(rule->id, "P-1");
    quiet.quiet = true;
    up.up = sy_event_above(rule, SY_WARNING);
    assert_int_equal(up.up, SY_SERIOUS);
    assert_int_equal(sy_event_above(rule, SY_SERIOUS), 0);
    asks.unanswered = true;
    fold.folded = rule;
    fold.folded_at = SY_WARNING;
    hears(&county, rule, plain, true);
    hears(&pager, rule, plain, true);
    hears(&hq, rule, plain, false);
    hears(&county, rule, quiet, true);
    hears(&pager, rule, quiet, false);
    hears(&county, rule, fold, true);
    hears(&pager, rule, fold, false);
    fold.folded_at = SY_SERIOUS; /* the group was told to others */
    hears(&pager, rule, fold, true);
    hears(&hq, rule, up, true); /* serves duty-chief, from serious on */
    hears(&desk, rule, plain, false);
    hears(&desk, rule, asks, false);
    desk.unanswered = true;
    hears(&desk, rule, asks, true);
}

/* Nothing has come since the box started. */
static void boot(void **state)
{
    static const char text[] = "rule S-1 version 1 \"Silent\"\n"
                               "  basis \"made for a test\" policy\n"
                               "  applies to subject any; goods any; stage any\n"
                               "  effective from 2020-01-01\n"
                               "  watch each point: temperature\n"
                               "  alert warning when temperature has no data for 5 min\n"
                               "  then tell inspector\n"
                               "end\n";
    pipeline_rig *r = *state;
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    rig_rules(r, text);
    rig_log_open(r);
    rig_start(r);
    for (int i = 0; i <= 10; i++)
        rig_mark(r, RIG_DAY + i * RIG_MIN);
    rig_run(r);
    rig_dump(r, &out);
    assert_non_null(strstr(out.p, "\"cause\":\"boot\""));
    assert_null(strstr(out.p, "premises-silent"));
    rig_log_close(r);
    sy_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(standings, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(who_hears, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(boot, rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
