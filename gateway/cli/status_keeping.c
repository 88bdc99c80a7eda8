/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in the units that a card is sold in, days and years; what is not known yet is a dash. */
#include "cli/status_keeping.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"

static void put_bytes(sy_buf *b, const json_t *v)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    if (!json_is_number(v)) {
        sy_buf_text(b, "-");
        return;
    }
    double n = json_number_value(v);
    size_t u = 0;
    for (; n >= 1000 && u + 1 < sizeof units / sizeof *units; u++)
        n /= 1000;
    sy_buf_printf(b, u ? "%.1f %s" : "%.0f %s", n, units[u]);
}

static void put_number(sy_buf *b, const json_t *v, const char *unit)
{
    if (json_is_number(v))
        sy_buf_printf(b, "%.0f %s", json_number_value(v), unit);
    else
        sy_buf_printf(b, "- %s", unit);
}

/* "name value, name value …" of the keys of an object, as bytes. */
static void put_sizes(sy_buf *b, const json_t *o, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sy_buf_printf(b, "%s%s ", i ? ", " : "", keys[i]);
        put_bytes(b, json_object_get(o, keys[i]));
    }
}

static void line(sy_buf *b, const char *name)
{
    sy_buf_printf(b, "%-20s ", name);
}

static void put_classes(sy_buf *b, const json_t *classes)
{
    static const char *const names[] = {"raw", "readings", "alerts"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *c = json_object_get(classes, names[i]);
        char name[32];
        snprintf(name, sizeof name, "keeps %s", names[i]);
        line(b, name);
        put_number(b, json_object_get(c, "days"), "days, at most ");
        put_bytes(b, json_object_get(c, "bytes"));
        sy_buf_text(b, "; used ");
        put_bytes(b, json_object_get(c, "used"));
        sy_buf_text(b, "; fits ");
        put_number(b, json_object_get(c, "days_fit"), "days\n");
    }
}

void sy_status_keeping(const json_t *keeping, sy_buf *b)
{
    static const char *const disk[] = {"bytes", "free",     "journal", "sealed", "damaged",
                                       "store", "readings", "alerts",  "ledger", "spool"};
    const json_t *written = json_object_get(keeping, "written");
    const json_t *day = json_object_get(keeping, "day"), *wear = json_object_get(keeping, "wear");
    const json_t *trouble = json_object_get(keeping, "trouble");
    if (!json_is_object(keeping))
        return;
    line(b, "disk");
    put_sizes(b, json_object_get(keeping, "disk"), disk, sizeof disk / sizeof *disk);
    sy_buf_char(b, '\n');
    line(b, "written per reading");
    put_bytes(b, json_object_get(written, "per_reading"));
    sy_buf_text(b, "; to the device ");
    put_bytes(b, json_object_get(written, "device_per_reading"));
    sy_buf_char(b, '\n');
    const char *most = json_string_value(json_object_get(written, "most"));
    if (most) {
        line(b, "wears most");
        sy_buf_printf(b, "%s\n", most);
    }
    line(b, "a day");
    sy_buf_text(b, "written ");
    put_bytes(b, json_object_get(day, "written"));
    sy_buf_text(b, ", to the device ");
    put_bytes(b, json_object_get(day, "device"));
    sy_buf_text(b, ", grows ");
    put_bytes(b, json_object_get(day, "grows"));
    sy_buf_text(b, " (measured over ");
    put_number(b, json_object_get(day, "measured_days"), "days)\n");
    line(b, "disk full in");
    put_number(b, json_object_get(keeping, "days_until_full"), "days\n");
    if (wear) {
        line(b, "card lasts");
        put_number(b, json_object_get(wear, "years"), "years\n");
        put_classes(b, json_object_get(keeping, "retention"));
        line(b, "holds");
        put_number(b, json_object_get(keeping, "holds"), "alerts\n");
    }
    if (json_is_string(trouble)) {
        line(b, "trouble");
        sy_buf_printf(b, "%s\n", json_string_value(trouble));
    }
}
