/*
 * The outside world: failures with a text, allocation, clocks, files, numbers as text. OS half.
 */
#ifndef SY_OS_H
#define SY_OS_H

#include <stdarg.h>

#include "base/hash.h"
#include "base/reading.h"

/* What went wrong, in the caller's hands: no allocation, no thread-local. `text` says what, where
 * and what to do; `at` is file:line of the first failure. */
typedef struct sy_fail {
    sy_err code;
    int sys; /* errno or the library's code, 0 if none */
    const char *at;
    char text[320];
} sy_fail;

sy_err sy_fail_make(sy_fail *f, sy_err code, int sys, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Put "context: " before the text that is there; returns f->code. */
sy_err sy_fail_wrap(sy_fail *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define SY_STR2(x) #x
#define SY_STR(x)  SY_STR2(x)
#define SY_AT      __FILE__ ":" SY_STR(__LINE__)
/* sy_fail_make never gives SY_OK, which a compiler that sees only its head cannot know: it would
 * follow a failure into what comes after success, and warn of what it finds there. */
static inline sy_err sy_failure(sy_err made)
{
    if (made == SY_OK) {
        __builtin_unreachable();
    }
    return made;
}
/* f may be NULL in all of these; each evaluates to the code. */
#define sy_fail_set(f, code, ...) sy_failure(sy_fail_make((f), (code), 0, SY_AT, __VA_ARGS__))
/* With errno: ": No such file" is added, the code is SY_E_IO, SY_E_NOMEM, SY_E_FULL, … by errno. */
#define sy_fail_sys(f, ...) sy_failure(sy_fail_make((f), SY_OK, errno, SY_AT, __VA_ARGS__))

/* malloc/realloc/free as a sy_alloc. */
sy_alloc sy_heap(void);

sy_ms sy_wall_ms(void); /* CLOCK_REALTIME */
sy_ms sy_mono_ms(void); /* CLOCK_MONOTONIC */
uint64_t sy_mono_ns(void);
/* 1: adjtimex says that the clock is synchronised. */
bool sy_clock_synced(void);
/* As sy_crc32c (base/hash.h), by the processor's own instruction where there is one. */
uint32_t sy_crc32c_fast(uint32_t crc, const void *bytes, size_t n);
/* Random bytes from the kernel; aborts where there are none. */
void sy_random(void *out, size_t n);

/* A whole file, at most max bytes, into `out` (appended). SY_E_RANGE where it is larger. */
SY_MUST_USE sy_err sy_file_read(const char *path, size_t max, sy_buf *out, sy_fail *f);
/* Replace a file: written beside it, synced, renamed, folder synced. mode as for open. Written by
 * root it belongs to the owner of the file before, else of the folder. */
SY_MUST_USE sy_err sy_file_write(const char *path, sy_span bytes, unsigned mode, sy_fail *f);
SY_MUST_USE sy_err sy_dir_sync(const char *path, sy_fail *f);
/* mkdir -p with mode 0700 for what is made, whose name is on the disk then; made by root it belongs
 * to the owner of the folder that it is in. */
SY_MUST_USE sy_err sy_dir_make(const char *path, sy_fail *f);
/* All of the bytes, through short writes and EINTR. */
SY_MUST_USE sy_err sy_write_all(int fd, const void *bytes, size_t n, sy_fail *f);

/* The shortest decimal that reads back the same: 2, 0.1, -18.25, 1e+300; "null" for NaN and
 * infinities (as JSON wants). Locale-independent. */
void sy_buf_double(sy_buf *b, double v);
/* A decimal number and nothing else; locale-independent; no NaN, no infinity, no hex. */
SY_MUST_USE sy_err sy_double_parse(sy_span text, double *out);
/* "60 s", "10min", "12 months" is refused: units ms s min h d. */
SY_MUST_USE sy_err sy_duration_parse(sy_span text, sy_ms *out);
/* printf into a buffer. */
void sy_buf_printf(sy_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Time zone by IANA name, from the system's TZif files (RFC 8536); memory from the arena.
 * "UTC" needs no file. The rule at the end of the file is laid out until 2100. */
SY_MUST_USE sy_err sy_zone_load(sy_arena *a, const char *name, const sy_zone **out, sy_fail *f);

/* Name of the calling thread (15 bytes at most), for logs and debuggers. */
void sy_thread_name(const char *name);

#endif
