/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables act and stand. Their column seq is the record that made the row, so that a store that
 * is made again takes over what the journal no longer has, and gets the rest from it.
 */
#include "store/acts.h"

#include "store/store_int.h"

sy_err sy_store_act(sy_store *s, const sy_act_row *a, sy_fail *f)
{
    return sy_store__exec(s, f,
                          "INSERT OR REPLACE INTO act(seq,alert,kind,time,until,who,via,why) "
                          "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
                          "ittiittt", (int64_t)a->seq, a->alert, a->kind, a->time, a->until, a->who,
                          a->via, a->why);
}

sy_err sy_store_acts(sy_store *s, const char *alert, bool (*fn)(void *ctx, const sy_act_row *a),
                     void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT seq,alert,kind,time,until,who,via,why FROM act "
                              "WHERE alert=?1 OR alert=(SELECT storm FROM stand WHERE alert=?1) "
                              "ORDER BY seq",
                              f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", alert);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        sy_act_row row = {.seq = (uint64_t)sqlite3_column_int64(q.st, 0),
                          .alert = sy_query_text(&q, 1),
                          .kind = sy_query_text(&q, 2),
                          .time = sqlite3_column_int64(q.st, 3),
                          .until = sqlite3_column_int64(q.st, 4),
                          .who = sy_query_text(&q, 5),
                          .via = sy_query_text(&q, 6),
                          .why = sy_query_text(&q, 7)};
        if (!row.alert || !row.kind || !row.who || !row.via || !row.why) {
            e = sy_fail_set(f, SY_E_CORRUPT, "store: a row of the acts is damaged");
            break;
        }
        if (!fn(ctx, &row))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_stand(sy_store *s, const sy_stand_row *r, sy_fail *f)
{
    return sy_store__exec(s, f,
                          "INSERT OR REPLACE INTO stand"
                          "(alert,seq,acknowledged,by,shelved,unanswered,suppressed,storm) "
                          "VALUES(?1,?2,nullif(?3,?7),?4,nullif(?5,?7),?6,nullif(?8,?7),?9)",
                          "tiitiiiit", r->alert, (int64_t)r->seq, r->acknowledged, r->by,
                          r->shelved, (int64_t)r->unanswered, SY_MS_NONE, r->suppressed, r->group);
}

static sy_ms time_of(const sy_query *q, int column)
{
    return sqlite3_column_type(q->st, column) == SQLITE_NULL ? SY_MS_NONE
                                                             : sqlite3_column_int64(q->st, column);
}

sy_err sy_store_stand_get(sy_store *s, const char *alert, sy_arena *arena, sy_stand *out,
                          sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(
        &q, s,
        "SELECT a.state,a.cleared,s.seq,s.acknowledged,s.by,s.shelved,"
        "s.unanswered,s.suppressed,s.storm FROM alert a LEFT JOIN stand s ON s.alert=a.id "
        "WHERE a.id=?1",
        f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", alert);
    e = sy_query_next(&q, f);
    if (!e) {
        *out = (sy_stand){.state = sqlite3_column_int(q.st, 0), .cleared = time_of(&q, 1)};
        const char *by = sy_query_text(&q, 4), *group = sy_query_text(&q, 8);
        out->at = (sy_stand_row){.seq = (uint64_t)sqlite3_column_int64(q.st, 2),
                                 .alert = alert,
                                 .acknowledged = time_of(&q, 3),
                                 .by = by ? sy_arena_text(arena, sy_span_of(by)) : NULL,
                                 .shelved = time_of(&q, 5),
                                 .suppressed = time_of(&q, 7),
                                 .group = group ? sy_arena_text(arena, sy_span_of(group)) : NULL,
                                 .unanswered = sqlite3_column_int(q.st, 6) != 0};
        if ((by && !out->at.by) || (group && !out->at.group))
            e = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    } else if (e == SY_E_NOTFOUND) {
        sy_fail_set(f, e, "there is no alert %.100s", alert);
    }
    sy_query_end(&q);
    return e;
}

sy_err sy_store_group_has(sy_store *s, const char *group, bool unacknowledged, bool *has,
                          sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT 1 FROM stand WHERE storm=?1 AND (?2 OR acknowledged IS NULL) "
                              "LIMIT 1",
                              f);
    if (e)
        return e;
    sy_store__bind(q.st, "ti", group, (int64_t)!unacknowledged);
    e = sy_query_next(&q, f);
    *has = e == SY_OK;
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}
