/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule texts: any bytes load as a set or are refused with a reason that can be shown; what loads
 * has a judgement hash that a second load gives again.
 */
#include <stdlib.h>

#include "base/os.h"
#include "base/utf8.h"
#include "rules/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const sy_vocab *vocabulary(void)
{
    static sy_arena arena;
    static sy_vocab v;
    static bool ready;
    if (!ready) {
        sy_diags d;
        sy_arena_init(&arena, sy_heap(), 0);
        sy_diags_init(&d, &arena);
        sy_vocab_init(&v, &arena);
        require(sy_vocab_add(&v, &sy_vocab_builtin, &d) == SY_OK);
        sy_diags_fini(&d);
        ready = true;
    }
    return &v;
}

/* Load; the hash of the set if there is one. */
static bool load(sy_span text, unsigned char hash[32])
{
    sy_arena arena;
    sy_diags d;
    sy_buf shown;
    sy_source source = {"fuzz", text};
    const sy_set *set = NULL;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_diags_init(&d, &arena);
    sy_buf_init(&shown, sy_heap());
    sy_err e = sy_set_load(&source, 1, vocabulary(), &arena, &d, &set);
    require(e == SY_OK ? set && d.errors == 0 : e == SY_E_PARSE && !set && d.errors > 0);
    for (size_t i = 0; i < d.n && i < 4; i++) {
        require(d.v[i].pos.at <= text.n);
        sy_diag_print(&d.v[i], i % 2 ? SY_EN : SY_ZH, &shown);
    }
    require(shown.n == 0 || sy_utf8_check(sy_buf_span(&shown)) == shown.n);
    if (set)
        memcpy(hash, set->hash, 32);
    sy_buf_fini(&shown);
    sy_diags_fini(&d);
    sy_arena_fini(&arena);
    return set != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    unsigned char a[32], b[32];
    sy_span text = {(const char *)bytes, n};
    if (load(text, a)) {
        require(load(text, b));
        require(memcmp(a, b, 32) == 0);
    }
    sy_diags d;
    sy_arena arena;
    sy_vocab v;
    sy_source source = {"fuzz", text};
    sy_arena_init(&arena, sy_heap(), 0);
    sy_diags_init(&d, &arena);
    sy_vocab_init(&v, &arena);
    sy_err e = sy_vocab_add(&v, &source, &d);
    require((e == SY_OK) == (d.errors == 0));
    sy_diags_fini(&d);
    sy_arena_fini(&arena);
    return 0;
}
