/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/heads_file.h"

#include <jansson.h>
#include <stdlib.h>

enum { HEADS_MAX = 64 << 20 };

static bool read_head(const json_t *event, sy_signed_head *out)
{
    /* A proof without a leaf has the same members. */
    const json_t *data = json_object_get(event, "data");
    const json_t *o = json_object_get(data, "head") ? data : event;
    json_t *p = json_object();
    static const char *const members[] = {"head", "signature", "key", "chain"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        (void)json_object_set(p, members[i], json_object_get(o, members[i]));
    (void)json_object_set_new(p, "leaf", json_string(""));
    (void)json_object_set_new(p, "index", json_integer(0));
    (void)json_object_set_new(p, "size", json_integer(0));
    (void)json_object_set_new(p, "path", json_array());
    char *text = json_dumps(p, JSON_COMPACT);
    sy_proof proof;
    sy_proof_init(&proof);
    bool fine = text && sy_proof_read(sy_span_of(text), &proof, NULL) == SY_OK;
    if (fine) {
        sy_signed_head_free(out);
        *out = proof.head;
        sy_signed_head_init(&proof.head);
    }
    sy_proof_free(&proof);
    free(text);
    json_decref(p);
    return fine;
}

static void one(const json_t *o, sy_heads_fn fn, void *ctx)
{
    sy_signed_head h;
    sy_signed_head_init(&h);
    fn(ctx, read_head(o, &h) ? &h : NULL);
    sy_signed_head_free(&h);
}

sy_err sy_heads_file(const char *path, sy_heads_fn fn, void *ctx, sy_fail *f)
{
    sy_buf file;
    sy_buf_init(&file, sy_heap());
    sy_err e = sy_file_read(path, HEADS_MAX, &file, f);
    const char *p = file.p, *end = file.n ? file.p + file.n : file.p;
    while (!e && p < end) {
        json_error_t at = {.position = 0};
        json_t *o = json_loadb(p, (size_t)(end - p), JSON_DISABLE_EOF_CHECK, &at);
        if (!o) {
            bool blank = strspn(p, " \t\r\n") >= (size_t)(end - p);
            if (!blank)
                e = sy_fail_set(f, SY_E_PARSE, "%s is no JSON", path);
            break;
        }
        for (size_t i = 0; json_is_array(o) && i < json_array_size(o); i++)
            one(json_array_get(o, i), fn, ctx);
        if (!json_is_array(o))
            one(o, fn, ctx);
        json_decref(o);
        if (at.position <= 0)
            break;
        p += at.position;
    }
    sy_buf_fini(&file);
    return e;
}
