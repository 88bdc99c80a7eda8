/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbedtls_net_connect and getaddrinfo block as long as the kernel and the name servers like
 * (minutes on a dead line). Here the connect is non-blocking with poll, and names are resolved by a
 * thread that can be left behind, so that a deadline and the end of the program are honoured.
 * (glibc's getaddrinfo_a would do it, but ThreadSanitizer cannot follow its hidden threads.)
 */
#include "upstream/io.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

sy_wait sy_wait_for(int stop_fd, sy_ms timeout, sy_ms grace)
{
    return (sy_wait){stop_fd, sy_mono_ms() + timeout, grace, false};
}

static void note_stop(sy_wait *w)
{
    sy_ms end = sy_mono_ms() + w->grace;
    w->stopping = true;
    w->deadline = end < w->deadline ? end : w->deadline;
}

sy_err sy_io_wait(sy_wait *w, int fd, short events)
{
    for (;;) {
        sy_ms left = w->deadline - sy_mono_ms();
        if (left <= 0) {
            return w->stopping ? SY_E_CLOSED : SY_E_AGAIN;
        }
        struct pollfd p[2] = {{fd, events, 0}, {w->stopping ? -1 : w->stop_fd, POLLIN, 0}};
        int n = poll(p, 2, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR) {
            return SY_E_IO;
        }
        if (n > 0 && p[1].revents) {
            note_stop(w);
            if (w->grace <= 0) {
                return SY_E_CLOSED;
            }
        }
        if (n > 0 && p[0].revents) {
            return SY_OK;
        }
    }
}

/* A look-up by a thread of its own, which outlives a sender that does not wait for it any longer.
 * The last of the two to let go frees it. */
typedef struct lookup {
    atomic_int refs;
    int done; /* eventfd */
    int rc;   /* these two are the thread's until done is readable */
    struct addrinfo *list;
    char host[256], port[8];
} lookup;

static void let_go(lookup *l)
{
    if (atomic_fetch_sub(&l->refs, 1) == 1) {
        if (l->list) {
            freeaddrinfo(l->list);
        }
        close(l->done);
        free(l);
    }
}

static void *look_up(void *arg)
{
    lookup *l = arg;
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    const uint64_t one = 1;
    sy_thread_name("sy-resolve");
    l->rc = getaddrinfo(l->host, l->port, &hints, &l->list);
    ssize_t n = write(l->done, &one, sizeof one);
    (void)n;
    let_go(l);
    return NULL;
}

static sy_err begin_lookup(const char *host, const char *port, lookup **out, sy_fail *f)
{
    pthread_t thread;
    lookup *l = calloc(1, sizeof *l);
    if (!l) {
        (void)sy_fail_set(f, SY_E_NOMEM, "no memory to look up %.200s", host);
        return SY_E_NOMEM;
    }
    atomic_init(&l->refs, 2);
    memcpy(l->host, host, strlen(host) + 1);
    memcpy(l->port, port, strlen(port) + 1);
    l->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->done < 0 || (errno = pthread_create(&thread, NULL, look_up, l)) != 0) {
        (void)sy_fail_sys(f, "no thread to look up %.200s", host);
        if (l->done >= 0) {
            close(l->done);
        }
        free(l);
        return SY_E_AGAIN;
    }
    pthread_detach(thread);
    *out = l;
    return SY_OK;
}

static sy_err resolve(const char *host, const char *port, sy_wait *w, struct addrinfo **out,
                      sy_fail *f)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    lookup *l = NULL;
    if (getaddrinfo(host, port, &hints, out) == 0) {
        return SY_OK;
    }
    sy_err e = begin_lookup(host, port, &l, f);
    if (e != SY_OK) {
        return e;
    }
    e = sy_io_wait(w, l->done, POLLIN);
    uint64_t count;
    if (e == SY_OK && read(l->done, &count, sizeof count) < 0) {
        e = SY_E_IO;
    }
    if (e != SY_OK) {
        e = sy_fail_set(f, e, "the name %.200s was not resolved in time; check the DNS", host);
    } else if (l->rc != 0) {
        e = sy_fail_set(f, SY_E_IO, "the name %.200s cannot be resolved: %s", host,
                        gai_strerror(l->rc));
    } else {
        *out = l->list;
        l->list = NULL;
    }
    let_go(l);
    return e;
}

static sy_err connect_one(const struct addrinfo *a, sy_ms each, sy_wait *w, int *out, sy_fail *f)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) {
        return sy_fail_sys(f, "no socket");
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int error = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        sy_ms whole = w->deadline, mine = sy_mono_ms() + each;
        w->deadline = mine < whole ? mine : whole;
        sy_err e = sy_io_wait(w, fd, POLLOUT);
        if (!w->stopping) {
            w->deadline = whole;
        }
        if (e != SY_OK) {
            close(fd);
            return sy_fail_set(f, e, "no answer to the connection");
        }
        socklen_t n = sizeof error;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0) {
            error = errno;
        }
    }
    if (error) {
        close(fd);
        errno = error;
        return sy_fail_sys(f, "no connection");
    }
    *out = fd;
    return SY_OK;
}

sy_err sy_io_connect(const char *host, const char *port, sy_ms each, sy_wait *w, int *fd,
                     sy_fail *f)
{
    struct addrinfo *list = NULL;
    sy_err e = resolve(host, port, w, &list, f);
    if (e != SY_OK) {
        return e;
    }
    e = sy_fail_set(f, SY_E_IO, "%.200s has no address", host);
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        e = connect_one(a, each, w, fd, f);
        if (e == SY_OK || w->stopping) {
            break;
        }
    }
    freeaddrinfo(list);
    return e == SY_OK ? e : sy_fail_wrap(f, "%.200s port %s", host, port);
}
