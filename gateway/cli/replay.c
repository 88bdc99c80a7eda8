/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard replay: a recording through real MQTT and CoAP, in the recording's own time.
 *
 * The log's clock of the gateway moves only by our marks. A step is what lies within `future` of
 * the clock, and at most ten minutes: it is delivered on both roads, every message acknowledged; a
 * marker message behind it shows that the broker has passed on what it acknowledged; then the clock
 * is set to the step's last time. A device whose messages carry no time is given the clock's: the
 * clock is set to that time first, and the step is that instant alone.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/config_file.h"
#include "cli/csv.h"
#include "cli/replay_int.h"
#include "rules/judge.h"

enum { STEP_ROWS = 20000, MARK_MS = 60000, WAIT_MS = 600000, AFTER_MS = 1000, PROGRESS_MS = 200 };

static const char help[] =
    "usage: steelyard replay RECORDING.csv --config FILE [--data DIR] [--shuffle SEED] "
    "[--progress]\n\n"
    "Play a recording (time,device,point,value[,quality], in order of time) through real MQTT and\n"
    "CoAP into a gateway that runs with --clock replay, as the devices of the configuration.\n\n"
    "  --config FILE   the configuration that the gateway runs with\n"
    "  --data DIR      the gateway's data folder, instead of gateway.data\n"
    "  --speed max     as fast as the gateway takes it (the only speed)\n"
    "  --shuffle SEED  deliver the messages of each step in an order by chance\n"
    "  --progress      show progress even where stderr is no terminal\n\n"
    "Quality is not sent: the gateway judges it anew.\n"
    "Exit codes: 0 every message was acknowledged, 1 not, 2 wrong usage.\n";

typedef struct player {
    const sy_config *c;
    sy_csv *csv;
    sy_replay_roads *roads;
    sy_replay_step step;
    sy_replay_row next; /* the row that is read already; its value is in `value` */
    sy_buf value;
    bool have_next, ended;
    const char *recording;
    sy_ms clock, last;
    uint64_t rows, seq, seed;
    bool shuffle, progress;
    sy_ms began, shown;
} player;

/* ---- reading ---- */

static const sy_device *find_device(const sy_config *c, sy_span id)
{
    for (size_t i = 0; i < c->n_devices; i++) {
        if (sy_span_is(id, c->devices[i].id)) {
            return &c->devices[i];
        }
    }
    return NULL;
}

static const sy_channel *find_channel(const sy_config *c, const sy_device *d, sy_span point)
{
    for (size_t i = 0; i < d->n_channels; i++) {
        if (sy_span_is(point, d->channels[i].name) ||
            sy_span_is(point, c->site->points[d->channels[i].point].series)) {
            return &d->channels[i];
        }
    }
    return NULL;
}

static sy_err read_next(player *p, sy_fail *f)
{
    sy_csv_row row;
    p->have_next = false;
    if (p->ended) {
        return SY_OK;
    }
    sy_err e = sy_csv_next(p->csv, &row, &p->ended, f);
    if (e || p->ended) {
        return e;
    }
    const sy_device *d = find_device(p->c, row.device);
    const sy_channel *ch = d ? find_channel(p->c, d, row.point) : NULL;
    if (!ch) {
        return sy_fail_set(f, SY_E_USAGE, "%s:%llu: the configuration has no point %.*s/%.*s",
                           p->recording, (unsigned long long)row.line, (int)row.device.n,
                           row.device.p, (int)row.point.n, row.point.p);
    }
    sy_buf_reset(&p->value);
    sy_buf_span_put(&p->value, row.value);
    p->next = (sy_replay_row){.device = d, .channel = ch, .t = row.t, .order = p->rows++};
    p->have_next = true;
    return p->value.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a row") : SY_OK;
}

static sy_err take_next(player *p, sy_fail *f)
{
    sy_replay_step *s = &p->step;
    void *data = s->rows;
    sy_err e = sy_grow(sy_heap(), &data, &s->cap_rows, s->n_rows + 1, sizeof *s->rows);
    s->rows = data;
    if (e) {
        return sy_fail_set(f, e, "no memory for a step of the recording");
    }
    p->next.value_at = s->text.n;
    p->next.value_n = p->value.n;
    sy_buf_put(&s->text, p->value.p, p->value.n);
    if (s->text.failed) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a step of the recording");
    }
    s->rows[s->n_rows++] = p->next;
    return read_next(p, f);
}

/* ---- the clock ---- */

static sy_err mark(player *p, sy_ms t, sy_fail *f)
{
    if (t < p->clock) {
        return SY_OK;
    }
    char line[48];
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    snprintf(line, sizeof line, "mark %lld", (long long)t);
    sy_err e = sy_replay_ask(p->c, line, MARK_MS, &answer, f);
    const char *seq = e ? NULL : strstr(answer.p, "\"seq\":");
    if (seq) {
        p->seq = strtoull(seq + 6, NULL, 10);
    }
    sy_buf_fini(&answer);
    p->clock = e ? p->clock : t;
    return e;
}

/* ---- steps ---- */

/* Rows up to `future` ahead of the clock; a device without time ends the step at its own instant.
 */
static sy_err gather(player *p, sy_fail *f)
{
    sy_replay_step_clear(&p->step);
    sy_err e = SY_OK;
    /* Within a step the order is by chance, and the judge redoes no more than SY_JUDGE_REDO. */
    sy_ms limit = p->clock + (p->c->future < SY_JUDGE_REDO ? p->c->future : SY_JUDGE_REDO);
    while (p->have_next && p->next.t <= limit && p->step.n_rows < STEP_ROWS && !e) {
        if (sy_replay_timeless(p->next.device) && p->next.t > p->clock) {
            if (p->step.n_rows > 0) {
                break; /* the step before it is delivered first */
            }
            e = mark(p, p->next.t, f);
            limit = p->next.t;
        }
        e = e ? e : take_next(p, f);
    }
    return e;
}

static void show(player *p, bool last)
{
    sy_ms now = sy_mono_ms();
    if (!p->progress || (!last && now - p->shown < PROGRESS_MS)) {
        return;
    }
    uint64_t done, size;
    char time[25];
    p->shown = now;
    sy_csv_progress(p->csv, &done, &size);
    sy_time_text(p->clock, time);
    fprintf(stderr, "\r%3d %%  %s  %llu readings, %llu a second ",
            size ? (int)(done * 100 / size) : 0, time, (unsigned long long)p->rows,
            (unsigned long long)(p->rows * 1000 / (uint64_t)(now - p->began + 1)));
    if (last) {
        fputc('\n', stderr);
    }
}

static sy_err one_step(player *p, sy_fail *f)
{
    sy_err e = SY_OK;
    if (p->next.t > p->clock + p->c->future) {
        e = mark(p, p->next.t, f); /* nothing lies between: time passes, and silence is noticed */
    }
    e = e ? e : gather(p, f);
    e = e ? e : sy_replay_encode(p->c, &p->step, f);
    if (e) {
        return e;
    }
    for (size_t i = 0; i < p->step.n_rows; i++) {
        p->last = p->step.rows[i].t > p->last ? p->step.rows[i].t : p->last;
    }
    if (p->shuffle) {
        sy_replay_shuffle(&p->step, &p->seed);
    }
    e = sy_replay_deliver(p->roads, &p->step, f);
    e = e ? e : sy_replay_barrier(p->roads, f);
    e = e ? e : mark(p, p->last, f);
    show(p, false);
    return e;
}

static sy_ms longest_delivery(const sy_site *s)
{
    sy_ms most = 0;
    for (size_t i = 0; i < s->n_points; i++) {
        most = s->points[i].delivery > most ? s->points[i].delivery : most;
    }
    return most;
}

/* Until the gateway has judged and stored the last mark. */
static sy_err await_stored(player *p, sy_fail *f)
{
    char line[48];
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    snprintf(line, sizeof line, "wait %llu", (unsigned long long)p->seq);
    sy_err e = sy_replay_ask(p->c, line, WAIT_MS, &answer, f);
    sy_buf_fini(&answer);
    return e;
}

static sy_err play(player *p, sy_fail *f)
{
    sy_err e = read_next(p, f);
    if (!e && !p->have_next) {
        return sy_fail_set(f, SY_E_USAGE, "%s: no readings in it", p->recording);
    }
    p->clock = p->last = p->next.t;
    e = e ? e : mark(p, p->next.t, f);
    while (!e && p->have_next) {
        e = one_step(p, f);
    }
    e = e ? e : mark(p, p->last + longest_delivery(p->c->site) + AFTER_MS, f);
    e = e ? e : await_stored(p, f);
    show(p, true);
    return e;
}

/* ---- the command ---- */

typedef struct arguments {
    const char *config, *data, *recording;
    bool shuffle, progress;
    uint64_t seed;
} arguments;

static int parse(int argc, char **argv, arguments *a)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"data", required_argument, NULL, 'd'},
        {"speed", required_argument, NULL, 's'},
        {"shuffle", required_argument, NULL, 'x'},
        {"progress", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *a = (arguments){.progress = isatty(2)};
    optind = 0;
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        char *end = NULL;
        switch (o) {
        case 'c':
            a->config = optarg;
            break;
        case 'd':
            a->data = optarg;
            break;
        case 's':
            if (strcmp(optarg, "max") != 0) {
                fputs("steelyard replay: the only --speed is max\n", stderr);
                return 2;
            }
            break;
        case 'x':
            a->shuffle = true;
            a->seed = strtoull(optarg, &end, 10);
            if (end == optarg || *end) {
                fputs("steelyard replay: --shuffle wants a number\n", stderr);
                return 2;
            }
            break;
        case 'p':
            a->progress = true;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            fputs(help, stderr);
            return 2;
        }
    }
    a->recording = optind < argc ? argv[optind] : NULL;
    if (!a->config || !a->recording || optind + 1 != argc) {
        fputs(help, stderr);
        return 2;
    }
    return -1;
}

static sy_err replay(const arguments *a, sy_config *c, sy_replay_counts *counts, uint64_t *rows,
                     sy_fail *f)
{
    player p = {.c = c,
                .recording = a->recording,
                .shuffle = a->shuffle,
                .seed = a->seed,
                .progress = a->progress,
                .began = sy_mono_ms()};
    sy_replay_step_init(&p.step);
    sy_buf_init(&p.value, sy_heap());
    sy_err e = sy_csv_open(&p.csv, a->recording, f);
    e = e ? e : sy_replay_roads_open(&p.roads, c, f);
    e = e ? e : play(&p, f);
    if (p.roads) {
        *counts = sy_replay_counts_of(p.roads);
    }
    *rows = p.rows;
    sy_replay_roads_close(p.roads);
    if (p.csv) {
        sy_csv_close(p.csv);
    }
    sy_buf_fini(&p.value);
    sy_replay_step_fini(&p.step);
    return e;
}

int sy_cmd_replay(int argc, char **argv)
{
    arguments a;
    int rc = parse(argc, argv, &a);
    if (rc >= 0) {
        return rc;
    }
    sy_fail f = {0};
    sy_config *c = NULL;
    sy_replay_counts counts = {0};
    uint64_t rows = 0;
    if (sy_config_file_load(a.config, a.data, &c, &f)) {
        fprintf(stderr, "steelyard replay: %s\n", f.text);
        return 2;
    }
    sy_ms began = sy_mono_ms();
    sy_err e = replay(&a, c, &counts, &rows, &f);
    printf("%llu readings: %llu messages acknowledged over MQTT, %llu over CoAP, %llu refused, "
           "in %.1f s\n",
           (unsigned long long)rows, (unsigned long long)counts.mqtt,
           (unsigned long long)counts.coap, (unsigned long long)counts.refused,
           (double)(sy_mono_ms() - began) / 1000.0);
    if (e) {
        fprintf(stderr, "steelyard replay: %s\n", f.text);
    }
    sy_config_unref(c);
    return e == SY_E_USAGE || e == SY_E_PARSE ? 2 : e || counts.refused ? 1 : 0;
}
