/*
 * The configuration that a command line names.
 */
#ifndef SY_CLI_CONFIG_FILE_H
#define SY_CLI_CONFIG_FILE_H

#include "config/config.h"

/* Load it; data overrides gateway.data and may be NULL. Where it is refused its findings are
 * printed to stderr, in the user's language; *f has the one line that a command ends with. Fails as
 * sy_config_load. */
SY_MUST_USE sy_err sy_config_file_load(const char *file, const char *data, sy_config **out,
                                       sy_fail *f);

#endif
