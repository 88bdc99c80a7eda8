/* SPDX-License-Identifier: Apache-2.0 */
/* What keeping costs: bytes on the disk and written to it, days that fit, wear. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "run/keeper_int.h"

#define DAY_MS ((sy_ms)86400000)

uint64_t sy_keeper__device_bytes(void)
{
    uint64_t bytes = 0;
    FILE *f = fopen("/proc/self/io", "re");
    char line[128];
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "write_bytes:", 12) == 0)
            bytes = strtoull(line + 12, NULL, 10);
    if (f)
        fclose(f);
    return bytes;
}

uint64_t sy_keeper__disk(const char *dir, uint64_t *free_bytes)
{
    struct statvfs v;
    *free_bytes = 0;
    if (statvfs(dir, &v) != 0)
        return 0;
    *free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return (uint64_t)v.f_blocks * v.f_frsize;
}

static uint64_t folder_bytes(const char *data, const char *name)
{
    char path[PATH_MAX];
    uint64_t bytes = 0;
    int n = snprintf(path, sizeof path, "%s/%s", data, name);
    DIR *d = n > 0 && (size_t)n < sizeof path ? opendir(path) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        struct stat st;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            bytes += (uint64_t)st.st_blocks * 512;
    }
    if (d)
        closedir(d);
    return bytes;
}

void sy_keeper__count_files(sy_keeper_figures *g, const sy_segment_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool raw = files[i].kind == SY_SEG_RAW, sealed = files[i].kind == SY_SEG_SEALED;
        *(raw ? &g->raw : sealed ? &g->sealed : &g->damaged) += files[i].bytes;
        ++*(raw ? &g->n_raw : sealed ? &g->n_sealed : &g->n_damaged);
    }
}

sy_err sy_keeper__note_usage(sy_keeper *k, sy_fail *f)
{
    uint64_t counts[SY_N_COUNTERS];
    sy_store_bytes b;
    sy_ms now = sy_journal_now(k->o.journal);
    if (now == SY_MS_NONE)
        return SY_OK;
    sy_err e = sy_store_counters(k->o.store, counts, f);
    if (!e)
        e = sy_store_sizes(k->o.store, k->o.data, &b, f);
    if (!e)
        e = sy_store_begin(k->o.store, false, f);
    if (e)
        return e;
    pthread_mutex_lock(&k->mu);
    uint64_t raw = k->figures.sealed + k->figures.raw;
    pthread_mutex_unlock(&k->mu);
    uint64_t device = k->device_before + sy_keeper__device_bytes();
    sy_usage u = {.day = now / DAY_MS,
                  .written = counts[SY_N_bytes_written],
                  .readings = counts[SY_N_stored],
                  .device = device,
                  .raw = raw,
                  .stored = b.file - b.free,
                  .alerts = b.alerts};
    e = sy_store_usage_put(k->o.store, &u, f);
    if (!e)
        e = sy_store_note_put(k->o.store, "device_written", (int64_t)device, f);
    if (!e && k->clock != SY_MS_NONE)
        e = sy_store_note_put(k->o.store, "keeper_clock", k->clock, f);
    if (!e)
        return sy_store_done(k->o.store, f);
    sy_store_rollback(k->o.store);
    return e;
}

static void number(sy_buf *b, const char *key, double v)
{
    sy_buf_printf(b, "\"%s\":", key);
    if (isfinite(v))
        sy_buf_printf(b, "%.1f", v);
    else
        sy_buf_text(b, "null");
}

static void put_time(sy_buf *b, const char *key, sy_ms t)
{
    char text[25];
    sy_buf_printf(b, "\"%s\":", key);
    if (t == SY_MS_NONE) {
        sy_buf_text(b, "null");
        return;
    }
    sy_time_text(t, text);
    sy_buf_json(b, sy_span_of(text));
}

/* Between the first and the last day that are known: what a day costs. */
typedef struct daily {
    int64_t days; /* 0: not known yet */
    double written, device, raw, stored, alerts;
} daily;

static double a_day(uint64_t from, uint64_t to, int64_t days)
{
    return to > from ? (double)(to - from) / (double)days : 0;
}

static daily measure(sy_store *s)
{
    enum { LOOK_BACK = 15 };
    sy_usage u[LOOK_BACK];
    size_t n = 0;
    daily d = {0};
    if (sy_store_usage(s, u, LOOK_BACK, &n, NULL) || n < 2)
        return d;
    const sy_usage *a = &u[0], *z = &u[n - 1];
    d.days = z->day - a->day;
    d.written = a_day(a->written, z->written, d.days);
    d.device = a_day(a->device, z->device, d.days);
    d.raw = a_day(a->raw, z->raw, d.days);
    d.stored = a_day(a->stored, z->stored, d.days);
    d.alerts = a_day(a->alerts, z->alerts, d.days);
    return d;
}

typedef struct view {
    const sy_keeper_figures *g;
    sy_store_bytes b;
    uint64_t counts[SY_N_COUNTERS];
    uint64_t disk, free_bytes, spool;
    daily day;
} view;

static void put_disk(const view *v, sy_buf *b)
{
    sy_buf_printf(b,
                  "\"disk\":{\"bytes\":%llu,\"free\":%llu,\"journal\":%llu,\"sealed\":%llu,"
                  "\"sealed_raw\":%llu,\"damaged\":%llu,\"store\":%llu,\"store_free\":%llu,"
                  "\"readings\":%llu,\"alerts\":%llu,\"ledger\":%llu,\"spool\":%llu}",
                  (unsigned long long)v->disk, (unsigned long long)v->free_bytes,
                  (unsigned long long)v->g->raw, (unsigned long long)v->g->sealed,
                  (unsigned long long)v->g->sealed_raw, (unsigned long long)v->g->damaged,
                  (unsigned long long)v->b.file, (unsigned long long)v->b.free,
                  (unsigned long long)v->b.readings, (unsigned long long)v->b.alerts,
                  (unsigned long long)v->b.ledger, (unsigned long long)v->spool);
    sy_buf_printf(b,
                  ",\"segments\":{\"open\":%llu,\"sealed\":%llu,\"set_aside\":%llu,"
                  "\"damaged\":%llu}",
                  (unsigned long long)v->g->n_raw, (unsigned long long)v->g->n_sealed,
                  (unsigned long long)v->g->n_damaged, (unsigned long long)v->g->n_bad);
}

static void put_written(const view *v, uint64_t device, uint64_t pages, sy_buf *b)
{
    double readings = (double)v->counts[SY_N_stored];
    sy_buf_printf(b, ",\"written\":{\"own\":%llu,\"device\":%llu,",
                  (unsigned long long)v->counts[SY_N_bytes_written], (unsigned long long)device);
    number(b, "per_reading", (double)v->counts[SY_N_bytes_written] / readings);
    sy_buf_char(b, ',');
    number(b, "device_per_reading", (double)device / readings);
    sy_buf_printf(b, ",\"journal_pages\":%llu,\"sealing\":%llu", (unsigned long long)pages,
                  (unsigned long long)v->g->seal_bytes);
    /* What is neither is the store's, pages that it wrote twice included. */
    uint64_t told = pages + v->g->seal_bytes, all = sy_keeper__device_bytes();
    uint64_t store = all > told ? all - told : 0;
    const char *most = pages >= store && pages >= v->g->seal_bytes ? "journal"
                       : store >= v->g->seal_bytes                 ? "store"
                                                                   : "sealing";
    if (pages)
        sy_buf_printf(b, ",\"most\":\"%s\"", most);
    sy_buf_printf(b, "},\"day\":{\"measured_days\":%lld,", (long long)v->day.days);
    double known = v->day.days ? 1 : NAN;
    number(b, "written", v->day.written * known);
    sy_buf_char(b, ',');
    number(b, "device", v->day.device * known);
    sy_buf_char(b, ',');
    number(b, "grows", (v->day.raw + v->day.stored) * known);
    sy_buf_char(b, '}');
}

/* Days until the disk is full, as it grows now; NaN: not known, or it does not grow. */
static double days_left(const view *v)
{
    double grows = v->day.raw + v->day.stored;
    return v->day.days && grows > 0 ? (double)v->free_bytes / grows : NAN;
}

static void put_wear(const view *v, const sy_keeping *keeping, sy_buf *b)
{
    uint64_t card = keeping->flash_bytes ? keeping->flash_bytes : v->disk;
    double a_day = v->day.device > v->day.written ? v->day.device : v->day.written;
    double life = (double)card * (double)keeping->flash_cycles;
    sy_buf_printf(b, ",\"wear\":{\"card\":%llu,\"cycles\":%llu,", (unsigned long long)card,
                  (unsigned long long)keeping->flash_cycles);
    number(b, "years", v->day.days && a_day > 0 ? life / a_day / 365.25 : NAN);
    sy_buf_char(b, '}');
}

double sy_keeper_wear(sy_keeper *k)
{
    uint64_t unused;
    pthread_mutex_lock(&k->mu);
    sy_keeping keeping = k->keeping;
    pthread_mutex_unlock(&k->mu);
    uint64_t card = keeping.flash_bytes ? keeping.flash_bytes : sy_keeper__disk(k->o.data, &unused);
    double life = (double)card * (double)keeping.flash_cycles;
    return life > 0 ? 100.0 * (double)(k->device_before + sy_keeper__device_bytes()) / life
                    : (double)NAN;
}

static void put_class(sy_buf *b, const view *v, const char *name, const sy_keep_limit *l,
                      uint64_t used, double grows, sy_ms oldest)
{
    uint64_t limit = l->bytes ? l->bytes : (uint64_t)((double)v->disk * l->share);
    double fit = (double)l->time / (double)DAY_MS;
    if (v->day.days && grows > 0 && (double)limit / grows < fit)
        fit = (double)limit / grows;
    sy_buf_printf(b, "\"%s\":{\"days\":%lld,\"bytes\":%llu,\"used\":%llu,", name,
                  (long long)(l->time / DAY_MS), (unsigned long long)limit,
                  (unsigned long long)used);
    number(b, "days_fit", v->day.days ? fit : NAN);
    sy_buf_char(b, ',');
    put_time(b, "oldest", oldest);
    sy_buf_char(b, '}');
}

static bool look(sy_store *s, const char *data, view *v)
{
    v->disk = sy_keeper__disk(data, &v->free_bytes);
    v->spool = folder_bytes(data, "mqtt/spool");
    v->day = measure(s);
    return sy_store_sizes(s, data, &v->b, NULL) == SY_OK &&
           sy_store_counters(s, v->counts, NULL) == SY_OK;
}

void sy_keeper_status(sy_keeper *k, sy_buf *json)
{
    pthread_mutex_lock(&k->mu);
    sy_keeper_figures g = k->figures;
    sy_keeping keeping = k->keeping;
    pthread_mutex_unlock(&k->mu);
    view v = {.g = &g};
    if (!look(k->o.store, k->o.data, &v)) {
        sy_buf_text(json, "null");
        return;
    }
    sy_buf_char(json, '{');
    put_disk(&v, json);
    put_written(&v, k->device_before + sy_keeper__device_bytes(), sy_journal_paged(k->o.journal),
                json);
    sy_buf_char(json, ',');
    number(json, "days_until_full", days_left(&v));
    put_wear(&v, &keeping, json);
    sy_buf_text(json, ",\"retention\":{");
    put_class(json, &v, "raw", &keeping.raw, g.sealed, v.day.raw, g.raw_oldest);
    sy_buf_char(json, ',');
    put_class(json, &v, "readings", &keeping.readings, v.b.readings, v.day.stored - v.day.alerts,
              g.readings_oldest);
    sy_buf_char(json, ',');
    put_class(json, &v, "alerts", &keeping.alerts, v.b.alerts, v.day.alerts, g.alerts_oldest);
    sy_buf_printf(json,
                  "},\"expired\":{\"raw\":%llu,\"readings\":%llu,\"alerts\":%llu},\"holds\":%llu,"
                  "\"trouble\":",
                  (unsigned long long)g.expired_raw, (unsigned long long)g.expired_readings,
                  (unsigned long long)g.expired_alerts, (unsigned long long)g.holds);
    if (g.trouble[0])
        sy_buf_json(json, sy_span_of(g.trouble));
    else
        sy_buf_text(json, "null");
    sy_buf_char(json, '}');
}

void sy_keeper_offline(sy_store *s, const char *data, sy_buf *json)
{
    sy_keeper_figures g = {0};
    char dir[PATH_MAX];
    sy_segment_file *files = NULL;
    size_t n = 0;
    int64_t device = 0;
    view v = {.g = &g};
    int length = snprintf(dir, sizeof dir, "%s/journal", data);
    if (length > 0 && (size_t)length < sizeof dir && sy_sealed_list(dir, &files, &n, NULL) == SY_OK)
        sy_keeper__count_files(&g, files, n);
    free(files);
    if (!look(s, data, &v) || sy_store_note_get(s, "device_written", &device, NULL)) {
        sy_buf_text(json, "null");
        return;
    }
    sy_buf_char(json, '{');
    put_disk(&v, json);
    put_written(&v, (uint64_t)device, 0, json);
    sy_buf_char(json, ',');
    number(json, "days_until_full", days_left(&v));
    sy_buf_char(json, '}');
}
