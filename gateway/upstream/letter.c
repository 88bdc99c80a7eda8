/* SPDX-License-Identifier: Apache-2.0 */
/* The mail: one for all that changed, in English and Chinese; base64, so that no line is too long,
 * and nothing in it can be taken for a field or for its end. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ledger/b64.h"
#include "upstream/tidings.h"

enum { LINE = 57, SUBJECT = 180 }; /* 57 bytes are a line of 76 */

static void put_b64(sy_buf *out, sy_span bytes)
{
    sy_b64_put(out, bytes, SY_B64);
}

static void body_lines(sy_buf *out, sy_span body)
{
    for (size_t i = 0; i < body.n; i += LINE) {
        put_b64(out, (sy_span){body.p + i, body.n - i < LINE ? body.n - i : LINE});
        sy_buf_text(out, "\r\n");
    }
}

/* RFC 2047: words of at most 75 characters that end at whole characters of UTF-8. */
static void encoded_words(sy_buf *out, sy_span text)
{
    enum { WORD = 42 };
    for (size_t i = 0; i < text.n;) {
        size_t n = text.n - i < WORD ? text.n - i : WORD;
        while (i + n < text.n && n > 1 && ((unsigned char)text.p[i + n] & 0xc0) == 0x80)
            n--;
        sy_buf_text(out, i ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
        put_b64(out, (sy_span){text.p + i, n});
        sy_buf_text(out, "?=");
        i += n;
    }
}

static void subject(const sy_tidings *v, size_t n, sy_buf *out)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_buf_printf(&text, "[%s] %s: %s", v->severity[0] ? v->severity : "steelyard", v->what,
                  v->place[0] ? v->place : v->premises);
    if (v->say_en[0] || v->say_zh[0])
        sy_buf_printf(&text, " - %s", v->say_en[0] ? v->say_en : v->say_zh);
    sy_span s = sy_buf_span(&text);
    if (s.n > SUBJECT) {
        s.n = SUBJECT;
        while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
            s.n--;
    }
    text.n = s.n;
    sy_buf_printf(&text, " / %s", v->zh);
    if (n > 1)
        sy_buf_printf(&text, " (+%zu)", n - 1);
    out->failed = out->failed || text.failed;
    if (!text.failed)
        encoded_words(out, sy_buf_span(&text));
    sy_buf_fini(&text);
}

static void one(const sy_tidings *t, sy_buf *out)
{
    sy_buf_printf(out, "%s / %s  %s\r\n", t->what, t->zh, t->severity);
    if (t->place[0] || t->premises[0])
        sy_buf_printf(out, "%s, %s\r\n", t->place, t->premises);
    if (t->say_en[0])
        sy_buf_printf(out, "%s\r\n", t->say_en);
    if (t->say_zh[0])
        sy_buf_printf(out, "%s\r\n", t->say_zh);
    if (t->quiet)
        sy_buf_printf(out, "%llu points without data / %llu 个测点无数据\r\n",
                      (unsigned long long)t->quiet, (unsigned long long)t->quiet);
    sy_buf_printf(out, "since / 始于 %s, told / 通知 %s\r\nrule / 规则 %s, alert / 警报 %s\r\n\r\n",
                  t->since, t->time, t->rule, t->id);
}

static void date(sy_ms now, sy_buf *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)(now / 1000);
    struct tm tm = {0};
    gmtime_r(&t, &tm);
    sy_buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday % 7],
                  tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                  tm.tm_sec);
}

void sy_tidings_letter(const sy_letter *l, const sy_tidings *v, size_t n, sy_buf *out)
{
    uint64_t random;
    sy_buf body;
    sy_random(&random, sizeof random);
    sy_buf_init(&body, sy_heap());
    sy_buf_printf(out, "From: %s\r\nTo: ", l->from);
    for (const char *p = l->to; *p;) {
        size_t k = strcspn(p, "\n");
        sy_buf_put(out, p, k);
        p += k + (p[k] == '\n');
        sy_buf_text(out, *p ? ",\r\n " : "\r\n");
    }
    date(l->now, out);
    sy_buf_printf(out, "Message-ID: <%llx.%016llx@steelyard.invalid>\r\nSubject: ",
                  (unsigned long long)l->now, (unsigned long long)random);
    subject(v, n, out);
    sy_buf_text(out, "\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n");
    for (size_t i = 0; i < n; i++)
        one(&v[i], &body);
    sy_buf_printf(&body, "Steelyard, %s\r\n", v->source);
    out->failed = out->failed || body.failed;
    if (!body.failed)
        body_lines(out, sy_buf_span(&body));
    sy_buf_fini(&body);
}
