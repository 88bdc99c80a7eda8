/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What unknown devices sent, read: the format is found from the bytes, a quantity by the name that
 * the device gives it, else by its unit. What is not certain is left to a person.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/devices_int.h"
#include "control/control.h"
#include "door/pending.h"
#include "door/refused.h"

enum { ASK_MS = 10000 };

sy_err sy_pending_load(const char *data, json_t **sources, sy_fail *f)
{
    char path[PATH_MAX];
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    *sources = NULL;
    sy_err e = sy_control_ask(data, "pending", ASK_MS, &text, f);
    if (e == SY_E_NOTFOUND || e == SY_E_CLOSED) {
        sy_buf_reset(&text);
        snprintf(path, sizeof path, "%s/pending.json", data);
        e = access(path, F_OK) == 0 ? sy_file_read(path, SY_PENDING_FILE, &text, f) : SY_OK;
    }
    json_error_t why;
    json_t *root = e || !text.n ? NULL : json_loadb(text.p, text.n, 0, &why);
    json_t *list = json_object_get(root, "sources");
    if (!e && text.n && !json_is_array(list))
        e = sy_fail_set(f, SY_E_PARSE, "what is told of unknown devices is no list of sources");
    if (!e)
        *sources = list ? json_incref(list) : json_array();
    json_decref(root);
    sy_buf_fini(&text);
    return e;
}

/* ---- a quantity for a name and a unit ---- */

/* Names that devices use and no vocabulary has. */
static const char *const also[][2] = {
    {"temp", "temperature"},   {"tmp", "temperature"},
    {"hum", "humidity"},       {"rh", "humidity"},
    {"contact", "door"},       {"co2-concentration", "co2"},
    {"carbon-dioxide", "co2"}, {"lux", "illuminance"},
    {"pm2-5", "pm25"},         {"relative-humidity", "humidity"},
};

/* "Temperature_2" and "waterTemperature" as the vocabulary writes names: lower case, hyphens, no
 * number behind them. */
static void plain_name(const char *in, char out[80])
{
    size_t n = 0;
    for (const char *p = in; *p && n < 78; p++) {
        unsigned char c = (unsigned char)*p;
        bool breaks = isupper(c) && p > in && islower((unsigned char)p[-1]);
        if ((breaks || c == '_' || c == ' ' || c == '-') && n && out[n - 1] != '-')
            out[n++] = '-';
        if (c != '_' && c != ' ' && c != '-')
            out[n++] = (char)tolower(c);
    }
    out[n] = '\0';
}

static const sy_word *word_of(const sy_vocab *v, const char *text)
{
    const sy_word *w = sy_vocab_name(v, sy_span_of(text));
    for (size_t i = 0; i < sizeof also / sizeof also[0] && !w; i++)
        w = strcmp(also[i][0], text) == 0 ? sy_vocab_id(v, sy_span_of(also[i][1])) : NULL;
    return w && (w->kind == SY_W_QUANTITY || w->kind == SY_W_STATE) ? w : NULL;
}

/* By the whole name, by its last step, by that without a number, by the last word of that. */
static const sy_word *by_name(const sy_vocab *v, const char *name)
{
    char text[80];
    const char *last = name;
    for (const char *p = name; *p; p++)
        last = strchr("./:", *p) && p[1] ? p + 1 : last;
    plain_name(last, text);
    const sy_word *w = word_of(v, last);
    w = w ? w : word_of(v, text);
    size_t n = strlen(text);
    while (!w && n > 0 && (isdigit((unsigned char)text[n - 1]) || text[n - 1] == '-'))
        text[--n] = '\0';
    w = w || !n ? w : word_of(v, text);
    const char *hyphen = strrchr(text, '-');
    return w || !hyphen ? w : word_of(v, hyphen + 1);
}

/* The quantity whose own name is the kind of unit; else the first that has this very unit. */
static const sy_word *by_unit(const sy_vocab *v, const sy_unit *u)
{
    const sy_word *named = u ? sy_vocab_id(v, sy_span_of(u->tag)) : NULL, *only = NULL;
    if (named && named->kind == SY_W_QUANTITY && sy_unit_convertible(named->unit, u))
        return named;
    size_t n = 0;
    for (size_t i = 0; u && i < v->n; i++) {
        const sy_word *w = v->words[i];
        if (w->kind == SY_W_QUANTITY && sy_unit_convertible(w->unit, u)) {
            only = w;
            n++;
        }
    }
    return n == 1 ? only : NULL;
}

static bool fits(const sy_word *w, const sy_record *r, const sy_unit *u)
{
    if (w->kind == SY_W_STATE)
        return r->kind == SY_REC_TEXT && sy_word_value_find(w, r->text) >= 0;
    return r->kind == SY_REC_NUMBER &&
           (r->unit.n == 0 || !w->unit || sy_unit_convertible(w->unit, u));
}

static void choose(sy_guess_point *p, const sy_config *c, const sy_record *r,
                   const sy_announced_value *said)
{
    const sy_unit *u = r->unit.n ? sy_unit_of_device(r->unit) : NULL;
    const sy_word *w = by_name(c->vocab, p->name);
    if (!w && said && said->quantity[0])
        w = by_name(c->vocab, said->quantity);
    if (w && !fits(w, r, u))
        w = NULL;
    if (!w && r->kind == SY_REC_NUMBER)
        w = by_unit(c->vocab, u);
    if (!w)
        return;
    p->quantity = w->id;
    if (w->kind == SY_W_QUANTITY && w->unit)
        p->stored = u ? u->id : w->unit->id;
}

/* ---- the messages ---- */

typedef struct taking {
    sy_guess *g;
    const sy_config *c;
    const sy_announced *said;
} taking;

static void show_value(const sy_record *r, sy_guess_point *p)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    switch (r->kind) {
    case SY_REC_NUMBER:
        sy_buf_double(&b, r->number);
        break;
    case SY_REC_BOOL:
        sy_buf_text(&b, r->number != 0 ? "true" : "false");
        break;
    case SY_REC_TEXT:
        sy_buf_span_put(&b, r->text);
        break;
    case SY_REC_NULL:
        sy_buf_text(&b, "null");
        break;
    }
    sy_door__plain(b.failed ? sy_span_of("?") : sy_buf_span(&b), p->value, sizeof p->value);
    sy_buf_fini(&b);
    sy_door__plain(r->unit, p->unit, sizeof p->unit);
}

static sy_err take(void *ctx, const sy_record *r)
{
    const taking *t = ctx;
    sy_guess *g = t->g;
    sy_guess_point p = {.quantity = NULL};
    char raw[sizeof p.name];
    int n =
        snprintf(raw, sizeof raw, "%.*s%s%.*s", (int)r->device.n, r->device.p ? r->device.p : "",
                 r->device.n ? "/" : "", (int)r->name.n, r->name.p ? r->name.p : "");
    if (n < 0 || n >= (int)sizeof raw)
        return SY_OK;
    sy_door__plain(sy_span_of(raw), p.name, sizeof p.name);
    for (size_t i = 0; i < g->n_points; i++)
        if (strcmp(g->points[i].name, p.name) == 0)
            return SY_OK; /* the newest message is read first */
    if (g->n_points == SY_GUESS_NAMES)
        return SY_OK;
    sy_record told = *r;
    const sy_announced_value *said = sy_announced_find(t->said, p.name);
    if (said && told.unit.n == 0 && told.kind == SY_REC_NUMBER)
        told.unit = sy_span_of(said->unit);
    show_value(&told, &p);
    choose(&p, t->c, &told, said);
    g->points[g->n_points++] = p;
    return SY_OK;
}

bool sy_pending_bytes(const json_t *message, sy_buf *out)
{
    const char *hex = json_string_value(json_object_get(message, "payload"));
    sy_buf_reset(out);
    for (size_t i = 0; hex && hex[i] && hex[i + 1]; i += 2) {
        int high = sy_hex_digit(hex[i]), low = sy_hex_digit(hex[i + 1]);
        if (high < 0 || low < 0)
            return false;
        sy_buf_char(out, (char)(high << 4 | low));
    }
    return hex && !out->failed;
}

/* The middle of the times between messages, to the second, from three messages on. */
static sy_ms interval(const json_t *messages)
{
    sy_ms gaps[SY_PENDING_MESSAGES];
    size_t n = json_array_size(messages), k = 0;
    for (size_t i = 1; i < n && k < SY_PENDING_MESSAGES; i++) {
        sy_ms a = json_integer_value(json_object_get(json_array_get(messages, i - 1), "at")),
              b = json_integer_value(json_object_get(json_array_get(messages, i), "at"));
        size_t at = k++;
        for (; at > 0 && gaps[at - 1] > b - a; at--)
            gaps[at] = gaps[at - 1];
        gaps[at] = b - a;
    }
    return k < 2 || gaps[k / 2] < 1000 ? 0 : (gaps[k / 2] + 500) / 1000 * 1000;
}

static void text_of(const json_t *o, const char *key, char *out, size_t size)
{
    sy_door__plain(sy_span_of(json_string_value(json_object_get(o, key))), out, size);
}

void sy_guess_make(sy_guess *g, const sy_config *c, const json_t *source, const json_t *sources)
{
    *g = (sy_guess){.count = json_integer_value(json_object_get(source, "count")),
                    .first = json_integer_value(json_object_get(source, "first")),
                    .last = json_integer_value(json_object_get(source, "last"))};
    text_of(source, "transport", g->transport, sizeof g->transport);
    text_of(source, "source", g->source, sizeof g->source);
    text_of(source, "client", g->client, sizeof g->client);
    text_of(source, "peer", g->peer, sizeof g->peer);
    const json_t *messages = json_object_get(source, "messages");
    sy_buf bytes;
    sy_buf_init(&bytes, sy_heap());
    sy_announced said;
    sy_announced_gather(&said, sources, g->source);
    taking t = {g, c, &said};
    g->every = interval(messages);
    snprintf(g->why, sizeof g->why, "no message of it is kept");
    for (size_t i = json_array_size(messages); i-- > 0;) {
        sy_fail f = {0};
        if (!sy_pending_bytes(json_array_get(messages, i), &bytes))
            continue;
        sy_span payload = {bytes.n ? bytes.p : "", bytes.n};
        const sy_format *format = g->format ? g->format : sy_format_probe(payload);
        g->model = g->model ? g->model : sy_format_model_said(payload);
        const sy_device device = {.id = "", .model = g->model};
        const sy_device *of = g->model ? &device : NULL;
        if (format && format->decode(payload, of, take, &t, &f) == SY_OK)
            g->format = format;
        else if (!g->format)
            snprintf(g->why, sizeof g->why, "%.180s",
                     format ? f.text : "its bytes are of no known format");
    }
    if (g->format)
        g->why[0] = '\0';
    if (g->format && strcmp(g->format->name, "ha_discovery") == 0) {
        g->format = NULL;
        g->n_points = 0;
        snprintf(g->why, sizeof g->why, "an announcement: it names the values of another topic");
    }
    sy_buf_fini(&bytes);
}
