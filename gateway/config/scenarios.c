/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of rules whose own scenarios fail is not loaded: what the law meant is written there, and a
 * rule that misses it is worse than the one that is in force.
 */
#include "config/config_int.h"
#include "rules/scenario.h"

void sy_cfg_scenarios(sy_loader *l)
{
    const sy_set *set = l->c->set;
    const sy_zone *zone;
    sy_fail f;
    if (set->n_scenarios == 0)
        return;
    if (sy_zone_load(l->scratch, "Asia/Shanghai", &zone, &f) != SY_OK) {
        sy_cfg_error(l, NULL, "time-zone", NULL, "scenarios need a time zone: %s",
                     "情景需要时区：%s", f.text);
        return;
    }
    for (size_t i = 0; i < set->n_scenarios && !l->nomem; i++) {
        const sy_scenario *s = set->scenarios[i];
        sy_scenario_result r;
        if (sy_scenario_run(s, set, zone, sy_heap(), l->scratch, &r) != SY_OK) {
            l->nomem = true;
            return;
        }
        if (r.passed)
            continue;
        sy_diag d = {SY_DIAG_ERROR,
                     "scenario-failed",
                     r.failed_step ? r.failed_step->pos : s->pos,
                     r.en,
                     r.zh,
                     NULL};
        sy_cfg_report_diag(l, &d);
    }
}
