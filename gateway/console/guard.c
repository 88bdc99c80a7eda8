/* SPDX-License-Identifier: Apache-2.0 */
/* Two small tables under a lock. */
#include "console/guard.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_MS = 1000, LONGEST_MS = 15 * 60 * 1000, KEY = 80, FORGET_MS = 24 * 3600 * 1000 };

typedef struct row {
    char key[KEY];     /* "" : free */
    char trusted[KEY]; /* of a name: the address that it was let in from last */
    unsigned failures;
    sy_ms last;
} row;

struct sy_guard {
    pthread_mutex_t lock;
    row names[SY_GUARD_ROWS], addresses[SY_GUARD_ROWS];
};

sy_guard *sy_guard_open(void)
{
    sy_guard *g = calloc(1, sizeof *g);
    if (g) {
        pthread_mutex_init(&g->lock, NULL);
    }
    return g;
}

void sy_guard_close(sy_guard *g)
{
    if (g) {
        pthread_mutex_destroy(&g->lock);
        free(g);
    }
}

static row *find(row *rows, const char *key)
{
    for (size_t i = 0; i < SY_GUARD_ROWS; i++) {
        if (rows[i].key[0] && strncmp(rows[i].key, key, KEY - 1) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static row *find_or_make(row *rows, const char *key)
{
    row *r = find(rows, key), *oldest = &rows[0];
    if (r) {
        return r;
    }
    for (size_t i = 0; i < SY_GUARD_ROWS && oldest->key[0]; i++) {
        oldest = !rows[i].key[0] || rows[i].last < oldest->last ? &rows[i] : oldest;
    }
    *oldest = (row){.last = 0};
    snprintf(oldest->key, sizeof oldest->key, "%.*s", KEY - 1, key);
    return oldest;
}

static sy_ms wait_of(const row *r, sy_ms now)
{
    if (!r || r->failures < SY_GUARD_FREE || now - r->last > FORGET_MS) {
        return 0;
    }
    unsigned doublings = r->failures - SY_GUARD_FREE;
    sy_ms wait = doublings < 10 ? (sy_ms)FIRST_MS << doublings : LONGEST_MS;
    wait = wait < LONGEST_MS ? wait : LONGEST_MS;
    sy_ms left = r->last + wait - now;
    return left > 0 ? left : 0;
}

sy_ms sy_guard_wait(sy_guard *g, const char *name, const char *address, sy_ms now)
{
    pthread_mutex_lock(&g->lock);
    const row *n = find(g->names, name);
    sy_ms a = wait_of(find(g->addresses, address), now);
    bool known = n && strncmp(n->trusted, address, KEY - 1) == 0;
    sy_ms b = known ? 0 : wait_of(n, now);
    pthread_mutex_unlock(&g->lock);
    return a > b ? a : b;
}

static void fail(row *r, sy_ms now)
{
    if (now - r->last > FORGET_MS) {
        r->failures = 0;
    }
    r->failures += r->failures < 1000 ? 1u : 0u;
    r->last = now;
}

void sy_guard_failed(sy_guard *g, const char *name, const char *address, sy_ms now)
{
    pthread_mutex_lock(&g->lock);
    fail(find_or_make(g->names, name), now);
    fail(find_or_make(g->addresses, address), now);
    pthread_mutex_unlock(&g->lock);
}

void sy_guard_passed(sy_guard *g, const char *name, const char *address, sy_ms now)
{
    pthread_mutex_lock(&g->lock);
    row *n = find_or_make(g->names, name), *a = find(g->addresses, address);
    n->failures = 0;
    n->last = now; /* a flood of strange names does not make room of it */
    snprintf(n->trusted, sizeof n->trusted, "%.*s", KEY - 1, address);
    if (a) {
        a->failures = 0;
    }
    pthread_mutex_unlock(&g->lock);
}
