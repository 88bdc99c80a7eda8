/*
 * The log: logfmt lines on stderr, with journald priorities under systemd. Any thread.
 *
 * An event has a stable name (docs/log.md); lines of one event are rate-limited: SY_LOG_BURST in a
 * minute, then one line a minute that says how many were held back. No payloads, no secrets.
 * errno is preserved.
 */
#ifndef SY_LOG_H
#define SY_LOG_H

#include "base/os.h"

typedef enum sy_level {
    SY_LOG_ERROR = 3,
    SY_LOG_WARN = 4,
    SY_LOG_INFO = 6,
    SY_LOG_DEBUG = 7
} sy_level;
enum { SY_LOG_BURST = 10 };

/* fmt gives further key=value pairs, already in logfmt; quote text with sy_logq. */
void sy_log(sy_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Lines above this level are dropped. Default INFO. */
void sy_log_set_level(sy_level level);
/* A failure as one line: event=… error=<name> msg="…". */
void sy_log_fail(sy_level level, const char *event, const sy_fail *f);
/* Text quoted and escaped for logfmt, cut to fit; returns buf. */
const char *sy_logq(sy_span text, char *buf, size_t size);

#endif
