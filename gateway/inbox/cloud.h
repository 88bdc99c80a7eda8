/*
 * CloudEvents 1.0 in JSON, one or a batch, as the inbox accepts them. Pure but for the JSON
 * library.
 */
#ifndef SY_CLOUD_H
#define SY_CLOUD_H

#include <jansson.h>

#include "base/os.h"

enum { SY_CLOUD_MAX = 1000, SY_CLOUD_BODY_MAX = 1024 * 1024 };

typedef struct sy_cloud {
    sy_span raw;          /* the object's very bytes, without signature and proof; borrowed */
    sy_buf own[2], proof; /* the proof of the ledger (JSON), as it came last in the object */
    sy_buf jws;           /* the signature, as it came before that; empty: none */
    enum { SY_PROOF_NONE, SY_PROOF_THERE, SY_PROOF_UNREADABLE } has_proof;
    const char *source, *id, *type;
    const char *subject, *time; /* NULL where not given */
    const char *alert;    /* id of the alert, or group of alerts, that it is about; NULL: none */
    json_t *data;         /* NULL where not given */
    const char *original; /* redacted: the hash of the whole text (hex); NULL: it is whole */
    char refused[160];    /* why it was not taken; "": it was. Set by sy_inbox_db_add */
} sy_cloud;

typedef struct sy_cloud_batch {
    json_t *root;
    sy_cloud *v;
    size_t n;
} sy_cloud_batch;

/* Proof and signature (`steelyardproof`, `steelyardjws`) are taken off each event. All or nothing:
 * SY_E_PARSE names the event by its place (from 0) and says what is wrong. */
SY_MUST_USE sy_err sy_cloud_parse(sy_span body, sy_cloud_batch *out, sy_fail *f);
void sy_cloud_free(sy_cloud_batch *b);

#endif
