/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backup_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

/* A file that another process appends to is read from its end to its beginning, page by page: what
 * is read later was written later, and lies before it. So the copy has no hole with records behind
 * it, which would look like damage. */
enum { PIECE = 4096, NAME_MAX_BYTES = 1024, FILES_MAX = 1000000, SHOW_MS = 200, BAR = 30 };

/* ---- the list ---- */

void sy_backup_list_free(sy_backup_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].name);
    free(l->v);
    *l = (sy_backup_list){.n = 0};
}

static sy_backup_file *find(const sy_backup_list *l, const char *name)
{
    for (size_t i = l->n; i-- > 0;)
        if (strcmp(l->v[i].name, name) == 0)
            return &l->v[i];
    return NULL;
}

const sy_backup_file *sy_backup_find(const sy_backup_list *l, const char *name)
{
    return find(l, name);
}

static sy_err append(sy_backup_list *l, sy_span name, uint64_t bytes, const char *hex, sy_fail *f)
{
    if (l->n >= FILES_MAX)
        return sy_fail_set(f, SY_E_RANGE, "more than %d files", (int)FILES_MAX);
    char *copy = strndup(name.p, name.n);
    if (!copy || sy_grow(sy_heap(), (void **)&l->v, &l->cap, l->n + 1, sizeof *l->v)) {
        free(copy);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the list of files");
    }
    sy_backup_file *x = &l->v[l->n++];
    *x = (sy_backup_file){.name = copy, .bytes = bytes};
    memcpy(x->hex, hex, 64);
    return SY_OK;
}

sy_err sy_backup_note(sy_backup_list *l, const char *name, uint64_t bytes, const char *hex,
                      sy_fail *f)
{
    sy_backup_file *known = find(l, name);
    if (!known)
        return append(l, sy_span_of(name), bytes, hex, f);
    known->bytes = bytes;
    memcpy(known->hex, hex, 64);
    return SY_OK;
}

void sy_backup_forget(sy_backup_list *l, const char *name)
{
    sy_backup_file *x = find(l, name);
    if (!x)
        return;
    free(x->name);
    *x = l->v[--l->n];
}

void sy_backup_sums(const sy_backup_list *l, sy_buf *out)
{
    for (size_t i = 0; i < l->n; i++)
        sy_buf_printf(out, "%s  %s\n", l->v[i].hex, l->v[i].name);
}

/* Such a name stays within the folder. */
static bool good_name(sy_span name)
{
    if (name.n == 0 || name.n > NAME_MAX_BYTES || sy_utf8_check(name) != name.n)
        return false;
    for (size_t i = 0, from = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != '/') {
            if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f || name.p[i] == '\\')
                return false;
            continue;
        }
        size_t n = i - from;
        const char *p = name.p + from;
        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        from = i + 1;
    }
    return true;
}

bool sy_backup_name_fits(const char *name)
{
    return good_name(sy_span_of(name));
}

sy_err sy_backup_sums_read(sy_span text, sy_backup_list *out, sy_fail *f)
{
    const char *p = text.p, *end = text.p + text.n;
    for (size_t line = 1; p < end; line++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = stop ? (size_t)(stop - p) : 0;
        const sy_span name = {p + 66, n > 66 ? n - 66 : 0};
        bool hex = n > 66 && p[64] == ' ' && p[65] == ' ';
        for (size_t i = 0; hex && i < 64; i++)
            hex = (p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f');
        if (!hex || !good_name(name))
            return sy_fail_set(f, SY_E_PARSE, "%s: line %zu is no line of a backup", SY_BACKUP_SUMS,
                               line);
        sy_err e = append(out, name, 0, p, f);
        if (e)
            return e;
        p = stop + 1;
    }
    return SY_OK;
}

/* ---- progress ---- */

static void draw(sy_backup_bar *b)
{
    char bar[BAR + 1];
    uint64_t all = b->all > b->done ? b->all : b->done;
    size_t full = all ? (size_t)((double)b->done / (double)all * BAR) : BAR;
    memset(bar, '.', BAR);
    memset(bar, '#', full < BAR ? full : BAR);
    bar[BAR] = 0;
    fprintf(stderr, "\r[%s] %3d %%  %.1f of %.1f MB ", bar,
            all ? (int)((double)b->done / (double)all * 100) : 100, (double)b->done / 1e6,
            (double)all / 1e6);
    b->shown = sy_mono_ms();
}

void sy_backup_add(sy_backup_bar *b, uint64_t bytes)
{
    b->done += bytes;
    if (b->show && sy_mono_ms() - b->shown >= SHOW_MS)
        draw(b);
}

void sy_backup_bar_end(sy_backup_bar *b)
{
    if (!b->show)
        return;
    b->all = b->done;
    draw(b);
    fputc('\n', stderr);
}

/* ---- files ---- */

static sy_err join(char out[PATH_MAX], const char *folder, const char *name, sy_fail *f)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX ? SY_OK
                                 : sy_fail_set(f, SY_E_RANGE, "a path is too long: %.80s…", name);
}

sy_err sy_backup_hash(const char *folder, const char *name, uint64_t *bytes, char hex[65],
                      sy_fail *f)
{
    char path[PATH_MAX];
    unsigned char piece[65536], sum[32];
    sy_sha256 h;
    *bytes = 0;
    sy_err e = join(path, folder, name, f);
    int fd = e ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return e ? e : sy_fail_sys(f, "cannot open %s", path);
    sy_sha256_init(&h);
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            e = sy_fail_sys(f, "cannot read %s", path);
        if (n <= 0)
            break;
        sy_sha256_add(&h, piece, (size_t)n);
        *bytes += (size_t)n;
    }
    close(fd);
    sy_sha256_end(&h, sum);
    sy_hex(sum, sizeof sum, hex);
    return e;
}

static sy_err copy_piece(int from, int to, off_t at, size_t n, sy_fail *f)
{
    char piece[PIECE];
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(from, piece + got, n - got, at + (off_t)got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return sy_fail_sys(f, "cannot read");
        if (r == 0)
            break; /* it became shorter */
        got += (size_t)r;
    }
    for (size_t put = 0; put < got;) {
        ssize_t w = pwrite(to, piece + put, got - put, at + (off_t)put);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return sy_fail_sys(f, "cannot write");
        put += (size_t)w;
    }
    return SY_OK;
}

static sy_err copy_pieces(int from, int to, sy_backup_bar *bar, sy_fail *f)
{
    struct stat st;
    if (fstat(from, &st) != 0)
        return sy_fail_sys(f, "cannot read");
    if (!S_ISREG(st.st_mode))
        return sy_fail_set(f, SY_E_USAGE, "it is no plain file");
    sy_err e = SY_OK;
    for (off_t end = st.st_size; end > 0 && !e;) {
        off_t at = (end - 1) / PIECE * PIECE;
        e = copy_piece(from, to, at, (size_t)(end - at), f);
        sy_backup_add(bar, (uint64_t)(end - at));
        end = at;
    }
    return !e && fsync(to) != 0 ? sy_fail_sys(f, "cannot sync") : e;
}

/* The folders that the name goes through. */
static sy_err make_folders(char *path, size_t from, sy_fail *f)
{
    for (char *p = path + from; (p = strchr(p, '/')); p++) {
        *p = 0;
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        sy_err e = made ? SY_OK : sy_fail_sys(f, "cannot make folder %s", path);
        *p = '/';
        if (e)
            return e;
    }
    return SY_OK;
}

sy_err sy_backup_copy(const char *from, const char *to, const char *name, uint64_t *bytes,
                      char hex[65], sy_backup_bar *bar, sy_fail *f)
{
    char source[PATH_MAX], target[PATH_MAX];
    sy_err e = join(source, from, name, f);
    e = e ? e : join(target, to, name, f);
    if (e)
        return e;
    int in = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0)
        return errno == ENOENT ? sy_fail_set(f, SY_E_NOTFOUND, "%s is not there", source)
                               : sy_fail_sys(f, "cannot open %s", source);
    e = make_folders(target, strlen(to) + 1, f);
    int out = e ? -1 : open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (!e && out < 0)
        e = sy_fail_sys(f, "cannot create %s", target);
    if (!e) {
        e = copy_pieces(in, out, bar, f);
        if (e)
            sy_fail_wrap(f, "copying %s to %s", source, target);
    }
    if (out >= 0 && close(out) != 0 && !e)
        e = sy_fail_sys(f, "cannot close %s", target);
    close(in);
    return e ? e : sy_backup_hash(to, name, bytes, hex, f);
}

sy_err sy_backup_sync(const char *folder, sy_fail *f)
{
    char path[PATH_MAX];
    struct stat st;
    sy_err e = SY_OK;
    DIR *d = opendir(folder);
    if (!d)
        return sy_fail_sys(f, "cannot open folder %s", folder);
    for (const struct dirent *x; !e && (x = readdir(d));) {
        if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0)
            continue;
        e = join(path, folder, x->d_name, f);
        if (!e && lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            e = sy_backup_sync(path, f);
    }
    closedir(d);
    return e ? e : sy_dir_sync(folder, f);
}

/* ---- what it says of itself ---- */

void sy_backup_about_json(const sy_backup_about *a, sy_buf *out)
{
    char time[25], root[65];
    sy_time_text(a->made, time);
    sy_digest_hex(&a->root, root);
    sy_buf_text(out, "{\"steelyard\":\"backup\",\"version\":1,\"program\":\"" SY_VERSION
                     "\",\"gateway\":");
    sy_buf_json(out, sy_span_of(a->gateway));
    sy_buf_printf(out,
                  ",\"made\":\"%s\",\"leaves\":%" PRIu64 ",\"root\":\"%s\",\"head\":%" PRIu64
                  ",\"records\":%" PRIu64 ",\"key\":%s}\n",
                  time, a->leaves, root, a->head, a->records, a->key ? "true" : "false");
}

sy_err sy_backup_about_read(sy_span json, sy_backup_about *out, sy_fail *f)
{
    const char *what = "", *gateway = "", *made = "", *root = "";
    int version = 0, key = 0;
    json_int_t leaves = -1, head = -1, records = -1;
    json_t *o = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
    bool fine =
        o && json_unpack(o, "{s:s,s:i,s:s,s:s,s:I,s:s,s:I,s:I,s:b}", "steelyard", &what, "version",
                         &version, "gateway", &gateway, "made", &made, "leaves", &leaves, "root",
                         &root, "head", &head, "records", &records, "key", &key) == 0;
    sy_err e = SY_OK;
    *out = (sy_backup_about){.key = key != 0};
    if (!fine || strcmp(what, "backup") != 0 || leaves < 0 || head < 0 || records < 0 ||
        strlen(gateway) >= sizeof out->gateway || sy_digest_parse(sy_span_of(root), &out->root) ||
        sy_time_parse(sy_span_of(made), &out->made))
        e = sy_fail_set(f, SY_E_PARSE, "%s does not describe a backup", SY_BACKUP_ABOUT);
    else if (version != 1)
        e = sy_fail_set(f, SY_E_UNSUPPORTED,
                        "the backup is of version %d: restore it with the program that made it",
                        version);
    if (!e) {
        out->leaves = (uint64_t)leaves;
        out->head = (uint64_t)head;
        out->records = (uint64_t)records;
        memcpy(out->gateway, gateway, strlen(gateway) + 1);
    }
    json_decref(o);
    return e;
}
