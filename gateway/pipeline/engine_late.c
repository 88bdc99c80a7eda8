/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Past states as they are due, and where the line is behind which nothing is judged again: the
 * beginning, a clock that was set back, another version of the program.
 */
#include "base/log.h"
#include "pipeline/engine_int.h"
#include "pipeline/redo.h"

sy_err sy_engine__turn(sy_engine *e, const sy_jrec *rec, const char *set_hash)
{
    sy_late_turn t = {.seq = rec->seq,
                      .before = e->clock,
                      .at = rec->recv,
                      .start = e->judge_start,
                      .in_force = e->judge_in_force};
    memcpy(t.set_hash, set_hash, strnlen(set_hash, sizeof t.set_hash - 1));
    return sy_late_turn_add(&e->late, &t);
}

void sy_engine__break(sy_engine *e, const char *why)
{
    size_t waiting = sy_late_break(&e->late);
    sy_batch_past_anew(e->batch);
    if (waiting && !e->batch->discard)
        sy_log(SY_LOG_WARN, "late-not-judged", "places=%zu reason=\"%s\"", waiting, why);
}

/* {"version":"0.1.0",… */
void sy_engine__version(sy_engine *e, sy_span json)
{
    static const char key[] = "{\"version\":\"";
    char version[sizeof e->late.version] = "";
    size_t at = sizeof key - 1, n = 0;
    if (json.n > at && memcmp(json.p, key, at) == 0)
        while (at + n < json.n && json.p[at + n] != '"' && n < sizeof version - 1) {
            version[n] = json.p[at + n];
            n++;
        }
    if (strcmp(version, e->late.version) == 0)
        return;
    bool first = e->late.version[0] == 0;
    memcpy(e->late.version, version, sizeof version);
    if (!first)
        sy_engine__break(e, "another version of the program judges now");
}

static sy_err keep_one(sy_engine *e, const sy_late_place *p, uint32_t place, uint64_t seq,
                       sy_buf *bytes)
{
    sy_buf_reset(bytes);
    sy_err err = sy_judge_save_place(e->now->judge, place, bytes);
    sy_past row = {p->id, e->clock, seq, e->now->config->hash_hex, sy_buf_span(bytes)};
    return err ? err : sy_batch_past_add(e->batch, &row);
}

sy_err sy_engine__keep_past(sy_engine *e, uint64_t seq)
{
    sy_late *l = &e->late;
    if (!e->now || !e->now->judge || (e->clock < l->past_due && !l->unfounded))
        return SY_OK;
    bool all = e->clock >= l->past_due;
    if (all)
        sy_judge_forget(e->now->judge);
    sy_buf bytes;
    sy_err err = SY_OK;
    sy_buf_init(&bytes, sy_heap());
    for (uint32_t i = 0; i < l->n_places && !err && !e->batch->discard; i++) {
        const sy_late_place *p = &l->places[l->of_place[i]];
        if (all || p->floor == SY_MS_NONE)
            err = keep_one(e, p, i, seq, &bytes);
    }
    sy_buf_fini(&bytes);
    if (err)
        return err;
    sy_late_founded(l, e->clock);
    if (all) {
        sy_ms old = e->clock - e->now->config->lateness - SY_LATE_KEEP_MS;
        l->past_due = e->clock - e->clock % SY_LATE_PAST_MS + SY_LATE_PAST_MS;
        sy_late_prune(l, old);
        sy_batch_past_forget(e->batch, old);
    }
    return SY_OK;
}

bool sy_engine_redo_due(sy_engine *e)
{
    return e->now && e->now->judge && !e->batch->discard && sy_late_due(&e->late, e->clock);
}

void sy_engine_rebuilt(sy_engine *e)
{
    sy_engine__break(e, "the judge was rebuilt from the whole log");
}
