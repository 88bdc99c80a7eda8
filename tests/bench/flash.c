/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store writes to flash a reading: --series series, a reading a minute each, in batches
 * of half a second, for --hours hours, with a snapshot as the pipeline spaces them (a judge's state
 * of 320 KB for 1,000 series). Time is simulated, the writing is not. One line of JSON.
 */
#include <string.h>

#include "bench_util.h"

#include "pipeline/pipeline.h"

enum { EVERY_BATCHES = 60, RECORD = 127, JUDGE = 320 /* bytes a series */ };

static void must(sy_err e, const sy_fail *f)
{
    if (!e)
        return;
    fprintf(stderr, "%s\n", f->text);
    exit(1);
}

typedef struct job {
    sy_store *s;
    long series;
    int64_t *id;
    char *judge;
    uint64_t n, since, saved; /* readings; bytes of log since the last snapshot; its size */
    uint32_t random;
    int *tenths;
} job;

static void make_series(job *j)
{
    sy_fail f = {0};
    must(sy_store_begin(j->s, false, &f), &f);
    for (long i = 0; i < j->series; i++) {
        char device[32], name[48];
        snprintf(device, sizeof device, "d%04ld", i);
        snprintf(name, sizeof name, "%s/temperature", device);
        must(sy_store_series(j->s, name, device, "temperature", "Cel", &j->id[i], &f), &f);
        j->tenths[i] = 40;
    }
    must(sy_store_commit(j->s, 0, &f), &f);
}

static void put(job *j)
{
    sy_fail f = {0};
    sy_put how;
    long i = (long)(j->n % (uint64_t)j->series);
    sy_ms minute = (sy_ms)(j->n / (uint64_t)j->series) * 60000;
    j->random = j->random * 1664525 + 1013904223;
    j->tenths[i] += (int)(j->random >> 24) % 3 - 1;
    sy_ms t = 1767571200000 + minute + i * 60000 / j->series;
    j->n++;
    must(sy_store_reading(j->s, j->id[i], t, j->tenths[i] / 10.0, 0, t, j->n, &how, &f), &f);
    j->since += RECORD;
}

static void batch(job *j, uint64_t number, uint64_t readings)
{
    sy_fail f = {0};
    uint64_t grown = j->saved * SY_SNAPSHOT_TIMES;
    sy_store_commit_every(j->s, number % EVERY_BATCHES ? SY_MS_MAX : 0);
    must(sy_store_begin(j->s, false, &f), &f);
    while (j->n < readings)
        put(j);
    if (j->since >= (grown > SY_SNAPSHOT_LEAST ? grown : SY_SNAPSHOT_LEAST)) {
        sy_open_figures open;
        sy_span judge = {j->judge, (size_t)j->series * JUDGE};
        must(sy_store_snapshot_put(j->s, j->n, "bench", judge, &f), &f);
        sy_store_open_figures(j->s, &open);
        j->saved = judge.n + open.saved_bytes;
        j->since = 0;
    }
    must(sy_store_commit(j->s, j->n, &f), &f);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bench_flash DIR SERIES HOURS\n");
        return 2;
    }
    job j = {.series = atol(argv[2]), .random = 7};
    long hours = atol(argv[3]);
    sy_fail f = {0};
    uint64_t counts[SY_N_COUNTERS];
    sy_open_figures open = {0}, most = {0};
    j.id = calloc((size_t)j.series, sizeof *j.id);
    j.tenths = calloc((size_t)j.series, sizeof *j.tenths);
    j.judge = calloc((size_t)j.series, JUDGE);
    if (!j.id || !j.tenths || !j.judge)
        return 1;
    must(sy_store_open(&j.s, argv[1], false, &f), &f);
    make_series(&j);
    double began = bench_now();
    uint64_t batches = (uint64_t)hours * 7200;
    for (uint64_t i = 1; i <= batches; i++) {
        batch(&j, i, i * (uint64_t)j.series / 120);
        if (i % 7200 == 0) {
            sy_store_open_figures(j.s, &open);
            most = open.bytes > most.bytes ? open : most;
        }
    }
    double seconds = bench_now() - began;
    must(sy_store_counters(j.s, counts, &f), &f);
    printf("{\"readings\":%llu,\"written\":%llu,\"bytes_a_reading\":%.2f,\"seconds\":%.2f,"
           "\"open_bytes\":%llu,\"open_samples\":%llu,\"saved_bytes\":%llu}\n",
           (unsigned long long)j.n, (unsigned long long)counts[SY_N_bytes_written],
           (double)counts[SY_N_bytes_written] / (double)j.n, seconds,
           (unsigned long long)most.bytes, (unsigned long long)most.samples,
           (unsigned long long)most.saved_bytes);
    sy_store_close(j.s);
    free(j.id);
    free(j.tenths);
    free(j.judge);
    return 0;
}
