/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections about the box itself: gateway, mqtt, coap, hj212, console, and the TLS files that
 * several sections name.
 */
#include <stdio.h>
#include <unistd.h>

#include "config/config_int.h"
#include "config/keys.h"

const char *sy_cfg_absolute(sy_loader *l, const char *base, const char *path)
{
    char buf[4096];
    if (path[0] == '/')
        return sy_cfg_copy(l, sy_span_of(path));
    size_t b = strlen(base), p = strlen(path);
    if (b + p + 2 > sizeof buf)
        return NULL;
    memcpy(buf, base, b);
    buf[b] = '/';
    memcpy(buf + b + 1, path, p);
    return sy_cfg_copy(l, (sy_span){buf, b + 1 + p});
}

void sy_cfg_readable(sy_loader *l, const sy_cfg_cell *c)
{
    FILE *f = c->set && !l->kept ? fopen(c->text, "re") : NULL;
    if (c->set && !l->kept && (!f || fgetc(f) == EOF))
        sy_cfg_error(l, c->node, "file", NULL, "the file %s cannot be read, or is empty",
                     "文件 %s 无法读取或为空", c->text);
    if (f)
        fclose(f);
}

void sy_cfg_tls(sy_loader *l, const sy_ynode *map, sy_tls_files *out)
{
    sy_cfg_cell c[TL_N];
    if (!map || !sy_cfg_read(l, map, SY_S_TLS, c))
        return;
    *out = (sy_tls_files){c[TL_CA].text, c[TL_CERT].text, c[TL_KEY].text, c[TL_CRL].text};
    if (!c[TL_CERT].node != !c[TL_KEY].node)
        sy_cfg_error(l, map, "tls", NULL, "'cert' and 'key' go together", "cert 与 key 须同时给出");
    for (int i = 0; i < TL_N; i++)
        sy_cfg_readable(l, &c[i]);
}

static const char *data_folder(sy_loader *l, const sy_cfg_cell *cell, const char *data_override)
{
    if (!data_override)
        return cell->set ? cell->text : "/var/lib/steelyard";
    char cwd[2048];
    if (data_override[0] != '/' && !getcwd(cwd, sizeof cwd)) {
        sy_cfg_error(l, NULL, "file", NULL,
                     "the working folder cannot be found: give --data in full",
                     "找不到当前目录：请给出完整的 --data");
        return NULL;
    }
    return sy_cfg_absolute(l, cwd, data_override);
}

/* That its files are missing is not for here: a ledger without its key must run, and say so. */
static void read_ledger(sy_loader *l, const sy_ynode *node)
{
    sy_config *c = l->c;
    sy_cfg_cell g[LG_N] = {0};
    c->ledger_interval = 600000;
    if (!node || !sy_cfg_read(l, node, SY_S_LEDGER, g))
        return;
    c->ledger_key = g[LG_KEY].text;
    c->ledger_cert = g[LG_CERT].text;
    c->ledger_box = g[LG_BOX].text;
    if (g[LG_INTERVAL].set)
        c->ledger_interval = g[LG_INTERVAL].ms;
}

void sy_cfg_gateway(sy_loader *l, const sy_ynode *node, const char *data_override)
{
    sy_config *c = l->c;
    sy_cfg_cell g[GW_N];
    c->data = data_override;
    if (!sy_cfg_read(l, node, SY_S_GATEWAY, g))
        return;
    c->id = g[GW_ID].text;
    c->data = data_folder(l, &g[GW_DATA], data_override);
    c->strict = g[GW_DURABILITY].choice == 1;
    c->locale = g[GW_LOCALE].set ? (g[GW_LOCALE].choice >= 3 ? SY_ZH : SY_EN) : sy_locale();
    c->future = g[GW_FUTURE].set ? g[GW_FUTURE].ms : 120000;
    c->lateness = g[GW_LATENESS].set ? g[GW_LATENESS].ms : 30 * (sy_ms)86400000;
    c->sync = g[GW_SYNC].set ? g[GW_SYNC].ms : 250;
    c->max_payload = g[GW_MAX_PAYLOAD].set ? (size_t)g[GW_MAX_PAYLOAD].lo : 65536;
    read_ledger(l, g[GW_LEDGER].set ? g[GW_LEDGER].node : NULL);
    c->commit = g[GW_COMMIT].set ? g[GW_COMMIT].ms : 2000;
    sy_cfg_keeping(l, g);
    if (!l->kept)
        sy_cfg_read_texts(l, &g[GW_VOCABULARY], &g[GW_RULES]);
}

/* One port is listened on once; port 0 is a free one each time. */
static void check_ports(sy_loader *l, const sy_cfg_cell *const *cells, size_t n)
{
    sy_cfg_unique seen[64];
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; cells[i] && j < cells[i]->n && k < sizeof seen / sizeof *seen; j++) {
            const char *text = cells[i]->texts[j];
            if (strcmp(strrchr(text, ':'), ":0") != 0)
                seen[k++] = (sy_cfg_unique){text, sy_cfg_item(cells[i], j)};
        }
    sy_cfg_check_unique(l, seen, k, "the address", "地址");
}

static void default_listen(sy_loader *l, const char *address, const char *const **out, size_t *n)
{
    const char **v = sy_cfg_get(l, sizeof *v);
    if (!v)
        return;
    v[0] = address;
    *out = v;
    *n = 1;
}

static void external_broker(sy_loader *l, const sy_cfg_cell *m)
{
    sy_span url = sy_span_of(l->c->broker);
    if (!sy_value_url(url, "mqtt") && !sy_value_url(url, "mqtts")) {
        const char *const words[] = {"managed"};
        sy_cfg_error(l, m[MQ_BROKER].node, "wrong-value", sy_nearest(url, words, 1),
                     "'broker' must be managed, mqtt://host:port or mqtts://host:port",
                     "“broker”须为 managed、mqtt://主机:端口 或 mqtts://主机:端口");
    }
    if (m[MQ_LISTEN].node)
        sy_cfg_error(l, m[MQ_LISTEN].node, "not-here", NULL,
                     "'listen' is for the managed broker; this one is elsewhere",
                     "“listen”只用于受管代理；此代理在别处");
    bool tls = strncmp(l->c->broker, "mqtts:", 6) == 0;
    if (tls && !l->c->mqtt_tls.ca)
        sy_cfg_error(l, m[MQ_BROKER].node, "missing-key", NULL,
                     "mqtts:// needs tls: {ca: FILE}, to know the broker by",
                     "mqtts:// 需要 tls: {ca: 文件} 以辨认代理");
    if (!tls && m[MQ_TLS].node)
        sy_cfg_error(l, m[MQ_TLS].node, "not-here", NULL, "'tls' needs a broker of mqtts://",
                     "“tls”要求代理为 mqtts://");
}

static void read_certificates(sy_loader *l, const sy_ynode *node, sy_cfg_cell *t)
{
    sy_config *c = l->c;
    if (!sy_cfg_read(l, node, SY_S_CERTIFICATES, t))
        return;
    c->cert_listen = t[CT_LISTEN].texts;
    c->n_cert_listen = t[CT_LISTEN].n;
    c->cert_ca = t[CT_CA].set ? t[CT_CA].text : c->mqtt_tls.ca;
    c->cert_crl = t[CT_CRL].set ? t[CT_CRL].text : c->mqtt_tls.crl;
    if (!c->mqtt_tls.cert || !c->cert_ca)
        sy_cfg_error(l, node, "missing-key", NULL,
                     "'certificates' needs mqtt: {tls: {cert, key}}, and 'ca' here or there",
                     "“certificates”需要 mqtt: {tls: {cert, key}}，以及此处或彼处的 ca");
    for (int i = CT_CA; i <= CT_CRL && !l->kept; i++)
        if (t[i].set && access(t[i].text, R_OK) != 0)
            sy_cfg_error(l, t[i].node, "file", NULL, "the file %s cannot be read, or is empty",
                         "文件 %s 无法读取或为空", t[i].text);
}

static void read_mqtt(sy_loader *l, const sy_ynode *node, sy_cfg_cell *m, sy_cfg_cell *t)
{
    sy_config *c = l->c;
    if (!sy_cfg_read(l, node, SY_S_MQTT, m))
        return;
    c->broker = m[MQ_BROKER].set ? m[MQ_BROKER].text : "managed";
    c->mqtt_listen = m[MQ_LISTEN].texts;
    c->n_mqtt_listen = m[MQ_LISTEN].n;
    c->mqtt_v311 = m[MQ_VERSION].choice == 1;
    c->mqtt_user = m[MQ_USER].text;
    c->mqtt_password = m[MQ_PASSWORD].text;
    sy_cfg_tls(l, m[MQ_TLS].set ? m[MQ_TLS].node : NULL, &c->mqtt_tls);
    if (m[MQ_CERTIFICATES].set)
        read_certificates(l, m[MQ_CERTIFICATES].node, t);
    if (strcmp(c->broker, "managed") != 0) {
        external_broker(l, m);
        if (m[MQ_CERTIFICATES].node)
            sy_cfg_error(l, m[MQ_CERTIFICATES].node, "not-here", NULL,
                         "'certificates' is for the managed broker; this one is elsewhere",
                         "“certificates”只用于受管代理；此代理在别处");
        return;
    }
    if (!c->n_mqtt_listen)
        default_listen(l, "127.0.0.1:1883", &c->mqtt_listen, &c->n_mqtt_listen);
    if (m[MQ_TLS].set && !c->mqtt_tls.cert)
        sy_cfg_error(l, m[MQ_TLS].node, "missing-key", NULL,
                     "the managed broker's tls needs 'cert' and 'key'",
                     "受管代理的 tls 需要 cert 与 key");
    for (int i = MQ_USER; i <= MQ_PASSWORD; i++)
        if (m[i].node)
            sy_cfg_error(l, m[i].node, "not-here", NULL,
                         "the managed broker makes its own credentials; leave this away",
                         "受管代理自行生成凭据；请删去此项");
}

static void read_coap(sy_loader *l, const sy_ynode *node, sy_cfg_cell *o, sy_cfg_cell *d)
{
    sy_config *c = l->c;
    if (!sy_cfg_read(l, node, SY_S_COAP, o))
        return;
    c->coap = true;
    c->coap_listen = o[CO_LISTEN].texts;
    c->n_coap_listen = o[CO_LISTEN].n;
    if (!o[CO_LISTEN].node && !o[CO_DTLS].node)
        default_listen(l, "127.0.0.1:5683", &c->coap_listen, &c->n_coap_listen);
    if (!o[CO_DTLS].set || !sy_cfg_read(l, o[CO_DTLS].node, SY_S_DTLS, d))
        return;
    c->dtls_listen = d[DT_LISTEN].texts;
    c->n_dtls_listen = d[DT_LISTEN].n;
    c->psk_file = d[DT_PSK].text;
    c->dtls = (sy_tls_files){.ca = d[DT_CA].text, .cert = d[DT_CERT].text, .key = d[DT_KEY].text};
    int given = (d[DT_CA].node != NULL) + (d[DT_CERT].node != NULL) + (d[DT_KEY].node != NULL);
    if (given % 3 != 0)
        sy_cfg_error(l, o[CO_DTLS].node, "tls", NULL, "'ca', 'cert' and 'key' go together",
                     "ca、cert 与 key 须同时给出");
    if (given == 0 && !d[DT_PSK].node)
        sy_cfg_error(l, o[CO_DTLS].node, "missing-key", NULL,
                     "dtls needs something to know devices by: 'psk', or 'ca', 'cert' and 'key'",
                     "dtls 需要辨认设备的凭据：“psk”，或“ca”“cert”“key”");
    for (int i = DT_CA; i <= DT_KEY; i++)
        sy_cfg_readable(l, &d[i]);
    if (d[DT_PSK].set && !l->kept && access(d[DT_PSK].text, R_OK) != 0)
        sy_cfg_warn(
            l, d[DT_PSK].node, "file", NULL,
            "the file %s cannot be read yet: no device can come over DTLS until it is there",
            "文件 %s 尚无法读取：在其就位之前，设备无法经 DTLS 接入", d[DT_PSK].text);
}

/* *listen: where it listens, for the check of ports. */
static void read_console(sy_loader *l, const sy_ynode *node, sy_cfg_cell *n, sy_cfg_cell *listen)
{
    sy_config *c = l->c;
    if (!sy_cfg_read(l, node, SY_S_CONSOLE, n))
        return;
    c->console_listen = n[CN_LISTEN].text;
    if (n[CN_LISTEN].set)
        *listen = (sy_cfg_cell){.node = n[CN_LISTEN].node, .texts = &n[CN_LISTEN].text, .n = 1};
    sy_cfg_tls(l, n[CN_TLS].set ? n[CN_TLS].node : NULL, &c->console_tls);
    if (n[CN_TLS].set && !c->console_tls.cert)
        sy_cfg_error(l, n[CN_TLS].node, "tls", NULL, "the console's tls needs 'cert' and 'key'",
                     "控制台的 tls 需要 cert 与 key");
    sy_span at = sy_span_of(c->console_listen);
    bool here = at.n && (strncmp(at.p, "127.", 4) == 0 || strncmp(at.p, "[::1]:", 6) == 0);
    if (n[CN_LISTEN].set && !here && !n[CN_TLS].set)
        sy_cfg_error(l, n[CN_LISTEN].node, "tls", NULL,
                     "other machines can reach %s: the console needs tls: {cert, key}, or listens "
                     "on 127.0.0.1",
                     "其他机器可访问 %s：控制台需要 tls: {cert, key}，或改为监听 127.0.0.1",
                     c->console_listen);
    c->console_metrics = n[CN_METRICS].text;
    sy_cfg_readable(l, &n[CN_METRICS]);
}

void sy_cfg_transports(sy_loader *l, const sy_cfg_cell *root)
{
    sy_cfg_cell m[MQ_N] = {0}, t[CT_N] = {0}, o[CO_N] = {0}, d[DT_N] = {0}, n[CN_N] = {0};
    sy_cfg_cell console = {0}, hj212[HJ_N] = {0};
    if (root[RT_MQTT].set)
        read_mqtt(l, root[RT_MQTT].node, m, t);
    if (root[RT_COAP].set)
        read_coap(l, root[RT_COAP].node, o, d);
    if (root[RT_HJ212].set && sy_cfg_read(l, root[RT_HJ212].node, SY_S_HJ212, hj212)) {
        l->c->hj212_listen = hj212[HJ_LISTEN].texts;
        l->c->n_hj212_listen = hj212[HJ_LISTEN].n;
    }
    if (root[RT_CONSOLE].set)
        read_console(l, root[RT_CONSOLE].node, n, &console);
    check_ports(
        l, (const sy_cfg_cell *[]){&m[MQ_LISTEN], &t[CT_LISTEN], &console, &hj212[HJ_LISTEN]}, 4);
    check_ports(l, (const sy_cfg_cell *[]){&o[CO_LISTEN], &d[DT_LISTEN]}, 2);
}
