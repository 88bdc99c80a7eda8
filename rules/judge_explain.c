/* SPDX-License-Identifier: Apache-2.0 */
/* What a judge watches, for people. */
#include "rules/judge_explain.h"

#include "rules/judge_core.h"

sy_instance sy_judge_instance(const sy_judge *j, size_t k)
{
    const inst *i = &j->insts[k];
    return (sy_instance){i->rule, i->subject, i->place, i->point, i->n_slots};
}

uint32_t sy_judge_instance_point(const sy_judge *j, size_t k, size_t n)
{
    return j->insts[k].slots[n].point;
}
