/*
 * The parts of the running gateway, shared by the files of run/.
 */
#ifndef SY_SERVICE_INT_H
#define SY_SERVICE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "console/console.h"
#include "control/control.h"
#include "door/pending.h"
#include "door/refused.h"
#include "door/watch.h"
#include "drivers/coap/coap.h"
#include "drivers/hj212/hj212.h"
#include "drivers/modbus/modbus.h"
#include "drivers/mqtt/mqtt.h"
#include "intake/gate.h"
#include "ledger/ledger.h"
#include "onsite/onsite.h"
#include "pipeline/act.h"
#include "pipeline/pipeline.h"
#include "run/heartbeat.h"
#include "run/keeper.h"
#include "run/mend.h"
#include "run/renew.h"
#include "run/self.h"
#include "run/service.h"
#include "upstream/upstream.h"

/* One that the gateway shows, as its file was last. */
typedef struct sy_certificate {
    const char *what; /* "tls", "ledger" */
    char path[1024];
    int64_t changed;   /* of the file, ns */
    sy_ms from, until; /* until 0: there is none, or none that can be read */
    unsigned told;     /* of its end: level */
} sy_certificate;
enum { SY_CERTIFICATES = 16 };

typedef struct sy_service {
    sy_service_options o;
    char data[4096]; /* the data folder */
    int lock_fd, signal_fd, wake_fd;
    sy_config *config;      /* in force; the main thread's, swapped under config_lock */
    sy_config *next_config; /* while a reload puts it in force, else NULL; likewise */
    pthread_mutex_t config_lock;
    bool fell_back;        /* the file was refused; the last accepted set runs */
    sy_buf refused;        /* findings about the last refused file, JSON */
    char refused_why[320]; /* of the last refused file, "" where the file is in force */
    sy_store *store;
    sy_ledger *ledger;
    sy_journal *journal;
    sy_registry_slot *devices;
    sy_gate *gate;
    sy_refused *refusals;
    sy_pending *pending;
    sy_watch *watchers;
    sy_pipeline *pipeline;
    sy_keeper *keeper;
    sy_self *self; /* NULL with --clock replay */
    sy_upstream *upstream;
    sy_heartbeat *heartbeat;
    struct sy_orders *orders;
    sy_broker *broker;
    bool broker_looked, broker_told; /* it is known what was told; upstream knows that it fails */
    sy_mqtt *mqtt;
    pthread_mutex_t asks_lock;
    sy_mqtt *asks; /* the same, for the pipeline's thread; under asks_lock */
    _Atomic(sy_coap *) coap;
    bool mains_off;              /* the pipeline's thread: as the last reading of mains said */
    _Atomic(sy_onsite *) onsite; /* NULL until the transports are open */
    sy_hj212 *hj212;
    sy_modbus *modbus; /* NULL under a replay clock: recordings alone count then */
    sy_control *control;
    sy_console *console;         /* NULL: none, or it could not start */
    char console_why[320];       /* why it could not; "" */
    atomic_uint_fast64_t marker; /* last MQTT marker; set on Paho's thread */
    atomic_bool has_marker;
    sy_ms started;       /* monotonic */
    bool synced;         /* the box's clock, as the log was told */
    sy_ms looked;        /* monotonic, when the clock was last asked */
    sy_renew *renew;     /* NULL with --clock replay */
    atomic_bool renewed; /* files were replaced */
    sy_certificate certificates[SY_CERTIFICATES];
    size_t n_certificates;
    sy_ms certificates_at; /* monotonic, of the next look */
    sy_mended mended;      /* what became of a damaged store at the start */
    bool stopping;
    bool failed; /* it ends because it cannot go on: exit 1 */
} sy_service;

/* setup.c: the accepted set. SY_E_USAGE: the file has errors and there is no set to fall back to.
 */
SY_MUST_USE sy_err sy_service__configure(sy_service *s, sy_fail *f);
SY_MUST_USE sy_err sy_service__lock(sy_service *s, sy_fail *f);
/* Keep the set's texts and record that it is in force from here on in the log. */
SY_MUST_USE sy_err sy_service__activate(sy_service *s, sy_config *c, sy_fail *f);
/* Put another set in force: everything follows it. Takes the reference, whatever comes of it. */
SY_MUST_USE sy_err sy_service__take(sy_service *s, sy_config *next, sy_fail *f);
/* At the start, before anything is in force: what was ordered is as the store has it. */
SY_MUST_USE sy_err sy_service__mend_orders(sy_service *s, sy_fail *f);
/* Load the file again; on success everything follows it. */
SY_MUST_USE sy_err sy_service__reload(sy_service *s, sy_fail *f);

/* announce.c: tell every destination that a file was refused and what runs; that the managed broker
 * keeps ending, and that it holds again; that the store was damaged, and what could be read of it.
 */
void sy_service__announce_refusal(sy_service *s);
void sy_service__look_at_broker(sy_service *s);
void sy_service__announce_mended(sy_service *s);
/* level: 1 early, 2 late, 3 it has ended. */
SY_MUST_USE sy_err sy_service__announce_certificate(sy_service *s, sy_span id, sy_span data,
                                                    unsigned level);

/* certificates.c: their renewal, the events before their end, what status says. */
SY_MUST_USE sy_err sy_service__certificates_open(sy_service *s, sy_fail *f);
void sy_service__look_at_certificates(sy_service *s);
void sy_service__certificates_status(sy_service *s, sy_buf *b);

/* parts.c */
SY_MUST_USE sy_err sy_service__open(sy_service *s, sy_fail *f);
void sy_service__close(sy_service *s);
/* Tell the log when the box's clock becomes synchronised or is no longer so. */
void sy_service__look_at_clock(sy_service *s);

/* transports.c: broker, MQTT, CoAP, HJ 212, Modbus. */
SY_MUST_USE sy_err sy_service__transports_open(sy_service *s, sy_fail *f);
void sy_service__transports_reload(sy_service *s, sy_config *next);
/* MQTT: the URI that the gateway itself uses; NULL without MQTT. */
const char *sy_service__mqtt_uri(const sy_service *s);

/* door.c: who was refused, who is not known yet, who watches, whose credentials changed. */
SY_MUST_USE sy_err sy_service__door_open(sy_service *s, sy_fail *f);
void sy_service__door_close(sy_service *s);
void sy_service__door_status(sy_service *s, sy_buf *json);
void sy_service__door_ops(sy_control_ops *ops);
/* For the pipeline. */
void sy_service__on_reading(void *ctx, const sy_seen_reading *r);
/* The configuration's devices, those marked that were revoked. */
SY_MUST_USE sy_err sy_service__registry(const sy_service *s, sy_config *c, sy_registry **out,
                                        sy_fail *f);

/* ledger.c */
SY_MUST_USE sy_err sy_service__ledger_open(sy_service *s, sy_fail *f);
void sy_service__ledger_reload(sy_service *s, const sy_config *c);
SY_MUST_USE sy_err sy_service__rotate(sy_service *s, const char *who, const char *why, sy_fail *f);
/* The log's clock, or the wall clock where the log's is a replayed one: for what people do and
 * what is signed. */
sy_ms sy_service__now(const sy_service *s);

/* onsite.c: what people at the premises are shown; what they press (for the gate). */
SY_MUST_USE sy_err sy_service__onsite_open(sy_service *s, sy_fail *f);
/* A reading that says that the mains are lost is synced at once: there may be seconds left. */
void sy_service__look_at_mains(sy_service *s, const sy_seen_reading *r);
void sy_service__onsite_wake(sy_service *s);
void sy_service__onsite_reload(sy_service *s, sy_config *next);
void sy_service__onsite_stop(sy_service *s); /* before MQTT and CoAP end */
sy_err sy_service__press(void *ctx, const sy_press *p, sy_fail *f);

/* upkeep.c */
SY_MUST_USE sy_err sy_service__maintain(sy_service *s, const sy_control_maintain *m, uint64_t *seq,
                                        sy_fail *f);
void sy_service__maintenance(sy_service *s, sy_buf *json); /* what runs, as an array */

/* console.c: the console is no reason not to run: what keeps it from starting is logged, and told
 * by the status. Again at each reload. */
void sy_service__console_open(sy_service *s);
/* ctx: the service. A counted reference to the set in force. Any thread. */
sy_config *sy_service__config_in_force(void *ctx);
void sy_service__console_reload(sy_service *s, const sy_config *c);
void sy_service__console_close(sy_service *s);
void sy_service__console_status(sy_service *s, sy_buf *json);

/* act.c: what a person does about an alert becomes a record; sy_pipeline_wait tells when it is
 * judged and stored. from_now: `until` is a length of time. Refusals: sy_act_check,
 * sy_act_allowed, SY_E_NOTFOUND for an alert that is not stored. Any thread. */
SY_MUST_USE sy_err sy_service__act(sy_service *s, const sy_act *act, bool from_now, uint64_t *seq,
                                   sy_fail *f);

/* report.c */
void sy_service__status(sy_service *s, sy_buf *json);
void sy_service__ready(sy_service *s);
void sy_service__notify(const char *state); /* systemd's NOTIFY_SOCKET, where there is one */

#endif
