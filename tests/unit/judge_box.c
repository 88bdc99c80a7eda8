/* SPDX-License-Identifier: Apache-2.0 */
/* A box for the judge's tests. */
#include "judge_box.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static sy_site_premises premises = {.id = "p"};
static sy_site_place place = {.id = "c", .kind = "room"};
static const sy_site_point points[] = {
    {.series = "d/door", .device = "d", .name = "door", .quantity = "door", .is_state = true},
    {.series = "d/t",
     .device = "d",
     .name = "t",
     .quantity = "temperature",
     .unit = "degC",
     .every = BOX_MIN,
     .delivery = 5 * BOX_MIN}};
const sy_site box_site = {.gateway = "g",
                          .premises = &premises,
                          .n_premises = 1,
                          .places = &place,
                          .n_places = 1,
                          .points = points,
                          .n_points = 2};

const char box_hot[] = "rule HOT version 1 \"hot\"\n" BOX_RULE_HEAD
                       "  alert serious when temperature above 8 °C [law] for 10 min\n"
                       "  then tell premises\nend\n";
const char box_silent[] = "rule SILENT version 1 \"silent\"\n" BOX_RULE_HEAD
                          "  alert notice when temperature has no data for 15 min [policy]\n"
                          "  then tell premises\nend\n";
const char box_both[] = "rule BOTH version 1 \"both\"\n  basis \"b\" policy\n"
                        "  applies to subject any; goods any; stage any\n"
                        "  watch each room: temperature\n  missing after 10 min\n"
                        "  alert notice when temperature has no data for 3 min [policy]\n"
                        "  alert serious when temperature above 8 °C [law] for 30 min\n"
                        "  then tell premises\nend\n";

int box_minute(sy_ms t)
{
    return (int)((t - BOX_T0) / BOX_MIN);
}

static void hear(void *ctx, const sy_change *c)
{
    box_told *t = ctx;
    size_t n = t->n++;
    assert_true(n < BOX_TOLD);
    t->kind[n] = c->kind;
    t->raised[n] = box_minute(c->alert.raised);
    t->onset[n] = box_minute(c->alert.onset);
    t->at[n] = box_minute(c->at);
    memcpy(t->id[n], c->alert.id, 33);
    memcpy(t->replaces[n], c->alert.replaces ? c->alert.replaces : "", c->alert.replaces ? 33 : 1);
}

void box_start(box *b, const char *text, sy_ms in_force)
{
    box_start_at(b, text, BOX_T0, in_force);
}

void box_start_at(box *b, const char *text, sy_ms start, sy_ms in_force)
{
    memset(&b->t, 0, sizeof b->t);
    kit_load(&b->k, "box", sy_span_of(text), false);
    sy_judge_options o = {.set = b->k.set,
                          .site = &box_site,
                          .start = start,
                          .in_force = in_force,
                          .wait_delivery = true,
                          .alloc = sy_heap(),
                          .emit = hear,
                          .ctx = &b->t};
    assert_int_equal(sy_judge_open(&b->j, &o), SY_OK);
}

void box_stop(box *b)
{
    sy_judge_close(b->j);
    kit_free(&b->k);
}

sy_verdict box_reading(box *b, int at, double v)
{
    sy_verdict verdict;
    assert_int_equal(sy_judge_reading(b->j, BOX_TEMPERATURE, BOX_T0 + (sy_ms)at * BOX_MIN, v,
                                      SY_Q_GOOD, &verdict),
                     SY_OK);
    return verdict;
}

void box_advance(box *b, int to)
{
    assert_int_equal(sy_judge_advance(b->j, BOX_T0 + (sy_ms)to * BOX_MIN), SY_OK);
}

void box_run(box *b, int from, int to, double v)
{
    for (int m = from; m <= to; m++) {
        box_advance(b, m);
        (void)box_reading(b, m, v);
    }
}
