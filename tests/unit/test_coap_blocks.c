/* SPDX-License-Identifier: Apache-2.0 */
/* Block-wise requests (RFC 7959): bodies put together, overlapping, repeated, too large, abandoned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "coap_harness.h"

enum { SIZE = 64, SZX = 2 };

/* One block of text, as a reply. */
typedef struct block {
    unsigned mid, num;
    bool more;
    const char *token, *tag; /* tag NULL: none */
    int type;
} block;

static datagram block_of(const block *b, const char *text)
{
    datagram d = d_begin(b->type, H_POST, b->mid, b->token);
    size_t n = strlen(text), from = (size_t)b->num * SIZE;
    d_path(&d, "sen-1");
    d_option_uint(&d, 27, b->num << 4 | (b->more ? 8u : 0u) | SZX);
    if (b->tag)
        d_option(&d, 292, b->tag, strlen(b->tag));
    assert_true(from < n);
    d_payload(&d, text + from, b->more ? SIZE : n - from);
    return d;
}

static reply put_block(int fd, const block *b, const char *text)
{
    datagram d = block_of(b, text);
    reply r = d_exchange(fd, &d);
    assert_int_equal(r.type, H_TYPE_ACK);
    assert_int_equal(r.mid, b->mid);
    assert_string_equal(r.token, b->token);
    return r;
}

/* A SenML text of two blocks and a half, told apart by its name. */
static void three_blocks(char out[SIZE * 3], const char *name)
{
    int n = snprintf(out, SIZE * 3, "[{\"n\":\"%s\",\"vs\":\"", name);
    memset(out + n, 'x', (size_t)(SIZE * 2 + 20 - n));
    memcpy(out + SIZE * 2 + 20, "\"}]", 4);
}

static void puts_a_body_together(void **state)
{
    (void)state;
    harness h;
    char text[SIZE * 3];
    h_start(&h, false, NULL);
    three_blocks(text, "one");
    for (unsigned i = 0; i < 3; i++) {
        reply r = put_block(h.fd, &(block){10 + i, i, i < 2, "a", NULL, H_TYPE_CON}, text);
        assert_int_equal(r.code, i < 2 ? 231 : 204);
        assert_int_equal(r.block1, (int)(i << 4 | (i < 2 ? 8u : 0u) | SZX));
    }
    h_wait_kept(&h, 1);
    assert_true(sy_span_is(h.kept[0].m.payload, text));
    assert_int_equal(h.kept[0].m.flags, SY_MSG_PROMISE | SY_MSG_UNAUTHENTICATED | SY_MSG_BLOCKS);
    h_stop(&h);
}

static void repeats_of_blocks_change_nothing(void **state)
{
    (void)state;
    harness h;
    char text[SIZE * 3];
    h_start(&h, false, NULL);
    three_blocks(text, "one");
    for (unsigned i = 0; i < 3; i++)
        for (unsigned again = 0; again < 3; again++)
            assert_int_equal(
                put_block(h.fd, &(block){10 + i, i, i < 2, "a", NULL, H_TYPE_CON}, text).code,
                i < 2 ? 231 : 204);
    h_wait_submits(&h, 1);
    assert_int_equal(h.submits, 1);
    assert_true(sy_span_is(h.kept[0].m.payload, text));
    /* The reason of a refusal is repeated as well. */
    text[0] = '{';
    for (unsigned i = 0; i < 4; i++) {
        unsigned num = i < 2 ? i : 2;
        reply r = put_block(h.fd, &(block){20 + num, num, num < 2, "a", NULL, H_TYPE_CON}, text);
        assert_int_equal(r.code, num < 2 ? 231 : 400);
        if (num == 2)
            assert_non_null(strstr(r.text, "JSON"));
    }
    assert_int_equal(h_rejected(&h, SY_REJECT_MALFORMED), 1);
    h_stop(&h);
}

/* Two transfers whose blocks come in turn: told apart by token, by tag, by peer. */
static void keeps_overlapping_transfers_apart(void **state)
{
    (void)state;
    static const char *const tokens[3][2] = {{"a", "b"}, {"a", "a"}, {"a", "a"}};
    static const char *const tags[3][2] = {{NULL, NULL}, {"x", "y"}, {NULL, NULL}};
    for (int kind = 0; kind < 3; kind++) {
        harness h;
        char text[2][SIZE * 3];
        h_start(&h, false, NULL);
        int fd[2] = {h.fd, kind == 2 ? h_socket(&h) : h.fd};
        three_blocks(text[0], "one");
        three_blocks(text[1], "other");
        for (unsigned i = 0; i < 6; i++) {
            unsigned which = i % 2, num = i / 2;
            block b = {30 + i, num, num < 2, tokens[kind][which], tags[kind][which], H_TYPE_CON};
            assert_int_equal(put_block(fd[which], &b, text[which]).code, num < 2 ? 231 : 204);
        }
        h_wait_kept(&h, 2);
        assert_true(sy_span_is(h.kept[0].m.payload, text[0]));
        assert_true(sy_span_is(h.kept[1].m.payload, text[1]));
        if (kind == 2)
            close(fd[1]);
        h_stop(&h);
    }
}

/* A client may use a new token for each block; two such at the same offset cannot be told apart. */
static void refuses_to_guess(void **state)
{
    (void)state;
    harness h;
    char text[2][SIZE * 3];
    h_start(&h, false, NULL);
    three_blocks(text[0], "one");
    three_blocks(text[1], "other");
    assert_int_equal(put_block(h.fd, &(block){1, 0, true, "1", NULL, 0}, text[0]).code, 231);
    assert_int_equal(put_block(h.fd, &(block){2, 1, true, "2", NULL, 0}, text[0]).code, 231);
    assert_int_equal(put_block(h.fd, &(block){3, 2, false, "3", NULL, 0}, text[0]).code, 204);
    assert_int_equal(put_block(h.fd, &(block){4, 0, true, "4", NULL, 0}, text[0]).code, 231);
    assert_int_equal(put_block(h.fd, &(block){5, 0, true, "5", NULL, 0}, text[1]).code, 231);
    reply r = put_block(h.fd, &(block){6, 1, true, "6", NULL, 0}, text[0]);
    assert_int_equal(r.code, 408);
    assert_non_null(strstr(r.text, "block 0"));
    assert_int_equal(h.n_kept, 1);
    h_stop(&h);
}

static void refuses_gaps_and_wrong_lengths(void **state)
{
    (void)state;
    harness h;
    char text[SIZE * 3];
    h_start(&h, false, NULL);
    three_blocks(text, "one");
    assert_int_equal(put_block(h.fd, &(block){1, 1, true, "a", NULL, 0}, text).code, 408);
    assert_int_equal(put_block(h.fd, &(block){2, 0, true, "a", NULL, 0}, text).code, 231);
    assert_int_equal(put_block(h.fd, &(block){3, 2, false, "a", NULL, 0}, text).code, 408);
    datagram d = d_begin(H_TYPE_CON, H_POST, 4, "a");
    d_path(&d, "sen-1");
    d_option_uint(&d, 27, 1 << 4 | 8 | SZX);
    d_payload(&d, text, SIZE - 1);
    assert_int_equal(d_exchange(h.fd, &d).code, 400);
    d = d_begin(H_TYPE_CON, H_POST, 5, "a");
    d_path(&d, "sen-1");
    d_option_uint(&d, 27, 7);
    d_payload(&d, "[]", 2);
    assert_int_equal(d_exchange(h.fd, &d).code, 400);
    assert_int_equal(h.submits, 0);
    h_stop(&h);
}

static void refuses_what_is_too_large(void **state)
{
    (void)state;
    harness h;
    char kib[1024];
    reply r = {.none = true};
    h_start(&h, false, NULL);
    memset(kib, ' ', sizeof kib);
    unsigned i;
    for (i = 0; i < 40; i++) {
        datagram d = d_begin(H_TYPE_CON, H_POST, 100 + i, "a");
        d_path(&d, "sen-1");
        d_option_uint(&d, 27, i << 4 | 8 | 6);
        d_payload(&d, kib, sizeof kib);
        r = d_exchange(h.fd, &d);
        if (r.code != 231)
            break;
    }
    assert_int_equal(i, 32); /* 32 KiB is the limit of the harness */
    assert_int_equal(r.code, 413);
    assert_int_equal(r.size1, 32768);
    assert_int_equal(h_rejected(&h, SY_REJECT_TOO_LARGE), 1);
    datagram d = d_begin(H_TYPE_CON, H_POST, 200, "b");
    d_path(&d, "sen-1");
    d_option_uint(&d, 27, 8 | 6);
    d_option_uint(&d, 60, 3000000000u); /* a claim costs nothing */
    d_payload(&d, kib, sizeof kib);
    assert_int_equal(d_exchange(h.fd, &d).code, 413);
    assert_int_equal(d_post(h.fd, 201, "num-1", "1").code, 204);
    h_stop(&h);
}

/* The fifth open transfer of a device takes the place of the one that waits longest. */
static void bounds_open_transfers(void **state)
{
    (void)state;
    harness h;
    char text[SIZE * 3];
    static const char *const tags[] = {"0", "1", "2", "3", "4", "5"};
    h_start(&h, false, NULL);
    three_blocks(text, "one");
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(put_block(h.fd, &(block){i, 0, true, "a", tags[i], 0}, text).code, 231);
    unsigned alive = 0;
    for (unsigned i = 0; i < 6; i++)
        alive += put_block(h.fd, &(block){10 + i, 1, true, "a", tags[i], 0}, text).code == 231;
    assert_int_equal(alive, 4);
    h_stop(&h);
}

static void strict_and_unconfirmed_blocks(void **state)
{
    (void)state;
    harness h;
    char text[SIZE * 3];
    h_start(&h, true, NULL);
    three_blocks(text, "one");
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(put_block(h.fd, &(block){i, i, true, "a", NULL, 0}, text).code, 231);
    datagram last = block_of(&(block){2, 2, false, "a", NULL, 0}, text);
    d_send(h.fd, &last);
    d_send(h.fd, &last); /* while the answer is outstanding: no second one */
    h_wait_submits(&h, 1);
    assert_int_equal(put_block(h.fd, &(block){3, 0, true, "b", "t", 0}, text).code, 231);
    sy_coap_synced(h.server, 1);
    reply r = d_receive(h.fd, 5000);
    assert_int_equal(r.code, 204);
    assert_int_equal(r.block1, 2 << 4 | SZX);
    assert_int_equal(d_exchange(h.fd, &last).code, 204);
    assert_int_equal(h.submits, 1);
    /* Non-confirmable: the transfer needs its answers, the message has no promise. */
    three_blocks(text, "non");
    for (unsigned i = 0; i < 3; i++) {
        datagram d = block_of(&(block){20 + i, i, i < 2, "n", NULL, H_TYPE_NON}, text);
        r = d_exchange(h.fd, &d);
        assert_int_equal(r.type, H_TYPE_NON);
        assert_int_equal(r.code, i < 2 ? 231 : 204);
    }
    assert_int_equal(h.kept[1].m.flags, SY_MSG_UNAUTHENTICATED | SY_MSG_BLOCKS);
    h_stop(&h);
}

/* The process ended between keeping a body and acknowledging its last block: the device sends that
 * block again, to a server that has none of those before it. */
static void a_last_block_is_known_after_a_restart(void **state)
{
    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        harness h;
        char text[SIZE * 3], other[SIZE * 3];
        h_start(&h, strict, NULL);
        three_blocks(text, "one");
        three_blocks(other, "one");
        memset(other + SIZE * 2, 'y', 20);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(put_block(h.fd, &(block){10 + i, i, true, "a", NULL, 0}, text).code,
                             231);
        block last = {12, 2, false, "a", NULL, H_TYPE_CON};
        datagram d = block_of(&last, text);
        d_send(h.fd, &d);
        h_wait_kept(&h, 1);
        if (!strict)
            assert_int_equal(d_receive(h.fd, 5000).code, 204); /* let it be lost on its way */
        h_restart(&h);
        if (strict)
            sy_coap_synced(h.server, 1);
        reply r = put_block(h.fd, &last, text);
        assert_int_equal(r.code, 204);
        assert_int_equal(r.block1, 2 << 4 | SZX);
        assert_int_equal(put_block(h.fd, &last, text).code, 204);
        assert_int_equal(h_rejected(&h, SY_REJECT_MALFORMED), 0);
        /* Another message, another content, not the last one: nothing that is kept. */
        h_restart(&h);
        assert_int_equal(put_block(h.fd, &(block){13, 2, false, "a", NULL, 0}, text).code, 408);
        assert_int_equal(put_block(h.fd, &(block){12, 2, false, "b", NULL, 0}, text).code, 408);
        assert_int_equal(put_block(h.fd, &(block){11, 1, true, "a", NULL, 0}, text).code, 408);
        assert_int_equal(put_block(h.fd, &last, other).code, 408);
        assert_int_equal(h.submits, 1);
        h_stop(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_a_body_together),
        cmocka_unit_test(repeats_of_blocks_change_nothing),
        cmocka_unit_test(keeps_overlapping_transfers_apart),
        cmocka_unit_test(refuses_to_guess),
        cmocka_unit_test(refuses_gaps_and_wrong_lengths),
        cmocka_unit_test(refuses_what_is_too_large),
        cmocka_unit_test(bounds_open_transfers),
        cmocka_unit_test(strict_and_unconfirmed_blocks),
        cmocka_unit_test(a_last_block_is_known_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
