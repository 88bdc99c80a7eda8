/*
 * "127.0.0.1:5683" or "[::1]:5683": where a driver listens. Pure but for the resolver,
 * which is asked for numbers alone.
 */
#ifndef SY_LISTEN_H
#define SY_LISTEN_H

#include <netdb.h>

#include "base/os.h"

/* socktype: SOCK_STREAM or SOCK_DGRAM; port: of an example, for the message. SY_E_USAGE. Free *out
 * by freeaddrinfo. */
SY_MUST_USE sy_err sy_listen_resolve(const char *listen, int socktype, int port,
                                     struct addrinfo **out, sy_fail *f);

#endif
