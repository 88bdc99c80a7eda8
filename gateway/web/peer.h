/*
 * Who the client of a TLS connection is, by its certificate (GnuTLS under libmicrohttpd, which asks
 * for one and requires none).
 */
#ifndef SY_WEB_PEER_H
#define SY_WEB_PEER_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "web/web.h"

/* The client's certificate, which the caller frees, and what is wrong with it (bits of
 * gnutls_certificate_status_t; 0: it is of the CA for clients, and for client authentication).
 * False: there is none, or it cannot be judged. */
bool sy_web_certificate(struct MHD_Connection *c, gnutls_x509_crt_t *out, unsigned *wrong);
/* One part of its subject (GNUTLS_OID_…). False, and "": there is none, there are several, of which
 * none is meant, or it does not fit. */
bool sy_web_subject(gnutls_x509_crt_t crt, const char *oid, char *out, size_t size);

#endif
