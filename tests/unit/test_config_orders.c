/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in force by order, on top of a configuration: rules that take the place of local ones,
 * tunings, tiers, calibrations; what was changed on the disk is refused; a kept set has all of it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config_rig.h"
#include "orders/force.h"

static const char rule_2[] = "rule R-1 version 2 \"Too warm\"\n"
                             "  basis \"an order\" law\n"
                             "  applies to subject any; goods any; stage any\n"
                             "  watch each room: temperature\n"
                             "  set hold = 5 min [tunable 1 min to 30 min]\n"
                             "  alert major when temperature above 8 °C [law] for hold\n"
                             "  then tell inspector\n"
                             "end\n"
                             "scenario \"alerts\" tests R-1\n"
                             "  from 08:00 to 08:20 every 1 min: temperature 9 °C\n"
                             "  expect alert major at 08:05\n"
                             "end\n";
static const char tuning[] = "tune R-1: hold = 20 min at shop reason \"approved\"\n";

typedef struct rig {
    config_rig c;
    sy_force *force;
} rig;

static void make_dirs(const config_rig *r, const char *name, int version)
{
    char path[200];
    mkdir(r->data, 0700);
    snprintf(path, sizeof path, "%s/packs", r->data);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/packs/%s", r->data, name);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/packs/%s/%d", r->data, name, version);
    mkdir(path, 0700);
}

static void put(rig *r, const char *name, bool tune, int version, const char *text)
{
    char path[160];
    sy_fail f;
    const sy_order_pair file = {"x.rules", text};
    const sy_force_pack pack = {.name = name, .from = "county", .tuning = tune, .version = version};
    assert_int_equal(sy_force_put(r->force, &pack, &file, version ? 1 : 0, &f), SY_OK);
    make_dirs(&r->c, name, version);
    snprintf(path, sizeof path, "data/packs/%s/%d/x.rules", name, version);
    rig_write(&r->c, path, text);
}

static void write_force(rig *r)
{
    sy_buf text;
    sy_fail f;
    sy_buf_init(&text, sy_heap());
    assert_int_equal(sy_force_text(r->force, &text, &f), SY_OK);
    rig_write(&r->c, "data/packs/in-force.json", text.p);
    sy_buf_fini(&text);
}

static void open_rig(rig *r)
{
    rig_open(&r->c);
    make_dirs(&r->c, "gsp", 2);
    assert_int_equal(sy_force_open(&r->force, (sy_span){"", 0}, &r->c.fail), SY_OK);
}

static void close_rig(rig *r)
{
    sy_force_close(r->force);
    rig_close(&r->c);
}

static void load(rig *r, sy_err want)
{
    write_force(r);
    sy_err e = rig_load(&r->c);
    if (e != want)
        fail_msg("%d: %s", (int)e, r->c.fail.text);
}

static void a_pack_takes_the_place_of_local_rules(void **state)
{
    rig r;
    (void)state;
    open_rig(&r);
    load(&r, SY_OK);
    assert_int_equal(r.c.config->set->rules[0]->version->mant, 1);
    put(&r, "gsp", false, 2, rule_2);
    put(&r, "bay", true, 1, tuning);
    load(&r, SY_OK);
    assert_int_equal(r.c.config->set->n_rules, 1);
    assert_int_equal(r.c.config->set->rules[0]->version->mant, 2);
    assert_int_equal(r.c.config->set->n_scenarios, 1); /* those of the local rule went with it */
    assert_int_equal(r.c.config->set->n_tunings, 1);
    put(&r, "gsp", false, 0, "");
    put(&r, "bay", true, 0, "");
    load(&r, SY_OK);
    assert_int_equal(r.c.config->set->rules[0]->version->mant, 1);
    close_rig(&r);
}

static void what_an_order_may_not_do_is_refused(void **state)
{
    rig r;
    (void)state;
    open_rig(&r);
    put(&r, "bay", true, 1, rule_2); /* a tuning that brings a rule */
    load(&r, SY_E_USAGE);
    assert_non_null(rig_find(&r.c, "not-tuning"));
    put(&r, "bay", true, 0, "");
    put(&r, "gsp", false, 2, rule_2);
    put(&r, "gsp-too", false, 1, rule_2); /* two packs with one rule */
    load(&r, SY_E_USAGE);
    assert_non_null(rig_find(&r.c, "duplicate-rule"));
    put(&r, "gsp-too", false, 0, "");
    load(&r, SY_OK);
    rig_write(&r.c, "data/packs/gsp/2/x.rules", "# by somebody else\n");
    load(&r, SY_E_USAGE);
    assert_non_null(rig_find(&r.c, "file-changed"));
    rig_write(&r.c, "data/packs/in-force.json", "[]");
    assert_int_equal(rig_load(&r.c), SY_E_USAGE);
    assert_non_null(rig_find(&r.c, "orders"));
    close_rig(&r);
}

static const sy_site_point *point(const rig *r, const char *series)
{
    const sy_site *s = r->c.config->site;
    for (size_t i = 0; i < s->n_points; i++)
        if (strcmp(s->points[i].series, series) == 0)
            return &s->points[i];
    fail();
    return NULL;
}

static void tiers_and_calibrations_are_over_the_configuration(void **state)
{
    rig r;
    const sy_order_pair tier = {"food-risk-tier", "D"};
    const sy_order tiers = {.premises = "shop", .pairs = &tier, .n_pairs = 1};
    sy_order day = {.series = "t1/t", .calibrated = "2026-11-01", .has_uncertainty = true};
    day.uncertainty = 0.3;
    (void)state;
    open_rig(&r);
    load(&r, SY_OK);
    assert_string_equal(r.c.config->site->premises[0].tiers[0].value, "B");
    assert_int_equal(point(&r, "t1/t")->n_dues, 0);
    assert_int_equal(sy_force_tiers(r.force, &tiers, &r.c.fail), SY_OK);
    assert_int_equal(sy_force_calibration(r.force, &day, &r.c.fail), SY_OK);
    day.series = "gone/t";
    assert_int_equal(sy_force_calibration(r.force, &day, &r.c.fail), SY_OK);
    load(&r, SY_OK);
    assert_int_equal(r.c.config->site->premises[0].n_tiers, 1);
    assert_string_equal(r.c.config->site->premises[0].tiers[0].value, "D");
    assert_true(fabs(point(&r, "t1/t")->uncertainty - 0.3) < 1e-12);
    assert_int_equal(point(&r, "t1/t")->n_dues, 1);
    assert_non_null(rig_find(&r.c, "orders")); /* a warning about gone/t */
    close_rig(&r);
}

static void a_kept_set_has_what_was_ordered(void **state)
{
    rig r;
    sy_config *kept = NULL, *less = NULL, *more = NULL;
    (void)state;
    open_rig(&r);
    load(&r, SY_OK);
    char before[65];
    memcpy(before, r.c.config->hash_hex, 65);
    put(&r, "gsp", false, 2, rule_2);
    load(&r, SY_OK);
    assert_string_not_equal(before, r.c.config->hash_hex);
    assert_int_equal(sy_config_keep(r.c.config, r.c.data, &r.c.fail), SY_OK);
    /* Other orders over the same texts: as if the files had been loaded with them. */
    rig_write(&r.c, "data/none.json", "{}");
    char none[200];
    snprintf(none, sizeof none, "%s/none.json", r.c.data);
    sy_findings fs = {.arena = &r.c.arena};
    assert_int_equal(sy_config_load_ordered(r.c.config, r.c.data, none, &fs, &less, &r.c.fail),
                     SY_OK);
    assert_int_equal(less->set->rules[0]->version->mant, 1);
    assert_true(sy_span_is(sy_config_orders(less), "{}"));
    assert_int_equal(sy_config_load_ordered(less, r.c.data, NULL, &fs, &more, &r.c.fail), SY_OK);
    assert_string_equal(more->hash_hex, r.c.config->hash_hex);
    char path[200];
    snprintf(path, sizeof path, "%s/packs/gsp/2/x.rules", r.c.data);
    assert_int_equal(remove(path), 0);
    assert_int_equal(sy_config_load_kept(r.c.data, r.c.config->hash_hex, &kept, &r.c.fail), SY_OK);
    assert_int_equal(kept->set->rules[0]->version->mant, 2);
    assert_string_equal(kept->hash_hex, r.c.config->hash_hex);
    sy_config_unref(kept);
    sy_config_unref(less);
    sy_config_unref(more);
    close_rig(&r);
}

/* A pack whose scenario fails is no pack. */
static void a_pack_that_fails_its_scenario_is_refused(void **state)
{
    rig r;
    char text[1200];
    (void)state;
    open_rig(&r);
    snprintf(text, sizeof text, "%s", rule_2);
    memcpy(strstr(text, "at 08:05"), "at 08:07", 8);
    put(&r, "gsp", false, 2, text);
    load(&r, SY_E_USAGE);
    assert_non_null(rig_find(&r.c, "scenario-failed"));
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_takes_the_place_of_local_rules),
        cmocka_unit_test(what_an_order_may_not_do_is_refused),
        cmocka_unit_test(tiers_and_calibrations_are_over_the_configuration),
        cmocka_unit_test(a_kept_set_has_what_was_ordered),
        cmocka_unit_test(a_pack_that_fails_its_scenario_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
