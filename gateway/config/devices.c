/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section devices: who may send, how it is known, and how its messages read.
 */
#include <stdlib.h>

#include "config/config_int.h"
#include "config/keys.h"
#include "drivers/formats/format.h"

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

static void read_map(sy_loader *l, const sy_cfg_cell *c, sy_device *d)
{
    const sy_ynode *map = c[DV_MAP].node;
    if (!c[DV_MAP].set)
        return;
    if (c[DV_FORMAT].set && strcmp(d->format, "json") != 0)
        sy_cfg_error(l, map, "not-here", NULL, "'map' is for format json, this one is %s",
                     "“map”只用于格式 json，此处为 %s", d->format);
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

/* Keys that mean something for modbus only. */
static void not_modbus(sy_loader *l, const sy_cfg_cell *c)
{
    static const struct {
        int cell;
        const char *name;
    } keys[] = {{DV_ADDRESS, "address"},
                {DV_UNIT, "unit"},
                {DV_POLL, "poll"},
                {DV_TIMEOUT, "timeout"},
                {DV_REGISTERS, "registers"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (c[keys[i].cell].node)
            sy_cfg_error(l, c[keys[i].cell].node, "not-here", NULL, "'%s' is for devices of modbus",
                         "“%s”只用于 modbus 设备", keys[i].name);
}

/* What every device that sends by itself has. */
static void sends(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c)
{
    not_modbus(l, c);
    if (!c[DV_FORMAT].node)
        sy_cfg_error(l, at, "missing-key", NULL, "the key 'format' is missing in devices[]",
                     "缺少键“format”（devices[]）");
}

static void mqtt_device(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c)
{
    bool managed = l->c->broker && strcmp(l->c->broker, "managed") == 0;
    if (!l->c->broker)
        sy_cfg_error(l, c[DV_TRANSPORT].node, "missing-key", NULL,
                     "a device of mqtt needs the section 'mqtt'", "mqtt 设备需要“mqtt”一节");
    if (!c[DV_TOPIC].node)
        sy_cfg_error(l, at, "missing-key", NULL, "a device of mqtt needs its 'topic'",
                     "mqtt 设备需要“topic”");
    else if (c[DV_TOPIC].set && !sy_value_topic(sy_span_of(c[DV_TOPIC].text)))
        sy_cfg_error(l, c[DV_TOPIC].node, "wrong-value", NULL,
                     "'topic' must be a topic without '+', exact or ending in \"/#\"",
                     "“topic”须为不含“+”的主题，完整或以“/#”结尾");
    if (c[DV_FROM].node)
        sy_cfg_error(l, c[DV_FROM].node, "not-here", NULL, "'from' is for devices of coap",
                     "“from”只用于 coap 设备");
    if (!c[DV_CREDENTIAL].set)
        return;
    if (c[DV_CREDENTIAL].choice == 1)
        sy_cfg_error(l, c[DV_CREDENTIAL].node, "wrong-value", NULL,
                     "psk is for coap; a device of mqtt has a password",
                     "psk 用于 coap；mqtt 设备使用 password");
    if (c[DV_CREDENTIAL].choice == 2 && managed)
        sy_cfg_error(l, c[DV_CREDENTIAL].node, "wrong-value", NULL,
                     "the managed broker lets nobody in without a credential: write password",
                     "受管代理不接受无凭据的设备：请写 password");
}

static void coap_device(sy_loader *l, const sy_cfg_cell *c, sy_credential credential)
{
    const sy_ynode *at = c[DV_CREDENTIAL].node ? c[DV_CREDENTIAL].node : c[DV_TRANSPORT].node;
    if (!l->c->coap)
        sy_cfg_error(l, c[DV_TRANSPORT].node, "missing-key", NULL,
                     "a device of coap needs the section 'coap'", "coap 设备需要“coap”一节");
    if (c[DV_TOPIC].node)
        sy_cfg_error(l, c[DV_TOPIC].node, "not-here", NULL,
                     "'topic' is for mqtt; a device of coap sends to /r/<id>",
                     "“topic”只用于 mqtt；coap 设备发送到 /r/<id>");
    if (credential == SY_CRED_PASSWORD)
        sy_cfg_error(l, at, "wrong-value", NULL,
                     "password is for mqtt; a device of coap has psk, or none with 'from'",
                     "password 用于 mqtt；coap 设备使用 psk，或 none 加“from”");
    if (credential == SY_CRED_PSK && l->c->coap && !l->c->n_dtls_listen)
        sy_cfg_error(l, at, "missing-key", NULL,
                     "a device with psk (as without 'credential') needs coap: {dtls: {listen: […], "
                     "psk: FILE}}",
                     "使用 psk 的设备（未写 credential 亦同）需要 coap: {dtls: {listen: […], psk: "
                     "文件}}");
    if (credential == SY_CRED_NONE && !c[DV_FROM].node)
        sy_cfg_error(l, at, "missing-key", NULL,
                     "without a credential a device needs 'from', the addresses it may send from",
                     "无凭据的设备需要“from”，即其可用的地址");
}

/* What is written; else what the transport has. */
static sy_credential credential_of(const sy_loader *l, const sy_cfg_cell *c)
{
    static const sy_credential credentials[] = {SY_CRED_PASSWORD, SY_CRED_PSK, SY_CRED_NONE};
    bool managed = l->c->broker && strcmp(l->c->broker, "managed") == 0;
    if (c[DV_CREDENTIAL].set)
        return credentials[c[DV_CREDENTIAL].choice];
    if (c[DV_TRANSPORT].choice == 1)
        return SY_CRED_PSK;
    return managed ? SY_CRED_PASSWORD : SY_CRED_NONE;
}

static void read_device(sy_loader *l, const sy_ynode *node, sy_device *d, sy_cfg_unique *id,
                        sy_cfg_unique *topic)
{
    sy_cfg_cell c[DV_N];
    d->id = d->format = "";
    if (!sy_cfg_read(l, node, SY_S_DEVICE, c))
        return;
    if (c[DV_ID].set) {
        d->id = c[DV_ID].text;
        *id = (sy_cfg_unique){d->id, c[DV_ID].node};
        bool ascii = strlen(d->id) <= 64;
        for (const char *p = d->id; *p; p++)
            ascii = ascii && (unsigned char)*p < 0x7f && !strchr("?&%:", *p);
        if (!ascii)
            sy_cfg_error(l, c[DV_ID].node, "wrong-value", NULL,
                         "a device's id is a user name and a path: ASCII, at most 64 characters, "
                         "without ? & %% :",
                         "设备 id 用作用户名和路径：至多64个 ASCII 字符，不含 ? & %% :");
    }
    d->format = c[DV_FORMAT].set ? c[DV_FORMAT].text : "";
    check_format(l, &c[DV_FORMAT]);
    read_map(l, c, d);
    d->topic = c[DV_TOPIC].text;
    d->credential = credential_of(l, c);
    if (c[DV_FROM].set)
        d->from.set =
            sy_value_cidr(sy_span_of(c[DV_FROM].text), d->from.addr, &d->from.bits, &d->from.v6);
    if (!c[DV_TRANSPORT].set) {
        if (!c[DV_REGISTERS].node)
            sends(l, node, c);
        return;
    }
    static const sy_transport transports[] = {SY_TRANSPORT_MQTT, SY_TRANSPORT_COAP,
                                              SY_TRANSPORT_MODBUS};
    d->transport = transports[c[DV_TRANSPORT].choice];
    if (d->transport == SY_TRANSPORT_MODBUS) {
        sy_cfg_modbus_device(l, node, c, d);
        return;
    }
    sends(l, node, c);
    if (d->transport == SY_TRANSPORT_MQTT) {
        mqtt_device(l, node, c);
        if (c[DV_TOPIC].set)
            *topic = (sy_cfg_unique){d->topic, c[DV_TOPIC].node};
    } else {
        coap_device(l, c, d->credential);
    }
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const sy_device *const *)a)->id, (*(const sy_device *const *)b)->id);
}

void sy_cfg_devices(sy_loader *l, const sy_ynode *node)
{
    size_t n = node && node->kind == SY_Y_LIST ? node->n : 0, k = 0, t = 0;
    size_t room = n ? n : 1;
    l->devices = sy_cfg_get(l, room * sizeof *l->devices);
    l->by_id = sy_cfg_get(l, room * sizeof *l->by_id);
    sy_cfg_unique *ids = sy_cfg_get(l, room * sizeof *ids);
    sy_cfg_unique *topics = sy_cfg_get(l, room * sizeof *topics);
    if (l->nomem)
        return;
    for (size_t i = 0; i < n; i++) {
        read_device(l, node->values[i], &l->devices[i], &ids[k], &topics[t]);
        l->by_id[i] = &l->devices[i];
        k += ids[k].text != NULL;
        t += topics[t].text != NULL;
    }
    sy_cfg_check_unique(l, ids, k, "the device", "设备");
    sy_cfg_check_unique(l, topics, t, "the topic", "主题");
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
