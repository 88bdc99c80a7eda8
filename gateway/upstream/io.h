/*
 * Sockets with deadlines that can be told to end. A sender blocks nowhere but in sy_io_wait (and,
 * for names, in the resolver's own thread), so stopping never waits for the kernel's timeouts.
 */
#ifndef SY_UPSTREAM_IO_H
#define SY_UPSTREAM_IO_H

#include "base/os.h"

typedef struct sy_wait {
    int stop_fd;    /* readable: end; what is in flight has `grace` to finish */
    sy_ms deadline; /* monotonic */
    sy_ms grace;
    bool stopping;
} sy_wait;

sy_wait sy_wait_for(int stop_fd, sy_ms timeout, sy_ms grace);
/* SY_OK: fd is ready. SY_E_AGAIN: deadline. SY_E_CLOSED: told to end. */
SY_MUST_USE sy_err sy_io_wait(sy_wait *w, int fd, short events);

/* A connected, non-blocking TCP socket. Each address of the host is tried in turn, each with at
 * most `each` of the time. */
SY_MUST_USE sy_err sy_io_connect(const char *host, const char *port, sy_ms each, sy_wait *w,
                                 int *fd, sy_fail *f);

#endif
