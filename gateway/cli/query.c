/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard query: readings of one series for people, or as JSON. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/completeness.h"
#include "cli/query_screen.h"
#include "cli/stored.h"

enum { FLUSH_BYTES = 1 << 16 };

static const char help[] =
    "usage: steelyard query --data DIR [--series ID] [--from T] [--to T] [--bucket D]\n"
    "                       [--json|--watch]\n"
    "       steelyard query --data DIR --completeness [--series ID] [--from T] [--to T] "
    "[--json]\n\n"
    "Show stored readings, ordered by time.\n\n"
    "  --data DIR   the data folder; a gateway may run on it\n"
    "  --series ID  only this series (<device>/<name>, or the point's id)\n"
    "  --from T     from this time on (RFC 3339 or epoch milliseconds)\n"
    "  --to T       up to this time, inclusive\n"
    "  --bucket D   of one series of numbers, by stretches of this length ('15 min', '1 h', '1 "
    "d'),\n"
    "               counted from 1970 in UTC: how many valid readings, smallest, mean, largest\n"
    "  --completeness  by series and day (of the premises): how many readings there are, how many\n"
    "               there should be by the point's `every`, how many are good\n"
    "  --json       an array of {time, series, value, unit, quality}, or of {time, series, count,\n"
    "               min, mean, max, unit}, or of {day, series, received, valid, expected, "
    "share}\n"
    "  --watch      on a terminal: the newest that fit it, of the last hour unless --from, drawn\n"
    "               again every 2 s, until q or ^C\n\n"
    "On a terminal a table as wide as it is, and the course of each series of numbers.\n\n"
    "Exit codes: 0 fine, 1 the folder cannot be read, 2 usage.\n";

typedef struct job {
    const sy_config *config;
    const char *series; /* that is asked for, or NULL */
    sy_buf out;
    bool json, failed;
    uint64_t n;
} job;

static void put_json(job *j, const sy_reading_row *r, const char *word, const char *unit)
{
    sy_buf *b = &j->out;
    char t[25];
    sy_time_text(r->t, t);
    sy_buf_printf(b, "%s\n  {\"time\": \"%s\", \"series\": ", j->n ? "," : "", t);
    sy_buf_json(b, sy_span_of(r->series));
    sy_buf_text(b, ", \"value\": ");
    if (word)
        sy_buf_json(b, sy_span_of(word));
    else
        sy_buf_double(b, r->value);
    sy_buf_text(b, ", \"unit\": ");
    if (unit)
        sy_buf_json(b, sy_span_of(unit));
    else
        sy_buf_text(b, "null");
    sy_buf_text(b, ", \"quality\": \"");
    sy_quality_text(r->quality, b);
    sy_buf_text(b, "\"}");
}

static void put_text(job *j, const sy_reading_row *r, const char *word, const char *unit)
{
    sy_buf *b = &j->out;
    char t[25];
    sy_time_text(r->t, t);
    sy_buf_printf(b, "%s  %-32s ", t, r->series);
    if (word)
        sy_buf_text(b, word);
    else
        sy_buf_double(b, r->value);
    sy_buf_printf(b, "%s%s  ", unit ? " " : "", unit ? unit : "");
    sy_quality_text(r->quality, b);
    sy_buf_char(b, '\n');
}

static bool put(void *ctx, const sy_reading_row *r)
{
    job *j = ctx;
    const sy_site_point *p = sy_stored_point(j->config, r->series);
    const char *word = sy_stored_word(j->config, r->series, r->value);
    const char *unit = p && !p->is_state ? p->unit : NULL;
    if (j->json)
        put_json(j, r, word, unit);
    else
        put_text(j, r, word, unit);
    j->n++;
    if (j->out.n >= FLUSH_BYTES)
        j->failed = !sy_stored_flush("query", &j->out);
    return !j->failed;
}

static bool put_bucket(void *ctx, const sy_bucket *s)
{
    job *j = ctx;
    sy_buf *b = &j->out;
    char t[25];
    const sy_site_point *p = sy_stored_point(j->config, j->series);
    const double v[] = {s->min, s->mean, s->max};
    static const char *const names[] = {", \"min\": ", ", \"mean\": ", ", \"max\": "};
    sy_time_text(s->from, t);
    if (j->json) {
        sy_buf_printf(b, "%s\n  {\"time\": \"%s\", \"series\": ", j->n ? "," : "", t);
        sy_buf_json(b, sy_span_of(j->series));
        sy_buf_printf(b, ", \"count\": %llu", (unsigned long long)s->count);
    } else {
        sy_buf_printf(b, "%s  %-32s %7llu", t, j->series, (unsigned long long)s->count);
    }
    for (size_t i = 0; i < 3; i++) {
        sy_buf_text(b, j->json ? names[i] : "  ");
        sy_buf_double(b, v[i]);
    }
    if (j->json) {
        sy_buf_text(b, ", \"unit\": ");
        if (p && p->unit)
            sy_buf_json(b, sy_span_of(p->unit));
        else
            sy_buf_text(b, "null");
        sy_buf_char(b, '}');
    } else {
        sy_buf_printf(b, "%s%s\n", p && p->unit ? " " : "", p && p->unit ? p->unit : "");
    }
    j->n++;
    if (b->n >= FLUSH_BYTES)
        j->failed = !sy_stored_flush("query", b);
    return !j->failed;
}

static int run(const sy_stored_options *o, job *j)
{
    sy_store *s = sy_stored_open_readings("query", o->data);
    if (!s)
        return 1;
    sy_fail why = {0};
    if (j->json)
        sy_buf_char(&j->out, '[');
    sy_err err =
        o->bucket ? sy_store_buckets(s, o->series, o->from, o->to, o->bucket, put_bucket, j, &why)
                  : sy_store_readings(s, o->series, o->from, o->to, put, j, &why);
    sy_store_close(s);
    if (err) {
        fprintf(stderr, "steelyard query: %s\n", why.text);
        return 1;
    }
    if (j->json)
        sy_buf_text(&j->out, "\n]\n");
    return j->failed || !sy_stored_flush("query", &j->out) || fflush(stdout) != 0;
}

int sy_cmd_query(int argc, char **argv)
{
    sy_stored_options o;
    int rc = sy_stored_options_parse(&o,
                                     SY_TAKES_SERIES | SY_TAKES_FROM | SY_TAKES_TO | SY_TAKES_JSON |
                                         SY_TAKES_BUCKET | SY_TAKES_COMPLETENESS | SY_TAKES_WATCH,
                                     help, argc, argv);
    if (rc >= 0)
        return rc;
    sy_config *config = sy_stored_config(o.data);
    sy_term t = sy_term_now();
    job j = {.config = config, .series = o.series, .json = o.json};
    const sy_site_point *p = o.series ? sy_stored_point(config, o.series) : NULL;
    sy_buf_init(&j.out, sy_heap());
    if (o.completeness && o.watch) {
        fputs("steelyard query: --completeness is shown once, without --watch\n", stderr);
        rc = 2;
    } else if (o.completeness && o.bucket) {
        fputs("steelyard query: --completeness is by day, without --bucket\n", stderr);
        rc = 2;
    } else if (o.completeness) {
        rc = sy_query_completeness(&o, config);
    } else if (o.bucket && (!o.series || (p && p->is_state))) {
        fputs("steelyard query: --bucket needs --series ID, of a series of numbers\n", stderr);
        rc = 2;
    } else if (o.watch) {
        rc = sy_query_watch(&o, config);
    } else {
        rc = t.on && !o.json ? sy_query_screen(&o, config, &t) : run(&o, &j);
    }
    sy_buf_fini(&j.out);
    if (config)
        sy_config_unref(config);
    return rc;
}
