/* SPDX-License-Identifier: Apache-2.0 */
/* The road to an Alertmanager: am.h chooses and writes, exchange.h carries. */
#include <stdlib.h>
#include <string.h>

#include "upstream/am.h"
#include "upstream/exchange.h"

static const sy_ms again = 60 * 1000, keep = 72 * 3600 * (sy_ms)1000;

typedef struct alertmanager {
    sy_road road;
    sy_exchange *x;
    sy_am am;
} alertmanager;

static alertmanager *of(sy_road *r)
{
    return (alertmanager *)r;
}

static sy_exchange *line(const sy_road *r)
{
    return ((const alertmanager *)r)->x;
}

static sy_err check(const sy_road_setup *o, sy_fail *f)
{
    sy_url unused;
    return sy_url_parse(o->url, &unused, f);
}

static void shut(sy_road *r)
{
    sy_exchange_close(of(r)->x);
    sy_am_fini(&of(r)->am);
    free(r);
}

static sy_err start(sy_road **out, const sy_road_setup *o, sy_fail *f)
{
    alertmanager *a = calloc(1, sizeof *a);
    if (!a)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a destination");
    const char *settle = sy_road_word_of(o, "settle");
    const sy_am_times times = {
        .settle = settle ? strtoll(settle, NULL, 10) : 0, .again = again, .keep = keep};
    a->road.ops = &sy_road_alertmanager;
    sy_am_init(&a->am, o->store, o->name, &times, o->egress);
    sy_err e = sy_exchange_open(&a->x, o, f);
    if (e != SY_OK) {
        shut(&a->road);
        return e;
    }
    *out = &a->road;
    return SY_OK;
}

static sy_err turn(sy_road *r, const char *url, sy_fail *f)
{
    return sy_exchange_turn(line(r), url, f);
}

static void begin(sy_road *r)
{
    sy_am_begin(&of(r)->am);
}

static sy_choice choose(sy_road *r, const sy_outbox_item *item, sy_arena *arena, sy_ms now)
{
    return sy_am_choose(&of(r)->am, item, arena, now) ? SY_CHOICE_GO : SY_CHOICE_LATER;
}

static sy_err post(alertmanager *a, sy_ms now, sy_reply *reply, sy_fail *f)
{
    return sy_exchange_post(a->x, "application/json", sy_buf_span(&a->am.body), now, reply, f);
}

static sy_err give(sy_road *r, const sy_batch *b, sy_reply *reply, sy_fail *f)
{
    sy_err e = sy_am_body(&of(r)->am, b->items, b->n, b->arena, b->now, f);
    return e != SY_OK ? e : post(of(r), b->now, reply, f);
}

static sy_err taken(sy_road *r, const sy_batch *b, sy_fail *f)
{
    return sy_am_taken(&of(r)->am, b->now, f);
}

/* It hears again what fires. Whatever it answers but a 2xx is a pause. */
static sy_err spare(sy_road *r, sy_arena *arena, sy_ms now, bool *did, sy_fail *f)
{
    size_t n = 0;
    sy_reply reply;
    sy_err e = sy_am_again(&of(r)->am, arena, now, &n, f);
    *did = e == SY_OK && n > 0;
    if (!*did)
        return e;
    e = post(of(r), now, &reply, f);
    if (e == SY_OK && reply.answer != SY_ANSWER_OK)
        e = sy_fail_set(f, SY_E_PEER, "%s", reply.text);
    return e != SY_OK ? e : sy_am_again_taken(&of(r)->am, f);
}

static sy_ms nap(sy_road *r, sy_ms now, sy_ms most)
{
    return sy_am_sleep(&of(r)->am, now, most);
}

static int fd_of(const sy_road *r)
{
    return sy_exchange_fd(line(r));
}

static void drop(sy_road *r)
{
    sy_exchange_drop(line(r));
}

/* It may have been started anew, and have forgotten. */
static void kick(sy_road *r)
{
    of(r)->am.next = 0;
}

static bool readable(sy_road *r)
{
    sy_exchange_check(line(r));
    kick(r);
    return true;
}

static void counts(const sy_road *r, unsigned *connects, unsigned *resumed)
{
    sy_exchange_counts(line(r), connects, resumed);
}

static const char *peer(const sy_road *r)
{
    return sy_exchange_peer(line(r));
}

const sy_road_ops sy_road_alertmanager = {
    .kind = "alertmanager",
    .most_events = SY_AM_BATCH,
    .check = check,
    .open = start,
    .close = shut,
    .turn = turn,
    .begin = begin,
    .choose = choose,
    .send = give,
    .taken = taken,
    .spare = spare,
    .sleep = nap,
    .fd = fd_of,
    .readable = readable,
    .drop = drop,
    .kick = kick,
    .counts = counts,
    .peer = peer,
};
