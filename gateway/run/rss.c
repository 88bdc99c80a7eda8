/* SPDX-License-Identifier: Apache-2.0 */
/* Resident memory, for status. */
#include "run/rss.h"

#include <stdio.h>
#include <unistd.h>

uint64_t sy_rss_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    int n = fscanf(f, "%lu %lu", &total, &resident);
    fclose(f);
    long page = sysconf(_SC_PAGESIZE);
    return n == 2 && page > 0 ? (uint64_t)resident * (uint64_t)page : 0;
}
