/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saying upstream that a configuration was refused and which set runs instead (C7). It is no
 * judgement, so it is no function of the log: it goes into the outbox in a transaction of its own.
 * The id is a hash of what was found, the set that runs and the day: a supervisor hears once a day
 * of a file that stays bad, however often the gateway starts.
 */
#include "base/hash.h"
#include "base/log.h"
#include "run/service_int.h"

static void put_id(const sy_service *s, sy_span findings, const char *day, sy_buf *out)
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

static void put_body(const sy_service *s, sy_span id, sy_span findings, const char *now, sy_buf *b)
{
    sy_buf_text(b, "{\"specversion\":\"1.0\",\"id\":");
    sy_buf_json(b, id);
    sy_buf_text(b, ",\"source\":\"/steelyard/");
    sy_buf_text(b, s->config->id);
    sy_buf_text(b, "\",\"type\":\"steelyard.configuration.refused\",\"time\":");
    sy_buf_json(b, sy_span_of(now));
    sy_buf_text(b, ",\"datacontenttype\":\"application/json\",\"data\":{\"file\":");
    sy_buf_json(b, sy_span_of(s->o.config_file));
    sy_buf_printf(b, ",\"running\":\"%s\",\"at_start\":%s,\"findings\":", s->config->hash_hex,
                  s->fell_back ? "true" : "false");
    sy_buf_span_put(b, findings);
    sy_buf_text(b, "}}");
}

void sy_service__announce_refusal(sy_service *s)
{
    sy_ms now = sy_wall_ms();
    char time[25];
    sy_buf id, body;
    sy_fail why = {0};
    sy_buf_init(&id, sy_heap());
    sy_buf_init(&body, sy_heap());
    sy_time_text(now, time);
    put_id(s, sy_buf_span(&s->refused), time, &id);
    put_body(s, sy_buf_span(&id), sy_buf_span(&s->refused), time, &body);
    sy_event_row e = {.id = id.p,
                      .kind = "configuration-refused",
                      .time = now,
                      .severity = SY_WARNING,
                      .priority = 2,
                      .body = sy_buf_span(&body)};
    if (id.failed || body.failed)
        sy_fail_set(&why, SY_E_NOMEM, "out of memory");
    else
        (void)!sy_ledger_tell(s->ledger, &e, sy_service__now(s), &why);
    if (why.code)
        sy_log_fail(SY_LOG_ERROR, "announce-failed", &why);
    else if (s->upstream)
        sy_upstream_wake(s->upstream);
    sy_buf_fini(&body);
    sy_buf_fini(&id);
}
