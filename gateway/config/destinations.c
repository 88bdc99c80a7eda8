/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section destinations: receivers, and which recipients of rules they serve.
 */
#include "config/config_int.h"
#include "config/keys.h"

/* Alertmanager's default group_interval is 5 min. */
enum { SETTLE_MS = 360 * 1000, ALSO_MAX = 7 };

static void check_tls(sy_loader *l, const sy_cfg_cell *c, const sy_destination *d)
{
    if (c[DS_TLS].set && !d->tls.ca)
        sy_cfg_error(l, c[DS_TLS].node, "missing-key", NULL,
                     "'tls' needs 'ca': a receiver that cannot be verified gets nothing",
                     "“tls”需要“ca”：无法验证的接收方不会收到任何内容");
    if (c[DS_TLS].set && d->kind == SY_DEST_HTTPS && !d->tls.cert)
        sy_cfg_error(l, c[DS_TLS].node, "missing-key", NULL,
                     "a receiver of kind https asks for our certificate: 'cert' and 'key'",
                     "https 类接收方要求本机证书：cert 与 key");
}

static void read_destination(sy_loader *l, const sy_ynode *node, sy_destination *d,
                             sy_cfg_unique *name)
{
    static const char *const schemes[] = {"https", "https", "mqtts"};
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
    d->settle = c[DS_SETTLE].set ? c[DS_SETTLE].ms : SETTLE_MS;
    if (c[DS_SETTLE].node && d->kind != SY_DEST_ALERTMANAGER)
        sy_cfg_error(l, c[DS_SETTLE].node, "not-here", NULL,
                     "'settle' is for receivers of kind alertmanager",
                     "“settle”只用于 alertmanager 类接收方");
    if (c[DS_URL].set && c[DS_KIND].set && !sy_value_url(c[DS_URL].node->text, schemes[d->kind]))
        sy_cfg_error(l, c[DS_URL].node, "wrong-value", NULL,
                     "'url' must be %s://host:port/path for this kind",
                     "此类接收方的“url”须为 %s://主机:端口/路径", schemes[d->kind]);
    d->url = c[DS_URL].set ? c[DS_URL].text : "";
    d->also = c[DS_ALSO].texts;
    d->n_also = c[DS_ALSO].n;
    bool good = c[DS_ALSO].n <= ALSO_MAX;
    for (size_t i = 0; c[DS_KIND].set && i < c[DS_ALSO].n; i++)
        good = good && sy_value_url(sy_span_of(d->also[i]), schemes[d->kind]);
    if (c[DS_ALSO].set && !good)
        sy_cfg_error(l, c[DS_ALSO].node, "wrong-value", NULL,
                     "'also' lists at most 7 addresses like 'url'",
                     "“also”至多列出7个与“url”同形的地址");
    sy_cfg_tls(l, c[DS_TLS].set ? c[DS_TLS].node : NULL, &d->tls);
    check_tls(l, c, d);
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
