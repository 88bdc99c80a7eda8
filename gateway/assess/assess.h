/*
 * A security self-assessment of a box: what can be told from its configuration, its data folder,
 * its kernel and the gateway that runs, each finding graded, under the headings of ETSI EN 303 645
 * and GB/T 22239-2019. It changes nothing and asks nobody but this machine. docs/assess.md
 *
 * Grade: A nothing weak and nothing bad; B one or two weak; C more weak; D one or two bad; E more.
 * One thread.
 */
#ifndef SY_ASSESS_H
#define SY_ASSESS_H

#include "assess/table.h"
#include "config/config.h"

typedef enum sy_assess_grade {
    SY_ASSESS_PASS,
    SY_ASSESS_NOTE,
    SY_ASSESS_WEAK,
    SY_ASSESS_BAD
} sy_assess_grade;
enum { SY_ASSESS_GRADES = 4, SY_ETSI_LAST = 13 };

typedef enum sy_gbt {
#define SY_GBT_ENUM(name, en, zh) SY_GBT_##name,
    SY_GBT_HEADINGS(SY_GBT_ENUM)
#undef SY_GBT_ENUM
        SY_GBT_N
} sy_gbt;

typedef enum sy_assess_what {
#define SY_ASSESS_ENUM(name, ...) SY_ASSESS_##name,
    SY_ASSESS_TABLE(SY_ASSESS_ENUM)
#undef SY_ASSESS_ENUM
        SY_ASSESS_WHATS
} sy_assess_what;

typedef struct sy_assess_row { /* static */
    const char *code;
    sy_assess_grade grade;
    int etsi;
    sy_gbt gbt;
    const char *text[2], *todo[2]; /* by sy_lang */
} sy_assess_row;

typedef struct sy_assess_item {
    sy_assess_what what;
    const char *subject; /* a file, a port, a device; "" */
    const char *detail;  /* figures, dates, without a language; "" */
} sy_assess_item;

typedef struct sy_assess {
    sy_arena arena;
    sy_assess_item *v;
    size_t n, cap;
    bool failed;  /* no memory */
    bool running; /* a gateway runs on the folder */
    sy_ms now;
    unsigned count[SY_ASSESS_GRADES];
    char gateway[128];
} sy_assess;

const sy_assess_row *sy_assess_row_of(sy_assess_what what);
const char *sy_etsi_heading(int number, sy_lang language);
const char *sy_gbt_heading(sy_gbt part, sy_lang language);
const char *sy_assess_grade_word(sy_assess_grade g, sy_lang language);

/* Look at everything. `build` is when the program was made (epoch ms). SY_E_NOMEM. */
SY_MUST_USE sy_err sy_assess_run(sy_assess *a, const sy_config *c, sy_ms build, sy_fail *f);
void sy_assess_free(sy_assess *a);
/* How many findings of each grade each part of GB/T 22239 has. */
void sy_assess_parts(const sy_assess *a, unsigned out[SY_GBT_N][SY_ASSESS_GRADES]);
/* 'A' to 'E'. */
char sy_assess_overall(const sy_assess *a);

/* Appended. The object has texts in both languages. */
void sy_assess_text(const sy_assess *a, sy_lang language, sy_buf *out);
void sy_assess_json(const sy_assess *a, sy_buf *out);
void sy_assess_html(const sy_assess *a, sy_lang language, sy_buf *out);

#endif
