/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of our own making as CBOR: RFC 8949, section 6.2, without its optimisations. */
#include <cbor.h>
#include <jansson.h>

#include "onsite/board.h"

enum { HEAD = 16, DEEPEST = 8 };

static void put_head(sy_buf *out, size_t (*encode)(size_t, unsigned char *, size_t), size_t n)
{
    unsigned char head[HEAD];
    sy_buf_put(out, head, encode(n, head, sizeof head));
}

static void put_text(sy_buf *out, const char *text, size_t n)
{
    put_head(out, cbor_encode_string_start, n);
    sy_buf_put(out, text, n);
}

static void put_int(sy_buf *out, json_int_t v)
{
    unsigned char head[HEAD];
    size_t n = v < 0 ? cbor_encode_negint((uint64_t)(-1 - v), head, sizeof head)
                     : cbor_encode_uint((uint64_t)v, head, sizeof head);
    sy_buf_put(out, head, n);
}

static void put(sy_buf *out, json_t *v, int depth)
{
    unsigned char head[HEAD];
    const char *name;
    json_t *item;
    size_t i;
    if (depth > DEEPEST) {
        out->failed = true;
        return;
    }
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        put_head(out, cbor_encode_map_start, json_object_size(v));
        json_object_foreach(v, name, item)
        {
            put_text(out, name, strlen(name));
            put(out, item, depth + 1);
        }
        break;
    case JSON_ARRAY:
        put_head(out, cbor_encode_array_start, json_array_size(v));
        json_array_foreach(v, i, item) put(out, item, depth + 1);
        break;
    case JSON_STRING:
        put_text(out, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        put_int(out, json_integer_value(v));
        break;
    case JSON_REAL:
        sy_buf_put(out, head, cbor_encode_double(json_real_value(v), head, sizeof head));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        sy_buf_put(out, head, cbor_encode_bool(json_is_true(v), head, sizeof head));
        break;
    case JSON_NULL:
        sy_buf_put(out, head, cbor_encode_null(head, sizeof head));
        break;
    }
}

sy_err sy_board_cbor(sy_span json, sy_buf *out, sy_fail *f)
{
    json_t *root = json_loadb(json.p, json.n, 0, NULL);
    if (!root)
        return sy_fail_set(f, SY_E_PARSE, "what panels are shown is no JSON");
    put(out, root, 0);
    json_decref(root);
    return out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for what panels are shown") : SY_OK;
}
