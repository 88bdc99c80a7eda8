/* SPDX-License-Identifier: Apache-2.0 */
/* Topics of Sparkplug: spBv1.0/GROUP/TYPE/NODE[/DEVICE]. */
#include <stdio.h>

#include "base/utf8.h"
#include "drivers/formats/sparkplug.h"

static const char name_space[] = "spBv1.0/";

static const struct {
    const char *name;
    sy_spb_kind kind;
    bool device;
} kinds[] = {
    {"NBIRTH", SY_SPB_NBIRTH, false}, {"NDATA", SY_SPB_NDATA, false},
    {"NDEATH", SY_SPB_NDEATH, false}, {"DBIRTH", SY_SPB_DBIRTH, true},
    {"DDATA", SY_SPB_DDATA, true},    {"DDEATH", SY_SPB_DDEATH, true},
};
enum { KINDS = sizeof kinds / sizeof kinds[0], NODE_MOST = 128 };

/* What stands before the next slash; the rest behind it in *rest, which is NULL where there was
 * none. */
static sy_span part(sy_span *rest)
{
    const char *slash = rest->p ? memchr(rest->p, '/', rest->n) : NULL;
    sy_span one = *rest;
    *rest = (sy_span){NULL, 0};
    if (slash) {
        size_t n = (size_t)(slash - one.p);
        *rest = (sy_span){slash + 1, one.n - n - 1};
        one.n = n;
    }
    return one;
}

sy_spb_topic sy_spb_topic_of(sy_span topic)
{
    sy_spb_topic t = {.kind = SY_SPB_NONE};
    const size_t n = sizeof name_space - 1;
    if (topic.n <= n || memcmp(topic.p, name_space, n) != 0)
        return t;
    sy_span rest = {topic.p + n, topic.n - n};
    t.group = part(&rest);
    sy_span type = part(&rest);
    t.node = part(&rest);
    bool more = rest.p != NULL;
    t.device = part(&rest);
    if (t.group.n == 0 || t.node.n == 0 || rest.p)
        return (sy_spb_topic){.kind = SY_SPB_NONE};
    for (size_t i = 0; i < KINDS; i++)
        if (sy_span_is(type, kinds[i].name) && kinds[i].device == more && (!more || t.device.n > 0))
            t.kind = kinds[i].kind;
    return t.kind ? t : (sy_spb_topic){.kind = SY_SPB_NONE};
}

bool sy_spb_node_valid(sy_span node)
{
    sy_span rest = node, group = part(&rest), edge = part(&rest);
    if (group.n == 0 || edge.n == 0 || rest.p || node.n > NODE_MOST ||
        sy_utf8_check(node) != node.n)
        return false;
    for (size_t i = 0; i < node.n; i++)
        if ((unsigned char)node.p[i] < ' ' || node.p[i] == '+' || node.p[i] == '#' ||
            node.p[i] == 0x7f)
            return false;
    return group.p[0] != ' ' && edge.p[edge.n - 1] != ' ';
}

static bool topic_of(const char *node, const char *type, bool below, char out[SY_SPB_TOPIC])
{
    const char *slash = strchr(node, '/');
    int n = slash ? snprintf(out, SY_SPB_TOPIC, "%s%.*s/%s%s%s", name_space, (int)(slash - node),
                             node, type, slash, below ? "/#" : "")
                  : 0;
    return n > 0 && n < SY_SPB_TOPIC;
}

bool sy_spb_topic_at(const char *node, size_t i, char out[SY_SPB_TOPIC])
{
    return i < KINDS && topic_of(node, kinds[i].name, kinds[i].device, out);
}

bool sy_spb_command(const char *node, bool of_devices, char out[SY_SPB_TOPIC])
{
    return topic_of(node, of_devices ? "DCMD" : "NCMD", of_devices, out);
}
