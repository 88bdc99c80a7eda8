/*
 * steelyard keys request, install, rotate: the key of a gateway's ledger.
 */
#ifndef SY_CLI_KEYS_LEDGER_H
#define SY_CLI_KEYS_LEDGER_H

#include <stdbool.h>

bool sy_keys_ledger_named(const char *word);
/* argv[0] is the word; the exit code. */
int sy_keys_ledger(int argc, char **argv);

#endif
