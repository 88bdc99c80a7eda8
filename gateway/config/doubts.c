/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a reading of a point doubtful: faults, stuck and rate; what is known of its format
 * where nothing is written.
 */
#include <math.h>
#include <stdlib.h>

#include "config/config_int.h"
#include "config/keys.h"

#define DAY_MS ((sy_ms)86400000)

static const struct {
    const char *set;
    sy_site_fault fault;
} faults[] = {
#define F(set, value, near) {#set, {value, (double)near}},
#define D(format, name, set)
#include "config/faults.def"
#undef F
#undef D
};
static const struct {
    const char *format, *name, *set;
} known[] = {
#define F(set, value, near)
#define D(format, name, set) {#format, #name, #set},
#include "config/faults.def"
#undef F
#undef D
};
enum { N_FAULTS = sizeof faults / sizeof *faults, N_KNOWN = sizeof known / sizeof *known };

typedef struct faults_of {
    sy_site_fault *v;
    size_t n;
} faults_of;

/* False: there is no such set. */
static bool add_set(faults_of *out, sy_span set)
{
    size_t before = out->n;
    for (size_t i = 0; i < N_FAULTS; i++)
        if (sy_span_is(set, faults[i].set))
            out->v[out->n++] = faults[i].fault;
    return out->n > before;
}

static void unknown_set(sy_loader *l, const sy_ynode *at)
{
    const char *names[N_FAULTS];
    for (size_t i = 0; i < N_FAULTS; i++)
        names[i] = faults[i].set;
    sy_cfg_error(l, at, "unknown-word", sy_nearest(at->text, names, N_FAULTS),
                 "'%s' is neither a number nor a name of such numbers: ds18b20, int16, uint16, "
                 "aqara",
                 "“%s”既不是数字，也不是数字组的名称：ds18b20、int16、uint16、aqara", at->text.p);
}

static bool named(sy_span name, const char *pattern)
{
    size_t n = strlen(pattern);
    return n && pattern[n - 1] == '*' ? name.n >= n - 1 && memcmp(name.p, pattern, n - 1) == 0
                                      : sy_span_is(name, pattern);
}

static void point_faults(sy_loader *l, const sy_cfg_cell *c, sy_site_point *p)
{
    size_t written = c[PT_FAULTS].set ? c[PT_FAULTS].n : 0;
    const sy_device *d = p->device ? sy_cfg_device(l, p->device) : NULL;
    faults_of out = {sy_cfg_get(l, (written + N_KNOWN) * N_FAULTS * sizeof *out.v), 0};
    if (!out.v)
        return;
    for (size_t i = 0; i < written; i++) {
        const sy_ynode *at = sy_cfg_item(&c[PT_FAULTS], i);
        double number;
        if (!at->quoted && sy_double_parse(at->text, &number) == SY_OK)
            out.v[out.n++] = (sy_site_fault){number, (double)NAN};
        else if (!add_set(&out, at->text))
            unknown_set(l, at);
    }
    for (size_t i = 0; i < N_KNOWN && !c[PT_FAULTS].node && d && p->name; i++)
        if (strcmp(d->format, known[i].format) == 0 && named(sy_span_of(p->name), known[i].name))
            add_set(&out, sy_span_of(known[i].set));
    p->faults = out.v;
    p->n_faults = out.n;
}

/* "5 / 10 min", "5/min". */
static bool read_rate(sy_span text, double *most, sy_ms *per)
{
    size_t slash = 0;
    char one[64] = "1 ";
    while (slash < text.n && text.p[slash] != '/')
        slash++;
    sy_span number = {text.p, slash};
    while (number.n && number.p[number.n - 1] == ' ')
        number.n--;
    if (slash == text.n || sy_double_parse(number, most) != SY_OK || !(*most > 0))
        return false;
    sy_span time = {text.p + slash + 1, text.n - slash - 1};
    if (!sy_value_duration(time, false, per) && time.n < sizeof one - 2) {
        memcpy(one + 2, time.p, time.n);
        if (!sy_value_duration(sy_span_of(one), false, per))
            return false;
    }
    return *per > 0;
}

/* A temperature that is told so finely never stands still for a day while others move. */
static bool moves(const sy_site_point *p)
{
    const sy_unit *unit = p->unit ? sy_unit_by_id(p->unit) : NULL;
    return unit && strcmp(unit->tag, "temperature") == 0 && p->resolution <= 0.2;
}

void sy_cfg_doubts(sy_loader *l, const sy_cfg_cell *c, sy_site_point *p)
{
    if (p->is_state)
        return;
    point_faults(l, c, p);
    if (c[PT_RATE].set && !read_rate(sy_span_of(c[PT_RATE].text), &p->rate, &p->rate_per))
        sy_cfg_error(l, c[PT_RATE].node, "wrong-value", NULL,
                     "'rate' must be a number and a time, such as 5 / 10 min",
                     "“rate”须为数值与时间，例如 5 / 10 min");
    p->stuck = c[PT_STUCK].set ? c[PT_STUCK].ms : moves(p) ? DAY_MS : 0;
    p->stuck_alone = c[PT_STUCK].set;
}
