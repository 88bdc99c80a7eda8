/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box, the premises and what is watched first. Kind of place, goods, stage and quantity follow
 * from the rule that is chosen, so that what is set up is watched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/setup_int.h"
#include "config/config.h"

enum { CHOICES = 64 };

/* ---- checks ---- */

static bool is_code(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    (void)why;
    if (!sy_uscc_valid(sy_span_of(answer)))
        printf("  ! %s\n",
               SY_SETUP_SAY(x,
                            "its check character does not fit: compare it with the licence. It is "
                            "kept as it is.",
                            "校验位不符：请与营业执照核对。仍按所填保留。"));
    return true;
}

static bool is_zone(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    sy_arena arena;
    const sy_zone *zone;
    sy_fail f;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_err e = sy_zone_load(&arena, answer, &zone, &f);
    sy_arena_fini(&arena);
    if (e)
        snprintf(why, SY_SETUP_TEXT, "%s",
                 SY_SETUP_SAY(x, "there is no such time zone; Asia/Shanghai, Europe/Berlin, UTC",
                              "没有此时区；如 Asia/Shanghai、UTC"));
    return !e;
}

/* ---- the rules ---- */

static const char *title_of(const sy_setup *x, const sy_text *t)
{
    const char *own = x->lang == SY_ZH ? t->zh : t->en, *other = x->lang == SY_ZH ? t->en : t->zh;
    return own ? own : other ? other : "";
}

static const char *word_title(const sy_setup *x, const sy_word *w)
{
    return x->lang == SY_ZH && w->n_zh ? w->zh[0] : w->id;
}

static bool has(const sy_axis *axis, const sy_word *word)
{
    for (size_t i = 0; i < axis->n; i++)
        if (axis->names[i].word == word)
            return true;
    return false;
}

/* What a reading can be sent for: a rule that a measured quantity drives. */
static bool usable(const sy_rule *r)
{
    return !r->subject.any && r->n_watch > 0 && r->watch[0].word &&
           r->watch[0].word->kind == SY_W_QUANTITY;
}

static sy_err choose_subject(sy_setup *x, sy_fail *f)
{
    const sy_word *words[CHOICES];
    sy_choice of[CHOICES];
    size_t n = 0, at = 0;
    const sy_set *set = x->rules.set;
    for (size_t i = 0; i < set->n_rules; i++) {
        const sy_rule *r = set->rules[i];
        for (size_t k = 0; usable(r) && k < r->subject.n && n < CHOICES; k++) {
            const sy_word *w = r->subject.names[k].word;
            size_t same = 0;
            while (same < n && words[same] != w)
                same++;
            if (same == n) {
                words[n] = w;
                of[n++] = (sy_choice){w->id, word_title(x, w)};
            }
        }
    }
    if (n == 0)
        return sy_fail_set(f, SY_E_NOTFOUND, "%s holds no rules that are for a kind of premises",
                           x->packs);
    for (size_t i = 0; i < n; i++)
        if (strcmp(of[i].id, of[i].title) == 0)
            of[i].id = "";
    sy_err e = sy_setup_choose(
        x,
        &(sy_choices){SY_SETUP_SAY(x, "What kind of premises is it?", "是哪一类经营者？"),
                      SY_SETUP_SAY(x, "The kind of licence; it decides which rules apply.",
                                   "许可类别，决定适用哪些规则。"),
                      of, n},
        &at, f);
    x->subject = e ? NULL : words[at];
    return e;
}

static sy_err choose_rule(sy_setup *x, sy_fail *f)
{
    const sy_rule *rules[CHOICES];
    sy_choice of[CHOICES];
    size_t n = 0, at = 0;
    const sy_set *set = x->rules.set;
    for (size_t i = 0; i < set->n_rules && n < CHOICES; i++)
        if (usable(set->rules[i]) && has(&set->rules[i]->subject, x->subject)) {
            rules[n] = set->rules[i];
            of[n++] = (sy_choice){set->rules[i]->id, title_of(x, &set->rules[i]->title)};
        }
    sy_err e = sy_setup_choose(
        x,
        &(sy_choices){
            SY_SETUP_SAY(x, "What is to be watched first?", "首先监测什么？"),
            SY_SETUP_SAY(
                x,
                "The rule decides the kind of place, the goods and the quantity. All rules of "
                "its file apply; more files can be named later.",
                "地点类型、货物和测量量随规则而定。该文件的全部规则均适用；日后可再添加文件。"),
            of, n},
        &at, f);
    if (e)
        return e;
    x->rule = rules[at];
    x->quantity = x->rule->watch[0].word;
    x->kind =
        x->rule->watch_kind ? x->rule->watch_kind : sy_vocab_id(x->rules.vocab, sy_span_of("room"));
    return x->kind ? SY_OK : sy_fail_set(f, SY_E_NOTFOUND, "the vocabulary has no room");
}

/* One of the words of an axis, asked for only where there are several. */
static sy_err choose_of(sy_setup *x, const sy_axis *axis, const char *ask, const sy_word **out,
                        sy_fail *f)
{
    sy_choice of[CHOICES];
    size_t n = axis->any ? 0 : axis->n < CHOICES ? axis->n : CHOICES, at = 0;
    for (size_t i = 0; i < n; i++) {
        const sy_word *w = axis->names[i].word;
        of[i] = (sy_choice){x->lang == SY_ZH ? w->id : "", word_title(x, w)};
    }
    sy_err e = n > 1 ? sy_setup_choose(x, &(sy_choices){ask, NULL, of, n}, &at, f) : SY_OK;
    *out = e || n == 0 ? NULL : axis->names[at].word;
    return e;
}

/* ---- the questions ---- */

static sy_err ask_box(sy_setup *x, sy_fail *f)
{
    char host[SY_SETUP_WORD - 3] = "", preset[SY_SETUP_WORD], why[SY_SETUP_TEXT];
    (void)gethostname(host, sizeof host - 1);
    host[sizeof host - 1] = '\0';
    snprintf(preset, sizeof preset, "gw-%s", sy_setup_is_word(x, host, why) ? host : "1");
    sy_setup_head(x, SY_SETUP_SAY(x, "The box", "本机"));
    sy_question q = {.ask = SY_SETUP_SAY(x, "Id of this gateway", "本网关的 id"),
                     .note = SY_SETUP_SAY(
                         x, "Unique at the authority; it is part of every alert and certificate.",
                         "在监管机构处唯一；写入每条报警和证书。"),
                     .preset = preset,
                     .good = sy_setup_is_word,
                     .out = x->gateway,
                     .size = sizeof x->gateway};
    return sy_setup_ask(x, &q, f);
}

static sy_err ask_premises(sy_setup *x, sy_fail *f)
{
    const sy_question q[] = {
        {.ask = SY_SETUP_SAY(x, "Name of the premises", "经营者名称"),
         .note = SY_SETUP_SAY(x, "As on its licence.", "与营业执照一致。"),
         .out = x->name,
         .size = sizeof x->name},
        {.ask = SY_SETUP_SAY(x, "Short id of the premises", "经营者简称 id"),
         .note = SY_SETUP_SAY(x, "For files and commands.", "用于文件和命令。"),
         .preset = "site-1",
         .good = sy_setup_is_word,
         .out = x->premises,
         .size = sizeof x->premises},
        {.ask = SY_SETUP_SAY(x, "Unified social credit code", "统一社会信用代码"),
         .note = SY_SETUP_SAY(x, "18 characters of GB 32100-2015; empty: none.",
                              "GB 32100-2015，18位；可留空。"),
         .preset = "",
         .good = is_code,
         .out = x->code,
         .size = sizeof x->code},
        {.ask = SY_SETUP_SAY(x, "Time zone", "时区"),
         .note = SY_SETUP_SAY(x, "Days and hours of the rules are counted in it.",
                              "规则按此时区计日计时。"),
         .preset = "Asia/Shanghai",
         .good = is_zone,
         .out = x->zone,
         .size = sizeof x->zone}};
    sy_err e = SY_OK;
    sy_setup_head(x, SY_SETUP_SAY(x, "The premises", "经营者"));
    for (size_t i = 0; i < sizeof q / sizeof *q && !e; i++)
        e = sy_setup_ask(x, &q[i], f);
    return e;
}

static sy_err ask_place(sy_setup *x, sy_fail *f)
{
    char id[SY_SETUP_WORD], name[SY_SETUP_TEXT];
    snprintf(id, sizeof id, "%.55s-1", x->kind->id);
    snprintf(name, sizeof name, "%.150s 1", word_title(x, x->kind));
    const sy_question q[] = {
        {.ask = SY_SETUP_SAY(x, "Id of the place", "地点的 id"),
         .note = SY_SETUP_SAY(x, "Where it is measured; unique within the premises.",
                              "测量所在之处，在该经营者内唯一。"),
         .preset = id,
         .good = sy_setup_is_word,
         .out = x->place,
         .size = sizeof x->place},
        {.ask = SY_SETUP_SAY(x, "Its name", "其名称"),
         .note = SY_SETUP_SAY(x, "As people there call it.", "现场人员的叫法。"),
         .preset = name,
         .out = x->place_name,
         .size = sizeof x->place_name}};
    sy_err e = SY_OK;
    for (size_t i = 0; i < sizeof q / sizeof *q && !e; i++)
        e = sy_setup_ask(x, &q[i], f);
    return e;
}

sy_err sy_setup_site(sy_setup *x, sy_fail *f)
{
    sy_err e = ask_box(x, f);
    e = e ? e : ask_premises(x, f);
    e = e ? e : choose_subject(x, f);
    if (!e)
        sy_setup_head(x, SY_SETUP_SAY(x, "What is watched", "监测内容"));
    e = e ? e : choose_rule(x, f);
    e = e ? e
          : choose_of(x, &x->rule->stage, SY_SETUP_SAY(x, "Stage of the chain", "所处环节"),
                      &x->stage, f);
    e = e ? e
          : choose_of(x, &x->rule->goods, SY_SETUP_SAY(x, "Goods in the place", "其中的货物"),
                      &x->goods, f);
    return e ? e : ask_place(x, f);
}
