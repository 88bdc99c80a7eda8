/* SPDX-License-Identifier: Apache-2.0 */
/* What a panel asks for, and telling where it is not done. */
#include "base/intake.h"

sy_err sy_intake_press(const sy_intake *in, const sy_press *p, sy_fail *f)
{
    sy_err e = in->press ? in->press(in->ctx, p, f)
                         : sy_fail_set(f, SY_E_UNSUPPORTED, "nothing is acknowledged here");
    if (e) {
        sy_refusal r = {.transport = p->transport,
                        .why = e == SY_E_PARSE ? SY_REJECT_MALFORMED : SY_REJECT_NOT_ALLOWED,
                        .reason = "not-acknowledged",
                        .who = p->device,
                        .peer = p->peer,
                        .detail = f->text};
        sy_intake_refuse(in, &r);
    }
    return e;
}
