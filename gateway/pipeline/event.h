/*
 * What goes upstream about a change of an alert: one CloudEvents 1.0 JSON object, and who gets it.
 *
 * id = <alert id>/<n>, n counting the changes of that alert from 1: the same in a replay, and the
 * idempotency key. source "/steelyard/<gateway>", type "steelyard.alert.<change>", subject, time =
 * logical time of the change. data:
 *   change, clock ("wall" | "replay"), alert (the object of `alerts --json`), replaces (id of the
 *   withdrawn alert that it stands for | null), replaced_by (of a withdrawn one: the id of the
 * alert that stands for it | null), reason ("late-readings": made by readings that came later than
 * in the normal course, `time` is when it was found | null), rule {id, version, title {en, zh}, say
 * {en, zh}, basis [{text {en, zh}, clause {en, zh} | null, verify, origin}], limit {en, zh},
 * judgement}, premises {id, name, code}, place {id, kind, name}, device, series, quantity, unit,
 *   tell [recipient], respond_within_ms | null,
 *   measure {counted_ms, unknown_ms, exempt_ms, span_ms}
 * and, only where it is so: shelved (true) and shelved_until, suppressed
 * ("maintenance") and suppressed_until, group (its id), act (of a change that a person made,
 * or the clock: {kind, who | null, via, why, until | null, at}; `change` is then acknowledged,
 * shelved, unshelved, commented or unanswered, and who is null where nobody did it). A text that is
 * not given in a language is null. Key order and bytes are fixed.
 */
#ifndef SY_EVENT_H
#define SY_EVENT_H

#include "config/config.h"
#include "pipeline/act.h"
#include "rules/judge.h"

typedef struct sy_event_act { /* what was done about the alert, or not done */
    const char *kind;         /* as `change` */
    const sy_act *act;        /* NULL: nobody did anything */
} sy_event_act;

typedef struct sy_event_of { /* a change, and what is needed to tell it */
    const sy_config *config; /* in force when it was judged */
    const sy_change *change;
    const sy_judge *judge; /* that told it; NULL: the event gets no basis */
    uint64_t number;       /* n of the id */
    bool replay_clock;
    sy_ms shelved;           /* until; SY_MS_NONE: it is not */
    sy_ms suppressed;        /* likewise, for maintenance */
    const char *group;       /* that the alert belongs to; "": none */
    const sy_event_act *act; /* NULL: the judge's change */
} sy_event_of;

void sy_event_id(const sy_alert *a, uint64_t number, sy_buf *out);
const char *sy_change_text(sy_change_kind k);    /* "raised" … */
const char *sy_event_kind(const sy_event_of *e); /* its change, or what was done */
void sy_event_json(const sy_event_of *e, sy_buf *out);

/* The clause that tells at this level: its own, else the one without a level; NULL: nobody. */
const sy_tell *sy_event_tell(const sy_rule *r, sy_alert_level level);
/* How soon the rule wants an answer at this level; 0: it does not say. */
sy_ms sy_event_respond(const sy_rule *r, sy_alert_level level, const sy_site_premises *premises);
/* The level of the next clause above `level` that tells at a level of its own; 0: there is none. */
sy_alert_level sy_event_above(const sy_rule *r, sy_alert_level level);

/* Who hears of an alert. */
typedef struct sy_event_to {
    unsigned levels; /* bits 1 << level: those that the alert has reached */
    /* Recipients of this level hear of it, too, since nobody answered; 0: none. */
    sy_alert_level up;
    bool unanswered; /* and destinations that ask for what nobody answered */
    bool quiet;      /* nobody is woken by it */
    /* Who was woken by the group that was told by this rule at this level is not woken by it; NULL:
     * it belongs to none. */
    const sy_rule *folded;
    sy_alert_level folded_at;
} sy_event_to;
/* True where the destination serves a recipient told at one of the levels, and the alert is severe
 * enough for it. */
bool sy_event_goes_to(const sy_destination *d, const sy_rule *r, sy_alert_level now,
                      const sy_event_to *to);
/* The destination wakes people, instead of keeping what it is told for those who look. */
bool sy_destination_wakes(const sy_destination *d);

/* The condition of a level as text: "temperature outside 2 to 8 °C for 10 min". */
void sy_limit_text(const sy_rule *r, sy_alert_level level, const sy_site_premises *premises,
                   sy_lang lang, sy_buf *out);

#endif
