/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules backtest: which alerts would these rules have raised? The judge is the one that
 * runs live; here its clock is moved by the readings.
 *
 * Rows are taken into memory and sorted by time: what a set of readings means does not depend on
 * the order in which a file lists them.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/alert_json.h"
#include "cli/cli.h"
#include "cli/csv.h"
#include "cli/rules_cmd.h"
#include "cli/rules_files.h"
#include "store/store.h"

static const char help[] =
    "usage: steelyard rules backtest --config FILE (--readings CSV | --data DIR)\n"
    "                                [--from TIME] [--to TIME] [--json] [--language en|zh] "
    "FILE…\n\n"
    "Judge recorded readings by rule files and show the alerts that come of it, ordered by when\n"
    "they were raised. When rules were activated is ignored, their effective dates are not.\n\n"
    "  --config FILE     the premises, places, points and devices\n"
    "  --readings CSV    columns time, device, point, value and perhaps quality; - is standard "
    "input\n"
    "  --data DIR        the readings that a gateway has stored\n"
    "  --from, --to      only readings of this time (RFC 3339 or epoch milliseconds); default: "
    "all\n"
    "  --json            a JSON array, one alert a line\n"
    "  --language        of the messages; default: English\n\n"
    "Exit codes: 0 fine, 1 errors in the rules, 2 wrong usage, input that cannot be read, a\n"
    "configuration that is refused.\n";

typedef struct row {
    sy_ms t;
    uint32_t point;
    sy_quality quality;
    double value;
} row;

typedef struct backtest {
    const char *config, *readings, *data;
    sy_ms from, to;
    bool json;
    sy_lang lang;
    sy_rule_files files;
    const sy_site *site;
    uint32_t *by_name; /* points ordered by (device, name) */
    row *rows;
    size_t n, cap;
    uint64_t no_point, no_word; /* rows that are nothing of this configuration */
    sy_buf out;
    bool first;
} backtest;

static int names_order(const sy_site_point *p, sy_span device, sy_span name)
{
    sy_span have[2] = {sy_span_of(p->device), sy_span_of(p->name)};
    sy_span want[2] = {device, name};
    for (int k = 0; k < 2; k++) {
        size_t n = have[k].n < want[k].n ? have[k].n : want[k].n;
        int c = memcmp(have[k].p, want[k].p, n);
        if (c || have[k].n != want[k].n) {
            return c ? c : (have[k].n < want[k].n ? -1 : 1);
        }
    }
    return 0;
}

static int by_names(const void *a, const void *b, void *ctx)
{
    const sy_site_point *points = ctx;
    const sy_site_point *y = &points[*(const uint32_t *)b];
    return names_order(&points[*(const uint32_t *)a], sy_span_of(y->device), sy_span_of(y->name));
}

static sy_err index_points(backtest *b, sy_fail *f)
{
    size_t n = b->site->n_points;
    b->by_name = malloc((n + 1) * sizeof *b->by_name);
    if (!b->by_name) {
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    }
    for (uint32_t k = 0; k < n; k++) {
        b->by_name[k] = k;
    }
    qsort_r(b->by_name, n, sizeof *b->by_name, by_names, (void *)(uintptr_t)b->site->points);
    return SY_OK;
}

static bool find_point(const backtest *b, sy_span device, sy_span name, uint32_t *point)
{
    size_t lo = 0, hi = b->site->n_points;
    while (lo < hi) {
        size_t m = lo + (hi - lo) / 2;
        int c = names_order(&b->site->points[b->by_name[m]], device, name);
        if (c == 0) {
            *point = b->by_name[m];
            return true;
        }
        if (c < 0) {
            lo = m + 1;
        } else {
            hi = m;
        }
    }
    return false;
}

/* A state's word: the vocabulary's, or a further spelling of the device. */
static bool state_value(const backtest *b, uint32_t point, sy_span text, double *out)
{
    const sy_word *w = sy_vocab_id(b->files.vocab, sy_span_of(b->site->points[point].quantity));
    int v = w ? sy_word_value_find(w, text) : -1;
    const sy_config *c = b->files.config;
    for (size_t d = 0; v < 0 && d < c->n_devices; d++) {
        for (size_t k = 0; v < 0 && k < c->devices[d].n_channels; k++) {
            const sy_channel *ch = &c->devices[d].channels[k];
            for (size_t q = 0; ch->point == point && q < ch->n_states; q++) {
                v = sy_span_is(text, ch->states[q].text) ? ch->states[q].state : v;
            }
        }
    }
    *out = v;
    return v >= 0;
}

static sy_err keep(backtest *b, const row *r, sy_fail *f)
{
    if (r->t < b->from || r->t > b->to) {
        return SY_OK;
    }
    if (sy_grow(sy_heap(), (void **)&b->rows, &b->cap, b->n + 1, sizeof *b->rows) != SY_OK) {
        return sy_fail_set(f, SY_E_NOMEM, "out of memory after %zu readings", b->n);
    }
    b->rows[b->n++] = *r;
    return SY_OK;
}

/* As the gateway does with a reading: what is out of the physical range is bad. */
static void check_range(const backtest *b, row *r)
{
    const sy_site_point *p = &b->site->points[r->point];
    if (!p->is_state && ((!isnan(p->range_lo) && r->value < p->range_lo) ||
                         (!isnan(p->range_hi) && r->value > p->range_hi))) {
        r->quality = sy_quality_worsen(r->quality, SY_Q_BAD, SY_Q_OUT_OF_RANGE);
    }
}

static void progress(const sy_csv *csv, bool end)
{
    uint64_t done, size;
    sy_csv_progress(csv, &done, &size);
    if (!isatty(STDERR_FILENO) || size == 0) {
        return;
    }
    fprintf(stderr, "\rreading %3u %%%s", (unsigned)(done * 100 / size), end ? "\n" : "");
}

static sy_err take_csv(backtest *b, const sy_csv_row *c, sy_fail *f)
{
    row r = {.t = c->t, .quality = c->quality};
    if (!find_point(b, c->device, c->point, &r.point)) {
        b->no_point++;
        return SY_OK;
    }
    if (b->site->points[r.point].is_state) {
        if (!state_value(b, r.point, c->value, &r.value)) {
            b->no_word++;
            return SY_OK;
        }
    } else if (sy_double_parse(c->value, &r.value) != SY_OK) {
        b->no_word++;
        return SY_OK;
    }
    check_range(b, &r);
    return keep(b, &r, f);
}

static sy_err read_csv(backtest *b, sy_fail *f)
{
    sy_csv *csv;
    sy_csv_row c;
    bool end = false;
    uint64_t n = 0;
    sy_err e = sy_csv_open(&csv, b->readings, f);
    if (e) {
        return e;
    }
    while (!e) {
        e = sy_csv_next(csv, &c, &end, f);
        if (e || end) {
            break;
        }
        e = take_csv(b, &c, f);
        if (++n % 100000 == 0) {
            progress(csv, false);
        }
    }
    if (n >= 100000) {
        progress(csv, true);
    }
    sy_csv_close(csv);
    return e;
}

typedef struct storing {
    backtest *b;
    sy_fail *f;
    sy_err err;
} storing;

static bool take_stored(void *ctx, const sy_reading_row *s)
{
    storing *x = ctx;
    size_t lo = 0, hi = x->b->site->n_points;
    row r = {.t = s->t, .quality = s->quality, .value = s->value};
    while (lo < hi) { /* points are sorted by series */
        size_t m = lo + (hi - lo) / 2;
        int c = strcmp(x->b->site->points[m].series, s->series);
        if (c == 0) {
            r.point = (uint32_t)m;
            x->err = keep(x->b, &r, x->f);
            return x->err == SY_OK;
        }
        lo = c < 0 ? m + 1 : lo;
        hi = c < 0 ? hi : m;
    }
    x->b->no_point++;
    return true;
}

static sy_err read_store(backtest *b, sy_fail *f)
{
    sy_store *s;
    storing x = {.b = b, .f = f};
    sy_err e = sy_store_open(&s, b->data, true, f);
    if (e) {
        return e;
    }
    e = sy_store_readings(s, NULL, b->from == SY_MS_NONE ? 0 : b->from, b->to, take_stored, &x, f);
    sy_store_close(s);
    return e ? e : x.err;
}

static int by_time(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    return x->point < y->point ? -1 : x->point > y->point;
}

static bool in_order(const backtest *b)
{
    for (size_t k = 1; k < b->n; k++) {
        if (by_time(&b->rows[k - 1], &b->rows[k]) > 0) {
            return false;
        }
    }
    return true;
}

static sy_err judge_rows(backtest *b, sy_judge *j)
{
    sy_err e = SY_OK;
    for (size_t k = 0; k < b->n && !e; k++) {
        const row *r = &b->rows[k];
        sy_verdict v;
        e = sy_judge_reading(j, r->point, r->t, r->value, r->quality, &v);
        if (!e && (k + 1 == b->n || b->rows[k + 1].t > r->t)) {
            e = sy_judge_advance(j, r->t);
        }
    }
    if (!e && b->to != SY_MS_MAX) {
        e = sy_judge_advance(j, b->to);
    }
    return e ? e : sy_judge_finish(j);
}

static void text_alert(backtest *b, const sy_alert_view *a)
{
    char at[2][25];
    sy_time_text(a->raised, at[0]);
    if (a->cleared != SY_MS_NONE) {
        sy_time_text(a->cleared, at[1]);
    }
    sy_buf_printf(&b->out, "%s  %-8s %-12s %-10s %s  %s\n", at[0],
                  sy_alert_level_text(a->severity, b->lang), a->rule, sy_alert_state_text(a->state),
                  a->subject, a->cleared != SY_MS_NONE ? at[1] : "-");
}

static void put_alert(void *ctx, const sy_alert *a)
{
    backtest *b = ctx;
    sy_alert_view v = sy_alert_view_of(a, b->site, b->lang);
    if (b->json) {
        sy_alert_json_item(&b->out, &v, b->first);
    } else {
        text_alert(b, &v);
    }
    b->first = false;
}

static sy_err judge(backtest *b, sy_fail *f)
{
    sy_judge *j;
    sy_ms start = b->from != SY_MS_NONE ? b->from : (b->n ? b->rows[0].t : 0);
    sy_judge_options o = {.set = b->files.set,
                          .site = b->site,
                          .start = start,
                          .in_force = SY_MS_NONE,
                          .alloc = sy_heap()};
    sy_err e = sy_judge_open(&j, &o);
    if (e) {
        return sy_fail_set(f, e, "the judge cannot start: %s", sy_err_text(e));
    }
    e = judge_rows(b, j);
    if (!e) {
        b->first = true;
        if (b->json) {
            sy_alert_json_begin(&b->out);
        }
        e = sy_judge_alerts(j, put_alert, b);
        if (b->json) {
            sy_alert_json_end(&b->out);
        }
    }
    if (e) {
        e = sy_fail_set(f, e, "judging failed: %s", sy_err_text(e));
    }
    sy_judge_close(j);
    return e;
}

static sy_err backtest_run(backtest *b, sy_fail *f)
{
    b->site = b->files.config->site;
    sy_err e = index_points(b, f);
    e = e ? e : (b->readings ? read_csv(b, f) : read_store(b, f));
    if (e) {
        return e;
    }
    if (!in_order(b)) {
        qsort(b->rows, b->n, sizeof *b->rows, by_time);
    }
    if (b->no_point || b->no_word) {
        fprintf(stderr,
                "steelyard rules backtest: left out: %llu readings of no point of the "
                "configuration, %llu whose value is no number or word of the point\n",
                (unsigned long long)b->no_point, (unsigned long long)b->no_word);
    }
    e = judge(b, f);
    if (!e && (b->out.failed || (b->out.n && fwrite(b->out.p, 1, b->out.n, stdout) != b->out.n) ||
               fflush(stdout) != 0)) {
        e = sy_fail_set(f, SY_E_IO, "the result cannot be written");
    }
    return e;
}

static int backtest_files(backtest *b, char **paths, int n)
{
    sy_fail f;
    int status = 2;
    sy_buf_init(&b->out, sy_heap());
    sy_err e = sy_rule_files_open(&b->files, paths, (size_t)n, b->config, &f);
    if (!e && !b->files.set) {
        sy_rule_files_print(&b->files, sy_locale());
        status = 1;
    } else {
        e = e ? e : backtest_run(b, &f);
        if (e) {
            fprintf(stderr, "steelyard rules backtest: %s\n", f.text);
        } else {
            status = 0;
        }
    }
    free(b->rows);
    free(b->by_name);
    sy_buf_fini(&b->out);
    sy_rule_files_close(&b->files);
    return status;
}

static bool option(backtest *b, int c, const char *value)
{
    switch (c) {
    case 'c':
        b->config = value;
        return true;
    case 'r':
        b->readings = value;
        return true;
    case 'd':
        b->data = value;
        return true;
    case 'f':
        return sy_time_parse(sy_span_of(value), &b->from) == SY_OK;
    case 't':
        return sy_time_parse(sy_span_of(value), &b->to) == SY_OK;
    case 'j':
        b->json = true;
        return true;
    case 'l':
        b->lang = strncmp(value, "zh", 2) == 0 ? SY_ZH : SY_EN;
        return strncmp(value, "zh", 2) == 0 || strncmp(value, "en", 2) == 0;
    default:
        return false;
    }
}

int sy_rules_backtest_main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"readings", required_argument, NULL, 'r'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"language", required_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    backtest b = {.from = SY_MS_NONE, .to = SY_MS_MAX, .lang = SY_EN};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (!option(&b, c, optarg)) {
            fputs(help, stderr);
            return 2;
        }
    }
    if (optind == argc || !b.config || !b.readings == !b.data) {
        fputs(help, stderr);
        return 2;
    }
    return backtest_files(&b, argv + optind, argc - optind);
}
