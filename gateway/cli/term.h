/*
 * What is shown on a terminal: its size, colours, tables that fit its width, sparklines, and a
 * screen that is drawn again and again. Text from elsewhere is made harmless: no control character
 * reaches the terminal. UTF-8 (columns by sy_utf8_width). One thread.
 */
#ifndef SY_CLI_TERM_H
#define SY_CLI_TERM_H

#include "base/os.h"

typedef struct sy_term {
    bool on;     /* standard output is a terminal */
    bool colour; /* and it has colours, and NO_COLOR is not set (no-color.org) */
    size_t columns, rows;
} sy_term;
/* As it is now; without a terminal 80 by 24. */
sy_term sy_term_now(void);

typedef enum sy_ink {
    SY_INK_NONE,
    SY_INK_RED,
    SY_INK_YELLOW,
    SY_INK_GREEN,
    SY_INK_BLUE,
    SY_INK_DIM,
    SY_INK_BOLD
} sy_ink;
/* Of a level of an alert, as sy_alert_level_text writes it. */
sy_ink sy_ink_of_level(const char *level);
/* Text in that ink, at most so many columns wide; returns the columns. */
size_t sy_term_put(const sy_term *t, sy_buf *out, sy_ink ink, const char *text, size_t columns);

/* A table. Columns are as wide as their widest cell where that fits; where it does not, those with
 * `least` are narrowed down to that, the widest first, and what is cut ends in "…". A line is never
 * wider than the terminal. */
enum { SY_GRID_COLUMNS = 10 };
typedef struct sy_grid_column {
    const char *head;
    bool right;   /* aligned */
    size_t least; /* 0: is not narrowed */
} sy_grid_column;
typedef struct sy_grid_cell {
    const char *text;
    sy_ink ink;
} sy_grid_cell;
typedef struct sy_grid {
    sy_arena arena;
    const sy_grid_column *column;
    size_t n_columns;
    sy_grid_cell *cell;
    size_t n, cap;
    size_t width[SY_GRID_COLUMNS]; /* of what was put first; later parts keep it */
    bool fitted, failed;
} sy_grid;
void sy_grid_init(sy_grid *g, const sy_grid_column *columns, size_t n);
void sy_grid_fini(sy_grid *g);
/* The next cell, row by row; the text is copied. */
void sy_grid_add(sy_grid *g, sy_ink ink, const char *text);
void sy_grid_addf(sy_grid *g, sy_ink ink, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Write the rows and forget them; the head once. */
void sy_grid_put(sy_grid *g, const sy_term *t, sy_buf *out);

/* Eight heights between the smallest and the largest; NaN is a gap. At most `columns` wide: of more
 * values each column is the mean of several. */
void sy_spark_put(sy_buf *out, const double *v, size_t n, size_t columns);
/* Values as they come, however many: at most SY_SPARK are kept, by then means of two, four, … */
enum { SY_SPARK = 128 };
typedef struct sy_spark {
    double v[SY_SPARK], sum;
    size_t n, each, in; /* values in v; how many make one; how many are in sum */
} sy_spark;
void sy_spark_add(sy_spark *s, double value);
/* After the last: what waits for more counts as it is. */
void sy_spark_end(sy_spark *s);

/* Draw every two seconds, and when the size changes, until q, ^C or SIGTERM; the screen that was
 * before comes back. `draw` fills `out`; lines beyond the last row are left out; false ends it. 2
 * where there is no terminal, else 0 or 1. */
int sy_term_watch(const char *command, bool (*draw)(void *ctx, const sy_term *t, sy_buf *out),
                  void *ctx);

#endif
