/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line that a weighing scale sends without end on its serial port. "ST,GS,+  4.876kg" (the
 * coding of A&D and many others; some leave out the second word): ST stable, US unstable, OL
 * overload; GS gross, NT net, TR tare; sign, number, unit. "S S     4.876 kg" (Mettler-Toledo's
 * SICS): S S stable, S D moving, S + and S - beyond the range, S I not ready. Unstable is
 * uncertain, overload bad. The newest whole line counts.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

static sy_span trimmed(sy_span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\r' || s.p[0] == '\n' || s.p[0] == '\t'))
        s = (sy_span){s.p + 1, s.n - 1};
    while (s.n && memchr(" \r\n\t", s.p[s.n - 1], 4))
        s.n--;
    return s;
}

static sy_span last_line(sy_span s)
{
    s = trimmed(s);
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == '\n')
            return (sy_span){s.p + i, s.n - i};
    return s;
}

static bool weight(sy_span text, sy_record *r)
{
    char digits[32];
    size_t n = 0, i = 0;
    for (; i < text.n && n < sizeof digits; i++) {
        char c = text.p[i];
        if (c == ' ' || (c == '+' && n == 0))
            continue;
        if (!(c >= '0' && c <= '9') && c != '.' && !(c == '-' && n == 0))
            break;
        digits[n++] = c;
    }
    r->kind = SY_REC_NUMBER;
    if (i < text.n && text.p[i] == ',')
        i++;
    r->unit = trimmed((sy_span){text.p + i, text.n - i});
    for (size_t k = 0; k < r->unit.n; k++)
        if ((r->unit.p[k] | 0x20) < 'a' || (r->unit.p[k] | 0x20) > 'z')
            return false;
    return sy_double_parse((sy_span){digits, n}, &r->number) == SY_OK && r->unit.n <= 8;
}

static bool overload(sy_record *r)
{
    r->kind = SY_REC_NULL;
    r->quality = SY_Q_BAD | SY_Q_OUT_OF_RANGE;
    return true;
}

/* "S S     4.876 kg" */
static bool sics(sy_span line, sy_record *r)
{
    char state = line.n >= 3 ? line.p[2] : '\0';
    if (line.n >= 3 && (state == '+' || state == '-'))
        return overload(r);
    if (line.n >= 3 && state == 'I') {
        r->kind = SY_REC_NULL;
        r->quality = SY_Q_UNCERTAIN;
        return true;
    }
    r->quality = state == 'D' ? SY_Q_UNCERTAIN : SY_Q_GOOD;
    return line.n > 4 && (state == 'S' || state == 'D') && line.p[3] == ' ' &&
           weight((sy_span){line.p + 4, line.n - 4}, r) && r->unit.n > 0;
}

static bool read(sy_span payload, sy_record *r)
{
    sy_span line = last_line(payload);
    *r = (sy_record){.name = {"weight", 6}, .local = {"weight", 6}, .unit = {"", 0}};
    if (line.n >= 3 && line.p[0] == 'S' && line.p[1] == ' ')
        return sics(line, r);
    if (line.n < 5 || line.p[2] != ',')
        return false;
    if (memcmp(line.p, "OL", 2) == 0)
        return overload(r);
    if (memcmp(line.p, "US", 2) == 0)
        r->quality = SY_Q_UNCERTAIN;
    else if (memcmp(line.p, "ST", 2) != 0)
        return false;
    if (memchr("+- 0123456789", line.p[3], 13))
        return weight((sy_span){line.p + 3, line.n - 3}, r);
    if (line.n < 7 || line.p[5] != ',')
        return false;
    if (memcmp(line.p + 3, "NT", 2) == 0)
        r->name = r->local = (sy_span){"net-weight", 10};
    else if (memcmp(line.p + 3, "TR", 2) == 0)
        r->name = r->local = (sy_span){"tare", 4};
    else if (memcmp(line.p + 3, "GS", 2) != 0)
        return false;
    return weight((sy_span){line.p + 6, line.n - 6}, r);
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    sy_record r;
    if (!read(payload, &r))
        return sy_fail_set(f, SY_E_PARSE, "not a line of a scale, such as \"ST,GS,+  4.876kg\"");
    return sink(ctx, &r);
}

static int probe(sy_span payload)
{
    sy_record r;
    return read(payload, &r) ? 90 : 0;
}

const sy_format sy_format_scale = {"scale", 0xffff, decode, probe, NULL};
