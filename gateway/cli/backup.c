/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard backup: the data folder as it stood at one moment, while its gateway runs.
 *
 * Order makes it whole. The spool comes before the journal, so that what left the one is in the
 * other. The store comes before the journal, so that the journal holds all that the store was made
 * from, and more; what is more is judged again after a restore. Sets come last: the journal names
 * none that is not kept. What the gateway moves or removes meanwhile makes it begin again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/backup_files.h"
#include "cli/cli.h"
#include "cli/stored.h"
#include "intake/sealed.h"
#include "ledger/head.h"
#include "store/copy.h"
#include "store/heads.h"
#include "store/leaves.h"

enum { ROUNDS = 5, DEPTH = 8, TAIL_TRIES = 3 };

static const char help_en[] =
    "usage: steelyard backup TO --data DIR [--without-key] [--progress]\n\n"
    "Copies the data folder, whether or not its gateway runs, into the new folder TO: the store "
    "as\n"
    "it stood at one moment, the journal up to then and beyond, configurations, devices' "
    "passwords\n"
    "(hashed), what the broker keeps, the ledger's key and certificate. SHA256SUMS is written "
    "last\n"
    "and names each file: a backup without it is not whole. `steelyard restore` puts it back;\n"
    "`steelyard verify TO --ca CA.pem` checks it.\n\n"
    "  TO             a folder that is not there yet, or empty\n"
    "  --data DIR     the data folder\n"
    "  --without-key  leave the ledger's key out; keep it elsewhere: without it nothing is signed\n"
    "  --progress     a bar even where stderr is no terminal\n\n"
    "Who has a backup with the key can sign as this gateway: keep it as you keep keys. A key that\n"
    "gateway.ledger.key names lies outside of the data folder, and so do the configuration file,\n"
    "rules and certificates for destinations: keep those, too.\n\n"
    "Exit codes: 0 the backup is whole, 1 it is not (the reason is on stderr), 2 usage.\n";
static const char help_zh[] =
    "用法：steelyard backup 目标 --data 目录 [--without-key] [--progress]\n\n"
    "将数据目录复制到新目录“目标”，网关可在运行中：某一时刻的存储、直至其后的日志、配置集、\n"
    "设备口令（散列）、代理暂存的消息、账本密钥与证书。SHA256SUMS 最后写入，列出每个文件；\n"
    "没有它的备份不完整。用 steelyard restore 恢复，用 steelyard verify 目标 --ca CA.pem 核验。\n\n"
    "  目标           尚不存在的目录，或空目录\n"
    "  --data 目录    数据目录\n"
    "  --without-key  不含账本密钥；请另行保存：没有密钥则无法签名\n"
    "  --progress     标准错误不是终端时也显示进度\n\n"
    "持有含密钥的备份者可以此网关名义签名，须按密钥保管。gateway.ledger.key "
    "所指的密钥、配置文件、\n"
    "规则和上报证书不在数据目录内，也须另行保存。\n\n"
    "退出码：0 备份完整；1 不完整（原因见标准错误）；2 用法错误。\n";

typedef struct backing {
    const char *data, *to;
    bool key;
    sy_backup_list files; /* that are in the backup */
    sy_backup_bar bar;
    bool again; /* something was moved meanwhile */
    uint64_t store_done;
    sy_fail *f;
} backing;

/* ---- what is there ---- */

/* What belongs to the running process, what is copied in a way of its own, and half-written files.
 */
static bool left_out(const backing *b, const char *name)
{
    static const char *const names[] = {"lock",        "control.sock", "attempt",
                                        "store.db",    "store.db-wal", "store.db-shm",
                                        "store.check", "lost+found"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return (!b->key && strncmp(name, "ledger/key", 10) == 0) ||
           (n > 4 && strcmp(name + n - 4, ".new") == 0);
}

/* Plain files below data/part, named from the data folder on. */
static sy_err list_files(const backing *b, const char *part, int depth, sy_backup_list *out)
{
    static const char none[65] = "";
    char path[PATH_MAX], name[PATH_MAX];
    sy_err e = SY_OK;
    (void)snprintf(path, sizeof path, "%.3000s/%.1000s", b->data, part);
    DIR *d = opendir(path);
    if (!d)
        return errno == ENOENT ? SY_OK : sy_fail_sys(b->f, "cannot open folder %s", path);
    for (const struct dirent *x; !e && (x = readdir(d));) {
        struct stat st;
        int n = snprintf(name, sizeof name, "%s%s%s", part, *part ? "/" : "", x->d_name);
        if (x->d_name[0] == '.' || n < 0 || n > 1000 || left_out(b, name) ||
            fstatat(dirfd(d), x->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < DEPTH)
            e = list_files(b, name, depth + 1, out);
        else if (S_ISREG(st.st_mode) && !sy_backup_name_fits(name))
            e = sy_fail_set(b->f, SY_E_USAGE,
                            "%s has a file with a name that is none of ours: "
                            "move it away",
                            path);
        else if (S_ISREG(st.st_mode))
            e = sy_backup_note(out, name, (uint64_t)st.st_size, none, b->f);
    }
    closedir(d);
    return e;
}

static int by_name(const void *a, const void *b)
{
    const sy_backup_file *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* ---- copying ---- */

static bool is_sealed(const char *name)
{
    size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".logz") == 0;
}

static sy_err copy_one(backing *b, const sy_backup_file *x)
{
    char hex[65];
    uint64_t bytes;
    const sy_backup_file *known = sy_backup_find(&b->files, x->name);
    if (known && is_sealed(x->name) && known->bytes == x->bytes)
        return SY_OK; /* it never changes */
    sy_err e = sy_backup_copy(b->data, b->to, x->name, &bytes, hex, &b->bar, b->f);
    if (e == SY_E_NOTFOUND) {
        sy_backup_forget(&b->files, x->name);
        b->again = b->again || strncmp(x->name, "journal/", 8) == 0;
        return SY_OK;
    }
    return e ? e : sy_backup_note(&b->files, x->name, bytes, hex, b->f);
}

static sy_err copy_part(backing *b, const char *part)
{
    sy_backup_list names = {.n = 0};
    sy_err e = list_files(b, part, 0, &names);
    if (names.n)
        qsort(names.v, names.n, sizeof *names.v, by_name);
    for (size_t i = 0; i < names.n && !e; i++)
        e = copy_one(b, &names.v[i]);
    sy_backup_list_free(&names);
    return e;
}

static void store_progress(void *ctx, uint64_t done, uint64_t all)
{
    backing *b = ctx;
    (void)all;
    sy_backup_add(&b->bar, done > b->store_done ? done - b->store_done : 0);
    b->store_done = done;
}

static sy_err copy_store(backing *b)
{
    char path[PATH_MAX], hex[65];
    uint64_t bytes;
    (void)snprintf(path, sizeof path, "%.4000s/store.db", b->to);
    if (unlink(path) != 0 && errno != ENOENT)
        return sy_fail_sys(b->f, "cannot remove %s", path);
    b->store_done = 0;
    sy_err e = sy_store_copy(b->data, path, store_progress, b, b->f);
    int fd = e ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (!e && (fd < 0 || fchmod(fd, 0600) != 0 || fsync(fd) != 0))
        e = sy_fail_sys(b->f, "cannot sync %s", path);
    if (fd >= 0)
        close(fd);
    e = e ? e : sy_backup_hash(b->to, "store.db", &bytes, hex, b->f);
    return e ? e : sy_backup_note(&b->files, "store.db", bytes, hex, b->f);
}

/* The key that the store goes by may have been replaced while the store was copied. */
static sy_err copy_ledger_and_store(backing *b)
{
    static const char key[] = "ledger/key.pem";
    char before[65] = "";
    sy_err e = copy_part(b, "ledger");
    const sy_backup_file *x = sy_backup_find(&b->files, key);
    if (x)
        memcpy(before, x->hex, sizeof before);
    e = e ? e : copy_store(b);
    e = e ? e : copy_part(b, "ledger");
    x = sy_backup_find(&b->files, key);
    b->again = b->again || strcmp(before, x ? x->hex : "") != 0;
    return e;
}

/* No hole with records behind it: nothing, or zeros, come after the last record. */
static bool ends_well(const char *path, uint64_t first)
{
    sy_jwin w;
    sy_jrec rec;
    size_t off = SY_JSEG_HEADER, length = 0, more = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    bool well = false;
    sy_jwin_init(&w);
    if (size >= 0) {
        sy_jwin_set(&w, fd, 0, (size_t)size);
        well = sy_jwin_header(&w, first, 0);
        while (well && sy_jwin_record(&w, off, &rec, &length) == SY_JFOUND_RECORD)
            off += length;
        well = well && !sy_jwin_find(&w, off, 0, &more);
    }
    sy_jwin_fini(&w);
    if (fd >= 0)
        close(fd);
    return well;
}

/* The segment that is written to. One that has damage in it keeps it: the restored gateway finds
 * it, as this one would. */
static sy_err copy_tail(backing *b)
{
    char dir[PATH_MAX], path[PATH_MAX], name[64];
    sy_segment_file *files = NULL;
    size_t n = 0;
    (void)snprintf(dir, sizeof dir, "%.4000s/journal", b->to);
    sy_err e = access(dir, F_OK) == 0 ? sy_sealed_list(dir, &files, &n, b->f) : SY_OK;
    for (int i = 0; !e && n && files[n - 1].kind == SY_SEG_RAW && i < TAIL_TRIES; i++) {
        const sy_segment_file *last = &files[n - 1];
        (void)snprintf(name, sizeof name, "journal/%016llx.log", (unsigned long long)last->first);
        const sy_backup_file x = {.name = name};
        if (!sy_sealed_path(dir, last, path) || ends_well(path, last->first))
            break;
        e = copy_one(b, &x);
    }
    free(files);
    return e;
}

/* Each segment that was there before is in the copy, in whatever form. */
static bool has_segments(const backing *b, const sy_backup_list *before)
{
    static const char *const ends[] = {".log", ".logz", ".damaged"};
    enum { UP_TO_DOT = 8 + 16 }; /* journal/ and the number */
    char name[64];
    for (size_t i = 0; i < before->n; i++) {
        const char *was = before->v[i].name;
        bool found = strlen(was) <= UP_TO_DOT || was[UP_TO_DOT] != '.';
        for (size_t k = 0; k < 3 && !found; k++) {
            (void)snprintf(name, sizeof name, "%.*s%s", (int)UP_TO_DOT, was, ends[k]);
            found = sy_backup_find(&b->files, name) != NULL;
        }
        if (!found)
            return false;
    }
    return true;
}

static sy_err one_round(backing *b)
{
    sy_backup_list before = {.n = 0};
    b->again = false;
    sy_err e = list_files(b, "journal", 0, &before);
    e = e ? e : copy_part(b, "mqtt");
    e = e ? e : copy_ledger_and_store(b);
    e = e ? e : copy_part(b, "journal");
    e = e ? e : copy_tail(b);
    e = e ? e : copy_part(b, "accepted");
    b->again = b->again || !has_segments(b, &before);
    sy_backup_list_free(&before);
    return e;
}

/* What is in no part that order matters for. */
static sy_err copy_rest(backing *b)
{
    sy_backup_list names = {.n = 0};
    sy_err e = list_files(b, "", 0, &names);
    for (size_t i = 0; i < names.n && !e; i++) {
        const char *slash = strchr(names.v[i].name, '/');
        size_t n = slash ? (size_t)(slash - names.v[i].name) : 0;
        const sy_span part = {names.v[i].name, n};
        if (!sy_span_is(part, "mqtt") && !sy_span_is(part, "ledger") &&
            !sy_span_is(part, "journal") && !sy_span_is(part, "accepted"))
            e = copy_one(b, &names.v[i]);
    }
    sy_backup_list_free(&names);
    return e;
}

/* ---- what it says of itself ---- */

static void newest_head(void *ctx, const sy_head_row *row)
{
    sy_backup_about *a = ctx;
    sy_head h;
    a->head = row->size;
    if (sy_head_read(row->text, &h, NULL) == SY_OK && h.gateway.n < sizeof a->gateway) {
        memcpy(a->gateway, h.gateway.p, h.gateway.n);
        a->gateway[h.gateway.n] = 0;
    }
}

static sy_err write_about(backing *b, sy_backup_about *a)
{
    char path[PATH_MAX], hex[65];
    uint64_t bytes;
    sy_store *s = NULL;
    sy_buf json;
    *a = (sy_backup_about){.made = sy_wall_ms(),
                           .key = sy_backup_find(&b->files, "ledger/key.pem") != NULL};
    sy_err e = sy_store_open(&s, b->to, true, b->f);
    e = e ? e : sy_store_leaves(s, &a->leaves, b->f);
    e = e ? e : sy_store_root(s, a->leaves, &a->root, b->f);
    e = e ? e : sy_store_position(s, &a->records, b->f);
    e = e ? e : sy_store_heads(s, 0, INT64_MAX, 1, true, newest_head, a, b->f);
    sy_store_close(s);
    if (e)
        return e;
    sy_buf_init(&json, sy_heap());
    sy_backup_about_json(a, &json);
    (void)snprintf(path, sizeof path, "%.4000s/" SY_BACKUP_ABOUT, b->to);
    e = json.failed ? sy_fail_set(b->f, SY_E_NOMEM, "out of memory")
                    : sy_file_write(path, sy_buf_span(&json), 0600, b->f);
    sy_buf_fini(&json);
    e = e ? e : sy_backup_hash(b->to, SY_BACKUP_ABOUT, &bytes, hex, b->f);
    return e ? e : sy_backup_note(&b->files, SY_BACKUP_ABOUT, bytes, hex, b->f);
}

static sy_err write_sums(backing *b)
{
    char path[PATH_MAX];
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    qsort(b->files.v, b->files.n, sizeof *b->files.v, by_name);
    sy_backup_sums(&b->files, &text);
    (void)snprintf(path, sizeof path, "%.4000s/" SY_BACKUP_SUMS, b->to);
    sy_err e =
        text.failed ? sy_fail_set(b->f, SY_E_NOMEM, "out of memory") : sy_backup_sync(b->to, b->f);
    e = e ? e : sy_file_write(path, sy_buf_span(&text), 0600, b->f);
    sy_buf_fini(&text);
    return e;
}

/* ---- the command ---- */

static void size_up(backing *b)
{
    sy_backup_list names = {.n = 0};
    char path[PATH_MAX];
    struct stat st;
    (void)snprintf(path, sizeof path, "%.4000s/store.db", b->data);
    b->bar.all = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    if (list_files(b, "", 0, &names) == SY_OK)
        for (size_t i = 0; i < names.n; i++)
            b->bar.all += names.v[i].bytes;
    sy_backup_list_free(&names);
}

static bool within(const char *outer, const char *inner)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (!realpath(outer, a) || !realpath(inner, b))
        return false;
    size_t n = strlen(a);
    return strncmp(a, b, n) == 0 && (b[n] == '/' || b[n] == 0);
}

/* A new or empty folder, elsewhere; SY_E_EXISTS. */
static sy_err make_target(const char *data, const char *to, sy_fail *f)
{
    sy_err e = sy_dir_make(to, f);
    DIR *d = e ? NULL : opendir(to);
    if (!d)
        return e ? e : sy_fail_sys(f, "cannot open folder %s", to);
    for (const struct dirent *x; !e && (x = readdir(d));)
        if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
            e = sy_fail_set(f, SY_E_EXISTS, "%s is not empty: a backup wants a folder of its own",
                            to);
    closedir(d);
    if (!e && within(data, to)) {
        (void)rmdir(to);
        e = sy_fail_set(f, SY_E_EXISTS, "%s is in the data folder: a backup belongs elsewhere", to);
    }
    return e;
}

static sy_err back_up(backing *b, sy_backup_about *a)
{
    sy_err e = SY_OK;
    b->again = true;
    for (int i = 0; i < ROUNDS && b->again && !e; i++)
        e = one_round(b);
    if (!e && b->again)
        e = sy_fail_set(b->f, SY_E_AGAIN, "files of %s went away faster than they could be copied",
                        b->data);
    e = e ? e : copy_rest(b);
    e = e ? e : write_about(b, a);
    return e ? e : write_sums(b);
}

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard backup: %s; see steelyard backup --help\n", what);
    return 2;
}

int sy_cmd_backup(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"without-key", no_argument, NULL, 'k'},
                                            {"progress", no_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    sy_fail f = {0};
    backing b = {.key = true, .bar.show = isatty(STDERR_FILENO), .f = &f};
    sy_backup_about about;
    bool zh = sy_locale() == SY_ZH;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(zh ? help_zh : help_en, stdout);
            return 0;
        }
        if (c == '?')
            return wrong("wrong options");
        b.data = c == 'd' ? optarg : b.data;
        b.key = b.key && c != 'k';
        b.bar.show = b.bar.show || c == 'p';
    }
    if (!b.data || optind + 1 != argc)
        return wrong(b.data ? "one folder TO is wanted" : "--data DIR is missing");
    b.to = argv[optind];
    if (strlen(b.data) > 3000 || strlen(b.to) > 3000)
        return wrong("the name of a folder is too long");
    sy_store *s = sy_stored_open("backup", b.data); /* before a folder is made */
    if (!s)
        return 1;
    sy_store_close(s);
    sy_err e = make_target(b.data, b.to, &f);
    if (!e) {
        size_up(&b);
        e = back_up(&b, &about);
        sy_backup_bar_end(&b.bar);
    }
    if (e)
        fprintf(stderr, "steelyard backup: %s\n", f.text);
    else
        printf(zh ? "%s：%zu 个文件，账本 %llu 叶，%s账本密钥\n"
                  : "%s: %zu files, %llu leaves of the ledger, %s the ledger's key\n",
               b.to, b.files.n, (unsigned long long)about.leaves,
               about.key ? (zh ? "含" : "with") : (zh ? "不含" : "without"));
    sy_backup_list_free(&b.files);
    return e == SY_E_EXISTS ? 2 : e ? 1 : 0;
}
