/*
 * What every HTTP server of this program shares: libmicrohttpd's header, addresses to listen on,
 * its messages in our log. Any thread.
 */
#ifndef SY_WEB_H
#define SY_WEB_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "base/os.h"

/* "127.0.0.1:8443", "[::1]:8443". SY_E_USAGE. */
SY_MUST_USE sy_err sy_web_address(const char *text, struct sockaddr_storage *out, bool *loopback,
                                  sy_fail *f);
unsigned sy_web_port(struct MHD_Daemon *d);
/* MHD's own messages go to our log. */
void sy_web_log(void *cls, const char *format, va_list args);

#endif
