/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/restored.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"

enum { NOTE_MAX = 16384, PATH = 4200 };

static void path_of(char out[PATH], const char *data_dir)
{
    (void)snprintf(out, PATH, "%.4096s/ledger/restored.json", data_dir);
}

bool sy_restored_text_fits(const char *text, size_t most)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return n > 0 && n <= most && sy_utf8_check((sy_span){text, n}) == n;
}

sy_err sy_restored_write(const char *data_dir, const sy_restored *r, sy_fail *f)
{
    char path[PATH], root[65];
    sy_buf json;
    path_of(path, data_dir);
    sy_digest_hex(&r->root, root);
    sy_buf_init(&json, sy_heap());
    sy_buf_printf(&json,
                  "{\"id\":\"%s\",\"leaves\":%" PRIu64 ",\"root\":\"%s\",\"made\":%lld,"
                  "\"known\":%" PRIu64 ",\"who\":",
                  r->id, r->leaves, root, (long long)r->made, r->known);
    sy_buf_json(&json, sy_span_of(r->who));
    sy_buf_text(&json, ",\"why\":");
    sy_buf_json(&json, sy_span_of(r->why));
    sy_buf_text(&json, "}\n");
    sy_err e = json.failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory")
                           : sy_file_write(path, sy_buf_span(&json), 0600, f);
    sy_buf_fini(&json);
    return e;
}

static bool take(json_t *o, sy_restored *out)
{
    const char *id = "", *root = "", *who = "", *why = "";
    json_int_t leaves = -1, made = -1, known = -1;
    if (!o || json_unpack(o, "{s:s,s:I,s:s,s:I,s:I,s:s,s:s}", "id", &id, "leaves", &leaves, "root",
                          &root, "made", &made, "known", &known, "who", &who, "why", &why) != 0)
        return false;
    if (strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32 || leaves < 0 || known < 0 ||
        sy_digest_parse(sy_span_of(root), &out->root) ||
        !sy_restored_text_fits(who, SY_RESTORED_WHO) ||
        !sy_restored_text_fits(why, SY_RESTORED_WHY))
        return false;
    memcpy(out->id, id, sizeof out->id);
    out->leaves = (uint64_t)leaves;
    out->known = (uint64_t)known;
    out->made = made;
    memcpy(out->who, who, strlen(who) + 1);
    memcpy(out->why, why, strlen(why) + 1);
    return true;
}

sy_err sy_restored_read(const char *data_dir, sy_restored *out, sy_fail *f)
{
    char path[PATH];
    sy_buf text;
    path_of(path, data_dir);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return SY_E_NOTFOUND;
    *out = (sy_restored){.leaves = 0};
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(path, NOTE_MAX, &text, f);
    json_t *o = e ? NULL : json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
    if (!e && !take(o, out))
        e = sy_fail_set(f, SY_E_PARSE, "%s cannot be read: restore the folder again", path);
    json_decref(o);
    sy_buf_fini(&text);
    return e;
}

void sy_restored_done(const char *data_dir)
{
    char path[PATH];
    sy_fail why = {0};
    path_of(path, data_dir);
    if (unlink(path) != 0 && errno != ENOENT) {
        (void)sy_fail_sys(&why, "cannot remove %s", path);
        sy_log_fail(SY_LOG_WARN, "ledger-restored", &why);
    }
}
