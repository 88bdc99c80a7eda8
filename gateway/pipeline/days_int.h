/*
 * Names of the days' rows, shared by days.c and days_save.c.
 */
#ifndef SY_DAYS_INT_H
#define SY_DAYS_INT_H

#include "base/hash.h"
#include "pipeline/days.h"

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(elt) ((elt)->lost = true)
#include <uthash.h>

struct sy_days_name {
    bool lost;
    uint32_t number;
    size_t n;
    UT_hash_handle hh;
    char text[];
};

SY_MUST_USE sy_err sy_days__name(sy_days *d, const char *text, size_t n, uint32_t *out);

#endif
