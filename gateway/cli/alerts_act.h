/*
 * steelyard alerts acknowledge, shelve, unshelve, comment.
 */
#ifndef SY_CLI_ALERTS_ACT_H
#define SY_CLI_ALERTS_ACT_H

#include <stdbool.h>

bool sy_alerts_act_named(const char *word);
/* argv[0] is the word; the exit code. */
int sy_alerts_act(int argc, char **argv);

#endif
