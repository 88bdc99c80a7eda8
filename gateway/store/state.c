/* SPDX-License-Identifier: Apache-2.0 */
/* Open samples between processes: saved with a snapshot, read at the next open, told to a tool. */
#include "base/log.h"
#include "store/seal_int.h"

static sy_err read_numbers(sy_store *s, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT name,value FROM counter", f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        const char *name = sy_query_text(&q, 0);
        uint64_t value = (uint64_t)sqlite3_column_int64(q.st, 1);
        if (name && strcmp(name, "journal_seq") == 0)
            s->position = value;
        else if (name && strcmp(name, "chunks") == 0)
            s->disk_chunks = value;
        else if (name && strcmp(name, "amended") == 0)
            s->disk_amended = value;
        for (int c = 0; name && c < SY_N_COUNTERS; c++)
            if (strcmp(name, sy_counter_name((sy_counter)c)) == 0)
                s->total[c] = value;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

static sy_err read_saved(sy_store *s, sy_fail *f)
{
    sy_query q;
    uint64_t seq = 0;
    sy_err e = sy_query_begin(&q, s, "SELECT seq,bytes FROM open_samples", f);
    if (e)
        return e;
    e = sy_query_next(&q, f);
    if (!e) {
        sy_span bytes = {sqlite3_column_blob(q.st, 1), (size_t)sqlite3_column_bytes(q.st, 1)};
        e = sy_memory_load(&s->memory, bytes, &seq, f);
        if (!e && seq > s->position)
            e = sy_fail_set(f, SY_E_CORRUPT, "store: the saved open samples are ahead of it");
    }
    sy_query_end(&q);
    s->open_seq = e ? 0 : seq;
    return e;
}

sy_err sy_store__load_open(sy_store *s, sy_fail *f)
{
    sy_fail why = {0};
    sy_err e = read_numbers(s, f);
    if (e)
        return e;
    e = read_saved(s, &why);
    if (!e || e == SY_E_NOTFOUND)
        return SY_OK;
    /* What SQLite itself says is about the whole store. */
    if ((e != SY_E_CORRUPT && e != SY_E_UNSUPPORTED) || why.sys) {
        if (f)
            *f = why;
        return e;
    }
    /* The log is read from its first record; what is in chunks is found there. */
    sy_log_fail(SY_LOG_ERROR, "open-samples-unusable", &why);
    sy_memory_clear(&s->memory);
    s->memory.chunks = s->disk_chunks;
    s->memory.amended = s->disk_amended;
    return SY_OK;
}

sy_err sy_store__save_open(sy_store *s, uint64_t seq, sy_fail *f)
{
    sy_buf bytes;
    sy_buf_init(&bytes, sy_heap());
    sy_err e = sy_seal_write(s, f);
    if (!e)
        e = sy_memory_save(&s->memory, seq, true, &bytes, f);
    sy_span span = sy_buf_span(&bytes);
    if (!e)
        e = sy_store__run(s, SY_SQL_OPEN_PUT, f, "ib", (int64_t)seq, &span);
    if (!e) {
        s->memory.dirty = false;
        s->saved_bytes = bytes.n;
    }
    sy_buf_fini(&bytes);
    return e;
}

sy_err sy_store__take_over(sy_store *s, sy_fail *f)
{
    sy_memory *m = &s->memory;
    sy_err e = sy_store__number(s, "SELECT coalesce(max(number),0) FROM chunk", &m->chunks, f);
    if (!e)
        e = sy_store__number(s, "SELECT coalesce(max(number),0) FROM amended", &m->amended, f);
    if (!e)
        e = sy_store__run(s, SY_SQL_CHUNKS_SET, f, "i", (int64_t)m->chunks);
    if (!e)
        e = sy_store__run(s, SY_SQL_AMENDS_SET, f, "i", (int64_t)m->amended);
    return e ? e : sy_store__save_open(s, 0, f);
}

sy_err sy_store_open_bytes(sy_store *s, sy_buf *out, sy_fail *f)
{
    pthread_mutex_lock(&s->memory.mu);
    sy_err e = sy_memory_save(&s->memory, s->open_seq, false, out, f);
    pthread_mutex_unlock(&s->memory.mu);
    return e;
}

sy_err sy_store_adopt(sy_store *s, sy_span bytes, sy_fail *f)
{
    uint64_t seq = 0;
    if (!s->read_only)
        return sy_fail_set(f, SY_E_USAGE, "store: only one opened to read adopts open samples");
    /* Series that were made since we read them. */
    sy_err e = sy_store__load_series(s, f);
    if (!e)
        e = sy_memory_load(&s->memory, bytes, &seq, f);
    if (!e)
        s->open_seq = seq;
    return e;
}

sy_err sy_store_go_on(sy_store *s, sy_fail *f)
{
    if (!s->read_only)
        return sy_fail_set(f, SY_E_USAGE, "store: it takes batches anyway");
    s->goes_on = true;
    return SY_OK;
}

void sy_store_open_figures(sy_store *s, sy_open_figures *out)
{
    *out = (sy_open_figures){0};
    pthread_mutex_lock(&s->memory.mu);
    for (size_t i = 0; i < s->memory.n_series; i++) {
        const sy_series *x = &s->memory.series[i];
        out->bytes += x->cap * sizeof(sy_open *);
        for (size_t k = 0; k < x->n; k++) {
            out->runs++;
            out->samples += x->open[k]->n;
            out->bytes += sizeof(sy_open) + x->open[k]->cap * sizeof(sy_open_sample);
        }
    }
    out->saved_bytes = s->saved_bytes;
    pthread_mutex_unlock(&s->memory.mu);
}
