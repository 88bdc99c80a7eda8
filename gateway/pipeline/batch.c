/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting and committing. Whether a reading is new is the store's answer, known at commit; so
 * those counts are made there, and made again if the transaction is tried again. */
#include "pipeline/batch.h"

#include <stdio.h>

#include "store/leaves.h"
#include "store/salvage.h"

void sy_batch_init(sy_batch *b)
{
    memset(b, 0, sizeof *b);
    b->past_from = SY_MS_NONE;
    sy_arena_init(&b->arena, sy_heap(), 0);
}

void sy_batch_fini(sy_batch *b)
{
    sy_alloc heap = sy_heap();
    heap.resize(heap.ctx, b->readings, 0);
    heap.resize(heap.ctx, b->changes, 0);
    heap.resize(heap.ctx, b->events, 0);
    heap.resize(heap.ctx, b->pasts, 0);
    heap.resize(heap.ctx, b->notes, 0);
    heap.resize(heap.ctx, b->series, 0);
    sy_arena_fini(&b->arena);
    memset(b, 0, sizeof *b);
}

void sy_batch_reset(sy_batch *b)
{
    b->n_readings = b->n_changes = b->n_events = b->n_pasts = b->n_notes = 0;
    b->past_anew = b->action = false;
    b->past_from = SY_MS_NONE;
    memset(b->counts, 0, sizeof b->counts);
    sy_arena_fini(&b->arena);
}

bool sy_batch_empty(const sy_batch *b)
{
    for (int i = 0; i < SY_N_COUNTERS; i++)
        if (b->counts[i])
            return false;
    return b->n_readings == 0 && b->n_changes == 0 && b->n_events == 0 && b->n_notes == 0 &&
           b->n_pasts == 0 && !b->past_anew;
}

void sy_batch_site(sy_batch *b)
{
    b->n_series = 0;
}

sy_err sy_batch_reading_add(sy_batch *b, const sy_batch_reading *r)
{
    if (b->discard && r->seq <= b->known)
        return SY_OK;
    sy_err err = sy_grow(sy_heap(), (void **)&b->readings, &b->cap_readings, b->n_readings + 1,
                         sizeof *b->readings);
    if (!err)
        b->readings[b->n_readings++] = *r;
    return err;
}

static const char *keep(sy_batch *b, const char *text, bool *failed)
{
    if (!text)
        return NULL;
    char *copy = sy_arena_text(&b->arena, sy_span_of(text));
    *failed = *failed || !copy;
    return copy;
}

static sy_alert_row row_of(sy_batch *b, const sy_event_of *e, bool *failed)
{
    const sy_alert *a = &e->change->alert;
    const sy_site_point *point = &e->config->site->points[a->point];
    const sy_rule *r = a->rule;
    return (sy_alert_row){
        .id = keep(b, a->id, failed),
        .rule = keep(b, r->id, failed),
        .subject = keep(b, a->subject, failed),
        .series = keep(b, point->series, failed),
        .version = (int64_t)r->version->value,
        .severity = (int)a->level,
        .state = (int)a->state,
        .onset = a->onset,
        .raised = a->raised,
        .cleared = a->cleared,
        .min = a->min,
        .max = a->max,
        .count = a->count,
        .counted = a->counted,
        .unknown = a->unknown,
        .exempt = a->exempt,
        .driver_is_state = point->is_state,
        .message_en = keep(b, r->say.en, failed),
        .message_zh = keep(b, r->say.zh, failed),
        .replaces = keep(b, a->replaces, failed),
        .judgement_hash = keep(b, r->judgement_hex, failed),
        .trial = a->trial,
    };
}

static sy_event_row event_of(sy_batch *b, const sy_event_of *e, const char *alert_id, bool *failed)
{
    const sy_alert *a = &e->change->alert;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_event_id(a, e->number, &text);
    char *id = sy_arena_text(&b->arena, sy_buf_span(&text));
    *failed = *failed || text.failed;
    sy_buf_reset(&text);
    sy_event_json(e, &text);
    char *body = sy_arena_text(&b->arena, sy_buf_span(&text));
    *failed = *failed || text.failed || !id || !body;
    sy_event_row row = {
        .id = id,
        .kind = sy_event_kind(e),
        .alert = alert_id,
        .time = e->change->at,
        .severity = (int)a->level,
        .priority = a->state == SY_ALERT_ACTIVE && !(e->act && e->act->act) ? 0 : 1,
        .body = {body, text.n},
    };
    sy_buf_fini(&text);
    return row;
}

typedef struct heard { /* by which rule, at which level */
    const sy_config *config;
    const sy_rule *rule;
    sy_alert_level level;
} heard;

static void address(sy_batch *b, sy_batch_change *c, const heard *by, const sy_event_to *to,
                    bool *failed)
{
    const sy_config *config = by->config;
    if (config->n_destinations == 0)
        return;
    c->destinations = sy_arena_get(&b->arena, config->n_destinations * sizeof *c->destinations);
    if (!c->destinations) {
        *failed = true;
        return;
    }
    for (size_t i = 0; i < config->n_destinations; i++)
        if (sy_event_goes_to(&config->destinations[i], by->rule, by->level, to))
            c->destinations[c->n_destinations++] = keep(b, config->destinations[i].name, failed);
}

sy_err sy_batch_group_add(sy_batch *b, const sy_event_row *row, const sy_config *config,
                          const sy_rule *rule, sy_alert_level level)
{
    if (b->discard)
        return SY_OK;
    sy_err err = sy_grow(sy_heap(), (void **)&b->changes, &b->cap_changes, b->n_changes + 1,
                         sizeof *b->changes);
    if (err)
        return err;
    bool failed = false;
    const sy_event_to to = {.levels = 1u << level};
    const heard by = {config, rule, level};
    sy_batch_change c = {.acted = true, .event = *row};
    c.event.id = keep(b, row->id, &failed);
    c.event.kind = keep(b, row->kind, &failed);
    c.event.alert = keep(b, row->alert, &failed);
    c.event.body.p = sy_arena_text(&b->arena, row->body);
    c.set = keep(b, config->hash_hex, &failed);
    address(b, &c, &by, &to, &failed);
    if (failed || !c.event.body.p)
        return SY_E_NOMEM;
    b->changes[b->n_changes++] = c;
    return SY_OK;
}

sy_err sy_batch_change_add(sy_batch *b, const sy_event_of *e, const sy_event_to *to,
                           const sy_stand_row *stand)
{
    if (b->discard)
        return SY_OK;
    sy_err err = sy_grow(sy_heap(), (void **)&b->changes, &b->cap_changes, b->n_changes + 1,
                         sizeof *b->changes);
    if (err)
        return err;
    bool failed = false;
    sy_batch_change c = {.raised = !e->act && e->change->kind == SY_CHANGE_RAISED,
                         .acted = e->act != NULL};
    c.row = row_of(b, e, &failed);
    c.event = event_of(b, e, c.row.id, &failed);
    c.set = keep(b, e->config->hash_hex, &failed);
    const heard by = {e->config, e->change->alert.rule, e->change->alert.level};
    if (!e->change->alert.trial)
        address(b, &c, &by, to, &failed);
    if (stand) {
        c.stand = *stand;
        c.stand.alert = c.row.id;
        c.stand.by = keep(b, stand->by, &failed);
        c.stand.group = keep(b, stand->group, &failed);
    }
    if (sy_basis_plan_make(e, &b->arena, &c.basis))
        failed = true;
    if (failed)
        return SY_E_NOMEM;
    b->changes[b->n_changes++] = c;
    return SY_OK;
}

sy_err sy_batch_event_add(sy_batch *b, const sy_event_row *e, const sy_config *config,
                          sy_egress_class class)
{
    if (b->discard)
        return SY_OK;
    sy_err err =
        sy_grow(sy_heap(), (void **)&b->events, &b->cap_events, b->n_events + 1, sizeof *b->events);
    if (err)
        return err;
    bool failed = false;
    sy_batch_event x = {.event = *e, .set = keep(b, config->hash_hex, &failed)};
    char *body = sy_arena_text(&b->arena, e->body);
    x.event.id = keep(b, e->id, &failed);
    x.event.kind = keep(b, e->kind, &failed);
    x.event.body = (sy_span){body, e->body.n};
    x.destinations = sy_arena_get(&b->arena, (config->n_destinations + 1) * sizeof *x.destinations);
    for (size_t i = 0; x.destinations && i < config->n_destinations; i++)
        if (config->destinations[i].egress.classes & (1u << class))
            x.destinations[x.n_destinations++] = keep(b, config->destinations[i].name, &failed);
    if (failed || !body || !x.destinations)
        return SY_E_NOMEM;
    b->events[b->n_events++] = x;
    return SY_OK;
}

static sy_err note(sy_batch *b, const sy_batch_note *n)
{
    if (b->discard)
        return SY_OK;
    sy_err err =
        sy_grow(sy_heap(), (void **)&b->notes, &b->cap_notes, b->n_notes + 1, sizeof *b->notes);
    if (!err)
        b->notes[b->n_notes++] = *n;
    return err;
}

sy_err sy_batch_activation(sy_batch *b, uint64_t seq, const char *set)
{
    sy_batch_note n = {.seq = seq};
    memcpy(n.set, set, strnlen(set, sizeof n.set - 1));
    return note(b, &n);
}

sy_err sy_batch_clock(sy_batch *b, uint64_t seq, sy_ms old, sy_ms now)
{
    return note(b, &(sy_batch_note){.seq = seq, .old = old, .now = now});
}

sy_err sy_batch_action(sy_batch *b, uint64_t seq, sy_ms now, const sy_upkeep_act *a)
{
    sy_batch_note n = {.seq = seq, .now = now};
    char what[64] = "maintenance-end", until[25], on[640];
    if (b->discard)
        return SY_OK;
    if (a->start) {
        sy_time_text(a->until, until);
        snprintf(what, sizeof what, "maintenance-start until %s", until);
    }
    snprintf(on, sizeof on, "%s %.*s", sy_upkeep_kind_name(a->kind), (int)a->on.n, a->on.p);
    bool failed = false;
    n.action = (sy_action){.who = sy_arena_text(&b->arena, a->who),
                           .what = keep(b, what, &failed),
                           .on = keep(b, on, &failed),
                           .why = sy_arena_text(&b->arena, a->why)};
    if (failed || !n.action.who || !n.action.why)
        return SY_E_NOMEM;
    b->action = true;
    return note(b, &n);
}

sy_err sy_batch_act(sy_batch *b, uint64_t seq, sy_ms now, const sy_act *a)
{
    char what[SY_ACT_VIA + 80], until[25], on[48];
    int n = snprintf(what, sizeof what, "%s", sy_act_word(a->kind));
    if (b->discard)
        return SY_OK;
    if (a->kind == SY_ACT_SHELVE) {
        sy_time_text(a->until, until);
        n += snprintf(what + n, sizeof what - (size_t)n, " until %s", until);
    }
    snprintf(what + n, sizeof what - (size_t)n, " via %.*s", (int)a->via.n, a->via.p);
    snprintf(on, sizeof on, "alert %.*s", (int)a->alert.n, a->alert.p);
    bool failed = false;
    const char *who = sy_arena_text(&b->arena, a->who);
    const char *why = a->why.n ? sy_arena_text(&b->arena, a->why) : keep(b, "", &failed);
    sy_batch_note x = {.seq = seq, .now = now};
    x.action = (sy_action){
        .who = who, .what = keep(b, what, &failed), .on = keep(b, on, &failed), .why = why};
    x.act = (sy_act_row){.seq = seq,
                         .alert = sy_arena_text(&b->arena, a->alert),
                         .kind = sy_act_word(a->kind),
                         .time = now,
                         .until = a->until,
                         .who = who,
                         .via = sy_arena_text(&b->arena, a->via),
                         .why = why};
    if (failed || !who || !why || !x.act.alert || !x.act.via)
        return SY_E_NOMEM;
    b->action = true;
    return note(b, &x);
}

sy_err sy_batch_past_add(sy_batch *b, const sy_past *p)
{
    if (b->discard)
        return SY_OK;
    sy_err err =
        sy_grow(sy_heap(), (void **)&b->pasts, &b->cap_pasts, b->n_pasts + 1, sizeof *b->pasts);
    if (err)
        return err;
    bool failed = false;
    sy_past row = *p;
    row.place = keep(b, p->place, &failed);
    row.set_hash = keep(b, p->set_hash, &failed);
    row.bytes.p = sy_arena_text(&b->arena, p->bytes);
    if (failed || !row.bytes.p)
        return SY_E_NOMEM;
    b->pasts[b->n_pasts++] = row;
    return SY_OK;
}

void sy_batch_past_anew(sy_batch *b)
{
    if (b->discard)
        return;
    b->past_anew = true;
    b->n_pasts = 0;
}

static sy_err series_of(sy_batch *b, sy_store *s, const sy_site *site, uint32_t point, int64_t *id,
                        sy_fail *f)
{
    if (b->n_series < site->n_points) {
        if (sy_grow(sy_heap(), (void **)&b->series, &b->cap_series, site->n_points,
                    sizeof *b->series))
            return sy_fail_set(f, SY_E_NOMEM, "out of memory");
        memset(b->series, 0, site->n_points * sizeof *b->series);
        b->n_series = site->n_points;
    }
    if (b->series[point] == 0) {
        const sy_site_point *p = &site->points[point];
        sy_err err = sy_store_series(s, p->series, p->device, p->name, p->unit ? p->unit : "",
                                     &b->series[point], f);
        if (err)
            return err;
    }
    *id = b->series[point];
    return SY_OK;
}

/* What the quality of a reading counts as. */
static const struct {
    sy_quality bit;
    sy_counter counter;
} counted[] = {
    {SY_Q_LATE, SY_N_late},
    {SY_Q_DEVICE_FAULT, SY_N_faults},
    {SY_Q_STUCK, SY_N_stuck},
    {SY_Q_SPIKE, SY_N_spikes},
    {SY_Q_OUT_OF_RANGE, SY_N_out_of_range},
    {SY_Q_UNCALIBRATED, SY_N_uncalibrated},
    {SY_Q_MAINTENANCE, SY_N_maintained},
};
enum { N_COUNTED = sizeof counted / sizeof *counted };

/* How many readings of each kind, and of those that are new how many have each quality. */
typedef struct puts {
    uint64_t kind[SY_PUT_CONFLICT + 1], quality[N_COUNTED];
} puts_of;

static sy_err put_readings(sy_batch *b, sy_store *s, const sy_site *site, puts_of *puts, sy_fail *f)
{
    memset(puts, 0, sizeof *puts);
    for (size_t i = 0; i < b->n_readings; i++) {
        const sy_batch_reading *r = &b->readings[i];
        int64_t series = 0;
        sy_put put = SY_PUT_NEW;
        sy_err err = series_of(b, s, site, r->point, &series, f);
        if (!err)
            err = sy_store_reading(s, series, r->t, r->value, r->quality, r->recv, r->seq, &put, f);
        if (err)
            return err;
        puts->kind[put]++;
        for (size_t k = 0; k < N_COUNTED && put != SY_PUT_DUPLICATE && r->quality; k++)
            puts->quality[k] += (r->quality & counted[k].bit) != 0;
    }
    return SY_OK;
}

static void count_readings(sy_store *s, const puts_of *puts)
{
    sy_store_count(s, SY_N_stored, puts->kind[SY_PUT_NEW] + puts->kind[SY_PUT_CONFLICT]);
    sy_store_count(s, SY_N_conflicts, puts->kind[SY_PUT_CONFLICT]);
    sy_store_count(s, SY_N_duplicates, puts->kind[SY_PUT_DUPLICATE]);
    for (size_t k = 0; k < N_COUNTED; k++)
        sy_store_count(s, counted[k].counter, puts->quality[k]);
}

static sy_err put_leaf(sy_batch *b, const sy_batch_change *c, const sy_basis_sum *readings,
                       sy_fail *f)
{
    if (!b->ledger)
        return SY_OK;
    const sy_leaf_event leaf = {.id = sy_span_of(c->event.id),
                                .body = c->event.body,
                                .set = sy_span_of(c->set),
                                .readings = readings->n > 0,
                                .n = readings->n,
                                .root = readings->root};
    return sy_ledger_event(b->ledger, c->event.id, &leaf, f);
}

static sy_err put_notes(const sy_batch *b, sy_store *s, sy_fail *f)
{
    sy_buf leaf;
    sy_err err = SY_OK;
    sy_buf_init(&leaf, sy_heap());
    for (size_t i = 0; b->ledger && i < b->n_notes && !err; i++) {
        const sy_batch_note *n = &b->notes[i];
        uint64_t index = 0;
        sy_buf_reset(&leaf);
        if (n->action.what)
            sy_leaf_action_text(n->now, &n->action, &leaf);
        else if (n->set[0])
            sy_leaf_activation_text(n->seq, n->set, &leaf);
        else
            sy_leaf_clock_text(n->seq, n->old, n->now, &leaf);
        err = leaf.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf")
                          : sy_store_leaf(s, sy_buf_span(&leaf), &index, f);
    }
    sy_buf_fini(&leaf);
    return err;
}

static sy_err put_acts(const sy_batch *b, sy_store *s, sy_fail *f)
{
    sy_err err = SY_OK;
    for (size_t i = 0; i < b->n_notes && !err; i++)
        if (b->notes[i].act.alert)
            err = sy_store_act(s, &b->notes[i].act, f);
    return err;
}

/* A head that cannot be signed is no reason to keep alerts back: it is told, and signed later. */
static sy_err put_head(sy_batch *b, sy_fail *f)
{
    if (!b->ledger)
        return SY_OK;
    return sy_ledger_sign(b->ledger, b->now, b->n_changes > 0 || b->n_events > 0 || b->action,
                          &b->signed_head, f);
}

static sy_err put_changes(sy_batch *b, sy_store *s, sy_fail *f)
{
    for (size_t i = 0; i < b->n_changes; i++) {
        const sy_batch_change *c = &b->changes[i];
        bool added = false;
        sy_err err = c->acted ? SY_OK : sy_store_alert(s, &c->row, f);
        if (!err && c->stand.alert)
            err = sy_store_stand(s, &c->stand, f);
        if (!err)
            err = sy_store_event(s, &c->event, c->destinations, c->n_destinations, &added, f);
        sy_basis_sum readings;
        if (!err && added)
            err = sy_basis_put(s, c->event.id, &c->basis, &readings, f);
        if (!err && added)
            err = put_leaf(b, c, &readings, f);
        if (err)
            return err;
        if (!added)
            continue;
        if (c->raised)
            sy_store_count(s, SY_N_alerts, 1);
        sy_store_count(s, SY_N_events_queued, c->n_destinations);
    }
    return SY_OK;
}

static sy_err put_events(sy_batch *b, sy_store *s, sy_fail *f)
{
    sy_err err = SY_OK;
    for (size_t i = 0; i < b->n_events && !err; i++) {
        const sy_batch_event *x = &b->events[i];
        const sy_leaf_event leaf = {
            .id = sy_span_of(x->event.id), .body = x->event.body, .set = sy_span_of(x->set)};
        bool added = false;
        err = sy_store_event(s, &x->event, x->destinations, x->n_destinations, &added, f);
        if (!err && added && b->ledger)
            err = sy_ledger_event(b->ledger, x->event.id, &leaf, f);
        if (!err && added)
            sy_store_count(s, SY_N_events_queued, x->n_destinations);
    }
    return err;
}

static sy_err put_pasts(sy_batch *b, sy_store *s, sy_fail *f)
{
    sy_err err = SY_OK;
    if (b->past_anew)
        err = sy_store_past_forget(s, SY_MS_MAX, f);
    else if (b->past_from != SY_MS_NONE)
        err = sy_store_past_forget(s, b->past_from, f);
    for (size_t i = 0; i < b->n_pasts && !err; i++)
        err = sy_store_past_put(s, &b->pasts[i], f);
    return err;
}

sy_err sy_batch_commit(sy_batch *b, sy_store *s, const sy_site *site, const sy_batch_end *end,
                       sy_fail *f)
{
    puts_of puts;
    bool durable =
        b->n_changes > 0 || b->n_events > 0 || b->action || (b->ledger && sy_ledger_due(b->ledger));
    b->signed_head = false;
    sy_err err = sy_store_begin(s, durable, f);
    if (err)
        return err;
    err = put_readings(b, s, site, &puts, f);
    if (!err) {
        count_readings(s, &puts);
        err = put_notes(b, s, f);
    }
    if (!err)
        err = put_acts(b, s, f);
    if (!err)
        err = put_changes(b, s, f);
    if (!err)
        err = put_events(b, s, f);
    if (!err)
        err = put_pasts(b, s, f);
    if (!err && durable)
        err = put_head(b, f);
    if (!err && end->set_hash)
        err = sy_store_snapshot_put(s, end->seq, end->set_hash, end->snapshot, f);
    for (int i = 0; i < SY_N_COUNTERS && !err; i++)
        if (b->counts[i])
            sy_store_count(s, (sy_counter)i, b->counts[i]);
    if (!err && end->sync && sy_store_writes(s))
        err = end->sync(end->ctx, end->seq, f);
    if (!err)
        err = sy_store_commit(s, end->seq, f);
    if (err == SY_E_CORRUPT)
        sy_store_note_damage(s);
    if (err) {
        sy_store_rollback(s);
        b->n_series = 0; /* series made in this transaction are gone */
    } else if (b->signed_head) {
        sy_ledger_signed(b->ledger);
    }
    return err;
}

sy_err sy_batch_again(sy_batch *b, sy_store *s, const sy_site *site, uint64_t seq, sy_fail *f)
{
    puts_of puts;
    if (b->n_readings == 0)
        return SY_OK;
    sy_err err = sy_store_begin(s, false, f);
    if (err)
        return err;
    err = put_readings(b, s, site, &puts, f);
    if (!err)
        err = sy_store_commit(s, seq, f);
    if (err)
        sy_store_rollback(s);
    b->n_readings = 0;
    return err;
}
