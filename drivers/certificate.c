/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/certificate.h"

#include <openssl/x509_vfy.h>

const char *sy_certificate_word(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "expired-certificate";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "early-certificate";
    case X509_V_ERR_CERT_REVOKED:
        return "revoked-certificate";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* another of the same name */
        return "unknown-authority";
    default:
        return "bad-certificate";
    }
}
