/* SPDX-License-Identifier: Apache-2.0 */
/* See share.h. */
#include "drivers/coap/share.h"

#include <stdlib.h>

enum { QUIET_MS = 1000, SHARED_MS = 60000, NO_LIMIT = 1 << 20 };

void sy_coap_share_fini(sy_coap_share *s)
{
    free(s->count);
    s->count = NULL;
    s->n = 0;
}

bool sy_coap_share_over(const sy_coap_share *s, sy_ms now)
{
    return now - s->window >= SY_SHARE_WINDOW_MS;
}

void sy_coap_share_trouble(sy_coap_share *s)
{
    s->trouble = true;
}

static void restrain(sy_coap_share *s, sy_ms now)
{
    uint32_t even = s->active ? s->taken / s->active : 0;
    if (s->limit && even > s->limit / 2)
        even = s->limit / 2;
    s->limit = even > SY_SHARE_LEAST ? even : SY_SHARE_LEAST;
    s->changed = now;
}

bool sy_coap_share_turn(sy_coap_share *s, sy_ms now)
{
    bool before = s->limit != 0;
    if (s->active > 1)
        s->shared = now;
    if (s->trouble && s->shared && now - s->shared <= SHARED_MS) {
        restrain(s, now);
    } else if (s->limit && now - s->changed >= QUIET_MS) {
        s->limit = s->limit * 2 < NO_LIMIT ? s->limit * 2 : 0;
        s->changed = now;
    }
    for (size_t i = 0, most = 0; i < s->n; i++)
        if (s->count[i] > most) {
            most = s->count[i];
            s->busiest = i;
        }
    if (s->active > 0)
        memset(s->count, 0, s->n * sizeof *s->count);
    s->taken = s->active = 0;
    s->trouble = false;
    s->window = now;
    return s->limit && !before;
}

bool sy_coap_share_take(sy_coap_share *s, size_t party, size_t parties)
{
    if (s->n != parties) { /* another configuration: all begin anew */
        free(s->count);
        s->count = calloc(parties, sizeof *s->count);
        s->n = s->count ? parties : 0;
        s->busiest = 0;
    }
    if (party >= s->n)
        return true; /* no memory to count in */
    s->active += s->count[party] == 0;
    s->count[party]++;
    if (s->limit && s->count[party] > s->limit) {
        __atomic_fetch_add(&s->held_back, 1, __ATOMIC_RELAXED);
        return false;
    }
    s->taken++;
    return true;
}
