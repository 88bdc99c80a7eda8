/*
 * Why a device's certificate is refused, in a word of docs/devices.md, for all transports. Pure;
 * the broker's plugin has a copy of it.
 */
#ifndef SY_CERTIFICATE_H
#define SY_CERTIFICATE_H

/* error: X509_V_ERR_… of OpenSSL. A static text. */
const char *sy_certificate_word(int error);

#endif
