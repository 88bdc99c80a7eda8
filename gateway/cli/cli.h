/*
 * The command line: one file a subcommand, one row a subcommand in commands.def.
 *
 * Exit codes: 0 fine, 1 what was asked for failed, 2 usage or configuration error.
 */
#ifndef SY_CLI_H
#define SY_CLI_H

#include "base/os.h"

/* argv[0] is the subcommand's own name. */
#define SY_COMMAND(name, function, summary) int function(int argc, char **argv);
#include "cli/commands.def"
#undef SY_COMMAND

/* Dispatch; the whole program. */
int sy_cli_main(int argc, char **argv);

#endif
