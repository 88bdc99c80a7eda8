/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flips bytes and looks whether verification finds it.
 *
 * verify_flips FILE CA STEP: an evidence file; each STEP-th byte, another bit each time. Prints the
 * offsets of flips that were not found; there must be none.
 * verify_flips --dir DATA FILE CA STEP: FILE below the data folder; where a flip is not found, all
 * that the ledger proves must read as before (the byte does not matter: free pages, padding).
 * The last line: flips, found, without effect, missed. Exit 1 where one is missed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/verify_dir.h"
#include "store/basis.h"

enum { ZEROS = 101 };

typedef struct flips {
    uint64_t n, found, harmless, missed;
} flips;

static void quiet(void *ctx, sy_finding_kind kind, const char *text)
{
    (void)ctx, (void)kind, (void)text;
}

static bool stands(const char *data, sy_span file, sy_span ca)
{
    sy_fail why;
    sy_check c = {.ca = ca, .tell = quiet};
    sy_err e = data ? sy_verify_dir(data, NULL, &c, &why) : sy_verify_evidence(file, &c, &why);
    return !e && c.broken == 0;
}

static bool add_event(void *ctx, const sy_event_row *e)
{
    sy_sha256 *h = ctx;
    sy_sha256_add(h, e->id, strlen(e->id) + 1);
    sy_sha256_add(h, e->body.p, e->body.n);
    return true;
}

static bool add_leaf(void *ctx, uint64_t index, sy_span leaf)
{
    sy_sha256_add(ctx, &index, sizeof index);
    sy_sha256_add(ctx, leaf.p, leaf.n);
    return true;
}

static bool add_alert(void *ctx, const sy_alert_row *a)
{
    sy_sha256_add(ctx, a->id, strlen(a->id) + 1);
    sy_sha256_add(ctx, &a->onset, sizeof a->onset);
    sy_sha256_add(ctx, &a->state, sizeof a->state);
    return true;
}

/* All that is proven, in one number. */
static bool fingerprint(const char *data, unsigned char out[32])
{
    sy_store *s = NULL;
    sy_sha256 h;
    sy_fail f;
    sy_sha256_init(&h);
    bool fine = sy_store_open(&s, data, true, &f) == SY_OK &&
                sy_store_events(s, NULL, add_event, &h, &f) == SY_OK &&
                sy_store_each_leaf(s, add_leaf, &h, &f) == SY_OK &&
                sy_store_alerts(s, add_alert, &h, &f) == SY_OK;
    sy_store_close(s);
    sy_sha256_end(&h, out);
    return fine;
}

static int result(const flips *f)
{
    printf("flips %llu found %llu harmless %llu missed %llu\n", (unsigned long long)f->n,
           (unsigned long long)f->found, (unsigned long long)f->harmless,
           (unsigned long long)f->missed);
    return f->missed || f->found == 0 ? 1 : 0;
}

static int flip_evidence(sy_buf *file, sy_span ca, size_t step)
{
    flips f = {0};
    for (size_t i = 0; i < file->n; i += step) {
        char bit = (char)(1 << (f.n % 8));
        file->p[i] = (char)(file->p[i] ^ bit);
        f.n++;
        if (stands(NULL, sy_buf_span(file), ca)) {
            f.missed++;
            printf("missed: byte %zu\n", i);
        } else {
            f.found++;
        }
        file->p[i] = (char)(file->p[i] ^ bit);
    }
    return result(&f);
}

/* Where to go on: long runs of zeros (free room of pages) are looked at here and there. */
static off_t next_of(int fd, off_t at, size_t step)
{
    unsigned char run[ZEROS];
    ssize_t n = pread(fd, run, sizeof run, at + 1);
    for (ssize_t i = 0; i < n; i++)
        if (run[i])
            return at + (off_t)step;
    return at + (off_t)(step > ZEROS ? step : ZEROS);
}

static int flip_folder(const char *data, const char *path, sy_span ca, size_t step)
{
    flips f = {0};
    unsigned char before[32], after[32];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    if (fd < 0 || !fingerprint(data, before) || !stands(data, (sy_span){NULL, 0}, ca)) {
        fprintf(stderr, "%s is not whole before anything is flipped\n", data);
        return 1;
    }
    for (off_t i = 0; i < size; i = next_of(fd, i, step)) {
        unsigned char was, is;
        if (pread(fd, &was, 1, i) != 1)
            return 1;
        is = (unsigned char)(was ^ (1u << (f.n % 8)));
        if (pwrite(fd, &is, 1, i) != 1)
            return 1;
        f.n++;
        if (!stands(data, (sy_span){NULL, 0}, ca)) {
            f.found++;
        } else if (fingerprint(data, after) && memcmp(before, after, sizeof before) == 0) {
            f.harmless++;
        } else {
            f.missed++;
            printf("missed: byte %lld\n", (long long)i);
        }
        if (pwrite(fd, &was, 1, i) != 1)
            return 1;
    }
    close(fd);
    return result(&f);
}

static size_t step_of(const char *text)
{
    long n = strtol(text, NULL, 10);
    return n > 0 ? (size_t)n : 1;
}

int main(int argc, char **argv)
{
    sy_buf file, ca;
    sy_fail f;
    bool folder = argc == 6 && strcmp(argv[1], "--dir") == 0;
    if (argc != 4 && !folder)
        return 2;
    sy_buf_init(&file, sy_heap());
    sy_buf_init(&ca, sy_heap());
    if (sy_file_read(argv[folder ? 4 : 2], 1 << 20, &ca, &f))
        return 2;
    int rc = 2;
    if (folder)
        rc = flip_folder(argv[2], argv[3], sy_buf_span(&ca), step_of(argv[5]));
    else if (sy_file_read(argv[1], 64 << 20, &file, &f) == SY_OK)
        rc = flip_evidence(&file, sy_buf_span(&ca), step_of(argv[3]));
    sy_buf_fini(&file);
    sy_buf_fini(&ca);
    return rc;
}
