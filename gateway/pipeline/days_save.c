/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The days as bytes, little endian, in this order: the names that are used (u32 count, blobs in
 * the order of their bytes), the premises (u32 count; id blob, i64 next, i64 since, previous blob,
 * 32 bytes hash, u32 days; by day: i64 day, u32 told, i64 due, u32 raised, cleared, withdrawn, the
 * rows, the series). A row: u32 name, u8 bits (1 by close, 2 on trial, 4 whole day in order), and
 * where bit 4 is not set six i64 (from, to, in order, breach, exempt, outside). A series: u32 name,
 * u32 heard, u32 good. Rows and series are in the order of their names. Equal states give equal
 * bytes.
 */
#include <stdlib.h>

#include "pipeline/days_int.h"

enum { BY_CLOSE = 1, TRIAL = 2, WHOLE = 4, MOST = 1 << 22 };

typedef struct order { /* of names: what their bytes say */
    const struct sy_days_name **v;
    uint32_t *rank; /* by number; 0: not used, else 1 + place */
    size_t n;
} order;

static int by_text(const void *a, const void *b)
{
    const struct sy_days_name *x = *(const struct sy_days_name *const *)a,
                              *y = *(const struct sy_days_name *const *)b;
    int c = memcmp(x->text, y->text, x->n < y->n ? x->n : y->n);
    return c ? c : (x->n > y->n) - (x->n < y->n);
}

static void use(const sy_days *d, order *o, uint32_t name)
{
    if (!o->rank[name]) {
        o->rank[name] = 1;
        o->v[o->n++] = d->names[name];
    }
}

static bool order_of(const sy_days *d, order *o)
{
    o->n = 0;
    o->v = calloc(d->n_names + 1, sizeof *o->v);
    o->rank = calloc(d->n_names + 1, sizeof *o->rank);
    if (!o->v || !o->rank)
        return false;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->premises[i].n; k++) {
            const sy_day *x = &d->premises[i].days[k];
            for (size_t r = 0; r < x->n_rows; r++)
                use(d, o, x->rows[r].name);
            for (size_t r = 0; r < x->n_heard; r++)
                use(d, o, x->heard[r].name);
        }
    if (o->n)
        qsort(o->v, o->n, sizeof *o->v, by_text);
    for (size_t i = 0; i < o->n; i++)
        o->rank[o->v[i]->number] = (uint32_t)i + 1;
    return true;
}

static int by_row(const void *a, const void *b)
{
    const sy_day_row *x = a, *y = b;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

static int by_heard(const void *a, const void *b)
{
    const sy_day_heard *x = a, *y = b;
    return x->name < y->name ? -1 : x->name > y->name;
}

static void put_row(const sy_day *x, const sy_day_row *r, sy_buf *out)
{
    bool whole = r->from == x->from && r->to == x->to && r->in_order == r->to - r->from &&
                 !r->breach && !r->exempt && !r->outside;
    sy_buf_u32(out, r->name);
    sy_buf_u8(out, (uint8_t)((r->by_close ? BY_CLOSE : 0) | (r->trial ? TRIAL : 0) |
                             (whole ? WHOLE : 0)));
    if (whole)
        return;
    const sy_ms v[] = {r->from, r->to, r->in_order, r->breach, r->exempt, r->outside};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        sy_buf_u64(out, (uint64_t)v[i]);
}

/* Copies with the names' places in place of their numbers, in order. */
static void put_lists(const order *o, const sy_day *x, sy_buf *out)
{
    sy_day_row *rows = calloc(x->n_rows + 1, sizeof *rows);
    sy_day_heard *heard = calloc(x->n_heard + 1, sizeof *heard);
    out->failed = out->failed || !rows || !heard;
    for (size_t i = 0; rows && i < x->n_rows; i++) {
        rows[i] = x->rows[i];
        rows[i].name = o->rank[rows[i].name] - 1;
    }
    for (size_t i = 0; heard && i < x->n_heard; i++) {
        heard[i] = x->heard[i];
        heard[i].name = o->rank[heard[i].name] - 1;
    }
    if (!out->failed) {
        qsort(rows, x->n_rows, sizeof *rows, by_row);
        qsort(heard, x->n_heard, sizeof *heard, by_heard);
    }
    sy_buf_u32(out, (uint32_t)x->n_rows);
    for (size_t i = 0; rows && i < x->n_rows; i++)
        put_row(x, &rows[i], out);
    sy_buf_u32(out, (uint32_t)x->n_heard);
    for (size_t i = 0; heard && i < x->n_heard; i++) {
        sy_buf_u32(out, heard[i].name);
        sy_buf_u32(out, heard[i].heard);
        sy_buf_u32(out, heard[i].good);
    }
    free(rows);
    free(heard);
}

static void put_day(const order *o, const sy_day *x, sy_buf *out)
{
    sy_buf_u64(out, (uint64_t)x->day);
    sy_buf_u32(out, x->told);
    sy_buf_u64(out, (uint64_t)x->due);
    sy_buf_u32(out, x->raised);
    sy_buf_u32(out, x->cleared);
    sy_buf_u32(out, x->withdrawn);
    put_lists(o, x, out);
}

void sy_days_save(const sy_days *d, sy_buf *out)
{
    order o;
    if (!order_of(d, &o))
        out->failed = true;
    sy_buf_u32(out, (uint32_t)o.n);
    for (size_t i = 0; o.v && i < o.n; i++)
        sy_buf_blob(out, (sy_span){o.v[i]->text, o.v[i]->n});
    sy_buf_u32(out, (uint32_t)d->n);
    for (size_t i = 0; i < d->n && !out->failed; i++) {
        const sy_days_premises *p = &d->premises[i];
        sy_buf_blob(out, sy_span_of(p->id));
        sy_buf_u64(out, (uint64_t)p->next);
        sy_buf_u64(out, (uint64_t)p->since);
        sy_buf_blob(out, sy_span_of(p->previous));
        sy_buf_put(out, p->hash, sizeof p->hash);
        sy_buf_u32(out, (uint32_t)p->n);
        for (size_t k = 0; k < p->n; k++)
            put_day(&o, &p->days[k], out);
    }
    free(o.v);
    free(o.rank);
}

static uint32_t count(sy_rd *in, size_t least)
{
    uint32_t n = sy_rd_u32(in);
    if (n > MOST || (size_t)n * least > in->n)
        in->bad = true;
    return in->bad ? 0 : n;
}

static void get_row(sy_rd *in, const sy_day *x, sy_day_row *r)
{
    r->name = sy_rd_u32(in);
    uint8_t bits = sy_rd_u8(in);
    r->by_close = (bits & BY_CLOSE) != 0;
    r->trial = (bits & TRIAL) != 0;
    if (bits & WHOLE) {
        r->from = x->from;
        r->to = x->to;
        r->in_order = x->to - x->from;
        return;
    }
    r->from = (sy_ms)sy_rd_u64(in);
    r->to = (sy_ms)sy_rd_u64(in);
    r->in_order = (sy_ms)sy_rd_u64(in);
    r->breach = (sy_ms)sy_rd_u64(in);
    r->exempt = (sy_ms)sy_rd_u64(in);
    r->outside = (sy_ms)sy_rd_u64(in);
}

/* Names in the file are places in its list: `names` has their numbers. */
static sy_err get_lists(sy_rd *in, const uint32_t *names, uint32_t n_names, sy_day *x)
{
    uint32_t n = count(in, 5);
    x->rows = calloc((size_t)n + 1, sizeof *x->rows);
    if (!x->rows)
        return SY_E_NOMEM;
    x->cap_rows = (size_t)n + 1;
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        get_row(in, x, &x->rows[i]);
        if (in->bad || x->rows[i].name >= n_names)
            return SY_E_CORRUPT;
        x->rows[i].name = names[x->rows[i].name];
        x->n_rows++;
    }
    n = count(in, 12);
    x->heard = calloc((size_t)n + 1, sizeof *x->heard);
    if (!x->heard)
        return SY_E_NOMEM;
    x->cap_heard = (size_t)n + 1;
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        sy_day_heard *h = &x->heard[i];
        h->name = sy_rd_u32(in);
        h->heard = sy_rd_u32(in);
        h->good = sy_rd_u32(in);
        if (in->bad || h->name >= n_names)
            return SY_E_CORRUPT;
        h->name = names[h->name];
        x->n_heard++;
    }
    return in->bad ? SY_E_CORRUPT : SY_OK;
}

static sy_err get_day(sy_days *d, const sy_site *site, uint32_t premises, sy_rd *in,
                      const uint32_t *names, uint32_t n_names)
{
    int64_t day = (int64_t)sy_rd_u64(in);
    if (in->bad || day < 0 || day > 4000000)
        return SY_E_CORRUPT;
    size_t before = d->premises[premises].n;
    sy_day *x = sy_days_at(d, site, premises, day);
    if (!x)
        return SY_E_NOMEM;
    if (d->premises[premises].n == before)
        return SY_E_CORRUPT; /* twice */
    x->told = sy_rd_u32(in);
    x->due = (sy_ms)sy_rd_u64(in);
    x->raised = sy_rd_u32(in);
    x->cleared = sy_rd_u32(in);
    x->withdrawn = sy_rd_u32(in);
    return get_lists(in, names, n_names, x);
}

static sy_err get_premises(sy_days *d, const sy_site *site, uint32_t i, sy_rd *in,
                           const uint32_t *names, uint32_t n_names)
{
    sy_days_premises *p = &d->premises[i];
    sy_span id = sy_rd_blob(in);
    p->next = (int64_t)sy_rd_u64(in);
    p->since = (sy_ms)sy_rd_u64(in);
    sy_span previous = sy_rd_blob(in);
    if (in->bad || !sy_span_is(id, p->id) || previous.n >= sizeof p->previous)
        return SY_E_CORRUPT;
    memcpy(p->previous, previous.p, previous.n);
    p->previous[previous.n] = 0;
    for (size_t k = 0; k < sizeof p->hash; k++)
        p->hash[k] = sy_rd_u8(in);
    uint32_t n = count(in, 36);
    sy_err e = SY_OK;
    for (uint32_t k = 0; k < n && !e; k++)
        e = get_day(d, site, i, in, names, n_names);
    return e;
}

/* Three NULs, so that its parts can be told. */
static bool is_name(sy_span s)
{
    size_t nuls = 0;
    for (size_t i = 0; i < s.n; i++)
        nuls += s.p[i] == 0;
    return nuls == 3;
}

sy_err sy_days_load(sy_days *d, const sy_site *site, sy_rd *in)
{
    uint32_t n_names = count(in, 4);
    uint32_t *names = calloc((size_t)n_names + 1, sizeof *names);
    sy_err e = names ? SY_OK : SY_E_NOMEM;
    for (uint32_t i = 0; i < n_names && !e; i++) {
        sy_span text = sy_rd_blob(in);
        e = in->bad || !is_name(text) ? SY_E_CORRUPT : sy_days__name(d, text.p, text.n, &names[i]);
    }
    if (!e && (sy_rd_u32(in) != d->n || in->bad))
        e = SY_E_CORRUPT;
    for (uint32_t i = 0; i < d->n && !e; i++)
        e = get_premises(d, site, i, in, names, n_names);
    free(names);
    return !e && in->bad ? SY_E_CORRUPT : e;
}
