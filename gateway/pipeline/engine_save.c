/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots of the engine. Little endian, in this order: u8 format (8), u8 bits (1 replay,
 * 2 unsynchronised), clock, start, the judge's start and activation (i64 each), the numbers of
 * changes (u32 count; id blob, u64 n, u8 levels, i64 clock at the last; sorted by id), what waits
 * to be judged again (late.c, sy_late_save), what makes readings doubtful (quality.c,
 * sy_doubts_save), maintenance (upkeep.c, sy_upkeep_save), what births of Sparkplug said (births.c,
 * sy_births_save), how alerts stand (standing.c, sy_standings_save; group.c,
 * sy_groups_save; uplink.c, sy_uplink_save: missing before format 8; all missing in format 5), the
 * days for the statements (days_save.c, sy_days_save; missing in formats 5 and 6), the judge's own
 * bytes (blob). Equal states give equal bytes.
 */
#include "pipeline/engine_int.h"

enum { FORMAT = 8, BEFORE_UPLINK = 7, BEFORE_DAYS = 6, FORMER = 5, REPLAY = 1, UNSYNCED = 2 };

static void put_part(sy_buf *out, sy_buf *part)
{
    sy_buf_blob(out, sy_buf_span(part));
    out->failed = out->failed || part->failed;
    sy_buf_reset(part);
}

sy_err sy_engine_save(sy_engine *e, sy_buf *out, const char **set_hash)
{
    if (!e->now || !e->now->judge)
        return SY_E_AGAIN;
    sy_judge_forget(e->now->judge);
    sy_ms since = e->clock - e->now->config->lateness - SY_LATE_KEEP_MS;
    sy_ms acts = e->clock - (SY_ACT_AFTER_DAYS + 1) * (sy_ms)86400000;
    since = since < acts ? since : acts; /* an alert that can be acted on keeps its numbers */
    sy_err err = sy_changes_prune(&e->changes, e->now->judge, since);
    if (err)
        return err;
    sy_buf_u8(out, FORMAT);
    sy_buf_u8(out, (uint8_t)((e->replay ? REPLAY : 0) | (e->unsynced ? UNSYNCED : 0)));
    sy_buf_u64(out, (uint64_t)e->clock);
    sy_buf_u64(out, (uint64_t)e->start);
    sy_buf_u64(out, (uint64_t)e->judge_start);
    sy_buf_u64(out, (uint64_t)e->judge_in_force);
    sy_changes_save(&e->changes, out);
    sy_buf part;
    sy_buf_init(&part, sy_heap());
    sy_late_save(&e->late, &part);
    put_part(out, &part);
    sy_doubts_save(&e->doubts, &part);
    put_part(out, &part);
    sy_upkeep_save(&e->upkeep, &part);
    put_part(out, &part);
    sy_births_save(&e->births, &part);
    put_part(out, &part);
    sy_standings_save(&e->standings, &part);
    sy_groups_save(&e->groups, &part);
    sy_uplink_save(&e->uplink, &part);
    put_part(out, &part);
    sy_days_save(&e->days, &part);
    put_part(out, &part);
    sy_buf_fini(&part);
    sy_buf judge;
    sy_buf_init(&judge, sy_heap());
    err = sy_judge_save(e->now->judge, &judge);
    if (!err)
        sy_buf_blob(out, sy_buf_span(&judge));
    if (judge.failed || out->failed)
        err = SY_E_NOMEM;
    sy_buf_fini(&judge);
    *set_hash = e->now->config->hash_hex;
    return err;
}

typedef struct standing_anew {
    sy_engine *e;
    sy_err err;
} standing_anew;

static void stand_one(void *ctx, const sy_alert *a)
{
    standing_anew *x = ctx;
    sy_standing *made = NULL;
    const sy_change c = {.kind = SY_CHANGE_RAISED, .at = a->raised, .alert = *a};
    if (!x->err)
        x->err = sy_standings_note(&x->e->standings, &c, x->e->now->config, x->e->clock, &made);
    if (!x->err)
        sy_standings_await(&x->e->standings, made, a->raised, 0);
}

/* A snapshot of before people could act: the alerts that the judge knows, nothing is due. */
static sy_err stand_anew(sy_engine *e)
{
    standing_anew x = {e, SY_OK};
    sy_err err = sy_judge_alerts(e->now->judge, stand_one, &x);
    return err ? err : x.err;
}

sy_err sy_engine_load(sy_engine *e, const char *set_hash, sy_span bytes, sy_fail *f)
{
    sy_rd in = sy_rd_of(bytes);
    uint8_t format = sy_rd_u8(&in);
    if (format < FORMER || format > FORMAT)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "the judge's snapshot is of another format");
    uint8_t bits = sy_rd_u8(&in);
    e->replay = (bits & REPLAY) != 0;
    e->unsynced = (bits & UNSYNCED) != 0;
    e->clock = (sy_ms)sy_rd_u64(&in);
    e->start = (sy_ms)sy_rd_u64(&in);
    e->judge_start = (sy_ms)sy_rd_u64(&in);
    e->judge_in_force = (sy_ms)sy_rd_u64(&in);
    sy_err err = sy_changes_load(&e->changes, &in);
    sy_rd late = sy_rd_of(sy_rd_blob(&in));
    sy_rd doubts = sy_rd_of(sy_rd_blob(&in));
    sy_rd upkeep = sy_rd_of(sy_rd_blob(&in));
    sy_rd births = sy_rd_of(sy_rd_blob(&in));
    sy_rd standings = sy_rd_of(format == FORMER ? (sy_span){NULL, 0} : sy_rd_blob(&in));
    sy_rd days = sy_rd_of(format <= BEFORE_DAYS ? (sy_span){NULL, 0} : sy_rd_blob(&in));
    sy_span judge = sy_rd_blob(&in);
    if (err || in.bad)
        return sy_fail_set(f, SY_E_CORRUPT, "the judge's snapshot is damaged");
    err = sy_engine__era_open(e, set_hash, &e->now, f);
    if (err)
        return err;
    err = sy_late_site(&e->late, e->now->config->site, NULL);
    if (!err)
        err = sy_late_load(&e->late, &late);
    if (!err)
        err = sy_doubts_site(&e->doubts, e->now->config->site);
    if (!err)
        err = sy_doubts_load(&e->doubts, &doubts);
    if (!err)
        err = sy_upkeep_load(&e->upkeep, e->now->config->site, &upkeep);
    if (!err)
        err = sy_births_load(&e->births, &births);
    if (!err)
        err = sy_days_site(&e->days, e->now->config->site);
    if (!err && format > BEFORE_DAYS)
        err = sy_days_load(&e->days, e->now->config->site, &days);
    else if (!err)
        sy_days_begin(&e->days, e->now->config->site, e->clock);
    if (!err)
        err = sy_engine__judge_open(e, e->now);
    if (!err)
        err = sy_judge_load(e->now->judge, judge);
    if (!err)
        err = format == FORMER ? stand_anew(e) : sy_standings_load(&e->standings, &standings);
    if (!err && format != FORMER)
        err = sy_groups_load(&e->groups, &standings);
    if (!err && format > BEFORE_UPLINK)
        err = sy_uplink_load(&e->uplink, &standings);
    if (err)
        return sy_fail_set(f, err, "the judge's snapshot cannot be used: %s", sy_err_text(err));
    sy_batch_site(e->batch);
    sy_engine__statement_due(e);
    return SY_OK;
}
