/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts that a configuration names: vocabularies, rule files and register maps, read from its
 * folder.
 *
 * Bounded (number, size of each); a link in a folder of rules that leads out of it is not followed,
 * so that who may write there cannot make the gateway read other files.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_int.h"

static bool join(char *out, size_t size, const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    const char *slash = n && a[n - 1] != '/' ? "/" : "";
    if (n + m + 2 > size)
        return false;
    memcpy(out, a, n);
    memcpy(out + n, slash, strlen(slash));
    memcpy(out + n + strlen(slash), b, m + 1);
    return true;
}

bool sy_cfg_add_text(sy_loader *l, sy_text_kind kind, const char *name, sy_span bytes)
{
    char shown[PATH_MAX];
    if (l->n_texts == SY_CFG_TEXTS_MAX || l->text_bytes + bytes.n > SY_CFG_SET_MAX / 2)
        return false;
    l->text_bytes += bytes.n;
    bool ships = kind == SY_TEXT_BUILTIN || kind == SY_TEXT_ORDERS ||
                 strncmp(name, "pack:", 5) == 0 || (kind == SY_TEXT_MAP && !strpbrk(name, "/."));
    if (name[0] == '/' || ships || !join(shown, sizeof shown, l->shown, name))
        snprintf(shown, sizeof shown, "%s", name);
    sy_cfg_text *t = &l->texts[l->n_texts];
    *t = (sy_cfg_text){kind, sy_cfg_copy(l, sy_span_of(name)), {sy_cfg_copy(l, bytes), bytes.n}};
    l->sources[l->n_texts] = (sy_source){sy_cfg_copy(l, sy_span_of(shown)), t->bytes};
    l->n_texts++;
    return true;
}

/* Read one file, `name` relative to the configuration's folder. */
static void add_file(sy_loader *l, const sy_ynode *at, sy_text_kind kind, const char *name,
                     const char *path)
{
    sy_buf b;
    sy_fail f;
    for (size_t i = 0; i < l->n_texts; i++)
        if (strcmp(l->texts[i].name, name) == 0)
            return; /* named by itself and by its folder */
    sy_buf_init(&b, sy_heap());
    if (sy_file_read(path, SY_YAML_MAX, &b, &f) != SY_OK)
        sy_cfg_error(l, at, "file", NULL, "the file %s cannot be read: %s", "无法读取文件 %s：%s",
                     name, f.text);
    else if (!sy_cfg_add_text(l, kind, name, sy_buf_span(&b)))
        sy_cfg_error(l, at, "too-many", NULL,
                     "more than %d files of rules, words and registers, or more than %d MiB",
                     "规则、词汇和寄存器文件多于 %d 个，或超过 %d MiB", (int)SY_CFG_TEXTS_MAX - 2,
                     SY_CFG_SET_MAX / 2 >> 20);
    sy_buf_fini(&b);
}

static int is_rules(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && n > 6 && strcmp(e->d_name + n - 6, ".rules") == 0;
}

/* strcmp, so that the order is the same in every locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool stays_in(const char *folder, const char *path)
{
    char real_folder[PATH_MAX], real_path[PATH_MAX];
    if (!realpath(folder, real_folder) || !realpath(path, real_path))
        return true; /* reading it says what is wrong */
    size_t n = strlen(real_folder);
    return strncmp(real_folder, real_path, n) == 0 && (real_path[n] == '/' || n == 1);
}

static void add_folder(sy_loader *l, const sy_ynode *at, const char *name, const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_rules, by_name);
    if (n < 0) {
        sy_cfg_error(l, at, "file", NULL, "the folder %s cannot be read: %s",
                     "无法读取文件夹 %s：%s", name, strerror(errno));
        return;
    }
    for (int i = 0; i < n; i++) {
        char short_name[PATH_MAX], path[PATH_MAX];
        if (!join(short_name, sizeof short_name, name, entries[i]->d_name) ||
            !join(path, sizeof path, folder, entries[i]->d_name))
            continue;
        if (stays_in(folder, path))
            add_file(l, at, SY_TEXT_RULES, short_name, path);
        else
            sy_cfg_warn(l, at, "link", NULL, "%s is a link that leads out of its folder: left out",
                        "%s 是指向文件夹之外的链接：已忽略", short_name);
    }
    if (n == 0)
        sy_cfg_warn(l, at, "empty-folder", NULL, "the folder %s has no *.rules",
                    "文件夹 %s 中没有 *.rules", name);
    while (n > 0)
        free(entries[--n]);
    free(entries);
}

static void add_named(sy_loader *l, const sy_ynode *at, sy_text_kind kind, const char *name)
{
    struct stat st;
    const char *path = sy_cfg_absolute(l, l->base, name);
    if (!path || stat(path, &st) != 0)
        sy_cfg_error(l, at, "file", NULL, "%s is not there: %s", "%s 不存在：%s", name,
                     strerror(path ? errno : ENAMETOOLONG));
    else if (S_ISDIR(st.st_mode) && kind == SY_TEXT_RULES)
        add_folder(l, at, name, path);
    else if (!S_ISREG(st.st_mode))
        sy_cfg_error(l, at, "file", NULL, "%s is no file", "%s 不是文件", name);
    else
        add_file(l, at, kind, name, path);
}

void sy_cfg_read_file(sy_loader *l, const sy_ynode *at, sy_text_kind kind, const char *name)
{
    add_named(l, at, kind, name);
}

void sy_cfg_read_texts(sy_loader *l, const sy_cfg_cell *vocabulary, const sy_cfg_cell *rules)
{
    for (size_t i = 0; i < vocabulary->n; i++)
        add_named(l, sy_cfg_item(vocabulary, i), SY_TEXT_VOCABULARY, vocabulary->texts[i]);
    for (size_t i = 0; i < rules->n; i++)
        add_named(l, sy_cfg_item(rules, i), SY_TEXT_RULES, rules->texts[i]);
}
