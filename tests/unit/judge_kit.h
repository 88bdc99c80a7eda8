/*
 * What the judge's tests share: loading rule texts, small sites, and alerts as text.
 */
#ifndef JUDGE_KIT_H
#define JUDGE_KIT_H

#include "base/os.h"
#include "rules/scenario.h"

typedef struct kit_set { /* a loaded set and what it lives in */
    sy_arena arena;
    sy_diags diags;
    sy_vocab vocab;
    const sy_set *set;
} kit_set;

/* Load; fails the test (or returns false where `may_fail`) with the diagnostics printed. The text
 * must outlive the kit. */
bool kit_load(kit_set *k, const char *name, sy_span text, bool may_fail);
void kit_free(kit_set *k);
/* A whole file below the source folder, or below the shared folder (NULL data where absent). */
sy_buf kit_file(const char *path);
sy_buf kit_shared(const char *path);
const sy_zone *kit_zone(const char *name, sy_arena *arena);
/* Run all scenarios of a set; the number that fail, printed where `loud`. */
size_t kit_scenarios(const kit_set *k, const sy_zone *zone, bool loud);

#endif
