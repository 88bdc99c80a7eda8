/* SPDX-License-Identifier: Apache-2.0 */
/* The statement of a day as a CloudEvent: key order and bytes are fixed, as in event.c. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "pipeline/days.h"
#include "pipeline/members.h"

typedef struct sums {
    sy_ms in_order, breach, exempt, outside, unknown;
} sums;

static const sy_day *day_of(const sy_days *d, const sy_days_turn *t)
{
    const sy_days_premises *p = &d->premises[t->premises];
    for (size_t i = 0; i < p->n; i++)
        if (p->days[i].day == t->day)
            return &p->days[i];
    return NULL;
}

static void date_text(int64_t day, char out[16])
{
    sy_date date = sy_date_of(day);
    snprintf(out, 16, "%04d-%02u-%02u", (int)(date.year % 10000), date.month, date.day);
}

void sy_statement_id(const sy_days *d, const sy_days_turn *t, uint32_t n, sy_buf *out)
{
    char date[16];
    date_text(t->day, date);
    sy_buf_printf(out, "statement/%s/%s/%u", d->premises[t->premises].id, date, n);
}

/* Rows of one name become one; in the order of the names' texts. */
typedef struct line {
    sy_days_words words;
    uint32_t name;
    bool by_close, trial;
    sums s;
} line;

static int by_words(const void *a, const void *b)
{
    const line *x = a, *y = b;
    int c = strcmp(x->words.place, y->words.place);
    c = c ? c : strcmp(x->words.series, y->words.series);
    c = c ? c : strcmp(x->words.rule, y->words.rule);
    return c ? c : strcmp(x->words.version, y->words.version);
}

static void add_row(sums *s, const sy_day_row *r)
{
    s->in_order += r->in_order;
    s->breach += r->breach;
    s->exempt += r->exempt;
    s->outside += r->outside;
    s->unknown += r->to - r->from - r->in_order - r->breach - r->exempt - r->outside;
}

static size_t lines_of(const sy_days *d, const sy_day *x, line *v)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n_rows; i++)
        v[i] = (line){.words = sy_days_words_of(d, x->rows[i].name),
                      .name = x->rows[i].name,
                      .by_close = x->rows[i].by_close,
                      .trial = x->rows[i].trial};
    for (size_t i = 0; i < x->n_rows; i++)
        add_row(&v[i].s, &x->rows[i]);
    if (x->n_rows)
        qsort(v, x->n_rows, sizeof *v, by_words);
    for (size_t i = 0; i < x->n_rows; i++) {
        if (n && v[n - 1].name == v[i].name) {
            sums *s = &v[n - 1].s;
            s->in_order += v[i].s.in_order;
            s->breach += v[i].s.breach;
            s->exempt += v[i].s.exempt;
            s->outside += v[i].s.outside;
            s->unknown += v[i].s.unknown;
        } else {
            v[n++] = v[i];
        }
    }
    return n;
}

static void put_sums(sy_buf *b, const sums *s)
{
    sy_member_int(b, "in_order_ms", s->in_order);
    sy_member_int(b, "breach_ms", s->breach);
    sy_member_int(b, "unknown_ms", s->unknown);
    sy_member_int(b, "exempt_ms", s->exempt);
    sy_member_int(b, "outside_ms", s->outside);
}

static void put_rules(sy_buf *b, const line *v, size_t n)
{
    sy_member_key(b, "rules");
    sy_buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        sy_buf_text(b, i ? ",{" : "{");
        sy_member_text(b, "rule", v[i].words.rule);
        sy_member_int(b, "version", strtoll(v[i].words.version, NULL, 10));
        sy_member_text(b, "place", v[i].words.place);
        sy_member_text(b, "series", v[i].words.series);
        sy_member_truth(b, "trial", v[i].trial);
        sy_member_truth(b, "by_close", v[i].by_close);
        put_sums(b, &v[i].s);
        sy_buf_char(b, '}');
    }
    sy_buf_char(b, ']');
}

typedef struct sensors {
    size_t expected, heard;
    uint64_t readings_expected, readings_good;
} sensors;

static const sy_day_heard *heard_of(const sy_day *x, uint32_t name)
{
    for (size_t i = 0; i < x->n_heard; i++)
        if (x->heard[i].name == name)
            return &x->heard[i];
    return NULL;
}

static void put_sensors(sy_buf *b, const sy_statement_of *s, const sy_day *x, sensors *sum)
{
    const sy_site *site = s->config->site;
    sy_ms since = s->days->premises[s->turn.premises].since;
    sy_ms from = since > x->from ? since : x->from;
    sy_member_key(b, "sensors");
    sy_buf_char(b, '[');
    for (size_t i = 0; i < site->n_points; i++) {
        const sy_site_point *p = &site->points[i];
        if (site->places[p->place].premises != s->turn.premises)
            continue;
        const sy_day_heard *h = heard_of(x, s->days->of_point[i]);
        int64_t want = p->every && x->to > from ? (x->to - from + p->every - 1) / p->every : 0;
        sy_buf_text(b, b->p[b->n - 1] == '[' ? "{" : ",{");
        sy_member_text(b, "place", site->places[p->place].id);
        sy_member_text(b, "series", p->series);
        if (p->every)
            sy_member_int(b, "expected", want);
        else
            sy_member_text(b, "expected", NULL);
        sy_member_int(b, "received", h ? h->heard : 0);
        sy_member_int(b, "good", h ? h->good : 0);
        sy_buf_char(b, '}');
        sum->expected += p->every != 0;
        sum->heard += p->every && h && h->heard;
        sum->readings_expected += (uint64_t)want;
        sum->readings_good += p->every && h ? (h->good < want ? h->good : (uint64_t)want) : 0;
    }
    sy_buf_char(b, ']');
}

static void put_premises(sy_buf *b, const sy_site_premises *p)
{
    sy_member_key(b, "premises");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", p->id);
    sy_member_text(b, "name", p->name);
    sy_member_text(b, "code", p->code);
    sy_buf_char(b, '}');
}

static void put_previous(sy_buf *b, const sy_days_premises *p)
{
    char hex[65];
    if (!p->previous[0]) {
        sy_member_text(b, "previous", NULL);
        return;
    }
    sy_hex(p->hash, 32, hex);
    sy_member_key(b, "previous");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", p->previous);
    sy_member_text(b, "sha256", hex);
    sy_buf_char(b, '}');
}

/* A rule on trial is shown, and decides nothing. */
static const char *verdict(const sy_day *x, const line *v, size_t n, sums *all)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].trial)
            continue;
        all->in_order += v[i].s.in_order;
        all->breach += v[i].s.breach;
        all->exempt += v[i].s.exempt;
        all->unknown += v[i].s.unknown;
        all->outside += v[i].s.outside;
    }
    if (all->breach || x->raised > x->withdrawn)
        return "in-breach";
    return all->unknown || n == 0 ? "not-known" : "in-order";
}

static void put_data(const sy_statement_of *s, const sy_day *x, const line *v, size_t n, sy_buf *b)
{
    const sy_site_premises *premises = &s->config->site->premises[s->turn.premises];
    const sy_days_premises *p = &s->days->premises[s->turn.premises];
    char date[16];
    sums all = {0};
    sensors sum = {0};
    sy_buf replaces;
    date_text(x->day, date);
    sy_member_key(b, "data");
    sy_buf_char(b, '{');
    sy_member_text(b, "day", date);
    sy_member_text(b, "time_zone", premises->zone ? premises->zone->name : "UTC");
    sy_member_time(b, "from", x->from);
    sy_member_time(b, "to", x->to);
    sy_member_time(b, "since", p->since > x->from ? p->since : x->from);
    sy_member_text(b, "verdict", verdict(x, v, n, &all));
    put_premises(b, premises);
    sy_buf_init(&replaces, b->alloc);
    if (x->told)
        sy_statement_id(s->days, &s->turn, x->told, &replaces);
    sy_buf_char(&replaces, 0);
    sy_member_text(b, "replaces", x->told && !replaces.failed ? replaces.p : NULL);
    b->failed = b->failed || replaces.failed;
    sy_buf_fini(&replaces);
    put_previous(b, p);
    sy_member_text(b, "clock", s->replay ? "replay" : "wall");
    sy_member_truth(b, "synchronised", !s->unsynced);
    sy_member_text(b, "set", s->config->hash_hex);
    sy_member_key(b, "total");
    sy_buf_char(b, '{');
    put_sums(b, &all);
    sy_buf_char(b, '}');
    sy_member_key(b, "alerts");
    sy_buf_char(b, '{');
    sy_member_int(b, "raised", x->raised);
    sy_member_int(b, "cleared", x->cleared);
    sy_member_int(b, "withdrawn", x->withdrawn);
    sy_buf_char(b, '}');
    put_rules(b, v, n);
    put_sensors(b, s, x, &sum);
    sy_member_int(b, "sensors_expected", (int64_t)sum.expected);
    sy_member_int(b, "sensors_heard", (int64_t)sum.heard);
    sy_member_int(b, "readings_expected", (int64_t)sum.readings_expected);
    sy_member_int(b, "readings_good", (int64_t)sum.readings_good);
    sy_buf_char(b, '}');
}

void sy_statement_json(const sy_statement_of *s, sy_buf *out)
{
    const sy_day *x = day_of(s->days, &s->turn);
    line *v = x ? calloc(x->n_rows + 1, sizeof *v) : NULL;
    sy_buf word;
    if (!v) {
        out->failed = true;
        return;
    }
    size_t n = lines_of(s->days, x, v);
    sy_buf_init(&word, out->alloc);
    sy_buf_char(out, '{');
    sy_member_text(out, "specversion", "1.0");
    sy_statement_id(s->days, &s->turn, x->told + 1, &word);
    sy_member_key(out, "id");
    sy_buf_json(out, sy_buf_span(&word));
    sy_buf_reset(&word);
    sy_buf_printf(&word, "/steelyard/%s", s->config->site->gateway);
    sy_member_key(out, "source");
    sy_buf_json(out, sy_buf_span(&word));
    sy_member_text(out, "type", "steelyard.statement");
    sy_member_text(out, "subject", s->days->premises[s->turn.premises].id);
    sy_member_time(out, "time", s->turn.due);
    sy_member_text(out, "datacontenttype", "application/json");
    put_data(s, x, v, n, out);
    sy_buf_char(out, '}');
    out->failed = out->failed || word.failed;
    sy_buf_fini(&word);
    free(v);
}
