/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging again: bench_late CONFIG DAYS FOLDER. Each point of the configuration gives a reading a
 * minute for so many days, through the engine into a store in FOLDER; then one reading of the first
 * day comes for each place, and all places are judged again from there. Prints one line of JSON:
 * how long that took, and how long with a reading for one place alone.
 */
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "bench_util.h"
#include "pipeline/engine.h"
#include "pipeline/redo.h"

#define MINUTE ((sy_ms)60000)
#define DAY    (1440 * MINUTE)
#define START  (20500 * DAY) /* 2026-02-16 */

typedef struct box {
    sy_config *config;
    sy_store *store;
    sy_engine *engine;
    sy_batch batch;
    uint64_t seq;
    sy_fail fail;
} box;

static sy_config *loaded(void *ctx, const char *hash)
{
    (void)hash;
    return sy_config_ref(ctx);
}

static void must(box *b, sy_err err)
{
    if (err) {
        fprintf(stderr, "%s\n", b->fail.text);
        exit(1);
    }
}

static void commit(box *b, bool snapshot)
{
    sy_buf bytes;
    sy_batch_end end = {.seq = b->seq};
    sy_buf_init(&bytes, sy_heap());
    if (snapshot) {
        must(b, sy_engine_save(b->engine, &bytes, &end.set_hash));
        end.snapshot = sy_buf_span(&bytes);
    }
    must(b, sy_batch_commit(&b->batch, b->store, sy_engine_site(b->engine), &end, &b->fail));
    sy_batch_reset(&b->batch);
    sy_buf_fini(&bytes);
}

static void record(box *b, uint8_t type, sy_ms recv, const char *source, const char *payload)
{
    sy_jrec rec = {.seq = ++b->seq,
                   .recv = recv,
                   .type = type,
                   .code = type == SY_J_MESSAGE ? SY_TRANSPORT_MQTT | 0xffffu << 8 : 0,
                   .source = sy_span_of(source),
                   .payload = sy_span_of(payload)};
    must(b, sy_engine_record(b->engine, &rec, &b->fail));
}

static void reading(box *b, size_t point, sy_ms t, sy_ms recv)
{
    char text[128], topic[32];
    const sy_site_point *p = &b->config->site->points[point];
    snprintf(topic, sizeof topic, "b/%s", p->device);
    snprintf(text, sizeof text, "[{\"n\":\"%s\",\"v\":%.1f,\"t\":%lld}]", p->name,
             5 + (double)((t / MINUTE * 7 + (sy_ms)point * 13) % 97) / 30, (long long)(t / 1000));
    record(b, SY_J_MESSAGE, recv, topic, text);
}

/* The redo that is due at `at`; seconds. */
static double again(box *b, sy_ms at)
{
    record(b, SY_J_TICK, at, "", "");
    commit(b, false);
    if (!sy_engine_redo_due(b->engine)) {
        fputs("nothing is due\n", stderr);
        exit(1);
    }
    double began = bench_now();
    must(b, sy_engine_redo(b->engine, b->store, &b->fail));
    commit(b, true);
    return bench_now() - began;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: bench_late CONFIG DAYS FOLDER\n", stderr);
        return 2;
    }
    box b = {0};
    sy_arena arena;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_findings findings = {.arena = &arena};
    sy_log_set_level(SY_LOG_WARN);
    must(&b, sy_config_load(argv[1], NULL, &findings, &b.config, &b.fail));
    must(&b, sy_store_open(&b.store, argv[3], false, &b.fail));
    sy_batch_init(&b.batch);
    must(&b, sy_engine_open(&b.engine, argv[3], &b.batch, &b.fail));
    sy_engine_share(b.engine, loaded, b.config);
    record(&b, SY_J_START, START, "", "{}");
    record(&b, SY_J_ACTIVATION, START, "", b.config->hash_hex);
    long days = atol(argv[2]);
    size_t points = b.config->site->n_points;
    double began = bench_now();
    sy_ms now = START;
    for (long m = 1; m <= days * 1440; m++) {
        now = START + m * MINUTE;
        for (size_t p = 0; p < points; p++)
            reading(&b, p, now, now);
        if (m % 10 == 0)
            commit(&b, m % 1440 == 0);
    }
    double fed = bench_now() - began;
    reading(&b, 0, START + 90 * MINUTE + 30000, now);
    double one = again(&b, now + 2 * MINUTE);
    now += 2 * 60 * MINUTE;
    for (size_t p = 0; p < points; p++)
        reading(&b, p, START + 200 * MINUTE + 30000, now);
    double all = again(&b, now + 12 * MINUTE);
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("{\"points\": %zu, \"days\": %ld, \"fed_s\": %.1f, \"one_s\": %.3f, \"all_s\": %.2f, "
           "\"rss_kb\": %ld}\n",
           points, days, fed, one, all, u.ru_maxrss);
    sy_engine_close(b.engine);
    sy_batch_fini(&b.batch);
    sy_store_close(b.store);
    sy_config_unref(b.config);
    sy_arena_fini(&arena);
    return 0;
}
