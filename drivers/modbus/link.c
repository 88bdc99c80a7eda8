/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmodbus behind five results. The library checks an answer against its request (unit, function,
 * length, transaction, CRC) and gives its registers, from which the answer's bytes are made again
 * as they were: function, byte count, data (6.1 to 6.4 leave nothing else in them). Its own error
 * recovery is off: it waits and connects again in the middle of a call. Instead a TCP connection
 * whose answer did not come is closed, so that the answer cannot come later for another request,
 * and a serial line is emptied before the next request.
 */
#include "drivers/modbus/link.h"

#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>

struct sy_mb_link {
    modbus_t *ctx;
    sy_mb_line line;
    bool connected, dirty; /* dirty: bytes of a late answer may lie in the line */
};

sy_err sy_mb_link_open(sy_mb_link **out, const char *address, sy_fail *f)
{
    sy_mb_link *l = calloc(1, sizeof *l);
    if (!l)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a line of modbus");
    sy_err err = sy_mb_line_parse(sy_span_of(address), &l->line);
    if (err) {
        free(l);
        return sy_fail_set(f, err, "'%.100s' is no address of modbus", address);
    }
    const sy_mb_line *at = &l->line;
    l->ctx = at->serial ? modbus_new_rtu(at->host, at->baud, at->parity, 8, at->stop)
                        : modbus_new_tcp_pi(at->host, at->port);
    if (!l->ctx) {
        free(l);
        return sy_fail_set(f, SY_E_NOMEM, "libmodbus does not take %.100s: %s", address,
                           modbus_strerror(errno));
    }
    modbus_set_error_recovery(l->ctx, MODBUS_ERROR_RECOVERY_NONE);
    /* The whole answer within the time, however it drips in. */
    modbus_set_byte_timeout(l->ctx, 0, 0);
    *out = l;
    return SY_OK;
}

static void disconnect(sy_mb_link *l)
{
    if (l->connected)
        modbus_close(l->ctx);
    l->connected = false;
}

void sy_mb_link_close(sy_mb_link *l)
{
    if (!l)
        return;
    disconnect(l);
    modbus_free(l->ctx);
    free(l);
}

bool sy_mb_link_connected(const sy_mb_link *l)
{
    return l->connected;
}

static void set_timeout(sy_mb_link *l, sy_ms ms)
{
    modbus_set_response_timeout(l->ctx, (uint32_t)(ms / 1000), (uint32_t)(ms % 1000 * 1000));
}

sy_err sy_mb_link_connect(sy_mb_link *l, sy_ms timeout, sy_fail *f)
{
    set_timeout(l, timeout);
    if (modbus_connect(l->ctx) != 0) {
        const char *why = errno ? modbus_strerror(errno) : "no such host";
        return sy_fail_set(f, SY_E_IO, "%s", why);
    }
    l->connected = true;
    l->dirty = false;
    return SY_OK;
}

/* 3.5 characters of 11 bits, and never less than 1.75 ms (MODBUS over Serial Line 2.5.1.1). */
sy_ms sy_mb_link_pause(const sy_mb_link *l)
{
    return !l->line.serial ? 0 : l->line.baud > 19200 ? 2 : 38500 / l->line.baud + 1;
}

/* How long request and answer are on the wire. */
static sy_ms on_wire(const sy_mb_link *l, const sy_mb_read *r)
{
    unsigned bytes =
        13 + (sy_mb_is_bits((sy_mb_table)r->function) ? r->count / 8u + 1u : 2u * r->count);
    return l->line.serial ? (sy_ms)(bytes * 11000u / (unsigned)l->line.baud + 1) : 0;
}

static int read_bits(sy_mb_link *l, const sy_mb_read *r, sy_mb_answer *out)
{
    uint8_t bits[SY_MB_BITS_MAX];
    int n = r->function == SY_MB_COIL ? modbus_read_bits(l->ctx, r->start, r->count, bits)
                                      : modbus_read_input_bits(l->ctx, r->start, r->count, bits);
    if (n != r->count)
        return n < 0 ? n : 0;
    out->n = 2 + (r->count + 7u) / 8u;
    memset(out->pdu, 0, out->n);
    for (unsigned i = 0; i < r->count; i++)
        out->pdu[2 + i / 8] |= (unsigned char)((bits[i] & 1) << i % 8);
    return n;
}

static int read_registers(sy_mb_link *l, const sy_mb_read *r, sy_mb_answer *out)
{
    uint16_t words[SY_MB_REGISTERS_MAX];
    int n = r->function == SY_MB_HOLDING
                ? modbus_read_registers(l->ctx, r->start, r->count, words)
                : modbus_read_input_registers(l->ctx, r->start, r->count, words);
    if (n != r->count)
        return n < 0 ? n : 0;
    out->n = 2 + 2u * r->count;
    for (unsigned i = 0; i < r->count; i++) {
        out->pdu[2 + 2 * i] = (unsigned char)(words[i] >> 8);
        out->pdu[3 + 2 * i] = (unsigned char)words[i];
    }
    return n;
}

static sy_mb_result failed(sy_mb_link *l, int error, sy_mb_answer *out)
{
    if (error > MODBUS_ENOBASE && error < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX) {
        out->exception = (unsigned)(error - MODBUS_ENOBASE);
        return SY_MB_REFUSED;
    }
    bool garbled = error > MODBUS_ENOBASE;
    snprintf(out->why, sizeof out->why, "%.90s",
             error == ETIMEDOUT ? "no answer" : modbus_strerror(error));
    if (l->line.serial && (garbled || error == ETIMEDOUT))
        l->dirty = true;
    else
        disconnect(l);
    return garbled ? SY_MB_GARBLED : error == ETIMEDOUT ? SY_MB_SILENT : SY_MB_BROKEN;
}

sy_mb_result sy_mb_link_ask(sy_mb_link *l, uint8_t unit, const sy_mb_read *r, sy_ms timeout,
                            sy_mb_answer *out)
{
    bool bits = sy_mb_is_bits((sy_mb_table)r->function);
    if (l->dirty)
        modbus_flush(l->ctx);
    l->dirty = false;
    set_timeout(l, timeout + on_wire(l, r));
    if (modbus_set_slave(l->ctx, unit) != 0)
        return failed(l, EMBBADSLAVE, out);
    errno = 0;
    int n = bits ? read_bits(l, r, out) : read_registers(l, r, out);
    if (n != r->count)
        return failed(l, n < 0 && errno ? errno : EMBBADDATA, out);
    out->pdu[0] = r->function;
    out->pdu[1] = (unsigned char)(out->n - 2);
    return SY_MB_ANSWERED;
}
