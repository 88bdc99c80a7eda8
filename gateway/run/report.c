/* SPDX-License-Identifier: Apache-2.0 */
/* What the running gateway says of itself: status, ready, systemd. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "pipeline/quality.h"
#include "run/orders.h"
#include "run/rss.h"
#include "run/service_int.h"

static void put_counters(sy_service *s, sy_buf *b)
{
    uint64_t counts[SY_N_COUNTERS] = {0}, series = 0;
    sy_fail why = {0};
    if (sy_store_counters(s->store, counts, &why) || sy_store_series_count(s->store, &series, &why))
        sy_log_fail(SY_LOG_ERROR, "status-failed", &why);
    for (int i = 0; i < SY_N_COUNTERS; i++)
        sy_buf_printf(b, "\"%s\":%llu,", sy_counter_name((sy_counter)i),
                      (unsigned long long)counts[i]);
    sy_open_figures open;
    sy_store_open_figures(s->store, &open);
    sy_buf_printf(b, "\"open_readings\":%llu,\"open_bytes\":%llu,",
                  (unsigned long long)open.samples, (unsigned long long)open.bytes);
    sy_buf_printf(b, "\"journal_seq\":%llu,\"series\":%llu,\"rss\":%llu",
                  (unsigned long long)sy_journal_seq(s->journal), (unsigned long long)series,
                  (unsigned long long)sy_rss_bytes());
}

static void put_log(sy_service *s, sy_buf *b)
{
    sy_buf_printf(b,
                  ",\"running\":true,\"version\":\"%s\",\"uptime_ms\":%lld,\"clock\":\"%s\","
                  "\"clock_synchronised\":%s,\"stored_seq\":%llu,\"synced_seq\":%llu",
                  SY_VERSION, (long long)(sy_mono_ms() - s->started),
                  s->o.replay ? "replay" : "wall", s->synced ? "true" : "false",
                  (unsigned long long)sy_pipeline_seq(s->pipeline),
                  (unsigned long long)sy_journal_synced(s->journal));
    sy_ms now = sy_journal_now(s->journal);
    char text[25] = "";
    if (now != SY_MS_NONE)
        sy_time_text(now, text);
    sy_buf_text(b, ",\"log_time\":");
    if (now == SY_MS_NONE)
        sy_buf_text(b, "null");
    else
        sy_buf_json(b, sy_span_of(text));
    sy_buf_printf(b, ",\"torn_tails\":%llu,\"damaged_segments\":%llu",
                  (unsigned long long)sy_journal_torn(s->journal),
                  (unsigned long long)sy_journal_damaged(s->journal));
}

static void put_broker(sy_service *s, sy_buf *b)
{
    static const char *const states[] = {"acknowledges", "full", "failing"};
    sy_spool_status spool = sy_broker_spool_status(s->broker);
    sy_buf_printf(b, ",\"broker\":{\"pid\":%ld,\"restarts\":%llu,\"failing\":%s,\"ports\":[",
                  sy_broker_pid(s->broker), (unsigned long long)sy_broker_restarts(s->broker),
                  sy_broker_failing(s->broker) ? "true" : "false");
    for (size_t i = 0; i < s->config->n_mqtt_listen + s->config->n_cert_listen; i++)
        sy_buf_printf(b, "%s%u", i ? "," : "", sy_broker_port(s->broker, i));
    sy_buf_printf(
        b,
        "],\"certificates_from\":%zu,\"spool\":{\"state\":\"%s\",\"bytes\":%llu,\"appended\":%llu,"
        "\"taken\":%llu,\"refused\":%llu}}",
        s->config->n_mqtt_listen, states[spool.state < 3 ? spool.state : 2],
        (unsigned long long)spool.bytes, (unsigned long long)spool.appended,
        (unsigned long long)spool.taken, (unsigned long long)spool.refused);
}

static void put_coap(const sy_service *s, sy_coap *coap, sy_buf *b)
{
    uint64_t dropped, held_back;
    sy_buf_text(b, "{\"ports\":[");
    for (size_t i = 0; i < s->config->n_coap_listen + s->config->n_dtls_listen; i++)
        sy_buf_printf(b, "%s%u", i ? "," : "", sy_coap_port(coap, i));
    sy_buf_printf(b, "],\"dtls_from\":%zu,\"observed\":", s->config->n_coap_listen);
    sy_coap_report(coap, b);
    sy_coap_losses(coap, &dropped, &held_back);
    sy_buf_printf(b, ",\"dropped\":%llu,\"held_back\":%llu}", (unsigned long long)dropped,
                  (unsigned long long)held_back);
}

static void put_ports(sy_service *s, sy_buf *b)
{
    sy_coap *coap = atomic_load(&s->coap);
    sy_buf_text(b, ",\"mqtt\":");
    if (s->mqtt) {
        sy_buf_text(b, "{\"uri\":");
        sy_buf_json(b, sy_span_of(sy_service__mqtt_uri(s)));
        sy_buf_printf(b, ",\"connected\":%s", sy_mqtt_connected(s->mqtt) ? "true" : "false");
        if (s->broker)
            put_broker(s, b);
        sy_buf_char(b, '}');
    } else {
        sy_buf_text(b, "null");
    }
    sy_buf_text(b, ",\"coap\":");
    if (coap)
        put_coap(s, coap, b);
    else
        sy_buf_text(b, "null");
    sy_buf_text(b, ",\"hj212\":");
    if (s->hj212) {
        sy_buf_text(b, "{\"ports\":[");
        for (size_t i = 0; sy_hj212_port(s->hj212, i); i++)
            sy_buf_printf(b, "%s%u", i ? "," : "", sy_hj212_port(s->hj212, i));
        sy_buf_printf(b, "],\"connections\":%u}", sy_hj212_connections(s->hj212));
    } else {
        sy_buf_text(b, "null");
    }
}

static void put_due(sy_buf *b, const sy_site_point *p, sy_ms until, size_t n)
{
    char text[25] = "";
    sy_time_text(until, text);
    sy_buf_text(b, n ? ",{\"series\":" : "{\"series\":");
    sy_buf_json(b, sy_span_of(p->series));
    sy_buf_printf(b, ",\"until\":\"%s\"}", text);
}

/* Points whose calibration is over, or soon will be. */
static void put_calibration(const sy_site *site, sy_ms now, sy_buf *b)
{
    enum { SHOWN = 100 };
    const sy_ms soon = (sy_ms)30 * 86400000;
    for (int later = 0; later <= 1; later++) {
        size_t n = 0;
        sy_buf_text(b, later ? "],\"soon\":[" : ",\"calibration\":{\"overdue\":[");
        for (size_t i = 0; i < site->n_points && n < SHOWN; i++) {
            sy_ms until = sy_calibrated_until(site, &site->points[i]);
            if (later ? until > now && until - soon <= now : until <= now)
                put_due(b, &site->points[i], until, n++);
        }
    }
    sy_buf_text(b, "]}");
}

void sy_service__status(sy_service *s, sy_buf *json)
{
    sy_buf_char(json, '{');
    put_counters(s, json);
    put_log(s, json);
    put_ports(s, json);
    sy_buf_text(json, ",\"modbus\":");
    if (s->modbus)
        sy_modbus_status(s->modbus, json);
    else
        sy_buf_text(json, "null");
    sy_service__door_status(s, json);
    sy_buf_text(json, ",\"ledger\":");
    sy_ledger_status(s->ledger, json);
    sy_buf_text(json, ",\"console\":");
    sy_service__console_status(s, json);
    sy_buf_text(json, ",\"certificates\":");
    sy_service__certificates_status(s, json);
    sy_buf_text(json, ",\"keeping\":");
    sy_keeper_status(s->keeper, json);
    sy_buf_text(json, ",\"upstream\":");
    sy_upstream_status(s->upstream, json);
    sy_buf_text(json, ",\"orders\":");
    if (s->orders)
        sy_orders_status(s->orders, json);
    else
        sy_buf_text(json, "null");
    sy_ms now = sy_service__now(s);
    put_calibration(s->config->site, now, json);
    sy_buf_text(json, ",\"maintenance\":");
    sy_service__maintenance(s, json);
    sy_buf_text(json, ",\"configuration\":{\"file\":");
    sy_buf_json(json, sy_span_of(s->o.config_file));
    sy_buf_printf(json, ",\"set\":\"%s\",\"fell_back\":%s,\"refused\":", s->config->hash_hex,
                  s->fell_back ? "true" : "false");
    if (s->refused_why[0])
        sy_buf_json(json, sy_span_of(s->refused_why));
    else
        sy_buf_text(json, "null");
    sy_buf_text(json, "}}");
}

/* sd_notify(3) without its library: one datagram to the socket that systemd names. */
void sy_service__notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, n) < 0)
        sy_log(SY_LOG_WARN, "notify-failed", "errno=%d", errno);
    close(fd);
}

/* One line: "ready", then the listeners as key=value. */
void sy_service__ready(sy_service *s)
{
    sy_buf line;
    sy_buf_init(&line, sy_heap());
    sy_buf_text(&line, "ready");
    if (s->mqtt)
        sy_buf_printf(&line, " mqtt=%s", sy_service__mqtt_uri(s));
    sy_coap *coap = atomic_load(&s->coap);
    for (size_t i = 0; coap && i < s->config->n_coap_listen; i++)
        sy_buf_printf(&line, " coap=%u", sy_coap_port(coap, i));
    for (size_t i = 0; coap && i < s->config->n_dtls_listen; i++)
        sy_buf_printf(&line, " coaps=%u", sy_coap_port(coap, s->config->n_coap_listen + i));
    for (size_t i = 0; s->hj212 && sy_hj212_port(s->hj212, i); i++)
        sy_buf_printf(&line, " hj212=%u", sy_hj212_port(s->hj212, i));
    if (!line.failed)
        sy_log(SY_LOG_INFO, "ready", "data=%s listeners=\"%s\"", s->data, line.p + 5);
    sy_buf_char(&line, '\n');
    if (s->o.ready_fd >= 0 && !line.failed) {
        sy_fail why = {0};
        if (sy_write_all(s->o.ready_fd, line.p, line.n, &why))
            sy_log_fail(SY_LOG_WARN, "ready-fd-failed", &why);
        close(s->o.ready_fd);
        s->o.ready_fd = -1;
    }
    sy_buf_fini(&line);
    sy_service__notify("READY=1\nSTATUS=taking readings");
}
