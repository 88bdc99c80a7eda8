/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard demo: a made-up market for a day and a half, as a recording.
 *
 * The same bytes on any machine: no library function but + - * / and a generator of numbers of our
 * own, so that the alerts that it must raise are known. A cold room is a tank of heat: the outside
 * leaks in, an open door lets in more, the compressor takes out, a defrost heats. From the
 * afternoon on the compressor fails slowly, is dead in the second morning, and is repaired before
 * noon. The canteen's cabinet is loaded with warm food at noon. The second cabinet's sensor goes
 * silent.
 */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/csv.h"

enum { STEP_S = 10, HOURS = 36, MINUTE = 60, HOUR = 3600 };

/* 2026-06-01T16:00:00Z: midnight of 2 June in Shanghai. */
static const sy_ms start = 1780329600000;

static const char help[] =
    "usage: steelyard demo --out DIR\n\n"
    "Write DIR/market.csv, a day and a half of a market that does not exist: a drug cold room "
    "whose\n"
    "cooling slowly fails, a canteen's chilled cabinet, a sensor that falls silent. Made, not\n"
    "recorded; always the same. Exit codes: 0 fine, 1 the file could not be written, 2 wrong "
    "usage.\n";

typedef struct market {
    double room, rear, cabinet, second; /* °C */
    bool compressor, defrost, door;
    bool cabinet_compressor, second_compressor;
    uint64_t chance;
} market;

/* splitmix64, as a number from -1 to 1 */
static double chance(market *m)
{
    uint64_t z = m->chance += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return (double)(int32_t)(z >> 32) / 2147483648.0;
}

/* Outside: 22 °C at night, 31 °C in the afternoon, by straight lines. */
static double outside(int s)
{
    int of_day = s % (24 * HOUR);
    int from_peak = of_day - 15 * HOUR;
    from_peak = from_peak < 0 ? -from_peak : from_peak;
    return from_peak > 9 * HOUR ? 22.0 : 31.0 - (double)from_peak / (9.0 * HOUR) * 9.0;
}

/* What is left of the compressor: all of it until 15:00, nothing from 06:00 of the second day,
 * repaired at 10:30. */
static double strength(int s)
{
    if (s < 15 * HOUR || s >= 34 * HOUR + 30 * MINUTE) {
        return 1.0;
    }
    return s >= 30 * HOUR ? 0.0 : 1.0 - (double)(s - 15 * HOUR) / (15.0 * HOUR) * 0.62;
}

typedef struct span_s {
    int from, length;
} span_s;

static bool within(const span_s *spans, size_t n, int s)
{
    for (size_t i = 0; i < n; i++) {
        if (s >= spans[i].from && s < spans[i].from + spans[i].length) {
            return true;
        }
    }
    return false;
}
#define WITHIN(spans, s) within(spans, sizeof(spans) / sizeof(spans)[0], s)

#define AT(hour, minute) ((hour)*HOUR + (minute)*MINUTE)
static const span_s doors[] = {
    {AT(8, 5), 180},   {AT(9, 40), 120},  {AT(11, 15), 240}, {AT(13, 50), 90},
    {AT(15, 30), 150}, {AT(17, 10), 200}, {AT(32, 5), 180},  {AT(33, 45), 120},
};
static const span_s defrosts[] = {
    {AT(3, 0), 1200}, {AT(9, 0), 1200}, {AT(15, 0), 1200}, {AT(21, 0), 1200}, {AT(27, 0), 1200},
};
/* Warm food is put in, and the door is opened for each guest. */
static const span_s meals[] = {
    {AT(7, 10), 480}, {AT(11, 20), 2700}, {AT(17, 40), 960}, {AT(31, 10), 480}};
static const span_s silences[] = {{AT(20, 15), 4500}, {AT(35, 20), 2400}};

static bool thermostat(bool on, double t, double low, double high)
{
    return t > high || (on && t > low);
}

static void advance(market *m, int s)
{
    double dt = (double)STEP_S / MINUTE, out = outside(s);
    m->door = WITHIN(doors, s);
    m->defrost = WITHIN(defrosts, s);
    m->compressor = !m->defrost && thermostat(m->compressor, m->room, 3.6, 5.4);
    m->room += dt * ((out - m->room) * (0.0045 + (m->door ? 0.022 : 0.0)) +
                     (m->defrost ? 0.07 : 0.0) - (m->compressor ? 0.24 * strength(s) : 0.0));
    m->rear += dt * (m->room + 0.4 - m->rear) * 0.12;
    bool meal = WITHIN(meals, s);
    m->cabinet_compressor = thermostat(m->cabinet_compressor, m->cabinet, 3.0, 5.0);
    m->cabinet += dt * ((out - m->cabinet) * (0.006 + (meal ? 0.022 : 0.0)) -
                        (m->cabinet_compressor ? 0.32 : 0.0));
    m->second_compressor = thermostat(m->second_compressor, m->second, 2.5, 4.5);
    m->second += dt * ((out - m->second) * 0.006 - (m->second_compressor ? 0.35 : 0.0));
}

static double tenths(double v)
{
    long n = (long)(v * 10.0 + (v < 0 ? -0.5 : 0.5));
    return (double)n / 10.0;
}

static void put(sy_buf *b, int s, const char *device, const char *point, double value,
                const char *word)
{
    sy_csv_put(b, start + (sy_ms)s * 1000, sy_span_of(device), sy_span_of(point), value, word,
               SY_Q_GOOD);
}

static void put_temperature(sy_buf *b, market *m, int s, const char *device, double t)
{
    put(b, s, device, "temperature", tenths(t + 0.06 * chance(m)), NULL);
}

static void record(sy_buf *b, market *m, const market *before, int s)
{
    bool first = s == 0;
    if (first || m->door != before->door) {
        put(b, s, "demo-door", "contact", 0, m->door ? "open" : "closed");
    }
    if (first || m->defrost != before->defrost) {
        put(b, s, "demo-control", "defrost", 0, m->defrost ? "on" : "off");
    }
    if (first || m->compressor != before->compressor) {
        put(b, s, "demo-control", "compressor", 0, m->compressor ? "on" : "off");
    }
    if (s % MINUTE == 0) {
        put_temperature(b, m, s, "demo-front", m->room);
        put_temperature(b, m, s, "demo-rear", m->rear);
        put_temperature(b, m, s, "demo-cabinet", m->cabinet);
        if (!WITHIN(silences, s)) {
            put_temperature(b, m, s, "demo-second", m->second);
        }
    }
}

static sy_err generate(const char *dir, sy_fail *f)
{
    char path[4096];
    market m = {.room = 4.4, .rear = 4.8, .cabinet = 4.0, .second = 3.5, .chance = 20260602};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_csv_put_header(&b);
    for (int s = 0; s < HOURS * HOUR; s += STEP_S) {
        market before = m;
        advance(&m, s);
        record(&b, &m, &before, s);
    }
    sy_err e = b.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for the recording") : SY_OK;
    e = e ? e : sy_dir_make(dir, f);
    int n = snprintf(path, sizeof path, "%s/market.csv", dir);
    if (!e && (n < 0 || (size_t)n >= sizeof path)) {
        e = sy_fail_set(f, SY_E_RANGE, "the name of the folder is too long");
    }
    e = e ? e : sy_file_write(path, sy_buf_span(&b), 0644, f);
    sy_buf_fini(&b);
    return e;
}

int sy_cmd_demo(int argc, char **argv)
{
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *dir = NULL;
    optind = 1;
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (o == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (o != 'o') {
            fputs(help, stderr);
            return 2;
        }
        dir = optarg;
    }
    if (!dir || optind != argc) {
        fputs(help, stderr);
        return 2;
    }
    sy_fail f = {0};
    if (generate(dir, &f)) {
        fprintf(stderr, "steelyard demo: %s\n", f.text);
        return 1;
    }
    printf("%s/market.csv: a made-up market, 2 June 2026 00:00 to 3 June 12:00 in Shanghai\n", dir);
    return 0;
}
