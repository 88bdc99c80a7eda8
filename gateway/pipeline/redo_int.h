/*
 * A place on its way through a stretch that is judged again: redo.c walks, redo_tell.c tells.
 */
#ifndef SY_REDO_INT_H
#define SY_REDO_INT_H

#include "pipeline/engine_int.h"
#include "pipeline/redo.h"

typedef struct sy_redo_set { /* an accepted set of the stretch */
    sy_config *config;
    struct sy_redo_set *older;
} sy_redo_set;

typedef struct sy_redo_change { /* of the judge of the place, in the order told */
    sy_change change;           /* texts in the arena */
    const sy_config *config;
    struct sy_redo_change *next;
} sy_redo_change;

typedef struct sy_redo_part { /* what the judge's emit is given */
    struct sy_redo *redo;
    const sy_config *config;
    sy_judge *judge;
    struct sy_redo_part *older; /* spent: what its rules look at is still asked for */
} sy_redo_part;

typedef struct sy_redo_day { /* as the judge of the place came to it */
    sy_judge_day day;
    const sy_config *config;
} sy_redo_day;

struct sy_redo_alert; /* redo_tell.c: one that the judge of the place knows */

typedef struct sy_told { /* stored alerts of the places that are due */
    sy_alert_row *v;
    size_t n, cap;
    sy_arena arena;
    bool failed;
} sy_told;

typedef struct sy_redo {
    sy_engine *e;
    sy_store *store;
    sy_late_place *place;
    sy_redo_set *sets; /* newest first; kept from place to place */
    sy_arena arena;    /* of this try */
    sy_buf bytes;
    const sy_config *config; /* of the judge */
    sy_judge *judge;
    sy_redo_part *parts; /* newest first: that of `judge`, then those before it */
    uint32_t at_place;   /* the place's index in the site of config */
    sy_ms *cursors;      /* by point of the site: read up to here */
    bool late, failed;   /* a reading was late again; out of memory */
    struct sy_redo_alert *alerts;
    sy_redo_change *first, **last;
    sy_past *pasts;    /* states on the way */
    sy_redo_day *days; /* in the order told */
    size_t n_days, cap_days;
    size_t n_pasts, cap_pasts, readings, changes;
    bool again;       /* the store could not be read: another time */
    sy_judge *oldest; /* as it was loaded: what is settled there */
} sy_redo;

void sy_redo__on_change(void *ctx, const sy_change *c);
/* What the loaded state had told. */
SY_MUST_USE sy_err sy_redo__known(sy_redo *r);
void sy_redo__forget(sy_redo *r);
/* All differences to what has been told, as changes of now. */
SY_MUST_USE sy_err sy_redo__tell(sy_redo *r, const sy_told *told);
/* The alerts of the places whose turn it is. */
SY_MUST_USE sy_err sy_told_read(sy_told *t, sy_engine *e, sy_store *store, sy_fail *f);
void sy_told_fini(sy_told *t);

#endif
