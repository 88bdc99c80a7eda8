/* SPDX-License-Identifier: Apache-2.0 */
/* The console as a part of the running gateway. */
#include <stdio.h>

#include "base/log.h"
#include "run/service_int.h"

sy_config *sy_service__config_in_force(void *ctx)
{
    sy_service *s = ctx;
    pthread_mutex_lock(&s->config_lock);
    sy_config *c = sy_config_ref(s->config);
    pthread_mutex_unlock(&s->config_lock);
    return c;
}

static void start(sy_service *s, const sy_config *c)
{
    sy_fail why = {0};
    s->console_why[0] = 0;
    if (!c->console_listen)
        return;
    sy_console_setup o = {.data = s->data,
                          .file = s->o.config_file,
                          .listen = c->console_listen,
                          .tls = c->console_tls,
                          .metrics_token = c->console_metrics,
                          .store = s->store,
                          .watch = s->watchers,
                          .config = sy_service__config_in_force,
                          .ctx = s};
    if (sy_console_start(&s->console, &o, &why)) {
        sy_log_fail(SY_LOG_ERROR, "console-failed", &why);
        snprintf(s->console_why, sizeof s->console_why, "%s", why.text);
        return;
    }
    sy_log(SY_LOG_INFO, "console-ready", "listen=%s port=%u", c->console_listen,
           sy_console_port(s->console));
}

void sy_service__console_open(sy_service *s)
{
    start(s, s->config);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Certificates are read at the start alone, so with TLS it always starts anew. */
void sy_service__console_reload(sy_service *s, const sy_config *c)
{
    const sy_config *old = s->config;
    bool same = s->console && same_text(old->console_listen, c->console_listen) &&
                !old->console_tls.cert && !c->console_tls.cert &&
                same_text(old->console_metrics, c->console_metrics);
    if (same)
        return;
    sy_service__console_close(s);
    start(s, c);
}

void sy_service__console_close(sy_service *s)
{
    sy_console *c = s->console;
    s->console = NULL;
    sy_console_stop(c);
}

void sy_service__console_status(sy_service *s, sy_buf *json)
{
    if (s->console) {
        sy_console_status(s->console, json);
    } else if (s->console_why[0]) {
        sy_buf_text(json, "{\"error\":");
        sy_buf_json(json, sy_span_of(s->console_why));
        sy_buf_char(json, '}');
    } else {
        sy_buf_text(json, "null");
    }
}
