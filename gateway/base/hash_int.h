/*
 * The compression of SHA-256, which some processors have as instructions. Internal to base/.
 */
#ifndef SY_HASH_INT_H
#define SY_HASH_INT_H

#include "base/hash.h"

/* The constants of FIPS 180-4 section 4.2.2. */
extern const uint32_t sy_sha256__k[64];
/* One block of 64 bytes into the state, in plain C. */
void sy_sha256__plain(uint32_t h[8], const unsigned char *block);
/* The same by the best means of the processor, chosen when the program is loaded. */
void sy_sha256__block(uint32_t h[8], const unsigned char *block);

#endif
