/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, strict (RFC 4648, sections 3.3 and 3.5: nothing else between, no spare bits). */
#include "ledger/b64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static char digit(unsigned v, sy_b64 kind)
{
    if (v < 62)
        return letters[v];
    if (kind == SY_B64)
        return v == 62 ? '+' : '/';
    return v == 62 ? '-' : '_';
}

static int value(char c, sy_b64 kind)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == digit(62, kind))
        return 62;
    return c == digit(63, kind) ? 63 : -1;
}

void sy_b64_put(sy_buf *out, sy_span s, sy_b64 kind)
{
    char block[1024]; /* a proof is long, and each event has one */
    size_t have = 0;
    for (size_t i = 0; i < s.n; i += 3) {
        size_t n = s.n - i < 3 ? s.n - i : 3;
        unsigned v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < n ? (unsigned char)s.p[i + k] : 0u);
        for (size_t k = 0; k <= n; k++)
            block[have++] = digit(v >> (18 - 6 * k) & 63, kind);
        for (size_t k = n; k < 3 && kind == SY_B64; k++)
            block[have++] = '=';
        if (have > sizeof block - 4) {
            sy_buf_put(out, block, have);
            have = 0;
        }
    }
    sy_buf_put(out, block, have);
}

sy_err sy_b64_get(sy_span text, sy_b64 kind, sy_buf *out)
{
    size_t n = text.n;
    if (kind == SY_B64) {
        if (n % 4)
            return SY_E_PARSE;
        for (int pads = 0; n && pads < 2 && text.p[n - 1] == '='; pads++)
            n--;
    }
    if (n % 4 == 1)
        return SY_E_PARSE;
    unsigned v = 0, bits = 0;
    for (size_t i = 0; i < n; i++) {
        int d = value(text.p[i], kind);
        if (d < 0)
            return SY_E_PARSE;
        v = (v << 6 | (unsigned)d) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            sy_buf_char(out, (char)(v >> bits & 0xff));
        }
    }
    if (bits && (v & ((1u << bits) - 1)))
        return SY_E_PARSE;
    return out->failed ? SY_E_NOMEM : SY_OK;
}
