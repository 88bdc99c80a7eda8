/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fill a store with readings that look like those of sensors, through the store's own interface.
 *
 * store_fill DIR READINGS [SERIES [EVERY_S]]: SERIES series (190), a reading each EVERY_S seconds
 * (60) from 2025-01-01 on, round by round; the same for the same arguments. A day's curve and a
 * slow wander with noise in the last digit (0.1); a quarter of the clocks jitter; one reading in
 * 5,000 is bad. Prints one line of JSON. "odd" for READINGS: a few that not every form can say.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "store/store.h"

enum { BATCH = 20000 };
#define FIRST_MS 1735689600000LL /* 2025-01-01 */

typedef struct fill {
    sy_store *s;
    int64_t *ids;
    uint32_t *wander;
    long n, series, every_ms;
    sy_fail f;
} fill;

static uint32_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return (uint32_t)(x >> 32);
}

static sy_err make_series(fill *w)
{
    sy_err e = sy_store_begin(w->s, false, &w->f);
    for (long i = 0; i < w->series && !e; i++) {
        char device[32], name[64];
        snprintf(device, sizeof device, "d%04ld", i);
        snprintf(name, sizeof name, "%s/temperature", device);
        e = sy_store_series(w->s, name, device, "temperature", "degC", &w->ids[i], &w->f);
        w->wander[i] = 500;
    }
    return e ? e : sy_store_commit(w->s, 0, &w->f);
}

static sy_err put(fill *w, long i, sy_ms recv)
{
    long series = i % w->series, round = i / w->series;
    uint32_t chance = mix((uint64_t)i);
    sy_ms t = FIRST_MS + round * w->every_ms + (series % 4 == 3 ? (sy_ms)(chance % 800) : 0);
    if (chance >> 8 & 1)
        w->wander[series] += (chance >> 9) % 3 - 1; /* by a tenth, now and then */
    long hour = t / 3600000 % 24, curve = hour < 12 ? hour : 24 - hour;
    long tenths = (long)(w->wander[series] / 8) + curve + (long)(chance >> 12) % 2 + series % 50;
    sy_quality q = chance % 5000 == 0 ? SY_Q_BAD | SY_Q_OUT_OF_RANGE : SY_Q_GOOD;
    sy_put how;
    return sy_store_reading(w->s, w->ids[series], t, (double)(tenths - 100) / 10.0, q, recv,
                            (uint64_t)i + 1, &how, &w->f);
}

static sy_err put_all(fill *w)
{
    sy_err e = SY_OK;
    for (long i = 0; i < w->n && !e;) {
        long end = i + BATCH < w->n ? i + BATCH : w->n;
        sy_ms recv = FIRST_MS + (end / w->series + 1) * w->every_ms;
        e = sy_store_begin(w->s, false, &w->f);
        for (; i < end && !e; i++)
            e = put(w, i, recv);
        if (!e)
            e = sy_store_commit(w->s, (uint64_t)end, &w->f);
    }
    return e;
}

/* No value, a time before 1978, names that SenML does not allow. */
static sy_err put_odd(fill *w)
{
    static const struct {
        const char *device, *name;
        sy_ms t;
        double value;
        sy_quality q;
    } rows[] = {{"\xe6\xb8\xa9", "t", FIRST_MS, NAN, SY_Q_BAD},
                {"\xe6\xb8\xa9", "t", FIRST_MS + 250, 4.5, SY_Q_GOOD},
                {"_a b", "", 268435455999, 1, SY_Q_GOOD},
                {"_a b", "", FIRST_MS + 1, -0.25, SY_Q_GOOD},
                {"_a b", "", FIRST_MS + 1230, 0.1, SY_Q_UNCERTAIN | SY_Q_LATE}};
    sy_err e = sy_store_begin(w->s, false, &w->f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !e; i++) {
        char series[64];
        int64_t id;
        sy_put how;
        snprintf(series, sizeof series, "%s%s%s", rows[i].device, *rows[i].name ? "/" : "",
                 rows[i].name);
        e = sy_store_series(w->s, series, rows[i].device, rows[i].name, NULL, &id, &w->f);
        if (!e)
            e = sy_store_reading(w->s, id, rows[i].t, rows[i].value, rows[i].q, FIRST_MS, i + 1,
                                 &how, &w->f);
    }
    return e ? e : sy_store_commit(w->s, sizeof rows / sizeof *rows, &w->f);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: store_fill DIR READINGS [SERIES [EVERY_S]]\n", stderr);
        return 2;
    }
    fill w = {.n = atol(argv[2]),
              .series = argc > 3 ? atol(argv[3]) : 190,
              .every_ms = argc > 4 ? atol(argv[4]) * 1000 : 60000};
    struct timespec a, b;
    char journal[4096];
    clock_gettime(CLOCK_MONOTONIC, &a);
    /* An empty journal: the commands look for readings behind the store's position. */
    snprintf(journal, sizeof journal, "%s/journal", argv[1]);
    (void)mkdir(journal, 0700);
    w.ids = calloc((size_t)w.series, sizeof *w.ids);
    w.wander = calloc((size_t)w.series, sizeof *w.wander);
    sy_err e = w.ids && w.wander ? sy_store_open(&w.s, argv[1], false, &w.f) : SY_E_NOMEM;
    bool odd = strcmp(argv[2], "odd") == 0;
    if (!e && !odd)
        e = make_series(&w);
    if (!e)
        e = odd ? put_odd(&w) : put_all(&w);
    sy_store_close(w.s);
    if (e) {
        fprintf(stderr, "store_fill: %s\n", w.f.text);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("{\"readings\": %ld, \"series\": %ld, \"seconds\": %.3f, \"last\": %lld}\n", w.n,
           w.series, (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
           (long long)(FIRST_MS + (w.n / w.series) * w.every_ms));
    free(w.ids);
    free(w.wander);
    return 0;
}
