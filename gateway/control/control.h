/*
 * The control socket <data>/control.sock (0600): one command a line in, one JSON object a line out.
 *
 *   status       {counters, journal_seq, rss, mqtt, coap, upstream, …}
 *   mark T       replay clock: the log's clock is T (epoch ms or RFC 3339); {"ok":true,"seq":N}
 *   barrier N    answered once the MQTT marker N has come through (SY_MQTT_MARKER)
 *   wait SEQ     answered once record SEQ is judged and stored
 *   open         {"ok":true,"open":"…"}: what no chunk holds yet (sy_store_open_bytes), in hex
 *   reload       as SIGHUP; the answer says whether the new set is in force
 *   hold ALERT<TAB>WHO<TAB>WHY      the alert and what it rests on do not expire
 *   release ALERT<TAB>WHO<TAB>WHY   it may again
 *   retry EVENT<TAB>WHO<TAB>WHY     an event that was refused for good is sent once more
 *   rotate WHO<TAB>WHY              another key signs the ledger from here on
 *   maintain ON<TAB>MS<TAB>WHO<TAB>WHY   maintenance of a place, a device or a point, for so many
 *                milliseconds from now on; 0: it ends; {"ok":true,"seq":N}: its record
 *   act KIND<TAB>ALERT<TAB>UNTIL<TAB>WHO<TAB>VIA<TAB>WHY   what a person does about an alert
 *                (pipeline/act.h); UNTIL: epoch ms, or +ms from now on, 0: none;
 *                {"ok":true,"seq":N}: its record
 *   maintenance  {"ok":true,"maintenance":[…]}: what runs
 *   credentials [WHAT<TAB>ID<TAB>WHO]   credentials or revocations changed: they count at once;
 * that a person did so goes into the ledger pending      what unknown devices sent (door/pending.h)
 *   forget TRANSPORT<TAB>SOURCE     of these it is one no longer
 *   watch [ID]   answered with {"ok":true}, then with a line for each reading of the device, or of
 *                all, until the client closes; nothing else may be asked on that connection
 *   stop         as SIGTERM
 * A failure is {"ok":false,"error":"…"}. The commands of one client are answered in order; a client
 * that waits holds up no other. Bounds: SY_CONTROL_CLIENTS clients, SY_CONTROL_LINE bytes a line.
 * Everything runs on the thread that calls serve; the client side is for the command line.
 */
#ifndef SY_CONTROL_H
#define SY_CONTROL_H

#include <poll.h>
#include <sys/types.h>

#include "base/os.h"

enum { SY_CONTROL_ANSWER = 256 << 20 }; /* the open samples of very many series */
enum { SY_CONTROL_CLIENTS = 16, SY_CONTROL_LINE = 2048, SY_CONTROL_FDS = SY_CONTROL_CLIENTS + 1 };

typedef struct sy_control_maintain {
    const char *on, *who, *why;
    sy_ms time; /* from now on; 0: it ends */
} sy_control_maintain;

typedef struct sy_control_act {
    const char *kind, *alert, *who, *via, *why;
    sy_ms until;   /* 0: none */
    bool from_now; /* until: a length of time */
} sy_control_act;

typedef struct sy_control_ops {
    void *ctx;
    void (*status)(void *ctx, sy_buf *json);
    sy_err (*mark)(void *ctx, sy_ms t, uint64_t *seq, sy_fail *f);
    bool (*marker_passed)(void *ctx, uint64_t number);
    /* True once committed; else sees to it that it will be soon. */
    bool (*committed)(void *ctx, uint64_t seq);
    sy_err (*open)(void *ctx, sy_buf *bytes, sy_fail *f);
    sy_err (*reload)(void *ctx, sy_fail *f);
    void (*stop)(void *ctx);
    /* hold: true; release: false. */
    sy_err (*hold)(void *ctx, bool hold, const char *alert, const char *who, const char *why,
                   sy_fail *f);
    sy_err (*retry)(void *ctx, const char *event, const char *who, const char *why, sy_fail *f);
    sy_err (*rotate)(void *ctx, const char *who, const char *why, sy_fail *f);
    sy_err (*maintain)(void *ctx, const sy_control_maintain *m, uint64_t *seq, sy_fail *f);
    void (*maintenance)(void *ctx, sy_buf *json);
    sy_err (*act)(void *ctx, const sy_control_act *a, uint64_t *seq, sy_fail *f);
    /* what NULL: nobody says who did what. */
    sy_err (*credentials)(void *ctx, const char *what, const char *on, const char *who, sy_fail *f);
    void (*pending)(void *ctx, sy_buf *json);
    bool (*forget)(void *ctx, sy_span transport, sy_span source);
    /* A number for the watcher, -1: there are too many. */
    int (*watch)(void *ctx, sy_span device);
    void (*unwatch)(void *ctx, int watcher);
    void (*watched)(void *ctx, int watcher, sy_buf *lines);
} sy_control_ops;

typedef struct sy_control sy_control;

/* Replaces a socket that a dead process left: the caller holds the data folder's lock. */
SY_MUST_USE sy_err sy_control_open(sy_control **out, const char *data_dir,
                                   const sy_control_ops *ops, sy_fail *f);
/* What to poll: up to SY_CONTROL_FDS entries; returns how many. */
size_t sy_control_fds(const sy_control *c, struct pollfd *fds);
/* Serve what the poll found on those entries, and answer the waits that are over. */
void sy_control_serve(sy_control *c, const struct pollfd *fds, size_t n);
/* Closes and removes the socket. NULL is allowed. */
void sy_control_close(sy_control *c);

/* Ask, then give each line of the answer to `line` until it returns false, the gateway ends
 * (SY_E_CLOSED), or the descriptor stop_fd (-1: none) is readable (SY_OK). */
SY_MUST_USE sy_err sy_control_follow(const char *data_dir, const char *line, int stop_fd,
                                     bool (*each)(void *ctx, const char *text), void *ctx,
                                     sy_fail *f);

/* Ask for what becomes a record ({"ok":true,"seq":N}), and wait until that is judged and stored. As
 * sy_control_ask; SY_E_RANGE: the line is too long. */
SY_MUST_USE sy_err sy_control_do(const char *data_dir, const sy_buf *line, int timeout_ms,
                                 sy_fail *f);

/* Ask a running gateway, whose answer may be up to SY_CONTROL_ANSWER bytes: send a line, append its
 * answer (without the line end). SY_E_NOTFOUND where no gateway runs on the folder; SY_E_PEER with
 * its error where it says no. timeout_ms -1: none. */
SY_MUST_USE sy_err sy_control_ask(const char *data_dir, const char *line, int timeout_ms,
                                  sy_buf *answer, sy_fail *f);
/* The process id of the gateway that runs on the folder. Fails as sy_control_ask. */
SY_MUST_USE sy_err sy_control_peer(const char *data_dir, pid_t *out, sy_fail *f);

#endif
