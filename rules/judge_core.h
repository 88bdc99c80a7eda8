/*
 * The judge itself: its instances, the logs of the points, the heap of what waits for the clock,
 * and what is lent to a run.
 */
#ifndef SY_JUDGE_CORE_H
#define SY_JUDGE_CORE_H

#include "rules/judge_inst.h"
#include "rules/judge_log.h"

typedef struct restart {
    sy_ms off, at;
} restart;
typedef struct change {
    sy_ms key;
    uint32_t inst, seq;
    sy_ms replaces, at;
    sy_ms replaced_by; /* onset of the alert that stands for a withdrawn one, SY_MS_NONE */
    sy_change_kind kind;
    sy_alert_level level;
    bool late;
    outcome what;
} change;

struct sy_judge {
    sy_judge_options o;
    sy_arena arena; /* what binding makes */
    size_t bytes;   /* growing arrays */
    sy_ms now;
    inst *insts;
    size_t n_insts, cap_insts;
    uint32_t *users; /* (instance, slot) pairs by point */
    point_log *logs;
    sy_unwatched *unwatched;
    size_t n_unwatched, cap_unwatched;
    uint32_t *heap;
    size_t n_heap;
    restart *restarts;
    size_t n_restarts, cap_restarts;
    change *changes;
    size_t n_changes, cap_changes;
    uint8_t *seg, *at; /* node values: of the stretch, of the instant */
    uint32_t *next;    /* per slot: the next entry of its log */
    double *terms;     /* per term: its value at the instant */
    double *order;     /* per slot */
    state *scratch;
    uint32_t max_nodes, max_slots, max_words, max_terms;
    bool finished;
    bool late; /* a reading that came late is being judged */
};

/* The judge is of this place: all, or the one that it was opened for. */
static inline bool of_place(const sy_judge *j, uint32_t place)
{
    return !j->o.one_place || j->o.place == place;
}

/* Visit at t: the heap is by (wake, instance). */
void sy_judge__wake(sy_judge *j, inst *i, sy_ms t);

sy_err sy_judge__grow(sy_judge *j, void **data, size_t *cap, size_t need, size_t item);

#endif
