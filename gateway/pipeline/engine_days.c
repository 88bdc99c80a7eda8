/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements: events of the log, made where the log's clock passes the time at which they are due.
 * The clock stands there while one is made, so that it says the same however far the record jumps.
 */
#include "pipeline/engine_int.h"

void sy_engine__on_day(void *ctx, const sy_judge_day *d)
{
    const sy_era *era = ctx;
    sy_engine *e = era->engine;
    if (sy_days_judged(&e->days, e->now->config->site, era->config->site, d, e->clock))
        e->out_of_memory = true;
}

static sy_err make(sy_engine *e, const sy_days_turn *turn)
{
    const sy_site *site = e->now->config->site;
    const sy_day *day = sy_days_at(&e->days, site, turn->premises, turn->day);
    if (!day)
        return SY_E_NOMEM;
    sy_err err = sy_judge_days(e->now->judge, turn->premises, day->to);
    if (err)
        return err;
    day = sy_days_at(&e->days, site, turn->premises, turn->day);
    sy_buf id, text;
    sy_buf_init(&id, sy_heap());
    sy_buf_init(&text, sy_heap());
    sy_statement_id(&e->days, turn, day->told + 1, &id);
    sy_buf_char(&id, 0);
    const sy_statement_of of = {e->now->config, &e->days, *turn, e->replay, e->unsynced};
    sy_statement_json(&of, &text);
    if (id.failed || text.failed) {
        err = SY_E_NOMEM;
    } else {
        const sy_event_row row = {.id = id.p,
                                  .kind = "statement",
                                  .time = turn->due,
                                  .severity = 0,
                                  .priority = 2,
                                  .body = sy_buf_span(&text)};
        err = sy_batch_event_add(e->batch, &row, e->now->config, SY_EGRESS_STATEMENT);
        sy_days_told(&e->days, turn, id.p, sy_buf_span(&text));
    }
    sy_buf_fini(&text);
    sy_buf_fini(&id);
    return err;
}

sy_err sy_engine__advance(sy_engine *e, sy_ms now)
{
    sy_err err = SY_OK;
    if (now == SY_MS_NONE || now < e->statement_due || !e->now || !e->now->judge)
        return sy_engine__advance_to(e, now);
    sy_days_skip(&e->days, e->now->config->site, now);
    for (;;) {
        sy_days_turn turn = sy_days_next(&e->days, e->now->config->site, e->now->judge);
        if (turn.due > now || err)
            return err ? err : sy_engine__advance_to(e, now);
        err = sy_engine__advance_to(e, turn.due);
        if (!err)
            err = make(e, &turn);
    }
}

void sy_engine__statement_due(sy_engine *e)
{
    e->statement_due = e->now && e->now->judge
                           ? sy_days_next(&e->days, e->now->config->site, e->now->judge).due
                           : SY_MS_MAX;
}
