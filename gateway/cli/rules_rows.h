/*
 * Recorded readings in memory, sorted by time, for the commands that judge the past: from CSV or
 * from what a gateway has stored. Standard error shows the progress where it is a terminal.
 *
 * What a set of readings means does not depend on the order in which a file lists them.
 */
#ifndef SY_CLI_RULES_ROWS_H
#define SY_CLI_RULES_ROWS_H

#include "config/config.h"
#include "rules/judge.h"

typedef struct sy_row {
    sy_ms t;
    uint32_t point;
    sy_quality quality;
    double value;
} sy_row;
typedef struct sy_rows {
    const sy_config *config;
    sy_ms from, to;    /* only rows of this time; SY_MS_NONE, SY_MS_MAX: all */
    uint32_t *by_name; /* points ordered by (device, name) */
    sy_row *v;
    size_t n, cap;
    uint64_t no_point, no_word; /* rows that are nothing of this configuration */
} sy_rows;

/* Fill the caller's struct, whose config, from and to are set and all else 0; exactly one of
 * readings (CSV, "-" is standard input) and data (a data folder) is not NULL. Rows of no point and
 * words of no state are left out, counted, and said on standard error for `command`. Call
 * sy_rows_fini in any case. SY_E_IO, SY_E_PARSE, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_rows_read(sy_rows *r, const char *readings, const char *data,
                                const char *command, sy_fail *f);
void sy_rows_fini(sy_rows *r);
/* When a judge of these rows starts: `from`, else the first row. */
sy_ms sy_rows_start(const sy_rows *r);
/* Tell a judge all rows, the clock moved by them and at last to `to`, and that no more will come.
 */
SY_MUST_USE sy_err sy_rows_judge(const sy_rows *r, sy_judge *j);

#endif
