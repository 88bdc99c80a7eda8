/*
 * The address of the control socket. A socket's path is bounded to 107 bytes and a data folder's is
 * not, so the folder is opened and named through /proc/self/fd.
 */
#ifndef SY_CONTROL_ADDRESS_H
#define SY_CONTROL_ADDRESS_H

#include <sys/un.h>

#include "base/os.h"

typedef struct sy_control_address {
    int dir_fd; /* keep open while the address is used */
    struct sockaddr_un sun;
} sy_control_address;

SY_MUST_USE sy_err sy_control__address(sy_control_address *a, const char *data_dir, sy_fail *f);

#endif
