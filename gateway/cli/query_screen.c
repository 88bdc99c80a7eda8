/* SPDX-License-Identifier: Apache-2.0 */
/* Readings as they come go into a table that is written in parts; of each series a few numbers are
 * kept for its sparkline. */
#include "cli/query_screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PART_ROWS = 500, LINES = 64, HOUR_MS = 3600000, LATEST = 512, OTHERS = 44 };

typedef struct trend { /* of a series of numbers */
    char *series;
    const char *unit;
    double least, most;
    sy_spark spark;
} trend;

typedef struct latest { /* a row that is kept for the screen */
    sy_ms t;
    char series[200], value[80], quality[80];
    bool good;
} latest;

typedef struct sheet {
    const sy_stored_options *o;
    const sy_config *c;
    const sy_term *t;
    sy_grid grid;
    sy_buf out, quality;
    trend trend[LINES];
    size_t n_trends;
    latest *ring; /* NULL: rows go to the table at once */
    size_t room, n;
    bool watched; /* nothing is written before the end */
    sy_fail why;
    bool failed;
} sheet;

static const sy_grid_column reading_columns[] = {
    {"time", false, 20}, {"series", false, 8}, {"value", true, 4}, {"quality", false, 5}};
static const sy_grid_column bucket_columns[] = {{"time", false, 20},  {"readings", true, 0},
                                                {"lowest", true, 0},  {"mean", true, 0},
                                                {"highest", true, 0}, {"unit", false, 0}};

static void note(sheet *s, const char *series, const char *unit, double v)
{
    size_t i = 0;
    while (i < s->n_trends && strcmp(s->trend[i].series, series) != 0) {
        i++;
    }
    if (i == LINES || !isfinite(v)) {
        return;
    }
    trend *x = &s->trend[i];
    if (i == s->n_trends) {
        *x = (trend){.series = strdup(series), .unit = unit, .least = v, .most = v};
        if (!x->series) {
            s->failed = true;
            return;
        }
        s->n_trends++;
    }
    x->least = v < x->least ? v : x->least;
    x->most = v > x->most ? v : x->most;
    sy_spark_add(&x->spark, v);
}

static void flush(sheet *s)
{
    sy_grid_put(&s->grid, s->t, &s->out);
    s->failed = s->failed || !sy_stored_flush("query", &s->out);
}

static void add_row(sheet *s, const latest *x)
{
    char at[25];
    sy_time_text(x->t, at);
    sy_grid_add(&s->grid, SY_INK_DIM, at);
    sy_grid_add(&s->grid, SY_INK_NONE, x->series);
    sy_grid_add(&s->grid, SY_INK_BOLD, x->value);
    sy_grid_add(&s->grid, x->good ? SY_INK_GREEN : SY_INK_YELLOW, x->quality);
}

static bool take(void *ctx, const sy_reading_row *r)
{
    sheet *s = ctx;
    const sy_site_point *p = sy_stored_point(s->c, r->series);
    const char *word = sy_stored_word(s->c, r->series, r->value);
    const char *unit = p && !p->is_state && p->unit ? p->unit : "";
    latest one, *x = s->ring ? &s->ring[s->n % s->room] : &one;
    x->t = r->t;
    snprintf(x->series, sizeof x->series, "%.199s", r->series);
    if (word) {
        snprintf(x->value, sizeof x->value, "%.79s", word);
    } else {
        snprintf(x->value, sizeof x->value, "%.10g%s%.40s", r->value, unit[0] ? " " : "", unit);
        note(s, r->series, unit, r->value);
    }
    sy_buf_reset(&s->quality);
    sy_quality_text(r->quality, &s->quality);
    snprintf(x->quality, sizeof x->quality, "%.79s", s->quality.n ? s->quality.p : "");
    x->good = strncmp(x->quality, "good", 4) == 0;
    s->n++;
    if (!s->ring) {
        add_row(s, x);
        if (s->n % PART_ROWS == 0) {
            flush(s);
        }
    }
    return !s->failed;
}

static bool take_bucket(void *ctx, const sy_bucket *b)
{
    sheet *s = ctx;
    char at[25];
    const sy_site_point *p = sy_stored_point(s->c, s->o->series);
    const double v[] = {b->min, b->mean, b->max};
    sy_time_text(b->from, at);
    sy_grid_add(&s->grid, SY_INK_DIM, at);
    sy_grid_addf(&s->grid, SY_INK_NONE, "%llu", (unsigned long long)b->count);
    for (size_t i = 0; i < 3; i++) {
        sy_grid_addf(&s->grid, i == 1 ? SY_INK_BOLD : SY_INK_NONE, "%.6g", v[i]);
    }
    sy_grid_add(&s->grid, SY_INK_NONE, p && p->unit ? p->unit : "");
    note(s, s->o->series, p && p->unit ? p->unit : "", b->mean);
    s->n++;
    if (!s->watched && s->n % PART_ROWS == 0) {
        flush(s);
    }
    return !s->failed;
}

/* "series  lowest … highest unit" and the line of it. */
static void put_trends(sheet *s)
{
    static const sy_grid_column columns[] = {{"series", false, 8},
                                             {"lowest", true, 0},
                                             {"highest", true, 0},
                                             {"unit", false, 0},
                                             {"course", false, 0}};
    sy_grid g;
    sy_buf line;
    sy_buf_init(&line, sy_heap());
    sy_grid_init(&g, columns, 5);
    for (size_t i = 0; i < s->n_trends; i++) {
        trend *x = &s->trend[i];
        sy_spark_end(&x->spark);
        sy_buf_reset(&line);
        sy_spark_put(&line, x->spark.v, x->spark.n,
                     s->t->columns > OTHERS ? s->t->columns - OTHERS : 8);
        sy_grid_add(&g, SY_INK_NONE, x->series);
        sy_grid_addf(&g, SY_INK_NONE, "%.6g", x->least);
        sy_grid_addf(&g, SY_INK_NONE, "%.6g", x->most);
        sy_grid_add(&g, SY_INK_NONE, x->unit);
        sy_grid_add(&g, SY_INK_BLUE, line.n && !line.failed ? line.p : "");
    }
    if (s->n_trends) {
        sy_buf_char(&s->out, '\n');
        sy_grid_put(&g, s->t, &s->out);
    }
    sy_grid_fini(&g);
    sy_buf_fini(&line);
}

static void begin(sheet *s, const sy_stored_options *o, const sy_config *c, const sy_term *t)
{
    *s = (sheet){.o = o, .c = c, .t = t};
    sy_buf_init(&s->out, sy_heap());
    sy_buf_init(&s->quality, sy_heap());
    sy_grid_init(&s->grid, o->bucket ? bucket_columns : reading_columns, o->bucket ? 6 : 4);
}

static void end(sheet *s)
{
    for (size_t i = 0; i < s->n_trends; i++) {
        free(s->trend[i].series);
    }
    sy_grid_fini(&s->grid);
    sy_buf_fini(&s->quality);
    sy_buf_fini(&s->out);
    free(s->ring);
}

static sy_err read_all(sheet *s, sy_ms from)
{
    sy_store *store = NULL;
    const sy_stored_options *o = s->o;
    sy_err e = sy_stored_readings(&store, o->data, &s->why);
    if (e) {
        return e;
    }
    e = o->bucket
            ? sy_store_buckets(store, o->series, from, o->to, o->bucket, take_bucket, s, &s->why)
            : sy_store_readings(store, o->series, from, o->to, take, s, &s->why);
    sy_store_close(store);
    return e ? e : s->failed ? sy_fail_set(&s->why, SY_E_NOMEM, "out of memory") : SY_OK;
}

int sy_query_screen(const sy_stored_options *o, const sy_config *c, const sy_term *t)
{
    sheet *s = malloc(sizeof *s);
    if (!s) {
        return 1;
    }
    begin(s, o, c, t);
    sy_err e = read_all(s, o->from);
    if (!e) {
        flush(s);
        put_trends(s);
    }
    if (e) {
        fprintf(stderr, "steelyard query: %s\n", s->why.text);
    }
    int rc = e || s->failed || !sy_stored_flush("query", &s->out) || fflush(stdout) != 0;
    end(s);
    free(s);
    return rc;
}

typedef struct watching {
    const sy_stored_options *o;
    const sy_config *c;
    sy_fail why;
} watching;

static bool draw(void *ctx, const sy_term *t, sy_buf *out)
{
    watching *w = ctx;
    sheet *s = malloc(sizeof *s);
    if (!s) {
        return false;
    }
    begin(s, w->o, w->c, t);
    s->watched = true;
    s->room = t->rows > LATEST ? LATEST : t->rows / 2 + 1;
    s->ring = w->o->bucket ? NULL : calloc(s->room, sizeof *s->ring);
    sy_ms from = w->o->from == SY_MS_NONE ? sy_wall_ms() - HOUR_MS : w->o->from;
    sy_err e = w->o->bucket || s->ring ? read_all(s, from)
                                       : sy_fail_set(&s->why, SY_E_NOMEM, "out of memory");
    size_t first = s->n > s->room ? s->n - s->room : 0;
    for (size_t i = first; !e && s->ring && i < s->n; i++) {
        add_row(s, &s->ring[i % s->room]);
    }
    if (!e) {
        put_trends(s);
        sy_buf_char(&s->out, '\n');
        sy_grid_put(&s->grid, t, &s->out);
        sy_buf_span_put(out, sy_buf_span(&s->out));
    }
    w->why = s->why;
    bool good = !e && !s->out.failed;
    end(s);
    free(s);
    return good;
}

int sy_query_watch(const sy_stored_options *o, const sy_config *c)
{
    watching w = {.o = o, .c = c};
    int rc = sy_term_watch("query", draw, &w);
    if (rc == 1 && w.why.text[0]) {
        fprintf(stderr, "steelyard query: %s\n", w.why.text);
    }
    return rc;
}
