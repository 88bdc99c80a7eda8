/* SPDX-License-Identifier: Apache-2.0 */
/* POST /events: a batch or one event, all that is well formed in one transaction. */
#include "base/log.h"
#include "inbox/routes.h"

const char *const sy_take_types[] = {"application/cloudevents-batch+json",
                                     "application/cloudevents+json", "application/json", NULL};

static void list_refused(const sy_cloud_batch *batch, const char *sender, sy_buf *b)
{
    const char *comma = "";
    sy_buf_text(b, ",\"refused\":[");
    for (size_t i = 0; i < batch->n; i++) {
        const sy_cloud *c = &batch->v[i];
        char id[300], source[600], why[400], from[600];
        if (!c->refused[0]) {
            continue;
        }
        sy_buf_printf(b, "%s{\"id\":", comma);
        sy_buf_json(b, sy_span_of(c->id));
        sy_buf_text(b, ",\"source\":");
        sy_buf_json(b, sy_span_of(c->source));
        sy_buf_text(b, ",\"why\":");
        sy_buf_json(b, sy_span_of(c->refused));
        sy_buf_char(b, '}');
        comma = ",";
        sy_log(SY_LOG_ERROR, "inbox-event-refused", "source=%s event=%s sender=%s msg=%s",
               sy_logq(sy_span_of(c->source), source, sizeof source),
               sy_logq(sy_span_of(c->id), id, sizeof id),
               sy_logq(sy_span_of(sender), from, sizeof from),
               sy_logq(sy_span_of(c->refused), why, sizeof why));
    }
    sy_buf_char(b, ']');
}

enum MHD_Result sy_take_events(const sy_web_request *r)
{
    sy_cloud_batch batch;
    sy_fail f;
    sy_inbox_counted n = {0};
    sy_err e = sy_cloud_parse(r->body, &batch, &f);
    if (e == SY_E_PARSE) {
        sy_log_fail(SY_LOG_WARN, "inbox-malformed", &f);
        return sy_web_refuse(r->connection, MHD_HTTP_BAD_REQUEST, f.text);
    }
    if (e == SY_OK) {
        e = sy_inbox_db_add(r->db, &batch, &(sy_inbox_sender){r->sender, r->name}, sy_wall_ms(), &n,
                            &f);
    }
    if (e != SY_OK) {
        sy_cloud_free(&batch);
        sy_log_fail(SY_LOG_ERROR, "inbox-store", &f);
        return sy_web_refuse(r->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                             "the events could not be stored; try again");
    }
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_printf(&b, "{\"stored\":%zu,\"known\":%zu", n.stored, n.known);
    if (n.refused) {
        list_refused(&batch, r->sender, &b);
    }
    sy_buf_text(&b, "}\n");
    sy_cloud_free(&batch);
    enum MHD_Result queued = sy_web_answer(r->connection, MHD_HTTP_OK, "application/json", &b);
    sy_buf_fini(&b);
    return queued;
}
