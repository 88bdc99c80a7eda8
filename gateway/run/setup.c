/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which set is in force (C7). An accepted set is kept by its hash, and <data>/accepted/current
 * names the last one, so that a start that finds a bad file runs what ran before and says so. Only
 * a first start, which has nothing to run, refuses.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "run/orders.h"
#include "run/service_int.h"
#include "store/orders.h"

#define DEFAULT_DATA "/var/lib/steelyard"
enum { CONFIG_MAX = 1 << 20 };

sy_err sy_service__lock(sy_service *s, sy_fail *f)
{
    char path[4200];
    sy_err err = sy_dir_make(s->data, f);
    if (err)
        return err;
    snprintf(path, sizeof path, "%s/lock", s->data);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return sy_fail_sys(f, "%s: cannot open", path);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? sy_fail_set(f, SY_E_USAGE, "another gateway runs on the data folder %s",
                                 s->data)
                   : sy_fail_sys(f, "%s: cannot lock", path);
    return SY_OK;
}

/* People read this, with its carets, on the terminal or in the journal; so it is not logfmt. */
static void print_findings(const sy_findings *fs)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_findings_print(fs, sy_locale(), &text);
    if (!text.failed && text.n)
        (void)!write(STDERR_FILENO, text.p, text.n);
    sy_buf_fini(&text);
}

static sy_err load_file(sy_service *s, sy_config **out, sy_fail *f)
{
    sy_arena arena;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_findings findings = {.arena = &arena};
    sy_err err = sy_config_load(s->o.config_file, s->o.data, &findings, out, f);
    print_findings(&findings);
    if (err == SY_E_USAGE) {
        sy_fail_set(f, SY_E_USAGE, "%s: %zu errors", s->o.config_file, findings.errors);
        sy_buf_reset(&s->refused);
        sy_findings_json(&findings, &s->refused);
    }
    sy_arena_fini(&arena);
    return err;
}

/* A value up to a blank, a comment or what ends it in JSON and flow style; or what is quoted. */
static sy_span scalar(const char *p)
{
    p += strspn(p, " \t");
    if (*p == '"' || *p == '\'') {
        const char *end = strchr(p + 1, *p);
        return (sy_span){p + 1, end ? (size_t)(end - p - 1) : 0};
    }
    return (sy_span){p, strcspn(p, " \t\r\n,}#")};
}

/* The first value of a key `data` in a text that is no valid configuration. */
static sy_span find_data(const char *text)
{
    for (const char *p = text; (p = strstr(p, "data")); p += 4) {
        if (p > text && !strchr(" \t\n\"'{,", p[-1]))
            continue;
        const char *after = p + 4;
        after += *after == '"' || *after == '\'';
        after += strspn(after, " \t");
        if (*after == ':')
            return scalar(after + 1);
    }
    return (sy_span){NULL, 0};
}

/* Where the data lie by a file that cannot be read as a configuration, which is good enough to find
 * what ran before. */
static void guess_data(const char *file, char *out, size_t size)
{
    snprintf(out, size, DEFAULT_DATA);
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    if (sy_file_read(file, CONFIG_MAX, &text, NULL) == SY_OK && text.n) {
        sy_span value = find_data(text.p);
        const char *slash = strrchr(file, '/');
        int folder = value.n && value.p[0] != '/' && slash ? (int)(slash - file + 1) : 0;
        if (value.n)
            snprintf(out, size, "%.*s%.*s", folder, file, (int)value.n, value.p);
    }
    sy_buf_fini(&text);
}

static sy_err fall_back(sy_service *s, const sy_fail *why, sy_fail *f)
{
    char path[4200];
    sy_buf hash;
    sy_buf_init(&hash, sy_heap());
    snprintf(path, sizeof path, "%s/accepted/current", s->data);
    sy_err err = sy_file_read(path, 128, &hash, f);
    if (!err && hash.n > 64)
        hash.p[64] = '\0';
    if (!err)
        err = sy_config_load_kept(s->data, hash.n ? hash.p : "", &s->config, f);
    sy_buf_fini(&hash);
    if (err) {
        sy_log_fail(SY_LOG_WARN, "no-set-to-fall-back-to", f);
        *f = *why;
        return SY_E_USAGE;
    }
    s->fell_back = true;
    snprintf(s->refused_why, sizeof s->refused_why, "%s", why->text);
    sy_log(SY_LOG_ERROR, "configuration-refused",
           "file=%s running=%.12s msg=\"the last accepted configuration runs\"", s->o.config_file,
           s->config->hash_hex);
    return SY_OK;
}

static sy_err set_data(sy_service *s, const char *data, sy_fail *f)
{
    int n = snprintf(s->data, sizeof s->data, "%s", data);
    return n > 0 && (size_t)n < sizeof s->data - 64
               ? SY_OK
               : sy_fail_set(f, SY_E_USAGE, "the data folder's name is too long");
}

sy_err sy_service__configure(sy_service *s, sy_fail *f)
{
    sy_fail why = {0};
    sy_err err = load_file(s, &s->config, &why);
    if (!err)
        return set_data(s, s->config->data, f);
    if (err != SY_E_USAGE) {
        *f = why;
        return err;
    }
    char guess[4096];
    if (s->o.data)
        snprintf(guess, sizeof guess, "%s", s->o.data);
    else
        guess_data(s->o.config_file, guess, sizeof guess);
    err = set_data(s, guess, f);
    return err ? err : fall_back(s, &why, f);
}

sy_err sy_service__activate(sy_service *s, sy_config *c, sy_fail *f)
{
    char path[4200], line[66];
    sy_err err = sy_config_keep(c, s->data, f);
    if (err)
        return err;
    sy_jrec rec = {.type = SY_J_ACTIVATION, .payload = sy_span_of(c->hash_hex)};
    err = sy_journal_append(s->journal, &rec, f);
    if (err)
        return err;
    /* From here on the log says that it is in force, and the judge follows the log: what fails now
     * is told, and refuses nothing. */
    sy_fail why = {0};
    snprintf(path, sizeof path, "%s/accepted/current", s->data);
    snprintf(line, sizeof line, "%s\n", c->hash_hex);
    err = sy_journal_wait_synced(s->journal, rec.seq, &why);
    if (!err)
        err = sy_file_write(path, sy_span_of(line), 0600, &why);
    if (err)
        sy_log_fail(SY_LOG_ERROR, "activation-not-noted", &why);
    return SY_OK;
}

/* A listener cannot move while devices talk to it. */
static bool same_list(const char *const *a, size_t n, const char *const *b, size_t m)
{
    if (n != m)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static void warn_of_restart(const sy_config *old, const sy_config *new)
{
    bool broker = old->broker == new->broker ||
                  (old->broker && new->broker &&strcmp(old->broker, new->broker) == 0);
    if (!broker || old->coap != new->coap || old->strict != new->strict || old->sync != new->sync ||
        old->commit != new->commit || old->segment != new->segment ||
        old->max_payload != new->max_payload || strcmp(old->data, new->data) != 0 ||
        old->on_site.on != new->on_site.on || strcmp(old->on_site.topic, new->on_site.topic) != 0 ||
        !same_list(old->mqtt_listen, old->n_mqtt_listen, new->mqtt_listen, new->n_mqtt_listen) ||
        !same_list(old->cert_listen, old->n_cert_listen, new->cert_listen, new->n_cert_listen) ||
        !same_list(old->coap_listen, old->n_coap_listen, new->coap_listen, new->n_coap_listen) ||
        !same_list(old->dtls_listen, old->n_dtls_listen, new->dtls_listen, new->n_dtls_listen) ||
        !same_list(old->hj212_listen, old->n_hj212_listen, new->hj212_listen, new->n_hj212_listen))
        sy_log(SY_LOG_WARN, "restart-needed",
               "msg=\"listeners, broker, durability, sync, commit, segment, max-payload, data and "
               "the topic of on-site follow at the next start\"");
}

/* The log first, then the drivers: a message of a new device must not come before the activation
 * that knows the device. */
static sy_err put_in_force(sy_service *s, sy_config *next, sy_fail *f)
{
    sy_registry *devices = NULL;
    sy_err err = sy_service__registry(s, next, &devices, f);
    if (err)
        return err;
    err = sy_service__activate(s, next, f);
    if (err) {
        sy_registry_unref(devices);
        return err;
    }
    sy_registry_slot_set(s->devices, devices);
    warn_of_restart(s->config, next);
    sy_keeper_configure(s->keeper, next);
    sy_service__transports_reload(s, next);
    sy_service__ledger_reload(s, next);
    sy_service__console_reload(s, next);
    sy_fail why = {0};
    if (sy_upstream_reload(s->upstream, next, &why))
        sy_log_fail(SY_LOG_ERROR, "upstream-reload-failed", &why);
    if (s->orders)
        sy_orders_reload(s->orders, next);
    return SY_OK;
}

/* What the pipeline may take without reading it again. */
static void offer(sy_service *s, sy_config *config, sy_config *next)
{
    pthread_mutex_lock(&s->config_lock);
    s->config = config;
    s->next_config = next;
    pthread_mutex_unlock(&s->config_lock);
}

sy_err sy_service__take(sy_service *s, sy_config *next, sy_fail *f)
{
    offer(s, s->config, next);
    sy_err err = put_in_force(s, next, f);
    if (err) {
        offer(s, s->config, NULL);
        sy_config_unref(next);
        return err;
    }
    sy_config *old = s->config;
    offer(s, next, NULL);
    sy_config_unref(old);
    return SY_OK;
}

/* The configuration was read before the store was open: where the files of packs were not as the
 * store has them, or one of an earlier process was left, it is read again. */
sy_err sy_service__mend_orders(sy_service *s, sy_fail *f)
{
    sy_config *next = NULL;
    sy_buf text;
    sy_fail why = {0};
    bool mended = false;
    sy_buf_init(&text, sy_heap());
    sy_err err = sy_orders_mend(s, &mended, f);
    if (!err && sy_store_in_force_get(s->store, &text, &why) == SY_E_NOMEM)
        err = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    bool same = !err && sy_span_eq(sy_config_orders(s->config), sy_buf_span(&text));
    if (!err && (mended || !same)) {
        if (load_file(s, &next, &why) == SY_OK) {
            s->fell_back = false;
            s->refused_why[0] = '\0';
        } else {
            sy_arena arena;
            sy_arena_init(&arena, sy_heap(), 0);
            sy_findings findings = {.arena = &arena};
            if (sy_config_load_ordered(s->config, s->data, NULL, &findings, &next, &why))
                sy_log_fail(SY_LOG_ERROR, "orders-not-in-force", &why);
            sy_arena_fini(&arena);
        }
        if (next) {
            sy_config_unref(s->config);
            s->config = next;
        }
    }
    sy_buf_fini(&text);
    return err;
}

sy_err sy_service__reload(sy_service *s, sy_fail *f)
{
    sy_config *next = NULL;
    bool mended = false;
    sy_err err = sy_orders_mend(s, &mended, f);
    err = err ? err : load_file(s, &next, f);
    if (!err) {
        offer(s, s->config, next);
        err = put_in_force(s, next, f);
    }
    if (err) {
        snprintf(s->refused_why, sizeof s->refused_why, "%s", f->text);
        sy_log_fail(SY_LOG_ERROR, "configuration-refused", f);
        if (err == SY_E_USAGE)
            sy_service__announce_refusal(s);
        offer(s, s->config, NULL);
        if (next)
            sy_config_unref(next);
        return err;
    }
    sy_log(SY_LOG_INFO, "configuration-reloaded", "file=%s set=%.12s", s->o.config_file,
           next->hash_hex);
    sy_config *old = s->config;
    offer(s, next, NULL);
    sy_config_unref(old);
    s->fell_back = false;
    s->refused_why[0] = '\0';
    return SY_OK;
}
