/*
 * What the keeper's tests share: a data folder with a real journal, on the replay clock, and a real
 * store, whose keeper makes a round every ten milliseconds. Each helper fails the test by itself.
 */
#ifndef SY_KEEPER_RIG_H
#define SY_KEEPER_RIG_H

#include <poll.h>

#include "intake/sealed.h"
#include "run/keeper.h"
#include "store/keep.h"
#include "store/segments.h"

/* cmocka wants these, in this order. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SEG = 8192, RECORDS = 400, ROUND_MS = 10, PATIENCE_MS = 30000 };
#define DAY     ((sy_ms)86400000)
#define JANUARY ((sy_ms)1767571200000) /* 2026-01-05 */

typedef struct box {
    char data[64], dir[96]; /* the folder, its journal */
    sy_journal *journal;
    sy_store *store;
    sy_keeper *keeper;
    sy_config config; /* what the keeper reads of one */
    sy_fail f;
} box;

#define fine(call)                                                                                 \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s: %s", #call, b->f.text);                                                  \
    } while (0)

#define until(condition)                                                                           \
    do {                                                                                           \
        sy_ms patience = sy_mono_ms() + PATIENCE_MS;                                               \
        while (!(condition)) {                                                                     \
            if (sy_mono_ms() > patience)                                                           \
                fail_msg("in vain: %s", #condition);                                               \
            poll(NULL, 0, 2);                                                                      \
        }                                                                                          \
    } while (0)

/* cmocka setup and teardown: *state is a box with a folder. */
int keeper_rig_setup(void **state);
int keeper_rig_teardown(void **state);
void open_box(box *b); /* journal and store */
void close_box(box *b);
void start(box *b); /* the keeper */
void mark(box *b, sy_ms t);
/* Message i, the same each time. */
size_t payload(uint64_t i, char text[200]);
/* n messages, a minute between two; a mark now and then; all synced and, for the store, judged. */
void fill(box *b, uint64_t n, sy_ms from);
size_t count_files(const box *b, const char *suffix);
/* Rows of segments that have not expired; leaves whose text begins so. */
size_t rows(box *b);
size_t leaves(box *b, const char *begins);
bool status_has(box *b, const char *text);
/* A round that began from now on has ended. */
void after_a_round(box *b);
/* First and last record of the oldest segment that is there. */
void oldest(box *b, uint64_t *first, uint64_t *last);
/* All but the newest segment are sealed; files, rows and leaves are of one mind, and every record
 * of the log up to `last` can be read. */
void settled(box *b, uint64_t last);

#endif
