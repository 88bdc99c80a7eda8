/* SPDX-License-Identifier: Apache-2.0 */
/* Start and stop: files, address, the library's daemon. */
#include "console/console.h"

#include <errno.h>
#include <stdlib.h>

#include "console/jobs.h"
#include "console/live.h"
#include "console/server.h"

enum {
    CONNECTIONS_MOST = 512,
    CONNECTIONS_OF_ONE = 256,
    CONNECTION_MEMORY = 32 * 1024,
    IDLE_S = 30,
    THREADS = 2,
    PEM_MOST = 1 << 20
};

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void release(sy_console *c)
{
    sy_jobs_close(c->jobs);
    sy_live_close(c->live);
    sy_sessions_close(c->sessions);
    sy_guard_close(c->guard);
    free(c->data);
    free(c->file);
    free(c->metrics_token);
    free(c);
}

typedef struct pems {
    sy_buf cert, key, ca;
} pems;

static sy_err read_pem(const char *path, sy_buf *out, sy_fail *f)
{
    if (!path) {
        return SY_OK;
    }
    sy_err e = sy_file_read(path, PEM_MOST, out, f);
    sy_buf_char(out, 0);
    return !e && out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for %s", path) : e;
}

static sy_err read_files(const sy_tls_files *files, pems *p, sy_fail *f)
{
    sy_err e = read_pem(files->cert, &p->cert, f);
    e = e ? e : read_pem(files->key, &p->key, f);
    return e ? e : read_pem(files->ca, &p->ca, f);
}

static struct MHD_Daemon *start(sy_console *c, const struct sockaddr_storage *address, pems *p)
{
    unsigned flags = (unsigned)MHD_USE_EPOLL_INTERNAL_THREAD | (unsigned)MHD_USE_ITC |
                     (unsigned)MHD_ALLOW_SUSPEND_RESUME | (unsigned)MHD_USE_ERROR_LOG;
    flags |= address->ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0u;
    struct MHD_OptionItem tls[5] = {{MHD_OPTION_END, 0, NULL}};
    if (c->tls) {
        size_t n = 0;
        flags |= (unsigned)MHD_USE_TLS;
        tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, p->cert.p};
        tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, p->key.p};
        if (c->certificates) {
            tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, p->ca.p};
        }
        tls[n++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0,
            (void *)(uintptr_t) "SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3"};
        tls[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    return MHD_start_daemon(
        flags, 0, NULL, NULL, sy_console__request, c, MHD_OPTION_EXTERNAL_LOGGER, sy_web_log, NULL,
        MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)address, MHD_OPTION_ARRAY, tls,
        MHD_OPTION_NOTIFY_COMPLETED, sy_console__ended, c, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MOST, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)THREADS, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static sy_err open_listener(sy_console *c, const sy_console_setup *o, sy_fail *f)
{
    struct sockaddr_storage address;
    pems p;
    sy_err e = sy_web_address(o->listen, &address, &c->loopback, f);
    if (!e && !c->tls && !c->loopback) {
        e = sy_fail_set(f, SY_E_USAGE,
                        "%s is reachable from other machines: give console.tls a certificate and "
                        "its key, or listen on 127.0.0.1",
                        o->listen);
    }
    if (e) {
        return e;
    }
    sy_buf_init(&p.cert, sy_heap());
    sy_buf_init(&p.key, sy_heap());
    sy_buf_init(&p.ca, sy_heap());
    e = read_files(&o->tls, &p, f);
    c->daemon = e ? NULL : start(c, &address, &p);
    if (!e && !c->daemon) {
        e = sy_fail_sys(f,
                        "the console cannot listen on %s: is the port taken, do certificate and "
                        "key of console.tls belong together?",
                        o->listen);
    }
    if (p.key.n) {
        explicit_bzero(p.key.p, p.key.n);
    }
    sy_buf_fini(&p.cert);
    sy_buf_fini(&p.key);
    sy_buf_fini(&p.ca);
    return e;
}

static void stop_workers(sy_console *c)
{
    if (c->jobs) {
        sy_jobs_stop(c->jobs);
    }
    if (c->live) {
        sy_live_stop(c->live);
    }
}

sy_err sy_console_start(sy_console **out, const sy_console_setup *o, sy_fail *f)
{
    sy_console *c = calloc(1, sizeof *c);
    if (!c) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the console");
    }
    c->data = copy(o->data);
    c->file = copy(o->file);
    c->metrics_token = copy(o->metrics_token);
    c->tls = o->tls.cert && o->tls.key;
    c->certificates = c->tls && o->tls.ca;
    c->store = o->store;
    c->watch = o->watch;
    c->config = o->config;
    c->ctx = o->ctx;
    c->sessions = sy_sessions_open(sy_session_defaults);
    c->guard = sy_guard_open();
    sy_err e = c->data && c->file && c->sessions && c->guard
                   ? SY_OK
                   : sy_fail_set(f, SY_E_NOMEM, "no memory for the console");
    e = e ? e : sy_jobs_open(&c->jobs, f);
    e = e ? e : sy_live_open(&c->live, c->store, c->watch, f);
    e = e ? e : open_listener(c, o, f);
    if (e) {
        stop_workers(c);
        release(c);
        return sy_fail_wrap(f, "console");
    }
    *out = c;
    return SY_OK;
}

void sy_console_stop(sy_console *c)
{
    if (c) {
        stop_workers(c); /* requests that wait for them must go on before the library may end */
        MHD_stop_daemon(c->daemon);
        release(c);
    }
}

unsigned sy_console_port(const sy_console *c)
{
    return sy_web_port(c->daemon);
}

void sy_console_status(sy_console *c, sy_buf *json)
{
    sy_buf_printf(
        json,
        "{\"port\":%u,\"tls\":%s,\"sessions\":%zu,\"live\":%zu,\"requests\":%llu,\"refused\":%llu}",
        sy_console_port(c), c->tls ? "true" : "false", sy_sessions_count(c->sessions, sy_mono_ms()),
        sy_live_readers(c->live), (unsigned long long)atomic_load(&c->requests),
        (unsigned long long)atomic_load(&c->refused));
}
