/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the box says upstream of itself: that a configuration was refused and which set runs instead
 * (C7), that the managed broker keeps ending, and that the store was damaged. These are no
 * judgements, so they are no function of the log: each goes into the ledger and the outbox in a
 * transaction of its own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "run/service_int.h"

typedef struct notice {
    const char *kind, *type; /* of the row, of the CloudEvent */
    sy_alert_level severity;
    sy_span id;
    sy_span data; /* a JSON object */
    bool passing; /* it is of no use any more once the state is over */
} notice;

static void put_body(const sy_service *s, const notice *n, const char *now, sy_buf *b)
{
    sy_buf_text(b, "{\"specversion\":\"1.0\",\"id\":");
    sy_buf_json(b, n->id);
    sy_buf_text(b, ",\"source\":\"/steelyard/");
    sy_buf_text(b, s->config->id);
    sy_buf_printf(b, "\",\"type\":\"%s\",\"time\":", n->type);
    sy_buf_json(b, sy_span_of(now));
    sy_buf_text(b, ",\"datacontenttype\":\"application/json\",\"data\":");
    sy_buf_span_put(b, n->data);
    sy_buf_char(b, '}');
}

/* To every destination, with a leaf of the ledger. Logged where it fails. */
static sy_err announce(sy_service *s, const notice *n, sy_ms now)
{
    char time[25];
    sy_buf id, body;
    sy_fail why = {0};
    sy_buf_init(&id, sy_heap());
    sy_buf_init(&body, sy_heap());
    sy_time_text(now, time);
    put_body(s, n, time, &body);
    sy_buf_span_put(&id, n->id);
    sy_event_row e = {.id = id.p,
                      .kind = n->kind,
                      .time = now,
                      .severity = (int)n->severity,
                      .priority = n->passing ? 3 : 2,
                      .body = sy_buf_span(&body)};
    sy_err err = body.failed || id.failed ? sy_fail_set(&why, SY_E_NOMEM, "out of memory")
                                          : sy_ledger_tell(s->ledger, &e, sy_service__now(s), &why);
    if (err)
        sy_log_fail(SY_LOG_ERROR, "announce-failed", &why);
    else if (s->upstream)
        sy_upstream_wake(s->upstream);
    sy_buf_fini(&body);
    sy_buf_fini(&id);
    return err;
}

sy_err sy_service__announce_certificate(sy_service *s, sy_span id, sy_span data, unsigned level)
{
    notice n = {"certificate-expiring",
                "steelyard.certificate.expiring",
                level > 1 ? SY_SERIOUS : SY_WARNING,
                id,
                data,
                false};
    return announce(s, &n, sy_wall_ms());
}

/* A hash of what was found, the set that runs and the day: a supervisor hears once a day of a file
 * that stays bad, however often the gateway starts. */
static void put_refusal_id(const sy_service *s, sy_span findings, const char *day, sy_buf *out)
{
    sy_sha256 h;
    unsigned char sum[32];
    char hex[33];
    sy_sha256_init(&h);
    sy_sha256_add(&h, findings.p, findings.n);
    sy_sha256_add(&h, s->config->hash_hex, 64);
    sy_sha256_add(&h, day, 10);
    sy_sha256_end(&h, sum);
    sy_hex(sum, 16, hex);
    sy_buf_text(out, "configuration-refused/");
    sy_buf_text(out, hex);
}

void sy_service__announce_refusal(sy_service *s)
{
    sy_ms now = sy_wall_ms();
    char day[25];
    sy_buf id, data;
    sy_buf_init(&id, sy_heap());
    sy_buf_init(&data, sy_heap());
    sy_time_text(now, day);
    put_refusal_id(s, sy_buf_span(&s->refused), day, &id);
    sy_buf_text(&data, "{\"file\":");
    sy_buf_json(&data, sy_span_of(s->o.config_file));
    sy_buf_printf(&data, ",\"running\":\"%s\",\"at_start\":%s,\"findings\":", s->config->hash_hex,
                  s->fell_back ? "true" : "false");
    sy_buf_span_put(&data, sy_buf_span(&s->refused));
    sy_buf_char(&data, '}');
    notice n = {"configuration-refused",
                "steelyard.configuration.refused",
                SY_WARNING,
                sy_buf_span(&id),
                sy_buf_span(&data),
                false};
    if (!id.failed && !data.failed)
        (void)!announce(s, &n, now);
    sy_buf_fini(&data);
    sy_buf_fini(&id);
}

/* That the end of it is to be told, over restarts of the gateway, too. */
static void failing_path(const sy_service *s, char *out, size_t size)
{
    snprintf(out, size, "%s/mqtt/failing", s->data);
}

static sy_err announce_broker(sy_service *s, bool failing)
{
    sy_ms now = sy_wall_ms();
    char id[80], why[200];
    sy_broker_said(s->broker, why, sizeof why);
    int n = snprintf(id, sizeof id, "broker-%s/%llu/%lld", failing ? "failing" : "restored",
                     (unsigned long long)sy_broker_restarts(s->broker), (long long)now);
    sy_buf data;
    sy_buf_init(&data, sy_heap());
    sy_buf_printf(
        &data, "{\"restarts\":%llu,\"said\":", (unsigned long long)sy_broker_restarts(s->broker));
    sy_buf_json(&data, sy_span_of(failing ? why : ""));
    sy_buf_char(&data, '}');
    notice it = {failing ? "broker-failing" : "broker-restored",
                 failing ? "steelyard.broker.failing" : "steelyard.broker.restored",
                 failing ? SY_SERIOUS : SY_NOTICE,
                 {id, (size_t)n},
                 sy_buf_span(&data),
                 true};
    sy_err err = data.failed ? SY_E_NOMEM : announce(s, &it, now);
    sy_buf_fini(&data);
    return err;
}

void sy_service__announce_mended(sy_service *s)
{
    const sy_mended *m = &s->mended;
    if (!m->damaged)
        return;
    sy_ms now = sy_wall_ms();
    char id[64];
    int n = snprintf(id, sizeof id, "store-damaged/%lld", (long long)now);
    sy_buf data;
    sy_buf_init(&data, sy_heap());
    sy_buf_text(&data, "{\"what\":");
    sy_buf_json(&data, sy_span_of(m->why.text));
    sy_buf_printf(&data, ",\"aside\":\"%s\",\"rows\":%llu,\"tables_cut\":%llu}", m->aside,
                  (unsigned long long)m->what.rows, (unsigned long long)m->what.cut);
    notice it = {"store-damaged", "steelyard.store.damaged", SY_SERIOUS,
                 {id, (size_t)n}, sy_buf_span(&data),        false};
    if (!data.failed)
        (void)!announce(s, &it, now);
    sy_buf_fini(&data);
}

void sy_service__look_at_broker(sy_service *s)
{
    char path[4200];
    if (!s->broker)
        return;
    failing_path(s, path, sizeof path);
    if (!s->broker_looked) {
        s->broker_told = access(path, F_OK) == 0;
        s->broker_looked = true;
    }
    bool failing = sy_broker_failing(s->broker);
    if (failing && !s->broker_told) {
        sy_fail why = {0};
        if (sy_file_write(path, (sy_span){"", 0}, 0600, &why))
            sy_log_fail(SY_LOG_WARN, "announce-failed", &why);
        s->broker_told = announce_broker(s, true) == SY_OK;
    } else if (s->broker_told && sy_broker_holds(s->broker)) {
        if (announce_broker(s, false) == SY_OK) {
            s->broker_told = false;
            unlink(path);
        }
    }
}
