/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that is proposed for an unknown device, and the list of such devices. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/devices_int.h"
#include "door/refused.h"

/* A scalar of a flow map: plain where nothing could take it for something else. */
static void put_scalar(sy_buf *b, const char *text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};
    bool plain = isalpha((unsigned char)text[0]) != 0;
    for (const char *p = text; *p; p++)
        plain = plain && (isalnum((unsigned char)*p) || strchr("-_./", *p));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        plain = plain && strcasecmp(words[i], text) != 0;
    if (plain)
        sy_buf_text(b, text);
    else
        sy_buf_json(b, sy_span_of(text));
}

/* What an id may hold, out of the last steps of the source. */
void sy_propose_id(const sy_guess *g, char out[65])
{
    size_t n = 0;
    const char *from = g->source, *slash = strrchr(from, '/');
    from = slash && slash[1] ? slash + 1 : from;
    for (const char *p = from; *p && n < 64; p++)
        if (isalnum((unsigned char)*p) || (n > 0 && strchr("-_.", *p)))
            out[n++] = *p;
    out[n] = '\0';
    if (n == 0)
        snprintf(out, 65, "new-device");
}

static bool by_psk(const sy_guess *g, const sy_config *c)
{
    return strcmp(g->transport, "coap") == 0 && c->psk_file && c->n_dtls_listen;
}

void sy_propose_device(const sy_guess *g, const sy_config *c, const char *id, sy_buf *out)
{
    bool mqtt = strcmp(g->transport, "mqtt") == 0, hj212 = strcmp(g->transport, "hj212") == 0;
    sy_buf_text(out, "{id: ");
    put_scalar(out, id);
    sy_buf_printf(out, ", transport: %s", g->transport);
    if (mqtt) {
        sy_buf_text(out, ", topic: ");
        put_scalar(out, g->source);
    }
    if (hj212) {
        sy_buf_text(out, ", mn: ");
        sy_buf_json(out, sy_span_of(g->source));
    }
    if (!hj212)
        sy_buf_printf(out, ", format: %s", g->format ? g->format->name : "json");
    if (g->model) {
        sy_buf_text(out, ", model: ");
        put_scalar(out, g->model);
    }
    if (!mqtt && !by_psk(g, c)) {
        bool v6 = strchr(g->peer, ':') != NULL;
        sy_buf_printf(out, "%s, from: \"%s%s\"", hj212 ? "" : ", credential: none",
                      g->peer[0] ? g->peer : "127.0.0.1", v6 ? "/128" : "/32");
    }
    sy_buf_char(out, '}');
}

void sy_propose_point(const sy_guess *g, const sy_guess_point *p, const char *id, sy_buf *out)
{
    sy_buf_text(out, "{quantity: ");
    put_scalar(out, p->quantity);
    sy_buf_text(out, ", device: ");
    put_scalar(out, id);
    sy_buf_text(out, ", name: ");
    put_scalar(out, p->name);
    if (p->stored) {
        sy_buf_text(out, ", unit: ");
        put_scalar(out, p->stored);
    }
    if (g->every)
        sy_buf_printf(out, ", every: %lld s", (long long)(g->every / 1000));
    sy_buf_char(out, '}');
}

/* ---- the list ---- */

static void print_readings(const sy_guess *g)
{
    for (size_t i = 0; i < g->n_points; i++)
        printf("    %s = %s%s%s\n", g->points[i].name, g->points[i].value,
               g->points[i].unit[0] ? " " : "", g->points[i].unit);
}

static void print_proposal(const sy_guess *g, const sy_config *c, const char *id)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_propose_device(g, c, id, &b);
    printf("  devices:\n    - %s\n  points:\n", b.failed ? "" : b.p);
    for (size_t i = 0; i < g->n_points; i++) {
        const sy_guess_point *p = &g->points[i];
        sy_buf_reset(&b);
        if (p->quantity)
            sy_propose_point(g, p, id, &b);
        else
            sy_buf_printf(&b, "# %s: no quantity of the vocabulary is certain: write one", p->name);
        printf("    %s%s\n", p->quantity ? "- " : "", b.failed ? "" : b.p);
    }
    sy_buf_fini(&b);
    printf("  steelyard devices adopt %s --id %s --place PREMISES/PLACE --config %s\n", g->source,
           id, c->file);
}

static void print_one(const sy_guess *g, const sy_config *c)
{
    char id[65], last[25];
    sy_propose_id(g, id);
    sy_time_text(g->last, last);
    printf("%s by %s: %lld messages, last %s%s%s%s%s, %s\n", g->source, g->transport, g->count,
           last, g->peer[0] ? " from " : "", g->peer, g->client[0] ? " as " : "", g->client,
           g->format ? g->format->name : g->why);
    if (g->format) {
        print_readings(g);
        print_proposal(g, c, id);
    }
}

static json_t *strings_of(const sy_guess *g, const char *id, bool clear)
{
    json_t *list = json_array();
    for (size_t i = 0; i < g->n_points; i++) {
        const sy_guess_point *p = &g->points[i];
        sy_buf b;
        sy_buf_init(&b, sy_heap());
        if (clear && p->quantity) {
            sy_propose_point(g, p, id, &b);
            json_array_append_new(list, json_string(b.failed ? "" : b.p));
        } else if (!clear && !p->quantity) {
            json_array_append_new(list, json_string(p->name));
        }
        sy_buf_fini(&b);
    }
    return list;
}

static json_t *json_of(const sy_guess *g, const sy_config *c)
{
    char id[65], first[25], last[25];
    sy_buf device;
    sy_propose_id(g, id);
    sy_time_text(g->first, first);
    sy_time_text(g->last, last);
    sy_buf_init(&device, sy_heap());
    sy_propose_device(g, c, id, &device);
    json_t *readings = json_array();
    for (size_t i = 0; i < g->n_points; i++)
        json_array_append_new(readings, json_pack("{s:s, s:s, s:s*}", "name", g->points[i].name,
                                                  "value", g->points[i].value, "unit",
                                                  g->points[i].unit[0] ? g->points[i].unit : NULL));
    json_t *o = json_pack(
        "{s:s, s:s, s:s*, s:s*, s:I, s:s, s:s, s:s?, s:s*, s:o, s:s, s:s, s:o, s:o}", "transport",
        g->transport, "source", g->source, "client", g->client[0] ? g->client : NULL, "peer",
        g->peer[0] ? g->peer : NULL, "count", (json_int_t)g->count, "first", first, "last", last,
        "format", g->format ? g->format->name : NULL, "why", g->why[0] ? g->why : NULL, "readings",
        readings, "id", id, "device", device.failed ? "" : device.p, "points",
        strings_of(g, id, true), "unclear", strings_of(g, id, false));
    sy_buf_fini(&device);
    return o;
}

int sy_devices_pending(const sy_config *c, bool json)
{
    sy_fail f = {0};
    json_t *sources = NULL, *all = json_array();
    sy_guess *g = malloc(sizeof *g);
    sy_err e = g ? sy_pending_load(c->data, &sources, &f) : SY_E_NOMEM;
    for (size_t i = 0; !e && i < json_array_size(sources); i++) {
        sy_guess_make(g, c, json_array_get(sources, i), sources);
        if (json)
            json_array_append_new(all, json_of(g, c));
        else
            print_one(g, c);
    }
    if (e)
        fprintf(stderr, "steelyard devices: %s\n", e == SY_E_NOMEM ? "no memory" : f.text);
    else if (json)
        (void)json_dumpf(all, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    if (!e && json)
        putchar('\n');
    else if (!e && json_array_size(sources) == 0)
        puts("no unknown device has sent anything");
    free(g);
    json_decref(all);
    json_decref(sources);
    return e ? 1 : 0;
}
