/*
 * The fault shim: a library to preload, between a program and its files. It keeps to what lies
 * below the folder SY_FAULT_DIR (an absolute path without links) and does three things:
 *
 *  - it writes each change (SY_FAULT_LOG names the file) to an operation log, in the order in which
 *    the changes were made, with the syncs between them; powercut.py makes of it what a disk may
 *    hold after a power cut;
 *  - it has calls fail, and a disk be full, as the control file (SY_FAULT_CTL) says;
 *  - it moves the wall clock, and has allocations fail, likewise.
 *
 * Failures strike only the program that SY_FAULT_PROGRAM names ("steelyard" where it is not set),
 * not its children; the log is kept of all that inherit the environment, one log for all: an entry
 * is written after the change and before the call returns, so that what follows from a change has
 * its entry behind it. What is written through a mapping is not seen; that a file was mapped, is.
 *
 * Any thread. Statics are needed here: the calls that it stands in for have no place for a context.
 */
#ifndef SY_FAULT_SHIM_H
#define SY_FAULT_SHIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Kinds of calls, as bits of ctl.fail_kinds and indices of ctl.calls. */
typedef enum shim_call {
    SHIM_OPEN,
    SHIM_READ,
    SHIM_WRITE,
    SHIM_SYNC,
    SHIM_SIZE, /* truncate, allocate */
    SHIM_NAME, /* rename, link, unlink, mkdir, rmdir */
    SHIM_MAP,
    SHIM_CALLS
} shim_call;

/* The control file, mapped: 8 bytes each, in this order (shim.py writes and reads the same). */
typedef struct shim_ctl {
    _Atomic int64_t room;        /* bytes that files may still grow by; < 0: no limit */
    _Atomic int64_t no_inodes;   /* 1: a new file or folder finds no room */
    _Atomic int64_t wall_shift;  /* milliseconds that CLOCK_REALTIME is off by */
    _Atomic int64_t synced;      /* adjtimex: 1 synchronised, 0 not, < 0 what the kernel says */
    _Atomic int64_t fail_kinds;  /* bits: which calls are counted down */
    _Atomic int64_t fail_after;  /* the call that finds 1 here fails; 0: none */
    _Atomic int64_t fail_times;  /* how many calls fail from there on; < 0: all */
    _Atomic int64_t fail_errno;  /* with this; 0: a write that is cut short, a read of half */
    _Atomic int64_t alloc_after; /* as fail_after, for allocations */
    _Atomic int64_t alloc_times;
    _Atomic int64_t die;    /* 1: killed before the next change, so that the log lacks none */
    _Atomic int64_t failed; /* calls and allocations that failed so */
    _Atomic int64_t allocs; /* allocations counted */
    _Atomic int64_t calls[SHIM_CALLS];
} shim_ctl;

/* NULL: nothing fails in this process. */
shim_ctl *shim_control(void);
/* True: this call is to fail; errno is set (0: cut it short). */
bool shim_fails(shim_call kind);
/* True: counted down to one, or in the run of failures after it. */
bool shim_strikes(_Atomic int64_t *after, _Atomic int64_t *times);

/* What an entry of the log tells. */
typedef enum shim_op {
    SHIM_OP_CREATE = 1, /* ino, dir, mode in a; payload: name */
    SHIM_OP_MKDIR,      /* the same */
    SHIM_OP_WRITE,      /* ino, offset in a; payload: bytes */
    SHIM_OP_TRUNCATE,   /* ino, size in a */
    SHIM_OP_ALLOCATE,   /* ino, size in a: at least this */
    SHIM_OP_RENAME,     /* ino, dir, target folder in b; payload: name NUL name */
    SHIM_OP_UNLINK,     /* ino, dir; payload: name */
    SHIM_OP_LINK,       /* ino, dir; payload: name */
    SHIM_OP_SYNC,       /* ino, number in a: began */
    SHIM_OP_SYNCED,     /* ino, number in a: returned */
    SHIM_OP_MAP,        /* ino */
    SHIM_OP_CONTENT,    /* ino; payload: the whole file, written by ways that are not seen */
} shim_op;

/* 64 bytes, in the order and byte order of the machine, then the payload. */
typedef struct shim_entry {
    uint32_t magic, length, op, pid;
    uint64_t mono_ns;
    int64_t wall_ms;
    uint64_t ino, a, b, dir;
} shim_entry;
#define SHIM_MAGIC 0x504f5953u /* "SYOP" */

/* Below, between lock and unlock, is a change and its entry. */
void shim_lock(void);
void shim_unlock(void);
/* True: changes are logged. */
bool shim_logs(void);
void shim_log(shim_op op, uint64_t ino, uint64_t a, uint64_t b, uint64_t dir, const void *bytes,
              size_t n);

/* Which file of ours a descriptor is; 0: none of ours. */
uint64_t shim_ino(int fd);
void shim_know(int fd, uint64_t ino);
/* The absolute name of path in dirfd; false where it does not lie below the folder. */
bool shim_below(int dirfd, const char *path, char *out, size_t size);
/* Files named or synced without having been opened through us are taken in as they are. */
void shim_take_in(uint64_t ino, const char *path);

#endif
