/*
 * The checker: meaning. It completes what the parser made (values of states, resolved rules) and
 * reports what a rule or scenario gets wrong beyond its form. Pure; private to the front end.
 */
#ifndef SY_RULES_CHECK_H
#define SY_RULES_CHECK_H

#include "rules/parse.h"

typedef struct sy_checker {
    sy_diags *diags;
    sy_arena *arena;
    const sy_vocab *vocab;
    const sy_draft *draft; /* the rule under check; NULL in a scenario */
    /* of the condition under check */
    bool marked;                    /* an alert's: its limits need their origin */
    bool members;                   /* of count: names are members of watched events */
    sy_alert_level level;           /* the alert's; 0: of no alert */
    unsigned windows[SY_MAJOR + 1]; /* calendar windows of the rule's levels */
    /* The rule's lets, a bit each: had an error, has numbers without mark, has names that are no
     * members of watched events. */
    uint32_t bad_lets, unmarked_lets, foreign_lets;
} sy_checker;

void sy_check_rule(sy_checker *c, sy_draft *d);
void sy_check_scenario(sy_checker *c, sy_scenario *s, sy_draft *const *drafts, size_t n);
/* Of several versions of one id the last, or NULL. */
const sy_draft *sy_c_rule(sy_span id, sy_draft *const *drafts, size_t n);
/* "no rule '…' in these files" */
void sy_c_no_rule(sy_checker *c, sy_span id, sy_pos pos, sy_draft *const *drafts, size_t n);

/* check_set.c: what needs the whole set. */
void sy_check_cover(sy_checker *c, const sy_draft *d, sy_scenario *const *scenarios, size_t n);
void sy_check_tuning(sy_checker *c, sy_tuning *t, sy_draft *const *drafts, size_t n);
/* Rules that no value can comply with at once. */
void sy_check_contradictions(sy_checker *c, sy_draft *const *drafts, size_t n);

/* check_cond.c */
void sy_check_cond(sy_checker *c, const sy_cond *cond);
/* The calendar windows in a condition, those of the levels that it names included; find those of
 * the levels first. */
enum { SY_HOURS = 1, SY_DAYS = 2 };
void sy_c_find_windows(sy_checker *c);
unsigned sy_c_windows(const sy_checker *c, const sy_cond *cond);

/* check_test.c */
void sy_check_test(sy_checker *c, sy_cond *t);
bool sy_c_compares(sy_op op); /* above, below, at least, at most, outside, within */

/* check_value.c: numbers and what they are measured in. */
typedef struct sy_measure {
    sy_span en, zh;      /* what is measured */
    const sy_unit *unit; /* NULL: none */
    int time_power;      /* as in sy_num */
} sy_measure;
sy_measure sy_c_measure(const sy_word *quantity);
/* The numbers that a value can stand for: none for a name of let. */
size_t sy_c_numbers(const sy_value *v);
const sy_num *sy_c_number(const sy_value *v, size_t i);
void sy_check_duration(sy_checker *c, const sy_value *v);
void sy_check_duration_num(sy_checker *c, const sy_num *n, sy_pos pos);
/* Milliseconds of a value that stands for one duration; 0 where it does not. */
double sy_c_ms(const sy_value *v);
/* A part of a whole: 0 to 100 %. */
bool sy_check_part(sy_checker *c, const sy_value *v);
/* The unit of a number. */
bool sy_check_unit(sy_checker *c, const sy_num *n, const sy_measure *m, sy_pos pos);
/* Units of a limit, and where c->marked its marks. */
bool sy_check_limit(sy_checker *c, const sy_value *v, const sy_measure *m);
bool sy_check_marks(sy_checker *c, const sy_value *v);
/* a to b: a first. */
void sy_check_order(sy_checker *c, const sy_value *a, const sy_value *b, const sy_measure *m);
/* A mark [tunable a to b]: a <= value <= b, units that fit. */
void sy_check_tunable(sy_checker *c, const sy_num *n);
bool sy_c_whole(sy_checker *c, const sy_num *n, double hi); /* from 1 to hi, or an error */

/* check_sum.c */
void sy_check_let(sy_checker *c, sy_letdef *l);
void sy_check_agg(sy_checker *c, sy_agg *a, sy_measure *m);
static inline bool sy_c_has_let(uint32_t set, const sy_letdef *l)
{
    return set >> (l->order - 1) & 1;
}

/* check_name.c */
void sy_c_say(sy_checker *c, sy_severity s, const char *code, sy_pos pos, const char *en,
              const char *zh, const char *near, sy_span a, sy_span b);
bool sy_c_fail(sy_checker *c, const char *code, sy_pos pos, const char *en, const char *zh);
/* Kinds of words as a set. */
#define SY_KIND(k) (1u << (k))
/* The name's word if it has one of the kinds; else an error: unknown, or of another kind. en and zh
 * say what was expected. */
const sy_word *sy_c_word(sy_checker *c, const sy_name *name, unsigned kinds, const char *en,
                         const char *zh);
/* The same of a name that the rule must watch; members: one of a watched event will do. */
const sy_word *sy_c_operand(sy_checker *c, const sy_name *name, unsigned kinds, bool members,
                            const char *en, const char *zh);
/* The value of a state, or -1 with an error. */
int sy_c_state_value(sy_checker *c, const sy_word *state, const sy_name *value);
/* The same where the state is a name that the rule must watch. */
int sy_c_state(sy_checker *c, const sy_name *state, const sy_name *value);
bool sy_c_watched(const sy_rule *r, const sy_word *w);
bool sy_c_member(const sy_rule *r, const sy_word *w); /* of a watched event */

#endif
