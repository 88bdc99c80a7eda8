/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the judge's tests. */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static sy_source sources[64]; /* diagnostics point into them */
static size_t n_sources;

bool kit_load(kit_set *k, const char *name, sy_span text, bool may_fail)
{
    sy_source *s = &sources[n_sources++ % 64];
    sy_arena_init(&k->arena, sy_heap(), 0);
    sy_diags_init(&k->diags, &k->arena);
    sy_vocab_init(&k->vocab, &k->arena);
    *s = (sy_source){name, text};
    sy_err e = sy_vocab_add(&k->vocab, &sy_vocab_builtin, &k->diags);
    e = e ? e : sy_set_load(s, 1, &k->vocab, &k->arena, &k->diags, &k->set);
    if (e && !may_fail) {
        sy_buf b;
        sy_buf_init(&b, sy_heap());
        for (size_t i = 0; i < k->diags.n; i++) {
            sy_diag_print(&k->diags.v[i], SY_EN, &b);
        }
        print_error("%s does not load:\n%s\n", name, b.p ? b.p : "");
        sy_buf_fini(&b);
        fail();
    }
    return e == SY_OK;
}

void kit_free(kit_set *k)
{
    sy_diags_fini(&k->diags);
    sy_arena_fini(&k->arena);
}

static sy_buf file_at(const char *root, const char *path)
{
    char full[1024];
    sy_buf b;
    sy_fail f;
    sy_buf_init(&b, sy_heap());
    (void)snprintf(full, sizeof full, "%s/%s", root, path);
    if (sy_file_read(full, 64u << 20, &b, &f) != SY_OK) {
        sy_buf_fini(&b);
        sy_buf_init(&b, sy_heap());
    }
    return b;
}

sy_buf kit_file(const char *path)
{
    const char *root = getenv("SY_SOURCE_DIR");
    sy_buf b = file_at(root ? root : ".", path);
    if (!b.p) {
        print_error("%s is missing\n", path);
        fail();
    }
    return b;
}

sy_buf kit_shared(const char *path)
{
    const char *root = getenv("SY_SHARED");
    const char *source = getenv("SY_SOURCE_DIR");
    char beside[1024];
    (void)snprintf(beside, sizeof beside, "%s/../shared", source ? source : ".");
    return file_at(root ? root : beside, path);
}

const sy_zone *kit_zone(const char *name, sy_arena *arena)
{
    const sy_zone *z = NULL;
    sy_fail f;
    if (sy_zone_load(arena, name, &z, &f) != SY_OK) {
        print_error("%s\n", f.text);
        fail();
    }
    return z;
}

size_t kit_scenarios(const kit_set *k, const sy_zone *zone, bool loud)
{
    size_t failed = 0;
    for (size_t i = 0; i < k->set->n_scenarios; i++) {
        sy_arena a;
        sy_scenario_result r;
        sy_arena_init(&a, sy_heap(), 0);
        if (sy_scenario_run(k->set->scenarios[i], k->set, zone, sy_heap(), &a, &r) != SY_OK) {
            fail();
        }
        if (!r.passed) {
            failed++;
        }
        if (!r.passed && loud) {
            const sy_text *t = &k->set->scenarios[i]->title;
            print_error("scenario \"%s\": %s\n", t->en ? t->en : t->zh, r.en);
            for (size_t q = 0; q < r.n_events; q++) {
                char at[25];
                sy_time_text(r.events[q].at, at);
                print_error("    %s %s %d\n", at, r.events[q].clear ? "clear" : "alert",
                            (int)r.events[q].level);
            }
        }
        sy_arena_fini(&a);
    }
    return failed;
}
