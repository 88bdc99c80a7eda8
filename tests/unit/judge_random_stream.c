/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sites and streams: gaps, readings that are not good, contacts that flutter, events.
 */
#include "judge_random.h"

#include <math.h>
#include <string.h>

static uint64_t seed;

void random_seed(uint64_t s)
{
    seed = s * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 20; i++) {
        (void)random_below(2);
    }
}

uint32_t random_below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % n);
}

bool random_chance(uint32_t percent)
{
    return random_below(100) < percent;
}

/* Two constructs or so, that they meet each other, yet a failure stays readable. */
static void draw(random_case *c)
{
    uint32_t may[CONSTRUCTS], all = 0;
    for (uint32_t k = 0; k < CONSTRUCTS; k++) {
        may[all] = k;
        all += c->allowed[k];
    }
    memset(c->on, 0, sizeof c->on);
    for (uint32_t n = all > 3 ? random_below(4) : 1 + random_below(3); all > 0 && n > 0; n--) {
        c->on[may[random_below(all)]] = true;
    }
    c->on[C_PORTION] = c->on[C_PORTION] || (c->on[C_LASTS] && c->allowed[C_PORTION] &&
                                            !c->on[C_CALENDAR] && random_chance(50));
    if (c->on[C_LASTS] && !c->on[C_PORTION]) {
        c->on[C_CALENDAR] = c->allowed[C_CALENDAR];
        c->on[C_LASTS] = c->on[C_CALENDAR];
    }
}

static void times(random_case *c, const sy_zone *const zones[3])
{
    static const sy_date days[] = {{2026, 2, 28}, {2026, 3, 28}, {2026, 10, 24}, {2026, 12, 31}};
    bool days_long = c->on[C_PORTION] || c->on[C_LASTS] || c->on[C_DUE] || c->on[C_DATED] ||
                     c->on[C_TUNE] || (c->on[C_CALENDAR] && random_chance(50));
    c->zone = zones[random_below(3)];
    int64_t day = sy_days_of(days[random_below(4)]) + 1;
    if (days_long && random_chance(80)) {
        c->tick = 600000;
        c->length = 1000;
    } else if (c->on[C_CALENDAR] || random_chance(15)) {
        c->tick = 60000;
        c->length = 1500;
    } else {
        c->tick = c->coarse ? 60000 : 1000;
        c->length = 1500;
    }
    /* ten minutes before midnight: the day changes in the stream */
    c->t0 = sy_zone_midnight(c->zone, day) - 600 * c->tick;
    if (c->tick > 1000) {
        c->t0 += 600 * c->tick - 60 * (sy_ms)random_below(30) * 60000;
    }
}

static void calendars(random_case *c)
{
    static const char *const names[2] = {"night", "service-hours"};
    sy_ms unit = c->tick == 1000 ? 60000 : 1800000;
    for (int k = 0; k < 2; k++) {
        sy_site_calendar *x = &c->calendars[k];
        *x = (sy_site_calendar){names[k], c->spans[k], 1 + random_below(3)};
        for (size_t s = 0; s < x->n_spans; s++) {
            sy_ms from = c->tick == 1000 ? 86400000 - 600000 + (sy_ms)random_below(20) * unit
                                         : (sy_ms)random_below(46) * unit;
            from %= 86400000;
            c->spans[k][s] = (sy_site_span){(uint8_t)(1 + random_below(127)), from,
                                            from + (1 + (sy_ms)random_below(16)) * unit};
            if (random_chance(60)) {
                c->spans[k][s].days = 127;
            }
        }
    }
    c->swap = (sy_site_swap){sy_zone_day(c->zone, c->t0) + (int64_t)random_below(3),
                             (uint8_t)(random_chance(30) ? 0 : 1u << random_below(7))};
}

static sy_ms interval(const random_case *c, int k)
{
    bool quantity = k != P_DEFROST && k != P_DOOR && k != P_DEFROST2;
    if (k == P_FUEL || k == P_VAPOUR || k == P_REFUEL) {
        return 0;
    }
    if (!(quantity ? random_chance(85) : random_chance(30))) {
        return 0;
    }
    if (c->tick == 600000) {
        return c->tick * (quantity ? 1 + (sy_ms)random_below(4) : 10 + (sy_ms)random_below(60));
    }
    return c->tick * (quantity ? 5 + (sy_ms)random_below(20) : 20 + (sy_ms)random_below(60));
}

static void points(random_case *c)
{
    static const char *const series[POINTS] = {
        "defrost", "door",   "door2",       "fuel-volume",  "humidity",
        "noise",   "refuel", "temperature", "temperature2", "vapour-volume"};
    static const char *const units[POINTS] = {NULL,    NULL, NULL,   "L",    "%RH",
                                              "dB(A)", NULL, "degC", "degC", "L"};
    for (int k = 0; k < POINTS; k++) {
        bool event = k == P_FUEL || k == P_VAPOUR || k == P_REFUEL;
        c->points[k] = (sy_site_point){.series = series[k],
                                       .device = event ? "nozzle" : "d",
                                       .name = series[k],
                                       .quantity = k == P_DEFROST2       ? "defrost"
                                                   : k == P_TEMPERATURE2 ? "temperature"
                                                                         : series[k],
                                       .unit = units[k],
                                       .is_state = k <= P_DEFROST2,
                                       .every = interval(c, k),
                                       .delivery = 1000 * (sy_ms)random_below(40),
                                       .range_lo = random_chance(50) ? 7 : NAN,
                                       .range_hi = NAN,
                                       .accuracy = random_chance(50) ? 0.5 : NAN,
                                       .uncertainty = random_chance(50) ? 1 : NAN,
                                       .resolution = random_chance(50) ? 1 : NAN};
        if (isnan(c->points[k].accuracy) && isnan(c->points[k].uncertainty)) {
            c->points[k].uncertainty = 0.5;
        }
    }
    if (c->on[C_UNITS]) {
        c->points[P_TEMPERATURE2].unit = "degF";
    }
}

void random_frame(random_case *c, const sy_zone *const zones[3])
{
    static const char *const tiers[] = {"A", "B", "C", "D"};
    draw(c);
    times(c, zones);
    calendars(c);
    points(c);
    c->tier = (sy_site_tier){"food-risk-tier", tiers[random_below(4)]};
    c->due =
        (sy_site_due){"calibration", sy_zone_day(c->zone, c->t0) - 1 + (int64_t)random_below(6)};
    c->premises = (sy_site_premises){.id = "p1",
                                     .tiers = &c->tier,
                                     .n_tiers = random_chance(80),
                                     .calendars = c->calendars,
                                     .n_calendars = 2,
                                     .swaps = &c->swap,
                                     .n_swaps = random_chance(50),
                                     .zone = c->zone};
    c->place = (sy_site_place){.id = "c1", .kind = "room"};
    switch (random_below(3)) {
    case 0:
        c->premises.dues = &c->due;
        c->premises.n_dues = 1;
        break;
    case 1:
        c->place.dues = &c->due;
        c->place.n_dues = 1;
        break;
    default:
        c->points[P_TEMPERATURE].dues = c->points[P_TEMPERATURE2].dues = &c->due;
        c->points[P_TEMPERATURE].n_dues = c->points[P_TEMPERATURE2].n_dues = 1;
        break;
    }
    c->site = (sy_site){.gateway = "g",
                        .premises = &c->premises,
                        .n_premises = 1,
                        .places = &c->place,
                        .n_places = 1,
                        .points = c->points,
                        .n_points = POINTS};
}

static double next_value(const random_case *c, int p, double last)
{
    if (p <= P_DEFROST2) {
        return last == 0 ? 1 : 0;
    }
    if (random_chance(70)) {
        return last;
    }
    if (p == P_HUMIDITY) {
        return 40 + 10 * (double)random_below(3);
    }
    if (p == P_NOISE) {
        return 60 + 5 * (double)random_below(4);
    }
    double t = 6 + (double)random_below(5);
    return p == P_TEMPERATURE2 && c->on[C_UNITS] ? t * 9 / 5 + 32 : t;
}

static void add(random_case *c, int point, int at, double v, sy_quality q)
{
    if (c->n < NAIVE_READINGS && at <= c->length) {
        c->r[c->n++] = (naive_reading){(uint32_t)point, at, v, q};
    }
}

static sy_quality quality(const random_case *c, int p)
{
    if (random_chance(c->on[C_UNCERTAIN] || c->on[C_OVER_RANGE] ? 80 : 94)) {
        return SY_Q_GOOD;
    }
    if (random_chance(50)) {
        return SY_Q_UNCERTAIN;
    }
    return p > P_DEFROST2 && c->on[C_OVER_RANGE] && random_chance(70) ? SY_Q_BAD | SY_Q_OUT_OF_RANGE
                                                                      : SY_Q_BAD;
}

static void one_point(random_case *c, int k)
{
    bool state = k <= P_DEFROST2;
    int step = state ? 10 + (int)random_below(150) : 4 + (int)random_below(16);
    double v = state ? random_below(2) : next_value(c, k, 8);
    if (c->tick == 600000) {
        step = state ? 5 + (int)random_below(60) : (int)(c->points[k].every / c->tick);
        step = step < 1 ? 2 : step;
    }
    for (int t = (int)random_below(state ? 60 : (uint32_t)step * 3); t <= c->length;) {
        v = next_value(c, k, v);
        add(c, k, t, v, quality(c, k));
        if (random_chance(3)) {
            add(c, k, t, random_chance(50) ? v : v + 1,
                random_chance(80) ? SY_Q_GOOD : SY_Q_UNCERTAIN);
        }
        if (state && random_chance(20)) { /* a contact flutters */
            add(c, k, t + 1 + (int)random_below(8), v == 0 ? 1 : 0, SY_Q_GOOD);
        }
        bool regular = c->on[C_CALENDAR] || c->on[C_WINDOW] || c->on[C_ENERGY];
        t += !state && regular && random_chance(90) ? step
                                                    : 1 + (int)random_below((uint32_t)(2 * step));
        if (random_chance(regular ? 1 : 4)) {
            t += (int)random_below(200);
        }
    }
}

static void events(random_case *c)
{
    for (int t = 0; t <= c->length; t += 1 + (int)random_below(60)) {
        add(c, P_REFUEL, t, 1, quality(c, P_REFUEL));
        if (random_chance(95)) {
            add(c, P_FUEL, t, 10 + 5 * (double)random_below(4), quality(c, P_FUEL));
        }
        if (random_chance(95)) {
            add(c, P_VAPOUR, t, 10 + 5 * (double)random_below(4), quality(c, P_VAPOUR));
        }
    }
}

void random_stream(random_case *c)
{
    c->n = 0;
    for (int k = 0; k < POINTS; k++) {
        bool event = k == P_FUEL || k == P_VAPOUR || k == P_REFUEL;
        if (!event && (k != P_NOISE || c->on[C_ENERGY])) {
            one_point(c, k);
        }
    }
    if (c->on[C_PORTION]) {
        events(c);
    }
}
