/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first pass of the formatter: tokens with what they are. The lexer alone does not know that:
 * "A" may be an ampere, a tier's value or a rule's id; where it stands tells.
 */
#include "rules/fmt_int.h"
#include "rules/parse.h"

typedef struct scan {
    sy_fmt_text *t;
    sy_lexer lex;
    size_t cap;
    size_t read; /* the source up to here is told */
    sy_kw item, clause;
    const sy_word *scope; /* the state or tier whose value may follow */
    bool marked;          /* within [ ] */
    bool rows;            /* set … by: rows follow */
    bool tune_name;       /* tune: the name is still to come */
    bool tune_at;         /* tune: an id stands here, signs included */
    bool told;            /* expect: its time has been announced */
    bool excepted;        /* alert: an exemption was seen */
    bool table;           /* the rows of a table: a minus belongs to its number */
    sy_span names[SY_MAX_LOCALS];
    bool lets[SY_MAX_LOCALS]; /* declared by let */
} scan;

static const sy_fmt_piece *back(const scan *s, size_t n)
{
    static const sy_fmt_piece none = {.role = SY_F_END};
    return s->t->n >= n ? &s->t->v[s->t->n - n] : &none;
}

static bool after_kw(const scan *s, size_t n, sy_kw k)
{
    const sy_fmt_piece *p = back(s, n);
    return p->role == SY_F_KW && p->kw == k;
}

static bool after_sign(const scan *s, char c)
{
    return back(s, 1)->role == SY_F_SIGN && back(s, 1)->sign == c;
}

static bool same_word(const sy_fmt_piece *p, const sy_word *w)
{
    return p->role == SY_F_NAME && p->word == w;
}

/* A number that counts has no unit: what follows is a word of its own. */
static bool counts(const scan *s)
{
    return after_kw(s, 2, SY_KW_VERSION) || after_kw(s, 2, SY_KW_OF) ||
           (after_kw(s, 2, SY_KW_AT_LEAST) &&
            (after_kw(s, 3, SY_KW_COUNTED) || after_kw(s, 3, SY_KW_OPENS))) ||
           (after_kw(s, 2, SY_KW_AT_MOST) && after_kw(s, 3, SY_KW_DAILY));
}

static int value_of(const scan *s, const sy_token *t)
{
    const sy_word *w = s->scope;
    bool here =
        w && (same_word(back(s, 1), w) || (after_kw(s, 1, SY_KW_IS) && same_word(back(s, 2), w)) ||
              (s->rows && (after_sign(s, ':') || after_sign(s, ';'))));
    return here ? sy_word_value_find(w, t->text) : -1;
}

/* Where a number could stand, a name is one that the rule declares. */
static bool wants_value(const scan *s)
{
    const sy_fmt_piece *p = back(s, 1);
    if (p->role == SY_F_SIGN)
        return s->clause == SY_KW_LET || (p->sign != '(' && p->sign != ',');
    switch ((int)p->kw) {
    case SY_KW_WHEN:
    case SY_KW_AND:
    case SY_KW_OR:
    case SY_KW_NOT:
    case SY_KW_ANY_OF:
    case SY_KW_ALL_OF:
    case SY_KW_ONLY_WHEN:
    case SY_KW_SHARE:
    case SY_KW_TABLE:
    case SY_KW_FOLLOWED_BY:
    case SY_KW_NOT_FOLLOWED_BY:
        return false;
    default:
        return p->role == SY_F_KW && !(sy_keywords[p->kw].flags & SY_KW_AGG);
    }
}

/* A name of the rule's own, not one of the vocabulary that is spelt alike. */
static bool is_own(const scan *s, sy_span name)
{
    const sy_fmt_piece *p = back(s, 1);
    bool measured = p->role == SY_F_KW && (sy_keywords[p->kw].flags & SY_KW_AGG);
    for (size_t i = 0; i < s->lex.n_locals; i++)
        if (sy_span_eq(s->names[i], name))
            return wants_value(s) || (s->lets[i] && !measured);
    return false;
}

static void begin_clause(scan *s, sy_fmt_piece *p)
{
    p->line = SY_F_CLAUSE;
    s->clause = p->kw;
    s->scope = NULL;
    s->rows = s->told = s->excepted = s->marked = s->table = false;
}

static void begin_item(scan *s, sy_fmt_piece *p)
{
    begin_clause(s, p);
    p->line = SY_F_ITEM;
    s->item = p->kw;
    s->clause = SY_KW_NONE;
    s->lex.n_locals = 0;
    s->tune_name = p->kw == SY_KW_TUNE;
    s->tune_at = false;
}

static void keyword(scan *s, sy_fmt_piece *p)
{
    unsigned flags = sy_keywords[p->kw].flags;
    bool step = s->item == SY_KW_SCENARIO && (flags & SY_KW_STEP);
    p->role = SY_F_KW;
    if (flags & SY_KW_TOP) {
        begin_item(s, p);
    } else if (p->kw == SY_KW_END) {
        p->line = SY_F_CLOSE;
        s->item = s->clause = SY_KW_NONE;
    } else if (step && s->clause == SY_KW_EXPECT && p->kw == SY_KW_AT && !s->told) {
        s->told = true;
    } else if (step || (s->item == SY_KW_RULE && (flags & SY_KW_HEAD))) {
        begin_clause(s, p);
    } else if (p->kw == SY_KW_EXCEPT_WHILE || (p->kw == SY_KW_DURING && s->excepted)) {
        p->line = SY_F_SUB;
        s->excepted = true;
    } else if (p->kw == SY_KW_UNTIL && s->clause == SY_KW_EXPECT) {
        s->told = true; /* "at" begins the next step */
    } else if (p->kw == SY_KW_BY && s->clause == SY_KW_SET) {
        s->rows = true;
    } else if (p->kw == SY_KW_TABLE) {
        s->table = true;
    } else if (s->item == SY_KW_TUNE) {
        s->tune_at = p->kw == SY_KW_AT;
    }
}

static void word(scan *s, const sy_token *t, sy_fmt_piece *p)
{
    bool time = back(s, 1)->role == SY_F_SIGN && back(s, 1)->glued; /* of °C·min */
    bool number = time || back(s, 1)->role == SY_F_NUM;
    p->role = SY_F_ASIS;
    p->glued = time;
    if (after_kw(s, 1, SY_KW_RULE) || after_kw(s, 1, SY_KW_TESTS) || after_kw(s, 1, SY_KW_TUNE))
        return;
    if (number && !counts(s) && sy_lex_is_unit(&s->lex, t)) {
        p->role = SY_F_UNIT;
        p->unit = t->unit;
        return;
    }
    if (t->kw) {
        p->kw = t->kw;
        keyword(s, p);
        return;
    }
    p->value = value_of(s, t);
    if (p->value >= 0) {
        p->role = SY_F_VALUE;
        p->word = s->scope;
    } else if (t->word && !is_own(s, t->text)) {
        p->role = SY_F_NAME;
        p->word = t->word;
        if (t->word->kind == SY_W_STATE || t->word->kind == SY_W_TIER)
            s->scope = t->word;
    }
}

/* The sign of K/h, °C·min: behind a unit, a unit of time directly behind it. */
static bool joins_units(const scan *s, const sy_token *t)
{
    sy_lexer ahead = s->lex;
    if (back(s, 1)->role != SY_F_UNIT || back(s, 1)->glued || (t->sign != '/' && t->sign != '*'))
        return false;
    sy_token time = sy_lex_next(&ahead);
    return time.kind == SY_T_WORD && !time.kw && time.unit && time.from == t->to &&
           sy_span_is(sy_span_of(time.unit->tag), "time");
}

static void sign(scan *s, const sy_token *t, sy_fmt_piece *p)
{
    const sy_fmt_piece *b = back(s, 1);
    bool open = b->role == SY_F_SIGN && b->sign != ')' && b->sign != ']';
    p->role = SY_F_SIGN;
    p->sign = t->sign;
    p->unary = t->sign == '-' && (open || s->table || s->clause != SY_KW_LET);
    p->glued = joins_units(s, t);
    s->table = s->table && t->sign != ')';
    if (t->sign == '[' || t->sign == ']')
        s->marked = t->sign == '[';
}

static void classify(scan *s, const sy_token *t, sy_fmt_piece *p)
{
    switch (t->kind) {
    case SY_T_END:
        break;
    case SY_T_WORD:
        word(s, t, p);
        break;
    case SY_T_NUM:
    case SY_T_DASHED:
        p->role = SY_F_NUM;
        break;
    case SY_T_DATE:
    case SY_T_TIME:
        p->role = SY_F_TIME;
        break;
    case SY_T_STRING:
        p->role = SY_F_STRING;
        break;
    case SY_T_SIGN:
        sign(s, t, p);
        break;
    case SY_T_UNKNOWN:
        p->role = SY_F_ASIS;
        break;
    }
}

static bool add_comment(scan *s, sy_fmt_piece *p, const sy_fmt_comment *c)
{
    bool full = (p->n_comments & (p->n_comments - 1)) == 0; /* room for powers of two */
    if (full) {
        sy_fmt_comment *v = sy_arena_get(s->t->arena, 2 * (p->n_comments + 1) * sizeof *v);
        if (!v)
            return false;
        if (p->n_comments)
            memcpy(v, p->comments, p->n_comments * sizeof *v);
        v[p->n_comments] = *c;
        p->comments = v;
    } else {
        ((sy_fmt_comment *)(uintptr_t)p->comments)[p->n_comments] = *c; /* still being made */
    }
    p->n_comments++;
    return true;
}

/* The length of a "#" at p, in either width; 0: none. */
static size_t hash_sign(const char *p, size_t n)
{
    if (n > 0 && *p == '#')
        return 1;
    return n > 2 && memcmp(p, "＃", 3) == 0 ? 3 : 0;
}

/* The comments of the source between what has been told and `to`. */
static bool comments(scan *s, sy_fmt_piece *p, size_t to)
{
    sy_span in = s->t->norm.source->text;
    size_t lines = 0;
    for (size_t i = s->read; i < to;) {
        size_t mark = hash_sign(in.p + i, to - i), end = i + mark;
        if (!mark) {
            lines += in.p[i++] == '\n';
            continue;
        }
        while (end < in.n && in.p[end] != '\n')
            end++;
        i += mark;
        size_t n = end - i;
        while (n > 0 && (sy_text_blank(in.p[i + n - 1]) || in.p[i + n - 1] == '\r'))
            n--;
        sy_fmt_comment c = {
            {in.p + i, n}, lines > 0 || p->n_comments > 0 || s->t->n == 0, lines > 1};
        if (!add_comment(s, p, &c))
            return false;
        lines = 0;
        i = end;
    }
    p->gap = lines > 1;
    return true;
}

static sy_fmt_piece *add(scan *s)
{
    sy_fmt_text *t = s->t;
    if (t->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 64;
        sy_fmt_piece *v = sy_arena_get(t->arena, cap * sizeof *v);
        if (!v)
            return NULL;
        if (t->n)
            memcpy(v, t->v, t->n * sizeof *v);
        t->v = v;
        s->cap = cap;
    }
    return memset(&t->v[t->n], 0, sizeof *t->v); /* counted when it is whole */
}

/* A name that stands for itself here: declared by set or let, or named by tune. */
static bool own_name(scan *s, sy_token *t)
{
    const sy_fmt_piece *b = back(s, 1);
    bool declares = b->line == SY_F_CLAUSE && (b->kw == SY_KW_SET || b->kw == SY_KW_LET);
    bool tuned = s->item == SY_KW_TUNE && s->tune_name && after_sign(s, ':');
    if ((!declares && !tuned) || (t->kind != SY_T_WORD && t->kind != SY_T_UNKNOWN))
        return false;
    size_t at = s->lex.at;
    sy_token name = sy_lex_new_name(&s->lex, t);
    if (name.text.n == 0) {
        s->lex.at = at;
        return false;
    }
    *t = name;
    s->tune_name = false;
    if (declares && s->lex.n_locals < SY_MAX_LOCALS) {
        s->lets[s->lex.n_locals] = b->kw == SY_KW_LET;
        s->names[s->lex.n_locals++] = name.text;
    }
    return true;
}

sy_err sy_fmt__scan(sy_fmt_text *text)
{
    scan s = {.t = text};
    s.lex = (sy_lexer){.norm = text->norm, .lexicon = text->lexicon};
    s.lex.locals = s.names;
    sy_token t;
    do {
        t = sy_lex_next(&s.lex);
        if (back(&s, 1)->role == SY_F_UNIT)
            sy_lex_apart(&s.lex, &t);
        sy_fmt_piece *p = add(&s);
        if (!p)
            return SY_E_NOMEM;
        bool at = s.tune_at && t.kind != SY_T_END && t.kind != SY_T_STRING && t.kw != SY_KW_REASON;
        p->declared = own_name(&s, &t);
        p->text = t.text;
        size_t start = t.kind == SY_T_END ? text->norm.source->text.n : text->norm.at[t.from];
        if (!comments(&s, p, start))
            return SY_E_NOMEM;
        if (p->declared || at)
            p->role = SY_F_ASIS;
        else
            classify(&s, &t, p);
        p->glued |= at && !after_kw(&s, 1, SY_KW_AT) && start == s.read;
        p->glued &= p->n_comments == 0;
        p->clause = s.clause;
        p->marked = s.marked;
        s.read = t.kind == SY_T_END ? start : text->norm.at[t.to];
        text->n++;
    } while (t.kind != SY_T_END);
    for (size_t i = 0; i < SY_FMT_AHEAD; i++, text->n++)
        if (!add(&s))
            return SY_E_NOMEM;
    text->n -= SY_FMT_AHEAD;
    return SY_OK;
}
