/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard keys demo: a small CA, a receiver's and a gateway's certificate, so that the whole path
 * can be tried with real mutual TLS. The CA's key is thrown away: what was made is all that it will
 * ever have signed.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/keys_ledger.h"
#include "upstream/certs.h"

static const char usage_text[] =
    "usage: steelyard keys demo --out DIR [--gateway ID] [--force]\n"
    "       steelyard keys request|install|rotate --help\n"
    "\n"
    "Makes, for demonstration, a CA and certificates (ECDSA P-256, valid 10 years):\n"
    "  ca.pem                        the CA; its key is not kept\n"
    "  authority.pem, authority.key  a receiver on localhost, 127.0.0.1 and ::1\n"
    "  gateway.pem, gateway.key      a gateway, as a client\n"
    "  ledger.pem, ledger.key        the key of its ledger (gateway.ledger: {cert, key})\n"
    "\n"
    "  --out DIR  where to; made if it is not there\n"
    "  --gateway ID  the gateway whose ledger it is; gw-demo unless given\n"
    "  --force    replace what is there; without it nothing is overwritten\n";

typedef struct item {
    const char *cert_file, *key_file; /* key_file NULL: not kept */
    sy_cert_spec spec;
} item;

static sy_err keep(const char *dir, const char *name, const sy_buf *b, unsigned mode, sy_fail *f)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof path) {
        return sy_fail_set(f, SY_E_USAGE, "the name of the folder is too long");
    }
    return sy_file_write(path, sy_buf_span(b), mode, f);
}

static sy_err refuse_existing(const char *dir, const item *items, size_t n, sy_fail *f)
{
    for (size_t i = 0; i < n * 2; i++) {
        const char *name = i % 2 ? items[i / 2].key_file : items[i / 2].cert_file;
        char path[4096];
        struct stat st;
        if (name && snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path &&
            lstat(path, &st) == 0) {
            return sy_fail_set(f, SY_E_EXISTS,
                               "%.200s is there already; --force replaces the whole set", path);
        }
    }
    return SY_OK;
}

static sy_err make_all(const char *dir, const item *items, size_t n, sy_fail *f)
{
    sy_certs *c = NULL;
    sy_buf cert, key;
    sy_buf_init(&cert, sy_heap());
    sy_buf_init(&key, sy_heap());
    sy_err e = sy_certs_open(&c, f);
    for (size_t i = 0; i < n && e == SY_OK; i++) {
        sy_buf_reset(&cert);
        sy_buf_reset(&key);
        e = sy_certs_make(c, &items[i].spec, &cert, &key, f);
        if (e == SY_OK && items[i].key_file) {
            e = keep(dir, items[i].key_file, &key, 0600, f);
        }
        e = e != SY_OK ? e : keep(dir, items[i].cert_file, &cert, 0644, f);
    }
    sy_certs_close(c);
    if (key.p) {
        explicit_bzero(key.p, key.cap);
    }
    sy_buf_fini(&cert);
    sy_buf_fini(&key);
    return e;
}

static int demo(const char *dir, const char *gateway, bool force)
{
    char ledger[96];
    static const char *const names[] = {"localhost", "127.0.0.1", "::1", NULL};
    sy_ms now = sy_wall_ms() / 1000 * 1000, from = now - 3600 * 1000;
    sy_ms to = from + (sy_ms)3652 * 86400 * 1000;
    if (strlen(gateway) > 64 || strpbrk(gateway, ",=+<>#;\"\\")) {
        fprintf(stderr, "steelyard keys: '%.64s' cannot stand in a certificate\n", gateway);
        return 2;
    }
    snprintf(ledger, sizeof ledger, "CN=%s", gateway);
    const item items[] = {
        {"ca.pem",
         NULL,
         {"CN=Steelyard demonstration CA,O=Steelyard demonstration", SY_CERT_CA, NULL, from, to}},
        {"authority.pem",
         "authority.key",
         {"CN=localhost,O=Steelyard demonstration authority", SY_CERT_SERVER, names, from, to}},
        {"gateway.pem",
         "gateway.key",
         {"CN=demonstration gateway,O=Steelyard demonstration", SY_CERT_CLIENT, NULL, from, to}},
        {"ledger.pem", "ledger.key", {ledger, SY_CERT_CLIENT, NULL, from, to}},
    };
    const size_t n = sizeof items / sizeof items[0];
    sy_fail f;
    sy_err e = sy_dir_make(dir, &f);
    e = e != SY_OK || force ? e : refuse_existing(dir, items, n, &f);
    e = e != SY_OK ? e : make_all(dir, items, n, &f);
    if (e != SY_OK) {
        fprintf(stderr, "steelyard keys: %s\n", f.text);
        return e == SY_E_EXISTS || e == SY_E_USAGE ? 2 : 1;
    }
    printf("made in %s: ca.pem, authority.pem and .key, gateway.pem and .key, ledger.pem "
           "and .key\n"
           "These are for demonstration only: a real authority issues its own.\n",
           dir);
    return 0;
}

int sy_cmd_keys(int argc, char **argv)
{
    if (argc > 1 && sy_keys_ledger_named(argv[1])) {
        return sy_keys_ledger(argc - 1, argv + 1);
    }
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                            {"gateway", required_argument, NULL, 'g'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *dir = NULL, *gateway = "gw-demo";
    bool force = false;
    optind = 1;
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (o == 'o') {
            dir = optarg;
        } else if (o == 'g') {
            gateway = optarg;
        } else if (o == 'f') {
            force = true;
        } else if (o == 'h') {
            fputs(usage_text, stdout);
            return 0;
        } else {
            return 2;
        }
    }
    if (optind + 1 != argc || strcmp(argv[optind], "demo") != 0 || !dir) {
        fputs(usage_text, stderr);
        return 2;
    }
    return demo(dir, gateway, force);
}
