/*
 * An event as people are told of it: by mail, by a webhook. Pure but for memory.
 *
 * Told are an alert that is raised, becomes more severe, is over or withdrawn, or was not answered
 * in time, and that a storm began (steelyard.group.raised); who hears of a storm does not get its
 * members' events (pipeline/event.h). What people did about an alert, heartbeats, statements and
 * heads wake nobody.
 */
#ifndef SY_TIDINGS_H
#define SY_TIDINGS_H

#include "base/os.h"

typedef struct sy_tidings {
    bool told;         /* else there is nothing to say */
    const char *what;  /* "raised", "escalated", "cleared", "withdrawn", "unanswered", "storm" */
    const char *zh;    /* the same in Chinese */
    const char *place; /* name, else id; "" where it is left out */
    const char *premises, *severity, *rule, *id;
    const char *source; /* "/steelyard/<gateway>" */
    const char *say_en, *say_zh, *since, *time;
    uint64_t quiet; /* of a storm: points without data */
} sy_tidings;

/* Texts are in the arena, or static; never NULL. What is no event is not told. */
SY_MUST_USE sy_err sy_tidings_of(sy_span event, sy_arena *arena, sy_tidings *out, sy_fail *f);

/* A mail about n of them: header fields and body (RFC 5322, 2047; UTF-8 in base64), lines end in
 * CRLF. `to`: addresses, "\n" between them. */
typedef struct sy_letter {
    const char *from, *to;
    sy_ms now;
} sy_letter;
void sy_tidings_letter(const sy_letter *l, const sy_tidings *v, size_t n, sy_buf *out);

#endif
