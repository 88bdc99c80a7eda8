/* SPDX-License-Identifier: Apache-2.0 */
/* The findings as one page without a script, for a screen and for paper. */
#include <stdio.h>

#include "assess/assess_int.h"

static const char head[] =
    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem}\n"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin:1.5rem 0 .3rem}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "td{border-top:1px solid #8888;padding:.3rem .5rem .3rem 0;vertical-align:top;"
    "overflow-wrap:anywhere}\n"
    "td:first-child{width:5rem;font-weight:600}\n"
    ".bad td:first-child{color:light-dark(#b00020,#ff8a80)}"
    ".weak td:first-child{color:light-dark(#8a5300,#ffc266)}"
    ".pass td:first-child{color:light-dark(#00652e,#7ddc9c)}\n"
    "small{opacity:.8}.todo{font-weight:600}\n</style>\n";

static void escaped(sy_buf *b, const char *text)
{
    for (const char *c = text; *c; c++) {
        switch (*c) {
        case '<':
            sy_buf_text(b, "&lt;");
            break;
        case '>':
            sy_buf_text(b, "&gt;");
            break;
        case '&':
            sy_buf_text(b, "&amp;");
            break;
        case '"':
            sy_buf_text(b, "&quot;");
            break;
        default:
            sy_buf_char(b, *c);
        }
    }
}

static void put_item(const sy_assess_item *item, sy_lang language, sy_buf *b)
{
    const sy_assess_row *row = sy_assess_row_of(item->what);
    bool zh = language == SY_ZH;
    sy_buf_printf(b, "<tr class=\"%s\"><td>%s</td><td>", sy_assess_grade_word(row->grade, SY_EN),
                  sy_assess_grade_word(row->grade, language));
    if (item->subject[0]) {
        escaped(b, item->subject);
        sy_buf_text(b, zh ? "：" : ": ");
    }
    escaped(b, row->text[zh]);
    if (item->detail[0]) {
        sy_buf_text(b, zh ? "（" : " (");
        escaped(b, item->detail);
        sy_buf_text(b, zh ? "）" : ")");
    }
    if (row->todo[zh][0]) {
        sy_buf_text(b, "<br><span class=\"todo\">");
        escaped(b, row->todo[zh]);
        sy_buf_text(b, "</span>");
    }
    sy_buf_text(b, "<br><small>GB/T 22239: ");
    escaped(b, sy_gbt_heading(row->gbt, language));
    sy_buf_printf(b, " &middot; %s</small></td></tr>\n", row->code);
}

static void put_parts(const sy_assess *a, sy_lang language, sy_buf *b)
{
    unsigned n[SY_GBT_N][SY_ASSESS_GRADES];
    sy_assess_parts(a, n);
    sy_buf_text(b, "<h2>GB/T 22239-2019</h2>\n<table>\n");
    for (int part = 0; part < SY_GBT_N; part++) {
        sy_buf_text(b, "<tr><td>");
        escaped(b, sy_gbt_heading((sy_gbt)part, language));
        sy_buf_text(b, "</td><td>");
        for (int g = SY_ASSESS_BAD; g >= SY_ASSESS_PASS; g--) {
            sy_buf_printf(b, "%s%u %s", g == SY_ASSESS_BAD ? "" : ", ", n[part][g],
                          sy_assess_grade_word((sy_assess_grade)g, language));
        }
        sy_buf_text(b, "</td></tr>\n");
    }
    sy_buf_text(b, "</table>\n");
}

void sy_assess_html(const sy_assess *a, sy_lang language, sy_buf *out)
{
    bool zh = language == SY_ZH;
    char at[25];
    int before = 0;
    sy_time_text(a->now, at);
    sy_buf_printf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n%s<title>", zh ? "zh-CN" : "en", head);
    sy_buf_text(out, zh ? "安全自评估 " : "Security self-assessment of ");
    escaped(out, a->gateway);
    sy_buf_text(out, "</title>\n<h1>");
    sy_buf_text(out, zh ? "安全自评估 " : "Security self-assessment of ");
    escaped(out, a->gateway);
    sy_buf_printf(out,
                  zh ? "</h1>\n<p>%s &middot; 总评 <b>%c</b>："
                     : "</h1>\n<p>%s &middot; grade <b>%c</b>: ",
                  at, sy_assess_overall(a));
    for (int g = SY_ASSESS_BAD; g >= SY_ASSESS_PASS; g--) {
        sy_buf_printf(out, "%s%u %s", g == SY_ASSESS_BAD ? "" : ", ", a->count[g],
                      sy_assess_grade_word((sy_assess_grade)g, language));
    }
    sy_buf_text(out, "</p>\n");
    for (size_t i = 0; i < a->n; i++) {
        int etsi = sy_assess_row_of(a->v[i].what)->etsi;
        if (etsi != before) {
            sy_buf_printf(out, "%s<h2>ETSI EN 303 645, 5.%d ", before ? "</table>\n" : "", etsi);
            escaped(out, sy_etsi_heading(etsi, language));
            sy_buf_text(out, "</h2>\n<table>\n");
        }
        before = etsi;
        put_item(&a->v[i], language, out);
    }
    sy_buf_text(out, before ? "</table>\n" : "");
    put_parts(a, language, out);
    sy_buf_text(out, "</html>\n");
}
