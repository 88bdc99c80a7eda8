/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard rules: dispatch of its parts, from the rows of rules_parts.def.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/rules_cmd.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} parts[] = {
#define SY_RULES_PART(name, function, summary) {name, function, summary},
#include "cli/rules_parts.def"
#undef SY_RULES_PART
};
enum { PARTS = sizeof parts / sizeof *parts };

static void usage(FILE *out)
{
    fputs("usage: steelyard rules PART …\n\n", out);
    for (size_t i = 0; i < PARTS; i++)
        fprintf(out, "  %-10s %s\n", parts[i].name, parts[i].summary);
    fputs("\nsteelyard rules PART --help says more.\n", out);
}

int sy_cmd_rules(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout);
        return 0;
    }
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(argv[1], parts[i].name) == 0)
            return parts[i].run(argc - 1, argv + 1);
    fprintf(stderr, "steelyard rules: there is no part '%s'; see steelyard rules --help\n",
            argv[1]);
    return 2;
}
