/*
 * The store: readings, alerts, events, outbox and the journal position they came from, in SQLite.
 *
 * One batch is one transaction (C2). Readings are in compressed chunks of one series each, and
 * until a chunk is full, open in memory: the journal is their durable copy, and after a restart
 * those of records after sy_store_open_seq are put again. One writer object, locked inside; any
 * thread. Command-line tools open it read-only beside a running gateway (WAL); what is open they
 * ask of it.
 */
#ifndef SY_STORE_H
#define SY_STORE_H

#include "base/os.h"

typedef struct sy_store sy_store;

SY_MUST_USE sy_err sy_store_open(sy_store **out, const char *data_dir, bool read_only, sy_fail *f);
void sy_store_close(sy_store *s);

/* Counters since the data folder was made; kept in the same transaction as what they count. */
#define SY_COUNTER_TABLE(X)                                                                        \
    X(received, "messages in the journal")                                                         \
    X(acknowledged, "of these, messages whose device was promised that they are kept")             \
    X(records, "records decoded from messages")                                                    \
    X(stored, "readings stored")                                                                   \
    X(duplicates, "readings or messages known already")                                            \
    X(conflicts, "readings that contradict one of the same time")                                  \
    X(rejected, "messages refused or not decodable")                                               \
    X(unmatched, "records that are no point of their device")                                      \
    X(late, "readings too late to be judged")                                                      \
    X(rejudged, "places judged again for readings that came late")                                 \
    X(future, "readings ahead of the clock")                                                       \
    X(faults, "readings, and words in place of one, by which a device says that it has a fault")   \
    X(stuck, "readings of a quantity that stands still")                                           \
    X(spikes, "readings that jump further than can be")                                            \
    X(out_of_range, "readings beyond the physical range")                                          \
    X(uncalibrated, "readings of a point whose calibration is overdue")                            \
    X(maintained, "readings that came during maintenance")                                         \
    X(skipped, "Sparkplug: metrics that are no reading (arrays, data sets, templates, files)")     \
    X(sequence_gaps, "Sparkplug: messages whose sequence number was not the next")                 \
    X(rebirths, "Sparkplug: times that a node was asked for its births")                           \
    X(retained, "retained copies that were no new reading")                                        \
    X(alerts, "alerts raised")                                                                     \
    X(events_queued, "events put into the outbox, by destination")                                 \
    X(events_delivered, "events confirmed by their destination")                                   \
    X(events_refused, "events that a destination refused for good")                                \
    X(events_withheld, "events that a destination's egress policy kept back, by destination")      \
    X(events_expired, "notices of a passing state that waited too long")                           \
    X(bytes_received, "bytes of payload received")                                                 \
    X(bytes_written, "bytes written to journal and store")
typedef enum sy_counter {
#define SY_COUNTER_ENUM(name, text) SY_N_##name,
    SY_COUNTER_TABLE(SY_COUNTER_ENUM)
#undef SY_COUNTER_ENUM
        SY_N_COUNTERS
} sy_counter;
const char *sy_counter_name(sy_counter c);
SY_MUST_USE sy_err sy_store_counters(sy_store *s, uint64_t out[SY_N_COUNTERS], sy_fail *f);

/* The writer's batch. begin … commit or rollback; nothing is visible before commit. `durable`: the
 * commit is synced to disk before it returns (batches that carry events; C6). The batch belongs to
 * the thread that began it, whose queries see it; other writers wait until it ends, readers do not:
 * keep it short. A commit that fails has rolled back. After a failed write the batch can only be
 * rolled back; SY_E_FULL: begin it again later. The store counts bytes_written of its own.
 * A batch that has only open samples and counters is not written to disk at once but with the next
 * that is, or after 30 s (a crash leaves an earlier position, and the log makes it again).
 * A commit at a seq says that all of the log up to it is in; what is no part of the log is
 * committed by sy_store_done (keep.h). sy_store_writes tells whether the commit will write: then
 * the journal must be synced before. */
SY_MUST_USE sy_err sy_store_begin(sy_store *s, bool durable, sy_fail *f);
SY_MUST_USE sy_err sy_store_commit(sy_store *s, uint64_t journal_seq, sy_fail *f);
void sy_store_rollback(sy_store *s);
bool sy_store_writes(const sy_store *s);
void sy_store_commit_every(sy_store *s, sy_ms ms); /* other than 30 s; before the first batch */
void sy_store_count(sy_store *s, sy_counter c, uint64_t add); /* part of the batch */
/* The position of the last commit; on disk it may be 30 s behind. */
SY_MUST_USE sy_err sy_store_position(sy_store *s, uint64_t *journal_seq, sy_fail *f);
/* Readings of records up to this are in. It can be below the position after a restart: put those
 * in between again, in batches that are committed with their seq, before anything else. What of
 * them is sealed already the store knows by number, and does not write it again. */
uint64_t sy_store_open_seq(sy_store *s);
/* The open samples as bytes, any thread; and into a store that was opened to read only, in place of
 * what was last saved. SY_E_CORRUPT, SY_E_UNSUPPORTED. */
SY_MUST_USE sy_err sy_store_open_bytes(sy_store *s, sy_buf *out, sy_fail *f);
SY_MUST_USE sy_err sy_store_adopt(sy_store *s, sy_span bytes, sy_fail *f);
/* A store that was opened to read only takes batches of readings from now on, in memory alone. */
SY_MUST_USE sy_err sy_store_go_on(sy_store *s, sy_fail *f);
typedef struct sy_open_figures {
    uint64_t runs, samples, bytes, saved_bytes; /* bytes of memory; of the last save */
} sy_open_figures;
void sy_store_open_figures(sy_store *s, sy_open_figures *out);

/* Number of a series, made when new (in the batch). */
SY_MUST_USE sy_err sy_store_series(sy_store *s, const char *series, const char *device,
                                   const char *name, const char *unit, int64_t *id, sy_fail *f);
typedef enum sy_put { SY_PUT_NEW, SY_PUT_DUPLICATE, SY_PUT_CONFLICT } sy_put;
/* Equal (series, time, value) is a duplicate; another value at that time is kept beside it and both
 * are marked uncertain+conflict. recv: the log's clock. */
SY_MUST_USE sy_err sy_store_reading(sy_store *s, int64_t series, sy_ms t, double value,
                                    sy_quality q, sy_ms recv, uint64_t seq, sy_put *put,
                                    sy_fail *f);

/* An alert as a row; upsert by id. Text fields are copied. */
typedef struct sy_alert_row {
    const char *id, *rule, *pack, *subject, *series; /* pack may be NULL */
    int64_t version;
    int severity, state;          /* sy_alert_level, sy_alert_state */
    sy_ms onset, raised, cleared; /* cleared SY_MS_NONE: open */
    double min, max;              /* NaN: none */
    uint64_t count;
    sy_ms counted, unknown, exempt;
    bool driver_is_state;                /* min and max are null */
    const char *message_en, *message_zh; /* may be NULL */
    const char *replaces;                /* may be NULL */
    const char *judgement_hash;
    bool trial; /* its rule was on trial: nobody was told */
} sy_alert_row;
SY_MUST_USE sy_err sy_store_alert(sy_store *s, const sy_alert_row *a, sy_fail *f);

/* An event and its outbox rows. id is the idempotency key; an id that is known is not added again
 * (*added false). priority: -1 a restore, 0 alerts, 1 clearances, 2 heads and
 * heartbeats, 3 notices of a passing state (queue.h). */
typedef struct sy_event_row {
    const char *id, *kind, *alert; /* alert may be NULL */
    sy_ms time;
    int severity, priority;
    sy_span body; /* the CloudEvents JSON object */
} sy_event_row;
SY_MUST_USE sy_err sy_store_event(sy_store *s, const sy_event_row *e,
                                  const char *const *destinations, size_t n, bool *added,
                                  sy_fail *f);

/* The judge's snapshot with the position it belongs to; the newest is kept. In the batch, after its
 * readings: the open samples are saved with it. */
SY_MUST_USE sy_err sy_store_snapshot_put(sy_store *s, uint64_t seq, const char *set_hash,
                                         sy_span bytes, sy_fail *f);
/* SY_E_NOTFOUND where there is none. Appends to out. */
SY_MUST_USE sy_err sy_store_snapshot_get(sy_store *s, uint64_t *seq, char set_hash[65], sy_buf *out,
                                         sy_fail *f);

/* The sender's side. Events of one destination by (priority, number), those of one alert in order.
 */
typedef struct sy_outbox_item {
    int64_t number; /* of the event, ascending */
    const char *id;
    sy_span body;
    int priority;
    int64_t leaf; /* of the ledger, where the event stands; -1: none */
} sy_outbox_item;
/* Up to max waiting items, copied into the arena. */
SY_MUST_USE sy_err sy_store_outbox(sy_store *s, const char *destination, size_t max,
                                   sy_arena *arena, sy_outbox_item **items, size_t *n, sy_fail *f);
/* Confirmed (delivered) or refused for good (set aside with the reason). Own transaction. */
SY_MUST_USE sy_err sy_store_outbox_done(sy_store *s, const char *destination,
                                        const int64_t *numbers, size_t n, const char *refused_why,
                                        sy_fail *f);
/* The time of the oldest event that waits; SY_MS_NONE: none does. */
SY_MUST_USE sy_err sy_store_outbox_since(sy_store *s, const char *destination, sy_ms *since,
                                         sy_fail *f);
SY_MUST_USE sy_err sy_store_outbox_count(sy_store *s, const char *destination, uint64_t *waiting,
                                         uint64_t *refused, sy_fail *f);

/* Queries. Rows are borrowed until the callback returns; a callback that returns false ends it. */
typedef struct sy_reading_row {
    const char *series, *device, *name;
    sy_ms t;
    double value;
    sy_quality quality;
} sy_reading_row;
/* series NULL: all. [from, to]. Ordered by time, series, value; some ten thousand are in memory at
 * a time. What cannot be decoded is left out, logged, and SY_E_CORRUPT in the end. */
SY_MUST_USE sy_err sy_store_readings(sy_store *s, const char *series, sy_ms from, sy_ms to,
                                     bool (*fn)(void *ctx, const sy_reading_row *r), void *ctx,
                                     sy_fail *f);
/* Ordered by (raised, rule, subject). */
SY_MUST_USE sy_err sy_store_alerts(sy_store *s, bool (*fn)(void *ctx, const sy_alert_row *a),
                                   void *ctx, sy_fail *f);
/* min, max and count of the valid readings of a series in [from, to]. */
SY_MUST_USE sy_err sy_store_figures(sy_store *s, const char *series, sy_ms from, sy_ms to,
                                    double *min, double *max, uint64_t *count, sy_fail *f);
/* The same by stretches of bucket_ms, counted from 1970; those without a valid reading are left
 * out. SY_E_RANGE: more than 200,000 stretches. */
typedef struct sy_bucket {
    sy_ms from;
    uint64_t count; /* valid readings */
    double min, max, mean;
} sy_bucket;
SY_MUST_USE sy_err sy_store_buckets(sy_store *s, const char *series, sy_ms from, sy_ms to,
                                    sy_ms bucket_ms, bool (*fn)(void *ctx, const sy_bucket *b),
                                    void *ctx, sy_fail *f);
SY_MUST_USE sy_err sy_store_series_count(sy_store *s, uint64_t *n, sy_fail *f);

#endif
