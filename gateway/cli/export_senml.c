/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs of SenML. Readings are gathered by time and written by series, those without a unit first:
 * a base unit holds until the next one, and there is none that means "no unit".
 */
#include "cli/export_senml.h"

#include <math.h>
#include <stdlib.h>

enum { PACK_ROWS = 2048, PACK_BYTES = 1 << 16, NAME_BYTES = 512 };

#define FIRST_MS 268435456000LL    /* earlier times are relative (RFC 8428 section 4.5.3) */
#define LAST_MS  253402300799000LL /* 9999-12-31T23:59:59Z */

typedef struct row {
    const char *series, *unit, *word; /* unit and word may be NULL */
    sy_ms t;
    double value;
    sy_quality quality;
} row;

struct sy_senml_out {
    row rows[PACK_ROWS];
    row sorted[PACK_ROWS];
    size_t n;
    sy_arena texts;
    sy_buf pack;
    uint64_t left;
};

sy_senml_out *sy_senml_out_open(void)
{
    sy_senml_out *o = malloc(sizeof *o);
    if (o) {
        o->n = 0;
        o->left = 0;
        sy_arena_init(&o->texts, sy_heap(), 0);
        sy_buf_init(&o->pack, sy_heap());
    }
    return o;
}

void sy_senml_out_close(sy_senml_out *o)
{
    if (!o)
        return;
    sy_buf_fini(&o->pack);
    sy_arena_fini(&o->texts);
    free(o);
}

static bool alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void put_name(sy_buf *b, const char *series)
{
    if (!alphanumeric(*series))
        sy_buf_char(b, 'x');
    for (const char *c = series; *c; c++) {
        if (alphanumeric(*c) || strchr("-:./_", *c))
            sy_buf_char(b, *c);
        else
            sy_buf_printf(b, ":%02x", (unsigned char)*c);
    }
}

/* Milliseconds as seconds, in the fewest digits. */
static void put_seconds(sy_buf *b, sy_ms t)
{
    sy_buf_int(b, t / 1000);
    int ms = (int)(t % 1000), digits = ms % 10 ? 3 : ms % 100 ? 2 : ms ? 1 : 0;
    for (int i = digits; i < 3; i++)
        ms /= 10;
    if (digits > 0)
        sy_buf_printf(b, ".%0*d", digits, ms);
}

static void put_row(sy_buf *b, const row *r, bool first, sy_ms base)
{
    const char *comma = "";
    if (first) {
        sy_buf_text(b, "\"bn\":\"");
        put_name(b, r->series);
        sy_buf_char(b, '"');
        comma = ",";
        if (r->unit) {
            sy_buf_text(b, ",\"bu\":");
            sy_buf_json(b, sy_span_of(r->unit));
        }
    }
    if (r->t != base) {
        sy_buf_printf(b, "%s\"t\":", comma);
        put_seconds(b, r->t - base);
        comma = ",";
    }
    if (r->word) {
        sy_buf_printf(b, "%s\"vs\":", comma);
        sy_buf_json(b, sy_span_of(r->word));
    } else {
        sy_buf_printf(b, "%s\"v\":", comma);
        sy_buf_double(b, r->value);
    }
    if (r->quality != SY_Q_GOOD) {
        sy_buf_text(b, ",\"steelyard_quality\":\"");
        sy_quality_text(r->quality, b);
        sy_buf_char(b, '"');
    }
}

static int by_series(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (!x->unit != !y->unit)
        return x->unit ? 1 : -1;
    int order = strcmp(x->series, y->series);
    if (order != 0)
        return order;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static sy_err put_pack(sy_senml_out *o, size_t at, size_t n, sy_buf *out)
{
    sy_buf *b = &o->pack;
    const sy_ms base = o->rows[at].t - o->rows[at].t % 1000;
    memcpy(o->sorted, o->rows + at, n * sizeof *o->rows);
    qsort(o->sorted, n, sizeof *o->sorted, by_series);
    sy_buf_reset(b);
    sy_buf_text(b, "[{\"bt\":");
    put_seconds(b, base);
    for (size_t i = 0; i < n; i++) {
        const row *r = &o->sorted[i];
        bool first = i == 0 || strcmp(r->series, r[-1].series) != 0;
        sy_buf_text(b, i ? "},{" : ",");
        put_row(b, r, first, base);
    }
    sy_buf_text(b, "}]\n");
    if (b->failed)
        return SY_E_NOMEM;
    if (b->n > PACK_BYTES && n > 1) {
        sy_err e = put_pack(o, at, n / 2, out);
        return e ? e : put_pack(o, at + n / 2, n - n / 2, out);
    }
    sy_buf_put(out, b->p, b->n);
    return out->failed ? SY_E_NOMEM : SY_OK;
}

static bool can_say(const sy_reading_row *r, const char *word)
{
    return r->t >= FIRST_MS && r->t <= LAST_MS && (word || isfinite(r->value)) && *r->series &&
           strlen(r->series) <= (NAME_BYTES - 1) / 3;
}

static const char *keep(sy_senml_out *o, const char *text, const char *last)
{
    if (!text || (last && strcmp(text, last) == 0))
        return text ? last : NULL;
    return sy_arena_text(&o->texts, sy_span_of(text));
}

sy_err sy_senml_out_add(sy_senml_out *o, const sy_reading_row *r, const char *word,
                        const char *unit, sy_buf *out)
{
    if (!can_say(r, word)) {
        o->left++;
        return SY_OK;
    }
    const row none = {0}, *last = o->n ? &o->rows[o->n - 1] : &none;
    row *x = &o->rows[o->n];
    x->series = keep(o, r->series, last->series);
    x->unit = keep(o, unit, last->unit);
    x->word = keep(o, word, last->word);
    if (!x->series || (unit && !x->unit) || (word && !x->word))
        return SY_E_NOMEM;
    x->t = r->t;
    x->value = r->value;
    x->quality = r->quality;
    return ++o->n < PACK_ROWS ? SY_OK : sy_senml_out_end(o, out);
}

sy_err sy_senml_out_end(sy_senml_out *o, sy_buf *out)
{
    sy_err e = o->n ? put_pack(o, 0, o->n, out) : SY_OK;
    o->n = 0;
    sy_arena_fini(&o->texts);
    sy_arena_init(&o->texts, sy_heap(), 0);
    return e;
}

uint64_t sy_senml_out_left(const sy_senml_out *o)
{
    return o->left;
}
