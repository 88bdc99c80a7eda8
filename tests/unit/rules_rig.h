/* What the tests of the rule language share: a vocabulary, texts to load, what came of them. */
#ifndef SY_RULES_RIG_H
#define SY_RULES_RIG_H

#include "base/os.h"
#include "rules/tree.h"

enum { RIG_SOURCES = 8 };

typedef struct rig {
    sy_arena arena;
    sy_diags diags;
    sy_vocab vocab;
    sy_source sources[RIG_SOURCES];
    size_t n;
    const sy_set *set;
    sy_err err;
} rig;

void rig_open(rig *r);
void rig_close(rig *r);
/* Add a text; name and text are borrowed. */
void rig_add(rig *r, const char *name, sy_span text);
/* Load what was added. */
void rig_load(rig *r);
/* open, add one text, load */
void rig_text(rig *r, const char *text);
size_t rig_count(const rig *r, sy_severity severity, const char *code);
const sy_diag *rig_first_error(const rig *r);
/* A file of the shared folder, from malloc; NULL (and a line that says so) where it is absent. */
char *rig_shared(const char *path, size_t *n);

/* docs/rules-reference.md, from malloc, NUL-terminated. */
char *rig_manual(void);

#endif
