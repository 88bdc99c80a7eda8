/*
 * HJ 212: frames and groups, shared by the format and by the listener. Internal to drivers/.
 *
 * HJ 212-2017 clause 6 (and HJ/T 212-2005): "##", four decimal digits of the data segment's length,
 * the segment, four hexadecimal digits of its CRC (A.1: 0xffff, each byte against the high byte,
 * 0xa001), CR LF. The segment: QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;PNUM=…;PNO=…;CP=&&…&&, whose groups
 * are separated by ";" and their pairs by ",".
 */
#ifndef SY_HJ212_H
#define SY_HJ212_H

#include "base/os.h"

typedef struct sy_hj212_frame {
    sy_span segment; /* between length and CRC */
    sy_span data;    /* between the "&&" of CP */
    sy_span qn, st, cn, pw, mn;
    int flag; /* -1: none; bit 0: an answer is wanted, bit 1: split packets, bits 2…: version */
    int pnum, pno;
    bool crc_good, length_good;
    size_t size; /* bytes from "##" to the end, CR LF included where they are there */
} sy_hj212_frame;

enum { SY_HJ212_MAX = 9999 }; /* of a segment: its length has four digits */

/* The editions, as the version bits of Flag tell them. */
enum { SY_HJ212_2005 = 2005, SY_HJ212_2017 = 2017, SY_HJ212_2025 = 2025 };
int sy_hj212_edition(const sy_hj212_frame *f);

/* The unit (its id) that the standard gives a record of this name, "w01018-Rtd", "hour/011-Cou";
 * NULL: it gives none. */
const char *sy_hj212_unit(sy_span name);

uint16_t sy_hj212_crc(sy_span segment);
/* The next frame in `bytes`; *skip: bytes before it that are none (noise between frames on a serial
 * line). SY_E_NOTFOUND: there is no whole frame yet; *skip may then be dropped all the same. A
 * length or CRC that does not fit is told, not refused: real senders get both wrong. */
SY_MUST_USE sy_err sy_hj212_next(sy_span bytes, sy_hj212_frame *out, size_t *skip);

#endif
