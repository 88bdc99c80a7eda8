/* SPDX-License-Identifier: Apache-2.0 */
/* Which silences belong together, and the event that tells of them. */
#include "pipeline/group.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "pipeline/members.h"

static const struct {
    const char *word, *en, *zh, *say_en, *say_zh;
} causes[] = {
    [SY_GROUP_SILENT] = {"premises-silent", "Many points of a premises are silent",
                         "经营场所多个测点同时无数据",
                         "Ask whether the power or the network is off there, then look at each "
                         "point that stays silent.",
                         "请先询问现场是否停电或断网，再逐一检查仍无数据的测点。"},
    [SY_GROUP_BOOT] = {"boot", "Points of a premises did not come back after the box started",
                       "网关启动后经营场所多个测点无数据",
                       "Look whether the devices reach the box since it started.",
                       "请检查网关启动后设备是否能连接到网关。"},
    [SY_GROUP_UPLINK] =
        {"uplink-down", "Many points are silent, and the box's uplink is down",
         "网关上行中断，同时多个测点无数据",
         "Ask whether the power or the network is off there; look at the router "
         "and the line first, then at each point that stays silent.",
         "请先询问现场是否停电或断网，检查路由器和线路，再逐一检查仍无数据的测点。"},
};

bool sy_group_wants(const sy_change *c, const sy_config *config)
{
    const sy_rule *r = c->alert.rule;
    if (c->kind != SY_CHANGE_RAISED || c->late || c->alert.trial)
        return false;
    if (sy_uplink_point(config, c->alert.point))
        return true;
    for (size_t i = 0; i < r->n_alerts; i++)
        if (r->alerts[i].level == c->alert.level)
            return r->alerts[i].when->kind == SY_COND_TEST &&
                   r->alerts[i].when->op == SY_OP_NO_DATA;
    return false;
}

static sy_ms later(sy_ms a, sy_ms b)
{
    return a > b ? a : b;
}

static bool together(sy_ms a, sy_ms b, sy_ms within)
{
    return (a < b ? b - a : a - b) <= within;
}

static const sy_site_premises *premises_of(const sy_site *site, uint32_t point)
{
    return &site->premises[site->places[site->points[point].place].premises];
}

static sy_ms silent_since(const sy_group_look *look, uint32_t point)
{
    return later(sy_judge_newest(look->judge, point), look->start);
}

typedef struct silence { /* the first of those that may belong together */
    uint32_t point;
    sy_ms onset, at; /* since when, and when it is judged */
} silence;

/* Points of the premises that send at an interval, and those of them that fell silent with it. */
static void count(const sy_group_look *look, const silence *s, uint32_t *quiet, uint32_t *of)
{
    const sy_site *site = look->config->site;
    const sy_site_point *first = &site->points[s->point];
    const sy_site_premises *premises = premises_of(site, s->point);
    *quiet = *of = 0;
    for (uint32_t i = 0; i < site->n_points; i++) {
        const sy_site_point *p = &site->points[i];
        if (p->every == 0 || premises_of(site, i) != premises)
            continue;
        ++*of;
        sy_ms since = silent_since(look, i);
        sy_ms within = later(SY_GROUP_WITHIN, later(p->every, first->every));
        if (i == s->point ||
            (together(since, s->onset, within) && since + 2 * p->every <= s->at + first->delivery))
            ++*quiet;
    }
}

/* The silence of the uplink's premises that began closest to when the uplink went down; false:
 * none did. */
static bool silent_with(const sy_group_look *look, const sy_change *c, sy_ms down, silence *out)
{
    const sy_site *site = look->config->site;
    const sy_site_premises *premises = premises_of(site, c->alert.point);
    sy_ms least = SY_UPLINK_WITHIN + 1;
    for (uint32_t i = 0; i < site->n_points; i++) {
        const sy_site_point *p = &site->points[i];
        if (p->every == 0 || premises_of(site, i) != premises)
            continue;
        sy_ms since = silent_since(look, i);
        sy_ms apart = since < down ? down - since : since - down;
        if (apart < least && since + 2 * p->every <= c->at) {
            least = apart;
            *out = (silence){i, since, c->at};
        }
    }
    return least <= SY_UPLINK_WITHIN;
}

static void id_of(const char *gateway, const char *premises, sy_ms onset, char out[33])
{
    sy_sha256 s;
    unsigned char h[32];
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)onset);
    sy_sha256_init(&s);
    sy_sha256_add(&s, gateway, strlen(gateway) + 1);
    sy_sha256_add(&s, "group", sizeof "group");
    sy_sha256_add(&s, premises, strlen(premises) + 1);
    sy_sha256_add(&s, digits, (size_t)n);
    sy_sha256_end(&s, h);
    sy_hex(h, 16, out);
}

static void drop(sy_groups *g, size_t i)
{
    free(g->v[i].premises);
    memmove(&g->v[i], &g->v[i + 1], (g->n - i - 1) * sizeof *g->v);
    g->n--;
}

static sy_group *add(sy_groups *g, const char *premises)
{
    if (sy_grow(sy_heap(), (void **)&g->v, &g->cap, g->n + 1, sizeof *g->v))
        return NULL;
    sy_group *x = &g->v[g->n];
    *x = (sy_group){.premises = strdup(premises)};
    if (!x->premises)
        return NULL;
    g->n++;
    return x;
}

/* The alert is of the uplink itself, which is down: a storm that began while it was, or with it. */
static sy_group *storm_of(sy_groups *g, const sy_uplink_turn *down)
{
    for (size_t i = 0; i < g->n; i++) {
        sy_group *x = &g->v[i];
        if ((x->cause == SY_GROUP_UPLINK && down->since <= x->raised) ||
            together(x->onset, down->since, SY_UPLINK_WITHIN)) {
            x->uplink = x->cause != SY_GROUP_UPLINK;
            return x;
        }
    }
    return NULL;
}

static sy_group *open_at(sy_groups *g, const char *premises, sy_ms onset, sy_ms within)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->v[i].premises, premises) == 0 && together(g->v[i].onset, onset, within))
            return &g->v[i];
    return NULL;
}

sy_err sy_groups_of(sy_groups *g, const sy_group_look *look, const sy_change *c,
                    const sy_group **out, bool *made)
{
    const sy_site *site = look->config->site;
    const char *premises = premises_of(site, c->alert.point)->id;
    const sy_uplink_turn *down = sy_uplink_down(look->uplink, c->at);
    bool own = sy_uplink_point(look->config, c->alert.point);
    silence s = {c->alert.point, later(c->alert.onset, look->start), c->at};
    uint32_t quiet, of;
    *made = false;
    *out = own && down ? storm_of(g, down)
           : own
               ? NULL
               : open_at(g, premises, s.onset, later(SY_GROUP_WITHIN, site->points[s.point].every));
    if (*out || (own && !(down && silent_with(look, c, down->since, &s))))
        return SY_OK;
    count(look, &s, &quiet, &of);
    if (g->n >= SY_GROUPS || !(quiet >= SY_GROUP_LEAST || (quiet > 1 && 2 * quiet > of)))
        return SY_OK;
    sy_group *x = add(g, premises);
    if (!x)
        return SY_E_NOMEM;
    id_of(site->gateway, premises, s.onset, x->id);
    memcpy(x->first, c->alert.id, sizeof x->first);
    x->cause = down                                                  ? SY_GROUP_UPLINK
               : sy_judge_newest(look->judge, s.point) < look->start ? SY_GROUP_BOOT
                                                                     : SY_GROUP_SILENT;
    x->level = c->alert.level;
    x->onset = s.onset;
    x->raised = c->at;
    x->quiet = quiet;
    x->of = of;
    *out = x;
    *made = true;
    return SY_OK;
}

const sy_group *sy_groups_find(const sy_groups *g, const char *id)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->v[i].id, id) == 0)
            return &g->v[i];
    return NULL;
}

void sy_groups_end(sy_groups *g, const char *id)
{
    for (size_t i = g->n; i-- > 0;)
        if (strcmp(g->v[i].id, id) == 0)
            drop(g, i);
}

void sy_groups_fini(sy_groups *g)
{
    while (g->n)
        drop(g, g->n - 1);
    free(g->v);
    *g = (sy_groups){0};
}

/* ---- the event ---- */

static void both(sy_buf *b, const char *name, const char *en, const char *zh)
{
    sy_member_key(b, name);
    sy_buf_char(b, '{');
    sy_member_text(b, "en", en);
    sy_member_text(b, "zh", zh);
    sy_buf_char(b, '}');
}

/* The same shape as an alert's, so that whoever shows alerts can show it. */
static void alert_object(const sy_group *g, sy_ms cleared, size_t members, sy_buf *b)
{
    sy_member_key(b, "alert");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", g->id);
    sy_member_text(b, "rule", causes[g->cause].word);
    sy_member_text(b, "pack", NULL);
    sy_member_int(b, "version", 1);
    sy_member_text(b, "subject", g->premises);
    sy_member_text(b, "severity", sy_alert_level_text(g->level, SY_EN));
    sy_member_time(b, "onset", g->onset);
    sy_member_time(b, "raised", g->raised);
    sy_member_time(b, "cleared", cleared);
    sy_member_text(b, "state", cleared == SY_MS_NONE ? "active" : "cleared");
    sy_member_text(b, "min", NULL);
    sy_member_text(b, "max", NULL);
    sy_member_int(b, "count", (int64_t)members);
    sy_member_text(b, "message", causes[g->cause].say_en);
    sy_buf_char(b, '}');
}

static void rule_object(const sy_group *g, sy_buf *b)
{
    sy_member_key(b, "rule");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", causes[g->cause].word);
    sy_member_int(b, "version", 1);
    both(b, "title", causes[g->cause].en, causes[g->cause].zh);
    both(b, "say", causes[g->cause].say_en, causes[g->cause].say_zh);
    sy_buf_char(b, '}');
}

static void premises_object(const sy_group *g, const sy_site *site, sy_buf *b)
{
    const char *name = NULL, *code = NULL;
    for (size_t i = 0; i < site->n_premises; i++)
        if (strcmp(site->premises[i].id, g->premises) == 0) {
            name = site->premises[i].name;
            code = site->premises[i].code;
        }
    sy_member_key(b, "premises");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", g->premises);
    sy_member_text(b, "name", name);
    sy_member_text(b, "code", code);
    sy_buf_char(b, '}');
}

void sy_group_event(const sy_group *g, const sy_config *config, bool replay_clock, sy_ms cleared,
                    size_t members, sy_buf *out)
{
    bool over = cleared != SY_MS_NONE;
    char text[160];
    sy_buf_char(out, '{');
    sy_member_text(out, "specversion", "1.0");
    snprintf(text, sizeof text, "%s/%d", g->id, over ? 2 : 1);
    sy_member_text(out, "id", text);
    sy_member_key(out, "source");
    sy_buf source;
    sy_buf_init(&source, out->alloc);
    sy_buf_text(&source, "/steelyard/");
    sy_buf_text(&source, config->site->gateway);
    sy_buf_json(out, sy_buf_span(&source));
    out->failed = out->failed || source.failed;
    sy_buf_fini(&source);
    sy_member_text(out, "type", over ? "steelyard.group.cleared" : "steelyard.group.raised");
    sy_member_text(out, "subject", g->premises);
    sy_member_time(out, "time", over ? cleared : g->raised);
    sy_member_text(out, "datacontenttype", "application/json");
    sy_member_key(out, "data");
    sy_buf_char(out, '{');
    sy_member_text(out, "change", over ? "cleared" : "raised");
    sy_member_text(out, "clock", replay_clock ? "replay" : "wall");
    alert_object(g, cleared, members, out);
    sy_member_key(out, "group");
    sy_buf_char(out, '{');
    sy_member_text(out, "id", g->id);
    sy_member_text(out, "cause", causes[g->uplink ? SY_GROUP_UPLINK : g->cause].word);
    sy_member_text(out, "first", g->first);
    sy_member_int(out, "quiet", g->quiet);
    sy_member_int(out, "of", g->of);
    sy_member_int(out, "members", (int64_t)members);
    sy_buf_char(out, '}');
    rule_object(g, out);
    premises_object(g, config->site, out);
    sy_buf_text(out, "}}");
}

/* ---- saving ---- */

enum { LATER = 0x80 }; /* beside the cause: the uplink was down, as was known later */

void sy_groups_save(const sy_groups *g, sy_buf *out)
{
    sy_buf_u32(out, (uint32_t)g->n);
    for (size_t i = 0; i < g->n; i++) {
        const sy_group *x = &g->v[i];
        sy_buf_blob(out, sy_span_of(x->id));
        sy_buf_blob(out, sy_span_of(x->first));
        sy_buf_blob(out, sy_span_of(x->premises));
        sy_buf_u8(out, (uint8_t)(x->cause | (x->uplink ? LATER : 0)));
        sy_buf_u8(out, (uint8_t)x->level);
        sy_buf_u64(out, (uint64_t)x->onset);
        sy_buf_u64(out, (uint64_t)x->raised);
        sy_buf_u32(out, x->quiet);
        sy_buf_u32(out, x->of);
    }
}

sy_err sy_groups_load(sy_groups *g, sy_rd *in)
{
    uint32_t n = sy_rd_u32(in);
    if (n > SY_GROUPS)
        return SY_E_CORRUPT;
    for (uint32_t i = 0; i < n; i++) {
        sy_span id = sy_rd_blob(in), first = sy_rd_blob(in), premises = sy_rd_blob(in);
        char name[256] = "";
        if (in->bad || id.n != 32 || first.n != 32 || !premises.n || premises.n >= sizeof name)
            return SY_E_CORRUPT;
        memcpy(name, premises.p, premises.n);
        sy_group *x = add(g, name);
        if (!x)
            return SY_E_NOMEM;
        memcpy(x->id, id.p, 32);
        memcpy(x->first, first.p, 32);
        uint8_t cause = sy_rd_u8(in), level = sy_rd_u8(in);
        bool later_known = (cause & LATER) != 0;
        cause &= (uint8_t)~LATER;
        x->onset = (sy_ms)sy_rd_u64(in);
        x->raised = (sy_ms)sy_rd_u64(in);
        x->quiet = sy_rd_u32(in);
        x->of = sy_rd_u32(in);
        if (in->bad || cause > SY_GROUP_UPLINK || level < SY_NOTICE || level > SY_MAJOR)
            return SY_E_CORRUPT;
        x->cause = (sy_group_cause)cause;
        x->uplink = later_known;
        x->level = (sy_alert_level)level;
    }
    return in->bad ? SY_E_CORRUPT : SY_OK;
}
