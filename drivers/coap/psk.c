/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pre-shared keys: lines "identity:hex key", '#' starts a comment. The identity is the device
 * id. The file is looked at again at each handshake, so a key that is added or taken away counts at
 * once; a file that cannot be read then leaves the keys as they were.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "drivers/coap/coap_int.h"

enum { MAX_FILE = 1 << 22, MAX_KEY = 64 };

typedef struct entry {
    sy_span identity;
    coap_bin_const_t key;
} entry;

typedef struct table {
    sy_arena arena;
    entry *v;
    size_t n, cap;
} table;

struct sy_coap_psk {
    char *file;
    struct timespec changed;
    off_t size;
    ino_t inode;
    table keys;
};

static void table_fini(table *t)
{
    free(t->v);
    sy_arena_fini(&t->arena);
    *t = (table){.n = 0};
}

static bool parse_key(table *t, sy_span text, coap_bin_const_t *out)
{
    if (text.n == 0 || text.n % 2 != 0 || text.n / 2 > MAX_KEY)
        return false;
    uint8_t *key = sy_arena_get(&t->arena, text.n / 2);
    for (size_t i = 0; key && i < text.n; i += 2) {
        int high = sy_hex_digit(text.p[i]), low = sy_hex_digit(text.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i / 2] = (uint8_t)(high << 4 | low);
    }
    *out = (coap_bin_const_t){text.n / 2, key};
    return key != NULL;
}

static sy_err parse_line(table *t, sy_span line, const char *file, size_t number, sy_fail *f)
{
    while (line.n > 0 && memchr(" \t\r", line.p[line.n - 1], 3))
        line.n--;
    if (line.n == 0 || line.p[0] == '#')
        return SY_OK;
    const char *colon = memrchr(line.p, ':', line.n);
    entry e = {.identity = {line.p, colon ? (size_t)(colon - line.p) : 0}};
    if (e.identity.n == 0 || !parse_key(t, (sy_span){colon + 1, line.n - e.identity.n - 1}, &e.key))
        return sy_fail_set(f, SY_E_USAGE,
                           "%s:%zu: write a key as identity:hexadecimal (1 to %d bytes)", file,
                           number, MAX_KEY);
    e.identity.p = sy_arena_text(&t->arena, e.identity);
    void *v = t->v;
    if (!e.identity.p || sy_grow(sy_heap(), &v, &t->cap, t->n + 1, sizeof e) != SY_OK)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the keys of %s", file);
    t->v = v;
    t->v[t->n++] = e;
    return SY_OK;
}

static sy_err load(const char *file, table *t, sy_fail *f)
{
    sy_buf bytes;
    sy_buf_init(&bytes, sy_heap());
    *t = (table){.n = 0};
    sy_arena_init(&t->arena, sy_heap(), 0);
    sy_err e = sy_file_read(file, MAX_FILE, &bytes, f);
    sy_span rest = sy_buf_span(&bytes);
    for (size_t number = 1; e == SY_OK && rest.n > 0; number++) {
        const char *end = memchr(rest.p, '\n', rest.n);
        sy_span line = {rest.p, end ? (size_t)(end - rest.p) : rest.n};
        e = parse_line(t, line, file, number, f);
        size_t used = line.n + (end ? 1 : 0);
        rest = (sy_span){rest.p + used, rest.n - used};
    }
    if (e != SY_OK)
        table_fini(t);
    sy_buf_fini(&bytes);
    return e;
}

/* True where the file is not the one that was read last; remembers it. */
static bool changed(sy_coap_psk *p)
{
    struct stat st;
    if (stat(p->file, &st) != 0)
        return false;
    if (st.st_mtim.tv_sec == p->changed.tv_sec && st.st_mtim.tv_nsec == p->changed.tv_nsec &&
        st.st_size == p->size && st.st_ino == p->inode)
        return false;
    p->changed = st.st_mtim;
    p->size = st.st_size;
    p->inode = st.st_ino;
    return true;
}

sy_err sy_coap__psk_open(sy_coap_psk **out, const char *file, sy_fail *f)
{
    sy_coap_psk *p = calloc(1, sizeof *p);
    if (p)
        p->file = strdup(file);
    if (!p || !p->file) {
        free(p);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the keys of %s", file);
    }
    (void)changed(p);
    sy_err e = load(file, &p->keys, f);
    if (e != SY_OK) {
        sy_coap__psk_close(p);
        return e;
    }
    *out = p;
    return SY_OK;
}

void sy_coap__psk_close(sy_coap_psk *p)
{
    if (!p)
        return;
    table_fini(&p->keys);
    free(p->file);
    free(p);
}

const coap_bin_const_t *sy_coap__psk_find(sy_coap_psk *p, sy_span identity)
{
    table fresh;
    sy_fail f;
    if (changed(p)) {
        if (load(p->file, &fresh, &f) == SY_OK) {
            table_fini(&p->keys);
            p->keys = fresh;
        } else {
            sy_log_fail(SY_LOG_ERROR, "coap-psk-file", &f);
        }
    }
    for (size_t i = 0; i < p->keys.n; i++)
        if (sy_span_eq(p->keys.v[i].identity, identity))
            return &p->keys.v[i].key;
    return NULL;
}
