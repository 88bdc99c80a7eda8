/*
 * The library's callbacks. Internal to console/.
 */
#ifndef SY_CONSOLE_SERVER_H
#define SY_CONSOLE_SERVER_H

#include "console/request.h"

enum MHD_Result sy_console__request(void *cls, struct MHD_Connection *c, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_n, void **state);
void sy_console__ended(void *cls, struct MHD_Connection *c, void **state,
                       enum MHD_RequestTerminationCode why);

#endif
