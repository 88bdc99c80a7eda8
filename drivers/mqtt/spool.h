/*
 * The spool: what the managed broker acknowledged and the gateway has not yet in its journal.
 *
 * Written by the plugin inside mosquitto (drivers/mqtt/plugin/), before the device's PUBACK or
 * PUBREC; read in order, and removed, by the gateway. One writer, one reader, files between them:
 * whichever of the two dies, the other loses nothing. Segments of records lie in <dir> as
 * <first number, 16 hex digits>-<salt, 8 hex digits>.spool; docs/formats.md has the bytes.
 *
 * Numbers ascend and never repeat. A run of the broker begins at a multiple of SY_SPOOL_RUN above
 * everything that anybody knows of, so the writer never reads what is there: it takes no damaged or
 * hostile byte into the broker.
 *
 * The two share a page of memory that lives as long as the gateway. Nothing on disk depends on it.
 */
#ifndef SY_SPOOL_H
#define SY_SPOOL_H

#include <stdatomic.h>

#include "base/os.h"

enum {
    SY_SPOOL_HEADER = 24,            /* of a segment */
    SY_SPOOL_RECORD = 24,            /* of a record, before topic, client, user, payload */
    SY_SPOOL_MAX_RECORD = 8 << 20,   /* longest record */
    SY_SPOOL_SEGMENT = 1 << 20,      /* a segment ends with the record that would go beyond */
    SY_SPOOL_MAX_SEGMENT = 16 << 20, /* what a reader looks at of one file */
    SY_SPOOL_NAME = 32,
    SY_SPOOL_RUN = 1 << 24, /* more records than fit in a segment */
    SY_SPOOL_PAGE = 4096
};
/* The topic of what is in the spool already; nobody may read it. As short as any topic can be. */
#define SY_SPOOL_TOPIC "$"
/* What the plugin says in mosquitto's log. */
#define SY_SPOOL_SAYS_REFUSES "steelyard: nothing is acknowledged: "
/* Then: reason, peer, who. */
#define SY_SPOOL_SAYS_REFUSED "steelyard: refused: "
/* Then who: it came with its new password, so that before it is not needed any more. */
#define SY_SPOOL_SAYS_RENEWED "steelyard: new password in use: "
/* The user that a device may be whose id nobody knows yet (drivers/mqtt/mqtt.h). */
#define SY_SPOOL_STRANGER     "@onboard"
#define SY_SPOOL_SAYS_ACCEPTS "steelyard: messages are acknowledged again"
#define SY_SPOOL_NUMBERS      (UINT64_C(1) << 62) /* all are below */

typedef struct sy_spool_rec {
    uint64_t number; /* set by append */
    uint8_t qos;     /* 1, 2 */
    bool retain;
    sy_span topic, client, user, payload; /* on reading: valid until the next call */
} sy_spool_rec;

/* What the two processes tell each other. Each field has one writer. */
typedef enum sy_spool_state {
    SY_SPOOL_FINE = 0,
    SY_SPOOL_FULL = 1, /* the spool's bound, or the disk's reserve */
    SY_SPOOL_IO = 2    /* a write or a sync failed */
} sy_spool_state;
typedef struct sy_spool_page {
    /* The plugin's. */
    _Atomic uint64_t pid;      /* of the broker, once its plugin runs; the gateway sets it to 0 */
    _Atomic uint64_t from;     /* first number of this run: older segments are finished */
    _Atomic uint64_t appended; /* last number written whole */
    _Atomic uint64_t bytes;    /* in the spool, were nothing removed */
    _Atomic uint64_t refused;  /* messages that were not acknowledged, since the gateway started */
    _Atomic uint64_t state;    /* sy_spool_state */
    /* The gateway's. */
    _Atomic uint64_t taken;   /* last number that is in the journal, or refused for good */
    _Atomic uint64_t removed; /* bytes of segments deleted since the gateway started */
    _Atomic uint64_t access;  /* counts the changes of the file of users */
    _Atomic uint64_t waiting; /* 1: write to the eventfd after the next append */
} sy_spool_page;

/* Pure: names and bytes. */
void sy_spool_name(uint64_t first, uint32_t salt, char out[SY_SPOOL_NAME]);
bool sy_spool_parse_name(const char *name, uint64_t *first, uint32_t *salt);
void sy_spool_encode_header(uint64_t first, uint32_t salt, unsigned char out[SY_SPOOL_HEADER]);
/* False where a valid header says that the format is a newer one. A damaged header is no matter:
 * the name says all that is needed. */
bool sy_spool_header_known(const unsigned char in[SY_SPOOL_HEADER]);
/* Length of the whole record, 0 where a part is too long. */
size_t sy_spool_length(const sy_spool_rec *rec);
void sy_spool_encode(const sy_spool_rec *rec, uint32_t salt, unsigned char out[SY_SPOOL_RECORD]);
/* The record at the head of `bytes`; *length its whole length. False: no valid record there. */
bool sy_spool_decode(sy_span bytes, uint32_t salt, sy_spool_rec *rec, size_t *length);
/* What the head of a record says its length is, 0 where it cannot be one. */
size_t sy_spool_peek(const unsigned char head[SY_SPOOL_RECORD], uint64_t *number);

/* Reading. One thread. `page` NULL: nobody writes, all segments are finished. */
typedef struct sy_spool_reader sy_spool_reader;
typedef struct sy_spool_counts {
    uint64_t torn;    /* finished segments whose end is no record */
    uint64_t damaged; /* segments with damage inside, or that cannot be read */
} sy_spool_counts;
SY_MUST_USE sy_err sy_spool_reader_open(sy_spool_reader **out, const char *dir,
                                        const sy_spool_page *page, sy_fail *f);
/* SY_OK and *rec; SY_E_AGAIN at the end of what is whole; SY_E_CORRUPT or SY_E_IO once for a
 * damaged stretch or a segment that cannot be read, which is passed over. */
SY_MUST_USE sy_err sy_spool_next(sy_spool_reader *r, sy_spool_rec *rec, sy_fail *f);
/* Delete the finished segments that hold nothing above `number`; those with damage are set aside as
 * .damaged. Returns the bytes that are gone. */
uint64_t sy_spool_drop(sy_spool_reader *r, uint64_t number);
sy_spool_counts sy_spool_counts_of(const sy_spool_reader *r);
void sy_spool_reader_close(sy_spool_reader *r);

/* The reader's mark: everything up to this number is kept elsewhere. 0 where there is none or it is
 * damaged. Written in place, synced. */
uint64_t sy_spool_mark(const char *dir);
SY_MUST_USE sy_err sy_spool_set_mark(const char *dir, uint64_t number, sy_fail *f);

#endif
