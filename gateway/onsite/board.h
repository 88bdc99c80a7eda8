/*
 * The board: which alerts are active at the premises, kept from the events of the store, as those
 * see it who are told there. One thread, or under its owner's lock.
 *
 * An alert is on the board from its first event that told a recipient whom on-site serves, at a
 * severity that counts there, until it is over. What people did (acknowledged, shelved) is read
 * from the events, too (docs/lifecycle.md).
 */
#ifndef SY_BOARD_H
#define SY_BOARD_H

#include "config/config.h"

typedef struct sy_board_alert {
    char *id, *premises, *place, *place_name, *rule;
    char *en, *zh;  /* what it says; NULL: nothing in that language */
    char since[32]; /* onset, RFC 3339 */
    char *by;       /* who acknowledged it; NULL: nobody */
    sy_alert_level severity;
    bool told;    /* by one of its events: it is shown */
    bool shelved; /* it is not counted */
} sy_board_alert;

typedef struct sy_board {
    sy_board_alert *v; /* in no order */
    size_t n, cap;
    const sy_on_site *o; /* borrowed */
} sy_board;

void sy_board_init(sy_board *b, const sy_on_site *o);
void sy_board_fini(sy_board *b);
/* Take an event in, of any kind. SY_E_NOMEM. *premises: whose state it changed, copied into the
 * caller's buffer; "": none. What is no event of an alert changes nothing. */
enum { SY_BOARD_ID = 129 };
SY_MUST_USE sy_err sy_board_take(sy_board *b, sy_span event, char premises[SY_BOARD_ID],
                                 sy_fail *f);
/* An alert that is shown there; NULL. */
const sy_board_alert *sy_board_find(const sy_board *b, const char *premises, sy_span alert);

/* render.c: what is active at the premises (place NULL), or at one place of it, as one JSON object;
 * key order and bytes are fixed. docs/on-site.md. */
enum { SY_BOARD_LISTED = 16 }; /* alerts in the list; `more` counts the others */
void sy_board_json(const sy_board *b, const sy_site_premises *p, const sy_site *site,
                   const sy_site_place *place, sy_buf *out);

/* cbor.c: the same as CBOR (RFC 8949), definite lengths. */
SY_MUST_USE sy_err sy_board_cbor(sy_span json, sy_buf *out, sy_fail *f);

#endif
