/* SPDX-License-Identifier: Apache-2.0 */
/* The findings as text for a terminal, and as JSON. */
#include <stdio.h>

#include "assess/assess_int.h"
#include "base/utf8.h"

/* A word, filled up to so many columns. */
static void column(sy_buf *b, const char *word, size_t columns)
{
    sy_buf_text(b, word);
    for (size_t w = sy_utf8_width(sy_span_of(word)); w < columns; w++) {
        sy_buf_char(b, ' ');
    }
}

static void put_counts(const sy_assess *a, sy_lang language, sy_buf *b)
{
    for (int g = SY_ASSESS_BAD; g >= SY_ASSESS_PASS; g--) {
        sy_buf_printf(b, "%s%u %s", g == SY_ASSESS_BAD ? "" : ", ", a->count[g],
                      sy_assess_grade_word((sy_assess_grade)g, language));
    }
}

static void put_item(const sy_assess_item *item, sy_lang language, sy_buf *b)
{
    const sy_assess_row *row = sy_assess_row_of(item->what);
    bool zh = language == SY_ZH;
    sy_buf_text(b, "  ");
    column(b, sy_assess_grade_word(row->grade, language), 8);
    if (item->subject[0]) {
        sy_buf_printf(b, "%s%s", item->subject, zh ? "：" : ": ");
    }
    sy_buf_text(b, row->text[zh]);
    if (item->detail[0]) {
        sy_buf_printf(b, zh ? "（%s）" : " (%s)", item->detail);
    }
    sy_buf_char(b, '\n');
    if (row->todo[zh][0]) {
        sy_buf_printf(b, "            %s%s\n", zh ? "应做：" : "do: ", row->todo[zh]);
    }
}

static void put_parts(const sy_assess *a, sy_lang language, sy_buf *b)
{
    unsigned n[SY_GBT_N][SY_ASSESS_GRADES];
    sy_assess_parts(a, n);
    sy_buf_text(b, "\nGB/T 22239-2019\n");
    for (int part = 0; part < SY_GBT_N; part++) {
        sy_buf_text(b, "  ");
        column(b, sy_gbt_heading((sy_gbt)part, language), 48);
        for (int g = SY_ASSESS_BAD; g >= SY_ASSESS_PASS; g--) {
            sy_buf_printf(b, "%s%u %s", g == SY_ASSESS_BAD ? "" : ", ", n[part][g],
                          sy_assess_grade_word((sy_assess_grade)g, language));
        }
        sy_buf_char(b, '\n');
    }
}

void sy_assess_text(const sy_assess *a, sy_lang language, sy_buf *out)
{
    bool zh = language == SY_ZH;
    char at[25];
    int before = 0;
    sy_time_text(a->now, at);
    sy_buf_printf(out, zh ? "网关 %s，%s。总评 %c：" : "gateway %s, %s. Grade %c: ", a->gateway, at,
                  sy_assess_overall(a));
    put_counts(a, language, out);
    sy_buf_char(out, '\n');
    for (size_t i = 0; i < a->n; i++) {
        int etsi = sy_assess_row_of(a->v[i].what)->etsi;
        if (etsi != before) {
            sy_buf_printf(out, "\nETSI EN 303 645, 5.%d  %s\n", etsi,
                          sy_etsi_heading(etsi, language));
        }
        before = etsi;
        put_item(&a->v[i], language, out);
    }
    put_parts(a, language, out);
}

static void put_both(sy_buf *b, const char *key, const char *en, const char *zh)
{
    sy_buf_printf(b, ", \"%s\": {\"en\": ", key);
    sy_buf_json(b, sy_span_of(en));
    sy_buf_text(b, ", \"zh\": ");
    sy_buf_json(b, sy_span_of(zh));
    sy_buf_char(b, '}');
}

static void put_object(const sy_assess_item *item, sy_buf *b)
{
    const sy_assess_row *row = sy_assess_row_of(item->what);
    sy_buf_printf(b, "{\"code\": \"%s\", \"grade\": \"%s\", \"etsi\": \"5.%d\"", row->code,
                  sy_assess_grade_word(row->grade, SY_EN), row->etsi);
    put_both(b, "etsi_heading", sy_etsi_heading(row->etsi, SY_EN),
             sy_etsi_heading(row->etsi, SY_ZH));
    put_both(b, "gbt_heading", sy_gbt_heading(row->gbt, SY_EN), sy_gbt_heading(row->gbt, SY_ZH));
    sy_buf_text(b, ", \"subject\": ");
    sy_buf_json(b, sy_span_of(item->subject));
    sy_buf_text(b, ", \"detail\": ");
    sy_buf_json(b, sy_span_of(item->detail));
    put_both(b, "text", row->text[0], row->text[1]);
    put_both(b, "todo", row->todo[0], row->todo[1]);
    sy_buf_char(b, '}');
}

void sy_assess_json(const sy_assess *a, sy_buf *out)
{
    char at[25];
    sy_time_text(a->now, at);
    sy_buf_text(out, "{\"gateway\": ");
    sy_buf_json(out, sy_span_of(a->gateway));
    sy_buf_printf(out,
                  ", \"at\": \"%s\", \"version\": \"%s\", \"running\": %s, \"grade\": \"%c\", "
                  "\"counts\": {",
                  at, SY_VERSION, a->running ? "true" : "false", sy_assess_overall(a));
    for (int g = 0; g < SY_ASSESS_GRADES; g++) {
        sy_buf_printf(out, "%s\"%s\": %u", g ? ", " : "",
                      sy_assess_grade_word((sy_assess_grade)g, SY_EN), a->count[g]);
    }
    sy_buf_text(out, "},\n \"findings\": [");
    for (size_t i = 0; i < a->n; i++) {
        sy_buf_text(out, i ? ",\n  " : "\n  ");
        put_object(&a->v[i], out);
    }
    sy_buf_text(out, "\n ]}\n");
}
