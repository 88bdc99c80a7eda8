/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as a part of the running gateway. */
#include "base/log.h"
#include "run/service_int.h"

sy_ms sy_service__now(const sy_service *s)
{
    sy_ms now = s->o.replay ? SY_MS_NONE : sy_journal_now(s->journal);
    return now == SY_MS_NONE ? sy_wall_ms() : now;
}

/* Names of the destinations in the arena; false where there is no memory. */
static bool options_of(const sy_service *s, const sy_config *c, sy_arena *arena,
                       sy_ledger_options *o)
{
    const char **names = sy_arena_get(arena, (c->n_destinations + 1) * sizeof *names);
    if (!names)
        return false;
    for (size_t i = 0; i < c->n_destinations; i++)
        names[i] = c->destinations[i].name;
    *o = (sy_ledger_options){.store = s->store,
                             .data_dir = s->data,
                             .gateway = c->id,
                             .key = c->ledger_key,
                             .cert = c->ledger_cert,
                             .box = c->ledger_box,
                             .interval = c->ledger_interval,
                             .destinations = names,
                             .n_destinations = c->n_destinations};
    return true;
}

sy_err sy_service__ledger_open(sy_service *s, sy_fail *f)
{
    sy_arena arena;
    sy_ledger_options o;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_err e = options_of(s, s->config, &arena, &o)
                   ? sy_ledger_open(&s->ledger, &o, sy_service__now(s), f)
                   : sy_fail_set(f, SY_E_NOMEM, "no memory for the ledger");
    sy_arena_fini(&arena);
    return e;
}

void sy_service__ledger_reload(sy_service *s, const sy_config *c)
{
    sy_arena arena;
    sy_ledger_options o;
    sy_fail why = {0};
    sy_arena_init(&arena, sy_heap(), 0);
    if (!options_of(s, c, &arena, &o))
        sy_fail_set(&why, SY_E_NOMEM, "no memory for the ledger");
    else
        (void)!sy_ledger_reload(s->ledger, &o, &why);
    if (why.code)
        sy_log_fail(SY_LOG_ERROR, "ledger-reload-failed", &why);
    sy_arena_fini(&arena);
}

/* Who asked, and why, stands before the key that it brought. */
sy_err sy_service__rotate(sy_service *s, const char *who, const char *why, sy_fail *f)
{
    const sy_action a = {.who = who, .what = "rotate-key", .on = "ledger", .why = why};
    sy_err e = sy_ledger_action(s->ledger, sy_service__now(s), &a, f);
    e = e ? e : sy_ledger_rotate(s->ledger, sy_service__now(s), f);
    if (!e)
        sy_upstream_wake(s->upstream);
    return e;
}
