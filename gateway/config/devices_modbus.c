/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that are asked by Modbus: their keys, and the lines that they share.
 */
#include <stdlib.h>

#include "config/config_int.h"
#include "config/keys.h"
#include "drivers/modbus/map.h"

enum { LINES_MAX = 64, PER_LINE_MAX = 247 };

static void not_here(sy_loader *l, const sy_cfg_cell *c)
{
    static const struct {
        int cell;
        const char *name;
    } keys[] = {{DV_TOPIC, "topic"}, {DV_FORMAT, "format"}, {DV_MAP, "map"}, {DV_FROM, "from"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (c[keys[i].cell].node)
            sy_cfg_error(l, c[keys[i].cell].node, "not-here", NULL,
                         "'%s' is not for a device of modbus, which is asked",
                         "“%s”不用于 modbus 设备（由网关轮询）", keys[i].name);
    if (c[DV_CREDENTIAL].set && strcmp(c[DV_CREDENTIAL].text, "none") != 0)
        sy_cfg_error(l, c[DV_CREDENTIAL].node, "wrong-value", NULL,
                     "modbus knows no credentials: leave it away, or write none",
                     "modbus 没有凭据：请删去，或写 none");
}

static void address(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_mb_device *m)
{
    sy_mb_line line;
    m->address = "";
    if (!c[DV_ADDRESS].node)
        sy_cfg_error(l, at, "missing-key", NULL, "a device of modbus needs its 'address'",
                     "modbus 设备需要“address”");
    if (!c[DV_ADDRESS].set)
        return;
    if (sy_mb_line_parse(sy_span_of(c[DV_ADDRESS].text), &line)) {
        sy_cfg_error(l, c[DV_ADDRESS].node, "wrong-value", NULL,
                     "'address' must be host:port, or path, speed, and 8N1, 8E1, 8O1 or 8N2 of a "
                     "serial line: /dev/ttyUSB0,9600,8N1",
                     "“address”须为 主机:端口，或串口的路径、波特率和 8N1、8E1、8O1 或 8N2："
                     "/dev/ttyUSB0,9600,8N1");
        return;
    }
    m->address = c[DV_ADDRESS].text;
    if (line.serial && (m->unit < 1 || m->unit > 247))
        sy_cfg_error(l, c[DV_UNIT].node, "out-of-range", NULL,
                     "'unit' must be between 1 and 247 on a serial line",
                     "串行线路上“unit”须在 1 与 247 之间");
}

/* An empty map where it is wrong, which was said. */
static const sy_mb_map *registers(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c)
{
    static const sy_mb_map none = {.name = ""};
    if (!c[DV_REGISTERS].node)
        sy_cfg_error(l, at, "missing-key", NULL, "a device of modbus needs its 'registers'",
                     "modbus 设备需要“registers”");
    const sy_mb_map *map = c[DV_REGISTERS].set ? sy_cfg_registers(l, c[DV_REGISTERS].node) : NULL;
    return map ? map : &none;
}

void sy_cfg_modbus_frames(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_device *d)
{
    sy_mb_device *m = strcmp(d->format, "modbus") == 0 ? sy_cfg_get(l, sizeof *m) : NULL;
    if (!m)
        return;
    m->address = "";
    m->unit = c[DV_UNIT].set ? (uint8_t)c[DV_UNIT].lo : 0;
    m->map = registers(l, at, c);
    d->modbus = m;
}

void sy_cfg_modbus_device(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_device *d)
{
    enum { POLL_MS = 10000, TIMEOUT_MS = 1000 };
    sy_mb_device *m = sy_cfg_get(l, sizeof *m);
    not_here(l, c);
    d->credential = SY_CRED_NONE;
    d->format = "modbus-poll";
    d->topic = NULL;
    if (!m)
        return;
    m->unit = c[DV_UNIT].set ? (uint8_t)c[DV_UNIT].lo : 1;
    m->poll = c[DV_POLL].set ? c[DV_POLL].ms : POLL_MS;
    m->timeout = c[DV_TIMEOUT].set ? c[DV_TIMEOUT].ms : TIMEOUT_MS;
    address(l, at, c, m);
    m->map = registers(l, at, c);
    d->modbus = m;
}

static int by_address(const void *a, const void *b)
{
    const sy_cfg_unique *x = a, *y = b;
    int c = strcmp(x->text, y->text);
    return c ? c : (x->node->at > y->node->at) - (x->node->at < y->node->at);
}

static bool same_path(const char *a, const char *b)
{
    size_t n = strcspn(a, ",");
    return *a == '/' && n == strcspn(b, ",") && memcmp(a, b, n) == 0;
}

/* One thread a line: not too many of them, and one way to speak on each. */
void sy_cfg_modbus_lines(sy_loader *l)
{
    size_t n = 0, lines = 0, on_line = 0;
    sy_cfg_unique *v = sy_cfg_get(l, (l->c->n_devices + 1) * sizeof *v);
    for (size_t i = 0; v && i < l->c->n_devices; i++) {
        const sy_ynode *node = sy_yaml_get(sy_cfg_device_node(l, i), "address");
        if (l->devices[i].modbus && *l->devices[i].modbus->address && node)
            v[n++] = (sy_cfg_unique){l->devices[i].modbus->address, node};
    }
    if (n)
        qsort(v, n, sizeof *v, by_address);
    for (size_t i = 0; i < n; i++) {
        bool again = i && strcmp(v[i].text, v[i - 1].text) == 0;
        lines += !again;
        on_line = again ? on_line + 1 : 1;
        if (!again && i && same_path(v[i].text, v[i - 1].text))
            sy_cfg_error(l, v[i].node, "conflict", NULL,
                         "the line is '%s' elsewhere: all its devices have one speed and frame",
                         "该线路在别处为“%s”：同一线路的设备须用相同的速率和帧格式", v[i - 1].text);
        if (!again && lines == LINES_MAX + 1)
            sy_cfg_error(l, v[i].node, "too-many", NULL, "more than %d lines of modbus",
                         "modbus 线路多于 %d 条", (int)LINES_MAX);
        if (on_line == PER_LINE_MAX + 1)
            sy_cfg_error(l, v[i].node, "too-many", NULL, "more than %d devices on one line",
                         "同一线路的设备多于 %d 个", (int)PER_LINE_MAX);
    }
}
