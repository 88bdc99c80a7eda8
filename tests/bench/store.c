/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to a large store, as store_fill made it: opening, a day of one series and of all, a
 * year of one series as a plot, the figures of everything that a series has. bench_store DIR LAST
 * [BEFORE] (LAST: the newest time); the file's pages are dropped from the cache before each
 * question, so that times are those of a first look. Prints one line of JSON, seconds. With BEFORE
 * what ended before it expires instead.
 */
#include <fcntl.h>
#include <unistd.h>

#include "bench_util.h"
#include "store/keep.h"

enum { EXPIRE_AT_ONCE = 64 }; /* as gateway/run/expire.c */

#define DAY_MS 86400000LL

typedef struct seen {
    uint64_t n;
    double sum;
} seen;

static bool row(void *ctx, const sy_reading_row *r)
{
    seen *s = ctx;
    s->n++;
    s->sum += r->value;
    return true;
}

static bool bucket(void *ctx, const sy_bucket *b)
{
    seen *s = ctx;
    s->n++;
    s->sum += b->mean;
    return true;
}

static void forget(const char *dir)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/store.db", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

typedef struct bench {
    const char *dir, *series;
    sy_store *s;
    sy_ms last;
    sy_fail f;
} bench;

static sy_err ask(bench *b, const char *what, sy_err (*fn)(bench *b, seen *out))
{
    seen n = {0};
    forget(b->dir);
    double start = bench_now();
    sy_err e = fn(b, &n);
    printf("\"%s\": %.6f, \"%s_n\": %llu, ", what, bench_now() - start, what,
           (unsigned long long)n.n);
    return e;
}

static sy_err opening(bench *b, seen *out)
{
    out->n = 1;
    return sy_store_open(&b->s, b->dir, true, &b->f);
}

static sy_err day(bench *b, seen *out)
{
    return sy_store_readings(b->s, b->series, b->last - 10 * DAY_MS, b->last - 9 * DAY_MS - 1, row,
                             out, &b->f);
}

static sy_err newest_day(bench *b, seen *out)
{
    return sy_store_readings(b->s, b->series, b->last - DAY_MS, b->last, row, out, &b->f);
}

static sy_err day_of_all(bench *b, seen *out)
{
    return sy_store_readings(b->s, NULL, b->last - 2 * DAY_MS, b->last - DAY_MS - 1, row, out,
                             &b->f);
}

static sy_err year(bench *b, seen *out)
{
    return sy_store_readings(b->s, b->series, b->last - 366 * DAY_MS, b->last, row, out, &b->f);
}

static sy_err year_by_hours(bench *b, seen *out)
{
    return sy_store_buckets(b->s, b->series, b->last - 366 * DAY_MS, b->last, 3600000, bucket, out,
                            &b->f);
}

static sy_err year_by_days(bench *b, seen *out)
{
    return sy_store_buckets(b->s, b->series, b->last - 366 * DAY_MS, b->last, DAY_MS, bucket, out,
                            &b->f);
}

static sy_err figures(bench *b, seen *out)
{
    double min, max;
    return sy_store_figures(b->s, b->series, SY_MS_NONE, SY_MS_MAX, &min, &max, &out->n, &b->f);
}

/* Largest resident memory of this program alone: getrusage counts that of who started it, too. */
static long most_kb(void)
{
    char line[256];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = atol(line + 6);
    if (f)
        fclose(f);
    return kb;
}

/* Chunks that ended before `before` go, as the keeper does it. */
static sy_err expire(bench *b, sy_ms before, size_t *total)
{
    sy_err e = sy_store_open(&b->s, b->dir, false, &b->f);
    for (size_t n = 1; n > 0 && !e;) {
        e = sy_store_begin(b->s, false, &b->f);
        if (!e)
            e = sy_store_expire_readings(b->s, (sy_stretch){SY_MS_NONE, before}, EXPIRE_AT_ONCE,
                                         before, &n, &b->f);
        if (e)
            sy_store_rollback(b->s);
        else
            e = sy_store_done(b->s, &b->f);
        *total += n;
    }
    return e;
}

static int expire_all(bench *b, sy_ms before)
{
    size_t n = 0;
    double start = bench_now();
    sy_err e = expire(b, before, &n);
    printf("{\"chunks\": %zu, \"seconds\": %.6f, \"rss_kb\": %ld}\n", n, bench_now() - start,
           most_kb());
    sy_store_close(b->s);
    if (e)
        fprintf(stderr, "bench_store: %s\n", b->f.text);
    return e != SY_OK;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        sy_err (*fn)(bench *b, seen *out);
    } questions[] = {{"open", opening},
                     {"day", day},
                     {"newest_day", newest_day},
                     {"day_of_all", day_of_all},
                     {"year", year},
                     {"year_by_hours", year_by_hours},
                     {"year_by_days", year_by_days},
                     {"figures", figures}};
    if (argc < 3) {
        fputs("usage: bench_store DIR LAST [BEFORE]\n", stderr);
        return 2;
    }
    bench b = {.dir = argv[1], .series = "d0007/temperature", .last = atoll(argv[2])};
    sy_err e = SY_OK;
    if (argc > 3)
        return expire_all(&b, atoll(argv[3]));
    putchar('{');
    for (size_t i = 0; i < sizeof questions / sizeof *questions && !e; i++)
        e = ask(&b, questions[i].name, questions[i].fn);
    printf("\"rss_kb\": %ld}\n", most_kb());
    sy_store_close(b.s);
    if (e)
        fprintf(stderr, "bench_store: %s\n", b.f.text);
    return e != SY_OK;
}
