/*
 * The process that speaks MQTT for one destination: the same binary, started with a hidden command,
 * with one end of a socket pair as its standard input. It lives for one connection, holds nothing
 * that counts, and ends with its parent (the thread that started it). One thread.
 *
 * It is a process because Paho has one pair of threads and one lock for all clients of a process,
 * so an intake that waits for the disk would hold up alerts.
 */
#ifndef SY_MQTT_PROCESS_H
#define SY_MQTT_PROCESS_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/os.h"
#include "upstream/mqtt_frame.h"

#define SY_MQTT_COMMAND "mqtt-road"

typedef struct sy_mqtt_process {
    pid_t pid; /* 0: none */
    int fd;    /* its other end, non-blocking; -1 */
    sy_buf in; /* came; taken up to `taken` */
    size_t taken;
    sy_buf out; /* to be written, from `sent` on */
    size_t sent;
} sy_mqtt_process;

void sy_mqtt_process_init(sy_mqtt_process *p);
SY_MUST_USE sy_err sy_mqtt_process_start(sy_mqtt_process *p, sy_fail *f);
/* Write and read what can be without waiting. SY_E_CLOSED: it ended, and `in` has its last words.
 */
SY_MUST_USE sy_err sy_mqtt_process_move(sy_mqtt_process *p);
/* The next frame that came, valid until the next move; *got false: none is whole. */
SY_MUST_USE sy_err sy_mqtt_process_take(sy_mqtt_process *p, sy_mqtt_frame *frame, bool *got);
static inline bool sy_mqtt_process_writes(const sy_mqtt_process *p)
{
    return p->sent < p->out.n;
}
/* Let it end, kill it after `grace`, and wait for it. How it ended: "signal 9", "exit code 1". */
void sy_mqtt_process_end(sy_mqtt_process *p, sy_ms grace, char *how, size_t size);
void sy_mqtt_process_fini(sy_mqtt_process *p); /* after end */

#endif
