/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule language under hostile texts: whatever the bytes, loading ends soon, with a set or with
 * a reason, and a failed allocation at any point is an ordinary return.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "rules_rig.h"

static const char seed_text[] =
    "rule A-1 version 2 \"t\"\nbasis \"b\" clause verify policy\n"
    "applies to subject caterer; goods any; stage serving\neffective from 2026-01-01\n"
    "watch each cabinet: temperature, humidity, door\nmissing after 10 min\n"
    "设 限值 按食品风险等级：A 7℃；其余 8℃【法定】\nset hold = 10 min [tunable 5 min to 30 min]\n"
    "alert warning when (temperature above 限值 or 2 of humidity within 40 to 60 %RH [policy]) "
    "for hold and not door is open\n"
    "except while door open, each at most 5 min, daily at most 8 times\n"
    "报警 提醒 当温度无数据持续hold\n解除 当温度不高于7℃持续10分钟\n"
    "then tell premises; respond within 2 h\nsay \"s\" / “言”\nend\n"
    "情景 “一” 检验 A-1\n已知 库门为关闭；湿度 每隔 5分钟\n"
    "自 08:00 至 09:00 每隔1分钟：温度5.0℃，库门打开\nat day 2 08:00: door open\n"
    "预期 无报警 直到 08:44\nexpect alert warning at 08:45\nend\n"
    "rule B version 1 \"t\" basis \"b\" law\nwatch each nozzle: temperature, fume, door, refuel\n"
    "mode trial from 2026-01-01 to 2026-02-01\naccept uncertain\nover range counts as above\n"
    "设 限 自 2026-01-01 8℃【法定】；自 2027-01-01 7℃【法定】\n"
    "let r = (vapour-volume - 1 L) / fuel-volume\n令 查 = 查表 温度（0℃ 10mg/m3；5℃ "
    "8mg/m3【法定】）\n"
    "set dose = 300 °C·min [tunable 200 °C·min to 400 °C·min]\n"
    "count refuel daily only when fuel-volume above 15 L\n"
    "alert notice when r outside 0.9 to 1.3 [law], share of refuel above 25 % [law], counted at "
    "least 4\nalert warning when notice lasts 7 d\n"
    "alert serious when (95 percentile of fume over 1 h while door is open (valid at least 75 %) "
    "above 查 or fume above 查 or (temperature beyond doubt above 限 cumulative 1 h in any 2 h) or "
    "(rate of temperature over 1 h above 5 K/h [law] followed by door is open within 5 min) or "
    "temperature from start of door open: at most 21 °C [law] within 2 h) during service-hours\n"
    "报警 重大 当温度不变6小时而其他变化 或 温度超限累积高于8℃【法定】超过dose在任意24小时 "
    "或 校准临期30日 或 （温度高于8℃【法定】达到3/5次读数）\n"
    "escalate to major when this alert opens at least 3 times in any 30 d, apart at least 1 "
    "h\nend\n"
    "scenario \"s\" tests B\ngiven service-hours 08:00 to 20:00; calibration due 2026-05-01\n"
    "at 08:00: refuel (vapour-volume 22 L, fuel-volume 20 L)\nexpect no alert until 09:00\nend\n"
    "tune A-1: hold = 20 min at p/room_1 reason \"r\" until 2026-12-31\n";

static uint64_t state_of_random = 88172645463325252u;

static uint64_t random64(void)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return state_of_random;
}

static size_t below(size_t n)
{
    return (size_t)(random64() % n);
}

/* One change: bytes dropped, doubled, swapped with others, or a word put in. */
static size_t mutate(char *b, size_t n, size_t cap)
{
    static const char *const words[] = {
        "(",
        ")",
        "and ",
        "for 5 min ",
        "“",
        "”",
        "\"",
        "[",
        "]",
        "，",
        "2-8",
        "的",
        "end ",
        "of",
        "set ",
        "rule ",
        "至",
        "～",
        "～",
        "99.9",
        "08:",
        "\n",
        "　",
        "%",
        "否",
        "-",
        "/",
        "#",
        "令 ",
        "；",
        "一",
        "in any ",
        "hourly mean ",
        "\xe5",
        "·",
        "*",
        "share of ",
        "in 3 of 5 readings ",
        "over 1 h ",
        "followed by ",
        "within ",
        "let a = ",
        "a + ",
        "tune ",
    };
    size_t at = n ? below(n) : 0, len = 1 + below(12);
    const char *w;
    switch (below(4)) {
    case 0:
        len = len < n - at ? len : n - at;
        memmove(b + at, b + at + len, n - at - len);
        return n - len;
    case 1:
        len = len < n - at ? len : n - at;
        if (n + len > cap)
            return n;
        memmove(b + at + len, b + at, n - at);
        return n + len;
    case 2:
        if (n)
            b[at] = (char)random64();
        return n;
    default:
        w = words[below(sizeof words / sizeof *words)];
        len = strlen(w);
        if (n + len > cap)
            return n;
        memmove(b + at + len, b + at, n - at);
        memcpy(b + at, w, len);
        return n + len;
    }
}

/* The vocabulary does not change between texts. */
static rig words;

static void load_any(const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1); /* exactly as long, so that a sanitizer sees a byte too far */
    assert_non_null(copy);
    memcpy(copy, text, n);
    rig r = {.err = SY_OK};
    sy_arena_init(&r.arena, sy_heap(), 0);
    sy_diags_init(&r.diags, &r.arena);
    sy_source source = {"x", {copy, n}};
    r.err = sy_set_load(&source, 1, &words.vocab, &r.arena, &r.diags, &r.set);
    assert_true(r.err == SY_OK || r.err == SY_E_PARSE);
    assert_true((r.err == SY_OK) == (r.set != NULL));
    assert_true((r.err == SY_OK) == (r.diags.errors == 0));
    assert_true(r.arena.used_bytes < ((size_t)128 << 20));
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    for (size_t i = 0; i < r.diags.n && i < 5; i++) {
        sy_diag_print(&r.diags.v[i], SY_EN, &out);
        sy_diag_print(&r.diags.v[i], SY_ZH, &out);
    }
    assert_true(!out.failed && (out.n == 0 || sy_utf8_check(sy_buf_span(&out)) == out.n));
    sy_buf_fini(&out);
    rig_close(&r);
    free(copy);
}

static void test_mutations(void **state)
{
    (void)state;
    enum { CAP = 8192, ROUNDS = 1000 };
    static const char *const files[] = {"rules/first.en.rules", "rules/first.zh.rules",
                                        "rules/rest.en.rules", "rules/rest.zh.rules"};
    char *seeds[5] = {NULL}, *b = malloc(CAP);
    size_t sizes[5], n_seeds = 0;
    assert_non_null(b);
    for (size_t i = 0; i < 4; i++)
        if ((seeds[n_seeds] = rig_shared(files[i], &sizes[n_seeds])))
            n_seeds++;
    for (int round = 0; round < ROUNDS; round++) {
        size_t k = below(n_seeds + 1);
        const char *seed = k < n_seeds ? seeds[k] : seed_text;
        size_t n = k < n_seeds ? sizes[k] : sizeof seed_text - 1;
        n = n < CAP ? n : CAP;
        memcpy(b, seed, n);
        for (size_t m = 1 + below(4); m > 0; m--)
            n = mutate(b, n, CAP);
        load_any(b, n);
    }
    for (size_t i = 0; i < n_seeds; i++)
        free(seeds[i]);
    free(b);
}

/* Cut at every byte. */
static void test_truncations(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof seed_text; n++)
        load_any(seed_text, n);
}

/* 256 KiB of one thing, for each thing that could nest, repeat or cascade. */
static void test_floods(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "(",
        "not ",
        "and ",
        "rule A version 1 \"a\" ",
        "basis \"b\" law ",
        "set a = 5 min ",
        "温",
        "否",
        "of ",
        "的",
        "“",
        "\"",
        "#",
        "9",
        "9-",
        "alert ",
        "end ",
        "a ",
        "2 of ",
        "rule A version 1 \"a\" basis \"b\" law watch each room: door alert notice when door is "
        "open "
        "end\n",
        "scenario \"s\" tests A at 08:00: door open end ",
        "given ",
        "a-",
        "mean ",
        "除外情形",
        "set a by food-risk-tier: A 5 min;",
        "\n",
        "～",
        "let a = ",
        "a + ",
        "9 * ",
        "- ",
        "mean of ",
        "9 percentile ",
        "door is open followed by ",
        "fume from start of door open: ",
        "table of fume (",
        "0 °C 1 °C; ",
        "tune A: a = 5 min at p reason \"r\"\n",
        "a (",
        "door is open, ",
        "serious lasts 2 d or ",
    };
    enum { SIZE = 1 << 18 };
    char *b = malloc(SIZE);
    assert_non_null(b);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        static const char *const heads[] = {
            "", "rule A version 1 \"a\" basis \"b\" law watch each room: door alert notice when "};
        for (size_t h = 0; h < 2; h++) {
            size_t n = strlen(heads[h]), len = strlen(pieces[i]);
            memcpy(b, heads[h], n);
            while (n + len <= SIZE) {
                memcpy(b + n, pieces[i], len);
                n += len;
            }
            sy_ms from = sy_mono_ms();
            load_any(b, n);
            if (getenv("SY_TIMES"))
                printf("%6d ms: %.20s\n", (int)(sy_mono_ms() - from), pieces[i]);
            if (sy_mono_ms() - from > 10000)
                fail_msg("256 KiB of '%s' took %d ms", pieces[i], (int)(sy_mono_ms() - from));
        }
    }
    free(b);
}

typedef struct failing {
    size_t calls, fail_at;
} failing;

static void *resize(void *ctx, void *p, size_t size)
{
    failing *f = ctx;
    if (size == 0) {
        free(p);
        return NULL;
    }
    return ++f->calls == f->fail_at ? NULL : realloc(p, size);
}

/* Each allocation fails in turn. */
static void test_no_memory(void **state)
{
    (void)state;
    bool done = false;
    for (size_t at = 1; !done; at++) {
        failing f = {0, at};
        sy_alloc alloc = {resize, &f};
        sy_arena arena;
        sy_diags diags;
        sy_vocab vocab;
        const sy_set *set = NULL;
        sy_source source = {"x", {seed_text, sizeof seed_text - 1}};
        sy_arena_init(&arena, alloc, 0);
        sy_diags_init(&diags, &arena);
        sy_vocab_init(&vocab, &arena);
        sy_err e = sy_vocab_add(&vocab, &sy_vocab_builtin, &diags);
        if (e == SY_OK)
            e = sy_set_load(&source, 1, &vocab, &arena, &diags, &set);
        done = f.calls < at;
        if (e == SY_E_PARSE)
            fail_msg("%s", diags.v[diags.n - 1].en);
        assert_int_equal(e, done ? SY_OK : SY_E_NOMEM);
        assert_true((set != NULL) == done);
        sy_diags_fini(&diags);
        sy_arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_floods),
        cmocka_unit_test(test_no_memory),
    };
    rig_open(&words);
    int failed = words.err ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    rig_close(&words);
    return failed;
}
