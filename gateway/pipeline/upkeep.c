/* SPDX-License-Identifier: Apache-2.0 */
/* Stretches of maintenance: their records, which readings lie in them, and how they are saved. */
#include "pipeline/upkeep.h"

#include "pipeline/tabs.h"

#include <stdlib.h>

static const char *const kinds[] = {"place", "device", "point"};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

const char *sy_upkeep_kind_name(sy_upkeep_kind k)
{
    return (unsigned)k < N_KINDS ? kinds[k] : "?";
}

/* ---- the record ---- */

void sy_upkeep_text(const sy_upkeep_act *a, sy_buf *out)
{
    sy_buf_text(out, a->start ? "maintenance-start\t" : "maintenance-end\t");
    sy_buf_text(out, sy_upkeep_kind_name(a->kind));
    sy_buf_char(out, '\t');
    sy_buf_span_put(out, a->on);
    sy_buf_char(out, '\t');
    sy_buf_int(out, a->start ? a->until : 0);
    sy_buf_char(out, '\t');
    sy_buf_span_put(out, a->who);
    sy_buf_char(out, '\t');
    sy_buf_span_put(out, a->why);
}

sy_err sy_upkeep_parse(sy_span payload, sy_upkeep_act *out)
{
    sy_span f[6];
    bool good = sy_tabs_split(payload, f, 6) && !memchr(f[5].p, '\t', f[5].n);
    for (size_t i = 0; i < 6 && good; i++)
        good = f[i].n > 0 && f[i].n <= SY_UPKEEP_TEXT * 2;
    if (!good)
        return SY_E_PARSE;
    *out = (sy_upkeep_act){
        .start = sy_span_is(f[0], "maintenance-start"), .on = f[2], .who = f[4], .why = f[5]};
    if (!out->start && !sy_span_is(f[0], "maintenance-end"))
        return SY_E_PARSE;
    for (size_t k = 0; k < N_KINDS; k++)
        if (sy_span_is(f[1], kinds[k])) {
            out->kind = (sy_upkeep_kind)k;
            return sy_tabs_time(f[3], &out->until) ? SY_OK : SY_E_PARSE;
        }
    return SY_E_PARSE;
}

/* ---- things of a site ---- */

static bool is_place(const sy_site *site, uint32_t place, const char *on)
{
    const char *premises = site->premises[site->places[place].premises].id;
    size_t n = strlen(premises);
    return strncmp(on, premises, n) == 0 && on[n] == '/' &&
           strcmp(on + n + 1, site->places[place].id) == 0;
}

static uint32_t find_index(const sy_site *site, sy_upkeep_kind kind, const char *on)
{
    for (uint32_t i = 0; kind == SY_UPKEEP_PLACE && i < site->n_places; i++)
        if (is_place(site, i, on))
            return i;
    uint32_t point;
    if (kind == SY_UPKEEP_POINT)
        return sy_site_point_of(site, on, &point) ? point : UINT32_MAX;
    for (uint32_t i = 0; kind == SY_UPKEEP_DEVICE && i < site->n_points; i++)
        if (site->points[i].device && strcmp(site->points[i].device, on) == 0)
            return i;
    return UINT32_MAX;
}

typedef struct search {
    const sy_site *site;
    const char *name; /* without its kind */
    sy_upkeep_kind kind;
    uint32_t place;
    size_t found;
} search;

static void found(search *s, sy_upkeep_kind kind, uint32_t place)
{
    s->kind = kind;
    s->place = place;
    s->found++;
}

static void look(search *s, sy_upkeep_kind kind)
{
    if (kind != SY_UPKEEP_PLACE) {
        if (find_index(s->site, kind, s->name) != UINT32_MAX)
            found(s, kind, 0);
        return;
    }
    for (uint32_t i = 0; i < s->site->n_places; i++)
        if (is_place(s->site, i, s->name) || strcmp(s->site->places[i].id, s->name) == 0)
            found(s, kind, i);
}

sy_err sy_upkeep_find(const sy_site *site, const char *on, sy_upkeep_kind *kind, sy_buf *out,
                      sy_fail *f)
{
    search s = {.site = site, .name = on};
    bool named = false;
    for (size_t k = 0; k < N_KINDS; k++) {
        size_t n = strlen(kinds[k]);
        if (strncmp(on, kinds[k], n) != 0 || on[n] != ':')
            continue;
        named = true;
        s.name = on + n + 1;
        look(&s, (sy_upkeep_kind)k);
    }
    for (size_t k = 0; k < N_KINDS && !named; k++)
        look(&s, (sy_upkeep_kind)k);
    if (!s.found)
        return sy_fail_set(f, SY_E_NOTFOUND,
                           "no place, device or point '%.100s' is in the configuration", on);
    if (s.found > 1)
        return sy_fail_set(f, SY_E_RANGE,
                           "'%.100s' is more than one thing: write place:PREMISES/PLACE, "
                           "device:ID or point:SERIES",
                           on);
    *kind = s.kind;
    if (s.kind == SY_UPKEEP_PLACE) {
        const sy_site_place *place = &site->places[s.place];
        sy_buf_text(out, site->premises[place->premises].id);
        sy_buf_char(out, '/');
        sy_buf_text(out, place->id);
    } else {
        sy_buf_text(out, s.name);
    }
    return out->failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory") : SY_OK;
}

/* ---- the stretches ---- */

void sy_upkeep_fini(sy_upkeep *u)
{
    for (size_t i = 0; i < u->n; i++)
        free(u->v[i].on);
    free(u->v);
    *u = (sy_upkeep){NULL, 0};
}

static void drop(sy_upkeep *u, size_t i)
{
    free(u->v[i].on);
    memmove(&u->v[i], &u->v[i + 1], (u->n - i - 1) * sizeof *u->v);
    u->n--;
}

static sy_err add(sy_upkeep *u, const sy_site *site, const sy_upkeep_act *a, sy_ms from)
{
    if (!u->v && !(u->v = calloc(SY_UPKEEPS, sizeof *u->v)))
        return SY_E_NOMEM;
    sy_upkeep_stretch *s = &u->v[u->n];
    char *text = malloc(a->on.n + a->who.n + a->why.n + 3);
    if (!text)
        return SY_E_NOMEM;
    *s = (sy_upkeep_stretch){.kind = a->kind, .from = from, .until = a->until, .on = text};
    s->who = text + a->on.n + 1;
    s->why = s->who + a->who.n + 1;
    const sy_span parts[] = {a->on, a->who, a->why};
    for (size_t i = 0; i < 3; i++) {
        memcpy(text, parts[i].p, parts[i].n);
        text[parts[i].n] = '\0';
        text += parts[i].n + 1;
    }
    s->index = find_index(site, s->kind, s->on);
    u->n++;
    return SY_OK;
}

static void make_room(sy_upkeep *u, sy_ms now, sy_ms since)
{
    for (size_t i = u->n; i-- > 0;)
        if (u->v[i].until < since)
            drop(u, i);
    for (size_t i = 0; u->n == SY_UPKEEPS && i < u->n; i++)
        if (u->v[i].until <= now) {
            drop(u, i);
            break;
        }
}

sy_err sy_upkeep_take(sy_upkeep *u, const sy_site *site, const sy_upkeep_act *a, sy_ms now,
                      sy_ms since)
{
    make_room(u, now, since);
    if (a->start && u->n == SY_UPKEEPS)
        return SY_E_FULL;
    bool ran = false;
    for (size_t i = 0; i < u->n; i++) {
        sy_upkeep_stretch *s = &u->v[i];
        if (s->kind == a->kind && s->until > now && sy_span_is(a->on, s->on)) {
            s->until = now;
            ran = true;
        }
    }
    if (!a->start)
        return ran ? SY_OK : SY_E_NOTFOUND;
    return a->until > now ? add(u, site, a, now) : SY_E_RANGE;
}

void sy_upkeep_site(sy_upkeep *u, const sy_site *site)
{
    for (size_t i = 0; i < u->n; i++)
        u->v[i].index = find_index(site, u->v[i].kind, u->v[i].on);
}

static const sy_upkeep_stretch *covering(const sy_upkeep *u, const sy_site *site, uint32_t point,
                                         sy_ms t)
{
    const sy_site_point *p = &site->points[point];
    for (size_t i = 0; i < u->n; i++) {
        const sy_upkeep_stretch *s = &u->v[i];
        if (t < s->from || t >= s->until)
            continue;
        if ((s->kind == SY_UPKEEP_PLACE && s->index == p->place) ||
            (s->kind == SY_UPKEEP_POINT && s->index == point) ||
            (s->kind == SY_UPKEEP_DEVICE && p->device && strcmp(p->device, s->on) == 0))
            return s;
    }
    return NULL;
}

bool sy_upkeep_covers(const sy_upkeep *u, const sy_site *site, uint32_t point, sy_ms t)
{
    return covering(u, site, point, t) != NULL;
}

sy_ms sy_upkeep_until(const sy_upkeep *u, const sy_site *site, uint32_t point, sy_ms t)
{
    sy_ms until = SY_MS_NONE;
    for (const sy_upkeep_stretch *s; (s = covering(u, site, point, t)); t = until)
        until = s->until;
    return until;
}

void sy_upkeep_move(sy_upkeep *u, sy_ms now, sy_ms by)
{
    for (size_t i = 0; i < u->n; i++) {
        sy_upkeep_stretch *s = &u->v[i];
        if (s->until <= now)
            continue;
        s->from = s->from + by > 0 ? s->from + by : 0;
        s->until = s->until + by > 0 ? s->until + by : 0;
    }
}

static void put_time(sy_buf *out, const char *key, sy_ms t)
{
    char text[25];
    sy_time_text(t, text);
    sy_buf_printf(out, ",\"%s\":\"%s\"", key, text);
}

void sy_upkeep_json(const sy_upkeep_stretch *s, sy_buf *out)
{
    sy_buf_printf(out, "{\"kind\":\"%s\",\"on\":", sy_upkeep_kind_name(s->kind));
    sy_buf_json(out, sy_span_of(s->on));
    put_time(out, "from", s->from);
    put_time(out, "until", s->until);
    sy_buf_text(out, ",\"who\":");
    sy_buf_json(out, sy_span_of(s->who));
    sy_buf_text(out, ",\"why\":");
    sy_buf_json(out, sy_span_of(s->why));
    sy_buf_char(out, '}');
}

void sy_upkeep_save(const sy_upkeep *u, sy_buf *out)
{
    sy_buf_u32(out, (uint32_t)u->n);
    for (size_t i = 0; i < u->n; i++) {
        const sy_upkeep_stretch *s = &u->v[i];
        sy_buf_u8(out, (uint8_t)s->kind);
        sy_buf_u64(out, (uint64_t)s->from);
        sy_buf_u64(out, (uint64_t)s->until);
        sy_buf_blob(out, sy_span_of(s->on));
        sy_buf_blob(out, sy_span_of(s->who));
        sy_buf_blob(out, sy_span_of(s->why));
    }
}

sy_err sy_upkeep_load(sy_upkeep *u, const sy_site *site, sy_rd *in)
{
    uint32_t n = sy_rd_u32(in);
    if (n > SY_UPKEEPS)
        return SY_E_CORRUPT;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t kind = sy_rd_u8(in);
        sy_ms from = (sy_ms)sy_rd_u64(in);
        sy_upkeep_act a = {.start = true, .kind = (sy_upkeep_kind)kind};
        a.until = (sy_ms)sy_rd_u64(in);
        a.on = sy_rd_blob(in);
        a.who = sy_rd_blob(in);
        a.why = sy_rd_blob(in);
        if (in->bad || kind >= N_KINDS || from < 0 || a.until < 0 || a.until > SY_TABS_LAST ||
            from > SY_TABS_LAST || !a.on.n || !a.who.n || !a.why.n)
            return SY_E_CORRUPT;
        sy_err err = add(u, site, &a, from);
        if (err)
            return err;
    }
    return in->bad ? SY_E_CORRUPT : SY_OK;
}
