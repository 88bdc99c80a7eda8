/* SPDX-License-Identifier: Apache-2.0 */
/* What the page shows: events and lists parsed, the readings of all lists brought together. */
#include <math.h>
#include <stdlib.h>

#include "ledger/page_int.h"

#define LATEST ((sy_ms)253402300799999) /* the end of 9999 */

static sy_page_point *point_of(sy_page *p, const char *series)
{
    for (size_t i = 0; i < p->n_points; i++)
        if (strcmp(sy_page__str(p->points[i].info, "point"), series) == 0)
            return &p->points[i];
    return NULL;
}

static bool add_reading(sy_page *p, const json_t *line, size_t event)
{
    const char *series = json_string_value(json_object_get(line, "series"));
    const json_t *t = json_object_get(line, "t"), *v = json_object_get(line, "v");
    sy_page_point *at = series ? point_of(p, series) : NULL;
    if (!at || !json_is_integer(t) || json_integer_value(t) < 0 || json_integer_value(t) > LATEST)
        return false;
    if (sy_grow(sy_heap(), (void **)&at->v, &at->cap, at->n + 1, sizeof *at->v)) {
        p->failed = true;
        return false;
    }
    at->v[at->n++] = (sy_page_reading){.t = json_integer_value(t),
                                       .v = json_is_number(v) ? json_number_value(v) : NAN,
                                       .bits = json_is_string(v) ? json_string_value(v) : NULL,
                                       .q = sy_page__str(line, "q"),
                                       .event = event};
    return true;
}

static bool add_line(sy_page *p, const json_t *line, size_t event)
{
    const char *series = json_string_value(json_object_get(line, "point"));
    if (!series)
        return add_reading(p, line, event);
    if (point_of(p, series))
        return true;
    if (p->n_points >= SY_PAGE_POINTS)
        return false;
    p->points[p->n_points++] = (sy_page_point){.info = line};
    return true;
}

static int order(const void *a, const void *b)
{
    const sy_page_reading *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    if (x->v != y->v && !isnan(x->v) && !isnan(y->v))
        return x->v < y->v ? -1 : 1;
    if (isnan(x->v) != isnan(y->v))
        return isnan(x->v) ? 1 : -1;
    return x->event > y->event ? -1 : x->event < y->event; /* the newest first */
}

static bool same(const sy_page_reading *a, const sy_page_reading *b)
{
    return a->t == b->t && (a->v == b->v || (isnan(a->v) && isnan(b->v)));
}

static void merge(sy_page_point *v)
{
    size_t n = 0;
    if (v->n)
        qsort(v->v, v->n, sizeof *v->v, order);
    for (size_t i = 0; i < v->n; i++)
        if (n == 0 || !same(&v->v[n - 1], &v->v[i]))
            v->v[n++] = v->v[i];
    v->n = n;
}

/* The lines of an event as an array; NULL: one of them is no JSON object. */
static json_t *parse_lines(const sy_buf *lines)
{
    json_t *list = json_array();
    for (size_t i = 0, from = 0; i < lines->n && list; i++) {
        if (lines->p[i] != '\n')
            continue;
        json_t *line = json_loadb(lines->p + from, i - from, 0, NULL);
        if (!json_is_object(line) || json_array_append(list, line) != 0) {
            json_decref(list);
            list = NULL;
        }
        json_decref(line);
        from = i + 1;
    }
    return list;
}

static bool parse(sy_page *p)
{
    p->bodies = json_array();
    p->lists = json_array();
    for (size_t i = 0; i < p->e->n_events; i++) {
        const sy_evidence_event *v = &p->e->events[i];
        json_t *body = json_loadb(v->body.n ? v->body.p : "", v->body.n, 0, NULL);
        if (json_array_append_new(p->bodies, body) != 0 ||
            json_array_append_new(p->lists, parse_lines(&v->basis)) != 0)
            return false;
    }
    return json_is_object(json_array_get(p->bodies, p->e->n_events - 1));
}

static bool join(sy_page *p)
{
    for (size_t i = p->e->n_events; i-- > 0;) {
        const json_t *list = json_array_get(p->lists, i);
        if (json_array_size(list) && !p->head)
            p->head = json_array_get(list, 0);
        for (size_t k = 1; k < json_array_size(list); k++)
            if (!add_line(p, json_array_get(list, k), i))
                return false;
    }
    for (size_t i = 0; i < p->n_points; i++)
        merge(&p->points[i]);
    return true;
}

sy_err sy_page__load(sy_page *p, const sy_evidence *e, sy_fail *f)
{
    p->e = e;
    p->zh = e->zh;
    if (e->n_events == 0 || !parse(p) || !join(p))
        return p->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a page")
                         : sy_fail_set(f, SY_E_PARSE,
                                       "an event or a list of readings is not in its form");
    p->data = json_object_get(json_array_get(p->bodies, e->n_events - 1), "data");
    const json_t *seconds = json_object_get(json_object_get(p->head, "premises"), "offset");
    sy_ms s = json_integer_value(seconds);
    p->offset = s > -86400 && s < 86400 ? s * 1000 : 0;
    return SY_OK;
}

void sy_page__free(sy_page *p)
{
    for (size_t i = 0; i < p->n_points; i++)
        free(p->points[i].v);
    json_decref(p->bodies);
    json_decref(p->lists);
}
