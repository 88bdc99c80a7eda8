/*
 * The judge: a pure function from a log to alerts. No clock, no file, no random source, no global.
 *
 * Input, in the order of the log: readings, and the passage of the log's clock (advance). What is
 * judged is event time: readings wait until the clock has reached them, are ordered by (time,
 * point), and one that arrives out of order within SY_JUDGE_REDO makes the judge redo the stretch
 * that it touches, from a checkpoint. The alerts are a function of the set of valid readings, not
 * of their order of arrival; each change of what has been published is emitted as a change.
 * The meaning is docs/rules-reference.md (rules-language, "Meaning, exactly" and rulings).
 *
 * Time: epoch ms. Values: in the point's unit; states as numbers. One thread at a time.
 * Determinism: no libm, no -ffast-math, no FMA contraction, no pointer or hash order.
 */
#ifndef SY_RULES_JUDGE_H
#define SY_RULES_JUDGE_H

#include "base/site.h"
#include "rules/tree.h"

#define SY_JUDGE_REDO ((sy_ms)600000) /* older readings out of order are LATE */

typedef struct sy_judge sy_judge;

typedef enum sy_alert_state {
    SY_ALERT_ACTIVE,
    SY_ALERT_CLEARED,
    SY_ALERT_SUPERSEDED,
    SY_ALERT_WITHDRAWN
} sy_alert_state;

typedef enum sy_change_kind {
    SY_CHANGE_RAISED,    /* new */
    SY_CHANGE_ESCALATED, /* severity rose */
    SY_CHANGE_CLEARED,
    SY_CHANGE_SUPERSEDED, /* its rule or point ended */
    SY_CHANGE_AMENDED,    /* a late reading changed raised, cleared, severity; same id */
    SY_CHANGE_WITHDRAWN,  /* a late reading shows that it never was; `replaced_by` may be set */
} sy_change_kind;

/* One alert as it stands. Pointers are borrowed until the next call on the judge. */
typedef struct sy_alert {
    char id[33]; /* hex of 16 bytes of SHA-256(gateway NUL rule NUL subject NUL onset) */
    const sy_rule *rule;
    const char *subject;          /* premises/place/point(series) */
    uint32_t point;               /* the driver's point */
    sy_alert_level level;         /* highest reached */
    sy_ms onset, raised, cleared; /* cleared: SY_MS_NONE while open */
    sy_alert_state state;
    double min, max; /* of the driver's valid readings from onset to cleared or to now; NaN */
    uint64_t count;
    sy_ms counted, unknown, exempt; /* of the measure that raised it */
    sy_ms span;                     /* from onset to raised */
    const char *replaces;           /* id of the withdrawn alert it stands for, or NULL */
    bool trial;                     /* raised while its rule is on trial: recorded, not told */
} sy_alert;

typedef struct sy_change {
    sy_change_kind kind;
    sy_ms at;                /* logical time of the change; where it is `late`, when it was found */
    sy_alert alert;          /* as it stands after the change */
    bool late;               /* readings that came late made it: AMENDED and WITHDRAWN always */
    const char *replaced_by; /* WITHDRAWN: id of the alert that stands for it, or NULL; borrowed */
} sy_change;

/* How a rule stood on a point through a local day of its premises, or the part of it in which both
 * were in force: for how long its condition was known false, known true, true but exempt, outside
 * its hours. The rest of [from, to) is unknown. */
typedef struct sy_judge_day {
    const sy_rule *rule;
    uint32_t point; /* the driver's */
    sy_ms from, to;
    sy_ms in_order, breach, exempt, outside;
    bool by_close; /* judged at the closes of windows alone: all of it is `outside` */
    bool trial;    /* the rule is on trial on that day */
} sy_judge_day;

typedef struct sy_judge_options {
    const sy_set *set; /* outlive the judge */
    const sy_site *site;
    sy_ms start;        /* the box starts (silence of points that never spoke counts from here) */
    sy_ms in_force;     /* activation: no rule judges time before it; SY_MS_NONE: backtest */
    bool wait_delivery; /* publish silence only when `delivery` has passed too (live) */
    bool one_place;     /* a part: only the instances of site->places[place], only its points */
    uint32_t place;
    sy_alloc alloc;
    /* Called for each published change, in order, from within the calls below. */
    void (*emit)(void *ctx, const sy_change *c);
    /* Called for each day that ends, from within the calls below, and again, with what it came to,
     * where a reading that is out of order makes the judge redo it. NULL: nobody asks. */
    void (*day)(void *ctx, const sy_judge_day *d);
    void *ctx;
} sy_judge_options;

SY_MUST_USE sy_err sy_judge_open(sy_judge **out, const sy_judge_options *o);
void sy_judge_close(sy_judge *j);

/* What became of a reading. */
typedef enum sy_verdict {
    SY_READING_TAKEN,
    SY_READING_DUPLICATE, /* the same time and value is known already */
    SY_READING_CONFLICT, /* the same time with another value: both count as uncertain from now on */
    SY_READING_LATE /* an instance cannot judge it any more; what it touches is to be judged again
                       from an earlier state (sy_judge_take_place) */
} sy_verdict;

/* A reading of a point (index into site->points). A reading that is not valid is told too: it is
 * remembered for conflicts, and judged as absent. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_judge_reading(sy_judge *j, uint32_t point, sy_ms t, double value,
                                    sy_quality quality, sy_verdict *verdict);
/* The log's clock has reached `now` (here never backward; earlier values are ignored). Timers due
 * up to now fire at their logical times. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_judge_advance(sy_judge *j, sy_ms now);
/* No further input will come (backtest, scenario): judge what is open as it stands at the clock,
 * the time after the last reading of a quantity as unknown, no delivery awaited. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_judge_finish(sy_judge *j);
/* Hand on how the days stand at `at`, which the clock has reached: those that end there, and what
 * there is of the present one. What is not known by then is unknown, and comes again once it is
 * known. SY_E_NOMEM. */
#define SY_ALL_PREMISES UINT32_MAX
SY_MUST_USE sy_err sy_judge_days(sy_judge *j, uint32_t premises, sy_ms at);
/* How long after its end a day is known in the normal course; at most a day. */
sy_ms sy_judge_day_wait(const sy_judge *j, uint32_t premises);
/* The earliest clock time at which advance could publish something without a further reading;
 * SY_MS_MAX if none. The pipeline appends a tick when it passes. */
sy_ms sy_judge_deadline(const sy_judge *j);

/* The box was off and runs again since `at` (a START record): silence counts anew from then. */
SY_MUST_USE sy_err sy_judge_restarted(sy_judge *j, sy_ms at);

/* The clock is now `at`, which lies behind it: the one way back. All that is counted moves with it,
 * so that holds and silences keep what they have and what remains; what was told stands as told.
 * What came before can no longer be judged again. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_judge_set_back(sy_judge *j, sy_ms at);

/* All alerts so far that are published (open ones with their figures up to now), ordered by
 * (raised, rule id, subject). Calls back for each; those closed longer than keep_ms ago may be
 * forgotten by sy_judge_forget. SY_E_NOMEM: no call back came. */
SY_MUST_USE sy_err sy_judge_alerts(const sy_judge *j, void (*fn)(void *ctx, const sy_alert *a),
                                   void *ctx);
/* Drop closed alerts that can no longer change (closed and older than the redo stretch). */
void sy_judge_forget(sy_judge *j);

/* What is not watched and why, for `check` and coverage: one call a rule and place, or driving
 * point. */
#define SY_UNWATCHED_PLACE UINT32_MAX
typedef struct sy_unwatched {
    const sy_rule *rule;
    uint32_t place;
    uint32_t point;  /* that would drive it; SY_UNWATCHED_PLACE: the place has none */
    const char *why; /* "place has no door" … English */
} sy_unwatched;
void sy_judge_unwatched(const sy_judge *j, void (*fn)(void *ctx, const sy_unwatched *u), void *ctx);
size_t sy_judge_instances(const sy_judge *j);
size_t sy_judge_bytes(const sy_judge *j);
/* What it can come to while no point sends more often than expected; alerts come on top. */
size_t sy_judge_bytes_at_most(const sy_judge *j);

/* The whole state, canonical bytes: equal states give equal bytes (start and activation are part of
 * it). Loading needs a judge opened
 * with the same set and site (the snapshot names their hashes): SY_E_UNSUPPORTED otherwise,
 * SY_E_CORRUPT for damaged bytes. */
SY_MUST_USE sy_err sy_judge_save(const sy_judge *j, sy_buf *out);
SY_MUST_USE sy_err sy_judge_load(sy_judge *j, sy_span bytes);

/* A rule looks at the points of one place only, so the state of a place can be kept, and judged
 * again, by itself. The bytes of one place: what a judge opened with `one_place` saves, and loads.
 * SY_E_NOMEM. */
SY_MUST_USE sy_err sy_judge_save_place(const sy_judge *j, uint32_t place, sy_buf *out);
/* The state of a place comes from `part`: opened with `one_place` on the same set and site, and
 * advanced to the same time. Nothing is told: what differs from what has been told is the caller's
 * to tell. `part` is spent: close it. SY_E_UNSUPPORTED where the two do not fit (nothing changed).
 */
SY_MUST_USE sy_err sy_judge_take_place(sy_judge *j, sy_judge *part);
/* Newest reading known of a point, SY_MS_NONE: none. What the judge was told of after it, or up to
 * SY_JUDGE_REDO before it, a saved state may not know. */
sy_ms sy_judge_newest(const sy_judge *j, uint32_t point);
/* Alerts of this rule and subject that were over by then are final, and may be forgotten;
 * SY_MS_NONE: none is, or there is no such instance. */
sy_ms sy_judge_settled(const sy_judge *j, const char *rule, const char *subject);
/* Some rule looks at the point. */
bool sy_judge_watches(const sy_judge *j, uint32_t point);

/* Carry over from the judge that was in force until `at`: alerts and counted time of instances
 * with equal rule id and subject (counted time only where the judgement hash is equal); what has
 * no successor closes as superseded, emitted through the old judge's emit. `from` is spent: close
 * it afterwards. */
SY_MUST_USE sy_err sy_judge_succeed(sy_judge *to, sy_judge *from, sy_ms at);

#endif
