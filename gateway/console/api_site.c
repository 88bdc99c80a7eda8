/* SPDX-License-Identifier: Apache-2.0 */
/* What the box supervises (premises, places, points, devices, destinations), by the set in force,
 * and the newest reading of each point. */
#include <jansson.h>

#include "console/api.h"
#include "console/last.h"
#include "pipeline/members.h"

static void put_states(sy_buf *b, const sy_config *c, const sy_site_point *p)
{
    const sy_word *w = p->is_state ? sy_vocab_id(c->vocab, sy_span_of(p->quantity)) : NULL;
    sy_member_key(b, "states");
    if (!w) {
        sy_buf_text(b, "null");
        return;
    }
    sy_buf_char(b, '[');
    for (size_t i = 0; i < w->n_values; i++) {
        sy_buf_text(b, i ? ",{" : "{");
        sy_member_text(b, "en", w->values[i].id);
        sy_member_text(b, "zh", w->values[i].zh);
        sy_buf_char(b, '}');
    }
    sy_buf_char(b, ']');
}

static void put_word(sy_buf *b, const sy_config *c, const char *name, const char *id)
{
    const sy_word *w = id ? sy_vocab_id(c->vocab, sy_span_of(id)) : NULL;
    sy_member_key(b, name);
    if (!id) {
        sy_buf_text(b, "null");
        return;
    }
    sy_buf_char(b, '{');
    sy_member_text(b, "id", id);
    sy_member_text(b, "zh", w && w->n_zh ? w->zh[0] : id);
    sy_buf_char(b, '}');
}

static void put_point(sy_buf *b, const sy_config *c, const sy_site_point *p)
{
    sy_buf_char(b, '{');
    sy_member_text(b, "series", p->series);
    sy_member_text(b, "device", p->device);
    sy_member_text(b, "name", p->name);
    put_word(b, c, "quantity", p->quantity);
    sy_member_text(b, "unit", p->is_state ? NULL : p->unit);
    sy_member_int(b, "every_ms", p->every);
    sy_member_number(b, "range_lo", p->range_lo);
    sy_member_number(b, "range_hi", p->range_hi);
    put_states(b, c, p);
    sy_buf_char(b, '}');
}

static void put_place(sy_buf *b, const sy_config *c, uint32_t place)
{
    const sy_site_place *x = &c->site->places[place];
    size_t n = 0;
    sy_buf_char(b, '{');
    sy_member_text(b, "id", x->id);
    sy_member_text(b, "name", x->name ? x->name : x->id);
    put_word(b, c, "kind", x->kind);
    sy_member_key(b, "points");
    sy_buf_char(b, '[');
    for (size_t i = 0; i < c->site->n_points; i++) {
        if (c->site->points[i].place == place) {
            sy_buf_text(b, n++ ? "," : "");
            put_point(b, c, &c->site->points[i]);
        }
    }
    sy_buf_text(b, "]}");
}

static void put_premises(sy_buf *b, const sy_config *c, uint32_t premises)
{
    const sy_site_premises *x = &c->site->premises[premises];
    size_t n = 0;
    sy_buf_char(b, '{');
    sy_member_text(b, "id", x->id);
    sy_member_text(b, "name", x->name);
    sy_member_text(b, "code", x->code);
    put_word(b, c, "subject", x->subject);
    sy_member_key(b, "places");
    sy_buf_char(b, '[');
    for (uint32_t i = 0; i < c->site->n_places; i++) {
        if (c->site->places[i].premises == premises) {
            sy_buf_text(b, n++ ? "," : "");
            put_place(b, c, i);
        }
    }
    sy_buf_text(b, "]}");
}

enum MHD_Result sy_api_site(sy_request *r)
{
    sy_config *c = r->console->config(r->console->ctx);
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_char(&b, '{');
    sy_member_text(&b, "gateway", c->id);
    sy_member_text(&b, "set", c->hash_hex);
    sy_member_key(&b, "premises");
    sy_buf_char(&b, '[');
    for (uint32_t i = 0; i < c->site->n_premises; i++) {
        sy_buf_text(&b, i ? "," : "");
        put_premises(&b, c, i);
    }
    sy_buf_text(&b, "]}\n");
    enum MHD_Result queued = sy_answer_json(r, MHD_HTTP_OK, &b);
    sy_buf_fini(&b);
    sy_config_unref(c);
    return queued;
}

enum MHD_Result sy_api_last(sy_request *r)
{
    sy_config *c = r->console->config(r->console->ctx);
    sy_buf b;
    sy_fail f;
    sy_err e = SY_OK;
    sy_buf_init(&b, sy_heap());
    sy_buf_char(&b, '[');
    for (size_t i = 0, n = 0; i < c->site->n_points && !e; i++) {
        sy_last last;
        e = sy_last_of(r->console->store, &c->site->points[i], sy_wall_ms(), &last, &f);
        if (!e && last.t != SY_MS_NONE) {
            sy_buf_text(&b, n++ ? ",{" : "{");
            sy_member_text(&b, "series", c->site->points[i].series);
            sy_member_int(&b, "t", last.t);
            sy_member_number(&b, "value", last.value);
            sy_buf_text(&b, ",\"quality\":\"");
            sy_quality_text(last.quality, &b);
            sy_buf_text(&b, "\"}");
        }
    }
    sy_buf_text(&b, "]\n");
    enum MHD_Result queued = e ? sy_answer_fail(r, &f) : sy_answer_json(r, MHD_HTTP_OK, &b);
    sy_buf_fini(&b);
    sy_config_unref(c);
    return queued;
}

static const char *transport_word(const sy_device *d)
{
    return sy_transport_name(d->transport);
}

enum MHD_Result sy_api_devices(sy_request *r)
{
    sy_config *c = r->console->config(r->console->ctx);
    sy_buf b, pending;
    sy_fail f;
    sy_buf_init(&b, sy_heap());
    sy_buf_init(&pending, sy_heap());
    sy_err e = sy_request_ask(r, "pending", &pending, &f);
    sy_buf_text(&b, "{\"devices\":[");
    for (size_t i = 0; i < c->n_devices; i++) {
        const sy_device *d = &c->devices[i];
        sy_buf_text(&b, i ? ",{" : "{");
        sy_member_text(&b, "id", d->id);
        sy_member_text(&b, "transport", transport_word(d));
        sy_buf_char(&b, '}');
    }
    sy_buf_text(&b, "],\"pending\":");
    sy_buf_span_put(&b, sy_buf_span(&pending));
    sy_buf_text(&b, "}\n");
    enum MHD_Result queued = e ? sy_answer_fail(r, &f) : sy_answer_json(r, MHD_HTTP_OK, &b);
    sy_buf_fini(&pending);
    sy_buf_fini(&b);
    sy_config_unref(c);
    return queued;
}

/* Maintenance of a place, a device or a point: {"on","minutes","why"}; 0 minutes: it ends. */
enum MHD_Result sy_api_maintain(sy_request *r)
{
    enum { MOST_MINUTES = 31 * 1440 };
    json_t *body = json_loadb(r->body.p ? r->body.p : "", r->body.n, JSON_REJECT_DUPLICATES, NULL);
    const char *on = json_string_value(json_object_get(body, "on"));
    const char *why = json_string_value(json_object_get(body, "why"));
    json_int_t minutes = json_integer_value(json_object_get(body, "minutes"));
    sy_buf line, answer;
    sy_fail f;
    if (!on || !why || !*on || !*why || strpbrk(on, "\t\n\r") || strpbrk(why, "\t\n\r") ||
        minutes < 0 || minutes > MOST_MINUTES) {
        json_decref(body);
        return sy_answer_error(r, MHD_HTTP_BAD_REQUEST, "bad-request",
                               "on and why are one line each, minutes 0 to 44640");
    }
    sy_buf_init(&line, sy_heap());
    sy_buf_init(&answer, sy_heap());
    sy_buf_printf(&line, "maintain %s\t%lld\t%s\t%s", on, (long long)minutes * 60000, r->user, why);
    sy_err e = sy_request_do(r, &line, &f);
    e = e ? e : sy_request_ask(r, "maintenance", &answer, &f);
    enum MHD_Result queued = e ? sy_answer_fail(r, &f) : sy_answer_json(r, MHD_HTTP_OK, &answer);
    sy_buf_fini(&answer);
    sy_buf_fini(&line);
    json_decref(body);
    return queued;
}
