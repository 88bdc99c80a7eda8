/* SPDX-License-Identifier: Apache-2.0 */
/* Records of what people do about alerts: their text, and what may stand in it. */
#include "pipeline/act.h"

#include "pipeline/tabs.h"

#include "base/utf8.h"

enum { ALERT_ID = 32 };

static const struct {
    const char *word, *done;
} kinds[SY_ACT_KINDS] = {
    [SY_ACT_ACKNOWLEDGE] = {"acknowledge", "acknowledged"},
    [SY_ACT_SHELVE] = {"shelve", "shelved"},
    [SY_ACT_UNSHELVE] = {"unshelve", "unshelved"},
    [SY_ACT_COMMENT] = {"comment", "commented"},
};

const char *sy_act_word(sy_act_kind k)
{
    return kinds[k].word;
}

const char *sy_act_done(sy_act_kind k)
{
    return kinds[k].done;
}

bool sy_act_kind_of(sy_span word, sy_act_kind *out)
{
    for (int k = 0; k < SY_ACT_KINDS; k++)
        if (sy_span_is(word, kinds[k].word)) {
            *out = (sy_act_kind)k;
            return true;
        }
    return false;
}

static bool clean(sy_span s, size_t most)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n <= most && (s.n == 0 || sy_utf8_check(s) == s.n);
}

static bool is_id(sy_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n == ALERT_ID;
}

sy_err sy_act_check(const sy_act *a, sy_fail *f)
{
    bool silent = a->kind == SY_ACT_ACKNOWLEDGE || a->kind == SY_ACT_UNSHELVE;
    if (!is_id(a->alert))
        return sy_fail_set(f, SY_E_PARSE, "an alert's id has 32 digits 0-9 and a-f");
    if (!a->who.n || !clean(a->who, SY_ACT_WHO))
        return sy_fail_set(f, SY_E_PARSE,
                           "who is needed: a text of at most %d bytes without control characters",
                           (int)SY_ACT_WHO);
    if (!a->via.n || !clean(a->via, SY_ACT_VIA))
        return sy_fail_set(f, SY_E_PARSE,
                           "via is needed: a text of at most %d bytes without control characters",
                           (int)SY_ACT_VIA);
    if ((!silent && !a->why.n) || !clean(a->why, SY_ACT_WHY))
        return sy_fail_set(f, SY_E_PARSE,
                           "why is needed: a text of at most %d bytes without control characters",
                           (int)SY_ACT_WHY);
    if ((a->kind == SY_ACT_SHELVE) != (a->until > 0) || a->until < 0 || a->until > SY_TABS_LAST)
        return sy_fail_set(f, SY_E_RANGE, "a shelved alert has an end, and no other act has one");
    return SY_OK;
}

void sy_act_text(const sy_act *a, sy_buf *out)
{
    sy_buf_text(out, sy_act_word(a->kind));
    sy_buf_char(out, '\t');
    sy_buf_span_put(out, a->alert);
    sy_buf_char(out, '\t');
    sy_buf_int(out, a->until);
    sy_buf_char(out, '\t');
    sy_buf_span_put(out, a->who);
    sy_buf_char(out, '\t');
    sy_buf_span_put(out, a->via);
    sy_buf_char(out, '\t');
    sy_buf_span_put(out, a->why);
}

sy_err sy_act_parse(sy_span payload, sy_act *out)
{
    sy_span f[6];
    if (!sy_tabs_split(payload, f, 6))
        return SY_E_PARSE;
    *out = (sy_act){.alert = f[1], .who = f[3], .via = f[4], .why = f[5]};
    if (!sy_act_kind_of(f[0], &out->kind) || !sy_tabs_time(f[2], &out->until) ||
        sy_act_check(out, NULL) != SY_OK)
        return SY_E_PARSE;
    return SY_OK;
}

#define DAY_MS ((sy_ms)86400000)

static sy_err may_shelve(const sy_act *a, const sy_act_state *s, sy_ms now, sy_fail *f)
{
    char until[25];
    if (sy_span_is(a->via, "premises"))
        return sy_fail_set(
            f, SY_E_DENIED,
            "the premises may acknowledge an alert and comment on it, not shelve it");
    if (!s->active)
        return sy_fail_set(f, SY_E_NOTFOUND, "the alert is over: there is nothing to shelve");
    if (s->shelved != SY_MS_NONE) {
        sy_time_text(s->shelved, until);
        return sy_fail_set(f, SY_E_EXISTS, "the alert is shelved already, until %s", until);
    }
    if (a->until <= now || a->until - now > SY_ACT_SHELVE_DAYS * DAY_MS)
        return sy_fail_set(f, SY_E_RANGE, "an alert is shelved for %d days at most, from now on",
                           (int)SY_ACT_SHELVE_DAYS);
    return SY_OK;
}

static sy_err may_acknowledge(const sy_act_state *s, sy_fail *f)
{
    char at[25];
    if (s->acknowledged == SY_MS_NONE)
        return SY_OK;
    sy_time_text(s->acknowledged, at);
    return sy_fail_set(f, SY_E_EXISTS, "the alert was acknowledged already, by %.100s at %s", s->by,
                       at);
}

sy_err sy_act_allowed(const sy_act *a, const sy_act_state *s, sy_ms now, sy_fail *f)
{
    if (s->withdrawn)
        return sy_fail_set(f, SY_E_NOTFOUND, "the alert was withdrawn: it never was");
    if (s->cleared != SY_MS_NONE && now - s->cleared > SY_ACT_AFTER_DAYS * DAY_MS)
        return sy_fail_set(f, SY_E_NOTFOUND, "the alert was over more than %d days ago",
                           (int)SY_ACT_AFTER_DAYS);
    switch (a->kind) {
    case SY_ACT_ACKNOWLEDGE:
        return may_acknowledge(s, f);
    case SY_ACT_SHELVE:
        return may_shelve(a, s, now, f);
    case SY_ACT_UNSHELVE:
        if (sy_span_is(a->via, "premises"))
            return sy_fail_set(f, SY_E_DENIED, "the premises may not unshelve an alert");
        return s->shelved == SY_MS_NONE ? sy_fail_set(f, SY_E_NOTFOUND, "the alert is not shelved")
                                        : SY_OK;
    case SY_ACT_COMMENT:
        return SY_OK;
    }
    return SY_E_PARSE;
}
