/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section premises: premises, their places, and each point as it is written (points.c sorts
 * them and ties them to devices).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <stdio.h>

#include "config/config_int.h"
#include "config/keys.h"
#include "drivers/formats/hj212.h"

const sy_word *sy_cfg_word(sy_loader *l, const sy_ynode *at, sy_span text, sy_word_kind kind)
{
    const sy_word *w = sy_vocab_name(&l->vocab, text);
    if (w && w->kind == kind)
        return w;
    const char *en = sy_word_kind_text(kind, SY_EN), *zh = sy_word_kind_text(kind, SY_ZH);
    if (w) {
        sy_cfg_error(l, at, "wrong-kind", NULL, "'%.*s' is a %s%.0s in the vocabulary, no %s%.0s",
                     "“%.*s”在词汇表中是%.0s%s，不是%.0s%s", (int)text.n, text.p,
                     sy_word_kind_text(w->kind, SY_EN), sy_word_kind_text(w->kind, SY_ZH), en, zh);
        return NULL;
    }
    const char **words = malloc((l->vocab.n ? l->vocab.n : 1) * 4 * sizeof *words);
    size_t n = 0;
    for (size_t i = 0; words && i < l->vocab.n; i++) {
        const sy_word *v = l->vocab.words[i];
        if (v->kind != kind)
            continue;
        words[n++] = v->id;
        for (size_t k = 0; k < v->n_zh && k < 3; k++)
            words[n++] = v->zh[k];
    }
    sy_cfg_error(l, at, "unknown-word", words ? sy_nearest(text, words, n) : NULL,
                 "unknown %s%.0s '%.*s'", "未知的%.0s%s“%.*s”", en, zh, (int)text.n, text.p);
    free(words);
    return NULL;
}

static const char *word_id(sy_loader *l, const sy_cfg_cell *c, sy_word_kind kind)
{
    if (!c->set)
        return NULL;
    const sy_word *w = sy_cfg_word(l, c->node, sy_span_of(c->text), kind);
    return w ? w->id : NULL;
}

/* ---- a point ---- */

/* The unit that the device's protocol gives what it calls so, where it fits the quantity. */
static bool standard_unit(sy_loader *l, const sy_cfg_cell *c, const sy_word *w, sy_site_point *p)
{
    const sy_device *d = c[PT_DEVICE].set ? sy_cfg_device(l, c[PT_DEVICE].text) : NULL;
    if (!d || !c[PT_NAME].set || strcmp(d->format, "hj212") != 0)
        return false;
    const char *id = sy_hj212_unit(sy_span_of(c[PT_NAME].text));
    const sy_unit *u = id ? sy_unit_by_id(id) : NULL;
    if (!u || !sy_unit_convertible(u, w->unit))
        return false;
    p->unit = u->id;
    return true;
}

static void point_unit(sy_loader *l, const sy_cfg_cell *c, const sy_word *w, sy_site_point *p)
{
    const sy_cfg_cell *unit = &c[PT_UNIT];
    if (w->kind == SY_W_STATE || !w->unit) {
        if (unit->node)
            sy_cfg_error(l, unit->node, "unit-mismatch", NULL, "'%s' has no unit", "“%s”没有单位",
                         w->id);
        return;
    }
    p->unit = w->unit->id;
    if (!unit->node && standard_unit(l, c, w, p))
        return;
    if (!unit->node) {
        sy_cfg_warn(l, c[PT_QUANTITY].node, "no-unit", NULL,
                    "no unit is given: '%s' is taken to be stored in %s",
                    "未给出单位：“%s”按 %s 存储", w->id, w->unit->id);
        return;
    }
    if (!unit->set)
        return;
    const sy_unit *u = sy_unit_find(sy_span_of(unit->text));
    if (!u) {
        size_t n;
        const char *const *spellings = sy_unit_spellings(&n);
        sy_cfg_error(l, unit->node, "unknown-unit",
                     sy_nearest(sy_span_of(unit->text), spellings, n), "unknown unit '%s'",
                     "未知的单位“%s”", unit->text);
        return;
    }
    p->unit = u->id;
    if (!sy_unit_convertible(u, w->unit))
        sy_cfg_error(l, unit->node, "unit-mismatch", w->unit->id,
                     "the unit %s does not fit '%s', which is measured in %s",
                     "单位 %s 不适用于“%s”，其单位为 %s", u->id, w->id, w->unit->id);
}

/* One spelling of the device for a state's value, as JSON text: true, 1, "open". */
static const char *json_text(sy_loader *l, const sy_ynode *n)
{
    static const char *const bare[] = {"true", "false", "null"};
    double number;
    bool plain = !n->quoted && sy_double_parse(n->text, &number) == SY_OK;
    for (size_t i = 0; i < 3 && !n->quoted; i++)
        plain = plain || sy_span_is(n->text, bare[i]);
    if (plain)
        return n->text.p;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_json(&b, n->text);
    const char *text = b.failed ? NULL : sy_cfg_copy(l, sy_buf_span(&b));
    sy_buf_fini(&b);
    return text;
}

static void point_states(sy_loader *l, const sy_ynode *map, const sy_word *w, sy_raw_point *r)
{
    size_t n = 0;
    for (size_t i = 0; i < map->n; i++)
        n += map->values[i]->kind == SY_Y_LIST ? map->values[i]->n : 1;
    sy_state_word *words = sy_cfg_get(l, (n ? n : 1) * sizeof *words);
    sy_cfg_unique *seen = sy_cfg_get(l, (n ? n : 1) * sizeof *seen);
    size_t k = 0;
    for (size_t i = 0; words && seen && i < map->n; i++) {
        const sy_ynode *key = map->keys[i], *value = map->values[i];
        int state = sy_word_value_find(w, key->text);
        if (state < 0) {
            const char *ids[64];
            size_t m = 0;
            for (size_t v = 0; v < w->n_values && m < 64; v++)
                ids[m++] = w->values[v].id;
            sy_cfg_error(l, key, "unknown-word", sy_nearest(key->text, ids, m),
                         "'%s' is no state of '%s'", "“%s”不是“%s”的状态", key->text.p, w->id);
            continue;
        }
        for (size_t j = 0; j < (value->kind == SY_Y_LIST ? value->n : 1); j++) {
            const sy_ynode *v = value->kind == SY_Y_LIST ? value->values[j] : value;
            const char *text = v->kind == SY_Y_SCALAR ? json_text(l, v) : NULL;
            if (!text) {
                sy_cfg_error(l, v, "wrong-value", NULL,
                             "'%s' needs the word that the device sends: true, 1, \"open\"",
                             "“%s”需要设备发送的词：true、1、\"open\"", key->text.p);
                continue;
            }
            seen[k] = (sy_cfg_unique){text, v};
            words[k++] = (sy_state_word){text, state};
        }
    }
    r->states = words;
    r->n_states = k;
    if (seen)
        sy_cfg_check_unique(l, seen, k, "the word", "词");
}

static double number_or_nan(const sy_cfg_cell *c)
{
    return c->set ? c->lo : (double)NAN;
}

static void only_for_quantities(sy_loader *l, const sy_cfg_cell *c, const sy_word *w)
{
    static const int cells[] = {PT_RANGE,  PT_RESOLUTION, PT_ACCURACY, PT_UNCERTAINTY,
                                PT_FAULTS, PT_STUCK,      PT_RATE};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        if (c[cells[i]].node)
            sy_cfg_error(l, c[cells[i]].node, "not-here", NULL,
                         "'%s' is a state: this key is for quantities", "“%s”是状态：此键只用于量",
                         w->id);
}

/* Of a calibration and its period follows when the next one is due. */
static void point_dues(sy_loader *l, const sy_cfg_cell *c, sy_site_point *p)
{
    sy_site_due next = {"calibration", 0};
    sy_date date;
    bool known = c[PT_CALIBRATED].set && c[PT_RECALIBRATE].set &&
                 sy_value_date(sy_span_of(c[PT_CALIBRATED].text), &date) &&
                 sy_value_last_day(date, c[PT_RECALIBRATE].node->text, &next.day);
    const sy_ynode *map = c[PT_DUE].set ? c[PT_DUE].node : NULL;
    if (known || map)
        p->dues = sy_cfg_dues(l, map, known ? &next : NULL, &p->n_dues);
}

static void ordered(sy_loader *l, sy_cfg_cell *c)
{
    char series[520];
    if (!l->orders || (!c[PT_ID].set && (!c[PT_DEVICE].set || !c[PT_NAME].set)))
        return;
    if (c[PT_ID].set)
        snprintf(series, sizeof series, "%s", c[PT_ID].text);
    else
        snprintf(series, sizeof series, "%s/%s", c[PT_DEVICE].text, c[PT_NAME].text);
    sy_cfg_ordered_point(l, series, &c[PT_CALIBRATED], &c[PT_UNCERTAINTY]);
}

static void read_point(sy_loader *l, const sy_ynode *node, uint32_t place)
{
    sy_cfg_cell c[PT_N];
    if (!sy_cfg_read(l, node, SY_S_POINT, c))
        return;
    sy_raw_point *r = &l->raw_points[l->n_raw++];
    sy_site_point *p = &r->p;
    ordered(l, c);
    r->node = node;
    r->every = c[PT_EVERY].node;
    r->accept_blind = c[PT_ACCEPT_BLIND].text;
    *p = (sy_site_point){.device = c[PT_DEVICE].text,
                         .name = c[PT_NAME].text,
                         .series = c[PT_ID].text,
                         .every = c[PT_EVERY].ms,
                         .delivery = c[PT_DELIVERY].set ? c[PT_DELIVERY].ms : 30000,
                         .range_lo = c[PT_RANGE].set ? c[PT_RANGE].lo : (double)NAN,
                         .range_hi = c[PT_RANGE].set ? c[PT_RANGE].hi : (double)NAN,
                         .accuracy = number_or_nan(&c[PT_ACCURACY]),
                         .uncertainty = number_or_nan(&c[PT_UNCERTAINTY]),
                         .resolution = number_or_nan(&c[PT_RESOLUTION]),
                         .place = place};
    point_dues(l, c, p);
    if (!c[PT_QUANTITY].set)
        return;
    const sy_word *w = sy_vocab_name(&l->vocab, c[PT_QUANTITY].node->text);
    if (!w || w->kind != SY_W_STATE)
        w = sy_cfg_word(l, c[PT_QUANTITY].node, c[PT_QUANTITY].node->text, SY_W_QUANTITY);
    if (!w)
        return;
    p->quantity = w->id;
    p->is_state = w->kind == SY_W_STATE;
    point_unit(l, c, w, p);
    sy_cfg_doubts(l, c, p);
    if (p->is_state)
        only_for_quantities(l, c, w);
    if (c[PT_STATES].set && p->is_state)
        point_states(l, c[PT_STATES].node, w, r);
    else if (c[PT_STATES].node && !p->is_state)
        sy_cfg_error(l, c[PT_STATES].node, "not-here", NULL, "'%s' is no state", "“%s”不是状态",
                     w->id);
}

/* ---- places and premises ---- */

static void read_place(sy_loader *l, const sy_ynode *node, sy_site_place *p, uint32_t index,
                       uint32_t premises, sy_cfg_unique *id)
{
    sy_cfg_cell c[PL_N];
    p->premises = premises;
    p->id = p->kind = "";
    if (!sy_cfg_read(l, node, SY_S_PLACE, c))
        return;
    if (c[PL_ID].set) {
        p->id = c[PL_ID].text;
        *id = (sy_cfg_unique){p->id, c[PL_ID].node};
    }
    p->kind = word_id(l, &c[PL_KIND], SY_W_PLACE);
    p->name = c[PL_NAME].text;
    p->stage = word_id(l, &c[PL_STAGE], SY_W_STAGE);
    const char **goods = sy_cfg_get(l, (c[PL_GOODS].n ? c[PL_GOODS].n : 1) * sizeof *goods);
    for (size_t i = 0; goods && i < c[PL_GOODS].n; i++) {
        const sy_word *w = sy_cfg_word(l, sy_cfg_item(&c[PL_GOODS], i),
                                       sy_span_of(c[PL_GOODS].texts[i]), SY_W_GOODS);
        if (w)
            goods[p->n_goods++] = w->id;
    }
    p->goods = goods;
    if (c[PL_DUE].set)
        p->dues = sy_cfg_dues(l, c[PL_DUE].node, NULL, &p->n_dues);
    for (size_t i = 0; c[PL_POINTS].set && i < c[PL_POINTS].node->n; i++)
        read_point(l, c[PL_POINTS].node->values[i], index);
}

static void read_tiers(sy_loader *l, const sy_ynode *map, sy_site_premises *p)
{
    sy_site_tier *tiers = sy_cfg_get(l, (map->n ? map->n : 1) * sizeof *tiers);
    for (size_t i = 0; tiers && i < map->n; i++) {
        const sy_ynode *key = map->keys[i], *value = map->values[i];
        const sy_word *w = sy_cfg_word(l, key, key->text, SY_W_TIER);
        if (!w)
            continue;
        int v = value->kind == SY_Y_SCALAR ? sy_word_value_find(w, value->text) : -1;
        if (v < 0)
            sy_cfg_error(l, value, "unknown-word", NULL, "'%s' has no such tier; it begins with %s",
                         "“%s”没有此等级；其首个等级为 %s", w->id, w->values[0].id);
        else
            tiers[p->n_tiers++] = (sy_site_tier){w->id, w->values[v].id};
    }
    p->tiers = tiers;
}

/* "00:10" → ms after midnight. */
static void premises_statement(sy_loader *l, const sy_cfg_cell *c, sy_site_premises *p)
{
    unsigned h = 0, m = 10;
    char end = 0;
    if (c->set && strcmp(c->text, "off") == 0) {
        p->statement = -1;
        return;
    }
    if (c->set && (strlen(c->text) != 5 || sscanf(c->text, "%2u:%2u%c", &h, &m, &end) != 2 ||
                   h > 23 || m > 59))
        sy_cfg_error(l, c->node, "wrong-value", NULL, "'statement' must be a time, 00:10, or off",
                     "“statement”须为时刻（如 00:10）或 off");
    p->statement = ((sy_ms)h * 60 + m) * 60000;
}

static void premises_zone(sy_loader *l, const sy_cfg_cell *c, sy_site_premises *p)
{
    sy_fail f;
    const char *name = c->set ? c->text : "Asia/Shanghai";
    if (sy_zone_load(l->arena, name, &p->zone, &f) != SY_OK)
        sy_cfg_error(l, c->node, "time-zone", NULL, "the time zone '%s' cannot be loaded: %s",
                     "无法载入时区“%s”：%s", name, f.text);
}

static void read_premises(sy_loader *l, const sy_ynode *node, sy_site_premises *p, uint32_t index,
                          sy_site_place *places, size_t *n_places, sy_cfg_unique *id)
{
    sy_cfg_cell c[PR_N];
    p->id = "";
    if (!sy_cfg_read(l, node, SY_S_PREMISES, c))
        return;
    if (c[PR_ID].set) {
        p->id = c[PR_ID].text;
        *id = (sy_cfg_unique){p->id, c[PR_ID].node};
    }
    p->name = c[PR_NAME].set ? c[PR_NAME].text : p->id;
    p->code = c[PR_CODE].text;
    if (p->code && !sy_uscc_valid(sy_span_of(p->code)))
        sy_cfg_warn(l, c[PR_CODE].node, "code", NULL,
                    "'%s' is no valid unified social credit code (18 characters, the last one "
                    "checks the others, GB 32100-2015)",
                    "“%s”不是有效的统一社会信用代码（18位，末位为校验码，GB 32100-2015）", p->code);
    p->subject = word_id(l, &c[PR_SUBJECT], SY_W_SUBJECT);
    p->stage = word_id(l, &c[PR_STAGE], SY_W_STAGE);
    if (c[PR_TIERS].set)
        read_tiers(l, c[PR_TIERS].node, p);
    sy_cfg_ordered_tiers(l, p);
    if (c[PR_CALENDARS].set)
        sy_cfg_calendars(l, c[PR_CALENDARS].node, p);
    if (c[PR_SWAPPED].set)
        sy_cfg_swaps(l, c[PR_SWAPPED].node, p);
    if (c[PR_DUE].set)
        p->dues = sy_cfg_dues(l, c[PR_DUE].node, NULL, &p->n_dues);
    premises_zone(l, &c[PR_ZONE], p);
    premises_statement(l, &c[PR_STATEMENT], p);
    const sy_ynode *list = c[PR_PLACES].set ? c[PR_PLACES].node : NULL;
    sy_cfg_unique *ids = sy_cfg_get(l, (list && list->n ? list->n : 1) * sizeof *ids);
    size_t k = 0;
    for (size_t i = 0; list && ids && i < list->n; i++, ++*n_places) {
        read_place(l, list->values[i], &places[*n_places], (uint32_t)*n_places, index, &ids[k]);
        k += ids[k].text != NULL;
    }
    if (ids)
        sy_cfg_check_unique(l, ids, k, "the place", "地点");
}

/* How many items the lists of this key hold in all the maps of a list. */
static size_t count_items(const sy_ynode *list, const char *key)
{
    size_t n = 0;
    for (size_t i = 0; list && list->kind == SY_Y_LIST && i < list->n; i++) {
        const sy_ynode *items = sy_yaml_get(list->values[i], key);
        n += items && items->kind == SY_Y_LIST ? items->n : 0;
    }
    return n;
}

void sy_cfg_site(sy_loader *l, const sy_ynode *node)
{
    size_t n = node && node->kind == SY_Y_LIST ? node->n : 0, n_points = 0, k = 0;
    for (size_t i = 0; i < n; i++)
        n_points += count_items(sy_yaml_get(node->values[i], "places"), "points");
    sy_site *site = sy_cfg_get(l, sizeof *site);
    sy_site_premises *premises = sy_cfg_get(l, (n ? n : 1) * sizeof *premises);
    sy_site_place *places = sy_cfg_get(l, (count_items(node, "places") + 1) * sizeof *places);
    sy_cfg_unique *ids = sy_cfg_get(l, (n ? n : 1) * sizeof *ids);
    l->raw_points = sy_cfg_get(l, (n_points + 1) * sizeof *l->raw_points);
    if (l->nomem)
        return;
    *site = (sy_site){.gateway = l->c->id, .premises = premises, .n_premises = n, .places = places};
    for (size_t i = 0; i < n; i++) {
        read_premises(l, node->values[i], &premises[i], (uint32_t)i, places, &site->n_places,
                      &ids[k]);
        k += ids[k].text != NULL;
    }
    sy_cfg_check_unique(l, ids, k, "the premises", "经营者");
    l->c->site = site;
    sy_cfg_points(l, site);
}
