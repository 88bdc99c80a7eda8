/*
 * The journal from within: what writer, recovery, sync thread and reader share. Internal to intake/
 * and its tests.
 *
 * Invariants, under mu:
 *  1. every byte of cur before cur.end is part of the header or of a whole record;
 *  2. seq is the last record of cur, or of what came before it where cur is empty;
 *  3. records up to `synced` are on stable storage, and their segments' names are in the folder;
 *  4. retired holds the full segments that are not synced yet, oldest first; only the sync thread
 *     takes them out, and only it closes or replaces a segment that it may be syncing.
 */
#ifndef SY_JOURNAL_INT_H
#define SY_JOURNAL_INT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "intake/clock.h"
#include "intake/jcodec.h"

enum { SY_JRETIRED = 4, SY_JCHECKED = SY_JRETIRED + 1 };

/* What the journal asks of the system; tests make each part fail. */
typedef struct sy_jio {
    ssize_t (*write)(int fd, const struct iovec *iov, int n, off_t off);
    int (*sync)(int fd);
    int (*reserve)(int fd, off_t bytes);                /* posix_fallocate: gives errno */
    int (*room)(const char *dir, uint64_t *free_bytes); /* -1 and errno */
    sy_clock_source clock;
    uint32_t salt; /* of a new journal; 0: random */
} sy_jio;
sy_jio sy_journal__io(void);

typedef struct sy_jsegment {
    int fd;
    uint64_t first, inode;
    size_t end, synced_end;
    bool tainted; /* a sync failed: only a copy elsewhere can be called synced */
} sy_jsegment;

/* A segment in the folder. */
typedef struct sy_jfile {
    uint64_t first;
    unsigned damaged; /* 0: <first>.log; set aside as <first>.damaged, .damaged2 … .damaged9 */
    bool sealed;      /* <first>.logz */
    uint64_t inode;
} sy_jfile;

struct sy_journal {
    sy_journal_options o;
    sy_jio io;
    char *dir;
    int dir_fd;
    uint32_t salt;
    pthread_mutex_t mu;
    pthread_cond_t work; /* to the sync thread */
    pthread_cond_t synced_cond, more, room;
    pthread_t thread;
    bool thread_runs;

    sy_jsegment cur;
    sy_jsegment retired[SY_JRETIRED];
    size_t n_retired;
    bool dir_dirty, low, full_told, shut, ending, idle;
    uint64_t wanted; /* somebody waits for this seq to be synced */
    uint64_t sync_failures;
    unsigned waiting_readers, waiting_room;
    sy_clock clock;
    bool lag_known;
    int64_t lag_bytes; /* appended, not yet done by the reader; exact once lag_known */
    void (*on_synced)(void *ctx, uint64_t seq);
    void *on_synced_ctx;

    _Atomic uint64_t seq, synced, bytes, paged;
    uint64_t torn;
    _Atomic uint64_t damaged;
};

SY_MUST_USE sy_err sy_journal__open(sy_journal **out, const sy_journal_options *o, const sy_jio *io,
                                    sy_fail *f);

/* Segments of a folder by (first, damaged before whole); free(*files). A sealed one whose original
 * is still there is left out. */
SY_MUST_USE sy_err sy_journal__list(const char *dir, sy_jfile **files, size_t *n, sy_fail *f);
/* With those, too. */
SY_MUST_USE sy_err sy_journal__list_all(const char *dir, sy_jfile **files, size_t *n, sy_fail *f);
enum { SY_JNAME = 32 };
void sy_journal__name(uint64_t first, unsigned damaged, char name[SY_JNAME]);
void sy_journal__file_name(const sy_jfile *file, char name[SY_JNAME]);
/* Find the end of what is there, and start cur or leave it closed (fd -1). Sets seq, synced, salt,
 * and *last, the time of the last record. */
SY_MUST_USE sy_err sy_journal__recover(sy_journal *j, sy_ms *last, sy_fail *f);
/* A new, preallocated segment with its header; the folder is left to be synced. */
SY_MUST_USE sy_err sy_journal__create(sy_journal *j, uint64_t first, sy_jsegment *out, sy_fail *f);
/* Rename to .damaged and report; *as is the number of its name. */
SY_MUST_USE sy_err sy_journal__set_aside(sy_journal *j, uint64_t first, const char *why,
                                         unsigned *as, sy_fail *f);

void *sy_journal__sync_main(void *journal);

#endif
