/* SPDX-License-Identifier: Apache-2.0 */
/* Who stands before the door: those that were refused. */
#include "base/log.h"
#include "run/service_int.h"

/* On the thread of the driver. */
static void on_refused(void *ctx, const sy_refusal *r)
{
    sy_refused_note(((sy_service *)ctx)->refusals, r, sy_wall_ms());
}

sy_err sy_service__door_open(sy_service *s, sy_fail *f)
{
    s->refusals = sy_refused_open();
    if (!s->refusals)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the table of refusals");
    sy_gate_teller t = {.refused = on_refused, .ctx = s};
    sy_gate_tell(s->gate, &t);
    return SY_OK;
}

void sy_service__door_close(sy_service *s)
{
    sy_refused_close(s->refusals);
}

void sy_service__door_status(sy_service *s, sy_buf *json)
{
    sy_buf_text(json, ",\"refused\":");
    sy_refused_json(s->refusals, json);
}
