/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings on their way in. One that is newer than all of its series is the common case and goes to
 * the end of its run; only others are looked for first. Two values of one time make each other
 * uncertain; bad readings are no party to that.
 */
#include "store/seal_int.h"

/* A reading, and where it would go. */
typedef struct putting {
    uint32_t series;
    sy_sample x;
    sy_ms recv;
    uint64_t seq;
    sy_open *run;               /* of its stretch; NULL: there is none */
    sy_ms sealed_lo, sealed_hi; /* times of the chunks of the stretch */
    sy_put put;
} putting;

/* What is there at a time already. */
typedef struct at_time {
    const sy_hit *same; /* of the same value */
    bool other;         /* another one that is not bad */
} at_time;

static sy_err find_place(sy_store *s, putting *p, sy_fail *f)
{
    p->run = sy_open_find(&s->memory, p->series, p->x.t);
    if (p->run && p->run->ranged) {
        p->sealed_lo = p->run->sealed_lo;
        p->sealed_hi = p->run->sealed_hi;
        return SY_OK;
    }
    return sy_sealed_range(s, p->series, p->x.t, &p->sealed_lo, &p->sealed_hi, f);
}

static sy_err append(sy_store *s, putting *p, sy_fail *f)
{
    sy_err e = SY_OK;
    if (!p->run) {
        e = sy_seal_for_room(s, p->series, f);
        if (!e)
            e = sy_open_make(&s->memory, p->series, p->x.t, &p->run, f);
    }
    if (e)
        return e;
    p->run->sealed_lo = p->sealed_lo;
    p->run->sealed_hi = p->sealed_hi;
    p->run->ranged = true;
    return sy_open_add(&s->memory, p->run, &p->x, p->recv, p->seq, f);
}

static sy_err set_quality(sy_store *s, const putting *p, const sy_hit *h, sy_quality q, sy_fail *f)
{
    if (h->quality == q)
        return SY_OK;
    if (h->run)
        return sy_open_set(&s->memory, h->run, h->at, q, f);
    const sy_amend a = {.t = p->x.t, .value = h->value, .series = p->series, .quality = q};
    return sy_amend_add(&s->memory, &a, f);
}

static at_time look_at(const sy_hit *hits, size_t n, double value)
{
    at_time a = {0};
    for (size_t i = 0; i < n; i++) {
        if (sy_value_same(hits[i].value, value))
            a.same = &hits[i];
        else if ((hits[i].quality & SY_Q_GRADE) < SY_Q_BAD)
            a.other = true;
    }
    return a;
}

/* Everything at that time that is not bad contradicts something else there. */
static sy_err mark_conflict(sy_store *s, const putting *p, bool sealed, sy_fail *f)
{
    sy_hit *hits;
    size_t n;
    sy_err e = sy_hits(s, p->series, p->x.t, p->run, sealed, &hits, &n, f);
    for (size_t i = 0; i < n && !e; i++)
        if ((hits[i].quality & SY_Q_GRADE) < SY_Q_BAD)
            e = set_quality(s, p, &hits[i],
                            sy_quality_worsen(hits[i].quality, SY_Q_UNCERTAIN, SY_Q_CONFLICT), f);
    return e;
}

/* A reading at a time that may hold one already. */
static sy_err put_among(sy_store *s, putting *p, sy_fail *f)
{
    sy_hit *hits;
    size_t n;
    bool sealed = p->x.t >= p->sealed_lo && p->x.t <= p->sealed_hi;
    sy_err e = sy_hits(s, p->series, p->x.t, p->run, sealed, &hits, &n, f);
    if (e)
        return e;
    at_time a = look_at(hits, n, p->x.value);
    sy_quality grade = p->x.quality & SY_Q_GRADE;
    bool better =
        a.same && grade < (a.same->quality & SY_Q_GRADE) && !(a.same->quality & SY_Q_CONFLICT);
    bool known = a.same != NULL;
    p->put = known ? SY_PUT_DUPLICATE : SY_PUT_NEW;
    if (known && !better)
        return SY_OK;
    e = better ? set_quality(s, p, a.same, p->x.quality, f) : append(s, p, f);
    if (e || !a.other || grade == SY_Q_BAD)
        return e;
    if (!known)
        p->put = SY_PUT_CONFLICT;
    return mark_conflict(s, p, sealed, f);
}

static sy_err put_reading(sy_store *s, putting *p, sy_fail *f)
{
    sy_err e = sy_seal_idle(s, p->recv, f);
    if (!e)
        e = find_place(s, p, f);
    if (e)
        return e;
    sy_ms lo = p->sealed_lo, hi = p->sealed_hi;
    if (p->run) {
        lo = p->run->lo < lo ? p->run->lo : lo;
        hi = p->run->hi > hi ? p->run->hi : hi;
    }
    p->put = SY_PUT_NEW;
    bool apart = lo > hi || p->x.t < lo || p->x.t > hi;
    e = apart ? append(s, p, f) : put_among(s, p, f);
    if (!e && p->run && p->run->n >= SY_SEAL_N)
        e = sy_seal(s, p->run, f);
    return e;
}

sy_err sy_store_reading(sy_store *s, int64_t series, sy_ms t, double value, sy_quality q,
                        sy_ms recv, uint64_t seq, sy_put *put, sy_fail *f)
{
    sy_err e = sy_store__held(s, f);
    if (e)
        return e;
    if (!sy_series_of(&s->memory, series))
        return sy_fail_set(f, SY_E_RANGE, "store: no such series");
    putting p = {.series = (uint32_t)series,
                 .x = {.t = t, .value = value, .quality = q},
                 .recv = recv,
                 .seq = seq};
    pthread_mutex_lock(&s->memory.mu);
    e = put_reading(s, &p, f);
    pthread_mutex_unlock(&s->memory.mu);
    *put = p.put;
    return sy_store__fail(s, e);
}
