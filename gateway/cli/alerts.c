/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard alerts: what was judged live, in the very form of `rules backtest`, so that the two can
 * be compared. Figures are taken from the stored readings, since the alert's row holds those of its
 * last change.
 */
#include <stdio.h>

#include "cli/alert_json.h"
#include "cli/alerts_act.h"
#include "cli/alerts_hold.h"
#include "cli/cli.h"
#include "cli/stored.h"
#include "cli/term.h"
#include "store/acts.h"

static const char help[] =
    "usage: steelyard alerts --data DIR [--json|--watch] [--to T] [--full] [--language en|zh]\n"
    "       steelyard alerts acknowledge|shelve|unshelve|comment --help\n"
    "       steelyard alerts hold|release|holds --help\n\n"
    "Alerts judged live, ordered by (raised, rule, subject).\n\n"
    "  --data DIR     the data folder; a gateway may run on it\n"
    "  --json         the objects that `rules backtest --json` prints\n"
    "  --to T         as they stood at T: raised up to T, cleared later is active\n"
    "  --full         further keys: series, replaces, measure, judgement, trial, both messages,\n"
    "                 acknowledged, shelved, suppressed, group, unanswered, actions\n"
    "  --language L   of the message; en unless given\n"
    "  --watch        on a terminal: the newest that fit it, drawn again every 2 s, until q or ^C\n"
    "\n"
    "On a terminal, without --full, a table as wide as it is.\n\n"
    "Exit codes: 0 fine, 1 the folder cannot be read, 2 usage.\n";

typedef struct people { /* what they did about an alert */
    sy_stand stand;
    const char *acts; /* a JSON array; NULL: not asked for */
} people;

typedef struct list {
    sy_arena arena;
    sy_alert_row *v;
    people *acts; /* as many, with --full */
    size_t n, cap;
    sy_ms to;
    bool failed;
} list;

static const char *keep(list *l, const char *text)
{
    if (!text)
        return NULL;
    const char *copy = sy_arena_text(&l->arena, sy_span_of(text));
    l->failed = l->failed || !copy;
    return copy;
}

static bool collect(void *ctx, const sy_alert_row *a)
{
    list *l = ctx;
    if (a->raised > l->to)
        return true;
    if (sy_grow(sy_heap(), (void **)&l->v, &l->cap, l->n + 1, sizeof *l->v)) {
        l->failed = true;
        return false;
    }
    sy_alert_row row = *a;
    row.id = keep(l, a->id);
    row.rule = keep(l, a->rule);
    row.pack = keep(l, a->pack);
    row.subject = keep(l, a->subject);
    row.series = keep(l, a->series);
    row.message_en = keep(l, a->message_en);
    row.message_zh = keep(l, a->message_zh);
    row.replaces = keep(l, a->replaces);
    row.judgement_hash = keep(l, a->judgement_hash);
    if (row.cleared != SY_MS_NONE && row.cleared > l->to) {
        row.cleared = SY_MS_NONE;
        row.state = SY_ALERT_ACTIVE;
    }
    l->v[l->n++] = row;
    return !l->failed;
}

static sy_err figures(sy_store *s, list *l, sy_fail *f)
{
    for (size_t i = 0; i < l->n; i++) {
        sy_alert_row *a = &l->v[i];
        sy_ms end = a->cleared == SY_MS_NONE ? l->to : a->cleared;
        sy_err err = sy_store_figures(s, a->series, a->onset, end, &a->min, &a->max, &a->count, f);
        if (err)
            return err;
    }
    return SY_OK;
}

static bool put_act(void *ctx, const sy_act_row *a)
{
    sy_buf *b = ctx;
    char at[25];
    sy_time_text(a->time, at);
    sy_buf_printf(b, "%s{\"kind\": \"%s\", \"at\": \"%s\", \"who\": ", b->n > 1 ? ", " : "",
                  a->kind, at);
    sy_buf_json(b, sy_span_of(a->who));
    sy_buf_text(b, ", \"via\": ");
    sy_buf_json(b, sy_span_of(a->via));
    sy_buf_text(b, ", \"why\": ");
    sy_buf_json(b, sy_span_of(a->why));
    if (a->until > 0) {
        sy_time_text(a->until, at);
        sy_buf_printf(b, ", \"until\": \"%s\"", at);
    }
    sy_buf_char(b, '}');
    return !b->failed;
}

static sy_err acts(sy_store *s, list *l, sy_fail *f)
{
    sy_err err = SY_OK;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    l->acts = sy_arena_get(&l->arena, (l->n + 1) * sizeof *l->acts);
    if (!l->acts)
        err = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    for (size_t i = 0; i < l->n && !err; i++) {
        sy_buf_reset(&b);
        sy_buf_char(&b, '[');
        err = sy_store_acts(s, l->v[i].id, put_act, &b, f);
        sy_buf_char(&b, ']');
        l->acts[i].acts = b.failed ? NULL : sy_arena_text(&l->arena, sy_buf_span(&b));
        if (!err && !l->acts[i].acts)
            err = sy_fail_set(f, SY_E_NOMEM, "out of memory");
        if (!err)
            err = sy_store_stand_get(s, l->v[i].id, &l->arena, &l->acts[i].stand, f);
    }
    sy_buf_fini(&b);
    return err;
}

static sy_alert_view view_of(const sy_alert_row *a, sy_lang language)
{
    return (sy_alert_view){.id = a->id,
                           .rule = a->rule,
                           .pack = a->pack,
                           .version = a->version,
                           .subject = a->subject,
                           .severity = (sy_alert_level)a->severity,
                           .onset = a->onset,
                           .raised = a->raised,
                           .cleared = a->cleared,
                           .state = (sy_alert_state)a->state,
                           .min = a->min,
                           .max = a->max,
                           .count = a->count,
                           .driver_is_state = a->driver_is_state,
                           .message = sy_message_of(a->message_en, a->message_zh, language)};
}

static void text_key(sy_buf *b, const char *key, const char *value)
{
    sy_buf_printf(b, ", \"%s\": ", key);
    if (value)
        sy_buf_json(b, sy_span_of(value));
    else
        sy_buf_text(b, "null");
}

static void time_key(sy_buf *b, const char *key, sy_ms t)
{
    char at[25] = "";
    if (t != SY_MS_NONE)
        sy_time_text(t, at);
    text_key(b, key, at[0] ? at : NULL);
}

/* The object again, with more in it. */
static void put_full(sy_buf *b, const sy_alert_row *a, const people *p, const sy_alert_view *v,
                     bool first)
{
    sy_alert_json_item(b, v, first);
    if (b->failed || b->n == 0)
        return;
    b->n--; /* the closing brace */
    text_key(b, "series", a->series);
    text_key(b, "replaces", a->replaces);
    sy_buf_printf(b, ", \"counted_ms\": %lld, \"unknown_ms\": %lld, \"exempt_ms\": %lld",
                  (long long)a->counted, (long long)a->unknown, (long long)a->exempt);
    text_key(b, "judgement", a->judgement_hash);
    sy_buf_printf(b, ", \"trial\": %s", a->trial ? "true" : "false");
    text_key(b, "message_en", a->message_en);
    text_key(b, "message_zh", a->message_zh);
    time_key(b, "acknowledged", p->stand.at.acknowledged);
    text_key(b, "acknowledged_by", p->stand.at.by);
    time_key(b, "shelved_until", p->stand.at.shelved);
    time_key(b, "suppressed_until", p->stand.at.suppressed);
    text_key(b, "group", p->stand.at.group);
    sy_buf_printf(b, ", \"unanswered\": %s", p->stand.at.unanswered ? "true" : "false");
    sy_buf_printf(b, ", \"actions\": %s}", p->acts);
}

static void put_people(sy_buf *b, const people *p)
{
    char at[25];
    if (p->stand.at.acknowledged != SY_MS_NONE) {
        sy_time_text(p->stand.at.acknowledged, at);
        sy_buf_printf(b, "    acknowledged %s by %s\n", at, p->stand.at.by ? p->stand.at.by : "?");
    }
    if (p->stand.at.shelved != SY_MS_NONE) {
        sy_time_text(p->stand.at.shelved, at);
        sy_buf_printf(b, "    shelved until %s\n", at);
    }
    if (p->stand.at.suppressed != SY_MS_NONE) {
        sy_time_text(p->stand.at.suppressed, at);
        sy_buf_printf(b, "    raised during maintenance, which lasts until %s\n", at);
    }
    if (p->stand.at.group)
        sy_buf_printf(b, "    one of the group %s\n", p->stand.at.group);
    if (p->stand.at.unanswered)
        sy_buf_text(b, "    nobody answered in time\n");
}

static void put_text(sy_buf *b, const sy_alert_view *v)
{
    char raised[25], cleared[25] = "";
    sy_time_text(v->raised, raised);
    if (v->cleared != SY_MS_NONE)
        sy_time_text(v->cleared, cleared);
    sy_buf_printf(b, "%s  %-8s %-10s %-12s %s", raised, sy_alert_level_text(v->severity, SY_EN),
                  sy_alert_state_text(v->state), v->rule, v->subject);
    if (cleared[0])
        sy_buf_printf(b, "  cleared %s", cleared);
    if (v->message)
        sy_buf_printf(b, "\n    %s", v->message);
    sy_buf_char(b, '\n');
}

static int print(const sy_stored_options *o, const list *l)
{
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    if (o->json)
        sy_alert_json_begin(&out);
    for (size_t i = 0; i < l->n; i++) {
        sy_alert_view v = view_of(&l->v[i], o->language);
        if (!o->json)
            put_text(&out, &v);
        else if (o->full)
            put_full(&out, &l->v[i], &l->acts[i], &v, i == 0);
        else
            sy_alert_json_item(&out, &v, i == 0);
        if (!o->json && o->full)
            put_people(&out, &l->acts[i]);
    }
    if (o->json)
        sy_alert_json_end(&out);
    int rc = sy_stored_flush("alerts", &out) && fflush(stdout) == 0 ? 0 : 1;
    sy_buf_fini(&out);
    return rc;
}

static void list_free(list *l)
{
    sy_alloc heap = sy_heap();
    heap.resize(heap.ctx, l->v, 0);
    sy_arena_fini(&l->arena);
}

/* *l is to be freed in any case. */
static sy_err load(const sy_stored_options *o, list *l, sy_fail *f)
{
    sy_store *s = NULL;
    *l = (list){.to = o->to};
    sy_arena_init(&l->arena, sy_heap(), 0);
    sy_err err = sy_stored_readings(&s, o->data, f);
    if (err)
        return err;
    err = sy_store_alerts(s, collect, l, f);
    if (!err && l->failed)
        err = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    if (!err)
        err = figures(s, l, f);
    if (!err && o->full)
        err = acts(s, l, f);
    sy_store_close(s);
    return err;
}

/* The last `most` of them as a table. */
static void put_table(const sy_stored_options *o, const list *l, size_t most, const sy_term *t,
                      sy_buf *out)
{
    static const sy_grid_column columns[] = {
        {"raised", false, 20}, {"level", false, 0},   {"state", false, 0},   {"rule", false, 6},
        {"subject", false, 8}, {"message", false, 8}, {"cleared", false, 20}};
    sy_grid g;
    sy_grid_init(&g, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = l->n > most ? l->n - most : 0; i < l->n; i++) {
        sy_alert_view v = view_of(&l->v[i], o->language);
        const char *level = sy_alert_level_text(v.severity, SY_EN);
        bool active = v.state == SY_ALERT_ACTIVE;
        char raised[25], cleared[25] = "";
        sy_time_text(v.raised, raised);
        if (v.cleared != SY_MS_NONE)
            sy_time_text(v.cleared, cleared);
        sy_grid_add(&g, SY_INK_NONE, raised);
        sy_grid_add(&g, active ? sy_ink_of_level(level) : SY_INK_DIM, level);
        sy_grid_add(&g, active ? SY_INK_BOLD : SY_INK_DIM, sy_alert_state_text(v.state));
        sy_grid_add(&g, SY_INK_NONE, v.rule);
        sy_grid_add(&g, SY_INK_NONE, v.subject);
        sy_grid_add(&g, SY_INK_NONE, v.message);
        sy_grid_add(&g, SY_INK_DIM, cleared);
    }
    sy_grid_put(&g, t, out);
    sy_grid_fini(&g);
}

typedef struct watching {
    const sy_stored_options *o;
    sy_fail why;
} watching;

static bool draw(void *ctx, const sy_term *t, sy_buf *out)
{
    watching *w = ctx;
    list l;
    sy_err err = load(w->o, &l, &w->why);
    if (!err)
        put_table(w->o, &l, t->rows - 2, t, out);
    list_free(&l);
    return !err;
}

static int watch(const sy_stored_options *o)
{
    watching w = {.o = o};
    int rc = sy_term_watch("alerts", draw, &w);
    if (rc == 1 && w.why.text[0])
        fprintf(stderr, "steelyard alerts: %s\n", w.why.text);
    return rc;
}

static int print_table(const sy_stored_options *o, const list *l, const sy_term *t)
{
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    put_table(o, l, SIZE_MAX, t, &out);
    int rc = sy_stored_flush("alerts", &out) && fflush(stdout) == 0 ? 0 : 1;
    sy_buf_fini(&out);
    return rc;
}

int sy_cmd_alerts(int argc, char **argv)
{
    sy_stored_options o;
    if (argc > 1 && sy_alerts_act_named(argv[1]))
        return sy_alerts_act(argc - 1, argv + 1);
    if (argc > 1 && sy_alerts_holds_named(argv[1]))
        return sy_alerts_holds(argc - 1, argv + 1);
    int rc = sy_stored_options_parse(
        &o, SY_TAKES_JSON | SY_TAKES_TO | SY_TAKES_FULL | SY_TAKES_LANGUAGE | SY_TAKES_WATCH, help,
        argc, argv);
    if (rc >= 0)
        return rc;
    if (o.watch)
        return watch(&o);
    list l;
    sy_fail why = {0};
    sy_term t = sy_term_now();
    sy_err err = load(&o, &l, &why);
    if (err)
        fprintf(stderr, "steelyard alerts: %s\n", why.text);
    rc = err ? 1 : t.on && !o.json && !o.full ? print_table(&o, &l, &t) : print(&o, &l);
    list_free(&l);
    return rc;
}
