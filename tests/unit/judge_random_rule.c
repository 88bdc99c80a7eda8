/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules: clauses, the names that they declare, tunings.
 */
#include "judge_random.h"

int64_t random_local_day(const random_case *c)
{
    return sy_zone_day(c->zone, c->t0 + (sy_ms)random_below((uint32_t)c->length) * c->tick);
}

void random_date(random_writer *w, int64_t day)
{
    sy_date d = sy_date_of(day);
    sy_buf_printf(w->b, "%04d-%02d-%02d", (int)d.year, d.month, d.day);
}

/* set NAME from …; from …: numbers of one kind around the stream. */
static void dated(random_writer *w, const char *name, bool length)
{
    int64_t day = sy_zone_day(w->c->zone, w->c->t0) - 3;
    sy_buf_printf(w->b, "  set %s", name);
    for (uint32_t n = 2 + random_below(2), k = 0; k < n; k++) {
        sy_buf_text(w->b, k ? "; from " : " from ");
        random_date(w, day);
        sy_buf_text(w->b, " ");
        if (length) {
            random_duration(w, random_length());
            sy_buf_text(w->b, " [policy]");
        } else {
            sy_buf_printf(w->b, "%u °C [law]", 6 + random_below(4));
        }
        day += k == 0 ? 4 + (int64_t)random_below(2) : 1 + (int64_t)random_below(2);
    }
    sy_buf_text(w->b, "\n");
}

static void by_tier(random_writer *w, const char *name, bool length)
{
    static const char *const rows[] = {"A", "B", "C", "otherwise"};
    sy_buf_printf(w->b, "  set %s by food-risk-tier: ", name);
    for (int k = 0; k < 4; k++) {
        sy_buf_printf(w->b, "%s%s ", k ? "; " : "", rows[k]);
        if (length) {
            random_duration(w, random_length());
            sy_buf_text(w->b, " [policy]");
        } else {
            sy_buf_printf(w->b, "%u °C [law]", 6 + random_below(4));
        }
    }
    sy_buf_text(w->b, "\n");
}

static void names(random_writer *w)
{
    const random_case *c = w->c;
    if (c->on[C_DATED]) {
        dated(w, "dated-limit", false);
        dated(w, "dated-hold", true);
    }
    if (c->on[C_TIERS]) {
        by_tier(w, "tier-limit", false);
        by_tier(w, "tier-hold", true);
    }
    if (c->on[C_TUNE]) {
        sy_buf_printf(w->b, "  set tuned-limit = %u °C [tunable 2 °C to 12 °C]\n",
                      6 + random_below(4));
        sy_buf_text(w->b, "  set tuned-hold = ");
        random_duration(w, random_length());
        sy_buf_text(w->b, " [tunable 1 s to 30 d]\n");
    }
    if (c->on[C_LETS]) {
        static const char *const warm[] = {
            "temperature + 1 K [law]", "lowest of temperature + 1 K [law]",
            "temperature - 1 K [law]", "(temperature + 1 K [law]) * 2 / 2"};
        static const char *const part[] = {"humidity / (60 %RH [law])",
                                           "humidity / highest of humidity over ",
                                           "(60 %RH [law] - humidity) / (humidity - 40 %RH [law])"};
        uint32_t k = random_below(3);
        sy_buf_printf(w->b, "  let warm = %s\n", warm[random_below(4)]);
        sy_buf_text(w->b, "  let climb = temperature - mean of temperature over ");
        random_duration(w, random_length());
        sy_buf_printf(w->b, "\n  let part = %s", part[k]);
        if (k == 1) {
            random_duration(w, random_length());
        }
        sy_buf_printf(w->b,
                      "\n  let looked-up = table of humidity (%u %%RH 5 °C; 55 %%RH 7 °C; "
                      "60 %%RH 9 °C [law])%s\n",
                      40 + 5 * random_below(3), random_chance(40) ? " + climb" : "");
    }
    if (c->on[C_PORTION]) {
        sy_buf_text(w->b, "  let vapour-part = vapour-volume / fuel-volume\n"
                          "  count refuel daily only when fuel-volume above 12 L [law]\n");
    }
}

static bool by_calendar(const random_case *c)
{
    return c->on[C_CALENDAR] || c->on[C_PORTION];
}

/* Returns whether the level is one of the calendar. */
static void when(random_writer *w)
{
    const random_case *c = w->c;
    uint32_t k = random_below(10);
    if (k < 2) {
        random_silence(w);
    } else if (k < 4) {
        random_condition(w, 2);
    } else if (c->on[C_CUMULATIVE] && k < 8) {
        int d = random_length();
        sy_buf_text(w->b, "(");
        random_condition(w, (int)random_below(3));
        sy_buf_text(w->b, ") cumulative ");
        random_duration(w, d);
        sy_buf_text(w->b, " in any ");
        random_duration(w, d + (int)random_below(300));
    } else {
        sy_buf_text(w->b, "(");
        random_condition(w, (int)random_below(3));
        sy_buf_text(w->b, ") for ");
        random_hold(w);
    }
}

static void tail(random_writer *w, bool excepts)
{
    for (uint32_t k = random_below(4); excepts && k > 1; k--) {
        sy_buf_printf(w->b, "\n    except while %s, each at most ",
                      random_chance(50) ? "door open" : "defrost on");
        random_duration(w, random_length() + 1);
        sy_buf_printf(w->b, ", daily at most %u times", 1 + random_below(3));
    }
    if (w->c->on[C_DURING] && random_chance(70)) {
        sy_buf_printf(w->b, "\n    during %s", random_chance(50) ? "night" : "service-hours");
    }
    sy_buf_text(w->b, "\n");
}

static void alerts(random_writer *w)
{
    const random_case *c = w->c;
    static const char *const levels[] = {"notice", "warning", "serious", "major"};
    uint32_t low = random_below(c->on[C_ESCALATE] ? 2 : 3);
    bool hours = random_chance(50) && c->on[C_CALENDAR];
    if (c->on[C_LASTS] && by_calendar(c)) {
        sy_buf_printf(w->b, "  alert %s when ", levels[low]);
        random_calendar(w, hours, !hours);
        tail(w, false);
        sy_buf_printf(w->b, "  alert %s when ", levels[low + 1]);
        if (random_chance(30)) {
            sy_buf_printf(w->b, "door is open %s ", random_chance(50) ? "and" : "or");
        }
        sy_buf_printf(w->b, "%s lasts %u %s", levels[low], 2 + random_below(3), hours ? "h" : "d");
        tail(w, false);
        return;
    }
    for (int k = random_chance(60) ? 1 : 0; k < 2; k++) {
        bool calendar = by_calendar(c) && random_chance(75);
        sy_buf_printf(w->b, "  alert %s when ", levels[low + (uint32_t)k]);
        if (calendar) {
            random_calendar(w, false, false);
        } else {
            when(w);
        }
        tail(w, !calendar && random_chance(60));
    }
}

static void clear(random_writer *w)
{
    if (random_chance(60)) {
        return;
    }
    sy_buf_text(w->b, "  clear when ");
    if (by_calendar(w->c) && random_chance(30)) {
        random_calendar(w, false, false);
    } else if (random_chance(50)) {
        sy_buf_text(w->b, "(");
        random_condition(w, 1);
        sy_buf_text(w->b, ") for ");
        random_hold(w);
    } else {
        random_condition(w, 2);
    }
    sy_buf_text(w->b, "\n");
}

static void tunings(random_writer *w, int version)
{
    static const char *const at[] = {"p1", "c1", "p1/c1", "temperature", "temperature2", "p2"};
    (void)version;
    for (uint32_t k = w->c->on[C_TUNE] ? random_below(5) : 0; k > 0; k--) {
        if (random_chance(50)) {
            sy_buf_printf(w->b, "tune R-1: tuned-limit = %u °C", 6 + random_below(4));
        } else {
            sy_buf_text(w->b, "tune R-1: tuned-hold = ");
            random_duration(w, random_length());
        }
        sy_buf_printf(w->b, " at %s reason \"x\"", at[random_below(6)]);
        if (random_chance(50)) {
            sy_buf_text(w->b, " until ");
            random_date(w, random_local_day(w->c));
        }
        sy_buf_text(w->b, "\n");
    }
}

void random_rule(const random_case *c, int version, sy_buf *b)
{
    random_writer w = {c, b, true};
    sy_buf_printf(b, "rule R-1 version %d \"random\"\n  basis \"none\" policy\n", version);
    sy_buf_text(b, "  applies to subject any; goods any; stage any\n");
    if (random_chance(25)) {
        int64_t day = random_local_day(c);
        bool to = random_chance(60);
        sy_buf_text(b, "  effective from ");
        random_date(&w, to ? day - (int64_t)random_below(20) : day);
        if (to) {
            sy_buf_text(b, " to ");
            random_date(&w, day);
        }
        sy_buf_text(b, "\n");
    }
    if (c->on[C_TRIAL]) {
        int64_t day = random_local_day(c);
        sy_buf_text(b, "  mode trial from ");
        random_date(&w, day - (int64_t)random_below(2));
        sy_buf_text(b, " to ");
        random_date(&w, day);
        sy_buf_text(b, "\n");
    }
    sy_buf_printf(b, "  watch each room: temperature, humidity, door, defrost%s%s\n",
                  c->on[C_ENERGY] ? ", noise" : "",
                  c->on[C_PORTION] ? ", refuel, vapour-volume, fuel-volume" : "");
    sy_buf_text(b, c->on[C_UNCERTAIN] ? "  accept uncertain\n" : "");
    sy_buf_text(b, c->on[C_OVER_RANGE] ? "  over range counts as above\n" : "");
    if (random_chance(75)) {
        sy_buf_text(b, "  missing after ");
        random_duration(&w, c->tick == 600000 ? 2 + (int)random_below(20)
                                              : 15 + 15 * (int)random_below(5));
        sy_buf_text(b, "\n");
    }
    names(&w);
    alerts(&w);
    clear(&w);
    if (c->on[C_ESCALATE]) {
        sy_buf_printf(b, "  escalate to major when this alert opens at least %u times in any ",
                      2 + random_below(3));
        random_duration(&w, 100 + (int)random_below(1000));
        if (random_chance(60)) {
            sy_buf_text(b, ", apart at least ");
            random_duration(&w, random_length());
        }
        sy_buf_text(b, "\n");
    }
    sy_buf_text(b, "  then tell premises\nend\n");
    tunings(&w, version);
}
