/*
 * What is known of Sparkplug's edge nodes: shared by births.c (messages) and births_save.c
 * (snapshots).
 */
#ifndef SY_BIRTHS_INT_H
#define SY_BIRTHS_INT_H

#include "drivers/formats/sparkplug.h"
#include "pipeline/births.h"

enum { SY_BIRTHS__BYTES = 1 << 20, SY_BIRTHS__SCOPES = 257 };

/* The node itself (device ""), or a device behind it. */
typedef struct sy_birth_scope {
    char *device;
    bool alive;
    sy_spb_metric *v; /* sorted by name; the texts are in `texts` */
    size_t n, cap;
    uint32_t *by_alias; /* indices, sorted by alias */
    size_t n_alias;
    sy_arena texts;
} sy_birth_scope;

typedef struct sy_birth_last { /* of a point */
    char *series, *quantity, *unit, *device;
    double value;
    sy_ms t;
    bool stale;
} sy_birth_last;

struct sy_birth_node {
    char *id, *node;
    bool born, has_bdseq, has_seq;
    uint64_t bdseq;
    uint8_t seq;
    sy_ms asked; /* SY_MS_NONE: never */
    sy_birth_scope *scopes;
    size_t n_scopes, cap_scopes;
    size_t bytes;         /* of all metrics */
    sy_birth_last *lasts; /* sorted by series */
    size_t n_lasts, cap_lasts;
};

/* Found, or made; NULL: no memory. */
sy_birth_node *sy_births__node(sy_births *b, const char *id, const char *node);
void sy_births__node_free(sy_birth_node *n);
/* Found, or made where `make`; NULL: none, no memory (*err), or no room (*err SY_OK). */
sy_birth_scope *sy_births__scope(sy_birth_node *n, sy_span device, bool make, sy_err *err);
/* SY_E_FULL: no room for it. */
SY_MUST_USE sy_err sy_births__learn(sy_birth_node *n, sy_birth_scope *s, const sy_spb_metric *m);
/* After the last metric: sort them. */
SY_MUST_USE sy_err sy_births__seal(sy_birth_scope *s);
/* Found, or made; NULL: no memory. */
sy_birth_last *sy_births__last(sy_birth_node *n, const char *series, bool make);

#endif
