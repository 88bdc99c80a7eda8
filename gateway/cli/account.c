/* SPDX-License-Identifier: Apache-2.0 */
/* The account that a command is given by. */
#include "cli/account.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

const char *sy_cli_account(void)
{
    const char *sudo = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *me = getpwuid(getuid());
    return sudo && *sudo ? sudo : me ? me->pw_name : "unknown";
}
