/*
 * The console from within, shared by the files of console/.
 */
#ifndef SY_CONSOLE_INT_H
#define SY_CONSOLE_INT_H

#include <stdatomic.h>

#include "console/console.h"
#include "console/guard.h"
#include "console/session.h"
#include "web/web.h"

struct sy_console {
    char *data, *file, *metrics_token;
    bool tls, certificates; /* it speaks TLS; it asks for certificates */
    bool loopback;          /* it listens on this machine alone */
    sy_store *store;
    sy_watch *watch;
    sy_config *(*config)(void *ctx);
    void *ctx;
    struct MHD_Daemon *daemon;
    sy_sessions *sessions;
    sy_guard *guard;
    struct sy_jobs *jobs;
    struct sy_live *live;
    atomic_uint_fast64_t requests, refused;
};

#endif
