/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard status: what the running gateway says, else what its data folder says. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/status_keeping.h"
#include "cli/status_screen.h"
#include "cli/stored.h"
#include "control/control.h"
#include "intake/journal.h"
#include "ledger/ledger.h"
#include "run/keeper.h"
#include "upstream/waiting.h"

enum { ANSWER_MS = 10000, SERIES_LOOKS = 10, SERIES_LINES = 24 };

static const char help[] =
    "usage: steelyard status --data DIR [--json|--watch]\n\n"
    "Counters since the data folder was made, and the state of the gateway that runs on it.\n\n"
    "What is kept, for how long it fits and what it wears is in docs/retention.md.\n\n"
    "  --data DIR  the data folder\n"
    "  --json      one JSON object\n"
    "  --watch     on a terminal: drawn again every 2 s, until q or ^C\n\n"
    "On a terminal: tables as wide as it is, colours unless NO_COLOR is set, and the last day of\n"
    "each series of numbers.\n\n"
    "Exit codes: 0 fine, 1 the folder cannot be read, 2 usage.\n";

/* The last record of the log, counted from the stored position on. */
static uint64_t journal_end(const char *data, uint64_t position)
{
    sy_buf dir;
    sy_jreader *r = NULL;
    sy_jrec rec;
    sy_buf_init(&dir, sy_heap());
    sy_buf_printf(&dir, "%s/journal", data);
    uint64_t last = position;
    sy_err err = dir.failed ? SY_E_NOMEM : sy_jreader_open(&r, NULL, dir.p, position + 1, NULL);
    while (!err || err == SY_E_CORRUPT) {
        err = sy_jreader_next(r, &rec, NULL);
        if (!err)
            last = rec.seq;
    }
    sy_jreader_close(r);
    sy_buf_fini(&dir);
    return last;
}

static sy_err offline(const char *data, sy_buf *json, sy_fail *f)
{
    sy_store *s = NULL;
    uint64_t counts[SY_N_COUNTERS], series = 0, position = 0;
    sy_err err = sy_store_open(&s, data, true, f);
    if (err)
        return err;
    err = sy_store_counters(s, counts, f);
    if (!err)
        err = sy_store_series_count(s, &series, f);
    if (!err)
        err = sy_store_position(s, &position, f);
    if (err) {
        sy_store_close(s);
        return err;
    }
    sy_buf_char(json, '{');
    for (int i = 0; i < SY_N_COUNTERS; i++)
        sy_buf_printf(json, "\"%s\":%llu,", sy_counter_name((sy_counter)i),
                      (unsigned long long)counts[i]);
    sy_buf_printf(json,
                  "\"journal_seq\":%llu,\"series\":%llu,\"rss\":0,\"running\":false,"
                  "\"stored_seq\":%llu,\"ledger\":",
                  (unsigned long long)journal_end(data, position), (unsigned long long)series,
                  (unsigned long long)position);
    sy_ledger_state(s, "stopped", "", json);
    sy_buf_text(json, ",\"upstream\":");
    sy_waiting_all(s, json);
    sy_buf_text(json, ",\"keeping\":");
    sy_keeper_offline(s, data, json);
    sy_buf_char(json, '}');
    sy_store_close(s);
    return json->failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory") : SY_OK;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "-";
}

/* Refused attempts since the start, the newest first. */
static void print_refused(const json_t *refused)
{
    size_t i;
    json_t *e;
    const json_t *list = json_object_get(refused, "list");
    if (!json_array_size(list))
        return;
    printf("\n%-24s %-9s %-20s %8s  %-24s %s\n", "refused", "by", "reason", "count", "last",
           "from");
    json_array_foreach(list, i, e)
        printf("%-24s %-9s %-20s %8lld  %-24s %s\n", text_of(e, "device"), text_of(e, "transport"),
               text_of(e, "reason"), (long long)json_integer_value(json_object_get(e, "count")),
               text_of(e, "last"), text_of(e, "peer"));
}

static long long count_of(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

/* Devices that are asked by Modbus, since the start. */
static void print_modbus(const json_t *modbus)
{
    size_t i, k;
    json_t *line, *d;
    const json_t *lines = json_object_get(modbus, "lines");
    if (!json_array_size(lines))
        return;
    printf("\n%-24s %-28s %4s %9s %9s %10s  %s\n", "modbus", "address", "unit", "answers",
           "timeouts", "exceptions", "last error");
    json_array_foreach(lines, i, line) json_array_foreach(json_object_get(line, "devices"), k, d)
        printf("%-24s %-28s %4lld %9lld %9lld %10lld  %s\n", text_of(d, "id"),
               text_of(line, "address"), count_of(d, "unit"), count_of(d, "answers"),
               count_of(d, "timeouts"), count_of(d, "exceptions"), text_of(d, "last_error"));
}

/* CoAP devices that are servers, since the start. */
static void print_observed(const json_t *coap)
{
    size_t i;
    json_t *o;
    const json_t *list = json_object_get(coap, "observed");
    if (!json_array_size(list))
        return;
    printf("\n%-24s %-40s %-8s %9s %6s %8s  %s\n", "observed", "address", "state", "kept", "stale",
           "restarts", "last error");
    json_array_foreach(list, i, o)
        printf("%-24s %-40s %-8s %9lld %6lld %8lld  %s\n", text_of(o, "device"), text_of(o, "url"),
               text_of(o, "state"), count_of(o, "kept"), count_of(o, "stale"),
               count_of(o, "restarts"), text_of(o, "last_error"));
}

/* What waits for each destination. */
static void print_upstream(const json_t *upstream)
{
    size_t i;
    json_t *d, *c;
    const char *class;
    if (!json_array_size(upstream))
        return;
    printf("\n%-20s %-10s %9s %9s %9s  %s\n", "destination", "connected", "waiting", "refused",
           "withheld", "last error");
    json_array_foreach(upstream, i, d)
    {
        const json_t *connected = json_object_get(d, "connected");
        printf("%-20s %-10s %9lld %9lld %9lld  %s\n", text_of(d, "name"),
               !connected                ? "-"
               : json_is_true(connected) ? "yes"
                                         : "no",
               count_of(d, "waiting"), count_of(d, "refused"), count_of(d, "withheld"),
               text_of(d, "last_error"));
        json_object_foreach(json_object_get(d, "by_class"), class, c) printf(
            "  %-18s %-10s %9lld  since %s\n", class, "", count_of(c, "n"), text_of(c, "since"));
    }
}

static int print_table(const char *text)
{
    json_error_t why;
    json_t *o = json_loads(text, JSON_DISABLE_EOF_CHECK, &why);
    if (!json_is_object(o)) {
        json_decref(o);
        fputs("steelyard status: the answer is no JSON object\n", stderr);
        return 1;
    }
    const char *key;
    json_t *value;
    json_object_foreach(o, key, value)
    {
        if (strcmp(key, "keeping") == 0 || strcmp(key, "refused") == 0 ||
            strcmp(key, "modbus") == 0 || strcmp(key, "upstream") == 0)
            continue; /* below, as people read it */
        char *shown =
            json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
        printf("%-20s %s\n", key, json_is_string(value) ? json_string_value(value) : shown);
        free(shown);
    }
    print_refused(json_object_get(o, "refused"));
    print_upstream(json_object_get(o, "upstream"));
    print_modbus(json_object_get(o, "modbus"));
    print_observed(json_object_get(o, "coap"));
    sy_buf keeping;
    sy_buf_init(&keeping, sy_heap());
    sy_status_keeping(json_object_get(o, "keeping"), &keeping);
    bool written = sy_stored_flush("status", &keeping);
    sy_buf_fini(&keeping);
    json_decref(o);
    return written ? 0 : 1;
}

/* What the running gateway says, else the folder. */
static sy_err look(const char *data, sy_buf *json, sy_fail *f)
{
    sy_err err = sy_control_ask(data, "status", ANSWER_MS, json, f);
    if (err == SY_E_NOTFOUND || err == SY_E_CLOSED) {
        sy_buf_reset(json);
        err = offline(data, json, f);
    }
    return err;
}

typedef struct screen {
    const char *data;
    sy_status_trend trend;
    sy_buf series;  /* read every SERIES_LOOKS times */
    size_t columns; /* for which they were drawn */
    unsigned looks;
    sy_fail why;
} screen;

static bool draw(void *ctx, const sy_term *t, sy_buf *out)
{
    screen *s = ctx;
    sy_buf json;
    sy_buf_init(&json, sy_heap());
    sy_err err = look(s->data, &json, &s->why);
    json_t *o = err ? NULL : json_loadb(json.p, json.n, 0, NULL);
    if (!err && !json_is_object(o))
        err = sy_fail_set(&s->why, SY_E_PARSE, "the answer is no JSON object");
    sy_buf_fini(&json);
    if (!err) {
        sy_status_note(&s->trend, o, sy_mono_ms());
        if (s->looks++ % SERIES_LOOKS == 0 || s->columns != t->columns) {
            s->columns = t->columns;
            sy_buf_reset(&s->series);
            sy_status_series(s->data, o, t, SERIES_LINES, &s->series);
        }
        sy_status_screen(o, &s->trend, t, out);
        sy_buf_span_put(out, sy_buf_span(&s->series));
    }
    json_decref(o);
    return !err;
}

static int on_screen(const char *data, bool watch, const sy_term *t)
{
    screen s = {.data = data};
    sy_buf out;
    int rc;
    sy_buf_init(&out, sy_heap());
    sy_buf_init(&s.series, sy_heap());
    if (watch)
        rc = sy_term_watch("status", draw, &s);
    else
        rc = draw(&s, t, &out) && sy_stored_flush("status", &out) ? 0 : 1;
    if (rc == 1 && s.why.text[0])
        fprintf(stderr, "steelyard status: %s\n", s.why.text);
    sy_buf_fini(&s.series);
    sy_buf_fini(&out);
    return rc;
}

int sy_cmd_status(int argc, char **argv)
{
    sy_stored_options o;
    int rc = sy_stored_options_parse(&o, SY_TAKES_JSON | SY_TAKES_WATCH, help, argc, argv);
    if (rc >= 0)
        return rc;
    sy_term t = sy_term_now();
    if (o.watch || (t.on && !o.json))
        return on_screen(o.data, o.watch, &t);
    sy_buf json;
    sy_fail why = {0};
    sy_buf_init(&json, sy_heap());
    sy_err err = look(o.data, &json, &why);
    if (err) {
        fprintf(stderr, "steelyard status: %s\n", why.text);
        rc = 1;
    } else if (o.json) {
        sy_buf_char(&json, '\n');
        rc = sy_stored_flush("status", &json) ? 0 : 1;
    } else {
        rc = print_table(json.p);
    }
    sy_buf_fini(&json);
    return rc;
}
