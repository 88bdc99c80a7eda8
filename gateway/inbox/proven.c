/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a receiver makes of ledgers (docs/ledger.md, "What a receiver does"): each proof is checked,
 * each head is compared with those that are known. What is found wrong is flagged and logged; the
 * event is stored all the same, since an alert is worth more than its proof.
 */
#include <stdio.h>

#include "base/log.h"
#include "inbox/db_int.h"
#include "ledger/proof.h"

enum { FROM_MAX = 65, SHORT = 12 };

typedef struct booking {
    sy_inbox_db *d;
    const char *source;
    sy_ms now;
    sy_fail *f;
} booking;

static sy_err run(const booking *b, sqlite3_stmt *st, const char *what)
{
    return sy_inbox__run(b->d, st, what, b->f);
}

sy_err sy_inbox__flag(sy_inbox_db *d, const char *source, const char *kind, const char *text,
                      sy_ms now, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(d,
                                         "INSERT OR IGNORE INTO flags(source, kind, text, received)"
                                         " VALUES(?, ?, ?, ?)",
                                         "sssi", source, kind, text, (int64_t)now);
    sy_err e = run(&(booking){d, source, now, f}, st, "a flag");
    if (e == SY_OK && sqlite3_changes(d->db) > 0) {
        char from[128], quoted[1024];
        sy_log(SY_LOG_ERROR, "inbox-ledger", "source=%s kind=%s msg=%s",
               sy_logq(sy_span_of(source), from, sizeof from), kind,
               sy_logq(sy_span_of(text), quoted, sizeof quoted));
    }
    return e;
}

static sy_err flag(const booking *b, const char *kind, const char *text)
{
    return sy_inbox__flag(b->d, b->source, kind, text, b->now, b->f);
}

static void first_number(void *ctx, sqlite3_stmt *st)
{
    *(int64_t *)ctx = sqlite3_column_int64(st, 0);
}

typedef struct head_row {
    bool found;
    int64_t size, time;
    char box[65], kid[65];
} head_row;

static void read_head_row(void *ctx, sqlite3_stmt *st)
{
    head_row *h = ctx;
    h->found = true;
    h->size = sqlite3_column_int64(st, 0);
    h->time = sqlite3_column_int64(st, 1);
    snprintf(h->box, sizeof h->box, "%s", sy_inbox__column(st, 2));
    snprintf(h->kid, sizeof h->kid, "%s", sy_inbox__column(st, 3));
}

/* The head with the most leaves, or the one that came last. */
static sy_err known_head(const booking *b, bool last, head_row *out)
{
    static const char by_size[] = "SELECT size, time, box, kid FROM live WHERE source=?"
                                  " ORDER BY size DESC, seq DESC LIMIT 1";
    static const char by_seq[] = "SELECT size, time, box, kid FROM heads WHERE source=?"
                                 " ORDER BY seq DESC LIMIT 1";
    *out = (head_row){0};
    return sy_inbox__each(b->d, sy_inbox__prepare(b->d, last ? by_seq : by_size, "s", b->source),
                          "reading heads", read_head_row, out, b->f);
}

static sy_err count(const booking *b, sqlite3_stmt *st, int64_t *n)
{
    *n = 0;
    return sy_inbox__each(b->d, st, "reading heads", first_number, n, b->f);
}

static void bind_root(sqlite3_stmt *st, int at, const sy_digest *root)
{
    if (st) {
        sqlite3_bind_blob(st, at, root->b, sizeof root->b, SQLITE_TRANSIENT);
    }
}

/* A head of this size is known: with this root (same), or with another one. */
static sy_err heads_of_size(const booking *b, const sy_head *h, int64_t *same, int64_t *other)
{
    sqlite3_stmt *st =
        sy_inbox__prepare(b->d, "SELECT count(*) FROM live WHERE source=? AND size=? AND root=?",
                          "si", b->source, (int64_t)h->size);
    bind_root(st, 3, &h->root);
    sy_err e = count(b, st, same);
    if (e != SY_OK) {
        return e;
    }
    e = count(b,
              sy_inbox__prepare(b->d, "SELECT count(*) FROM live WHERE source=? AND size=?", "si",
                                b->source, (int64_t)h->size),
              other);
    *other -= *same;
    return e;
}

/* A head of a history that was given up at a restore: whoever has it still tells it. */
static sy_err check_given_up(const booking *b, const sy_head *h, bool *found)
{
    char text[160];
    int64_t n = 0;
    sqlite3_stmt *st =
        sy_inbox__prepare(b->d, "SELECT count(*) FROM heads WHERE source=? AND size=? AND root=?",
                          "si", b->source, (int64_t)h->size);
    bind_root(st, 3, &h->root);
    sy_err e = count(b, st, &n); /* it is none of the live ones */
    *found = e == SY_OK && n > 0;
    if (!*found) {
        return e;
    }
    snprintf(text, sizeof text, "a head of %llu entries is told again, which a restore gave up",
             (unsigned long long)h->size);
    return flag(b, "forked", text);
}

static sy_err check_box(const booking *b, const sy_head *h, const head_row *last, bool admitted)
{
    char box[65], text[160];
    int64_t before = 0;
    snprintf(box, sizeof box, "%.*s", (int)(h->box.n < 64 ? h->box.n : 64), h->box.p);
    if (!last->found || strcmp(last->box, box) == 0) {
        return SY_OK;
    }
    sy_err e = count(b,
                     sy_inbox__prepare(b->d, "SELECT count(*) FROM heads WHERE source=? AND box=?",
                                       "ss", b->source, box),
                     &before);
    snprintf(text, sizeof text, "from box %.*s to box %.*s", SHORT, last->box, SHORT, box);
    return e != SY_OK ? e : flag(b, before && !admitted ? "cloned" : "moved", text);
}

static sy_err check_key(const booking *b, const sy_head *h, bool certified, const head_row *last)
{
    char text[160];
    if (certified || !last->found || sy_span_is(h->kid, last->kid)) {
        return SY_OK;
    }
    snprintf(text, sizeof text, "from key %.*s to key %.*s", SHORT, last->kid, SHORT, h->kid.p);
    return flag(b, "key", text);
}

static sy_err check_past(const booking *b, const sy_head *h, const head_row *newest, bool other)
{
    char text[160];
    sy_err e = SY_OK;
    if (other) {
        snprintf(text, sizeof text, "heads of %llu entries with different roots",
                 (unsigned long long)h->size);
        e = flag(b, "forked", text);
    }
    /* An older head may come late, on another way; a later one of fewer leaves cannot be. */
    if (e == SY_OK && newest->found && (int64_t)h->size < newest->size && h->time > newest->time) {
        snprintf(text, sizeof text, "after a head of %lld entries came a later one of fewer",
                 (long long)newest->size);
        e = flag(b, "cut", text);
    }
    return e;
}

typedef enum noted { NOTED_BEFORE, NOTED_NOW, NOTED_NOT } noted;

/* A head whose signature holds, however it came. admitted: with a restore, which may be into a box
 * that had the ledger before. NOTED_NOT: it is one that was given up. */
static sy_err note_head(const booking *b, const sy_signed_head *s, const sy_proof_facts *facts,
                        bool admitted, noted *out)
{
    bool given_up = false;
    const sy_head *h = &facts->head;
    int64_t same = 0, other = 0;
    head_row newest, last;
    *out = NOTED_NOT;
    sy_err e = heads_of_size(b, h, &same, &other);
    if (e == SY_OK && !same) {
        e = check_given_up(b, h, &given_up);
    }
    if (e != SY_OK || same || given_up) {
        *out = e == SY_OK && same ? NOTED_BEFORE : NOTED_NOT;
        return e;
    }
    e = known_head(b, false, &newest);
    e = e != SY_OK ? e : known_head(b, true, &last);
    e = e != SY_OK ? e : check_past(b, h, &newest, other > 0);
    e = e != SY_OK ? e : check_box(b, h, &last, admitted);
    e = e != SY_OK ? e : check_key(b, h, facts->certified, &last);
    if (e != SY_OK) {
        return e;
    }
    char box[65], kid[65];
    sy_buf members;
    sy_buf_init(&members, sy_heap());
    sy_buf_char(&members, '{');
    sy_signed_head_json(s, &members);
    sy_buf_char(&members, '}');
    snprintf(box, sizeof box, "%.*s", (int)(h->box.n < 64 ? h->box.n : 64), h->box.p);
    snprintf(kid, sizeof kid, "%.*s", (int)(h->kid.n < 64 ? h->kid.n : 64), h->kid.p);
    sqlite3_stmt *st = sy_inbox__prepare(
        b->d,
        "INSERT INTO heads(source, size, time, box, kid, certified, received, root, signed)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "siissii", b->source, (int64_t)h->size, (int64_t)h->time, box, kid,
        (int64_t)facts->certified, (int64_t)b->now);
    bind_root(st, 8, &h->root);
    if (st) {
        sqlite3_bind_text64(st, 9, members.p, members.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    *out = NOTED_NOW;
    e = members.failed ? sy_fail_set(b->f, SY_E_NOMEM, "no memory for a head") : SY_OK;
    if (e == SY_OK) {
        e = run(b, st, "a head");
    } else {
        sy_inbox__done(b->d, st);
    }
    sy_buf_fini(&members);
    return e;
}

/* The head is that of the gateway that the event comes from. */
static bool own_head(const booking *b, const sy_head *h)
{
    static const char prefix[] = "/steelyard/";
    const size_t n = sizeof prefix - 1;
    return strncmp(b->source, prefix, n) == 0 && sy_span_is(h->gateway, b->source + n);
}

/* The head held: events that come under the very same one are compared with their leaves alone. */
static void see(sy_inbox_db *d, sy_span json, bool certified)
{
    sy_span tail;
    sy_fail unused;
    sy_proof_free(&d->seen);
    sy_proof_init(&d->seen);
    sy_buf_reset(&d->seen_tail);
    d->seen_noted = false;
    d->seen_certified = certified;
    if (sy_proof_tail(json, &tail) && sy_proof_read(json, &d->seen, &unused) == SY_OK) {
        sy_buf_span_put(&d->seen_tail, tail);
    }
    d->seen_tail.n = d->seen_tail.failed ? 0 : d->seen_tail.n;
}

/* The leaf of a proof whose head is the one that held just before. SY_E_NOTFOUND: it is not. */
static sy_err check_again(sy_inbox_db *d, sy_span json, sy_proof *p, sy_proof_facts *facts,
                          sy_fail *why)
{
    const sy_span tail = sy_buf_span(&d->seen_tail);
    sy_err e = sy_proof_read_front(json, tail, p, why);
    if (e == SY_OK) {
        *facts = (sy_proof_facts){.signature_holds = true, .certified = d->seen_certified};
        e = sy_head_read(sy_buf_span(&d->seen.head.text), &facts->head, why);
    }
    e = e != SY_OK ? e : sy_proof_included(p, &facts->head, why);
    facts->leaf_included = e == SY_OK;
    return e;
}

/* The whole check, or that of the leaf alone; p->head is empty then, it is d->seen.head. */
static sy_err check_proof(sy_inbox_db *d, sy_span json, sy_proof *p, sy_proof_facts *facts,
                          sy_fail *why)
{
    const sy_span none = {NULL, 0};
    sy_err e = check_again(d, json, p, facts, why);
    if (e != SY_E_NOTFOUND) {
        return e;
    }
    e = sy_proof_read(json, p, why);
    e = e != SY_OK
            ? e
            : sy_proof_check(p, p->head.chain.n > 0 ? sy_buf_span(&d->ca) : none, facts, why);
    if (e == SY_OK) {
        see(d, json, facts->certified);
    }
    return e;
}

/* Whether the proof holds; *why says what does not. A key that nobody has certified is no failure
 * here: facts say it. */
static bool holds(const booking *b, const sy_cloud *c, sy_proof *p, sy_proof_facts *facts,
                  sy_fail *why)
{
    if (c->has_proof != SY_PROOF_THERE) {
        (void)sy_fail_set(why, SY_E_PARSE, "it cannot be read");
        return false;
    }
    sy_err e = check_proof(b->d, sy_buf_span(&c->proof), p, facts, why);
    if (e != SY_OK) {
        return false;
    }
    if (!own_head(b, &facts->head)) {
        (void)sy_fail_set(why, SY_E_DENIED, "it is of another gateway");
        return false;
    }
    if (!(c->original ? sy_leaf_is_redacted(sy_buf_span(&p->leaf), sy_span_of(c->id), c->original)
                      : sy_leaf_is_event(sy_buf_span(&p->leaf), sy_span_of(c->id), c->raw))) {
        (void)sy_fail_set(why, SY_E_DENIED, "it is of another event, or the event was changed");
        return false;
    }
    return true;
}

/* By a key that an authority has certified, or that signed what came last. */
static bool may_restore(const booking *b, const sy_proof_facts *facts)
{
    head_row last;
    return facts->certified || (known_head(b, true, &last) == SY_OK && last.found &&
                                sy_span_is(facts->head.kid, last.kid));
}

static sy_err keep_verdict(const booking *b, int64_t seq, const char *verdict, const sy_cloud *c)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        b->d, "INSERT OR REPLACE INTO proofs(seq, verdict, proof) VALUES(?, ?, ?)", "is", seq,
        verdict);
    if (st) {
        sqlite3_bind_blob64(st, 3, c->proof.n ? c->proof.p : "", c->proof.n, SQLITE_STATIC);
    }
    return run(b, st, "a proof");
}

static sy_err flag_event(const booking *b, const char *kind, const char *id, const char *why)
{
    char text[544];
    snprintf(text, sizeof text, "event %.200s%s%s", id, why[0] ? ": " : "", why);
    return flag(b, kind, text);
}

/* Of a redacted event the ledger has the whole text: that this is what remains of it, the signature
 * alone says. */
static const char *verdict_of(const sy_cloud *c, const sy_proof_facts *facts, bool signed_by_it)
{
    if (c->original) {
        return signed_by_it && facts->certified ? "redacted" : "uncertified";
    }
    return facts->certified ? "proven" : "uncertified";
}

/* The head that an event's proof stands under. */
static sy_err note_proven(const booking *b, const sy_cloud *c, const sy_proof *p,
                          const sy_proof_facts *facts)
{
    sy_inbox_db *d = b->d;
    noted state = NOTED_NOT;
    bool again = p->head.text.n == 0;
    bool trusted = strcmp(c->type, "steelyard.ledger.restored") == 0 && may_restore(b, facts);
    if (again && d->seen_noted && !trusted) {
        return SY_OK;
    }
    d->seen_noted = false;
    sy_err e = trusted ? sy_inbox__book_restored(d, c, &facts->head, b->now, b->f) : SY_OK;
    e = e != SY_OK ? e : note_head(b, again ? &d->seen.head : &p->head, facts, trusted, &state);
    d->seen_noted = e == SY_OK && state != NOTED_NOT;
    return e;
}

sy_err sy_inbox__book_event(sy_inbox_db *d, const sy_cloud *c, int64_t seq, bool signed_by_it,
                            sy_ms now, sy_fail *f)
{
    const booking b = {d, c->source, now, f};
    sy_proof p;
    sy_proof_facts facts = {0};
    sy_fail why = {0};
    char verdict[sizeof why.text + 8] = "none";
    sy_err e = SY_OK;
    if (c->has_proof == SY_PROOF_NONE) {
        head_row known;
        e = known_head(&b, true, &known);
        if (e == SY_OK && known.found) {
            e = flag_event(&b, "no-proof", c->id, "");
        }
        return e != SY_OK ? e : keep_verdict(&b, seq, verdict, c);
    }
    sy_proof_init(&p);
    if (holds(&b, c, &p, &facts, &why)) {
        snprintf(verdict, sizeof verdict, "%s", verdict_of(c, &facts, signed_by_it));
        e = note_proven(&b, c, &p, &facts);
    } else {
        snprintf(verdict, sizeof verdict, "bad: %s", why.text);
        e = flag_event(&b, "bad-proof", c->id, why.text);
    }
    sy_proof_free(&p);
    return e != SY_OK ? e : keep_verdict(&b, seq, verdict, c);
}

/* ---- heads that are told by themselves ---- */

static bool read_proof(const json_t *list, sy_merkle_proof *out)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > sizeof out->path / sizeof out->path[0]) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *hex = json_array_get(list, i);
        const sy_span text = {json_string_value(hex), json_string_length(hex)};
        if (!json_is_string(hex) || sy_digest_parse(text, &out->path[i]) != SY_OK) {
            return false;
        }
    }
    out->n = n;
    return true;
}

typedef struct comparing {
    const sy_head *h;
    const sy_merkle_proof *proof;
    uint64_t size;
    sy_digest root; /* of the known head that it continues */
    bool known, continued;
} comparing;

static void compare(void *ctx, sqlite3_stmt *st)
{
    comparing *c = ctx;
    sy_digest root;
    if (sqlite3_column_bytes(st, 0) != (int)sizeof root.b) {
        return;
    }
    memcpy(root.b, sqlite3_column_blob(st, 0), sizeof root.b);
    c->known = true;
    if (sy_merkle_consistent(c->size, &root, c->h->size, &c->h->root, c->proof)) {
        c->continued = true;
        c->root = root;
    }
}

/* Whether it continues one that was given up at a restore. */
static sy_err flag_given_up(const booking *b, comparing *c)
{
    char text[160];
    sy_err e =
        sy_inbox__each(b->d,
                       sy_inbox__prepare(b->d, "SELECT root FROM heads WHERE source=? AND size=?",
                                         "si", b->source, (int64_t)c->size),
                       "reading heads", compare, c, b->f);
    if (e != SY_OK || !c->continued) {
        return e;
    }
    snprintf(text, sizeof text,
             "a head of %llu entries continues one of %llu, which a restore gave "
             "up",
             (unsigned long long)c->h->size, (unsigned long long)c->size);
    return flag(b, "forked", text);
}

/* The ledger is shown to continue a head of this size: note it where we know such a head. */
static sy_err continues(const booking *b, const sy_head *h, const char *destination,
                        const json_t *from)
{
    sy_merkle_proof proof = {.n = 0};
    const json_t *size = json_object_get(from, "size");
    comparing c = {.h = h, .proof = &proof, .size = (uint64_t)json_integer_value(size)};
    if (!json_is_integer(size) || json_integer_value(size) <= 0 ||
        !read_proof(json_object_get(from, "proof"), &proof)) {
        return SY_OK; /* it shows nothing */
    }
    sy_err e =
        sy_inbox__each(b->d,
                       sy_inbox__prepare(b->d, "SELECT root FROM live WHERE source=? AND size=?",
                                         "si", b->source, json_integer_value(size)),
                       "reading heads", compare, &c, b->f);
    if (e != SY_OK || !c.known) {
        return e != SY_OK ? e : flag_given_up(b, &c);
    }
    if (!c.continued) {
        char text[160];
        snprintf(text, sizeof text, "a head of %llu entries does not continue one of %llu",
                 (unsigned long long)h->size, (unsigned long long)c.size);
        return flag(b, "inconsistent", text);
    }
    sqlite3_stmt *st = sy_inbox__prepare(b->d,
                                         "UPDATE told SET kept=1 WHERE source=? AND destination=?"
                                         " AND size=? AND root=? AND kept=0",
                                         "ssi", b->source, destination, (int64_t)c.size);
    bind_root(st, 4, &c.root);
    return run(b, st, "a head");
}

/* What was told before, and is not shown to be in this ledger. */
static sy_err flag_unkept(const booking *b, const sy_head *h, const char *destination)
{
    char text[160];
    int64_t size = 0;
    sy_err e = count(b,
                     sy_inbox__prepare(b->d,
                                       "SELECT min(size) FROM told WHERE source=? AND destination=?"
                                       " AND size<? AND kept=0",
                                       "ssi", b->source, destination, (int64_t)h->size),
                     &size);
    if (e != SY_OK || size == 0) {
        return e;
    }
    snprintf(text, sizeof text, "a head of %llu entries is not shown to continue one of %lld",
             (unsigned long long)h->size, (long long)size);
    e = flag(b, "unkept", text);
    return e != SY_OK ? e
                      : run(b,
                            sy_inbox__prepare(b->d,
                                              "UPDATE told SET kept=2 WHERE source=? AND"
                                              " destination=? AND size<? AND kept=0",
                                              "ssi", b->source, destination, (int64_t)h->size),
                            "a head");
}

static sy_err keep_told(const booking *b, const sy_head *h, const char *destination)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        b->d,
        "INSERT OR IGNORE INTO told(source, destination, size, kept, root) VALUES(?, ?, ?, 0, ?)",
        "ssi", b->source, destination, (int64_t)h->size);
    bind_root(st, 4, &h->root);
    return run(b, st, "a head");
}

static sy_err book(const booking *b, const sy_cloud *c, const sy_signed_head *s,
                   const sy_proof_facts *facts, bool *added)
{
    const char *destination = json_string_value(json_object_get(c->data, "destination"));
    const json_t *from = json_object_get(c->data, "from");
    noted state = NOTED_NOT;
    sy_err e = SY_OK;
    destination = destination && strlen(destination) <= 128 ? destination : "";
    for (size_t i = 0; i < json_array_size(from) && i < FROM_MAX && e == SY_OK; i++) {
        e = continues(b, &facts->head, destination, json_array_get(from, i));
    }
    e = e != SY_OK ? e : flag_unkept(b, &facts->head, destination);
    e = e != SY_OK ? e : note_head(b, s, facts, false, &state);
    *added = e == SY_OK && state == NOTED_NOW;
    return e != SY_OK ? e : keep_told(b, &facts->head, destination);
}

sy_err sy_inbox__book_head(sy_inbox_db *d, const sy_cloud *c, sy_ms now, bool *added, sy_fail *f)
{
    const booking b = {d, c->source, now, f};
    sy_signed_head s;
    sy_proof_facts facts = {0};
    sy_fail why = {0};
    *added = false;
    sy_signed_head_init(&s);
    sy_err e = sy_signed_head_take(c->data, &s, &why);
    bool chained = s.chain.n > 0;
    const sy_span ca = chained ? sy_buf_span(&d->ca) : (sy_span){NULL, 0};
    e = e != SY_OK ? e : sy_signed_head_check(&s, ca, &facts, &why);
    if (e == SY_OK && !own_head(&b, &facts.head)) {
        e = sy_fail_set(&why, SY_E_DENIED, "it is of another gateway");
    }
    e = e == SY_OK ? book(&b, c, &s, &facts, added) : flag_event(&b, "bad-head", c->id, why.text);
    sy_signed_head_free(&s);
    return e;
}
