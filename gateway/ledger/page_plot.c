/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plot of one point: 520 by 220 units, that scale to the width of the page. Coordinates are whole
 * tenths, computed with + - * / alone, so that the bytes are the same on every machine. Lines are
 * told apart by form, not by colour.
 */
#include <math.h>

#include "ledger/page_int.h"

enum { WIDTH = 520, HEIGHT = 220, LEFT = 62, RIGHT = 512, TOP = 10, BOTTOM = 188, DOTS = 150 };

typedef struct plot {
    const sy_page *p;
    const sy_page_point *v;
    sy_ms from, to;
    double lo, hi;
    sy_ms gap; /* no line over more than that */
} plot;

/* A coordinate with one digit behind the point. */
static void put(const plot *g, double x)
{
    long long tenths = (long long)(x * 10 + 0.5);
    sy_buf_printf(g->p->out, "%lld.%lld", tenths / 10, tenths % 10);
}

static double x_of(const plot *g, sy_ms t)
{
    t = t < g->from ? g->from : t > g->to ? g->to : t;
    return LEFT + (double)(t - g->from) / (double)(g->to - g->from) * (RIGHT - LEFT);
}

static double y_of(const plot *g, double v)
{
    return BOTTOM - (v - g->lo) / (g->hi - g->lo) * (BOTTOM - TOP);
}

static void widen(plot *g, double v)
{
    if (isfinite(v) && fabs(v) < 1e15) {
        g->lo = v < g->lo ? v : g->lo;
        g->hi = v > g->hi ? v : g->hi;
    }
}

static bool drawn(const plot *g, const sy_page_reading *r)
{
    return r->v >= g->lo && r->v <= g->hi; /* NaN is not */
}

static bool scale(plot *g, sy_ms onset)
{
    const sy_page_point *v = g->v;
    const json_t *limits = json_object_get(v->info, "limits");
    if (v->n == 0)
        return false;
    g->from = v->v[0].t;
    g->to = v->v[v->n - 1].t;
    if (onset != SY_MS_NONE && onset < g->from && g->from - onset < 400 * (sy_ms)86400000)
        g->from = onset;
    if (g->to - g->from < 60000)
        g->to = g->from + 60000;
    g->lo = INFINITY;
    g->hi = -INFINITY;
    for (size_t i = 0; i < v->n; i++)
        widen(g, v->v[i].v);
    for (size_t i = 0; i < json_array_size(limits); i++)
        widen(g, json_number_value(json_array_get(limits, i)));
    if (!(g->lo <= g->hi))
        return false;
    double margin = g->hi > g->lo ? (g->hi - g->lo) / 12 : 1;
    g->lo -= margin;
    g->hi += margin;
    sy_ms every = json_integer_value(json_object_get(v->info, "every"));
    g->gap = every > 0 && every < 86400000 ? 3 * every : SY_MS_MAX;
    return true;
}

static void text_at(const plot *g, double x, double y, const char *anchor)
{
    sy_page__raw(g->p, "<text x=\"");
    put(g, x);
    sy_page__raw(g->p, "\" y=\"");
    put(g, y);
    sy_buf_printf(g->p->out, "\" text-anchor=\"%s\">", anchor);
}

static void level(const plot *g, double v, const char *class)
{
    sy_buf_printf(g->p->out, "<path class=\"%s\" d=\"M%d ", class, LEFT);
    put(g, y_of(g, v));
    sy_buf_printf(g->p->out, "H%d\"/>", RIGHT);
    text_at(g, LEFT - 6, y_of(g, v) + 4, "end");
    sy_page__value(g->p, v, g->v->info);
    sy_page__raw(g->p, "</text>");
}

static void frame(const plot *g, sy_ms onset, sy_ms end)
{
    const json_t *limits = json_object_get(g->v->info, "limits");
    if (onset != SY_MS_NONE) {
        double from = x_of(g, onset), to = end == SY_MS_NONE ? RIGHT : x_of(g, end);
        sy_buf_printf(g->p->out, "<rect class=\"stretch\" y=\"%d\" height=\"%d\" x=\"", TOP,
                      BOTTOM - TOP);
        put(g, from);
        sy_page__raw(g->p, "\" width=\"");
        put(g, to > from ? to - from : 1);
        sy_page__raw(g->p, "\"/>");
    }
    sy_buf_printf(g->p->out, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>", LEFT, TOP, BOTTOM, RIGHT);
    for (size_t i = 0; i < json_array_size(limits); i++) {
        double v = json_number_value(json_array_get(limits, i));
        if (v >= g->lo && v <= g->hi)
            level(g, v, "limit");
    }
    const sy_ms times[] = {g->from, g->from + (g->to - g->from) / 2, g->to};
    static const char *const anchors[] = {"start", "middle", "end"};
    for (int i = 0; i < 3; i++) {
        text_at(g, x_of(g, times[i]), BOTTOM + 20, anchors[i]);
        char local[25];
        sy_ms t = times[i] + g->p->offset;
        sy_time_text(t < 0 ? 0 : t, local);
        sy_buf_printf(g->p->out, "%.5s %.5s</text>", local + 5, local + 11);
    }
}

/* The lowest and the highest, where no limit stands close by. */
static void extremes(const plot *g)
{
    double lo = INFINITY, hi = -INFINITY;
    const json_t *limits = json_object_get(g->v->info, "limits");
    for (size_t i = 0; i < g->v->n; i++) {
        if (drawn(g, &g->v->v[i])) {
            lo = g->v->v[i].v < lo ? g->v->v[i].v : lo;
            hi = g->v->v[i].v > hi ? g->v->v[i].v : hi;
        }
    }
    double ends[2] = {lo, hi};
    for (int k = 0; k < 2; k++) {
        bool close = !isfinite(ends[k]) || (k == 1 && y_of(g, lo) - y_of(g, hi) < 16);
        for (size_t i = 0; i < json_array_size(limits) && !close; i++) {
            double v = json_number_value(json_array_get(limits, i));
            close = fabs(y_of(g, v) - y_of(g, ends[k])) < 16;
        }
        if (!close)
            level(g, ends[k], "grid");
    }
}

static bool good(const sy_page_reading *r)
{
    return strncmp(r->q, "good", 4) == 0;
}

/* Good readings as a line, broken where one is missing; a state in steps. */
static void line(const plot *g)
{
    bool state = json_is_array(json_object_get(g->v->info, "words")), open = false;
    sy_ms last = SY_MS_NONE;
    double y = 0;
    sy_page__raw(g->p, "<path class=\"line\" d=\"");
    for (size_t i = 0; i < g->v->n; i++) {
        const sy_page_reading *r = &g->v->v[i];
        if (!drawn(g, r) || !good(r))
            continue;
        bool joined = open && (state || r->t - last <= g->gap);
        if (joined && state) {
            sy_page__raw(g->p, "H");
            put(g, x_of(g, r->t));
        }
        y = y_of(g, r->v);
        sy_page__raw(g->p, joined ? "L" : "M");
        put(g, x_of(g, r->t));
        sy_page__raw(g->p, " ");
        put(g, y);
        open = true;
        last = r->t;
    }
    sy_page__raw(g->p, "\"/>");
}

static void mark(const plot *g, const sy_page_reading *r)
{
    double x = x_of(g, r->t), y = drawn(g, r) ? y_of(g, r->v) : BOTTOM - 6;
    if (good(r)) {
        sy_page__raw(g->p, "<circle r=\"2\" cx=\"");
        put(g, x);
        sy_page__raw(g->p, "\" cy=\"");
        put(g, y);
        sy_page__raw(g->p, "\"/>");
        return;
    }
    bool bad = strncmp(r->q, "bad", 3) == 0;
    sy_page__raw(g->p, bad ? "<path class=\"bad\" d=\"M" : "<path class=\"unsure\" d=\"M");
    put(g, x);
    sy_page__raw(g->p, " ");
    put(g, y);
    sy_page__raw(g->p, bad ? "m-4-4l8 8m0-8l-8 8\"/>" : "m-4 3h8l-4-8z\"/>");
}

void sy_page__plot(const sy_page *p, const sy_page_point *v, sy_ms onset, sy_ms end)
{
    plot g = {.p = p, .v = v};
    if (!scale(&g, onset))
        return;
    sy_page__raw(p, "<figure><figcaption>");
    sy_page__name(p, sy_page__str(v->info, "quantity"));
    sy_page__raw(p, " · <bdi>");
    sy_page__text(p, sy_page__str(v->info, "point"));
    sy_buf_printf(p->out, "</bdi></figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH,
                  HEIGHT);
    frame(&g, onset, end);
    extremes(&g);
    line(&g);
    for (size_t i = 0; i < v->n; i++)
        if (v->n <= DOTS || !good(&v->v[i]))
            mark(&g, &v->v[i]);
    sy_page__raw(p, "\n</svg></figure>\n");
}
