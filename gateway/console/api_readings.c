/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of one series for a plot: each of them where there are few, else stretches with their
 * smallest, mean and largest. Arrays side by side, since a plot wants them so. */
#include <math.h>

#include "console/api.h"
#include "pipeline/members.h"

enum { MOST_POINTS = 2000, DEFAULT_POINTS = 600 };

typedef struct columns {
    sy_buf t, v, lo, hi, q;
    size_t n, most;
    bool too_many;
} columns;

static void init(columns *c, size_t most)
{
    sy_buf_init(&c->t, sy_heap());
    sy_buf_init(&c->v, sy_heap());
    sy_buf_init(&c->lo, sy_heap());
    sy_buf_init(&c->hi, sy_heap());
    sy_buf_init(&c->q, sy_heap());
    c->n = 0;
    c->most = most;
    c->too_many = false;
}

static void fini(columns *c)
{
    sy_buf_fini(&c->t);
    sy_buf_fini(&c->v);
    sy_buf_fini(&c->lo);
    sy_buf_fini(&c->hi);
    sy_buf_fini(&c->q);
}

static void put_number(sy_buf *b, size_t n, double value)
{
    if (n) {
        sy_buf_char(b, ',');
    }
    sy_buf_double(b, value);
}

static void put_time(columns *c, sy_ms t)
{
    if (c->n) {
        sy_buf_char(&c->t, ',');
    }
    sy_buf_int(&c->t, t);
}

static bool take_reading(void *ctx, const sy_reading_row *r)
{
    columns *c = ctx;
    if (c->n == c->most) {
        c->too_many = true;
        return false;
    }
    put_time(c, r->t);
    put_number(&c->v, c->n, r->value);
    sy_buf_text(&c->q, c->n ? ",\"" : "\"");
    sy_quality_text(r->quality, &c->q);
    sy_buf_char(&c->q, '"');
    c->n++;
    return !c->t.failed && !c->q.failed;
}

static bool take_bucket(void *ctx, const sy_bucket *x)
{
    columns *c = ctx;
    put_time(c, x->from);
    put_number(&c->v, c->n, x->mean);
    put_number(&c->lo, c->n, x->min);
    put_number(&c->hi, c->n, x->max);
    c->n++;
    return !c->t.failed && !c->v.failed;
}

static void put_array(sy_buf *b, const char *name, const sy_buf *values)
{
    sy_member_key(b, name);
    sy_buf_char(b, '[');
    sy_buf_span_put(b, sy_buf_span(values));
    sy_buf_char(b, ']');
    b->failed = b->failed || values->failed;
}

/* A round length that gives at most `points` stretches. */
static sy_ms stretch_of(sy_ms span, int64_t points)
{
    static const sy_ms round[] = {1000,
                                  5000,
                                  15000,
                                  60000,
                                  300000,
                                  900000,
                                  3600000,
                                  10800000,
                                  21600000,
                                  86400000,
                                  7 * (sy_ms)86400000};
    size_t n = sizeof round / sizeof round[0];
    for (size_t i = 0; i < n; i++) {
        if (span / round[i] <= points) {
            return round[i];
        }
    }
    return 30 * (sy_ms)86400000;
}

typedef struct asked {
    const char *series;
    sy_ms from, to;
    int64_t points;
} asked;

static enum MHD_Result answer(sy_request *r, const asked *a, const sy_site_point *p)
{
    columns c;
    sy_fail f;
    sy_ms bucket = 0;
    init(&c, (size_t)a->points);
    sy_err e =
        sy_store_readings(r->console->store, a->series, a->from, a->to, take_reading, &c, &f);
    if (!e && c.too_many && !p->is_state) {
        fini(&c);
        init(&c, MOST_POINTS);
        bucket = stretch_of(a->to - a->from, a->points);
        e = sy_store_buckets(r->console->store, a->series, a->from, a->to, bucket, take_bucket, &c,
                             &f);
    }
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_char(&b, '{');
    sy_member_text(&b, "series", a->series);
    sy_member_text(&b, "unit", p->is_state ? NULL : p->unit);
    sy_member_int(&b, "from", a->from);
    sy_member_int(&b, "to", a->to);
    sy_member_int(&b, "bucket_ms", bucket);
    sy_member_key(&b, "cut");
    sy_buf_text(&b, c.too_many && p->is_state ? "true" : "false");
    put_array(&b, "t", &c.t);
    put_array(&b, "value", &c.v);
    put_array(&b, "lowest", &c.lo);
    put_array(&b, "highest", &c.hi);
    put_array(&b, "quality", &c.q);
    sy_buf_text(&b, "}\n");
    enum MHD_Result queued = e ? sy_answer_fail(r, &f) : sy_answer_json(r, MHD_HTTP_OK, &b);
    sy_buf_fini(&b);
    fini(&c);
    return queued;
}

enum MHD_Result sy_api_readings(sy_request *r)
{
    enum { DAY_MS = 86400000 };
    asked a = {.series = sy_request_arg(r, "series")};
    sy_ms now = sy_wall_ms();
    uint32_t point;
    if (!sy_request_time(r, "to", now, &a.to) ||
        !sy_request_time(r, "from", a.to - DAY_MS, &a.from) || a.from >= a.to ||
        !sy_request_number(r, "points", 10, MOST_POINTS, DEFAULT_POINTS, &a.points)) {
        return sy_answer_error(
            r, MHD_HTTP_BAD_REQUEST, "bad-request",
            "from and to are times (RFC 3339 or epoch ms), points is 10 to 2000");
    }
    sy_config *c = r->console->config(r->console->ctx);
    enum MHD_Result queued =
        a.series && sy_site_point_of(c->site, a.series, &point)
            ? answer(r, &a, &c->site->points[point])
            : sy_answer_error(r, MHD_HTTP_NOT_FOUND, "not-found", "there is no such series");
    sy_config_unref(c);
    return queued;
}
