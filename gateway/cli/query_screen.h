/*
 * `steelyard query` on a terminal: a table of the readings as it fits, then a sparkline a series;
 * watched, the newest that fit the screen.
 */
#ifndef SY_CLI_QUERY_SCREEN_H
#define SY_CLI_QUERY_SCREEN_H

#include "cli/stored.h"
#include "cli/term.h"

/* The exit code. */
int sy_query_screen(const sy_stored_options *o, const sy_config *c, const sy_term *t);
int sy_query_watch(const sy_stored_options *o, const sy_config *c);

#endif
