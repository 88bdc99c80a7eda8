/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small list, scanned: it is empty but while a destination refuses something, and never longer
 * than a batch.
 */
#include "upstream/suspects.h"

#include <stdio.h>

static sy_suspect *find(sy_suspects *s, int64_t number)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].number == number) {
            return &s->v[i];
        }
    }
    return NULL;
}

static void forget(sy_suspects *s, sy_suspect *x)
{
    *x = s->v[--s->n];
}

static sy_suspect *add(sy_suspects *s, int64_t number)
{
    sy_suspect *x = find(s, number);
    if (x) {
        return x;
    }
    if (s->n == SY_SUSPECTS_MAX) {
        forget(s, &s->v[0]); /* it only loses its proof, and is tried again */
    }
    x = &s->v[s->n++];
    *x = (sy_suspect){.number = number};
    return x;
}

void sy_suspects_refused(sy_suspects *s, const int64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)add(s, numbers[i]);
    }
}

bool sy_suspects_alone(sy_suspects *s, int64_t number, const char *alert)
{
    sy_suspect *x = add(s, number);
    if (x->proven) {
        forget(s, x);
        return true;
    }
    x->held = true;
    snprintf(x->alert, sizeof x->alert, "%s", alert);
    return false;
}

void sy_suspects_taken(sy_suspects *s, const int64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sy_suspect *x = find(s, numbers[i]);
        if (x) {
            forget(s, x);
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        s->v[i].proven = true;
        s->v[i].held = false;
    }
}

void sy_suspects_release(sy_suspects *s)
{
    for (size_t i = 0; i < s->n; i++) {
        s->v[i].held = false;
    }
}

bool sy_suspects_held(const sy_suspects *s, int64_t number)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].number == number) {
            return s->v[i].held;
        }
    }
    return false;
}

bool sy_suspects_holds_alert(const sy_suspects *s, const char *alert)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].held && alert[0] && strcmp(s->v[i].alert, alert) == 0) {
            return true;
        }
    }
    return false;
}

size_t sy_suspects_count_held(const sy_suspects *s)
{
    size_t held = 0;
    for (size_t i = 0; i < s->n; i++) {
        held += s->v[i].held ? 1 : 0;
    }
    return held;
}
