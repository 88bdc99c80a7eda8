/*
 * What an authority orders a box to do: the payload of a signed order (docs/orders.md), read and
 * written. Pure but for memory. What is read is hostile and strict: no member that is not known, no
 * text without its bounds.
 */
#ifndef SY_ORDER_H
#define SY_ORDER_H

#include "base/os.h"

#define SY_ORDER_TYP "steelyard-order+jws"
enum {
    SY_ORDER_BYTES = 1 << 20, /* of the JWS */
    SY_ORDER_NAME = 64,
    SY_ORDER_WHO = 128,
    SY_ORDER_WHY = 512,
    SY_ORDER_FILES = 64,
    SY_ORDER_TIERS = 32,
    SY_ORDER_TEXTS = 512 * 1024, /* of a pack's files together */
    SY_ORDER_AHEAD_MS = 600000   /* the signer's clock may be that much ahead */
};

typedef enum sy_order_kind {
    SY_ORDER_ACKNOWLEDGE,
    SY_ORDER_COMMENT,
    SY_ORDER_SHELVE,
    SY_ORDER_UNSHELVE,
    SY_ORDER_EVIDENCE,
    SY_ORDER_CALIBRATION,
    SY_ORDER_TIERS_OF,
    SY_ORDER_TUNE,
    SY_ORDER_PACK,
    SY_ORDER_ROLLBACK,
    SY_ORDER_KINDS
} sy_order_kind;
const char *sy_order_kind_text(sy_order_kind k); /* "acknowledge" … */
bool sy_order_kind_of(const char *text, sy_order_kind *out);

/* Roles: organisational units of the signer's certificate, as bits. */
enum { SY_ROLE_REGULATOR = 1, SY_ROLE_INSPECTOR = 2, SY_ROLE_PLATFORM = 4 };
unsigned sy_order_role_of(const char *ou);       /* 0: it is none */
unsigned sy_order_roles(sy_order_kind k);        /* who may order it */
void sy_roles_text(unsigned roles, sy_buf *out); /* "inspector, regulator" */

typedef struct sy_order_pair {
    const char *name, *value; /* a file and its text; a scheme of tiers and the tier */
} sy_order_pair;

typedef struct sy_order {
    const char *id, *gateway, *who, *why;
    sy_order_kind kind;
    sy_ms issued, expires; /* expires SY_MS_MAX: never */
    const char *alert;     /* acknowledge, comment, shelve, unshelve, evidence */
    const char *text;      /* comment, tune */
    sy_ms until;           /* shelve */
    const char *series, *calibrated;
    bool has_uncertainty;
    double uncertainty;   /* in the unit of the point */
    const char *premises; /* tiers */
    const char *name;     /* pack, rollback, tune */
    int64_t version;
    sy_ms effective; /* pack; SY_MS_NONE: at once */
    const sy_order_pair *pairs;
    size_t n_pairs; /* pack: files; tiers */
    void *root;     /* owns the texts of one that was read */
} sy_order;

/* SY_E_PARSE with the member that is wrong; SY_E_NOMEM. Free it where it returns SY_OK. */
SY_MUST_USE sy_err sy_order_read(sy_span payload, sy_order *out, sy_fail *f);
void sy_order_free(sy_order *o);
/* May a signer with these roles order this, of this box, at this time? SY_E_DENIED: not this role;
 * SY_E_RANGE: expired, or of the future; SY_E_NOTFOUND: for another gateway. */
SY_MUST_USE sy_err sy_order_check(const sy_order *o, const char *gateway, unsigned roles, sy_ms now,
                                  sy_fail *f);
/* What it is about, for the ledger: the alert, the series, the premises, or "NAME VERSION". */
void sy_order_on(const sy_order *o, sy_buf *out);

/* The payload that says this, which sy_order_read takes. SY_E_PARSE: it would not. */
SY_MUST_USE sy_err sy_order_write(const sy_order *o, sy_buf *out, sy_fail *f);

#endif
