/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate is judged here, once for every server of the program. */
#include "web/peer.h"

bool sy_web_certificate(struct MHD_Connection *c, gnutls_x509_crt_t *out, unsigned *wrong)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info ? (gnutls_session_t)info->tls_session : NULL;
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned n = 0;
    if (!session || gnutls_certificate_verify_peers(session, &purpose, 1, wrong) != 0) {
        return false;
    }
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
    gnutls_x509_crt_t crt = NULL;
    if (!chain || n == 0 || gnutls_x509_crt_init(&crt) != 0) {
        return false;
    }
    if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) != 0) {
        gnutls_x509_crt_deinit(crt);
        return false;
    }
    *out = crt;
    return true;
}

bool sy_web_subject(gnutls_x509_crt_t crt, const char *oid, char *out, size_t size)
{
    size_t n = size, unused = 0;
    out[0] = 0;
    if (gnutls_x509_crt_get_dn_by_oid(crt, oid, 1, 0, NULL, &unused) !=
            GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
        gnutls_x509_crt_get_dn_by_oid(crt, oid, 0, 0, out, &n) != 0 || n == 0 || strlen(out) != n) {
        out[0] = 0;
        return false;
    }
    return true;
}
