/*
 * A batch: what the engine made of a run of records, kept until one transaction takes it all.
 *
 * Held in memory and not in an open transaction, so that the journal can be synced first (nothing
 * in the store may outrun the log, C6), so that a transaction that fails is simply tried again, and
 * so that what is replayed up to the stored position can be discarded. One thread.
 */
#ifndef SY_BATCH_H
#define SY_BATCH_H

#include "ledger/ledger.h"
#include "pipeline/basis.h"
#include "pipeline/upkeep.h"
#include "store/acts.h"
#include "store/past.h"

typedef struct sy_batch_reading {
    uint32_t point;
    sy_quality quality;
    sy_ms t, recv;
    double value;
    uint64_t seq;
} sy_batch_reading;

typedef struct sy_batch_change { /* an alert row and its event */
    sy_alert_row row;
    sy_event_row event;
    sy_basis_plan basis;
    const char **destinations;
    size_t n_destinations;
    const char *set; /* hash of the set that judged */
    bool raised;
    bool acted;         /* the alert's row stays as it is */
    sy_stand_row stand; /* alert NULL: none */
} sy_batch_change;

typedef struct sy_batch_event { /* an event of no alert */
    sy_event_row event;
    const char **destinations;
    size_t n_destinations;
    const char *set;
} sy_batch_event;

/* A leaf of the ledger: an activation, a step of the clock, or what a person did. */
typedef struct sy_batch_note {
    uint64_t seq;
    sy_ms old, now;
    char set[65];     /* of an activation, else "" */
    sy_action action; /* what is NULL: none */
    sy_act_row act;   /* alert NULL: none */
} sy_batch_note;

typedef struct sy_batch {
    bool discard;    /* changes and counts are stored already, */
    uint64_t known;  /* and readings of records up to this are among the store's */
    bool past_anew;  /* the past states of before are of no use any more */
    sy_ms past_from; /* those of before are forgotten; SY_MS_NONE: none */
    sy_arena arena;  /* texts of changes; emptied by reset */
    sy_batch_reading *readings;
    size_t n_readings, cap_readings;
    sy_batch_change *changes;
    size_t n_changes, cap_changes;
    sy_batch_event *events;
    size_t n_events, cap_events;
    sy_past *pasts;
    size_t n_pasts, cap_pasts;
    sy_batch_note *notes;
    size_t n_notes, cap_notes;
    bool action;       /* one of the notes is an action: a head over it is signed at once */
    sy_ledger *ledger; /* NULL: none, as in tests of other things */
    sy_ms now;         /* when a head is signed; set before each commit */
    bool signed_head;  /* the commit made a head */
    uint64_t counts[SY_N_COUNTERS];
    /* Numbers of the series in the store, by point; 0: not asked yet. */
    int64_t *series;
    size_t n_series, cap_series;
} sy_batch;

void sy_batch_init(sy_batch *b);
void sy_batch_fini(sy_batch *b);
/* Forget the content, keep the room. */
void sy_batch_reset(sy_batch *b);
bool sy_batch_empty(const sy_batch *b);
/* Another site is in force: points are numbered anew. The batch holds no readings. */
void sy_batch_site(sy_batch *b);

SY_MUST_USE sy_err sy_batch_reading_add(sy_batch *b, const sy_batch_reading *r);
/* stand: how the alert stands now, to be kept; NULL: as before. Texts are copied. */
SY_MUST_USE sy_err sy_batch_change_add(sy_batch *b, const sy_event_of *e, const sy_event_to *to,
                                       const sy_stand_row *stand);
/* An event of no alert, to every destination whose policy lets its class out. Texts are copied. */
SY_MUST_USE sy_err sy_batch_event_add(sy_batch *b, const sy_event_row *e, const sy_config *config,
                                      sy_egress_class class);
/* The event of a group of alerts, which a rule's recipients at that level hear of. Texts are
 * copied. */
SY_MUST_USE sy_err sy_batch_group_add(sy_batch *b, const sy_event_row *row, const sy_config *config,
                                      const sy_rule *rule, sy_alert_level level);
/* Another set is in force from this record on. */
SY_MUST_USE sy_err sy_batch_activation(sy_batch *b, uint64_t seq, const char *set);
/* The log's clock was set. */
SY_MUST_USE sy_err sy_batch_clock(sy_batch *b, uint64_t seq, sy_ms old, sy_ms now);
/* Somebody announced maintenance, or its end. */
SY_MUST_USE sy_err sy_batch_action(sy_batch *b, uint64_t seq, sy_ms now, const sy_upkeep_act *a);
/* Somebody did something about an alert: a row and a leaf. */
SY_MUST_USE sy_err sy_batch_act(sy_batch *b, uint64_t seq, sy_ms now, const sy_act *a);
/* Texts and bytes are copied. */
SY_MUST_USE sy_err sy_batch_past_add(sy_batch *b, const sy_past *p);
/* All past states but those that are added from now on. */
void sy_batch_past_anew(sy_batch *b);
static inline void sy_batch_past_forget(sy_batch *b, sy_ms before)
{
    if (!b->discard)
        b->past_from = before;
}
static inline void sy_batch_count(sy_batch *b, sy_counter c, uint64_t add)
{
    if (!b->discard)
        b->counts[c] += add;
}

/* One transaction: readings, alerts, events, their leaves and a head, past states, counters, the
 * snapshot where there is one, position.
 * On failure nothing is stored and the batch is as it was: try again. */
typedef struct sy_batch_end {
    uint64_t seq;         /* of its last record */
    const char *set_hash; /* of the snapshot; NULL: none */
    sy_span snapshot;
    /* Called before the commit where it writes to disk: sync the journal. May be NULL. */
    sy_err (*sync)(void *ctx, uint64_t seq, sy_fail *f);
    void *ctx;
} sy_batch_end;
SY_MUST_USE sy_err sy_batch_commit(sy_batch *b, sy_store *s, const sy_site *site,
                                   const sy_batch_end *end, sy_fail *f);
/* The readings alone, once more: what the store had in memory when the last process ended. They
 * are forgotten here. */
SY_MUST_USE sy_err sy_batch_again(sy_batch *b, sy_store *s, const sy_site *site, uint64_t seq,
                                  sy_fail *f);

#endif
