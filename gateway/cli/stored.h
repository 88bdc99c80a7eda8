/*
 * What the commands that read a data folder share: options, the store, and the words of states.
 */
#ifndef SY_CLI_STORED_H
#define SY_CLI_STORED_H

#include <stdio.h>

#include "config/config.h"
#include "store/store.h"

typedef struct sy_stored_options {
    const char *data, *series, *format;
    sy_ms from, to; /* SY_MS_NONE and SY_MS_MAX where not given */
    sy_ms bucket;   /* length of a stretch; 0 where not given */
    bool json, full, completeness, watch;
    sy_lang language; /* of messages; English unless --language */
} sy_stored_options;

/* Which options a command takes. */
enum {
    SY_TAKES_SERIES = 1,
    SY_TAKES_FORMAT = 2,
    SY_TAKES_FROM = 4,
    SY_TAKES_TO = 8,
    SY_TAKES_JSON = 16,
    SY_TAKES_FULL = 32,
    SY_TAKES_LANGUAGE = 64,
    SY_TAKES_BUCKET = 128,
    SY_TAKES_COMPLETENESS = 256,
    SY_TAKES_WATCH = 512,
};
/* Parses argv; -1: go on; else the exit code (help was shown, or the use was wrong). */
int sy_stored_options_parse(sy_stored_options *o, unsigned takes, const char *help, int argc,
                            char **argv);
/* Opens the store read-only; on failure says so on stderr and returns NULL. */
sy_store *sy_stored_open(const char *command, const char *data);
/* The same with what no chunk holds yet: told by the gateway that runs on the folder, else made
 * from the journal behind what was last saved. */
SY_MUST_USE sy_err sy_stored_readings(sy_store **out, const char *data, sy_fail *f);
sy_store *sy_stored_open_readings(const char *command, const char *data);
/* The set that ran last on the folder, for the words of states; NULL where there is none. */
sy_config *sy_stored_config(const char *data);
/* The word of a state's value, NULL where the series is no state or is not known. */
const char *sy_stored_word(const sy_config *c, const char *series, double value);
/* The point of a series, or NULL. */
const sy_site_point *sy_stored_point(const sy_config *c, const char *series);
/* Who runs this, through sudo, too: the name of the account. */
const char *sy_stored_account(void);
/* Writes the buffer to stdout and empties it; false (and a line on stderr) where that fails. */
bool sy_stored_flush(const char *command, sy_buf *out);

#endif
