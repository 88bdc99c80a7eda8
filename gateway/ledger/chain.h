/*
 * The certificates that bind a ledger's key to its gateway: X.509, from PEM, checked against an
 * authority's CA. mbedTLS is behind this file. Any thread.
 */
#ifndef SY_CHAIN_H
#define SY_CHAIN_H

#include "base/os.h"

enum { SY_CHAIN_MAX = 4, SY_CHAIN_BYTES = 16384 };

/* Certificates in DER, the key's own first. Owned: sy_chain_free. */
typedef struct sy_chain {
    sy_buf der[SY_CHAIN_MAX];
    size_t n;
} sy_chain;
void sy_chain_init(sy_chain *c);
void sy_chain_free(sy_chain *c);
/* From a PEM text with one to SY_CHAIN_MAX certificates. SY_E_PARSE. */
SY_MUST_USE sy_err sy_chain_read_pem(sy_span pem, sy_chain *out, sy_fail *f);
/* The public key of the first certificate as SubjectPublicKeyInfo, appended to out. */
SY_MUST_USE sy_err sy_chain_spki(const sy_chain *c, sy_buf *out, sy_fail *f);

/* The first certificate leads to one of the CA's (PEM), was valid at `when` (as was each between),
 * may sign (its key usage, where it has one, says so), is on none of the lists of revoked ones
 * (`crl_pem`, may be empty; a list that is out of date counts on), is for the key `spki` (empty:
 * not asked) and names the gateway: its CN is `gateway` (empty: not asked). SY_E_DENIED and why. */
typedef struct sy_chain_want {
    sy_span ca_pem, spki, gateway;
    sy_ms when;
    sy_span crl_pem;
    bool or_later; /* it is `when` or later, nobody knows when: one that begins later holds, too */
} sy_chain_want;
SY_MUST_USE sy_err sy_chain_check(const sy_chain *c, const sy_chain_want *want, sy_fail *f);
/* The same, and which of these it is that fails; the worst where several do. */
typedef enum sy_flaw {
    SY_FLAW_NONE,
    SY_FLAW_TIME,    /* had expired, or was not yet valid */
    SY_FLAW_UNKNOWN, /* no authority of ours, or no certificate at all */
    SY_FLAW_USAGE,   /* not for signing, or for another key */
    SY_FLAW_NAME,    /* of another gateway */
    SY_FLAW_REVOKED,
} sy_flaw;
SY_MUST_USE sy_err sy_chain_judge(const sy_chain *c, const sy_chain_want *want, sy_flaw *flaw,
                                  sy_fail *f);

/* Whom the first certificate names. Texts that do not fit, or hold a NUL or a control character,
 * are SY_E_DENIED: who cannot be told apart by name is nobody. */
enum { SY_SUBJECT_TEXT = 128, SY_SUBJECT_OUS = 8 };
typedef struct sy_subject {
    char cn[SY_SUBJECT_TEXT + 1]; /* "" where it has none */
    char ou[SY_SUBJECT_OUS][SY_SUBJECT_TEXT + 1];
    size_t n_ou;
    char serial[2 * 32 + 1];  /* hex */
    char fingerprint[64 + 1]; /* SHA-256 of the DER, hex */
    sy_ms from, to;
} sy_subject;
SY_MUST_USE sy_err sy_chain_subject(const sy_chain *c, sy_subject *out, sy_fail *f);
bool sy_subject_has_ou(const sy_subject *s, const char *ou);

#endif
