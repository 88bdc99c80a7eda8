/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a JSON object. */
#include "pipeline/members.h"

void sy_member_key(sy_buf *b, const char *name)
{
    char last = b->n ? b->p[b->n - 1] : '{';
    if (last != '{' && last != '[')
        sy_buf_char(b, ',');
    sy_buf_json(b, sy_span_of(name));
    sy_buf_char(b, ':');
}

void sy_member_text(sy_buf *b, const char *name, const char *value)
{
    sy_member_key(b, name);
    if (value)
        sy_buf_json(b, sy_span_of(value));
    else
        sy_buf_text(b, "null");
}

void sy_member_int(sy_buf *b, const char *name, int64_t value)
{
    sy_member_key(b, name);
    sy_buf_int(b, value);
}

void sy_member_number(sy_buf *b, const char *name, double value)
{
    sy_member_key(b, name);
    sy_buf_double(b, value);
}

void sy_member_time(sy_buf *b, const char *name, sy_ms t)
{
    char text[25] = "";
    if (t != SY_MS_NONE)
        sy_time_text(t, text);
    sy_member_text(b, name, text[0] ? text : NULL);
}

void sy_member_truth(sy_buf *b, const char *name, bool value)
{
    sy_member_key(b, name);
    sy_buf_text(b, value ? "true" : "false");
}
