/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer does to the outbox: what was taken leaves it, what is refused for good is set
 * aside, what is doubted is held (suspects.h), and the rest waits.
 */
#include "base/log.h"
#include "upstream/proofs.h"
#include "upstream/sender_int.h"

static sy_err leave(sy_sender *s, const sy_batch *b, sy_fail *f)
{
    if (s->ops->taken) {
        return s->ops->taken(s->road, b, f);
    }
    sy_err e = sy_store_outbox_done(s->store, s->name, b->numbers, b->n, NULL, f);
    if (e == SY_OK && s->ops->ledger) {
        e = sy_proofs_taken(s->store, s->name, b->numbers, b->n, f);
    }
    return e;
}

static sy_step taken(sy_sender *s, const sy_batch *b, sy_ms *pause)
{
    sy_fail f;
    if (leave(s, b, &f) != SY_OK) {
        return sy_sender__failed(s, &f, pause); /* they go again; the receiver knows them */
    }
    for (size_t i = 0; i < b->n; i++) {
        s->telling = sy_proofs_is_head(b->numbers[i]) ? 0 : s->telling;
    }
    sy_suspects_taken(&s->suspects, b->numbers, b->n);
    s->limit = s->limit * 2 < s->ops->most_events ? s->limit * 2 : s->ops->most_events;
    if (s->failures > 0) {
        sy_log(SY_LOG_INFO, "upstream-recovered", "destination=%s failures=%u", s->name,
               s->failures);
    }
    s->failures = 0;
    sy_addresses_served(&s->addresses);
    if (sy_suspects_count_held(&s->suspects) == 0 && s->suspects.n == 0) {
        sy_sender__set_error(s, "");
    }
    sy_log(SY_LOG_DEBUG, "upstream-delivered", "destination=%s events=%zu", s->name, b->n);
    return SY_STEP_MORE;
}

/* The destination will not have this event, now or later. */
static sy_step set_aside(sy_sender *s, const sy_outbox_item *item, const char *why, sy_ms *pause)
{
    char quoted[640];
    sy_fail f;
    if (sy_proofs_is_head(item->number)) {
        s->head_refused = item->number;
        s->telling = 0;
    } else if (sy_store_outbox_done(s->store, s->name, &item->number, 1, why, &f) != SY_OK) {
        return sy_sender__failed(s, &f, pause);
    }
    sy_sender__set_error(s, why);
    sy_log(SY_LOG_ERROR, "upstream-event-refused", "destination=%s event=%s msg=%s", s->name,
           item->id, sy_logq(sy_span_of(why), quoted, sizeof quoted));
    return SY_STEP_MORE;
}

static sy_step refused_alone(sy_sender *s, const sy_outbox_item *item, const char *why,
                             sy_ms *pause)
{
    char alert[72];
    sy_sender__alert_of(item, alert, sizeof alert);
    if (sy_suspects_alone(&s->suspects, item->number, alert)) {
        return set_aside(s, item, why, pause);
    }
    if (sy_suspects_count_held(&s->suspects) == 1) {
        s->held_until = sy_mono_ms() + sy_sender__backoff(s);
    }
    sy_sender__report(s, SY_LOG_ERROR, "upstream-held", why, s->held_until - sy_mono_ms());
    if (sy_suspects_count_held(&s->suspects) < SY_HELD_MAX) {
        return SY_STEP_MORE;
    }
    *pause = sy_sender__backoff(s);
    sy_suspects_release(&s->suspects);
    return SY_STEP_PAUSE;
}

/* The answer is of all of these. */
static sy_step together(sy_sender *s, const sy_batch *b, const sy_reply *r, sy_ms *pause)
{
    switch (r->answer) {
    case SY_ANSWER_OK:
        return taken(s, b, pause);
    case SY_ANSWER_EVENT:
        if (b->n == 1) {
            return refused_alone(s, b->items[0], r->text, pause);
        }
        sy_suspects_refused(&s->suspects, b->numbers, b->n);
        s->limit = b->n / 2;
        return SY_STEP_MORE;
    case SY_ANSWER_LATER:
    case SY_ANSWER_DESTINATION:
        break;
    }
    if (r->status != 429 && sy_sender__next_address(s, r->text)) {
        return SY_STEP_MORE;
    }
    *pause = sy_sender__backoff(s);
    if (r->retry_after > 0) {
        /* What the server says, and a little more, so that its clients do not all come at once. */
        *pause = r->retry_after + *pause % (s->times.backoff_base + 1);
    }
    sy_sender__report(s, r->answer == SY_ANSWER_LATER ? SY_LOG_WARN : SY_LOG_ERROR,
                      "upstream-failed", r->text, *pause);
    return SY_STEP_PAUSE;
}

/* Those of a batch that have this fate. */
static sy_batch of_fate(const sy_batch *b, const sy_each *each, sy_fate fate, sy_chosen *room)
{
    sy_batch some = {room->items, room->numbers, 0, b->arena, b->now};
    for (size_t i = 0; i < b->n; i++) {
        if (each[i].fate == fate) {
            room->items[some.n] = b->items[i];
            room->numbers[some.n++] = b->numbers[i];
        }
    }
    return some;
}

sy_step sy_sender__act(sy_sender *s, const sy_batch *b, const sy_reply *r, sy_ms *pause)
{
    sy_chosen room;
    sy_step step = SY_STEP_MORE;
    if (!r->each) {
        return together(s, b, r, pause);
    }
    sy_batch some = of_fate(b, r->each, SY_FATE_TAKEN, &room);
    if (some.n > 0) {
        step = taken(s, &some, pause);
    }
    for (size_t i = 0; i < b->n && step != SY_STEP_PAUSE; i++) {
        if (r->each[i].fate == SY_FATE_REFUSED) {
            step = set_aside(s, b->items[i], r->each[i].why, pause);
        } else if (r->each[i].fate == SY_FATE_DOUBTED) {
            step = refused_alone(s, b->items[i], r->each[i].why, pause);
        }
    }
    some = of_fate(b, r->each, SY_FATE_OPEN, &room);
    return some.n > 0 && step != SY_STEP_PAUSE ? together(s, &some, r, pause) : step;
}
