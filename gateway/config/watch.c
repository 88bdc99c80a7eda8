/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules against this site: an interval that makes a rule blind, a rule that matches nothing, a
 * recipient that nobody serves.
 *
 * Only what an admitted place makes plain is judged here; how instances come about is the judge's
 * matter.
 */
#include <math.h>

#include "config/config_int.h"

static bool axis_has(const sy_axis *a, const char *id)
{
    if (a->any || a->n == 0)
        return true;
    for (size_t i = 0; id && i < a->n; i++)
        if (strcmp(a->names[i].word->id, id) == 0)
            return true;
    return false;
}

static bool admits(const sy_rule *r, const sy_site *s, const sy_site_place *p)
{
    const sy_site_premises *owner = &s->premises[p->premises];
    bool goods = r->goods.any || r->goods.n == 0;
    for (size_t i = 0; i < p->n_goods && !goods; i++)
        goods = axis_has(&r->goods, p->goods[i]);
    return goods && p->kind && (!r->watch_kind || strcmp(r->watch_kind->id, p->kind) == 0) &&
           axis_has(&r->subject, owner->subject) &&
           axis_has(&r->stage, p->stage ? p->stage : owner->stage);
}

static int watched(const sy_rule *r, const char *quantity)
{
    for (size_t i = 0; quantity && i < r->n_watch; i++)
        if (strcmp(r->watch[i].word->id, quantity) == 0)
            return (int)i;
    return -1;
}

/* Milliseconds of a value of time at these premises; 0 where it is no time. */
static double value_ms(const sy_value *v, const sy_site_premises *p)
{
    const sy_num *num = sy_value_num(v, p->tiers, p->n_tiers);
    const sy_unit *ms = sy_unit_by_id("ms"), *s = sy_unit_by_id("s");
    if (!num || !num->unit)
        return 0;
    if (sy_unit_convertible(num->unit, ms))
        return sy_unit_convert(num->value, num->unit, ms);
    return sy_unit_convertible(num->unit, s) ? sy_unit_convert(num->value, num->unit, s) * 1000 : 0;
}

static void check_interval(sy_loader *l, const sy_rule *r, const sy_raw_point *p, double missing)
{
    if (p->p.every == 0) {
        if (!r->missing_after)
            sy_cfg_warn(l, p->node, "no-interval", NULL,
                        "rule %s has no 'missing after', and the point '%s' no 'every': gaps in "
                        "its readings have no measure",
                        "规则 %s 未写“缺数据超过”，测点“%s”也没有“every”：读数间断无从判断", r->id,
                        p->p.series);
        return;
    }
    if (missing <= 0 || missing * 2 >= (double)p->p.every * 3)
        return;
    sy_cfg_report(l, p->accept_blind ? SY_DIAG_WARNING : SY_DIAG_ERROR, p->every, "blind", NULL,
                  "rule %s is blind here: its 'missing after' of %.10g s is below 1.5 times the "
                  "interval of '%s' (%.10g s), so no time would ever count",
                  "规则 %s 在此失明：其“缺数据超过”%.10g 秒小于“%s”间隔（%.10g 秒）的1.5倍，"
                  "时间不会累计",
                  r->id, missing / 1000, p->p.series, (double)p->p.every / 1000);
}

/* Two readings already lie further apart than the hold lasts: the first that is true and the next
 * one decide alone. */
static void check_holds(sy_loader *l, const sy_rule *r, const sy_raw_point *p,
                        const sy_site_premises *owner)
{
    for (size_t i = 0; i < r->n_alerts && p->p.every > 0; i++) {
        const sy_cond *c = r->alerts[i].when;
        double ms = c->hold.kind == SY_HOLD_FOR ? value_ms(&c->hold.length, owner) : 0;
        if (ms > 0 && ms < (double)p->p.every && !(c->kind == SY_COND_TEST && c->op == SY_OP_IS))
            sy_cfg_warn(l, p->every, "short-hold", NULL,
                        "rule %s holds for %.10g s, less than the interval of '%s' (%.10g s): two "
                        "readings in a row decide",
                        "规则 %s 的持续时间 %.10g 秒短于“%s”的间隔（%.10g 秒）：连续两个读数即决定",
                        r->id, ms / 1000, p->p.series, (double)p->p.every / 1000);
    }
}

static bool doubts(const sy_cond *c, const char *quantity)
{
    if (c->beyond_doubt && c->operand.word && strcmp(c->operand.word->id, quantity) == 0)
        return true;
    for (size_t i = 0; i < c->n_kids; i++)
        if (doubts(c->kids[i], quantity))
            return true;
    return false;
}

static void check_doubt(sy_loader *l, const sy_rule *r, const sy_raw_point *p)
{
    bool asked = r->clear && doubts(r->clear, p->p.quantity);
    for (size_t i = 0; i < r->n_alerts; i++)
        asked = asked || doubts(r->alerts[i].when, p->p.quantity);
    if (asked && isnan(p->p.uncertainty) && isnan(p->p.accuracy))
        sy_cfg_error(l, p->node, "no-uncertainty", NULL,
                     "rule %s asks what is beyond doubt, and the point '%s' has neither "
                     "'uncertainty' nor 'accuracy'",
                     "规则 %s 要求“明确”超限，而测点“%s”既无“uncertainty”也无“accuracy”", r->id,
                     p->p.series);
}

static void check_rule(sy_loader *l, const sy_rule *r)
{
    const sy_site *s = l->c->site;
    bool matched = false;
    for (size_t i = 0; i < l->n_raw; i++) {
        const sy_raw_point *p = &l->raw_points[i];
        const sy_site_place *place = &s->places[p->p.place];
        int w = watched(r, p->p.quantity);
        if (w < 0 || !admits(r, s, place))
            continue;
        matched = matched || w == 0;
        if (!p->p.is_state)
            check_holds(l, r, p, &s->premises[place->premises]);
        if (!p->p.is_state)
            check_doubt(l, r, p);
        if (!p->p.is_state)
            check_interval(
                l, r, p,
                r->missing_after ? value_ms(r->missing_after, &s->premises[place->premises]) : 0);
    }
    if (!matched) {
        sy_diag d = {SY_DIAG_WARNING, "no-match", r->pos, NULL, NULL, NULL};
        d.en = "this rule matches no point of the configuration";
        d.zh = "此规则与配置中的任何测点都不匹配";
        sy_cfg_report_diag(l, &d);
    }
}

static bool served(const sy_config *c, const sy_word *recipient)
{
    for (size_t i = 0; i < c->n_destinations; i++)
        for (size_t k = 0; k < c->destinations[i].n_serves; k++)
            if (c->destinations[i].serves[k] == recipient)
                return true;
    return false;
}

static void check_recipients(sy_loader *l, const sy_rule *r)
{
    for (size_t i = 0; i < r->n_tells; i++)
        for (size_t k = 0; k < r->tells[i].n_recipients; k++) {
            const sy_name *name = &r->tells[i].recipients[k];
            if (served(l->c, name->word))
                continue;
            sy_diag d = {SY_DIAG_NOTE, "not-served", name->pos, NULL, NULL, NULL};
            d.en = "no destination serves this recipient";
            d.zh = "没有接收方服务于此收件角色";
            sy_cfg_report_diag(l, &d);
        }
}

void sy_cfg_watch(sy_loader *l)
{
    for (size_t i = 0; i < l->c->set->n_rules; i++) {
        check_rule(l, l->c->set->rules[i]);
        if (l->c->n_destinations)
            check_recipients(l, l->c->set->rules[i]);
    }
}
