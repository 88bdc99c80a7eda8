/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/base: hashes against published vectors, text and numbers there and back, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash_int.h"
#include "base/log.h"
#include "base/os.h"
#include "base/utf8.h"

static void sha256_of(const char *text, size_t repeat, char hex[65])
{
    sy_sha256 s;
    unsigned char out[32];
    sy_sha256_init(&s);
    for (size_t i = 0; i < repeat; i++)
        sy_sha256_add(&s, text, strlen(text));
    sy_sha256_end(&s, out);
    sy_hex(out, 32, hex);
}

/* FIPS 180-4 examples, and the million "a" of the NIST test set. */
static void test_sha256(void **state)
{
    (void)state;
    char hex[65];
    sha256_of("", 1, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_of("abc", 1, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    sha256_of("aaaaaaaaaa", 100000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 3720 B.4, and the usual check value. */
/* The processor's instructions, where it has them, do what plain C does: any state, any block. */
static void test_sha256_block(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252U;
    for (int round = 0; round < 2000; round++) {
        uint32_t a[8], b[8];
        unsigned char block[65];
        for (size_t i = 0; i < sizeof block; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            block[i] = (unsigned char)x;
            a[i % 8] = b[i % 8] = (uint32_t)(x >> 16);
        }
        sy_sha256__plain(a, block + round % 2);
        sy_sha256__block(b, block + round % 2);
        assert_memory_equal(a, b, sizeof a);
    }
}

static void test_crc32c(void **state)
{
    (void)state;
    unsigned char zeros[32] = {0}, up[32];
    for (int i = 0; i < 32; i++)
        up[i] = (unsigned char)i;
    assert_int_equal(sy_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(sy_crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(sy_crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(sy_crc32c(sy_crc32c(0, up, 13), up + 13, 19), 0x46dd794e);
    for (size_t n = 0; n <= 32; n++) { /* the processor's way is the tables' way */
        assert_int_equal(sy_crc32c_fast(0x1234567, up, n), sy_crc32c(0x1234567, up, n));
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xff",     "\x80",         "\xe6\xb8",     "\xf0\x82\x82\xac"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sy_utf8_check(sy_span_of(bad[i])), 0);
    sy_span good = sy_span_of("温度 ≥ 2 ℃ 𠀀");
    assert_int_equal(sy_utf8_check(good), good.n);
    assert_int_equal(sy_utf8_check(sy_span_of("ab\xff")), 2);
    assert_int_equal(sy_utf8_width(sy_span_of("温度a")), 5);
    for (uint32_t cp = 0; cp <= 0x110000; cp += 37) {
        char text[4];
        size_t n = sy_utf8_put(cp, text);
        uint32_t back = 0;
        bool character = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
        assert_int_equal(n != 0, character);
        if (character) {
            assert_int_equal(sy_utf8_next(text, n, &back), n);
            assert_int_equal(back, cp);
        }
    }
}

static void check_double(double v, const char *want)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_double(&b, v);
    assert_string_equal(b.p, want);
    double back;
    if (isfinite(v)) {
        assert_int_equal(sy_double_parse(sy_buf_span(&b), &back), SY_OK);
        assert_true(back == v);
    }
    sy_buf_fini(&b);
}

static void test_double(void **state)
{
    (void)state;
    check_double(2.0, "2");
    check_double(-0.0, "0");
    check_double(0.1, "0.1");
    check_double(-18.25, "-18.25");
    check_double(1e300, "1e+300");
    check_double(0.1 + 0.2, "0.30000000000000004");
    check_double(9007199254740991.0, "9007199254740991");
    check_double((double)NAN, "null");
    check_double((double)INFINITY, "null");
    static const char *const bad[] = {"",   "-",  "1e",  "0x10", "nan", "inf",
                                      "1 ", " 1", "1,5", ".",    "1e+"};
    double v;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sy_double_parse(sy_span_of(bad[i]), &v), SY_E_PARSE);
    assert_int_equal(sy_double_parse(sy_span_of("1e400"), &v), SY_E_RANGE);
}

static void test_duration(void **state)
{
    (void)state;
    sy_ms ms;
    assert_int_equal(sy_duration_parse(sy_span_of("60 s"), &ms), SY_OK);
    assert_int_equal(ms, 60000);
    assert_int_equal(sy_duration_parse(sy_span_of("1.5min"), &ms), SY_OK);
    assert_int_equal(ms, 90000);
    assert_int_equal(sy_duration_parse(sy_span_of("30 days"), &ms), SY_OK);
    assert_int_equal(ms, 2592000000);
    assert_int_equal(sy_duration_parse(sy_span_of("12 months"), &ms), SY_E_PARSE);
    assert_int_equal(sy_duration_parse(sy_span_of("-1 s"), &ms), SY_E_PARSE);
    assert_int_equal(sy_duration_parse(sy_span_of("60"), &ms), SY_E_PARSE);
}

static void test_quality(void **state)
{
    (void)state;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    for (sy_quality q = 0; q < 1u << 15; q++) {
        if ((q & SY_Q_GRADE) == SY_Q_GRADE)
            continue;
        sy_quality back = ~q;
        sy_buf_reset(&b);
        sy_quality_text(q, &b);
        assert_int_equal(sy_quality_parse(sy_buf_span(&b), &back), SY_OK);
        assert_int_equal(back, q);
    }
    sy_buf_reset(&b);
    sy_quality_text(SY_Q_UNCERTAIN | SY_Q_LATE | SY_Q_CONFLICT, &b);
    assert_string_equal(b.p, "uncertain+late+conflict");
    sy_buf_fini(&b);
    static const char *const bad[] = {"", "fine", "good+", "+late", "good+good", "good late"};
    sy_quality q;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sy_quality_parse(sy_span_of(bad[i]), &q), SY_E_PARSE);
    assert_int_equal(sy_quality_worsen(SY_Q_BAD | SY_Q_STUCK, SY_Q_UNCERTAIN, SY_Q_LATE),
                     SY_Q_BAD | SY_Q_STUCK | SY_Q_LATE);
}

static void test_buf(void **state)
{
    (void)state;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_u8(&b, 1);
    sy_buf_u16(&b, 0x0203);
    sy_buf_u32(&b, 0x04050607);
    sy_buf_u64(&b, 0x08090a0b0c0d0e0f);
    sy_buf_f64(&b, -1.5);
    sy_buf_blob(&b, sy_span_of("abc"));
    static const unsigned char golden[] = {1,    3,    2,    7, 6, 5, 4, 0x0f, 0x0e, 0x0d,
                                           0x0c, 0x0b, 0x0a, 9, 8, 0, 0, 0,    0,    0,
                                           0,    0xf8, 0xbf, 3, 0, 0, 0, 'a',  'b',  'c'};
    assert_int_equal(b.n, sizeof golden);
    assert_memory_equal(b.p, golden, sizeof golden);
    sy_rd r = sy_rd_of(sy_buf_span(&b));
    assert_int_equal(sy_rd_u8(&r), 1);
    assert_int_equal(sy_rd_u16(&r), 0x0203);
    assert_int_equal(sy_rd_u32(&r), 0x04050607);
    assert_true(sy_rd_u64(&r) == 0x08090a0b0c0d0e0f);
    assert_true(sy_rd_f64(&r) == -1.5);
    assert_true(sy_span_is(sy_rd_blob(&r), "abc"));
    assert_false(r.bad);
    assert_int_equal(sy_rd_u8(&r), 0);
    assert_true(r.bad);
    sy_buf_reset(&b);
    sy_buf_json(&b, sy_span_of("a\"\\\n\x01温"));
    assert_string_equal(b.p, "\"a\\\"\\\\\\n\\u0001温\"");
    sy_buf_reset(&b);
    sy_buf_int(&b, INT64_MIN);
    assert_string_equal(b.p, "-9223372036854775808");
    sy_buf_fini(&b);
}

/* Memory that runs out after `left` calls. */
static void *scarce(void *ctx, void *p, size_t size)
{
    int *left = ctx;
    if (size && (*left)-- <= 0)
        return NULL;
    return sy_heap().resize(NULL, p, size);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    int left = 1;
    sy_alloc a = {scarce, &left};
    sy_buf b;
    sy_buf_init(&b, a);
    sy_buf_text(&b, "1234567");
    assert_false(b.failed);
    sy_buf_text(&b,
                "more than the sixty-four bytes that the first allocation has given to the buffer");
    assert_true(b.failed);
    assert_int_equal(b.n, 7);
    sy_buf_fini(&b);

    left = 1;
    sy_arena arena;
    sy_arena_init(&arena, a, 0);
    assert_non_null(sy_arena_get(&arena, 1000));
    assert_null(sy_arena_get(&arena, 1000));
    sy_arena_fini(&arena);

    left = 100;
    sy_arena_init(&arena, a, 5000);
    assert_non_null(sy_arena_get(&arena, 4000));
    assert_null(sy_arena_get(&arena, 2000));
    assert_non_null(sy_arena_get(&arena, 900));
    sy_arena_fini(&arena);
}

static void test_fail(void **state)
{
    (void)state;
    sy_fail f;
    errno = ENOSPC;
    assert_int_equal(sy_fail_sys(&f, "cannot write %s", "x"), SY_E_FULL);
    assert_string_equal(f.text, "cannot write x: No space left on device");
    assert_int_equal(sy_fail_wrap(&f, "journal %d", 7), SY_E_FULL);
    assert_string_equal(f.text, "journal 7: cannot write x: No space left on device");
    char wide[1000] = "";
    for (size_t i = 0; i + 3 < sizeof wide; i += 3)
        memcpy(wide + i, "温", 4);
    for (int pad = 0; pad < 3; pad++) {
        sy_fail_set(&f, SY_E_PARSE, "%.*s%s", pad, "abc", wide);
        assert_int_equal(sy_utf8_check(sy_span_of(f.text)), strlen(f.text));
        sy_fail_wrap(&f, "%s", "context");
        assert_int_equal(sy_utf8_check(sy_span_of(f.text)), strlen(f.text));
    }
    assert_int_equal(sy_fail_set(NULL, SY_E_RANGE, "x"), SY_E_RANGE);
}

static void test_files(void **state)
{
    (void)state;
    char dir[] = "/tmp/sy-base-XXXXXX", path[128];
    assert_non_null(mkdtemp(dir));
    sy_fail f;
    snprintf(path, sizeof path, "%s/a/b/c", dir);
    assert_int_equal(sy_dir_make(path, &f), SY_OK);
    assert_int_equal(sy_dir_make(path, &f), SY_OK);
    snprintf(path, sizeof path, "%s/a/b/c/file", dir);
    assert_int_equal(sy_file_write(path, sy_span_of("one"), 0600, &f), SY_OK);
    assert_int_equal(sy_file_write(path, sy_span_of("second"), 0640, &f), SY_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_file_read(path, 6, &b, &f), SY_OK);
    assert_string_equal(b.p, "second");
    assert_int_equal(sy_file_read(path, 5, &b, &f), SY_E_RANGE);
    sy_buf_fini(&b);
    assert_int_equal(sy_dir_make(path, &f), SY_E_EXISTS);
    char gone[160];
    snprintf(gone, sizeof gone, "%s/none", path);
    assert_int_not_equal(sy_file_write(gone, sy_span_of("x"), 0600, &f), SY_OK);
    unlink(path);
    static const char *const folders[] = {"/a/b/c", "/a/b", "/a", ""};
    for (size_t i = 0; i < 4; i++) {
        snprintf(gone, sizeof gone, "%s%s", dir, folders[i]);
        rmdir(gone);
    }
}

/* Lines of one event in a minute: SY_LOG_BURST, the rest held back; other events go on. */
static void test_log_limit(void **state)
{
    (void)state;
    int pipes[2], keep = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipes), 0);
    assert_true(keep >= 0);
    dup2(pipes[1], STDERR_FILENO);
    for (int i = 0; i < 50; i++)
        sy_log(SY_LOG_WARN, "noisy", "n=%d", i);
    char quoted[64];
    sy_log(SY_LOG_WARN, "other", "text=%s",
           sy_logq(sy_span_of("a \"b\"\n"), quoted, sizeof quoted));
    dup2(keep, STDERR_FILENO);
    close(keep);
    close(pipes[1]);
    char text[16384];
    size_t n = 0;
    ssize_t got;
    while ((got = read(pipes[0], text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    close(pipes[0]);
    text[n] = 0;
    size_t lines = 0;
    for (char *p = text; (p = strstr(p, "event=noisy")) != NULL; p++)
        lines++;
    assert_int_equal(lines, SY_LOG_BURST);
    assert_non_null(strstr(text, "event=other"));
    assert_non_null(strstr(text, "text=\"a \\\"b\\\"\\x0a\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),          cmocka_unit_test(test_sha256_block),
        cmocka_unit_test(test_crc32c),          cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_double),          cmocka_unit_test(test_duration),
        cmocka_unit_test(test_quality),         cmocka_unit_test(test_buf),
        cmocka_unit_test(test_memory_runs_out), cmocka_unit_test(test_fail),
        cmocka_unit_test(test_files),           cmocka_unit_test(test_log_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
