/*
 * Shared by the files of `steelyard setup`: what was answered, and how it is asked. Command line
 * only; one thread. Strings lie in the struct or in the rule set, which lives as long.
 */
#ifndef SY_CLI_SETUP_INT_H
#define SY_CLI_SETUP_INT_H

#include <limits.h>
#include <sys/types.h>

#include "cli/rules_files.h"
#include "rules/tree.h"

enum { SY_SETUP_WORD = 65, SY_SETUP_TEXT = 201, SY_SETUP_PATH = 1024 };

typedef enum sy_setup_trust {                  /* how the authority knows the box */
                              SY_SETUP_NOBODY, /* no authority yet */
                              SY_SETUP_ENROL,  /* certificates by EST (RFC 7030) */
                              SY_SETUP_FILES   /* certificate and key are there as files */
} sy_setup_trust;

typedef struct sy_setup {
    const char *config, *packs;
    char data[SY_SETUP_PATH], backup[SY_SETUP_PATH];
    sy_lang lang;
    bool terminal, ended;    /* asked on a terminal; the answers are at their end */
    const char *last_secret; /* what is to be repeated */

    char gateway[SY_SETUP_WORD], premises[SY_SETUP_WORD], name[SY_SETUP_TEXT];
    char code[SY_SETUP_TEXT], zone[SY_SETUP_TEXT];
    sy_rule_files rules; /* of all packs in the language */
    char **files;        /* their paths */
    size_t n_files;
    const sy_word *subject, *stage, *goods, *kind, *quantity; /* stage, goods: NULL for none */
    const sy_rule *rule;                                      /* what is watched first */
    char place[SY_SETUP_WORD], place_name[SY_SETUP_TEXT];

    char device[SY_SETUP_WORD], topic[SY_SETUP_TEXT], format[SY_SETUP_WORD];
    char point[SY_SETUP_TEXT], every[SY_SETUP_WORD], listen[SY_SETUP_TEXT];
    char password[SY_SETUP_WORD];

    sy_setup_trust trust;
    char url[SY_SETUP_TEXT], est[SY_SETUP_TEXT], token[SY_SETUP_TEXT];
    char ca[SY_SETUP_PATH], cert[SY_SETUP_PATH], key[SY_SETUP_PATH]; /* as they are given */

    char console[SY_SETUP_TEXT], user[SY_SETUP_WORD], user_password[260];
    char test[SY_SETUP_WORD]; /* the value of the test alert, "": none */
    uid_t uid;                /* whose the data folder is */
    gid_t gid;
} sy_setup;

/* In the user's language. */
#define SY_SETUP_SAY(x, en, zh) ((x)->lang == SY_ZH ? (zh) : (en))

typedef struct sy_question {
    const char *ask;    /* what is asked */
    const char *note;   /* what it is for, one line; NULL: nothing */
    const char *preset; /* what an empty answer means; NULL: there must be one */
    /* False: not so, and why. NULL: any text without control characters. */
    bool (*good)(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT]);
    bool secret;
    char *out; /* may not be that of the preset */
    size_t size;
} sy_question;

/* setup_ask.c. On a terminal a wrong answer is asked for again; otherwise it fails with the reason.
 * An empty answer to a question whose preset is "" gives "". */
SY_MUST_USE sy_err sy_setup_ask(sy_setup *x, const sy_question *q, sy_fail *f);
/* One of the items, which are listed: by number or by one of its names. */
typedef struct sy_choice {
    const char *id, *title;
} sy_choice;
typedef struct sy_choices {
    const char *ask, *note; /* note: NULL for none */
    const sy_choice *of;    /* the first is what an empty answer means */
    size_t n;
} sy_choices;
SY_MUST_USE sy_err sy_setup_choose(sy_setup *x, const sy_choices *c, size_t *out, sy_fail *f);
SY_MUST_USE sy_err sy_setup_confirm(sy_setup *x, const char *ask, bool preset, bool *out,
                                    sy_fail *f);
void sy_setup_head(const sy_setup *x, const char *text);
bool sy_setup_is_word(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT]);
bool sy_setup_is_number(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT]);

/* setup_site.c: the box, the premises, and what is watched there. */
SY_MUST_USE sy_err sy_setup_site(sy_setup *x, sy_fail *f);
/* setup_reach.c: the first device, the authority, the console. */
SY_MUST_USE sy_err sy_setup_reach(sy_setup *x, sy_fail *f);
/* setup_write.c: the configuration as YAML, checked, in place of the one before. */
void sy_setup_yaml(const sy_setup *x, const char *more_rules, sy_buf *b);
SY_MUST_USE sy_err sy_setup_write(sy_setup *x, const char *more_rules, sy_fail *f);
/* Folders, the file that was there kept, files of the authority copied beside the configuration. */
SY_MUST_USE sy_err sy_setup_prepare(sy_setup *x, sy_fail *f);

/* setup_self.c: this program once more, as the owner of the data folder. Its output goes to `out`
 * (NULL: to ours); input may be NULL. SY_E_PEER with the end of what it said where it fails. */
SY_MUST_USE sy_err sy_setup_self(const sy_setup *x, const char *const *args, const char *input,
                                 sy_buf *out, sy_fail *f);
/* The gateway, until it says that it is ready; *pid -1 where one runs on the folder already, which
 * reads the configuration anew. */
SY_MUST_USE sy_err sy_setup_start(const sy_setup *x, pid_t *pid, sy_fail *f);
/* The gateway that runs on the folder reads the configuration anew; *runs: there is one. */
SY_MUST_USE sy_err sy_setup_reload(const sy_setup *x, bool *runs, sy_fail *f);
void sy_setup_stop(pid_t pid);

/* setup_try.c: a reading beyond the limit, as the device sends it, until the alert is judged and,
 * where there is an authority, delivered. */
/* A message of the device, in its format. */
void sy_setup_payload(const sy_setup *x, double value, sy_buf *out);
SY_MUST_USE sy_err sy_setup_try(sy_setup *x, sy_fail *f);

#endif
