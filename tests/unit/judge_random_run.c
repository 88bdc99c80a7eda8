/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules: the judge run over a case in several ways, and the naive one; alerts as text, times
 * in ticks from t0.
 */
#include "judge_random_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRIVERS = 2 };
static const uint32_t drivers[DRIVERS] = {P_TEMPERATURE, P_TEMPERATURE2};

const char *const random_modes[RANDOM_MODES] = {"all at once", "in order", "in disorder",
                                                "in some disorder"};

static void put_alert(sy_buf *b, const naive_alert *a)
{
    sy_buf_printf(b, "onset %d raised %d cleared %d state %d level %d%s ", a->onset, a->raised,
                  a->cleared, (int)a->state, (int)a->level, a->trial ? " trial" : "");
    sy_buf_printf(b, "min %.17g max %.17g count %d counted %d unknown %d exempt %d\n",
                  a->count ? a->min : 0, a->count ? a->max : 0, a->count, a->counted, a->unknown,
                  a->exempt);
}

void random_naive(const random_run *x, sy_buf *b)
{
    static naive_alert a[NAIVE_ALERTS];
    const random_case *c = x->c;
    for (int d = 0; d < DRIVERS; d++) {
        naive_case n = {.versions = {{x->sets[0], x->sets[0]->rules[0], 0}},
                        .n_versions = 1,
                        .site = &c->site,
                        .driver = drivers[d],
                        .t0 = c->t0,
                        .tick = c->tick,
                        .readings = c->r,
                        .n = c->n,
                        .now = c->length};
        if (x->switch_at) {
            n.versions[1] = (naive_version){x->sets[1], x->sets[1]->rules[0], x->switch_at};
            n.n_versions = 2;
        }
        size_t count = naive_judge(&n, a);
        sy_buf_printf(b, "driver %u\n", drivers[d]);
        for (size_t k = 0; k < count; k++) {
            put_alert(b, &a[k]);
        }
    }
}

/* One gateway: the judge in force, and what was over before the second version took over. */
typedef struct box {
    const random_run *x;
    sy_judge *j;
    bool wait, switched;
    sy_buf past[DRIVERS], past_ids[DRIVERS];
} box;

static sy_ms at_tick(const box *b, int t)
{
    return b->x->c->t0 + b->x->c->tick * t;
}

static sy_judge *open_judge(const box *b)
{
    sy_judge *j;
    sy_judge_options o = {.set = b->x->sets[b->switched],
                          .site = &b->x->c->site,
                          .start = b->x->c->t0,
                          .in_force = b->switched ? at_tick(b, b->x->switch_at) : SY_MS_NONE,
                          .wait_delivery = b->wait,
                          .alloc = sy_heap()};
    assert_int_equal(sy_judge_open(&j, &o), SY_OK);
    return j;
}

bool random_watched(const random_run *x)
{
    bool both = true;
    for (int k = 0; k < (x->switch_at ? 2 : 1); k++) {
        box b = {.x = x, .switched = k};
        sy_judge *j = open_judge(&b);
        both = both && sy_judge_instances(j) == DRIVERS;
        sy_judge_close(j);
    }
    return both;
}

typedef struct taking {
    const box *x;
    sy_buf *b, *ids;
    uint32_t point;
    bool over;            /* only what is over */
    const char *past_ids; /* else: what was not over then */
} taking;

static int ticks(const box *b, sy_ms t)
{
    assert_int_equal(t % b->x->c->tick, 0);
    return (int)(t / b->x->c->tick);
}

static void take(void *ctx, const sy_alert *a)
{
    const taking *x = ctx;
    const box *b = x->x;
    sy_ms t0 = b->x->c->t0;
    char id[64];
    (void)snprintf(id, sizeof id, "%d %s ", ticks(b, a->onset - t0), a->id);
    if (a->state == SY_ALERT_WITHDRAWN || a->point != x->point ||
        (!x->over && a->cleared != SY_MS_NONE && strstr(x->past_ids, id)) ||
        (x->over && a->cleared == SY_MS_NONE)) {
        return;
    }
    assert_int_equal(a->span, a->raised - a->onset);
    naive_alert n = {.onset = ticks(b, a->onset - t0),
                     .raised = ticks(b, a->raised - t0),
                     .cleared = a->cleared == SY_MS_NONE ? -1 : ticks(b, a->cleared - t0),
                     .state = a->state,
                     .level = a->level,
                     .min = a->min,
                     .max = a->max,
                     .count = (int)a->count,
                     .counted = ticks(b, a->counted),
                     .unknown = ticks(b, a->unknown),
                     .exempt = ticks(b, a->exempt),
                     .trial = a->trial};
    put_alert(x->b, &n);
    sy_buf_printf(x->ids, "%d %s %s\n", n.onset, a->id, a->subject);
}

static void start(box *b, const random_run *x, bool wait)
{
    *b = (box){.x = x, .wait = wait};
    b->j = open_judge(b);
    for (int d = 0; d < DRIVERS; d++) {
        sy_buf_init(&b->past[d], sy_heap());
        sy_buf_init(&b->past_ids[d], sy_heap());
    }
}

static void advance(box *b, sy_ms t)
{
    assert_int_equal(sy_judge_advance(b->j, t), SY_OK);
}

/* The second version takes over. */
static void succeed(box *b)
{
    sy_ms t = at_tick(b, b->x->switch_at);
    sy_judge *old = b->j;
    advance(b, t - 1);
    for (int d = 0; d < DRIVERS; d++) {
        taking k = {b, &b->past[d], &b->past_ids[d], drivers[d], true, ""};
        assert_int_equal(sy_judge_alerts(old, take, &k), SY_OK);
    }
    b->switched = true;
    b->j = open_judge(b);
    assert_int_equal(sy_judge_succeed(b->j, old, t), SY_OK);
    sy_judge_close(old);
}

static void give(box *b, const naive_reading *r)
{
    sy_verdict v;
    if (b->x->switch_at && !b->switched && r->at >= b->x->switch_at) {
        succeed(b);
    }
    assert_int_equal(sy_judge_reading(b->j, r->point, at_tick(b, r->at), r->value, r->quality, &v),
                     SY_OK);
    assert_int_not_equal(v, SY_READING_LATE);
}

static void finish(box *b, sy_buf *out, sy_buf *ids)
{
    if (b->x->switch_at && !b->switched) {
        succeed(b);
    }
    advance(b, at_tick(b, b->x->c->length));
    assert_int_equal(sy_judge_finish(b->j), SY_OK);
    for (int d = 0; d < DRIVERS; d++) {
        sy_buf_text(&b->past_ids[d], "");
        taking k = {b, out, ids, drivers[d], false, b->past_ids[d].p};
        sy_buf_printf(out, "driver %u\n", drivers[d]);
        sy_buf_put(out, b->past[d].p, b->past[d].n);
        sy_buf_put(ids, b->past_ids[d].p, b->past_ids[d].n);
        assert_int_equal(sy_judge_alerts(b->j, take, &k), SY_OK);
        sy_buf_fini(&b->past[d]);
        sy_buf_fini(&b->past_ids[d]);
    }
    sy_judge_close(b->j);
}

static void restart(box *b)
{
    sy_buf saved, again;
    sy_judge *n = open_judge(b);
    sy_buf_init(&saved, sy_heap());
    sy_buf_init(&again, sy_heap());
    assert_int_equal(sy_judge_save(b->j, &saved), SY_OK);
    assert_int_equal(sy_judge_load(n, sy_buf_span(&saved)), SY_OK);
    assert_int_equal(sy_judge_save(n, &again), SY_OK);
    assert_true(sy_span_eq(sy_buf_span(&saved), sy_buf_span(&again)));
    sy_buf_fini(&saved);
    sy_buf_fini(&again);
    sy_judge_close(b->j);
    b->j = n;
}

typedef struct delivery {
    sy_ms at;
    int k;
} delivery;

static int by_delivery(const void *a, const void *b)
{
    const delivery *x = a, *y = b;
    return x->at != y->at ? (x->at < y->at ? -1 : 1) : (x->k > y->k) - (x->k < y->k);
}

/* What comes before the second version is there when it takes over: it does not judge that again.
 */
static void scatter(const box *b, uint32_t late, delivery *order)
{
    const random_case *c = b->x->c;
    sy_ms limit = at_tick(b, b->x->switch_at);
    for (size_t k = 0; k < c->n; k++) {
        sy_ms t = at_tick(b, c->r[k].at) + 1000 * (sy_ms)random_below(late + 1) -
                  (random_chance(30) ? 5000 : 0);
        if (b->x->switch_at && c->r[k].at < b->x->switch_at) {
            t = t < limit - 2 ? t : limit - 2;
        } else if (b->x->switch_at) {
            t = t > limit ? t : limit;
        }
        order[k] = (delivery){t, (int)k};
    }
    qsort(order, c->n, sizeof order[0], by_delivery);
}

/* Delivered up to `late` seconds late, in any order, the clock in odd steps, with restarts. */
static void disorder(box *b, uint32_t late)
{
    static delivery order[NAIVE_READINGS];
    const random_case *c = b->x->c;
    sy_ms now = c->t0, end = at_tick(b, c->length);
    scatter(b, late, order);
    for (size_t k = 0; k < c->n; k++) {
        const naive_reading *r = &c->r[order[k].k];
        if (order[k].at > now && random_chance(70)) {
            if (b->x->switch_at && !b->switched && r->at >= b->x->switch_at) {
                succeed(b);
            }
            now = order[k].at - 1000 * (sy_ms)random_below(3);
            now = now < end ? now : end;
            advance(b, now);
        }
        give(b, r);
        if (random_chance(1)) {
            restart(b);
        }
    }
}

static void in_order(box *b)
{
    static delivery order[NAIVE_READINGS];
    const random_case *c = b->x->c;
    size_t k = 0;
    for (size_t i = 0; i < c->n; i++) {
        order[i] = (delivery){c->r[i].at, (int)i};
    }
    qsort(order, c->n, sizeof order[0], by_delivery);
    for (int t = 0; t <= c->length; t++) {
        if (b->x->switch_at && t == b->x->switch_at) {
            succeed(b);
        }
        for (; k < c->n && order[k].at == t; k++) {
            give(b, &c->r[order[k].k]);
        }
        advance(b, at_tick(b, t));
    }
}

static void at_once(box *b)
{
    const random_case *c = b->x->c;
    for (int later = 0; later < 2; later++) {
        for (size_t k = 0; k < c->n; k++) {
            if ((c->r[k].at >= b->x->switch_at) == later) {
                give(b, &c->r[k]);
            }
        }
    }
}

void random_judge(const random_run *x, int mode, sy_buf *out, sy_buf *ids)
{
    box b;
    start(&b, x, mode != AT_ONCE && mode != IN_ORDER && random_chance(50));
    if (mode == AT_ONCE) {
        at_once(&b);
    } else if (mode == IN_ORDER) {
        in_order(&b);
    } else {
        disorder(&b, mode == IN_DISORDER ? 600 : 20);
    }
    finish(&b, out, ids);
}
