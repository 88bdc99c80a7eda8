/* SPDX-License-Identifier: Apache-2.0 */
/* The devices' own messages on the page: records of the journal (docs/formats.md) as text. */
#include "ledger/page_int.h"

#include "base/utf8.h"

enum { HEADER = 36, SHOWN = 200, PAYLOAD_SHOWN = 400 };

static bool printable(sy_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\t' && s.p[i] != '\r')
            return false;
    return sy_utf8_check(s) == s.n;
}

/* Text as it is, else hex digits; what is long is cut. */
static void bytes(const sy_page *p, sy_span s)
{
    sy_buf b;
    bool cut = s.n > PAYLOAD_SHOWN, text = printable(s) && !cut;
    s.n = cut ? PAYLOAD_SHOWN : s.n;
    sy_buf_init(&b, p->out->alloc);
    if (text) {
        sy_buf_span_put(&b, s);
    } else {
        for (size_t i = 0; i < s.n; i++)
            sy_buf_printf(&b, "%02x", (unsigned)(unsigned char)s.p[i]);
    }
    sy_page__raw(p, text ? "<code>" : "0x<code>");
    if (b.n)
        sy_page__text(p, b.p);
    p->out->failed = p->out->failed || b.failed;
    sy_page__raw(p, cut ? "…</code>" : "</code>");
    sy_buf_fini(&b);
}

static void record(const sy_page *p, sy_span r)
{
    sy_rd head = sy_rd_of(r);
    (void)sy_rd_u64(&head); /* length, checksum */
    uint64_t seq = sy_rd_u64(&head);
    sy_ms recv = (sy_ms)sy_rd_u64(&head);
    (void)sy_rd_u32(&head); /* code */
    (void)sy_rd_u16(&head); /* type, flags */
    size_t source = sy_rd_u16(&head), ident = sy_rd_u16(&head);
    if (head.bad || source + ident > r.n - HEADER)
        return;
    sy_page__raw(p, "<tr><td>");
    sy_buf_printf(p->out, "%llu</td><td>", (unsigned long long)seq);
    sy_page__time(p, recv, true);
    sy_page__raw(p, "</td><td>");
    bytes(p, (sy_span){r.p + HEADER, source});
    sy_page__raw(p, "</td><td>");
    bytes(p, (sy_span){r.p + HEADER + source + ident, r.n - HEADER - source - ident});
    sy_page__raw(p, "</td></tr>\n");
}

void sy_page__records(const sy_page *p)
{
    static const sy_page_word titles[] = {SY_PW_RECORD, SY_PW_RECEIVED, SY_PW_SOURCE,
                                          SY_PW_PAYLOAD};
    size_t n = p->e->n_originals;
    sy_page__raw(p, "<h2>");
    sy_page__word(p, SY_PW_ORIGINALS);
    sy_page__raw(p, "</h2>\n<p>");
    sy_page__word(p, n ? SY_PW_ORIGINALS_ARE : SY_PW_NO_ORIGINALS);
    sy_page__raw(p, "</p>\n");
    if (n == 0)
        return;
    sy_page__raw(p, "<table class=\"records\"><thead><tr>");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        sy_page__raw(p, "<th>");
        sy_page__word(p, titles[i]);
        sy_page__raw(p, "</th>");
    }
    sy_page__raw(p, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < n && i < SHOWN; i++)
        record(p, sy_buf_span(&p->e->originals[i].record));
    sy_page__raw(p, "</tbody></table>\n");
    if (n > SHOWN) {
        sy_buf_printf(p->out, "<p class=\"dim\">%zu ", n - SHOWN);
        sy_page__word(p, SY_PW_MIDDLE);
        sy_page__raw(p, "</p>\n");
    }
}
