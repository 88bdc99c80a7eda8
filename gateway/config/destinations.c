/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section destinations: receivers, and which recipients of rules they serve.
 */
#include <unistd.h>

#include "config/config_int.h"
#include "config/keys.h"

/* Alertmanager's default group_interval is 5 min. */
enum {
    SETTLE_MS = 360 * 1000,
    HEARTBEAT_MS = 300 * 1000,
    ALSO_MAX = 7,
    TO_MAX = 32,
    POLL_MS = 60 * 1000
};

static bool foreign(sy_destination_kind kind)
{
    return kind == SY_DEST_WEBHOOK || kind == SY_DEST_MAIL;
}

static void check_tls(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c,
                      const sy_destination *d)
{
    if (!c[DS_TLS].node && c[DS_KIND].set && !foreign(d->kind))
        sy_cfg_error(l, at, "missing-key", NULL, "the key 'tls' is missing in destinations[]",
                     "destinations[] 缺少键“tls”");
    if (c[DS_TLS].set && !d->tls.ca && !foreign(d->kind))
        sy_cfg_error(l, c[DS_TLS].node, "missing-key", NULL,
                     "'tls' needs 'ca': a receiver that cannot be verified gets nothing",
                     "“tls”需要“ca”：无法验证的接收方不会收到任何内容");
}

/* The certificate that `steelyard enrol` got, chain and key in one file. */
static void enrolled(sy_loader *l, const sy_cfg_cell *c, sy_destination *d)
{
    bool asked = d->kind == SY_DEST_HTTPS || (d->kind == SY_DEST_MQTT && !d->user);
    if (!c[DS_TLS].set || !asked || d->tls.cert || !l->c->data)
        return;
    const char *path = sy_cfg_absolute(l, l->c->data, "enrolled/gateway.pem");
    d->tls.cert = d->tls.key = path;
    if (path && !l->kept && access(path, R_OK) != 0)
        sy_cfg_warn(l, c[DS_TLS].node, "not-enrolled", NULL,
                    "'tls' has no 'cert' and 'key', and %s is not there: run steelyard enrol",
                    "“tls”未给出 cert 与 key，且 %s 不存在：请运行 steelyard enrol", path);
}

static const char *const class_words[] = {
#define WORD(name, word, ...) word,
    SY_EGRESS_CLASSES(WORD)
#undef WORD
};
static const char *const part_words[] = {
#define WORD(name, word, ...) word,
    SY_EGRESS_PARTS(WORD)
#undef WORD
};

/* The bits that the words of a list stand for. */
static unsigned bits_of(sy_loader *l, const sy_cfg_cell *c, const char *const *words, size_t n,
                        const char *key)
{
    unsigned bits = 0;
    for (size_t i = 0; i < c->n; i++) {
        size_t k = 0;
        while (k < n && strcmp(c->texts[i], words[k]) != 0)
            k++;
        if (k < n)
            bits |= 1u << k;
        else
            sy_cfg_error(l, sy_cfg_item(c, i), "unknown-word", c->texts[i],
                         "'%s' knows no such word: docs/egress.md lists them",
                         "“%s”没有这个词：见 docs/egress.md", key);
    }
    return bits;
}

/* What is not said is the least that lets somebody act: the people of the premises are named to
 * nobody, and what pages people carries no codes and nothing that people wrote. */
static void read_egress(sy_loader *l, const sy_ynode *map, sy_destination *d)
{
    bool pages = d->kind == SY_DEST_ALERTMANAGER || foreign(d->kind);
    sy_cfg_cell c[EG_N];
    d->egress.classes =
        pages ? 1u << SY_EGRESS_ALERT | 1u << SY_EGRESS_GROUP | 1u << SY_EGRESS_SERVICE
              : SY_EGRESS_ALL;
    d->egress.redact = 1u << SY_PART_PEOPLE;
    if (pages)
        d->egress.redact |= 1u << SY_PART_CODES | 1u << SY_PART_COMMENTS;
    if (!map || !sy_cfg_read(l, map, SY_S_EGRESS, c))
        return;
    if (c[EG_CLASSES].set)
        d->egress.classes = bits_of(l, &c[EG_CLASSES], class_words, SY_EGRESS_N, "classes");
    if (c[EG_REDACT].set)
        d->egress.redact = bits_of(l, &c[EG_REDACT], part_words, SY_PART_N, "redact");
}

/* Who may order: named apart from who receives, so that a receiver alone can order nothing. */
static void read_orders(sy_loader *l, const sy_cfg_cell *c, sy_destination *d)
{
    sy_cfg_cell a[AU_N] = {0};
    d->poll = c[DS_POLL].set ? c[DS_POLL].ms : POLL_MS;
    if (c[DS_AUTHORITY].set && sy_cfg_read(l, c[DS_AUTHORITY].node, SY_S_AUTHORITY, a)) {
        d->authority.ca = a[AU_CA].text;
        d->authority.crl = a[AU_CRL].text;
        for (int i = 0; i < AU_N; i++)
            sy_cfg_readable(l, &a[i]);
    }
    if (!c[DS_ORDERS].set)
        return;
    d->orders = c[DS_ORDERS].text;
    if (d->kind != SY_DEST_HTTPS || !sy_value_url(c[DS_ORDERS].node->text, "https") ||
        strpbrk(d->orders, "?#"))
        sy_cfg_error(l, c[DS_ORDERS].node, "wrong-value", NULL,
                     "'orders' is https://host:port/path, of a destination of kind https",
                     "“orders”须为 https://主机:端口/路径，且只用于 https 类接收方");
    if (!c[DS_AUTHORITY].node)
        sy_cfg_error(l, c[DS_ORDERS].node, "missing-key", NULL,
                     "'orders' needs 'authority': {ca: FILE}, by which signatures are checked",
                     "“orders”需要“authority”：{ca: 文件}，用以核验签名");
}

static bool is_url(sy_span text, const char *scheme, const char *plain)
{
    return sy_value_url(text, scheme) || (plain && sy_value_url(text, plain));
}

/* One address as it stands between < and >: no blank, no control character, one @. */
static bool is_address(const char *text)
{
    const char *at = strchr(text, '@');
    if (!at || at == text || !at[1] || strchr(at + 1, '@') || strlen(text) > 254)
        return false;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("<>,;:\"\\()[]", *p))
            return false;
    return true;
}

static void check_addresses(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c)
{
    bool good =
        c[DS_FROM].set && is_address(c[DS_FROM].text) && c[DS_TO].n > 0 && c[DS_TO].n <= TO_MAX;
    for (size_t i = 0; c[DS_TO].set && i < c[DS_TO].n; i++)
        good = good && is_address(c[DS_TO].texts[i]);
    if (!good)
        sy_cfg_error(l, c[DS_FROM].node ? c[DS_FROM].node : at, "wrong-value", NULL,
                     "mail needs 'from', one address, and 'to', a list of 1 to 32: name@host",
                     "邮件需要“from”（一个地址）和“to”（1至32个地址）：名称@主机");
    if (!c[DS_USER].node != !c[DS_PASSWORD_FILE].node)
        sy_cfg_error(l, at, "missing-key", NULL, "'user' and 'password-file' go together",
                     "user 与 password-file 须同时给出");
}

/* Keys of mail and webhook. */
static void read_people(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_destination *d)
{
    static const struct {
        int cell;
        sy_destination_kind kind;
    } only[] = {{DS_FROM, SY_DEST_MAIL},
                {DS_TO, SY_DEST_MAIL},
                {DS_PASSWORD_FILE, SY_DEST_MAIL},
                {DS_SECRET, SY_DEST_WEBHOOK}};
    for (size_t i = 0; c[DS_KIND].set && i < sizeof only / sizeof *only; i++)
        if (c[only[i].cell].node && d->kind != only[i].kind)
            sy_cfg_error(l, c[only[i].cell].node, "not-here", NULL,
                         "this key is for receivers of kind %s", "此项只用于 %s 类接收方",
                         only[i].kind == SY_DEST_MAIL ? "mail" : "webhook");
    bool mqtt = d->kind == SY_DEST_MQTT;
    if (c[DS_KIND].set && c[DS_PASSWORD].node && !mqtt)
        sy_cfg_error(l, c[DS_PASSWORD].node, "not-here", NULL,
                     "'password' is for receivers of kind mqtt; mail has 'password-file'",
                     "“password”只用于 mqtt 类接收方；邮件使用“password-file”");
    if (c[DS_KIND].set && c[DS_USER].node && !mqtt && d->kind != SY_DEST_MAIL)
        sy_cfg_error(l, c[DS_USER].node, "not-here", NULL,
                     "'user' is for receivers of kind mqtt and mail",
                     "“user”只用于 mqtt 和 mail 类接收方");
    if (c[DS_KIND].set && d->kind == SY_DEST_MAIL)
        check_addresses(l, at, c);
    d->from = c[DS_FROM].text;
    if (d->kind == SY_DEST_MAIL)
        d->user = c[DS_USER].text;
    d->password_file = c[DS_PASSWORD_FILE].text;
    d->secret = c[DS_SECRET].text;
    d->to = c[DS_TO].texts;
    d->n_to = c[DS_TO].n;
}

static void read_destination(sy_loader *l, const sy_ynode *node, sy_destination *d,
                             sy_cfg_unique *name)
{
    static const char *const schemes[] = {"https", "https", "mqtts", "https", "smtps"};
    static const char *const plain[] = {NULL, NULL, NULL, "http", "smtp"};
    sy_cfg_cell c[DS_N];
    d->name = d->url = "";
    if (!sy_cfg_read(l, node, SY_S_DESTINATION, c))
        return;
    if (c[DS_NAME].set) {
        d->name = c[DS_NAME].text;
        *name = (sy_cfg_unique){d->name, c[DS_NAME].node};
    }
    d->kind = (sy_destination_kind)c[DS_KIND].choice;
    d->severity = (sy_alert_level)(SY_NOTICE + c[DS_SEVERITY].choice);
    d->unanswered = c[DS_UNANSWERED].choice == 1;
    d->settle = c[DS_SETTLE].set ? c[DS_SETTLE].ms : SETTLE_MS;
    if (c[DS_SETTLE].node && d->kind != SY_DEST_ALERTMANAGER)
        sy_cfg_error(l, c[DS_SETTLE].node, "not-here", NULL,
                     "'settle' is for receivers of kind alertmanager",
                     "“settle”只用于 alertmanager 类接收方");
    if (c[DS_URL].set && c[DS_KIND].set &&
        !is_url(c[DS_URL].node->text, schemes[d->kind], plain[d->kind]))
        sy_cfg_error(l, c[DS_URL].node, "wrong-value", NULL,
                     "'url' must be %s://host:port/path for this kind",
                     "此类接收方的“url”须为 %s://主机:端口/路径", schemes[d->kind]);
    d->url = c[DS_URL].set ? c[DS_URL].text : "";
    d->also = c[DS_ALSO].texts;
    d->n_also = c[DS_ALSO].n;
    bool good = c[DS_ALSO].n <= ALSO_MAX;
    for (size_t i = 0; c[DS_KIND].set && i < c[DS_ALSO].n; i++)
        good = good && is_url(sy_span_of(d->also[i]), schemes[d->kind], plain[d->kind]);
    if (c[DS_ALSO].set && !good)
        sy_cfg_error(l, c[DS_ALSO].node, "wrong-value", NULL,
                     "'also' lists at most 7 addresses like 'url'",
                     "“also”至多列出7个与“url”同形的地址");
    read_egress(l, c[DS_EGRESS].set ? c[DS_EGRESS].node : NULL, d);
    d->passing = c[DS_PASSING].set ? c[DS_PASSING].ms : (sy_ms)7 * 86400000;
    d->heartbeat = c[DS_HEARTBEAT].set                                   ? c[DS_HEARTBEAT].ms
                   : d->kind == SY_DEST_ALERTMANAGER || foreign(d->kind) ? 0
                                                                         : HEARTBEAT_MS;
    sy_cfg_tls(l, c[DS_TLS].set ? c[DS_TLS].node : NULL, &d->tls);
    check_tls(l, node, c, d);
    sy_cfg_destination_mqtt(l, c, d);
    enrolled(l, c, d);
    read_people(l, node, c, d);
    read_orders(l, c, d);
    const sy_word **serves = sy_cfg_get(l, (c[DS_SERVES].n + 1) * sizeof *serves);
    for (size_t i = 0; serves && i < c[DS_SERVES].n; i++) {
        const sy_word *w = sy_cfg_word(l, sy_cfg_item(&c[DS_SERVES], i),
                                       sy_span_of(c[DS_SERVES].texts[i]), SY_W_RECIPIENT);
        if (w)
            serves[d->n_serves++] = w;
    }
    d->serves = serves;
    if (c[DS_SERVES].set && c[DS_SERVES].n == 0)
        sy_cfg_error(l, c[DS_SERVES].node, "wrong-value", NULL,
                     "'serves' is empty: nobody would be told", "“serves”为空：不会通知任何人");
}

void sy_cfg_destinations(sy_loader *l, const sy_ynode *node)
{
    size_t n = node && node->kind == SY_Y_LIST ? node->n : 0, k = 0;
    sy_destination *v = sy_cfg_get(l, (n + 1) * sizeof *v);
    sy_cfg_unique *names = sy_cfg_get(l, (n + 1) * sizeof *names);
    if (l->nomem)
        return;
    for (size_t i = 0; i < n; i++) {
        read_destination(l, node->values[i], &v[i], &names[k]);
        k += names[k].text != NULL;
    }
    sy_cfg_check_unique(l, names, k, "the destination", "接收方");
    l->c->destinations = v;
    l->c->n_destinations = n;
}
