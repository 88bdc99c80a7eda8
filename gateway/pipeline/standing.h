/*
 * How alerts stand after ISA-18.2: acknowledged, shelved, answered in time or not. Part of the
 * engine's state, a function of the log: changes that the judge told, acts of people, and the log's
 * clock.
 *
 * Kept of each alert that is open, and SY_ACT_AFTER_DAYS after it was over: what is needed to tell
 * of it once more. Bound: SY_STANDINGS; of more, those that were over first are forgotten.
 * One thread.
 */
#ifndef SY_STANDING_H
#define SY_STANDING_H

#include "pipeline/act.h"
#include "pipeline/event.h"

enum { SY_STANDINGS = 4096 };

typedef struct sy_standing {
    char id[33], set[65]; /* set: hash of the one that judged it last */
    /* As the last change left it. */
    char *rule, *subject, *series; /* one allocation, at `rule` */
    int64_t version;
    sy_alert_level level;
    sy_alert_state state;
    sy_ms onset, raised, cleared;
    double min, max;
    uint64_t count;
    sy_ms counted, unknown, exempt, span;
    char replaces[33]; /* "": nothing */
    bool trial;
    /* As people left it. */
    sy_ms acknowledged; /* SY_MS_NONE: not */
    char *by;           /* who acknowledged it; NULL: nobody */
    sy_ms shelved;      /* until; SY_MS_NONE: not */
    sy_ms answer;       /* wanted by then; SY_MS_NONE: none is */
    sy_alert_level up;  /* recipients of this level were told that nobody answered; 0: none */
    bool unanswered;    /* nobody answered in time */
    sy_ms suppressed;   /* maintenance until; SY_MS_NONE: it was not raised during any */
    char group[33];     /* of the storm that it belongs to; "": none */
    bool touched;       /* it has a row of its own in the store */
} sy_standing;

struct sy_standings_entry;
typedef struct sy_standings {
    struct sy_standings_entry *by_id;
    sy_ms next;   /* the earliest that is due; SY_MS_MAX: nothing */
    sy_ms pruned; /* the log's clock then */
} sy_standings;

void sy_standings_init(sy_standings *s);
void sy_standings_fini(sy_standings *s);
sy_standing *sy_standings_find(const sy_standings *s, const char *id); /* NULL */

/* A change was told, at the log's clock `now`. An alert that is raised or becomes more severe wants
 * an answer (anew) where its rule says how soon; one that is raised where another was withdrawn
 * (`replaces`) stands as that did; one that comes again while its predecessor is shelved is
 * shelved. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_standings_note(sy_standings *s, const sy_change *c, const sy_config *config,
                                     sy_ms now, sy_standing **out);
/* A person acts. Refusals: sy_act_allowed, and SY_E_NOTFOUND for an alert that is not known. */
SY_MUST_USE sy_err sy_standings_act(sy_standings *s, const sy_act *a, sy_ms now, sy_standing **out,
                                    sy_fail *f);

typedef enum sy_due { SY_DUE_UNSHELVE, SY_DUE_RELEASE, SY_DUE_ANSWER } sy_due;
/* The first of what is due up to `now`, by time and id, done: its alert stands accordingly. *at:
 * when it was due. False: nothing is. The caller tells of it, and has sy_standings_await ask for an
 * answer after an end of shelving. */
bool sy_standings_pass(sy_standings *s, sy_ms now, sy_standing **out, sy_due *what, sy_ms *at);
/* It was raised, or became more severe, during maintenance that lasts until then: no answer is due,
 * and SY_DUE_RELEASE comes then. */
void sy_standings_suppress(sy_standings *s, sy_standing *x, sy_ms until);
/* Maintenance has changed: whoever is suppressed is so until what `until` says of it. */
void sy_standings_resuppress(sy_standings *s, sy_ms (*until)(void *ctx, const sy_standing *x),
                             void *ctx);
/* The member of the group with the next id after `after` ("": the first); NULL: there is none. */
sy_standing *sy_standings_member(const sy_standings *s, const char *group, const char *after);
/* Alerts of that group, and how many of them are open. */
void sy_standings_group(const sy_standings *s, const char *group, size_t *members, size_t *open);
/* An answer is due `respond` after `from`, if the alert wants one; 0: none is. */
void sy_standings_await(sy_standings *s, sy_standing *x, sy_ms from, sy_ms respond);
/* The clock was set back by that much (negative): what is due keeps what remains. */
void sy_standings_move(sy_standings *s, sy_ms by);
/* For an event of the alert: the alert under the configuration that has its rule; false: it has
 * not. Texts belong to x. */
bool sy_standing_alert(const sy_standing *x, const sy_config *config, sy_alert *out);
sy_act_state sy_standing_state(const sy_standing *x);

void sy_standings_save(sy_standings *s, sy_buf *out);
/* SY_E_CORRUPT, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_standings_load(sy_standings *s, sy_rd *in);

#endif
