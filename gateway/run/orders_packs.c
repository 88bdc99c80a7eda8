/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs of rules on the disk, and what they would change, found out by another process: a pack that
 * makes the checker or the judge crash, or that takes all memory or time, ends that process and not
 * the gateway.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/jws.h"
#include "run/child.h"
#include "run/orders_int.h"

enum { TRIAL_MS = 900000, EVIDENCE_MS = 300000, EVIDENCE_BYTES = 64 << 20 };
static const sy_ms give_up_after = 86400000;
#define IMPACT_MS ((sy_ms)30 * 86400000)

static void refuse(sy_job *j, const char *why)
{
    snprintf(j->refused, sizeof j->refused, "%s", why);
}

sy_err sy_orders__force(const struct sy_service *s, sy_force **out, sy_fail *f)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_store_in_force_get(s->store, &text, f);
    if (e == SY_OK || e == SY_E_NOTFOUND)
        e = sy_force_open(out, sy_buf_span(&text), f);
    sy_buf_fini(&text);
    return e;
}

bool sy_orders__newer(const sy_force *force, sy_job *j)
{
    sy_force_pack had;
    const sy_order *o = &j->order;
    if (!sy_force_find(force, o->name, &had)) {
        if (o->kind == SY_ORDER_ROLLBACK)
            refuse(j, "there is no pack of this name");
        return o->kind != SY_ORDER_ROLLBACK;
    }
    if (strcmp(had.from, j->destination) != 0)
        snprintf(j->refused, sizeof j->refused, "the name is of what '%.64s' ordered", had.from);
    else if (o->kind == SY_ORDER_ROLLBACK)
        return true;
    else if (had.tuning != (o->kind == SY_ORDER_TUNE))
        refuse(j, "the name is of a pack, or of a tuning, and this is the other");
    else if (o->version <= had.highest)
        snprintf(j->refused, sizeof j->refused,
                 "version %lld is not newer: version %lld was ordered already; an earlier one "
                 "comes back by rollback alone",
                 (long long)o->version, (long long)had.highest);
    return j->refused[0] == '\0';
}

sy_err sy_orders__again(sy_store *s, const char *destination, int64_t number, sy_order *out,
                        sy_fail *f)
{
    sy_buf text;
    sy_jws jws;
    sy_buf_init(&text, sy_heap());
    sy_jws_init(&jws);
    sy_err e = sy_store_order_jws(s, destination, number, &text, f);
    e = e ? e : sy_jws_read(sy_buf_span(&text), &jws, f);
    e = e ? e : sy_order_read(sy_buf_span(&jws.payload), out, f);
    sy_jws_free(&jws);
    sy_buf_fini(&text);
    return e;
}

/* ---- an earlier version ---- */

typedef struct search {
    sy_orders *o;
    sy_job *j;
    bool found;
} search;

static bool look(void *ctx, const sy_order_row *row)
{
    search *x = ctx;
    sy_order order;
    sy_fail unused;
    if (strcmp(row->destination, x->j->destination) != 0 || !row->kind ||
        (strcmp(row->kind, "pack") != 0 && strcmp(row->kind, "tune") != 0) ||
        sy_orders__again(x->o->s->store, row->destination, row->number, &order, &unused) != SY_OK)
        return true;
    if (strcmp(order.name, x->j->order.name) != 0 || order.version != x->j->order.version) {
        sy_order_free(&order);
        return true;
    }
    x->j->older = order;
    x->j->brought = row->number;
    x->found = true;
    return false;
}

static sy_err find_older(sy_orders *o, sy_job *j, sy_fail *f)
{
    search x = {.o = o, .j = j};
    if (j->order.version == 0)
        return SY_OK;
    sy_err e = sy_store_orders(o->s->store, SY_ORDER_DONE, look, &x, f);
    if (!e && !x.found)
        refuse(j, "this box never had this version in force");
    return e;
}

/* A tuning is a pack of one file; an empty one takes it back. */
static sy_err take_files(sy_job *j, const sy_order *from, sy_fail *f)
{
    if (from->kind == SY_ORDER_PACK) {
        j->files = from->pairs;
        j->n_files = from->n_pairs;
        return SY_OK;
    }
    j->tuning = true;
    if (!from->text || !from->text[0])
        return SY_OK;
    sy_order *owner = (sy_order *)(uintptr_t)from;
    sy_order_pair *one = calloc(1, sizeof *one);
    if (!one)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a tuning");
    *one = (sy_order_pair){"tuning.rules", from->text};
    owner->pairs = one; /* freed with the order */
    owner->n_pairs = 1;
    j->files = one;
    j->n_files = 1;
    return SY_OK;
}

/* ---- on the disk ---- */

static sy_err write_one(const char *path, const char *text, bool *changed, sy_fail *f)
{
    sy_buf have;
    sy_buf_init(&have, sy_heap());
    bool same = sy_file_read(path, SY_PACK_BYTES, &have, NULL) == SY_OK &&
                sy_span_is(sy_buf_span(&have), text);
    sy_buf_fini(&have);
    if (same)
        return SY_OK;
    *changed = true;
    return sy_file_write(path, sy_span_of(text), 0600, f);
}

sy_err sy_orders__write_files(const char *data, const char *name, int64_t version,
                              const sy_order_pair *files, size_t n, bool *changed, sy_fail *f)
{
    char path[4600];
    int k = snprintf(path, sizeof path, "%s/packs/%s/%lld", data, name, (long long)version);
    sy_err e = n ? sy_dir_make(path, f) : SY_OK;
    for (size_t i = 0; i < n && !e; i++) {
        snprintf(path + k, sizeof path - (size_t)k, "/%s", files[i].name);
        e = write_one(path, files[i].value, changed, f);
    }
    return e;
}

sy_err sy_orders__change(sy_force *force, const sy_job *j, sy_fail *f)
{
    if (j->order.kind == SY_ORDER_TIERS_OF)
        return sy_force_tiers(force, &j->order, f);
    if (j->order.kind == SY_ORDER_CALIBRATION)
        return sy_force_calibration(force, &j->order, f);
    sy_force_pack had, p = {.name = j->order.name,
                            .from = j->destination,
                            .tuning = j->tuning,
                            .version = j->n_files ? j->order.version : 0,
                            .number = j->brought};
    if (j->order.kind == SY_ORDER_ROLLBACK && j->order.version == 0 &&
        sy_force_find(force, j->order.name, &had))
        p.tuning = had.tuning;
    sy_err e = sy_force_put(force, &p, j->files, j->n_files, f);
    return e ? e
             : sy_force_note(force, j->order.name, j->destination, p.tuning, j->order.version, f);
}

/* ---- the trial ---- */

/* The lines of the child: findings and whether it may be, then what it would change. */
static void take_trial(sy_job *j, sy_buf *said, int status, const sy_fail *ended)
{
    char *first = said->p, *second = said->n ? strchr(said->p, '\n') : NULL;
    if (second)
        *second++ = '\0';
    if (!second || (status == 1 && second[0])) { /* it did not get through the check */
        snprintf(j->refused, sizeof j->refused, "the check of the pack failed: %s",
                 ended->code ? ended->text : "it said nothing");
        return;
    }
    sy_buf_printf(&j->report, "{\"findings\":%s,\"impact\":", first);
    char *end = strchr(second, '\n');
    if (end)
        *end = '\0';
    if (status == 1) {
        refuse(j, "the pack does not pass the check; the report says why");
        sy_buf_text(&j->report, "null}");
    } else if (status != 0 || !second[0]) {
        sy_buf_text(&j->report, "null,\"no_impact\":");
        sy_buf_json(&j->report,
                    sy_span_of(ended->code ? ended->text : "the readings cannot be judged"));
        sy_buf_char(&j->report, '}');
    } else {
        sy_buf_text(&j->report, second);
        sy_buf_char(&j->report, '}');
    }
}

static sy_err try_it(sy_orders *o, sy_job *j, const char *candidate, int stop_fd, sy_fail *f)
{
    char set[65], from[24];
    sy_ms now = sy_journal_now(o->s->journal);
    snprintf(from, sizeof from, "%lld", (long long)(now > IMPACT_MS ? now - IMPACT_MS : 0));
    pthread_mutex_lock(&o->s->config_lock);
    memcpy(set, o->s->config->hash_hex, sizeof set);
    pthread_mutex_unlock(&o->s->config_lock);
    const char *const args[] = {"rules", "impact",   "--data",  o->s->data, "--set",
                                set,     "--orders", candidate, "--json",   NULL};
    const sy_child c = {.args = args, .most = 4 << 20, .time = TRIAL_MS, .stop_fd = stop_fd};
    sy_buf said;
    sy_fail ended = {0};
    int status = -1;
    sy_buf_init(&said, sy_heap());
    sy_err e = sy_child_run(&c, &said, &status, &ended);
    if (e == SY_E_CLOSED || e == SY_E_NOMEM || e == SY_E_IO)
        *f = ended;
    else {
        take_trial(j, &said, status, &ended);
        e = SY_OK;
    }
    sy_buf_fini(&said);
    return e;
}

sy_err sy_orders__prepare(sy_orders *o, sy_job *j, int stop_fd, sy_fail *f)
{
    char candidate[4300];
    sy_force *force = NULL;
    sy_buf text;
    bool changed = false;
    sy_buf_init(&text, sy_heap());
    j->brought = j->number;
    sy_err e = sy_orders__force(o->s, &force, f);
    bool go = !e && sy_orders__newer(force, j);
    if (go && j->order.kind == SY_ORDER_ROLLBACK)
        e = find_older(o, j, f);
    go = go && !e && !j->refused[0];
    if (go && (j->order.kind != SY_ORDER_ROLLBACK || j->order.version))
        e = take_files(j, j->order.kind == SY_ORDER_ROLLBACK ? &j->older : &j->order, f);
    if (go && !e)
        e = sy_orders__write_files(o->s->data, j->order.name, j->order.version, j->files,
                                   j->n_files, &changed, f);
    if (go && !e)
        e = sy_orders__change(force, j, f);
    if (go && !e)
        e = sy_force_text(force, &text, f);
    snprintf(candidate, sizeof candidate, "%s/packs", o->s->data);
    if (go && !e)
        e = sy_dir_make(candidate, f);
    snprintf(candidate, sizeof candidate, "%s/packs/try-%.64s.json", o->s->data, j->destination);
    if (go && !e)
        e = sy_file_write(candidate, sy_buf_span(&text), 0600, f);
    if (go && !e) {
        e = try_it(o, j, candidate, stop_fd, f);
        unlink(candidate);
    }
    sy_force_close(force);
    sy_buf_fini(&text);
    return e;
}

/* ---- evidence ---- */

/* Where the line fails, the order is asked for again; after a day it is refused. */
static sy_err give_up(sy_job *j, sy_err e, const sy_fail *f)
{
    if (e != SY_E_DENIED && j->now - j->order.issued < give_up_after)
        return e;
    refuse(j, f->text);
    return SY_OK;
}

sy_err sy_orders__evidence(sy_orders *o, sy_job *j, sy_down *d, int stop_fd, sy_fail *f)
{
    const char *const args[] = {"evidence", j->order.alert, "--data", o->s->data, NULL};
    const sy_child c = {
        .args = args, .most = EVIDENCE_BYTES, .time = EVIDENCE_MS, .stop_fd = stop_fd};
    sy_buf page;
    int status = -1;
    sy_buf_init(&page, sy_heap());
    sy_err e = sy_child_run(&c, &page, &status, f);
    if (!e && status != 0)
        refuse(j, "there is no such alert, or its evidence cannot be read");
    else if (e == SY_E_PEER)
        e = give_up(j, e, f);
    else if (!e &&
             (e = sy_down_put(d, j->order.alert, j->order.id, sy_buf_span(&page), f)) != SY_OK)
        e = e == SY_E_CLOSED ? e : give_up(j, e, f);
    else if (!e)
        sy_buf_printf(&j->report, "{\"bytes\":%zu}", page.n);
    sy_buf_fini(&page);
    return e;
}
