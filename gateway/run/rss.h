/*
 * Resident memory of this process, by /proc/self/statm.
 */
#ifndef SY_RSS_H
#define SY_RSS_H

#include <stdint.h>

uint64_t sy_rss_bytes(void); /* 0 where it cannot be read */

#endif
