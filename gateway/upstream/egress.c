/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the text of an event, which copies it and leaves out what a table of members names.
 * The text is ours, but it comes from the disk: what is no JSON object of a bounded depth is
 * refused, and so never leaves in part.
 */
#include "upstream/egress.h"

#include <stdio.h>

#include "base/hash.h"

enum { DEPTH = 16 };

static const char *const class_words[] = {
#define WORD(name, word, ...) [SY_EGRESS_##name] = word,
    SY_EGRESS_CLASSES(WORD)
#undef WORD
};
static const char *const part_words[] = {
#define WORD(name, word, ...) [SY_PART_##name] = word,
    SY_EGRESS_PARTS(WORD)
#undef WORD
};

const char *sy_egress_class_word(sy_egress_class c)
{
    return class_words[c];
}

const char *sy_egress_part_word(sy_egress_part p)
{
    return part_words[p];
}

static bool begins(sy_span text, const char *with)
{
    size_t n = strlen(with);
    return text.n >= n && memcmp(text.p, with, n) == 0;
}

sy_egress_class sy_egress_class_of_type(sy_span type)
{
    /* What changes who is to be woken is the alert's: shelved, unshelved, unanswered. */
    static const char *const acts[] = {"acknowledged", "commented"};
    static const struct {
        const char *prefix;
        sy_egress_class class;
    } types[] = {
        {"steelyard.alert.", SY_EGRESS_ALERT},        {"steelyard.group.", SY_EGRESS_GROUP},
        {"steelyard.heartbeat", SY_EGRESS_HEARTBEAT}, {"steelyard.statement", SY_EGRESS_STATEMENT},
        {"steelyard.head", SY_EGRESS_HEAD},           {"steelyard.order.", SY_EGRESS_ORDER},
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (begins(type, "steelyard.alert.") &&
            sy_span_is((sy_span){type.p + 16, type.n - 16}, acts[i]))
            return SY_EGRESS_ACT;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (begins(type, types[i].prefix))
            return types[i].class;
    return SY_EGRESS_SERVICE;
}

sy_egress_class sy_egress_class_of_kind(const char *kind, bool of_alert)
{
    char type[96];
    snprintf(type, sizeof type, "steelyard.%s%s", of_alert ? "alert." : "", kind);
    char *dash = strchr(type, '-'); /* "order-done" is of the type "steelyard.order.done" */
    if (dash)
        *dash = '.';
    return sy_egress_class_of_type(sy_span_of(type));
}

typedef enum how { NULLED, CUT } how;

/* A member of an object that is the value of the key `in`, or a row of its array; "": the event. */
static const struct {
    sy_egress_part part;
    const char *in, *key;
    how how;
} members[] = {
    {SY_PART_NAMES, "premises", "name", NULLED},    {SY_PART_NAMES, "place", "name", NULLED},
    {SY_PART_CODES, "premises", "code", NULLED},    {SY_PART_READINGS, "alert", "min", NULLED},
    {SY_PART_READINGS, "alert", "max", NULLED},     {SY_PART_PEOPLE, "act", "who", NULLED},
    {SY_PART_COMMENTS, "act", "why", NULLED},       {SY_PART_COMMENTS, "data", "why", NULLED},
    {SY_PART_LOCATION, "", "subject", CUT},         {SY_PART_LOCATION, "alert", "subject", CUT},
    {SY_PART_LOCATION, "place", "id", NULLED},      {SY_PART_LOCATION, "place", "name", NULLED},
    {SY_PART_LOCATION, "data", "device", NULLED},   {SY_PART_LOCATION, "data", "series", NULLED},
    {SY_PART_LOCATION, "rules", "place", NULLED},   {SY_PART_LOCATION, "rules", "series", NULLED},
    {SY_PART_LOCATION, "sensors", "place", NULLED}, {SY_PART_LOCATION, "sensors", "series", NULLED},
};

typedef struct walk {
    const char *p, *end;
    sy_buf *out; /* NULL: only look */
    unsigned redact, found;
    sy_span type;  /* of the event */
    bool by_order; /* an act of the authority's own people: it knows them */
} walk;

static bool value(walk *w, sy_span in, sy_span key, int depth);

static void put(walk *w, const char *from)
{
    if (w->out)
        sy_buf_put(w->out, from, (size_t)(w->p - from));
}

static void skip_blanks(walk *w)
{
    const char *from = w->p;
    while (w->p < w->end && (*w->p == ' ' || *w->p == '\n' || *w->p == '\t' || *w->p == '\r'))
        w->p++;
    put(w, from);
}

static bool sign(walk *w, char c)
{
    const char *from = w->p;
    if (w->p >= w->end || *w->p != c)
        return false;
    w->p++;
    put(w, from);
    return true;
}

/* A text without its quotes, as it is written. */
static bool text(walk *w, sy_span *out)
{
    if (w->p >= w->end || *w->p != '"')
        return false;
    const char *from = ++w->p;
    while (w->p < w->end && *w->p != '"')
        w->p += *w->p == '\\' ? 2 : 1;
    if (w->p >= w->end)
        return false;
    *out = (sy_span){from, (size_t)(w->p - from)};
    w->p++;
    return true;
}

static bool scalar(walk *w)
{
    sy_span unused;
    const char *from = w->p;
    if (w->p < w->end && *w->p == '"') {
        if (!text(w, &unused))
            return false;
    } else {
        while (w->p < w->end && *w->p && strchr("+-.0123456789aeflnrstuE", *w->p))
            w->p++;
    }
    put(w, from);
    return w->p > from;
}

/* Members that have the same name where they are not what a table row means. */
static int row_of(const walk *w, sy_span in, sy_span key)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if ((w->redact & (1u << members[i].part)) && sy_span_is(key, members[i].key) &&
            sy_span_is(in, members[i].in) && !(w->by_order && (members[i].part == SY_PART_PEOPLE)))
            return (int)i;
    return -1;
}

/* The value goes, in favour of null or its first part. */
static bool replaced(walk *w, int row, int depth)
{
    const char *from = w->p;
    sy_buf *out = w->out;
    sy_span none = {"-", 1};
    w->out = NULL; /* what is inside is not copied, nor found */
    unsigned redact = w->redact;
    w->redact = 0;
    bool good = value(w, none, none, depth);
    w->out = out;
    w->redact = redact;
    sy_span was = {from, (size_t)(w->p - from)};
    const char *slash = members[row].how == CUT ? memchr(was.p, '/', was.n) : NULL;
    bool whole = sy_span_is(was, "null") || (members[row].how == CUT && !slash);
    if (!whole)
        w->found |= 1u << members[row].part;
    if (!out || !good)
        return good;
    if (whole) {
        sy_buf_span_put(out, was);
    } else if (slash) {
        sy_buf_put(out, was.p, (size_t)(slash - was.p));
        sy_buf_char(out, '"');
    } else {
        sy_buf_text(out, "null");
    }
    return good;
}

static bool member(walk *w, sy_span in, int depth)
{
    sy_span key;
    const char *from = w->p;
    if (!text(w, &key))
        return false;
    put(w, from);
    skip_blanks(w);
    if (!sign(w, ':'))
        return false;
    skip_blanks(w);
    if (in.n == 0 && sy_span_is(key, "type") && w->p < w->end && *w->p == '"')
        w->type = (sy_span){w->p, (size_t)(w->end - w->p)};
    if (sy_span_is(in, "act") && sy_span_is(key, "via") &&
        begins((sy_span){w->p, (size_t)(w->end - w->p)}, "\"order/"))
        w->by_order = true;
    int row = row_of(w, in, key);
    return row < 0 ? value(w, in, key, depth) : replaced(w, row, depth);
}

static bool container(walk *w, sy_span key, char close, int depth)
{
    w->p++;
    put(w, w->p - 1);
    skip_blanks(w);
    if (sign(w, close))
        return true;
    for (;;) {
        if (!(close == '}' ? member(w, key, depth + 1) : value(w, key, key, depth + 1)))
            return false;
        skip_blanks(w);
        if (sign(w, close))
            return true;
        if (!sign(w, ','))
            return false;
        skip_blanks(w);
    }
}

static bool value(walk *w, sy_span in, sy_span key, int depth)
{
    (void)in;
    if (depth > DEPTH || w->p >= w->end)
        return false;
    if (*w->p == '{' || *w->p == '[')
        return container(w, key, *w->p == '{' ? '}' : ']', depth);
    return scalar(w);
}

static bool run(walk *w, sy_span event)
{
    w->p = event.p;
    w->end = event.p + event.n;
    return event.n > 1 && event.p[0] == '{' && value(w, (sy_span){"", 0}, (sy_span){"", 0}, 0) &&
           w->p == w->end;
}

static sy_span type_of(const walk *w)
{
    walk at = {.p = w->type.p, .end = w->type.p + w->type.n};
    sy_span type = {"", 0};
    return w->type.n && text(&at, &type) ? type : (sy_span){"", 0};
}

sy_egress_class sy_egress_class_of(sy_span event)
{
    walk w = {0};
    return run(&w, event) ? sy_egress_class_of_type(type_of(&w)) : SY_EGRESS_SERVICE;
}

static void put_attributes(sy_span event, unsigned found, sy_buf *out)
{
    unsigned char sum[32];
    char hex[65];
    const char *comma = "";
    sy_sha256 h;
    sy_buf_text(out, ",\"steelyardredacted\":\"");
    for (int i = 0; i < SY_PART_N; i++) {
        if (!(found & (1u << i)))
            continue;
        sy_buf_text(out, comma);
        sy_buf_text(out, part_words[i]);
        comma = ",";
    }
    sy_sha256_init(&h);
    sy_sha256_add(&h, event.p, event.n);
    sy_sha256_end(&h, sum);
    sy_hex(sum, 32, hex);
    sy_buf_printf(out, "\",\"steelyardoriginal\":\"%s\"}", hex);
}

sy_err sy_egress_apply(const sy_egress *policy, sy_span event, sy_buf *out,
                       sy_egress_verdict *verdict, sy_fail *f)
{
    walk look = {0}, w = {.out = out, .redact = policy->redact};
    size_t was = out->n;
    *verdict = SY_EGRESS_WITHHELD;
    if (!run(&look, event))
        return sy_fail_set(f, SY_E_PARSE, "it is no JSON object that we know: it does not leave");
    if (!(policy->classes & (1u << sy_egress_class_of_type(type_of(&look)))))
        return SY_OK;
    *verdict = SY_EGRESS_WHOLE;
    w.by_order = look.by_order;
    (void)run(&w, event);
    if (w.found == 0) {
        out->n = was;
        return SY_OK;
    }
    if (!out->failed)
        out->n--; /* the closing brace, which is the last byte */
    put_attributes(event, w.found, out);
    *verdict = SY_EGRESS_REDACTED;
    return out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for an event") : SY_OK;
}
