/* SPDX-License-Identifier: Apache-2.0 */
/* What people do about alerts: its records, what is refused, what is due by the log's clock, and a
 * log with all of it that comes to the same whether the process lives on, ends after each record,
 * or the log is read again into an empty store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/act.h"
#include "pipeline/upkeep.h"
#include "pipeline_rig.h"
#include "store/acts.h"

#define ID "0123456789abcdef0123456789abcdef"

static sy_act act(sy_act_kind kind, const char *alert, sy_ms until)
{
    return (sy_act){kind,
                    sy_span_of(alert),
                    until,
                    sy_span_of("Li Wei"),
                    sy_span_of("local"),
                    sy_span_of("seen to it")};
}

static void records(void **state)
{
    static const char *const wrong[] = {
        "",
        "acknowledge",
        "acknowledge\t" ID "\t0\tLi Wei\tlocal",
        "acknowledge\t" ID "\t5\tLi Wei\tlocal\t",
        "acknowledge\t" ID "\t-0\tLi Wei\tlocal\t",
        "acknowledge\t" ID "0\t0\tLi Wei\tlocal\t",
        "acknowledge\t0123456789ABCDEF0123456789ABCDEF\t0\tLi Wei\tlocal\t",
        "acknowledge\t" ID "\t0\t\tlocal\t",
        "acknowledge\t" ID "\t0\tLi Wei\t\t",
        "acknowledge\t" ID "\t0\tLi Wei\tlocal\ta\tb",
        "acknowledge\t" ID "\t0\tLi \xff\tlocal\t",
        "shelve\t" ID "\t0\tLi Wei\tlocal\twhy",
        "shelve\t" ID "\t253402300800000\tLi Wei\tlocal\twhy",
        "shelve\t" ID "\t5\tLi Wei\tlocal\t",
        "comment\t" ID "\t0\tLi Wei\tlocal\t",
        "close\t" ID "\t0\tLi Wei\tlocal\twhy",
    };
    (void)state;
    for (int k = 0; k < SY_ACT_KINDS; k++) {
        sy_act a = act((sy_act_kind)k, ID, k == SY_ACT_SHELVE ? 77 : 0), b;
        sy_buf text;
        sy_buf_init(&text, sy_heap());
        sy_act_text(&a, &text);
        assert_int_equal(sy_act_parse(sy_buf_span(&text), &b), SY_OK);
        assert_true(b.kind == a.kind && b.until == a.until && sy_span_is(b.alert, ID));
        assert_true(sy_span_is(b.who, "Li Wei") && sy_span_is(b.via, "local"));
        assert_true(sy_span_is(b.why, "seen to it"));
        sy_buf_fini(&text);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sy_act b;
        if (sy_act_parse(sy_span_of(wrong[i]), &b) != SY_E_PARSE)
            fail_msg("taken: %s", wrong[i]);
    }
}

static void judged(const sy_act *a, const sy_act_state *s, sy_ms now, sy_err expect)
{
    sy_fail f = {0};
    sy_err err = sy_act_allowed(a, s, now, &f);
    if (err != expect)
        fail_msg("%s: %d, not %d: %s", sy_act_word(a->kind), (int)err, (int)expect, f.text);
}

static void allowed(void **state)
{
    const sy_ms day = 86400000, now = 100 * day;
    sy_act_state fresh = {.active = true,
                          .cleared = SY_MS_NONE,
                          .acknowledged = SY_MS_NONE,
                          .by = "",
                          .shelved = SY_MS_NONE};
    sy_act_state over = fresh, known = fresh, shelved = fresh, gone = fresh;
    sy_act ack = act(SY_ACT_ACKNOWLEDGE, ID, 0), shelve = act(SY_ACT_SHELVE, ID, now + day);
    sy_act back = act(SY_ACT_UNSHELVE, ID, 0), say = act(SY_ACT_COMMENT, ID, 0);
    (void)state;
    over.active = gone.active = false;
    over.cleared = now - day;
    known.acknowledged = now - 1;
    known.by = "Wang";
    shelved.shelved = now + 5;
    gone.withdrawn = true;
    judged(&ack, &fresh, now, SY_OK);
    judged(&ack, &over, now, SY_OK); /* returned to normal, not acknowledged yet */
    judged(&ack, &known, now, SY_E_EXISTS);
    judged(&ack, &gone, now, SY_E_NOTFOUND);
    judged(&say, &over, now, SY_OK);
    over.cleared = now - SY_ACT_AFTER_DAYS * day - 1;
    judged(&say, &over, now, SY_E_NOTFOUND);
    judged(&shelve, &fresh, now, SY_OK);
    judged(&shelve, &over, now, SY_E_NOTFOUND);
    judged(&shelve, &shelved, now, SY_E_EXISTS);
    judged(&shelve, &fresh, now + day, SY_E_RANGE); /* no time is left of it */
    shelve.until = now + SY_ACT_SHELVE_DAYS * day + 1;
    judged(&shelve, &fresh, now, SY_E_RANGE);
    shelve.until--;
    judged(&shelve, &fresh, now, SY_OK);
    judged(&back, &fresh, now, SY_E_NOTFOUND);
    judged(&back, &shelved, now, SY_OK);
    shelve.via = back.via = ack.via = sy_span_of("premises");
    judged(&shelve, &fresh, now, SY_E_DENIED);
    judged(&back, &shelved, now, SY_E_DENIED);
    judged(&ack, &fresh, now, SY_OK);
}

/* ---- through the pipeline ---- */

static const char rules[] = "rule P-1 version 1 \"Too warm\"\n"
                            "  basis \"made for a test\" policy\n"
                            "  applies to subject any; goods any; stage any\n"
                            "  effective from 2020-01-01\n"
                            "  watch each room: temperature\n"
                            "  missing after 90 min\n"
                            "  alert warning when temperature above 8 °C [law] for 5 min\n"
                            "  alert serious when temperature above 20 °C [law] for 5 min\n"
                            "  clear when temperature at most 8 °C for 2 min\n"
                            "  then tell inspector; respond within 30 min\n"
                            "  then serious tell duty-chief; respond within 20 min\n"
                            "  say \"Do something.\"\n"
                            "end\n"
                            "rule P-2 version 1 \"Cabinet\"\n"
                            "  basis \"made for a test\" policy\n"
                            "  applies to subject any; goods any; stage any\n"
                            "  effective from 2020-01-01\n"
                            "  watch each cabinet: temperature\n"
                            "  alert notice when temperature above 8 °C [law] for 5 min\n"
                            "  then tell inspector; respond within 10 min\n"
                            "end\n";

typedef struct found {
    char id[33];
    const char *rule;
    sy_ms onset;
} found;

static bool find_alert(void *ctx, const sy_alert_row *a)
{
    found *f = ctx;
    if (strcmp(a->rule, f->rule) == 0 && a->onset >= f->onset)
        memcpy(f->id, a->id, sizeof f->id);
    return f->id[0] == 0;
}

static void say(pipeline_rig *r, const sy_act *a)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_act_text(a, &text);
    sy_buf_char(&text, '\0');
    rig_append(r, SY_J_ACTION, 0, text.p);
    sy_buf_fini(&text);
}

/* The first alert of the rule from then on; what is in the log is judged for it. */
static void find(pipeline_rig *r, const char *rule, sy_ms onset, char id[33])
{
    found f = {.rule = rule, .onset = onset};
    rig_run(r);
    assert_int_equal(sy_store_alerts(r->store, find_alert, &f, &r->fail), SY_OK);
    if (!f.id[0])
        fail_msg("no alert of %s", rule);
    memcpy(id, f.id, sizeof f.id);
}

static void minute(pipeline_rig *r, int i, double room, double cabinet)
{
    sy_ms t = RIG_DAY + i * RIG_MIN;
    char text[64];
    rig_celsius(r, t, room);
    snprintf(text, sizeof text, "%g", cabinet);
    rig_message(r, "s/t2", 0, text);
    rig_mark(r, t);
}

typedef struct ids { /* the same in every run */
    char first[33], cabinet[33], second[33];
} ids;

/* Minute 11: the first alert; acknowledged, commented, shelved … */
static void story(pipeline_rig *r, ids *x, bool known, int every)
{
    for (int i = 1; i <= 260; i++) {
        double room = (i > 5 && i < 60) || (i > 70 && i < 250) ? 10 : 5, cabinet = i > 150 ? 9 : 4;
        if (i > 200 && i < 240)
            room = 25;
        minute(r, i, room, cabinet);
        if (i == 20 && !known)
            find(r, "P-1", RIG_DAY, x->first);
        if (i == 90 && !known)
            find(r, "P-1", RIG_DAY + 65 * RIG_MIN, x->second);
        if (i == 170 && !known)
            find(r, "P-2", RIG_DAY, x->cabinet);
        sy_act a = act(SY_ACT_COMMENT, x->first, 0);
        if (i == 20)
            say(r, &a);
        a.kind = SY_ACT_ACKNOWLEDGE; /* nobody did within 30 min; the alert clears at 61 */
        if (i == 65)
            say(r, &a);
        if (i == 66)
            say(r, &a); /* refused */
        a = act(SY_ACT_SHELVE, x->second, RIG_DAY + 120 * RIG_MIN + 30000);
        if (i == 90)
            say(r, &a); /* ends by itself; unanswered at 150.5; serious at 205 */
        a = act(SY_ACT_ACKNOWLEDGE, x->cabinet, 0);
        a.via = sy_span_of("premises");
        if (i == 170)
            say(r, &a);
        a = act(SY_ACT_SHELVE, ID, RIG_DAY + 600 * RIG_MIN);
        if (i == 171)
            say(r, &a); /* no such alert */
        if (every && i % every == 0) {
            rig_run(r);
            rig_log_close(r);
            rig_log_open(r);
        }
    }
    rig_run(r);
}

static void open_all(pipeline_rig *r)
{
    rig_rules(r, rules);
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
}

static bool dump_act(void *ctx, const sy_act_row *a)
{
    sy_buf_printf(ctx, "act %llu %s %s %lld %lld %s %s %s\n", (unsigned long long)a->seq, a->alert,
                  a->kind, (long long)a->time, (long long)a->until, a->who, a->via, a->why);
    return true;
}

static void dump_people(pipeline_rig *r, const char *alert, sy_buf *out)
{
    sy_arena arena;
    sy_stand s;
    sy_arena_init(&arena, sy_heap(), 0);
    assert_int_equal(sy_store_acts(r->store, alert, dump_act, out, &r->fail), SY_OK);
    assert_int_equal(sy_store_stand_get(r->store, alert, &arena, &s, &r->fail), SY_OK);
    sy_buf_printf(out, "stand %d %lld %llu %lld %s %lld %d\n", s.state, (long long)s.cleared,
                  (unsigned long long)s.at.seq, (long long)s.at.acknowledged,
                  s.at.by ? s.at.by : "-", (long long)s.at.shelved, (int)s.at.unanswered);
    sy_arena_fini(&arena);
}

static void dump(pipeline_rig *r, const ids *x, sy_buf *out)
{
    rig_dump(r, out);
    dump_people(r, x->first, out);
    dump_people(r, x->second, out);
    dump_people(r, x->cabinet, out);
}

/* The changes of an alert in the order of their numbers. */
static void changes(const char *text, const char *alert, const char *expect)
{
    sy_buf got;
    char id[64], word[32];
    sy_buf_init(&got, sy_heap());
    for (int n = 1;; n++) {
        snprintf(id, sizeof id, "\"id\":\"%s/%d\"", alert, n);
        const char *at = strstr(text, id);
        at = at ? strstr(at, "\"change\":\"") : NULL;
        if (!at || sscanf(at, "\"change\":\"%31[a-z]", word) != 1)
            break;
        sy_buf_printf(&got, "%s%s", n > 1 ? " " : "", word);
    }
    sy_buf_char(&got, '\0');
    assert_string_equal(got.p, expect);
    sy_buf_fini(&got);
}

/* What stands in event n of the alert. */
static void says(const char *text, const char *alert, int n, const char *what)
{
    char id[64];
    snprintf(id, sizeof id, "\"id\":\"%s/%d\"", alert, n);
    const char *at = strstr(text, id), *end = at ? strchr(at, '\n') : NULL;
    const char *here = at ? strstr(at, what) : NULL;
    if (!here || (end && here > end))
        fail_msg("%s/%d does not say %s", alert, n, what);
}

static void comes_to(const char *text, const ids *x)
{
    changes(text, x->first, "raised commented unanswered cleared acknowledged");
    says(text, x->first, 3, "\"time\":\"2026-01-05T00:41:00.000Z\""); /* raised at 00:11 */
    says(text, x->first, 5, "\"act\":{\"kind\":\"acknowledge\",\"who\":\"Li Wei\"");
    changes(text, x->second, "raised shelved unshelved unanswered escalated unanswered cleared");
    says(text, x->second, 2, "\"shelved\":true,\"shelved_until\":\"2026-01-05T02:00:30.000Z\"");
    says(text, x->second, 3, "\"time\":\"2026-01-05T02:00:30.000Z\"");
    says(text, x->second, 3, "\"act\":{\"kind\":\"unshelve\",\"who\":null,\"via\":\"clock\"");
    says(text, x->second, 4, "\"time\":\"2026-01-05T02:30:30.000Z\"");
    says(text, x->second, 6, "\"time\":\"2026-01-05T03:46:00.000Z\""); /* 03:26, serious: 20 min */
    changes(text, x->cabinet, "raised unanswered acknowledged");
    says(text, x->cabinet, 3, "\"via\":\"premises\"");
    for (int n = 1; n <= 5; n++) { /* who was told that nobody answered hears of what follows */
        char line[80];
        snprintf(line, sizeof line, "\nevent hq %d %s/%d ", n < 4 ? 0 : 1, x->first, n);
        assert_int_equal(strstr(text, line) != NULL, n >= 3);
    }
}

static void replayed(void **state)
{
    pipeline_rig *r = *state;
    ids x;
    sy_buf whole, parts;
    sy_buf_init(&whole, sy_heap());
    sy_buf_init(&parts, sy_heap());
    open_all(r);
    story(r, &x, false, 0);
    dump(r, &x, &whole);
    comes_to(whole.p, &x);
    for (int every = 0; every <= 29; every += 29) {
        pipeline_rig other;
        rig_open(&other);
        open_all(&other);
        story(&other, &x, true, every);
        sy_buf_reset(&parts);
        dump(&other, &x, &parts);
        assert_string_equal(whole.p, parts.p);
        rig_close(&other);
    }
    /* The same log, read into an empty store. */
    char path[256];
    rig_log_close(r);
    snprintf(path, sizeof path, "%s/store.db", r->data);
    assert_int_equal(unlink(path), 0);
    rig_log_open(r);
    rig_run(r);
    sy_buf_reset(&parts);
    dump(r, &x, &parts);
    assert_string_equal(whole.p, parts.p);
    sy_buf_fini(&whole);
    sy_buf_fini(&parts);
}

/* ---- storms and maintenance ---- */

static const char silence[] = "rule S-1 version 1 \"Silent\"\n"
                              "  basis \"made for a test\" policy\n"
                              "  applies to subject any; goods any; stage any\n"
                              "  effective from 2020-01-01\n"
                              "  watch each point: temperature\n"
                              "  alert warning when temperature has no data for 5 min\n"
                              "  then tell inspector; respond within 10 min\n"
                              "  say \"Look.\"\n"
                              "end\n";

/* Both are silent from minute 10 to 30; cr-1 is maintained from 50 to 80 and silent from 55. */
static void quiet_story(pipeline_rig *r, int every)
{
    static const sy_upkeep_act upkeep = {
        true,          SY_UPKEEP_PLACE, {"shop/cr-1", 9}, RIG_DAY + 80 * RIG_MIN,
        {"Li Wei", 6}, {"a new fan", 9}};
    rig_rules(r, silence);
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    for (int i = 1; i <= 100; i++) {
        sy_ms t = RIG_DAY + i * RIG_MIN;
        bool both = i < 10 || i >= 30;
        if (i == 50) {
            sy_buf text;
            sy_buf_init(&text, sy_heap());
            sy_upkeep_text(&upkeep, &text);
            sy_buf_char(&text, '\0');
            rig_append(r, SY_J_ACTION, 0, text.p);
            sy_buf_fini(&text);
        }
        if (both && i < 55)
            rig_celsius(r, t, 5 + i % 2);
        if (both)
            rig_message(r, "s/t2", 0, i % 2 ? "4" : "5");
        rig_mark(r, t);
        if (every && i % every == 0) {
            rig_run(r);
            rig_log_close(r);
            rig_log_open(r);
        }
    }
    rig_run(r);
}

typedef struct silences {
    char id[4][33];
    sy_ms onset[4];
    size_t n;
} silences;

static bool take_silence(void *ctx, const sy_alert_row *a)
{
    silences *s = ctx;
    assert_true(s->n < 4);
    s->onset[s->n] = a->onset;
    memcpy(s->id[s->n++], a->id, 33);
    return true;
}

static void storms(void **state)
{
    pipeline_rig *r = *state;
    silences x = {.n = 0};
    sy_buf whole, parts;
    char group[33] = "", text[64];
    sy_buf_init(&whole, sy_heap());
    sy_buf_init(&parts, sy_heap());
    quiet_story(r, 0);
    rig_dump(r, &whole);
    assert_int_equal(sy_store_alerts(r->store, take_silence, &x, &r->fail), SY_OK);
    assert_int_equal(x.n, 3);
    const char *first = strstr(whole.p, "\"type\":\"steelyard.group.raised\"");
    assert_non_null(first);
    assert_int_equal(
        sscanf(strstr(first, "\"alert\":{\"id\":"), "\"alert\":{\"id\":\"%32[0-9a-f]", group), 1);
    snprintf(text, sizeof text, "\"group\":\"%s\"", group);
    says(whole.p, group, 1, "\"cause\":\"premises-silent\"");
    says(whole.p, group, 1, "\"quiet\":2,\"of\":2,\"members\":1");
    says(whole.p, group, 2, "\"type\":\"steelyard.group.cleared\"");
    says(whole.p, group, 2, "\"members\":2");
    for (size_t i = 0; i < 2; i++) {
        changes(whole.p, x.id[i], "raised unanswered cleared");
        for (int n = 1; n <= 3; n++)
            says(whole.p, x.id[i], n, text);
        char member[64];
        snprintf(member, sizeof member, "\"id\":\"%s/1\"", x.id[i]);
        assert_true(strstr(whole.p, member) > first); /* the group was told before it */
    }
    changes(whole.p, x.id[2], "raised unsuppressed unanswered");
    says(whole.p, x.id[2], 1, "\"suppressed\":\"maintenance\"");
    says(whole.p, x.id[2], 2, "\"time\":\"2026-01-05T01:20:00.000Z\"");
    says(whole.p, x.id[2], 3, "\"time\":\"2026-01-05T01:30:00.000Z\"");
    for (int every = 13; every <= 24; every += 11) {
        pipeline_rig other;
        rig_open(&other);
        quiet_story(&other, every);
        sy_buf_reset(&parts);
        rig_dump(&other, &parts);
        assert_string_equal(whole.p, parts.p);
        rig_close(&other);
    }
    sy_buf_fini(&whole);
    sy_buf_fini(&parts);
}

/* Readings up to minute 60, and silence of cr-1 from 10 to 45; marks as given. */
static void marked(pipeline_rig *r, const int *marks, sy_buf *out)
{
    rig_rules(r, silence);
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    for (int i = 1; i <= 60; i++) {
        if (i < 10 || i >= 45)
            rig_celsius(r, RIG_DAY + i * RIG_MIN, 5);
        if (i == *marks) {
            rig_mark(r, RIG_DAY + i * RIG_MIN);
            marks++;
        }
    }
    rig_run(r);
    rig_dump(r, out);
    rig_log_close(r);
}

/* A clock that takes large steps tells the same, in the same order, with the same times. */
static void steps(void **state)
{
    static const int sparse[] = {9, 60, 0};
    pipeline_rig *r = *state, other;
    silences x = {.n = 0};
    sy_buf dense, jumps;
    int each[61] = {0};
    for (int i = 0; i < 60; i++)
        each[i] = i + 1;
    sy_buf_init(&dense, sy_heap());
    sy_buf_init(&jumps, sy_heap());
    marked(r, each, &dense);
    rig_open(&other);
    marked(&other, sparse, &jumps);
    rig_log_open(r);
    assert_int_equal(sy_store_alerts(r->store, take_silence, &x, &r->fail), SY_OK);
    rig_log_close(r);
    assert_int_equal(x.n, 2); /* t2 never spoke */
    for (size_t i = 0; i < x.n; i++) {
        bool cleared = x.onset[i] > RIG_DAY;
        const char *all = cleared ? "raised unanswered cleared" : "raised unanswered";
        changes(dense.p, x.id[i], all);
        changes(jumps.p, x.id[i], all);
        says(jumps.p, x.id[i], 2,
             cleared ? "\"time\":\"2026-01-05T00:24:00.000Z\""
                     : "\"time\":\"2026-01-05T00:15:00.000Z\"");
    }
    rig_close(&other);
    sy_buf_fini(&dense);
    sy_buf_fini(&jumps);
}

/* ---- judged again ---- */

typedef struct pair {
    char old[33], new[33];
} pair;

static bool take_pair(void *ctx, const sy_alert_row *a)
{
    pair *p = ctx;
    memcpy(a->replaces ? p->new : p->old, a->id, 33);
    return true;
}

/* The alert is acknowledged; then a reading from before moves its onset. */
static void moved(pipeline_rig *r, pair *x, bool known)
{
    rig_rules(r, rules);
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    for (int i = 1; i <= 60; i++) {
        minute(r, i, i > 5 ? 10 : 5, 4);
        if (i == 12 && !known)
            find(r, "P-1", RIG_DAY, x->old);
        sy_act a = act(SY_ACT_ACKNOWLEDGE, x->old, 0);
        if (i == 12)
            say(r, &a);
        if (i == 13) {
            rig_celsius(r, RIG_DAY + 5 * RIG_MIN + 30000, 9);
            rig_mark(r, RIG_DAY + i * RIG_MIN + 1000);
        }
    }
    rig_run(r);
}

static void replaced(void **state)
{
    pipeline_rig *r = *state, other;
    pair x = {.old = ""};
    sy_buf once, again;
    sy_buf_init(&once, sy_heap());
    sy_buf_init(&again, sy_heap());
    moved(r, &x, false);
    assert_int_equal(sy_store_alerts(r->store, take_pair, &x, &r->fail), SY_OK);
    assert_true(x.old[0] && x.new[0]);
    rig_dump(r, &once);
    dump_people(r, x.new, &once);
    changes(once.p, x.old, "raised acknowledged withdrawn");
    changes(once.p, x.new, "raised"); /* acknowledged: no answer is due after 30 min */
    assert_non_null(strstr(once.p, " Li Wei "));
    rig_open(&other);
    moved(&other, &x, true);
    rig_dump(&other, &again);
    dump_people(&other, x.new, &again);
    assert_string_equal(once.p, again.p);
    rig_close(&other);
    sy_buf_fini(&once);
    sy_buf_fini(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(allowed),
        cmocka_unit_test_setup_teardown(replayed, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(storms, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(steps, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(replaced, rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
