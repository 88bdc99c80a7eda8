/*
 * A bag of numbers by rank: adding, removing and the k-th smallest take logarithmic time.
 */
#ifndef SY_JUDGE_RANK_H
#define SY_JUDGE_RANK_H

#include "base/alloc.h"

typedef struct rank_node {
    double v;
    uint32_t kid[2], size; /* 0: none */
} rank_node;
typedef struct ranking {
    rank_node *node; /* node 0 is none */
    uint32_t root, free, used;
    size_t cap;
} ranking;

/* SY_E_NOMEM; *grown: bytes that were asked for. */
sy_err sy_judge__rank_add(ranking *k, sy_alloc a, double v, size_t *grown);
/* v is in the bag. */
void sy_judge__rank_remove(ranking *k, double v);
/* The n-th smallest, from 0; n is below the number of values. */
double sy_judge__rank_at(const ranking *k, uint32_t n);
/* Empty; keeps its memory. */
void sy_judge__rank_clear(ranking *k);
void sy_judge__rank_fini(ranking *k, sy_alloc a);

#endif
