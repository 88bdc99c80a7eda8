/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes into the next batch of a destination: of the events that wait, in their order, those
 * that are not held and that the road can tell now; behind them the newest head of the ledger.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "upstream/proofs.h"
#include "upstream/sender_int.h"

void sy_sender__alert_of(const sy_outbox_item *item, char *out, size_t size)
{
    json_t *event = json_loadb(item->body.p, item->body.n, 0, NULL);
    json_t *alert = json_object_get(json_object_get(event, "data"), "alert");
    const char *id = json_string_value(json_object_get(alert, "id"));
    snprintf(out, size, "%s", id ? id : "");
    json_decref(event);
}

static bool passed_over(const sy_sender *s, const sy_outbox_item *item)
{
    char alert[72];
    if (sy_suspects_count_held(&s->suspects) == 0) {
        return false;
    }
    if (sy_suspects_held(&s->suspects, item->number)) {
        return true;
    }
    sy_sender__alert_of(item, alert, sizeof alert);
    return sy_suspects_holds_alert(&s->suspects, alert);
}

/* What goes beside an event is put into its body here, in this order: what hides data first, a
 * signature over what is left, the proof last. */
static void dress(sy_sender *s, sy_outbox_item *item)
{
    if (s->ops->ledger && s->signer) {
        sy_proofs_sign(s->signer, item, &s->arena);
    }
    if (s->ops->ledger) {
        sy_proofs_add(s->store, item, &s->arena);
    }
}

static bool full(const sy_sender *s, const sy_chosen *c, size_t more)
{
    size_t most = s->ops->most_bytes;
    return most && c->n > 0 && c->bytes + more + 1 > most;
}

static void put(sy_chosen *c, const sy_outbox_item *item)
{
    c->items[c->n] = item;
    c->numbers[c->n++] = item->number;
    c->bytes += item->body.n + 1;
}

/* The head that the events stand under. */
static void add_head(sy_sender *s, sy_chosen *c)
{
    if (!(s->egress.classes & (1u << SY_EGRESS_HEAD)) || !s->ops->ledger || c->n >= s->limit ||
        !sy_proofs_head(s->store, s->name, &s->telling, &c->head, &s->arena)) {
        return;
    }
    if (c->head.number == s->head_refused) {
        s->telling = 0; /* until there is a newer one */
        return;
    }
    if (sy_suspects_held(&s->suspects, c->head.number)) {
        return;
    }
    dress(s, &c->head);
    if (!full(s, c, c->head.body.n)) {
        put(c, &c->head);
    }
}

void sy_sender__choose(sy_sender *s, sy_outbox_item *items, size_t n, sy_chosen *c)
{
    const sy_road_ops *ops = s->ops;
    c->n = c->n_skipped = 0;
    c->bytes = 2;
    if (s->signer) {
        sy_signer_refresh(s->signer);
    }
    if (ops->begin) {
        ops->begin(s->road);
    }
    for (size_t i = 0; i < n && c->n < s->limit; i++) {
        sy_choice choice = SY_CHOICE_GO;
        if (passed_over(s, &items[i])) {
            continue;
        }
        if (ops->choose) {
            choice = ops->choose(s->road, &items[i], &s->arena, sy_sender__now(s));
        }
        if (choice == SY_CHOICE_SKIP) {
            c->skipped[c->n_skipped++] = items[i].number;
        }
        if (choice != SY_CHOICE_GO) {
            continue;
        }
        dress(s, &items[i]);
        if (full(s, c, items[i].body.n)) {
            break;
        }
        put(c, &items[i]);
    }
    add_head(s, c);
}
