/* SPDX-License-Identifier: Apache-2.0 */
/* What people do about alerts: looked at here, so that who asks hears at once what is wrong with
 * it, and decided by the log. */
#include "base/log.h"
#include "rules/judge.h"
#include "run/service_int.h"
#include "store/acts.h"

static sy_err allowed(sy_service *s, const sy_act *a, sy_ms now, sy_fail *f)
{
    sy_arena arena;
    sy_stand x;
    char alert[40] = "";
    memcpy(alert, a->alert.p, a->alert.n < sizeof alert ? a->alert.n : sizeof alert - 1);
    sy_arena_init(&arena, sy_heap(), 0);
    sy_err err = sy_store_stand_get(s->store, alert, &arena, &x, f);
    if (err == SY_E_NOTFOUND && sy_act_on_groups(a->kind)) {
        bool has = false, ack = a->kind == SY_ACT_ACKNOWLEDGE;
        sy_arena_fini(&arena);
        err = sy_store_group_has(s->store, alert, ack, &has, f);
        return err   ? err
               : has ? SY_OK
                     : sy_fail_set(f, SY_E_NOTFOUND,
                                   "there is no alert %s, nor a group of that id that wants it",
                                   alert);
    }
    if (!err) {
        const sy_act_state state = {.active = x.state == SY_ALERT_ACTIVE,
                                    .withdrawn = x.state == SY_ALERT_WITHDRAWN,
                                    .cleared = x.cleared,
                                    .acknowledged = x.at.acknowledged,
                                    .by = x.at.by ? x.at.by : "",
                                    .shelved = x.at.shelved};
        err = sy_act_allowed(a, &state, now, f);
    }
    sy_arena_fini(&arena);
    return err;
}

sy_err sy_service__act(sy_service *s, const sy_act *act, bool from_now, uint64_t *seq, sy_fail *f)
{
    sy_act a = *act;
    sy_ms now = sy_journal_now(s->journal);
    if (now == SY_MS_NONE)
        return sy_fail_set(f, SY_E_AGAIN, "the replay clock has no time yet");
    if (from_now && a.until > 0 && __builtin_add_overflow(a.until, now, &a.until))
        return sy_fail_set(f, SY_E_RANGE, "the end is too far away");
    sy_err err = sy_act_check(&a, f);
    if (!err)
        err = allowed(s, &a, now, f);
    if (err)
        return err;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_act_text(&a, &text);
    sy_jrec rec = {.type = SY_J_ACTION, .payload = sy_buf_span(&text)};
    err = text.failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory")
                      : sy_journal_append(s->journal, &rec, f);
    *seq = rec.seq;
    char who[SY_ACT_WHO * 4];
    if (!err)
        sy_log(SY_LOG_INFO, "act", "seq=%llu kind=%s alert=%.*s who=%s", (unsigned long long)*seq,
               sy_act_word(a.kind), (int)a.alert.n, a.alert.p, sy_logq(a.who, who, sizeof who));
    sy_buf_fini(&text);
    return err;
}
