/*
 * This very program run once more, as another process: what may crash, or take all memory or time,
 * does so there. Blocks; any thread.
 */
#ifndef SY_CHILD_H
#define SY_CHILD_H

#include "base/os.h"

typedef struct sy_child {
    const char *const *args; /* behind the program's name, NULL at the end */
    size_t most;             /* of the standard output, bytes; more: the child is ended */
    sy_ms time;              /* at most */
    int stop_fd;             /* readable: the child is ended, SY_E_CLOSED; -1: none */
} sy_child;

/* Its standard output is appended to `out`; *status is its exit code. SY_E_PEER: it was ended by a
 * signal, took too long or said too much. */
SY_MUST_USE sy_err sy_child_run(const sy_child *c, sy_buf *out, int *status, sy_fail *f);

#endif
