/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random conditions. Names that they may use are declared by judge_random_rule.c.
 */
#include "judge_random.h"

static const int lengths[] = {5, 10, 20, 30, 45, 60, 90, 120};

int random_length(void)
{
    return lengths[random_below(8)];
}

void random_duration(random_writer *w, int ticks)
{
    sy_buf_printf(w->b, "%lld s", (long long)(ticks * w->c->tick / 1000));
}

void random_hold(random_writer *w)
{
    if (w->c->on[C_DATED] && random_chance(30)) {
        sy_buf_text(w->b, "dated-hold");
    } else if (w->c->on[C_TUNE] && random_chance(50)) {
        sy_buf_text(w->b, "tuned-hold");
    } else if (w->c->on[C_TIERS] && random_chance(30)) {
        sy_buf_text(w->b, "tier-hold");
    } else {
        random_duration(w, random_length());
    }
}

static const char *one_of(const char *const *v, uint32_t n)
{
    return v[random_below(n)];
}

static const char *relation(void)
{
    static const char *const v[] = {"above", "below", "at least", "at most"};
    return one_of(v, 4);
}

static void limit(random_writer *w)
{
    const random_case *c = w->c;
    if (c->on[C_DATED] && random_chance(40)) {
        sy_buf_text(w->b, "dated-limit");
    } else if (c->on[C_TUNE] && random_chance(40)) {
        sy_buf_text(w->b, "tuned-limit");
    } else if (c->on[C_TIERS] && random_chance(40)) {
        sy_buf_text(w->b, "tier-limit");
    } else if (c->on[C_UNITS] && random_chance(30)) {
        sy_buf_text(w->b, "46.4 °F [law]");
    } else {
        sy_buf_printf(w->b, "%d °C [law]", 6 + (int)random_below(4));
    }
}

static void compared(random_writer *w, bool humid)
{
    if (humid) {
        sy_buf_printf(w->b, "%s %d %%RH [law]", relation(), 40 + 10 * (int)random_below(3));
    } else if (random_chance(30)) {
        int lo = 6 + (int)random_below(4);
        sy_buf_printf(w->b, "%s %d to %d °C [law]", random_chance(60) ? "outside" : "within", lo,
                      lo + 1 + (int)random_below(2));
    } else {
        sy_buf_printf(w->b, "%s ", relation());
        limit(w);
    }
}

static void comparison(random_writer *w)
{
    static const char *const picks[] = {"", "", "any of ", "all of ", "2 of "};
    const random_case *c = w->c;
    bool humid = random_chance(25);
    const char *pick = humid ? "" : one_of(picks, 5);
    if (c->on[C_READINGS] && random_chance(50)) {
        int m = 2 + (int)random_below(4);
        sy_buf_text(w->b, humid ? "(humidity " : "(temperature ");
        compared(w, humid);
        sy_buf_printf(w->b, " in %d of %d readings)", 1 + (int)random_below((uint32_t)m), m);
        return;
    }
    sy_buf_printf(w->b, "%s%s ", pick, humid ? "humidity" : "temperature");
    if (c->on[C_LETS] && !humid && random_chance(30)) {
        sy_buf_printf(w->b, "%s warm", relation());
        return;
    }
    compared(w, humid);
    if (c->on[C_DOUBT] && random_chance(60)) {
        sy_buf_text(w->b, " beyond doubt");
    }
}

static void qualified(random_writer *w, bool valid)
{
    if (random_chance(25)) {
        sy_buf_printf(w->b, " while door is %s", random_chance(50) ? "open" : "closed");
    }
    if (valid && random_chance(50)) {
        sy_buf_printf(w->b, " (valid at least %u %%)", 10 * (1 + random_below(9)));
    }
    sy_buf_text(w->b, " ");
}

static void window(random_writer *w)
{
    static const char *const kinds[] = {"mean",          "highest",       "lowest",
                                        "spread",        "rate",          "median",
                                        "percentile 80", "percentile 50", "total"};
    uint32_t k = random_below(9);
    bool humid = random_chance(25);
    int length = random_length();
    sy_buf_printf(w->b, "%s of %s over ", kinds[k], humid ? "humidity" : "temperature");
    random_duration(w, length);
    qualified(w, true);
    if (k == 3) {
        sy_buf_printf(w->b, "%s %u %s [law]", relation(),
                      humid ? 10 * random_below(3) : 1 + random_below(3), humid ? "%RH" : "K");
    } else if (k == 4) {
        sy_buf_printf(w->b, "%s %s%u.5 %s/h [law]", relation(), random_chance(30) ? "-" : "",
                      random_below(200), humid ? "%RH" : "K");
    } else if (k == 8) {
        sy_buf_printf(w->b, "%s %d %s [law]", relation(),
                      (humid ? 50 : 8) * (1 + (int)random_below(8)), humid ? "%RH" : "°C");
    } else {
        compared(w, humid);
    }
}

static void across(random_writer *w)
{
    static const char *const kinds[] = {"mean", "highest", "lowest", "spread", "median", "total"};
    uint32_t k = random_below(6);
    sy_buf_printf(w->b, "%s of temperature ", kinds[k]);
    if (k == 3) {
        sy_buf_printf(w->b, "%s %u K [law]", relation(), 1 + random_below(3));
    } else if (k == 5) {
        sy_buf_printf(w->b, "%s %u °C [law]", relation(), 14 + random_below(4));
    } else {
        compared(w, false);
    }
}

static void energy(random_writer *w)
{
    bool noise = random_chance(50);
    sy_buf_text(w->b, noise ? "sound level mean of noise over "
                            : "mean kinetic temperature of temperature over ");
    random_duration(w, random_length());
    qualified(w, true);
    if (noise) {
        sy_buf_printf(w->b, "%s %u.3 dB(A) [law]", relation(), 60 + random_below(15));
    } else {
        compared(w, false);
    }
}

static void sum(random_writer *w)
{
    switch (random_below(4)) {
    case 0:
        sy_buf_printf(w->b, "warm %s %u °C [law]", relation(), 6 + random_below(4));
        break;
    case 1:
        sy_buf_printf(w->b, "climb %s %s%u K [law]", relation(), random_chance(30) ? "-" : "",
                      random_below(3));
        break;
    case 2:
        sy_buf_printf(w->b, "part %s 0.%u [law]", relation(), 5 + random_below(5));
        break;
    default:
        sy_buf_printf(w->b, "looked-up %s %u °C [law]", relation(), 6 + random_below(4));
        break;
    }
}

static void exposure(random_writer *w)
{
    int length = random_length();
    bool humid = random_chance(25), below = random_chance(30);
    sy_buf_printf(w->b, "%s exposure %s %d %s more than %u %s*min [law] in any ",
                  humid ? "humidity" : "temperature", below ? "below" : "above",
                  humid ? 50 : 7 + (int)random_below(3), humid ? "%RH" : "°C",
                  (humid ? 5 : 1) * (uint32_t)(1 + (sy_ms)length * w->c->tick / 60000 *
                                                       (sy_ms)(1 + random_below(4)) / 4),
                  humid ? "%RH" : "K");
    random_duration(w, length);
}

static void phrase(random_writer *w)
{
    const random_case *c = w->c;
    if (c->on[C_STUCK] && random_chance(50)) {
        sy_buf_printf(w->b, "%s stuck for ", random_chance(70) ? "temperature" : "humidity");
        random_duration(w, random_length());
        sy_buf_text(w->b, random_chance(40) ? " while others move" : "");
    } else if (c->on[C_EXPOSURE] && random_chance(60)) {
        exposure(w);
    } else if (c->on[C_CURVE] && random_chance(70)) {
        int d = random_length();
        sy_buf_printf(w->b, "temperature from start of door %s: at most 8 °C [law] within ",
                      random_chance(50) ? "open" : "closed");
        random_duration(w, d);
        if (random_chance(60)) {
            sy_buf_text(w->b, ", at most 6 °C [law] within ");
            random_duration(w, d + random_length());
        }
    } else if (c->on[C_DUE] && random_chance(60)) {
        if (random_chance(50)) {
            sy_buf_text(w->b, "calibration overdue");
        } else {
            sy_buf_printf(w->b, "calibration due within %u d [law]", 1 + random_below(4));
        }
    } else {
        comparison(w);
    }
}

static void leaf(random_writer *w)
{
    const random_case *c = w->c;
    uint32_t k = random_below(10);
    if (c->on[C_WINDOW] && random_chance(50)) {
        window(w);
    } else if (c->on[C_ACROSS] && random_chance(50)) {
        across(w);
    } else if (c->on[C_ENERGY] && random_chance(50)) {
        energy(w);
    } else if (c->on[C_LETS] && random_chance(50)) {
        sum(w);
    } else if (k < 6) {
        phrase(w);
    } else if (k < 9) {
        static const char *const states[] = {"door is open", "any of defrost is on",
                                             "all of defrost is on"};
        sy_buf_text(w->b, one_of(states, 3));
    } else {
        sy_buf_printf(w->b, "%s has no data for ", random_chance(50) ? "temperature" : "humidity");
        random_duration(w, 10 + 10 * (int)random_below(6));
        sy_buf_text(w->b, " [policy]");
    }
}

static void held(random_writer *w, int depth)
{
    sy_buf_text(w->b, "((");
    random_condition(w, depth);
    if (w->c->on[C_CUMULATIVE] && random_chance(60)) {
        int d = random_length();
        sy_buf_text(w->b, ") cumulative ");
        random_duration(w, d);
        sy_buf_text(w->b, " in any ");
        random_duration(w, d + (int)random_below(200));
    } else {
        sy_buf_text(w->b, ") for ");
        random_hold(w);
    }
    sy_buf_text(w->b, ")");
}

void random_condition(random_writer *w, int depth)
{
    uint32_t k = depth > 0 ? random_below(6) : 9;
    if (w->c->on[C_FOLLOWED] && depth > 0 && random_chance(50)) {
        sy_buf_text(w->b, "((");
        random_condition(w, depth - 1);
        sy_buf_text(w->b, random_chance(50) ? ") followed by (" : ") not followed by (");
        random_condition(w, depth - 1);
        sy_buf_text(w->b, ") within ");
        random_duration(w, random_length());
        sy_buf_text(w->b, ")");
    } else if (k == 0) {
        sy_buf_text(w->b, "not (");
        random_condition(w, depth - 1);
        sy_buf_text(w->b, ")");
    } else if (k <= 2) {
        sy_buf_text(w->b, "((");
        random_condition(w, depth - 1);
        sy_buf_text(w->b, k == 1 ? ") and (" : ") or (");
        random_condition(w, depth - 1);
        sy_buf_text(w->b, "))");
    } else if (k == 3) {
        held(w, depth - 1);
    } else {
        leaf(w);
    }
}

void random_silence(random_writer *w)
{
    static const char *const picks[] = {"", "", "any of ", "all of ", "2 of "};
    const char *pick = one_of(picks, 5);
    sy_buf_printf(w->b, "%s%s has no data", pick,
                  *pick || random_chance(60) ? "temperature" : "door");
    if (random_chance(80)) {
        sy_buf_text(w->b, " for ");
        random_duration(w, random_length());
        sy_buf_text(w->b, " [policy]");
    }
}

static void calendar_leaf(random_writer *w, bool daily)
{
    const random_case *c = w->c;
    if (daily && c->on[C_PORTION] && random_chance(c->on[C_CALENDAR] ? 50 : 100)) {
        sy_buf_printf(w->b, "%s, share of refuel %s %u %% [law]",
                      random_chance(50) ? "vapour-part outside 0.8 to 1.3 [law]"
                                        : "vapour-volume above 15 L [law]",
                      random_chance(50) ? "above" : "at least", 25 * random_below(4));
        if (random_chance(60)) {
            sy_buf_printf(w->b, ", counted at least %u", 1 + random_below(4));
        }
        return;
    }
    bool humid = random_chance(20);
    sy_buf_printf(w->b, "%s mean of %s", daily ? "daily" : "hourly",
                  humid ? "humidity" : "temperature");
    qualified(w, true);
    compared(w, humid);
}

void random_calendar(random_writer *w, bool only_hours, bool only_days)
{
    bool daily = only_days || (!only_hours && random_chance(50));
    uint32_t k = random_below(8);
    if (w->c->on[C_PORTION] && !w->c->on[C_CALENDAR]) {
        daily = true;
    }
    if (k == 0) {
        sy_buf_text(w->b, "not (");
        calendar_leaf(w, daily);
        sy_buf_text(w->b, ")");
    } else if (k <= 3) {
        sy_buf_text(w->b, "((");
        calendar_leaf(w, daily);
        sy_buf_text(w->b, random_chance(60) ? ") and (" : ") or (");
        if (random_chance(70)) {
            random_condition(w, 1);
        } else {
            calendar_leaf(w, only_hours || only_days ? daily
                                                     : random_chance(50) || !w->c->on[C_CALENDAR]);
        }
        sy_buf_text(w->b, "))");
    } else {
        calendar_leaf(w, daily);
    }
}
