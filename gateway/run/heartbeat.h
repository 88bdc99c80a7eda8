/*
 * Heartbeats: to each destination, as often as it wants (key `heartbeat`), an event that says that
 * the box is alive and how it is. docs/statement.md has its members.
 *
 * They are of the wall clock and no function of the log, so they have no leaf in the ledger; what
 * they say of it is its head, and the sender signs them like any event. In the outbox there is one
 * a destination at most: the newest.
 */
#ifndef SY_HEARTBEAT_H
#define SY_HEARTBEAT_H

#include "base/os.h"

typedef struct sy_heartbeat sy_heartbeat;

SY_MUST_USE sy_err sy_heartbeat_open(sy_heartbeat **out, sy_fail *f);
void sy_heartbeat_close(sy_heartbeat *h); /* NULL is allowed */
/* A reading of the series came. Any thread; takes a lock for a moment. */
void sy_heartbeat_heard(sy_heartbeat *h, const char *series);

struct sy_service;
/* Make those that are due, and let notices of a passing state go that waited too long. The main
 * thread, once a turn. */
void sy_heartbeat_turn(sy_heartbeat *h, struct sy_service *s);

#endif
