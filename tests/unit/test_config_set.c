/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts and accepted sets: what was in force comes back from the data folder alone, and nothing
 * else is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_rig.h"

static void keep(config_rig *r)
{
    assert_int_equal(rig_load(r), SY_OK);
    sy_err rc = sy_config_keep(r->config, r->data, &r->fail);
    if (rc != SY_OK)
        print_error("%s\n", r->fail.text);
    assert_int_equal(rc, SY_OK);
}

static void a_kept_set_comes_back_alone(void **state)
{
    config_rig r;
    sy_config *kept = NULL;
    char path[256];
    static const char *const gone[] = {"gw.yaml", "one.rules", "local.vocabulary", "ca.pem"};
    (void)state;
    rig_open(&r);
    keep(&r);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        snprintf(path, sizeof path, "%s/%s", r.dir, gone[i]);
        assert_int_equal(unlink(path), 0);
    }
    sy_err rc = sy_config_load_kept(r.data, r.config->hash_hex, &kept, &r.fail);
    if (rc != SY_OK)
        print_error("%s\n", r.fail.text);
    assert_int_equal(rc, SY_OK);
    assert_string_equal(kept->hash_hex, r.config->hash_hex);
    assert_string_equal(kept->data, r.data);
    assert_int_equal(kept->site->n_points, r.config->site->n_points);
    assert_int_equal(kept->set->n_rules, 1);
    assert_memory_equal(kept->set->hash, r.config->set->hash, 32);
    assert_string_equal(kept->destinations[0].tls.ca, r.config->destinations[0].tls.ca);
    assert_non_null(sy_vocab_id(kept->vocab, sy_span_of("frost")));
    assert_int_equal(sy_config_keep(kept, r.data, &r.fail), SY_OK); /* it is there: nothing to do */
    sy_config_unref(kept);
    rig_close(&r);
}

/* A reload may name another data folder; the log that activates it is in the one in use. */
static void a_set_is_kept_where_its_log_is(void **state)
{
    config_rig r;
    sy_config *kept = NULL;
    char used[256];
    (void)state;
    rig_open(&r);
    assert_int_equal(rig_load(&r), SY_OK);
    snprintf(used, sizeof used, "%s/used", r.dir);
    assert_int_equal(sy_config_keep(r.config, used, &r.fail), SY_OK);
    assert_int_not_equal(access(r.data, F_OK), 0);
    assert_int_equal(sy_config_load_kept(used, r.config->hash_hex, &kept, &r.fail), SY_OK);
    sy_config_unref(kept);
    rig_close(&r);
}

static void a_damaged_set_is_told_from_a_good_one(void **state)
{
    config_rig r;
    sy_config *kept = NULL;
    sy_buf set;
    char path[256];
    (void)state;
    rig_open(&r);
    keep(&r);
    snprintf(path, sizeof path, "%s/accepted/%s.set", r.data, r.config->hash_hex);
    sy_buf_init(&set, sy_heap());
    assert_int_equal(sy_file_read(path, 1 << 24, &set, &r.fail), SY_OK);
    set.p[set.n / 2] = (char)(set.p[set.n / 2] ^ 1);
    assert_int_equal(sy_file_write(path, sy_buf_span(&set), 0600, &r.fail), SY_OK);
    assert_int_equal(sy_config_load_kept(r.data, r.config->hash_hex, &kept, &r.fail), SY_E_CORRUPT);
    assert_null(kept);
    assert_int_equal(sy_config_keep(r.config, r.data, &r.fail), SY_OK); /* mends it */
    assert_int_equal(sy_config_load_kept(r.data, r.config->hash_hex, &kept, &r.fail), SY_OK);
    sy_config_unref(kept);
    kept = NULL;
    assert_int_equal(sy_config_load_kept(r.data, "../../etc/passwd", &kept, &r.fail), SY_E_USAGE);
    sy_buf_fini(&set);
    rig_close(&r);
}

static void the_hash_covers_every_text(void **state)
{
    static const char *const files[][2] = {
        {"local.vocabulary", "frost = 结霜 : state no 无霜, yes 有霜\n# changed\n"},
        {"more/empty.rules", "# changed\n"},
    };
    config_rig r;
    char before[65];
    (void)state;
    rig_open(&r);
    assert_int_equal(rig_load(&r), SY_OK);
    for (size_t i = 0; i < 2; i++) {
        strcpy(before, r.config->hash_hex);
        rig_write(&r, files[i][0], files[i][1]);
        assert_int_equal(rig_load(&r), SY_OK);
        assert_string_not_equal(before, r.config->hash_hex);
    }
    strcpy(before, r.config->hash_hex);
    assert_int_equal(rig_load(&r), SY_OK);
    assert_string_equal(before, r.config->hash_hex);
    rig_close(&r);
}

static void links_out_of_a_folder_are_not_followed(void **state)
{
    config_rig r;
    char path[256];
    (void)state;
    rig_open(&r);
    snprintf(path, sizeof path, "%s/more/out.rules", r.dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(rig_load(&r), SY_OK);
    const sy_finding *f = rig_find(&r, "link");
    assert_non_null(f);
    assert_int_equal(f->severity, SY_DIAG_WARNING);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("empty.rules", path), 0); /* within it is fine */
    assert_int_equal(rig_load(&r), SY_OK);
    assert_null(rig_find(&r, "link"));
    rig_close(&r);
}

static void there_are_not_too_many_files(void **state)
{
    config_rig r;
    char name[32];
    (void)state;
    rig_open(&r);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "more/r%d.rules", i);
        rig_write(&r, name, "#\n");
    }
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    assert_non_null(rig_find(&r, "too-many"));
    rig_close(&r);
}

static void errors_of_rules_and_words_are_findings(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    rig_write(&r, "more/bad.rules", "rule X version 1\n  watch each romm: temperature\nend\n");
    rig_write(&r, "local.vocabulary", "temperature = 温度 : quantity °C\n");
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    bool rules = false, words = false;
    for (size_t i = 0; i < r.findings.n; i++) {
        const sy_finding *f = &r.findings.v[i];
        rules = rules || (strstr(f->file, "more/bad.rules") && f->diag && f->line >= 1);
        words = words || (strstr(f->file, "local.vocabulary") && f->line == 1);
    }
    assert_true(rules && words);
    rig_close(&r);
}

static void the_configuration_comes_first(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    rig_write(&r, "more/x.rules",
              "rule X-1 version 1 \"no scenario\"\n  basis \"made for a test\" policy\n"
              "  effective from 2020-01-01\n  watch each room: temperature\n"
              "  missing after 1 h\n  alert notice when temperature above 30 °C [policy]\nend\n");
    assert_int_equal(rig_load_with(&r, "every: 60 s", "every: 3 min"), SY_E_USAGE);
    assert_non_null(rig_find(&r, "blind")); /* told after the warnings about X-1 */
    assert_non_null(rig_find(&r, "no-scenario"));
    assert_string_equal(r.findings.v[0].code, "blind");
    rig_close(&r);
}

static void a_failing_scenario_refuses_the_set(void **state)
{
    config_rig r;
    (void)state;
    rig_open(&r);
    rig_write(&r, "more/s.rules",
              "scenario \"wrong\" tests R-1\n"
              "  from 08:00 to 08:20 every 1 min: temperature 9 °C\n"
              "  expect alert serious at 08:11\n"
              "end\n");
    assert_int_equal(rig_load(&r), SY_E_USAGE);
    const sy_finding *f = rig_find(&r, "scenario-failed");
    assert_non_null(f);
    assert_int_equal(f->line, 1);
    assert_true(f->en && *f->en && f->zh && *f->zh);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_set_comes_back_alone),
        cmocka_unit_test(a_set_is_kept_where_its_log_is),
        cmocka_unit_test(a_damaged_set_is_told_from_a_good_one),
        cmocka_unit_test(the_hash_covers_every_text),
        cmocka_unit_test(links_out_of_a_folder_are_not_followed),
        cmocka_unit_test(there_are_not_too_many_files),
        cmocka_unit_test(errors_of_rules_and_words_are_findings),
        cmocka_unit_test(a_failing_scenario_refuses_the_set),
        cmocka_unit_test(the_configuration_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
