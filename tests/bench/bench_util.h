/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmark programs share: message texts, time, and the one line of JSON that each
 * prints.
 */
#ifndef SY_BENCH_UTIL_H
#define SY_BENCH_UTIL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static inline double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline double bench_cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Message i of a flood over `devices` devices: device i % devices, a reading every 10 ms for each,
 * the newest at `end_ms` (epoch). Values wander around 4 °C and now and then above 8. */
static inline int bench_message(char *out, size_t size, long i, long total, long devices,
                                long end_ms)
{
    long device = i % devices, round = i / devices, rounds = (total + devices - 1) / devices;
    long tenths = 30 + (i * 7 + device * 13) % 40 + (round % 50 == 0 ? 20 : 0);
    long t = end_ms - (rounds - round - 1) * 10;
    return snprintf(
        out, size,
        "[{\"bn\":\"d%ld/\",\"bt\":%ld.%03ld,\"n\":\"temperature\",\"u\":\"Cel\",\"v\":%ld.%ld}]",
        device, t / 1000, t % 1000, tenths / 10, tenths % 10);
}

static inline void bench_report(double seconds, long messages)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("{\"seconds\": %.4f, \"messages\": %ld, \"cpu_s\": %.3f, \"rss_kb\": %ld}\n", seconds,
           messages, bench_cpu(), u.ru_maxrss);
    fflush(stdout);
}

#endif
