/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: bytes in, frames out of them, answers back.
 *
 * The input is a buffer that holds more than the longest frame, so that a buffer which is full and
 * holds no frame holds none at its beginning, and goes as junk.
 */
#include <errno.h>
#include <sys/socket.h>

#include "drivers/hj212/hj212_int.h"

static void drop(sy_hj212__conn *c, size_t n)
{
    c->n_in -= n;
    memmove(c->in, c->in + n, c->n_in);
}

static bool blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != '\r' && p[i] != '\n')
            return false;
    return true;
}

/* A frame that ends where the input does, and whose CRC does not fit, may go on. */
static bool may_go_on(const sy_hj212__conn *c, const sy_hj212_frame *f, size_t skip)
{
    return !f->crc_good && skip + f->size == c->n_in && c->in[c->n_in - 1] != '\n' &&
           c->in[c->n_in - 1] != '\r' && c->n_in < SY_HJ212__IN;
}

static size_t without_line_end(const char *p, size_t n)
{
    while (n && (p[n - 1] == '\r' || p[n - 1] == '\n'))
        n--;
    return n;
}

bool sy_hj212__frames(sy_hj212 *h, sy_hj212__conn *c, sy_ms now)
{
    sy_hj212_frame f;
    size_t at = 0, skip = 0;
    bool whole = false;
    c->full = false;
    while (c->n_out + SY_HJ212__ANSWER <= SY_HJ212__OUT) {
        sy_span rest = {c->in + at, c->n_in - at};
        whole = sy_hj212_next(rest, &f, &skip) == SY_OK && !may_go_on(c, &f, at + skip);
        c->junk += blank(rest.p, skip) ? 0 : skip;
        at += skip;
        if (!whole)
            break;
        sy_span raw = {c->in + at, without_line_end(c->in + at, f.size)};
        sy_hj212__fate fate = sy_hj212__take(h, c, &f, raw);
        if (fate == SY_HJ212__AGAIN) {
            c->until = now + SY_HJ212__RETRY_MS;
            c->full = true;
            break;
        }
        at += f.size;
        if (fate == SY_HJ212__TAKEN)
            c->junk = 0;
        if (c->refused >= SY_HJ212__REFUSED)
            return false;
    }
    if (c->n_out + SY_HJ212__ANSWER > SY_HJ212__OUT)
        c->full = true; /* goes on when its answers are read */
    drop(c, at);
    if (c->n_in == SY_HJ212__IN && !c->full) {
        c->junk += c->n_in;
        c->n_in = 0;
    }
    return c->junk < SY_HJ212__JUNK;
}

/* More in this second than one may send: the rest of it waits. */
static void measure(sy_hj212__conn *c, size_t n, sy_ms now)
{
    if (now / 1000 != c->second) {
        c->second = now / 1000;
        c->in_second = 0;
    }
    c->in_second += n;
    if (c->in_second >= SY_HJ212__SECOND)
        c->until = (c->second + 1) * 1000;
}

static bool take_in(sy_hj212__conn *c, sy_ms now)
{
    size_t room = SY_HJ212__IN - c->n_in;
    ssize_t n = recv(c->fd, c->in + c->n_in, room < SY_HJ212__TURN ? room : SY_HJ212__TURN, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    c->n_in += (size_t)n;
    c->heard = now;
    measure(c, (size_t)n, now);
    return true;
}

bool sy_hj212__flush(sy_hj212__conn *c)
{
    size_t n = c->n_out - c->held;
    if (n == 0)
        return true;
    ssize_t sent = send(c->fd, c->out, n, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    c->n_out -= (size_t)sent;
    memmove(c->out, c->out + sent, c->n_out);
    return true;
}

bool sy_hj212__turn(sy_hj212 *h, sy_hj212__conn *c, bool readable, sy_ms now)
{
    /* What is in stays until it is taken: without room nothing is read. */
    bool open = true;
    if (readable && !c->full && c->n_in < SY_HJ212__IN)
        open = take_in(c, now);
    /* What came before the end of the connection counts. */
    return sy_hj212__frames(h, c, now) && open;
}
