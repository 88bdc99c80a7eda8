/* SPDX-License-Identifier: Apache-2.0 */
/* The box: files that must not be changed by others, the process, disk, clock, what it says. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "assess/assess_int.h"

enum { ENVIRONMENT_MOST = 1 << 20 };
static const uint64_t full_bytes = 64u << 20;

/* The account of the gateway: that of the process, else that of the data folder. */
static uid_t its_user(const sy_look *l)
{
    struct stat st;
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld", (long)l->pid);
    bool known = (l->pid && stat(path, &st) == 0) || stat(l->c->data, &st) == 0;
    return known ? st.st_uid : geteuid();
}

static void look_file(sy_look *l, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return;
    }
    bool sticky = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX);
    if (!sticky && st.st_mode & 022) {
        sy_assess__add(l->a, SY_ASSESS_FILE_WRITABLE, path, "%04o", (unsigned)st.st_mode & 07777);
    } else if (st.st_uid != 0 && st.st_uid != its_user(l)) {
        sy_assess__add(l->a, SY_ASSESS_FILE_OWNER, path, "uid %u", (unsigned)st.st_uid);
    } else {
        sy_assess__add(l->a, SY_ASSESS_FILE_GOOD, path, "%04o", (unsigned)st.st_mode & 07777);
    }
}

static void look_files(sy_look *l)
{
    struct stat st;
    char program[4096];
    const sy_config *c = l->c;
    look_file(l, c->file);
    for (size_t i = 0; i < c->n_rules; i++) {
        look_file(l, c->rules[i].name);
    }
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n > 0) {
        program[n] = 0;
        look_file(l, program);
    }
    bool secret = c->mqtt_password != NULL;
    for (size_t i = 0; i < c->n_destinations; i++) {
        secret = secret || c->destinations[i].password;
    }
    for (size_t i = 0; i < c->n_devices; i++) {
        secret = secret || c->devices[i].password;
    }
    if (secret && stat(c->file, &st) == 0 && st.st_mode & 04) {
        sy_assess__add(l->a, SY_ASSESS_CONFIG_OPEN, c->file, "%04o", (unsigned)st.st_mode & 0777);
    }
    if (stat(c->data, &st) == 0) {
        sy_assess__add(l->a, st.st_mode & 027 ? SY_ASSESS_FOLDER_OPEN : SY_ASSESS_FOLDER_GOOD,
                       c->data, "%04o", (unsigned)st.st_mode & 0777);
    }
}

/* ---- the process ---- */

/* The number behind a name in /proc/PID/status; -1: it is not there. */
static long long of_status(const char *text, const char *name, int base)
{
    const char *at = strstr(text, name);
    return at ? (long long)strtoull(at + strlen(name), NULL, base) : -1;
}

static void look_process(sy_look *l)
{
    char path[64];
    sy_buf text, environment;
    sy_buf_init(&text, sy_heap());
    sy_buf_init(&environment, sy_heap());
    snprintf(path, sizeof path, "/proc/%ld/status", (long)l->pid);
    if (sy_file_read(path, ENVIRONMENT_MOST, &text, NULL) == SY_OK && text.n) {
        bool root = of_status(text.p, "\nUid:\t", 10) == 0;
        bool able = of_status(text.p, "\nCapEff:\t", 16) > 0;
        bool gains = of_status(text.p, "\nNoNewPrivs:\t", 10) == 0;
        bool calls = of_status(text.p, "\nSeccomp:\t", 10) == 0;
        const struct {
            bool is;
            sy_assess_what what;
        } all[] = {{root, SY_ASSESS_ROOT},
                   {able, SY_ASSESS_CAPABILITIES},
                   {gains, SY_ASSESS_PRIVILEGES},
                   {calls, SY_ASSESS_SYSCALLS},
                   {!root && !able && !gains && !calls, SY_ASSESS_SANDBOX}};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
            if (all[i].is) {
                sy_assess__add(l->a, all[i].what, "", "pid %ld", (long)l->pid);
            }
        }
    }
    snprintf(path, sizeof path, "/proc/%ld/environ", (long)l->pid);
    if (sy_file_read(path, ENVIRONMENT_MOST, &environment, NULL) == SY_OK) {
        bool watched = environment.n && memmem(environment.p, environment.n, "WATCHDOG_USEC=", 14);
        sy_assess__add(l->a, watched ? SY_ASSESS_WATCHDOG : SY_ASSESS_WATCHDOG_NONE, "", "%s", "");
    }
    sy_buf_fini(&environment);
    sy_buf_fini(&text);
}

/* ---- what the gateway says ---- */

static void look_status(sy_look *l)
{
    const json_t *o = l->status, *ledger = json_object_get(o, "ledger");
    const json_t *set = json_object_get(o, "configuration"),
                 *keeping = json_object_get(o, "keeping");
    const json_t *years = json_object_get(json_object_get(keeping, "wear"), "years");
    const char *trouble = json_string_value(json_object_get(ledger, "trouble"));
    const char *hash = json_string_value(json_object_get(set, "set"));
    const char *refused = json_string_value(json_object_get(set, "refused"));
    sy_assess__add(l->a, trouble ? SY_ASSESS_LEDGER_TROUBLE : SY_ASSESS_LEDGER, "", "%s",
                   trouble ? trouble : "");
    if (hash) {
        sy_assess__add(l->a, SY_ASSESS_SET, "", "%.64s", hash);
    }
    sy_assess__add(l->a, refused ? SY_ASSESS_SET_REFUSED : SY_ASSESS_CONFIGURED, l->c->file, "%s",
                   refused ? refused : "");
    if (json_is_number(years)) {
        double y = json_number_value(years);
        sy_assess__add(l->a, y < 2 ? SY_ASSESS_WEAR_HIGH : SY_ASSESS_WEAR, "", "%.1f a", y);
    }
    json_int_t damaged = json_integer_value(json_object_get(o, "damaged_segments"));
    if (damaged) {
        sy_assess__add(l->a, SY_ASSESS_DAMAGED, "", "%lld", (long long)damaged);
    }
    json_int_t attempts =
        json_integer_value(json_object_get(json_object_get(o, "refused"), "total"));
    if (attempts) {
        sy_assess__add(l->a, SY_ASSESS_REFUSED, "", "%lld", (long long)attempts);
    }
}

static void look_disk(sy_look *l)
{
    struct statvfs v;
    if (statvfs(l->c->data, &v) != 0 || !v.f_blocks) {
        return;
    }
    uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    double share = 100.0 * (double)v.f_bavail / (double)v.f_blocks;
    sy_assess__add(l->a,
                   free_bytes < full_bytes ? SY_ASSESS_DISK_FULL
                   : share < 10            ? SY_ASSESS_DISK_LOW
                                           : SY_ASSESS_DISK,
                   l->c->data, "%.1f GB, %.0f %%", (double)free_bytes / 1e9, share);
}

void sy_look_box(sy_look *l)
{
    const sy_keeping *k = &l->c->keeping;
    const double day = 86400000.0;
    look_files(l);
    look_disk(l);
    sy_assess__add(l->a, sy_clock_synced() ? SY_ASSESS_CLOCK : SY_ASSESS_CLOCK_FREE, "", "%s", "");
    if (l->status) {
        look_status(l);
    } else {
        sy_assess__add(l->a, SY_ASSESS_NOT_RUNNING, l->c->data, "%s", "");
    }
    if (l->pid) {
        look_process(l);
    }
    sy_assess__add(l->a, SY_ASSESS_RETENTION, "", "raw %.0f d, readings %.0f d, alerts %.0f d",
                   (double)k->raw.time / day, (double)k->readings.time / day,
                   (double)k->alerts.time / day);
    sy_assess__add(l->a, SY_ASSESS_BOUNDED, "", "%zu B, %lld", l->c->max_payload,
                   (long long)json_integer_value(json_object_get(l->status, "rejected")));
    sy_assess__add(l->a, SY_ASSESS_REPORTS, "", "%s", "");
    sy_assess__add(l->a, SY_ASSESS_BACKUP, "", "%s", "");
    sy_assess__add(l->a, SY_ASSESS_PLACE, "", "%s", "");
}
