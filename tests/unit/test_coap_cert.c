/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 over DTLS: who comes in, who does not and by what name it is counted; certificates made by
 * openssl, the device is libcoap's client. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "coap_harness.h"

/* Two authorities; gateway; devices: good, expired, of the other authority, of one that calls
 * itself as ours, of no device, by a second name, for servers only. `openssl x509 -days -1` is over
 * before it begins; versions that refuse that take the dates. */
static const char make_all[] =
    "cd '%s' && exec 2>make.log && set -e\n"
    "for ca in ca other; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
    "-keyout $ca.key -out $ca.pem -subj /CN=$ca -days 2; done\n"
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout forger.key "
    "-out forger.pem -subj /CN=ca -days 2\n"
    "openssl ecparam -name prime256v1 -genkey -noout -out k.key\n"
    "make() { openssl req -new -key k.key -subj /CN=$2 -out r.csr\n"
    "  printf '%%b' \"$5\" > ext; openssl x509 -req -in r.csr -CA $3.pem -CAkey $3.key -$4 "
    "-extfile ext -out $1.pem; }\n"
    "make own gateway ca 'days 2' ''\n"
    "make good cert-1 ca 'days 2' ''\n"
    "make late cert-1 ca 'days -1' '' || make late cert-1 ca "
    "'not_before 20200101000000Z -not_after 20200102000000Z' ''\n"
    "make alien cert-1 other 'days 2' ''\n"
    "make forged cert-1 forger 'days 2' ''\n"
    "make nobody cert-9 ca 'days 2' ''\n"
    "make wrong psk-1 ca 'days 2' ''\n"
    "make dns any ca 'days 2' 'subjectAltName=DNS:cert-2'\n"
    "make urn any ca 'days 2' 'subjectAltName=URI:urn:dev:ops:acme-cert-2,URI:urn:dev:ops:cert-2'\n"
    "make server cert-1 ca 'days 2' 'extendedKeyUsage=serverAuth'\n"
    "echo made\n";

typedef struct rig {
    harness h;
    char ca[100], cert[100], key[100], psk[100];
} rig;

/* Made once, into a folder that each test copies. */
static int make(void **state)
{
    static char made[64] = "/tmp/sy-certs-XXXXXX";
    char command[2048];
    if (!mkdtemp(made))
        return -1;
    snprintf(command, sizeof command, make_all, made);
    char *out = h_shell(command);
    int rc = strcmp(out, "made\n");
    free(out);
    *state = made;
    return rc;
}

static int unmake(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", (const char *)*state);
    free(h_shell(command));
    return 0;
}

static void begin(rig *r, void **state, bool with_psk)
{
    char command[256];
    h_begin(&r->h, false);
    snprintf(command, sizeof command, "cp '%s'/* '%s'", (const char *)*state, r->h.dir);
    free(h_shell(command));
    snprintf(r->ca, sizeof r->ca, "%s/ca.pem", r->h.dir);
    snprintf(r->cert, sizeof r->cert, "%s/own.pem", r->h.dir);
    snprintf(r->key, sizeof r->key, "%s/k.key", r->h.dir);
    free(h_file(&r->h, "psk", "psk-1:736563726574\n", 19));
    snprintf(r->psk, sizeof r->psk, "%s/psk", r->h.dir);
    h_serve(&r->h, &(sy_coap_files){with_psk ? r->psk : NULL, r->ca, r->cert, r->key});
}

static char *client(rig *r, const char *credential, const char *device)
{
    char command[600];
    snprintf(command, sizeof command,
             "cd '%s' && timeout 20 coap-client-openssl -v 5 -B 1 -m post %s -e 4 "
             "coaps://127.0.0.1:%u/r/%s 2>&1",
             r->h.dir, credential, sy_coap_port(r->h.server, 1), device);
    return h_shell(command);
}

/* One that does not come in waits for long: it is ended once it is counted. */
static void refused(rig *r, const char *credential, const char *device, size_t n)
{
    char command[600];
    snprintf(command, sizeof command,
             "cd '%s' && coap-client-openssl -B 9 -m post %s -e 4 coaps://127.0.0.1:%u/r/%s "
             ">/dev/null 2>&1 & echo $!",
             r->h.dir, credential, sy_coap_port(r->h.server, 1), device);
    char *pid = h_shell(command);
    h_wait_rejected(&r->h, SY_REJECT_NOT_ALLOWED, n);
    kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
    free(pid);
}

static void cert_refused(rig *r, const char *cert, const char *device, size_t n)
{
    char credential[100];
    snprintf(credential, sizeof credential, "-C ca.pem -c %s.pem -j k.key", cert);
    refused(r, credential, device, n);
}

/* -C: the authority that the server must have. */
static char *with_cert(rig *r, const char *cert, const char *device)
{
    char credential[100];
    snprintf(credential, sizeof credential, "-C ca.pem -c %s.pem -j k.key", cert);
    return client(r, credential, device);
}

static void knows_a_device_by_its_certificate(void **state)
{
    rig r;
    begin(&r, state, true);
    free(with_cert(&r, "good", "cert-1"));
    h_wait_kept(&r.h, 1);
    assert_int_equal(r.h.kept[0].m.flags, SY_MSG_PROMISE);
    free(with_cert(&r, "dns", "cert-2"));
    free(with_cert(&r, "urn", "cert-2"));
    h_wait_kept(&r.h, 3);
    /* Keys on the same listener. */
    free(client(&r, "-u psk-1 -k secret", "psk-1"));
    h_wait_kept(&r.h, 4);
    assert_int_equal(h_rejected(&r.h, SY_REJECT_NOT_ALLOWED), 0);
    /* For another, for one with a key, and by a key for one with a certificate. */
    char *out = with_cert(&r, "good", "cert-2");
    assert_non_null(strstr(out, "another device"));
    free(out);
    out = client(&r, "-u psk-1 -k secret", "cert-1");
    assert_non_null(strstr(out, "another device"));
    free(out);
    assert_int_equal(h_rejected(&r.h, SY_REJECT_NOT_ALLOWED), 2);
    assert_int_equal(r.h.n_kept, 4);
    h_stop(&r.h);
}

typedef struct stranger {
    const char *cert, *name, *says, *word;
} stranger;

static const stranger strangers[] = {
    {"late", "cert-1", "certificate has expired", "expired-certificate"},
    {"alien", "cert-1", "unable to get local issuer certificate", "unknown-authority"},
    {"forged", "cert-1", "signature failure", "unknown-authority"},
    {"nobody", "cert-9", "no device of this name", "unknown-device"},
    {"wrong", "psk-1", "no device of this name", "not-by-certificate"},
    {"server", "cert-1", "purpose", "bad-certificate"},
};

static void turns_strangers_away_by_name(void **state)
{
    rig r;
    begin(&r, state, false);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        const stranger *x = &strangers[i];
        cert_refused(&r, x->cert, x->name, i + 1);
        if (!strstr(r.h.detail, x->says) || strcmp(r.h.refused, x->name) != 0 ||
            strcmp(r.h.word, x->word) != 0)
            fail_msg("%s: %s: %s: %s", x->cert, r.h.refused, r.h.word, r.h.detail);
    }
    size_t n = sizeof strangers / sizeof strangers[0];
    refused(&r, "-C ca.pem", "cert-1", n + 1);
    assert_string_equal(r.h.refused, "127.0.0.1");
    /* Nobody is known by a key here. */
    refused(&r, "-u cert-1 -k secret", "cert-1", n + 2);
    free(with_cert(&r, "good", "cert-1"));
    h_wait_kept(&r.h, 1);
    assert_int_equal(h_rejected(&r.h, SY_REJECT_NOT_ALLOWED), n + 2);
    h_stop(&r.h);
}

/* Files of a reload: a broken one changes nothing, an authority that is gone is trusted no more. */
static void follows_a_reload(void **state)
{
    rig r;
    char other[120], list[2048];
    begin(&r, state, false);
    snprintf(other, sizeof other, "%s/other.pem", r.h.dir);
    sy_coap_reload(r.h.server, &(sy_coap_files){r.psk, r.psk, r.cert, r.key});
    free(with_cert(&r, "good", "cert-1"));
    h_wait_kept(&r.h, 1);
    free(client(&r, "-u psk-1 -k secret", "psk-1"));
    h_wait_kept(&r.h, 2);
    sy_coap_reload(r.h.server, &(sy_coap_files){NULL, other, r.cert, r.key});
    cert_refused(&r, "good", "cert-1", 1);
    free(with_cert(&r, "alien", "cert-1"));
    h_wait_kept(&r.h, 3);
    /* A list of what the authority has revoked, in the file of authorities. */
    snprintf(list, sizeof list,
             "cd '%s' && exec 2>crl.log && : > index.txt && echo 01 > crlnumber && printf '%%s\\n' "
             "'[ca]' 'default_ca=d' '[d]' 'database=index.txt' 'crlnumber=crlnumber' "
             "'default_md=sha256' 'default_crl_days=2' > ca.cnf && openssl ca -config ca.cnf "
             "-keyfile ca.key -cert ca.pem -revoke good.pem && openssl ca -config ca.cnf -keyfile "
             "ca.key -cert ca.pem -gencrl -out crl.pem && cat crl.pem >> ca.pem && echo revoked",
             r.h.dir);
    char *out = h_shell(list);
    assert_string_equal(out, "revoked\n");
    free(out);
    sy_coap_reload(r.h.server, &(sy_coap_files){NULL, r.ca, r.cert, r.key});
    cert_refused(&r, "good", "cert-1", 2);
    assert_string_equal(r.h.word, "revoked-certificate");
    free(with_cert(&r, "dns", "cert-2"));
    h_wait_kept(&r.h, 4);
    sy_coap_reload(r.h.server, &(sy_coap_files){.psk = r.psk});
    cert_refused(&r, "dns", "cert-2", 3);
    assert_int_equal(r.h.n_kept, 4);
    h_stop(&r.h);
}

/* Nobody sees a wrong key: what is enciphered by it is dropped. */
static void counts_a_wrong_key(void **state)
{
    rig r;
    begin(&r, state, true);
    refused(&r, "-u psk-1 -k wrong", "psk-1", 1);
    assert_string_equal(r.h.refused, "psk-1");
    assert_non_null(strstr(r.h.detail, "wrong key"));
    assert_string_equal(r.h.word, "wrong-psk");
    h_stop(&r.h);
    assert_int_equal(r.h.rejected[SY_REJECT_NOT_ALLOWED], 1);
}

static void starts_with_a_bad_certificate(void **state)
{
    rig r;
    begin(&r, state, true);
    sy_coap_stop(r.h.server);
    close(r.h.fd);
    h_serve(&r.h, &(sy_coap_files){NULL, r.ca, r.psk, r.key});
    assert_int_equal(d_post(r.h.fd, 1, "num-1", "4").code, 204);
    cert_refused(&r, "good", "cert-1", 1);
    sy_coap_reload(r.h.server, &(sy_coap_files){NULL, r.ca, r.cert, r.key});
    free(with_cert(&r, "good", "cert-1"));
    h_wait_kept(&r.h, 2);
    h_stop(&r.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_a_device_by_its_certificate),
        cmocka_unit_test(turns_strangers_away_by_name),
        cmocka_unit_test(follows_a_reload),
        cmocka_unit_test(starts_with_a_bad_certificate),
        cmocka_unit_test(counts_a_wrong_key),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
