/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger of a data folder: its key, heads, another box, rotation, and what is proved of it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/b64.h"
#include "ledger/ledger.h"
#include "ledger/prove.h"
#include "ledger/restored.h"
#include "store/heads.h"
#include "store/leaves.h"
#include "store_rig.h"

enum { NOW = 1000000 };

typedef struct rig {
    char dir[160];
    sy_store *s;
    sy_ledger *l;
    char box[256];
} rig;

static void path_of(const rig *r, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", r->dir, name);
}

static void write_file(const rig *r, const char *name, const char *text)
{
    char path[256];
    sy_fail f = {0};
    path_of(r, name, path);
    fine(sy_file_write(path, sy_span_of(text), 0600, &f), f);
}

static sy_ledger_options options(const rig *r)
{
    static const char *const names[] = {"city"};
    return (sy_ledger_options){.store = r->s,
                               .data_dir = r->dir,
                               .gateway = "gate",
                               .box = r->box,
                               .interval = 60000,
                               .destinations = names,
                               .n_destinations = 1};
}

static void open_it(rig *r)
{
    sy_fail f = {0};
    fine(sy_store_open(&r->s, r->dir, false, &f), f);
    const sy_ledger_options o = options(r);
    fine(sy_ledger_open(&r->l, &o, NOW, &f), f);
}

static void close_it(rig *r)
{
    sy_ledger_close(r->l);
    sy_store_close(r->s);
    r->l = NULL;
    r->s = NULL;
}

static int setup(void **state)
{
    rig *r = calloc(1, sizeof *r);
    snprintf(r->dir, sizeof r->dir, "/tmp/sy-test-XXXXXX");
    if (!mkdtemp(r->dir))
        return -1;
    snprintf(r->box, sizeof r->box, "%s/box", r->dir);
    write_file(r, "box", "serial 1\n");
    open_it(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rig *r = *state;
    char command[256];
    close_it(r);
    snprintf(command, sizeof command, "rm -rf %s", r->dir);
    int rc = system(command);
    free(r);
    return rc;
}

static uint64_t size_of(const rig *r)
{
    uint64_t n = 0;
    sy_fail f = {0};
    fine(sy_store_leaves(r->s, &n, &f), f);
    return n;
}

/* Leaf i as text, in static memory. */
static const char *leaf(const rig *r, uint64_t i)
{
    static char text[4096];
    sy_fail f = {0};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    fine(sy_store_leaf_get(r->s, i, &b, &f), f);
    snprintf(text, sizeof text, "%.*s", (int)b.n, b.p);
    sy_buf_fini(&b);
    return text;
}

static void expect_status(rig *r, const char *part)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_ledger_status(r->l, &b);
    if (!strstr(b.p, part))
        fail_msg("%s is not in %s", part, b.p);
    sy_buf_fini(&b);
}

/* The newest head is signed by its key and speaks of the tree as it is. */
static uint64_t expect_head(const rig *r)
{
    sy_signed_head h;
    sy_head head;
    sy_proof_facts facts;
    sy_digest root;
    sy_fail f = {0};
    sy_signed_head_init(&h);
    fine(sy_prove_head(r->s, &h, &head, &f), f);
    fine(sy_signed_head_check(&h, (sy_span){NULL, 0}, &facts, &f), f);
    fine(sy_store_root(r->s, head.size, &root, &f), f);
    assert_true(sy_digest_equal(&root, &head.root));
    uint64_t size = head.size;
    sy_signed_head_free(&h);
    return size;
}

static void act(rig *r, const char *what)
{
    sy_fail f = {0};
    const sy_action a = {"li", what, "alert 1", "a \"court\""};
    fine(sy_ledger_action(r->l, NOW + 5, &a, &f), f);
}

static void a_first_start_makes_a_key_and_names_key_and_box(void **state)
{
    rig *r = *state;
    struct stat st;
    char path[256];
    path_of(r, "ledger/key.pem", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(size_of(r), 2);
    assert_non_null(strstr(leaf(r, 0), "{\"leaf\":\"key\",\"time\":1000000,\"alg\":\"ES256\""));
    assert_non_null(strstr(leaf(r, 0), "\"old\":null}}"));
    assert_non_null(strstr(leaf(r, 1), "{\"leaf\":\"box\",\"time\":1000000,\"id\":\""));
    assert_int_equal(expect_head(r), 2);
    expect_status(r, "\"state\":\"signing\",\"trouble\":null,\"size\":2,");
    expect_status(r, "\"certified\":false");
    /* Another start has nothing to say. */
    close_it(r);
    open_it(r);
    assert_int_equal(size_of(r), 2);
    act(r, "hold");
    assert_int_equal(size_of(r), 3);
    assert_string_equal(leaf(r, 2),
                        "{\"leaf\":\"action\",\"time\":1000005,\"who\":\"li\",\"what\":\"hold\","
                        "\"on\":\"alert 1\",\"why\":\"a \\\"court\\\"\"}");
    assert_int_equal(expect_head(r), 3);
}

static int waiting(const rig *r, const char *kind)
{
    sy_arena arena;
    sy_outbox_item *items;
    size_t n = 0;
    int found = 0;
    sy_fail f = {0};
    sy_arena_init(&arena, sy_heap(), 0);
    fine(sy_store_outbox(r->s, "city", 100, &arena, &items, &n, &f), f);
    for (size_t i = 0; i < n; i++)
        if (strstr(items[i].body.p, kind)) {
            assert_true(items[i].leaf >= 0);
            found++;
        }
    sy_arena_fini(&arena);
    return found;
}

static void a_missing_key_is_told_and_never_replaced(void **state)
{
    rig *r = *state;
    char path[256], aside[256], ledger[160];
    sy_fail f = {0};
    path_of(r, "ledger/key.pem", path);
    path_of(r, "ledger/aside", aside);
    snprintf(ledger, sizeof ledger, "%.140s/ledger", r->dir);
    close_it(r);
    assert_int_equal(rename(path, aside), 0);
    for (int start = 0; start < 2; start++) {
        open_it(r);
        expect_status(r, "\"state\":\"trouble\",\"trouble\":\"the ledger's key ");
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(waiting(r, "steelyard.ledger.trouble"), 1); /* once a day */
        /* Leaves go on; no head covers them. */
        uint64_t before = size_of(r);
        act(r, "hold");
        assert_int_equal(size_of(r), before + 1);
        assert_int_equal(expect_head(r), 2);
        assert_int_equal(sy_ledger_rotate(r->l, NOW, &f), SY_E_USAGE);
        close_it(r);
    }
    /* Another key is no better. */
    write_file(r, "ledger/key.pem", "-----BEGIN nothing");
    open_it(r);
    expect_status(r, "\"state\":\"trouble\"");
    close_it(r);
    assert_int_equal(unlink(path), 0);
    rig other = {0};
    snprintf(other.dir, sizeof other.dir, "%s", ledger);
    snprintf(other.box, sizeof other.box, "%s", r->box);
    open_it(&other); /* a ledger of its own, for its key */
    close_it(&other);
    char foreign[200];
    snprintf(foreign, sizeof foreign, "%s/ledger/key.pem", ledger);
    assert_int_equal(rename(foreign, path), 0);
    open_it(r);
    expect_status(r, "is not the ledger's key");
    close_it(r);
    /* The true one heals it. */
    assert_int_equal(rename(aside, path), 0);
    open_it(r);
    expect_status(r, "\"state\":\"signing\"");
    act(r, "release");
    assert_int_equal(expect_head(r), size_of(r));
}

static void another_box_is_told(void **state)
{
    rig *r = *state;
    close_it(r);
    write_file(r, "box", "serial 2");
    open_it(r);
    uint64_t n = size_of(r);
    assert_int_equal(n, 4); /* the box, and the event about it */
    assert_non_null(strstr(leaf(r, 2), "{\"leaf\":\"box\""));
    assert_null(strstr(leaf(r, 2), "\"before\":null"));
    assert_int_equal(waiting(r, "steelyard.box.changed"), 1);
    assert_int_equal(expect_head(r), 4);
    close_it(r);
    open_it(r);
    assert_int_equal(size_of(r), n);
}

/* As `steelyard restore` leaves it; more: leaves that the folder does not have. */
static void leave_note(rig *r, uint64_t more)
{
    sy_fail f = {0};
    sy_restored note = {.id = "0123456789abcdef0123456789abcdef",
                        .leaves = size_of(r),
                        .made = NOW,
                        .who = "li",
                        .why = "the \"card\" broke"};
    fine(sy_store_root(r->s, note.leaves, &note.root, &f), f);
    note.leaves += more;
    close_it(r);
    fine(sy_restored_write(r->dir, &note, &f), f);
}

static void count_told(void *ctx, uint64_t size)
{
    uint64_t *sought = ctx;
    sought[1] += size == sought[0];
}

static void a_restore_is_entered_and_told_once(void **state)
{
    rig *r = *state;
    char path[256], kept[256], key[256], aside[256];
    path_of(r, "ledger/restored.json", path);
    path_of(r, "kept", kept);
    path_of(r, "ledger/key.pem", key);
    path_of(r, "aside", aside);
    act(r, "hold");
    uint64_t n = size_of(r);
    leave_note(r, 0);
    assert_int_equal(link(path, kept), 0);
    /* Without the key it is entered, and not told yet. */
    assert_int_equal(rename(key, aside), 0);
    open_it(r);
    assert_non_null(strstr(leaf(r, n),
                           "\"who\":\"li\",\"what\":\"restore\",\"on\":\"ledger-restored/"
                           "0123456789abcdef0123456789abcdef\",\"why\":\"the \\\"card"));
    assert_int_equal(waiting(r, "steelyard.ledger.restored"), 0);
    assert_int_equal(access(path, F_OK), 0);
    /* The newest head of the backup may have been told since: it will be shown to be continued. */
    sy_fail f = {0};
    uint64_t sought[2] = {n, 0};
    fine(sy_store_told(r->s, "city", count_told, sought, &f), f);
    assert_int_equal(sought[1], 1);
    close_it(r);
    assert_int_equal(rename(aside, key), 0);
    open_it(r);
    assert_int_equal(waiting(r, "steelyard.ledger.restored"), 1);
    assert_int_equal(access(path, F_OK), -1);
    n = size_of(r);
    assert_int_equal(expect_head(r), n);
    /* Before all else, whatever waited longer. */
    sy_arena arena;
    sy_outbox_item *items;
    size_t count;
    sy_arena_init(&arena, sy_heap(), 0);
    fine(sy_store_outbox(r->s, "city", 1, &arena, &items, &count, &f), f);
    assert_non_null(strstr(items[0].body.p, "steelyard.ledger.restored"));
    sy_arena_fini(&arena);
    close_it(r);
    /* Killed before the note was gone: nothing comes twice. */
    assert_int_equal(rename(kept, path), 0);
    open_it(r);
    assert_int_equal(size_of(r), n);
    assert_int_equal(access(path, F_OK), -1);
    expect_status(r, "\"state\":\"signing\"");
}

static void a_note_of_another_ledger_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "{}", "{\"id\":\"0123456789abcdef0123456789abcdef\",\"leaves\":-1}", "[1"};
    rig *r = *state;
    leave_note(r, 1);
    open_it(r);
    expect_status(r, "\"state\":\"trouble\"");
    expect_status(r, "is not of this ledger");
    assert_int_equal(waiting(r, "steelyard.ledger.restored"), 0);
    uint64_t n = size_of(r); /* with the event about the trouble */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        close_it(r);
        write_file(r, "ledger/restored.json", bad[i]);
        open_it(r);
        expect_status(r, "restored.json cannot be read");
        assert_null(strstr(leaf(r, n - 1), "restore\""));
    }
}

static sy_buf decoded(const char *text, const char *name, sy_b64 kind)
{
    sy_buf b;
    const char *from = strstr(text, name);
    assert_non_null(from);
    from += strlen(name);
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_b64_get((sy_span){from, strcspn(from, "\"")}, kind, &b), SY_OK);
    return b;
}

/* The leaf of a rotation is signed by the key that it names and by the one before. */
static void expect_rotation(const rig *r, uint64_t index, sy_span old_spki)
{
    char text[4096], bare[4096];
    sy_fail f = {0};
    snprintf(text, sizeof text, "%s", leaf(r, index));
    const char *end = strstr(text, ",\"signature\":");
    assert_non_null(end);
    snprintf(bare, sizeof bare, "%.*s}", (int)(end - text), text);
    sy_buf spki = decoded(text, "\"key\":\"", SY_B64);
    sy_buf by_new = decoded(text, "\"new\":\"", SY_B64_URL);
    sy_buf by_old = decoded(text, "\"old\":\"", SY_B64_URL);
    assert_int_equal(by_new.n, SY_SIGNATURE_BYTES);
    fine(sy_es256_check(sy_buf_span(&spki), sy_span_of(bare), (uint8_t *)by_new.p, &f), f);
    fine(sy_es256_check(old_spki, sy_span_of(bare), (uint8_t *)by_old.p, &f), f);
    sy_buf_fini(&spki);
    sy_buf_fini(&by_new);
    sy_buf_fini(&by_old);
}

static void take_spki(void *ctx, const sy_key_row *k)
{
    sy_buf_span_put(ctx, k->spki);
}

static void a_key_is_rotated_wherever_it_is_cut_short(void **state)
{
    rig *r = *state;
    sy_fail f = {0};
    sy_buf spki;
    char key[256], next[256], old[256];
    sy_buf_init(&spki, sy_heap());
    path_of(r, "ledger/key.pem", key);
    path_of(r, "ledger/key.pem.next", next);
    path_of(r, "ledger/old", old);
    for (int cut = 0; cut < 2; cut++) {
        sy_buf_reset(&spki);
        fine(sy_store_key(r->s, NULL, take_spki, &spki, &f), f);
        uint64_t at = size_of(r);
        assert_int_equal(link(key, old), 0);
        fine(sy_ledger_rotate(r->l, NOW + 9, &f), f);
        assert_int_equal(access(next, F_OK), -1);
        expect_rotation(r, at, sy_buf_span(&spki));
        assert_int_equal(expect_head(r), at + 1);
        act(r, "after");
        assert_int_equal(expect_head(r), at + 2);
        if (cut) {
            /* As if the power had gone after the commit: the files still have their old names. */
            close_it(r);
            assert_int_equal(rename(key, next), 0);
            assert_int_equal(rename(old, key), 0);
            open_it(r);
            expect_status(r, "\"state\":\"signing\"");
            assert_int_equal(access(next, F_OK), -1);
            act(r, "again");
            assert_int_equal(expect_head(r), at + 3);
        } else {
            assert_int_equal(unlink(old), 0);
        }
    }
    sy_buf_fini(&spki);
}

static void leaves_are_proved_under_the_newest_head(void **state)
{
    rig *r = *state;
    sy_fail f = {0};
    for (int i = 0; i < 9; i++) {
        char what[16];
        snprintf(what, sizeof what, "hold %d", i);
        act(r, what);
    }
    for (uint64_t i = 0; i < size_of(r); i++) {
        sy_proof p, again;
        sy_proof_facts facts;
        sy_buf json;
        sy_proof_init(&p);
        sy_proof_init(&again);
        sy_buf_init(&json, sy_heap());
        fine(sy_prove_leaf(r->s, i, &p, &f), f);
        sy_proof_json(&p, &json);
        fine(sy_proof_read(sy_buf_span(&json), &again, &f), f);
        fine(sy_proof_check(&again, (sy_span){NULL, 0}, &facts, &f), f);
        assert_true(sy_span_is(facts.head.gateway, "gate"));
        again.index++;
        assert_int_equal(sy_proof_check(&again, (sy_span){NULL, 0}, &facts, &f), SY_E_DENIED);
        sy_proof_free(&p);
        sy_proof_free(&again);
        sy_buf_fini(&json);
    }
    sy_proof p;
    sy_proof_init(&p);
    assert_int_equal(sy_prove_leaf(r->s, size_of(r), &p, &f), SY_E_NOTFOUND);
    sy_proof_free(&p);
}

/* The proof of leaf i as JSON; its tail is borrowed from there. */
static sy_span proof_text(rig *r, uint64_t i, sy_buf *json, sy_span *tail)
{
    sy_fail f = {0};
    sy_proof p;
    sy_proof_init(&p);
    sy_buf_init(json, sy_heap());
    fine(sy_prove_leaf(r->s, i, &p, &f), f);
    sy_proof_json(&p, json);
    sy_proof_free(&p);
    assert_true(sy_proof_tail(sy_buf_span(json), tail));
    return sy_buf_span(json);
}

static sy_err read_front(sy_span json, sy_span tail, uint64_t *index)
{
    sy_fail f;
    sy_proof p;
    sy_proof_init(&p);
    sy_err e = sy_proof_read_front(json, tail, &p, &f);
    assert_true(e != SY_OK || p.head.text.n == 0);
    *index = p.index;
    sy_proof_free(&p);
    return e;
}

static void a_proof_under_a_head_that_was_read_is_read_to_its_head(void **state)
{
    rig *r = *state;
    sy_buf one, two, odd;
    sy_span tail, other;
    uint64_t index = 0;
    act(r, "one");
    act(r, "two");
    sy_span first = proof_text(r, 0, &one, &tail), second = proof_text(r, 1, &two, &other);
    assert_true(sy_span_eq(tail, other));
    assert_int_equal(read_front(second, tail, &index), SY_OK);
    assert_int_equal(index, 1);
    assert_int_equal(read_front(first, (sy_span){NULL, 0}, &index), SY_E_NOTFOUND);
    assert_int_equal(read_front(first, (sy_span){tail.p, tail.n - 1}, &index), SY_E_NOTFOUND);
    assert_int_equal(read_front(tail, tail, &index), SY_E_NOTFOUND);
    /* Its end is the head's, but the head is not a member of its own. */
    static const char *const fronts[] = {
        "{\"leaf\":\"x\",\"index\":0,\"size\":2,\"path\":[],\"more\":[]",
        "{\"leaf\":\"x\",\"index\":0,\"size\":2",
        "{\"leaf\":\"x\",\"index\":0,\"size\":2,\"path\":[],\"leaf\":\"y\"",
        "{\"leaf\":\"x\",\"index\":0,\"size\":2,\"path\":[],\"more\":{\"a\":[]",
        "{\"leaf\":\"x\",\"index\":0,\"size\":2,\"path\":[]},{\"a\":[]",
        "{\"leaf\":\"x\",\"index\":0,\"size\":2,\"path\":[\"",
    };
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        sy_buf_init(&odd, sy_heap());
        sy_buf_text(&odd, fronts[i]);
        sy_buf_span_put(&odd, tail);
        assert_int_equal(read_front(sy_buf_span(&odd), tail, &index), SY_E_PARSE);
        sy_buf_fini(&odd);
    }
    assert_false(sy_proof_tail(sy_span_of("{\"a\":[],\"head\":\"x\"}"), &other));
    assert_false(sy_proof_tail(sy_span_of("{}"), &other));
    sy_buf_fini(&one);
    sy_buf_fini(&two);
}

static void a_destination_is_told_of_a_head_until_it_confirms_it(void **state)
{
    rig *r = *state;
    sy_fail f = {0};
    sy_head_event e;
    sy_head_event_init(&e);
    act(r, "one");
    act(r, "two");
    fine(sy_store_confirm(r->s, "city", 2, &f), f);
    fine(sy_store_tell(r->s, "city", 3, &f), f);
    fine(sy_prove_event(r->s, "city", 4, &e, &f), f);
    assert_int_equal(e.size, 4);
    assert_non_null(strstr(e.body.p, "\"type\":\"steelyard.head\""));
    assert_non_null(strstr(e.body.p, "\"from\":[{\"size\":2,\"proof\":[\""));
    assert_non_null(strstr(e.body.p, "{\"size\":3,\"proof\":[\""));
    fine(sy_store_confirm(r->s, "city", 4, &f), f);
    fine(sy_store_confirm(r->s, "city", 3, &f), f); /* late: changes nothing */
    sy_head_event_free(&e);
    uint64_t size = 0;
    fine(sy_store_confirmed(r->s, "city", &size, &f), f);
    assert_int_equal(size, 4);
    fine(sy_prove_newest(r->s, &size, &f), f);
    assert_int_equal(size, 4);
    act(r, "three");
    sy_head_event_init(&e);
    fine(sy_prove_event(r->s, "city", 5, &e, &f), f);
    assert_non_null(strstr(e.body.p, "\"from\":[{\"size\":4,\"proof\":[\""));
    assert_null(strstr(e.body.p, "{\"size\":3")); /* in the confirmed one */
    sy_head_event_free(&e);
    /* However often it was told without an answer, the event stays small. */
    for (int i = 0; i < 80; i++) {
        act(r, "more");
        fine(sy_store_tell(r->s, "city", size_of(r) - 1, &f), f);
    }
    sy_head_event_init(&e);
    fine(sy_prove_event(r->s, "city", 85, &e, &f), f);
    int entries = 0;
    for (const char *p = e.body.p; (p = strstr(p, "{\"size\":")); p++)
        entries++;
    assert_int_equal(entries, 65);
    assert_non_null(strstr(e.body.p, "{\"size\":4,"));
    assert_non_null(strstr(e.body.p, "{\"size\":84,"));
    sy_head_event_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        t(a_first_start_makes_a_key_and_names_key_and_box),
        t(a_missing_key_is_told_and_never_replaced),
        t(another_box_is_told),
        t(a_restore_is_entered_and_told_once),
        t(a_note_of_another_ledger_is_refused),
        t(a_key_is_rotated_wherever_it_is_cut_short),
        t(leaves_are_proved_under_the_newest_head),
        t(a_proof_under_a_head_that_was_read_is_read_to_its_head),
        t(a_destination_is_told_of_a_head_until_it_confirms_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
