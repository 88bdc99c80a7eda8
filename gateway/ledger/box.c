/* SPDX-License-Identifier: Apache-2.0 */
/* What the hardware says of itself comes before /etc/machine-id, which is copied with the card. The
 * DMI product UUID is root's alone to read: a gateway under another user needs `box`. */
#include "ledger/box.h"

enum { BOX_MAX = 4096 };

static sy_err hash_file(const char *path, const char *kind, char id[65], sy_fail *f)
{
    sy_buf text;
    sy_sha256 h;
    unsigned char sum[32];
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(path, BOX_MAX, &text, f);
    size_t n = text.n;
    while (n && (text.p[n - 1] == '\n' || text.p[n - 1] == ' ' || text.p[n - 1] == 0))
        n--;
    if (!e && n == 0)
        e = sy_fail_set(f, SY_E_NOTFOUND, "%s is empty: it must name the box", path);
    if (!e) {
        sy_sha256_init(&h);
        sy_sha256_add(&h, kind, strlen(kind) + 1);
        sy_sha256_add(&h, text.p, n);
        sy_sha256_end(&h, sum);
        sy_hex(sum, sizeof sum, id);
    }
    sy_buf_fini(&text);
    return e;
}

sy_err sy_box_id(const char *file, char id[65], sy_fail *f)
{
    static const char *const sources[][2] = {
        {"/proc/device-tree/serial-number", "device-tree"},
        {"/sys/class/dmi/id/product_uuid", "dmi"},
        {"/etc/machine-id", "machine-id"},
    };
    id[0] = 0;
    if (file)
        return hash_file(file, "file", id, f);
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (hash_file(sources[i][0], sources[i][1], id, f) == SY_OK)
            return SY_OK;
    return sy_fail_set(f, SY_E_NOTFOUND,
                       "nothing names this box: give gateway.ledger.box a file that does");
}
