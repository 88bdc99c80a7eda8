/*
 * What is in force by order: the text of <data>/packs/in-force.json (docs/formats.md), read,
 * changed and written. Pure but for memory; one thread. The configuration reads the text by itself
 * (config/orders.c).
 */
#ifndef SY_FORCE_H
#define SY_FORCE_H

#include "orders/order.h"

typedef struct sy_force sy_force;

/* An empty text: nothing is in force. SY_E_PARSE, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_force_open(sy_force **out, sy_span text, sy_fail *f);
void sy_force_close(sy_force *p); /* NULL is allowed */
SY_MUST_USE sy_err sy_force_text(const sy_force *p, sy_buf *out, sy_fail *f);

typedef struct sy_force_pack {
    const char *name, *from; /* the destination whose authority it is of; borrowed */
    bool tuning;
    int64_t version; /* in force; 0: none */
    int64_t highest; /* that was ever taken */
    int64_t number;  /* of the order that brought it */
} sy_force_pack;
/* False: there never was one of this name. */
bool sy_force_find(const sy_force *p, const char *name, sy_force_pack *out);
/* False at the end. */
bool sy_force_at(const sy_force *p, size_t i, sy_force_pack *out);

/* ,"tiers":[…],"calibrations":[…] as the text has them: members of an object of the caller's. */
void sy_force_rest(const sy_force *p, sy_buf *json);

/* A pack, or a tuning as a pack of one file. `version` 0 of `pack`: out of force. */
SY_MUST_USE sy_err sy_force_put(sy_force *p, const sy_force_pack *pack, const sy_order_pair *files,
                                size_t n, sy_fail *f);
/* Such a version was taken, and waits: nothing older comes after it. */
SY_MUST_USE sy_err sy_force_note(sy_force *p, const char *name, const char *from, bool tuning,
                                 int64_t highest, sy_fail *f);
/* What an order of kind tiers or calibration says. */
SY_MUST_USE sy_err sy_force_tiers(sy_force *p, const sy_order *o, sy_fail *f);
SY_MUST_USE sy_err sy_force_calibration(sy_force *p, const sy_order *o, sy_fail *f);

#endif
