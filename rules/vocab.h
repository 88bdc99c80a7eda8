/*
 * The vocabulary: the names a rule may use, in English and Chinese, with their kind. Pure.
 *
 * Text, one entry a line, "#" to the end of line is a comment:
 *     temperature = 温度 : quantity °C
 *     door = 库门 | 门 : state open 打开, closed 关闭
 *     refuel = 加油 : event vapour-volume L, fuel-volume L
 *     food-risk-tier = 食品风险等级 : tier A B C D, A lowest risk
 *     cabinet = 冷柜 : place
 *     inspector = 监管员 : recipient
 *     service-hours = 营业时间 : calendar
 *     calibration = 校准 : date
 * Kinds: quantity (unit, or nothing: no unit), state, event, place, subject, goods, stage, tier,
 * recipient, calendar, date. "|" gives further Chinese names. Later files add; a name that is
 * declared twice is an error.
 */
#ifndef SY_RULES_VOCAB_H
#define SY_RULES_VOCAB_H

#include "rules/diag.h"
#include "rules/units.h"

typedef enum sy_word_kind {
    SY_W_QUANTITY,
    SY_W_STATE,
    SY_W_EVENT,
    SY_W_PLACE,
    SY_W_SUBJECT,
    SY_W_GOODS,
    SY_W_STAGE,
    SY_W_TIER,
    SY_W_RECIPIENT,
    SY_W_CALENDAR,
    SY_W_DATE, /* that something is due by: calibration, licence */
    SY_W_KINDS
} sy_word_kind;

typedef struct sy_word_value { /* a value of a state (number = index) or of a tier scheme */
    const char *id, *zh;       /* zh equals id where none is given */
} sy_word_value;

typedef struct sy_word {
    const char *id;
    const char *const *zh; /* n_zh names, the first is the one that fmt writes */
    size_t n_zh;
    sy_word_kind kind;
    const sy_unit *unit;         /* quantity */
    const sy_word_value *values; /* state, tier */
    size_t n_values;
    const struct sy_word *const *members; /* event: quantities of the event */
    size_t n_members;
} sy_word;

typedef struct sy_vocab {
    sy_arena *arena;
    const sy_word **words; /* sorted by id */
    size_t n, cap;
} sy_vocab;

void sy_vocab_init(sy_vocab *v, sy_arena *arena);
/* Add the entries of one file. Errors go to diags; SY_E_PARSE where there were any. The source must
 * live as long as the arena. */
SY_MUST_USE sy_err sy_vocab_add(sy_vocab *v, const sy_source *source, sy_diags *diags);
/* By English id. NULL if there is none. */
const sy_word *sy_vocab_id(const sy_vocab *v, sy_span id);
/* By any name, English or Chinese. */
const sy_word *sy_vocab_name(const sy_vocab *v, sy_span name);
/* The index of a state's or tier's value by either name, or -1. */
int sy_word_value_find(const sy_word *w, sy_span name);
const char *sy_word_kind_text(sy_word_kind k, sy_lang lang);

/* The vocabulary that ships (rules/vocabulary), compiled in. */
extern const sy_source sy_vocab_builtin;

#endif
