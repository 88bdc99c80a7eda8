/* SPDX-License-Identifier: Apache-2.0 */
/* The frames between the gateway and its process for MQTT. */
#include "upstream/mqtt_frame.h"

#include <string.h>

static size_t size_of(const sy_mqtt_frame *x)
{
    size_t n = 0;
    switch (x->kind) {
    case SY_MQTT_SETUP:
        for (size_t i = 0; i < SY_MQTT_TEXTS; i++)
            n += (x->texts[i] ? strlen(x->texts[i]) : 0) + 1;
        return n;
    case SY_MQTT_EVENT:
        return 6 + x->topic.n + x->body.n;
    case SY_MQTT_UP:
        return 8;
    case SY_MQTT_ANSWER:
        return 5;
    case SY_MQTT_DOWN:
        break;
    }
    return 1 + x->body.n;
}

void sy_mqtt_put(sy_buf *out, const sy_mqtt_frame *x)
{
    sy_buf_u32(out, (uint32_t)size_of(x));
    sy_buf_u8(out, (uint8_t)x->kind);
    switch (x->kind) {
    case SY_MQTT_SETUP:
        for (size_t i = 0; i < SY_MQTT_TEXTS; i++) {
            sy_buf_text(out, x->texts[i] ? x->texts[i] : "");
            sy_buf_char(out, 0);
        }
        break;
    case SY_MQTT_EVENT:
        sy_buf_u32(out, x->number);
        sy_buf_u16(out, (uint16_t)x->topic.n);
        sy_buf_span_put(out, x->topic);
        sy_buf_span_put(out, x->body);
        break;
    case SY_MQTT_UP:
        sy_buf_u32(out, x->number);
        sy_buf_u32(out, x->most);
        break;
    case SY_MQTT_ANSWER:
        sy_buf_u32(out, x->number);
        sy_buf_u8(out, x->code);
        break;
    case SY_MQTT_DOWN:
        sy_buf_u8(out, x->code);
        sy_buf_span_put(out, x->body);
        break;
    }
}

static uint32_t u32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool take_texts(sy_span body, sy_mqtt_frame *out)
{
    size_t at = 0;
    for (size_t i = 0; i < SY_MQTT_TEXTS; i++) {
        const char *end = at < body.n ? memchr(body.p + at, 0, body.n - at) : NULL;
        if (!end)
            return false;
        out->texts[i] = body.p + at;
        at = (size_t)(end - body.p) + 1;
    }
    return at == body.n;
}

static bool take_event(sy_span body, sy_mqtt_frame *out)
{
    if (body.n < 6)
        return false;
    size_t topic = (size_t)(unsigned char)body.p[4] | (size_t)(unsigned char)body.p[5] << 8;
    if (topic == 0 || topic > body.n - 6)
        return false;
    out->number = u32(body.p);
    out->topic = (sy_span){body.p + 6, topic};
    out->body = (sy_span){body.p + 6 + topic, body.n - 6 - topic};
    return true;
}

static bool take_body(char kind, sy_span body, sy_mqtt_frame *out)
{
    out->kind = (sy_mqtt_kind)kind;
    if (kind == SY_MQTT_SETUP)
        return take_texts(body, out);
    if (kind == SY_MQTT_EVENT)
        return take_event(body, out);
    if (kind == SY_MQTT_UP && body.n == 8) {
        out->number = u32(body.p);
        out->most = u32(body.p + 4);
        return true;
    }
    if (kind == SY_MQTT_ANSWER && body.n == 5) {
        out->number = u32(body.p);
        out->code = (uint8_t)body.p[4];
        return true;
    }
    if (kind != SY_MQTT_DOWN || body.n < 1)
        return false;
    out->code = (uint8_t)body.p[0];
    out->body = (sy_span){body.p + 1, body.n - 1};
    return true;
}

sy_err sy_mqtt_take(sy_span in, sy_mqtt_frame *out, size_t *used)
{
    *used = 0;
    if (in.n < SY_MQTT_FRAME_HEAD)
        return SY_OK;
    size_t n = u32(in.p);
    if (n > SY_MQTT_FRAME_MAX)
        return SY_E_PARSE;
    if (in.n - SY_MQTT_FRAME_HEAD < n)
        return SY_OK;
    memset(out, 0, sizeof *out);
    if (!take_body(in.p[4], (sy_span){in.p + SY_MQTT_FRAME_HEAD, n}, out))
        return SY_E_PARSE;
    *used = SY_MQTT_FRAME_HEAD + n;
    return SY_OK;
}
