/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on the inbox by what an event carries, at the store: altered, forged, replayed, in
 * another's name, without its signature, by a certificate that does not count; and that what is
 * merely not certified is kept and flagged.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "inbox/db.h"
#include "ledger/jws.h"
#include "ledger/ledger_files.h"
#include "ledger/member.h"
#include "ledger/proof.h"
#include "upstream_rig.h"

static const char *const gw[] = {"gw-1", NULL}, *const other[] = {"gw-2", NULL};

static const sy_inbox_sender own = {"CN=gw-1", "gw-1"}, relay = {"CN=relay", "relay"},
                             thief = {"CN=gw-2", "gw-2"};

static void fine(sy_err e, const sy_fail *f)
{
    if (e != SY_OK) {
        fail_msg("%s", f->text);
    }
}

static void read_file(const char *dir, const char *name, sy_buf *out)
{
    sy_fail f;
    sy_buf_init(out, sy_heap());
    fine(sy_file_read(rig_path(dir, name), 65536, out, &f), &f);
}

typedef struct inbox {
    const char *dir;
    sy_inbox_db *db;
    sy_inbox_counted last;
    char why[160]; /* of the first event that the last batch refused */
} inbox;

static inbox open_it(const char *dir, const char *crl)
{
    inbox i = {.dir = dir};
    sy_buf ca, list;
    sy_fail f;
    read_file(dir, "ca.pem", &ca);
    sy_buf_init(&list, sy_heap());
    if (crl) {
        sy_buf_fini(&list);
        read_file(dir, crl, &list);
    }
    fine(sy_inbox_db_open(&i.db, dir, true, &f), &f);
    fine(sy_inbox_db_ca(i.db, sy_buf_span(&ca), sy_buf_span(&list), &f), &f);
    sy_buf_fini(&ca);
    sy_buf_fini(&list);
    return i;
}

/* One event, as it came. */
static void deliver(inbox *i, const sy_inbox_sender *from, const sy_buf *event)
{
    sy_cloud_batch b;
    sy_fail f;
    fine(sy_cloud_parse(sy_buf_span(event), &b, &f), &f);
    fine(sy_inbox_db_add(i->db, &b, from, sy_wall_ms(), &i->last, &f), &f);
    snprintf(i->why, sizeof i->why, "%s", b.v[0].refused);
    sy_cloud_free(&b);
}

typedef enum fate { STORED, KNOWN, REFUSED } fate;

static void expect(inbox *i, const sy_inbox_sender *from, const sy_buf *event, fate want)
{
    deliver(i, from, event);
    fate got = i->last.refused ? REFUSED : i->last.known ? KNOWN : STORED;
    assert_int_equal(i->last.refused + i->last.known + i->last.stored, 1);
    if (got != want) {
        fail_msg("%d, not %d: %s\n%s", (int)got, (int)want, i->why, event->p);
    }
}

typedef struct flags {
    const char *kind;
    int n;
} flags;

static void count_flag(void *ctx, const sy_inbox_flag *g)
{
    flags *c = ctx;
    c->n += strcmp(g->kind, c->kind) == 0 ? 1 : 0;
}

static int flagged(const inbox *i, const char *kind)
{
    flags c = {kind, 0};
    sy_fail f;
    fine(sy_inbox_db_flags(i->db, 100, count_flag, &c, &f), &f);
    return c.n;
}

/* An event of gateway gw-1 at a time, without a signature. */
static void make(sy_buf *out, const char *id, sy_ms when)
{
    char time[25];
    sy_time_text(when, time);
    sy_buf_init(out, sy_heap());
    sy_buf_printf(out,
                  "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/steelyard/gw-1\",\"type\":"
                  "\"steelyard.service.test\",\"time\":\"%s\",\"data\":{\"value\":1.10}}",
                  id, time);
}

/* By the key of one file, with the certificates of another (NULL: its key's name). */
static void sign(const char *dir, const char *key_file, const char *cert_file, sy_buf *event)
{
    sy_es256 *key = NULL;
    sy_chain chain;
    sy_buf header, jws, text, pem;
    sy_fail f;
    sy_chain_init(&chain);
    sy_buf_init(&header, sy_heap());
    sy_buf_init(&jws, sy_heap());
    sy_buf_init(&text, sy_heap());
    fine(sy_keyfile_load(rig_path(dir, key_file), &key, &f), &f);
    if (cert_file) {
        read_file(dir, cert_file, &pem);
        fine(sy_chain_read_pem(sy_buf_span(&pem), &chain, &f), &f);
        sy_buf_fini(&pem);
    }
    fine(sy_jws_header(key, &chain, SY_TYP_EVENT, &header, &f), &f);
    fine(sy_jws_sign(key, sy_buf_span(&header), sy_buf_span(event), true, &jws, &f), &f);
    sy_member_add(sy_buf_span(event), SY_MEMBER_JWS, sy_buf_span(&jws), &text);
    sy_buf_reset(event);
    sy_buf_span_put(event, sy_buf_span(&text));
    sy_es256_close(key);
    sy_chain_free(&chain);
    sy_buf_fini(&header);
    sy_buf_fini(&jws);
    sy_buf_fini(&text);
}

static void certify(const char *dir)
{
    sy_ms now = sy_wall_ms();
    rig_cert(dir, "ledger", SY_CERT_CLIENT, gw, now - RIG_DAY, now + RIG_DAY);
    rig_cert(dir, "ledger-2", SY_CERT_CLIENT, other, now - RIG_DAY, now + RIG_DAY);
    rig_cert(dir, "old", SY_CERT_CLIENT, gw, now - 9 * (sy_ms)RIG_DAY, now - 2 * (sy_ms)RIG_DAY);
}

static void good(const char *dir, const char *id, sy_buf *out)
{
    make(out, id, sy_wall_ms());
    sign(dir, "ledger.key", "ledger.pem", out);
}

static void close_it(inbox *i)
{
    sy_inbox_db_close(i->db);
}

static void signed_events_are_the_gateways_whoever_delivers_them(void **state)
{
    certify(*state);
    inbox i = open_it(*state, NULL);
    sy_buf e;
    good(*state, "e/1", &e);
    expect(&i, &relay, &e, STORED);
    expect(&i, &relay, &e, KNOWN);
    expect(&i, &thief, &e, KNOWN); /* replayed unaltered: nothing comes of it */
    sy_buf_fini(&e);
    assert_int_equal(flagged(&i, "unsigned"), 0);
    close_it(&i);
}

static void altered_ones_are_refused(void **state)
{
    certify(*state);
    inbox i = open_it(*state, NULL);
    sy_buf e;
    good(*state, "e/1", &e);
    char *at = strstr(e.p, "1.10");
    at[2] = '9';
    expect(&i, &own, &e, REFUSED);
    assert_non_null(strstr(i.why, "altered"));
    at[2] = '1';
    expect(&i, &own, &e, STORED);
    at[2] = '9'; /* what is known already, with another value */
    expect(&i, &own, &e, REFUSED);
    sy_buf_fini(&e);
    good(*state, "e/2", &e); /* the same signature under another id */
    memcpy(strstr(e.p, "e/2"), "e/3", 3);
    expect(&i, &own, &e, REFUSED);
    sy_buf_fini(&e);
    close_it(&i);
}

static void forged_ones_are_refused(void **state)
{
    certify(*state);
    inbox i = open_it(*state, NULL);
    sy_buf e;
    make(&e, "e/1", sy_wall_ms()); /* its own key, the gateway's certificates */
    sign(*state, "ledger-2.key", "ledger.pem", &e);
    expect(&i, &thief, &e, REFUSED);
    sy_buf_fini(&e);
    make(&e, "e/1", sy_wall_ms()); /* in the name of another, by a key that is certified */
    sign(*state, "ledger-2.key", "ledger-2.pem", &e);
    expect(&i, &thief, &e, REFUSED);
    assert_non_null(strstr(i.why, "does not name the gateway gw-1"));
    sy_buf_fini(&e);
    sy_buf junk;
    make(&e, "e/1", sy_wall_ms());
    sy_buf_init(&junk, sy_heap());
    sy_member_add(sy_buf_span(&e), SY_MEMBER_JWS, sy_span_of("e30..AA"), &junk);
    expect(&i, &own, &junk, REFUSED);
    sy_buf_fini(&junk);
    sy_buf_fini(&e);
    close_it(&i);
}

static void what_is_said_of_a_long_name_is_text(void **state)
{
    certify(*state);
    inbox i = open_it(*state, NULL);
    char name[160] = "x";
    for (int k = 0; k < 45; k++) {
        strcat(name, "网"); /* three bytes each: 60 is in the middle of one */
    }
    sy_buf e;
    good(*state, "e/1", &e);
    expect(&i, &relay, &e, STORED);
    sy_buf_fini(&e);
    make(&e, "e/2", sy_wall_ms());
    expect(&i, &(sy_inbox_sender){name, name}, &e, REFUSED);
    assert_int_equal(sy_utf8_check(sy_span_of(i.why)), strlen(i.why));
    sy_buf_fini(&e);
    close_it(&i);
}

static void without_a_signature_only_the_gateway_itself_is_heard(void **state)
{
    certify(*state);
    inbox i = open_it(*state, NULL);
    sy_buf e;
    make(&e, "e/0", sy_wall_ms()); /* nobody knows yet that gw-1 signs */
    expect(&i, &relay, &e, STORED);
    sy_buf_fini(&e);
    good(*state, "e/1", &e);
    expect(&i, &relay, &e, STORED);
    sy_buf_fini(&e);
    make(&e, "e/2", sy_wall_ms());
    expect(&i, &thief, &e, REFUSED); /* the signature was left out */
    assert_non_null(strstr(i.why, "gw-2 delivers it"));
    assert_int_equal(flagged(&i, "unsigned"), 0);
    expect(&i, &own, &e, STORED); /* the gateway has lost its key: its alerts still count */
    assert_int_equal(flagged(&i, "unsigned"), 1);
    sy_buf_fini(&e);
    make(&e, "e/3", sy_wall_ms()); /* who delivered its signed events before */
    expect(&i, &relay, &e, STORED);
    sy_buf_fini(&e);
    make(&e, "e/4", sy_wall_ms());
    sign(*state, "ledger-2.key", NULL, &e); /* a key without a certificate is no better */
    expect(&i, &thief, &e, REFUSED);
    expect(&i, &own, &e, STORED);
    sy_buf_fini(&e);
    close_it(&i);
}

static void a_certificate_counts_when_it_was_valid(void **state)
{
    certify(*state);
    rig_other_ca(*state, "elsewhere");
    inbox i = open_it(*state, NULL);
    sy_ms now = sy_wall_ms();
    sy_buf e;
    make(&e, "e/1", now - 3 * (sy_ms)RIG_DAY); /* of then, delivered late */
    sign(*state, "old.key", "old.pem", &e);
    expect(&i, &relay, &e, STORED);
    sy_buf_fini(&e);
    make(&e, "e/2", now); /* it had expired when this happened: not certified */
    sign(*state, "old.key", "old.pem", &e);
    expect(&i, &thief, &e, REFUSED);
    assert_non_null(strstr(i.why, "expired"));
    expect(&i, &own, &e, STORED);
    assert_int_equal(flagged(&i, "unsigned"), 1);
    sy_buf_fini(&e);
    make(&e, "e/3", now - 30 * (sy_ms)RIG_DAY); /* an old event under a new certificate */
    sign(*state, "ledger.key", "ledger.pem", &e);
    expect(&i, &thief, &e, STORED);
    sy_buf_fini(&e);
    make(&e, "e/4", now); /* of another authority: as if there were none */
    sign(*state, "elsewhere-client.key", "elsewhere-client.pem", &e);
    expect(&i, &own, &e, STORED);
    sy_buf_fini(&e);
    close_it(&i);
}

/* The place of the whole text in a ledger of one leaf, put into an event of which something was
 * taken out. */
static void prove(const char *dir, sy_span whole, const char *id, sy_buf *event)
{
    sy_proof p;
    sy_es256 *key = NULL;
    sy_buf pem, json, out;
    sy_fail f;
    sy_merkle m;
    sy_proof_init(&p);
    sy_buf_init(&json, sy_heap());
    sy_buf_init(&out, sy_heap());
    read_file(dir, "ledger.pem", &pem);
    fine(sy_chain_read_pem(sy_buf_span(&pem), &p.head.chain, &f), &f);
    fine(sy_keyfile_load(rig_path(dir, "ledger.key"), &key, &f), &f);
    sy_buf_span_put(&p.head.spki, sy_es256_spki(key));
    const sy_leaf_event e = {sy_span_of(id), whole, sy_span_of("5e7"), false, 0, {{0}}};
    sy_leaf_event_text(&e, &p.leaf);
    sy_digest leaf = sy_merkle_leaf(sy_buf_span(&p.leaf));
    sy_merkle_init(&m);
    sy_merkle_add(&m, &leaf);
    p.size = 1;
    const sy_head head = {sy_span_of("gw-1"), sy_span_of("b"), sy_span_of(sy_es256_kid(key)), 1,
                          sy_merkle_root(&m), sy_wall_ms()};
    sy_head_text(&head, &p.head.text);
    fine(sy_es256_sign(key, sy_buf_span(&p.head.text), p.head.signature, &f), &f);
    sy_proof_json(&p, &json);
    sy_proof_add(sy_buf_span(event), sy_buf_span(&json), &out);
    sy_buf_reset(event);
    sy_buf_span_put(event, sy_buf_span(&out));
    sy_es256_close(key);
    sy_proof_free(&p);
    sy_buf_fini(&pem);
    sy_buf_fini(&json);
    sy_buf_fini(&out);
}

static void take_verdict(void *ctx, const sy_inbox_event *e)
{
    char *out = ctx;
    snprintf(out, 64, "%s", e->proof);
}

static void expect_verdict(const inbox *i, const char *want)
{
    char got[64] = "";
    sy_fail f;
    fine(sy_inbox_db_events(i->db, NULL, NULL, 0, 100, take_verdict, got, &f), &f);
    assert_string_equal(got, want); /* of the last one */
}

/* What remains of `whole`: the hash of that stands in it. */
static void shorten(const sy_buf *whole, sy_buf *out)
{
    unsigned char sum[32];
    char hex[65];
    sy_sha256 h;
    sy_sha256_init(&h);
    sy_sha256_add(&h, whole->p, whole->n);
    sy_sha256_end(&h, sum);
    sy_hex(sum, sizeof sum, hex);
    sy_buf_init(out, sy_heap());
    sy_member_add(sy_buf_span(whole), "steelyardoriginal", sy_span_of(hex), out);
    memcpy(strstr(out->p, "1.10"), "null", 4);
}

static void of_a_shortened_event_the_signature_speaks(void **state)
{
    certify(*state);
    inbox i = open_it(*state, NULL);
    sy_buf whole, e;
    make(&whole, "e/1", sy_wall_ms());
    shorten(&whole, &e);
    sign(*state, "ledger.key", "ledger.pem", &e);
    prove(*state, sy_buf_span(&whole), "e/1", &e);
    expect(&i, &relay, &e, STORED);
    expect_verdict(&i, "redacted");
    sy_buf_fini(&e);
    sy_buf_fini(&whole);
    make(&whole, "e/2", sy_wall_ms());
    shorten(&whole, &e); /* without a signature anybody could have shortened it, to anything */
    prove(*state, sy_buf_span(&whole), "e/2", &e);
    expect(&i, &thief, &e, REFUSED);
    expect(&i, &own, &e, STORED);
    expect_verdict(&i, "uncertified");
    sy_buf_fini(&e);
    shorten(&whole, &e);
    memcpy(strstr(e.p, "e/2"), "e/3", 3); /* the leaf is of another event */
    sign(*state, "ledger.key", "ledger.pem", &e);
    prove(*state, sy_buf_span(&whole), "e/2", &e);
    expect(&i, &own, &e, STORED);
    expect_verdict(&i, "bad: it is of another event, or the event was changed");
    sy_buf_fini(&e);
    sy_buf_fini(&whole);
    close_it(&i);
}

static void a_revoked_key_is_refused_even_from_the_gateway(void **state)
{
    certify(*state);
    rig_revoke(*state, "ledger.pem");
    inbox i = open_it(*state, "crl.pem");
    sy_buf e;
    good(*state, "e/1", &e);
    expect(&i, &own, &e, REFUSED);
    assert_non_null(strstr(i.why, "revoked"));
    sy_buf_fini(&e);
    close_it(&i);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(signed_events_are_the_gateways_whoever_delivers_them),
        ROW(altered_ones_are_refused),
        ROW(forged_ones_are_refused),
        ROW(without_a_signature_only_the_gateway_itself_is_heard),
        ROW(a_certificate_counts_when_it_was_valid),
        ROW(what_is_said_of_a_long_name_is_text),
        ROW(of_a_shortened_event_the_signature_speaks),
        ROW(a_revoked_key_is_refused_even_from_the_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
