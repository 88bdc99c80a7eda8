/*
 * steelyard query --completeness: how many readings of each series a day should have, and has.
 *
 * A day is one of the premises' time zone. Expected are as many as `every` says, from the day's
 * begin, or from the first reading that the series ever had, to its end, or to the newest reading
 * of any series (or --to). A reading is counted once by its time, whenever it came.
 */
#ifndef SY_CLI_COMPLETENESS_H
#define SY_CLI_COMPLETENESS_H

#include "cli/stored.h"

/* Prints; the exit code. */
int sy_query_completeness(const sy_stored_options *o, const sy_config *c);

#endif
