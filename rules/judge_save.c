/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge's state as bytes: little endian, in one order, with a checksum; equal states give equal
 * bytes. It names the rules and the site that it belongs to, since the layout follows from them.
 */
#include "base/hash.h"
#include "rules/judge_run.h"

enum { MAGIC = 0x314a5953, VERSION = 5, BEFORE_DAYS = 4 };

_Static_assert(sizeof(outcome) % 8 == 0 && sizeof(tally) % 8 == 0 && sizeof(state) % 8 == 0 &&
                   sizeof(measure) % 8 == 0 && sizeof(stretch) % 8 == 0 &&
                   sizeof(silence) % 8 == 0 && sizeof(cum) % 8 == 0 && sizeof(double) == 8,
               "a state consists of words");

static void hash_text(sy_sha256 *s, const char *text)
{
    unsigned char there = text != NULL;
    sy_sha256_add(s, &there, 1);
    if (text) {
        sy_sha256_add(s, text, strlen(text) + 1);
    }
}

static void hash_int(sy_sha256 *s, int64_t v)
{
    unsigned char b[8];
    for (int k = 0; k < 8; k++) {
        b[k] = (unsigned char)((uint64_t)v >> (8 * k));
    }
    sy_sha256_add(s, b, sizeof b);
}

/* All NaNs are one. */
static void hash_number(sy_sha256 *s, double v)
{
    int64_t bits = -1;
    if (v == v) {
        memcpy(&bits, &v, sizeof bits);
    }
    hash_int(s, bits);
}

static void hash_dues(sy_sha256 *s, const sy_site_due *dues, size_t n)
{
    hash_int(s, (int64_t)n);
    for (size_t k = 0; k < n; k++) {
        hash_text(s, dues[k].what);
        hash_int(s, dues[k].day);
    }
}

static void hash_calendars(sy_sha256 *s, const sy_site_premises *p)
{
    hash_int(s, (int64_t)p->n_calendars);
    for (size_t k = 0; k < p->n_calendars; k++) {
        const sy_site_calendar *c = &p->calendars[k];
        hash_text(s, c->name);
        hash_int(s, (int64_t)c->n_spans);
        for (size_t q = 0; q < c->n_spans; q++) {
            hash_int(s, c->spans[q].days);
            hash_int(s, c->spans[q].from);
            hash_int(s, c->spans[q].to);
        }
    }
    hash_int(s, (int64_t)p->n_swaps);
    for (size_t k = 0; k < p->n_swaps; k++) {
        hash_int(s, p->swaps[k].day);
        hash_int(s, p->swaps[k].as);
    }
}

/* What is saved: all (place ALL), or what belongs to one place. */
#define ALL_PLACES UINT32_MAX

static bool within(uint32_t place, uint32_t of)
{
    return place == ALL_PLACES || place == of;
}

static uint32_t place_of(const sy_judge *j)
{
    return j->o.one_place ? j->o.place : ALL_PLACES;
}

/* What judging depends on. */
static void site_hash(const sy_judge *j, uint32_t place, unsigned char out[32])
{
    const sy_site *site = j->o.site;
    sy_sha256 s;
    sy_sha256_init(&s);
    hash_text(&s, site->gateway);
    for (size_t k = 0; k < site->n_premises; k++) {
        const sy_site_premises *p = &site->premises[k];
        if (place != ALL_PLACES && site->places[place].premises != k) {
            continue;
        }
        hash_text(&s, p->id);
        hash_text(&s, p->subject);
        hash_text(&s, p->stage);
        hash_text(&s, p->zone ? p->zone->name : NULL);
        for (size_t q = 0; q < p->n_tiers; q++) {
            hash_text(&s, p->tiers[q].scheme);
            hash_text(&s, p->tiers[q].value);
        }
        hash_calendars(&s, p);
        hash_dues(&s, p->dues, p->n_dues);
    }
    hash_int(&s, place == ALL_PLACES ? (int64_t)site->n_places : 1);
    for (size_t k = 0; k < site->n_places; k++) {
        const sy_site_place *p = &site->places[k];
        if (!within(place, (uint32_t)k)) {
            continue;
        }
        hash_text(&s, p->id);
        hash_text(&s, p->kind);
        hash_text(&s, p->stage);
        hash_int(&s, place == ALL_PLACES ? (int64_t)p->premises : 0);
        for (size_t q = 0; q < p->n_goods; q++) {
            hash_text(&s, p->goods[q]);
        }
        hash_dues(&s, p->dues, p->n_dues);
    }
    hash_int(&s, place == ALL_PLACES ? (int64_t)site->n_points : -1);
    for (size_t k = 0; k < site->n_points; k++) {
        const sy_site_point *p = &site->points[k];
        if (!within(place, p->place)) {
            continue;
        }
        hash_text(&s, p->series);
        hash_text(&s, p->quantity);
        hash_text(&s, p->unit);
        hash_int(&s, p->is_state);
        hash_int(&s, p->every);
        hash_int(&s, p->delivery);
        hash_number(&s, p->accuracy);
        hash_number(&s, p->uncertainty);
        hash_number(&s, p->resolution);
        hash_dues(&s, p->dues, p->n_dues);
        hash_int(&s, place == ALL_PLACES ? (int64_t)p->place : 0);
    }
    sy_sha256_end(&s, out);
}

static void put_words(sy_buf *b, const void *p, size_t bytes)
{
    const unsigned char *from = p;
    for (size_t k = 0; k < bytes; k += 8) {
        uint64_t w;
        memcpy(&w, from + k, 8);
        sy_buf_u64(b, w);
    }
}

static void get_words(sy_rd *r, void *p, size_t bytes)
{
    unsigned char *to = p;
    for (size_t k = 0; k < bytes; k += 8) {
        uint64_t w = sy_rd_u64(r);
        memcpy(to + k, &w, 8);
    }
}

static void put_time(sy_buf *b, sy_ms t)
{
    sy_buf_u64(b, (uint64_t)t);
}

static sy_ms get_time(sy_rd *r)
{
    return (sy_ms)sy_rd_u64(r);
}

/* As much of it as the states from base on may ask for: equal states give equal bytes. */
static void put_history(sy_buf *b, const inst *i, uint32_t k)
{
    const history *h = &i->histories[k];
    size_t from = sy_judge__hist_after(h, sy_judge__history_needed(i, k, i->base->t)), n;
    from = from == h->n && from > 0 ? from - 1 : from;
    for (n = from; n < h->n; n++) {
        if (h->v[n].a > i->cur->t || (h->v[n].a == i->cur->t && h->v[n].b > i->cur->t)) {
            break;
        }
    }
    sy_buf_u32(b, (uint32_t)(n - from));
    for (size_t q = from; q < n; q++) {
        put_time(b, h->v[q].a);
        put_time(b, sooner(h->v[q].b, i->cur->t));
    }
}

static sy_err get_history(sy_judge *j, history *h, sy_rd *r)
{
    uint32_t n = sy_rd_u32(r);
    if (r->bad || (size_t)n * sizeof *h->v > r->n) {
        return SY_E_CORRUPT;
    }
    sy_err e = n ? sy_judge__grow(j, (void **)&h->v, &h->cap, n, sizeof *h->v) : SY_OK;
    if (e) {
        return e;
    }
    h->n = n;
    for (uint32_t k = 0; k < n; k++) {
        h->v[k].a = get_time(r);
        h->v[k].b = get_time(r);
        if (h->v[k].a > h->v[k].b || (k > 0 && h->v[k - 1].b > h->v[k].a)) {
            return SY_E_CORRUPT;
        }
    }
    return SY_OK;
}

static void put_inst(sy_buf *b, const inst *i)
{
    put_words(b, i->cur, st_bytes(i));
    put_words(b, i->mid, st_bytes(i));
    put_words(b, i->base, st_bytes(i));
    put_time(b, i->from);
    put_time(b, i->work_t);
    put_time(b, i->wake);
    put_time(b, i->due);
    sy_buf_u8(b, (uint8_t)((i->provisional ? 1 : 0) | (i->dirty ? 2 : 0)));
    sy_buf_u32(b, (uint32_t)i->n_recs);
    sy_buf_u32(b, (uint32_t)i->live);
    for (size_t k = 0; k < i->n_recs; k++) {
        const rec *r = &i->recs[k];
        sy_buf_u8(b, (uint8_t)((r->has_work ? 1 : 0) | (r->has_pub ? 2 : 0) | (r->stands ? 4 : 0)));
        put_time(b, r->replaces);
        put_words(b, &r->work, sizeof r->work);
        put_words(b, &r->pub, sizeof r->pub);
    }
    for (uint32_t k = 0; k < i->n_histories; k++) {
        put_history(b, i, k);
    }
}

static uint32_t instances_of(const sy_judge *j, uint32_t place)
{
    uint32_t n = 0;
    for (size_t k = 0; k < j->n_insts; k++) {
        n += within(place, j->insts[k].place);
    }
    return n;
}

static sy_err save(const sy_judge *j, uint32_t place, sy_buf *out)
{
    unsigned char site[32];
    size_t at = out->n;
    site_hash(j, place, site);
    sy_buf_u32(out, MAGIC);
    sy_buf_u16(out, VERSION);
    sy_buf_put(out, j->o.set->hash, 32);
    sy_buf_put(out, site, 32);
    put_time(out, j->o.start);
    put_time(out, j->now);
    sy_buf_u32(out, (uint32_t)j->n_restarts);
    put_words(out, j->restarts, j->n_restarts * sizeof *j->restarts);
    for (size_t p = 0; p < j->o.site->n_points; p++) {
        const point_log *l = &j->logs[p];
        if (within(place, j->o.site->points[p].place)) {
            sy_buf_u32(out, l->n);
            put_words(out, l->n ? l->e + l->head : NULL, l->n * sizeof *l->e);
        }
    }
    sy_buf_u32(out, instances_of(j, place));
    for (size_t k = 0; k < j->n_insts; k++) {
        if (within(place, j->insts[k].place)) {
            put_inst(out, &j->insts[k]);
        }
    }
    if (out->failed) {
        return SY_E_NOMEM;
    }
    sy_buf_u32(out, sy_crc32c(0, out->p + at, out->n - at));
    return out->failed ? SY_E_NOMEM : SY_OK;
}

sy_err sy_judge_save(const sy_judge *j, sy_buf *out)
{
    return save(j, place_of(j), out);
}

sy_err sy_judge_save_place(const sy_judge *j, uint32_t place, sy_buf *out)
{
    return save(j, place, out);
}

static sy_err get_log(sy_judge *j, point_log *l, sy_rd *r)
{
    uint32_t n = sy_rd_u32(r);
    if (r->bad || (size_t)n * sizeof *l->e > r->n) {
        return SY_E_CORRUPT;
    }
    if (n > l->cap) {
        entry *e = j->o.alloc.resize(j->o.alloc.ctx, l->e, n * sizeof *e);
        if (!e) {
            return SY_E_NOMEM;
        }
        j->bytes += (n - l->cap) * sizeof *e;
        l->e = e;
        l->cap = n;
    }
    l->head = 0;
    l->gone = 0;
    l->n = n;
    get_words(r, l->e, n * sizeof *l->e);
    for (uint32_t k = 1; k < n; k++) {
        if (e_time(&l->e[k - 1]) >= e_time(&l->e[k])) {
            return SY_E_CORRUPT;
        }
    }
    return SY_OK;
}

static sy_err get_recs(sy_judge *j, inst *i, sy_rd *r)
{
    uint32_t n = sy_rd_u32(r);
    uint32_t live = sy_rd_u32(r);
    if (r->bad || live > n || (size_t)n * (2 * sizeof(outcome)) > r->n) {
        return SY_E_CORRUPT;
    }
    sy_err e = n ? sy_judge__grow(j, (void **)&i->recs, &i->cap_recs, n, sizeof *i->recs) : SY_OK;
    if (e) {
        return e;
    }
    i->n_recs = n;
    i->live = live;
    for (uint32_t k = 0; k < n; k++) {
        rec *x = &i->recs[k];
        uint8_t flags = sy_rd_u8(r);
        x->has_work = flags & 1;
        x->has_pub = flags & 2;
        x->stands = flags & 4;
        x->replaces = get_time(r);
        get_words(r, &x->work, sizeof x->work);
        get_words(r, &x->pub, sizeof x->pub);
    }
    return SY_OK;
}

/* Version 4 had no days: they begin anew. */
static void get_state(const inst *i, state *s, sy_rd *r, bool days)
{
    const size_t before = offsetof(state, day);
    get_words(r, s, before);
    memset(&s->day, 0, sizeof s->day);
    if (days) {
        get_words(r, &s->day, sizeof s->day);
    }
    get_words(r, s->words, st_bytes(i) - sizeof *s);
}

static sy_err get_inst(sy_judge *j, inst *i, sy_rd *r, bool days)
{
    sy_ms wake;
    uint8_t flags;
    get_state(i, i->cur, r, days);
    get_state(i, i->mid, r, days);
    get_state(i, i->base, r, days);
    i->from = get_time(r);
    i->work_t = get_time(r);
    wake = get_time(r);
    i->due = get_time(r);
    flags = sy_rd_u8(r);
    i->provisional = flags & 1;
    i->dirty = flags & 2;
    sy_err e = get_recs(j, i, r);
    for (uint32_t k = 0; k < i->n_histories && !e; k++) {
        e = get_history(j, &i->histories[k], r);
    }
    if (!e) {
        sy_judge__wake(j, i, wake);
    }
    return e;
}

static sy_err get_body(sy_judge *j, sy_rd *r, bool days)
{
    sy_err e = SY_OK;
    j->n_changes = 0; /* what opening found is not of the state that is loaded */
    j->o.start = get_time(r);
    j->now = get_time(r);
    uint32_t n = sy_rd_u32(r);
    if (r->bad || (size_t)n * sizeof *j->restarts > r->n) {
        return SY_E_CORRUPT;
    }
    e = n ? sy_judge__grow(j, (void **)&j->restarts, &j->cap_restarts, n, sizeof *j->restarts)
          : SY_OK;
    if (e) {
        return e;
    }
    j->n_restarts = n;
    get_words(r, j->restarts, n * sizeof *j->restarts);
    for (size_t p = 0; p < j->o.site->n_points && !e; p++) {
        if (of_place(j, j->o.site->points[p].place)) {
            e = get_log(j, &j->logs[p], r);
        }
    }
    if (!e && sy_rd_u32(r) != j->n_insts) {
        e = SY_E_CORRUPT;
    }
    for (size_t k = 0; k < j->n_insts && !e; k++) {
        sy_judge__windows_forget(&j->insts[k]);
        e = get_inst(j, &j->insts[k], r, days);
    }
    return e ? e : (r->bad || r->n != 0 ? SY_E_CORRUPT : SY_OK);
}

sy_err sy_judge_load(sy_judge *j, sy_span bytes)
{
    unsigned char site[32], hash[2][32];
    if (bytes.n < 4 + 2 + 64 + 4) {
        return SY_E_CORRUPT;
    }
    sy_rd tail = sy_rd_of((sy_span){bytes.p + bytes.n - 4, 4});
    if (sy_rd_u32(&tail) != sy_crc32c(0, bytes.p, bytes.n - 4)) {
        return SY_E_CORRUPT;
    }
    sy_rd r = sy_rd_of((sy_span){bytes.p, bytes.n - 4});
    if (sy_rd_u32(&r) != MAGIC) {
        return SY_E_CORRUPT;
    }
    unsigned version = sy_rd_u16(&r);
    if (version != VERSION && version != BEFORE_DAYS) {
        return SY_E_UNSUPPORTED;
    }
    for (int h = 0; h < 2; h++) {
        for (int k = 0; k < 32; k++) {
            hash[h][k] = sy_rd_u8(&r);
        }
    }
    site_hash(j, place_of(j), site);
    if (memcmp(hash[0], j->o.set->hash, 32) != 0 || memcmp(hash[1], site, 32) != 0) {
        return SY_E_UNSUPPORTED;
    }
    return get_body(j, &r, version == VERSION);
}
