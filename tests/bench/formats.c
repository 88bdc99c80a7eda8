/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding on one core: bench_formats FORMAT FILE…
 *
 * Each file is a payload (NAME.hex: in hexadecimal). All of them are decoded again and again for a
 * while, and beside it read by the bare library that such bytes have: jansson (json_loadb), libcbor
 * (cbor_load), protobuf-c (unpack); in turns, so that what else the machine does hits both. Prints
 * one line of JSON; "library" is null where no library reads such bytes.
 */
#include <string.h>

#include <cbor.h>
#include <jansson.h>

#include "base/os.h"
#include "bench_util.h"
#include "drivers/formats/format.h"
#include "sparkplug.pb-c.h"

enum { PAYLOADS = 256, LONGEST = 1 << 20 };
#define SLICE_S 0.02 /* of one kind before the other has its turn */
#define WHOLE_S 0.3  /* of each kind */

typedef struct bench {
    const sy_format *format;
    sy_buf payload[PAYLOADS];
    size_t n;
    uint64_t records;
} bench;

static sy_err count(void *ctx, const sy_record *r)
{
    (void)r;
    ++*(uint64_t *)ctx;
    return SY_OK;
}

static void ours(bench *b, sy_span s)
{
    (void)!b->format->decode(s, NULL, count, &b->records, NULL);
}

static void by_jansson(bench *b, sy_span s)
{
    (void)b;
    json_decref(json_loadb(s.p, s.n, 0, NULL));
}

static void by_libcbor(bench *b, sy_span s)
{
    struct cbor_load_result result;
    (void)b;
    cbor_item_t *item = cbor_load((cbor_data)s.p, s.n, &result);
    if (item)
        cbor_decref(&item);
}

static void by_protobuf(bench *b, sy_span s)
{
    (void)b;
    SySparkplug__Payload *p = sy_sparkplug__payload__unpack(NULL, s.n, (const uint8_t *)s.p);
    if (p)
        sy_sparkplug__payload__free_unpacked(p, NULL);
}

typedef void (*reader)(bench *b, sy_span s);

static reader library_of(const bench *b)
{
    const char *p = b->payload[0].p;
    if (strcmp(b->format->name, "sparkplugb") == 0)
        return by_protobuf;
    if (strcmp(b->format->name, "senml-cbor") == 0)
        return by_libcbor;
    while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')
        p++;
    return *p == '{' || *p == '[' ? by_jansson : NULL;
}

/* Of this thread: what others do meanwhile does not count. */
static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds and rounds over all payloads. */
static void slice(bench *b, reader read, double *seconds, uint64_t *rounds)
{
    double start = cpu_now(), spent;
    do {
        for (size_t i = 0; i < b->n; i++)
            read(b, sy_buf_span(&b->payload[i]));
        ++*rounds;
        spent = cpu_now() - start;
    } while (spent < SLICE_S);
    *seconds += spent;
}

static bool load(sy_buf *b, const char *path)
{
    size_t n = strlen(path), to = 0;
    int high = -1;
    sy_buf_init(b, sy_heap());
    if (sy_file_read(path, LONGEST, b, NULL))
        return false;
    if (n < 4 || strcmp(path + n - 4, ".hex") != 0)
        return true;
    for (size_t i = 0; i < b->n; i++) {
        int d = sy_hex_digit(b->p[i]);
        if (d < 0)
            continue;
        if (high >= 0)
            b->p[to++] = (char)(high << 4 | d);
        high = high >= 0 ? -1 : d;
    }
    b->n = to;
    return to > 0;
}

int main(int argc, char **argv)
{
    static bench b;
    double us = 0, them = 0;
    uint64_t our_rounds = 0, their_rounds = 0, bytes = 0;
    b.format = argc > 2 ? sy_format_find(sy_span_of(argv[1])) : NULL;
    if (!b.format) {
        fputs("usage: bench_formats FORMAT FILE…\n", stderr);
        return 2;
    }
    for (int i = 2; i < argc && b.n < PAYLOADS; i++, b.n++) {
        if (!load(&b.payload[b.n], argv[i])) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
        bytes += b.payload[b.n].n;
    }
    reader library = library_of(&b);
    while (us < WHOLE_S || (library && them < WHOLE_S)) {
        slice(&b, ours, &us, &our_rounds);
        if (library)
            slice(&b, library, &them, &their_rounds);
    }
    printf("{\"payloads\": %zu, \"bytes\": %llu, \"records\": %llu, \"rate\": %.0f, \"library\": ",
           b.n, (unsigned long long)bytes, (unsigned long long)(b.records / our_rounds),
           (double)our_rounds * (double)b.n / us);
    if (library)
        printf("%.0f}\n", (double)their_rounds * (double)b.n / them);
    else
        puts("null}");
    for (size_t i = 0; i < b.n; i++)
        sy_buf_fini(&b.payload[i]);
    return 0;
}
