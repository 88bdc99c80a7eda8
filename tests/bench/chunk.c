/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How small and how fast chunks are: series on stdin ("# name", then lines "ms,value"), a line of
 * JSON for each on stdout: readings, bytes, seconds to encode and to decode, medians of five runs.
 */
#include <string.h>

#include "bench_util.h"
#include "store/chunk.h"

enum { RUNS = 5, SIZE = 1024 };

typedef struct series {
    char name[256];
    sy_sample *s;
    size_t n, cap;
} series;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v)
{
    qsort(v, RUNS, sizeof *v, compare);
    return v[RUNS / 2];
}

static void failed(const sy_fail *f)
{
    fprintf(stderr, "bench_chunk: %s\n", f->text);
    exit(1);
}

static void report(const series *r)
{
    double encode[RUNS], decode[RUNS];
    static sy_sample back[SIZE];
    size_t bytes = 0;
    sy_fail f;
    if (r->n == 0)
        return;
    for (int run = 0; run < RUNS; run++) {
        size_t chunks = (r->n + SIZE - 1) / SIZE, *ends = calloc(chunks + 1, sizeof *ends);
        sy_buf out;
        if (!ends)
            exit(1);
        sy_buf_init(&out, sy_heap());
        double start = bench_now();
        for (size_t c = 0; c < chunks; c++) {
            size_t n = r->n - c * SIZE < SIZE ? r->n - c * SIZE : SIZE;
            if (sy_chunk_encode(r->s + c * SIZE, n, &out, &f))
                failed(&f);
            ends[c + 1] = out.n;
        }
        encode[run] = bench_now() - start;
        bytes = out.n;
        start = bench_now();
        for (size_t c = 0; c < chunks; c++) {
            size_t n;
            if (sy_chunk_decode((sy_span){out.p + ends[c], ends[c + 1] - ends[c]}, back, SIZE, &n,
                                &f))
                failed(&f);
            for (size_t i = 0; i < n; i++)
                if (memcmp(&back[i].value, &r->s[c * SIZE + i].value, sizeof(double)) != 0 ||
                    back[i].t != r->s[c * SIZE + i].t)
                    failed(&(sy_fail){.text = "a sample came back changed"});
        }
        decode[run] = bench_now() - start;
        sy_buf_fini(&out);
        free(ends);
    }
    printf("{\"name\": \"%s\", \"readings\": %zu, \"bytes\": %zu, \"encode_s\": %.6f, "
           "\"decode_s\": %.6f}\n",
           r->name, r->n, bytes, median(encode), median(decode));
}

int main(void)
{
    char line[512];
    series r = {.n = 0};
    while (fgets(line, sizeof line, stdin)) {
        if (line[0] == '#') {
            report(&r);
            r.n = 0;
            line[strcspn(line, "\r\n")] = '\0';
            snprintf(r.name, sizeof r.name, "%.200s", line + 2);
            continue;
        }
        if (sy_grow(sy_heap(), (void **)&r.s, &r.cap, r.n + 1, sizeof *r.s))
            exit(1);
        char *comma = strchr(line, ',');
        if (!comma)
            continue;
        r.s[r.n++] = (sy_sample){.t = strtoll(line, NULL, 10), .value = strtod(comma + 1, NULL)};
    }
    report(&r);
    free(r.s);
    return 0;
}
