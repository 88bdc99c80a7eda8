/*
 * The addresses of one receiver, and which of them is tried. Pure but for the memory of the texts.
 */
#ifndef SY_ADDRESSES_H
#define SY_ADDRESSES_H

#include "base/reading.h"

enum { SY_SENDER_URLS = 8 };

typedef struct sy_addresses {
    char *v[SY_SENDER_URLS];
    size_t n;
    size_t at;    /* the one in use */
    size_t tried; /* that failed in a row */
    sy_ms left;   /* monotonic: when the first was left */
} sy_addresses;

/* Copies of the texts, 1 to SY_SENDER_URLS. False: too many, none, or no memory; free it even so.
 */
bool sy_addresses_take(sy_addresses *a, const char *const *urls, size_t n);
void sy_addresses_free(sy_addresses *a);
bool sy_addresses_same(const sy_addresses *a, const char *const *urls, size_t n);
/* The one in use failed: on to the next. False where all failed in a row, or there is no other. */
bool sy_addresses_next(sy_addresses *a, sy_ms now);
/* The one in use served. */
void sy_addresses_served(sy_addresses *a);
/* True where the first is to be tried again: it was left longer ago than `after`. */
bool sy_addresses_home(sy_addresses *a, sy_ms now, sy_ms after);

#endif
