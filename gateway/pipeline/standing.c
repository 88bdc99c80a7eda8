/* SPDX-License-Identifier: Apache-2.0 */
/* How alerts stand: a table by id, and the earliest of what is due in it. What is due is looked for
 * only when it may have changed, since the clock moves far more often than alerts do. */
#include "pipeline/standing.h"

#include <stdlib.h>

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(elt) ((elt)->lost = true)
#include <uthash.h>

#define DAY_MS  ((sy_ms)86400000)
#define HOUR_MS ((sy_ms)3600000)

typedef struct sy_standings_entry {
    sy_standing s; /* first: an entry is found by it */
    bool lost;
    UT_hash_handle hh;
} entry;

void sy_standings_init(sy_standings *s)
{
    *s = (sy_standings){.next = SY_MS_MAX, .pruned = SY_MS_NONE};
}

static void drop(entry *e)
{
    free(e->s.rule);
    free(e->s.by);
    free(e);
}

void sy_standings_fini(sy_standings *s)
{
    entry *e = s->by_id;
    HASH_CLEAR(hh, s->by_id); /* the table; the entries stay a list */
    while (e) {
        entry *next = e->hh.next;
        drop(e);
        e = next;
    }
}

sy_standing *sy_standings_find(const sy_standings *s, const char *id)
{
    entry *e = NULL;
    HASH_FIND_STR(s->by_id, id, e);
    return e ? &e->s : NULL;
}

static sy_standing *add(sy_standings *s, const char *id)
{
    entry *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    memcpy(e->s.id, id, strnlen(id, sizeof e->s.id - 1));
    e->s.acknowledged = e->s.shelved = e->s.answer = e->s.suppressed = e->s.cleared = SY_MS_NONE;
    HASH_ADD_KEYPTR(hh, s->by_id, e->s.id, strlen(e->s.id), e);
    if (e->lost) {
        free(e);
        return NULL;
    }
    return &e->s;
}

static sy_ms sooner(sy_ms a, sy_ms b)
{
    if (a == SY_MS_NONE || b == SY_MS_NONE)
        return a == SY_MS_NONE ? b : a;
    return a < b ? a : b;
}

static sy_ms due_of(const sy_standing *x)
{
    sy_ms due = sooner(x->shelved, sooner(x->suppressed, x->answer));
    return due == SY_MS_NONE ? SY_MS_MAX : due;
}

static void look(sy_standings *s)
{
    s->next = SY_MS_MAX;
    for (const entry *e = s->by_id; e; e = e->hh.next) {
        sy_ms due = due_of(&e->s);
        s->next = due < s->next ? due : s->next;
    }
}

/* One alert was due at `was`, and may be so at another time now. */
static void look_at(sy_standings *s, const sy_standing *x, sy_ms was)
{
    sy_ms due = due_of(x);
    if (due <= s->next)
        s->next = due;
    else if (was == s->next)
        look(s);
}

static bool is_over(const sy_standing *x)
{
    return x->state != SY_ALERT_ACTIVE && x->shelved == SY_MS_NONE;
}

/* The one that was over first; NULL: all are open. */
static entry *oldest(const sy_standings *s)
{
    entry *found = NULL;
    for (entry *e = s->by_id; e; e = e->hh.next)
        if (is_over(&e->s) &&
            (!found || e->s.cleared < found->s.cleared ||
             (e->s.cleared == found->s.cleared && strcmp(e->s.id, found->s.id) < 0)))
            found = e;
    return found;
}

static void forget(sy_standings *s, entry *e)
{
    /* The analyzer does not see that the table goes with the last entry only. */
    HASH_DEL(s->by_id, e); // NOLINT(clang-analyzer-unix.Malloc)
    drop(e);
}

/* What has been over for too long, once an hour; what is too much. */
static void prune(sy_standings *s, sy_ms now)
{
    if (s->pruned == SY_MS_NONE || now - s->pruned >= HOUR_MS || now < s->pruned) {
        entry *e, *next;
        HASH_ITER(hh, s->by_id, e, next)
        {
            if (is_over(&e->s) && now - e->s.cleared > SY_ACT_AFTER_DAYS * DAY_MS)
                forget(s, e);
        }
        s->pruned = now;
    }
    while (HASH_COUNT(s->by_id) >= SY_STANDINGS) {
        entry *e = oldest(s);
        if (!e)
            return;
        forget(s, e);
    }
}

/* ---- changes ---- */

static sy_err set_texts(sy_standing *x, sy_span rule, sy_span subject, sy_span series)
{
    const sy_span parts[] = {rule, subject, series};
    char *text = malloc(rule.n + subject.n + series.n + 3), *at[3], *p = text;
    if (!text)
        return SY_E_NOMEM;
    for (size_t i = 0; i < 3; i++) {
        at[i] = p;
        if (parts[i].n)
            memcpy(p, parts[i].p, parts[i].n);
        p[parts[i].n] = '\0';
        p += parts[i].n + 1;
    }
    free(x->rule);
    x->rule = at[0];
    x->subject = at[1];
    x->series = at[2];
    return SY_OK;
}

static sy_err set_by(sy_standing *x, sy_span who)
{
    char *by = who.n ? malloc(who.n + 1) : NULL;
    if (who.n && !by)
        return SY_E_NOMEM;
    if (by) {
        memcpy(by, who.p, who.n);
        by[who.n] = '\0';
    }
    free(x->by);
    x->by = by;
    return SY_OK;
}

static sy_err copy_change(sy_standing *x, const sy_change *c, const sy_config *config)
{
    const sy_alert *a = &c->alert;
    memset(x->set, 0, sizeof x->set);
    memcpy(x->set, config->hash_hex, strnlen(config->hash_hex, sizeof x->set - 1));
    memset(x->replaces, 0, sizeof x->replaces);
    if (a->replaces)
        memcpy(x->replaces, a->replaces, strnlen(a->replaces, sizeof x->replaces - 1));
    x->version = (int64_t)a->rule->version->value;
    x->level = a->level;
    x->state = a->state;
    x->onset = a->onset;
    x->raised = a->raised;
    /* A withdrawn alert that was still open was over when that was found. */
    bool over = a->state != SY_ALERT_ACTIVE && a->cleared == SY_MS_NONE;
    x->cleared = over ? c->at : a->cleared;
    x->min = a->min;
    x->max = a->max;
    x->count = a->count;
    x->counted = a->counted;
    x->unknown = a->unknown;
    x->exempt = a->exempt;
    x->span = a->span;
    x->trial = a->trial;
    return set_texts(x, sy_span_of(a->rule->id), sy_span_of(a->subject),
                     sy_span_of(config->site->points[a->point].series));
}

static sy_err take_over(sy_standing *to, const sy_standing *from)
{
    to->acknowledged = from->acknowledged;
    to->shelved = from->shelved;
    to->up = from->up;
    to->unanswered = from->unanswered;
    to->touched = from->touched;
    to->suppressed = from->suppressed;
    return set_by(to, sy_span_of(from->by ? from->by : ""));
}

/* A shelf is for the rule at that subject: it passes on to the next alert there. */
static void inherit_shelf(sy_standings *s, sy_standing *x)
{
    sy_standing *from = NULL;
    for (entry *e = s->by_id; e; e = e->hh.next) {
        sy_standing *o = &e->s;
        if (o != x && o->shelved != SY_MS_NONE && o->state != SY_ALERT_ACTIVE &&
            strcmp(o->rule, x->rule) == 0 && strcmp(o->subject, x->subject) == 0 &&
            (!from || strcmp(o->id, from->id) < 0))
            from = o;
    }
    if (!from)
        return;
    x->shelved = from->shelved;
    x->touched = true;
    from->shelved = SY_MS_NONE;
    look(s);
}

static sy_err begun(sy_standings *s, sy_standing *x)
{
    sy_standing *old = x->replaces[0] ? sy_standings_find(s, x->replaces) : NULL;
    if (old) {
        sy_err err = take_over(x, old);
        old->shelved = old->suppressed = SY_MS_NONE;
        look(s);
        return err;
    }
    inherit_shelf(s, x);
    return SY_OK;
}

void sy_standings_await(sy_standings *s, sy_standing *x, sy_ms from, sy_ms respond)
{
    sy_ms was = due_of(x);
    bool wanted = respond > 0 && x->state == SY_ALERT_ACTIVE && !x->trial &&
                  x->acknowledged == SY_MS_NONE && x->shelved == SY_MS_NONE &&
                  x->suppressed == SY_MS_NONE && !x->unanswered;
    x->answer = wanted ? from + respond : SY_MS_NONE;
    look_at(s, x, was);
}

void sy_standings_suppress(sy_standings *s, sy_standing *x, sy_ms until)
{
    x->suppressed = until;
    x->answer = SY_MS_NONE;
    x->touched = true;
    look(s);
}

void sy_standings_resuppress(sy_standings *s, sy_ms (*until)(void *ctx, const sy_standing *x),
                             void *ctx)
{
    for (entry *e = s->by_id; e; e = e->hh.next)
        if (e->s.suppressed != SY_MS_NONE)
            e->s.suppressed = until(ctx, &e->s);
    look(s);
}

sy_standing *sy_standings_member(const sy_standings *s, const char *group, const char *after)
{
    sy_standing *found = NULL;
    for (entry *e = s->by_id; e; e = e->hh.next)
        if (strcmp(e->s.group, group) == 0 && strcmp(e->s.id, after) > 0 &&
            (!found || strcmp(e->s.id, found->id) < 0))
            found = &e->s;
    return found;
}

void sy_standings_group(const sy_standings *s, const char *group, size_t *members, size_t *open)
{
    *members = *open = 0;
    for (const entry *e = s->by_id; e; e = e->hh.next)
        if (strcmp(e->s.group, group) == 0) {
            ++*members;
            *open += e->s.state == SY_ALERT_ACTIVE;
        }
}

static sy_err rose(sy_standing *x)
{
    x->acknowledged = SY_MS_NONE;
    x->unanswered = false;
    return set_by(x, (sy_span){NULL, 0});
}

sy_err sy_standings_note(sy_standings *s, const sy_change *c, const sy_config *config, sy_ms now,
                         sy_standing **out)
{
    sy_standing *x = sy_standings_find(s, c->alert.id);
    bool first = !x;
    if (first) {
        prune(s, now);
        x = add(s, c->alert.id);
    }
    if (!x)
        return SY_E_NOMEM;
    bool was_open = !first && x->state == SY_ALERT_ACTIVE,
         more = !first && c->alert.level > x->level;
    sy_err err = copy_change(x, c, config);
    if (!err && first)
        err = begun(s, x);
    if (!err && more)
        err = rose(x);
    if (err)
        return err;
    const sy_site *site = config->site;
    const sy_site_place *place = &site->places[site->points[c->alert.point].place];
    sy_ms respond =
        sy_event_respond(c->alert.rule, c->alert.level, &site->premises[place->premises]);
    if (first || more || was_open != (x->state == SY_ALERT_ACTIVE))
        sy_standings_await(s, x, c->at, respond);
    *out = x;
    return SY_OK;
}

/* ---- acts ---- */

sy_act_state sy_standing_state(const sy_standing *x)
{
    return (sy_act_state){.active = x->state == SY_ALERT_ACTIVE,
                          .withdrawn = x->state == SY_ALERT_WITHDRAWN,
                          .cleared = x->cleared,
                          .acknowledged = x->acknowledged,
                          .by = x->by ? x->by : "",
                          .shelved = x->shelved};
}

static sy_err acknowledge(sy_standing *x, sy_span who, sy_ms now)
{
    x->acknowledged = now;
    x->answer = SY_MS_NONE;
    return set_by(x, who);
}

sy_err sy_standings_act(sy_standings *s, const sy_act *a, sy_ms now, sy_standing **out, sy_fail *f)
{
    char id[33] = "";
    memcpy(id, a->alert.p, a->alert.n < 32 ? a->alert.n : 32);
    sy_standing *x = sy_standings_find(s, id);
    if (!x)
        return sy_fail_set(f, SY_E_NOTFOUND, "there is no alert %s that can be acted on", id);
    sy_act_state state = sy_standing_state(x);
    sy_err err = sy_act_allowed(a, &state, now, f);
    if (err)
        return err;
    switch (a->kind) {
    case SY_ACT_ACKNOWLEDGE:
        err = acknowledge(x, a->who, now);
        break;
    case SY_ACT_SHELVE:
        x->shelved = a->until;
        x->answer = SY_MS_NONE;
        break;
    case SY_ACT_UNSHELVE: /* whoever does it has seen the alert */
        x->shelved = SY_MS_NONE;
        err = acknowledge(x, a->who, now);
        break;
    case SY_ACT_COMMENT:
        break;
    }
    x->touched = true;
    look(s);
    *out = x;
    return err ? sy_fail_set(f, err, "out of memory") : SY_OK;
}

bool sy_standings_pass(sy_standings *s, sy_ms now, sy_standing **out, sy_due *what, sy_ms *at)
{
    sy_standing *x = NULL;
    if (s->next > now)
        return false;
    for (entry *e = s->by_id; e; e = e->hh.next)
        if (due_of(&e->s) == s->next && (!x || strcmp(e->s.id, x->id) < 0))
            x = &e->s;
    if (!x) {
        look(s);
        return false;
    }
    *at = s->next;
    if (x->shelved == s->next) {
        *what = SY_DUE_UNSHELVE;
        x->shelved = x->acknowledged = SY_MS_NONE;
        free(x->by);
        x->by = NULL;
        x->unanswered = false;
    } else if (x->suppressed == s->next) {
        *what = SY_DUE_RELEASE;
        x->suppressed = SY_MS_NONE;
    } else {
        *what = SY_DUE_ANSWER;
        x->answer = SY_MS_NONE;
        x->unanswered = true;
    }
    x->touched = true;
    look(s);
    *out = x;
    return true;
}

static void shift(sy_ms *t, sy_ms by)
{
    if (*t != SY_MS_NONE)
        *t = *t + by > 0 ? *t + by : 0;
}

void sy_standings_move(sy_standings *s, sy_ms by)
{
    for (entry *e = s->by_id; e; e = e->hh.next) {
        shift(&e->s.shelved, by);
        shift(&e->s.suppressed, by);
        shift(&e->s.answer, by);
    }
    look(s);
}

bool sy_standing_alert(const sy_standing *x, const sy_config *config, sy_alert *out)
{
    const sy_rule *rule = NULL;
    uint32_t point = 0;
    for (size_t i = 0; i < config->set->n_rules && !rule; i++)
        if (strcmp(config->set->rules[i]->id, x->rule) == 0 &&
            (int64_t)config->set->rules[i]->version->value == x->version)
            rule = config->set->rules[i];
    if (!rule || !sy_site_point_of(config->site, x->series, &point))
        return false;
    *out = (sy_alert){.rule = rule,
                      .subject = x->subject,
                      .point = point,
                      .level = x->level,
                      .onset = x->onset,
                      .raised = x->raised,
                      .cleared = x->state == SY_ALERT_ACTIVE ? SY_MS_NONE : x->cleared,
                      .state = x->state,
                      .min = x->min,
                      .max = x->max,
                      .count = x->count,
                      .counted = x->counted,
                      .unknown = x->unknown,
                      .exempt = x->exempt,
                      .span = x->span,
                      .replaces = x->replaces[0] ? x->replaces : NULL,
                      .trial = x->trial};
    memcpy(out->id, x->id, sizeof out->id);
    return true;
}

/* ---- saving ---- */

enum { TRIAL = 1, UNANSWERED = 2, TOUCHED = 4 };

static void save_one(const sy_standing *x, sy_buf *out)
{
    const sy_ms times[] = {x->onset,   x->raised, x->cleared,   x->counted,
                           x->unknown, x->exempt, x->span,      x->acknowledged,
                           x->shelved, x->answer, x->suppressed};
    const char *const texts[] = {
        x->id, x->set, x->rule, x->subject, x->series, x->replaces, x->by ? x->by : "", x->group};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        sy_buf_blob(out, sy_span_of(texts[i]));
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        sy_buf_u64(out, (uint64_t)times[i]);
    sy_buf_u64(out, (uint64_t)x->version);
    sy_buf_u8(out, (uint8_t)x->level);
    sy_buf_u8(out, (uint8_t)x->state);
    sy_buf_u8(out, (uint8_t)x->up);
    sy_buf_u8(out, (uint8_t)((x->trial ? TRIAL : 0) | (x->unanswered ? UNANSWERED : 0) |
                             (x->touched ? TOUCHED : 0)));
    sy_buf_f64(out, x->min);
    sy_buf_f64(out, x->max);
    sy_buf_u64(out, x->count);
}

static int by_id(const entry *a, const entry *b)
{
    return strcmp(a->s.id, b->s.id);
}

void sy_standings_save(sy_standings *s, sy_buf *out)
{
    HASH_SORT(s->by_id, by_id);
    sy_buf_u64(out, (uint64_t)s->pruned);
    sy_buf_u32(out, (uint32_t)HASH_COUNT(s->by_id));
    for (const entry *e = s->by_id; e; e = e->hh.next)
        save_one(&e->s, out);
}

static bool copy_text(sy_span from, char *to, size_t size)
{
    if (from.n >= size)
        return false;
    memset(to, 0, size);
    if (from.n)
        memcpy(to, from.p, from.n);
    return true;
}

static sy_err load_one(sy_standings *s, sy_rd *in)
{
    sy_span text[8];
    char id[33];
    for (size_t i = 0; i < 8; i++)
        text[i] = sy_rd_blob(in);
    if (in->bad || !text[0].n || !copy_text(text[0], id, sizeof id) || sy_standings_find(s, id))
        return SY_E_CORRUPT;
    sy_standing *x = add(s, id);
    if (!x)
        return SY_E_NOMEM;
    if (!copy_text(text[1], x->set, sizeof x->set) ||
        !copy_text(text[5], x->replaces, sizeof x->replaces) || text[6].n > SY_ACT_WHO ||
        !copy_text(text[7], x->group, sizeof x->group))
        return SY_E_CORRUPT;
    sy_ms *const times[] = {&x->onset,   &x->raised, &x->cleared,   &x->counted,
                            &x->unknown, &x->exempt, &x->span,      &x->acknowledged,
                            &x->shelved, &x->answer, &x->suppressed};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = (sy_ms)sy_rd_u64(in);
    x->version = (int64_t)sy_rd_u64(in);
    x->level = (sy_alert_level)sy_rd_u8(in);
    x->state = (sy_alert_state)sy_rd_u8(in);
    x->up = (sy_alert_level)sy_rd_u8(in);
    uint8_t bits = sy_rd_u8(in);
    x->trial = (bits & TRIAL) != 0;
    x->unanswered = (bits & UNANSWERED) != 0;
    x->touched = (bits & TOUCHED) != 0;
    x->min = sy_rd_f64(in);
    x->max = sy_rd_f64(in);
    x->count = sy_rd_u64(in);
    if (in->bad || x->level > SY_MAJOR || x->up > SY_MAJOR || x->state > SY_ALERT_WITHDRAWN)
        return SY_E_CORRUPT;
    sy_err err = set_texts(x, text[2], text[3], text[4]);
    return err ? err : set_by(x, text[6]);
}

sy_err sy_standings_load(sy_standings *s, sy_rd *in)
{
    s->pruned = (sy_ms)sy_rd_u64(in);
    uint32_t n = sy_rd_u32(in);
    sy_err err = n > 4 * SY_STANDINGS ? SY_E_CORRUPT : SY_OK;
    for (uint32_t i = 0; i < n && !err; i++)
        err = load_one(s, in);
    look(s);
    return in->bad ? SY_E_CORRUPT : err;
}
