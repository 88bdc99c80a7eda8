/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/listen.h"

sy_err sy_listen_resolve(const char *listen, int socktype, int port, struct addrinfo **out,
                         sy_fail *f)
{
    char host[64];
    const char *colon = strrchr(listen, ':'), *from = listen;
    size_t n = colon ? (size_t)(colon - listen) : 0;
    if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']') {
        from++;
        n -= 2;
    }
    if (n == 0 || n >= sizeof host)
        return sy_fail_set(f, SY_E_USAGE, "'%s': write an address as 127.0.0.1:%d or [::1]:%d",
                           listen, port, port);
    memcpy(host, from, n);
    host[n] = '\0';
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = socktype};
    int rc = getaddrinfo(host, colon + 1, &hints, out);
    return rc ? sy_fail_set(f, SY_E_USAGE, "'%s': %s; write an address as 127.0.0.1:%d", listen,
                            gai_strerror(rc), port)
              : SY_OK;
}
