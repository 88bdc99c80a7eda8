/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open samples as bytes: with a snapshot of the judge, and for a tool beside a running gateway.
 * docs/formats.md has the order of the fields. Equal states give equal bytes.
 */
#include "store/open_int.h"

#include <stdlib.h>

#include "base/hash.h"

enum { FORMAT = 1, MAX_RUNS = 1 << 20 };

typedef struct saver {
    sy_sample room[SY_SEAL_N];
    sy_buf bytes; /* of one run */
    sy_buf *out;
    sy_err err;
    sy_fail *f;
} saver;

static void put_run(saver *s, const sy_open *o)
{
    for (uint32_t i = 0; i < o->n; i++)
        s->room[i] = (sy_sample){
            .t = sy_open_time(o, i), .value = o->v[i].value, .quality = o->v[i].quality};
    sy_buf_reset(&s->bytes);
    if (!s->err)
        s->err = sy_chunk_encode(s->room, o->n, &s->bytes, s->f);
    sy_buf_u32(s->out, o->series);
    sy_buf_u64(s->out, (uint64_t)o->touched);
    sy_buf_u64(s->out, o->first_seq);
    sy_buf_u64(s->out, o->last_seq);
    sy_buf_blob(s->out, sy_buf_span(&s->bytes));
}

static void put_amends(saver *s, const sy_memory *m, size_t n)
{
    sy_buf_u32(s->out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        sy_buf_u32(s->out, m->amends[i].series);
        sy_buf_u64(s->out, (uint64_t)m->amends[i].t);
        sy_buf_f64(s->out, m->amends[i].value);
        sy_buf_u32(s->out, m->amends[i].quality);
    }
}

static void put_all(saver *s, const sy_memory *m, uint64_t seq, bool rows)
{
    size_t n_sealed = rows ? 0 : m->n_sealed, n_amends = rows ? 0 : m->n_amends;
    uint32_t runs = 0;
    for (size_t i = 0; i < m->n_series; i++)
        runs += (uint32_t)m->series[i].n;
    sy_buf_u8(s->out, FORMAT);
    sy_buf_u64(s->out, seq);
    sy_buf_u64(s->out, m->chunks - n_sealed);
    sy_buf_u64(s->out, m->amended - n_amends);
    sy_buf_u64(s->out, (uint64_t)m->hour);
    put_amends(s, m, n_amends);
    sy_buf_u32(s->out, (uint32_t)n_sealed);
    for (size_t i = 0; i < n_sealed; i++)
        put_run(s, m->sealed[i]);
    sy_buf_u32(s->out, runs);
    for (size_t i = 0; i < m->n_series; i++)
        for (size_t k = 0; k < m->series[i].n; k++)
            put_run(s, m->series[i].open[k]);
}

sy_err sy_memory_save(sy_memory *m, uint64_t seq, bool rows, sy_buf *out, sy_fail *f)
{
    size_t from = out->n;
    saver *s = calloc(1, sizeof *s);
    if (!s)
        return sy_fail_set(f, SY_E_NOMEM, "no memory to save open samples");
    s->out = out;
    s->f = f;
    sy_buf_init(&s->bytes, sy_heap());
    put_all(s, m, seq, rows);
    sy_err e = s->err;
    if (!e && (out->failed || s->bytes.failed))
        e = sy_fail_set(f, SY_E_NOMEM, "no memory to save open samples");
    if (!e)
        sy_buf_u32(out, sy_crc32c(0, out->p + from, out->n - from));
    if (!e && out->failed)
        e = sy_fail_set(f, SY_E_NOMEM, "no memory to save open samples");
    sy_buf_fini(&s->bytes);
    free(s);
    return e;
}

static sy_err damaged(sy_fail *f)
{
    return sy_fail_set(f, SY_E_CORRUPT, "store: the saved open samples are damaged");
}

static sy_err get_samples(sy_memory *m, sy_open *o, const sy_sample *v, size_t n, sy_fail *f)
{
    sy_ms touched = o->touched;
    uint64_t first = o->first_seq, last = o->last_seq;
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e; i++) {
        if (sy_stretch_of(o->series, v[i].t) != o->stretch)
            return damaged(f);
        e = sy_open_add(m, o, &v[i], touched, 0, f);
    }
    o->touched = touched;
    o->first_seq = first;
    o->last_seq = last;
    return e;
}

/* `sealed`: with the next number; else it is open. Runs of series that we do not know, which a
 * gateway made after we read them, are left out. */
static sy_err get_run(sy_memory *m, sy_rd *in, sy_sample *room, bool sealed, sy_fail *f)
{
    uint32_t series = sy_rd_u32(in);
    sy_open as = {.touched = (sy_ms)sy_rd_u64(in)};
    as.first_seq = sy_rd_u64(in);
    as.last_seq = sy_rd_u64(in);
    size_t n = 0;
    sy_err e = sy_chunk_decode(sy_rd_blob(in), room, SY_CHUNK_MAX, &n, f);
    if (e || in->bad || series == 0 || n == 0 || n > SY_SEAL_N)
        return e == SY_E_NOMEM ? e : damaged(f);
    if (!sy_series_of(m, series)) {
        m->chunks += sealed;
        return SY_OK;
    }
    if (sy_open_find(m, series, room[0].t) || m->series[series - 1].n >= SY_OPEN_RUNS)
        return damaged(f);
    sy_open *o = NULL;
    e = sy_open_make(m, series, room[0].t, &o, f);
    if (e)
        return e;
    o->touched = as.touched;
    o->first_seq = as.first_seq;
    o->last_seq = as.last_seq;
    e = get_samples(m, o, room, n, f);
    return !e && sealed ? sy_open_seal(m, o, f) : e;
}

static sy_err get_amends(sy_memory *m, sy_rd *in, sy_fail *f)
{
    uint32_t n = sy_rd_u32(in);
    sy_err e = n > MAX_RUNS ? damaged(f) : SY_OK;
    for (uint32_t i = 0; i < n && !e && !in->bad; i++) {
        sy_amend a = {.series = sy_rd_u32(in)};
        a.t = (sy_ms)sy_rd_u64(in);
        a.value = sy_rd_f64(in);
        a.quality = sy_rd_u32(in);
        e = sy_amend_add(m, &a, f);
    }
    return e;
}

static sy_err get_runs(sy_memory *m, sy_rd *in, sy_sample *room, bool sealed, sy_fail *f)
{
    uint32_t n = sy_rd_u32(in);
    sy_err e = n > MAX_RUNS ? damaged(f) : SY_OK;
    for (uint32_t i = 0; i < n && !e; i++)
        e = in->bad ? damaged(f) : get_run(m, in, room, sealed, f);
    return e;
}

sy_err sy_memory_load(sy_memory *m, sy_span bytes, uint64_t *seq, sy_fail *f)
{
    uint32_t crc = 0;
    sy_memory_clear(m);
    if (bytes.n < sizeof crc)
        return damaged(f);
    sy_rd tail = sy_rd_of((sy_span){bytes.p + bytes.n - sizeof crc, sizeof crc});
    bytes.n -= sizeof crc;
    sy_rd in = sy_rd_of(bytes);
    if (sy_rd_u32(&tail) != sy_crc32c(0, bytes.p, bytes.n))
        return damaged(f);
    if (sy_rd_u8(&in) != FORMAT)
        return sy_fail_set(f, SY_E_UNSUPPORTED,
                           "store: the saved open samples are of a format "
                           "that this program does not know");
    sy_sample *room = malloc(SY_CHUNK_MAX * sizeof *room);
    if (!room)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for open samples");
    *seq = sy_rd_u64(&in);
    m->chunks = sy_rd_u64(&in);
    m->amended = sy_rd_u64(&in);
    m->hour = (int64_t)sy_rd_u64(&in);
    sy_err e = get_amends(m, &in, f);
    if (!e)
        e = get_runs(m, &in, room, true, f);
    if (!e)
        e = get_runs(m, &in, room, false, f);
    if (!e && (in.bad || in.n))
        e = damaged(f);
    free(room);
    if (e)
        sy_memory_clear(m);
    m->n_undo = 0;
    m->dirty = false;
    return e;
}
