/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and sparklines. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "cli/term.h"

enum { GAP = 2 };

void sy_grid_init(sy_grid *g, const sy_grid_column *columns, size_t n)
{
    *g = (sy_grid){.column = columns, .n_columns = n};
    sy_arena_init(&g->arena, sy_heap(), 0);
}

void sy_grid_fini(sy_grid *g)
{
    sy_alloc heap = sy_heap();
    heap.resize(heap.ctx, g->cell, 0);
    sy_arena_fini(&g->arena);
}

void sy_grid_add(sy_grid *g, sy_ink ink, const char *text)
{
    const char *copy = sy_arena_text(&g->arena, sy_span_of(text ? text : ""));
    if (!copy || sy_grow(sy_heap(), (void **)&g->cell, &g->cap, g->n + 1, sizeof *g->cell)) {
        g->failed = true;
        return;
    }
    g->cell[g->n++] = (sy_grid_cell){copy, ink};
}

void sy_grid_addf(sy_grid *g, sy_ink ink, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sy_grid_add(g, ink, text);
}

/* Narrow the widest of those that may be, one column at a time. */
static void narrow(sy_grid *g, size_t columns)
{
    size_t all = (g->n_columns - 1) * GAP;
    for (size_t i = 0; i < g->n_columns; i++) {
        all += g->width[i];
    }
    while (all > columns) {
        size_t widest = g->n_columns;
        for (size_t i = 0; i < g->n_columns; i++) {
            bool may = g->column[i].least && g->width[i] > g->column[i].least;
            if (may && (widest == g->n_columns || g->width[i] > g->width[widest])) {
                widest = i;
            }
        }
        if (widest == g->n_columns) {
            return; /* the line is cut at its end */
        }
        g->width[widest]--;
        all--;
    }
}

static void fit(sy_grid *g, size_t columns)
{
    for (size_t i = 0; i < g->n_columns; i++) {
        g->width[i] = sy_utf8_width(sy_span_of(g->column[i].head));
    }
    for (size_t i = 0; i < g->n; i++) {
        size_t w = sy_utf8_width(sy_span_of(g->cell[i].text)), *most = &g->width[i % g->n_columns];
        *most = w > *most ? w : *most;
    }
    narrow(g, columns);
    g->fitted = true;
}

static void blanks(sy_buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sy_buf_char(out, ' ');
    }
}

/* One line; `cells` NULL: the head. */
static void put_line(const sy_grid *g, const sy_term *t, const sy_grid_cell *cells, sy_buf *out)
{
    size_t at = 0;
    for (size_t i = 0; i < g->n_columns && at < t->columns; i++) {
        const char *text = cells ? cells[i].text : g->column[i].head;
        size_t room = t->columns - at, width = g->width[i] < room ? g->width[i] : room;
        size_t needs = sy_utf8_width(sy_span_of(text));
        size_t left = g->column[i].right && needs < width ? width - needs : 0;
        blanks(out, left);
        size_t used = left + sy_term_put(t, out, cells ? cells[i].ink : SY_INK_BOLD, text, width);
        at += width;
        if (i + 1 < g->n_columns && at + GAP < t->columns) {
            blanks(out, width - used + GAP);
        }
        at += GAP;
    }
    sy_buf_char(out, '\n');
}

void sy_grid_put(sy_grid *g, const sy_term *t, sy_buf *out)
{
    if (g->failed || g->n_columns == 0) {
        out->failed = true;
        return;
    }
    if (!g->fitted) {
        fit(g, t->columns);
        put_line(g, t, NULL, out);
    }
    for (size_t i = 0; i + g->n_columns <= g->n; i += g->n_columns) {
        put_line(g, t, g->cell + i, out);
    }
    g->n = 0;
    sy_arena_fini(&g->arena);
    sy_arena_init(&g->arena, sy_heap(), 0);
}

/* ---- sparklines ---- */

static double mean_of(const double *v, size_t n)
{
    double sum = 0;
    size_t good = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(v[i])) {
            sum += v[i];
            good++;
        }
    }
    return good ? sum / (double)good : (double)NAN;
}

void sy_spark_put(sy_buf *out, const double *v, size_t n, size_t columns)
{
    static const char *const heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double least = INFINITY, most = -INFINITY;
    size_t each = columns && n > columns ? (n + columns - 1) / columns : 1;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n && columns; i += each) {
            double m = mean_of(v + i, i + each < n ? each : n - i);
            if (!pass) {
                least = isfinite(m) && m < least ? m : least;
                most = isfinite(m) && m > most ? m : most;
            } else if (!isfinite(m)) {
                sy_buf_char(out, ' ');
            } else {
                double share = most > least ? (m - least) / (most - least) : 0.5;
                sy_buf_text(out, heights[(size_t)(share * 7 + 0.5)]);
            }
        }
    }
}

void sy_spark_add(sy_spark *s, double value)
{
    if (!s->each) {
        s->each = 1;
    }
    s->sum += value;
    if (++s->in < s->each) {
        return;
    }
    if (s->n == SY_SPARK) {
        for (size_t i = 0; i < SY_SPARK / 2; i++) {
            s->v[i] = (s->v[2 * i] + s->v[2 * i + 1]) / 2;
        }
        s->n = SY_SPARK / 2;
        s->each *= 2;
    }
    if (s->in == s->each) {
        s->v[s->n++] = s->sum / (double)s->in;
        s->in = 0;
        s->sum = 0;
    }
}

void sy_spark_end(sy_spark *s)
{
    if (s->in && s->n < SY_SPARK) {
        s->v[s->n++] = s->sum / (double)s->in;
    }
    s->in = 0;
    s->sum = 0;
}
