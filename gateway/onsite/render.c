/* SPDX-License-Identifier: Apache-2.0 */
/* The board as text: the worst first, then the oldest. */
#include <stdlib.h>
#include <string.h>

#include "onsite/board.h"

/* Alerts of the premises, or of one place of it, in order. */
typedef struct listed {
    const sy_board_alert **v;
    size_t n, active, unacknowledged, shelved;
    sy_alert_level worst; /* of those that are not shelved */
} listed;

static int by_rank(const void *x, const void *y)
{
    const sy_board_alert *a = *(const sy_board_alert *const *)x;
    const sy_board_alert *b = *(const sy_board_alert *const *)y;
    if (a->shelved != b->shelved)
        return a->shelved ? 1 : -1;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int d = strcmp(a->since, b->since);
    return d ? d : strcmp(a->id, b->id);
}

static bool is_at(const sy_board_alert *a, const sy_site_premises *p, const sy_site_place *place)
{
    return a->told && strcmp(a->premises, p->id) == 0 &&
           (!place || strcmp(a->place, place->id) == 0);
}

static bool list(const sy_board *b, const sy_site_premises *p, const sy_site_place *place,
                 listed *out)
{
    *out = (listed){.v = calloc(b->n + 1, sizeof *out->v)};
    for (size_t i = 0; out->v && i < b->n; i++) {
        const sy_board_alert *a = &b->v[i];
        if (!is_at(a, p, place))
            continue;
        out->v[out->n++] = a;
        out->shelved += a->shelved;
        out->active += !a->shelved;
        out->unacknowledged += !a->shelved && !a->by;
        if (!a->shelved && a->severity > out->worst)
            out->worst = a->severity;
    }
    if (out->n > 1)
        qsort(out->v, out->n, sizeof *out->v, by_rank);
    return out->v != NULL;
}

static void key(sy_buf *b, const char *name)
{
    if (b->n && b->p[b->n - 1] != '{')
        sy_buf_char(b, ',');
    sy_buf_json(b, sy_span_of(name));
    sy_buf_char(b, ':');
}

static void text(sy_buf *b, const char *name, const char *value)
{
    key(b, name);
    if (value)
        sy_buf_json(b, sy_span_of(value));
    else
        sy_buf_text(b, "null");
}

static void count(sy_buf *b, const char *name, size_t n)
{
    key(b, name);
    sy_buf_int(b, (int64_t)n);
}

static void figures(const listed *l, sy_buf *out)
{
    count(out, "active", l->active);
    count(out, "unacknowledged", l->unacknowledged);
    count(out, "shelved", l->shelved);
    text(out, "severity", l->active ? sy_alert_level_text(l->worst, SY_EN) : NULL);
}

static void alert(const sy_board_alert *a, sy_buf *out)
{
    sy_buf_char(out, '{');
    text(out, "id", a->id);
    text(out, "place", a->place);
    text(out, "rule", a->rule);
    text(out, "severity", sy_alert_level_text(a->severity, SY_EN));
    text(out, "since", a->since);
    text(out, "acknowledged", a->by);
    key(out, "shelved");
    sy_buf_text(out, a->shelved ? "true" : "false");
    key(out, "text");
    sy_buf_char(out, '{');
    text(out, "en", a->en);
    text(out, "zh", a->zh);
    sy_buf_text(out, "}}");
}

/* Of the premises: which of its places have something active. */
static void places(const sy_board *b, const sy_site_premises *p, const sy_site *site, sy_buf *out)
{
    bool first = true;
    key(out, "places");
    sy_buf_char(out, '[');
    for (size_t i = 0; i < site->n_places; i++) {
        const sy_site_place *place = &site->places[i];
        listed l;
        if (&site->premises[place->premises] != p)
            continue;
        out->failed = !list(b, p, place, &l) || out->failed;
        if (l.n) {
            sy_buf_text(out, first ? "{" : ",{");
            text(out, "place", place->id);
            text(out, "name", place->name);
            figures(&l, out);
            sy_buf_char(out, '}');
            first = false;
        }
        free(l.v);
    }
    sy_buf_char(out, ']');
}

void sy_board_json(const sy_board *b, const sy_site_premises *p, const sy_site *site,
                   const sy_site_place *place, sy_buf *out)
{
    listed l;
    out->failed = !list(b, p, place, &l) || out->failed;
    sy_buf_char(out, '{');
    text(out, "premises", p->id);
    if (place)
        text(out, "place", place->id);
    text(out, "name", place ? place->name : p->name);
    figures(&l, out);
    if (!place)
        places(b, p, site, out);
    key(out, "alerts");
    sy_buf_char(out, '[');
    size_t n = l.n < (size_t)SY_BOARD_LISTED ? l.n : (size_t)SY_BOARD_LISTED;
    for (size_t i = 0; i < n; i++) {
        sy_buf_text(out, i ? "," : "");
        alert(l.v[i], out);
    }
    sy_buf_char(out, ']');
    count(out, "more", l.n - n);
    sy_buf_char(out, '}');
    free(l.v);
}
