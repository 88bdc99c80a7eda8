/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings of a recording as the messages that their device would have sent.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <cbor.h>

#include "base/utf8.h"
#include "cli/replay_int.h"

enum { ROWS_A_MESSAGE = 64, ITEM = 32 };

void sy_replay_step_init(sy_replay_step *s)
{
    *s = (sy_replay_step){0};
    sy_buf_init(&s->text, sy_heap());
    sy_buf_init(&s->payload, sy_heap());
}

void sy_replay_step_fini(sy_replay_step *s)
{
    free(s->rows);
    free(s->messages);
    sy_buf_fini(&s->text);
    sy_buf_fini(&s->payload);
}

void sy_replay_step_clear(sy_replay_step *s)
{
    s->n_rows = s->n_messages = 0;
    sy_buf_reset(&s->text);
    sy_buf_reset(&s->payload);
}

static bool mapped_time(const sy_device *d, const char **path)
{
    for (size_t i = 0; i < d->n_map; i++) {
        if (strcmp(d->map[i].name, "time") == 0) {
            *path = d->map[i].path;
            return true;
        }
    }
    return false;
}

bool sy_replay_timeless(const sy_device *d)
{
    const char *path;
    return strcmp(d->format, "number") == 0 ||
           (strcmp(d->format, "json") == 0 && !mapped_time(d, &path));
}

/* ---- one value ---- */

typedef struct reading_value {
    bool is_word;
    double number;
    sy_span word;
} reading_value;

static sy_err value_of(const sy_replay_step *s, const sy_replay_row *r, reading_value *v,
                       sy_fail *f)
{
    sy_span text = {s->text.p + r->value_at, r->value_n};
    *v = (reading_value){.word = text};
    if (sy_double_parse(text, &v->number) == SY_OK) {
        return SY_OK;
    }
    v->is_word = true;
    if (text.n == 0 || sy_utf8_check(text) != text.n) {
        return sy_fail_set(f, SY_E_PARSE, "%s/%s: a value that is neither a number nor a word",
                           r->device->id, r->channel->name);
    }
    return SY_OK;
}

/* RFC 8428 4.5.1: what a SenML name may hold. */
static bool senml_name(const char *name)
{
    static const char rest[] = "-:./_";
    for (const char *p = name; *p; p++) {
        bool alnum =
            (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
        if (!alnum && (p == name || !strchr(rest, *p))) {
            return false;
        }
    }
    return *name != '\0';
}

static sy_err senml_name_of(const sy_replay_message *m, const sy_replay_row *r, const char **name,
                            sy_fail *f)
{
    *name = senml_name(r->channel->name) ? r->channel->name : "value";
    if (*name != r->channel->name && (m->n_rows > 1 || m->device->n_channels > 1)) {
        return sy_fail_set(
            f, SY_E_UNSUPPORTED,
            "%s/%s: not a name that SenML can carry; its device has other points, so "
            "it cannot be left out",
            r->device->id, r->channel->name);
    }
    return SY_OK;
}

/* ---- SenML JSON ---- */

static sy_err senml_json(const sy_replay_step *s, const sy_replay_message *m, sy_buf *out,
                         sy_fail *f)
{
    sy_buf_char(out, '[');
    for (size_t i = 0; i < m->n_rows; i++) {
        const sy_replay_row *r = &s->rows[m->row + i];
        const char *name;
        reading_value v;
        sy_err e = senml_name_of(m, r, &name, f);
        e = e ? e : value_of(s, r, &v, f);
        if (e) {
            return e;
        }
        sy_buf_text(out, i ? ",{" : "{");
        if (i == 0) {
            sy_buf_printf(out, "\"bt\":%lld.%03d,", (long long)(r->t / 1000), (int)(r->t % 1000));
        }
        sy_buf_printf(out, "\"n\":\"%s\",", name);
        if (v.is_word) {
            sy_buf_text(out, "\"vs\":");
            sy_buf_json(out, v.word);
        } else {
            sy_buf_text(out, "\"v\":");
            sy_buf_double(out, v.number);
        }
        sy_buf_char(out, '}');
    }
    sy_buf_char(out, ']');
    return SY_OK;
}

/* ---- SenML CBOR ---- */

enum { CBOR_BT = -3, CBOR_N = 0, CBOR_V = 2, CBOR_VS = 3 };

static void put_key(sy_buf *out, int key)
{
    unsigned char b[ITEM];
    size_t n = key < 0 ? cbor_encode_negint((uint64_t)(-1 - key), b, sizeof b)
                       : cbor_encode_uint((uint64_t)key, b, sizeof b);
    sy_buf_put(out, b, n);
}

static void put_text(sy_buf *out, sy_span text)
{
    unsigned char b[ITEM];
    sy_buf_put(out, b, cbor_encode_string_start(text.n, b, sizeof b));
    sy_buf_span_put(out, text);
}

static void put_number(sy_buf *out, double v)
{
    unsigned char b[ITEM];
    sy_buf_put(out, b, cbor_encode_double(v, b, sizeof b));
}

static sy_err senml_cbor(const sy_replay_step *s, const sy_replay_message *m, sy_buf *out,
                         sy_fail *f)
{
    unsigned char b[ITEM];
    sy_buf_put(out, b, cbor_encode_array_start(m->n_rows, b, sizeof b));
    for (size_t i = 0; i < m->n_rows; i++) {
        const sy_replay_row *r = &s->rows[m->row + i];
        const char *name;
        reading_value v;
        sy_err e = senml_name_of(m, r, &name, f);
        e = e ? e : value_of(s, r, &v, f);
        if (e) {
            return e;
        }
        sy_buf_put(out, b, cbor_encode_map_start(i == 0 ? 3 : 2, b, sizeof b));
        if (i == 0) {
            put_key(out, CBOR_BT);
            put_number(out, (double)r->t / 1000.0);
        }
        put_key(out, CBOR_N);
        put_text(out, sy_span_of(name));
        put_key(out, v.is_word ? CBOR_VS : CBOR_V);
        if (v.is_word) {
            put_text(out, v.word);
        } else {
            put_number(out, v.number);
        }
    }
    return SY_OK;
}

/* ---- JSON by mapping ---- */

/* The next step of a path "$.a.b[0]": an index, or a name copied to key. */
static const char *path_step(const char *p, char *key, size_t size, long *index)
{
    *index = -1;
    key[0] = '\0';
    if (*p == '[') {
        char *end;
        *index = strtol(p + 1, &end, 10);
        return *end == ']' && *index >= 0 && *index < 1000 ? end + 1 : NULL;
    }
    p += *p == '.';
    size_t n = strcspn(p, ".[");
    if (n == 0 || n >= size) {
        return NULL;
    }
    memcpy(key, p, n);
    key[n] = '\0';
    return p + n;
}

static json_t *child(json_t *at, const char *key, long index)
{
    return index >= 0 ? json_array_get(at, (size_t)index) : json_object_get(at, key);
}

static bool put_child(json_t *at, const char *key, long index, json_t *value)
{
    if (index < 0) {
        return json_object_set_new(at, key, value) == 0;
    }
    while (json_array_size(at) <= (size_t)index) {
        if (json_array_append_new(at, json_null()) != 0) {
            json_decref(value);
            return false;
        }
    }
    return json_array_set_new(at, (size_t)index, value) == 0;
}

/* Takes the value. */
static bool set_path(json_t *root, const char *path, json_t *value)
{
    char key[128], next_key[128];
    long index, next_index;
    json_t *at = root;
    const char *p = path[0] == '$' ? path_step(path + 1, key, sizeof key, &index) : NULL;
    while (p && *p) {
        const char *after = path_step(p, next_key, sizeof next_key, &next_index);
        json_t *below = after ? child(at, key, index) : NULL;
        if (after && (!below || json_is_null(below))) {
            below = next_index >= 0 ? json_array() : json_object();
            if (!below || !put_child(at, key, index, below)) {
                after = NULL;
            }
        }
        at = below;
        p = after;
        memcpy(key, next_key, sizeof key);
        index = next_index;
    }
    if (!p || !value) {
        json_decref(value);
        return false;
    }
    return put_child(at, key, index, value);
}

static const char *map_path(const sy_device *d, const char *name)
{
    for (size_t i = 0; i < d->n_map; i++) {
        if (strcmp(d->map[i].name, name) == 0) {
            return d->map[i].path;
        }
    }
    return NULL;
}

static sy_err mapped_json(const sy_replay_step *s, const sy_replay_message *m, sy_buf *out,
                          sy_fail *f)
{
    json_t *root = json_object();
    const char *path;
    char time[25];
    sy_err e = root ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for a message");
    if (!e && mapped_time(m->device, &path)) {
        sy_time_text(s->rows[m->row].t, time);
        if (!set_path(root, path, json_string(time))) {
            e = sy_fail_set(f, SY_E_USAGE, "device %s: cannot write to the path %s", m->device->id,
                            path);
        }
    }
    for (size_t i = 0; i < m->n_rows && !e; i++) {
        const sy_replay_row *r = &s->rows[m->row + i];
        reading_value v;
        e = value_of(s, r, &v, f);
        const char *to = map_path(m->device, r->channel->name);
        char whole[160];
        if (!to && m->device->n_map == 0) {
            snprintf(whole, sizeof whole, "$.%.150s", r->channel->name);
            to = whole;
        }
        if (!e && (!to ||
                   !set_path(root, to,
                             v.is_word ? json_stringn(v.word.p, v.word.n) : json_real(v.number)))) {
            e = sy_fail_set(f, SY_E_USAGE, "device %s: no path that can be written for %s",
                            m->device->id, r->channel->name);
        }
    }
    char *text = e ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (!e && !text) {
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for a message");
    }
    sy_buf_text(out, text ? text : "");
    free(text);
    json_decref(root);
    return e;
}

/* ---- a bare number ---- */

static sy_err bare_number(const sy_config *c, const sy_replay_step *s, const sy_replay_message *m,
                          sy_buf *out, sy_fail *f)
{
    const sy_replay_row *r = &s->rows[m->row];
    reading_value v;
    sy_err e = value_of(s, r, &v, f);
    if (e) {
        return e;
    }
    if (m->n_rows > 1) {
        return sy_fail_set(f, SY_E_USAGE,
                           "device %s sends one number, and has %zu readings at once",
                           m->device->id, m->n_rows);
    }
    if (v.is_word) {
        const sy_site_point *p = &c->site->points[r->channel->point];
        const sy_word *w = sy_vocab_id(c->vocab, sy_span_of(p->quantity));
        int state = w ? sy_word_value_find(w, v.word) : -1;
        if (state < 0) {
            return sy_fail_set(f, SY_E_USAGE, "device %s: \"%.*s\" is no number and no state",
                               m->device->id, (int)v.word.n, v.word.p);
        }
        v.number = state;
    }
    sy_buf_double(out, v.number);
    return SY_OK;
}

/* ---- messages ---- */

static int by_time(const void *a, const void *b)
{
    const sy_replay_row *x = a, *y = b;
    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    if (x->device != y->device) {
        return x->device < y->device ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

/* A row joins a message unless its point is in there already. */
static bool joins(const sy_replay_step *s, const sy_replay_message *m, const sy_replay_row *r)
{
    const sy_replay_row *first = &s->rows[m->row];
    if (first->device != r->device || first->t != r->t || m->n_rows >= ROWS_A_MESSAGE) {
        return false;
    }
    for (size_t i = 0; i < m->n_rows; i++) {
        if (s->rows[m->row + i].channel == r->channel) {
            return false;
        }
    }
    return true;
}

static sy_err encode_one(const sy_config *c, sy_replay_step *s, sy_replay_message *m, sy_fail *f)
{
    const char *format = m->device->format;
    m->at = s->payload.n;
    sy_err e;
    if (strcmp(format, "senml-json") == 0) {
        e = senml_json(s, m, &s->payload, f);
    } else if (strcmp(format, "senml-cbor") == 0) {
        e = senml_cbor(s, m, &s->payload, f);
    } else if (strcmp(format, "json") == 0) {
        e = mapped_json(s, m, &s->payload, f);
    } else if (strcmp(format, "number") == 0) {
        e = bare_number(c, s, m, &s->payload, f);
    } else {
        e = sy_fail_set(f, SY_E_UNSUPPORTED, "device %s: replay does not write the format %s",
                        m->device->id, format);
    }
    m->n = s->payload.n - m->at;
    return e;
}

sy_err sy_replay_encode(const sy_config *c, sy_replay_step *s, sy_fail *f)
{
    qsort(s->rows, s->n_rows, sizeof *s->rows, by_time);
    void *data = s->messages;
    sy_err e = sy_grow(sy_heap(), &data, &s->cap_messages, s->n_rows + 1, sizeof *s->messages);
    s->messages = data;
    if (e) {
        return sy_fail_set(f, e, "no memory for the messages");
    }
    s->n_messages = 0;
    for (size_t i = 0; i < s->n_rows; i++) {
        sy_replay_message *last = s->n_messages ? &s->messages[s->n_messages - 1] : NULL;
        if (last && joins(s, last, &s->rows[i])) {
            last->n_rows++;
        } else {
            s->messages[s->n_messages++] =
                (sy_replay_message){.device = s->rows[i].device, .row = i, .n_rows = 1};
        }
    }
    for (size_t i = 0; i < s->n_messages && !e; i++) {
        e = encode_one(c, s, &s->messages[i], f);
    }
    if (!e && s->payload.failed) {
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for the messages");
    }
    return e;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

void sy_replay_shuffle(sy_replay_step *s, uint64_t *seed)
{
    for (size_t i = s->n_messages; i > 1; i--) {
        size_t j = (size_t)(next_random(seed) % i);
        sy_replay_message m = s->messages[j];
        s->messages[j] = s->messages[i - 1];
        s->messages[i - 1] = m;
    }
}
