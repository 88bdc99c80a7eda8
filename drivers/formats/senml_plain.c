/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usual SenML pack, read in one pass: an array of flat objects, known labels, texts of
 * printable ASCII without escapes, decimals of at most 15 digits. That is what devices send a
 * million times a day, and a tree of it costs more than all the rest of a message's way. Whatever
 * is unusual, wrong or doubtful is left to the JSON library, which also finds the words for it: so
 * this reader may only ever say yes where the library would, and then must give the same.
 */
#include "drivers/formats/senml.h"

typedef struct cursor {
    const char *at, *end;
} cursor;

static char look(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
    return c->at < c->end ? *c->at : '\0';
}

static bool take(cursor *c, char wanted)
{
    if (look(c) != wanted)
        return false;
    c->at++;
    return true;
}

static bool string(cursor *c, sy_span *out)
{
    if (!take(c, '"'))
        return false;
    const char *from = c->at;
    while (c->at < c->end && *c->at != '"') {
        if (*c->at < 0x20 || *c->at > 0x7e || *c->at == '\\')
            return false;
        c->at++;
    }
    if (c->at == c->end)
        return false;
    *out = (sy_span){from, (size_t)(c->at - from)};
    c->at++;
    return true;
}

static bool digit(const cursor *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

/* Digits into *mantissa; how many there were. */
static int digits(cursor *c, uint64_t *mantissa)
{
    int n = 0;
    for (; digit(c) && n <= 16; n++)
        *mantissa = *mantissa * 10 + (uint64_t)(*c->at++ - '0');
    return n;
}

/* At most 15 digits: the mantissa and the power of ten are exact doubles, so one division gives the
 * nearest double, as strtod would. */
static bool decimal(cursor *c, double *out)
{
    static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool minus = look(c) == '-';
    c->at += minus;
    uint64_t mantissa = 0;
    const char *from = c->at;
    int whole = digits(c, &mantissa), fraction = 0;
    if (whole == 0 || (whole > 1 && *from == '0'))
        return false;
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        fraction = digits(c, &mantissa);
        if (fraction == 0)
            return false;
    }
    if (whole + fraction > 15 || (c->at < c->end && (*c->at == 'e' || *c->at == 'E')))
        return false;
    double v = (double)mantissa / tens[fraction];
    *out = minus && (mantissa || fraction) ? -v : v; /* "-0" is an integer, and 0 */
    return true;
}

static bool literal(cursor *c, const char *word, size_t n)
{
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0)
        return false;
    c->at += n;
    return true;
}

static bool member(cursor *c, const sy_senml_pack *p, sy_senml_raw *raw)
{
    sy_span key, text;
    sy_senml_field field;
    double v;
    if (!string(c, &key) || !take(c, ':') || sy_senml_label(p, key, &field, NULL) != SY_OK)
        return false;
    switch (look(c)) {
    case '"':
        return string(c, &text) && sy_senml_set_text(p, raw, field, text, NULL) == SY_OK;
    case 't':
        return literal(c, "true", 4) && sy_senml_set_bool(p, raw, field, true, NULL) == SY_OK;
    case 'f':
        return literal(c, "false", 5) && sy_senml_set_bool(p, raw, field, false, NULL) == SY_OK;
    default:
        return decimal(c, &v) && sy_senml_set_number(p, raw, field, v, NULL) == SY_OK;
    }
}

static bool record(cursor *c, sy_senml_pack *p)
{
    sy_senml_raw raw;
    raw.present = 0;
    if (!take(c, '{'))
        return false;
    if (look(c) != '}') {
        do {
            if (!member(c, p, &raw))
                return false;
        } while (take(c, ','));
    }
    return take(c, '}') && sy_senml_add(p, &raw, NULL) == SY_OK;
}

bool sy_senml_plain(sy_senml_pack *p, sy_span text)
{
    cursor c = {text.p, text.p + text.n};
    if (text.n == 0 || !take(&c, '['))
        return false;
    do {
        if (!record(&c, p))
            return false;
    } while (take(&c, ','));
    return take(&c, ']') && look(&c) == '\0' && c.at == c.end;
}
