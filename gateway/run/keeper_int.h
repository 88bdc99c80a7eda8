/*
 * The keeper from within: the thread (keeper.c), what expires (expire.c), the figures (figures.c).
 * Fields without a note belong to the keeper's thread.
 */
#ifndef SY_KEEPER_INT_H
#define SY_KEEPER_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "intake/sealed.h"
#include "run/keeper.h"
#include "store/keep.h"
#include "store/segments.h"

/* What a round found; read by status under mu. */
typedef struct sy_keeper_figures {
    uint64_t raw, sealed, sealed_raw, damaged; /* bytes of the journal's files; of sealed records */
    uint64_t n_raw, n_sealed, n_damaged, n_bad; /* segments; sealed ones with damage, since start */
    sy_ms raw_oldest, readings_oldest, alerts_oldest;
    uint64_t expired_raw, expired_readings, expired_alerts; /* since start */
    uint64_t seal_bytes;                                    /* written by sealing since start */
    uint64_t holds;
    char trouble[200]; /* what could not be done, "" where all is well */
} sy_keeper_figures;

struct sy_keeper {
    sy_keeper_options o; /* without config */
    char dir[4200];      /* the journal's folder */
    pthread_t thread;
    pthread_mutex_t mu;
    pthread_cond_t cond;
    bool stopping, sleeping;   /* under mu */
    sy_keeping keeping;        /* under mu */
    sy_ms lateness;            /* under mu */
    sy_keeper_figures figures; /* under mu: the thread alone writes */
    bool mended;
    sy_ms clock, looked;      /* the keeper's clock; when it was moved on (monotonic) */
    sy_ms usage_at, scrub_at; /* monotonic */
    uint64_t scrub;           /* the sealed segment that was looked through last */
    uint64_t device_before;   /* bytes written to the device by earlier processes */
    bool told;                /* the present trouble was logged */
};

/* What may expire: at or before this time. */
sy_ms sy_keeper__now(sy_keeper *k);
bool sy_keeper__stopping(sy_keeper *k);

/* expire.c */
SY_MUST_USE sy_err sy_keeper__expire(sy_keeper *k, const sy_segment_file *files, size_t n,
                                     sy_fail *f);

/* figures.c */
void sy_keeper__count_files(sy_keeper_figures *g, const sy_segment_file *files, size_t n);
uint64_t sy_keeper__device_bytes(void); /* /proc/self/io write_bytes of this process */
/* The row of the day, and the keeper's clock. */
SY_MUST_USE sy_err sy_keeper__note_usage(sy_keeper *k, sy_fail *f);
/* Size of the file system below the folder; 0 where it cannot be asked. */
uint64_t sy_keeper__disk(const char *dir, uint64_t *free_bytes);

#endif
