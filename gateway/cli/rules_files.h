/*
 * Rule files named on the command line, read and loaded as one set: the common beginning of the
 * parts of `steelyard rules`.
 */
#ifndef SY_CLI_RULES_FILES_H
#define SY_CLI_RULES_FILES_H

#include "base/os.h"
#include "config/config.h"

/* What `rules check` and `rules test` take. */
typedef struct sy_rule_arguments {
    const char *config; /* NULL: none */
    bool json;
    char *const *paths;
    size_t n;
} sy_rule_arguments;
/* -1: go on; else the exit code (help was shown, or the use was wrong). */
int sy_rule_arguments_parse(sy_rule_arguments *a, const char *help, int argc, char **argv);
/* Say on stderr what is wrong with the use of a part, and where its help is. 2, the exit code. */
int sy_rule_usage(const char *part, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The time of an option's argument; false: it is none, and that has been said. */
bool sy_rule_time(const char *part, const char *name, const char *text, sy_ms *out);
/* Exactly one of --readings and --data; else false, and that has been said. */
bool sy_rule_readings(const char *part, const char *readings, const char *data);

typedef struct sy_rule_files {
    sy_arena arena; /* of the set, its sources and messages */
    sy_diags diags;
    sy_vocab own;          /* the vocabulary that ships, where no configuration is named */
    const sy_vocab *vocab; /* that, or the configuration's */
    sy_config *config;     /* NULL: none was named */
    sy_source *sources;
    size_t n;
    const sy_set *set; /* NULL: there were errors */
} sy_rule_files;

/* Read `n` files (1 MiB each) and load them; config may be NULL. SY_OK also where the rules have
 * errors: then set is NULL and diags say why. SY_E_USAGE where the configuration is refused (its
 * findings are printed to stderr), a file's own error where one cannot be read. Close it in any
 * case. */
SY_MUST_USE sy_err sy_rule_files_open(sy_rule_files *r, char *const *paths, size_t n,
                                      const char *config, sy_fail *f);
void sy_rule_files_close(sy_rule_files *r);
/* The zone that scenarios run in: of the configuration's first premises, or Asia/Shanghai, loaded
 * into the arena. */
SY_MUST_USE sy_err sy_rule_files_zone(const sy_rule_files *r, sy_arena *arena, const sy_zone **out,
                                      sy_fail *f);
/* All messages as text in a language, to stderr. */
void sy_rule_files_print(const sy_rule_files *r, sy_lang lang);

#endif
