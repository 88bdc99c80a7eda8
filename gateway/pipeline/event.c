/* SPDX-License-Identifier: Apache-2.0 */
/* CloudEvents of alert changes. Written with the buffer's own JSON helpers, key by key in a fixed
 * order, because the bytes must be the same in every replay. */
#include "pipeline/event.h"

#include <math.h>

#include "pipeline/members.h"

static const char *const change_texts[] = {
    [SY_CHANGE_RAISED] = "raised",   [SY_CHANGE_ESCALATED] = "escalated",
    [SY_CHANGE_CLEARED] = "cleared", [SY_CHANGE_SUPERSEDED] = "superseded",
    [SY_CHANGE_AMENDED] = "amended", [SY_CHANGE_WITHDRAWN] = "withdrawn",
};
static const char *const state_texts[] = {
    [SY_ALERT_ACTIVE] = "active",
    [SY_ALERT_CLEARED] = "cleared",
    [SY_ALERT_SUPERSEDED] = "superseded",
    [SY_ALERT_WITHDRAWN] = "withdrawn",
};

const char *sy_change_text(sy_change_kind k)
{
    return change_texts[k];
}

const char *sy_event_kind(const sy_event_of *e)
{
    return e->act ? e->act->kind : sy_change_text(e->change->kind);
}

void sy_event_id(const sy_alert *a, uint64_t number, sy_buf *out)
{
    sy_buf_text(out, a->id);
    sy_buf_char(out, '/');
    sy_buf_int(out, (int64_t)number);
}

static void both(sy_buf *b, const char *name, const char *en, const char *zh)
{
    sy_member_key(b, name);
    if (!en && !zh) {
        sy_buf_text(b, "null");
        return;
    }
    sy_buf_char(b, '{');
    sy_member_text(b, "en", en);
    sy_member_text(b, "zh", zh);
    sy_buf_char(b, '}');
}

static void alert_object(sy_buf *b, const sy_alert *a, bool is_state)
{
    const sy_rule *r = a->rule;
    sy_member_key(b, "alert");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", a->id);
    sy_member_text(b, "rule", r->id);
    sy_member_text(b, "pack", NULL);
    sy_member_int(b, "version", (int64_t)r->version->value);
    sy_member_text(b, "subject", a->subject);
    sy_member_text(b, "severity", sy_alert_level_text(a->level, SY_EN));
    sy_member_time(b, "onset", a->onset);
    sy_member_time(b, "raised", a->raised);
    sy_member_time(b, "cleared", a->cleared);
    sy_member_text(b, "state", state_texts[a->state]);
    sy_member_number(b, "min", is_state ? NAN : a->min);
    sy_member_number(b, "max", is_state ? NAN : a->max);
    sy_member_int(b, "count", (int64_t)a->count);
    sy_member_text(b, "message", r->say.en ? r->say.en : r->say.zh);
    sy_buf_char(b, '}');
}

static void rule_object(sy_buf *b, const sy_alert *a, const sy_site_premises *premises)
{
    const sy_rule *r = a->rule;
    sy_member_key(b, "rule");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", r->id);
    sy_member_int(b, "version", (int64_t)r->version->value);
    both(b, "title", r->title.en, r->title.zh);
    both(b, "say", r->say.en, r->say.zh);
    sy_member_key(b, "basis");
    sy_buf_char(b, '[');
    for (size_t i = 0; i < r->n_bases; i++) {
        if (i)
            sy_buf_char(b, ',');
        sy_buf_char(b, '{');
        both(b, "text", r->bases[i].text.en, r->bases[i].text.zh);
        both(b, "clause", r->bases[i].clause.en, r->bases[i].clause.zh);
        sy_member_truth(b, "verify", r->bases[i].verify);
        sy_member_text(b, "origin", r->bases[i].origin == SY_ORIGIN_LAW ? "law" : "policy");
        sy_buf_char(b, '}');
    }
    sy_buf_char(b, ']');
    sy_member_key(b, "limit");
    sy_buf_char(b, '{');
    for (int lang = SY_EN; lang <= SY_ZH; lang++) {
        sy_buf limit;
        sy_buf_init(&limit, b->alloc);
        sy_limit_text(r, a->level, premises, (sy_lang)lang, &limit);
        sy_member_key(b, lang == SY_EN ? "en" : "zh");
        sy_buf_json(b, sy_buf_span(&limit));
        b->failed = b->failed || limit.failed;
        sy_buf_fini(&limit);
    }
    sy_buf_char(b, '}');
    sy_member_text(b, "judgement", r->judgement_hex);
    sy_buf_char(b, '}');
}

static void site_objects(sy_buf *b, const sy_config *c, const sy_site_point *point)
{
    const sy_site_place *place = &c->site->places[point->place];
    const sy_site_premises *premises = &c->site->premises[place->premises];
    sy_member_key(b, "premises");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", premises->id);
    sy_member_text(b, "name", premises->name);
    sy_member_text(b, "code", premises->code);
    sy_buf_char(b, '}');
    sy_member_key(b, "place");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", place->id);
    sy_member_text(b, "kind", place->kind);
    sy_member_text(b, "name", place->name);
    sy_buf_char(b, '}');
    sy_member_text(b, "device", point->device);
    sy_member_text(b, "series", point->series);
    sy_member_text(b, "quantity", point->quantity);
    sy_member_text(b, "unit", point->is_state ? NULL : point->unit);
}

static void tell_object(sy_buf *b, const sy_alert *a, const sy_site_premises *premises)
{
    const sy_tell *tell = sy_event_tell(a->rule, a->level);
    sy_member_key(b, "tell");
    sy_buf_char(b, '[');
    for (size_t i = 0; tell && i < tell->n_recipients; i++) {
        if (i)
            sy_buf_char(b, ',');
        sy_buf_json(b, sy_span_of(tell->recipients[i].word->id));
    }
    sy_buf_char(b, ']');
    if (!tell || !tell->respond_within) {
        sy_member_text(b, "respond_within_ms", NULL);
        return;
    }
    sy_member_int(b, "respond_within_ms", sy_event_respond(a->rule, a->level, premises));
}

static void act_object(sy_buf *b, const sy_event_of *e)
{
    const sy_act *a = e->act->act;
    sy_member_key(b, "act");
    sy_buf_text(b, "{\"kind\":");
    sy_buf_json(b, sy_span_of(sy_act_word(a->kind)));
    sy_member_key(b, "who");
    if (a->who.n)
        sy_buf_json(b, a->who);
    else
        sy_buf_text(b, "null");
    sy_member_key(b, "via");
    sy_buf_json(b, a->via);
    sy_member_key(b, "why");
    sy_buf_json(b, a->why);
    sy_member_time(b, "until", a->until > 0 ? a->until : SY_MS_NONE);
    sy_member_time(b, "at", e->change->at);
    sy_buf_char(b, '}');
}

static void data_object(sy_buf *b, const sy_event_of *e)
{
    const sy_alert *a = &e->change->alert;
    const sy_site *site = e->config->site;
    const sy_site_point *point = &site->points[a->point];
    const sy_site_premises *premises = &site->premises[site->places[point->place].premises];
    sy_member_key(b, "data");
    sy_buf_char(b, '{');
    sy_member_text(b, "change", sy_event_kind(e));
    sy_member_text(b, "clock", e->replay_clock ? "replay" : "wall");
    alert_object(b, a, point->is_state);
    sy_member_text(b, "replaces", a->replaces);
    sy_member_text(b, "replaced_by", e->change->replaced_by);
    sy_member_text(b, "reason", e->change->late ? "late-readings" : NULL);
    rule_object(b, a, premises);
    site_objects(b, e->config, point);
    tell_object(b, a, premises);
    sy_member_key(b, "measure");
    sy_buf_char(b, '{');
    sy_member_int(b, "counted_ms", a->counted);
    sy_member_int(b, "unknown_ms", a->unknown);
    sy_member_int(b, "exempt_ms", a->exempt);
    sy_member_int(b, "span_ms", a->span);
    sy_buf_char(b, '}');
    if (e->shelved != SY_MS_NONE) {
        sy_member_truth(b, "shelved", true);
        sy_member_time(b, "shelved_until", e->shelved);
    }
    if (e->suppressed != SY_MS_NONE) {
        sy_member_text(b, "suppressed", "maintenance");
        sy_member_time(b, "suppressed_until", e->suppressed);
    }
    if (e->group[0])
        sy_member_text(b, "group", e->group);
    if (e->act && e->act->act)
        act_object(b, e);
    sy_buf_char(b, '}');
}

void sy_event_json(const sy_event_of *e, sy_buf *out)
{
    const sy_alert *a = &e->change->alert;
    sy_buf word;
    sy_buf_init(&word, out->alloc);
    sy_buf_char(out, '{');
    sy_member_text(out, "specversion", "1.0");
    sy_event_id(a, e->number, &word);
    sy_member_key(out, "id");
    sy_buf_json(out, sy_buf_span(&word));
    sy_buf_reset(&word);
    sy_buf_text(&word, "/steelyard/");
    sy_buf_text(&word, e->config->site->gateway);
    sy_member_key(out, "source");
    sy_buf_json(out, sy_buf_span(&word));
    sy_buf_reset(&word);
    sy_buf_text(&word, "steelyard.alert.");
    sy_buf_text(&word, sy_event_kind(e));
    sy_member_key(out, "type");
    sy_buf_json(out, sy_buf_span(&word));
    out->failed = out->failed || word.failed;
    sy_buf_fini(&word);
    sy_member_text(out, "subject", a->subject);
    sy_member_time(out, "time", e->change->at);
    sy_member_text(out, "datacontenttype", "application/json");
    data_object(out, e);
    sy_buf_char(out, '}');
}

const sy_tell *sy_event_tell(const sy_rule *r, sy_alert_level level)
{
    const sy_tell *any = NULL;
    for (size_t i = 0; i < r->n_tells; i++) {
        if (r->tells[i].level == level)
            return &r->tells[i];
        if (r->tells[i].level == 0)
            any = &r->tells[i];
    }
    return any;
}

static bool serves(const sy_destination *d, const sy_tell *tell)
{
    for (size_t i = 0; tell && i < tell->n_recipients; i++)
        for (size_t k = 0; k < d->n_serves; k++)
            if (strcmp(tell->recipients[i].word->id, d->serves[k]->id) == 0)
                return true;
    return false;
}

sy_ms sy_event_respond(const sy_rule *r, sy_alert_level level, const sy_site_premises *premises)
{
    const sy_tell *tell = sy_event_tell(r, level);
    if (!tell || !tell->respond_within)
        return 0;
    /* The unit table's base of time is the second. */
    const sy_num *n = sy_value_num(tell->respond_within, premises->tiers, premises->n_tiers);
    const sy_unit *second = sy_unit_by_id("s");
    double s =
        sy_unit_convertible(n->unit, second) ? sy_unit_convert(n->value, n->unit, second) : 0;
    return (sy_ms)(s * 1000 + 0.5);
}

sy_alert_level sy_event_above(const sy_rule *r, sy_alert_level level)
{
    unsigned least = 0;
    for (size_t i = 0; i < r->n_tells; i++)
        if (r->tells[i].level > level && (least == 0 || r->tells[i].level < least))
            least = r->tells[i].level;
    return (sy_alert_level)least;
}

bool sy_destination_wakes(const sy_destination *d)
{
    switch (d->kind) {
    case SY_DEST_ALERTMANAGER:
    case SY_DEST_WEBHOOK:
    case SY_DEST_MAIL:
        return true;
    case SY_DEST_HTTPS:
    case SY_DEST_MQTT:
        return false;
    }
    return false;
}

static bool folded(const sy_destination *d, const sy_event_to *to)
{
    const sy_event_to group = {.levels = 1u << to->folded_at};
    return to->folded && sy_event_goes_to(d, to->folded, to->folded_at, &group);
}

bool sy_event_goes_to(const sy_destination *d, const sy_rule *r, sy_alert_level now,
                      const sy_event_to *to)
{
    if (sy_destination_wakes(d) && (to->quiet || folded(d, to)))
        return false;
    if (to->up && to->up >= d->severity && serves(d, sy_event_tell(r, to->up)))
        return true;
    if (now < d->severity)
        return false;
    for (unsigned l = SY_NOTICE; l <= SY_MAJOR; l++)
        if ((to->levels & (1u << l)) && serves(d, sy_event_tell(r, (sy_alert_level)l)))
            return true;
    return to->unanswered && d->unanswered;
}
