/* SPDX-License-Identifier: Apache-2.0 */
/* The status for a terminal. The order is that of what is looked for first. */
#include "cli/status_screen.h"

#include <math.h>
#include <stdio.h>

#include "cli/status_keeping.h"
#include "cli/stored.h"

enum { COUNTER = 28, DAY_MS = 86400000, STRETCH_MS = 30 * 60000, SPARK = 48 };

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "-";
}

static long long count_of(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

/* One line, cut at the edge. */
static void line(const sy_term *t, sy_buf *out, sy_ink ink, const char *text)
{
    sy_term_put(t, out, ink, text, t->columns);
    sy_buf_char(out, '\n');
}

static void put_head(const json_t *o, const sy_term *t, sy_buf *out)
{
    char text[512];
    bool running = json_is_true(json_object_get(o, "running"));
    const json_t *set = json_object_get(o, "configuration"), *ledger = json_object_get(o, "ledger");
    long long minutes = count_of(o, "uptime_ms") / 60000;
    size_t used = sy_term_put(t, out, running ? SY_INK_GREEN : SY_INK_YELLOW,
                              running ? "running" : "not running", t->columns);
    if (running) {
        snprintf(text, sizeof text, ", %s, for %lld h %lld min, log time %s", text_of(o, "version"),
                 minutes / 60, minutes % 60, text_of(o, "log_time"));
        sy_term_put(t, out, SY_INK_NONE, text, t->columns - used);
    }
    sy_buf_char(out, '\n');
    if (running && !json_is_true(json_object_get(o, "clock_synchronised"))) {
        line(t, out, SY_INK_YELLOW, "the clock is not synchronised");
    }
    if (json_is_string(json_object_get(set, "refused"))) {
        snprintf(text, sizeof text, "configuration refused: %s", text_of(set, "refused"));
        line(t, out, SY_INK_RED, text);
    }
    snprintf(text, sizeof text, "ledger %s, %lld leaves%s%s", text_of(ledger, "state"),
             count_of(ledger, "size"),
             json_is_string(json_object_get(ledger, "trouble")) ? ": " : "",
             json_is_string(json_object_get(ledger, "trouble")) ? text_of(ledger, "trouble") : "");
    line(t, out, json_is_string(json_object_get(ledger, "trouble")) ? SY_INK_RED : SY_INK_NONE,
         text);
    const char *keys[] = {"mqtt", "console"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *error = json_object_get(json_object_get(o, keys[i]), "error");
        if (json_is_string(error)) {
            snprintf(text, sizeof text, "%s: %s", keys[i], json_string_value(error));
            line(t, out, SY_INK_RED, text);
        }
    }
    const json_t *connected = json_object_get(json_object_get(o, "mqtt"), "connected");
    if (json_is_false(connected)) {
        line(t, out, SY_INK_RED, "the broker is not connected");
    }
}

/* Counters that are not 0, as many beside each other as fit. */
static void put_counters(const json_t *o, const sy_term *t, sy_buf *out)
{
    size_t across = t->columns / COUNTER, n = 0;
    const char *key;
    json_t *v;
    across = across ? across : 1;
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        char name[32], number[24];
        if (!json_is_integer(v) || json_integer_value(v) == 0) {
            continue;
        }
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
        snprintf(name, sizeof name, "%-*.*s", COUNTER - 2 - (int)strlen(number),
                 COUNTER - 2 - (int)strlen(number), key);
        sy_term_put(t, out, SY_INK_DIM, name, t->columns);
        sy_buf_printf(out, "%s", number);
        n++;
        sy_buf_text(out, n % across ? "  " : "\n");
    }
    if (n % across) {
        sy_buf_char(out, '\n');
    }
}

/* ---- tables ---- */

static void put_upstream(const json_t *list, const sy_term *t, sy_buf *out)
{
    static const sy_grid_column columns[] = {{"destination", false, 8}, {"connected", false, 0},
                                             {"waiting", true, 0},      {"refused", true, 0},
                                             {"withheld", true, 0},     {"last error", false, 10}};
    sy_grid g;
    size_t i;
    json_t *d;
    if (!json_array_size(list)) {
        return;
    }
    sy_grid_init(&g, columns, 6);
    json_array_foreach(list, i, d)
    {
        const json_t *c = json_object_get(d, "connected");
        long long refused = count_of(d, "refused");
        sy_grid_add(&g, SY_INK_NONE, text_of(d, "name"));
        sy_grid_add(&g,
                    !c                ? SY_INK_NONE
                    : json_is_true(c) ? SY_INK_GREEN
                                      : SY_INK_RED,
                    !c                ? "-"
                    : json_is_true(c) ? "yes"
                                      : "no");
        sy_grid_addf(&g, SY_INK_NONE, "%lld", count_of(d, "waiting"));
        sy_grid_addf(&g, refused ? SY_INK_RED : SY_INK_NONE, "%lld", refused);
        sy_grid_addf(&g, SY_INK_NONE, "%lld", count_of(d, "withheld"));
        sy_grid_add(&g, SY_INK_NONE, text_of(d, "last_error"));
    }
    sy_buf_char(out, '\n');
    sy_grid_put(&g, t, out);
    sy_grid_fini(&g);
}

static void put_refused(const json_t *list, const sy_term *t, sy_buf *out)
{
    static const sy_grid_column columns[] = {{"refused", false, 8}, {"by", false, 0},
                                             {"reason", false, 8},  {"count", true, 0},
                                             {"last", false, 0},    {"from", false, 8}};
    static const char *const keys[] = {"device", "transport", "reason", NULL, "last", "peer"};
    sy_grid g;
    size_t i;
    json_t *e;
    if (!json_array_size(list)) {
        return;
    }
    sy_grid_init(&g, columns, 6);
    json_array_foreach(list, i, e)
    {
        for (size_t k = 0; k < 6; k++) {
            if (keys[k]) {
                sy_grid_add(&g, SY_INK_NONE, text_of(e, keys[k]));
            } else {
                sy_grid_addf(&g, SY_INK_NONE, "%lld", count_of(e, "count"));
            }
        }
    }
    sy_buf_char(out, '\n');
    sy_grid_put(&g, t, out);
    sy_grid_fini(&g);
}

static void put_modbus(const json_t *lines, const sy_term *t, sy_buf *out)
{
    static const sy_grid_column columns[] = {{"modbus", false, 8},     {"address", false, 8},
                                             {"unit", true, 0},        {"answers", true, 0},
                                             {"timeouts", true, 0},    {"exceptions", true, 0},
                                             {"last error", false, 10}};
    sy_grid g;
    size_t i, k;
    json_t *l, *d;
    if (!json_array_size(lines)) {
        return;
    }
    sy_grid_init(&g, columns, 7);
    json_array_foreach(lines, i, l) json_array_foreach(json_object_get(l, "devices"), k, d)
    {
        long long timeouts = count_of(d, "timeouts");
        sy_grid_add(&g, SY_INK_NONE, text_of(d, "id"));
        sy_grid_add(&g, SY_INK_NONE, text_of(l, "address"));
        sy_grid_addf(&g, SY_INK_NONE, "%lld", count_of(d, "unit"));
        sy_grid_addf(&g, SY_INK_NONE, "%lld", count_of(d, "answers"));
        sy_grid_addf(&g, timeouts ? SY_INK_YELLOW : SY_INK_NONE, "%lld", timeouts);
        sy_grid_addf(&g, SY_INK_NONE, "%lld", count_of(d, "exceptions"));
        sy_grid_add(&g, SY_INK_NONE, text_of(d, "last_error"));
    }
    sy_buf_char(out, '\n');
    sy_grid_put(&g, t, out);
    sy_grid_fini(&g);
}

static void put_observed(const json_t *list, const sy_term *t, sy_buf *out)
{
    static const sy_grid_column columns[] = {{"observed", false, 8}, {"address", false, 12},
                                             {"state", false, 0},    {"kept", true, 0},
                                             {"stale", true, 0},     {"last error", false, 10}};
    sy_grid g;
    size_t i;
    json_t *o;
    if (!json_array_size(list)) {
        return;
    }
    sy_grid_init(&g, columns, 6);
    json_array_foreach(list, i, o)
    {
        bool live = strcmp(text_of(o, "state"), "live") == 0;
        sy_grid_add(&g, SY_INK_NONE, text_of(o, "device"));
        sy_grid_add(&g, SY_INK_NONE, text_of(o, "url"));
        sy_grid_add(&g, live ? SY_INK_GREEN : SY_INK_YELLOW, text_of(o, "state"));
        sy_grid_addf(&g, SY_INK_NONE, "%lld", count_of(o, "kept"));
        sy_grid_addf(&g, SY_INK_NONE, "%lld", count_of(o, "stale"));
        sy_grid_add(&g, SY_INK_NONE, text_of(o, "last_error"));
    }
    sy_buf_char(out, '\n');
    sy_grid_put(&g, t, out);
    sy_grid_fini(&g);
}

static void put_keeping(const json_t *keeping, const sy_term *t, sy_buf *out)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_status_keeping(keeping, &text);
    sy_buf_char(out, '\n');
    for (char *at = text.n && !text.failed ? text.p : NULL; at && *at;) {
        char *end = strchr(at, '\n');
        if (end) {
            *end = 0;
        }
        line(t, out, SY_INK_NONE, at);
        at = end ? end + 1 : NULL;
    }
    sy_buf_fini(&text);
}

/* ---- what came ---- */

void sy_status_note(sy_status_trend *trend, const json_t *status, sy_ms now)
{
    double stored = (double)count_of(status, "stored");
    if (trend->at && now > trend->at) {
        if (trend->n == SY_SPARK) {
            memmove(trend->rate, trend->rate + 1, (SY_SPARK - 1) * sizeof *trend->rate);
            trend->n--;
        }
        double rate = (stored - trend->stored) * 1000 / (double)(now - trend->at);
        trend->rate[trend->n++] = rate > 0 ? rate : 0;
    }
    trend->stored = stored;
    trend->at = now;
}

void sy_status_screen(const json_t *status, const sy_status_trend *trend, const sy_term *t,
                      sy_buf *out)
{
    put_head(status, t, out);
    if (trend && trend->n) {
        enum { FIGURES = 30 };
        size_t room = t->columns > FIGURES ? t->columns - FIGURES : 0;
        size_t n = trend->n < room ? trend->n : room;
        char text[64];
        snprintf(text, sizeof text, "%8.1f readings a second  ", trend->rate[trend->n - 1]);
        sy_term_put(t, out, SY_INK_NONE, text, t->columns);
        sy_spark_put(out, trend->rate + (trend->n - n), n, room);
        sy_buf_char(out, '\n');
    }
    sy_buf_char(out, '\n');
    put_counters(status, t, out);
    put_upstream(json_object_get(status, "upstream"), t, out);
    put_refused(json_object_get(json_object_get(status, "refused"), "list"), t, out);
    put_modbus(json_object_get(json_object_get(status, "modbus"), "lines"), t, out);
    put_observed(json_object_get(json_object_get(status, "coap"), "observed"), t, out);
    put_keeping(json_object_get(status, "keeping"), t, out);
}

typedef struct day {
    double v[SPARK + 1], last, least, most;
    sy_ms from;
    bool any;
} day;

static bool take(void *ctx, const sy_bucket *b)
{
    day *d = ctx;
    sy_ms at = (b->from - d->from) / STRETCH_MS;
    if (at >= 0 && at <= SPARK) {
        d->v[at] = b->mean;
        d->last = b->mean;
        d->least = !d->any || b->min < d->least ? b->min : d->least;
        d->most = !d->any || b->max > d->most ? b->max : d->most;
        d->any = true;
    }
    return true;
}

static void add_series(sy_grid *g, const sy_term *t, const sy_site_point *p, const day *d)
{
    enum { OTHERS = 48 };
    sy_buf spark;
    sy_buf_init(&spark, sy_heap());
    sy_spark_put(&spark, d->v, SPARK + 1, t->columns > OTHERS ? t->columns - OTHERS : 8);
    sy_grid_add(g, SY_INK_NONE, p->series);
    sy_grid_addf(g, SY_INK_NONE, "%.4g", d->least);
    sy_grid_addf(g, SY_INK_NONE, "%.4g", d->most);
    sy_grid_addf(g, SY_INK_BOLD, "%.4g", d->last);
    sy_grid_add(g, SY_INK_NONE, p->unit ? p->unit : "");
    sy_grid_add(g, SY_INK_BLUE, spark.failed || !spark.n ? "" : spark.p);
    sy_buf_fini(&spark);
}

void sy_status_series(const char *data, const json_t *status, const sy_term *t, size_t lines,
                      sy_buf *out)
{
    static const sy_grid_column columns[] = {{"series", false, 8}, {"lowest", true, 0},
                                             {"highest", true, 0}, {"half hour", true, 0},
                                             {"unit", false, 0},   {"last day", false, 0}};
    sy_store *s = NULL;
    sy_fail why;
    sy_ms now = sy_wall_ms();
    sy_grid g;
    size_t shown = 0;
    const char *log = json_string_value(json_object_get(status, "log_time"));
    if (log && sy_time_parse(sy_span_of(log), &now)) {
        now = sy_wall_ms();
    }
    sy_config *c = sy_stored_config(data);
    sy_err e = c ? sy_stored_readings(&s, data, &why) : SY_E_NOTFOUND;
    sy_grid_init(&g, columns, 6);
    for (size_t i = 0; !e && i < c->site->n_points && shown < lines; i++) {
        const sy_site_point *p = &c->site->points[i];
        day d = {.from = (now - DAY_MS) / STRETCH_MS * STRETCH_MS};
        for (size_t k = 0; k <= SPARK; k++) {
            d.v[k] = (double)NAN;
        }
        if (!p->is_state &&
            sy_store_buckets(s, p->series, d.from, now, STRETCH_MS, take, &d, &why) == SY_OK &&
            d.any) {
            add_series(&g, t, p, &d);
            shown++;
        }
    }
    if (shown) {
        sy_buf_char(out, '\n');
        sy_grid_put(&g, t, out);
    }
    sy_grid_fini(&g);
    if (s) {
        sy_store_close(s);
    }
    if (c) {
        sy_config_unref(c);
    }
}
