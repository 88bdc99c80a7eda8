/*
 * Tables of what the uplinks of LoRaWAN devices hold, and the reader that decodes by them. Internal
 * to formats/.
 *
 * A table is one text a model, one line a channel:
 *
 *   0367 temperature:i2/10 Cel
 *   0498 current:u2/100 A!ffff=read failed
 *
 * Milesight's uplinks are lists of channels: one byte id, one byte type, data whose length the type
 * implies (user guides, "Uplink data"). The line begins with id and type in hexadecimal; "xx" is
 * any type. A payload that is no list of channels has a line "----" for all of it, or "--05" where
 * it comes on that FPort. Then come items, separated by ";":
 *
 *   NAME:TYPE…      a reading; without a name the bytes are only read
 *   +N              N bytes that mean nothing
 *   T               a time in epoch seconds: what follows is the history of that time
 *   TN, tN          the same, big-endian and N bytes further on, not taken; t: no history, only
 * time !               data that is not known: the payload is refused K               all bytes of
 * the payload must add up to 0 (modulo 256)
 *   ?:TYPE          the selector of the groups that follow
 *   $:TYPE          the number that "$" in names stands for
 *   <1,2:ITEMS>     items for these values of the selector; <^3:…> for 3 and above; <*:…> where
 *                   no group before took it; <&3:…> where bit 3 of the selector is set; <&*:…> for
 *                   each bit that is set, counted from 1 as "$"
 *   %ITEMS%         items again and again to the end of the payload, last in a line
 *
 * TYPE: u1 to u4, i1 to i4 little-endian integers, U1 to U4, I1 to I4 big-endian, W4 two
 * big-endian words, the lower first, f2, f4 floats,
 * @S.B (@S.Bs) B bits from bit S of the integer read last (signed), c nothing (the value is 0), n
 * the number of "$", P1 to P4 bytes looked at but not taken, QN the byte N further on, hN bytes as
 * hexadecimal, rN the same from the last byte on, aN text up to a NUL, a0 text to the end, L1 text
 * with its length before it, m6 a MAC address, p1, w2, x2, t2, dN, vN versions in Milesight's ways
 * of writing them.
 * After it, in this order: /D divides, +N or -N is added (after dividing), " UNIT", {words}: texts
 * by value from 0 on or as "7=text", "*=text" for any other; !HEX=text…: the sensor failed: the
 * reading has no value and is bad, and text is the reading ~STATUS (NAME_sensor_status).
 * "#" after a word in a name counts the lines of this kind in the payload: "event#.type" is
 * event.0.type, event.1.type.
 *
 * Two lines for one channel are two versions of a device; the payload is read with the first, and
 * with the second where that does not come out even.
 */
#ifndef SY_LORAWAN_TABLE_H
#define SY_LORAWAN_TABLE_H

#include "drivers/formats/lorawan.h"

typedef struct sy_lt_model {
    const char *name;
    const char *channels[2]; /* one table after the other; the second may be NULL */
} sy_lt_model;

typedef struct sy_lt_maker {
    const char *name;          /* for messages */
    const sy_lt_model *models; /* ended by a name of NULL */
    const sy_lt_model *any;    /* for a device whose model is not configured */
    const char *common;        /* channels that all models share */
    bool framed;               /* its devices send NB-IoT frames, too */
} sy_lt_maker;
extern const sy_lt_maker sy_lt_milesight, sy_lt_dragino;

/* Decode by the tables: the whole payload or a refusal. */
SY_MUST_USE sy_err sy_lt_read(const sy_lt_maker *maker, sy_records *l, const sy_lora *u,
                              sy_span bytes, sy_fail *f);

/* The next line of a table: its key (4 characters) and its items; false at the end. */
SY_MUST_USE bool sy_lt_line(const char **table, sy_span *key, sy_span *items);

/* One item, taken apart. */
typedef struct sy_lt_item {
    sy_span name;
    char kind;      /* of the type: u, i, U, f, @, … */
    unsigned width; /* bytes */
    unsigned shift, bits;
    bool negative; /* bits: signed */
    double divisor, plus;
    sy_span unit, words, faults, status;
} sy_lt_item;
/* SY_E_PARSE where the text is no item; that is a mistake in a table. */
SY_MUST_USE sy_err sy_lt_item_parse(sy_span text, sy_lt_item *out);
/* The next item of items; groups "<…>" whole. False at the end. */
SY_MUST_USE bool sy_lt_next(sy_span *items, sy_span *item);
/* The text of a value in words or faults (numbers in base); empty where it has none. */
sy_span sy_lt_word(sy_span list, uint32_t value, char between, int base);
/* The condition and the items of a group "<…:…>". */
SY_MUST_USE bool sy_lt_group(sy_span item, sy_span *condition, sy_span *items);

#endif
