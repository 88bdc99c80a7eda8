/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics: the status as Prometheus reads it (text format 0.0.4). Counters end in _total, times
 * are seconds, sizes bytes. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "console/api.h"

enum { TOKEN_MOST = 4096 };

static void head(sy_buf *b, const char *name, const char *type, const char *help)
{
    sy_buf_printf(b, "# HELP steelyard_%s %s\n# TYPE steelyard_%s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line end escaped. */
static void label(sy_buf *b, const char *text)
{
    sy_buf_char(b, '"');
    for (; *text; text++) {
        if (*text == '\n') {
            sy_buf_text(b, "\\n");
            continue;
        }
        if (*text == '"' || *text == '\\') {
            sy_buf_char(b, '\\');
        }
        sy_buf_char(b, *text);
    }
    sy_buf_char(b, '"');
}

static void one(sy_buf *b, const char *name, const char *type, const char *help, double value)
{
    if (isfinite(value)) {
        head(b, name, type, help);
        sy_buf_printf(b, "steelyard_%s ", name);
        sy_buf_double(b, value);
        sy_buf_char(b, '\n');
    }
}

static double number(const json_t *o, const char *a, const char *c)
{
    const json_t *x = json_object_get(o, a);
    x = c ? json_object_get(x, c) : x;
    return json_is_boolean(x) ? json_is_true(x) : json_is_number(x) ? json_number_value(x) : NAN;
}

static void counters(sy_buf *b, const json_t *status)
{
    static const char *const texts[][2] = {
#define SY_METRIC(name, text) {#name, text},
        SY_COUNTER_TABLE(SY_METRIC)
#undef SY_METRIC
    };
    char name[64];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double value = number(status, texts[i][0], NULL);
        if (isfinite(value)) {
            snprintf(name, sizeof name, "%s_total", texts[i][0]);
            one(b, name, "counter", texts[i][1], value);
        }
    }
}

static void destinations(sy_buf *b, const json_t *status)
{
    static const struct {
        const char *key, *name, *type, *help;
    } rows[] = {
        {"connected", "destination_connected", "gauge", "1: the line to the destination stands"},
        {"waiting", "destination_waiting_events", "gauge", "events that wait for the destination"},
        {"refused", "destination_refused_events", "gauge", "events that it refused for good"},
    };
    const json_t *list = json_object_get(status, "upstream"), *d;
    size_t k;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        head(b, rows[i].name, rows[i].type, rows[i].help);
        json_array_foreach(list, k, d)
        {
            const char *name = json_string_value(json_object_get(d, "name"));
            double value = number(d, rows[i].key, NULL);
            if (name && isfinite(value)) {
                sy_buf_printf(b, "steelyard_%s{destination=", rows[i].name);
                label(b, name);
                sy_buf_text(b, "} ");
                sy_buf_double(b, value);
                sy_buf_char(b, '\n');
            }
        }
    }
}

static void put_all(sy_buf *b, const json_t *s)
{
    static const struct {
        const char *a, *c, *name, *help;
    } gauges[] = {
        {"series", NULL, "series", "series in the store"},
        {"rss", NULL, "resident_memory_bytes", "memory that the process holds"},
        {"journal_seq", NULL, "journal_sequence", "number of the last record in the log"},
        {"stored_seq", NULL, "stored_sequence", "number of the last record judged and stored"},
        {"open_bytes", NULL, "open_readings_bytes", "memory of readings that no chunk holds yet"},
        {"mqtt", "connected", "mqtt_connected", "1: connected to the broker"},
        {"ledger", "size", "ledger_leaves", "leaves of the ledger"},
        {"ledger", "certified", "ledger_certified", "1: an authority certified the ledger's key"},
        {"configuration", "fell_back", "configuration_fell_back",
         "1: the file was refused, the last accepted set runs"},
        {"console", "sessions", "console_sessions", "people who are signed in"},
    };
    head(b, "build_info", "gauge", "1, with the version");
    sy_buf_text(b, "steelyard_build_info{version=\"" SY_VERSION "\"} 1\n");
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) {
        one(b, gauges[i].name, "gauge", gauges[i].help, number(s, gauges[i].a, gauges[i].c));
    }
    counters(b, s);
    destinations(b, s);
}

/* From this machine, or with the token. */
static bool allowed(sy_request *r)
{
    sy_buf token;
    sy_fail f;
    const char *given = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Authorization");
    if (r->loopback) {
        return true;
    }
    if (!r->console->metrics_token || !given || strncmp(given, "Bearer ", 7) != 0) {
        return false;
    }
    sy_buf_init(&token, sy_heap());
    sy_err e = sy_file_read(r->console->metrics_token, TOKEN_MOST, &token, &f);
    size_t n = token.n;
    while (n && (token.p[n - 1] == '\n' || token.p[n - 1] == '\r' || token.p[n - 1] == ' ')) {
        n--;
    }
    bool same = !e && n >= 16 && strlen(given + 7) == n && sy_same_bytes(given + 7, token.p, n);
    sy_buf_fini(&token);
    return same;
}

enum MHD_Result sy_api_metrics(sy_request *r)
{
    sy_buf status, b;
    sy_fail f;
    if (!allowed(r)) {
        return sy_answer_error(r, MHD_HTTP_UNAUTHORIZED, "token",
                               "metrics need the bearer token of console.metrics-token");
    }
    sy_buf_init(&status, sy_heap());
    sy_buf_init(&b, sy_heap());
    sy_err e = sy_request_ask(r, "status", &status, &f);
    json_t *s = e ? NULL : json_loadb(status.p, status.n, 0, NULL);
    if (s) {
        put_all(&b, s);
    }
    enum MHD_Result queued =
        e ? sy_answer_fail(r, &f)
          : sy_answer(r, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &b);
    json_decref(s);
    sy_buf_fini(&status);
    sy_buf_fini(&b);
    return queued;
}
