/* SPDX-License-Identifier: Apache-2.0 */
/* A device of CoAP: one that sends to /r/<id>, or one that is a server and is observed. */
#include "config/config_int.h"
#include "config/keys.h"
#include "drivers/coap/url.h"

/* By whom it is known: its address, or the key of its DTLS server. */
static void observed(sy_loader *l, const sy_cfg_cell *c, sy_device *d, const sy_ynode *at)
{
    sy_coap_url url;
    d->observe = c[DV_OBSERVE].text;
    if (!sy_coap_url_parse(sy_span_of(d->observe), &url)) {
        sy_cfg_error(l, c[DV_OBSERVE].node, "wrong-value", NULL,
                     "'observe' must be like coap://10.0.0.9:5683/temp or coaps://[fd00::9]/temp, "
                     "with an address and not a name",
                     "“observe”须形如 coap://10.0.0.9:5683/temp 或 coaps://[fd00::9]/temp，"
                     "使用地址而非名称");
        return;
    }
    if (c[DV_FROM].node)
        sy_cfg_error(l, c[DV_FROM].node, "not-here", NULL,
                     "'from' is for devices that send by themselves; this one is asked",
                     "“from”用于自行发送的设备；此设备由网关询问");
    if (d->credential != (url.tls ? SY_CRED_PSK : SY_CRED_NONE))
        sy_cfg_error(l, at, "wrong-value", NULL,
                     "an observed device is known by its key (coaps://, psk) or by its address "
                     "(coap://, none)",
                     "被观察的设备以密钥（coaps://，psk）或地址（coap://，none）辨认");
    if (url.tls && l->c->coap && !l->c->psk_file)
        sy_cfg_error(l, at, "missing-key", NULL,
                     "observing by coaps:// needs coap: {dtls: {psk: FILE}}",
                     "以 coaps:// 观察需要 coap: {dtls: {psk: 文件}}");
}

void sy_cfg_device_coap(sy_loader *l, const sy_cfg_cell *c, sy_device *d)
{
    const sy_ynode *at = c[DV_CREDENTIAL].node ? c[DV_CREDENTIAL].node : c[DV_TRANSPORT].node;
    if (!l->c->coap)
        sy_cfg_error(l, c[DV_TRANSPORT].node, "missing-key", NULL,
                     "a device of coap needs the section 'coap'", "coap 设备需要“coap”一节");
    if (c[DV_TOPIC].node)
        sy_cfg_error(l, c[DV_TOPIC].node, "not-here", NULL,
                     "'topic' is for mqtt; a device of coap sends to /r/<id>",
                     "“topic”只用于 mqtt；coap 设备发送到 /r/<id>");
    if (c[DV_OBSERVE].node) {
        if (c[DV_OBSERVE].set)
            observed(l, c, d, at);
        return;
    }
    if (d->credential == SY_CRED_PASSWORD)
        sy_cfg_error(
            l, at, "wrong-value", NULL,
            "password is for mqtt; a device of coap has psk, certificate, or none with 'from'",
            "password 用于 mqtt；coap 设备使用 psk、certificate，或 none 加“from”");
    if (d->credential == SY_CRED_CERTIFICATE && l->c->coap &&
        (!l->c->n_dtls_listen || !l->c->dtls.cert))
        sy_cfg_error(l, at, "missing-key", NULL,
                     "a device with a certificate needs coap: {dtls: {listen: […], ca: FILE, cert: "
                     "FILE, key: FILE}}",
                     "使用证书的设备需要 coap: {dtls: {listen: […], ca: 文件, cert: 文件, key: "
                     "文件}}");
    if (d->credential == SY_CRED_PSK && l->c->coap && (!l->c->n_dtls_listen || !l->c->psk_file))
        sy_cfg_error(l, at, "missing-key", NULL,
                     "a device with psk (as without 'credential') needs coap: {dtls: {listen: […], "
                     "psk: FILE}}",
                     "使用 psk 的设备（未写 credential 亦同）需要 coap: {dtls: {listen: […], psk: "
                     "文件}}");
    if (d->credential == SY_CRED_NONE && !c[DV_FROM].node)
        sy_cfg_error(l, at, "missing-key", NULL,
                     "without a credential a device needs 'from', the addresses it may send from",
                     "无凭据的设备需要“from”，即其可用的地址");
}
