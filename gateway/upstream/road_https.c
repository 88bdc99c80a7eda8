/* SPDX-License-Identifier: Apache-2.0 */
/* The road of CloudEvents batches over https. */
#include <stdlib.h>
#include <string.h>

#include "upstream/exchange.h"

typedef struct https {
    sy_road road;
    sy_exchange *x;
} https;

static https *of(sy_road *r)
{
    return (https *)r;
}

static sy_exchange *line(const sy_road *r)
{
    return ((const https *)r)->x;
}

static sy_err check(const sy_road_setup *o, sy_fail *f)
{
    sy_url unused;
    return sy_url_parse(o->url, &unused, f);
}

static void shut(sy_road *r)
{
    sy_exchange_close(of(r)->x);
    free(r);
}

static sy_err start(sy_road **out, const sy_road_setup *o, sy_fail *f)
{
    https *h = calloc(1, sizeof *h);
    if (!h)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a destination");
    h->road.ops = &sy_road_https;
    sy_err e = sy_exchange_open(&h->x, o, f);
    if (e != SY_OK) {
        free(h);
        return e;
    }
    *out = &h->road;
    return SY_OK;
}

static sy_err turn(sy_road *r, const char *url, sy_fail *f)
{
    return sy_exchange_turn(line(r), url, f);
}

static sy_err give(sy_road *r, const sy_batch *b, sy_reply *reply, sy_fail *f)
{
    return sy_exchange_send(line(r), b, reply, f);
}

static int fd_of(const sy_road *r)
{
    return sy_exchange_fd(line(r));
}

static void drop(sy_road *r)
{
    sy_exchange_drop(line(r));
}

static bool readable(sy_road *r)
{
    sy_exchange_check(line(r));
    return false;
}

static void counts(const sy_road *r, unsigned *connects, unsigned *resumed)
{
    sy_exchange_counts(line(r), connects, resumed);
}

static const char *peer(const sy_road *r)
{
    return sy_exchange_peer(line(r));
}

const sy_road_ops sy_road_https = {
    .kind = "https",
    .ledger = true,
    .most_events = SY_BATCH_EVENTS,
    .most_bytes = SY_BATCH_BYTES,
    .check = check,
    .open = start,
    .close = shut,
    .turn = turn,
    .send = give,
    .fd = fd_of,
    .readable = readable,
    .drop = drop,
    .counts = counts,
    .peer = peer,
};
