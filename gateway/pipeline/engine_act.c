/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log's records mean for how alerts stand: changes that the judge tells, acts of people,
 * and what is due by the log's clock. The judge is brought to the time of each thing that is due
 * before it happens, so that a tick, or none, makes no difference.
 */
#include <stdio.h>

#include "base/log.h"
#include "pipeline/engine_int.h"

static sy_stand_row row_of(const sy_engine *e, const sy_standing *x)
{
    return (sy_stand_row){.seq = e->seq,
                          .alert = x->id,
                          .acknowledged = x->acknowledged,
                          .by = x->by,
                          .shelved = x->shelved,
                          .suppressed = x->suppressed,
                          .group = x->group[0] ? x->group : NULL,
                          .unanswered = x->unanswered};
}

static sy_event_to to_of(const sy_engine *e, const sy_standing *x, unsigned levels, bool quiet)
{
    sy_event_to to = {.levels = levels, .up = x->up, .unanswered = x->unanswered, .quiet = quiet};
    const sy_group *g = x->group[0] ? sy_groups_find(&e->groups, x->group) : NULL;
    const sy_standing *first = g ? sy_standings_find(&e->standings, g->first) : NULL;
    sy_alert a;
    if (first && e->now && sy_standing_alert(first, e->now->config, &a)) {
        to.folded = a.rule;
        to.folded_at = g->level;
    }
    return to;
}

static sy_err tell_group(sy_engine *e, const sy_config *config, const sy_rule *rule,
                         const sy_group *g, sy_ms cleared, size_t members)
{
    bool over = cleared != SY_MS_NONE;
    char id[40];
    sy_buf body;
    sy_buf_init(&body, sy_heap());
    sy_group_event(g, config, e->replay, cleared, members, &body);
    snprintf(id, sizeof id, "%s/%d", g->id, over ? 2 : 1);
    const sy_event_row row = {.id = id,
                              .kind = over ? "group-cleared" : "group-raised",
                              .time = over ? cleared : g->raised,
                              .severity = (int)g->level,
                              .priority = over ? 1 : 0,
                              .body = sy_buf_span(&body)};
    sy_err err =
        body.failed ? SY_E_NOMEM : sy_batch_group_add(e->batch, &row, config, rule, g->level);
    sy_buf_fini(&body);
    return err;
}

/* A silence that belongs to a storm; the storm is told before it. */
static sy_err join_group(sy_engine *e, const sy_config *config, const sy_judge *judge,
                         const sy_change *c, sy_standing *x)
{
    const sy_group *g = NULL;
    bool made = false;
    sy_ms start = e->start == SY_MS_NONE ? e->judge_start : e->start;
    const sy_group_look look = {config, judge, &e->uplink, start};
    if (!judge || !sy_group_wants(c, config))
        return SY_OK;
    sy_err err = sy_groups_of(&e->groups, &look, c, &g, &made);
    if (err || !g)
        return err;
    memcpy(x->group, g->id, sizeof x->group);
    x->touched = true;
    return made ? tell_group(e, config, c->alert.rule, g, SY_MS_NONE, 1) : SY_OK;
}

/* The group is over with the last of its members that is open. */
static sy_err leave_group(sy_engine *e, const sy_config *config, const sy_change *c,
                          const sy_standing *x)
{
    size_t members, open;
    const sy_group *g = x->group[0] ? sy_groups_find(&e->groups, x->group) : NULL;
    if (!g || x->state == SY_ALERT_ACTIVE)
        return SY_OK;
    sy_standings_group(&e->standings, g->id, &members, &open);
    if (open)
        return SY_OK;
    const sy_standing *first = sy_standings_find(&e->standings, g->first);
    sy_alert a = {.rule = NULL};
    bool known = first && sy_standing_alert(first, config, &a);
    sy_err err = tell_group(e, config, known ? a.rule : c->alert.rule, g, c->at, members);
    sy_groups_end(&e->groups, x->group);
    return err;
}

/* Raised, or more severe, while the point is maintained. */
static void suppress(sy_engine *e, const sy_config *config, const sy_change *c, sy_standing *x)
{
    if (!e->now || config != e->now->config || c->late ||
        (c->kind != SY_CHANGE_RAISED && c->kind != SY_CHANGE_ESCALATED))
        return;
    sy_ms until = sy_upkeep_until(&e->upkeep, config->site, c->alert.point, c->at);
    if (until != SY_MS_NONE)
        sy_standings_suppress(&e->standings, x, until);
}

/* For the event of a change, or of what was done. */
static sy_event_of event_of(const sy_engine *e, const sy_config *config, const sy_change *c,
                            const sy_standing *x, uint64_t number)
{
    return (sy_event_of){.config = config,
                         .change = c,
                         .number = number,
                         .replay_clock = e->replay,
                         .shelved = x->shelved,
                         .suppressed = x->suppressed,
                         .group = x->group};
}

static sy_err tell(sy_engine *e, const sy_config *config, const sy_judge *judge, const sy_change *c)
{
    unsigned levels = 0;
    sy_standing *x = NULL;
    sy_err err = sy_standings_note(&e->standings, c, config, e->clock, &x);
    if (err)
        return err;
    suppress(e, config, c, x);
    err = join_group(e, config, judge, c, x);
    if (err)
        return err;
    uint64_t number = sy_changes_next(&e->changes, c->alert.id, c->alert.level, e->clock, &levels);
    if (number == 0)
        return SY_E_NOMEM;
    sy_event_of event = event_of(e, config, c, x, number);
    event.judge = judge;
    bool quiet =
        (x->shelved != SY_MS_NONE && c->kind != SY_CHANGE_ESCALATED) || x->suppressed != SY_MS_NONE;
    sy_event_to to = to_of(e, x, levels, quiet);
    sy_stand_row row = row_of(e, x);
    err = sy_batch_change_add(e->batch, &event, &to, x->touched ? &row : NULL);
    return err ? err : leave_group(e, config, c, x);
}

void sy_engine__tell(sy_engine *e, const sy_config *config, const sy_judge *judge,
                     const sy_change *c)
{
    e->told++;
    if (tell(e, config, judge, c) ||
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
    sy_event_of event = event_of(e, config, &c, x, number);
    event.act = act;
    sy_event_to to = to_of(e, x, levels, quiet || x->suppressed != SY_MS_NONE);
    sy_stand_row row = row_of(e, x);
    return sy_batch_change_add(e->batch, &event, &to, x->touched ? &row : NULL);
}

/* On each member of a group that wants it; *done: how many did. */
static sy_err act_on_group(sy_engine *e, const char *group, const sy_act *a, size_t *done)
{
    const sy_event_act act = {sy_act_done(a->kind), a};
    sy_err err = SY_OK;
    *done = 0;
    for (sy_standing *x = sy_standings_member(&e->standings, group, ""); x && !err;
         x = sy_standings_member(&e->standings, group, x->id)) {
        sy_act one = *a;
        one.alert = sy_span_of(x->id);
        err = sy_standings_act(&e->standings, &one, e->clock, &x, NULL);
        *done += !err;
        if (!err)
            err = tell_act(e, x, &act, e->clock, true);
        else if (err != SY_E_NOMEM)
            err = SY_OK;
    }
    return err;
}

sy_err sy_engine__act(sy_engine *e, const sy_jrec *rec, const sy_act *a)
{
    char id[33] = "";
    sy_standing *x = NULL;
    sy_fail why = {0};
    size_t done = 0;
    if (!e->now || !e->now->judge || e->clock == SY_MS_NONE)
        return SY_E_UNSUPPORTED;
    memcpy(id, a->alert.p, a->alert.n < 32 ? a->alert.n : 32);
    sy_err err = sy_standings_act(&e->standings, a, e->clock, &x, &why);
    if (err == SY_E_NOTFOUND && sy_act_on_groups(a->kind) &&
        sy_standings_member(&e->standings, id, "")) {
        err = act_on_group(e, id, a, &done);
        if (err || done)
            return err ? err : sy_batch_act(e->batch, rec->seq, e->clock, a);
        err = SY_E_NOTFOUND;
    }
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

/* Until when the alert's point is maintained; the present, where it is no more. */
static sy_ms maintained_until(void *ctx, const sy_standing *x)
{
    const sy_engine *e = ctx;
    uint32_t point = 0;
    sy_ms until = SY_MS_NONE;
    if (sy_site_point_of(e->now->config->site, x->series, &point))
        until = sy_upkeep_until(&e->upkeep, e->now->config->site, point, e->clock);
    return until == SY_MS_NONE ? e->clock : until;
}

sy_err sy_engine__maintained(sy_engine *e)
{
    sy_standings_resuppress(&e->standings, maintained_until, e);
    return sy_engine__advance(e, e->clock);
}

static sy_err pass(sy_engine *e, sy_standing *x, sy_due what, sy_ms at)
{
    static const sy_act over = {
        .kind = SY_ACT_UNSHELVE, .via = {"clock", 5}, .why = {"its time was over", 17}};
    static const sy_event_act unshelved = {"unshelved", &over}, unanswered = {"unanswered", NULL},
                              released = {"unsuppressed", NULL};
    sy_alert a;
    if (what == SY_DUE_UNSHELVE) {
        sy_standings_await(&e->standings, x, at, respond_of(e, x));
        return tell_act(e, x, &unshelved, at, false);
    }
    if (what == SY_DUE_RELEASE) {
        sy_standings_await(&e->standings, x, at, respond_of(e, x));
        return tell_act(e, x, &released, at, false);
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
