/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Laying out rule texts: any bytes come out as text or are refused. What loads as a set loads again
 * after it was laid out, in either language, with the same hashes, and does not change any more.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "base/utf8.h"
#include "rules/fmt.h"
#include "rules/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds, const sy_buf *shown)
{
    if (holds)
        return;
    if (shown && shown->p)
        fprintf(stderr, "laid out:\n%.*s\n", (int)shown->n, shown->p);
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
        require(sy_vocab_add(&v, &sy_vocab_builtin, &d) == SY_OK, NULL);
        sy_diags_fini(&d);
        ready = true;
    }
    return &v;
}

/* The hash of the set, where the text is one. */
static bool load(sy_span text, unsigned char hash[32])
{
    sy_arena arena;
    sy_diags d;
    sy_source source = {"fuzz", text};
    const sy_set *set = NULL;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_diags_init(&d, &arena);
    sy_err e = sy_set_load(&source, 1, vocabulary(), &arena, &d, &set);
    bool loaded = e == SY_OK;
    if (loaded)
        memcpy(hash, set->hash, 32);
    sy_diags_fini(&d);
    sy_arena_fini(&arena);
    return loaded;
}

static bool laid_out(sy_span text, sy_fmt_lang lang, sy_buf *out)
{
    sy_arena arena;
    sy_diags d;
    sy_source source = {"fuzz", text};
    sy_arena_init(&arena, sy_heap(), 0);
    sy_diags_init(&d, &arena);
    sy_buf_init(out, sy_heap());
    sy_err e = sy_fmt(&source, vocabulary(), lang, &arena, &d, out);
    require(e == SY_OK || (e == SY_E_PARSE && d.errors > 0), NULL);
    require(out->n == 0 || sy_utf8_check(sy_buf_span(out)) == out->n, out);
    sy_diags_fini(&d);
    sy_arena_fini(&arena);
    return e == SY_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const sy_fmt_lang langs[] = {SY_FMT_OWN, SY_FMT_EN, SY_FMT_ZH};
    unsigned char before[32], after[32];
    sy_span text = {(const char *)bytes, n};
    bool loads = load(text, before);
    for (size_t i = 0; i < sizeof langs / sizeof *langs; i++) {
        sy_buf once, twice;
        bool fine = laid_out(text, langs[i], &once);
        require(fine || !loads, NULL);
        if (loads) {
            require(load(sy_buf_span(&once), after) && memcmp(before, after, 32) == 0, &once);
            require(laid_out(sy_buf_span(&once), langs[i], &twice) &&
                        sy_span_eq(sy_buf_span(&once), sy_buf_span(&twice)),
                    &once);
            sy_buf_fini(&twice);
        }
        sy_buf_fini(&once);
    }
    return 0;
}
