/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A weight-balanced search tree in an array (Adams: no side more than three times as heavy as the
 * other, a single rotation where the inner grandchild is lighter than twice the outer one). Equal
 * values may lie on both sides of each other, since one is as good as the other.
 */
#include "rules/judge_rank.h"

enum { HEAVIER = 3, INNER = 2, DEPTH = 96 };

static uint32_t weight(const ranking *k, uint32_t n)
{
    return k->node[n].size + 1;
}

static void measure_node(ranking *k, uint32_t n)
{
    rank_node *x = &k->node[n];
    x->size = 1 + k->node[x->kid[0]].size + k->node[x->kid[1]].size;
}

/* The kid on `side` comes up. */
static uint32_t rotate(ranking *k, uint32_t n, int side)
{
    uint32_t up = k->node[n].kid[side];
    k->node[n].kid[side] = k->node[up].kid[!side];
    k->node[up].kid[!side] = n;
    measure_node(k, n);
    measure_node(k, up);
    return up;
}

static uint32_t balance(ranking *k, uint32_t n)
{
    measure_node(k, n);
    for (int side = 0; side < 2; side++) {
        uint32_t heavy = k->node[n].kid[side], light = k->node[n].kid[!side];
        if (weight(k, heavy) <= HEAVIER * weight(k, light)) {
            continue;
        }
        if (weight(k, k->node[heavy].kid[!side]) >= INNER * weight(k, k->node[heavy].kid[side])) {
            k->node[n].kid[side] = rotate(k, heavy, !side);
        }
        return rotate(k, n, side);
    }
    return n;
}

/* The way from the root to where something changed: nodes, and the side taken at each. */
typedef struct way {
    uint32_t node[DEPTH];
    uint8_t side[DEPTH];
    int n;
} way;

static void go(way *w, uint32_t node, int side)
{
    w->node[w->n] = node;
    w->side[w->n++] = (uint8_t)side;
}

/* `below` stands at the end of the way; everything above it is weighed anew. */
static void rebuild(ranking *k, way *w, uint32_t below)
{
    while (w->n > 0) {
        uint32_t n = w->node[--w->n];
        k->node[n].kid[w->side[w->n]] = below;
        below = balance(k, n);
    }
    k->root = below;
}

sy_err sy_judge__rank_add(ranking *k, sy_alloc a, double v, size_t *grown)
{
    way w = {.n = 0};
    uint32_t at = k->free;
    *grown = 0;
    if (!at) {
        size_t was = k->cap;
        sy_err e = sy_grow(a, (void **)&k->node, &k->cap, k->used + 2, sizeof *k->node);
        if (e) {
            return e;
        }
        *grown = (k->cap - was) * sizeof *k->node;
        k->node[0] = (rank_node){0};
        at = ++k->used;
    } else {
        k->free = k->node[at].kid[0];
    }
    for (uint32_t n = k->root; n;) {
        int side = v >= k->node[n].v;
        go(&w, n, side);
        n = k->node[n].kid[side];
    }
    k->node[at] = (rank_node){.v = v, .size = 1};
    rebuild(k, &w, at);
    return SY_OK;
}

void sy_judge__rank_remove(ranking *k, double v)
{
    way w = {.n = 0};
    uint32_t n = k->root, below;
    while (n && k->node[n].v != v) {
        int side = v > k->node[n].v;
        go(&w, n, side);
        n = k->node[n].kid[side];
    }
    if (!n) {
        return;
    }
    uint32_t gone = n;
    if (k->node[n].kid[0] && k->node[n].kid[1]) { /* the next larger one takes its place */
        go(&w, n, 1);
        gone = k->node[n].kid[1];
        while (k->node[gone].kid[0]) {
            go(&w, gone, 0);
            gone = k->node[gone].kid[0];
        }
        k->node[n].v = k->node[gone].v;
        below = k->node[gone].kid[1];
    } else {
        below = k->node[n].kid[0] ? k->node[n].kid[0] : k->node[n].kid[1];
    }
    k->node[gone].kid[0] = k->free;
    k->free = gone;
    rebuild(k, &w, below);
}

double sy_judge__rank_at(const ranking *k, uint32_t n)
{
    uint32_t at = k->root;
    for (;;) {
        uint32_t left = k->node[k->node[at].kid[0]].size;
        if (n == left) {
            return k->node[at].v;
        }
        if (n < left) {
            at = k->node[at].kid[0];
        } else {
            n -= left + 1;
            at = k->node[at].kid[1];
        }
    }
}

void sy_judge__rank_clear(ranking *k)
{
    k->root = k->free = k->used = 0;
}

void sy_judge__rank_fini(ranking *k, sy_alloc a)
{
    a.resize(a.ctx, k->node, 0);
    *k = (ranking){0};
}
