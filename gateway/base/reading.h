/*
 * Time, quality and readings: the words every part shares. Pure.
 */
#ifndef SY_READING_H
#define SY_READING_H

#include "base/buf.h"

/* Milliseconds since 1970-01-01T00:00:00Z, or a duration in milliseconds. */
typedef int64_t sy_ms;
#define SY_MS_NONE INT64_MIN /* no time: before everything */
#define SY_MS_MAX  INT64_MAX /* never */

/* Quality: the grade in the two low bits, then reasons. Only a good reading is valid for rules. */
typedef uint32_t sy_quality;
enum { SY_Q_GOOD = 0, SY_Q_UNCERTAIN = 1, SY_Q_BAD = 2, SY_Q_GRADE = 3 };

/* X(NAME, bit, text): bits are stable, they are stored. The texts appear in CSV and JSON. */
#define SY_QUALITY_TABLE(X)                                                                        \
    X(DEVICE_FAULT, 2, "device-fault")                                                             \
    X(OUT_OF_RANGE, 3, "out-of-range")                                                             \
    X(STUCK, 4, "stuck")                                                                           \
    X(LATE, 5, "late")                                                                             \
    X(FUTURE, 6, "future")                                                                         \
    X(DUPLICATE, 7, "duplicate")                                                                   \
    X(CONFLICT, 8, "conflict")                                                                     \
    X(UNCALIBRATED, 9, "uncalibrated")                                                             \
    X(UNAUTHENTICATED, 10, "unauthenticated")                                                      \
    X(CLOCK_UNSYNCHRONISED, 11, "clock-unsynchronised")                                            \
    X(MAINTENANCE, 12, "maintenance")                                                              \
    X(CALIBRATING, 13, "calibrating")                                                              \
    X(UNIT_CONVERTED, 14, "unit-converted")                                                        \
    X(SPIKE, 15, "spike")
enum {
#define SY_QUALITY_ENUM(name, bit, text) SY_Q_##name = 1 << bit,
    SY_QUALITY_TABLE(SY_QUALITY_ENUM)
#undef SY_QUALITY_ENUM
};

static inline bool sy_quality_valid(sy_quality q)
{
    return (q & SY_Q_GRADE) == SY_Q_GOOD;
}
/* The worse grade of q and grade, and the bits. */
static inline sy_quality sy_quality_worsen(sy_quality q, sy_quality grade, sy_quality bits)
{
    sy_quality g = (q & SY_Q_GRADE) > grade ? (q & SY_Q_GRADE) : grade;
    return (q & ~(sy_quality)SY_Q_GRADE) | bits | g;
}
/* "good", "uncertain+late+conflict" … and back. */
void sy_quality_text(sy_quality q, sy_buf *out);
SY_MUST_USE sy_err sy_quality_parse(sy_span text, sy_quality *out);

/* Proleptic Gregorian calendar, no zone. Month and day count from 1. */
typedef struct sy_date {
    int32_t year;
    uint8_t month, day;
} sy_date;
int64_t sy_days_of(sy_date d); /* days since 1970-01-01 */
sy_date sy_date_of(int64_t days);
bool sy_date_valid(int32_t year, int month, int day);

/* A time zone as data: offsets from UTC, each from its instant on. The last one holds for ever. */
typedef struct sy_zone_step {
    sy_ms from;
    int32_t offset_s;
} sy_zone_step;
typedef struct sy_zone {
    const char *name;          /* IANA name */
    const sy_zone_step *steps; /* ascending; steps[0].from is SY_MS_NONE */
    size_t n;
} sy_zone;
/* Offset in ms at an instant. A NULL zone is UTC. */
sy_ms sy_zone_offset(const sy_zone *z, sy_ms utc);
/* The instant of 00:00 local on that day (the first one that exists where it is skipped). */
sy_ms sy_zone_midnight(const sy_zone *z, int64_t local_day);
/* Local day number (days since 1970-01-01) of an instant. */
int64_t sy_zone_day(const sy_zone *z, sy_ms utc);

/* RFC 3339 in UTC with milliseconds, "2026-01-02T03:04:05.678Z" (25 bytes with NUL). */
void sy_time_text(sy_ms t, char out[25]);
/* RFC 3339 with offset and optional fraction, or plain epoch milliseconds. SY_E_PARSE, SY_E_RANGE
 * (years 1970 to 9999). */
SY_MUST_USE sy_err sy_time_parse(sy_span text, sy_ms *out);

#endif
