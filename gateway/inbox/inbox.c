/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and stop: options are checked, the store opened (a handle a thread), then the listeners.
 */
#include "inbox/inbox.h"

#include <stdlib.h>

#include "inbox/est.h"
#include "inbox/sign.h"
#include "inbox/web.h"

enum { PEM_MAX = 262144 };

struct sy_inbox {
    sy_inbox_db *writer, *reader, *desk;
    sy_pen *signer;
    sy_listen *listen;
    sy_est *est;
    sy_page *page;
    sy_arena arena; /* the time zone */
};

static sy_err read_pem(const char *path, const char *option, sy_buf *out, sy_fail *f)
{
    if (!path) {
        return sy_fail_set(f, SY_E_USAGE, "%s is needed", option);
    }
    sy_err e = sy_file_read(path, PEM_MAX, out, f);
    if (e == SY_OK && out->failed) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for %s", path);
    }
    if (e != SY_OK) {
        (void)sy_fail_wrap(f, "%s", option);
        return SY_E_USAGE;
    }
    return SY_OK;
}

static sy_err start_est(sy_inbox *i, const sy_inbox_options *o, sy_fail *f)
{
    const sy_ms day = 86400000;
    sy_buf ca, key;
    sy_buf_init(&ca, sy_heap());
    sy_buf_init(&key, sy_heap());
    sy_err e = read_pem(o->est_ca, "--est-ca", &ca, f);
    e = e != SY_OK ? e : read_pem(o->est_key, "--est-ca-key", &key, f);
    if (e == SY_OK) {
        const sy_est_options eo = {.ca = ca.p ? ca.p : "",
                                   .key = key.p ? key.p : "",
                                   .tokens = o->est_tokens,
                                   .data = o->data,
                                   .lifetime = o->est_lifetime ? o->est_lifetime : 90 * day,
                                   .grace = o->est_grace ? o->est_grace : 400 * day};
        e = sy_est_open(&i->est, &eo, f);
    }
    if (key.p) {
        explicit_bzero(key.p, key.cap);
    }
    sy_buf_fini(&ca);
    sy_buf_fini(&key);
    return e;
}

static sy_err start_events(sy_inbox *i, const sy_inbox_options *o, sy_fail *f)
{
    sy_listen_options lo = {.db = i->writer, .est = i->est};
    bool loopback = false;
    sy_buf pem[4];
    for (int k = 0; k < 4; k++) {
        sy_buf_init(&pem[k], sy_heap());
    }
    sy_err e = sy_web_address(o->listen, &lo.address, &loopback, f);
    e = e != SY_OK ? e : read_pem(o->cert, "--cert", &pem[0], f);
    e = e != SY_OK ? e : read_pem(o->key, "--key", &pem[1], f);
    e = e != SY_OK ? e : read_pem(o->client_ca, "--client-ca", &pem[2], f);
    e = e != SY_OK || !o->crl ? e : read_pem(o->crl, "--crl", &pem[3], f);
    if (e == SY_OK) {
        lo.cert = pem[0].p;
        lo.key = pem[1].p;
        lo.client_ca = pem[2].p;
        lo.crl = sy_buf_span(&pem[3]);
        e = sy_inbox_db_ca(i->writer, sy_buf_span(&pem[2]), sy_buf_span(&pem[3]), f);
    }
    if (e == SY_OK) {
        e = sy_listen_start(&i->listen, &lo, f);
    }
    for (int k = 0; k < 4; k++) {
        if (pem[k].p) {
            explicit_bzero(pem[k].p, pem[k].cap);
        }
        sy_buf_fini(&pem[k]);
    }
    return e;
}

/* A field's name (RFC 9110, 5.1), an origin (RFC 6454, 6.2). */
static sy_err check_words(const sy_inbox_options *o, sy_fail *f)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const char *h = o->user_header, *g = o->origin;
    size_t n = g ? strlen(g) : 0;
    if (h && (!*h || strlen(h) > 64)) {
        return sy_fail_set(f, SY_E_USAGE, "--user-header wants a name of 1 to 64 letters");
    }
    for (const char *p = h; p && *p; p++) {
        if (!strchr(letters, *p) && *p != '-' && *p != '_') {
            return sy_fail_set(f, SY_E_USAGE, "--user-header %.40s is no name of a header", h);
        }
    }
    if (g && ((strncmp(g, "https://", 8) != 0 && strncmp(g, "http://", 7) != 0) || n < 9 ||
              strchr(g + 8, '/'))) {
        return sy_fail_set(f, SY_E_USAGE,
                           "--origin %.80s: write it as the browser does, https://inbox.example",
                           g);
    }
    return !o->sign_cert == !o->sign_key
               ? SY_OK
               : sy_fail_set(f, SY_E_USAGE, "--sign-cert and --sign-key belong together");
}

static sy_err start_page(sy_inbox *i, const sy_inbox_options *o, sy_fail *f)
{
    sy_page_options po = {.origin = o->origin, .user_header = o->user_header};
    bool loopback = false;
    sy_err e = sy_web_address(o->page, &po.address, &loopback, f);
    if (e == SY_OK && !loopback) {
        e = sy_fail_set(f, SY_E_USAGE,
                        "--page %s: the page has no login and no TLS, so it is served on loopback "
                        "only; put a web server with both before it",
                        o->page);
    }
    e = e != SY_OK || !o->zone ? e : sy_zone_load(&i->arena, o->zone, &po.zone, f);
    e = e != SY_OK || !o->sign_cert ? e : sy_pen_open(&i->signer, o->sign_cert, o->sign_key, f);
    e = e != SY_OK ? e : sy_inbox_db_open(&i->reader, o->data, false, f);
    e = e != SY_OK ? e : sy_inbox_db_open(&i->desk, o->data, true, f);
    po.reader = i->reader;
    po.desk = i->desk;
    po.signer = i->signer;
    return e != SY_OK ? e : sy_page_start(&i->page, &po, f);
}

sy_err sy_inbox_start(sy_inbox **out, const sy_inbox_options *o, sy_fail *f)
{
    sy_inbox *i = calloc(1, sizeof *i);
    if (!i) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the inbox");
    }
    sy_arena_init(&i->arena, sy_heap(), 0);
    sy_err e = check_words(o, f);
    e = e != SY_OK ? e : sy_dir_make(o->data, f);
    e = e != SY_OK ? e : sy_inbox_db_open(&i->writer, o->data, true, f);
    e = e != SY_OK || !(o->est_ca || o->est_key || o->est_tokens) ? e : start_est(i, o, f);
    e = e != SY_OK ? e : start_events(i, o, f);
    e = e != SY_OK || !o->page ? e : start_page(i, o, f);
    if (e != SY_OK) {
        sy_inbox_stop(i);
        return e;
    }
    *out = i;
    return SY_OK;
}

void sy_inbox_stop(sy_inbox *i)
{
    if (i) {
        sy_page_stop(i->page);
        sy_listen_stop(i->listen);
        sy_est_close(i->est);
        sy_inbox_db_close(i->reader);
        sy_inbox_db_close(i->desk);
        sy_pen_close(i->signer);
        sy_inbox_db_close(i->writer);
        sy_arena_fini(&i->arena);
        free(i);
    }
}

unsigned sy_inbox_port(const sy_inbox *i)
{
    return sy_listen_port(i->listen);
}

unsigned sy_inbox_page_port(const sy_inbox *i)
{
    return i->page ? sy_page_port(i->page) : 0;
}
