/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/addresses.h"

#include <stdlib.h>
#include <string.h>

bool sy_addresses_take(sy_addresses *a, const char *const *urls, size_t n)
{
    bool whole = n >= 1 && n <= SY_SENDER_URLS;
    memset(a, 0, sizeof *a);
    for (; whole && a->n < n; a->n++)
        whole = (a->v[a->n] = strdup(urls[a->n])) != NULL;
    return whole;
}

void sy_addresses_free(sy_addresses *a)
{
    for (size_t i = 0; i < SY_SENDER_URLS; i++)
        free(a->v[i]);
}

bool sy_addresses_same(const sy_addresses *a, const char *const *urls, size_t n)
{
    bool same = a->n == n;
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(a->v[i], urls[i]) == 0;
    return same;
}

bool sy_addresses_next(sy_addresses *a, sy_ms now)
{
    if (a->n < 2)
        return false;
    if (a->at == 0)
        a->left = now;
    a->at = (a->at + 1) % a->n;
    if (++a->tried < a->n)
        return true;
    a->tried = 0;
    return false;
}

void sy_addresses_served(sy_addresses *a)
{
    a->tried = 0;
}

bool sy_addresses_home(sy_addresses *a, sy_ms now, sy_ms after)
{
    if (a->at == 0 || now - a->left <= after)
        return false;
    a->at = 0;
    return true;
}
