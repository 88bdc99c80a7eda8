/* SPDX-License-Identifier: Apache-2.0 */
/* One turn of a device: each request of its plan, a second try for a device that is well, and one
 * message of what was answered. */
#include <stdio.h>

#include "base/log.h"
#include "drivers/modbus/bus.h"

enum { CONNECT_MIN_MS = 500, CONNECT_MAX_MS = 30000 };

static void note(sy_bus *b, sy_mb_unit *u, uint64_t *count, const char *why)
{
    pthread_mutex_lock(&b->mu);
    ++*count;
    snprintf(u->last_error, sizeof u->last_error, "%s", why);
    u->last_error_at = sy_wall_ms();
    pthread_mutex_unlock(&b->mu);
}

static void set_connected(sy_bus *b, bool connected)
{
    pthread_mutex_lock(&b->mu);
    b->connected = connected;
    pthread_mutex_unlock(&b->mu);
}

/* The line is there; else the reason. */
static bool line_up(sy_bus *b, sy_ms timeout, sy_mb_answer *why)
{
    sy_fail f = {0};
    if (sy_mb_link_connected(b->link))
        return true;
    if (b->connect_fails && sy_mono_ms() < b->connect_after) {
        snprintf(why->why, sizeof why->why, "the line is down");
        return false;
    }
    if (sy_mb_link_connect(b->link, timeout, &f) == SY_OK) {
        if (b->connect_fails || !b->connected)
            sy_log(b->connect_fails ? SY_LOG_INFO : SY_LOG_DEBUG, "modbus-line-up", "address=%s",
                   b->address);
        b->connect_fails = 0;
        set_connected(b, true);
        return true;
    }
    unsigned doubled = b->connect_fails < 6 ? b->connect_fails : 6;
    sy_ms hold = (sy_ms)CONNECT_MIN_MS << doubled;
    b->connect_after = sy_mono_ms() + (hold < CONNECT_MAX_MS ? hold : CONNECT_MAX_MS);
    snprintf(why->why, sizeof why->why, "%.90s", f.text);
    if (b->connect_fails++ == 0)
        sy_log(SY_LOG_WARN, "modbus-line-down", "address=%s msg=\"%s; it is tried for ever\"",
               b->address, f.text);
    set_connected(b, false);
    return false;
}

static sy_mb_result ask(sy_bus *b, sy_mb_unit *u, const sy_mb_read *r, sy_mb_answer *a)
{
    const sy_mb_device *m = u->device->modbus;
    if (!line_up(b, m->timeout, a))
        return SY_MB_BROKEN;
    sy_ms pause = sy_mb_link_pause(b->link);
    if (pause && !sy_bus__wait(b, pause)) {
        snprintf(a->why, sizeof a->why, "the gateway ends");
        return SY_MB_BROKEN;
    }
    return sy_mb_link_ask(b->link, m->unit, r, m->timeout, a);
}

/* A gateway before the slave says so where that gives no answer (exceptions 10 and 11). */
static bool is_silence(sy_mb_result result, const sy_mb_answer *a)
{
    return result == SY_MB_SILENT || (result == SY_MB_REFUSED && a->exception >= 10);
}

static void tell_exception(sy_mb_unit *u, const sy_mb_read *r, unsigned code)
{
    uint32_t which = (uint32_t)r->start << 16 | (uint32_t)r->function << 8 | code;
    if (u->told == which)
        return;
    u->told = which;
    sy_log(SY_LOG_WARN, "modbus-exception",
           "device=%s function=%u start=%u count=%u code=%u msg=\"%s\"", u->device->id, r->function,
           r->start, r->count, code, sy_mb_exception(code));
}

/* The device refuses this request. Where it is for the address, registers that it does not have may
 * lie in the request: it is asked for the parts from the next turn on. */
static void refused(sy_bus *b, sy_mb_unit *u, size_t k, unsigned code)
{
    sy_mb_read r = u->asks[k].read;
    char text[128];
    snprintf(text, sizeof text, "exception %u (%s) to function %u, start %u, count %u", code,
             sy_mb_exception(code), r.function, r.start, r.count);
    note(b, u, &u->counts.exceptions, text);
    if ((code == 2 || code == 3) && sy_mb_unit__split(u, k))
        sy_log(SY_LOG_INFO, "modbus-apart", "device=%s function=%u start=%u count=%u",
               u->device->id, r.function, r.start, r.count);
    else
        tell_exception(u, &r, code);
}

static void count_failure(sy_bus *b, sy_mb_unit *u, sy_mb_result result, const sy_mb_answer *a)
{
    if (result == SY_MB_REFUSED)
        note(b, u, &u->counts.exceptions, sy_mb_exception(a->exception));
    else if (result == SY_MB_SILENT)
        note(b, u, &u->counts.timeouts, a->why);
    else if (result == SY_MB_GARBLED)
        note(b, u, &u->counts.garbled, a->why);
    else
        note(b, u, &u->counts.broken, a->why);
}

/* One request, twice where the device is well and the answer got lost. */
static sy_mb_result ask_again(sy_bus *b, sy_mb_unit *u, const sy_mb_read *r, sy_mb_answer *a)
{
    sy_mb_result result = ask(b, u, r, a);
    bool lost = is_silence(result, a) || result == SY_MB_GARBLED || result == SY_MB_BROKEN;
    if (!lost || u->silent || b->connect_fails)
        return result;
    count_failure(b, u, result, a);
    return ask(b, u, r, a);
}

static void changed(sy_bus *b, sy_mb_unit *u, bool answered, bool line)
{
    const sy_mb_device *m = u->device->modbus;
    if (answered && u->silent)
        sy_log(SY_LOG_INFO, "modbus-device-answers", "device=%s address=%s unit=%u", u->device->id,
               b->address, m->unit);
    if (!answered && line && u->silent == 0)
        sy_log(SY_LOG_WARN, "modbus-device-silent", "device=%s address=%s unit=%u msg=\"%s\"",
               u->device->id, b->address, m->unit, u->last_error);
    if (answered)
        u->silent = 0;
    else if (line) /* a line that is down is tried by its own measure */
        u->silent++;
}

static bool keep(sy_bus *b, sy_mb_unit *u)
{
    sy_fail f = {0};
    uint64_t seq = 0;
    bool kept = false;
    sy_message m = {.transport = SY_TRANSPORT_MODBUS,
                    .flags = SY_MSG_UNAUTHENTICATED,
                    .content_format = 0xffff,
                    .source = sy_span_of(u->device->id),
                    .payload = sy_buf_span(&b->poll)};
    sy_err err = b->poll.failed ? sy_fail_set(&f, SY_E_NOMEM, "no memory for the answers of a poll")
                                : b->intake->submit(b->intake->ctx, &m, &seq, &kept, &f);
    if (err && err != SY_E_CLOSED)
        sy_log_fail(SY_LOG_ERROR, "modbus-not-kept", &f);
    pthread_mutex_lock(&b->mu);
    u->counts.answers += err == SY_OK;
    u->last_answer_at = err ? u->last_answer_at : sy_wall_ms();
    pthread_mutex_unlock(&b->mu);
    return err != SY_E_CLOSED;
}

bool sy_bus__turn(sy_bus *b, sy_mb_unit *u)
{
    sy_mb_answer a = {.n = 0};
    bool alive = false, lost = false;
    size_t had = 0;
    sy_buf_reset(&b->poll);
    sy_mb_poll_begin(&b->poll, u->device->modbus->unit);
    for (size_t k = 0; k < u->n_asks && !lost;) {
        size_t asks = u->n_asks;
        sy_mb_result result = ask_again(b, u, &u->asks[k].read, &a);
        lost = result != SY_MB_ANSWERED && (result != SY_MB_REFUSED || is_silence(result, &a));
        if (result == SY_MB_ANSWERED) {
            sy_mb_poll_add(&b->poll, &u->asks[k].read, (sy_span){(const char *)a.pdu, a.n});
            had++;
        } else if (lost) {
            count_failure(b, u, result, &a);
        } else {
            refused(b, u, k, a.exception);
        }
        alive = alive || !lost;
        k += 1 + u->n_asks - asks; /* the parts of one that was split wait for the next turn */
    }
    changed(b, u, alive, sy_mb_link_connected(b->link) || !b->connect_fails);
    return had == 0 || keep(b, u);
}
