/* SPDX-License-Identifier: Apache-2.0 */
/* A small table under a lock. The guard token is a function of the session's token and a key of the
 * process, so that each page of a person has the same, and none is kept. */
#include "console/session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

const sy_session_times sy_session_defaults = {30 * 60 * 1000, 12 * 3600 * 1000};

typedef struct session {
    bool used;
    unsigned char hash[32], stamp[32];
    char name[SY_USER_NAME + 1];
    sy_ms began, last;
} session;

struct sy_sessions {
    pthread_mutex_t lock;
    sy_session_times times;
    unsigned char key[32];
    session v[SY_SESSIONS];
};

bool sy_same_bytes(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    unsigned different = 0;
    for (size_t i = 0; i < n; i++) {
        different |= (unsigned)(x[i] ^ y[i]);
    }
    return different == 0;
}

sy_sessions *sy_sessions_open(sy_session_times times)
{
    sy_sessions *s = calloc(1, sizeof *s);
    if (s) {
        pthread_mutex_init(&s->lock, NULL);
        s->times = times;
        sy_random(s->key, sizeof s->key);
    }
    return s;
}

void sy_sessions_close(sy_sessions *s)
{
    if (s) {
        pthread_mutex_destroy(&s->lock);
        free(s);
    }
}

static void hash_of(const char *token, unsigned char out[32])
{
    sy_sha256 h;
    sy_sha256_init(&h);
    sy_sha256_add(&h, token, strlen(token));
    sy_sha256_end(&h, out);
}

static void guard_of(const sy_sessions *s, const char *token, char out[SY_TOKEN + 1])
{
    sy_sha256 h;
    unsigned char sum[32];
    sy_sha256_init(&h);
    sy_sha256_add(&h, s->key, sizeof s->key);
    sy_sha256_add(&h, token, strlen(token));
    sy_sha256_add(&h, s->key, sizeof s->key);
    sy_sha256_end(&h, sum);
    sy_hex(sum, sizeof sum, out);
}

static bool over(const sy_sessions *s, const session *x, sy_ms now)
{
    return now - x->last > s->times.idle || now - x->began > s->times.whole || now < x->began;
}

/* Under the lock; NULL: none. */
static session *find(sy_sessions *s, const char *token)
{
    unsigned char hash[32];
    if (!token || strlen(token) != SY_TOKEN) {
        return NULL;
    }
    hash_of(token, hash);
    for (size_t i = 0; i < SY_SESSIONS; i++) {
        if (s->v[i].used && sy_same_bytes(s->v[i].hash, hash, sizeof hash)) {
            return &s->v[i];
        }
    }
    return NULL;
}

/* Where a new one goes: a free place; of a user who has many the oldest of these; else the oldest.
 */
static session *room(sy_sessions *s, const char *name, sy_ms now)
{
    session *empty = NULL, *oldest = NULL, *own = NULL;
    size_t mine = 0;
    for (size_t i = 0; i < SY_SESSIONS; i++) {
        session *x = &s->v[i];
        x->used = x->used && !over(s, x, now);
        if (!x->used) {
            empty = x;
            continue;
        }
        oldest = oldest && oldest->last <= x->last ? oldest : x;
        if (strcmp(x->name, name) == 0) {
            mine++;
            own = own && own->last <= x->last ? own : x;
        }
    }
    return mine >= SY_SESSIONS / 4 ? own : empty ? empty : oldest;
}

void sy_sessions_begin(sy_sessions *s, const sy_user *user, sy_ms now, char token[SY_TOKEN + 1],
                       char guard[SY_TOKEN + 1])
{
    unsigned char random[SY_TOKEN / 2];
    sy_random(random, sizeof random);
    sy_hex(random, sizeof random, token);
    guard_of(s, token, guard);
    pthread_mutex_lock(&s->lock);
    session *x = room(s, user->name, now);
    *x = (session){.used = true, .began = now, .last = now};
    hash_of(token, x->hash);
    sy_user_stamp(user, x->stamp);
    snprintf(x->name, sizeof x->name, "%s", user->name);
    pthread_mutex_unlock(&s->lock);
}

bool sy_sessions_find(sy_sessions *s, const char *token, sy_ms now, char name[SY_USER_NAME + 1],
                      unsigned char stamp[32])
{
    pthread_mutex_lock(&s->lock);
    session *x = find(s, token);
    if (x && over(s, x, now)) {
        x->used = false;
        x = NULL;
    }
    if (x) {
        x->last = now;
        memcpy(name, x->name, sizeof x->name);
        memcpy(stamp, x->stamp, sizeof x->stamp);
    }
    pthread_mutex_unlock(&s->lock);
    return x != NULL;
}

bool sy_sessions_guarded(sy_sessions *s, const char *token, const char *guard)
{
    char right[SY_TOKEN + 1];
    if (!token || !guard || strlen(guard) != SY_TOKEN) {
        return false;
    }
    guard_of(s, token, right);
    return sy_same_bytes(right, guard, SY_TOKEN);
}

bool sy_sessions_guard(sy_sessions *s, const char *token, char guard[SY_TOKEN + 1])
{
    pthread_mutex_lock(&s->lock);
    bool there = find(s, token) != NULL;
    pthread_mutex_unlock(&s->lock);
    if (there) {
        guard_of(s, token, guard);
    }
    return there;
}

void sy_sessions_end(sy_sessions *s, const char *token)
{
    pthread_mutex_lock(&s->lock);
    session *x = find(s, token);
    if (x) {
        x->used = false;
    }
    pthread_mutex_unlock(&s->lock);
}

size_t sy_sessions_count(sy_sessions *s, sy_ms now)
{
    size_t n = 0;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < SY_SESSIONS; i++) {
        n += s->v[i].used && !over(s, &s->v[i], now);
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}
