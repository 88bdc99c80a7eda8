/* SPDX-License-Identifier: Apache-2.0 */
/* The table of roles, read. */
#include "console/roles.h"

#include <string.h>

static const struct {
    const char *word;
    unsigned may;
} roles[] = {
#define SY_ROLE_ROW(name, word, may) {word, may},
    SY_ROLE_TABLE(SY_ROLE_ROW)
#undef SY_ROLE_ROW
};

const char *sy_role_word(sy_role r)
{
    return roles[r].word;
}

bool sy_role_of(sy_span word, sy_role *out)
{
    for (size_t i = 0; i < SY_ROLES; i++) {
        if (strlen(roles[i].word) == word.n && memcmp(roles[i].word, word.p, word.n) == 0) {
            *out = (sy_role)i;
            return true;
        }
    }
    return false;
}

unsigned sy_role_may(sy_role r)
{
    return roles[r].may;
}
