/* SPDX-License-Identifier: Apache-2.0 */
/* Maintenance that a person announces: checked here, decided by the log. */
#include "base/log.h"
#include "base/utf8.h"
#include "run/service_int.h"

#define MOST_MS ((sy_ms)SY_UPKEEP_MOST_DAYS * 86400000)

static bool clean(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return n > 0 && n <= SY_UPKEEP_TEXT && sy_utf8_check((sy_span){text, n}) == n;
}

static sy_err check(sy_service *s, const sy_control_maintain *m, const sy_upkeep_act *a, sy_ms now,
                    sy_fail *f)
{
    if (now == SY_MS_NONE)
        return sy_fail_set(f, SY_E_AGAIN, "the replay clock has no time yet");
    if (m->time > MOST_MS)
        return sy_fail_set(f, SY_E_RANGE, "maintenance may last %d days at most",
                           (int)SY_UPKEEP_MOST_DAYS);
    if (!a->start && !sy_pipeline_maintains(s->pipeline, a->kind, a->on, now))
        return sy_fail_set(f, SY_E_NOTFOUND, "no maintenance of '%.100s' runs", m->on);
    sy_buf list;
    sy_buf_init(&list, sy_heap());
    size_t n = sy_pipeline_upkeep(s->pipeline, now, &list);
    sy_buf_fini(&list);
    return a->start && n >= SY_UPKEEPS
               ? sy_fail_set(f, SY_E_FULL, "%d stretches of maintenance run already; end some",
                             (int)SY_UPKEEPS)
               : SY_OK;
}

sy_err sy_service__maintain(sy_service *s, const sy_control_maintain *m, uint64_t *seq, sy_fail *f)
{
    sy_buf on, text;
    sy_upkeep_act a = {.start = m->time > 0};
    if (!clean(m->on) || !clean(m->who) || !clean(m->why))
        return sy_fail_set(f, SY_E_PARSE,
                           "what, who and why are needed: texts of at most %d bytes without "
                           "control characters",
                           (int)SY_UPKEEP_TEXT);
    sy_buf_init(&on, sy_heap());
    sy_buf_init(&text, sy_heap());
    sy_err err = sy_upkeep_find(s->config->site, m->on, &a.kind, &on, f);
    sy_ms now = sy_journal_now(s->journal);
    a.on = sy_buf_span(&on);
    if (!err)
        err = check(s, m, &a, now, f);
    if (!err) {
        a.until = now + m->time;
        a.who = sy_span_of(m->who);
        a.why = sy_span_of(m->why);
        sy_upkeep_text(&a, &text);
        sy_jrec rec = {.type = SY_J_ACTION, .payload = sy_buf_span(&text)};
        err = text.failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory")
                          : sy_journal_append(s->journal, &rec, f);
        *seq = rec.seq;
    }
    char shown[600];
    sy_logq(a.on, shown, sizeof shown);
    if (!err && a.start)
        sy_log(SY_LOG_INFO, "maintenance-began", "seq=%llu kind=%s on=%s", (unsigned long long)*seq,
               sy_upkeep_kind_name(a.kind), shown);
    else if (!err)
        sy_log(SY_LOG_INFO, "maintenance-ended", "seq=%llu kind=%s on=%s", (unsigned long long)*seq,
               sy_upkeep_kind_name(a.kind), shown);
    sy_buf_fini(&on);
    sy_buf_fini(&text);
    return err;
}

void sy_service__maintenance(sy_service *s, sy_buf *json)
{
    sy_pipeline_upkeep(s->pipeline, sy_journal_now(s->journal), json);
}
