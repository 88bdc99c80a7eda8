/* SPDX-License-Identifier: Apache-2.0 */
/* Register maps: how requests are grouped, addresses, the answers of a poll as bytes, the CRC. */
#include "drivers/modbus/map.h"

unsigned sy_mb_row_size(const sy_mb_row *r)
{
    static const uint8_t registers[] = {
#define SIZE(name, text, n) n,
        SY_MB_TYPES(SIZE)
#undef SIZE
    };
    return sy_mb_is_bits(r->table) ? 1 : registers[r->type];
}

/* Can the row be read with what `read` reads already? */
static bool joins(const sy_mb_read *read, const sy_mb_row *r, const sy_mb_map *map, int gap)
{
    bool bits = sy_mb_is_bits(r->table);
    long end = (long)read->start + read->count;
    long past = (long)r->address + (long)sy_mb_row_size(r);
    long most = bits ? SY_MB_BITS_MAX : map->most;
    return read->function == (uint8_t)r->table && gap >= 0 &&
           r->address - end <= (bits ? 16L : 1L) * gap && past - read->start <= most;
}

size_t sy_mb_plan(const sy_mb_map *map, int gap, sy_mb_read *out)
{
    size_t n = 0;
    for (size_t i = 0; i < map->n; i++) {
        const sy_mb_row *r = &map->rows[i];
        uint16_t size = (uint16_t)sy_mb_row_size(r);
        sy_mb_read *last = n ? &out[n - 1] : NULL;
        if (!last || !joins(last, r, map, gap)) {
            out[n++] = (sy_mb_read){(uint8_t)r->table, r->address, size};
            continue;
        }
        int count = r->address + size - last->start;
        if (count > last->count) /* rows may lie within each other */
            last->count = (uint16_t)count;
    }
    return n;
}

static bool number(sy_span text, long lo, long hi, long *out)
{
    long v = 0;
    if (text.n == 0 || text.n > 6)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        v = v * 10 + (text.p[i] - '0');
    }
    *out = v;
    return v >= lo && v <= hi;
}

static sy_span until(sy_span *rest, char c)
{
    const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;
    sy_span part = {rest->p, at ? (size_t)(at - rest->p) : rest->n};
    size_t used = part.n + (at ? 1 : 0);
    *rest = (sy_span){rest->p + used, rest->n - used};
    return part;
}

/* The library takes another speed than these for 9600 without a word. */
static bool is_speed(long baud)
{
    static const long known[] = {1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] == baud)
            return true;
    return false;
}

/* Of a path or a host; nothing that a line of the log would have to quote. */
static bool plain(sy_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] >= 0x7f ||
            text.p[i] == '"' || text.p[i] == '\\')
            return false;
    return text.n > 0;
}

static sy_err serial(sy_span rest, sy_mb_line *out)
{
    sy_span path = until(&rest, ','), speed = until(&rest, ',');
    long baud = 0;
    if (!plain(path) || path.n >= sizeof out->host || !number(speed, 1200, 115200, &baud) ||
        !is_speed(baud))
        return SY_E_PARSE;
    if (rest.n != 3 || rest.p[0] != '8' || !memchr("NEO", rest.p[1], 3) ||
        (rest.p[2] != '1' && rest.p[2] != '2'))
        return SY_E_PARSE;
    memcpy(out->host, path.p, path.n);
    out->serial = true;
    out->baud = (int)baud;
    out->parity = rest.p[1];
    out->stop = rest.p[2] - '0';
    return SY_OK;
}

sy_err sy_mb_line_parse(sy_span address, sy_mb_line *out)
{
    memset(out, 0, sizeof *out);
    if (address.n == 0 || memchr(address.p, 0, address.n))
        return SY_E_PARSE;
    if (address.p[0] == '/')
        return serial(address, out);
    bool v6 = address.p[0] == '[';
    sy_span rest = {address.p + v6, address.n - v6};
    sy_span host = until(&rest, v6 ? ']' : ':');
    long port = 0;
    if (v6 && (rest.n == 0 || rest.p[0] != ':'))
        return SY_E_PARSE;
    rest = v6 ? (sy_span){rest.p + 1, rest.n - 1} : rest;
    if (!plain(host) || host.n >= sizeof out->host || !number(rest, 1, 65535, &port) || rest.n > 5)
        return SY_E_PARSE;
    memcpy(out->host, host.p, host.n);
    memcpy(out->port, rest.p, rest.n);
    return SY_OK;
}

static void put_be16(sy_buf *b, uint16_t v)
{
    sy_buf_u8(b, (uint8_t)(v >> 8));
    sy_buf_u8(b, (uint8_t)v);
}

void sy_mb_poll_begin(sy_buf *b, uint8_t unit)
{
    sy_buf_u8(b, SY_MB_POLL_VERSION);
    sy_buf_u8(b, unit);
}

void sy_mb_poll_add(sy_buf *b, const sy_mb_read *asked, sy_span pdu)
{
    put_be16(b, asked->start);
    put_be16(b, asked->count);
    sy_buf_u8(b, (uint8_t)pdu.n);
    sy_buf_span_put(b, pdu);
}

bool sy_mb_answers(const sy_mb_read *asked, sy_span pdu)
{
    bool bits = sy_mb_is_bits((sy_mb_table)asked->function);
    size_t bytes = bits ? (asked->count + 7u) / 8u : 2u * asked->count;
    return asked->function >= SY_MB_COIL && asked->function <= SY_MB_INPUT && asked->count > 0 &&
           pdu.n == 2 + bytes && pdu.n <= SY_MB_PDU_MAX &&
           (unsigned char)pdu.p[0] == asked->function && (unsigned char)pdu.p[1] == bytes;
}

uint16_t sy_mb_crc(sy_span bytes)
{
    unsigned crc = 0xffff;
    for (size_t i = 0; i < bytes.n; i++) {
        crc ^= (unsigned char)bytes.p[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
    }
    return (uint16_t)crc;
}

const char *sy_mb_exception(unsigned code)
{
    static const char *const texts[] = {
        [1] = "illegal function",
        [2] = "illegal data address",
        [3] = "illegal data value",
        [4] = "server device failure",
        [5] = "acknowledge",
        [6] = "server device busy",
        [8] = "memory parity error",
        [10] = "gateway path unavailable",
        [11] = "gateway target device failed to respond",
    };
    return code < sizeof texts / sizeof *texts && texts[code] ? texts[code] : "unknown exception";
}
