/* SPDX-License-Identifier: Apache-2.0 */
/* What the leaves speak of: events with their readings, sealed segments, accepted sets; and what no
 * leaf speaks of yet. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/verify_dir.h"
#include "intake/sealed.h"
#include "store/basis.h"
#include "store/leaves.h"

enum { SET_MAX = 32 << 20 };

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

static uint64_t number_of(const json_t *o, const char *name)
{
    const json_t *n = json_object_get(o, name);
    return json_is_integer(n) && json_integer_value(n) >= 0 ? (uint64_t)json_integer_value(n)
                                                            : UINT64_MAX;
}

/* Where it is not there: either it has expired, which is fine, or it is missing. */
static void not_there(sy_verifying *v, uint64_t index, const char *en, const char *zh,
                      const char *name)
{
    if (v->gone[index] & SY_LEAF_GONE)
        v->count.expired++;
    else
        sy_check_say(v->c, SY_FOUND_BROKEN,
                     "%s %s (leaf %llu) is missing, and no expiry speaks of it",
                     "%s %s（第 %llu 叶）缺失，且无到期记录", v->c->zh ? zh : en, name,
                     (unsigned long long)index);
}

static void event(sy_verifying *v, uint64_t index, sy_span leaf, const json_t *o)
{
    const char *id = text_of(o, "id"), *part = "";
    uint64_t at = SY_NO_LEAF, n = 0, made = 0;
    sy_digest root, again;
    sy_fail why = {0};
    sy_buf body, lines;
    sy_buf_init(&body, sy_heap());
    sy_buf_init(&lines, sy_heap());
    sy_err e = sy_store_event_get(v->store, id, &body, &at, &why);
    if (e == SY_E_NOTFOUND) {
        not_there(v, index, "event", "事件", id);
    } else {
        sy_err basis = e ? e : sy_store_basis_get(v->store, id, &n, &root, &lines, &why);
        bool listed = basis == SY_OK;
        if (basis && basis != SY_E_NOTFOUND)
            sy_check_say(v->c, SY_FOUND_BROKEN, "event %s: %s", "事件 %s：%s", id, why.text);
        else if (at != index)
            sy_check_say(v->c, SY_FOUND_BROKEN,
                         "event %s: it names another leaf than its own, %llu",
                         "事件 %s：所指叶不是其本身的第 %llu 叶", id, (unsigned long long)index);
        else if (!sy_verify_leaf(leaf, sy_span_of(id), sy_buf_span(&body), sy_buf_span(&lines),
                                 &part))
            sy_check_say(v->c, SY_FOUND_BROKEN, "event %s: its %s was changed (leaf %llu)",
                         "事件 %s：其%s已被改动（第 %llu 叶）", id, sy_verify_part(v->c, part),
                         (unsigned long long)index);
        else if (listed && (!sy_verify_lines(sy_buf_span(&lines), &made, &again) || made != n ||
                            !sy_digest_equal(&root, &again)))
            sy_check_say(v->c, SY_FOUND_BROKEN, "event %s: the sum of its readings was changed",
                         "事件 %s：读数的汇总已被改动", id);
        else
            v->count.events++;
        v->count.readings += made;
    }
    sy_buf_fini(&lines);
    sy_buf_fini(&body);
}

static void segment(sy_verifying *v, uint64_t index, const json_t *o)
{
    char path[PATH_MAX], dir[PATH_MAX], name[32];
    uint64_t first = number_of(o, "first");
    sy_segment_file file = {.kind = SY_SEG_SEALED, .first = first};
    sy_seal seal;
    sy_digest root;
    sy_fail why = {0};
    (void)snprintf(name, sizeof name, "%016" PRIx64 ".logz", first);
    (void)snprintf(dir, sizeof dir, "%s/journal", v->data);
    if (!sy_sealed_path(dir, &file, path) || access(path, F_OK) != 0) {
        not_there(v, index, "segment", "日志段", name);
        return;
    }
    sy_err e = sy_sealed_check(path, first, &seal, &why);
    if (!e && (sy_digest_parse(sy_span_of(text_of(o, "root")), &root) ||
               !sy_digest_equal(&root, &seal.root) || seal.last != number_of(o, "last") ||
               seal.records != number_of(o, "records")))
        e = sy_fail_set(&why, SY_E_DENIED, "its records are not those of leaf %llu",
                        (unsigned long long)index);
    if (e) {
        sy_check_say(v->c, SY_FOUND_BROKEN, "segment %s: %s", "日志段 %s：%s", name, why.text);
        return;
    }
    v->count.segments++;
    v->count.records += seal.records;
}

static void accepted_set(sy_verifying *v, uint64_t index, const json_t *o)
{
    const char *hex = text_of(o, "set");
    char path[PATH_MAX], found[65];
    unsigned char hash[32];
    sy_sha256 sha;
    sy_buf set;
    if (strcmp(hex, v->last_set) == 0 || strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return;
    memcpy(v->last_set, hex, sizeof v->last_set);
    sy_buf_init(&set, sy_heap());
    (void)snprintf(path, sizeof path, "%s/accepted/%s.set", v->data, hex);
    if (access(path, F_OK) != 0) {
        not_there(v, index, "accepted set", "已接受配置集", hex);
    } else {
        bool read = sy_file_read(path, SET_MAX, &set, NULL) == SY_OK;
        sy_sha256_init(&sha);
        sy_sha256_add(&sha, set.p, set.n);
        sy_sha256_end(&sha, hash);
        sy_hex(hash, sizeof hash, found);
        if (read && strcmp(found, hex) == 0)
            v->count.sets++;
        else
            sy_check_say(v->c, SY_FOUND_BROKEN, "accepted set %s was changed",
                         "已接受配置集 %s 已被改动", hex);
    }
    sy_buf_fini(&set);
}

/* The leaf as it was written when the chunk was sealed. */
static void chunk_leaf(const sy_chunk_fact *c, sy_buf *b)
{
    char hex[65];
    sy_digest_hex(&c->root, hex);
    sy_buf_text(b, "{\"leaf\":\"chunk\",\"series\":");
    sy_buf_json(b, sy_span_of(c->series));
    sy_buf_printf(b,
                  ",\"from\":%lld,\"to\":%lld,\"n\":%llu,\"first_seq\":%llu,\"last_seq\":%llu,"
                  "\"root\":\"%s\"}",
                  (long long)c->from, (long long)c->to, (unsigned long long)c->n,
                  (unsigned long long)c->first_seq, (unsigned long long)c->last_seq, hex);
}

static bool each_chunk(void *ctx, const sy_chunk_fact *c)
{
    sy_verifying *v = ctx;
    sy_buf leaf;
    sy_buf_init(&leaf, sy_heap());
    if (c->sound)
        chunk_leaf(c, &leaf);
    sy_digest hash = sy_merkle_leaf(sy_buf_span(&leaf));
    if (!c->sound || leaf.failed || c->leaf >= v->n || !sy_digest_equal(&hash, &v->hashes[c->leaf]))
        sy_check_say(v->c, SY_FOUND_BROKEN, "chunk %lld of %s was changed (leaf %llu)",
                     "序列块 %lld（%s）已被改动（第 %llu 叶）", (long long)c->number,
                     c->series ? c->series : "?", (unsigned long long)c->leaf);
    else {
        v->gone[c->leaf] |= SY_LEAF_FOUND;
        v->count.chunks++;
        v->count.samples += c->n;
    }
    sy_buf_fini(&leaf);
    return true;
}

void sy_verify_chunks(sy_verifying *v)
{
    v->err = sy_store_each_chunk(v->store, each_chunk, v, v->f);
}

static void chunk(sy_verifying *v, uint64_t index, const json_t *o)
{
    if (!(v->gone[index] & SY_LEAF_FOUND))
        not_there(v, index, "chunk of", "序列块", text_of(o, "series"));
}

void sy_verify_thing(sy_verifying *v, uint64_t index, sy_span leaf)
{
    json_t *o = json_loadb(leaf.n ? leaf.p : "", leaf.n, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = text_of(o, "leaf");
    if (strcmp(kind, "event") == 0)
        event(v, index, leaf, o);
    else if (strcmp(kind, "segment") == 0)
        segment(v, index, o);
    else if (strcmp(kind, "chunk") == 0)
        chunk(v, index, o);
    else if (strcmp(kind, "activation") == 0)
        accepted_set(v, index, o);
    else if (strcmp(kind, "action") == 0)
        sy_verify_action(v, index, o);
    else if (!*kind)
        sy_check_say(v->c, SY_FOUND_BROKEN, "ledger: leaf %llu cannot be read",
                     "账本：第 %llu 叶无法读取", (unsigned long long)index);
    else
        v->count.others++;
    json_decref(o);
}

/* ---- the journal's own checksums ---- */

static void raw_segment(sy_verifying *v, const char *path, const char *name, uint64_t first,
                        uint64_t *records)
{
    sy_jwin w;
    sy_jrec rec;
    size_t off = SY_JSEG_HEADER, length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    sy_jwin_init(&w);
    if (size >= 0)
        sy_jwin_set(&w, fd, 0, (size_t)size);
    if (size < 0 || !sy_jwin_header(&w, first, 0)) {
        sy_check_say(v->c, SY_FOUND_BROKEN, "journal: the header of %s is damaged",
                     "日志：%s 的文件头已损坏", name);
    } else {
        sy_jfound found;
        while ((found = sy_jwin_record(&w, off, &rec, &length)) == SY_JFOUND_RECORD) {
            off += length;
            ++*records;
        }
        size_t more = 0; /* records behind the end: it is none */
        if (found != SY_JFOUND_END || sy_jwin_find(&w, off, 0, &more))
            sy_check_say(v->c, SY_FOUND_BROKEN, "journal: %s is damaged at byte %zu",
                         "日志：%s 在第 %zu 字节处损坏", name, off);
    }
    sy_jwin_fini(&w);
    if (fd >= 0)
        close(fd);
}

void sy_verify_journal(sy_verifying *v)
{
    char dir[PATH_MAX], path[PATH_MAX];
    uint64_t records = 0;
    size_t segments = 0;
    (void)snprintf(dir, sizeof dir, "%s/journal", v->data);
    DIR *d = opendir(dir);
    if (!d) {
        sy_check_say(v->c, SY_FOUND_BROKEN, "journal: %s cannot be read", "日志：%s 无法读取", dir);
        return;
    }
    for (const struct dirent *x; (x = readdir(d));) {
        const char *dot = strchr(x->d_name, '.');
        if (dot && strncmp(dot, ".damaged", 8) == 0)
            sy_check_say(v->c, SY_FOUND_NOTE, "journal: %s was set aside as damaged",
                         "日志：%s 因损坏已被移开", x->d_name);
        if (!dot || strcmp(dot, ".log") != 0 || dot - x->d_name != 16)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", dir, x->d_name) >= (int)sizeof path)
            continue;
        raw_segment(v, path, x->d_name, strtoull(x->d_name, NULL, 16), &records);
        segments++;
    }
    closedir(d);
    sy_check_say(
        v->c, SY_FOUND_NOTE,
        "%llu records in %zu segments are not sealed yet: only their checksums were checked",
        "%llu 条记录在 %zu 个日志段中尚未封存：仅核对了校验和", (unsigned long long)records,
        segments);
}

/* ---- alerts as they stand ---- */

typedef struct newest {
    sy_buf body;
    bool is_alert;
} newest;

static bool take_newest(void *ctx, const sy_event_row *e)
{
    newest *n = ctx;
    sy_buf_reset(&n->body);
    sy_buf_span_put(&n->body, e->body);
    return true;
}

static bool same_time(const json_t *o, const char *name, sy_ms t)
{
    sy_ms told = SY_MS_NONE;
    const char *text = json_string_value(json_object_get(o, name));
    if (text && sy_time_parse(sy_span_of(text), &told) != SY_OK)
        return false;
    return told == t;
}

static bool alert_fits(const sy_alert_row *a, const json_t *o)
{
    static const char *const states[] = {"active", "cleared", "superseded", "withdrawn"};
    static const char *const levels[] = {"", "notice", "warning", "serious", "major"};
    return a->state >= 0 && a->state < 4 && a->severity > 0 && a->severity < 5 &&
           strcmp(text_of(o, "id"), a->id) == 0 && strcmp(text_of(o, "rule"), a->rule) == 0 &&
           strcmp(text_of(o, "subject"), a->subject) == 0 &&
           strcmp(text_of(o, "state"), states[a->state]) == 0 &&
           strcmp(text_of(o, "severity"), levels[a->severity]) == 0 &&
           number_of(o, "version") == (uint64_t)a->version && same_time(o, "onset", a->onset) &&
           same_time(o, "raised", a->raised) && same_time(o, "cleared", a->cleared) &&
           number_of(o, "count") == a->count;
}

typedef struct alerts {
    sy_verifying *v;
    uint64_t n;
} alerts;

static bool check_alert(void *ctx, const sy_alert_row *a)
{
    alerts *x = ctx;
    newest n;
    sy_buf_init(&n.body, sy_heap());
    sy_err e = sy_store_events(x->v->store, a->id, take_newest, &n, NULL);
    json_t *body = n.body.n ? json_loadb(n.body.p, n.body.n, 0, NULL) : NULL;
    const json_t *alert = json_object_get(json_object_get(body, "data"), "alert");
    if (e || !alert || !alert_fits(a, alert))
        sy_check_say(x->v->c, SY_FOUND_BROKEN,
                     "alert %s: its row is not what its newest event says",
                     "警报 %s：其记录与最新事件不符", a->id);
    else
        x->n++;
    json_decref(body);
    sy_buf_fini(&n.body);
    return true;
}

void sy_verify_alerts(sy_verifying *v)
{
    alerts x = {.v = v};
    v->err = sy_store_alerts(v->store, check_alert, &x, v->f);
    if (!v->err)
        sy_check_say(v->c, SY_FOUND_FINE, "%llu alerts stand as their events say",
                     "%llu 条警报与其事件一致", (unsigned long long)x.n);
}
