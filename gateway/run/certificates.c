/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates that the gateway shows: renewed by a thread, put to use here, and warned of
 * before they end. Main thread, but where it says otherwise.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "enrol/enrol.h"
#include "ledger/ledger_files.h"
#include "run/service_int.h"

static const sy_ms day = 86400000;

/* Any thread. The largest of the clocks that there are. */
static sy_ms certificate_now(void *ctx)
{
    const sy_service *s = ctx;
    sy_ms now = sy_wall_ms(), log = sy_service__now(s), built = (sy_ms)SY_BUILD_TIME * 1000;
    now = log != SY_MS_NONE && log > now ? log : now;
    return built > now ? built : now;
}

/* The renewal's thread. */
static void renewed(void *ctx)
{
    sy_service *s = ctx;
    uint64_t one = 1;
    atomic_store(&s->renewed, true);
    (void)!write(s->wake_fd, &one, sizeof one);
}

sy_err sy_service__certificates_open(sy_service *s, sy_fail *f)
{
    const sy_renew_options o = {.data = s->data,
                                .config = sy_service__config_in_force,
                                .now = certificate_now,
                                .renewed = renewed,
                                .ctx = s};
    return s->o.replay ? SY_OK : sy_renew_start(&s->renew, &o, f);
}

/* ---- which there are ---- */

static void add(sy_service *s, size_t *n, const char *what, const char *path)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(s->certificates[i].path, path) == 0)
            return;
    if (*n == SY_CERTIFICATES || strlen(path) >= sizeof s->certificates[0].path)
        return;
    sy_certificate *c = &s->certificates[(*n)++];
    if (strcmp(c->path, path) != 0) {
        *c = (sy_certificate){.what = what};
        snprintf(c->path, sizeof c->path, "%s", path);
    }
}

static void list(sy_service *s)
{
    char key[SY_LEDGER_PATH], cert[SY_LEDGER_PATH];
    const sy_config *c = s->config;
    sy_fail unused;
    size_t n = 0;
    for (size_t i = 0; i < c->n_destinations; i++)
        if (c->destinations[i].tls.cert)
            add(s, &n, "tls", c->destinations[i].tls.cert);
    if (sy_keyfile_paths(s->data, c->ledger_key, c->ledger_cert, key, cert, &unused) == SY_OK)
        add(s, &n, "ledger", cert);
    for (size_t i = n; i < s->n_certificates; i++)
        s->certificates[i] = (sy_certificate){0};
    s->n_certificates = n;
}

/* Read again where the file is another one. */
static void look(sy_certificate *c)
{
    struct stat st;
    sy_fail unused;
    sy_ms from = 0, until = 0;
    if (stat(c->path, &st) != 0) {
        c->until = 0;
        c->changed = 0;
        return;
    }
    int64_t changed = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (changed == c->changed)
        return;
    c->changed = changed;
    c->until = 0;
    if (sy_enrol_times(c->path, &from, &until, &unused) == SY_OK) {
        c->told = 0;
        c->from = from;
        c->until = until;
    }
}

/* 0: far from its end; 1: 30 days, or a quarter of its time; 2: 7 days, or a twelfth; 3: over. */
static unsigned level_of(const sy_certificate *c, sy_ms now)
{
    sy_ms life = c->until - c->from, left = c->until - now;
    sy_ms early = life / 4 < 30 * day ? life / 4 : 30 * day,
          late = life / 12 < 7 * day ? life / 12 : 7 * day;
    return left <= 0 ? 3u : left <= late ? 2u : left <= early ? 1u : 0u;
}

static void warn(sy_service *s, sy_certificate *c, unsigned level, sy_ms now)
{
    char until[25] = "", why[320] = "", id[96];
    sy_buf data;
    sy_time_text(c->until, until);
    if (s->renew)
        sy_renew_failure(s->renew, why);
    sy_buf_init(&data, sy_heap());
    sy_buf_printf(&data,
                  "{\"certificate\":\"%s\",\"until\":\"%s\",\"days\":%lld,\"renewal\":", c->what,
                  until, (long long)((c->until - now) / day));
    if (why[0])
        sy_buf_json(&data, sy_span_of(why));
    else
        sy_buf_text(&data, "null");
    sy_buf_char(&data, '}');
    snprintf(id, sizeof id, "certificate-expiring/%s/%lld/%u", c->what, (long long)c->until, level);
    sy_log(level > 1 ? SY_LOG_ERROR : SY_LOG_WARN, "certificate-expiring",
           "certificate=%s file=%s until=%s", c->what, c->path, until);
    if (!data.failed &&
        sy_service__announce_certificate(s, sy_span_of(id), sy_buf_span(&data), level) == SY_OK)
        c->told = level;
    sy_buf_fini(&data);
}

void sy_service__look_at_certificates(sy_service *s)
{
    enum { OFTEN_MS = 200, SELDOM_MS = 60000 };
    sy_ms mono = sy_mono_ms();
    if (atomic_exchange(&s->renewed, false)) {
        sy_fail why = {0};
        sy_service__ledger_reload(s, s->config);
        if (sy_upstream_reload(s->upstream, s->config, &why))
            sy_log_fail(SY_LOG_ERROR, "enrol-failed", &why);
        s->certificates_at = 0;
    }
    if (s->o.replay || mono < s->certificates_at)
        return;
    sy_ms pause = SELDOM_MS, now = certificate_now(s);
    list(s);
    for (size_t i = 0; i < s->n_certificates; i++) {
        sy_certificate *c = &s->certificates[i];
        look(c);
        if (!c->until)
            continue;
        unsigned level = level_of(c, now);
        if (level > c->told)
            warn(s, c, level, now);
        sy_ms part = (c->until - c->from) / 50;
        pause = part < pause ? part : pause;
    }
    s->certificates_at = mono + (pause > OFTEN_MS ? pause : OFTEN_MS);
}

void sy_service__certificates_status(sy_service *s, sy_buf *b)
{
    char text[25], why[320] = "";
    size_t shown = 0;
    sy_ms now = certificate_now(s);
    if (s->renew)
        sy_renew_failure(s->renew, why);
    sy_buf_text(b, "{\"shown\":[");
    for (size_t i = 0; i < s->n_certificates; i++) {
        const sy_certificate *c = &s->certificates[i];
        static const char *const states[] = {"good", "ending", "ending", "ended"};
        if (!c->until)
            continue;
        sy_time_text(c->until, text);
        sy_buf_printf(b, "%s{\"certificate\":\"%s\",\"file\":", shown++ ? "," : "", c->what);
        sy_buf_json(b, sy_span_of(c->path));
        sy_buf_printf(b, ",\"until\":\"%s\",\"state\":\"%s\"}", text, states[level_of(c, now)]);
    }
    sy_buf_text(b, "],\"renewal_failed\":");
    if (why[0])
        sy_buf_json(b, sy_span_of(why));
    else
        sy_buf_text(b, "null");
    sy_buf_char(b, '}');
}
