/* SPDX-License-Identifier: Apache-2.0 */
/* Maintenance: its records, what they cover, and a log with it and with doubtful readings that
 * comes to the same whether the process lives on or ends after each record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/upkeep.h"
#include "pipeline_rig.h"

static sy_upkeep_act act(bool start, sy_upkeep_kind kind, const char *on, sy_ms until)
{
    return (sy_upkeep_act){
        start, kind, sy_span_of(on), until, sy_span_of("Li Wei"), sy_span_of("a new fan")};
}

static void records(void **state)
{
    static const char *const wrong[] = {
        "",
        "maintenance-start",
        "maintenance-start\tplace\tshop/cr-1\t5\tLi Wei",
        "maintenance-start\tplace\tshop/cr-1\t5\tLi Wei\t",
        "maintenance-start\tplace\tshop/cr-1\t5\tLi Wei\twhy\tmore",
        "maintenance-start\tplace\t\t5\tLi Wei\twhy",
        "maintenance-start\troom\tshop/cr-1\t5\tLi Wei\twhy",
        "maintenance-start\tplace\tshop/cr-1\t-5\tLi Wei\twhy",
        "maintenance-start\tplace\tshop/cr-1\t253402300800000\tLi Wei\twhy",
        "maintenance-pause\tplace\tshop/cr-1\t5\tLi Wei\twhy",
    };
    sy_upkeep_act a = act(true, SY_UPKEEP_DEVICE, "t1", 77), b;
    sy_buf text;
    (void)state;
    sy_buf_init(&text, sy_heap());
    sy_upkeep_text(&a, &text);
    assert_int_equal(sy_upkeep_parse(sy_buf_span(&text), &b), SY_OK);
    assert_true(b.start && b.kind == SY_UPKEEP_DEVICE && b.until == 77);
    assert_true(sy_span_is(b.on, "t1") && sy_span_is(b.who, "Li Wei"));
    assert_true(sy_span_is(b.why, "a new fan"));
    sy_buf_fini(&text);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (sy_upkeep_parse(sy_span_of(wrong[i]), &b) != SY_E_PARSE)
            fail_msg("taken: %s", wrong[i]);
}

static void means(const sy_site *site, const char *what, int kind, const char *on)
{
    sy_upkeep_kind k = SY_UPKEEP_PLACE;
    sy_buf out;
    sy_fail f = {0};
    sy_buf_init(&out, sy_heap());
    sy_err err = sy_upkeep_find(site, what, &k, &out, &f);
    if (kind < 0 ? err == SY_OK : (err || (int)k != kind || !sy_span_is(sy_buf_span(&out), on)))
        fail_msg("%s: %d %d %.*s %s", what, (int)err, (int)k, (int)out.n, out.p ? out.p : "",
                 f.text);
    sy_buf_fini(&out);
}

static void names(void **state)
{
    pipeline_rig *r = *state;
    sy_site site = *r->config->site;
    means(&site, "cr-1", SY_UPKEEP_PLACE, "shop/cr-1");
    means(&site, "shop/cr-2", SY_UPKEEP_PLACE, "shop/cr-2");
    means(&site, "t1", SY_UPKEEP_DEVICE, "t1");
    means(&site, "t1/t", SY_UPKEEP_POINT, "t1/t");
    means(&site, "device:t1", SY_UPKEEP_DEVICE, "t1");
    means(&site, "point:t1", -1, "");
    means(&site, "cr-3", -1, "");
    sy_site_place places[2] = {site.places[0], site.places[1]};
    places[1].id = "t1"; /* a place and a device of one name */
    site.places = places;
    means(&site, "t1", -1, "");
    means(&site, "place:t1", SY_UPKEEP_PLACE, "shop/t1");
    means(&site, "device:t1", SY_UPKEEP_DEVICE, "t1");
}

static uint32_t point(const sy_site *site, const char *series)
{
    uint32_t i = 0;
    while (i < site->n_points && strcmp(site->points[i].series, series) != 0)
        i++;
    assert_true(i < site->n_points);
    return i;
}

static bool covered(const sy_upkeep *u, const sy_site *site, const char *series, sy_ms t)
{
    return sy_upkeep_covers(u, site, point(site, series), t);
}

static void stretches(void **state)
{
    pipeline_rig *r = *state;
    const sy_site *site = r->config->site;
    sy_upkeep u = {NULL, 0};
    sy_upkeep_act place = act(true, SY_UPKEEP_PLACE, "shop/cr-1", 200);
    sy_upkeep_act device = act(true, SY_UPKEEP_DEVICE, "t2", 300);
    sy_upkeep_act end = act(false, SY_UPKEEP_PLACE, "shop/cr-1", 0);
    assert_int_equal(sy_upkeep_take(&u, site, &end, 90, 0), SY_E_NOTFOUND);
    assert_int_equal(sy_upkeep_take(&u, site, &place, 100, 0), SY_OK);
    assert_int_equal(sy_upkeep_take(&u, site, &device, 100, 0), SY_OK);
    assert_false(covered(&u, site, "t1/t", 99));
    assert_true(covered(&u, site, "t1/t", 100));
    assert_true(covered(&u, site, "d3/contact", 199));
    assert_false(covered(&u, site, "t1/t", 200)); /* it ends by itself */
    assert_true(covered(&u, site, "t2/t", 200));
    assert_false(covered(&u, site, "d4/contact", 150));
    assert_int_equal(sy_upkeep_take(&u, site, &end, 150, 0), SY_OK);
    assert_true(covered(&u, site, "t1/t", 149));
    assert_false(covered(&u, site, "t1/t", 150));
    assert_int_equal(sy_upkeep_take(&u, site, &end, 151, 0), SY_E_NOTFOUND);
    sy_upkeep_move(&u, 160, -100); /* the clock is set from 160 to 60 */
    assert_true(covered(&u, site, "t2/t", 199));
    assert_false(covered(&u, site, "t2/t", 200));
    assert_true(covered(&u, site, "t1/t", 149)); /* what ended stays where it was */
    device.until = 100;
    assert_int_equal(sy_upkeep_take(&u, site, &device, 100, 0), SY_E_RANGE);
    sy_upkeep_fini(&u);
}

static void bounds(void **state)
{
    pipeline_rig *r = *state;
    const sy_site *site = r->config->site;
    sy_upkeep u = {NULL, 0};
    char name[32];
    for (int i = 0; i < SY_UPKEEPS; i++) {
        snprintf(name, sizeof name, "x%d", i);
        sy_upkeep_act a = act(true, SY_UPKEEP_DEVICE, name, i == 7 ? 150 : 1000);
        assert_int_equal(sy_upkeep_take(&u, site, &a, 100, 0), SY_OK);
    }
    sy_upkeep_act more = act(true, SY_UPKEEP_DEVICE, "t1", 1000);
    assert_int_equal(sy_upkeep_take(&u, site, &more, 149, 0), SY_E_FULL);
    assert_int_equal(sy_upkeep_take(&u, site, &more, 150, 0), SY_OK); /* one has ended */
    assert_true(covered(&u, site, "t1/t", 160));
    assert_int_equal(u.n, SY_UPKEEPS);
    sy_buf bytes, again;
    sy_buf_init(&bytes, sy_heap());
    sy_buf_init(&again, sy_heap());
    sy_upkeep_save(&u, &bytes);
    for (size_t cut = 0; cut <= bytes.n; cut += cut < 600 ? 1 : 97) {
        sy_upkeep copy = {NULL, 0};
        sy_rd in = sy_rd_of((sy_span){bytes.p, cut});
        assert_int_equal(sy_upkeep_load(&copy, site, &in), cut < bytes.n ? SY_E_CORRUPT : SY_OK);
        sy_upkeep_fini(&copy);
    }
    sy_upkeep copy = {NULL, 0};
    sy_rd in = sy_rd_of(sy_buf_span(&bytes));
    assert_int_equal(sy_upkeep_load(&copy, site, &in), SY_OK);
    sy_upkeep_save(&copy, &again);
    assert_int_equal(bytes.n, again.n);
    assert_memory_equal(bytes.p, again.p, bytes.n);
    assert_true(covered(&copy, site, "t1/t", 160));
    sy_upkeep_fini(&copy);
    /* What no reading that is judged can lie in is forgotten. */
    assert_int_equal(sy_upkeep_take(&u, site, &more, 2000, 1500), SY_E_RANGE);
    assert_int_equal(u.n, 0);
    sy_upkeep_fini(&u);
    sy_buf_fini(&bytes);
    sy_buf_fini(&again);
}

/* ---- through the pipeline ---- */

static void say(pipeline_rig *r, const sy_upkeep_act *a)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_upkeep_text(a, &text);
    sy_buf_char(&text, '\0');
    rig_append(r, SY_J_ACTION, 0, text.p);
    sy_buf_fini(&text);
}

static void step(pipeline_rig *r, int i)
{
    sy_ms t = RIG_DAY + i * RIG_MIN;
    char text[64];
    sy_upkeep_act start = act(true, SY_UPKEEP_PLACE, "shop/cr-1", RIG_DAY + 20 * RIG_MIN + 30000);
    sy_upkeep_act end = act(false, SY_UPKEEP_DEVICE, "t2", 0);
    sy_upkeep_act device = act(true, SY_UPKEEP_DEVICE, "t2", RIG_DAY + 900 * RIG_MIN);
    if (i == 10)
        say(r, &start);
    if (i == 12)
        say(r, &device);
    if (i == 15)
        say(r, &end);
    if (i == 16)
        rig_append(r, SY_J_ACTION, 0, "maintenance-start\tnonsense");
    rig_celsius(r, t, i % 9 == 0 ? 85 : 5 + i % 2);
    snprintf(text, sizeof text, "%d", i % 7 == 0 ? 40 : 4);
    rig_message(r, "s/t2", 0, text);
    if (i == 25) /* of a time in which it ran */
        rig_celsius(r, RIG_DAY + 18 * RIG_MIN + 1000, 5);
    rig_mark(r, t);
}

/* every 0: one process; else it ends after so many steps. */
static void tell(pipeline_rig *r, int every, sy_buf *out)
{
    rig_reload(r, "8", ", faults: [], rate: 10 / 1 min, stuck: 5 min");
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    for (int i = 1; i <= 30; i++) {
        step(r, i);
        if (every && i % every == 0) {
            rig_run(r);
            rig_log_close(r);
            rig_log_open(r);
        }
    }
    rig_run(r);
    rig_dump(r, out);
    rig_log_close(r);
}

static size_t count(sy_span text, const char *word)
{
    size_t n = 0;
    for (const char *p = text.p; (p = strstr(p, word)); p += strlen(word))
        n++;
    return n;
}

static void restarts(void **state)
{
    pipeline_rig *r = *state;
    sy_buf whole, parts;
    sy_buf_init(&whole, sy_heap());
    sy_buf_init(&parts, sy_heap());
    tell(r, 0, &whole);
    sy_span text = sy_buf_span(&whole);
    /* t1: steps 10 to 20 and the late one; t2: 12 to 14. */
    assert_int_equal(count(text, "maintenance"), 11 + 1 + 3);
    assert_int_equal(count(text, "+spike"), 4); /* 7, 14, 21, 28 */
    assert_non_null(strstr(text.p, "stuck"));
    assert_non_null(strstr(text.p, "\nmaintained 15\n"));
    for (int every = 1; every <= 4; every++) {
        pipeline_rig other;
        rig_open(&other);
        sy_buf_reset(&parts);
        tell(&other, every, &parts);
        assert_string_equal(whole.p, parts.p);
        rig_close(&other);
    }
    sy_buf_fini(&whole);
    sy_buf_fini(&parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test_setup_teardown(names, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(stretches, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(bounds, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(restarts, rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
