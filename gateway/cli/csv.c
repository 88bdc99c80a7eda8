/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings as CSV, read as a stream: a recording may be larger than memory. The whole line is
 * collected first (quoted fields may hold line ends), then cut into fields in place.
 */
#include "cli/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 65536, FIELDS_MAX = 64, CHUNK = 65536 };
enum { COL_TIME, COL_DEVICE, COL_POINT, COL_VALUE, COL_QUALITY, COLS };
static const char *const col_names[COLS] = {"time", "device", "point", "value", "quality"};

struct sy_csv {
    char *path;
    FILE *in;
    char chunk[CHUNK]; /* bytes of the file; at .. have are still to be read */
    size_t at, have;
    sy_buf line;
    uint64_t at_line, done, size;
    int col[COLS]; /* position of each column, -1: absent */
    sy_span field[FIELDS_MAX];
    size_t n_fields;
};

static sy_err refill(sy_csv *c, sy_fail *f)
{
    c->at = 0;
    c->have = fread(c->chunk, 1, sizeof c->chunk, c->in);
    c->done += c->have;
    return c->have == 0 && ferror(c->in) ? sy_fail_sys(f, "%s: cannot be read", c->path) : SY_OK;
}

/* Whether a quote is open after these bytes. */
static bool quoted_after(bool quoted, const char *p, size_t n)
{
    const char *end = p + n;
    while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
        quoted = !quoted;
        p++;
    }
    return quoted;
}

/* One record into c->line, quotes kept. SY_E_NOTFOUND at the end. */
static sy_err read_line(sy_csv *c, sy_fail *f)
{
    bool quoted = false;
    sy_buf_reset(&c->line);
    c->at_line++;
    for (;;) {
        if (c->at == c->have) {
            sy_err e = refill(c, f);
            if (e) {
                return e;
            }
            if (c->have == 0 && quoted) {
                return sy_fail_set(f, SY_E_PARSE, "%s:%llu: a quote is not closed", c->path,
                                   (unsigned long long)c->at_line);
            }
            if (c->have == 0) {
                return c->line.n > 0 ? SY_OK : SY_E_NOTFOUND;
            }
        }
        const char *p = c->chunk + c->at, *nl = memchr(p, '\n', c->have - c->at);
        size_t n = nl ? (size_t)(nl - p) : c->have - c->at;
        quoted = quoted_after(quoted, p, n);
        c->at += nl ? n + 1 : n;
        bool whole = nl && !quoted;
        if (c->line.n + n >= LINE_MAX_BYTES) {
            return sy_fail_set(f, SY_E_PARSE, "%s:%llu: a line of more than 64 KiB", c->path,
                               (unsigned long long)c->at_line);
        }
        sy_buf_put(&c->line, p, nl && quoted ? n + 1 : n);
        if (c->line.failed) {
            return sy_fail_set(f, SY_E_NOMEM, "%s: out of memory", c->path);
        }
        if (whole) {
            return SY_OK;
        }
    }
}

/* Take a quoted field at p: unescape in place. Returns what follows it, or NULL. */
static char *quoted_field(char *p, char *end, sy_span *out)
{
    char *to = ++p;
    char *from = p;
    while (from < end) {
        if (*from == '"') {
            if (from + 1 < end && from[1] == '"') {
                from++;
            } else {
                *out = (sy_span){p, (size_t)(to - p)};
                return from + 1;
            }
        }
        *to++ = *from++;
    }
    return NULL;
}

static sy_err cut(sy_csv *c, sy_fail *f)
{
    char *p = c->line.p;
    char *end = p + c->line.n;
    c->n_fields = 0;
    if (end > p && end[-1] == '\r') {
        end--;
    }
    for (;;) {
        sy_span s;
        if (c->n_fields == FIELDS_MAX) {
            return sy_fail_set(f, SY_E_PARSE, "%s:%llu: more than %d fields", c->path,
                               (unsigned long long)c->at_line, FIELDS_MAX);
        }
        if (p < end && *p == '"') {
            p = quoted_field(p, end, &s);
        } else {
            char *from = p;
            while (p < end && *p != ',') {
                p++;
            }
            s = (sy_span){from, (size_t)(p - from)};
        }
        if (!p || (p < end && *p != ',')) {
            return sy_fail_set(f, SY_E_PARSE, "%s:%llu: text after a closing quote", c->path,
                               (unsigned long long)c->at_line);
        }
        c->field[c->n_fields++] = s;
        if (p == end) {
            return SY_OK;
        }
        p++;
    }
}

static sy_err read_header(sy_csv *c, sy_fail *f)
{
    sy_err e = read_line(c, f);
    if (e == SY_E_NOTFOUND) {
        return sy_fail_set(f, SY_E_PARSE,
                           "%s:1: empty; the header time,device,point,value,quality "
                           "is expected",
                           c->path);
    }
    if (e == SY_OK && c->line.n >= 3 && memcmp(c->line.p, "\xef\xbb\xbf", 3) == 0) {
        memmove(c->line.p, c->line.p + 3, c->line.n - 3);
        c->line.n -= 3;
    }
    e = e ? e : cut(c, f);
    if (e) {
        return e;
    }
    for (int k = 0; k < COLS; k++) {
        c->col[k] = -1;
        for (size_t i = 0; i < c->n_fields; i++) {
            if (sy_span_is(c->field[i], col_names[k])) {
                c->col[k] = (int)i;
            }
        }
        if (c->col[k] < 0 && k != COL_QUALITY) {
            return sy_fail_set(f, SY_E_PARSE,
                               "%s:1: no column '%s'; the header "
                               "time,device,point,value,quality is expected",
                               c->path, col_names[k]);
        }
    }
    return SY_OK;
}

sy_err sy_csv_open(sy_csv **out, const char *path, sy_fail *f)
{
    struct stat st;
    sy_err e;
    sy_csv *c = calloc(1, sizeof *c);
    if (!c || !(c->path = strdup(path))) {
        free(c);
        return sy_fail_set(f, SY_E_NOMEM, "%s: out of memory", path);
    }
    sy_buf_init(&c->line, sy_heap());
    c->in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!c->in) {
        e = sy_fail_sys(f, "%s: cannot be opened", path);
        sy_csv_close(c);
        return e;
    }
    if (fstat(fileno(c->in), &st) == 0 && S_ISREG(st.st_mode)) {
        c->size = (uint64_t)st.st_size;
    }
    e = read_header(c, f);
    if (e) {
        sy_csv_close(c);
        return e;
    }
    *out = c;
    return SY_OK;
}

static sy_span column(const sy_csv *c, int k)
{
    int at = c->col[k];
    return at >= 0 && (size_t)at < c->n_fields ? c->field[at] : (sy_span){NULL, 0};
}

sy_err sy_csv_next(sy_csv *c, sy_csv_row *row, bool *end, sy_fail *f)
{
    sy_span q;
    *end = false;
    do {
        sy_err e = read_line(c, f);
        if (e == SY_E_NOTFOUND) {
            *end = true;
            return SY_OK;
        }
        if (e) {
            return e;
        }
    } while (c->line.n == 0 || (c->line.n == 1 && c->line.p[0] == '\r'));
    sy_err e = cut(c, f);
    if (e) {
        return e;
    }
    row->line = c->at_line;
    row->device = column(c, COL_DEVICE);
    row->point = column(c, COL_POINT);
    row->value = column(c, COL_VALUE);
    q = column(c, COL_QUALITY);
    row->quality = SY_Q_GOOD;
    if (sy_time_parse(column(c, COL_TIME), &row->t) != SY_OK) {
        return sy_fail_set(f, SY_E_PARSE,
                           "%s:%llu: time '%.*s' is neither RFC 3339 nor epoch "
                           "milliseconds",
                           c->path, (unsigned long long)c->at_line,
                           (int)(column(c, COL_TIME).n < 40 ? column(c, COL_TIME).n : 40),
                           column(c, COL_TIME).n ? column(c, COL_TIME).p : "");
    }
    if (row->device.n == 0 || row->point.n == 0 || row->value.n == 0) {
        return sy_fail_set(f, SY_E_PARSE, "%s:%llu: device, point or value is empty", c->path,
                           (unsigned long long)c->at_line);
    }
    if (q.n > 0 && sy_quality_parse(q, &row->quality) != SY_OK) {
        return sy_fail_set(f, SY_E_PARSE, "%s:%llu: quality '%.*s' is not known", c->path,
                           (unsigned long long)c->at_line, (int)(q.n < 40 ? q.n : 40), q.p);
    }
    return SY_OK;
}

void sy_csv_progress(const sy_csv *c, uint64_t *done, uint64_t *size)
{
    *done = c->done;
    *size = c->size;
}

void sy_csv_close(sy_csv *c)
{
    if (!c) {
        return;
    }
    if (c->in && c->in != stdin) {
        (void)fclose(c->in);
    }
    sy_buf_fini(&c->line);
    free(c->path);
    free(c);
}

static void put_field(sy_buf *b, sy_span s)
{
    bool plain = true;
    for (size_t i = 0; i < s.n; i++) {
        plain = plain && s.p[i] != '"' && s.p[i] != ',' && s.p[i] != '\n' && s.p[i] != '\r';
    }
    if (plain) {
        sy_buf_span_put(b, s);
        return;
    }
    sy_buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') {
            sy_buf_char(b, '"');
        }
        sy_buf_char(b, s.p[i]);
    }
    sy_buf_char(b, '"');
}

void sy_csv_put_header(sy_buf *b)
{
    sy_buf_text(b, "time,device,point,value,quality\n");
}

void sy_csv_put(sy_buf *b, sy_ms t, sy_span device, sy_span point, double value, const char *word,
                sy_quality quality)
{
    char at[25];
    sy_time_text(t, at);
    sy_buf_text(b, at);
    sy_buf_char(b, ',');
    put_field(b, device);
    sy_buf_char(b, ',');
    put_field(b, point);
    sy_buf_char(b, ',');
    if (word) {
        put_field(b, sy_span_of(word));
    } else {
        sy_buf_double(b, value);
    }
    sy_buf_char(b, ',');
    sy_quality_text(quality, b);
    sy_buf_char(b, '\n');
}
