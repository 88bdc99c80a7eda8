/*
 * A line to Modbus slaves: the one user of libmodbus. One thread.
 */
#ifndef SY_MODBUS_LINK_H
#define SY_MODBUS_LINK_H

#include "base/os.h"
#include "drivers/modbus/map.h"

typedef struct sy_mb_link sy_mb_link;

typedef enum sy_mb_result {
    SY_MB_ANSWERED,
    SY_MB_REFUSED, /* an exception */
    SY_MB_SILENT,  /* nothing within the time */
    SY_MB_GARBLED, /* not an answer to this request */
    SY_MB_BROKEN,  /* the line is gone; it was closed */
} sy_mb_result;

typedef struct sy_mb_answer {
    unsigned char pdu[SY_MB_PDU_MAX]; /* ANSWERED */
    size_t n;
    unsigned exception; /* REFUSED */
    char why[96];       /* else */
} sy_mb_answer;

SY_MUST_USE sy_err sy_mb_link_open(sy_mb_link **out, const char *address, sy_fail *f);
void sy_mb_link_close(sy_mb_link *l);
bool sy_mb_link_connected(const sy_mb_link *l);
/* Where it is not connected. SY_E_IO with the reason. */
SY_MUST_USE sy_err sy_mb_link_connect(sy_mb_link *l, sy_ms timeout, sy_fail *f);
/* The silence that a serial line wants between two frames; 0 over TCP. */
sy_ms sy_mb_link_pause(const sy_mb_link *l);
/* Ask and wait. timeout is the device's; the time of the bytes on a serial line comes on top. */
sy_mb_result sy_mb_link_ask(sy_mb_link *l, uint8_t unit, const sy_mb_read *r, sy_ms timeout,
                            sy_mb_answer *out);

#endif
