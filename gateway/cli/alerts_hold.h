/*
 * steelyard alerts hold, release, holds.
 */
#ifndef SY_CLI_ALERTS_HOLD_H
#define SY_CLI_ALERTS_HOLD_H

#include <stdbool.h>

bool sy_alerts_holds_named(const char *word);
/* argv[0] is the word; the exit code. */
int sy_alerts_holds(int argc, char **argv);

#endif
