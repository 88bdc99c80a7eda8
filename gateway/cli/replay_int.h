/*
 * Inside `steelyard replay`: one step of a recording, its messages, and the two roads they take.
 */
#ifndef SY_CLI_REPLAY_INT_H
#define SY_CLI_REPLAY_INT_H

#include "config/config.h"

typedef struct sy_replay_row {
    const sy_device *device;
    const sy_channel *channel;
    sy_ms t;
    size_t value_at, value_n; /* in step->text */
    size_t order;             /* as in the file */
} sy_replay_row;

typedef struct sy_replay_message { /* rows of one device and time */
    const sy_device *device;
    size_t row, n_rows;
    size_t at, n; /* in step->payload */
} sy_replay_message;

typedef struct sy_replay_step {
    sy_replay_row *rows;
    size_t n_rows, cap_rows;
    sy_replay_message *messages;
    size_t n_messages, cap_messages;
    sy_buf text, payload;
} sy_replay_step;

void sy_replay_step_init(sy_replay_step *s);
void sy_replay_step_fini(sy_replay_step *s);
void sy_replay_step_clear(sy_replay_step *s);
/* Put the rows together to messages, in order of time, and encode them. */
SY_MUST_USE sy_err sy_replay_encode(const sy_config *c, sy_replay_step *s, sy_fail *f);
/* Exchange the messages' places by chance; the same seed gives the same order. */
void sy_replay_shuffle(sy_replay_step *s, uint64_t *seed);
/* True where the device's messages cannot say their time: it is that of their reception. */
bool sy_replay_timeless(const sy_device *d);

/* Where the messages go. Each road is opened when it is first needed, and again when it is lost. */
typedef struct sy_replay_roads sy_replay_roads;
SY_MUST_USE sy_err sy_replay_roads_open(sy_replay_roads **out, const sy_config *c, sy_fail *f);
/* Deliver all, both roads at once; messages that a killed gateway left unacknowledged are sent
 * again. Counts what was acknowledged and what was refused (said on stderr, the first ones). */
SY_MUST_USE sy_err sy_replay_deliver(sy_replay_roads *r, const sy_replay_step *s, sy_fail *f);
/* What was published so far has reached the journal. */
SY_MUST_USE sy_err sy_replay_barrier(sy_replay_roads *r, sy_fail *f);
/* Ask the running gateway; where it is away, wait until it is back. Only for what may be asked
 * twice. */
SY_MUST_USE sy_err sy_replay_ask(const sy_config *c, const char *line, int timeout_ms,
                                 sy_buf *answer, sy_fail *f);
typedef struct sy_replay_counts {
    uint64_t mqtt, coap, refused;
} sy_replay_counts;
sy_replay_counts sy_replay_counts_of(const sy_replay_roads *r);
void sy_replay_roads_close(sy_replay_roads *r);

#endif
