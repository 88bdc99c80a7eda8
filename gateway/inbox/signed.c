/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature is checked for each event; the chain of its certificates once for all events that
 * come with the same ones, and again after a while. The certificate counts where it is valid now,
 * or was at the time that the signed event tells: a box that was away for months may have a new
 * certificate for old events, or an old one that has expired since.
 */
#include "inbox/signed.h"

#include <stdio.h>

#include "base/utf8.h"
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

/* What stands in the text comes from others, and is cut to length: what is no UTF-8 then is '?'. */
static void say(sy_signature *out, sy_sign_state state, const char *why)
{
    out->state = state;
    snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, why);
    for (size_t n = strlen(out->why), at; (at = sy_utf8_check((sy_span){out->why, n})) < n;) {
        out->why[at] = '?';
    }
}

static void refuse(sy_signature *out, const char *why)
{
    say(out, SY_SIGN_REFUSED, why);
}

static void doubt(sy_signature *out, const char *why)
{
    say(out, SY_SIGN_UNCERTIFIED, why);
}

/* The key of this name comes with the event's proof, or came with one before: a name is the hash of
 * its key, so any key of that name will do. */
static sy_span bare_key(sy_inbox_db *d, const sy_cloud *c, const char *kid)
{
    sy_proof p;
    sy_fail unused;
    char name[SY_KID_CHARS + 1] = "";
    if (d->bare.n) {
        sy_kid_of(sy_buf_span(&d->bare), name);
    }
    if (strcmp(name, kid) != 0) {
        sy_buf_reset(&d->bare);
        sy_proof_init(&p);
        if (c->has_proof == SY_PROOF_THERE &&
            sy_proof_read(sy_buf_span(&c->proof), &p, &unused) == SY_OK) {
            sy_buf_span_put(&d->bare, sy_buf_span(&p.head.spki));
        }
        sy_proof_free(&p);
    }
    return sy_buf_span(&d->bare);
}

static bool still_trusted(const sy_inbox_db *d, const char *gateway, sy_ms now)
{
    return d->signer_holds && strcmp(d->signer_gateway, gateway) == 0 && now >= d->signer_checked &&
           now - d->signer_checked < AGAIN_MS;
}

static void trust(sy_inbox_db *d, const char *gateway, sy_ms now)
{
    d->signer_holds = strlen(gateway) < sizeof d->signer_gateway;
    if (d->signer_holds) {
        memcpy(d->signer_gateway, gateway, strlen(gateway) + 1);
        d->signer_checked = now;
    }
}

static void judge_chain(sy_inbox_db *d, const sy_cloud *c, sy_ms now, sy_signature *out)
{
    const sy_jws *j = &d->jws;
    const char *gateway = gateway_of(c);
    sy_ms told = SY_MS_NONE;
    sy_flaw flaw = SY_FLAW_NONE;
    sy_fail why = {0};
    out->state = SY_SIGN_CERTIFIED;
    if (still_trusted(d, gateway, now)) {
        return;
    }
    sy_chain_want want = {.ca_pem = sy_buf_span(&d->ca),
                          .crl_pem = sy_buf_span(&d->crl),
                          .spki = sy_buf_span(&j->spki),
                          .gateway = sy_span_of(gateway),
                          .when = now};
    sy_err e = sy_chain_judge(&j->chain, &want, &flaw, &why);
    if (e == SY_OK) {
        trust(d, gateway, now);
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

/* Into d->jws. */
static sy_err read_it(sy_inbox_db *d, const sy_cloud *c, sy_fail *why)
{
    const sy_span text = sy_buf_span(&c->jws);
    sy_err e = sy_jws_again(text, &d->jws, why);
    if (e == SY_E_NOTFOUND) {
        d->signer_holds = false;
        sy_jws_free(&d->jws);
        sy_jws_init(&d->jws);
        e = sy_jws_read(text, &d->jws, why);
    }
    if (e == SY_OK && (!d->jws.detached || strcmp(d->jws.typ, SY_TYP_EVENT) != 0)) {
        e = sy_fail_set(why, SY_E_PARSE, "the signature is none of an event");
    }
    return e;
}

static void judge(sy_inbox_db *d, const sy_cloud *c, sy_ms now, sy_signature *out)
{
    sy_fail why = {0};
    sy_span key = {NULL, 0};
    if (c->jws.n == 0) {
        out->state = SY_SIGN_NONE;
        snprintf(out->why, sizeof out->why, "it carries no signature");
        return;
    }
    sy_err e = read_it(d, c, &why);
    if (e == SY_OK && d->jws.chain.n == 0) {
        key = bare_key(d, c, d->jws.kid);
    }
    e = e != SY_OK ? e : sy_jws_holds(&d->jws, c->raw, key, &why);
    if (e == SY_E_NOTFOUND) {
        doubt(out, "the key that signed it has no certificate");
    } else if (e == SY_E_DENIED) {
        refuse(out, "the signature is not over this text: the event was altered, or is forged");
    } else if (e == SY_E_PARSE) {
        refuse(out, why.text);
    } else if (e != SY_OK) {
        doubt(out, why.text);
    } else if (!gateway_of(c)) {
        refuse(out, "its source is none of a gateway, /steelyard/<id>");
    } else if (d->jws.chain.n == 0) {
        doubt(out, "the key that signed it has no certificate");
    } else {
        judge_chain(d, c, now, out);
    }
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
    sy_inbox__done(d, st);
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

static bool seen(const sy_inbox_db *d, const char *source, const char *sender)
{
    return d->certified_source.n && sy_span_is(sy_buf_span(&d->certified_source), source) &&
           sy_span_is(sy_buf_span(&d->certified_sender), sender);
}

/* Forgotten where the transaction fails (db.c). */
static void see(sy_inbox_db *d, bool there, const char *source, const char *sender)
{
    sy_buf_reset(&d->certified_source);
    sy_buf_reset(&d->certified_sender);
    if (there) {
        sy_buf_text(&d->certified_source, source);
        sy_buf_text(&d->certified_sender, sender);
    }
    if (d->certified_source.failed || d->certified_sender.failed) {
        d->certified_source.n = 0;
    }
}

sy_err sy_inbox__book_signature(sy_inbox_db *d, const sy_cloud *c, int64_t seq, const char *sender,
                                const sy_signature *s, sy_ms now, sy_fail *f)
{
    known k;
    const bool certified = s->state == SY_SIGN_CERTIFIED;
    sy_err e = c->jws.n && seq ? keep(d, c, seq, certified, f) : SY_OK;
    if (e != SY_OK || !gateway_of(c) || (certified && seen(d, c->source, sender))) {
        return e;
    }
    e = what_is_known(d, c->source, sender, &k, f);
    see(d, e == SY_OK && certified && k.by_sender, c->source, sender);
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
