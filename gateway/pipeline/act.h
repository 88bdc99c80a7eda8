/*
 * What a person does about an alert, as the log records it (docs/formats.md, docs/lifecycle.md): a
 * record of type ACTION. What it comes to is decided by the engine when it reads the record
 * (standing.h), so a replay comes to the same.
 *
 * Any thread. Texts are borrowed.
 */
#ifndef SY_ACT_H
#define SY_ACT_H

#include "base/os.h"

typedef enum sy_act_kind {
    SY_ACT_ACKNOWLEDGE,
    SY_ACT_SHELVE,
    SY_ACT_UNSHELVE,
    SY_ACT_COMMENT
} sy_act_kind;
enum { SY_ACT_KINDS = SY_ACT_COMMENT + 1 };
const char *sy_act_word(sy_act_kind k); /* "acknowledge" … */
const char *sy_act_done(sy_act_kind k); /* "acknowledged" …: the event's kind */
/* It can be done on all alerts of a group at once: acknowledge, comment. */
static inline bool sy_act_on_groups(sy_act_kind k)
{
    return k == SY_ACT_ACKNOWLEDGE || k == SY_ACT_COMMENT;
}
bool sy_act_kind_of(sy_span word, sy_act_kind *out);

/* Bytes. Alerts are shelved for SY_ACT_SHELVE_DAYS at most, and can be acted on for
 * SY_ACT_AFTER_DAYS after they cleared. */
enum { SY_ACT_WHO = 256, SY_ACT_VIA = 128, SY_ACT_WHY = 1024 };
enum { SY_ACT_SHELVE_DAYS = 7, SY_ACT_AFTER_DAYS = 30 };

typedef struct sy_act {
    sy_act_kind kind;
    sy_span alert; /* id, 32 hex digits; of a group, where sy_act_on_groups */
    sy_ms until;   /* shelve: its end by the log's clock; else 0 */
    sy_span who;   /* a name, never empty */
    sy_span via;   /* "local", "premises", "console", "order/<id>" */
    sy_span why;   /* empty only of acknowledge and unshelve */
} sy_act;

/* Lengths, UTF-8, no control characters, what each kind needs. SY_E_PARSE, SY_E_RANGE. */
SY_MUST_USE sy_err sy_act_check(const sy_act *a, sy_fail *f);
/* KIND<TAB>ALERT<TAB>UNTIL<TAB>WHO<TAB>VIA<TAB>WHY */
void sy_act_text(const sy_act *a, sy_buf *out);
/* SY_E_PARSE: it is no such record. */
SY_MUST_USE sy_err sy_act_parse(sy_span payload, sy_act *out);

/* How an alert stands, for whether an act on it makes sense. */
typedef struct sy_act_state {
    bool active, withdrawn;
    sy_ms cleared;      /* SY_MS_NONE: it is not over */
    sy_ms acknowledged; /* since when; SY_MS_NONE: not */
    const char *by;     /* who did */
    sy_ms shelved;      /* until when; SY_MS_NONE: not */
} sy_act_state;
/* SY_E_EXISTS: it is so already; SY_E_NOTFOUND: the alert is over, or not shelved; SY_E_RANGE: the
 * end of a shelf; SY_E_DENIED: not by this way. With a reason. */
SY_MUST_USE sy_err sy_act_allowed(const sy_act *a, const sy_act_state *s, sy_ms now, sy_fail *f);

#endif
