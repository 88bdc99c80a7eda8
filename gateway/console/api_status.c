/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's own status, as `steelyard status --json` gives it. */
#include "console/api.h"

enum MHD_Result sy_api_status(sy_request *r)
{
    sy_buf b;
    sy_fail f;
    sy_buf_init(&b, sy_heap());
    sy_err e = sy_request_ask(r, "status", &b, &f);
    enum MHD_Result queued = e ? sy_answer_fail(r, &f) : sy_answer_json(r, MHD_HTTP_OK, &b);
    sy_buf_fini(&b);
    return queued;
}
