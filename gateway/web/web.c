/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of listeners, and the library's own messages. */
#include "web/web.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

sy_err sy_web_address(const char *text, struct sockaddr_storage *out, bool *loopback, sy_fail *f)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool v6 = n > 2 && text[0] == '[' && text[n - 1] == ']';
    unsigned port = 0;
    const char *digits = colon ? colon + 1 : "";
    bool good = digits[0] && strlen(digits) <= 5 && strspn(digits, "0123456789") == strlen(digits);
    if (good) {
        port = (unsigned)strtoul(digits, NULL, 10);
    }
    if (good && port <= 65535 && n > 0 && n < sizeof host) {
        memcpy(host, text + (v6 ? 1 : 0), n - (v6 ? 2 : 0));
        host[n - (v6 ? 2 : 0)] = 0;
        memset(out, 0, sizeof *out);
        struct sockaddr_in *a4 = (struct sockaddr_in *)out;
        struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)out;
        if (!v6 && inet_pton(AF_INET, host, &a4->sin_addr) == 1) {
            a4->sin_family = AF_INET;
            a4->sin_port = htons((uint16_t)port);
            *loopback = ntohl(a4->sin_addr.s_addr) >> 24 == 127;
            return SY_OK;
        }
        if (v6 && inet_pton(AF_INET6, host, &a6->sin6_addr) == 1) {
            a6->sin6_family = AF_INET6;
            a6->sin6_port = htons((uint16_t)port);
            *loopback = IN6_IS_ADDR_LOOPBACK(&a6->sin6_addr);
            return SY_OK;
        }
    }
    return sy_fail_set(f, SY_E_USAGE,
                       "'%.100s' is no address to listen on; write 127.0.0.1:8443 or [::1]:8443",
                       text);
}

unsigned sy_web_port(struct MHD_Daemon *d)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void sy_web_log(void *cls, const char *format, va_list args)
{
    char text[256], quoted[520];
    (void)cls;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof text, format, args);
#pragma GCC diagnostic pop
    text[strcspn(text, "\n")] = 0;
    sy_log(SY_LOG_DEBUG, "http", "msg=%s", sy_logq(sy_span_of(text), quoted, sizeof quoted));
}
