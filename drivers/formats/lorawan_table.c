/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uplinks of LoRaWAN devices, read by their tables (the notation is in lorawan_table.h).
 *
 * A payload is taken whole or refused whole: a channel that is in no table has an unknown length.
 * Zeros at the end are padding. A history channel gives records with their own time; its local
 * names are those of the live readings, so that they belong to the same points.
 */
#include "drivers/formats/lorawan_table.h"

#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "drivers/formats/all.h"

enum { COUNTERS = 6, NAME = 128 };

typedef struct counter {
    sy_span word; /* "event" of "event#.type" */
    unsigned n;
    bool used; /* in this channel */
} counter;

typedef struct run {
    sy_records *l;
    sy_record like;
    const sy_lt_maker *maker;
    const sy_lt_model *model;
    int port;
    bool any;           /* no model is configured */
    bool second;        /* take the second version of a channel */
    bool two;           /* some channel had two versions */
    sy_span all, bytes; /* the payload; what is left of it */
    sy_span set;        /* "data.0." of a set of an NB-IoT frame */
    bool history;
    bool chosen; /* a group took the selector */
    uint32_t last, selector;
    int32_t number; /* "$" */
    counter counters[COUNTERS];
} run;

static sy_err short_of(const run *r, sy_fail *f)
{
    return sy_fail_set(f, SY_E_PARSE, "%s %s: the payload of %zu bytes is cut short",
                       r->maker->name, r->model->name, r->all.n);
}

static sy_err mistaken(const run *r, sy_span item, sy_fail *f)
{
    return sy_fail_set(f, SY_E_UNSUPPORTED, "%s %s: the table is wrong at '%.*s'", r->maker->name,
                       r->model->name, item.n < 40 ? (int)item.n : 40, item.p);
}

static sy_err take(run *r, size_t n, const char **p, sy_fail *f)
{
    if (r->bytes.n < n)
        return short_of(r, f);
    *p = r->bytes.p;
    r->bytes = (sy_span){r->bytes.p + n, r->bytes.n - n};
    return SY_OK;
}

static unsigned counted(run *r, sy_span word)
{
    for (size_t i = 0; i < COUNTERS; i++) {
        counter *c = &r->counters[i];
        if (c->word.n == 0)
            c->word = word;
        if (sy_span_eq(c->word, word)) {
            c->used = true;
            return c->n;
        }
    }
    return 0;
}

/* The name with its numbers, after that of the history or the set; local is what comes after. */
static void name_record(run *r, sy_span name, sy_record *out)
{
    char text[NAME];
    size_t n = 0, local;
    if (r->history)
        n = (size_t)snprintf(text, sizeof text, "history.%u.", counted(r, sy_span_of("history")));
    else if (r->set.n)
        n = (size_t)snprintf(text, sizeof text, "%.*s", (int)r->set.n, r->set.p);
    local = n;
    for (size_t i = 0; i < name.n && n + 12 < sizeof text; i++) {
        if (name.p[i] == '#')
            n += (size_t)snprintf(text + n, sizeof text - n, ".%u",
                                  counted(r, (sy_span){name.p, i}));
        else if (name.p[i] == '$')
            n += (size_t)snprintf(text + n, sizeof text - n, "%d", (int)r->number);
        else
            text[n++] = name.p[i];
    }
    out->name = sy_records_text(r->l, (sy_span){text, n});
    out->local = out->name.n == n ? (sy_span){out->name.p + local, n - local} : out->name;
}

static void add_text(run *r, const sy_record *named, sy_span text)
{
    sy_lora_text(r->l, named, text);
}

static double half(uint32_t v)
{
    double m = v & 0x3ff, sign = v & 0x8000 ? -1 : 1;
    int e = (int)(v >> 10 & 0x1f);
    return e == 31 ? (m != 0 ? NAN : sign * INFINITY)
                   : sign * ldexp(e ? m + 1024 : m, (e ? e : 1) - 25);
}

static double value_of(const sy_lt_item *it, uint32_t raw)
{
    if (it->kind == 'f' && it->width == 2)
        return half(raw);
    if (it->kind == 'f') {
        float single;
        memcpy(&single, &raw, sizeof single);
        return (double)single;
    }
    if (it->kind == 'i' || it->kind == 'I' || it->kind == 'W')
        return sy_signed(raw, 8 * it->width);
    if (it->kind == '@' && it->negative)
        return sy_signed(raw, it->bits);
    return raw;
}

/* A reading of an integer, a float or bits. */
static void give(run *r, const sy_lt_item *it, uint32_t raw)
{
    sy_record rec = r->like;
    name_record(r, it->name, &rec);
    if (it->faults.n > 0) {
        sy_span fault = sy_lt_word((sy_span){it->faults.p + 1, it->faults.n - 1}, raw, '!', 16);
        if (fault.n > 0) {
            sy_record status = r->like;
            char suffixed[NAME];
            int n = snprintf(suffixed, sizeof suffixed, "%.*s_sensor_status", (int)it->name.n,
                             it->name.p);
            sy_lora_fault(r->l, &rec);
            name_record(r, it->status.n ? it->status : (sy_span){suffixed, (size_t)n}, &status);
            add_text(r, &status, fault);
            return;
        }
    }
    if (it->words.n > 0) {
        sy_span word = sy_lt_word(it->words, raw, '|', 10);
        if (word.n == 0)
            rec.quality = sy_quality_worsen(rec.quality, SY_Q_UNCERTAIN, 0);
        add_text(r, &rec, word.n ? word : sy_span_of("unknown"));
        return;
    }
    rec.kind = SY_REC_NUMBER;
    rec.number = value_of(it, raw) / it->divisor + it->plus;
    rec.unit = it->unit;
    if (isfinite(rec.number))
        sy_records_add(r->l, &rec);
    else
        sy_lora_fault(r->l, &rec);
}

static size_t hexadecimal(char *text, const char *p, size_t n, bool backwards, const char *between)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)sprintf(text + at, "%s%02x", i ? between : "",
                              (unsigned char)p[backwards ? n - 1 - i : i]);
    return at;
}

static size_t dotted(char *text, const char *p, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)sprintf(text + at, "%s%u", i ? "." : "", (unsigned char)p[i]);
    return at;
}

/* A text as the device sends it; bytes that are no text are given in hexadecimal. */
static sy_err give_text(run *r, const sy_lt_item *it, const char *p, size_t n, sy_fail *f)
{
    char text[3 * 64 + 1];
    sy_record rec = r->like;
    const char *nul = n ? memchr(p, 0, n) : NULL;
    size_t used = nul ? (size_t)(nul - p) : n;
    name_record(r, it->name, &rec);
    if (sy_utf8_check((sy_span){p, used}) == used) {
        add_text(r, &rec, (sy_span){p, used});
        return SY_OK;
    }
    if (n > 64)
        return sy_fail_set(f, SY_E_PARSE, "%s %s: '%.*s' is no UTF-8 text", r->maker->name,
                           r->model->name, (int)it->name.n, it->name.p);
    add_text(r, &rec, (sy_span){text, hexadecimal(text, p, n, false, "")});
    return SY_OK;
}

static sy_err give_bytes(run *r, const sy_lt_item *it, sy_fail *f)
{
    char text[4 * 64 + 2];
    const char *p;
    size_t n = it->kind == 'a' && it->width == 0 ? r->bytes.n : it->width, at = 0;
    sy_err e = SY_OK;
    if (it->kind == 'L') {
        e = take(r, 1, &p, f);
        n = e ? 0 : (unsigned char)*p;
    }
    if (!e)
        e = take(r, n, &p, f);
    if (e)
        return e;
    if (it->kind == 'a' || it->kind == 'L')
        return give_text(r, it, p, n, f);
    const unsigned char *b = (const unsigned char *)p;
    if (strchr("hrm", it->kind))
        at = hexadecimal(text, p, n, it->kind == 'r', it->kind == 'm' ? ":" : "");
    else if (it->kind == 'p')
        at = (size_t)sprintf(text, "v%u.%u", b[0] >> 4, b[0] & 15u);
    else if (it->kind == 'w')
        at = (size_t)sprintf(text, "v%x.%u", b[0], b[1] >> 4);
    else if (it->kind == 'x')
        at = (size_t)sprintf(text, "v%x.%x", b[0], b[1]);
    else if (it->kind == 't')
        at = (size_t)sprintf(text, "v%u.%u", b[0], b[1]);
    else if (it->kind == 'v')
        text[0] = 'v', at = 1 + dotted(text + 1, p, n);
    else
        at = dotted(text, p, n);
    sy_record rec = r->like;
    name_record(r, it->name, &rec);
    add_text(r, &rec, (sy_span){text, at});
    return SY_OK;
}

static sy_err raw_of(run *r, const sy_lt_item *it, uint32_t *raw, sy_fail *f)
{
    const char *p;
    *raw = 0;
    if (it->kind == 'n')
        *raw = (uint32_t)r->number;
    if (it->kind == 'c' || it->kind == 'n')
        return SY_OK;
    if (it->kind == '@') {
        *raw = it->bits == 32 ? r->last : r->last >> it->shift & ((UINT32_C(1) << it->bits) - 1);
        return SY_OK;
    }
    if (it->kind == 'Q') {
        if (r->bytes.n <= it->width)
            return short_of(r, f);
        *raw = r->last = (unsigned char)r->bytes.p[it->width];
        return SY_OK;
    }
    sy_span before = r->bytes;
    sy_err e = take(r, it->width, &p, f);
    if (e)
        return e;
    *raw = it->kind == 'U' || it->kind == 'I' ? sy_be(p, it->width) : sy_le(p, it->width);
    if (it->kind == 'W')
        *raw = sy_be(p + 2, 2) << 16 | sy_be(p, 2);
    if (it->kind == 'P')
        r->bytes = before;
    r->last = *raw;
    return SY_OK;
}

/* The records that follow are of that time. A device whose clock was never set counts from 1970 or
 * 2000. */
static void set_time(run *r, uint32_t seconds)
{
    r->like.has_time = true;
    r->like.time_relative = false;
    r->like.time = (sy_ms)seconds * 1000;
    r->like.time_s = seconds;
    if (seconds < 1262304000) /* 2010 */
        r->like.quality =
            sy_quality_worsen(r->like.quality, SY_Q_UNCERTAIN, SY_Q_CLOCK_UNSYNCHRONISED);
}

static size_t count_of(sy_span item)
{
    size_t n = 0;
    for (size_t i = 1; i < item.n && i < 4; i++)
        n = n * 10 + (size_t)(item.p[i] - '0');
    return n;
}

/* T, TN, tN */
static sy_err time_item(run *r, sy_span item, sy_fail *f)
{
    sy_lt_item it = {.name = sy_span_of("timestamp"), .kind = 'u', .width = 4, .divisor = 1};
    uint32_t seconds;
    if (item.n > 1) {
        size_t at = count_of(item);
        if (r->bytes.n < at + 4)
            return short_of(r, f);
        seconds = sy_be(r->bytes.p + at, 4);
    } else {
        sy_err e = raw_of(r, &it, &seconds, f);
        if (e)
            return e;
    }
    set_time(r, seconds);
    if (item.p[0] == 'T') {
        r->history = true;
        give(r, &it, seconds);
    }
    return SY_OK;
}

static sy_err skip(run *r, sy_span item, sy_fail *f)
{
    const char *p;
    return take(r, count_of(item), &p, f);
}

static sy_err check_sum(const run *r, sy_fail *f)
{
    unsigned sum = 0;
    for (size_t i = 0; i < r->all.n; i++)
        sum += (unsigned char)r->all.p[i];
    return sum % 256 == 0 ? SY_OK
                          : sy_fail_set(f, SY_E_PARSE, "%s %s: the check sum is wrong",
                                        r->maker->name, r->model->name);
}

static sy_err one(run *r, sy_span item, sy_fail *f)
{
    sy_lt_item it;
    uint32_t raw;
    if (item.n && item.p[0] == '+')
        return skip(r, item, f);
    if (item.n && (item.p[0] == 'T' || item.p[0] == 't') && !memchr(item.p, ':', item.n))
        return time_item(r, item, f);
    if (sy_span_is(item, "K"))
        return check_sum(r, f);
    if (sy_span_is(item, "!"))
        return sy_fail_set(f, SY_E_PARSE, "%s %s: data of kind %u is not known", r->maker->name,
                           r->model->name, (unsigned)r->selector);
    if (sy_lt_item_parse(item, &it) != SY_OK)
        return mistaken(r, item, f);
    if (!strchr("uiUIWf@cnPQ", it.kind))
        return give_bytes(r, &it, f);
    sy_err e = raw_of(r, &it, &raw, f);
    if (e)
        return e;
    if (sy_span_is(it.name, "?")) {
        r->selector = raw;
        r->chosen = false;
    } else if (sy_span_is(it.name, "$")) {
        r->number = (int32_t)(value_of(&it, raw) + it.plus);
    } else if (it.name.n > 0) {
        give(r, &it, raw);
    }
    return SY_OK;
}

/* Whether the selector meets "1,2", "^3", "&3" or "*". */
static bool meets(run *r, sy_span condition)
{
    bool met = sy_span_is(condition, "*") && !r->chosen;
    char how = condition.p[0];
    for (size_t i = how == '^' || how == '&'; i < condition.n && how != '*'; i++) {
        uint32_t v = 0;
        for (; i < condition.n && condition.p[i] != ','; i++)
            v = v * 10 + (uint32_t)(condition.p[i] - '0');
        met = met || (how == '^'   ? r->selector >= v
                      : how == '&' ? v < 32 && (r->selector >> v & 1)
                                   : r->selector == v);
    }
    r->chosen = r->chosen || (met && how != '&');
    return met;
}

/* What was counted in a channel, or in one repetition, is past. */
static void end_of_one(run *r, const sy_record *like)
{
    r->like = *like;
    r->history = false;
    for (size_t i = 0; i < COUNTERS; i++) {
        r->counters[i].n += r->counters[i].used;
        r->counters[i].used = false;
    }
}

/* Groups are as deep as the tables write them. */
// NOLINTNEXTLINE(misc-no-recursion)
static sy_err every(run *r, sy_span items, int depth, sy_fail *f)
{
    sy_span item, condition, inner;
    sy_err e = SY_OK;
    while (!e && sy_lt_next(&items, &item)) {
        if (item.n > 2 && item.p[0] == '%') {
            const sy_record like = r->like;
            inner = (sy_span){item.p + 1, item.n - 2};
            for (size_t left = r->bytes.n + 1; !e && r->bytes.n > 0 && r->bytes.n < left;
                 end_of_one(r, &like)) {
                left = r->bytes.n;
                e = every(r, inner, depth + 1, f);
            }
        } else if (item.n == 0 || item.p[0] != '<') {
            e = one(r, item, f);
        } else if (!sy_lt_group(item, &condition, &inner) || depth == 4) {
            e = mistaken(r, item, f);
        } else {
            const uint32_t selector = r->selector;
            const bool each = sy_span_is(condition, "&*"), met = !each && meets(r, condition);
            const bool chosen = r->chosen;
            for (int bit = 0; !e && (each ? bit < 32 : met && bit == 0); bit++) {
                if (each && !(selector >> bit & 1))
                    continue;
                r->number = each ? bit + 1 : r->number;
                e = every(r, inner, depth + 1, f);
                r->selector = selector;
                r->chosen = chosen;
            }
        }
    }
    return e;
}

static bool is_channel(sy_span key, const char *want, unsigned id)
{
    if (memcmp(key.p, want, 4) == 0 || (memcmp(key.p, want, 2) == 0 && key.p[2] == 'x'))
        return true;
    /* Answers to commands come with 0xfe or 0xff. */
    return id >= 0xfe && key.p[0] == 'f' && key.p[1] == 'e' && memcmp(key.p + 2, want + 2, 2) == 0;
}

/* The items of a channel; the second version where there is one and it is wanted. */
static bool find(run *r, unsigned id, unsigned type, sy_span *items)
{
    const char *const tables[] = {r->model->channels[0], r->model->channels[1], r->maker->common};
    char want[5];
    snprintf(want, sizeof want, "%02x%02x", id & 0xff, type & 0xff);
    int found = 0;
    for (size_t i = 0; i < 3 && found < 2; i++) {
        const char *table = tables[i];
        sy_span key, at;
        /* What a model says of a channel goes before what is common. */
        if (i == 2 && found > 0)
            break;
        while (found < 2 && sy_lt_line(&table, &key, &at)) {
            /* A line for any type is no second version of one for this type. */
            if (!is_channel(key, want, id) || (found > 0 && key.p[2] == 'x'))
                continue;
            if (found == 0 || r->second)
                *items = at;
            found++;
        }
    }
    r->two = r->two || found == 2;
    return found > 0;
}

static sy_err channel(run *r, sy_fail *f)
{
    const sy_record like = r->like;
    const char *p;
    sy_span items;
    size_t at = r->all.n - r->bytes.n;
    sy_err e = take(r, 2, &p, f);
    if (e)
        return e;
    unsigned id = (unsigned char)p[0], type = (unsigned char)p[1];
    if (!find(r, id, type, &items))
        return sy_fail_set(f, SY_E_PARSE,
                           "%s %s: channel 0x%02x of type 0x%02x (byte %zu) is not known%s",
                           r->maker->name, r->model->name, id, type, at,
                           r->any ? "; give the device's `model`" : "");
    e = every(r, items, 0, f);
    end_of_one(r, &like);
    return e;
}

static bool padding(sy_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != 0)
            return false;
    return true;
}

/* NB-IoT frame of the same devices (Milesight, "NB-IoT data frame"): a head, big-endian, then sets
 * of channels; a set ends where the channel's id does not grow. */
static const char nb_head[] =
    "startFlag:u1;id:U2;length:U2;flag:u1;frameCnt:U2;protocolVersion:u1;firmwareVersion:a4;"
    "hardwareVersion:a4;sn:a16;imei:a15;imsi:a15;iccid:a20;csq:u1;data_length:U2";

static bool is_nb(sy_span s)
{
    return s.n > 86 && s.p[0] == 2 && sy_be(s.p + 3, 2) == s.n - 5;
}

static sy_err nb_frame(run *r, sy_fail *f)
{
    char set[24];
    unsigned last = 0, sets = 0;
    sy_err e = every(r, sy_span_of(nb_head), 0, f);
    if (!e && r->last != r->bytes.n)
        return short_of(r, f);
    r->set = (sy_span){set, (size_t)snprintf(set, sizeof set, "data.0.")};
    while (!e && r->bytes.n > 0) {
        unsigned id = (unsigned char)r->bytes.p[0] & 15u;
        if (id <= last)
            r->set.n = (size_t)snprintf(set, sizeof set, "data.%u.", ++sets);
        last = id;
        e = channel(r, f);
    }
    return e;
}

/* The line for payloads of that FPort that are no list of channels. */
static bool find_whole(run *r, sy_span *items)
{
    char port[5];
    int found = 0;
    snprintf(port, sizeof port, "--%02x", r->port & 0xff);
    for (int pass = 0; pass < 2 && found == 0; pass++) {
        const char *table = r->model->channels[0];
        sy_span key, at;
        while (found < 2 && sy_lt_line(&table, &key, &at)) {
            if (pass == 0 ? r->port < 0 || !sy_span_is(key, port) : !sy_span_is(key, "----"))
                continue;
            if (found == 0 || r->second)
                *items = at;
            found++;
        }
    }
    r->two = r->two || found == 2;
    return found > 0;
}

static sy_err whole(run *r, sy_fail *f)
{
    sy_span items;
    sy_err e = SY_OK;
    if (find_whole(r, &items)) {
        e = every(r, items, 0, f);
        if (!e && r->bytes.n > 0)
            e = sy_fail_set(f, SY_E_PARSE, "%s %s: the payload has %zu bytes too many",
                            r->maker->name, r->model->name, r->bytes.n);
        return e;
    }
    if (r->maker->framed && is_nb(r->bytes))
        return nb_frame(r, f);
    while (!e && r->bytes.n > 0 && !(r->bytes.p[0] == 0 && padding(r->bytes)))
        e = channel(r, f);
    return e;
}

static const sy_lt_model *model_of(const sy_lt_maker *maker, sy_span name)
{
    for (size_t i = 0; maker->models[i].name; i++)
        if (sy_span_is(name, maker->models[i].name))
            return &maker->models[i];
    return NULL;
}

sy_err sy_lt_read(const sy_lt_maker *maker, sy_records *l, const sy_lora *u, sy_span bytes,
                  sy_fail *f)
{
    const sy_lt_model *model = u->model.n ? model_of(maker, u->model) : maker->any;
    const size_t before = l->n;
    if (!model)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "%s: there is no model '%.*s'", maker->name,
                           u->model.n < 40 ? (int)u->model.n : 40, u->model.p);
    run r = {.l = l, .like = u->like, .maker = maker, .model = model, .any = !u->model.n};
    r.port = u->port;
    r.all = r.bytes = bytes;
    sy_err e = whole(&r, f);
    if (e && r.two) {
        sy_fail second;
        run again = {.l = l, .like = u->like, .maker = maker, .model = model, .any = r.any};
        again.port = u->port;
        again.second = true;
        again.all = again.bytes = bytes;
        l->n = before;
        e = whole(&again, &second);
    }
    if (!e && l->n == before && !l->err)
        return sy_fail_set(f, SY_E_PARSE, "%s: the payload is empty", maker->name);
    return e;
}
