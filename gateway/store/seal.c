/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs of open samples become chunks: sorted by (time, value), encoded, hashed, a row and a leaf of
 * the ledger. And what is sealed, looked at again: where a reading comes at a time that a chunk may
 * have, that chunk is decoded, of which the last two are kept.
 */
#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/leaves.h"
#include "store/seal_int.h"

enum { KEPT = 2 };

typedef struct kept_chunk {
    uint64_t number; /* 0: none */
    size_t n;
    sy_sample v[SY_CHUNK_MAX];
} kept_chunk;

struct sy_seal_room {
    sy_sample sorted[SY_SEAL_N];
    kept_chunk kept[KEPT];
    size_t next; /* of kept, to be used again */
    sy_hit *hits;
    size_t n_hits, cap_hits;
};

struct sy_seal_room *sy_seal_room_open(void)
{
    return calloc(1, sizeof(struct sy_seal_room));
}

void sy_seal_room_close(struct sy_seal_room *r)
{
    if (r)
        free(r->hits);
    free(r);
}

static int by_time(const void *a, const void *b)
{
    const sy_sample *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return sy_value_order(x->value, y->value);
}

void sy_chunk_sum(const sy_sample *v, size_t n, sy_chunk_figures *out)
{
    *out = (sy_chunk_figures){.min = NAN, .max = NAN};
    for (size_t i = 0; i < n; i++) {
        double x = v[i].value;
        if (!sy_quality_valid(v[i].quality) || !isfinite(x))
            continue;
        if (out->valid == 0 || x < out->min)
            out->min = x;
        if (out->valid == 0 || x > out->max)
            out->max = x;
        out->sum += x;
        out->valid++;
    }
}

/* A number in decimal, at out; where it ends. */
static char *put_decimal(char *out, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

/* "t,value,quality", as the leaf of a chunk counts its samples. */
static size_t line_of(const sy_sample *v, char line[64])
{
    uint64_t bits;
    char *out = line;
    memcpy(&bits, &v->value, sizeof bits);
    if (v->t < 0)
        *out++ = '-';
    out = put_decimal(out, v->t < 0 ? 0 - (uint64_t)v->t : (uint64_t)v->t);
    *out++ = ',';
    for (int shift = 60; shift >= 0; shift -= 4)
        *out++ = "0123456789abcdef"[bits >> shift & 15];
    *out++ = ',';
    return (size_t)(put_decimal(out, v->quality) - line);
}

sy_digest sy_chunk_root(const sy_sample *v, size_t n)
{
    sy_merkle tree;
    sy_merkle_init(&tree);
    for (size_t i = 0; i < n; i++) {
        char line[64];
        sy_digest leaf = sy_merkle_leaf((sy_span){line, line_of(&v[i], line)});
        sy_merkle_add(&tree, &leaf);
    }
    return sy_merkle_root(&tree);
}

static sy_err put_leaf(sy_store *s, const sy_open *o, const sy_digest *root, uint64_t *index,
                       sy_fail *f)
{
    char hex[65];
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_digest_hex(root, hex);
    sy_buf_text(&b, "{\"leaf\":\"chunk\",\"series\":");
    sy_buf_json(&b, sy_span_of(s->memory.series[o->series - 1].series));
    sy_buf_printf(&b,
                  ",\"from\":%lld,\"to\":%lld,\"n\":%u,\"first_seq\":%llu,\"last_seq\":%llu,"
                  "\"root\":\"%s\"}",
                  (long long)o->lo, (long long)o->hi, o->n, (unsigned long long)o->first_seq,
                  (unsigned long long)o->last_seq, hex);
    sy_err e = b.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf")
                        : sy_store_leaf(s, sy_buf_span(&b), index, f);
    sy_buf_fini(&b);
    return e;
}

static void bind_or_null(sqlite3_stmt *st, int at, double x)
{
    if (isnan(x))
        sqlite3_bind_null(st, at);
    else
        sqlite3_bind_double(st, at, x);
}

/* All of a chunk's row but its leaf's index. */
typedef struct sealed_row {
    sy_chunk_figures figures;
    sy_digest root;
    size_t n;
    char bytes[];
} sealed_row;

static sy_err put_row(sy_store *s, const sy_open *o, sy_fail *f)
{
    uint64_t leaf = 0;
    const sealed_row *r = o->row;
    sy_err e = put_leaf(s, o, &r->root, &leaf, f);
    sqlite3_stmt *st = e ? NULL : sy_store__get(s, SY_SQL_CHUNK_ADD, f);
    if (!st)
        return e ? e : SY_E_IO;
    sy_store__bind(st, "iiiiii", (int64_t)o->number, (int64_t)o->series, o->lo, o->hi,
                   (int64_t)o->n, (int64_t)r->figures.valid);
    bind_or_null(st, 7, r->figures.min);
    bind_or_null(st, 8, r->figures.max);
    sqlite3_bind_double(st, 9, r->figures.sum);
    sqlite3_bind_int64(st, 10, (int64_t)o->first_seq);
    sqlite3_bind_int64(st, 11, (int64_t)o->last_seq);
    sqlite3_bind_int64(st, 12, (int64_t)leaf);
    sqlite3_bind_blob64(st, 13, r->root.b, sizeof r->root.b, SQLITE_STATIC);
    sqlite3_bind_blob64(st, 14, r->bytes, r->n, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    if (rc != SQLITE_DONE)
        e = sy_store__err(s->writer, rc, "write a chunk", f);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return e;
}

static const sy_sample *sort_run(sy_store *s, const sy_open *o)
{
    sy_sample *v = s->seal->sorted;
    for (uint32_t i = 0; i < o->n; i++)
        v[i] = (sy_sample){
            .t = sy_open_time(o, i), .value = o->v[i].value, .quality = o->v[i].quality};
    qsort(v, o->n, sizeof *v, by_time);
    return v;
}

/* Made again from the log, a chunk must be the one that is a row already; it is told where it is
 * not, and the row stays: the ledger speaks of it. What has expired is no row any more. */
static sy_err compare_row(sy_store *s, const sy_open *o, uint64_t number, sy_fail *f)
{
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_CHUNK_ROOT, f);
    if (!st)
        return SY_E_IO;
    sy_digest root = sy_chunk_root(sort_run(s, o), o->n);
    sy_store__bind(st, "ii", (int64_t)number, (int64_t)o->series);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW && (sqlite3_column_bytes(st, 0) != (int)sizeof root.b ||
                             memcmp(sqlite3_column_blob(st, 0), root.b, sizeof root.b) != 0)) {
        s->chunks_differ++;
        sy_log(SY_LOG_ERROR, "chunk-differs", "number=%llu series=%llu readings=%u",
               (unsigned long long)number, (unsigned long long)o->series, (unsigned)o->n);
    }
    sy_err e = rc == SQLITE_ROW || rc == SQLITE_DONE
                   ? SY_OK
                   : sy_store__err(s->writer, rc, "read chunks", f);
    sqlite3_reset(st);
    return e;
}

/* Encoded and hashed at once, so that writing many rows together takes no time. */
static sy_err make_row(sy_store *s, sy_open *o, sy_fail *f)
{
    const sy_sample *v = sort_run(s, o);
    sy_buf bytes;
    sy_buf_init(&bytes, sy_heap());
    sy_err e = sy_chunk_encode(v, o->n, &bytes, f);
    sealed_row *r = e || bytes.failed ? NULL : malloc(sizeof *r + bytes.n);
    if (r) {
        sy_chunk_sum(v, o->n, &r->figures);
        r->root = sy_chunk_root(v, o->n);
        r->n = bytes.n;
        memcpy(r->bytes, bytes.p, bytes.n);
        o->row = r;
    } else if (!e) {
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for a chunk");
    }
    sy_buf_fini(&bytes);
    return e;
}

sy_err sy_seal(sy_store *s, sy_open *o, sy_fail *f)
{
    sy_err e = SY_OK;
    uint64_t number = s->memory.chunks + 1;
    if (!s->read_only)
        e = number > s->disk_chunks ? make_row(s, o, f) : compare_row(s, o, number, f);
    if (!e)
        e = sy_open_seal(&s->memory, o, f);
    if (e && !o->number) {
        free(o->row);
        o->row = NULL;
    }
    return e;
}

bool sy_seal_must_write(const sy_store *s)
{
    enum { MOST_CHUNKS = 256, MOST_AMENDS = 4096 };
    return s->memory.n_sealed >= MOST_CHUNKS || s->memory.n_amends >= MOST_AMENDS;
}

static sy_err put_amend(sy_store *s, uint64_t number, const sy_amend *a, sy_fail *f)
{
    if (number <= s->disk_amended)
        return SY_OK;
    return sy_store__run(s, SY_SQL_AMEND_ADD, f, "iiidi", (int64_t)number, (int64_t)a->series, a->t,
                         a->value, (int64_t)a->quality);
}

sy_err sy_seal_write(sy_store *s, sy_fail *f)
{
    const sy_memory *m = &s->memory;
    sy_err e = sy_store__in_batch(s, f);
    for (; s->chunks_written < m->n_sealed && !e; s->chunks_written++)
        if (m->sealed[s->chunks_written]->row)
            e = put_row(s, m->sealed[s->chunks_written], f);
    for (; s->amends_written < m->n_amends && !e; s->amends_written++)
        e = put_amend(s, sy_amend_rows(m) + 1 + s->amends_written, &m->amends[s->amends_written],
                      f);
    if (!e)
        e = sy_store__run(s, SY_SQL_CHUNKS_SET, f, "i", (int64_t)m->chunks);
    if (!e)
        e = sy_store__run(s, SY_SQL_AMENDS_SET, f, "i", (int64_t)m->amended);
    s->rows_written = !e;
    return e;
}

static int64_t hour_of(sy_ms t)
{
    return t / SY_HOUR_MS - (t % SY_HOUR_MS < 0);
}

static bool is_idle(const sy_open *o, sy_ms now)
{
    /* A clock that was set back leaves runs with times to come: those are as far away. */
    uint64_t away = now > o->touched ? (uint64_t)now - (uint64_t)o->touched
                                     : (uint64_t)o->touched - (uint64_t)now;
    return away >= (uint64_t)SY_HOUR_MS * SY_IDLE_HOURS;
}

sy_err sy_seal_idle(sy_store *s, sy_ms now, sy_fail *f)
{
    sy_memory *m = &s->memory;
    int64_t hour = hour_of(now);
    sy_err e = SY_OK;
    if (hour == m->hour)
        return SY_OK;
    m->hour = hour;
    for (size_t i = 0; i < m->n_series && !e; i++)
        for (size_t k = m->series[i].n; k-- > 0 && !e;)
            if (is_idle(m->series[i].open[k], now))
                e = sy_seal(s, m->series[i].open[k], f);
    return e;
}

sy_err sy_seal_for_room(sy_store *s, uint32_t series, sy_fail *f)
{
    const sy_series *x = &s->memory.series[series - 1];
    if (x->n < SY_OPEN_RUNS)
        return SY_OK;
    sy_open *oldest = x->open[0];
    for (size_t i = 1; i < x->n; i++)
        if (x->open[i]->touched < oldest->touched)
            oldest = x->open[i];
    return sy_seal(s, oldest, f);
}

sy_err sy_sealed_range(sy_store *s, uint32_t series, sy_ms t, sy_ms *lo, sy_ms *hi, sy_fail *f)
{
    const sy_memory *m = &s->memory;
    uint64_t stretch = sy_stretch_of(series, t);
    *lo = SY_MS_MAX;
    *hi = SY_MS_NONE;
    for (size_t i = 0; i < m->n_sealed; i++) {
        const sy_open *o = m->sealed[i];
        if (o->series != series || o->stretch != stretch)
            continue;
        *lo = o->lo < *lo ? o->lo : *lo;
        *hi = o->hi > *hi ? o->hi : *hi;
    }
    sy_ms first = t < SY_MS_NONE + SY_STRETCH_MS ? SY_MS_NONE : t - SY_STRETCH_MS;
    sqlite3 *db = s->read_only ? s->reader : s->writer;
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_CHUNKS_RANGE, f);
    if (!st)
        return SY_E_IO;
    sy_store__bind(st, "iiii", (int64_t)series, first, sy_reach(t), (int64_t)sy_chunk_rows(m));
    int rc = sqlite3_step(st);
    sy_err e = rc == SQLITE_ROW ? SY_OK : sy_store__err(db, rc, "read chunks", f);
    if (!e && sqlite3_column_type(st, 0) != SQLITE_NULL) {
        sy_ms t0 = sqlite3_column_int64(st, 0), t1 = sqlite3_column_int64(st, 1);
        *lo = t0 < *lo ? t0 : *lo;
        *hi = t1 > *hi ? t1 : *hi;
    }
    sqlite3_reset(st);
    return e;
}

static sy_err add_hit(sy_store *s, const sy_hit *h, sy_fail *f)
{
    struct sy_seal_room *r = s->seal;
    if (sy_grow(sy_heap(), (void **)&r->hits, &r->cap_hits, r->n_hits + 1, sizeof *r->hits))
        return sy_fail_set(f, SY_E_NOMEM, "no memory to look for a reading");
    r->hits[r->n_hits++] = *h;
    return SY_OK;
}

static sy_err hits_in_run(sy_store *s, sy_open *o, sy_ms t, bool open, sy_fail *f)
{
    sy_err e = SY_OK;
    if (t < o->lo || t > o->hi)
        return SY_OK;
    for (uint32_t i = 0; i < o->n && !e; i++)
        if (sy_open_time(o, i) == t) {
            const sy_hit h = {open ? o : NULL, i, o->v[i].value, o->v[i].quality};
            e = add_hit(s, &h, f);
        }
    return e;
}

/* The chunk of the row that the statement stands on; NULL where it is damaged. */
static const kept_chunk *chunk_of(sy_store *s, sqlite3_stmt *st)
{
    struct sy_seal_room *r = s->seal;
    uint64_t number = (uint64_t)sqlite3_column_int64(st, 0);
    for (size_t i = 0; i < KEPT; i++)
        if (r->kept[i].number == number)
            return &r->kept[i];
    kept_chunk *k = &r->kept[r->next];
    sy_fail why = {0};
    sy_span bytes = {sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1)};
    k->number = 0;
    if (sy_chunk_decode(bytes, k->v, SY_CHUNK_MAX, &k->n, &why)) {
        sy_log(SY_LOG_ERROR, "chunk-damaged", "number=%llu error=\"%s\"",
               (unsigned long long)number, why.text);
        return NULL;
    }
    k->number = number;
    r->next = (r->next + 1) % KEPT;
    return k;
}

static sy_err hits_in_chunks(sy_store *s, uint32_t series, sy_ms t, sy_fail *f)
{
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_CHUNKS_AT, f);
    if (!st)
        return SY_E_IO;
    sy_store__bind(st, "iiii", (int64_t)series, t, sy_reach(t), (int64_t)sy_chunk_rows(&s->memory));
    sy_err e = SY_OK;
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const kept_chunk *k = chunk_of(s, st);
        for (size_t i = 0; k && i < k->n && !e; i++)
            if (k->v[i].t == t) {
                const sy_hit h = {NULL, 0, k->v[i].value, k->v[i].quality};
                e = add_hit(s, &h, f);
            }
    }
    if (!e && rc != SQLITE_DONE)
        e = sy_store__err(s->read_only ? s->reader : s->writer, rc, "read chunks", f);
    sqlite3_reset(st);
    return e;
}

static void amend_hits(sy_store *s, double value, sy_quality q)
{
    for (size_t i = 0; i < s->seal->n_hits; i++) {
        sy_hit *h = &s->seal->hits[i];
        if (!h->run && sy_value_same(h->value, value))
            h->quality = q;
    }
}

static sy_err lay_over(sy_store *s, uint32_t series, sy_ms t, sy_fail *f)
{
    const sy_memory *m = &s->memory;
    sy_err e = SY_OK;
    if (sy_amend_rows(m) > 0) {
        sqlite3_stmt *st = sy_store__get(s, SY_SQL_AMENDS_AT, f);
        if (!st)
            return SY_E_IO;
        sy_store__bind(st, "iii", t, (int64_t)series, (int64_t)sy_amend_rows(m));
        int rc;
        while ((rc = sqlite3_step(st)) == SQLITE_ROW)
            amend_hits(s, sy_store__value(st, 0), (sy_quality)sqlite3_column_int64(st, 1));
        if (rc != SQLITE_DONE)
            e = sy_store__err(s->read_only ? s->reader : s->writer, rc, "read amendments", f);
        sqlite3_reset(st);
    }
    for (size_t i = 0; i < m->n_amends; i++)
        if (m->amends[i].series == series && m->amends[i].t == t)
            amend_hits(s, m->amends[i].value, m->amends[i].quality);
    return e;
}

sy_err sy_hits(sy_store *s, uint32_t series, sy_ms t, sy_open *run, bool sealed, sy_hit **hits,
               size_t *n, sy_fail *f)
{
    s->seal->n_hits = 0;
    sy_err e = run ? hits_in_run(s, run, t, true, f) : SY_OK;
    for (size_t i = 0; sealed && i < s->memory.n_sealed && !e; i++)
        if (s->memory.sealed[i]->series == series)
            e = hits_in_run(s, s->memory.sealed[i], t, false, f);
    if (!e && sealed)
        e = hits_in_chunks(s, series, t, f);
    if (!e && sealed && s->seal->n_hits)
        e = lay_over(s, series, t, f);
    *hits = s->seal->hits;
    *n = s->seal->n_hits;
    return e;
}
