/*
 * Open samples: the readings that no chunk holds yet, in memory. Internal to store/.
 *
 * Each series has one run of open samples for each stretch of time (14 days of event time) that it
 * lately sent readings of. A run is sealed, and becomes a row of the table `chunk`,
 *   - when it has SY_SEAL_N samples,
 *   - when it was not added to for SY_IDLE_HOURS of the log's clock (seen once an hour of it),
 *   - when its series has SY_OPEN_RUNS runs and needs another one: the one longest not added to.
 * Invariants:
 *  1. What is sealed when, and its number, is a function of the readings in order of the log, and
 *     of nothing else: not of batches, snapshots, restarts.
 *  2. Chunks and amendments are numbered from 1 in the order in which they are made. What a query
 *     sees is what is in memory and the rows up to a number that was read together with it.
 *  3. `sealed` and `amends` hold what was made since rows were last committed, in order of its
 *     numbers. (A store that is opened to read only never writes: there they hold all that was made
 *     from the journal behind the saved samples.)
 *  4. sy_memory_undo brings back the state of sy_memory_begin and allocates nothing.
 * Everything here is under `mu`. Only the thread that holds the batch changes anything, so that it
 * may read without it.
 */
#ifndef SY_OPEN_INT_H
#define SY_OPEN_INT_H

#include <pthread.h>

#include "store/chunk.h"
#include "store/store.h"

enum { SY_SEAL_N = 1024, SY_OPEN_RUNS = 8, SY_STRETCH_HOURS = 14 * 24, SY_IDLE_HOURS = 48 };
#define SY_HOUR_MS    ((sy_ms)3600000)
#define SY_STRETCH_MS (SY_HOUR_MS * SY_STRETCH_HOURS)

typedef struct sy_open_sample {
    uint32_t dt; /* ms since the run's base */
    sy_quality quality;
    double value;
} sy_open_sample;

typedef struct sy_open { /* one run */
    uint32_t series;
    uint32_t n, cap;
    uint64_t stretch, base;     /* base: time of the stretch's beginning, counted from SY_MS_NONE */
    sy_open_sample *v;          /* in order of arrival */
    sy_ms lo, hi;               /* of v */
    sy_ms sealed_lo, sealed_hi; /* of the chunks of this stretch; lo > hi: none */
    bool ranged;                /* sealed_lo and _hi are known */
    sy_ms touched;              /* the log's clock when it was last added to */
    uint64_t first_seq, last_seq;
    uint64_t number; /* of the chunk, once sealed */
    void *row;       /* and what will be its row (seal.c); NULL: it is one already */
    uint64_t batch;  /* that touched it last */
} sy_open;

typedef struct sy_series {
    const char *series, *device, *name, *unit; /* series NULL: no series has this id */
    sy_open **open;                            /* by stretch */
    size_t n, cap;
} sy_series;

typedef struct sy_amend { /* a sealed sample's other quality */
    sy_ms t;
    double value;
    uint32_t series;
    sy_quality quality;
} sy_amend;

typedef enum sy_undo_kind { SY_UNDO_RUN, SY_UNDO_QUALITY, SY_UNDO_NAMES } sy_undo_kind;
typedef struct sy_undo {
    sy_undo_kind kind;
    bool made; /* the run is of this batch */
    uint32_t n;
    sy_quality quality;
    sy_open run; /* as it was; only its figures */
    sy_open *open;
    sy_series names;
} sy_undo;

typedef struct sy_memory {
    pthread_mutex_t mu;
    sy_arena names;    /* texts of series stay as long as the store: queries borrow them */
    sy_series *series; /* by id - 1 */
    uint32_t *order;   /* ids by name */
    size_t n_series, cap_series, n_order, cap_order;
    size_t shown; /* series up to this id are seen by other threads */
    sy_open **sealed;
    sy_amend *amends;
    size_t n_sealed, cap_sealed, n_amends, cap_amends;
    uint64_t chunks, amended; /* numbers given so far */
    int64_t hour;             /* of the log's clock, when runs were last looked through */
    bool dirty;               /* more is in memory than in the last save */
    /* The batch. */
    uint64_t batch;
    sy_undo *undo;
    size_t n_undo, cap_undo;
    struct {
        size_t n_series, n_sealed, n_amends;
        uint64_t chunks, amended;
        int64_t hour;
        bool dirty;
    } before;
} sy_memory;

void sy_memory_init(sy_memory *m);
void sy_memory_fini(sy_memory *m);
/* Forget runs, numbers and the hour; series stay. */
void sy_memory_clear(sy_memory *m);
void sy_memory_begin(sy_memory *m);
void sy_memory_undo(sy_memory *m);
/* What was made is there for everybody; `rows`: as rows, so that memory may forget it. */
void sy_memory_settle(sy_memory *m, bool rows);

/* series.c. Find by name (0: none), and add or rename; *changed where a row has to be written. */
uint32_t sy_series_find(const sy_memory *m, const char *series);
SY_MUST_USE sy_err sy_series_set(sy_memory *m, uint32_t id, const char *series, const char *device,
                                 const char *name, const char *unit, sy_fail *f);
static inline sy_series *sy_series_of(const sy_memory *m, int64_t id)
{
    bool known = id >= 1 && (uint64_t)id <= m->n_series && m->series[id - 1].series;
    return known ? &m->series[id - 1] : NULL;
}

/* The stretch of a time, and where it begins. */
uint64_t sy_stretch_of(uint32_t series, sy_ms t);
sy_ms sy_open_time(const sy_open *o, uint32_t i);
sy_open *sy_open_find(const sy_memory *m, uint32_t series, sy_ms t);
/* A new run without samples. */
SY_MUST_USE sy_err sy_open_make(sy_memory *m, uint32_t series, sy_ms t, sy_open **out, sy_fail *f);
SY_MUST_USE sy_err sy_open_add(sy_memory *m, sy_open *o, const sy_sample *x, sy_ms recv,
                               uint64_t seq, sy_fail *f);
SY_MUST_USE sy_err sy_open_set(sy_memory *m, sy_open *o, uint32_t at, sy_quality q, sy_fail *f);
/* Out of its series, to the end of `sealed`, with the next number. */
SY_MUST_USE sy_err sy_open_seal(sy_memory *m, sy_open *o, sy_fail *f);
SY_MUST_USE sy_err sy_amend_add(sy_memory *m, const sy_amend *a, sy_fail *f);

/* Values are the same where neither is less: 0 and -0, NaN and NaN. */
bool sy_value_same(double a, double b);
/* Order of values at one time: ascending, NaN last. */
int sy_value_order(double a, double b);

/* save.c: as bytes (docs/formats.md), and back. `seq`: readings of records up to it are in. `rows`:
 * what was sealed and amended since the last commit is left out, it goes to disk as rows with the
 * same commit. Load replaces what there is. */
SY_MUST_USE sy_err sy_memory_save(sy_memory *m, uint64_t seq, bool rows, sy_buf *out, sy_fail *f);
SY_MUST_USE sy_err sy_memory_load(sy_memory *m, sy_span bytes, uint64_t *seq, sy_fail *f);

#endif
