/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of `steelyard setup`: on a terminal, or with the answers line by line from a file. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/setup_int.h"

void sy_setup_head(const sy_setup *x, const char *text)
{
    (void)x;
    printf("\n── %s\n", text);
}

static bool plain(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return sy_utf8_check(sy_span_of(text)) == strlen(text);
}

bool sy_setup_is_word(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    bool good = *answer && strlen(answer) < SY_SETUP_WORD && *answer != '-' && *answer != '.';
    for (const char *p = answer; *p && good; p++)
        good = isalnum((unsigned char)*p) || *p == '-' || *p == '_' || *p == '.';
    if (!good)
        snprintf(why, SY_SETUP_TEXT, "%s",
                 SY_SETUP_SAY(x, "1 to 64 letters of a to z, digits, - _ and . are needed",
                              "须为1至64个英文字母、数字、- _ 或 ."));
    return good;
}

bool sy_setup_is_number(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    double v;
    bool good = sy_double_parse(sy_span_of(answer), &v) == SY_OK;
    if (!good)
        snprintf(why, SY_SETUP_TEXT, "%s", SY_SETUP_SAY(x, "a number is needed", "须为数值"));
    return good;
}

/* Asks, with the echo off before a secret is asked for. One line of standard input without its end;
 * false: none, or too long. */
static bool read_line(const sy_question *q)
{
    char *out = q->out;
    size_t size = q->size;
    struct termios old, quiet;
    bool hide = q->secret && isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
    if (hide) {
        quiet = old;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    if (q->preset && *q->preset && !q->secret)
        printf("  [%s] > ", q->preset);
    else
        printf("  > ");
    fflush(stdout);
    bool good = fgets(out, (int)size, stdin) != NULL;
    size_t n = good ? strcspn(out, "\r\n") : 0;
    if (good && n + 1 == size) {
        for (int c; (c = getchar()) != EOF && c != '\n';) {
        }
        good = false;
    }
    out[n] = '\0';
    if (hide) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        putchar('\n');
    }
    return good;
}

static bool take(sy_setup *x, const sy_question *q, char *line, char why[SY_SETUP_TEXT])
{
    if (!*line && q->preset)
        snprintf(line, q->size, "%s", q->preset);
    if (!*line && q->preset)
        return true; /* nothing, which it may be */
    snprintf(why, SY_SETUP_TEXT, "%s", SY_SETUP_SAY(x, "an answer is needed", "须填写"));
    if (!*line)
        return false;
    snprintf(why, SY_SETUP_TEXT, "%s",
             SY_SETUP_SAY(x, "text without control characters is needed", "不得含有控制字符"));
    return plain(line) && (!q->good || q->good(x, line, why));
}

static void show(const sy_question *q)
{
    printf("\n%s\n", q->ask);
    if (q->note)
        printf("  %s\n", q->note);
}

sy_err sy_setup_ask(sy_setup *x, const sy_question *q, sy_fail *f)
{
    char why[SY_SETUP_TEXT] = "";
    show(q);
    for (;;) {
        bool got = read_line(q);
        if (!x->terminal)
            printf("%s\n", q->secret ? "********" : q->out);
        if (!got && (feof(stdin) || ferror(stdin)))
            return sy_fail_set(f, SY_E_USAGE,
                               SY_SETUP_SAY(x, "the answers end before: %s", "答案不足，止于：%s"),
                               q->ask);
        if (!got)
            snprintf(why, sizeof why, "%s", SY_SETUP_SAY(x, "too long", "过长"));
        else if (take(x, q, q->out, why))
            return SY_OK;
        if (!x->terminal)
            return sy_fail_set(f, SY_E_USAGE, "%s: %s", q->ask, why);
        printf("  ! %s\n", why);
    }
}

static bool find(const sy_choices *c, const char *text, size_t *out)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (isdigit((unsigned char)*text) && !*end && number >= 1 && number <= c->n) {
        *out = number - 1;
        return true;
    }
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->of[i].id, text) == 0 || strcmp(c->of[i].title, text) == 0) {
            *out = i;
            return true;
        }
    return false;
}

sy_err sy_setup_choose(sy_setup *x, const sy_choices *c, size_t *out, sy_fail *f)
{
    char answer[SY_SETUP_TEXT];
    const sy_question q = {.ask = SY_SETUP_SAY(x, "Which one?", "选哪一项？"),
                           .preset = "1",
                           .out = answer,
                           .size = sizeof answer};
    printf("\n%s\n", c->ask);
    if (c->note)
        printf("  %s\n", c->note);
    for (size_t i = 0; i < c->n; i++)
        printf("  %2zu  %s%s%s\n", i + 1, c->of[i].title, *c->of[i].id ? "  " : "", c->of[i].id);
    for (;;) {
        sy_err e = sy_setup_ask(x, &q, f);
        if (e || find(c, answer, out))
            return e;
        if (!x->terminal)
            return sy_fail_set(f, SY_E_USAGE,
                               SY_SETUP_SAY(x, "%s: '%s' is none of these", "%s：没有“%s”这一项"),
                               c->ask, answer);
        printf("  ! %s\n", SY_SETUP_SAY(x, "a number or a name of the list", "请填编号或名称"));
    }
}

static bool is_yes_or_no(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    static const char *const words[] = {"y", "yes", "n", "no", "是", "否"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], answer) == 0)
            return true;
    snprintf(why, SY_SETUP_TEXT, "%s", SY_SETUP_SAY(x, "yes or no?", "请填“是”或“否”"));
    return false;
}

sy_err sy_setup_confirm(sy_setup *x, const char *ask, bool preset, bool *out, sy_fail *f)
{
    char answer[SY_SETUP_WORD];
    sy_question q = {.ask = ask,
                     .preset = preset ? SY_SETUP_SAY(x, "yes", "是") : SY_SETUP_SAY(x, "no", "否"),
                     .good = is_yes_or_no,
                     .out = answer,
                     .size = sizeof answer};
    sy_err e = sy_setup_ask(x, &q, f);
    *out = !e && (*answer == 'y' || strcmp(answer, "是") == 0);
    return e;
}
