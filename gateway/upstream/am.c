/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/am.h"

#include <stdio.h>

#include "upstream/owed.h"

void sy_am_init(sy_am *a, sy_store *store, const char *destination, const sy_am_times *times,
                const sy_egress *egress)
{
    memset(a, 0, sizeof *a);
    a->store = store;
    a->destination = destination;
    a->times = *times;
    a->egress = egress;
    a->settled = SY_MS_MAX;
    sy_buf_init(&a->body, sy_heap());
}

void sy_am_fini(sy_am *a)
{
    sy_buf_fini(&a->body);
}

void sy_am_begin(sy_am *a)
{
    a->n = a->n_passed = 0;
    a->settled = SY_MS_MAX;
}

static bool has_passed(const sy_am *a, const char *alert)
{
    for (size_t i = 0; i < a->n_passed; i++)
        if (strcmp(a->passed[i], alert) == 0)
            return true;
    return false;
}

static bool pass(sy_am *a, const sy_am_event *e, sy_ms until)
{
    if (a->n_passed < SY_AM_BATCH && !has_passed(a, e->alert))
        memcpy(a->passed[a->n_passed++], e->alert, sizeof e->alert);
    a->settled = until < a->settled ? until : a->settled;
    return false;
}

/* Does the alert fire there for long enough, so that it may end? A clock that was set back holds
 * nothing up. */
static bool settled(sy_am *a, const char *alert, sy_arena *arena, sy_ms now, sy_ms *until)
{
    sy_firing row;
    for (size_t i = 0; i < a->n; i++)
        if (a->events[i].firing && strcmp(a->events[i].alert, alert) == 0) {
            *until = now + a->times.settle;
            return false; /* it is told that it fires in this very batch */
        }
    if (sy_store_firing_of(a->store, a->destination, alert, arena, &row, NULL) != SY_OK)
        return true;
    *until = row.since + a->times.settle;
    return now < row.since || now >= *until;
}

bool sy_am_choose(sy_am *a, const sy_outbox_item *item, sy_arena *arena, sy_ms now)
{
    sy_am_event *e = &a->events[a->n];
    sy_ms until = 0;
    if (a->n == SY_AM_BATCH)
        return false;
    /* What cannot be read is sent, refused there and set aside. */
    if (sy_am_read(item->body, e, NULL) != SY_OK)
        memset(e, 0, sizeof *e);
    if (e->alert[0] &&
        (has_passed(a, e->alert) || (!e->firing && !settled(a, e->alert, arena, now, &until))))
        return pass(a, e, until ? until : a->settled);
    a->told[a->n] = (sy_told){item->number, e->alert[0] ? e->alert : NULL, e->firing};
    a->n++;
    return true;
}

/* The event before items[i] of the same alert: in this batch, else what the destination has. */
static sy_err former_of(sy_am *a, const sy_outbox_item *const *items, size_t i, sy_arena *arena,
                        sy_span *body, sy_fail *f)
{
    sy_firing row = {0};
    for (size_t k = i; k-- > 0;)
        if (strcmp(a->events[k].alert, a->events[i].alert) == 0) {
            *body = items[k]->body;
            return SY_OK;
        }
    sy_err e = sy_store_firing_of(a->store, a->destination, a->events[i].alert, arena, &row, f);
    *body = row.body;
    return e ? e : sy_owed_text(a->egress, body, arena, f);
}

/* What was told of the alert with another severity, and so under other labels, is over. */
static sy_err end_former(sy_am *a, const sy_outbox_item *const *items, size_t i, sy_arena *arena,
                         sy_ms now, sy_fail *f)
{
    const sy_am_say over = {.now = now, .is_over = true};
    sy_span body = {NULL, 0};
    sy_am_event former;
    if (!a->events[i].alert[0])
        return SY_OK;
    sy_err e = former_of(a, items, i, arena, &body, f);
    if (e == SY_E_NOTFOUND)
        return SY_OK;
    e = e ? e : sy_am_read(body, &former, f);
    if (!e && strcmp(former.severity, a->events[i].severity) != 0)
        e = sy_am_write(&a->body, body, &over, f);
    return e;
}

sy_err sy_am_body(sy_am *a, const sy_outbox_item *const *items, size_t n, sy_arena *arena,
                  sy_ms now, sy_fail *f)
{
    const sy_am_say say = {.now = now, .keep = a->times.keep};
    sy_err err = SY_OK;
    sy_buf_reset(&a->body);
    sy_buf_char(&a->body, '[');
    for (size_t i = 0; i < n && !err; i++) {
        err = end_former(a, items, i, arena, now, f);
        err = err ? err : sy_am_write(&a->body, items[i]->body, &say, f);
    }
    sy_buf_char(&a->body, ']');
    return err ? err : a->body.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for alerts") : SY_OK;
}

sy_err sy_am_taken(sy_am *a, sy_ms now, sy_fail *f)
{
    return sy_store_firing_done(a->store, a->destination, a->told, a->n, now, f);
}

sy_err sy_am_again(sy_am *a, sy_arena *arena, sy_ms now, size_t *n, sy_fail *f)
{
    sy_firing *rows = NULL;
    *n = 0;
    a->n = 0;
    if (sy_mono_ms() < a->next)
        return SY_OK;
    sy_err err =
        sy_store_firing(a->store, a->destination, a->after, SY_AM_BATCH, arena, &rows, n, f);
    sy_buf_reset(&a->body);
    sy_buf_char(&a->body, '[');
    for (size_t i = 0; i < *n && !err; i++) {
        const sy_am_say say = {.now = now, .keep = a->times.keep, .is_over = rows[i].over};
        sy_am_event *e = &a->events[a->n];
        err = sy_owed_text(a->egress, &rows[i].body, arena, f);
        if (err == SY_E_DENIED) { /* by now: it is forgotten, and ends there by itself */
            err = SY_OK;
            snprintf(e->alert, sizeof e->alert, "%s", rows[i].alert);
            a->told[a->n++] = (sy_told){rows[i].number, e->alert, false};
            continue;
        }
        err = err ? err : sy_am_read(rows[i].body, e, f);
        err = err ? err : sy_am_write(&a->body, rows[i].body, &say, f);
        a->told[a->n++] = (sy_told){rows[i].number, e->alert, !rows[i].over};
    }
    sy_buf_char(&a->body, ']');
    if (*n == 0) { /* the end of a round */
        a->after[0] = 0;
        a->next = sy_mono_ms() + a->times.again;
    }
    return err;
}

sy_err sy_am_again_taken(sy_am *a, sy_fail *f)
{
    sy_err err = SY_OK;
    for (size_t i = 0; i < a->n && !err; i++)
        if (!a->told[i].firing)
            err = sy_store_firing_over(a->store, a->destination, a->told[i].alert, f);
    if (!err && a->n)
        memcpy(a->after, a->events[a->n - 1].alert, sizeof a->after);
    return err;
}

sy_ms sy_am_sleep(const sy_am *a, sy_ms now, sy_ms most)
{
    sy_ms due = a->next - sy_mono_ms();
    sy_ms hold = a->settled == SY_MS_MAX ? most : a->settled - now;
    due = due < hold ? due : hold;
    due = due < most ? due : most;
    return due > 1 ? due : 1;
}
