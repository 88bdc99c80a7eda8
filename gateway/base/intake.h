/*
 * The one interface between drivers/ and the gateway: hand in a message, get it kept.
 *
 * A driver acknowledges a message to its device only after submit has returned SY_OK (durability
 * balanced) or after the message's sequence is synced (strict); SY_OK with *kept false means that
 * the very message is in the journal already (a retransmission): acknowledge, it is not counted
 * as a new one. submit may block while the disk is full or the pipeline is far behind: that is the
 * back-pressure. Any thread.
 */
#ifndef SY_INTAKE_H
#define SY_INTAKE_H

#include "base/os.h"

/* How a message came; the numbers stand in the journal. */
typedef enum sy_transport {
    SY_TRANSPORT_MQTT = 1,   /* source: the topic */
    SY_TRANSPORT_COAP = 2,   /* source: the device's id, as for those below */
    SY_TRANSPORT_HJ212 = 3,  /* HJ 212 over TCP: payload is one frame */
    SY_TRANSPORT_MODBUS = 4, /* polled by the gateway: payload is what the slave answered */
    SY_TRANSPORT_BOX = 5,    /* the box itself: disk, load, uplink */
} sy_transport;
/* "mqtt", "coap", "hj212", "modbus", "box": as configuration, log and `decode` write it. */
const char *sy_transport_name(sy_transport t);

enum {
    SY_MSG_RETAINED = 1,        /* MQTT: a stored copy, not a new event */
    SY_MSG_DUP = 2,             /* the transport says that it may have been sent before */
    SY_MSG_PROMISE = 4,         /* the device waits for an acknowledgement (QoS 1, CON) */
    SY_MSG_UNAUTHENTICATED = 8, /* came without a credential, as the configuration allows */
    /* CoAP: came block by block; ident ends with where the last block begins in the payload, 4
     * bytes, big endian. */
    SY_MSG_BLOCKS = 16,
    /* MQTT: out of the managed broker's spool; ident is its number there, 8 bytes, little endian.
     * Such messages come in ascending order; one that is not above the last is kept already. */
    SY_MSG_SPOOLED = 32,
};

typedef struct sy_message {
    sy_transport transport;
    uint8_t flags;
    uint16_t content_format; /* CoAP Content-Format; 0xffff: none */
    sy_span source;          /* as sy_transport says */
    sy_span ident;           /* the transport's identity of this message, at most 64 bytes */
    sy_span payload;
} sy_message;

typedef enum sy_reject {
    SY_REJECT_TOO_LARGE,
    SY_REJECT_UNKNOWN_DEVICE,
    SY_REJECT_NOT_ALLOWED, /* wrong or missing identity, or speaks for another */
    SY_REJECT_FORMAT,      /* format not known or not that of the device */
    SY_REJECT_MALFORMED,
    SY_REJECT_COUNT
} sy_reject;
const char *sy_reject_name(sy_reject why); /* "too-large", "unknown-device" … */

/* A refusal as people want to know it: who, why in a word, from where. */
typedef struct sy_refusal {
    sy_transport transport;
    sy_reject why; /* how it is counted */
    const char
        *reason;      /* a static word of docs/devices.md, "wrong-password"; NULL: that of `why` */
    sy_span who;      /* the device where it is known, else what it called itself */
    const char *peer; /* its address; NULL or "": not known */
    const char *detail;
} sy_refusal;

/* A message of a device that nobody knows: kept aside for `steelyard devices pending`, no reading,
 * and never in the journal. */
typedef struct sy_stranger {
    sy_transport transport;
    sy_span source; /* MQTT: the topic; CoAP: what stood behind /r/; HJ 212: the MN */
    sy_span client; /* MQTT: the client's id; else empty */
    const char *peer;
    uint16_t content_format;
    sy_span payload;
} sy_stranger;

/* A panel, or a button, at the premises asks for what a person there does. */
typedef struct sy_press {
    sy_transport transport;
    sy_span device;   /* the panel's id */
    sy_span premises; /* whose panel it is */
    const char *peer; /* its address; NULL or "": not known */
    sy_span payload;  /* docs/on-site.md */
} sy_press;

typedef struct sy_intake {
    void *ctx;
    /* Keep a message. *seq is its number in the journal. On failure nothing was kept: do not
     * acknowledge. SY_E_CLOSED: the gateway ends. */
    sy_err (*submit)(void *ctx, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f);
    /* Block until seq is on stable storage. */
    sy_err (*wait_synced)(void *ctx, uint64_t seq, sy_fail *f);
    /* True where acknowledgements wait for the sync (durability: strict). */
    bool strict;
    /* Count and log (rate-limited) a message that was refused at the door. */
    void (*rejected)(void *ctx, sy_transport t, sy_reject why, sy_span source, const char *detail);
    /* Only under --clock replay: a marker message (drivers/mqtt) passed through in order. */
    void (*marker)(void *ctx, uint64_t number);
    /* Is the message kept whose last block is this: m as for submit, but for the payload, which is
     * the block alone? Its acknowledgement may have been lost with the process that had the blocks
     * before it. *seq: its number in the journal. */
    bool (*knows_end)(void *ctx, const sy_message *m, uint64_t *seq);
    /* The last record that is on stable storage, without waiting. */
    uint64_t (*synced)(void *ctx);
    /* The highest number of a message out of the spool that is kept; 0: none is known. */
    uint64_t (*last_number)(void *ctx);
    /* As rejected, with more to say. May be NULL: use sy_intake_refuse. */
    void (*refused)(void *ctx, const sy_refusal *r);
    /* May be NULL: use sy_intake_strange. It is to be refused as well. */
    void (*strange)(void *ctx, const sy_stranger *s);
    /* Done, and in the log. SY_E_PARSE: nothing that can be understood; SY_E_NOTFOUND: no such
     * alert is active at its premises; SY_E_UNSUPPORTED: nothing is to be acknowledged here. May
     * be NULL: use sy_intake_press. Only for devices that are panels, which have been let in. */
    sy_err (*press)(void *ctx, const sy_press *p, sy_fail *f);
} sy_intake;

/* Tell the intake, by what it has for it. */
void sy_intake_refuse(const sy_intake *in, const sy_refusal *r);
void sy_intake_strange(const sy_intake *in, const sy_stranger *s);
/* What is not done is told as a refusal, too. */
SY_MUST_USE sy_err sy_intake_press(const sy_intake *in, const sy_press *p, sy_fail *f);

#endif
