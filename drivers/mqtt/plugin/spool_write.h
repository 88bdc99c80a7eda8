/*
 * The writer of the spool (drivers/mqtt/spool.h): runs inside mosquitto, on its only thread, beside
 * one thread of ours that syncs.
 *
 * After append has returned SY_OK the message survives the end of every process; with `strict` it
 * is on stable storage, else at the latest sync_ms later, unless the gateway has taken it into its
 * own journal by then. What cannot be written is refused: the caller must not acknowledge it. A
 * write or sync that failed is tried on a new segment; what was refused, and why, is in the page.
 */
#ifndef SY_SPOOL_WRITE_H
#define SY_SPOOL_WRITE_H

#include <sys/types.h>
#include <sys/uio.h>

#include "drivers/mqtt/spool.h"

/* What the spool asks of the system; tests make each part fail. */
typedef struct sy_spool_io {
    ssize_t (*write)(int fd, const struct iovec *iov, int n, off_t off);
    int (*sync)(int fd);
    int (*room)(const char *dir, uint64_t *free_bytes); /* -1 and errno */
} sy_spool_io;
sy_spool_io sy_spool_system(void);

typedef struct sy_spool_options {
    const char *dir;        /* made, 0700 */
    uint64_t floor;         /* no number up to here is given */
    uint64_t max_bytes;     /* of all segments; 0: 256 MiB */
    uint64_t reserve_bytes; /* free space kept; 0: 64 MiB */
    size_t segment_bytes;   /* 0: SY_SPOOL_SEGMENT */
    int sync_ms;            /* 0: 250 */
    bool strict;
    sy_spool_page *page; /* borrowed */
    int wake_fd;         /* an eventfd, -1: none; borrowed */
    /* Told when messages begin and cease to be refused; on append's thread. May be NULL. */
    void (*say)(void *ctx, sy_spool_state state, const char *why);
    void *ctx;
} sy_spool_options;

typedef struct sy_spool sy_spool;
SY_MUST_USE sy_err sy_spool_open(sy_spool **out, const sy_spool_options *o, const sy_spool_io *io,
                                 sy_fail *f);
/* Sets rec->number. SY_E_RANGE: longer than SY_SPOOL_MAX_RECORD, never fits. Else SY_E_FULL,
 * SY_E_IO: not now. One thread. */
SY_MUST_USE sy_err sy_spool_append(sy_spool *s, sy_spool_rec *rec, sy_fail *f);
/* Syncs. NULL is allowed. */
void sy_spool_close(sy_spool *s);

#endif
