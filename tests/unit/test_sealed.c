/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed segments: read as the originals were, and what damage does to them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "intake/sealed.h"
#include "journal_rig.h"

enum { SEG = 4096, FEW = 150, WIDE = 1 << 20 };

static void sealed_path(const char *dir, uint64_t first, char path[512])
{
    rig_path(dir, first, 0, path);
    strcat(path, "z");
}

static sy_seal seal(const char *dir, uint64_t first, uint64_t last)
{
    sy_seal s;
    uint64_t stored = 0;
    sy_fail f = {0};
    char path[512];
    struct stat st;
    if (sy_sealed_make(dir, first, last, &s, &stored, &f))
        fail_msg("seal: %s", f.text);
    sealed_path(dir, first, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(stored, st.st_size);
    return s;
}

/* Seal every segment that another one follows, and remove the originals. */
static size_t seal_all(const char *dir)
{
    sy_jfile *files;
    size_t n, sealed = 0;
    sy_fail f = {0};
    assert_int_equal(sy_journal__list(dir, &files, &n, &f), SY_OK);
    for (size_t i = 0; i + 1 < n; i++) {
        char path[512];
        if (files[i].damaged || files[i].sealed)
            continue;
        seal(dir, files[i].first, files[i + 1].first - 1);
        assert_int_equal(unlink(rig_path(dir, files[i].first, 0, path)), 0);
        sealed++;
    }
    free(files);
    return sealed;
}

/* Payload i: text that compresses, of changing length, now and then long and random. */
static size_t payload(uint64_t i, char *out)
{
    size_t n = (size_t)snprintf(out, 200, "{\"n\":\"temperature\",\"t\":%llu,\"v\":%llu.5}",
                                (unsigned long long)(1767571200 + i * 60),
                                (unsigned long long)(i * 7919 % 13));
    if (i > FEW && i % 97 == 0)
        for (uint64_t x = i * 2654435761u + 1; n < 30000; n++)
            out[n] = (char)((x = x * 6364136223846793005u + 1442695040888963407u) >> 56);
    return n;
}

static void write_log(const char *dir, size_t segment, uint64_t n)
{
    sy_journal_options o = rig_options(dir, segment);
    sy_journal *j = rig_open(&o, NULL);
    char text[30000];
    sy_fail f;
    for (uint64_t i = 1; i <= n; i++) {
        sy_jrec rec = {.type = SY_J_MESSAGE, .source = sy_span_of("s/t1")};
        rec.payload = (sy_span){text, payload(i, text)};
        assert_int_equal(sy_journal_append(j, &rec, &f), SY_OK);
    }
    sy_journal_close(j);
}

/* How many records of from..n are missing; each stretch of them is told once. */
static uint64_t read_log(const char *dir, uint64_t from, uint64_t n)
{
    sy_jreader *r;
    sy_jrec rec;
    sy_fail f = {0};
    sy_err e;
    char text[30000];
    uint64_t next = from, lost = 0, told = 0, gaps = 0;
    assert_int_equal(sy_jreader_open(&r, NULL, dir, from, &f), SY_OK);
    while ((e = sy_jreader_next(r, &rec, &f)) != SY_E_AGAIN) {
        told += e == SY_E_CORRUPT;
        if (e == SY_E_CORRUPT)
            continue;
        if (e)
            fail_msg("next: %s", f.text);
        gaps += rec.seq > next;
        lost += rec.seq - next;
        next = rec.seq + 1;
        if (rec.seq > n)
            break;
        assert_int_equal(rec.payload.n, payload(rec.seq, text));
        assert_memory_equal(rec.payload.p, text, rec.payload.n);
    }
    sy_jreader_close(r);
    assert_int_equal(told, gaps);
    return next > n ? lost : lost + (n + 1 - next);
}

static void reads_as_before(void **state)
{
    const char *dir = *state;
    write_log(dir, WIDE, 3000);
    assert_true(seal_all(dir) >= 1);
    assert_true(rig_count_files(dir, ".logz") >= 1);
    assert_int_equal(rig_count_files(dir, ".log"), 1);
    assert_int_equal(read_log(dir, 1, 3000), 0);
    for (uint64_t from = 2; from <= 3000; from += 211)
        assert_int_equal(read_log(dir, from, 3000), 0);
    sy_journal_options o = rig_options(dir, WIDE);
    sy_journal *j = rig_open(&o, NULL);
    assert_int_equal(sy_journal_seq(j), 3000);
    assert_int_equal(sy_journal_damaged(j), 0);
    assert_int_equal(rig_append(j, "on"), 3001);
    sy_journal_close(j);
}

/* Reading in the middle begins in the frame that holds the record. */
static void begins_near_the_record(void **state)
{
    const char *dir = *state;
    write_log(dir, WIDE, 3000);
    seal_all(dir);
    char path[512];
    sealed_path(dir, 1, path);
    int fd = open(path, O_RDONLY);
    sy_sealed *z = NULL;
    sy_fail f = {0};
    assert_int_equal(sy_sealed_open(&z, fd, 1, &f), SY_OK);
    const sy_seal *s = sy_sealed_seal(z);
    sy_jwin w;
    sy_jwin_init(&w);
    sy_jwin_sealed(&w, z, s->salt, sy_sealed_size(z));
    size_t before = 0, frames = 0;
    for (uint64_t seq = 1; seq <= s->last; seq++) {
        sy_jrec rec;
        size_t length, off = sy_sealed_offset(z, seq);
        assert_int_equal(sy_jwin_record(&w, off, &rec, &length), SY_JFOUND_RECORD);
        if (off != before) /* the first of a frame is found at once */
            assert_int_equal(rec.seq, seq);
        frames += off != before;
        assert_true(rec.seq <= seq && off >= before);
        before = off;
    }
    assert_int_equal(frames, s->frames);
    sy_jwin_fini(&w);
    sy_sealed_close(z);
    close(fd);
}

static void goes_on_behind_sealed_ones_alone(void **state)
{
    const char *dir = *state;
    write_log(dir, SEG, FEW);
    sy_jfile *files;
    size_t n;
    sy_fail f;
    assert_int_equal(sy_journal__list(dir, &files, &n, &f), SY_OK);
    seal(dir, files[n - 1].first, FEW);
    char path[512];
    seal_all(dir);
    unlink(rig_path(dir, files[n - 1].first, 0, path));
    free(files);
    assert_int_equal(rig_count_files(dir, ".log"), 0);
    sy_journal_options o = rig_options(dir, SEG);
    sy_journal *j = rig_open(&o, NULL);
    assert_int_equal(sy_journal_seq(j), FEW);
    assert_int_equal(rig_append(j, "on"), FEW + 1);
    sy_journal_close(j);
    assert_int_equal(read_log(dir, 1, FEW), 0);
}

static void says_what_is_in_it(void **state)
{
    const char *dir = *state;
    write_log(dir, SEG, FEW);
    sy_jfile *files;
    size_t n;
    sy_fail f = {0};
    assert_int_equal(sy_journal__list(dir, &files, &n, &f), SY_OK);
    assert_true(n > 2);
    uint64_t first = files[1].first, last = files[2].first - 1;
    free(files);
    sy_seal s = seal(dir, first, last), back;
    char path[512];
    sealed_path(dir, first, path);
    assert_int_equal(sy_sealed_check(path, first, &back, &f), SY_OK);
    assert_true(sy_digest_equal(&s.root, &back.root));
    assert_int_equal(s.records, last - first + 1);
    assert_true(s.from > 0 && s.to >= s.from);
    /* The root is over the bytes of the original. */
    sy_merkle m;
    sy_merkle_init(&m);
    sy_jwin w;
    sy_jwin_init(&w);
    int fd = open(rig_path(dir, first, 0, path), O_RDONLY);
    sy_jwin_set(&w, fd, s.salt, SEG);
    size_t off = SY_JSEG_HEADER, length;
    sy_jrec rec;
    while (sy_jwin_record(&w, off, &rec, &length) == SY_JFOUND_RECORD) {
        sy_digest leaf =
            sy_merkle_leaf((sy_span){(const char *)sy_jwin_get(&w, off, length), length});
        sy_merkle_add(&m, &leaf);
        off += length;
    }
    close(fd);
    sy_jwin_fini(&w);
    sy_digest root = sy_merkle_root(&m);
    assert_true(sy_digest_equal(&root, &s.root));
    assert_int_equal(off, SY_JSEG_HEADER + s.raw);
    /* With both there, the original is read, and nothing twice. */
    assert_int_equal(read_log(dir, 1, FEW), 0);
}

typedef struct file {
    unsigned char *p;
    size_t n;
} file;

static file load(const char *path)
{
    sy_buf b;
    sy_fail f = {0};
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_file_read(path, 1 << 24, &b, &f), SY_OK);
    return (file){(unsigned char *)b.p, b.n};
}

static void store(const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    close(fd);
}

/* One bit of any byte: found by a check; a reader gives what is not hit, and tells what is. */
static void every_flipped_byte_is_found(void **state)
{
    const char *dir = *state;
    write_log(dir, SEG, FEW);
    seal_all(dir);
    sy_jfile *files;
    size_t n;
    sy_fail f = {0};
    assert_int_equal(sy_journal__list(dir, &files, &n, &f), SY_OK);
    uint64_t first = files[1].first;
    free(files);
    char path[512];
    sealed_path(dir, first, path);
    file whole = load(path);
    uint64_t losses = 0;
    for (size_t i = 0; i < whole.n; i++) {
        whole.p[i] ^= (unsigned char)(1u << i % 8);
        store(path, whole.p, whole.n);
        sy_seal s;
        assert_int_equal(sy_sealed_check(path, first, &s, &f), SY_E_CORRUPT);
        losses += read_log(dir, 1, FEW) > 0;
        whole.p[i] ^= (unsigned char)(1u << i % 8);
    }
    assert_true(losses > 0);
    /* Header and index cost no record: only what is in the frame does. */
    assert_true(losses <= whole.n - 2 * SY_SEAL_HEADER - SY_SEAL_INDEX);
    for (size_t cut = 0; cut < whole.n; cut++) {
        store(path, whole.p, cut);
        sy_seal s;
        assert_int_equal(sy_sealed_check(path, first, &s, &f), SY_E_CORRUPT);
        (void)read_log(dir, 1, FEW);
    }
    free(whole.p);
}

/* Of several frames one is lost; the others are read. */
static void a_lost_frame_is_passed_over(void **state)
{
    const char *dir = *state;
    write_log(dir, WIDE, 3000);
    seal_all(dir);
    char path[512];
    sealed_path(dir, 1, path);
    file whole = load(path);
    sy_seal s;
    uint32_t crc;
    assert_true(sy_seal_decode(whole.p, &s, &crc));
    assert_true(s.frames >= 4);
    size_t at = SY_SEAL_HEADER;
    sy_rd r =
        sy_rd_of((sy_span){(char *)whole.p + whole.n - SY_SEAL_HEADER - s.frames * SY_SEAL_INDEX,
                           s.frames * SY_SEAL_INDEX});
    for (uint32_t i = 0; i < s.frames; i++) {
        assert_int_equal(sy_rd_u64(&r), at);
        (void)sy_rd_u64(&r);
        size_t stored = sy_rd_u32(&r), middle = at + stored / 2;
        at += stored;
        (void)sy_rd_u64(&r); /* raw bytes, checksum */
        for (int index = 0; index < 2; index++) {
            unsigned char *last = &whole.p[whole.n - SY_SEAL_HEADER - 1];
            whole.p[middle] ^= 0x10;
            *last ^= (unsigned char)index; /* the second time the index is damaged, too */
            store(path, whole.p, whole.n);
            uint64_t lost = read_log(dir, 1, 3000);
            assert_true(lost > 0 && lost <= s.records / 2);
            *last ^= (unsigned char)index;
            whole.p[middle] ^= 0x10;
        }
    }
    free(whole.p);
}

static void a_damaged_original_is_not_sealed(void **state)
{
    const char *dir = *state;
    write_log(dir, SEG, FEW);
    char path[512];
    file whole = load(rig_path(dir, 1, 0, path));
    whole.p[whole.n / 2] ^= 1;
    store(path, whole.p, whole.n);
    free(whole.p);
    sy_seal s;
    uint64_t stored;
    sy_fail f = {0};
    sy_jfile *files;
    size_t n;
    assert_int_equal(sy_journal__list(dir, &files, &n, &f), SY_OK);
    assert_int_equal(sy_sealed_make(dir, 1, files[1].first - 1, &s, &stored, &f), SY_E_CORRUPT);
    free(files);
    assert_int_equal(rig_count_files(dir, ".logz") + rig_count_files(dir, ".new"), 0);
}

static void a_full_disk_leaves_nothing_half(void **state)
{
    const char *dir = *state;
    write_log(dir, WIDE, 3000);
    sy_jfile *files;
    size_t n;
    sy_fail f = {0};
    assert_int_equal(sy_journal__list(dir, &files, &n, &f), SY_OK);
    uint64_t last = files[1].first - 1;
    free(files);
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    sy_seal s;
    uint64_t stored;
    for (rlim_t limit = 0; limit < 200000; limit = limit * 3 + 50) {
        small = (struct rlimit){limit, old.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        sy_err e = sy_sealed_make(dir, 1, last, &s, &stored, &f);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_int_equal(e, SY_E_FULL);
        assert_int_equal(rig_count_files(dir, ".logz") + rig_count_files(dir, ".new"), 0);
    }
    seal(dir, 1, last);
    assert_int_equal(read_log(dir, 1, 3000), 0);
}

int main(void)
{
#define IN_A_FOLDER(name) cmocka_unit_test_setup_teardown(name, rig_dir_setup, rig_dir_teardown)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(reads_as_before),
        IN_A_FOLDER(begins_near_the_record),
        IN_A_FOLDER(goes_on_behind_sealed_ones_alone),
        IN_A_FOLDER(says_what_is_in_it),
        IN_A_FOLDER(every_flipped_byte_is_found),
        IN_A_FOLDER(a_lost_frame_is_passed_over),
        IN_A_FOLDER(a_damaged_original_is_not_sealed),
        IN_A_FOLDER(a_full_disk_leaves_nothing_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
