/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that speak HJ 212 over TCP: known by their MN, by the addresses that they send from, and
 * by their PW where the configuration says one.
 */
#include "config/config_int.h"
#include "config/keys.h"

enum { MN_MOST = 32, PASSWORD_MOST = 32 };

/* What stands between ";" in a message: printable ASCII without what ends it. */
static bool plain(const char *text, size_t most)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f || strchr(";,=&#", text[i]))
            return false;
    return n > 0 && n <= most;
}

static void needs(sy_loader *l, const sy_ynode *at, const char *key)
{
    sy_cfg_error(l, at, "missing-key", NULL, "a device of hj212 needs '%s'", "hj212 设备需要“%s”",
                 key);
}

void sy_cfg_device_hj212(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_device *d)
{
    d->mn = c[DV_MN].set ? c[DV_MN].text : NULL;
    d->password = c[DV_PASSWORD].set ? c[DV_PASSWORD].text : NULL;
    if (!c[DV_FORMAT].node)
        d->format = "hj212";
    else if (c[DV_FORMAT].set && strcmp(d->format, "hj212") != 0)
        sy_cfg_error(l, c[DV_FORMAT].node, "wrong-value", NULL,
                     "a device of hj212 sends hj212; leave 'format' away",
                     "hj212 设备的格式就是 hj212；请删去“format”");
    if (!l->c->n_hj212_listen)
        sy_cfg_error(l, c[DV_TRANSPORT].node, "missing-key", NULL,
                     "a device of hj212 needs the section hj212: {listen: [\"0.0.0.0:9212\"]}",
                     "hj212 设备需要 hj212: {listen: [\"0.0.0.0:9212\"]} 一节");
    if (!c[DV_MN].node)
        needs(l, at, "mn");
    else if (d->mn && !plain(d->mn, MN_MOST))
        sy_cfg_error(l, c[DV_MN].node, "wrong-value", NULL,
                     "'mn' must be 1 to 32 characters of ASCII, without blank ; , = & #",
                     "“mn”须为1至32个 ASCII 字符，不含空格 ; , = & #");
    if (d->password && !plain(d->password, PASSWORD_MOST))
        sy_cfg_error(l, c[DV_PASSWORD].node, "wrong-value", NULL,
                     "'password' must be 1 to 32 characters of ASCII, without blank ; , = & #",
                     "“password”须为1至32个 ASCII 字符，不含空格 ; , = & #");
    if (!c[DV_FROM].node)
        needs(l, at, "from");
    if (c[DV_TOPIC].node)
        sy_cfg_error(l, c[DV_TOPIC].node, "not-here", NULL, "'topic' is for devices of mqtt",
                     "“topic”只用于 mqtt 设备");
    if (c[DV_CREDENTIAL].node)
        sy_cfg_error(l, c[DV_CREDENTIAL].node, "not-here", NULL,
                     "a device of hj212 has no 'credential'; say its PW with 'password'",
                     "hj212 设备没有“credential”；请用“password”给出其 PW");
}
