/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature is checked for each event; the chain of its certificates once for all events that
 * come with the same ones, and again after a while. The certificate counts where it is valid now,
 * or was at the time that the signed event tells: a box that was away for months may have a new
 * certificate for old events, or an old one that has expired since.
 */
#include "inbox/signed.h"

#include <stdio.h>

#include "ledger/jws.h"
#include "ledger/member.h"
#include "ledger/proof.h"

enum { AGAIN_MS = 60 * 1000 };

static const char *gateway_of(const sy_cloud *c)
{
    static const char prefix[] = "/steelyard/";
    const size_t n = sizeof prefix - 1;
    return strncmp(c->source, prefix, n) == 0 ? c->source + n : NULL;
}

static void refuse(sy_signature *out, const char *why)
{
    out->state = SY_SIGN_REFUSED;
    snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, why);
}

static void doubt(sy_signature *out, const char *why)
{
    out->state = SY_SIGN_UNCERTIFIED;
    snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, why);
}

/* The key that comes with the event's proof, for a signature that only names its key. */
static void key_of_proof(const sy_cloud *c, sy_buf *spki)
{
    sy_proof p;
    sy_fail unused;
    sy_proof_init(&p);
    if (c->has_proof == SY_PROOF_THERE &&
        sy_proof_read(sy_buf_span(&c->proof), &p, &unused) == SY_OK) {
        sy_buf_span_put(spki, sy_buf_span(&p.head.spki));
    }
    sy_proof_free(&p);
}

static bool still_trusted(const sy_inbox_db *d, const sy_jws *j, const char *gateway, sy_ms now)
{
    return d->signer.n && sy_span_eq(sy_buf_span(&d->signer), j->header) &&
           strcmp(d->signer_gateway, gateway) == 0 && now >= d->signer_checked &&
           now - d->signer_checked < AGAIN_MS;
}

static void trust(sy_inbox_db *d, const sy_jws *j, const char *gateway, sy_ms now)
{
    sy_buf_reset(&d->signer);
    if (strlen(gateway) < sizeof d->signer_gateway) {
        sy_buf_span_put(&d->signer, j->header);
        d->signer.n = d->signer.failed ? 0 : d->signer.n;
        memcpy(d->signer_gateway, gateway, strlen(gateway) + 1);
        d->signer_checked = now;
    }
}

static void judge_chain(sy_inbox_db *d, const sy_cloud *c, const sy_jws *j, sy_ms now,
                        sy_signature *out)
{
    const char *gateway = gateway_of(c);
    sy_ms told = SY_MS_NONE;
    sy_flaw flaw = SY_FLAW_NONE;
    sy_fail why = {0};
    out->state = SY_SIGN_CERTIFIED;
    if (still_trusted(d, j, gateway, now)) {
        return;
    }
    sy_chain_want want = {.ca_pem = sy_buf_span(&d->ca),
                          .crl_pem = sy_buf_span(&d->crl),
                          .spki = sy_buf_span(&j->spki),
                          .gateway = sy_span_of(gateway),
                          .when = now};
    sy_err e = sy_chain_judge(&j->chain, &want, &flaw, &why);
    if (e == SY_OK) {
        trust(d, j, gateway, now);
        return;
    }
    if (flaw == SY_FLAW_TIME && c->time && sy_time_parse(sy_span_of(c->time), &told) == SY_OK) {
        want.when = told;
        e = sy_chain_judge(&j->chain, &want, &flaw, &why);
    }
    if (e == SY_OK) {
        return;
    }
    if (flaw == SY_FLAW_NAME || flaw == SY_FLAW_REVOKED) {
        refuse(out, why.text);
    } else { /* no time and no name in it: it is flagged once */
        doubt(out, flaw == SY_FLAW_TIME    ? "its certificate had expired, or was not yet valid"
                   : flaw == SY_FLAW_USAGE ? "its certificate is not one to sign with"
                                           : "its certificate is of another authority");
    }
}

static void judge(sy_inbox_db *d, const sy_cloud *c, sy_ms now, sy_signature *out)
{
    sy_jws j;
    sy_buf spki;
    sy_fail why = {0};
    if (c->jws.n == 0) {
        out->state = SY_SIGN_NONE;
        snprintf(out->why, sizeof out->why, "it carries no signature");
        return;
    }
    sy_jws_init(&j);
    sy_buf_init(&spki, sy_heap());
    sy_err e = sy_jws_read(sy_buf_span(&c->jws), &j, &why);
    if (e == SY_OK && (!j.detached || strcmp(j.typ, SY_TYP_EVENT) != 0)) {
        e = sy_fail_set(&why, SY_E_DENIED, "the signature is none of an event");
    }
    if (e == SY_OK && j.chain.n == 0) {
        key_of_proof(c, &spki);
    }
    e = e != SY_OK ? e : sy_jws_holds(&j, c->raw, sy_buf_span(&spki), &why);
    if (e == SY_E_NOTFOUND) {
        doubt(out, "the key that signed it has no certificate");
    } else if (e == SY_E_DENIED || e == SY_E_PARSE) {
        refuse(out, e == SY_E_DENIED && j.detached ? "the signature is not over this text: the "
                                                     "event was altered, or is forged"
                                                   : why.text);
    } else if (e != SY_OK) {
        doubt(out, why.text);
    } else if (!gateway_of(c)) {
        refuse(out, "its source is none of a gateway, /steelyard/<id>");
    } else if (j.chain.n == 0) {
        doubt(out, "the key that signed it has no certificate");
    } else {
        judge_chain(d, c, &j, now, out);
    }
    sy_buf_fini(&spki);
    sy_jws_free(&j);
}

typedef struct known {
    bool certified, by_sender;
} known;

static void note_row(void *ctx, sqlite3_stmt *row)
{
    known *k = ctx;
    k->certified = sqlite3_column_int64(row, 0) > 0;
    k->by_sender = sqlite3_column_int64(row, 1) > 0;
}

static sy_err what_is_known(sy_inbox_db *d, const char *source, const char *sender, known *k,
                            sy_fail *f)
{
    *k = (known){false, false};
    return sy_inbox__each(d,
                          sy_inbox__prepare(d,
                                            "SELECT count(*), sum(sender=?1) FROM certified"
                                            " WHERE source=?2",
                                            "ss", sender, source),
                          "reading signers", note_row, k, f);
}

sy_err sy_inbox__signature(sy_inbox_db *d, const sy_cloud *c, const sy_inbox_sender *from,
                           sy_ms now, sy_signature *out, sy_fail *f)
{
    known k;
    const char *gateway = gateway_of(c);
    *out = (sy_signature){SY_SIGN_NONE, ""};
    judge(d, c, now, out);
    if (out->state == SY_SIGN_REFUSED || out->state == SY_SIGN_CERTIFIED || !gateway ||
        strcmp(from->name, gateway) == 0) {
        return SY_OK;
    }
    sy_err e = what_is_known(d, c->source, from->subject, &k, f);
    if (e == SY_OK && k.certified && !k.by_sender) {
        char why[sizeof out->why];
        snprintf(why, sizeof why, "%.60s delivers it, but %.80s",
                 from->name[0] ? from->name : "somebody", out->why);
        refuse(out, why);
    }
    return e;
}

static sy_err run(sy_inbox_db *d, sqlite3_stmt *st, const char *what, sy_fail *f)
{
    sy_err e = st && sqlite3_step(st) == SQLITE_DONE ? SY_OK : sy_inbox__failed(d, what, f);
    sqlite3_finalize(st);
    return e;
}

static sy_err keep(sy_inbox_db *d, const sy_cloud *c, int64_t seq, bool certified, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(d,
                                         "INSERT OR REPLACE INTO signatures(seq, certified, jws)"
                                         " VALUES(?, ?, ?)",
                                         "ii", seq, (int64_t)certified);
    if (st) {
        sqlite3_bind_text64(st, 3, c->jws.p, c->jws.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    return run(d, st, "a signature", f);
}

sy_err sy_inbox__book_signature(sy_inbox_db *d, const sy_cloud *c, int64_t seq, const char *sender,
                                const sy_signature *s, sy_ms now, sy_fail *f)
{
    known k;
    const bool certified = s->state == SY_SIGN_CERTIFIED;
    sy_err e = c->jws.n && seq ? keep(d, c, seq, certified, f) : SY_OK;
    if (e != SY_OK || !gateway_of(c)) {
        return e;
    }
    e = what_is_known(d, c->source, sender, &k, f);
    if (e == SY_OK && certified && !k.by_sender) {
        e = run(d,
                sy_inbox__prepare(d, "INSERT INTO certified(source, sender, since) VALUES(?, ?, ?)",
                                  "ssi", c->source, sender, (int64_t)now),
                "a signer", f);
    } else if (e == SY_OK && !certified && k.certified) {
        e = sy_inbox__flag(d, c->source, "unsigned", s->why, now, f);
    }
    return e;
}
