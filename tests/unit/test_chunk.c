/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of samples: whatever goes in comes back bit by bit; what sensors send becomes small. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/chunk.h"
#include "store/intcol.h"

static sy_sample samples[SY_CHUNK_MAX], back[SY_CHUNK_MAX];

static size_t there_and_back(size_t n)
{
    sy_fail f;
    sy_buf out;
    size_t got = 0;
    sy_buf_init(&out, sy_heap());
    if (sy_chunk_encode(samples, n, &out, &f))
        fail_msg("%s", f.text);
    if (sy_chunk_decode(sy_buf_span(&out), back, SY_CHUNK_MAX, &got, &f))
        fail_msg("%s", f.text);
    assert_int_equal(got, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(back[i].t, samples[i].t);
        assert_memory_equal(&back[i].value, &samples[i].value, sizeof(double));
        assert_int_equal(back[i].quality, samples[i].quality);
    }
    size_t size = out.n;
    sy_buf_fini(&out);
    return size;
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static double of_bits(uint64_t b)
{
    double v;
    memcpy(&v, &b, sizeof v);
    return v;
}

/* A slow thermometer with a resolution of 0.1, once a minute with jitter. */
static void slow(size_t n, uint64_t *seed, sy_ms jitter)
{
    int64_t tenths = 45;
    sy_ms t = 1764000000000;
    for (size_t i = 0; i < n; i++) {
        uint64_t r = next(seed) % 16;
        tenths += r == 0 ? 1 : r == 1 ? -1 : 0;
        samples[i] = (sy_sample){.t = t + (jitter ? (sy_ms)(next(seed) % (uint64_t)jitter) : 0),
                                 .value = (double)tenths / 10};
        t += 60000;
    }
}

static void makes_sensors_small(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (size_t n = 1; n <= 1024; n *= 2) {
        slow(n, &seed, 0);
        there_and_back(n);
    }
    slow(1024, &seed, 0);
    assert_true(there_and_back(1024) < 400); /* under 0.4 bytes a sample */
    slow(1024, &seed, 100);
    assert_true(there_and_back(1024) < 1400);
    for (size_t i = 0; i < 1024; i++)
        samples[i] = (sy_sample){.t = (sy_ms)i * 1000, .value = 4.5};
    assert_true(there_and_back(1024) < 40);
    for (size_t i = 0; i < 1024; i++)
        samples[i].value = of_bits(next(&seed)); /* nothing to be had here: 8 bytes each */
    assert_true(there_and_back(1024) < 8400);
}

static void keeps_every_bit(void **state)
{
    (void)state;
    static const double odd[] = {
        0.0,     -0.0,    NAN,          -NAN,    INFINITY, -INFINITY,
        DBL_MIN, DBL_MAX, 0.1 + 0.2,    1e22,    -1e-15,   9007199254740993.0,
        4.5,     -18.25,  77.0 - 1e-13, 1.0 / 3, 5e-324,   9007199254740991.0};
    enum { N = sizeof odd / sizeof odd[0] };
    static const sy_ms times[] = {0, 1, -1, SY_MS_NONE, SY_MS_MAX, 1764000000000};
    for (size_t i = 0; i < N; i++)
        samples[i] = (sy_sample){.t = times[i % 6], .value = odd[i], .quality = (sy_quality)i};
    for (size_t n = 1; n <= N; n++)
        there_and_back(n);
    samples[0].value = of_bits(0x7ff8000000000123u); /* a NaN with a payload */
    samples[1].quality = UINT32_MAX;
    there_and_back(2);
    uint64_t seed = 1;
    slow(1024, &seed, 50);
    for (size_t i = 0; i < 1024; i += 50) { /* a decimal series with a few that are none */
        samples[i].value = odd[i / 50 % N];
        samples[i].quality = SY_Q_BAD | SY_Q_DEVICE_FAULT;
    }
    assert_true(there_and_back(1024) < 2200);
}

static void keeps_random_samples(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 400; round++) {
        size_t n = 1 + next(&seed) % 300;
        int kind = (int)(next(&seed) % 6);
        for (size_t i = 0; i < n; i++) {
            uint64_t r = next(&seed);
            samples[i].t = kind & 1 ? (sy_ms)r : (sy_ms)(i * 1000 + r % 7);
            samples[i].value = kind < 2   ? of_bits(next(&seed))
                               : kind < 4 ? (double)(int64_t)(r % 2000 - 1000) / 100
                                          : (double)(float)((double)(r % 1000) / 3);
            samples[i].quality = (sy_quality)(kind == 5 ? r >> 40 : r % 3 == 0);
        }
        there_and_back(n);
    }
    samples[0] = (sy_sample){0};
    for (size_t i = 0; i < SY_CHUNK_MAX; i++)
        samples[i] = samples[0];
    there_and_back(SY_CHUNK_MAX);
}

static void refuses_what_is_damaged(void **state)
{
    (void)state;
    uint64_t seed = 3;
    sy_buf out;
    sy_fail f;
    size_t n = 0;
    slow(200, &seed, 30);
    sy_buf_init(&out, sy_heap());
    assert_int_equal(sy_chunk_encode(samples, 0, &out, &f), SY_E_RANGE);
    assert_int_equal(sy_chunk_encode(samples, SY_CHUNK_MAX + 1, &out, &f), SY_E_RANGE);
    assert_int_equal(sy_chunk_encode(samples, 200, &out, &f), SY_OK);
    assert_int_equal(sy_chunk_decode(sy_buf_span(&out), back, 199, &n, &f), SY_E_RANGE);
    for (size_t i = 0; i < out.n; i++) {
        out.p[i] ^= 0x10;
        sy_err e = sy_chunk_decode(sy_buf_span(&out), back, SY_CHUNK_MAX, &n, &f);
        assert_true(e == SY_E_CORRUPT || e == SY_E_UNSUPPORTED);
        assert_int_equal(n, 0);
        out.p[i] ^= 0x10;
        assert_int_equal(sy_chunk_decode((sy_span){out.p, i}, back, SY_CHUNK_MAX, &n, &f),
                         SY_E_CORRUPT);
    }
    sy_buf_fini(&out);
}

static void reads_one_form_of_a_number(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 127, 128, 300, UINT64_MAX, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        sy_buf b;
        uint64_t v;
        sy_buf_init(&b, sy_heap());
        sy_varint_put(&b, values[i]);
        sy_span in = sy_buf_span(&b);
        assert_true(sy_varint_get(&in, &v));
        assert_int_equal(v, values[i]);
        assert_int_equal(in.n, 0);
        in = (sy_span){b.p, b.n - 1};
        assert_false(sy_varint_get(&in, &v));
        sy_buf_fini(&b);
    }
    static const char *const bad[] = {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", "\x81\x80"};
    for (size_t i = 0; i < 2; i++) {
        uint64_t v;
        sy_span in = sy_span_of(bad[i]);
        in.n += i; /* with the NUL: a number that could be shorter */
        assert_false(sy_varint_get(&in, &v));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_sensors_small),        cmocka_unit_test(keeps_every_bit),
        cmocka_unit_test(keeps_random_samples),       cmocka_unit_test(refuses_what_is_damaged),
        cmocka_unit_test(reads_one_form_of_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
