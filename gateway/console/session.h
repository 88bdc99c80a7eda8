/*
 * Sessions of people at the console: a random token in a cookie, another one that each change must
 * bring along (against forged requests from other pages). In memory only: a restart signs all out.
 *
 * The table keeps hashes of the tokens, so that its memory gives away none. Bounds: SY_SESSIONS, of
 * which a user has at most a quarter; the one that was used least recently makes room. Any thread.
 */
#ifndef SY_CONSOLE_SESSION_H
#define SY_CONSOLE_SESSION_H

#include "console/users.h"

enum { SY_SESSIONS = 256, SY_TOKEN = 64 };

typedef struct sy_session_times {
    sy_ms idle, whole; /* without use; in all */
} sy_session_times;
extern const sy_session_times sy_session_defaults; /* 30 min, 12 h */

typedef struct sy_sessions sy_sessions;
sy_sessions *sy_sessions_open(sy_session_times times); /* NULL: no memory */
void sy_sessions_close(sy_sessions *s);                /* NULL is allowed */

/* A new session; both tokens are hex with a NUL. */
void sy_sessions_begin(sy_sessions *s, const sy_user *user, sy_ms now, char token[SY_TOKEN + 1],
                       char guard[SY_TOKEN + 1]);
/* Whose session it is; false: none, or it is over. `stamp` is the account's when it began. */
bool sy_sessions_find(sy_sessions *s, const char *token, sy_ms now, char name[SY_USER_NAME + 1],
                      unsigned char stamp[32]);
/* Whether the guard token belongs to the session. */
bool sy_sessions_guarded(sy_sessions *s, const char *token, const char *guard);
/* The guard token of a session, for a page that was loaded anew. False: there is no such session.
 */
bool sy_sessions_guard(sy_sessions *s, const char *token, char guard[SY_TOKEN + 1]);
void sy_sessions_end(sy_sessions *s, const char *token);
size_t sy_sessions_count(sy_sessions *s, sy_ms now);

/* Equal, in a time that does not depend on where they differ. */
bool sy_same_bytes(const void *a, const void *b, size_t n);

#endif
