/*
 * Shared by the files of the MQTT client: its state, and one asynchronous request at a time.
 *
 * Paho calls back on its own thread with its global mutex held. So our lock is never held while one
 * of its functions is called, and a callback takes our lock only for a moment.
 */
#ifndef SY_CLIENT_INT_H
#define SY_CLIENT_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include <MQTTAsync.h>

#include "drivers/mqtt/mqtt.h"
#include "drivers/mqtt/spool.h"

enum { SY_MQTT__REQUESTS = 32, SY_MQTT__ASKED = 64, SY_MQTT__NODE = 132 };

typedef struct sy_mqtt__request {
    sy_mqtt *m;
    uint64_t number; /* a late answer to an earlier request is recognised and dropped */
    int asked;       /* topics of a 3.1.1 SUBSCRIBE */
} sy_mqtt__request;

typedef enum sy_mqtt__outcome { SY_MQTT__PENDING, SY_MQTT__OK, SY_MQTT__FAILED } sy_mqtt__outcome;

typedef struct sy_mqtt__topics {
    char **v;
    size_t n;
} sy_mqtt__topics;

/* What sy_mqtt_keep was told of a topic. */
typedef struct sy_mqtt__kept {
    char *topic, *text;
    bool sent; /* as it is now, in this connection */
} sy_mqtt__kept;

struct sy_mqtt {
    MQTTAsync handle;
    char *uri, *client_id, *user, *password, *ca, *cert, *key;
    bool managed, v311, replay;
    size_t max_payload;
    const sy_intake *intake;
    sy_broker *broker;
    sy_registry_slot *devices;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under lock. */
    bool connected, lost, subscribed, reload, stopping, thread_done;
    bool session_present;
    uint64_t request;
    sy_mqtt__outcome outcome;
    int code;    /* Paho's or the broker's, of a failed request */
    int refused; /* topics that the broker refused in this request */
    char why[120];
    sy_mqtt__request requests[SY_MQTT__REQUESTS];
    char asked[SY_MQTT__ASKED][SY_MQTT__NODE]; /* Sparkplug nodes that are to be asked */
    size_t n_asked;
    sy_mqtt__kept *kept; /* to be published, retained */
    size_t n_kept, cap_kept;
    bool unsent; /* some of them is not published in this connection */

    atomic_bool in_callback, abandoned;
    atomic_ullong handled;
    sy_mqtt__topics have; /* subscribed in this session; sy-mqtt's own */

    /* The thread that takes from the managed broker's spool; spool_take.c. */
    pthread_t taker;
    bool taking;     /* it was started */
    bool taker_done; /* under lock */
    atomic_bool taker_stop;
    int taker_stop_fd, wake_fd; /* eventfds; -1: none */
    char *spool_dir;
    sy_spool_page *page; /* our own mapping: a taker that is left behind needs no broker */
    sy_spool_reader *reader;
};

/* Paho's message callback. */
int sy_mqtt__arrived(void *ctx, char *topic, int topic_n, MQTTAsync_message *message);

/* True where the message is to be kept; else it has been dealt with (a marker, or refused). */
bool sy_mqtt__admits(sy_mqtt *m, const sy_message *msg);

/* Take what the managed broker's plugin has put into its spool, on a thread of its own. */
SY_MUST_USE sy_err sy_mqtt__take_start(sy_mqtt *m, sy_fail *f);
/* End it. False: it stands in the intake still and is left there. */
bool sy_mqtt__take_stop(sy_mqtt *m, int timeout_ms);

/* Begin a request: the options for its call, with callbacks that end it. */
MQTTAsync_responseOptions sy_mqtt__begin(sy_mqtt *m, int asked);
/* Wait for its end: true where it succeeded. False too when the connection is lost or we stop. */
bool sy_mqtt__await(sy_mqtt *m, int rc, int timeout_ms);

/* Make the session's subscriptions those of the registry. False: try again later. */
bool sy_mqtt__subscribe(sy_mqtt *m);
void sy_mqtt__forget(sy_mqtt *m);

/* Ask the nodes that wait for it; client_ask.c. */
void sy_mqtt__ask(sy_mqtt *m);

/* Publish what is not published yet; false: try again later. All of it is to be published again.
 * Release it. client_keep.c. */
bool sy_mqtt__keep_send(sy_mqtt *m);
void sy_mqtt__keep_again(sy_mqtt *m);
void sy_mqtt__keep_fini(sy_mqtt *m);

#endif
