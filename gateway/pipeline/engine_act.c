/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log's records mean for how alerts stand: changes that the judge tells, acts of people,
 * and what is due by the log's clock. The judge is brought to the time of each thing that is due
 * before it happens, so that a tick, or none, makes no difference.
 */
#include "base/log.h"
#include "pipeline/engine_int.h"

static sy_stand_row row_of(const sy_engine *e, const sy_standing *x)
{
    return (sy_stand_row){.seq = e->seq,
                          .alert = x->id,
                          .acknowledged = x->acknowledged,
                          .by = x->by,
                          .shelved = x->shelved,
                          .unanswered = x->unanswered};
}

static sy_event_to to_of(const sy_standing *x, unsigned levels, bool quiet)
{
    return (sy_event_to){
        .levels = levels, .up = x->up, .unanswered = x->unanswered, .quiet = quiet};
}

void sy_engine__tell(sy_engine *e, const sy_config *config, const sy_judge *judge,
                     const sy_change *c)
{
    unsigned levels = 0;
    sy_standing *x = NULL;
    if (sy_standings_note(&e->standings, c, config, e->clock, &x)) {
        e->out_of_memory = true;
        return;
    }
    uint64_t number = sy_changes_next(&e->changes, c->alert.id, c->alert.level, e->clock, &levels);
    sy_event_of event = {.config = config,
                         .change = c,
                         .judge = judge,
                         .number = number,
                         .replay_clock = e->replay,
                         .shelved = x->shelved};
    bool quiet = x->shelved != SY_MS_NONE && c->kind != SY_CHANGE_ESCALATED;
    sy_event_to to = to_of(x, levels, quiet);
    sy_stand_row row = row_of(e, x);
    if (number == 0 || sy_batch_change_add(e->batch, &event, &to, x->touched ? &row : NULL) ||
        sy_days_change(&e->days, e->now->config->site, config->site, c, e->clock))
        e->out_of_memory = true;
}

/* The set that judged the alert last: the one in force where that has its rule, else the kept one.
 * *alert points into it. */
static sy_err config_of(sy_engine *e, const sy_standing *x, const sy_config **out, sy_alert *alert,
                        sy_fail *f)
{
    *out = e->now->config;
    if (sy_standing_alert(x, *out, alert))
        return SY_OK;
    if (!e->before || strcmp(e->before->hash_hex, x->set) != 0) {
        sy_config *c = e->loaded ? e->loaded(e->loaded_ctx, x->set) : NULL;
        sy_err err = c ? SY_OK : sy_config_load_kept(e->data_dir, x->set, &c, f);
        if (err)
            return err;
        if (e->before)
            sy_config_unref(e->before);
        e->before = c;
    }
    *out = e->before;
    return sy_standing_alert(x, *out, alert)
               ? SY_OK
               : sy_fail_set(f, SY_E_NOTFOUND, "its rule is in no set that is kept");
}

/* An event that no judge told. The state has changed already. */
static sy_err tell_act(sy_engine *e, sy_standing *x, const sy_event_act *act, sy_ms at, bool quiet)
{
    sy_change c = {.at = at};
    const sy_config *config = NULL;
    unsigned levels = 0;
    sy_fail why = {0};
    sy_err err = config_of(e, x, &config, &c.alert, &why);
    if (err == SY_E_NOMEM)
        return err;
    uint64_t number = sy_changes_next(&e->changes, x->id, x->level, e->clock, &levels);
    if (number == 0)
        return SY_E_NOMEM;
    if (err) {
        if (!e->batch->discard)
            sy_log_fail(SY_LOG_ERROR, "act-not-told", &why);
        return SY_OK;
    }
    sy_event_of event = {.config = config,
                         .change = &c,
                         .number = number,
                         .replay_clock = e->replay,
                         .shelved = x->shelved,
                         .act = act};
    sy_event_to to = to_of(x, levels, quiet);
    sy_stand_row row = row_of(e, x);
    return sy_batch_change_add(e->batch, &event, &to, x->touched ? &row : NULL);
}

sy_err sy_engine__act(sy_engine *e, const sy_jrec *rec, const sy_act *a)
{
    sy_standing *x = NULL;
    sy_fail why = {0};
    if (!e->now || !e->now->judge || e->clock == SY_MS_NONE)
        return SY_E_UNSUPPORTED;
    sy_err err = sy_standings_act(&e->standings, a, e->clock, &x, &why);
    if (err && err != SY_E_NOMEM && !e->batch->discard)
        sy_log_fail(SY_LOG_WARN, "act-refused", &why);
    if (err)
        return err == SY_E_NOMEM ? err : SY_OK;
    err = sy_batch_act(e->batch, rec->seq, e->clock, a);
    const sy_event_act act = {sy_act_done(a->kind), a};
    return err ? err : tell_act(e, x, &act, e->clock, a->kind == SY_ACT_COMMENT);
}

/* How soon an answer is wanted by the rule that is in force; 0: it does not say, or is no more. */
static sy_ms respond_of(const sy_engine *e, const sy_standing *x)
{
    sy_alert a;
    const sy_site *site = e->now->config->site;
    if (!sy_standing_alert(x, e->now->config, &a))
        return 0;
    const sy_site_place *place = &site->places[site->points[a.point].place];
    return sy_event_respond(a.rule, a.level, &site->premises[place->premises]);
}

static sy_err pass(sy_engine *e, sy_standing *x, sy_due what, sy_ms at)
{
    static const sy_act over = {
        .kind = SY_ACT_UNSHELVE, .via = {"clock", 5}, .why = {"its time was over", 17}};
    static const sy_event_act unshelved = {"unshelved", &over}, unanswered = {"unanswered", NULL};
    sy_alert a;
    if (what == SY_DUE_UNSHELVE) {
        sy_standings_await(&e->standings, x, at, respond_of(e, x));
        return tell_act(e, x, &unshelved, at, false);
    }
    if (sy_standing_alert(x, e->now->config, &a))
        x->up = sy_event_above(a.rule, a.level);
    return tell_act(e, x, &unanswered, at, false);
}

sy_err sy_engine__advance_to(sy_engine *e, sy_ms now)
{
    if (now == SY_MS_NONE)
        return SY_OK;
    if (e->clock == SY_MS_NONE || now > e->clock)
        e->clock = now;
    if (!e->now || !e->now->judge)
        return SY_OK;
    while (e->standings.next <= now) {
        sy_ms due = e->standings.next, at = due;
        sy_standing *x = NULL;
        sy_due what = SY_DUE_ANSWER;
        sy_err err = sy_judge_advance(e->now->judge, due);
        /* What the judge told may have called it off, or something else is due sooner. */
        if (!err && e->standings.next == due &&
            sy_standings_pass(&e->standings, due, &x, &what, &at))
            err = pass(e, x, what, at);
        if (err)
            return err;
    }
    return sy_judge_advance(e->now->judge, now);
}
