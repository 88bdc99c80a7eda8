/*
 * The checks of a broker's certificate, in a process whose TLS is that of Paho, on OpenSSL.
 *
 * Paho has no revocation lists, no time but the system's and no trust but self-signed roots, and
 * shows nobody its SSL_CTX. OpenSSL tells of each new SSL_CTX to who keeps data with it: so the
 * check of the chain is put in there. It is what tls.h does for https: the chain to a certificate
 * of the CA file, the host's name or address, the time that the gateway says, lists of revoked
 * certificates (one that is out of date counts on), TLS 1.2 or later.
 */
#ifndef SY_MQTT_CHILD_TLS_H
#define SY_MQTT_CHILD_TLS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sy_mqtt_tls {
    const char *host;    /* a name, or an address without brackets */
    const char *crl;     /* path; "": none */
    int64_t now_s;       /* UTC */
    char why[200];       /* why a peer was refused; "": it was not */
    bool verified, sick; /* the check ran and took the peer; our own file cannot be read */
} sy_mqtt_tls;

/* For all connections of this process from now on; *t must live as long. False: OpenSSL refuses. */
bool sy_mqtt_tls_arm(sy_mqtt_tls *t);

#endif
