/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section devices: who may send, how it is known, and how its messages read.
 */
#include <stdlib.h>

#include "config/config_int.h"
#include "config/keys.h"
#include "drivers/formats/format.h"
#include "drivers/formats/sparkplug.h"

static void check_format(sy_loader *l, const sy_cfg_cell *c)
{
    if (!c->set || sy_format_find(sy_span_of(c->text)))
        return;
    const char *names[64];
    size_t n = 0;
    for (const sy_format *const *f = sy_formats; *f && n < sizeof names / sizeof *names; f++)
        names[n++] = (*f)->name;
    sy_cfg_error(l, c->node, "unknown-word", sy_nearest(sy_span_of(c->text), names, n),
                 "unknown format '%s'", "未知的格式“%s”", c->text);
}

static void read_model(sy_loader *l, const sy_cfg_cell *c, sy_device *d)
{
    const char *names[512];
    if (!c[DV_MODEL].set)
        return;
    size_t n = sy_format_models(sy_span_of(d->format), names, sizeof names / sizeof *names);
    n = n < sizeof names / sizeof *names ? n : sizeof names / sizeof *names;
    d->model = c[DV_MODEL].text;
    if (n == 0 && sy_format_find(sy_span_of(d->format)))
        sy_cfg_error(l, c[DV_MODEL].node, "not-here", NULL, "format %s has no models",
                     "格式 %s 没有型号", d->format);
    for (size_t i = 0; i < n; i++)
        if (strcmp(d->model, names[i]) == 0)
            return;
    if (n > 0)
        sy_cfg_error(l, c[DV_MODEL].node, "unknown-word",
                     sy_nearest(sy_span_of(d->model), names, n), "format %s has no model '%s'",
                     "格式 %s 没有型号“%s”", d->format, d->model);
}

static void read_map(sy_loader *l, const sy_cfg_cell *c, sy_device *d)
{
    const sy_ynode *map = c[DV_MAP].node;
    if (!c[DV_MAP].set)
        return;
    if (c[DV_FORMAT].set && strcmp(d->format, "json") != 0 && strcmp(d->format, "csv") != 0)
        sy_cfg_error(l, map, "not-here", NULL, "'map' is for formats json and csv, this one is %s",
                     "“map”只用于格式 json 和 csv，此处为 %s", d->format);
    sy_map_row *rows = sy_cfg_get(l, (map->n ? map->n : 1) * sizeof *rows);
    for (size_t i = 0; rows && i < map->n; i++) {
        const sy_ynode *key = map->keys[i], *path = map->values[i];
        if (path->kind != SY_Y_SCALAR || !sy_value_json_path(path->text))
            sy_cfg_error(l, path, "wrong-value", NULL,
                         "the path of '%s' must be like \"$.name\" or \"$.list[0].name\"",
                         "“%s”的路径须形如 \"$.name\" 或 \"$.list[0].name\"", key->text.p);
        else
            rows[d->n_map++] = (sy_map_row){key->text.p, path->text.p};
    }
    d->map = rows;
}

/* A Sparkplug edge node has no topic of its own choice, and one format. */
static void mqtt_node(sy_loader *l, const sy_cfg_cell *c, sy_device *d)
{
    d->node = c[DV_NODE].set ? c[DV_NODE].text : NULL;
    if (!c[DV_FORMAT].node)
        d->format = "sparkplugb";
    else if (c[DV_FORMAT].set && strcmp(d->format, "sparkplugb") != 0)
        sy_cfg_error(l, c[DV_FORMAT].node, "wrong-value", NULL,
                     "a device with 'node' sends sparkplugb; leave 'format' away",
                     "有“node”的设备格式就是 sparkplugb；请删去“format”");
    if (d->node && !sy_spb_node_valid(sy_span_of(d->node)))
        sy_cfg_error(l, c[DV_NODE].node, "wrong-value", NULL,
                     "'node' must be GROUP/NODE, at most 128 bytes, without + and #",
                     "“node”须为 组/节点，至多128字节，不含 + 和 #");
    if (c[DV_TOPIC].node)
        sy_cfg_error(l, c[DV_TOPIC].node, "not-here", NULL,
                     "a device with 'node' has the topics of Sparkplug; leave 'topic' away",
                     "有“node”的设备使用 Sparkplug 的主题；请删去“topic”");
}

static void mqtt_device(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_device *d)
{
    bool managed = l->c->broker && strcmp(l->c->broker, "managed") == 0;
    if (!l->c->broker)
        sy_cfg_error(l, c[DV_TRANSPORT].node, "missing-key", NULL,
                     "a device of mqtt needs the section 'mqtt'", "mqtt 设备需要“mqtt”一节");
    if (c[DV_NODE].node)
        mqtt_node(l, c, d);
    else if (!c[DV_TOPIC].node && !c[DV_PANEL].node)
        sy_cfg_error(l, at, "missing-key", NULL,
                     "a device of mqtt needs its 'topic', or 'node' for Sparkplug",
                     "mqtt 设备需要“topic”，Sparkplug 设备需要“node”");
    else if (c[DV_TOPIC].set && !sy_value_topic(sy_span_of(c[DV_TOPIC].text)))
        sy_cfg_error(l, c[DV_TOPIC].node, "wrong-value", NULL,
                     "'topic' must be a topic without '+', exact or ending in \"/#\"",
                     "“topic”须为不含“+”的主题，完整或以“/#”结尾");
    if (c[DV_FROM].node)
        sy_cfg_error(l, c[DV_FROM].node, "not-here", NULL,
                     "'from' is for devices of coap and hj212", "“from”只用于 coap 和 hj212 设备");
    if (!c[DV_CREDENTIAL].set)
        return;
    if (c[DV_CREDENTIAL].choice == 1)
        sy_cfg_error(l, c[DV_CREDENTIAL].node, "wrong-value", NULL,
                     "psk is for coap; a device of mqtt has a password",
                     "psk 用于 coap；mqtt 设备使用 password");
    if (c[DV_CREDENTIAL].choice == 3 && (!managed || !l->c->n_cert_listen))
        sy_cfg_error(l, c[DV_CREDENTIAL].node, "missing-key", NULL,
                     "a device with a certificate needs the managed broker, and mqtt: "
                     "{certificates: {listen: […]}}",
                     "使用证书的设备需要受管代理以及 mqtt: {certificates: {listen: […]}}");
    if (c[DV_CREDENTIAL].choice == 2 && managed)
        sy_cfg_error(l, c[DV_CREDENTIAL].node, "wrong-value", NULL,
                     "the managed broker lets nobody in without a credential: write password",
                     "受管代理不接受无凭据的设备：请写 password");
}

/* What is written; else what the transport has. */
static sy_credential credential_of(const sy_loader *l, const sy_cfg_cell *c)
{
    static const sy_credential credentials[] = {SY_CRED_PASSWORD, SY_CRED_PSK, SY_CRED_NONE,
                                                SY_CRED_CERTIFICATE};
    bool managed = l->c->broker && strcmp(l->c->broker, "managed") == 0;
    if (c[DV_CREDENTIAL].set)
        return credentials[c[DV_CREDENTIAL].choice];
    if (c[DV_TRANSPORT].set && c[DV_TRANSPORT].choice == 1)
        return c[DV_OBSERVE].set && strncmp(c[DV_OBSERVE].text, "coaps:", 6) != 0 ? SY_CRED_NONE
                                                                                  : SY_CRED_PSK;
    if (c[DV_TRANSPORT].set && c[DV_TRANSPORT].choice == 2)
        return c[DV_PASSWORD].set ? SY_CRED_PASSWORD : SY_CRED_NONE;
    return managed ? SY_CRED_PASSWORD : SY_CRED_NONE;
}

static void check_id(sy_loader *l, const sy_cfg_cell *c)
{
    bool ascii = strlen(c->text) <= 64;
    for (const char *p = c->text; *p; p++)
        ascii = ascii && (unsigned char)*p < 0x7f && !strchr("?&%:", *p);
    if (!ascii)
        sy_cfg_error(l, c->node, "wrong-value", NULL,
                     "a device's id is a user name and a path: ASCII, at most 64 characters, "
                     "without ? & %% :",
                     "设备 id 用作用户名和路径：至多64个 ASCII 字符，不含 ? & %% :");
}

/* Keys that are for one transport alone; frames of Modbus that come by another have registers, too.
 */
static void only_for(sy_loader *l, const sy_cfg_cell *c, const sy_device *d)
{
    static const struct {
        int cell;
        sy_transport transport;
    } only[] = {{DV_MN, SY_TRANSPORT_HJ212},         {DV_PASSWORD, SY_TRANSPORT_HJ212},
                {DV_ADDRESS, SY_TRANSPORT_MODBUS},   {DV_UNIT, SY_TRANSPORT_MODBUS},
                {DV_POLL, SY_TRANSPORT_MODBUS},      {DV_TIMEOUT, SY_TRANSPORT_MODBUS},
                {DV_REGISTERS, SY_TRANSPORT_MODBUS}, {DV_OBSERVE, SY_TRANSPORT_COAP},
                {DV_NODE, SY_TRANSPORT_MQTT}};
    bool frames = strcmp(d->format, "modbus") == 0;
    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++)
        if (c[only[i].cell].node && only[i].transport != d->transport &&
            !(only[i].cell == DV_POLL && d->transport == SY_TRANSPORT_BOX) &&
            !(frames && (only[i].cell == DV_REGISTERS || only[i].cell == DV_UNIT)))
            sy_cfg_error(l, c[only[i].cell].node, "not-here", NULL,
                         "this key is for devices of %s alone", "此项只用于 %s 设备",
                         sy_transport_name(only[i].transport));
}

static void need_format(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c)
{
    if (!c[DV_FORMAT].node && !c[DV_PANEL].node)
        sy_cfg_error(l, at, "missing-key", NULL, "the key 'format' is missing in devices[]",
                     "devices[] 缺少键“format”");
}

static void by_transport(sy_loader *l, const sy_ynode *node, const sy_cfg_cell *c, sy_device *d)
{
    /* In the order of the key's choices. */
    static const sy_transport transports[] = {SY_TRANSPORT_MQTT, SY_TRANSPORT_COAP,
                                              SY_TRANSPORT_HJ212, SY_TRANSPORT_MODBUS,
                                              SY_TRANSPORT_BOX};
    d->transport = transports[c[DV_TRANSPORT].choice];
    only_for(l, c, d);
    switch (d->transport) {
    case SY_TRANSPORT_MQTT:
        if (!c[DV_NODE].node)
            need_format(l, node, c);
        sy_cfg_modbus_frames(l, node, c, d);
        mqtt_device(l, node, c, d);
        break;
    case SY_TRANSPORT_COAP:
        need_format(l, node, c);
        sy_cfg_modbus_frames(l, node, c, d);
        sy_cfg_device_coap(l, c, d);
        break;
    case SY_TRANSPORT_HJ212:
        sy_cfg_device_hj212(l, node, c, d);
        break;
    case SY_TRANSPORT_MODBUS:
        sy_cfg_modbus_device(l, node, c, d);
        break;
    case SY_TRANSPORT_BOX:
        sy_cfg_device_box(l, c, d);
        break;
    }
}

/* Names that must be the only ones of their kind. */
typedef struct uniques {
    sy_cfg_unique *ids, *topics, *mns, *nodes;
    size_t n_ids, n_topics, n_mns, n_nodes;
} uniques;

static void note(sy_cfg_unique *v, size_t *n, const sy_cfg_cell *c)
{
    if (c->set)
        v[(*n)++] = (sy_cfg_unique){c->text, c->node};
}

static void read_device(sy_loader *l, const sy_ynode *node, sy_device *d, uniques *u)
{
    sy_cfg_cell c[DV_N];
    d->id = d->format = "";
    if (!sy_cfg_read(l, node, SY_S_DEVICE, c))
        return;
    note(u->ids, &u->n_ids, &c[DV_ID]);
    note(u->mns, &u->n_mns, &c[DV_MN]);
    note(u->nodes, &u->n_nodes, &c[DV_NODE]);
    if (c[DV_ID].set) {
        d->id = c[DV_ID].text;
        check_id(l, &c[DV_ID]);
    }
    d->format = c[DV_FORMAT].set ? c[DV_FORMAT].text : "";
    check_format(l, &c[DV_FORMAT]);
    read_model(l, c, d);
    read_map(l, c, d);
    d->topic = c[DV_TOPIC].text;
    d->credential = credential_of(l, c);
    if (c[DV_FROM].set)
        d->from.set =
            sy_value_cidr(sy_span_of(c[DV_FROM].text), d->from.addr, &d->from.bits, &d->from.v6);
    if (!c[DV_TRANSPORT].set) {
        need_format(l, node, c);
        return;
    }
    by_transport(l, node, c, d);
    if (c[DV_PANEL].node)
        sy_cfg_panel(l, c, d);
    if (d->transport == SY_TRANSPORT_MQTT)
        note(u->topics, &u->n_topics, &c[DV_TOPIC]);
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const sy_device *const *)a)->id, (*(const sy_device *const *)b)->id);
}

void sy_cfg_devices(sy_loader *l, const sy_ynode *node)
{
    size_t n = node && node->kind == SY_Y_LIST ? node->n : 0;
    size_t room = n ? n : 1;
    l->devices = sy_cfg_get(l, room * sizeof *l->devices);
    l->by_id = sy_cfg_get(l, room * sizeof *l->by_id);
    uniques u = {.ids = sy_cfg_get(l, room * sizeof *u.ids),
                 .topics = sy_cfg_get(l, room * sizeof *u.topics),
                 .mns = sy_cfg_get(l, room * sizeof *u.mns),
                 .nodes = sy_cfg_get(l, room * sizeof *u.nodes)};
    if (l->nomem)
        return;
    for (size_t i = 0; i < n; i++) {
        read_device(l, node->values[i], &l->devices[i], &u);
        l->by_id[i] = &l->devices[i];
        l->c->n_devices = i + 1;
    }
    sy_cfg_check_unique(l, u.ids, u.n_ids, "the device", "设备");
    sy_cfg_check_unique(l, u.topics, u.n_topics, "the topic", "主题");
    sy_cfg_check_unique(l, u.nodes, u.n_nodes, "the node", "节点");
    sy_cfg_check_unique(l, u.mns, u.n_mns, "the MN", "MN");
    if (n)
        qsort(l->by_id, n, sizeof(sy_device *), by_id);
    l->c->devices = l->devices;
    l->c->n_devices = n;
    sy_cfg_modbus_lines(l);
}

const sy_device *sy_cfg_device(const sy_loader *l, const char *id)
{
    const sy_device key = {.id = id}, *p = &key;
    if (!l->c->n_devices)
        return NULL;
    const sy_device *const *found =
        bsearch(&p, l->by_id, l->c->n_devices, sizeof(sy_device *), by_id);
    return found ? *found : NULL;
}

const sy_ynode *sy_cfg_device_node(const sy_loader *l, size_t i)
{
    return sy_yaml_get(l->root, "devices")->values[i];
}
