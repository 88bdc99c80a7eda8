/* SPDX-License-Identifier: Apache-2.0 */
/* Faults, spikes, what is stuck, what is not calibrated. */
#include "pipeline/quality.h"

#include <math.h>
#include <stdlib.h>

#define TIME_MAX ((sy_ms)1 << 53)

static const sy_doubt fresh = {.newest = SY_MS_NONE,
                               .since = SY_MS_NONE,
                               .stuck_from = SY_MS_NONE,
                               .good_t = SY_MS_NONE,
                               .jump_t = SY_MS_NONE};

void sy_doubts_init(sy_doubts *d)
{
    *d = (sy_doubts){.site = NULL};
}

void sy_doubts_fini(sy_doubts *d)
{
    free(d->points);
    free(d->overdue);
    free(d->device_of);
    free(d->moves);
    free(d->points_of);
    free(d->watched);
    free(d->devices);
    sy_doubts_init(d);
}

/* ---- the site ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *device_name(const sy_site_point *p)
{
    return p->device ? p->device : "";
}

static uint32_t device_index(const sy_doubts *d, const char *name)
{
    const char *const *at =
        d->n_devices ? bsearch(&name, d->devices, d->n_devices, sizeof *d->devices, by_text) : NULL;
    return at ? (uint32_t)(at - (const char *const *)d->devices) : UINT32_MAX;
}

static const sy_site_due *calibration(const sy_site_due *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].what, "calibration") == 0)
            return &v[i];
    return NULL;
}

/* Its own date; else that of the place; else of the premises. */
sy_ms sy_calibrated_until(const sy_site *site, const sy_site_point *p)
{
    const sy_site_place *place = &site->places[p->place];
    const sy_site_premises *premises = &site->premises[place->premises];
    const sy_site_due *due = calibration(p->dues, p->n_dues);
    due = due ? due : calibration(place->dues, place->n_dues);
    due = due ? due : calibration(premises->dues, premises->n_dues);
    return due ? sy_zone_midnight(premises->zone, due->day + 1) : SY_MS_MAX;
}

static void name_devices(sy_doubts *d)
{
    const sy_site *site = d->site;
    for (size_t i = 0; i < site->n_points; i++)
        d->devices[i] = device_name(&site->points[i]);
    if (site->n_points)
        qsort(d->devices, site->n_points, sizeof *d->devices, by_text);
    for (size_t i = 0; i < site->n_points; i++)
        if (d->n_devices == 0 || strcmp(d->devices[d->n_devices - 1], d->devices[i]) != 0)
            d->devices[d->n_devices++] = d->devices[i];
    for (size_t i = 0; i < site->n_points; i++) {
        d->device_of[i] = device_index(d, device_name(&site->points[i]));
        d->points_of[d->device_of[i]] += !site->points[i].is_state;
        d->watched[d->device_of[i]] = d->watched[d->device_of[i]] || site->points[i].stuck > 0;
    }
}

static bool same_unit(const sy_site_point *a, const sy_site_point *b)
{
    return (!a->unit && !b->unit) || (a->unit && b->unit && strcmp(a->unit, b->unit) == 0);
}

/* Of other points nothing is kept, neither in a snapshot nor beyond an activation. */
static bool asked(const sy_doubts *d, size_t i)
{
    const sy_site_point *p = &d->site->points[i];
    return d->points[i].newest != SY_MS_NONE &&
           (d->watched[d->device_of[i]] || p->rate_per > 0 || p->n_faults > 0);
}

/* What the old site knew of the points that both have. */
static void carry(sy_doubts *to, const sy_doubts *from)
{
    const sy_site *a = to->site, *b = from->site;
    for (size_t k = 0; k < from->n_devices; k++) {
        uint32_t device = device_index(to, from->devices[k]);
        if (device != UINT32_MAX)
            to->moves[device] = from->moves[k];
    }
    for (size_t i = 0, k = 0; i < a->n_points; i++) {
        const sy_site_point *p = &a->points[i];
        while (k < b->n_points && strcmp(b->points[k].series, p->series) < 0)
            k++;
        const sy_site_point *q = k < b->n_points ? &b->points[k] : NULL;
        if (q && asked(from, k) && strcmp(q->series, p->series) == 0 && same_unit(p, q) &&
            strcmp(device_name(p), device_name(q)) == 0)
            to->points[i] = from->points[k];
    }
}

sy_err sy_doubts_site(sy_doubts *d, const sy_site *site)
{
    size_t n = site->n_points + 1;
    sy_doubts next = {.site = site,
                      .points = calloc(n, sizeof *next.points),
                      .overdue = calloc(n, sizeof *next.overdue),
                      .device_of = calloc(n, sizeof *next.device_of),
                      .moves = calloc(n, sizeof *next.moves),
                      .points_of = calloc(n, sizeof *next.points_of),
                      .watched = calloc(n, sizeof *next.watched),
                      .devices = calloc(n, sizeof *next.devices)};
    if (!next.points || !next.overdue || !next.device_of || !next.moves || !next.points_of ||
        !next.watched || !next.devices) {
        sy_doubts_fini(&next);
        return SY_E_NOMEM;
    }
    for (size_t i = 0; i < site->n_points; i++) {
        next.points[i] = fresh;
        next.overdue[i] = sy_calibrated_until(site, &site->points[i]);
    }
    name_devices(&next);
    if (d->site)
        carry(&next, d);
    sy_doubts_fini(d);
    *d = next;
    return SY_OK;
}

void sy_doubts_forget(sy_doubts *d)
{
    for (size_t i = 0; d->site && i < d->site->n_points; i++)
        d->points[i] = fresh;
}

/* ---- a reading ---- */

static bool same(double a, double b)
{
    return a >= b && a <= b;
}

/* A number went through a device's float: 327.67 may come as 327.670013. */
static bool written_as(double raw, double value)
{
    return fabs(raw - value) <= 1e-6 * fmax(1, fabs(value));
}

static bool is_fault(const sy_site_point *p, const sy_doubt *x, const sy_decoded *r)
{
    for (size_t i = 0; i < p->n_faults; i++) {
        const sy_site_fault *f = &p->faults[i];
        bool honest =
            !isnan(f->near) && x->good_t != SY_MS_NONE && fabs(r->value - x->good) <= f->near;
        if (written_as(r->raw, f->value) && !honest)
            return true;
    }
    return false;
}

/* Of one that is not newer than what is known: what it was called when it came first. */
static sy_quality again(const sy_doubt *x, const sy_decoded *r)
{
    if (x->stuck_from != SY_MS_NONE && r->t >= x->stuck_from && same(r->value, x->value))
        return SY_Q_STUCK;
    size_t n = x->n_spikes < SY_DOUBT_SPIKES ? x->n_spikes : SY_DOUBT_SPIKES;
    for (size_t i = 0; i < n; i++)
        if (x->spikes[i].t == r->t && same(x->spikes[i].value, r->value))
            return SY_Q_SPIKE;
    return 0;
}

static void count_move(const sy_site_point *p, sy_doubt *x, double value, uint32_t *moves)
{
    double step = p->resolution > 0 ? p->resolution * 1.000001 : 0;
    if (x->newest == SY_MS_NONE) {
        x->level = value;
    } else if (fabs(value - x->level) > step) {
        x->level = value;
        ++*moves;
    }
}

static bool is_stuck(const sy_doubts *d, const sy_site_point *p, sy_doubt *x, const sy_decoded *r)
{
    uint32_t device = d->device_of[r->point];
    sy_ms gap = 3 * p->every > p->stuck / 4 ? 3 * p->every : p->stuck / 4;
    bool on = x->newest != SY_MS_NONE && same(r->value, x->value) && r->t - x->newest <= gap;
    if (!on) {
        x->since = r->t;
        x->moves = d->moves[device];
        x->stuck_from = SY_MS_NONE;
    }
    bool others = d->moves[device] - x->moves >= SY_DOUBT_MOVES;
    bool alone = p->stuck_alone && d->points_of[device] == 1;
    if (p->stuck <= 0 || r->t - x->since < p->stuck || !(others || alone))
        return false;
    if (x->stuck_from == SY_MS_NONE)
        x->stuck_from = r->t;
    return true;
}

static bool beyond(const sy_site_point *p, double from, double to, sy_ms time)
{
    double periods = time > p->rate_per ? (double)time / (double)p->rate_per : 1;
    return fabs(to - from) > p->rate * periods + 1e-9 * fmax(fabs(from), fabs(to));
}

static bool is_spike(const sy_site_point *p, sy_doubt *x, const sy_decoded *r)
{
    bool jumps = p->rate_per > 0 && x->good_t != SY_MS_NONE &&
                 beyond(p, x->good, r->value, r->t - x->good_t);
    bool agrees = x->jump_t != SY_MS_NONE && !beyond(p, x->jump, r->value, r->t - x->jump_t);
    if (jumps && !agrees) {
        x->jump_t = r->t;
        x->jump = r->value;
        size_t at = x->n_spikes % SY_DOUBT_SPIKES;
        x->spikes[at].t = r->t;
        x->spikes[at].value = r->value;
        x->n_spikes =
            (uint8_t)(x->n_spikes + 1 < 2 * SY_DOUBT_SPIKES ? x->n_spikes + 1 : SY_DOUBT_SPIKES);
        return true;
    }
    x->good_t = r->t;
    x->good = r->value;
    x->jump_t = SY_MS_NONE;
    return false;
}

sy_quality sy_doubts_mark(sy_doubts *d, const sy_decoded *r)
{
    const sy_site_point *p = &d->site->points[r->point];
    sy_doubt *x = &d->points[r->point];
    sy_quality q = r->quality;
    if (r->t >= d->overdue[r->point])
        q |= SY_Q_UNCALIBRATED;
    if (p->is_state)
        return q;
    if (is_fault(p, x, r))
        return sy_quality_worsen(q & ~(sy_quality)SY_Q_OUT_OF_RANGE, SY_Q_BAD, SY_Q_DEVICE_FAULT);
    if ((q & SY_Q_GRADE) == SY_Q_BAD || !r->judged)
        return q;
    sy_quality bits = 0;
    if (x->newest != SY_MS_NONE && r->t <= x->newest) {
        bits = again(x, r);
    } else {
        count_move(p, x, r->value, &d->moves[d->device_of[r->point]]);
        if (is_stuck(d, p, x, r))
            bits |= SY_Q_STUCK;
        if (sy_quality_valid(q) && is_spike(p, x, r))
            bits |= SY_Q_SPIKE;
        x->newest = r->t;
        x->value = r->value;
    }
    return bits ? sy_quality_worsen(q, SY_Q_UNCERTAIN, bits) : q;
}

/* ---- saved ---- */

void sy_doubts_save(const sy_doubts *d, sy_buf *out)
{
    size_t n = d->site ? d->site->n_points : 0;
    sy_buf_u32(out, (uint32_t)d->n_devices);
    for (size_t i = 0; i < d->n_devices; i++)
        sy_buf_u32(out, d->moves[i]);
    for (uint32_t i = 0; i < n; i++) {
        const sy_doubt *x = &d->points[i];
        if (!asked(d, i))
            continue;
        sy_buf_u32(out, i);
        const sy_ms times[] = {x->newest, x->since, x->stuck_from, x->good_t, x->jump_t};
        for (size_t k = 0; k < sizeof times / sizeof *times; k++)
            sy_buf_u64(out, (uint64_t)times[k]);
        sy_buf_f64(out, x->value);
        sy_buf_f64(out, x->level);
        sy_buf_f64(out, x->good);
        sy_buf_f64(out, x->jump);
        sy_buf_u32(out, x->moves);
        sy_buf_u8(out, x->n_spikes);
        for (size_t k = 0; k < SY_DOUBT_SPIKES && k < x->n_spikes; k++) {
            sy_buf_u64(out, (uint64_t)x->spikes[k].t);
            sy_buf_f64(out, x->spikes[k].value);
        }
    }
    sy_buf_u32(out, UINT32_MAX);
}

static bool load_point(sy_doubt *x, sy_rd *in)
{
    bool sane = true;
    sy_ms *const times[] = {&x->newest, &x->since, &x->stuck_from, &x->good_t, &x->jump_t};
    for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
        *times[k] = (sy_ms)sy_rd_u64(in);
        sane = sane && (*times[k] == SY_MS_NONE || (*times[k] >= 0 && *times[k] <= TIME_MAX));
    }
    x->value = sy_rd_f64(in);
    x->level = sy_rd_f64(in);
    x->good = sy_rd_f64(in);
    x->jump = sy_rd_f64(in);
    x->moves = sy_rd_u32(in);
    x->n_spikes = sy_rd_u8(in);
    for (size_t k = 0; k < SY_DOUBT_SPIKES && k < x->n_spikes; k++) {
        x->spikes[k].t = (sy_ms)sy_rd_u64(in);
        x->spikes[k].value = sy_rd_f64(in);
    }
    return sane && x->newest != SY_MS_NONE && x->since != SY_MS_NONE;
}

sy_err sy_doubts_load(sy_doubts *d, sy_rd *in)
{
    if (sy_rd_u32(in) != d->n_devices)
        return SY_E_CORRUPT;
    for (size_t i = 0; i < d->n_devices; i++)
        d->moves[i] = sy_rd_u32(in);
    for (uint32_t i = sy_rd_u32(in); i != UINT32_MAX && !in->bad; i = sy_rd_u32(in)) {
        if (i >= d->site->n_points || !load_point(&d->points[i], in))
            return SY_E_CORRUPT;
    }
    return in->bad ? SY_E_CORRUPT : SY_OK;
}
