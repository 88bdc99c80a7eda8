/* SPDX-License-Identifier: Apache-2.0 */
/* See evidence_originals.h. A segment's tree is made once, level by level, so that each path costs
 * a look-up a level. */
#include "cli/evidence_originals.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "intake/sealed.h"
#include "ledger/prove.h"
#include "pipeline/decode.h"
#include "store/segments.h"

/* A message may have come so long before its readings' time (a clock ahead) and after it. */
enum { BEFORE_MS = 600000, AFTER_MS = 86400000 };

typedef struct wanted { /* a reading of the lists */
    const char *series;
    sy_ms t;
    double v;
} wanted;

typedef struct search {
    sy_evidence *e;
    sy_store *s;
    const char *data;
    json_t *lines; /* that wanted borrows from */
    wanted *list;
    size_t n, cap;
    sy_ms from, to;
    char set[65];
    bool replay, hit;
    sy_config *config;
    sy_registry *devices;
    sy_err err;
    sy_fail *f;
} search;

static int order(const void *a, const void *b)
{
    const wanted *x = a, *y = b;
    return x->t != y->t ? (x->t < y->t ? -1 : 1) : strcmp(x->series, y->series);
}

static sy_err want(search *x, const json_t *line)
{
    const char *series = json_string_value(json_object_get(line, "series"));
    const json_t *v = json_object_get(line, "v");
    if (!series || !json_is_number(v))
        return SY_OK;
    if (sy_grow(sy_heap(), (void **)&x->list, &x->cap, x->n + 1, sizeof *x->list))
        return sy_fail_set(x->f, SY_E_NOMEM, "no memory for the readings");
    sy_ms t = json_integer_value(json_object_get(line, "t"));
    x->list[x->n++] = (wanted){series, t, json_number_value(v)};
    x->from = t < x->from ? t : x->from;
    x->to = t > x->to ? t : x->to;
    return SY_OK;
}

static sy_err want_all(search *x)
{
    sy_err e = SY_OK;
    x->lines = json_array();
    for (size_t i = 0; i < x->e->n_events && !e; i++) {
        const sy_buf *b = &x->e->events[i].basis;
        for (size_t k = 0, from = 0; k < b->n && !e; k++) {
            if (b->p[k] != '\n')
                continue;
            json_t *line = json_loadb(b->p + from, k - from, 0, NULL);
            const char *set = json_string_value(json_object_get(line, "set"));
            if (set && strlen(set) == 64)
                memcpy(x->set, set, sizeof x->set);
            (void)json_array_append_new(x->lines, line);
            e = want(x, line);
            from = k + 1;
        }
    }
    if (x->n)
        qsort(x->list, x->n, sizeof *x->list, order);
    return e;
}

static sy_err on_reading(void *ctx, const sy_decoded *r)
{
    search *x = ctx;
    const wanted key = {.series = x->config->site->points[r->point].series, .t = r->t};
    const wanted *at = x->n ? bsearch(&key, x->list, x->n, sizeof *x->list, order) : NULL;
    if (!at)
        return SY_OK;
    while (at > x->list && order(at - 1, &key) == 0)
        at--;
    for (; at < x->list + x->n && order(at, &key) == 0; at++)
        x->hit = x->hit || at->v == r->value;
    return SY_OK;
}

/* The message holds a reading that is wanted. */
static bool holds(search *x, const sy_jrec *rec)
{
    const sy_decode_env env = {
        .config = x->config, .devices = x->devices, .now = rec->recv, .replay_clock = x->replay};
    sy_decode_sum sum;
    if (rec->type != SY_J_MESSAGE || rec->recv < x->from - BEFORE_MS ||
        rec->recv > x->to + AFTER_MS)
        return false;
    x->hit = false;
    /* What cannot be decoded holds nothing. */
    return sy_decode(&env, rec, on_reading, x, &sum) == SY_OK && x->hit;
}

/* A segment's tree: level 0 are its records. */
typedef struct tree {
    sy_digest *level[32];
    size_t n[32], cap;
} tree;

static sy_err get(void *ctx, unsigned level, uint64_t index, sy_digest *out)
{
    const tree *t = ctx;
    if (level >= 32 || index >= t->n[level])
        return SY_E_RANGE;
    *out = t->level[level][index];
    return SY_OK;
}

static sy_err raise_tree(tree *t)
{
    for (unsigned l = 1; l < 32 && t->n[l - 1] > 1; l++) {
        t->n[l] = t->n[l - 1] / 2;
        t->level[l] = calloc(t->n[l], sizeof *t->level[l]);
        if (!t->level[l])
            return SY_E_NOMEM;
        for (size_t i = 0; i < t->n[l]; i++)
            t->level[l][i] = sy_merkle_node(&t->level[l - 1][2 * i], &t->level[l - 1][2 * i + 1]);
    }
    return SY_OK;
}

static sy_err take(search *x, const unsigned char *bytes, size_t n, size_t index)
{
    sy_evidence_original *o = sy_evidence_add_original(x->e);
    if (!o)
        return SY_E_NOMEM;
    sy_buf_put(&o->record, bytes, n);
    o->index = index;
    o->segment = x->e->n_segments; /* the one that is added once it is read */
    return o->record.failed ? SY_E_NOMEM : SY_OK;
}

static sy_err read_records(search *x, sy_jwin *w, tree *t)
{
    sy_jrec rec;
    size_t off = SY_JSEG_HEADER, length = 0;
    sy_err e = SY_OK;
    while (!e && sy_jwin_record(w, off, &rec, &length) == SY_JFOUND_RECORD) {
        bool wants = holds(x, &rec);
        const unsigned char *bytes = sy_jwin_get(w, off, length);
        if (!bytes ||
            sy_grow(sy_heap(), (void **)&t->level[0], &t->cap, t->n[0] + 1, sizeof *t->level[0]))
            return SY_E_NOMEM;
        t->level[0][t->n[0]] = sy_merkle_leaf((sy_span){(const char *)bytes, length});
        if (wants)
            e = take(x, bytes, length, t->n[0]);
        t->n[0]++;
        off += length;
    }
    return e;
}

/* Drop what was taken of the segment that is read. */
static void drop(sy_evidence *e, size_t from)
{
    while (e->n_originals > from)
        sy_buf_fini(&e->originals[--e->n_originals].record);
}

static sy_err prove(search *x, const sy_segment_row *row, tree *t, size_t from)
{
    sy_evidence *e = x->e;
    sy_proof *p = NULL;
    sy_err err = raise_tree(t);
    if (!err && t->n[0] != row->records)
        err = SY_E_CORRUPT;
    for (size_t i = from; i < e->n_originals && !err; i++) {
        sy_evidence_original *o = &e->originals[i];
        o->records = row->records;
        err = sy_merkle_inclusion(get, t, o->index, row->records, &o->path);
    }
    if (!err && !(p = sy_evidence_add_segment(e)))
        err = SY_E_NOMEM;
    if (!err) {
        err = sy_prove_leaf(x->s, row->leaf, p, NULL);
        if (err)
            sy_proof_free(&e->segments[--e->n_segments]);
    }
    return err;
}

static sy_err read_segment(search *x, const sy_segment_row *row)
{
    char dir[PATH_MAX], path[PATH_MAX];
    const sy_segment_file file = {.kind = SY_SEG_SEALED, .first = row->first};
    size_t from = x->e->n_originals;
    tree t = {.cap = 0};
    sy_sealed *z = NULL;
    sy_jwin w;
    sy_jwin_init(&w);
    (void)snprintf(dir, sizeof dir, "%s/journal", x->data);
    int fd = sy_sealed_path(dir, &file, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    sy_err e = fd < 0 ? SY_E_NOTFOUND : sy_sealed_open(&z, fd, row->first, NULL);
    if (!e && !sy_sealed_seal(z))
        e = SY_E_CORRUPT;
    if (!e) {
        sy_jwin_sealed(&w, z, sy_sealed_seal(z)->salt, sy_sealed_size(z));
        e = read_records(x, &w, &t);
    }
    if (!e && x->e->n_originals > from)
        e = prove(x, row, &t, from);
    if (e)
        drop(x->e, from); /* the segment's records cannot be shown; the alert is proven without */
    for (size_t l = 0; l < 32; l++)
        free(t.level[l]);
    sy_jwin_fini(&w);
    sy_sealed_close(z);
    if (fd >= 0)
        close(fd);
    return e == SY_E_NOMEM ? sy_fail_set(x->f, e, "no memory for original records") : SY_OK;
}

static bool each_segment(void *ctx, const sy_segment_row *row)
{
    search *x = ctx;
    if (row->to >= x->from - BEFORE_MS && row->from <= x->to + AFTER_MS)
        x->err = read_segment(x, row);
    return !x->err;
}

static bool is_replay(const sy_evidence *e)
{
    json_t *body = json_loadb(e->events[0].body.p, e->events[0].body.n, 0, NULL);
    const char *clock = json_string_value(json_object_get(json_object_get(body, "data"), "clock"));
    bool replay = clock && strcmp(clock, "replay") == 0;
    json_decref(body);
    return replay;
}

sy_err sy_evidence_originals(sy_evidence *e, sy_store *s, const char *data, sy_fail *f)
{
    search x = {.e = e, .s = s, .data = data, .from = SY_MS_MAX, .to = 0, .f = f};
    sy_err err = want_all(&x);
    x.replay = e->n_events && is_replay(e);
    if (!err && x.n && sy_config_load_kept(data, x.set, &x.config, NULL) == SY_OK &&
        sy_config_registry(x.config, &x.devices, NULL) == SY_OK)
        err = sy_store_segments(s, each_segment, &x, f);
    if (x.devices)
        sy_registry_unref(x.devices);
    if (x.config)
        sy_config_unref(x.config);
    free(x.list);
    json_decref(x.lines);
    return err ? err : x.err;
}
