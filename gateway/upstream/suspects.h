/*
 * Which event is it that a destination refuses? Pure.
 *
 * A 400 does not say whose fault it is: nginx answers 400 to everybody without a client
 * certificate, and a good event must not be set aside for that. So an event is set aside only on
 * proof: it was in a refused batch, after that the destination took another event, and then it
 * refused this one alone again. Until there is proof a refused event is held: passed over (with
 * what follows it in the same alert), so that it blocks nothing.
 */
#ifndef SY_SUSPECTS_H
#define SY_SUSPECTS_H

#include "base/reading.h"

enum { SY_SUSPECTS_MAX = 256, SY_HELD_MAX = 4 };

typedef struct sy_suspect {
    int64_t number;
    bool held, proven;
    char alert[72]; /* of a held one; "" where it has none */
} sy_suspect;

typedef struct sy_suspects {
    sy_suspect v[SY_SUSPECTS_MAX];
    size_t n;
} sy_suspects;

/* A batch was refused. */
void sy_suspects_refused(sy_suspects *s, const int64_t *numbers, size_t n);
/* An event was refused alone: true where it is to be set aside (it is forgotten then), else it is
 * held. */
bool sy_suspects_alone(sy_suspects *s, int64_t number, const char *alert);
/* These were taken: they are cleared, and the others have their proof and are no longer held. */
void sy_suspects_taken(sy_suspects *s, const int64_t *numbers, size_t n);
/* Try the held ones again. */
void sy_suspects_release(sy_suspects *s);
bool sy_suspects_held(const sy_suspects *s, int64_t number);
/* An alert one of whose events is held. */
bool sy_suspects_holds_alert(const sy_suspects *s, const char *alert);
size_t sy_suspects_count_held(const sy_suspects *s);

#endif
