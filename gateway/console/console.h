/*
 * The console: pages and an HTTP API for people, on libmicrohttpd. docs/console.md, docs/api.md.
 *
 * Own threads ("sy-console" and the library's). It reads the store and the configuration in force;
 * whatever changes something goes through the control socket as a command line tool does, and heavy
 * work (checks, backtests, evidence) runs in a child process of the same binary (tools.h). So the
 * pages can slow down nothing but each other.
 *
 * Without TLS it listens on loopback only. Who comes in is a local account (users.h) or has a
 * certificate of `tls.ca` whose CN is the name and whose OU is a role.
 */
#ifndef SY_CONSOLE_H
#define SY_CONSOLE_H

#include "config/config.h"
#include "door/watch.h"
#include "store/store.h"

typedef struct sy_console_setup {
    const char *data;          /* the data folder */
    const char *file;          /* the configuration file, for tools */
    const char *listen;        /* address:port; port 0: any */
    sy_tls_files tls;          /* cert and key: TLS; ca: certificates of people */
    const char *metrics_token; /* file with the bearer token of /metrics; NULL: loopback only */
    sy_store *store;
    sy_watch *watch;
    sy_config *(*config)(void *ctx); /* a counted reference to the set in force; any thread */
    void *ctx;
} sy_console_setup;

typedef struct sy_console sy_console;
/* Texts are copied. SY_E_USAGE: files and addresses. */
SY_MUST_USE sy_err sy_console_start(sy_console **out, const sy_console_setup *o, sy_fail *f);
void sy_console_stop(sy_console *c); /* NULL is allowed */
unsigned sy_console_port(const sy_console *c);
/* {"port":…,"tls":…,"sessions":…,"live":…,"requests":…,"refused":…} */
void sy_console_status(sy_console *c, sy_buf *json);

#endif
