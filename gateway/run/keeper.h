/*
 * The keeper: thread "sy-keeper", which seals the journal's full segments and lets go of what is
 * older, or takes more room, than the configuration says.
 *
 * A segment is sealed once it is synced and behind the store's position. Order: the compressed
 * file, synced; its row and leaf in one durable transaction; then the original goes. A row about
 * what expires is written before its file goes. So every crash leaves what the next round mends,
 * and a full disk leaves everything as it was: the keeper says so once and tries again.
 *
 * What is old is told by a clock of its own that follows the log's clock forward by at most a day
 * in an hour (an hour in an hour while the box's clock is not synchronised), so that a clock that
 * jumps to 2099 for a while costs next to nothing.
 */
#ifndef SY_KEEPER_H
#define SY_KEEPER_H

#include "config/config.h"
#include "intake/journal.h"
#include "ledger/ledger.h"
#include "store/store.h"

typedef struct sy_keeper sy_keeper;
typedef struct sy_keeper_options {
    sy_journal *journal;
    sy_store *store;
    sy_ledger *ledger; /* NULL: none, as in tests of other things */
    const char *data;  /* the data folder */
    const sy_config *config;
    bool replay_clock; /* the log's clock is believed as it is */
    int every_ms;      /* a round; 0: 5 s */
} sy_keeper_options;

SY_MUST_USE sy_err sy_keeper_start(sy_keeper **out, const sy_keeper_options *o, sy_fail *f);
/* Another configuration is in force. */
void sy_keeper_configure(sy_keeper *k, const sy_config *c);
/* Hold an alert, or release it (`hold` false): the row and an action in the ledger, durable when it
 * returns. SY_E_NOTFOUND, SY_E_EXISTS, SY_E_PARSE (a text is empty, too long or not clean). */
SY_MUST_USE sy_err sy_keeper_hold(sy_keeper *k, bool hold, const char *alert, const char *who,
                                  const char *why, sy_fail *f);
/* A JSON object: what is on the disk, what is written, what fits, what wears (docs/retention.md).
 */
void sy_keeper_status(sy_keeper *k, sy_buf *json);
/* What was written to the device, of what the card can take, in percent; NaN: not known. Any
 * thread. */
double sy_keeper_wear(sy_keeper *k);
/* Ends after the step in hand. NULL is allowed. */
void sy_keeper_stop(sy_keeper *k);

/* The same object for a folder on which no gateway runs: without what only a process knows. */
void sy_keeper_offline(sy_store *s, const char *data, sy_buf *json);

#endif
