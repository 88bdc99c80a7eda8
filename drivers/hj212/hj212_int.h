/*
 * Inside drivers/hj212/: connections, what is said of their frames, the answers. All on the thread
 * "sy-hj212", but for sy_hj212__answer, which is pure.
 */
#ifndef SY_HJ212_INT_H
#define SY_HJ212_INT_H

#include <pthread.h>

#include "drivers/formats/hj212.h"
#include "drivers/hj212/hj212.h"

enum {
    SY_HJ212__CONNECTIONS = 256,
    SY_HJ212__OF_ONE = 64,         /* connections of one address */
    SY_HJ212__IN = 16384,          /* more than the longest frame */
    SY_HJ212__OUT = 4096,          /* answers that the peer has not read */
    SY_HJ212__ANSWER = 320,        /* the longest answer */
    SY_HJ212__TURN = 4096,         /* bytes of one connection a round */
    SY_HJ212__SECOND = 262144,     /* bytes of one connection a second */
    SY_HJ212__JUNK = 65536,        /* bytes without a frame */
    SY_HJ212__REFUSED = 32,        /* frames in a row */
    SY_HJ212__STRANGER_MS = 60000, /* without a frame of a known device */
    SY_HJ212__IDLE_MS = 7200000,
    SY_HJ212__RETRY_MS = 500, /* a frame that could not be kept */
    SY_HJ212__MN = 40,
};

typedef struct sy_hj212__conn {
    int fd; /* -1: free */
    unsigned char addr[16];
    char mn[SY_HJ212__MN]; /* of the device that it belongs to; "": none yet */
    sy_ms since, heard;    /* when it came; when its last byte did */
    sy_ms until;           /* not read before; 0: read */
    sy_ms second;          /* a second of the clock, and what was read in it */
    size_t in_second;
    size_t junk;
    unsigned refused;
    bool full;        /* the end of a round found a frame that waits for the next */
    uint32_t watched; /* what the epoll waits for */
    size_t n_in, n_out;
    size_t held; /* at the end of out: not yet synced */
    char in[SY_HJ212__IN], out[SY_HJ212__OUT];
} sy_hj212__conn;

struct sy_hj212 {
    const sy_intake *intake;
    sy_registry_slot *devices;
    int *listeners;
    uint16_t *ports;
    size_t n_listeners;
    int ep, wake;
    pthread_t thread;
    bool started;
    bool stopping;        /* atomic */
    unsigned connections; /* atomic */
    uint64_t unsynced;    /* strict: the highest that an answer of this round waits for; 0: none */
    sy_hj212__conn *conns;
};

/* listen.c: reason is a word of docs/devices.md; NULL: that of `why`. */
void sy_hj212__refuse(sy_hj212 *h, const unsigned char addr[16], const sy_refusal *r);
enum { SY_HJ212__PEER = 48 };
void sy_hj212__peer(const unsigned char addr[16], char out[SY_HJ212__PEER]);

/* conn.c: one turn of a connection that may have input; false: close it. */
bool sy_hj212__turn(sy_hj212 *h, sy_hj212__conn *c, bool readable, sy_ms now);
/* Write what may be written; false: close it. */
bool sy_hj212__flush(sy_hj212__conn *c);
/* The frames that are whole, as far as they can be taken now; false: close it. */
bool sy_hj212__frames(sy_hj212 *h, sy_hj212__conn *c, sy_ms now);

/* admit.c: one frame, whose bytes are `raw`. */
typedef enum sy_hj212__fate {
    SY_HJ212__TAKEN,
    SY_HJ212__NOT_TAKEN, /* refused and told */
    SY_HJ212__AGAIN,     /* it could not be kept now */
} sy_hj212__fate;
sy_hj212__fate sy_hj212__take(sy_hj212 *h, sy_hj212__conn *c, const sy_hj212_frame *f, sy_span raw);
/* May anybody send from there? */
bool sy_hj212__anybody(const sy_hj212 *h, const unsigned char addr[16]);

/* The answer to a frame, "##" to CR LF; 0: it wants none. */
size_t sy_hj212__answer(const sy_hj212_frame *f, char out[SY_HJ212__ANSWER]);
/* What tells this frame from every other of its device; 0: nothing does. */
size_t sy_hj212__ident(const sy_hj212_frame *f, char out[64]);

#endif
