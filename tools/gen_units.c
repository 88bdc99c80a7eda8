/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the constant table of units (rules/units.h) at build time. Runs on the build machine:
 * UDUNITS-2 needs its XML files and a single thread, which a box should not depend on. What UDUNITS
 * cannot know, or knows otherwise (pH, rpm, VA), carries a factor of its own in rules/units.def.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <udunits2.h>

typedef struct row {
    const char *id, *tag, *expression, *own, *en, *zh, *senml, *more;
} row;

static const row rows[] = {
#define SY_UNIT(id, tag, expression, en, zh, senml, more)                                          \
    {id, tag, expression, NULL, en, zh, senml, more},
#define SY_OWN(id, tag, own, en, zh, senml, more) {id, tag, NULL, own, en, zh, senml, more},
#include "units.def"
#undef SY_UNIT
#undef SY_OWN
};
enum { ROWS = sizeof rows / sizeof *rows, SPELLINGS = 1024 };

typedef struct spelling {
    char text[48];
    size_t row;
} spelling;

static void die(const char *what, const char *which)
{
    fprintf(stderr, "gen_units: %s: %s\n", which, what);
    exit(1);
}

/* UDUNITS rounds in its last digits; a ratio of small integers is put back exactly. */
static double snap(double x)
{
    for (int q = 1; q <= 3600; q++) {
        double p = round(x * q);
        if (p != 0 && fabs(x * q - p) <= 1e-11 * fabs(p))
            return p / q;
    }
    for (double q = 1e4; q <= 1e12; q *= 10) {
        double p = round(x * q);
        if (p != 0 && fabs(p) < 1e15 && fabs(x * q - p) <= 1e-13 * fabs(p))
            return p / q;
    }
    return fabs(x) < 1e-12 ? 0 : x;
}

static const row *base_of(const row *r)
{
    const row *b = rows;
    while (strcmp(b->tag, r->tag) != 0)
        b++;
    return b;
}

static void convert(ut_system *system, const row *r, double *factor, double *offset)
{
    const row *base = base_of(r);
    *offset = 0;
    if (r->own) {
        *factor = strtod(r->own, NULL);
        return;
    }
    if (base->own)
        die("its tag's base has no expression", r->id);
    ut_unit *from = ut_parse(system, r->expression, UT_UTF8);
    ut_unit *to = ut_parse(system, base->expression, UT_UTF8);
    cv_converter *c = from && to ? ut_get_converter(from, to) : NULL;
    if (!c)
        die("UDUNITS cannot convert it to its tag's base", r->id);
    *offset = snap(cv_convert_double(c, 0));
    *factor = snap(cv_convert_double(c, 1) - cv_convert_double(c, 0));
    if (base == r) {
        *factor = 1;
        *offset = 0;
    }
    cv_free(c);
    ut_free(from);
    ut_free(to);
}

static void add(spelling *list, size_t *n, const char *text, size_t len, size_t r)
{
    for (size_t i = 0; i < *n; i++)
        if (strlen(list[i].text) == len && memcmp(list[i].text, text, len) == 0) {
            if (list[i].row != r)
                die("this spelling belongs to another unit too", list[i].text);
            return;
        }
    if (len == 0 || len >= sizeof list->text || *n == SPELLINGS)
        die("no room for a spelling", rows[r].id);
    memcpy(list[*n].text, text, len);
    list[*n].text[len] = 0;
    list[(*n)++].row = r;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const spelling *)a)->text, ((const spelling *)b)->text);
}

static void text(FILE *f, const char *s)
{
    if (!*s) {
        fprintf(f, "NULL");
        return;
    }
    fputc('"', f);
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80 || *s == '"' || *s == '\\' || *s == '?')
            fprintf(f, "\\%03o", (unsigned char)*s);
        else
            fputc(*s, f);
    fputc('"', f);
}

static void write_rows(FILE *f, ut_system *system)
{
    fprintf(f, "/* Made by tools/gen_units.c from rules/units.def. */\n"
               "#include \"rules/units_table.h\"\n\nconst sy_unit sy_units[] = {\n");
    for (size_t i = 0; i < ROWS; i++) {
        const row *r = &rows[i];
        double factor, offset;
        convert(system, r, &factor, &offset);
        const char *columns[] = {r->en, r->zh, r->senml};
        fprintf(f, "    {");
        text(f, r->id);
        fprintf(f, ", ");
        text(f, r->tag);
        fprintf(f, ", %.17g, %.17g", factor, offset);
        for (size_t k = 0; k < 3; k++) {
            fprintf(f, ", ");
            text(f, columns[k]);
        }
        fprintf(f, "},\n");
    }
    fprintf(f, "};\nconst size_t sy_units_n = %zu;\n\n", (size_t)ROWS);
}

static void write_spellings(FILE *f)
{
    static spelling list[SPELLINGS];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++) {
        add(list, &n, rows[i].id, strlen(rows[i].id), i);
        add(list, &n, rows[i].en, strlen(rows[i].en), i);
        add(list, &n, rows[i].zh, strlen(rows[i].zh), i);
        for (const char *p = rows[i].more; *p;) {
            size_t len = strcspn(p, " ");
            add(list, &n, p, len, i);
            p += len + (p[len] == ' ');
        }
    }
    qsort(list, n, sizeof *list, by_text);
    fprintf(f, "const char *const sy_unit_texts[] = {\n");
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "    ");
        text(f, list[i].text);
        fprintf(f, ",\n");
    }
    fprintf(f, "};\nconst unsigned char sy_unit_rows[] = {");
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s%zu,", i % 16 ? " " : "\n    ", list[i].row);
    fprintf(f, "\n};\nconst size_t sy_unit_texts_n = %zu;\n", n);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: gen_units OUTPUT.c\n");
        return 2;
    }
    ut_set_error_message_handler(ut_ignore);
    ut_system *system = ut_read_xml(NULL);
    if (!system)
        die("cannot read the UDUNITS-2 database (package libudunits2-data)", "units");
    _Static_assert(ROWS <= 256, "rows are numbered in a byte");
    FILE *f = fopen(argv[1], "w");
    if (!f)
        die("cannot write", argv[1]);
    write_rows(f, system);
    write_spellings(f);
    ut_free_system(system);
    if (fclose(f) != 0)
        die("cannot write", argv[1]);
    return 0;
}
