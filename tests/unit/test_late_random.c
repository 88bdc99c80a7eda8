/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C4 through the real engine and the real store: random rules and streams (judge_random.h),
 * delivered as their times say, and delivered late by up to days, in any order, with restarts of
 * the box, new rules on the way and crashes at any record. The alerts that stand in the end are the
 * same, bit for bit.
 *
 * SY_CASES and SY_SEED say how many and from where; SY_SHOW prints a case that fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "judge_kit.h"
#include "judge_random.h"
#include "pipeline/engine.h"
#include "pipeline/redo.h"

#define DAY  ((sy_ms)86400000)
#define HOUR ((sy_ms)3600000)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CASES = 20 };
#else
enum { CASES = 80 };
#endif
enum { RECORDS = 4 * NAIVE_READINGS + 4000, RESTARTS = 3 };

static random_case c;

typedef struct input { /* what comes to the box, in order */
    sy_ms at;
    int rank; /* at one time: readings, then what the box does */
    int k;    /* reading */
    uint8_t type;
    int set;
} input;

typedef struct world {
    kit_set kit[2];
    sy_config config[2];
    sy_device devices[2];
    sy_channel channels[POINTS];
    int n_sets;
    sy_ms switch_at; /* the second set takes over */
    sy_ms off[RESTARTS], on[RESTARTS];
    int n_off;
    sy_ms end;
} world;

typedef struct logged {
    uint8_t type;
    sy_ms recv;
    int k, set;
} logged;

typedef struct box {
    world *w;
    char dir[64];
    sy_store *store;
    sy_engine *engine;
    sy_batch batch;
    logged log[RECORDS];
    size_t n, at; /* records; taken */
    bool crashes;
    sy_ms clock;
    uint64_t n_crashes;
} box;

static sy_config *loaded(void *ctx, const char *hash)
{
    world *w = ctx;
    for (int i = 0; i < w->n_sets; i++)
        if (strcmp(w->config[i].hash_hex, hash) == 0)
            return &w->config[i];
    return NULL;
}

static void open_engine(box *b)
{
    sy_fail f;
    assert_int_equal(sy_engine_open(&b->engine, b->dir, &b->batch, &f), SY_OK);
    sy_engine_share(b->engine, loaded, b->w);
}

static void fine(sy_err err, const sy_fail *f)
{
    if (err)
        fail_msg("%s", f->text);
}

static void commit(box *b, bool snapshot)
{
    sy_fail f = {0};
    sy_buf bytes;
    sy_batch_end end = {.seq = b->at};
    sy_buf_init(&bytes, sy_heap());
    if (snapshot && sy_engine_save(b->engine, &bytes, &end.set_hash) == SY_OK)
        end.snapshot = sy_buf_span(&bytes);
    else
        end.set_hash = NULL;
    fine(sy_batch_commit(&b->batch, b->store, sy_engine_site(b->engine), &end, &f), &f);
    sy_batch_reset(&b->batch);
    sy_buf_fini(&bytes);
}

static void give(box *b, size_t at)
{
    const logged *l = &b->log[at];
    char text[160] = "";
    sy_fail f = {0};
    sy_jrec rec = {.seq = at + 1, .recv = l->recv, .type = l->type};
    if (l->type == SY_J_MESSAGE) {
        const naive_reading *r = &c.r[l->k];
        const sy_site_point *p = &c.points[r->point];
        snprintf(text, sizeof text, "[{\"n\":\"%s\",\"v\":%.17g,\"t\":%lld}]", p->name, r->value,
                 (long long)((c.t0 + r->at * c.tick) / 1000));
        rec.source = sy_span_of(p->device);
        rec.code = SY_TRANSPORT_MQTT | 0xffffu << 8;
    } else if (l->type == SY_J_ACTIVATION) {
        snprintf(text, sizeof text, "%s", b->w->config[l->set].hash_hex);
    }
    rec.payload = sy_span_of(text);
    if (sy_engine_switches(b->engine, &rec) && !b->batch.discard)
        commit(b, false);
    fine(sy_engine_record(b->engine, &rec, &f), &f);
}

/* The process dies: what is not committed is gone. */
static void crash(box *b)
{
    sy_buf bytes;
    uint64_t seq = 0, position = 0;
    char hash[65];
    sy_fail f = {0};
    b->n_crashes++;
    sy_engine_close(b->engine);
    sy_batch_reset(&b->batch);
    sy_batch_site(&b->batch);
    sy_buf_init(&bytes, sy_heap());
    open_engine(b);
    fine(sy_store_position(b->store, &position, &f), &f);
    if (sy_store_snapshot_get(b->store, &seq, hash, &bytes, &f) == SY_OK)
        fine(sy_engine_load(b->engine, hash, sy_buf_span(&bytes), &f), &f);
    sy_buf_fini(&bytes);
    b->batch.discard = true;
    b->batch.known = sy_store_open_seq(b->store); /* the store lives on in this process */
    for (b->at = seq; b->at < position; b->at++)
        give(b, b->at);
    b->batch.discard = false;
}

/* As the pipeline does it. False: the process died on the way. */
static bool judge_again(box *b)
{
    sy_fail f = {0};
    if (!sy_engine_redo_due(b->engine))
        return true;
    commit(b, false);
    if (b->crashes && random_chance(20)) {
        crash(b);
        return false;
    }
    fine(sy_engine_redo(b->engine, b->store, &f), &f);
    if (b->crashes && random_chance(20)) {
        crash(b);
        return false;
    }
    commit(b, true);
    return true;
}

static void take_all(box *b)
{
    while (b->at < b->n) {
        if (!judge_again(b)) /* what was due when the process died */
            continue;
        give(b, b->at);
        b->at++;
        if (!judge_again(b))
            continue;
        if (b->batch.n_changes || random_chance(2))
            commit(b, random_chance(10));
        else if (b->crashes && random_below(400) == 0)
            crash(b);
    }
}

static void append(box *b, uint8_t type, sy_ms recv, int k, int set)
{
    assert_true(b->n < RECORDS);
    b->log[b->n++] = (logged){type, recv, k, set};
    b->clock = recv;
    take_all(b);
}

/* What comes while the box is off comes when it is on again. */
static sy_ms awake(const world *w, sy_ms at)
{
    for (int i = 0; i < w->n_off; i++)
        if (at > w->off[i] && at <= w->on[i])
            return w->on[i] + 1 + at % 1000;
    return at;
}

/* Ticks as they fall due. */
static void until(box *b, sy_ms at)
{
    for (;;) {
        sy_ms deadline = sy_engine_deadline(b->engine);
        deadline = deadline > b->clock ? deadline : b->clock;
        if (deadline >= at || awake(b->w, deadline) != deadline)
            return;
        append(b, SY_J_TICK, deadline, 0, 0);
    }
}

static bool dump_alert(void *ctx, const sy_alert_row *a)
{
    sy_buf *out = ctx;
    if (a->state == SY_ALERT_WITHDRAWN)
        return true;
    sy_buf_printf(out, "%s %s onset %lld raised %lld cleared %lld state %d severity %d ", a->id,
                  a->series, (long long)(a->onset - c.t0), (long long)(a->raised - c.t0),
                  a->cleared == SY_MS_NONE ? -1 : (long long)(a->cleared - c.t0), a->state,
                  a->severity);
    sy_buf_printf(out, "counted %lld unknown %lld exempt %lld trial %d", (long long)a->counted,
                  (long long)a->unknown, (long long)a->exempt, a->trial);
    if (a->cleared != SY_MS_NONE)
        sy_buf_printf(out, " min %.17g max %.17g count %llu", a->count ? a->min : 0,
                      a->count ? a->max : 0, (unsigned long long)a->count);
    sy_buf_char(out, '\n');
    return true;
}

static bool dump_reading(void *ctx, const sy_reading_row *r)
{
    sy_buf *out = ctx;
    sy_buf_printf(out, "%s %lld %.17g %x\n", r->series, (long long)(r->t - c.t0), r->value,
                  (unsigned)r->quality);
    return true;
}

static void drop_folder(const char *dir)
{
    static const char *const files[] = {"store.db", "store.db-wal", "store.db-shm"};
    char path[128];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

static void deliver(world *w, const input *in, size_t n, bool crashes, sy_buf *out,
                    uint64_t counts[SY_N_COUNTERS], uint64_t *n_crashes)
{
    static box b;
    sy_fail f = {0};
    b = (box){.w = w, .crashes = crashes, .clock = SY_MS_NONE};
    snprintf(b.dir, sizeof b.dir, "%s/sy-late-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(b.dir));
    fine(sy_store_open(&b.store, b.dir, false, &f), &f);
    sy_batch_init(&b.batch);
    open_engine(&b);
    for (size_t i = 0; i < n; i++) {
        until(&b, in[i].at);
        append(&b, in[i].type, in[i].at, in[i].k, in[i].set);
    }
    until(&b, w->end);
    append(&b, SY_J_TICK, w->end, 0, 0);
    commit(&b, false);
    sy_buf_reset(out);
    fine(sy_store_alerts(b.store, dump_alert, out, &f), &f);
    fine(sy_store_readings(b.store, NULL, SY_MS_NONE, SY_MS_MAX, dump_reading, out, &f), &f);
    sy_buf_text(out, "");
    fine(sy_store_counters(b.store, counts, &f), &f);
    *n_crashes += b.n_crashes;
    sy_engine_close(b.engine);
    sy_batch_fini(&b.batch);
    sy_store_close(b.store);
    drop_folder(b.dir);
}

static int by_time(const void *a, const void *b)
{
    const input *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->rank != y->rank ? x->rank - y->rank : (x->k > y->k) - (x->k < y->k);
}

static sy_ms time_of(int k)
{
    return c.t0 + c.r[k].at * c.tick;
}

static size_t box_records(const world *w, input *in)
{
    size_t n = 0;
    in[n++] = (input){c.t0, -2, -1, SY_J_START, 0};
    in[n++] = (input){c.t0, -1, -1, SY_J_ACTIVATION, 0};
    for (int i = 0; i < w->n_off; i++) {
        in[n++] = (input){w->off[i], 1, -1, SY_J_TICK, 0};
        in[n++] = (input){w->on[i], 1, -1, SY_J_START, 0};
    }
    if (w->switch_at)
        in[n++] = (input){w->switch_at, 1, -1, SY_J_ACTIVATION, 1};
    return n;
}

static size_t in_order(const world *w, input *in)
{
    size_t n = box_records(w, in);
    for (int k = 0; k < (int)c.n; k++)
        in[n++] = (input){awake(w, time_of(k)), 0, k, SY_J_MESSAGE, 0};
    qsort(in, n, sizeof *in, by_time);
    return n;
}

typedef struct outage {
    uint32_t points; /* bits */
    sy_ms from, to;
    bool shuffled;
} outage;

static sy_ms span(void)
{
    return c.length * c.tick;
}

static size_t in_disorder(const world *w, input *in)
{
    outage out[3];
    uint32_t n_out = random_below(4);
    sy_ms most = random_chance(20) ? 2 * DAY : random_chance(50) ? HOUR : 6 * HOUR;
    uint32_t stray = random_chance(5) ? 100 : random_chance(30) ? 1 + random_below(6) : 0;
    for (uint32_t i = 0; i < n_out; i++) {
        sy_ms from = (sy_ms)random_below((uint32_t)(span() / 1000)) * 1000;
        sy_ms length = (sy_ms)random_below((uint32_t)(span() / 2000)) * 1000;
        out[i] = (outage){random_below(1u << POINTS), c.t0 + from, c.t0 + from + length,
                          random_chance(40)};
    }
    size_t n = box_records(w, in);
    for (int k = 0; k < (int)c.n; k++) {
        sy_ms t = time_of(k), at = t + random_below(20000);
        for (uint32_t i = 0; i < n_out; i++)
            if ((out[i].points >> c.r[k].point & 1) && t >= out[i].from && at < out[i].to)
                at = out[i].to + (out[i].shuffled ? (sy_ms)random_below(600000) : k);
        if (random_chance(stray))
            at += (sy_ms)random_below((uint32_t)(most / 1000)) * 1000;
        in[n++] = (input){awake(w, at), 0, k, SY_J_MESSAGE, 0};
    }
    qsort(in, n, sizeof *in, by_time);
    return n;
}

static void make_devices(world *w)
{
    uint32_t n = 0;
    for (int d = 0; d < 2; d++) {
        const char *id = d ? "nozzle" : "d";
        w->devices[d] = (sy_device){.id = id,
                                    .transport = SY_TRANSPORT_MQTT,
                                    .topic = id,
                                    .format = "senml-json",
                                    .channels = &w->channels[n]};
        for (uint32_t p = 0; p < POINTS; p++) {
            static const sy_state_word words[] = {{"0", 0}, {"1", 1}};
            if (strcmp(c.points[p].device, id) != 0)
                continue;
            w->channels[n++] =
                (sy_channel){p, c.points[p].name, words, c.points[p].is_state ? 2 : 0};
            w->devices[d].n_channels++;
        }
    }
}

static void make_config(world *w, int i)
{
    w->config[i] = (sy_config){.id = "g",
                               .future = 120000,
                               .lateness = 30 * DAY,
                               .site = &c.site,
                               .devices = w->devices,
                               .n_devices = 2,
                               .vocab = &w->kit[i].vocab,
                               .set = w->kit[i].set};
    memset(w->config[i].hash_hex, 'a' + i, 64);
}

/* Other numbers, or only another title. */
static void later_text(const sy_buf *rule, sy_buf *out)
{
    bool title = random_chance(30);
    sy_buf_reset(out);
    sy_buf_put(out, rule->p, rule->n);
    sy_buf_text(out, "");
    for (char *p = out->p; *p; p++) {
        if (!title && strncmp(p, "version 1", 9) == 0)
            p[8] = '2';
        else if (!title && strncmp(p, " 8 °C", 6) == 0)
            p[1] = '7';
        else if (strncmp(p, "\"random\"", 8) == 0)
            p[1] = 'R';
    }
}

static void draw_box(world *w)
{
    w->n_off = random_chance(30) ? 1 + (int)random_below(RESTARTS) : 0;
    sy_ms t = c.t0;
    for (int i = 0; i < w->n_off; i++) {
        t += c.tick * (20 + random_below((uint32_t)c.length / 4));
        w->off[i] = t;
        t += c.tick * (1 + random_below(30));
        w->on[i] = t;
    }
    w->switch_at = 0;
    if (w->n_sets == 2)
        w->switch_at =
            awake(w, c.t0 + c.tick * (c.length / 4 + (int)random_below((uint32_t)c.length / 2)));
}

/* A message says no quality: what it gets comes from ranges and contradictions. */
static void plain_stream(void)
{
    random_stream(&c);
    for (int p = 0; p < POINTS; p++)
        if (!c.points[p].is_state && random_chance(20))
            c.points[p].range_hi =
                9.5 + (c.points[p].unit && !strcmp(c.points[p].unit, "degF") ? 40 : 0);
    for (size_t k = 0; k < c.n; k++)
        c.r[k].quality = SY_Q_GOOD;
}

typedef struct totals {
    uint64_t cases, judged, with_alerts, rejudged, crashes, late;
} totals;

static void compare(world *w, uint64_t seed, const sy_buf *rule, totals *n)
{
    static input in[NAIVE_READINGS + 16];
    sy_buf want, got;
    uint64_t counts[SY_N_COUNTERS];
    sy_buf_init(&want, sy_heap());
    sy_buf_init(&got, sy_heap());
    w->end = c.t0 + span() + span() / 2 + 2 * DAY + 6 * HOUR;
    size_t k = in_order(w, in);
    deliver(w, in, k, false, &want, counts, &n->crashes);
    for (int i = random_chance(50) ? 1 : 0; i < 2; i++) {
        k = in_disorder(w, in);
        deliver(w, in, k, i == 1, &got, counts, &n->crashes);
        n->rejudged += counts[SY_N_rejudged];
        n->late += counts[SY_N_late];
        if (strcmp(want.p, got.p) != 0) {
            fprintf(stderr, "seed %llu%s\n%s\nt0 %lld tick %lld\n", (unsigned long long)seed,
                    i ? ", with crashes" : "", rule->p, (long long)c.t0, (long long)c.tick);
            for (int q = 0; q < w->n_off; q++)
                fprintf(stderr, "off %lld to %lld\n", (long long)(w->off[q] - c.t0),
                        (long long)(w->on[q] - c.t0));
            if (w->switch_at)
                fprintf(stderr, "new rules at %lld\n", (long long)(w->switch_at - c.t0));
            fprintf(stderr, "in order:\n%s\nlate:\n%s\n", want.p, got.p);
            if (getenv("SY_SHOW"))
                for (size_t q = 0; q < k; q++)
                    if (in[q].type == SY_J_MESSAGE)
                        fprintf(stderr, "%lld: %s %lld %.17g\n", (long long)(in[q].at - c.t0),
                                c.points[c.r[in[q].k].point].series,
                                (long long)(time_of(in[q].k) - c.t0), c.r[in[q].k].value);
            fail();
        }
    }
    n->with_alerts += want.n > 0;
    sy_buf_fini(&want);
    sy_buf_fini(&got);
}

static bool watched(const world *w)
{
    sy_judge *j;
    sy_judge_options o = {
        .set = w->kit[0].set, .site = &c.site, .start = c.t0, .in_force = c.t0, .alloc = sy_heap()};
    assert_int_equal(sy_judge_open(&j, &o), SY_OK);
    size_t n = sy_judge_instances(j);
    sy_judge_close(j);
    return n > 0;
}

static void one_case(uint64_t seed, const sy_zone *const zones[3], totals *n)
{
    static world w;
    sy_buf rule, later;
    memset(&w, 0, sizeof w);
    sy_buf_init(&rule, sy_heap());
    sy_buf_init(&later, sy_heap());
    random_seed(seed);
    c.coarse = true;
    random_frame(&c, zones);
    random_rule(&c, 1, &rule);
    sy_buf_text(&rule, "");
    plain_stream();
    n->cases++;
    bool ok = kit_load(&w.kit[0], "random", sy_buf_span(&rule), true);
    if (ok && watched(&w)) {
        make_devices(&w);
        make_config(&w, 0);
        w.n_sets = 1;
        if (c.on[C_VERSIONS]) {
            later_text(&rule, &later);
            (void)kit_load(&w.kit[1], "random, version 2", sy_buf_span(&later), false);
            make_config(&w, 1);
            w.n_sets = 2;
        }
        draw_box(&w);
        n->judged++;
        compare(&w, seed, &rule, n);
        if (w.n_sets == 2)
            kit_free(&w.kit[1]);
    }
    kit_free(&w.kit[0]);
    sy_buf_fini(&rule);
    sy_buf_fini(&later);
}

static void any_order_of_arrival(void **state)
{
    const char *cases = getenv("SY_CASES"), *first = getenv("SY_SEED");
    uint64_t wanted = cases ? strtoull(cases, NULL, 10) : CASES;
    uint64_t seed = first ? strtoull(first, NULL, 10) : 1;
    sy_arena arena;
    totals n = {0};
    (void)state;
    sy_arena_init(&arena, sy_heap(), 0);
    const sy_zone *const zones[3] = {NULL, kit_zone("Asia/Shanghai", &arena),
                                     kit_zone("Europe/Berlin", &arena)};
    sy_log_set_level(getenv("SY_SHOW") ? SY_LOG_INFO : SY_LOG_ERROR);
    for (int i = 0; i < CONSTRUCTS; i++)
        c.allowed[i] = true;
    for (; n.cases < wanted; seed++)
        one_case(seed, zones, &n);
    print_message("%llu cases, %llu judged, %llu with alerts, %llu places judged again, %llu "
                  "readings too late, %llu crashes\n",
                  (unsigned long long)n.cases, (unsigned long long)n.judged,
                  (unsigned long long)n.with_alerts, (unsigned long long)n.rejudged,
                  (unsigned long long)n.late, (unsigned long long)n.crashes);
    assert_int_equal(n.late, 0);
    assert_true(wanted < 50 || (n.judged * 2 > n.cases && n.rejudged > n.judged));
    assert_true(wanted < 50 || n.with_alerts * 3 > n.judged);
    sy_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_order_of_arrival)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
