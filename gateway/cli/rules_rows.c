/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded readings: taken into memory whole, then sorted where they are not in order.
 */
#include "cli/rules_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/csv.h"
#include "cli/stored.h"

static int names_order(const sy_site_point *p, sy_span device, sy_span name)
{
    sy_span have[2] = {sy_span_of(p->device), sy_span_of(p->name)};
    sy_span want[2] = {device, name};
    for (int k = 0; k < 2; k++) {
        size_t n = have[k].n < want[k].n ? have[k].n : want[k].n;
        int c = memcmp(have[k].p, want[k].p, n);
        if (c || have[k].n != want[k].n) {
            return c ? c : (have[k].n < want[k].n ? -1 : 1);
        }
    }
    return 0;
}

static int by_names(const void *a, const void *b, void *ctx)
{
    const sy_site_point *points = ctx;
    const sy_site_point *y = &points[*(const uint32_t *)b];
    return names_order(&points[*(const uint32_t *)a], sy_span_of(y->device), sy_span_of(y->name));
}

static sy_err index_points(sy_rows *b, sy_fail *f)
{
    size_t n = b->config->site->n_points;
    b->by_name = malloc((n + 1) * sizeof *b->by_name);
    if (!b->by_name) {
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    }
    for (uint32_t k = 0; k < n; k++) {
        b->by_name[k] = k;
    }
    qsort_r(b->by_name, n, sizeof *b->by_name, by_names,
            (void *)(uintptr_t)b->config->site->points);
    return SY_OK;
}

static bool find_point(const sy_rows *b, sy_span device, sy_span name, uint32_t *point)
{
    size_t lo = 0, hi = b->config->site->n_points;
    while (lo < hi) {
        size_t m = lo + (hi - lo) / 2;
        int c = names_order(&b->config->site->points[b->by_name[m]], device, name);
        if (c == 0) {
            *point = b->by_name[m];
            return true;
        }
        if (c < 0) {
            lo = m + 1;
        } else {
            hi = m;
        }
    }
    return false;
}

/* A state's word: the vocabulary's, or a further spelling of the device. */
static bool state_value(const sy_rows *b, uint32_t point, sy_span text, double *out)
{
    const sy_word *w =
        sy_vocab_id(b->config->vocab, sy_span_of(b->config->site->points[point].quantity));
    int v = w ? sy_word_value_find(w, text) : -1;
    const sy_config *c = b->config;
    for (size_t d = 0; v < 0 && d < c->n_devices; d++) {
        for (size_t k = 0; v < 0 && k < c->devices[d].n_channels; k++) {
            const sy_channel *ch = &c->devices[d].channels[k];
            for (size_t q = 0; ch->point == point && q < ch->n_states; q++) {
                v = sy_span_is(text, ch->states[q].text) ? ch->states[q].state : v;
            }
        }
    }
    *out = v;
    return v >= 0;
}

static sy_err keep(sy_rows *b, const sy_row *r, sy_fail *f)
{
    if (r->t < b->from || r->t > b->to || (r->quality & SY_Q_LATE)) { /* never judged live */
        return SY_OK;
    }
    if (sy_grow(sy_heap(), (void **)&b->v, &b->cap, b->n + 1, sizeof *b->v) != SY_OK) {
        return sy_fail_set(f, SY_E_NOMEM, "out of memory after %zu readings", b->n);
    }
    b->v[b->n++] = *r;
    return SY_OK;
}

/* As the gateway does with a reading: what is out of the physical range is bad. */
static void check_range(const sy_rows *b, sy_row *r)
{
    const sy_site_point *p = &b->config->site->points[r->point];
    if (!p->is_state && ((!isnan(p->range_lo) && r->value < p->range_lo) ||
                         (!isnan(p->range_hi) && r->value > p->range_hi))) {
        r->quality = sy_quality_worsen(r->quality, SY_Q_BAD, SY_Q_OUT_OF_RANGE);
    }
}

static void progress(const sy_csv *csv, bool end)
{
    uint64_t done, size;
    sy_csv_progress(csv, &done, &size);
    if (!isatty(STDERR_FILENO) || size == 0) {
        return;
    }
    fprintf(stderr, "\rreading %3u %%%s", (unsigned)(done * 100 / size), end ? "\n" : "");
}

static sy_err take_csv(sy_rows *b, const sy_csv_row *c, sy_fail *f)
{
    sy_row r = {.t = c->t, .quality = c->quality};
    if (!find_point(b, c->device, c->point, &r.point)) {
        b->no_point++;
        return SY_OK;
    }
    if (b->config->site->points[r.point].is_state) {
        if (!state_value(b, r.point, c->value, &r.value)) {
            b->no_word++;
            return SY_OK;
        }
    } else if (sy_double_parse(c->value, &r.value) != SY_OK) {
        b->no_word++;
        return SY_OK;
    }
    check_range(b, &r);
    return keep(b, &r, f);
}

static sy_err read_csv(sy_rows *b, const char *readings, sy_fail *f)
{
    sy_csv *csv;
    sy_csv_row c;
    bool end = false;
    uint64_t n = 0;
    sy_err e = sy_csv_open(&csv, readings, f);
    if (e) {
        return e;
    }
    while (!e) {
        e = sy_csv_next(csv, &c, &end, f);
        if (e || end) {
            break;
        }
        e = take_csv(b, &c, f);
        if (++n % 100000 == 0) {
            progress(csv, false);
        }
    }
    if (n >= 100000) {
        progress(csv, true);
    }
    sy_csv_close(csv);
    return e;
}

typedef struct storing {
    sy_rows *b;
    sy_fail *f;
    sy_err err;
} storing;

static bool take_stored(void *ctx, const sy_reading_row *s)
{
    storing *x = ctx;
    size_t lo = 0, hi = x->b->config->site->n_points;
    sy_row r = {.t = s->t, .quality = s->quality, .value = s->value};
    while (lo < hi) { /* points are sorted by series */
        size_t m = lo + (hi - lo) / 2;
        int c = strcmp(x->b->config->site->points[m].series, s->series);
        if (c == 0) {
            r.point = (uint32_t)m;
            x->err = keep(x->b, &r, x->f);
            return x->err == SY_OK;
        }
        lo = c < 0 ? m + 1 : lo;
        hi = c < 0 ? hi : m;
    }
    x->b->no_point++;
    return true;
}

static sy_err read_store(sy_rows *b, const char *data, sy_fail *f)
{
    sy_store *s;
    storing x = {.b = b, .f = f};
    sy_err e = sy_stored_readings(&s, data, f);
    if (e) {
        return e;
    }
    e = sy_store_readings(s, NULL, b->from == SY_MS_NONE ? 0 : b->from, b->to, take_stored, &x, f);
    sy_store_close(s);
    return e ? e : x.err;
}

static int by_time(const void *a, const void *b)
{
    const sy_row *x = a, *y = b;
    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    return x->point < y->point ? -1 : x->point > y->point;
}

static bool in_order(const sy_rows *b)
{
    for (size_t k = 1; k < b->n; k++) {
        if (by_time(&b->v[k - 1], &b->v[k]) > 0) {
            return false;
        }
    }
    return true;
}

sy_err sy_rows_read(sy_rows *r, const char *readings, const char *data, const char *command,
                    sy_fail *f)
{
    sy_err e = index_points(r, f);
    e = e ? e : (readings ? read_csv(r, readings, f) : read_store(r, data, f));
    if (e) {
        return e;
    }
    if (!in_order(r)) {
        qsort(r->v, r->n, sizeof *r->v, by_time);
    }
    if (r->no_point || r->no_word) {
        fprintf(stderr,
                "steelyard rules %s: left out: %llu readings of no point of the configuration, "
                "%llu whose value is no number or word of the point\n",
                command, (unsigned long long)r->no_point, (unsigned long long)r->no_word);
    }
    return SY_OK;
}

void sy_rows_fini(sy_rows *r)
{
    free(r->v);
    free(r->by_name);
}

sy_ms sy_rows_start(const sy_rows *r)
{
    return r->from != SY_MS_NONE ? r->from : (r->n ? r->v[0].t : 0);
}

static void judged(const sy_rows *r, size_t n)
{
    if (r->n >= 1000000 && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\rjudging %3u %%%s", (unsigned)(n * 100 / r->n), n == r->n ? "\n" : "");
    }
}

sy_err sy_rows_judge(const sy_rows *r, sy_judge *j)
{
    sy_err e = SY_OK;
    for (size_t k = 0; k < r->n && !e; k++) {
        const sy_row *x = &r->v[k];
        sy_verdict v;
        e = sy_judge_reading(j, x->point, x->t, x->value, x->quality, &v);
        if (!e && (k + 1 == r->n || r->v[k + 1].t > x->t)) {
            e = sy_judge_advance(j, x->t);
        }
        if ((k & 0xfffff) == 0) {
            judged(r, k);
        }
    }
    judged(r, r->n);
    if (!e && r->to != SY_MS_MAX) {
        e = sy_judge_advance(j, r->to);
    }
    return e ? e : sy_judge_finish(j);
}
