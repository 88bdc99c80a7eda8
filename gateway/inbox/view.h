/*
 * Rendering: HTML written on the server, every text from an event escaped.
 */
#ifndef SY_INBOX_VIEW_H
#define SY_INBOX_VIEW_H

#include "inbox/db.h"
#include "inbox/words.h"

struct sy_visitor; /* form.h */
struct sy_pen;     /* order.h */
typedef struct sy_view {
    sy_buf *out;
    sy_inbox_db *db;
    bool zh;
    bool forced;         /* the language was chosen by ?lang=; links keep it */
    const sy_zone *zone; /* NULL: the machine's */
    sy_ms now;
    const struct sy_visitor *visitor;
    const struct sy_pen *signer; /* NULL: the inbox gives no orders */
} sy_view;

/* format.c: small things */
void sy_view_text(const sy_view *v, const char *text); /* escaped; NULL is nothing */
void sy_view_raw(const sy_view *v, const char *html);
void sy_view_word(const sy_view *v, sy_word_id w);
void sy_view_time(const sy_view *v, sy_ms t); /* local, to the minute, as <time> */
void sy_view_zone(const sy_view *v);
void sy_view_duration(const sy_view *v, sy_ms d);
void sy_view_number(const sy_view *v, double value, const char *unit);
/* "?lang=zh" or "&lang=zh" where it was chosen. */
void sy_view_lang(const sy_view *v, bool first);
/* Of {en, zh} the reader's, else the other; a plain text is itself. NULL: none. */
const char *sy_view_both(const sy_view *v, const json_t *value);
/* A time in an event, SY_MS_NONE where there is none. */
sy_ms sy_view_when(const json_t *value);

/* alert.c: an alert as a card in the list, and as a page */
void sy_view_card(const sy_view *v, const sy_inbox_alert *a);
/* The event of this data was made by readings that came late. */
bool sy_view_late(const json_t *data);
/* It is of a recording. */
bool sy_view_replay(const json_t *data);
/* The rule's `respond within`, 0: none. */
sy_ms sy_view_within(const json_t *data);
void sy_view_alert(const sy_view *v, const sy_inbox_alert *a);
void sy_view_details(const sy_view *v, const sy_inbox_alert *a, const json_t *data);

/* ledger.c: the gateways' ledgers, and what is wrong with them */
SY_MUST_USE sy_err sy_view_ledgers(const sy_view *v, sy_fail *f);
/* In the history of an alert: what was made of an event's proof. */
void sy_view_verdict(const sy_view *v, const char *verdict);

/* page.c: whole documents */
SY_MUST_USE sy_err sy_view_list(const sy_view *v, const sy_inbox_filter *w, int64_t before,
                                sy_fail *f);
SY_MUST_USE sy_err sy_view_one(const sy_view *v, int64_t first_seq, sy_fail *f);
SY_MUST_USE sy_err sy_view_events(const sy_view *v, int64_t after, sy_fail *f);
void sy_view_open(const sy_view *v, bool refresh);
void sy_view_back(const sy_view *v);
void sy_view_close(const sy_view *v, const char *at); /* at: the page's own address */
void sy_view_message(const sy_view *v, sy_word_id w);
/* Why something was not taken; more may be NULL. */
void sy_view_refusal(const sy_view *v, sy_word_id w, const char *more);

extern const char sy_view_style[]; /* the style sheet */

#endif
