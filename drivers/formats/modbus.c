/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Modbus slave answered, by the device's register map (MODBUS Application Protocol V1.1b3,
 * 6.1 to 6.4): the answers of one poll as the journal keeps them ("modbus-poll"), and a single
 * frame as it is on a serial line or over TCP ("modbus"), which does not say which registers it
 * holds: with a map it is taken for the answer to that request of the map whose function and size
 * it has. Without a map each register is a record by its table and number, each bit likewise.
 */
#include <math.h>
#include <stdio.h>

#include "drivers/formats/all.h"
#include "drivers/formats/modbus.h"
#include "drivers/formats/records.h"

typedef struct answer {
    sy_mb_read asked;
    sy_span pdu; /* checked by sy_mb_answers */
    bool anonymous;
} answer;

static uint16_t word_at(const answer *a, unsigned at)
{
    const unsigned char *p = (const unsigned char *)a->pdu.p + 2 + 2 * (size_t)at;
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool bit_at(const answer *a, unsigned at)
{
    return (unsigned char)a->pdu.p[2 + at / 8] >> at % 8 & 1;
}

/* The value's bits with the most significant first, whatever order the device has. */
static uint64_t raw_of(const answer *a, const sy_mb_row *r)
{
    unsigned size = sy_mb_row_size(r), at = (unsigned)(r->address - a->asked.start);
    uint64_t raw = 0;
    if (sy_mb_is_bits(r->table))
        return bit_at(a, at);
    for (unsigned i = 0; i < size; i++) {
        uint16_t w = word_at(a, at + (r->words_reversed ? size - 1 - i : i));
        if (r->bytes_swapped)
            w = (uint16_t)(w << 8 | w >> 8);
        raw = raw << 16 | w;
    }
    return raw;
}

/* False where a digit is none. */
static bool bcd(uint64_t raw, double *out)
{
    double v = 0;
    for (int shift = 28; shift >= 0; shift -= 4) {
        unsigned digit = (unsigned)(raw >> shift & 15);
        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

static double f32_of(uint64_t raw)
{
    uint32_t bits = (uint32_t)raw;
    float v;
    memcpy(&v, &bits, sizeof v);
    return (double)v;
}

static double f64_of(uint64_t raw)
{
    double v;
    memcpy(&v, &raw, sizeof v);
    return v;
}

/* The number before scale and offset; false where the bits are no number. */
static bool number_of(const sy_mb_row *r, uint64_t raw, double *out)
{
    switch (r->type) {
    case SY_MB_U16:
    case SY_MB_U32:
    case SY_MB_U64:
    case SY_MB_BITS:
    case SY_MB_BOOL:
        *out = (double)raw;
        return true;
    case SY_MB_I16:
        *out = (double)((int32_t)(raw ^ 0x8000) - 0x8000);
        return true;
    case SY_MB_I32:
        *out = (double)((int64_t)(raw ^ 0x80000000u) - INT64_C(0x80000000));
        return true;
    case SY_MB_I64:
        *out = (double)(int64_t)raw;
        return true;
    case SY_MB_F32:
        *out = f32_of(raw);
        return isfinite(*out);
    case SY_MB_F64:
        *out = f64_of(raw);
        return isfinite(*out);
    case SY_MB_BCD:
    case SY_MB_BCD32:
        return bcd(raw, out);
    }
    return false;
}

/* BITS: the field; BOOL: 0 or 1. */
static uint64_t field_of(const sy_mb_row *r, uint64_t raw)
{
    if (sy_mb_is_bits(r->table))
        return raw;
    if (r->type == SY_MB_BOOL && r->width == 0)
        return raw != 0;
    if (r->type == SY_MB_BOOL || r->type == SY_MB_BITS)
        return raw >> r->bit & ((UINT64_C(1) << r->width) - 1);
    return raw;
}

static const char *word_of(const sy_mb_row *r, uint64_t raw)
{
    for (size_t i = 0; i < r->n_states; i++)
        if (r->states[i].raw == raw)
            return r->states[i].word;
    return NULL;
}

static bool is_error(const sy_mb_row *r, uint64_t raw)
{
    for (size_t i = 0; i < r->n_errors; i++)
        if (r->errors[i] == raw)
            return true;
    return false;
}

static void put_row(sy_records *l, const answer *a, const sy_mb_row *r)
{
    uint64_t raw = field_of(r, raw_of(a, r));
    const char *word = word_of(r, raw);
    sy_record rec = {.kind = r->type == SY_MB_BOOL ? SY_REC_BOOL : SY_REC_NUMBER,
                     .name = sy_span_of(r->name),
                     .local = sy_span_of(r->name),
                     .unit = sy_span_of(r->unit ? r->unit : "")};
    double v = 0;
    bool good = number_of(r, raw, &v);
    if (good && rec.kind == SY_REC_NUMBER)
        v = v * r->scale / r->divisor + r->offset;
    if (word) {
        rec.kind = SY_REC_TEXT;
        rec.text = sy_span_of(word);
        rec.unit = (sy_span){"", 0};
    } else if (good && isfinite(v)) {
        rec.number = v;
    } else {
        rec.kind = SY_REC_NULL;
        rec.quality = SY_Q_BAD | SY_Q_DEVICE_FAULT;
    }
    if (is_error(r, raw))
        rec.quality = SY_Q_BAD | SY_Q_DEVICE_FAULT;
    sy_records_add(l, &rec);
}

/* The first row of the table that is not below the address. */
static size_t first_row(const sy_mb_map *map, const sy_mb_read *asked)
{
    size_t from = 0, to = map->n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        const sy_mb_row *r = &map->rows[mid];
        if ((uint8_t)r->table < asked->function ||
            ((uint8_t)r->table == asked->function && r->address < asked->start))
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static void by_map(sy_records *l, const answer *a, const sy_mb_map *map)
{
    long end = (long)a->asked.start + a->asked.count;
    for (size_t i = first_row(map, &a->asked); i < map->n && !l->err; i++) {
        const sy_mb_row *r = &map->rows[i];
        if ((uint8_t)r->table != a->asked.function || r->address >= end)
            break;
        if (r->address + (long)sy_mb_row_size(r) <= end)
            put_row(l, a, r);
    }
}

static void by_number(sy_records *l, const answer *a)
{
    static const char *const tables[] = {"", "coil", "discrete", "holding", "input"};
    bool bits = sy_mb_is_bits((sy_mb_table)a->asked.function);
    for (unsigned i = 0; i < a->asked.count && !l->err; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "%s-%s%u", tables[a->asked.function],
                         a->anonymous ? "+" : "", a->asked.start + i);
        sy_record r = {.kind = bits ? SY_REC_BOOL : SY_REC_NUMBER, .unit = {"", 0}};
        r.name = r.local = sy_records_text(l, (sy_span){name, (size_t)n});
        r.number = bits ? bit_at(a, i) : word_at(a, i);
        sy_records_add(l, &r);
    }
}

static sy_err poll_fill(sy_records *l, sy_span bytes, const sy_mb_device *d, sy_fail *f)
{
    const sy_mb_map *map = d ? d->map : NULL;
    if (bytes.n < SY_MB_POLL_HEAD || bytes.p[0] != SY_MB_POLL_VERSION)
        return sy_fail_set(f, SY_E_PARSE, "not the answers of a poll");
    bytes = (sy_span){bytes.p + SY_MB_POLL_HEAD, bytes.n - SY_MB_POLL_HEAD};
    while (bytes.n && !l->err) {
        const unsigned char *p = (const unsigned char *)bytes.p;
        if (bytes.n < SY_MB_ANSWER_HEAD || bytes.n - SY_MB_ANSWER_HEAD < p[4] || p[4] < 2)
            return sy_fail_set(f, SY_E_PARSE, "an answer of the poll is cut short");
        answer a = {.asked = {.function = p[5],
                              .start = (uint16_t)(p[0] << 8 | p[1]),
                              .count = (uint16_t)(p[2] << 8 | p[3])},
                    .pdu = {bytes.p + SY_MB_ANSWER_HEAD, p[4]}};
        if (!sy_mb_answers(&a.asked, a.pdu) || a.asked.start + (long)a.asked.count > 65536)
            return sy_fail_set(f, SY_E_PARSE, "an answer of the poll does not fit what was asked");
        if (map)
            by_map(l, &a, map);
        else
            by_number(l, &a);
        size_t used = SY_MB_ANSWER_HEAD + a.pdu.n;
        bytes = (sy_span){bytes.p + used, bytes.n - used};
    }
    return SY_OK;
}

/* The PDU in a frame: RTU with a good CRC, or behind a header of TCP. *crc: it has one that is
 * wrong. */
static bool pdu_of(sy_span frame, sy_span *pdu, bool *crc)
{
    const unsigned char *p = (const unsigned char *)frame.p;
    *crc = false;
    if (frame.n >= 9 && frame.n <= 7 + SY_MB_PDU_MAX && p[2] == 0 && p[3] == 0 &&
        (size_t)(p[4] << 8 | p[5]) == frame.n - 6) {
        *pdu = (sy_span){frame.p + 7, frame.n - 7};
        return true;
    }
    if (frame.n < 5 || frame.n > 3 + SY_MB_PDU_MAX)
        return false;
    *pdu = (sy_span){frame.p + 1, frame.n - 3};
    *crc = sy_mb_crc((sy_span){frame.p, frame.n - 2}) !=
           (uint16_t)(p[frame.n - 2] | p[frame.n - 1] << 8);
    return !*crc;
}

/* An answer as it stands alone: the byte count says how many registers; of bits, as many as there
 * are bytes for. */
static bool alone(sy_span pdu, answer *a)
{
    const unsigned char *p = (const unsigned char *)pdu.p;
    if (pdu.n < 3 || p[0] < SY_MB_COIL || p[0] > SY_MB_INPUT)
        return false;
    bool bits = sy_mb_is_bits((sy_mb_table)p[0]);
    *a = (answer){{p[0], 0, (uint16_t)(bits ? p[1] * 8 : p[1] / 2)}, pdu, true};
    return sy_mb_answers(&a->asked, pdu);
}

bool sy_modbus_fits(const sy_mb_map *map, sy_span frame, bool whole)
{
    sy_mb_read reads[SY_MB_ROWS_MAX];
    sy_span pdu;
    bool crc;
    size_t n = map->n <= SY_MB_ROWS_MAX ? sy_mb_plan(map, map->gap, reads) : 0;
    if (!pdu_of(frame, &pdu, &crc) || (whole && n != 1))
        return false;
    for (size_t i = 0; i < n; i++)
        if (sy_mb_answers(&reads[i], pdu))
            return true;
    return false;
}

static sy_err frame_by_map(sy_records *l, answer *a, const sy_mb_map *map, sy_fail *f)
{
    sy_mb_read reads[SY_MB_ROWS_MAX];
    size_t n = map->n <= SY_MB_ROWS_MAX ? sy_mb_plan(map, map->gap, reads) : 0;
    for (size_t i = 0; i < n; i++)
        if (sy_mb_answers(&reads[i], a->pdu)) {
            a->asked = reads[i];
            by_map(l, a, map);
            return SY_OK;
        }
    return sy_fail_set(f, SY_E_PARSE, "no request of the register map %s has this answer",
                       map->name);
}

static sy_err frame_fill(sy_records *l, sy_span bytes, const sy_mb_device *d, sy_fail *f)
{
    const sy_mb_map *map = d ? d->map : NULL;
    sy_span pdu;
    bool crc;
    answer a;
    if (!pdu_of(bytes, &pdu, &crc))
        return crc ? sy_fail_set(f, SY_E_PARSE, "the CRC of the frame is wrong")
                   : sy_fail_set(f, SY_E_PARSE, "not a frame of Modbus");
    unsigned unit = (unsigned char)pdu.p[-1]; /* before the PDU, on a line and over TCP */
    if (d && d->unit && d->unit != unit)
        return sy_fail_set(f, SY_E_PARSE, "a frame of unit %u, the device is unit %u", unit,
                           d->unit);
    if (pdu.n == 2 && (unsigned char)pdu.p[0] & 0x80)
        return sy_fail_set(f, SY_E_PARSE, "the slave answers with exception %u, %s",
                           (unsigned char)pdu.p[1], sy_mb_exception((unsigned char)pdu.p[1]));
    if (!alone(pdu, &a))
        return sy_fail_set(f, SY_E_PARSE, "not an answer to a read: function %u",
                           (unsigned char)pdu.p[0]);
    if (map)
        return frame_by_map(l, &a, map, f);
    by_number(l, &a);
    return SY_OK;
}

static sy_err decode(sy_span payload, const sy_device *device, sy_record_fn sink, void *ctx,
                     sy_fail *f,
                     sy_err (*fill)(sy_records *, sy_span, const sy_mb_device *, sy_fail *))
{
    sy_records l;
    sy_records_init(&l);
    sy_err e = fill(&l, payload, device ? device->modbus : NULL, f);
    if (!e)
        e = sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    return e;
}

static sy_err poll_decode(sy_span payload, const sy_device *device, sy_record_fn sink, void *ctx,
                          sy_fail *f)
{
    return decode(payload, device, sink, ctx, f, poll_fill);
}

static sy_err frame_decode(sy_span payload, const sy_device *device, sy_record_fn sink, void *ctx,
                           sy_fail *f)
{
    return decode(payload, device, sink, ctx, f, frame_fill);
}

static int frame_probe(sy_span payload)
{
    sy_span pdu;
    bool crc;
    answer a;
    return pdu_of(payload, &pdu, &crc) && alone(pdu, &a) ? 85 : 0;
}

const sy_format sy_format_modbus = {"modbus", 0xffff, frame_decode, frame_probe, NULL};
/* Made by the gateway itself: never to be found. */
const sy_format sy_format_modbus_poll = {"modbus-poll", 0xffff, poll_decode, NULL, NULL};
