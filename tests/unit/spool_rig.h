/*
 * What the tests of the spool share: a writer whose system can be made to fail, a reader, and the
 * files between them. One test at a time.
 */
#ifndef SY_SPOOL_RIG_H
#define SY_SPOOL_RIG_H

#include <sys/types.h>

#include "drivers/mqtt/plugin/spool_write.h"

/* What the system does for the writer. */
extern struct spool_faults {
    uint64_t room;
    int fail_write, fail_sync; /* errno; 0: none */
    size_t cut;                /* so much of a failing write is written */
    _Atomic unsigned syncs;
} spool_faults;

typedef struct bench {
    char dir[64];
    sy_spool_page page;
    sy_spool_options o;
    sy_spool *s;
    char said[400];
    unsigned says;
} bench;

int spool_setup(void **state);
int spool_teardown(void **state);
void spool_open(bench *b);
void spool_again(bench *b); /* close and open */
sy_err spool_put_text(bench *b, const char *payload, uint64_t *number);
/* Records "0", "1", … up to n. The number of the first. */
uint64_t spool_put_many(bench *b, unsigned from, unsigned n);
sy_spool_reader *spool_reader(bench *b, bool live);
/* The next one must be this text; its number. */
uint64_t spool_expect(sy_spool_reader *r, const char *text);
void spool_expect_many(sy_spool_reader *r, unsigned from, unsigned n);
sy_err spool_next(sy_spool_reader *r);
/* Files whose names end so; the last of them in order of their names into `path`. */
unsigned spool_files(bench *b, const char *ending, char path[128]);
off_t spool_size_of(const char *path);
void spool_poke(const char *path, off_t at, const void *bytes, size_t n);

#endif
