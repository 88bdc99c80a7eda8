/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of messages, as the environment asks for it.
 */
#include <stdlib.h>

#include "config/config.h"

sy_lang sy_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *v = getenv(names[i]);
        if (v && *v)
            return strncmp(v, "zh", 2) == 0 ? SY_ZH : SY_EN;
    }
    return SY_EN;
}
