/* SPDX-License-Identifier: Apache-2.0 */
/* Heads and leaves as canonical JSON: keys in a fixed order, no blanks, whole numbers in decimal.
 * A head is read by a scanner that knows this one spelling. */
#include "ledger/head.h"

#include "base/utf8.h"
#include "ledger/b64.h"
#include "ledger/es256.h"

static void put_hex(sy_buf *out, const sy_digest *d)
{
    char hex[65];
    sy_digest_hex(d, hex);
    sy_buf_text(out, hex);
}

static void put_text(sy_buf *out, const char *text)
{
    if (text)
        sy_buf_json(out, sy_span_of(text));
    else
        sy_buf_text(out, "null");
}

void sy_head_text(const sy_head *h, sy_buf *out)
{
    sy_buf_text(out, "{\"gateway\":");
    sy_buf_json(out, h->gateway);
    sy_buf_text(out, ",\"box\":");
    sy_buf_json(out, h->box);
    sy_buf_text(out, ",\"size\":");
    sy_buf_int(out, (int64_t)h->size);
    sy_buf_text(out, ",\"root\":\"");
    put_hex(out, &h->root);
    sy_buf_text(out, "\",\"time\":");
    sy_buf_int(out, h->time);
    sy_buf_text(out, ",\"hash\":\"" SY_HASH "\",\"alg\":\"" SY_ALG "\",\"kid\":");
    sy_buf_json(out, h->kid);
    sy_buf_char(out, '}');
}

typedef struct scan {
    const char *p, *end;
    bool bad;
} scan;

static void literal(scan *s, const char *text)
{
    size_t n = strlen(text);
    if (s->bad || (size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
        s->bad = true;
    else
        s->p += n;
}

/* A text that needs no escape, up to its closing quote, which is taken. */
static sy_span plain(scan *s)
{
    const char *from = s->p;
    while (!s->bad && s->p < s->end && *s->p != '"') {
        if (*s->p == '\\' || (unsigned char)*s->p < 0x20)
            s->bad = true;
        s->p++;
    }
    const sy_span text = {from, (size_t)(s->p - from)};
    if (s->bad || s->p >= s->end || sy_utf8_check(text) != text.n) {
        s->bad = true;
        return (sy_span){NULL, 0};
    }
    s->p++;
    return text;
}

static int64_t number(scan *s)
{
    int64_t v = 0;
    const char *from = s->p;
    while (!s->bad && s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - from < 18)
        v = v * 10 + (*s->p++ - '0');
    if (s->p == from || (*from == '0' && s->p - from > 1))
        s->bad = true;
    return v;
}

static sy_digest digest(scan *s)
{
    sy_digest d = {{0}};
    sy_span hex = plain(s);
    if (s->bad || sy_digest_parse(hex, &d))
        s->bad = true;
    return d;
}

sy_err sy_head_read(sy_span text, sy_head *out, sy_fail *f)
{
    scan s = {text.p, text.p + text.n, text.n == 0 || text.n > 1024};
    sy_head h;
    literal(&s, "{\"gateway\":\"");
    h.gateway = plain(&s);
    literal(&s, ",\"box\":\"");
    h.box = plain(&s);
    literal(&s, ",\"size\":");
    h.size = (uint64_t)number(&s);
    literal(&s, ",\"root\":\"");
    h.root = digest(&s);
    literal(&s, ",\"time\":");
    h.time = number(&s);
    literal(&s, ",\"hash\":\"" SY_HASH "\",\"alg\":\"" SY_ALG "\",\"kid\":\"");
    h.kid = plain(&s);
    literal(&s, "}");
    if (s.bad || s.p != s.end)
        return sy_fail_set(f, SY_E_PARSE,
                           "no head of a ledger in its canonical form, with " SY_HASH
                           " and " SY_ALG);
    *out = h;
    return SY_OK;
}

/* Up to the hash of the body: what a leaf must begin with to be the one of an event. */
static void begin_hashed(sy_span id, const char *hash, sy_buf *out)
{
    sy_buf_text(out, "{\"leaf\":\"event\",\"id\":");
    sy_buf_json(out, id);
    sy_buf_text(out, ",\"body\":\"");
    sy_buf_text(out, hash);
    sy_buf_text(out, "\",\"readings\":");
}

static void begin_event(sy_span id, sy_span body, sy_buf *out)
{
    sy_sha256 h;
    sy_digest d;
    char hex[2 * sizeof d.b + 1];
    sy_sha256_init(&h);
    sy_sha256_add(&h, body.p, body.n);
    sy_sha256_end(&h, d.b);
    sy_digest_hex(&d, hex);
    begin_hashed(id, hex, out);
}

void sy_leaf_event_text(const sy_leaf_event *e, sy_buf *out)
{
    begin_event(e->id, e->body, out);
    if (e->readings) {
        sy_buf_text(out, "{\"n\":");
        sy_buf_int(out, (int64_t)e->n);
        sy_buf_text(out, ",\"root\":\"");
        put_hex(out, &e->root);
        sy_buf_text(out, "\"}");
    } else {
        sy_buf_text(out, "null");
    }
    sy_buf_text(out, ",\"set\":");
    if (e->set.n)
        sy_buf_json(out, e->set);
    else
        sy_buf_text(out, "null");
    sy_buf_char(out, '}');
}

bool sy_leaf_is_event(sy_span leaf, sy_span id, sy_span body)
{
    sy_buf want;
    sy_buf_init(&want, sy_heap());
    begin_event(id, body, &want);
    bool is = !want.failed && leaf.n > want.n && memcmp(leaf.p, want.p, want.n) == 0;
    sy_buf_fini(&want);
    return is;
}

bool sy_leaf_is_redacted(sy_span leaf, sy_span id, const char *original)
{
    sy_buf want;
    if (strlen(original) != 64 || strspn(original, "0123456789abcdef") != 64)
        return false;
    sy_buf_init(&want, sy_heap());
    begin_hashed(id, original, &want);
    bool is = !want.failed && leaf.n > want.n && memcmp(leaf.p, want.p, want.n) == 0;
    sy_buf_fini(&want);
    return is;
}

void sy_leaf_activation_text(uint64_t seq, const char *set, sy_buf *out)
{
    sy_buf_text(out, "{\"leaf\":\"activation\",\"seq\":");
    sy_buf_int(out, (int64_t)seq);
    sy_buf_text(out, ",\"set\":");
    put_text(out, set);
    sy_buf_char(out, '}');
}

void sy_leaf_clock_text(uint64_t seq, sy_ms old, sy_ms now, sy_buf *out)
{
    sy_buf_text(out, "{\"leaf\":\"clock\",\"seq\":");
    sy_buf_int(out, (int64_t)seq);
    sy_buf_text(out, ",\"old\":");
    sy_buf_int(out, old);
    sy_buf_text(out, ",\"new\":");
    sy_buf_int(out, now);
    sy_buf_char(out, '}');
}

void sy_leaf_box_text(sy_ms time, const char *id, const char *before, sy_buf *out)
{
    sy_buf_text(out, "{\"leaf\":\"box\",\"time\":");
    sy_buf_int(out, time);
    sy_buf_text(out, ",\"id\":");
    put_text(out, id);
    sy_buf_text(out, ",\"before\":");
    put_text(out, before);
    sy_buf_char(out, '}');
}

void sy_leaf_action_text(sy_ms time, const sy_action *a, sy_buf *out)
{
    sy_buf_text(out, "{\"leaf\":\"action\",\"time\":");
    sy_buf_int(out, time);
    sy_buf_text(out, ",\"who\":");
    put_text(out, a->who);
    sy_buf_text(out, ",\"what\":");
    put_text(out, a->what);
    sy_buf_text(out, ",\"on\":");
    put_text(out, a->on);
    sy_buf_text(out, ",\"why\":");
    put_text(out, a->why);
    sy_buf_char(out, '}');
}

static void put_signature(sy_buf *out, const uint8_t *signature)
{
    if (!signature) {
        sy_buf_text(out, "null");
        return;
    }
    sy_buf_char(out, '"');
    sy_b64_put(out, (sy_span){(const char *)signature, SY_SIGNATURE_BYTES}, SY_B64_URL);
    sy_buf_char(out, '"');
}

void sy_leaf_key_text(const sy_leaf_key *k, sy_buf *out)
{
    sy_buf_text(out, "{\"leaf\":\"key\",\"time\":");
    sy_buf_int(out, k->time);
    sy_buf_text(out, ",\"alg\":\"" SY_ALG "\",\"kid\":");
    put_text(out, k->kid);
    sy_buf_text(out, ",\"key\":\"");
    sy_b64_put(out, k->spki, SY_B64);
    sy_buf_text(out, "\",\"before\":");
    put_text(out, k->before);
    if (k->new_signature) {
        sy_buf_text(out, ",\"signature\":{\"new\":");
        put_signature(out, k->new_signature);
        sy_buf_text(out, ",\"old\":");
        put_signature(out, k->old_signature);
        sy_buf_char(out, '}');
    }
    sy_buf_char(out, '}');
}
