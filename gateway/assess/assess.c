/* SPDX-License-Identifier: Apache-2.0 */
/* The findings, their table, and the grade. */
#include "assess/assess_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/control.h"

enum { ANSWER_MS = 10000 };

static const sy_assess_row rows[] = {
#define ROW(name, code, grade, etsi, gbt, en, zh, todo, todo_zh)                                   \
    {code, SY_ASSESS_##grade, etsi, SY_GBT_##gbt, {en, zh}, {todo, todo_zh}},
    SY_ASSESS_TABLE(ROW)
#undef ROW
};

static const struct {
    const char *text[2];
} etsi[] =
    {
#define ROW(number, en, zh) {{en, zh}},
        SY_ETSI_HEADINGS(ROW)
#undef ROW
},
  gbt[] = {
#define ROW(name, en, zh) {{en, zh}},
      SY_GBT_HEADINGS(ROW)
#undef ROW
};

const sy_assess_row *sy_assess_row_of(sy_assess_what what)
{
    return &rows[what];
}

const char *sy_etsi_heading(int number, sy_lang language)
{
    return etsi[number - 1].text[language == SY_ZH];
}

const char *sy_gbt_heading(sy_gbt part, sy_lang language)
{
    return gbt[part].text[language == SY_ZH];
}

const char *sy_assess_grade_word(sy_assess_grade g, sy_lang language)
{
    static const char *const words[SY_ASSESS_GRADES][2] = {
        {"pass", "通过"}, {"note", "提示"}, {"weak", "薄弱"}, {"bad", "不合格"}};
    return words[g][language == SY_ZH];
}

void sy_assess__add(sy_assess *a, sy_assess_what what, const char *subject, const char *detail, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, detail);
    int n = vsnprintf(text, sizeof text, detail, ap);
    va_end(ap);
    for (size_t i = 0; i < a->n; i++) { /* several parts name the same file */
        if (a->v[i].what == what && strcmp(a->v[i].subject, subject) == 0 &&
            strcmp(a->v[i].detail, text) == 0) {
            return;
        }
    }
    if (n < 0 || sy_grow(sy_heap(), (void **)&a->v, &a->cap, a->n + 1, sizeof *a->v)) {
        a->failed = true;
        return;
    }
    sy_assess_item *item = &a->v[a->n];
    item->what = what;
    item->subject = sy_arena_text(&a->arena, sy_span_of(subject));
    item->detail = sy_arena_text(&a->arena, sy_span_of(text));
    if (!item->subject || !item->detail) {
        a->failed = true;
        return;
    }
    a->count[rows[what].grade]++;
    a->n++;
}

/* What the gateway says of itself; NULL: none runs, or it cannot be asked. */
static json_t *ask_status(sy_look *l)
{
    sy_buf answer;
    sy_fail why;
    sy_buf_init(&answer, sy_heap());
    json_t *status = NULL;
    if (sy_control_ask(l->c->data, "status", ANSWER_MS, &answer, &why) == SY_OK) {
        status = json_loadb(answer.p, answer.n, 0, NULL);
    }
    sy_buf_fini(&answer);
    if (json_is_object(status) && sy_control_peer(l->c->data, &l->pid, &why) != SY_OK) {
        l->pid = 0;
    }
    return status;
}

static int by_place(const void *a, const void *b)
{
    const sy_assess_item *x = a, *y = b;
    const sy_assess_row *p = &rows[x->what], *q = &rows[y->what];
    if (p->etsi != q->etsi) {
        return p->etsi - q->etsi;
    }
    if (p->grade != q->grade) {
        return (int)q->grade - (int)p->grade;
    }
    return x->what != y->what ? (int)x->what - (int)y->what : strcmp(x->subject, y->subject);
}

sy_err sy_assess_run(sy_assess *a, const sy_config *c, sy_ms build, sy_fail *f)
{
    sy_look l = {.a = a, .c = c, .build = build};
    *a = (sy_assess){.now = sy_wall_ms()};
    sy_arena_init(&a->arena, sy_heap(), 0);
    snprintf(a->gateway, sizeof a->gateway, "%s", c->id);
    json_t *status = ask_status(&l);
    l.status = json_is_object(status) ? status : NULL;
    a->running = l.status != NULL;
    sy_look_ports(&l);
    sy_look_speak(&l);
    sy_look_who(&l);
    sy_look_keys(&l);
    sy_look_box(&l);
    sy_look_parts(&l);
    json_decref(status);
    if (a->failed) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the assessment");
    }
    qsort(a->v, a->n, sizeof *a->v, by_place);
    return SY_OK;
}

void sy_assess_free(sy_assess *a)
{
    sy_alloc heap = sy_heap();
    heap.resize(heap.ctx, a->v, 0);
    sy_arena_fini(&a->arena);
}

void sy_assess_parts(const sy_assess *a, unsigned out[SY_GBT_N][SY_ASSESS_GRADES])
{
    memset(out, 0, sizeof(unsigned) * SY_GBT_N * SY_ASSESS_GRADES);
    for (size_t i = 0; i < a->n; i++) {
        out[rows[a->v[i].what].gbt][rows[a->v[i].what].grade]++;
    }
}

char sy_assess_overall(const sy_assess *a)
{
    unsigned weak = a->count[SY_ASSESS_WEAK], bad = a->count[SY_ASSESS_BAD];
    if (bad) {
        return bad > 2 ? 'E' : 'D';
    }
    return weak > 2 ? 'C' : weak ? 'B' : 'A';
}
