/* SPDX-License-Identifier: Apache-2.0 */
/* The rig of the rule language's tests. */
#include "rules_rig.h"

#include <stdio.h>
#include <stdlib.h>

void rig_open(rig *r)
{
    memset(r, 0, sizeof *r);
    sy_arena_init(&r->arena, sy_heap(), 0);
    sy_diags_init(&r->diags, &r->arena);
    sy_vocab_init(&r->vocab, &r->arena);
    r->err = sy_vocab_add(&r->vocab, &sy_vocab_builtin, &r->diags);
}

void rig_close(rig *r)
{
    sy_diags_fini(&r->diags);
    sy_arena_fini(&r->arena);
}

void rig_add(rig *r, const char *name, sy_span text)
{
    r->sources[r->n++] = (sy_source){name, text};
}

void rig_load(rig *r)
{
    if (r->err == SY_OK)
        r->err = sy_set_load(r->sources, r->n, &r->vocab, &r->arena, &r->diags, &r->set);
}

void rig_text(rig *r, const char *text)
{
    rig_open(r);
    rig_add(r, "test.rules", sy_span_of(text));
    rig_load(r);
}

size_t rig_count(const rig *r, sy_severity severity, const char *code)
{
    size_t n = 0;
    for (size_t i = 0; i < r->diags.n; i++)
        n += r->diags.v[i].severity == severity && (!code || strcmp(r->diags.v[i].code, code) == 0);
    return n;
}

const sy_diag *rig_first_error(const rig *r)
{
    for (size_t i = 0; i < r->diags.n; i++)
        if (r->diags.v[i].severity == SY_DIAG_ERROR)
            return &r->diags.v[i];
    return NULL;
}

char *rig_shared(const char *path, size_t *n)
{
    const char *shared = getenv("SY_SHARED"), *source = getenv("SY_SOURCE_DIR");
    char full[4096];
    if (shared)
        snprintf(full, sizeof full, "%s/%s", shared, path);
    else
        snprintf(full, sizeof full, "%s/../shared/%s", source ? source : ".", path);
    sy_buf b;
    sy_fail f;
    sy_buf_init(&b, sy_heap());
    if (sy_file_read(full, 1 << 20, &b, &f) != SY_OK) {
        printf("skipped: %s\n", f.text);
        sy_buf_fini(&b);
        return NULL;
    }
    *n = b.n;
    return b.p;
}

char *rig_manual(void)
{
    const char *source = getenv("SY_SOURCE_DIR");
    char path[4096];
    sy_buf b;
    sy_fail f;
    snprintf(path, sizeof path, "%s/docs/rules-reference.md", source ? source : ".");
    sy_buf_init(&b, sy_heap());
    if (sy_file_read(path, 1 << 20, &b, &f) != SY_OK)
        printf("%s\n", f.text);
    return b.p;
}
