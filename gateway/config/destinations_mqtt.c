/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of destinations of kind mqtt. */
#include "config/config_int.h"
#include "config/keys.h"

enum { TOPIC_MOST = 512 };

/* Names of gateway/upstream/mqtt_topic.h. */
static bool known_name(sy_span name)
{
    static const char *const names[] = {"gateway", "premises", "place", "device",
                                        "rule",    "severity", "type"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (sy_span_is(name, names[i]))
            return true;
    return false;
}

/* Levels of plain text and names in braces: no wildcard, nothing that belongs to the broker. */
static bool topic_format(sy_span text)
{
    if (!sy_value_topic(text) || text.n > TOPIC_MOST || memchr(text.p, '#', text.n))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const char *end = memchr(text.p + i, '}', text.n - i);
        if (text.p[i] == '}' || (text.p[i] == '{' && !end))
            return false;
        if (text.p[i] != '{')
            continue;
        sy_span name = {text.p + i + 1, (size_t)(end - text.p) - i - 1};
        if (!known_name(name))
            return false;
        i += name.n + 1;
    }
    return true;
}

static void not_here(sy_loader *l, const sy_cfg_cell *c)
{
    static const struct {
        int cell;
        const char *key;
    } keys[] = {{DS_TOPIC, "topic"}, {DS_VERSION, "version"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (c[keys[i].cell].node)
            sy_cfg_error(l, c[keys[i].cell].node, "not-here", keys[i].key,
                         "'%s' is for receivers of kind mqtt", "“%s”只用于 mqtt 类接收方",
                         keys[i].key);
}

void sy_cfg_destination_mqtt(sy_loader *l, const sy_cfg_cell *c, sy_destination *d)
{
    if (d->kind != SY_DEST_MQTT) {
        not_here(l, c);
        return;
    }
    d->topic = c[DS_TOPIC].set ? c[DS_TOPIC].text : "steelyard/{gateway}/{premises}/{severity}";
    d->v311 = c[DS_VERSION].choice == 1;
    d->user = c[DS_USER].set ? c[DS_USER].text : NULL;
    d->password = c[DS_PASSWORD].set ? c[DS_PASSWORD].text : NULL;
    if (c[DS_TOPIC].set && !topic_format(sy_span_of(d->topic)))
        sy_cfg_error(
            l, c[DS_TOPIC].node, "wrong-value", NULL,
            "'topic' is levels of plain text and names in braces (gateway, premises, "
            "place, device, rule, severity, type), without + and #",
            "“topic”由普通文本层级与花括号中的名称（gateway、premises、place、device、rule、"
            "severity、type）组成，不含 + 与 #");
    if (c[DS_URL].set && strlen(d->url) > 8 && strchr(d->url + 8, '/'))
        sy_cfg_error(l, c[DS_URL].node, "wrong-value", NULL,
                     "'url' of a broker has no path: mqtts://host:port",
                     "代理的“url”不含路径：mqtts://主机:端口");
    if (c[DS_TLS].set && !d->tls.cert && !d->user)
        sy_cfg_error(l, c[DS_TLS].node, "missing-key", NULL,
                     "a broker asks who we are: 'cert' and 'key' in 'tls', or 'user' and "
                     "'password'",
                     "代理会询问本机身份：在“tls”中给出 cert 与 key，或给出 user 与 password");
    if (d->password && !d->user)
        sy_cfg_error(l, c[DS_PASSWORD].node, "missing-key", NULL, "'password' needs 'user'",
                     "“password”需要“user”");
}
