/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of the kernel as numbers. */
#include "run/senses.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 128 };

/* The first line of a file, without its end; false: there is none. */
static bool first_line(const char *path, char out[LINE])
{
    FILE *f = fopen(path, "re");
    bool got = f && fgets(out, LINE, f);
    if (f)
        fclose(f);
    if (got)
        out[strcspn(out, "\n")] = '\0';
    return got;
}

static double number(const char *path)
{
    char line[LINE], *end;
    if (!first_line(path, line))
        return (double)NAN;
    double v = strtod(line, &end);
    return end == line ? (double)NAN : v;
}

typedef void (*each_fn)(void *ctx, const char *folder);

/* Every entry of a folder whose name begins so. */
static void each(const char *root, const char *folder, const char *prefix, each_fn fn, void *ctx)
{
    char path[PATH_MAX], entry[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s%s", root, folder);
    DIR *d = n > 0 && (size_t)n < sizeof path ? opendir(path) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, strlen(prefix)) != 0)
            continue;
        n = snprintf(entry, sizeof entry, "%s/%s", path, e->d_name);
        if (n > 0 && (size_t)n < sizeof entry - 32)
            fn(ctx, entry);
    }
    if (d)
        closedir(d);
}

static double in(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path ? number(path) : (double)NAN;
}

static bool says(const char *folder, const char *name, const char *word)
{
    char path[PATH_MAX], line[LINE];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path && first_line(path, line) && strcmp(line, word) == 0;
}

static void hottest(void *ctx, const char *folder)
{
    double *most = ctx, celsius = in(folder, "temp") / 1000;
    if (celsius > -50 && celsius < 150 && !(celsius <= *most))
        *most = celsius;
}

double sy_sense_temperature(const char *root)
{
    double most = (double)NAN;
    each(root, "/sys/class/thermal", "thermal_zone", hottest, &most);
    return most;
}

double sy_sense_load(const char *root)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/proc/loadavg", root);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return number(path) / (double)(n > 0 ? n : 1);
}

double sy_sense_memory(const char *root)
{
    char path[PATH_MAX], line[LINE];
    unsigned long long total = 0, free = 0;
    bool has_free = false;
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "MemTotal:", 9) == 0)
            total = strtoull(line + 9, NULL, 10);
        if (strncmp(line, "MemAvailable:", 13) == 0) {
            free = strtoull(line + 13, NULL, 10);
            has_free = true;
        }
    }
    if (f)
        fclose(f);
    return total && has_free ? 100.0 * (double)free / (double)total : (double)NAN;
}

static void on_mains(void *ctx, const char *folder)
{
    int *mains = ctx;
    if (!says(folder, "type", "Mains") && !says(folder, "type", "USB"))
        return;
    bool on = in(folder, "online") > 0; /* 2: programmable, and on */
    *mains = on || *mains == 1;
}

int sy_sense_mains(const char *root)
{
    int mains = -1;
    each(root, "/sys/class/power_supply", "", on_mains, &mains);
    return mains;
}

/* A battery of scope Device is that of a mouse. */
static void fullest(void *ctx, const char *folder)
{
    double *most = ctx, percent = in(folder, "capacity");
    if (says(folder, "type", "Battery") && !says(folder, "scope", "Device") && percent >= 0 &&
        percent <= 100 && !(percent <= *most))
        *most = percent;
}

double sy_sense_battery(const char *root)
{
    double most = (double)NAN;
    each(root, "/sys/class/power_supply", "", fullest, &most);
    return most;
}
