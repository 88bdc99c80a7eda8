/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an order. Every member is taken out of its object as it is read; what is left over is
 * unknown, and refuses the order: an order that a box understands only in part is not executed.
 */
#include "orders/order.h"

#include <jansson.h>
#include <stdlib.h>

static const struct {
    const char *text;
    unsigned roles;
} kinds[SY_ORDER_KINDS] = {
    {"acknowledge", SY_ROLE_REGULATOR | SY_ROLE_INSPECTOR | SY_ROLE_PLATFORM},
    {"comment", SY_ROLE_REGULATOR | SY_ROLE_INSPECTOR | SY_ROLE_PLATFORM},
    {"shelve", SY_ROLE_REGULATOR},
    {"unshelve", SY_ROLE_REGULATOR},
    {"evidence", SY_ROLE_REGULATOR | SY_ROLE_INSPECTOR | SY_ROLE_PLATFORM},
    {"calibration", SY_ROLE_REGULATOR | SY_ROLE_INSPECTOR},
    {"tiers", SY_ROLE_REGULATOR},
    {"tune", SY_ROLE_REGULATOR},
    {"pack", SY_ROLE_REGULATOR},
    {"rollback", SY_ROLE_REGULATOR},
};
static const char *const words[] = {"regulator", "inspector", "platform"};
enum { ROLES = 3 };

const char *sy_order_kind_text(sy_order_kind k)
{
    return kinds[k].text;
}

bool sy_order_kind_of(const char *text, sy_order_kind *out)
{
    for (int k = 0; k < SY_ORDER_KINDS; k++)
        if (strcmp(text, kinds[k].text) == 0) {
            *out = (sy_order_kind)k;
            return true;
        }
    return false;
}

unsigned sy_order_role_of(const char *ou)
{
    for (unsigned i = 0; i < ROLES; i++)
        if (strcmp(ou, words[i]) == 0)
            return 1u << i;
    return 0;
}

unsigned sy_order_roles(sy_order_kind k)
{
    return kinds[k].roles;
}

void sy_roles_text(unsigned roles, sy_buf *out)
{
    bool first = true;
    for (unsigned i = 0; i < ROLES; i++) {
        if (!(roles & 1u << i))
            continue;
        sy_buf_text(out, first ? "" : ", ");
        sy_buf_text(out, words[i]);
        first = false;
    }
}

/* ---- members ---- */

typedef struct reader {
    sy_order *o;
    sy_fail *f;
    bool bad;
} reader;

static bool wrong(reader *r, const char *name, const char *what)
{
    if (!r->bad)
        (void)sy_fail_set(r->f, SY_E_PARSE, "the order's '%s' %s", name, what);
    r->bad = true;
    return false;
}

static bool is_word(const char *text, const char *allowed, size_t max)
{
    size_t n = strlen(text);
    return n > 0 && n <= max && strspn(text, allowed) == n;
}

static bool clean(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < ' ' || *p == 0x7f)
            return false;
    return true;
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTER LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The text of a member of 1 to max bytes (0: also none at all); the object keeps it. */
static const char *text_of(reader *r, json_t *object, const char *name, size_t max)
{
    const json_t *v = json_object_get(object, name);
    if (!json_is_string(v) || json_string_length(v) > max ||
        strlen(json_string_value(v)) != json_string_length(v)) {
        (void)wrong(r, name, v ? "is no text, or too long" : "is missing");
        return "";
    }
    return json_string_value(v);
}

static const char *line_of(reader *r, json_t *object, const char *name, size_t max)
{
    const char *text = text_of(r, object, name, max);
    if (!r->bad && (!text[0] || !clean(text)))
        (void)wrong(r, name, "is empty, or has control characters");
    return text;
}

static const char *word_of(reader *r, json_t *object, const char *name, const char *allowed)
{
    const char *text = text_of(r, object, name, SY_ORDER_NAME);
    if (!r->bad && !is_word(text, allowed, SY_ORDER_NAME))
        (void)wrong(r, name, "has characters that it may not have");
    return text;
}

/* A time; null where `none` says so: then that. */
static sy_ms time_of(reader *r, json_t *object, const char *name, bool may_be_null, sy_ms none)
{
    const json_t *v = json_object_get(object, name);
    sy_ms t = none;
    if (may_be_null && json_is_null(v))
        return none;
    const char *text = text_of(r, object, name, 40);
    if (!r->bad && (strchr(text, 'T') == NULL || sy_time_parse(sy_span_of(text), &t) != SY_OK))
        (void)wrong(r, name, "is no RFC 3339 time");
    return t;
}

static int64_t version_of(reader *r, json_t *object, int64_t least)
{
    const json_t *v = json_object_get(object, "version");
    if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > INT32_MAX)
        (void)wrong(r, "version", "is no whole number from 1 to 2147483647");
    return json_is_integer(v) ? json_integer_value(v) : 0;
}

/* Nothing but these. */
static void only(reader *r, json_t *object, const char *const *names)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i] && !r->bad) {
            char shown[SY_ORDER_NAME + 1];
            size_t n = 0;
            for (; key[n] && n < SY_ORDER_NAME; n++)
                shown[n] = key[n] > ' ' && key[n] < 127 ? key[n] : '?';
            shown[n] = '\0';
            (void)wrong(r, shown, "is not known");
        }
    }
}

/* ---- bodies ---- */

static sy_order_pair *room(reader *r, size_t n)
{
    sy_order_pair *v = calloc(n + 1, sizeof *v);
    if (!v && !r->bad) {
        (void)sy_fail_set(r->f, SY_E_NOMEM, "no memory for an order");
        r->bad = true;
    }
    r->o->pairs = v;
    return v;
}

static void read_files(reader *r, json_t *body)
{
    json_t *files = json_object_get(body, "files");
    size_t n = json_array_size(files), bytes = 0;
    if (n == 0 || n > SY_ORDER_FILES) {
        (void)wrong(r, "files", "is no list of 1 to 64 files");
        return;
    }
    sy_order_pair *v = room(r, n);
    for (size_t i = 0; v && i < n && !r->bad; i++) {
        static const char *const names[] = {"name", "text", NULL};
        json_t *file = json_array_get(files, i);
        v[i].name = word_of(r, file, "name", LETTER "._-");
        v[i].value = text_of(r, file, "text", SY_ORDER_TEXTS);
        size_t k = strlen(v[i].name);
        only(r, file, names);
        bytes += strlen(v[i].value);
        if (!r->bad && (v[i].name[0] == '.' || k <= 6 || strcmp(v[i].name + k - 6, ".rules") != 0))
            (void)wrong(r, "name", "of a file does not end in .rules, or begins with a dot");
        for (size_t j = 0; j < i && !r->bad; j++)
            if (strcmp(v[j].name, v[i].name) == 0)
                (void)wrong(r, "files", "has a name twice");
        r->o->n_pairs = i + 1;
    }
    if (bytes > SY_ORDER_TEXTS)
        (void)wrong(r, "files", "are more than 512 KiB");
}

static void read_tiers(reader *r, json_t *body)
{
    json_t *tiers = json_object_get(body, "tiers");
    size_t n = json_object_size(tiers), i = 0;
    const char *key;
    json_t *value;
    if (n == 0 || n > SY_ORDER_TIERS) {
        (void)wrong(r, "tiers", "is no map of 1 to 32 tiers");
        return;
    }
    sy_order_pair *v = room(r, n);
    if (!v)
        return;
    json_object_foreach(tiers, key, value)
    {
        const char *text = json_string_value(value);
        if (!key[0] || strlen(key) > 128 || !clean(key) || !text || !text[0] ||
            strlen(text) > 128 || !clean(text)) {
            (void)wrong(r, "tiers", "has a name or a value that is no text of 1 to 128 bytes");
            return;
        }
        v[i++] = (sy_order_pair){key, text};
    }
    r->o->n_pairs = n;
}

static bool is_date(const char *text)
{
    sy_ms t;
    char whole[32];
    if (strlen(text) != 10)
        return false;
    memcpy(whole, text, 10);
    memcpy(whole + 10, "T00:00:00Z", 11);
    return sy_time_parse(sy_span_of(whole), &t) == SY_OK;
}

static void read_calibration(reader *r, json_t *body)
{
    sy_order *o = r->o;
    const json_t *u = json_object_get(body, "uncertainty");
    o->series = line_of(r, body, "series", 256);
    o->calibrated = text_of(r, body, "calibrated", 10);
    if (!r->bad && !is_date(o->calibrated))
        (void)wrong(r, "calibrated", "is no date such as 2026-11-01");
    o->has_uncertainty = u != NULL;
    o->uncertainty = json_number_value(u);
    if (u && (!json_is_number(u) || !(o->uncertainty >= 0 && o->uncertainty <= 1e12)))
        (void)wrong(r, "uncertainty", "is no number from 0 on");
}

static void read_body(reader *r, json_t *body)
{
    static const char *const members[SY_ORDER_KINDS][5] = {
        [SY_ORDER_ACKNOWLEDGE] = {"alert"},
        [SY_ORDER_COMMENT] = {"alert", "text"},
        [SY_ORDER_SHELVE] = {"alert", "until"},
        [SY_ORDER_UNSHELVE] = {"alert"},
        [SY_ORDER_EVIDENCE] = {"alert"},
        [SY_ORDER_CALIBRATION] = {"series", "calibrated", "uncertainty"},
        [SY_ORDER_TIERS_OF] = {"premises", "tiers"},
        [SY_ORDER_TUNE] = {"name", "version", "text"},
        [SY_ORDER_PACK] = {"name", "version", "effective", "files"},
        [SY_ORDER_ROLLBACK] = {"name", "version"},
    };
    sy_order *o = r->o;
    if (!json_is_object(body)) {
        (void)wrong(r, "body", "is no object");
        return;
    }
    only(r, body, members[o->kind]);
    switch (o->kind) {
    case SY_ORDER_ACKNOWLEDGE:
    case SY_ORDER_COMMENT:
    case SY_ORDER_SHELVE:
    case SY_ORDER_UNSHELVE:
    case SY_ORDER_EVIDENCE:
        o->alert = word_of(r, body, "alert", LETTER "._-");
        if (o->kind == SY_ORDER_COMMENT)
            o->text = line_of(r, body, "text", SY_ORDER_WHY);
        if (o->kind == SY_ORDER_SHELVE)
            o->until = time_of(r, body, "until", false, 0);
        break;
    case SY_ORDER_CALIBRATION:
        read_calibration(r, body);
        break;
    case SY_ORDER_TIERS_OF:
        o->premises = line_of(r, body, "premises", 128);
        read_tiers(r, body);
        break;
    case SY_ORDER_TUNE:
    case SY_ORDER_PACK:
    case SY_ORDER_ROLLBACK:
        o->name = word_of(r, body, "name", LOWER "-");
        o->version = version_of(r, body, o->kind == SY_ORDER_ROLLBACK ? 0 : 1);
        if (o->kind == SY_ORDER_TUNE)
            o->text = text_of(r, body, "text", SY_ORDER_TEXTS);
        if (o->kind == SY_ORDER_PACK) {
            o->effective = time_of(r, body, "effective", true, SY_MS_NONE);
            read_files(r, body);
        }
        break;
    case SY_ORDER_KINDS:
        break;
    }
}

static void read_all(reader *r, json_t *root)
{
    static const char *const names[] = {"id",  "gateway", "kind", "issued", "expires",
                                        "who", "why",     "body", NULL};
    sy_order *o = r->o;
    if (!json_is_object(root)) {
        (void)wrong(r, "payload", "is no object");
        return;
    }
    only(r, root, names);
    o->id = word_of(r, root, "id", LETTER "._-");
    o->gateway = line_of(r, root, "gateway", 128);
    o->issued = time_of(r, root, "issued", false, 0);
    o->expires = time_of(r, root, "expires", true, SY_MS_MAX);
    o->who = line_of(r, root, "who", SY_ORDER_WHO);
    o->why = line_of(r, root, "why", SY_ORDER_WHY);
    const char *kind = line_of(r, root, "kind", SY_ORDER_NAME);
    if (!r->bad && !sy_order_kind_of(kind, &o->kind))
        (void)wrong(r, "kind", "is not known");
    if (!r->bad)
        read_body(r, json_object_get(root, "body"));
}

sy_err sy_order_read(sy_span payload, sy_order *out, sy_fail *f)
{
    json_error_t why;
    sy_order o = {.effective = SY_MS_NONE};
    reader r = {.o = &o, .f = f};
    json_t *root = json_loadb(payload.p ? payload.p : "", payload.n, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return sy_fail_set(f, SY_E_PARSE, "the order is no valid JSON: %.100s", why.text);
    o.root = root;
    read_all(&r, root);
    if (r.bad) {
        sy_order_free(&o);
        return f ? f->code : SY_E_PARSE;
    }
    *out = o;
    return SY_OK;
}

void sy_order_free(sy_order *o)
{
    free((void *)(uintptr_t)o->pairs);
    json_decref(o->root);
    *o = (sy_order){0};
}

sy_err sy_order_check(const sy_order *o, const char *gateway, unsigned signer, sy_ms now,
                      sy_fail *f)
{
    bool any =
        strcmp(o->gateway, "*") == 0 &&
        (o->kind == SY_ORDER_PACK || o->kind == SY_ORDER_ROLLBACK || o->kind == SY_ORDER_TUNE);
    if (!any && strcmp(o->gateway, gateway) != 0)
        return sy_fail_set(f, SY_E_NOTFOUND, "the order is for gateway '%.100s'", o->gateway);
    if (!(sy_order_roles(o->kind) & signer)) {
        sy_buf have, want;
        sy_buf_init(&have, sy_heap());
        sy_buf_init(&want, sy_heap());
        sy_roles_text(signer, &have);
        sy_roles_text(sy_order_roles(o->kind), &want);
        sy_err e = sy_fail_set(f, SY_E_DENIED, "%s is for %s; the signer is %s",
                               sy_order_kind_text(o->kind), want.n ? want.p : "nobody",
                               have.n ? have.p : "none of these");
        sy_buf_fini(&have);
        sy_buf_fini(&want);
        return e;
    }
    if (o->issued > now && o->issued - now > SY_ORDER_AHEAD_MS)
        return sy_fail_set(f, SY_E_RANGE, "the order was issued more than 10 min from now");
    if (o->expires <= now)
        return sy_fail_set(f, SY_E_RANGE, "the order has expired");
    return SY_OK;
}

void sy_order_on(const sy_order *o, sy_buf *out)
{
    const char *on = o->alert ? o->alert : o->series ? o->series : o->premises;
    if (on)
        sy_buf_text(out, on);
    else
        sy_buf_printf(out, "%s %lld", o->name, (long long)o->version);
}
