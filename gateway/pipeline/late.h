/*
 * Readings that come too late for the judge: which places are to be judged again, from when, and
 * when that is done; and what it takes to do it (gateway/pipeline/redo.h does it). Part of the
 * engine's state, a function of the log.
 *
 * Invariants:
 *  1. A place that has a floor has a past state (store/past.h) of that time, and one of each day
 *     since; a stretch from before the floor is not judged again.
 *  2. turns[] holds each record after `turns_from` by which a judge goes on other than by readings
 *     and the clock, in the order of the log.
 */
#ifndef SY_LATE_H
#define SY_LATE_H

#include "base/buf.h"
#include "base/site.h"

enum {
    SY_LATE_SETTLE_MS = 60000,   /* after the last late reading of a place it is judged again … */
    SY_LATE_WAIT_MS = 600000,    /* … at most so long after the first */
    SY_LATE_PAUSE_MS = 300000,   /* between two times: each writes a snapshot */
    SY_LATE_SHARE = 500,         /* a place rests for that part of the stretch that it took */
    SY_LATE_TURNS = 4096,        /* beyond it the oldest are forgotten */
    SY_LATE_PAST_MS = 86400000,  /* past states are so far apart */
    SY_LATE_KEEP_MS = 691200000, /* and are kept for `lateness` and so long */
};

typedef struct sy_late_place {
    char *id;          /* "premises/place" */
    sy_ms floor;       /* SY_MS_NONE: no past state yet */
    sy_ms from;        /* earliest late reading, SY_MS_MAX: none waits */
    sy_ms first, last; /* the log's clock when the first and the last of them came */
    sy_ms ready;       /* not again before */
    bool its_turn;     /* while the places that are due are judged; not saved */
} sy_late_place;

typedef struct sy_late_turn {
    uint64_t seq;
    sy_ms before, at;      /* the log's clock before the record, and its own */
    sy_ms start, in_force; /* of the judge that an activation opened */
    char set_hash[65];     /* of an activation; "": the box was off, or its clock jumped ahead */
} sy_late_turn;

typedef struct sy_late {
    sy_late_place *places; /* of the site in force, ascending by id */
    size_t n_places;
    uint32_t *of_place; /* by the site's index of a place */
    sy_late_turn *turns;
    size_t n_turns, cap_turns;
    uint64_t turns_from;
    sy_ms past_due;   /* when the next past states are due, SY_MS_NONE: now */
    sy_ms redone;     /* when a place was judged again last */
    sy_ms due;        /* not before this is anything due; SY_MS_MAX: nothing waits */
    bool unfounded;   /* a place has no floor */
    char version[32]; /* of the program that judged last */
} sy_late;

void sy_late_init(sy_late *l);
void sy_late_fini(sy_late *l);
/* Another site is in force; `old` may be NULL. A place that got a point from elsewhere, or one that
 * measures something else now, begins anew. */
SY_MUST_USE sy_err sy_late_site(sy_late *l, const sy_site *site, const sy_site *old);
/* A late reading of a place (index into the site's) at the log's clock `now`. False: from before
 * the floor, the stretch cannot be judged again. */
bool sy_late_note(sy_late *l, uint32_t place, sy_ms t, sy_ms now);
SY_MUST_USE sy_err sy_late_turn_add(sy_late *l, const sy_late_turn *t);
/* Nothing from before now is judged again. Returns how many places were waiting. */
size_t sy_late_break(sy_late *l);
/* A place, or all of them, has a past state of this time. */
void sy_late_founded(sy_late *l, sy_ms now);
/* When a place is to be judged again; SY_MS_MAX: nothing waits for it. */
sy_ms sy_late_place_due(const sy_late *l, const sy_late_place *p);
/* Whether some place is, at this time. */
bool sy_late_due(sy_late *l, sy_ms now);
/* It was judged again, or cannot be. */
void sy_late_done(sy_late *l, sy_late_place *p, sy_ms now);
/* It could not be just now. */
void sy_late_retry(sy_late *l, sy_late_place *p, sy_ms now);
/* Forget what can no longer be asked for. */
void sy_late_prune(sy_late *l, sy_ms before);

void sy_late_save(const sy_late *l, sy_buf *out);
/* Into one that has its site. SY_E_CORRUPT, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_late_load(sy_late *l, sy_rd *in);

#endif
