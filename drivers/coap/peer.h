/* A peer of CoAP: address (IPv4 mapped into IPv6), port, and whether it comes over DTLS. */
#ifndef SY_COAP_PEER_H
#define SY_COAP_PEER_H

#include "base/os.h"

typedef struct sy_coap_peer {
    unsigned char addr[16];
    unsigned char port[2];
    unsigned char dtls;
} sy_coap_peer;

#endif
