/* SPDX-License-Identifier: Apache-2.0 */
/* Words, texts, times and numbers of the page. All text that is not ours passes sy_page__text. */
#include <math.h>
#include <stdlib.h>

#include "ledger/page_int.h"

void sy_page__raw(const sy_page *p, const char *html)
{
    sy_buf_text(p->out, html);
}

/* Signs that turn the direction of text could show a name as another one. */
static size_t turns(const unsigned char *s)
{
    bool marks = s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae;
    bool isolates = s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
    return marks || isolates ? 3 : 0;
}

void sy_page__text(const sy_page *p, const char *text)
{
    for (const char *s = text ? text : ""; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '&')
            sy_buf_text(p->out, "&amp;");
        else if (c == '<')
            sy_buf_text(p->out, "&lt;");
        else if (c == '>')
            sy_buf_text(p->out, "&gt;");
        else if (c == '"')
            sy_buf_text(p->out, "&quot;");
        else if (c == '\'')
            sy_buf_text(p->out, "&#39;");
        else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            sy_buf_text(p->out, "\xef\xbf\xbd");
        else if (turns((const unsigned char *)s)) {
            sy_buf_text(p->out, "\xef\xbf\xbd");
            s += 2;
        } else
            sy_buf_char(p->out, *s);
    }
}

void sy_page__word(const sy_page *p, sy_page_word w)
{
    static const char *const words[][2] = {
#define SY_PAGE_WORD(name, en, zh) {en, zh},
        SY_PAGE_WORDS(SY_PAGE_WORD)
#undef SY_PAGE_WORD
    };
    sy_page__text(p, words[w][p->zh]);
}

void sy_page__time(const sy_page *p, sy_ms t, bool seconds)
{
    char utc[25], local[25];
    if (t < 0 || t > 253402300799999 - 86400000) { /* the end of 9999 */
        sy_page__raw(p, "–");
        return;
    }
    sy_time_text(t, utc);
    sy_time_text(t + p->offset < 0 ? t : t + p->offset, local);
    sy_buf_printf(p->out, "<time datetime=\"%s\">%.10s %.*s</time>", utc, local, seconds ? 8 : 5,
                  local + 11);
}

void sy_page__duration(const sy_page *p, sy_ms d)
{
    static const char *const units[2][4] = {{" d", " h", " min", " s"},
                                            {" 天", " 小时", " 分钟", " 秒"}};
    static const sy_ms sizes[] = {86400000, 3600000, 60000, 1000};
    bool shown = false;
    for (int i = 0; i < 4; i++) {
        sy_ms n = d < 0 ? 0 : d / sizes[i];
        d %= sizes[i];
        if (n > 0 || (i == 3 && !shown)) {
            sy_buf_text(p->out, shown ? " " : "");
            sy_buf_int(p->out, n);
            sy_buf_text(p->out, units[p->zh][i]);
            shown = true;
        }
    }
}

void sy_page__unit(const sy_page *p, const char *unit)
{
    static const char *const signs[][2] = {
        {"degC", "°C"},   {"degF", "°F"}, {"%RH", "% RH"},  {"mg/m3", "mg/m³"}, {"ug/m3", "µg/m³"},
        {"ug/L", "µg/L"}, {"m3", "m³"},   {"m3/h", "m³/h"}, {"uSv/h", "µSv/h"}, {"uS/cm", "µS/cm"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strcmp(unit, signs[i][0]) == 0)
            unit = signs[i][1];
    sy_page__text(p, unit);
}

void sy_page__value(const sy_page *p, double v, const json_t *point)
{
    const json_t *words = json_object_get(point, "words");
    const char *unit = sy_page__str(point, "unit");
    if (json_is_array(words) && v >= 0 && v < (double)json_array_size(words)) {
        const char *word = json_string_value(json_array_get(words, (size_t)v));
        sy_page__name(p, word ? word : "");
        return;
    }
    sy_buf_double(p->out, v);
    if (*unit) {
        sy_page__raw(p, "\xc2\xa0"); /* no break between number and unit */
        sy_page__unit(p, unit);
    }
}

const char *sy_page__str(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

const char *sy_page__both(const sy_page *p, const json_t *v)
{
    const char *mine = sy_page__str(v, p->zh ? "zh" : "en");
    return *mine ? mine : sy_page__str(v, p->zh ? "en" : "zh");
}

sy_ms sy_page__when(const json_t *v)
{
    sy_ms t = SY_MS_NONE;
    const char *text = json_string_value(v);
    return text && sy_time_parse(sy_span_of(text), &t) == SY_OK ? t : SY_MS_NONE;
}

double sy_page__num(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static const char *translated(const sy_page *p, const char *const (*table)[2], size_t n,
                              const char *word)
{
    for (size_t i = 0; p->zh && i < n; i++)
        if (strcmp(table[i][0], word) == 0)
            return table[i][1];
    return word;
}

void sy_page__name(const sy_page *p, const char *word)
{
    const char *zh = sy_page__str(json_object_get(p->head, "names"), word);
    sy_page__text(p, p->zh && *zh ? zh : word);
}

/* "uncertain+late": a line may break at each sign. */
void sy_page__quality(const sy_page *p, const char *q)
{
    static const char *const table[][2] = {{"good", "有效"},
                                           {"uncertain", "存疑"},
                                           {"bad", "无效"},
                                           {"device-fault", "设备故障"},
                                           {"out-of-range", "超量程"},
                                           {"stuck", "数值不变"},
                                           {"late", "迟到"},
                                           {"future", "时间超前"},
                                           {"duplicate", "重复"},
                                           {"conflict", "冲突"},
                                           {"uncalibrated", "未校准"},
                                           {"unauthenticated", "未认证"},
                                           {"clock-unsynchronised", "时钟未同步"},
                                           {"maintenance", "维护"},
                                           {"calibrating", "校准中"},
                                           {"unit-converted", "单位已换算"},
                                           {"spike", "突变"}};
    char part[64];
    while (*q) {
        size_t n = strcspn(q, "+");
        size_t kept = n < sizeof part - 1 ? n : sizeof part - 1;
        memcpy(part, q, kept);
        part[kept] = '\0';
        sy_page__text(p, translated(p, table, sizeof table / sizeof *table, part));
        q += n;
        if (*q == '+') {
            sy_page__raw(p, "+<wbr>");
            q++;
        }
    }
}

const char *sy_page__change(const sy_page *p, const char *change)
{
    static const char *const table[][2] = {
        {"raised", "发出"},  {"escalated", "升级"}, {"cleared", "解除"}, {"superseded", "被取代"},
        {"amended", "更正"}, {"withdrawn", "撤回"}, {"active", "未解除"}};
    return translated(p, table, sizeof table / sizeof *table, change);
}

const char *sy_page__severity(const sy_page *p, const char *severity)
{
    static const char *const table[][2] = {
        {"notice", "提醒"}, {"warning", "预警"}, {"serious", "严重"}, {"major", "重大"}};
    return translated(p, table, sizeof table / sizeof *table, severity);
}
