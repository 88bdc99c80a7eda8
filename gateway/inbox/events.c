/* SPDX-License-Identifier: Apache-2.0 */
/* POST /events: a batch or one event, all that is well formed in one transaction. */
#include "base/log.h"
#include "inbox/routes.h"

const char *const sy_take_types[] = {"application/cloudevents-batch+json",
                                     "application/cloudevents+json", "application/json", NULL};

enum MHD_Result sy_take_events(const sy_web_request *r)
{
    sy_cloud_batch batch;
    sy_fail f;
    size_t stored = 0, known = 0;
    sy_err e = sy_cloud_parse(r->body, &batch, &f);
    if (e == SY_E_PARSE) {
        sy_log_fail(SY_LOG_WARN, "inbox-malformed", &f);
        return sy_web_refuse(r->connection, MHD_HTTP_BAD_REQUEST, f.text);
    }
    if (e == SY_OK) {
        e = sy_inbox_db_add(r->db, &batch, r->sender, sy_wall_ms(), &stored, &known, &f);
        sy_cloud_free(&batch);
    }
    if (e != SY_OK) {
        sy_log_fail(SY_LOG_ERROR, "inbox-store", &f);
        return sy_web_refuse(r->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                             "the events could not be stored; try again");
    }
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_printf(&b, "{\"stored\":%zu,\"known\":%zu}\n", stored, known);
    enum MHD_Result queued = sy_web_answer(r->connection, MHD_HTTP_OK, "application/json", &b);
    sy_buf_fini(&b);
    return queued;
}
