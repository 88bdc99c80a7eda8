/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard restore: a data folder from a backup. Each file is compared with its hash, the ledger
 * with what the backup says of it; the folder gets its name only when it is whole. A note is left
 * for the gateway's first start, which enters the restore in the ledger and tells every
 * destination.
 */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/backup_files.h"
#include "cli/cli.h"
#include "cli/heads_file.h"
#include "cli/stored.h"
#include "ledger/restored.h"
#include "store/leaves.h"

enum { SUMS_MAX = 256 << 20, ABOUT_MAX = 65536 };

static const char help_en[] =
    "usage: steelyard restore FROM --data DIR --why TEXT [--who NAME] [--heads FILE] "
    "[--progress]\n\n"
    "Makes the data folder DIR from a backup. Each file is checked; DIR is there only when all of\n"
    "it is. What the old folder recorded after the backup is lost: at its first start the gateway\n"
    "enters the restore in the ledger, with who and why, and tells every destination from where "
    "on\n"
    "the ledger goes on, so that it is a gap that is admitted and no ledger that was cut.\n"
    "The old folder must never run again.\n\n"
    "  FROM          a folder of `steelyard backup`\n"
    "  --data DIR    the new data folder; not there yet, or empty\n"
    "  --why TEXT    the reason: the card broke, the box is replaced\n"
    "  --who NAME    who restores it; the name of the account unless given\n"
    "  --heads FILE  the heads that a receiver has (/api/heads of its inbox): the backup must be "
    "of\n"
    "                that ledger, and what is missing is told and entered, too\n"
    "  --progress    a bar even where stderr is no terminal\n\n"
    "Exit codes: 0 fine, 1 not restored (the reason is on stderr; DIR is not there), 2 usage.\n";
static const char help_zh[] =
    "用法：steelyard restore 备份 --data 目录 --why 理由 [--who 姓名] [--heads 文件] "
    "[--progress]\n\n"
    "由备份生成数据目录，逐个核对文件，全部无误后目录才出现。备份之后的记录已丢失：网关首次启动时\n"
    "把此次恢复连同经办人和理由记入账本，并告知每个接收方账本从何处继续，因而是如实说明的缺口，\n"
    "而非账本被截。旧数据目录不得再运行。\n\n"
    "  备份           steelyard backup 的目录\n"
    "  --data 目录    新的数据目录；尚不存在，或为空\n"
    "  --why 理由     例如存储卡损坏、更换设备\n"
    "  --who 姓名     经办人；缺省为当前账户名\n"
    "  --heads 文件   接收方持有的签名头（其收件箱的 /api/heads）：备份须属于该账本，缺失部分一并\n"
    "                 告知并入账\n"
    "  --progress     标准错误不是终端时也显示进度\n\n"
    "退出码：0 成功；1 未恢复（原因见标准错误；目录不存在）；2 用法错误。\n";

typedef struct restoring {
    const char *from, *data, *why, *who, *heads;
    char making[PATH_MAX]; /* the folder until it is whole */
    sy_backup_list files;
    sy_backup_about about;
    sy_backup_bar bar;
    uint64_t known; /* leaves under the newest head that a receiver has */
    sy_store *store;
    sy_fail *f;
} restoring;

static sy_err read_list(restoring *r)
{
    char path[PATH_MAX];
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    (void)snprintf(path, sizeof path, "%.4000s/" SY_BACKUP_SUMS, r->from);
    sy_err e = sy_file_read(path, SUMS_MAX, &text, r->f);
    if (e == SY_E_NOTFOUND)
        sy_fail_set(r->f, e, "%s is not there: this is no backup, or one that was cut short", path);
    e = e ? e : sy_backup_sums_read(sy_buf_span(&text), &r->files, r->f);
    if (!e &&
        (!sy_backup_find(&r->files, "store.db") || !sy_backup_find(&r->files, SY_BACKUP_ABOUT)))
        e = sy_fail_set(r->f, SY_E_PARSE, "%s names no store: this is no backup", path);
    sy_buf_fini(&text);
    return e;
}

static sy_err read_about(restoring *r, const char *folder)
{
    char path[PATH_MAX];
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    (void)snprintf(path, sizeof path, "%.4000s/" SY_BACKUP_ABOUT, folder);
    sy_err e = sy_file_read(path, ABOUT_MAX, &text, r->f);
    e = e ? e : sy_backup_about_read(sy_buf_span(&text), &r->about, r->f);
    sy_buf_fini(&text);
    return e;
}

static void size_up(restoring *r)
{
    char path[PATH_MAX];
    struct stat st;
    for (size_t i = 0; i < r->files.n; i++) {
        (void)snprintf(path, sizeof path, "%.3000s/%.1024s", r->from, r->files.v[i].name);
        r->bar.all += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    }
}

static sy_err copy_all(restoring *r)
{
    for (size_t i = 0; i < r->files.n; i++) {
        const sy_backup_file *x = &r->files.v[i];
        uint64_t bytes;
        char hex[65];
        sy_err e = sy_backup_copy(r->from, r->making, x->name, &bytes, hex, &r->bar, r->f);
        if (e)
            return sy_fail_wrap(r->f, "the backup is not whole");
        if (strcmp(hex, x->hex) != 0)
            return sy_fail_set(r->f, SY_E_CORRUPT,
                               "the backup is damaged: %s/%s is not what %s says", r->from, x->name,
                               SY_BACKUP_SUMS);
    }
    return SY_OK;
}

/* ---- the ledger ---- */

/* Each head that the ledger is long enough for is one of its own. */
static void compare(void *ctx, const sy_signed_head *h)
{
    restoring *r = ctx;
    sy_proof_facts facts;
    sy_digest root;
    sy_fail why = {0};
    if (r->f->code)
        return;
    if (!h || sy_signed_head_check(h, (sy_span){NULL, 0}, &facts, &why)) {
        sy_fail_set(r->f, SY_E_PARSE, "%s: an entry is no signed head", r->heads);
        return;
    }
    if (facts.head.size > r->known)
        r->known = facts.head.size;
    if (!sy_span_is(facts.head.gateway, r->about.gateway))
        sy_fail_set(r->f, SY_E_USAGE, "%s: heads of another gateway than %s", r->heads,
                    r->about.gateway);
    else if (facts.head.size <= r->about.leaves &&
             (sy_store_root(r->store, facts.head.size, &root, &why) ||
              !sy_digest_equal(&root, &facts.head.root)))
        sy_fail_set(r->f, SY_E_DENIED,
                    "the backup is not of the ledger that the receiver knows: its first %llu "
                    "entries are others",
                    (unsigned long long)facts.head.size);
}

static sy_err check_ledger(restoring *r)
{
    uint64_t leaves = 0;
    sy_digest root;
    sy_err e = sy_store_open(&r->store, r->making, true, r->f);
    e = e ? e : sy_store_leaves(r->store, &leaves, r->f);
    e = e ? e : sy_store_root(r->store, leaves, &root, r->f);
    if (!e && (leaves != r->about.leaves || !sy_digest_equal(&root, &r->about.root)))
        e = sy_fail_set(r->f, SY_E_CORRUPT, "the ledger in the backup is not the one that %s names",
                        SY_BACKUP_ABOUT);
    if (!e && r->heads) {
        r->f->code = SY_OK;
        e = sy_heads_file(r->heads, compare, r, r->f);
        e = e ? e : r->f->code;
    }
    sy_store_close(r->store);
    return e;
}

static sy_err leave_note(restoring *r)
{
    char folder[PATH_MAX];
    unsigned char random[16];
    sy_restored note = {
        .leaves = r->about.leaves, .root = r->about.root, .made = r->about.made, .known = r->known};
    sy_random(random, sizeof random);
    sy_hex(random, sizeof random, note.id);
    (void)snprintf(note.who, sizeof note.who, "%s", r->who);
    (void)snprintf(note.why, sizeof note.why, "%s", r->why);
    (void)snprintf(folder, sizeof folder, "%.4000s/ledger", r->making);
    sy_err e = sy_dir_make(folder, r->f);
    return e ? e : sy_restored_write(r->making, &note, r->f);
}

/* What describes the backup is no part of the folder. */
static sy_err name_it(restoring *r)
{
    char path[PATH_MAX], parent[PATH_MAX];
    (void)snprintf(path, sizeof path, "%.4000s/" SY_BACKUP_ABOUT, r->making);
    if (unlink(path) != 0)
        return sy_fail_sys(r->f, "cannot remove %s", path);
    sy_err e = sy_backup_sync(r->making, r->f);
    if (!e && rename(r->making, r->data) != 0)
        e = sy_fail_sys(r->f, "cannot name the folder %s", r->data);
    (void)snprintf(parent, sizeof parent, "%s", r->data);
    return e ? e : sy_dir_sync(dirname(parent), r->f);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static sy_err restore(restoring *r)
{
    struct stat st;
    if (lstat(r->making, &st) == 0)
        return sy_fail_set(r->f, SY_E_EXISTS,
                           "%s is left of a restore that was cut short: remove it", r->making);
    if (rmdir(r->data) != 0 && errno == EBUSY)
        return sy_fail_set(r->f, SY_E_EXISTS,
                           "%s is where a file system is mounted: restore into a folder in it, and "
                           "let gateway.data name that",
                           r->data);
    if (access(r->data, F_OK) == 0)
        return sy_fail_set(r->f, SY_E_EXISTS, "%s is there already: move it away first", r->data);
    sy_err e = read_list(r);
    e = e ? e : read_about(r, r->from);
    e = e ? e : sy_dir_make(r->making, r->f);
    if (e)
        return e;
    size_up(r);
    e = copy_all(r);
    sy_backup_bar_end(&r->bar);
    e = e ? e : check_ledger(r);
    e = e ? e : leave_note(r);
    e = e ? e : name_it(r);
    if (e)
        (void)nftw(r->making, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return e;
}

static void tell(const restoring *r, bool zh)
{
    char made[25];
    sy_time_text(r->about.made, made);
    printf(zh ? "%s：网关 %s，备份于 %s，账本 %llu 叶\n"
              : "%s: gateway %s as of %s, %llu leaves of the ledger\n",
           r->data, r->about.gateway[0] ? r->about.gateway : "?", made,
           (unsigned long long)r->about.leaves);
    if (r->known > r->about.leaves)
        printf(zh ? "缺口：接收方已有 %llu 叶的签名头，缺 %llu 叶\n"
                  : "gap: the receiver has a head of %llu leaves; %llu are lost\n",
               (unsigned long long)r->known, (unsigned long long)(r->known - r->about.leaves));
    if (!r->about.key)
        puts(zh ? "备份不含账本密钥：启动前请放回 ledger/key.pem 或 gateway.ledger.key 所指处"
                : "the ledger's key is not in the backup: before the start put it back as "
                  "ledger/key.pem, or where gateway.ledger.key says");
}

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard restore: %s; see steelyard restore --help\n", what);
    return 2;
}

static int parse(restoring *r, int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"why", required_argument, NULL, 'y'},
                                            {"who", required_argument, NULL, 'o'},
                                            {"heads", required_argument, NULL, 'e'},
                                            {"progress", no_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help_en, stdout);
            return 0;
        }
        if (c == '?')
            return wrong("wrong options");
        r->data = c == 'd' ? optarg : r->data;
        r->why = c == 'y' ? optarg : r->why;
        r->who = c == 'o' ? optarg : r->who;
        r->heads = c == 'e' ? optarg : r->heads;
        r->bar.show = r->bar.show || c == 'p';
    }
    if (!r->data || !r->why || optind + 1 != argc)
        return wrong(!r->data  ? "--data DIR is missing"
                     : !r->why ? "--why TEXT is missing"
                               : "one folder FROM is wanted");
    r->from = argv[optind];
    if (strlen(r->from) > 3000 || strlen(r->data) > 3000)
        return wrong("the name of a folder is too long");
    if (!sy_restored_text_fits(r->why, SY_RESTORED_WHY) ||
        !sy_restored_text_fits(r->who, SY_RESTORED_WHO))
        return wrong("--why (1000 bytes at most) and --who (128) are texts without line ends");
    return -1;
}

int sy_cmd_restore(int argc, char **argv)
{
    sy_fail f = {0};
    restoring r = {.who = sy_stored_account(), .bar.show = isatty(STDERR_FILENO), .f = &f};
    int code = parse(&r, argc, argv);
    if (code >= 0)
        return code;
    size_t n = strlen(r.data);
    while (n > 1 && r.data[n - 1] == '/')
        n--;
    (void)snprintf(r.making, sizeof r.making, "%.*s.restoring", (int)n, r.data);
    sy_err e = restore(&r);
    if (e)
        fprintf(stderr, "steelyard restore: %s\n", f.text);
    else
        tell(&r, sy_locale() == SY_ZH);
    sy_backup_list_free(&r.files);
    return e == SY_E_EXISTS ? 2 : e ? 1 : 0;
}
