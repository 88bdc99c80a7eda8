/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch of the subcommands, from the rows of commands.def. */
#include "cli/cli.h"

#include <stdio.h>

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} command;

static const command commands[] = {
#define SY_COMMAND(name, function, summary) {name, function, summary},
#include "cli/commands.def"
#undef SY_COMMAND
    {NULL, NULL, NULL},
};

static void usage(FILE *out)
{
    fputs("Steelyard: an edge gateway for market supervision.\n\nusage: steelyard COMMAND …\n\n",
          out);
    for (const command *c = commands; c->name; c++)
        if (c->summary)
            fprintf(out, "  %-11s %s\n", c->name, c->summary);
    fputs("\nsteelyard COMMAND --help says more. Exit codes: 0 fine, 1 what was asked for failed, "
          "2 usage or configuration error.\n",
          out);
}

int sy_cli_main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("steelyard " SY_VERSION);
        return 0;
    }
    for (const command *c = commands; c->name; c++)
        if (strcmp(c->name, argv[1]) == 0)
            return c->run(argc - 1, argv + 1);
    fprintf(stderr, "steelyard: there is no command '%s'; see steelyard --help\n", argv[1]);
    return 2;
}
