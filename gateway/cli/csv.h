/*
 * Readings as CSV (RFC 4180): header time,device,point,value,quality; quality may be missing.
 *
 * The one reader and writer of the form that export, replay and backtest share. Input is hostile:
 * a line is at most 64 KiB, every refusal names file and line.
 */
#ifndef SY_CSV_H
#define SY_CSV_H

#include "base/os.h"

typedef struct sy_csv sy_csv;

/* One row. Spans are borrowed until the next call. `value` is the text: a number, or the word of a
 * state. */
typedef struct sy_csv_row {
    sy_ms t;
    sy_span device, point, value;
    sy_quality quality;
    uint64_t line; /* 1-based */
} sy_csv_row;

/* Open a file ("-": standard input) and read its header; columns may come in any order, further
 * ones are ignored. SY_E_IO, SY_E_PARSE. */
SY_MUST_USE sy_err sy_csv_open(sy_csv **out, const char *path, sy_fail *f);
/* The next row; *end true where there is none. Empty lines are skipped. SY_E_PARSE, SY_E_IO. */
SY_MUST_USE sy_err sy_csv_next(sy_csv *c, sy_csv_row *row, bool *end, sy_fail *f);
/* Bytes read so far and size of the file (0 where not known), for progress. */
void sy_csv_progress(const sy_csv *c, uint64_t *done, uint64_t *size);
void sy_csv_close(sy_csv *c);

/* Writing: the header line, and a row (with quality always). A state's value is its word: give it
 * as `word`, else NULL and the number is written in its shortest form. Time is RFC 3339 in UTC. */
void sy_csv_put_header(sy_buf *b);
void sy_csv_put(sy_buf *b, sy_ms t, sy_span device, sy_span point, double value, const char *word,
                sy_quality quality);

#endif
