/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section on-site, and the devices that are panels: who hears of an alert where it is.
 *
 * A panel's topics follow from its id and its premises, so that no two have the same, and the
 * broker's rule "a device writes its own topic only" says who it was that acknowledged.
 */
#include "config/config_int.h"
#include "config/keys.h"

enum { TOPIC_MOST = 256 };

static const char *joined(sy_loader *l, const char *a, const char *b, const char *c)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_buf_text(&text, a);
    sy_buf_char(&text, '/');
    sy_buf_text(&text, b);
    sy_buf_char(&text, '/');
    sy_buf_text(&text, c);
    const char *copy = text.failed ? NULL : sy_cfg_copy(l, sy_buf_span(&text));
    l->nomem = l->nomem || !copy;
    sy_buf_fini(&text);
    return copy;
}

static const char *topic_of(sy_loader *l, const sy_cfg_cell *c, const char *name,
                            const char *missing)
{
    if (!c->set)
        return missing;
    sy_span t = sy_span_of(c->text);
    if (!sy_value_topic(t) || memchr(t.p, '#', t.n) || t.p[0] == '$' || t.p[0] == '/' ||
        t.p[t.n - 1] == '/' || t.n > TOPIC_MOST)
        sy_cfg_error(l, c->node, "wrong-value", NULL,
                     "'%s' must be the beginning of a topic, like %s: without + and #, at most "
                     "256 bytes, with no / at an end and no $ at its head",
                     "“%s”须为主题的开头，如 %s：不含 + 和 #，至多256字节，首尾无 /，不以 $ 开头",
                     name, missing);
    return c->text;
}

static void read_serves(sy_loader *l, const sy_cfg_cell *c, sy_on_site *o)
{
    const sy_word **serves = sy_cfg_get(l, (c->n + 1) * sizeof *serves);
    const sy_word *usual = c->node ? NULL : sy_vocab_name(&l->vocab, sy_span_of("premises"));
    if (serves && usual && usual->kind == SY_W_RECIPIENT)
        serves[o->n_serves++] = usual;
    for (size_t i = 0; serves && c->set && i < c->n; i++) {
        const sy_word *w =
            sy_cfg_word(l, sy_cfg_item(c, i), sy_span_of(c->texts[i]), SY_W_RECIPIENT);
        if (w)
            serves[o->n_serves++] = w;
    }
    o->serves = serves;
    if (c->set && c->n == 0)
        sy_cfg_error(l, c->node, "wrong-value", NULL, "'serves' is empty: nobody would be told",
                     "“serves”为空：不会通知任何人");
}

void sy_cfg_on_site(sy_loader *l, const sy_ynode *node)
{
    sy_on_site *o = &l->c->on_site;
    sy_cfg_cell c[OS_N] = {0};
    o->on = node != NULL;
    if (node && !sy_cfg_read(l, node, SY_S_ON_SITE, c))
        memset(c, 0, sizeof c);
    o->severity = (sy_alert_level)(SY_NOTICE + c[OS_SEVERITY].choice);
    o->topic = topic_of(l, &c[OS_TOPIC], "topic", "steelyard/alerts");
    o->acknowledge = topic_of(l, &c[OS_ACKNOWLEDGE], "acknowledge", "steelyard/ack");
    read_serves(l, &c[OS_SERVES], o);
}

void sy_cfg_panel(sy_loader *l, const sy_cfg_cell *c, sy_device *d)
{
    static const struct {
        int cell;
        const char *name;
    } not_here[] = {{DV_TOPIC, "topic"}, {DV_NODE, "node"},   {DV_FORMAT, "format"},
                    {DV_MAP, "map"},     {DV_MODEL, "model"}, {DV_OBSERVE, "observe"}};
    if (d->transport != SY_TRANSPORT_MQTT && d->transport != SY_TRANSPORT_COAP)
        sy_cfg_error(l, c[DV_PANEL].node, "not-here", NULL, "a panel is a device of mqtt or coap",
                     "面板须为 mqtt 或 coap 设备");
    for (size_t i = 0; i < sizeof not_here / sizeof *not_here; i++)
        if (c[not_here[i].cell].node)
            sy_cfg_error(l, c[not_here[i].cell].node, "not-here", NULL,
                         "'%s' is not for a panel, which sends no readings",
                         "“%s”不用于面板：面板不发送读数", not_here[i].name);
    if (!c[DV_PANEL].set)
        return;
    l->c->on_site.on = true;
    d->panel = c[DV_PANEL].text;
    if (d->transport != SY_TRANSPORT_MQTT)
        return;
    d->topic = joined(l, l->c->on_site.acknowledge, d->panel, d->id);
    d->reads = joined(l, l->c->on_site.topic, d->panel, "#");
}

static bool below(const char *topic, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(topic, prefix, n) == 0 && (topic[n] == '/' || topic[n] == '\0');
}

/* A topic like "a/#" takes in what is below "a/b", too. */
static bool overlaps(const char *topic, const char *prefix)
{
    size_t n = strlen(topic);
    bool wild = n > 2 && strcmp(topic + n - 2, "/#") == 0;
    return below(topic, prefix) ||
           (wild && strncmp(prefix, topic, n - 2) == 0 && prefix[n - 2] == '/');
}

void sy_cfg_panels(sy_loader *l)
{
    const sy_on_site *o = &l->c->on_site;
    for (size_t i = 0; o->on && l->c->site && i < l->c->n_devices; i++) {
        const sy_device *d = &l->c->devices[i];
        const sy_ynode *at = sy_cfg_device_node(l, i);
        bool there = !d->panel;
        for (size_t k = 0; k < l->c->site->n_premises && !there; k++)
            there = strcmp(l->c->site->premises[k].id, d->panel) == 0;
        if (!there)
            sy_cfg_error(l, sy_yaml_get(at, "panel"), "unknown-name", NULL,
                         "there are no premises '%s'", "没有场所“%s”", d->panel);
        if (d->panel && d->n_channels)
            sy_cfg_error(l, sy_yaml_get(at, "panel"), "not-here", NULL,
                         "a panel sends no readings, and has points: make it two devices",
                         "面板不发送读数，却有测点：请分为两个设备");
        if (!d->panel && d->transport == SY_TRANSPORT_MQTT && d->topic &&
            (overlaps(d->topic, o->topic) || overlaps(d->topic, o->acknowledge)))
            sy_cfg_error(l, sy_yaml_get(at, "topic"), "wrong-value", NULL,
                         "topics below %s and %s are those of alerts and panels (on-site)",
                         "%s 与 %s 之下的主题属于警报和面板（on-site）", o->topic, o->acknowledge);
    }
}
